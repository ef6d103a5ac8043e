"""What a spec should become at AWS, worked out anew from botocore's shapes: an oracle for the converter.

It knows no kind. Fields are members with a small first letter; a map is a list of `{name, value}`.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from api.meta import JsonObject
from api.models import as_model
from hack import models

_RENAMED = {("DebugHookConfig", "HookParameters"): "ruleParameters"}
_CAPITAL = {("DataProcessing", "JoinSource"), ("DataProcessing", "OutputFilter")}


@cache
def service(name: str) -> ServiceModel:
    """The model that clients use."""
    return as_model(name, models.installed(name))


def request_shape(service_name: str, operation: str) -> Shape:
    """What an operation takes."""
    return service(service_name).operation_model(operation).input_shape


def expected(shape: Shape, value: Any) -> Any:
    """The value as AWS wants it, whatever a spec says that the shape has no member for."""
    if isinstance(shape, StructureShape):
        keys = {key_in(shape.name, member): (member, below) for member, below in shape.members.items()}
        return {keys[key][0]: expected(keys[key][1], given) for key, given in value.items() if key in keys}
    if isinstance(shape, ListShape):
        return [expected(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {pair["name"]: pair["value"] for pair in value}
    return value


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar with the name that it has, whatever holds it: pairs and maps, manifest and request look alike."""
    if isinstance(value, dict):
        small = {_small(key): below for key, below in value.items()}
        if set(small) == {"name", "value"}:
            small = {_small(small["name"]): small["value"]}
        for key, below in small.items():
            yield from leaves(below, key)
    elif isinstance(value, list):
        for below in value:
            yield from leaves(below, name)
    else:
        yield name, value


def without(spec: JsonObject, *names: str) -> JsonObject:
    """The spec without the operator's own fields."""
    return {name: value for name, value in spec.items() if name not in names}


def key_in(structure: str, member: str) -> str:
    """What a manifest calls a member of a structure."""
    if (structure, member) in _CAPITAL:
        return member
    return _RENAMED.get((structure, member), _small(member))


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]
