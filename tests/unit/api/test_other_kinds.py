"""What is particular to the schemas of the other kinds, judged as a kube-apiserver does."""

import copy
import itertools
from typing import Any

import pytest

from api.meta import JsonObject
from api.v1 import HOSTING_AUTOSCALING_POLICY
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.unit.api.contract import schema_of
from tests.unit.api.least import LEAST, manifest


@pytest.mark.parametrize("kind", ["HyperparameterTuningJob", "BatchTransformJob", "ProcessingJob"])
def test_jobs_are_immutable_whole(kind: str) -> None:
    """As TrainingJobs are."""
    tagged = LEAST[kind] | {"tags": [{"key": "a", "value": "b"}]}

    assert _refusals(kind, LEAST[kind], LEAST[kind]) == []
    assert any("cannot be changed" in text for text in _refusals(kind, tagged, LEAST[kind]))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("HyperparameterTuningJob", "hyperParameterTuningJobName"), ("BatchTransformJob", "transformJobName")],
)
def test_their_names_may_be_filled_in_once(kind: str, name: str) -> None:
    """Late initialisation (v1-kinds.md 9): with the name that is recorded."""
    first, other = LEAST[kind] | {name: "x"}, LEAST[kind] | {name: "other"}

    assert _refusals(kind, first, LEAST[kind]) == []
    assert _refusals(kind, other, first) != []


@pytest.mark.parametrize("kind", ["Model", "EndpointConfig", "HostingDeployment", "HostingAutoscalingPolicy"])
def test_of_what_is_no_job_only_the_identity_is_fixed(kind: str) -> None:
    """D-04; everything else is replaced or updated by the operator."""
    tagged = LEAST[kind] | {"tags": [{"key": "a", "value": "b"}]}
    moved = LEAST[kind] | {"region": "eu-west-1"}
    redirected = LEAST[kind] | {"sageMakerEndpoint": "https://x"}

    assert _refusals(kind, tagged, LEAST[kind]) == []
    assert ["spec.region of a" in text for text in _refusals(kind, moved, LEAST[kind])] == [True]
    assert len(_refusals(kind, redirected, LEAST[kind])) == 1
    assert len(_refusals(kind, LEAST[kind], redirected)) == 1


@pytest.mark.parametrize("field", ["policyName", "serviceNamespace", "scalableDimension"])
def test_what_names_a_policy_may_be_filled_in_once(field: str) -> None:
    """Under another name or dimension a second policy would be put, and the first forgotten."""
    least = LEAST["HostingAutoscalingPolicy"]
    empty, given, other = least | {field: ""}, least | {field: "given"}, least | {field: "other"}
    default = least | {field: HOSTING_AUTOSCALING_POLICY.compat.filled_in[field]}

    for same, old in itertools.permutations((least, empty, default), 2):
        assert _refusals("HostingAutoscalingPolicy", same, old) == []
    for changed in (other, empty, least):
        assert len(_refusals("HostingAutoscalingPolicy", changed, given)) == 1


def test_what_a_policy_does_may_change() -> None:
    """It is put again in place (v1-kinds.md 12.5)."""
    least = LEAST["HostingAutoscalingPolicy"]
    changed = least | {"maxCapacity": 3, "resourceId": [{"endpointName": "e", "variantName": "v"}]}

    assert _refusals("HostingAutoscalingPolicy", changed, least) == []
    assert _refusals("HostingAutoscalingPolicy", least, changed) == []


def test_the_name_of_an_endpoint_stays() -> None:
    """D-04: the operator would make a second endpoint, and forget the first."""
    least = LEAST["HostingDeployment"]
    given, other = least | {"endpointName": "given"}, least | {"endpointName": "other"}

    for new, old in ((given, least), (least, given), (other, given)):
        assert ["cannot be changed" in text for text in _refusals("HostingDeployment", new, old)] == [True]


def test_a_processing_job_manages_its_own_paths_only_if_it_says_so() -> None:
    """localPath was required in v1; AWS lets it go with appManaged."""
    spec = copy.deepcopy(LEAST["ProcessingJob"])
    del spec["processingInputs"][0]["s3Input"]["localPath"]

    assert "spec.processingInputs[0].s3Input.localPath: Required value" in _refusals("ProcessingJob", spec)

    spec["processingInputs"][0]["appManaged"] = True
    assert _refusals("ProcessingJob", spec) == []


def test_a_processing_input_may_be_a_dataset_definition() -> None:
    """s3Input was required in v1."""
    spec = copy.deepcopy(LEAST["ProcessingJob"])
    spec["processingInputs"][0] = {"inputName": "in"}

    assert "spec.processingInputs[0].s3Input: Required value" in _refusals("ProcessingJob", spec)

    spec["processingInputs"][0]["datasetDefinition"] = {"localPath": "/opt/ml/processing/input"}
    assert _refusals("ProcessingJob", spec) == []


@pytest.mark.parametrize("weight", [1, 0.5], ids=["an integer, as in v1", "a fraction, as at AWS"])
def test_a_weight_may_be_any_number(weight: Any) -> None:
    """TYPE: integer in v1, float at AWS."""
    spec = copy.deepcopy(LEAST["EndpointConfig"])
    spec["productionVariants"][0]["initialVariantWeight"] = weight

    assert _refusals("EndpointConfig", spec) == []


def _refusals(kind: str, spec: JsonObject, old: JsonObject | None = None) -> list[str]:
    """What an apply is refused for; `old` is of an object whose resource is recorded."""
    new, before = manifest(kind, spec), None
    if old is not None:
        before = manifest(kind, old) | {"status": {"awsResource": {"name": "x", "region": "us-east-2"}}}
    unknown = [f"{path}: unknown field" for path in prune(schema_of(kind), new)]
    return unknown + [str(cause) for cause in validate(schema_of(kind), new, before)]
