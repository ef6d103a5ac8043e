"""Checks uniqueness in lists: `set` items as a whole, `map` items by their keys.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/listtype. Only the second occurrence of a value is reported.
"""

import json
from typing import Any, Final

from hack.sandbox.kube.schema.defaulting import Schema, additional_schema
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.identity_cache import IdentityCache

LIST_TYPE: Final = "x-kubernetes-list-type"
MAP_KEYS: Final = "x-kubernetes-list-map-keys"


def validate_list_types(schema: Schema, value: Any, path: str = "") -> list[Cause]:
    """Return the duplicates in `value` and below. Pure; schemas are analysed once and cached by identity."""
    found: list[Cause] = []
    if _has_unique_lists.get(schema):
        _visit(schema, value, path, found)
    return found


def _any_unique_list(schema: Schema) -> bool:
    if schema.get(LIST_TYPE) in {"set", "map"}:
        return True
    below = list((schema.get("properties") or {}).values())
    below += [sub for sub in (schema.get("items"), additional_schema(schema)) if isinstance(sub, dict)]
    return any(_has_unique_lists.get(sub) for sub in below)


_has_unique_lists: Final[IdentityCache[bool]] = IdentityCache(_any_unique_list, size=65536)


def _visit(schema: Schema, value: Any, path: str, found: list[Cause]) -> None:
    if isinstance(value, list):
        if schema.get(LIST_TYPE) == "set":
            found += [causes.duplicate(causes.key(path, str(at)), value[at]) for at in _repeated(value)]
        elif schema.get(LIST_TYPE) == "map":
            found += _repeated_keys(schema, value, path)
        items = schema.get("items")
        if isinstance(items, dict) and _has_unique_lists.get(items):
            for at, item in enumerate(value):
                _visit(items, item, causes.key(path, str(at)), found)
    elif isinstance(value, dict):
        properties = schema.get("properties") or {}
        rest = additional_schema(schema)
        for name, child in value.items():
            if name in properties:
                if _has_unique_lists.get(properties[name]):
                    _visit(properties[name], child, causes.child(path, name), found)
            elif rest is not None and _has_unique_lists.get(rest):
                _visit(rest, child, causes.key(path, name), found)


def _repeated_keys(schema: Schema, items: list[Any], path: str) -> list[Cause]:
    for at, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            detail = "must be an object for an array of list-type map"
            return [causes.invalid(causes.key(path, str(at)), item, detail)]
    names = schema.get(MAP_KEYS) or []
    keys = [{name: item[name] for name in names if name in item} if item else {} for item in items]
    return [causes.duplicate(causes.key(path, str(at)), keys[at]) for at in _repeated(keys)]


def _repeated(items: list[Any]) -> list[int]:
    """Return the positions of values' second occurrences."""
    if len(items) < 2:
        return []
    seen: dict[str, int] = {}
    positions = []
    for at, item in enumerate(items):
        text = json.dumps(item, sort_keys=True)
        seen[text] = seen.get(text, 0) + 1
        if seen[text] == 2:
            positions.append(at)
    return positions
