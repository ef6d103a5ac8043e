"""Converts bytes to JSON and back: strict JSON with duplicate keys reported, YAML as in sigs.k8s.io/yaml."""

import json
import math
import re
from typing import Any, Final

import orjson
import yaml

from hack.sandbox.kube.wire.causes import go_quote

Json = dict[str, Any]


class ParseError(Exception):
    """The bytes are not a valid document of their media type."""


class _Pairs:
    """An object as in the text, including repeated keys."""

    __slots__ = ("items",)

    def __init__(self, items: list[tuple[str, Any]]):
        self.items = items


_INT64: Final = range(-(2**63), 2**63)
_LONG: Final = re.compile(rb"\d{19}")
"""Integers that may not fit into an int64."""


def _number(text: str) -> float:
    """Parse a number with a fraction or an exponent: a float64 until it is stored, whatever its value."""
    value = float(text)
    if math.isinf(value):
        raise ParseError(f"json: cannot unmarshal number {text} into Go value of type float64")
    return value


def _integer(text: str) -> int | float:
    """Parse an integer: a float64 if it does not fit into an int64."""
    value = int(text)
    return value if value in _INT64 else float(value)


def settled(value: Any) -> Any:
    """Return a value with whole floats as integers, as after a round trip: Go prints them without a fraction."""
    if isinstance(value, dict):
        return {name: settled(child) for name, child in value.items()}
    if isinstance(value, list):
        return [settled(child) for child in value]
    is_whole = isinstance(value, float) and value.is_integer() and -(2.0**63) <= value < 2.0**63
    return int(value) if is_whole else value


def _constant(text: str) -> float:
    raise ParseError(f"invalid character '{text[0]}' looking for beginning of value")


def parse_json(data: bytes) -> tuple[Any, list[str]]:
    """Return the document and the paths of repeated keys, of which the last wins. Raises ParseError."""
    repeated = False

    def unique(pairs: list[tuple[str, Any]]) -> Json:
        nonlocal repeated
        made = dict(pairs)
        repeated = repeated or len(made) != len(pairs)
        return made

    try:
        parse_int = _integer if _LONG.search(data) else None
        value = json.loads(
            data, object_pairs_hook=unique, parse_float=_number, parse_int=parse_int, parse_constant=_constant
        )
        if not repeated:
            return value, []
        duplicates: list[str] = []
        _find_duplicates(json.loads(data, object_pairs_hook=_Pairs), "", duplicates)
        return value, duplicates
    except json.JSONDecodeError as exc:
        raise ParseError(_go_error(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise ParseError(str(exc)) from exc


_GO_ERRORS: Final = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
}
"""The messages of encoding/json by those of Python's json."""


def _go_error(exc: json.JSONDecodeError) -> str:
    at = exc.doc[exc.pos : exc.pos + 1] if isinstance(exc.doc, str) else exc.doc[exc.pos : exc.pos + 1].decode()
    if not at or exc.msg.startswith("Unterminated string"):
        return "unexpected end of JSON input"
    if exc.msg == "Expecting ',' delimiter":
        # Which one it is depends on the innermost container that is still open.
        opened = max(exc.doc.rfind("{", 0, exc.pos), exc.doc.rfind("}", 0, exc.pos))
        listed = exc.doc.rfind("[", 0, exc.pos)
        where = "after array element" if listed > opened else "after object key:value pair"
    else:
        where = next((text for start, text in _GO_ERRORS.items() if exc.msg.startswith(start)), exc.msg)
    return f"invalid character {go_quote(at).replace(chr(34), chr(39))} {where}"


def _find_duplicates(value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, item in value.items:
            inner = f"{path}.{name}" if path else name
            if name in seen and inner not in found:
                found.append(inner)
            seen.add(name)
            _find_duplicates(item, inner, found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _find_duplicates(item, f"{path}[{index}]", found)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Loads YAML with JSON's scalars: dates are strings."""

    yaml_implicit_resolvers: Final = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class _Dumper(yaml.SafeDumper):
    """Writes YAML in Go's style: no aliases, double quotes if quotes are needed."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        """Write repeated objects out."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.Node:
    if "\n" in text:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|")
    plain = (
        dumper.resolve(  # type: ignore[no-untyped-call]
            yaml.ScalarNode, text, (True, False)
        )
        == "tag:yaml.org,2002:str"
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain and text else '"')


_Dumper.add_representer(str, _represent_text)


_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""Half of a character in an escape sequence, which JSON allows and YAML does not."""


def parse_yaml(data: bytes) -> Any:
    """Return the first document. Raises ParseError."""
    if data.startswith(b"{") and not _SURROGATE.search(data) and not _LONG.search(data):
        try:
            return settled(orjson.loads(data))  # as kubectl and our clients send it, and ten times as fast
        except orjson.JSONDecodeError:
            pass  # a flow mapping of YAML
    try:
        value = yaml.load(data, Loader=_Loader)
        # A round trip finds values that JSON cannot express: other keys become strings, sets fail.
        return settled(orjson.loads(orjson.dumps(_narrowed(value), option=orjson.OPT_NON_STR_KEYS)))
    except (yaml.YAMLError, TypeError) as exc:
        raise ParseError(f"error converting YAML to JSON: yaml: {_yaml_error(exc)}") from exc


def _narrowed(value: Any) -> Any:
    """Return a value with integers that fit into no int64 as floats, as Go reads them."""
    if isinstance(value, dict):
        return {key: _narrowed(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_narrowed(child) for child in value]
    return float(value) if isinstance(value, int) and value not in _INT64 else value


def _yaml_error(exc: Exception) -> str:
    """Return go-yaml's message: lines count from 0 in the parser, from 1 in the scanner, and 0 is omitted."""
    if not isinstance(exc, yaml.MarkedYAMLError):
        return str(exc)
    mark = exc.context_mark if exc.context_mark is not None and exc.context_mark.line else exc.problem_mark
    line = mark.line if mark is not None else 0
    if line and isinstance(exc, yaml.scanner.ScannerError):
        line += 1
    return f"line {line}: {exc.problem}" if line else str(exc.problem)


def dump_yaml(value: Any) -> bytes:
    """Return the document as YAML, keys sorted."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=True, width=2**31, allow_unicode=True)
    return text.encode()


def dump_json(value: Any) -> bytes:
    """Return compact JSON."""
    return orjson.dumps(value, default=_fallback)


def _fallback(value: Any) -> Any:
    if isinstance(value, int):
        return float(value)
    raise TypeError(f"cannot serialize {type(value).__name__}")


def go_map(value: Any) -> str:
    """Return a value as Go's `%+v` prints it, for messages that quote patches."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{k}:{go_map(value[k])}' for k in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_map, value))}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)
