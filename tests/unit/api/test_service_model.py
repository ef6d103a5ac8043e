"""The CRDs against AWS's service model, field by field: what each refuses, and every difference with its reason.

Stricter is a fault: AWS would have taken it. Looser is one where the user gets no clear refusal at `kubectl apply` that
could be had. Both lists are generated; a difference without a reason fails, and so does a reason without a difference.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.descriptor import KindDescriptor
from api.fields import Field, build
from api.meta import JsonObject
from api.models import as_model
from api.naming import key_of
from api.schema.pattern import to_re2
from api.v1 import KINDS
from hack import models
from tests.tables import each_row
from tests.unit.api.contract import schema_of

each_kind = each_row("kind", KINDS, ids=lambda kind: kind.kind)


@dataclass(frozen=True, slots=True)
class Difference:
    """One constraint of a field that the CRD and AWS have differently."""

    kind: KindDescriptor
    path: str
    constraint: str
    """`required`, `enum`, `pattern`, or the keyword of a bound."""
    ours: Any
    aws: Any
    shape: Shape

    @property
    def is_stricter(self) -> bool:
        """Whether the CRD may refuse what AWS accepts."""
        match self.constraint:
            case "required":
                return bool(self.ours)
            case "enum":
                return self.ours is not None and not set(self.aws or ()) <= set(self.ours)
            case "pattern":
                return self.ours is not None and self.ours not in (self.aws or "")  # unanchored, it matches more
            case bound if bound.startswith("min"):
                return self.ours is not None and (self.aws is None or self.ours > self.aws)
            case _:
                return self.ours is not None and (self.aws is None or self.ours < self.aws)

    @property
    def is_of_v1(self) -> bool:
        """Whether the first implementation had the field."""
        return self.field.is_v1 or self.path.removesuffix("[]") in self.kind.compat.fields

    @property
    def field(self) -> Field:
        """The field of the CRD."""
        return _by_path(self.kind)[self.path]

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.path} {self.constraint}: {self.ours} here, {self.aws} at AWS"


Reason = Callable[[Difference], bool]

STRICTER: dict[str, Reason] = {
    "the empty text is none of AWS's values, or does not match its pattern": lambda each: (
        each.constraint == "minLength" and each.ours == 1 and _refuses_empty(each.shape)
    ),
    "a model without containers cannot be made: the operator's own list, in two forms": lambda each: (
        (each.path, each.constraint) == ("spec.models[].containers", "minItems")
    ),
    "entries of the operator's own list of models are referred to by name": lambda each: (
        (each.path, each.constraint) == ("spec.models[].name", "required")
    ),
}
LOOSER: dict[str, Reason] = {
    "a stored object of v1 stays valid: AWS refuses it in words that the status shows": lambda each: (
        each.constraint != "enum" and each.is_of_v1
    ),
    "a structure that v1 had may lack what AWS has added since": lambda each: (
        each.constraint == "required" and bool(each.kind.compat.fields)
    ),
    "AWS adds values faster than CRDs are updated: only lists of v1 and of two opposites are closed": lambda each: (
        each.constraint == "enum" and each.path not in each.kind.compat.closed_enums and not each.field.enum
    ),
    "the operator makes the name, or knows the only value": lambda each: (
        each.constraint == "required" and each.path in {f"spec.{each.kind.name.spec_field}", *_constants(each.kind)}
    ),
}

_INSTANCES = "how much of which instances: AWS cannot choose for the user"
_VARIANTS = "the configuration of an endpoint without inference components names a model for each variant"
REQUIRED_UNLESS: dict[str, dict[str, str]] = {
    "TrainingJob": {
        "algorithmSpecification": "only jobs of a serverless algorithm have none",
        "resourceConfig": "only serverless jobs have none",
        "stoppingCondition": "only serverless jobs have none",
        "instanceCount": _INSTANCES,
        "instanceType": _INSTANCES,
        "volumeSizeInGB": _INSTANCES,
    },
    "HyperparameterTuningJob": {
        "resourceConfig": "training jobs need resources, of one of two kinds",
        "instanceCount": _INSTANCES,
        "instanceType": _INSTANCES,
        "volumeSizeInGB": _INSTANCES,
    },
    "ProcessingJob": {
        "s3Input": "an input has a source, of one of two kinds",
        "s3Input.localPath": "documented: required when AppManaged is False",
        "s3Output": "an output has a target, of one of two kinds",
        "s3Output.localPath": "documented: required when AppManaged is False",
        "instanceCount": _INSTANCES,
        "instanceType": _INSTANCES,
    },
    "EndpointConfig": {
        "productionVariants[].modelName": _VARIANTS,
        "initialInstanceCount": _INSTANCES,
        "instanceType": _INSTANCES,
    },
    "HostingDeployment": {
        "models": _VARIANTS,
        "productionVariants[].modelName": _VARIANTS,
        "initialInstanceCount": _INSTANCES,
        "instanceType": _INSTANCES,
    },
    "ModelPackage": {"modelPackageGroupName": "a package is a version of a group, or has a name of its own"},
    "Pipeline": {"pipelineDefinition": "a definition is given, in one of several ways"},
}
"""What AWS requires unless an alternative is given, which a service model cannot say, and why. v1 required it, too."""


@each_kind
def test_nothing_is_refused_that_aws_accepts(kind: KindDescriptor) -> None:
    """A limit of v1 that AWS has widened is widened here, too."""
    unexplained = [str(each) for each in differences(kind) if each.is_stricter and not _reasons(STRICTER, each)]

    assert unexplained == []


@each_kind
def test_what_aws_refuses_by_its_model_is_refused_at_apply(kind: KindDescriptor) -> None:
    """In words that name the field, before anything is stored; each exception has its reason."""
    unexplained = [str(each) for each in differences(kind) if not each.is_stricter and not _reasons(LOOSER, each)]

    assert unexplained == []


@pytest.mark.parametrize("table", [STRICTER, LOOSER], ids=["stricter", "looser"])
def test_every_reason_is_needed(table: dict[str, Reason]) -> None:
    """A reason for what no longer differs would hide the next difference."""
    found = [each for kind in KINDS for each in differences(kind) if each.is_stricter is (table is STRICTER)]

    assert [why for why, explains in table.items() if not any(explains(each) for each in found)] == []


@each_kind
def test_fields_are_required_conditionally_only_where_an_alternative_of_aws_is_named(kind: KindDescriptor) -> None:
    """The short list of what the service model does not say."""
    assert {entry.field for entry in kind.compat.required_unless} == set(REQUIRED_UNLESS.get(kind.kind, ()))


def test_the_comparison_sees_every_kind_of_difference() -> None:
    """A walk that misses a keyword would find nothing, and pass."""
    seen = {each.constraint for kind in KINDS for each in differences(kind)}

    assert seen == {
        *("required", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"),
    }


def _reasons(table: dict[str, Reason], difference: Difference) -> list[str]:
    return [why for why, explains in table.items() if explains(difference)]


@cache
def differences(kind: KindDescriptor) -> tuple[Difference, ...]:
    """Every constraint that differs, of all operations that a kind's spec is sent by."""
    model = as_model(kind.service, models.read(kind.service))
    spec = schema_of(kind.kind)["properties"]["spec"]
    found: dict[str, Difference] = {}
    asked: set[str] = set()
    for operation in kind.operations.sending:
        shape = model.operation_model(operation).input_shape
        more = {str(each): each for each in _structure(kind, spec, shape, "spec")}
        # What a Create requires, an Update may leave out: the spec is that of both.
        found |= {text: each for text, each in more.items() if not (each.is_stricter and each.path in asked)}
        asked |= {f"spec.{key_of(member)}" for member in shape.required_members}
    for field in _by_path(kind).values():
        if field.like:  # the operator's own field, with members that a request has elsewhere
            operation, *members = field.like.split(".")
            shape = model.operation_model(operation).input_shape
            for member in members:
                shape = shape.members[member]
            schema = _at(spec, field.path)
            walk = _values if isinstance(shape, ListShape) else _structure
            found |= {str(each): each for each in walk(kind, schema, shape, field.path)}
    return tuple(found.values())


def _structure(kind: KindDescriptor, schema: JsonObject, shape: StructureShape, path: str) -> Iterator[Difference]:
    required = set(schema.get("required", ()))
    for member, below in shape.members.items():
        regular = f"{path}.{key_of(member)}"
        if regular in kind.compat.omitted:
            continue
        key = kind.compat.renamed.get(regular, key_of(member))
        by_aws = member in shape.required_members
        if (key in required) != by_aws:
            yield Difference(kind, f"{path}.{key}", "required", key in required, by_aws, below)
        yield from _values(kind, schema["properties"][key], below, f"{path}.{key}")
    members = {kind.compat.renamed.get(f"{path}.{key_of(each)}", key_of(each)) for each in shape.members}
    for key in required - members:
        if path != "spec":  # those are the operator's own
            yield Difference(kind, f"{path}.{key}", "required", True, False, shape)


def _values(kind: KindDescriptor, schema: JsonObject, shape: Shape, path: str) -> Iterator[Difference]:
    if isinstance(shape, StructureShape):
        yield from _structure(kind, schema, shape, path)
        return
    yield from _constraints(kind, schema, shape, path)
    if isinstance(shape, ListShape):
        yield from _values(kind, schema["items"], shape.member, f"{path}[]")
    if isinstance(shape, MapShape):
        pair = schema["items"]
        if "name" not in pair.get("required", ()):
            yield Difference(kind, f"{path}[].name", "required", False, True, shape.key)
        for part, below in (("name", shape.key), ("value", shape.value)):
            yield from _constraints(kind, pair["properties"][part], below, f"{path}[].{part}")


_BOUNDS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
}


def _constraints(kind: KindDescriptor, schema: JsonObject, shape: Shape, path: str) -> Iterator[Difference]:
    least, most = _BOUNDS.get(schema.get("type", ""), ("", ""))
    if least:
        nothing = None if least == "minimum" else 0
        pairs = ((least, "min", nothing), (most, "max", None))
        for keyword, word, absent in pairs:
            ours, aws = schema.get(keyword, absent), shape.metadata.get(word, absent)
            if ours != aws:
                yield Difference(kind, path, keyword, ours, aws, shape)
    aws_pattern = to_re2(shape.metadata.get("pattern", "")) or None  # what RE2 cannot express, or says nothing, is None
    if schema.get("pattern") != aws_pattern:
        yield Difference(kind, path, "pattern", schema.get("pattern"), aws_pattern, shape)
    values = tuple(getattr(shape, "enum", ())) or None
    if set(schema.get("enum", ())) != set(values or ()):
        yield Difference(kind, path, "enum", schema.get("enum"), values, shape)


@cache
def _by_path(kind: KindDescriptor) -> dict[str, Field]:
    fields = build(kind, as_model(kind.service, models.read(kind.service)))
    return {each.path: each for each in fields.spec.walk()}


def _at(spec: JsonObject, path: str) -> JsonObject:
    for segment in re.findall(r"[^.\[\]]+|\[\]", path)[1:]:
        spec = spec["items"] if segment == "[]" else spec["properties"][segment]
    return spec


def _constants(kind: KindDescriptor) -> set[str]:
    return {"spec.serviceNamespace", "spec.scalableDimension"} if kind.kind == "HostingAutoscalingPolicy" else set()


def _refuses_empty(shape: Shape) -> bool:
    pattern = to_re2(shape.metadata.get("pattern", ""))
    return bool(getattr(shape, "enum", ())) or (bool(pattern) and not re.search(pattern, ""))
