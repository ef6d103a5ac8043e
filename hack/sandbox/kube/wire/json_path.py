"""The simple JSONPath of printer columns and selectable fields: `.spec.a`, `[0]`, `[*]`, `[?(@.type=="Ready")]`.

Source: k8s.io/client-go util/jsonpath; only what the API server accepts in a CRD is here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterable[Any]]

_TOKEN = re.compile(
    r"\.\.(?P<deep>[\w-]+)|\.(?P<field>(?:\\.|[^.\[\]\\])+)|\[(?P<index>-?\d+)\]|\[(?P<all>\*)\]"
    r"|\['(?P<quoted>[^']*)'\]|\[\?\(@(?P<path>[^=!<>]*?)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>[^)]*?)\s*)?\)\]"
)


class PathError(Exception):
    """The text is not a supported path."""


@lru_cache(maxsize=1024)
def compile_path(path: str) -> tuple[Step, ...]:
    """Return the steps of a path. Raises PathError."""
    text = path.strip().removeprefix("{").removesuffix("}")
    steps: list[Step] = []
    position = 0
    while position < len(text) and text != ".":
        match = _TOKEN.match(text, position)
        if not match:
            raise PathError(f"cannot parse {path!r} at {text[position:]!r}")
        position = match.end()
        steps.append(_step(match))
    return tuple(steps)


def find(path: str, document: Any) -> list[Any]:
    """Return all values at a path, in the order of the document. Raises PathError."""
    values = [document]
    for step in compile_path(path):
        values = [found for value in values for found in step(value)]
    return values


def _step(match: re.Match[str]) -> Step:
    if match["deep"]:
        name = match["deep"]
        return lambda value: _descend(value, name)
    if match["index"]:
        index = int(match["index"])
        return lambda value: [value[index]] if isinstance(value, list) and -len(value) <= index < len(value) else []
    if match["all"]:
        return _children
    if match["path"] is not None:
        return _filter(match["path"] or ".", match["op"], match["value"])
    field = match["quoted"] if match["quoted"] is not None else re.sub(r"\\(.)", r"\1", match["field"])
    return _children if field == "*" else lambda value: [value[field]] if _has(value, field) else []


def _has(value: Any, field: str) -> bool:
    return isinstance(value, dict) and field in value


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _descend(value: Any, name: str) -> Iterator[Any]:
    if _has(value, name):
        yield value[name]
    for child in _children(value):
        yield from _descend(child, name)


def _filter(path: str, operator: str | None, literal: str | None) -> Step:
    wanted = _literal(literal or "")

    def holds(item: Any) -> bool:
        found = find(path, item)
        if not found or operator is None:
            return bool(found)
        actual = found[0]
        if operator in ("==", "!="):
            return bool(actual == wanted) == (operator == "==")
        if type(actual) is not type(wanted):
            return False
        less, same = bool(actual < wanted), bool(actual == wanted)
        return {"<": less, "<=": less or same, ">": not less and not same, ">=": not less}[operator]

    return lambda value: [item for item in _children(value) if holds(item)]


def _literal(text: str) -> Any:
    if text[:1] in ("'", '"'):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text)
    except ValueError:
        return text
