"""Values files for the first operator's job charts go on working: every key has the effect that it had."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from hack import tools
from tests.sandbox.installation import CHARTS, Cluster, cluster

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
        "resourceConfig": {"instanceCount": 2, "instanceType": "ml.m5.large", "volumeSizeInGB": 7},
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
