"""A sample of `make every-property`: properties of every kind, from a manifest to AWS and back.

The embedded API server's own code, the reconcilers and the embedded SageMaker. What AWS has to be sent is derived from
the table of v1's fields and botocore's models (tests/every_property/oracle.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from api.convert import to_request
from api.meta import JsonObject
from controller.reconcile.managed import requests
from tests.every_property.kubernetes import EmbeddedApi
from tests.every_property.oracle import expected
from tests.every_property.places import PLURALS, places
from tests.every_property.runs import report
from tests.every_property.sequence import Outcome, Sequence, in_one_thread

pytestmark = pytest.mark.long

SAMPLE = [
    ("TrainingJob", "spec.inputDataConfig[].dataSource.s3DataSource.attributeNames[]"),
    ("TrainingJob", "spec.profilerConfig"),
    ("HyperparameterTuningJob", "spec.trainingJobDefinition.enableManagedSpotTraining"),
    ("BatchTransformJob", "spec.dataProcessing.JoinSource"),
    ("ProcessingJob", "spec.environment[].value"),
    ("Model", "spec.containers[].environment"),
    ("EndpointConfig", "spec.productionVariants[].initialVariantWeight"),
    ("HostingDeployment", "spec.endpointName"),
    ("InferenceComponent", "spec.runtimeConfig.copyCount"),
    ("PipelineExecution", "spec.pipelineExecutionDescription"),
    ("ModelPackageGroup", "spec.modelPackageGroupDescription"),
    ("ModelPackage", "spec.inferenceSpecification.containers[].environment"),
    ("Pipeline", "spec.pipelineDefinition"),
    ("Pipeline", "spec.pipelineDefinitionFrom.configMapKeyRef.key"),
    ("HostingAutoscalingPolicy", "spec.targetTrackingScalingPolicyConfiguration.targetValue"),
]
"""Properties with a shape, a spelling or a type of their own, and those with which something was wrong."""


@pytest.fixture(scope="module")
def api() -> Iterator[EmbeddedApi]:
    """One API server for all: its CRDs take longest."""
    return EmbeddedApi()


def played(api: EmbeddedApi, kind: str, path: str) -> Outcome:
    """The life of one property."""
    (place,) = [each for each in places(kind) if each.text == path]
    return Sequence(in_one_thread(api), place, seed=1).play()


@pytest.mark.parametrize(("kind", "path"), SAMPLE, ids=lambda value: value)
def test_what_is_sent_is_what_the_manifest_says(api: EmbeddedApi, kind: str, path: str) -> None:
    """Valid values reach AWS, others are refused with a message, and an edit can be taken back."""
    outcome = played(api, kind, path)
    assert [report(each) for each in outcome.violations] == []
    assert outcome.accepted
    assert outcome.refused


def test_every_kind_is_in_the_sample() -> None:
    """And every property of a kind belongs to AWS, or is one of the operator's few."""
    assert {kind for kind, _ in SAMPLE} == set(PLURALS)
    own = {each.text for kind in PLURALS for each in places(kind) if each.shape is None}
    assert own == {
        "spec.containers",
        "spec.models",
        "spec.models[]",
        "spec.models[].name",
        "spec.pipelineDefinitionFrom",
        "spec.pipelineDefinitionFrom.configMapKeyRef",
        "spec.pipelineDefinitionFrom.configMapKeyRef.key",
        "spec.pipelineDefinitionFrom.configMapKeyRef.name",
        "spec.region",
        "spec.resourceId[]",
        "spec.resourceId[].endpointName",
        "spec.resourceId[].inferenceComponentName",
        "spec.resourceId[].variantName",
        "spec.sageMakerEndpoint",
    }


def test_a_value_that_is_lost_on_the_way_is_found(api: EmbeddedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge is independent of the conversion."""

    def forgetful(descriptor: Any, spec: Mapping[str, Any], operation: str = "") -> JsonObject:
        request = to_request(descriptor, spec, operation)
        request.pop("BatchStrategy", None)
        return request

    monkeypatch.setattr(requests, "to_request", forgetful)
    (first, *_) = played(api, "BatchTransformJob", "spec.batchStrategy").violations
    assert first.rule == "sent"
    assert "CreateTransformJob.BatchStrategy should be" in first.detail
    assert "is '(absent)'" in first.detail
    assert "batchStrategy" in report(first)


def test_the_oracle_knows_v1_by_heart() -> None:
    """Renamed keys, lists that are maps, weights that are fractions."""
    spec = {"debugHookConfig": {"s3OutputPath": "s3://b/x", "ruleParameters": [{"name": "a", "value": "1"}]}}
    (job,) = expected("TrainingJob", spec)
    assert job.params["DebugHookConfig"] == {"S3OutputPath": "s3://b/x", "HookParameters": {"a": "1"}}
    (config,) = expected("EndpointConfig", {"productionVariants": [{"variantName": "a", "initialVariantWeight": 1}]})
    weight = config.params["ProductionVariants"][0]["InitialVariantWeight"]
    assert (weight, type(weight)) == (1.0, float)
