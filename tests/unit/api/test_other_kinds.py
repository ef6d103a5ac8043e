"""What is particular to the schemas of the other kinds, judged as a kube-apiserver does."""

import copy
from typing import Any

import pytest

from api.meta import JsonObject
from hack.sandbox.kube.schema import prune
from hack.sandbox.kube.validation import validate
from tests.unit.api.contract import schema_of

_ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"

_LEAST: dict[str, JsonObject] = {
    "HyperparameterTuningJob": {
        "region": "us-east-2",
        "hyperParameterTuningJobConfig": {
            "strategy": "Bayesian",
            "resourceLimits": {"maxNumberOfTrainingJobs": 10, "maxParallelTrainingJobs": 2},
        },
    },
    "BatchTransformJob": {
        "region": "us-east-2",
        "modelName": "m",
        "transformInput": {"dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": "s3://b/in"}}},
        "transformOutput": {"s3OutputPath": "s3://b/out"},
        "transformResources": {"instanceCount": 1, "instanceType": "ml.m4.xlarge"},
    },
    "ProcessingJob": {
        "region": "us-east-2",
        "roleArn": _ROLE,
        "appSpecification": {},
        "processingResources": {
            "clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 5}
        },
        "processingInputs": [
            {
                "inputName": "in",
                "s3Input": {
                    "localPath": "/opt/ml/processing/input",
                    "s3DataType": "S3Prefix",
                    "s3InputMode": "File",
                    "s3Uri": "s3://b/in",
                },
            }
        ],
    },
    "Model": {"region": "us-east-2", "executionRoleArn": _ROLE},
    "EndpointConfig": {
        "region": "us-east-2",
        "productionVariants": [
            {"variantName": "v", "modelName": "m", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 1}
        ],
    },
}


@pytest.mark.parametrize("kind", _LEAST)
def test_the_least_manifest_of_v1_is_accepted(kind: str) -> None:
    """Manifests run unmodified."""
    assert _refusals(kind, _LEAST[kind]) == []


@pytest.mark.parametrize("kind", ["HyperparameterTuningJob", "BatchTransformJob", "ProcessingJob"])
def test_jobs_are_immutable_whole(kind: str) -> None:
    """As TrainingJobs are."""
    tagged = _LEAST[kind] | {"tags": [{"key": "a", "value": "b"}]}

    assert _refusals(kind, _LEAST[kind], _LEAST[kind]) == []
    assert any("cannot be changed" in text for text in _refusals(kind, tagged, _LEAST[kind]))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("HyperparameterTuningJob", "hyperParameterTuningJobName"), ("BatchTransformJob", "transformJobName")],
)
def test_their_names_may_be_filled_in_once(kind: str, name: str) -> None:
    """Late initialisation (v1-kinds.md 9)."""
    first, other = _LEAST[kind] | {name: "first"}, _LEAST[kind] | {name: "other"}

    assert _refusals(kind, first, _LEAST[kind]) == []
    assert _refusals(kind, other, first) != []


@pytest.mark.parametrize("kind", ["Model", "EndpointConfig"])
def test_of_a_model_or_configuration_only_the_identity_is_fixed(kind: str) -> None:
    """D-04; everything else is deleted and created anew by the operator."""
    tagged = _LEAST[kind] | {"tags": [{"key": "a", "value": "b"}]}
    moved = _LEAST[kind] | {"region": "eu-west-1"}
    redirected = _LEAST[kind] | {"sageMakerEndpoint": "https://x"}

    assert _refusals(kind, tagged, _LEAST[kind]) == []
    assert ["spec.region: " in text for text in _refusals(kind, moved, _LEAST[kind])] == [True]
    assert len(_refusals(kind, redirected, _LEAST[kind])) == 1
    assert len(_refusals(kind, _LEAST[kind], redirected)) == 1


def test_a_processing_job_manages_its_own_paths_only_if_it_says_so() -> None:
    """localPath was required in v1; AWS lets it go with appManaged."""
    spec = copy.deepcopy(_LEAST["ProcessingJob"])
    del spec["processingInputs"][0]["s3Input"]["localPath"]

    assert "spec.processingInputs[0].s3Input.localPath: Required value" in _refusals("ProcessingJob", spec)

    spec["processingInputs"][0]["appManaged"] = True
    assert _refusals("ProcessingJob", spec) == []


def test_a_processing_input_may_be_a_dataset_definition() -> None:
    """s3Input was required in v1."""
    spec = copy.deepcopy(_LEAST["ProcessingJob"])
    spec["processingInputs"][0] = {"inputName": "in"}

    assert "spec.processingInputs[0].s3Input: Required value" in _refusals("ProcessingJob", spec)

    spec["processingInputs"][0]["datasetDefinition"] = {"localPath": "/opt/ml/processing/input"}
    assert _refusals("ProcessingJob", spec) == []


@pytest.mark.parametrize("weight", [1, 0.5], ids=["an integer, as in v1", "a fraction, as at AWS"])
def test_a_weight_may_be_any_number(weight: Any) -> None:
    """TYPE: integer in v1, float at AWS."""
    spec = copy.deepcopy(_LEAST["EndpointConfig"])
    spec["productionVariants"][0]["initialVariantWeight"] = weight

    assert _refusals("EndpointConfig", spec) == []


def _refusals(kind: str, spec: JsonObject, old: JsonObject | None = None) -> list[str]:
    new, before = _object(kind, spec), _object(kind, old) if old is not None else None
    unknown = [f"{path}: unknown field" for path in prune(schema_of(kind), new)]
    return unknown + [str(cause) for cause in validate(schema_of(kind), new, before)]


def _object(kind: str, spec: JsonObject) -> JsonObject:
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "default"},
        "spec": copy.deepcopy(spec),
    }
