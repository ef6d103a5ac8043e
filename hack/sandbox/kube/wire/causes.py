"""Validation errors: one `Cause` is one entry of `details.causes` in a Status of reason Invalid.

The texts are those of `k8s.io/apimachinery/pkg/util/validation/field`, and values in them are rendered as by Go's
`fmt` and `encoding/json`, because clients show these messages to users.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

OMITTED: Final = object()
"""A value that the message omits: rules on whole objects and lists do not print them."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """A value with explicit text: Go prints some values in ways that JSON does not determine."""

    text: str


_BLOCKING: Final = frozenset(
    {"FieldValueNotSupported", "FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"}
)
_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_QUOTING: Final = str.maketrans(_ESCAPES)
_JSON_ESCAPES: Final = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


@dataclass(frozen=True, slots=True)
class Cause:
    """One finding. `field` is a dotted path, or `<nil>` for a finding about the whole object."""

    reason: str
    message: str
    field: str

    def as_dict(self) -> dict[str, str]:
        """Return the entry for `details.causes`."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    @property
    def blocks_rules(self) -> bool:
        """Return whether CEL rules are skipped: they may assume an object with the shape of its schema."""
        return self.reason in _BLOCKING

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def invalid_message(qualified_kind: str, name: str, causes: Iterable[Cause]) -> str:
    """Return the `message` of a Status Invalid; `qualified_kind` is `Kind.group`. Repeated causes count once."""
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    if not texts:
        return f"{qualified_kind} {go_quote(name)} is invalid"
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return f"{qualified_kind} {go_quote(name)} is invalid: {joined}"


def child(path: str, name: str) -> str:
    """Return the path of a named field below `path`; the root is the empty string."""
    return f"{path}.{name}" if path else name


def key(path: str, name: str) -> str:
    """Return the path of a map entry or list item below `path`."""
    return f"{path}[{name}]"


def required(path: str, detail: str = "") -> Cause:
    """Return the cause for a missing required field."""
    return _cause("FieldValueRequired", path, "Required value", detail)


def invalid(path: str, value: object, detail: str) -> Cause:
    """Return the cause for a value that breaks a rule."""
    return _cause("FieldValueInvalid", path, _with_value("Invalid value", value), detail)


def type_invalid(path: str, value: object, detail: str) -> Cause:
    """Return the cause for a value of the wrong JSON type or format."""
    return _cause("FieldValueTypeInvalid", path, _with_value("Invalid value", value), detail)


def not_supported(path: str, value: object, supported: Iterable[str]) -> Cause:
    """Return the cause for a value outside an enumeration; `supported` is shown in the given order."""
    values = ", ".join(go_quote(each) for each in supported)
    detail = f"supported values: {values}" if values else ""
    return _cause("FieldValueNotSupported", path, _with_value("Unsupported value", value), detail)


def duplicate(path: str, value: object) -> Cause:
    """Return the cause for a repeated item of a list."""
    return _cause("FieldValueDuplicate", path, _with_value("Duplicate value", value))


def forbidden(path: str, detail: str) -> Cause:
    """Return the cause for a field that must not be set."""
    return _cause("FieldValueForbidden", path, "Forbidden", detail)


def internal_error(path: str, detail: str) -> Cause:
    """Return the cause for an internal error of the server."""
    return _cause("InternalError", path, "Internal error", detail)


def too_long(path: str, maximum: int) -> Cause:
    """Return the cause for a string over `maximum`. Like the API server, it writes bytes but counts characters."""
    unit = "byte" if maximum == 1 else "bytes"
    return _cause("FieldValueTooLong", path, "Too long", f"may not be more than {maximum} {unit}")


def too_many(path: str, actual: int, maximum: int) -> Cause:
    """Return the cause for a list or map with more than `maximum` entries."""
    unit = "item" if maximum == 1 else "items"
    return _cause("FieldValueTooMany", path, f"Too many: {actual}", f"must have at most {maximum} {unit}")


def _cause(reason: str, path: str, text: str, detail: str = "") -> Cause:
    return Cause(reason, f"{text}: {detail}" if detail else text, path or "<nil>")


def _with_value(label: str, value: object) -> str:
    return label if value is OMITTED else f"{label}: {go_value(value)}"


def go_value(value: object) -> str:
    """Return a JSON value as a field error prints it: strings quoted, scalars bare, the rest as JSON."""
    if isinstance(value, Verbatim):
        return value.text
    if isinstance(value, str):
        return go_quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return go_float(value)
    return go_json(value)


def go_quote(text: str) -> str:
    """Quote as `strconv.Quote`: double quotes, Go escapes, printable characters unchanged."""
    if text.isprintable():  # as nearly all texts are, some of them long
        return f'"{text.translate(_QUOTING)}"'
    return f'"{"".join(map(_quoted, text))}"'


def _quoted(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def go_text(value: Any) -> str:
    """Format a JSON value as `%v`: bare strings, maps as `map[a:b]`."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "<nil>"
        case float():
            return go_float(value)
        case list():
            return f"[{' '.join(map(go_text, value))}]"
        case dict():
            return f"map[{' '.join(f'{name}:{go_text(value[name])}' for name in sorted(value))}]"
    return str(value)


def go_float(number: float) -> str:
    """Format a float64 as `%v`: the shortest exact digits, an exponent from 1e6 on and below 1e-4."""
    return _float_text(number, smallest=1e-4, exponent_from=1e6)


def go_fixed(number: float) -> str:
    """Format a float64 as `%f` with the shortest exact digits, never an exponent."""
    if math.isinf(number) or math.isnan(number):
        return go_float(number)
    text = f"{Decimal(repr(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def go_json(value: Any) -> str:
    """Encode as `encoding/json`, not indented: sorted keys, `<`, `>` and `&` escaped, no fraction on whole floats."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_JSON_ESCAPES)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value, smallest=1e-6)
    if isinstance(value, dict):
        return f"{{{','.join(f'{go_json(name)}:{go_json(value[name])}' for name in sorted(value))}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(go_json, value))}]"
    return str(value)


def _scientific(number: float) -> tuple[str, str, str]:
    """Return the shortest digits that mean the number, and its exponent."""
    for precision in range(17):
        digits, e, exponent = f"{number:.{precision}e}".partition("e")
        if float(f"{digits}e{exponent}") == number:
            return digits, e, exponent
    raise ValueError(f"no digits for {number!r}")


def _float_text(number: float, *, smallest: float, exponent_from: float = 1e21) -> str:
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    if math.isnan(number):
        return "NaN"
    magnitude = abs(number)
    if magnitude and (magnitude < smallest or magnitude >= exponent_from):
        digits, _, exponent = _scientific(number)
        sign = "-" if exponent.startswith("-") else "+"
        return f"{digits}e{sign}{int(exponent.lstrip('+-')):02d}"
    if number == math.trunc(number):
        return str(int(number))
    text = repr(number)
    if "e" in text:
        return f"{number:.20f}".rstrip("0")
    return text
