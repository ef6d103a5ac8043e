"""Checks a request against the constraints of its service model, with the messages of the real service.

AWS services validate a request before they process it, with one ValidationException that counts and joins all broken
constraints. Clients match on these texts, so a sandbox that accepted a bad name would hide defects.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from hack.sandbox.aws.wire import ApiError, invalid

# Java's Unicode classes have no equivalent in `re`; inside a character class \w and \s are the nearest. Letters and
# digits of all scripts pass, as they must; every pattern with these allows the underscore, which \w adds.
# Java writes characters beyond the first plane as pairs of surrogates.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{M}": "",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{S}": r"\W",
    r"\p{P}": r"\W",
    r"\p{Alnum}": r"a-zA-Z0-9",
    r"\p{Print}": r"[ -~]",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010FFFF",
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "timestamp": (int, float),
    "list": list,
    "map": dict,
    "structure": dict,
}


@lru_cache(maxsize=4)
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of `service`; loading SageMaker's takes about a third of a second, once."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def output_members(operation: str) -> frozenset[str]:
    """Return the members of a SageMaker operation's response."""
    shape = service_model("sagemaker").operation_model(operation).output_shape
    return frozenset(shape.members if shape is not None else ())


@cache
def echoed_members(resource: str) -> frozenset[str]:
    """Return the members of a Create request that Describe returns: those that both have."""
    asked = service_model("sagemaker").operation_model(f"Create{resource}").input_shape
    return frozenset(asked.members if asked is not None else ()) & output_members(f"Describe{resource}")


def validate(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raise the service's own error if `params` breaks a constraint of `operation`; unknown members are ignored.

    SerializationException for a value of the wrong JSON type, ValidationException for everything else.
    """
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        return
    broken = list(_broken(shape, dict(params), ""))
    if broken:
        count = f"{len(broken)} validation error{'s' if len(broken) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(broken)}")


def _broken(shape: Shape, value: Any, path: str) -> Iterator[str]:
    expected = _TYPES.get(shape.type_name)
    is_bool_for_number = isinstance(value, bool) and shape.type_name != "boolean"
    if expected is not None and (is_bool_for_number or not isinstance(value, expected)):
        kind = {"str": "STRING_VALUE", "bool": "TRUE_VALUE", "int": "NUMBER_VALUE", "float": "DECIMAL_VALUE"}
        found = kind.get(type(value).__name__, "START_OF_STRUCTURE")
        raise ApiError("SerializationException", f"{found} cannot be converted to {shape.type_name.title()}")
    if isinstance(shape, StructureShape):
        yield from _broken_members(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _said(path, value, _length_rules(shape, value))
        for number, item in enumerate(value, start=1):
            yield from _broken(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _said(path, value, _length_rules(shape, value))
        yield from _broken_entries(shape, value, path)
    else:
        yield from _said(path, value, _scalar_rules(shape, value))


def _broken_members(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        at = f"{path}.{_lower_camel(name)}" if path else _lower_camel(name)
        given = value.get(name)
        if given is not None:
            yield from _broken(member, given, at)
        elif name in shape.required_members:
            yield f"Value null at '{at}' failed to satisfy constraint: Member must not be null"


def _broken_entries(shape: MapShape, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, item in value.items():
        rules = list(_scalar_rules(shape.key, key))
        if rules:
            constraint = f"Map keys must satisfy constraint: [{', '.join(rules)}]"
            yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {constraint}"
        if isinstance(shape.value, StructureShape | ListShape | MapShape):
            yield from _broken(shape.value, item, f"{path}.{key}.member")
            continue
        if not isinstance(item, _TYPES.get(shape.value.type_name, object)):
            raise ApiError("SerializationException", f"Unexpected value for map entry {key}")
        rules = list(_scalar_rules(shape.value, item))
        if rules:
            constraint = f"Map value must satisfy constraint: [{', '.join(rules)}]"
            yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {constraint}"


def _said(path: str, value: Any, rules: Iterator[str]) -> Iterator[str]:
    for rule in rules:
        yield f"Value '{_shown(value)}' at '{path}' failed to satisfy constraint: {rule}"


def _length_rules(shape: Shape, value: Any) -> Iterator[str]:
    # Coral reports the upper bound before the lower one, and both before the pattern.
    if len(value) > shape.metadata.get("max", float("inf")):
        yield f"Member must have length less than or equal to {shape.metadata['max']}"
    if len(value) < shape.metadata.get("min", 0):
        yield f"Member must have length greater than or equal to {shape.metadata['min']}"


def _scalar_rules(shape: Shape, value: Any) -> Iterator[str]:
    if shape.type_name == "string":
        yield from _length_rules(shape, value)
        pattern = shape.metadata.get("pattern")
        if pattern and not compiled(pattern).fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {pattern}"
        allowed = shape.metadata.get("enum")
        if allowed and value not in allowed:
            yield f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    elif shape.type_name in {"integer", "long", "float", "double"}:
        if value > shape.metadata.get("max", float("inf")):
            yield f"Member must have value less than or equal to {shape.metadata['max']}"
        if value < shape.metadata.get("min", float("-inf")):
            yield f"Member must have value greater than or equal to {shape.metadata['min']}"


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a Java pattern of a service model as one of `re`. Raises re.error if it cannot be parsed."""
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    pattern = re.sub(r"\$\{\d+,\d+\}$", "", pattern)  # a repeated end, which says nothing
    return re.compile(pattern)


def _lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(value: Any) -> str:
    """Render a value as Java's toString does: `[a, b]` for lists, `{k=v}` for maps."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    return str(value)
