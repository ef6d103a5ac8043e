"""Decodes built-in kinds like Go: the client's JSON after a round trip through Go structs.

Unknown fields are dropped (and reported), nulls are dropped, zero values are dropped or added by the struct tags
(`x-absent`, see builtin/generate.py), times and quantities get their canonical form, and a value of the wrong type
fails with the message of encoding/json.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

Schema = dict[str, Any]
Defaulter = Callable[[dict[str, Any]], None]
_NONE: Final[Mapping[str, Defaulter]] = {}

_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(m|u|n|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?")
_DECIMAL_EXPONENT: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_EXPONENT: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_LIMITS: Final = {"int32": 2**31, "int64": 2**63}


class DecodeError(Exception):
    """The JSON does not match the Go type; the message is Go's.

    `conversion` is the message where the value is converted in memory, as strategic patches are; empty for the same.
    """

    def __init__(self, message: str, conversion: str = ""):
        super().__init__(message)
        self.conversion = conversion or message


def decode(schema: Schema, value: Any, defaulters: Mapping[str, Defaulter] = _NONE) -> tuple[Any, list[str]]:
    """Return a normalized copy of `value`, and the paths of its unknown fields in document order.

    `defaulters` set the defaults of a struct, by its Go name; inner structs come first. Raises DecodeError.
    """
    unknown: list[str] = []
    result = _Decoder(unknown, defaulters).struct(schema, value, "", "")
    return result, unknown


class _Decoder:
    """One decoding. `path` is for reporting unknown fields; `fields` (no list indexes) is Go's field stack."""

    def __init__(self, unknown: list[str], defaulters: Mapping[str, Defaulter]):
        self._unknown = unknown
        self._defaulters = defaulters

    def struct(self, schema: Schema, value: Any, path: str, fields: str) -> Any:
        if not isinstance(value, dict):
            raise self._mismatch(value, schema, schema, fields)
        properties: dict[str, Schema] = schema["properties"]
        result: dict[str, Any] = {}
        for name, item in value.items():
            prop = properties.get(name)
            inner = f"{path}.{name}" if path else name
            if prop is None:
                self._unknown.append(inner)
            elif item is not None:
                decoded = self._value(prop, item, inner, f"{fields}.{name}" if fields else name, schema)
                if decoded not in _ZEROS or prop.get("x-absent") != "drop" or (decoded == {} and "properties" in prop):
                    result[name] = decoded
        for name, prop in properties.items():
            if name not in result:
                if "default" in prop and self._defaulters:
                    result[name] = prop["default"]
                elif prop.get("x-absent") in ("zero", "null"):
                    result[name] = self._zero(prop)
        defaulter = self._defaulters.get(schema.get("x-struct", ""))
        if defaulter:
            defaulter(result)
        return result

    def _zero(self, prop: Schema) -> Any:
        if prop["x-absent"] == "null":
            return None
        if "properties" in prop and prop.get("x-struct") not in _SPECIAL:
            return self.struct(prop, {}, "", "")
        return zero(prop)

    def _value(self, prop: Schema, value: Any, path: str, fields: str, owner: Schema) -> Any:
        special = _SPECIAL.get(prop.get("x-struct", ""))
        if special:
            return special(value)
        if "properties" in prop:
            if not isinstance(value, dict):
                raise self._mismatch(value, prop, owner, fields)
            return self.struct(prop, value, path, fields)
        kind = prop.get("type")
        if kind == "array":
            if not isinstance(value, list):
                raise self._mismatch(value, prop, owner, fields)
            items = prop["items"]
            return [self._item(items, item, f"{path}[{i}]", fields, owner) for i, item in enumerate(value)]
        if kind == "object" and isinstance(prop.get("additionalProperties"), dict):
            if not isinstance(value, dict):
                raise self._mismatch(value, prop, owner, fields)
            items = prop["additionalProperties"]
            return {k: self._item(items, item, f"{path}.{k}", fields, owner) for k, item in value.items()}
        return self._scalar(prop, value, fields, owner)

    def _item(self, prop: Schema, value: Any, path: str, fields: str, owner: Schema) -> Any:
        return zero(prop) if value is None else self._value(prop, value, path, fields, owner)

    def _scalar(self, prop: Schema, value: Any, fields: str, owner: Schema) -> Any:
        match prop.get("type"):
            case "string" if prop.get("format") == "byte" and isinstance(value, str):
                return _bytes(value)
            case "string":
                fits = isinstance(value, str)
            case "boolean":
                fits = isinstance(value, bool)
            case "integer":
                fits = isinstance(value, int) and not isinstance(value, bool)
                limit = _LIMITS[prop.get("format", "int64")]
                if fits and not -limit <= value < limit:
                    raise self._mismatch(value, prop, owner, fields, f"number {value}")
                if isinstance(value, float):
                    raise self._mismatch(value, prop, owner, fields, f"number {value}")
            case "number":
                fits = isinstance(value, int | float) and not isinstance(value, bool)
            case _:
                fits = True
        if not fits:
            raise self._mismatch(value, prop, owner, fields)
        return value

    @staticmethod
    def _mismatch(value: Any, prop: Schema, owner: Schema, fields: str, what: str = "") -> DecodeError:
        shown = what or _json_kind(value)
        where = f"Go struct field {owner.get('x-struct', '')}.{fields}" if fields else "Go value"
        return DecodeError(
            f"json: cannot unmarshal {shown} into {where} of type {go_type(prop)}", _conversion(value, prop)
        )


def _conversion(value: Any, prop: Schema) -> str:
    """Return what runtime.FromUnstructured says about a value of the wrong type.

    It calls the type unknown unless Go itself could convert the value, as a number to the text of its character.
    """
    given = _GO_KINDS[type(value)]
    kind = prop.get("type")
    if "properties" in prop:
        return f"cannot restore struct from: {given}"
    if kind == "array" or prop.get("format") == "byte":
        return f"cannot restore slice from {given}"
    if kind == "object":
        return f"cannot restore map from {given}"
    if (given, kind) in {("int64", "string"), ("float64", "integer")}:
        return f"cannot convert {given} to {go_type(prop)}"
    return f"unrecognized type: {go_type(prop)}"


_GO_KINDS: Final[Mapping[type, str]] = {
    bool: "bool",
    int: "int64",
    float: "float64",
    str: "string",
    dict: "map",
    list: "slice",
}
_ZEROS: Final[tuple[Any, ...]] = ("", 0, False, [], {}, None)


def zero(prop: Schema) -> Any:
    """Return the zero value of a Go type in JSON."""
    name = prop.get("x-struct")
    if name in ("Time", "MicroTime"):
        return None
    if name == "Quantity":
        return "0"
    if name == "IntOrString":
        return 0
    if "properties" in prop:
        members = prop["properties"].items()
        zeros = ((k, p) for k, p in members if p.get("x-absent") in ("zero", "null"))
        return {k: None if p["x-absent"] == "null" else zero(p) for k, p in zeros}
    return {"string": "" if prop.get("format") != "byte" else None, "integer": 0, "boolean": False, "number": 0}.get(
        prop.get("type", "")
    )


def go_type(prop: Schema) -> str:
    """Return Go's name of a property's type in errors."""
    if "x-struct" in prop:
        return f"{prop.get('x-package', 'v1')}.{prop['x-struct']}"
    kind = prop.get("type")
    if kind == "array":
        return f"[]{go_type(prop['items'])}"
    if kind == "object" and isinstance(prop.get("additionalProperties"), dict):
        return f"map[string]{go_type(prop['additionalProperties'])}"
    if kind == "string" and prop.get("format") == "byte":
        return "[]uint8"
    names: dict[str, str] = {
        "string": "string",
        "boolean": "bool",
        "number": "float64",
        "integer": prop.get("format", "int64"),
    }
    return names.get(kind or "", "interface {}")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int | float):
        return "number"
    return "array" if isinstance(value, list) else "object"


def _bytes(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as exc:
        bad = re.search(r"[^A-Za-z0-9+/=\r\n]", value)
        at = bad.start() if bad else len(value) - len(value) % 4
        raise DecodeError(f"illegal base64 data at input byte {at}") from exc
    return value


def _instant(value: Any, layout: str) -> tuple[datetime, str]:
    if not isinstance(value, str):
        raise DecodeError(f"json: cannot unmarshal {_json_kind(value)} into Go value of type string")
    found = _TIME.fullmatch(value)
    if not found:
        shown = layout.rstrip("0.") if "." in layout else layout
        raise DecodeError(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "{shown[:4]}"')
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        return datetime.fromisoformat(found[1] + zone).astimezone(UTC), found[2] or ""
    except ValueError as exc:
        raise DecodeError(f'parsing time "{value}": {exc}') from exc


def _time(value: Any) -> str | None:
    if value == "":
        return None
    moment, _ = _instant(value, "2006-01-02T15:04:05Z07:00")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Any) -> str:
    layout = "2006-01-02T15:04:05.000000Z07:00"
    moment, fraction = _instant(value, layout)
    if len(fraction) != len(".000000"):
        rest = value[19:]
        raise DecodeError(f'parsing time "{value}" as "{layout}": cannot parse "{rest}" as ".000000"')
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}{fraction}Z"


def _int_or_string(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise DecodeError(f"json: cannot unmarshal {_json_kind(value)} into Go value of type string")
    return value


def quantity(value: Any) -> str:
    """Return a resource quantity in canonical form: no fraction, the largest suffix that fits. Raises DecodeError."""
    text = str(value)
    found = _QUANTITY.fullmatch(text) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    if not found:
        raise DecodeError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    suffix = found[2] or ""
    try:
        number = Decimal(found[1])
    except InvalidOperation as exc:
        raise DecodeError(f"unable to parse quantity's suffix in {text!r}") from exc
    if suffix in _BINARY_EXPONENT:
        return _binary(number * 1024 ** _BINARY_EXPONENT[suffix])
    exponent = int(suffix[1:]) if suffix[:1] in ("e", "E") and len(suffix) > 1 else _DECIMAL_EXPONENT[suffix]
    return _decimal(number.scaleb(exponent))


def _binary(number: Decimal) -> str:
    if number != number.to_integral_value():
        return _decimal(number)
    count = int(number)
    for suffix in reversed(_BINARY_EXPONENT):
        unit = 1024 ** _BINARY_EXPONENT[suffix]
        if count and count % unit == 0:
            return f"{count // unit}{suffix}"
    return str(count)


def _decimal(number: Decimal) -> str:
    if number == 0:
        return "0"
    for suffix, exponent in sorted(_DECIMAL_EXPONENT.items(), key=lambda item: -item[1]):
        scaled = number.scaleb(-exponent)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return f"{int(number.scaleb(9).to_integral_value())}n"


_SPECIAL: Final[Mapping[str, Callable[[Any], Any]]] = {
    "Time": _time,
    "MicroTime": _micro_time,
    "Quantity": quantity,
    "IntOrString": _int_or_string,
    "FieldsV1": lambda value: value,
    "RawExtension": lambda value: value,
}
