"""Values files for the first operator's job charts go on working: every key has the effect that it had."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from hack import tools
from tests.sandbox.installation import CHARTS, REPOSITORY, Cluster, cluster

pytestmark = pytest.mark.sandbox

ROLE = "arn:aws:iam::123456789012:role/mine"
VALUES = {
    "training-jobs": f"""
name: mine
spec: {{instanceCount: 2, instanceType: ml.m5.large, volumeSizeInGB: 7, maxRuntimeInSeconds: 60, roleArn: "{ROLE}",
  region: eu-west-1, image: image, trainingInputMode: Pipe, hyperparameters: {{eta: 0.2}}, outputPath: "s3://mine/out",
  inputDataConfig: [
    {{channel: a, s3: {{s3Uri: "s3://mine/a", s3DataType: ManifestFile, s3DataDistributionType: ShardedByS3Key}},
      contentType: text/plain, compressionType: Gzip}},
    {{channel: b, s3: {{s3Uri: "s3://mine/b"}}}},
    {{channel: c, fileSystem: {{fileSystemType: EFS, fileSystemID: fs-e2466d9b, directoryPath: /data}},
      fileSystemAccessMode: rw}}],
  vpcConfig: {{securityGroupIDs: [sg-1], subnets: [subnet-1]}}, enableManagedSpotTraining: true,
  keepAlivePeriodInSeconds: 600,
  stoppingCondition: {{maxRuntime: 50, maxWaitTime: 70}}, checkpointConfig: {{s3Uri: "s3://mine/checkpoints"}},
  tags: {{team: vision}}}}
""",
    "hyperparameter-tuning-jobs": f"""
name: mine
spec: {{instanceCount: 2, instanceType: ml.m5.large, volumeSizeInGB: 7, maxRuntimeInSeconds: 60, roleArn: "{ROLE}",
  region: eu-west-1, image: image, trainingInputMode: Pipe, enableNetworkIsolation: true,
  enableInterContainerTrafficEncryption: true, hyperparameterTuningJobConfig: {{maxNumberOfTrainingJobs: 4,
    maxParallelTrainingJobs: 2, strategy: Random,
    hyperparameterTuningJobObjective: {{type: Maximize, metricName: "validation:auc"}},
    integerParameterRanges: {{name: depth, minValue: 1, maxValue: 9, scalingType: Logarithmic}}}},
  trainingJobConfig: {{hyperparameters: {{eta: 0.2}}}},
  inputDataConfig: [{{channel: a, s3: {{s3Uri: "s3://mine/a"}}, recordWrapperType: RecordIO, inputMode: Pipe}},
    {{channel: b, s3: {{s3Uri: "s3://mine/b"}}}}],
  outputPath: "s3://mine/out", tags: {{team: vision}}}}
""",
    "batch-transform-jobs": """
name: mine
spec: {region: eu-west-1, modelName: model, instanceCount: 2, instanceType: ml.m5.large,
  inputDataConfig: {s3Uri: "s3://mine/in", s3DataType: ManifestFile}, outputPath: "s3://mine/out", tags: {team: vision}}
""",
}
TAG = {"key": "team", "value": "vision"}
ETA = {"name": "eta", "value": "0.2"}
"""Entries of maps, which Helm merges with those of the chart's own values."""
CHANNEL_B = {
    "channelName": "b",
    "contentType": "text/csv",
    "compressionType": "None",
    "dataSource": {
        "s3DataSource": {
            "s3DataType": "S3Prefix",
            "s3Uri": "s3://mine/b",
            "s3DataDistributionType": "FullyReplicated",
        }
    },
}
"""What the defaults make of a channel that names a place only."""


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster that knows the kinds."""
    directory = tmp_path_factory.mktemp("values")
    with cluster(directory, has_kinds=True) as made:
        yield made


def rendered(chart: str, kinds: Cluster, directory: Path) -> JsonObject:
    """The spec that the chart makes of all its keys, and that the API server accepts."""
    values = directory / "values.yaml"
    values.write_text(VALUES[chart])
    command = [str(tools.find("helm")), "template", "mine", str(CHARTS / chart), "--values", str(values)]
    manifest = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kinds.kubectl("create", "--dry-run=server", "--filename=-", given=manifest)
    obj = yaml.safe_load(manifest)
    assert obj["metadata"]["name"] == "mine"
    spec: JsonObject = obj["spec"]
    return spec


@pytest.mark.guide("F-9")
def test_every_key_of_the_training_chart_counts(kinds: Cluster, tmp_path: Path) -> None:
    """Section 9; tags are pairs (D-45), and there is one stopping condition."""
    spec = rendered("training-jobs", kinds, tmp_path)
    channels = spec.pop("inputDataConfig")
    assert TAG in spec.pop("tags")
    assert ETA in spec.pop("hyperParameters")
    assert spec == {
        "region": "eu-west-1",
        "roleArn": ROLE,
        "algorithmSpecification": {"trainingImage": "image", "trainingInputMode": "Pipe"},
        "outputDataConfig": {"s3OutputPath": "s3://mine/out"},
        "resourceConfig": {
            "instanceCount": 2,
            "instanceType": "ml.m5.large",
            "volumeSizeInGB": 7,
            "keepAlivePeriodInSeconds": 600,
        },
        "stoppingCondition": {"maxRuntimeInSeconds": 50, "maxWaitTimeInSeconds": 70},
        "vpcConfig": {"securityGroupIds": ["sg-1"], "subnets": ["subnet-1"]},
        "enableManagedSpotTraining": True,
        "checkpointConfig": {"s3Uri": "s3://mine/checkpoints"},
    }
    first, second, third = channels
    assert (first["contentType"], first["compressionType"]) == ("text/plain", "Gzip")
    assert first["dataSource"]["s3DataSource"] == {
        "s3DataType": "ManifestFile",
        "s3Uri": "s3://mine/a",
        "s3DataDistributionType": "ShardedByS3Key",
    }
    assert second == CHANNEL_B
    assert third["dataSource"]["fileSystemDataSource"] == {
        "fileSystemType": "EFS",
        "fileSystemId": "fs-e2466d9b",
        "directoryPath": "/data",
        "fileSystemAccessMode": "rw",
    }


@pytest.mark.guide("F-9")
def test_every_key_of_the_tuning_chart_counts(kinds: Cluster, tmp_path: Path) -> None:
    """Section 9: one range is given as it always was, without a list."""
    spec = rendered("hyperparameter-tuning-jobs", kinds, tmp_path)
    tuning, training = spec["hyperParameterTuningJobConfig"], spec["trainingJobDefinition"]
    assert spec["region"] == "eu-west-1"
    assert TAG in spec["tags"]
    assert tuning["strategy"] == "Random"
    assert tuning["hyperParameterTuningJobObjective"] == {"type": "Maximize", "metricName": "validation:auc"}
    assert tuning["resourceLimits"] == {"maxNumberOfTrainingJobs": 4, "maxParallelTrainingJobs": 2}
    ranged = {"name": "depth", "minValue": "1", "maxValue": "9", "scalingType": "Logarithmic"}
    assert tuning["parameterRanges"]["integerParameterRanges"] == [ranged]
    first, second = training.pop("inputDataConfig")
    assert ETA in training.pop("staticHyperParameters")
    assert training == {
        "algorithmSpecification": {"trainingImage": "image", "trainingInputMode": "Pipe"},
        "roleArn": ROLE,
        "outputDataConfig": {"s3OutputPath": "s3://mine/out"},
        "resourceConfig": {"instanceCount": 2, "instanceType": "ml.m5.large", "volumeSizeInGB": 7},
        "stoppingCondition": {"maxRuntimeInSeconds": 60},
        "enableNetworkIsolation": True,
        "enableInterContainerTrafficEncryption": True,
    }
    assert (first["recordWrapperType"], first["inputMode"]) == ("RecordIO", "Pipe")
    assert (second["recordWrapperType"], second["inputMode"]) == ("None", "File"), "their defaults in this chart"


@pytest.mark.guide("F-9")
def test_every_key_of_the_transform_chart_counts(kinds: Cluster, tmp_path: Path) -> None:
    """Section 9."""
    assert rendered("batch-transform-jobs", kinds, tmp_path) == {
        "region": "eu-west-1",
        "modelName": "model",
        "transformInput": {
            "contentType": "text/csv",
            "dataSource": {"s3DataSource": {"s3DataType": "ManifestFile", "s3Uri": "s3://mine/in"}},
        },
        "transformOutput": {"s3OutputPath": "s3://mine/out"},
        "transformResources": {"instanceCount": 2, "instanceType": "ml.m5.large"},
        "tags": [TAG],
    }


def helm(chart: str, values: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Render a chart with the values of `VALUES`, and `values` over them."""
    first, second = directory / "first.yaml", directory / "second.yaml"
    first.write_text(VALUES[chart])
    second.write_text(values)
    command = [str(tools.find("helm")), "template", "mine", str(CHARTS / chart)]
    files = ["--values", str(first), "--values", str(second)]
    return subprocess.run([*command, *files], capture_output=True, text=True, check=False)


IN_CHART = {
    "training-jobs": "spec: {{hyperparameters: {{x: {value}}}}}",
    "hyperparameter-tuning-jobs": "spec: {{trainingJobConfig: {{hyperparameters: {{x: {value}}}}}}}",
}
FIELD = {
    "training-jobs": lambda spec: spec["hyperParameters"],
    "hyperparameter-tuning-jobs": lambda spec: spec["trainingJobDefinition"]["staticHyperParameters"],
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("[64, 32]", "[64,32]", id="list"),
        pytest.param("[1000000, 0.5, a]", '[1000000,0.5,"a"]', id="list of several types"),
        pytest.param("{a: 1, b: [true]}", '{"a":1,"b":[true]}', id="map"),
        pytest.param("[]", "[]", id="empty list"),
        pytest.param("1000000", "1000000", id="whole number"),
        pytest.param("0.2", "0.2", id="fraction"),
        pytest.param("true", "true", id="boolean"),
        pytest.param("'null'", "null", id="the word null"),
    ],
)
@pytest.mark.parametrize("chart", IN_CHART)
def test_a_hyperparameter_is_text_and_lists_and_maps_are_json(
    chart: str, value: str, text: str, tmp_path: Path
) -> None:
    """As SageMaker's SDK and containers write them, not as Go prints them."""
    done = helm(chart, IN_CHART[chart].format(value=value), tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"name": "x", "value": text} in FIELD[chart](yaml.safe_load(done.stdout)["spec"])


@pytest.mark.parametrize("value", [0, 600])
def test_a_warm_pool_is_kept_and_ended_by_the_training_chart(value: int, tmp_path: Path) -> None:
    """0 ends it, and is not the same as nothing: `helm upgrade` sends it to a job that has ended."""
    done = helm("training-jobs", f"spec: {{keepAlivePeriodInSeconds: {value}}}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["spec"]["resourceConfig"]["keepAlivePeriodInSeconds"] == value


TUNING = "spec: {{hyperparameterTuningJobConfig: {ranges}}}"
REFUSED = [
    *((chart, IN_CHART[chart].format(value="null"), "x") for chart in IN_CHART),
    *((chart, "spec: {tags: {x: null}}", "x") for chart in VALUES),
    *((chart, "spec: {tags: {x: [a]}}", "x") for chart in VALUES),
    (
        "hyperparameter-tuning-jobs",
        TUNING.format(ranges="{continuousParameterRanges: [{name: x, minValue: null, maxValue: 1}]}"),
        "minValue",
    ),
    (
        "hyperparameter-tuning-jobs",
        TUNING.format(ranges="{categoricalParameterRanges: [{name: x, values: [a, null]}]}"),
        "values",
    ),
]


@pytest.mark.parametrize(("chart", "values", "word"), REFUSED)
def test_what_has_no_text_is_refused_by_its_path(chart: str, values: str, word: str, tmp_path: Path) -> None:
    """`<nil>` and `[a]` as the value of a parameter would fail in the container, hours later or never."""
    done = helm(chart, values, tmp_path)
    assert done.returncode == 1, done.stdout
    assert "don't meet the specifications of the schema" in done.stderr
    assert word in done.stderr
    assert "null" in done.stderr or "array" in done.stderr


LIMITS = {
    "training-jobs": {
        "instanceCount": "resourceConfig.instanceCount",
        "volumeSizeInGB": "resourceConfig.volumeSizeInGB",
        "keepAlivePeriodInSeconds": "resourceConfig.keepAlivePeriodInSeconds",
        "maxRuntimeInSeconds": "stoppingCondition.maxRuntimeInSeconds",
        "stoppingCondition.maxRuntime": "stoppingCondition.maxRuntimeInSeconds",
        "stoppingCondition.maxWaitTime": "stoppingCondition.maxWaitTimeInSeconds",
    },
    "hyperparameter-tuning-jobs": {
        "instanceCount": "trainingJobDefinition.resourceConfig.instanceCount",
        "volumeSizeInGB": "trainingJobDefinition.resourceConfig.volumeSizeInGB",
        "maxRuntimeInSeconds": "trainingJobDefinition.stoppingCondition.maxRuntimeInSeconds",
        "hyperparameterTuningJobConfig.maxNumberOfTrainingJobs": (
            "hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs"
        ),
        "hyperparameterTuningJobConfig.maxParallelTrainingJobs": (
            "hyperParameterTuningJobConfig.resourceLimits.maxParallelTrainingJobs"
        ),
    },
    "batch-transform-jobs": {"instanceCount": "transformResources.instanceCount"},
}
"""Whole numbers of each chart, and the fields that they become."""
KIND = {
    "training-jobs": TRAINING_JOB,
    "hyperparameter-tuning-jobs": HYPERPARAMETER_TUNING_JOB,
    "batch-transform-jobs": BATCH_TRANSFORM_JOB,
}


def within(schema: JsonObject, path: str) -> JsonObject:
    """The schema of a nested property."""
    for name in path.split("."):
        schema = schema["properties"][name]
    return schema


@pytest.mark.parametrize("chart", LIMITS)
def test_no_number_of_a_chart_is_limited_otherwise_than_in_the_crd(chart: str) -> None:
    """A chart that refuses what the API accepts, such as no instances at all, stands in the way of its users."""
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())["properties"]["spec"]
    crd = yaml.load(
        (REPOSITORY / f"config/crd/bases/sagemaker.aws.amazon.com_{KIND[chart].plural}.yaml").read_text(),
        Loader=yaml.CSafeLoader,
    )
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    limits = {key: within(schema, key).get("minimum") for key in LIMITS[chart]}
    assert limits == {key: within(spec, path).get("minimum") for key, path in LIMITS[chart].items()}
    assert json.dumps(schema).count('"minimum"') == len(limits), "each of them is in the table"
