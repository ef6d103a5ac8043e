"""Simple JSON paths into a schema, for rules and selectable fields: `.spec.replicas`, `['quoted'].name`.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go (ValidFieldPath).
"""

import re
from typing import Final

from hack.sandbox.kube.schema.defaulting import Schema, additional_schema
from hack.sandbox.kube.wire import causes

_STEP: Final = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<token>'(?:[^'\\]|\\.)*'|[^\]]*)(?P<close>\]?)")
_DELIMITER: Final = re.compile(r"[.\[\]]")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


def find_field(path: str, schema: Schema, *, brackets: bool = True) -> tuple[str, Schema]:
    """Return the field's path as in findings, and its schema. Raises ValueError with the reason if there is none."""
    found, at = "", 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            if path[at] in ".[":
                raise ValueError("unexpected end of JSON path")
            raise ValueError(f"expected [ or . but got: {_DELIMITER.split(path[at:])[0]}")
        at = step.end()
        name = step["name"] if step["name"] is not None else _quoted(step, allowed=brackets)
        if schema.get("properties"):
            found = causes.child(found, name)
            if name not in schema["properties"]:
                raise ValueError("does not refer to a valid field")
            schema = schema["properties"][name]
        elif (rest := additional_schema(schema)) is not None:
            found, schema = causes.key(found, name), rest
        else:
            raise ValueError("does not refer to a valid field")
    return found, schema


def _quoted(step: re.Match[str], *, allowed: bool) -> str:
    if not allowed:
        raise ValueError("array notation is not allowed")
    token = step["token"]
    if len(token) < 2 or not (token.startswith("'") and token.endswith("'")):
        raise ValueError(f"expected single quoted string but got {token}")
    if not step["close"]:
        raise ValueError("unexpected end of JSON path")

    def unescape(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise ValueError(f"invalid string literal: invalid escape char {match[0]}")
        return _ESCAPES[match[1]]

    return _ESCAPE.sub(unescape, token[1:-1])
