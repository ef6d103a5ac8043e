"""Maps a schema to CEL: the type of its values, and their conversion from JSON.

Source: k8s.io/apiserver pkg/cel/common/{schemas,values}.go. Values without a type here cannot be used in rules at all.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.cel.names import escape
from hack.sandbox.kube.cel.signatures import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Kind,
    list_of,
    map_of,
)
from hack.sandbox.kube.cel.times import parse_duration, parse_timestamp
from hack.sandbox.kube.cel.values import EvaluationError, MapList, SetList, Timestamp
from hack.sandbox.kube.schema.correlation import item_key
from hack.sandbox.kube.schema.defaulting import EMBEDDED, Schema, additional_schema

Convert: TypeAlias = Callable[[Any], Any]

_STRING_FORMATS: Final = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}
_SCALARS: Final = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
_TYPE_META: Final[dict[str, Schema]] = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


def declare(schema: Schema, *, is_resource: bool = False) -> Kind | None:
    """Return the type of a schema's values, None if rules cannot use them. Resources have a name in their metadata."""
    if schema.get("x-kubernetes-int-or-string"):
        return DYN
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        inner = declare(items, is_resource=bool(items.get(EMBEDDED))) if isinstance(items, dict) else None
        return list_of(inner) if inner is not None else None
    if kind == "object" or is_resource:
        rest = additional_schema(schema)
        if rest is not None and not is_resource:
            inner = declare(rest, is_resource=bool(rest.get(EMBEDDED)))
            return map_of(STRING, inner) if inner is not None else None
        return Kind("object", (), _fields(schema, is_resource=is_resource))
    if kind == "string":
        return _STRING_FORMATS.get(schema.get("format") or "", STRING)
    return _SCALARS.get(kind or "")


def _fields(schema: Schema, *, is_resource: bool) -> dict[str, Kind]:
    properties = schema.get("properties") or {}
    fields = {}
    for name, sub in {**properties, **_TYPE_META}.items() if is_resource else properties.items():
        identifier, kind = escape(name), declare(sub, is_resource=bool(sub.get(EMBEDDED)))
        if identifier is not None and kind is not None:
            fields[identifier] = kind
    return fields


def converter(schema: Schema) -> Convert | None:
    """Return the conversion of valid JSON to CEL values; None if none is needed, as for most schemas.

    Raises EvaluationError for a float of an integer's own rule. In rules of the object around it, it is an integer.
    """
    return _strict_int if schema.get("type") == "integer" else _converter(schema)


def _converter(schema: Schema) -> Convert | None:
    if schema.get("x-kubernetes-int-or-string"):
        return None
    match schema.get("type"):
        case "array":
            return _list_converter(schema)
        case "object":
            return _object_converter(schema)
        case "string":
            return _STRING_CONVERTERS.get(schema.get("format") or "")
        case "number":
            return _to_double
        case "integer":
            return _to_int
    return None


def _to_double(value: Any) -> Any:
    return float(value) if value.__class__ is int else value


def _to_int(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _strict_int(value: Any) -> Any:
    """Return an integer; the API server takes `1.0` for a float until it is stored."""
    if isinstance(value, float):
        raise EvaluationError("invalid data, expected int, got float64")
    return value


def _guarded(parse: Callable[[str], Any]) -> Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except (ValueError, binascii.Error) as exc:
            raise EvaluationError(f"Invalid value: {exc}") from exc

    return convert


def _date(text: str) -> Timestamp:
    return parse_timestamp(f"{text}T00:00:00Z")


_STRING_CONVERTERS: Final = {
    "byte": _guarded(base64.b64decode),
    "duration": _guarded(parse_duration),
    "date": _guarded(_date),
    "date-time": _guarded(parse_timestamp),
}


def _list_converter(schema: Schema) -> Convert | None:
    items = schema.get("items")
    inner = _converter(items) if isinstance(items, dict) else None
    list_type = schema.get("x-kubernetes-list-type")
    if inner is None and list_type not in {"set", "map"}:
        return None

    def convert(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        made = [inner(item) if item is not None else None for item in value] if inner is not None else value
        if list_type == "set":
            return SetList(made)
        return MapList(made, lambda item: item_key(schema, item)) if list_type == "map" else made

    return convert


def _object_converter(schema: Schema) -> Convert | None:
    properties = schema.get("properties") or {}
    known = {name: made for name, sub in properties.items() if (made := _converter(sub)) is not None}
    # A nullable field counts as missing if it is null.
    nullable = [name for name, sub in properties.items() if sub.get("nullable")]
    rest = additional_schema(schema)
    other = _converter(rest) if rest is not None else None
    if not known and not nullable and other is None:
        return None

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        made = dict(value)
        for name, child in value.items():
            change = known.get(name) if name in properties else other
            if change is not None and child is not None:
                made[name] = change(child)
        for name in nullable:
            if name in made and made[name] is None:
                del made[name]
        return made

    return convert
