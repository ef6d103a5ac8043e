"""The shapes of the built-in kinds, read from schemas.json with every `$ref` replaced by its schema.

References become shared dictionaries, so recursive types are cycles: walk them by value, never print them.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

Schema = dict[str, Any]

_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
# Unions in Go, of a schema with a list or a boolean: accepted unchecked.
_UNIONS = frozenset(f"{_APIEXTENSIONS}JSONSchemaPropsOr{other}" for other in ("Array", "Bool", "StringArray"))


@cache
def raw() -> dict[str, Schema]:
    """Return the schemas by their OpenAPI names, with `$ref`s that are bare names."""
    loaded: dict[str, Schema] = orjson.loads(Path(__file__).with_name("schemas.json").read_bytes())
    return loaded


@cache
def resolved() -> dict[str, Schema]:
    """Return the schemas by their OpenAPI names, references resolved. Read-only.

    Each struct gets `x-struct` and `x-package`, its Go name: decoding errors show them.
    """
    result: dict[str, Schema] = {}
    for name, schema in raw().items():
        package, _, struct = name.rpartition(".")
        result[name] = {**schema, "x-struct": struct, "x-package": package.rpartition(".")[2]}
        if "properties" in schema:
            result[name]["properties"] = dict(schema["properties"])
    for schema in result.values():
        _resolve_members(schema, result)
    return result


@cache
def kinds() -> dict[tuple[str, str], Schema]:
    """Return the resolved schemas of the kinds, by apiVersion and kind."""
    found: dict[tuple[str, str], Schema] = {}
    for schema in resolved().values():
        for gvk in schema.get("x-kubernetes-group-version-kind", ()):
            version = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            found[version, gvk["kind"]] = schema
    return found


def schema_of(name: str) -> Schema:
    """Return the resolved schema of one OpenAPI name."""
    return resolved()[name]


def _resolve_members(schema: Schema, schemas: dict[str, Schema]) -> None:
    """Replace references below `schema`; its `properties` are changed in place, because others already share them."""
    for name, prop in schema.get("properties", {}).items():
        schema["properties"][name] = _resolve(prop, schemas)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            schema[key] = _resolve(schema[key], schemas)


def _resolve(prop: Schema, schemas: dict[str, Schema]) -> Schema:
    reference = prop.get("$ref")
    if reference is None:
        copied = dict(prop)
        _resolve_members(copied, schemas)
        return copied
    if reference in _UNIONS:
        return {"x-absent": prop.get("x-absent", "keep")}
    extra = {k: v for k, v in prop.items() if k != "$ref"}
    return {**schemas[reference], **extra}
