"""Correlates a new value with its old value, for ratcheting and transition rules.

Fields and map entries correlate by name, items of a `map` list by their keys, other values not at all.
Source: k8s.io/apiserver pkg/cel/common (CorrelatedObject, MapList).
"""

import json
from typing import Any

from hack.sandbox.kube.schema.defaulting import JsonObject, Schema, additional_schema


class Correlated:
    """A new value, its old value and their schema. Children are created once and kept; not thread-safe."""

    __slots__ = ("_children", "_equal", "_index", "new", "old", "schema")

    def __init__(self, new: Any, old: Any, schema: Schema) -> None:
        self.new = new
        self.old = old
        self.schema = schema
        self._children: dict[str | int, Correlated | None] = {}
        self._equal: bool | None = None
        self._index: dict[str, Any] | None = None

    def field(self, name: str) -> "Correlated | None":
        """Return the pair below a field or map key; None if one side or the schema lacks it."""
        if name not in self._children:
            self._children[name] = self._make_field(name)
        return self._children[name]

    def item(self, position: int) -> "Correlated | None":
        """Return the pair of the item at `position` of the new list; None unless the old `map` list had its keys."""
        if position not in self._children:
            self._children[position] = self._make_item(position)
        return self._children[position]

    def unchanged(self) -> bool:
        """Return whether both sides are equal by the schema: unknown fields count as a difference."""
        if self._equal is None:
            self._equal = self._compare()
        return self._equal

    def _make_field(self, name: str) -> "Correlated | None":
        new, old = self.new, self.old
        if not isinstance(new, dict) or not isinstance(old, dict) or name not in new or name not in old:
            return None
        sub = (self.schema.get("properties") or {}).get(name) or additional_schema(self.schema)
        return Correlated(new[name], old[name], sub) if sub is not None else None

    def _make_item(self, position: int) -> "Correlated | None":
        items = self.schema.get("items")
        if not isinstance(self.new, list) or not isinstance(self.old, list) or not isinstance(items, dict):
            return None
        if self.schema.get("x-kubernetes-list-type") != "map":
            return None
        if self._index is None:
            self._index = index_by_keys(self.schema, self.old)
        old = self._index.get(item_key(self.schema, self.new[position]) or "")
        return Correlated(self.new[position], old, items) if old is not None else None

    def _compare(self) -> bool:
        new, old = self.new, self.old
        if new is None or old is None:
            return new is None and old is None
        if isinstance(new, dict) and isinstance(old, dict):
            if len(new) != len(old):
                return False
            return all((pair := self.field(name)) is not None and pair.unchanged() for name in new)
        if isinstance(new, list) and isinstance(old, list):
            if len(new) != len(old):
                return False
            if self.schema.get("x-kubernetes-list-type") != "map":
                return same_json(new, old)
            return all((pair := self.item(position)) is not None and pair.unchanged() for position in range(len(new)))
        return same_json(new, old)


def item_key(schema: Schema, item: Any) -> str | None:
    """Return the identity of a `map` list's item: its key fields as JSON; None if it has not all of them."""
    names = schema.get("x-kubernetes-list-map-keys") or []
    if not isinstance(item, dict) or not names or any(name not in item for name in names):
        return None
    return json.dumps([item[name] for name in names])


def index_by_keys(schema: Schema, items: Any) -> dict[str, JsonObject]:
    """Return the items of a `map` list by `item_key`; the first of several wins. Empty for any other list."""
    index: dict[str, JsonObject] = {}
    if isinstance(items, list) and schema.get("x-kubernetes-list-type") == "map":
        for item in items:
            identity = item_key(schema, item)
            if identity is not None:
                index.setdefault(identity, item)
    return index


def same_json(one: Any, other: Any) -> bool:
    """Compare JSON values: unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)
