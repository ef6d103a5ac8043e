"""Applies a structural schema to an object before validation: prunes, drops nulls, sets defaults.

Works in place on decoded JSON. Sources: k8s.io/apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}.
Schemas are the `openAPIV3Schema` of a CRD version, with the vendor extensions `x-kubernetes-…`.
"""

import copy
from typing import Any, Final, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
Schema: TypeAlias = dict[str, Any]

TYPE_META: Final = frozenset({"apiVersion", "kind", "metadata"})
"""Members of every resource, whether or not its schema has them."""

PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
EMBEDDED: Final = "x-kubernetes-embedded-resource"


def prune(schema: Schema | None, obj: JsonObject, *, drops_nulls: bool = True) -> list[str]:
    """Remove in place fields that `schema` lacks, and nulls that it does not allow and has no default for.

    Server-side apply keeps those nulls, and they are refused. Returns the sorted paths of the removed fields
    (`spec.parts[0].weight`), as in strict validation and warnings. Nulls are dropped silently. apiVersion, kind and
    metadata of the resource itself are never changed.
    """
    schema = schema or {}
    unknown: list[str] = []
    _prune(obj, {**schema, EMBEDDED: True}, "", unknown)
    if drops_nulls:
        _drop_nulls(obj, schema)
    return sorted(unknown)


def apply_defaults(schema: Schema | None, obj: Any) -> None:
    """Set in place the defaults of missing fields and of invalid nulls; parents are never created."""
    if not schema:
        return
    if isinstance(obj, dict):
        properties: dict[str, Schema] = schema.get("properties") or {}
        for name, sub in properties.items():
            if sub.get("default") is not None and (name not in obj or (obj[name] is None and not sub.get("nullable"))):
                obj[name] = copy.deepcopy(sub["default"])
        rest = additional_schema(schema)
        for name, value in obj.items():
            if name in properties:
                apply_defaults(properties[name], value)
            elif rest:
                obj[name] = _or_default(value, rest)
                apply_defaults(rest, obj[name])
    elif isinstance(obj, list):
        items = schema.get("items")
        if items:
            for index, value in enumerate(obj):
                obj[index] = _or_default(value, items)
                apply_defaults(items, obj[index])


def additional_schema(schema: Schema) -> Schema | None:
    """Return the schema of map values: None if `additionalProperties` is absent or a boolean."""
    rest = schema.get("additionalProperties")
    return rest if isinstance(rest, dict) else None


def _or_default(value: Any, schema: Schema) -> Any:
    if value is None and not schema.get("nullable"):
        return copy.deepcopy(schema.get("default"))
    return value


def _sub_path(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _prune(value: Any, schema: Schema | None, path: str, unknown: list[str]) -> None:
    """Prune below `value`; with a schema of None, every field is removed."""
    if isinstance(value, dict):
        _prune_object(value, schema, path, unknown)
    elif isinstance(value, list):
        # Inside a list under preserve-unknown-fields, items are still pruned: they may have a schema.
        items = schema.get("items") if schema else None
        if schema and schema.get(PRESERVE):
            items = {**(items or {}), PRESERVE: True} if items else None
            if items is None:
                return
        for index, item in enumerate(value):
            _prune(item, items, f"{path}[{index}]", unknown)


def _prune_object(value: JsonObject, schema: Schema | None, path: str, unknown: list[str]) -> None:
    if schema is None:
        unknown.extend(_sub_path(path, name) for name in value)
        value.clear()
        return
    keep = bool(schema.get(PRESERVE))
    embedded = bool(schema.get(EMBEDDED))
    properties: dict[str, Schema] = schema.get("properties") or {}
    rest = schema.get("additionalProperties")
    for name in list(value):
        if embedded and name in TYPE_META:
            continue
        if name in properties:
            child = value[name]
            if child.__class__ is dict or child.__class__ is list:
                _prune(child, properties[name], _sub_path(path, name), unknown)
        elif rest is not None and rest is not False:
            _prune(value[name], rest if isinstance(rest, dict) else None, _sub_path(path, name), unknown)
        elif not keep:
            if path or name not in TYPE_META:
                unknown.append(_sub_path(path, name))
            del value[name]


def _drop_nulls(value: Any, schema: Schema | None) -> None:
    if schema is None:
        return
    if isinstance(value, dict):
        properties: dict[str, Schema] = schema.get("properties") or {}
        rest = additional_schema(schema)
        for name in list(value):
            sub = properties.get(name, rest)
            if sub is None:
                continue
            child = value[name]
            if child is None:
                if not sub.get("nullable") and sub.get("default") is None:
                    del value[name]
            elif child.__class__ is dict or child.__class__ is list:
                _drop_nulls(child, sub)
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, dict):
            for item in value:
                _drop_nulls(item, items)
