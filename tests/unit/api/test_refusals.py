"""What the API server refuses, kind by kind: every requirement and every limit of every schema, tried one by one.

The least valid manifest is extended down to each field, so that nothing but that field can be the reason; what is
said names the field's path. Judged as a kube-apiserver does.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from api.meta import JsonObject
from api.v1 import KINDS
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.tables import each_row
from tests.unit.api.contract import schema_of
from tests.unit.api.least import LEAST, manifest

_TEXTS = (
    "text",
    "1.7-1",
    f"sha256:{'0' * 64}",
    "s3://bucket/key",
    "https://example.com/x",
    "/opt/ml/x",
    "123456789012",
    "arn:aws:iam::123456789012:role/x",
    "arn:aws:iam::123456789012:role/service-role/x",
    "arn:aws:sns:us-east-2:123456789012:topic",
    "arn:aws:lambda:us-east-2:123456789012:function:x",
    "arn:aws:sagemaker:us-east-2:123456789012:x/y",
    "arn:aws:sagemaker:us-east-2:123456789012:training-plan/y",
    "arn:aws:sagemaker:us-east-2:123456789012:mlflow-tracking-server/y",
    "arn:aws:sagemaker:us-east-2:123456789012:mlflow-app/y",
    "arn:aws:sagemaker:us-east-2:123456789012:pipeline/y",
    "arn:aws:sagemaker:us-east-2:123456789012:pipeline/y/execution/z",
    "arn:aws:sagemaker:us-east-2:aws:hub-content/Hub/Model/m/1.0.0",
    "arn:aws:sagemaker:us-east-2:123456789012:hub-content/h/DataSet/d/1.0.0",
    "arn:aws:sagemaker:us-east-2:123456789012:hub-content/h/JsonDoc/d/1.0.0",
    "arn:aws:sagemaker:us-east-2:123456789012:model-package-group/y",
    "arn:aws:sagemaker:us-east-2:123456789012:ml-reservation/r1234567890123",
    "arn:aws:ec2:us-east-2:123456789012:capacity-reservation/cr-0123456789abcdef0",
    "arn:aws:sagemaker:us-east-2:123456789012:model-package/y",
    "4K",
    "fs-12345678",
    "mig-1g.10gb",
    "application/json",
    "image/png",
    "en",
    "`label`",
    "a:b",
)
"""One of them satisfies each pattern; a pattern for which that is not so fails a test here."""


_DESCRIPTORS = {kind.kind: kind for kind in KINDS}


@dataclass(frozen=True)
class Place:
    """A field of a schema."""

    segments: tuple[str, ...]
    schema: JsonObject
    is_required: bool

    def __str__(self) -> str:
        return "".join("[0]" if s == "[]" else f".{s}" for s in self.segments).removeprefix(".")


@each_row("kind", LEAST)
def test_the_least_manifest_of_v1_is_accepted(kind: str) -> None:
    """Manifests run unmodified."""
    assert _refusals(kind, manifest(kind)) == []


@each_row("kind", LEAST)
def test_every_field_can_be_given(kind: str) -> None:
    """A manifest that goes down to the field, and has all that this needs, is accepted: also what proves the rest."""
    refused = {str(place): found for place in _places(kind) if (found := _refusals(kind, _reaching(kind, place)))}

    assert refused == {}


@each_row("kind", LEAST)
def test_a_missing_required_field_is_refused_by_its_path(kind: str) -> None:
    """As soon as its parent is there."""
    required = [place for place in _places(kind) if place.is_required]
    missed = []
    for place in required:
        obj = _reaching(kind, place)
        *parents, name = place.segments
        del _holder(obj, parents)[name]
        if f"{place}: Required value" not in _refusals(kind, obj):
            missed.append(str(place))

    assert missed == []
    assert required
    assert "spec.region" not in map(str, required), "namespaces and flags have defaults"


@each_row("kind", LEAST)
def test_every_broken_constraint_is_refused_by_its_path(kind: str) -> None:
    """Types, lengths, bounds, patterns and lists of values."""
    missed = []
    tried = 0
    for place in _places(kind):
        for why, wrong in _breaking(place.schema):
            obj = _reaching(kind, place)
            *parents, name = place.segments
            holder: Any = _holder(obj, parents)
            holder[0 if name == "[]" else name] = wrong
            tried += 1
            if not any(said.startswith((f"{place}: ", f"{place}[1]: ")) for said in _refusals(kind, obj)):
                missed.append(f"{place}: {why}")

    assert missed == []
    assert tried > 15


@each_row("kind", LEAST)
def test_an_unknown_field_is_reported_by_its_path(kind: str) -> None:
    """At every object: what strict validation refuses and the default warns of. The server drops it."""
    missed = []
    for place in _places(kind):
        if place.schema.get("type") != "object":
            continue
        obj = _reaching(kind, place)
        _holder(obj, place.segments)["unheardOf"] = 1
        if prune(schema_of(kind), obj) != [f"{place}.unheardOf"]:
            missed.append(str(place))

    assert missed == []


@each_row("kind", LEAST)
def test_what_v1_required_is_refused_without_it_and_without_what_stands_in_for_it(kind: str) -> None:
    """Said as `Required value` at the field that v1 required."""
    by_path = {".".join(place.segments).replace(".[]", "[]"): place for place in _places(kind)}
    for entry in _DESCRIPTORS[kind].compat.required_unless:
        place = by_path[f"{entry.path}.{entry.field}"]
        obj = _reaching(kind, place)
        *parents, name = place.segments
        del _holder(obj, parents)[name]

        assert f"{place}: Required value" in _refusals(kind, obj)


@each_row("kind", LEAST)
def test_fields_that_exclude_each_other_are_refused_together(kind: str) -> None:
    """With both their names, at what holds them."""
    by_path = {".".join(place.segments).replace(".[]", "[]"): place for place in _places(kind)}
    for entry in _DESCRIPTORS[kind].compat.exclusive:
        for other in entry.others:
            obj = _reaching(kind, by_path[f"{entry.path}.{entry.field}"])
            second = by_path[f"{entry.path}.{other}"]
            *parents, name = second.segments
            _holder(obj, parents)[name] = _valid(second.schema)

            assert any(f"{entry.field} and {other} exclude each other" in text for text in _refusals(kind, obj))


def test_shadow_variants_come_alone_beside_a_single_variant() -> None:
    """CreateEndpointConfig: "you can only specify one variant for ProductionVariants and one for Shadow…"."""
    variant = LEAST["EndpointConfig"]["productionVariants"][0]
    one = LEAST["EndpointConfig"] | {"shadowProductionVariants": [variant]}
    two = one | {"productionVariants": [variant, variant | {"variantName": "w"}]}

    assert _refusals("EndpointConfig", manifest("EndpointConfig", one)) == []
    assert [
        "with shadowProductionVariants" in text for text in _refusals("EndpointConfig", manifest("EndpointConfig", two))
    ] == [True]


def _refusals(kind: str, obj: JsonObject) -> list[str]:
    unknown = [f"{path}: unknown field" for path in prune(schema_of(kind), obj)]
    return unknown + [str(cause) for cause in validate(schema_of(kind), obj)]


@cache
def _places(kind: str) -> tuple[Place, ...]:
    return tuple(_walk(schema_of(kind)["properties"]["spec"], ("spec",)))


def _walk(schema: JsonObject, path: tuple[str, ...]) -> Iterator[Place]:
    for name, below in schema.get("properties", {}).items():
        yield Place((*path, name), below, name in schema.get("required", ()))
        yield from _walk(below, (*path, name))
    if "items" in schema:
        yield Place((*path, "[]"), schema["items"], is_required=False)
        yield from _walk(schema["items"], (*path, "[]"))


def _reaching(kind: str, place: Place) -> JsonObject:
    """The least manifest with a valid value at the place, and without what that excludes."""
    obj = manifest(kind)
    holder: Any = obj
    schema = schema_of(kind)
    for n, segment in enumerate(place.segments):
        _make_room(holder, segment, schema)
        schema = schema["items"] if segment == "[]" else schema["properties"][segment]
        key: Any = 0 if segment == "[]" else segment
        if segment == "[]" and not holder:
            holder.append(_valid(schema))
        elif segment != "[]" and segment not in holder:
            # A list on the way needs an item to go on with.
            holder[segment] = _valid(schema, with_item=n + 1 < len(place.segments))
        holder = holder[key]
    for inside, schema in _above(kind, place):
        _complete(_holder(obj, inside), schema)
    return obj


def _above(kind: str, place: Place) -> list[tuple[tuple[str, ...], JsonObject]]:
    """The structures and lists that the place is in, with their schemas."""
    found = []
    schema = schema_of(kind)
    for n, segment in enumerate(place.segments):
        found.append((place.segments[:n], schema))
        schema = schema["items"] if segment == "[]" else schema["properties"][segment]
    return found


def _make_room(holder: Any, name: str, schema: JsonObject) -> None:
    """Take out what excludes `name`, by the rules of the schema."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if found := re.fullmatch(r"!has\(self\.(\w+)\) \|\| !has\(self\.(\w+)\)", rule["rule"]):
            pair = set(found.groups())
            if name in pair:
                holder.pop((pair - {name}).pop(), None)


def _holder(obj: Any, segments: tuple[str, ...] | list[str]) -> Any:
    for segment in segments:
        obj = obj[0 if segment == "[]" else segment]
    return obj


def _valid(schema: JsonObject, *, with_item: bool = False) -> Any:
    """A value that the schema accepts: the least one."""
    match schema.get("type", "object"):
        case "object":
            value = {name: _valid(schema["properties"][name]) for name in schema.get("required", ())}
            _complete(value, schema)
            return value
        case "array":
            count = max(schema.get("minItems", 0), int(with_item))
            return [_valid(schema["items"]) for _ in range(count)]
        case "boolean":
            return True
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case _:
            return _text(schema)


def _complete(value: Any, schema: JsonObject) -> None:
    """Add what is required in a structure as long as it has no alternative."""
    for entry in schema.get("allOf", ()):
        first, *others = entry["anyOf"]
        if not any(name in value for other in others for name in other["required"]):
            _satisfy(value, schema, first)


def _satisfy(value: Any, schema: JsonObject, demand: JsonObject) -> None:
    for name in demand.get("required", ()):
        if name not in value:
            value[name] = _valid(schema["properties"][name])
    for name, inner in demand.get("properties", {}).items():
        if name in value:
            _satisfy(value[name], schema["properties"][name], inner)
    if "items" in demand:
        for item in value:
            _satisfy(item, schema["items"], demand["items"])


def _text(schema: JsonObject) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    if schema.get("format") == "date-time":
        return "2026-01-02T03:04:05Z"
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    for text in _TEXTS:
        for candidate in (text, text * (least // len(text) + 1)):
            if least <= len(candidate) <= most and re.search(schema.get("pattern", ""), candidate):
                return candidate
    raise AssertionError(f"none of the texts satisfies {schema}")


def _breaking(schema: JsonObject) -> Iterator[tuple[str, Any]]:
    """Values that break one constraint each."""
    wrong_types: dict[str, Any] = {"object": "text", "array": {}, "boolean": "true", "integer": "1", "number": "1"}
    if schema.get("type"):
        yield "type", wrong_types.get(schema["type"], 1)
    if "enum" in schema:
        yield "enum", "unheard of"
    if "pattern" in schema:
        broken = [text for text in ("\n", "", "*", "ä?", "a b") if not re.search(schema["pattern"], text)]
        yield "pattern", broken[0]
    if "minLength" in schema:
        yield "minLength", ""
    if "maxLength" in schema:
        yield "maxLength", "x" * (schema["maxLength"] + 1)
    if "minimum" in schema:
        yield "minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "maximum", schema["maximum"] + 1
    if "minItems" in schema:
        yield "minItems", []
    if "maxItems" in schema:
        yield "maxItems", [copy.deepcopy(_valid(schema["items"])) for _ in range(schema["maxItems"] + 1)]
    if keys := schema.get("x-kubernetes-list-map-keys"):
        yield f"two of one {keys[0]}", [_valid(schema["items"]), _valid(schema["items"])]
