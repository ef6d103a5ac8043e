"""Decodes the protobuf form of built-in kinds, in which kubectl sends objects that it creates itself.

The wire format is decoded by the field numbers in builtin/schemas.json into equivalent JSON; `typed` does the rest.
Source: protobuf.dev "Encoding", k8s.io/apimachinery pkg/runtime/serializer/protobuf.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from hack.sandbox.kube.builtin.schemas import kinds
from hack.sandbox.kube.wire.codec import ParseError

Json = dict[str, Any]
Schema = dict[str, Any]

MEDIA_TYPE: Final = "application/vnd.kubernetes.protobuf"
MAGIC: Final = b"k8s\x00"
UNVERSIONED: Final = frozenset({"DeleteOptions"})
"""Kinds that every group version has: clients in Go name that of the object which they delete, such as apps/v1.

Source: k8s.io/apimachinery pkg/apis/meta/internalversion/scheme/register.go, AddUnversionedTypes.
"""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIGN_BIT: Final = 1 << 63


def parse_protobuf(data: bytes) -> Json:
    """Return the object in an enveloped message. Raises ParseError."""
    if not data.startswith(MAGIC):
        raise ParseError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    try:
        envelope = _collect(data[len(MAGIC) :])
        meta = _collect(envelope.get(1, [b""])[0])
        api_version, kind = (meta.get(number, [b""])[0].decode() for number in (1, 2))
        schema = kinds().get(("v1" if kind in UNVERSIONED else api_version, kind))
        if schema is None:
            raise ParseError(f'no kind "{kind}" is registered for version "{api_version}"')
        return {"apiVersion": api_version, "kind": kind, **_message(schema, envelope.get(2, [b""])[0])}
    except (IndexError, UnicodeDecodeError, AttributeError, TypeError) as exc:
        raise ParseError(f"proto: {exc}") from exc


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Yield the fields of a message in their order: varints as numbers, the rest as bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value - (1 << 64) if value & _SIGN_BIT else value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ParseError(f"proto: illegal wireType {wire}")
        if at + size > len(data):
            raise ParseError("unexpected EOF")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7


def _collect(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for number, value in _fields(data):
        found.setdefault(number, []).append(value)
    return found


def _message(schema: Schema, data: bytes) -> Json:
    by_path: dict[tuple[int, ...], list[Any]] = {}
    inlined = {
        tuple(prop["x-proto"][:-1]) for prop in schema["properties"].values() if len(prop.get("x-proto", ())) > 1
    }
    _spread(data, (), inlined, by_path)
    result: Json = {}
    for name, prop in schema["properties"].items():
        values = by_path.get(tuple(prop.get("x-proto", ())))
        if values:
            result[name] = _field(prop, values)
    return result


def _spread(
    data: bytes, path: tuple[int, ...], inlined: set[tuple[int, ...]], found: dict[tuple[int, ...], list[Any]]
) -> None:
    """Collect the fields of a message, and of nested messages that Go has inlined."""
    for number, value in _fields(data):
        here = (*path, number)
        if here in inlined:
            _spread(value, here, inlined, found)
        else:
            found.setdefault(here, []).append(value)


def _field(prop: Schema, values: list[Any]) -> Any:
    if prop.get("type") == "array":
        return [_value(prop["items"], value) for value in values]
    if prop.get("type") == "object" and isinstance(prop.get("additionalProperties"), dict):
        entries = [_collect(value) for value in values]
        items = prop["additionalProperties"]
        return {e.get(1, [b""])[0].decode(): _value(items, e.get(2, [b""])[0]) for e in entries}
    return _value(prop, values[-1])


def _value(prop: Schema, value: Any) -> Any:
    special = _SPECIAL.get(prop.get("x-struct", ""))
    if special:
        return special(value)
    if "properties" in prop:
        return _message(prop, value)
    match prop.get("type"):
        case "string" if prop.get("format") == "byte":
            return base64.b64encode(value).decode()
        case "string":
            return value.decode()
        case "boolean":
            return bool(value)
        case "array":
            # Named slices (ExtraValue) are messages of their own.
            return [_value(prop["items"], item) for item in _collect(value).get(1, [])]
        case "integer":
            return value
    return json.loads(_collect(value).get(1, [b"null"])[0])


def _time(value: bytes) -> str | None:
    parts = _collect(value)
    seconds, nanos = parts.get(1, [0])[0], parts.get(2, [0])[0]
    if not seconds and not nanos:
        return None
    stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{nanos // 1000:06d}Z" if nanos else f"{stamp}Z"


def _micro_time(value: bytes) -> str | None:
    stamp = _time(value)
    return stamp if stamp is None or "." in stamp else f"{stamp.removesuffix('Z')}.000000Z"


def _whole_time(value: bytes) -> str | None:
    stamp = _time(value)
    return stamp and f"{stamp.partition('.')[0].removesuffix('Z')}Z"


def _int_or_string(value: bytes) -> int | str:
    parts = _collect(value)
    if parts.get(1, [0])[0] == 1:
        text: str = parts.get(3, [b""])[0].decode()
        return text
    number: int = parts.get(2, [0])[0]
    return number


_SPECIAL: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "Time": _whole_time,
    "MicroTime": _micro_time,
    "Quantity": lambda value: _collect(value).get(1, [b"0"])[0].decode(),
    "IntOrString": _int_or_string,
    "FieldsV1": lambda value: json.loads(_collect(value).get(1, [b"{}"])[0]),
    "RawExtension": lambda value: json.loads(_collect(value).get(1, [b"null"])[0] or b"null"),
}
