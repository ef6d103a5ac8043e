"""What the kinds beyond v1 have, beside ACK's kinds of the same names: a user of those finds every field here.

ACK generates its kinds from the service model: `spec` has the members of the request that creates a resource, `status`
those of its answer, and what its generator.yaml takes from other operations. The same rules, over the same model, say
here what there should be. generator.yaml leaves out much (ModelCard, SourceUri, PipelineDefinitionS3Location, …): those
members count here too.
"""

from collections.abc import Iterator
from typing import Final

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.descriptor import KindDescriptor
from api.fields import build
from api.meta import JsonObject
from api.models import as_model, load
from api.v1 import KINDS
from tests.unit.api.contract import schema_of
from tests.unit.api.expected import key_in

_OF_BOTH: Final = ("InferenceComponent", "ModelPackageGroup", "ModelPackage", "Pipeline", "PipelineExecution")
_KINDS: Final = tuple(kind for kind in KINDS if kind.kind in _OF_BOTH)

_STATUS: Final = {
    "InferenceComponent": (
        "InferenceComponentStatus FailureReason CreationTime LastModifiedTime EndpointName VariantName"
    ),
    "ModelPackageGroup": "ModelPackageGroupStatus",
    "ModelPackage": "ModelPackageStatus ModelPackageStatusDetails CreationTime LastModifiedTime",
    "Pipeline": "PipelineStatus CreationTime LastModifiedTime",
    "PipelineExecution": "PipelineExecutionStatus FailureReason CreationTime LastModifiedTime",
}
"""Members of the Describe answer that ACK's generator.yaml puts into the status (`is_read_only`)."""

_MADE = "the operator makes it of the object's uid, so that a repeated request changes nothing"
_EXCEPTED: Final = {
    "ModelPackage": {
        "clientToken": _MADE,
        "additionalInferenceSpecificationsToAdd": "an edit of additionalInferenceSpecifications, which an update sends",
        "customerMetadataPropertiesToRemove": "what an edit takes out of customerMetadataProperties",
    },
    "Pipeline": {"clientRequestToken": _MADE},
    "PipelineExecution": {"clientRequestToken": _MADE},
}
"""Members of requests that no spec has, and why."""


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.kind)
def test_a_spec_has_every_member_that_a_request_of_its_kind_has(kind: KindDescriptor) -> None:
    """At any depth, of Create and Update, in the CRD that users install."""
    model = as_model(kind.service, load(kind.service))
    sent = {path for each in kind.operations.sending for path in _members(model.operation_model(each).input_shape)}
    missing = sent - set(_properties(schema_of(kind.kind)["properties"]["spec"]))

    assert {path.partition(".")[0].removesuffix("[]") for path in missing} == _EXCEPTED.get(kind.kind, {}).keys()


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.kind)
def test_a_status_has_what_acks_has_under_whatever_name(kind: KindDescriptor) -> None:
    """`startTime` is the CreationTime of an execution, `additional` says why it failed; `awsResource.arn` is common."""
    model = as_model(kind.service, load(kind.service))
    created = model.operation_model(kind.operations.create).output_shape.members
    shown = {field.member for field in build(kind, model).status.walk()}

    assert {*created, *_STATUS[kind.kind].split()} - shown == set()


def test_all_kinds_of_both_are_compared() -> None:
    """Under ACK's names."""
    assert {kind.kind for kind in _KINDS} == _STATUS.keys() == set(_OF_BOTH)


def _members(shape: Shape, path: str = "") -> Iterator[str]:
    """Every path below a shape, as a manifest has it: a map is a list of `{name, value}`."""
    match shape:
        case StructureShape():
            for name, below in shape.members.items():
                inner = f"{path}.{key_in(shape.name, name)}".removeprefix(".")
                yield inner
                yield from _members(below, inner)
        case ListShape():
            yield from _members(shape.member, f"{path}[]")
        case MapShape():
            yield from (f"{path}[].name", f"{path}[].value")


def _properties(schema: JsonObject, path: str = "") -> Iterator[str]:
    """Every path below a schema."""
    for name, below in schema.get("properties", {}).items():
        inner = f"{path}.{name}".removeprefix(".")
        yield inner
        yield from _properties(below, inner)
        yield from _properties(below.get("items", {}), f"{inner}[]")
