"""Checks that a schema is structural: every field has one type, and logical branches only add value validations.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/validation.go. Pruning, defaulting and CEL rely on it.
"""

from collections.abc import Iterator
from typing import Any, Final

from hack.sandbox.kube.schema.defaulting import EMBEDDED, PRESERVE, Schema
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause, child, key
from hack.sandbox.kube.wire.patterns import BadPatternError, compile_pattern

_INT_OR_STRING: Final = "x-kubernetes-int-or-string"
_INT_OR_STRING_BRANCHES: Final = [{"type": "integer"}, {"type": "string"}]
_UNTYPED: Final = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
_FORBIDDEN_IN_BRANCHES: Final = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    _INT_OR_STRING: "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}


def validate_structural(schema: Schema, path: str) -> list[Cause]:
    """Return every reason why `schema` is not structural, sorted as the API server sorts them."""
    found = [*_invariants(schema, "root", path), *_completeness(schema, schema, path, path)]
    return sorted(found, key=str)


def _invariants(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    items = schema.get("items")
    if schema.get("type") == "array" and not isinstance(items, dict):
        yield causes.required(child(path, "items"), "must be specified")
    if isinstance(items, dict):
        yield from _invariants(items, "item", child(path, "items"))
    for name, sub in _properties(schema):
        yield from _invariants(sub, "field", _property(path, name))
    yield from _additional(schema, level, path)
    yield from _extensions(schema, path)
    skip = schema.get("anyOf") == _INT_OR_STRING_BRANCHES
    all_of = schema.get("allOf") or []
    skip_first = bool(all_of) and all_of[0].get("anyOf") == _INT_OR_STRING_BRANCHES
    yield from _values(schema, path, skip_any_of=skip, skip_first_all_of=skip_first)
    yield from _typed(schema, level, path)
    yield from _metadata(schema, level, path)


def _additional(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    rest = schema.get("additionalProperties")
    if rest is None:
        return
    at = child(path, "additionalProperties")
    if level == "root":
        yield causes.forbidden(at, "must not be used at the root")
    if isinstance(rest, dict):
        yield from _invariants(rest, "field", at)
    if schema.get(EMBEDDED):
        yield causes.forbidden(at, f"must not be used if {EMBEDDED} is set")


def _extensions(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.get(_INT_OR_STRING):
        for name in (PRESERVE, EMBEDDED):
            if schema.get(name):
                yield causes.invalid(child(path, name), True, f"must be false if {_INT_OR_STRING} is true")


def _typed(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    kind, at = schema.get("type") or "", child(path, "type")
    if schema.get(EMBEDDED) and kind != "object":
        detail = f"must be object if {EMBEDDED} is true"
        yield causes.invalid(at, kind, detail) if kind else causes.required(at, detail)
    elif not kind and not schema.get(_INT_OR_STRING) and not schema.get(PRESERVE):
        yield causes.required(at, _UNTYPED[level])
    if level == "root" and kind and kind != "object":
        yield causes.invalid(at, kind, "must be object at the root")
    if schema.get(EMBEDDED) and not schema.get(PRESERVE) and not schema.get("properties"):
        detail = f"must not be empty if {EMBEDDED} is true without {PRESERVE}"
        yield causes.required(child(path, "properties"), detail)


def _metadata(schema: Schema, level: str, path: str) -> Iterator[Cause]:
    """Check apiVersion, kind and metadata, on which a resource's schema may specify almost nothing."""
    properties = schema.get("properties") or {}
    is_resource = level == "root" or bool(schema.get(EMBEDDED))
    if is_resource:
        for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
            if name in properties and properties[name].get("type") != wanted:
                at = child(_property(path, name), "type")
                yield causes.invalid(at, properties[name].get("type") or "", f"must be {wanted}")
    if level == "root" and "metadata" in properties:
        metadata = properties["metadata"]
        rest = {name for name, value in metadata.items() if value not in (None, False, "", [], {})}
        rest -= {"type", "default"}
        if metadata.get("properties") and set(metadata["properties"]) <= {"name", "generateName"}:
            rest -= {"properties"}
        if rest:
            detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            yield causes.forbidden(_property(path, "metadata"), detail)


def _values(
    schema: Schema, path: str, *, skip_any_of: bool = False, skip_first_all_of: bool = False
) -> Iterator[Cause]:
    """Yield the value validations of a schema: its branches and its pattern."""
    if not skip_any_of:
        for at, branch in enumerate(schema.get("anyOf") or ()):
            yield from _branch(branch, key(child(path, "anyOf"), str(at)))
    for at, branch in enumerate(schema.get("allOf") or ()):
        skip = skip_first_all_of and at == 0
        yield from _branch(branch, key(child(path, "allOf"), str(at)), skip_any_of=skip)
    for at, branch in enumerate(schema.get("oneOf") or ()):
        yield from _branch(branch, key(child(path, "oneOf"), str(at)))
    if schema.get("not") is not None:
        yield from _branch(schema["not"], child(path, "not"))
    if schema.get("pattern"):
        try:
            compile_pattern(schema["pattern"])
        except BadPatternError as exc:
            detail = f"must be a valid regular expression, but isn't: error parsing regexp: {exc}"
            yield causes.invalid(child(path, "pattern"), schema["pattern"], detail)


def _branch(schema: Schema, path: str, *, skip_any_of: bool = False) -> Iterator[Cause]:
    """Check for keywords that are forbidden inside allOf, anyOf, oneOf and not."""
    yield from _values(schema, path, skip_any_of=skip_any_of)
    if isinstance(schema.get("items"), dict):
        yield from _branch(schema["items"], child(path, "items"))
    for name, sub in _properties(schema):
        yield from _branch(sub, _property(path, name))
    for name, detail in _FORBIDDEN_IN_BRANCHES.items():
        if schema.get(name) not in (None, False, "", []) and not (name == "additionalProperties" and not schema[name]):
            yield causes.forbidden(child(path, name), detail)
    if "metadata" in (schema.get("properties") or {}):
        yield causes.forbidden(_property(path, "metadata"), "must not be specified in a nested context")


def _completeness(values: Schema, schema: Schema, path: str, value_path: str) -> Iterator[Cause]:
    """Check that fields in branches are also declared outside of them."""
    if values.get("not") is not None:
        yield from _complete_branch(values["not"], schema, path, child(value_path, "not"))
    for name in ("allOf", "anyOf", "oneOf"):
        for at, branch in enumerate(values.get(name) or ()):
            yield from _complete_branch(branch, schema, path, key(child(value_path, name), str(at)))


def _complete_branch(branch: Schema, schema: Schema | None, path: str, value_path: str) -> Iterator[Cause]:
    if schema is None:
        yield causes.required(path, f"because it is defined in {value_path}")
        return
    yield from _completeness(branch, schema, path, value_path)
    if isinstance(branch.get("items"), dict):
        items = schema.get("items")
        below = items if isinstance(items, dict) else None
        yield from _complete_branch(branch["items"], below, child(path, "items"), child(value_path, "items"))
    properties = schema.get("properties") or {}
    for name, sub in _properties(branch):
        at, value_at = _property(path, name), _property(value_path, name)
        yield from _complete_branch(sub, properties.get(name), at, value_at)


def _properties(schema: Schema) -> list[tuple[str, Any]]:
    return list((schema.get("properties") or {}).items())


def _property(path: str, name: str) -> str:
    return key(child(path, "properties"), name)
