"""Validates the schema of one CRD version beyond being structural.

Supported keywords and types, list and map types, valid defaults, and rules that compile. Source:
k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema/defaulting/validation.go.
Not here: the cost estimate of rules.
"""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from hack.sandbox.kube.cel.declarations import declare
from hack.sandbox.kube.cel.names import escape
from hack.sandbox.kube.cel.signatures import Kind
from hack.sandbox.kube.crd.cel_rules import RULES, RuleFault, Rules, compile_rule
from hack.sandbox.kube.schema.defaulting import (
    EMBEDDED,
    PRESERVE,
    TYPE_META,
    JsonObject,
    Schema,
    additional_schema,
    prune,
)
from hack.sandbox.kube.schema.embedded_resources import validate_embedded
from hack.sandbox.kube.schema.field_path import find_field
from hack.sandbox.kube.schema.keywords import Keywords
from hack.sandbox.kube.schema.list_types import LIST_TYPE, MAP_KEYS
from hack.sandbox.kube.schema.structural import validate_structural
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause, Verbatim, child, go_json, key

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_REASONS: Final = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_UNSUPPORTED: Final = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_AT_ROOT: Final = " ".join(
    (
        "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern",
        "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example",
        "XPreserveUnknownFields XValidations",
    )
)
_MAP_TYPE: Final = "x-kubernetes-map-type"
_NO_OLD_SELF: Final = "may not be set if oldSelf is not used in rule"
_NO_TYPE: Final = (
    "internal error: failed to construct type information for x-kubernetes-validations rules: "
    "unable to convert structural schema to CEL declarations"
)
_NEWLINE: Final = re.compile("[\n\r]")


def validate_schema(schema: Schema, path: str, *, has_status: bool) -> list[Cause]:
    """Return why `schema` cannot be the openAPIV3Schema at `path` of a CRD with or without a status endpoint.

    Schemas are validated once: each apply of a CRD validates it twice, and its upgrades mostly repeat it.
    """
    return [*_findings(json.dumps(schema), path, has_status)]


@lru_cache(maxsize=64)
def _findings(text: str, path: str, has_status: bool) -> tuple[Cause, ...]:
    schema: Schema = json.loads(text)
    found = [*_root(schema, path, has_status=has_status)]
    wrong = validate_structural(schema, path) or [*_defaults(schema, path, schema)]
    kind = None if wrong else declare(schema, is_resource=True)
    visitor = _Visitor()
    visitor.visit(schema, path, _Place(is_root=True, sees_rules=not wrong), kind)
    return (*found, *wrong, *visitor.schema_faults, *visitor.rule_faults)


def _root(schema: Schema, path: str, *, has_status: bool) -> Iterator[Cause]:
    if has_status:
        allowed = {_json_name(name) for name in _AT_ROOT.split()}
        set_names = [name for name, value in schema.items() if value not in (None, False, "", [], {})]
        if schema.get("type") != "object" and schema.get("type"):
            detail = (
                'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
            )
            yield causes.invalid(child(path, "type"), schema["type"], detail)
        elif any(name not in allowed for name in set_names):
            detail = (
                f"only [{_AT_ROOT}] fields are allowed at the root of the schema if the status subresource is enabled"
            )
            yield causes.invalid(path, schema, detail)
    if schema.get("nullable"):
        yield causes.forbidden(child(path, "nullable"), "nullable cannot be true at the root")


def _json_name(go_name: str) -> str:
    special = {"XPreserveUnknownFields": PRESERVE, "XValidations": RULES}
    return special.get(go_name, go_name[0].lower() + go_name[1:])


def _defaults(schema: Schema, path: str, resource: Schema) -> Iterator[Cause]:
    """Yield defaults that are not valid values themselves. Those in metadata are checked elsewhere."""
    default = schema.get("default")
    if default is not None:
        yield from _default(schema, default, child(path, "default"))
    if isinstance(schema.get("items"), dict):
        yield from _defaults(schema["items"], child(path, "items"), resource)
    is_resource = schema is resource or bool(schema.get(EMBEDDED))
    for name, sub in (schema.get("properties") or {}).items():
        if not (is_resource and name in TYPE_META):
            yield from _defaults(sub, key(child(path, "properties"), name), resource)


def _default(schema: Schema, default: Any, path: str) -> Iterator[Cause]:
    if prune({"properties": {"default": schema}}, {"default": copy.deepcopy(default)}):
        yield causes.invalid(path, default, "must not have unknown fields")
    embedded = validate_embedded(schema, default, path)
    if embedded:
        yield from embedded
        return
    wrong = Keywords(schema).check(default, None, prefix=path)
    if wrong:
        yield from wrong
        return
    holder: Schema = {"type": "object", "properties": {"default": schema}}
    rules = Rules.compile(holder)
    if rules is not None:
        for cause in rules.check({"default": default}, {"default": default}, None):
            yield replace(cause, field=cause.field.replace("default", path, 1))


@dataclass(frozen=True, slots=True)
class _Place:
    """The position of a schema in a CRD's schema, and its restrictions."""

    is_root: bool = False
    in_metadata: bool = False
    no_defaults: str | None = None
    """Why a default is not allowed here; None if it is."""
    sees_rules: bool = True
    """Whether rules are compiled: not in branches, and not in a schema that is not structural."""
    uncorrelatable: str | None = None
    """The path of the list or map with items that have no old value to compare with."""


class _Visitor:
    """Collects faults of schemas and, while there are none, of their rules."""

    def __init__(self) -> None:
        self.schema_faults: list[Cause] = []
        self.rule_faults: list[Cause] = []

    def visit(self, schema: Schema, path: str, place: _Place, kind: Kind | None) -> None:
        """Check `schema` and the schemas below it; `kind` is its type in rules, None if they cannot use it."""
        before = len(self.schema_faults)
        self.schema_faults += _keywords(schema, path, place)
        self._visit_below(schema, path, replace(place, is_root=False), kind, is_root=place.is_root)
        self.schema_faults += [*_list_and_map_types(schema, path), *_rule_texts(schema, path)]
        if len(self.schema_faults) > before or not place.sees_rules:
            return
        if kind is None:
            self.rule_faults += [causes.internal_error(child(path, RULES), _NO_TYPE)] if schema.get(RULES) else []
        else:
            for at, source in enumerate(schema.get(RULES) or ()):
                self.rule_faults += _rule(source, key(child(path, RULES), str(at)), place, kind)

    def _visit_below(self, schema: Schema, path: str, place: _Place, kind: Kind | None, *, is_root: bool) -> None:
        inner = kind.parameters[-1] if kind is not None and kind.parameters else None
        rest = additional_schema(schema)
        if rest is not None:
            reason = "inside additionalProperties applying to object metadata"
            sub = replace(place, no_defaults=reason) if place.in_metadata else place
            self.visit(rest, child(path, "additionalProperties"), sub, inner)
        for name, prop in (schema.get("properties") or {}).items():
            sub = place
            if schema.get(_MAP_TYPE) not in {None, "granular", "atomic"}:
                sub = _uncorrelated(sub, path)
            if (is_root or schema.get(EMBEDDED)) and name in TYPE_META:
                sub = replace(sub, in_metadata=True, no_defaults=f"in top-level {name}" if is_root else sub.no_defaults)
            self.visit(prop, key(child(path, "properties"), name), sub, _member(kind, name, prop))
        blind = replace(place, sees_rules=False)
        for name in ("not", "allOf", "oneOf", "anyOf"):
            branches = schema.get(name)
            for at, branch in enumerate(branches if isinstance(branches, list) else ()):
                self.visit(branch, key(child(path, name), str(at)), blind, None)
            if isinstance(branches, dict):
                self.visit(branches, child(path, name), blind, None)
        if isinstance(schema.get("items"), dict):
            sub = place if schema.get(LIST_TYPE) == "map" else _uncorrelated(place, path)
            self.visit(schema["items"], child(path, "items"), sub, inner)


def _uncorrelated(place: _Place, path: str) -> _Place:
    return place if place.uncorrelatable else replace(place, uncorrelatable=path)


def _member(kind: Kind | None, name: str, schema: Schema) -> Kind | None:
    if kind is None:
        return None
    identifier = escape(name)
    if identifier is None:
        return declare(schema, is_resource=bool(schema.get(EMBEDDED)))
    return (kind.fields or {}).get(identifier)


def _keywords(schema: Schema, path: str, place: _Place) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind and kind not in _TYPES:
        yield causes.not_supported(child(path, "type"), kind, _TYPES)
    if schema.get("default") is not None and place.no_defaults is not None:
        yield causes.forbidden(child(path, "default"), f"must not be set {place.no_defaults}".rstrip())
    for name in _UNSUPPORTED:
        if schema.get(name) not in (None, "", {}) or (name == "dependencies" and schema.get(name) is not None):
            yield causes.forbidden(child(path, name), f"{name} is not supported")
    if kind == "null":
        yield causes.forbidden(child(path, "type"), "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield causes.forbidden(child(path, "items"), "items must be a schema object and not an array")
    if place.in_metadata and schema.get(EMBEDDED):
        yield causes.forbidden(child(path, EMBEDDED), "must not be used inside of resource meta")
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield causes.forbidden(child(path, "uniqueItems"), detail)
    rest = schema.get("additionalProperties")
    if schema.get("properties") and rest is not None and rest is not True:
        detail = "additionalProperties and properties are mutual exclusive"
        yield causes.forbidden(child(path, "additionalProperties"), detail)
    if schema.get(PRESERVE) is False:
        yield causes.invalid(child(path, PRESERVE), False, "must be true or undefined")


def _list_and_map_types(schema: Schema, path: str) -> Iterator[Cause]:
    map_type, list_type = schema.get(_MAP_TYPE), schema.get(LIST_TYPE)
    if map_type is not None:
        yield from _wanted_type(schema, path, "object", _MAP_TYPE)
        if map_type not in {"atomic", "granular"}:
            yield causes.not_supported(child(path, _MAP_TYPE), map_type, ["atomic", "granular"])
    if list_type is not None:
        yield from _wanted_type(schema, path, "array", LIST_TYPE)
        if list_type not in {"atomic", "set", "map"}:
            yield causes.not_supported(child(path, LIST_TYPE), list_type, ["atomic", "set", "map"])
    if schema.get(MAP_KEYS) and list_type != "map":
        detail = f"must be map if {MAP_KEYS} is non-empty"
        at = child(path, LIST_TYPE)
        yield causes.required(at, detail) if list_type is None else causes.invalid(at, list_type, detail)
    if list_type == "set" and schema.get("type") == "array":
        yield from _set_items(schema.get("items") or {}, child(path, "items"))
    if list_type == "map":
        yield from _map_items(schema, path)
    items = schema.get("items")
    if list_type in {"set", "map"} and isinstance(items, dict) and items.get("nullable"):
        detail = f"cannot be nullable when {LIST_TYPE} is {list_type}"
        yield causes.forbidden(child(child(path, "items"), "nullable"), detail)


def _wanted_type(schema: Schema, path: str, wanted: str, because: str) -> Iterator[Cause]:
    kind, at = schema.get("type") or "", child(path, "type")
    if kind != wanted:
        detail = f"must be {wanted} if {because} is specified"
        yield causes.invalid(at, kind, detail) if kind else causes.required(at, detail)


def _set_items(items: Schema, path: str) -> Iterator[Cause]:
    detail = f"must be atomic as item of a list with {LIST_TYPE}=set"
    list_type = items.get(LIST_TYPE)
    if items.get("type") == "array" and list_type not in {None, "atomic"}:
        yield causes.invalid(child(path, LIST_TYPE), list_type, detail)
    if items.get("type") == "object" and items.get(_MAP_TYPE) != "atomic":
        yield causes.invalid(child(path, _MAP_TYPE), list_type, detail)


def _map_items(schema: Schema, path: str) -> Iterator[Cause]:
    keys, items, at = schema.get(MAP_KEYS) or [], schema.get("items"), child(path, "items")
    if not keys:
        yield causes.required(child(path, MAP_KEYS), f"must not be empty if {LIST_TYPE} is map")
    if not isinstance(items, dict):
        yield causes.required(at, f"must have a schema if {LIST_TYPE} is map")
        return
    if items.get("type") != "object":
        detail = f"must be object if parent array's {LIST_TYPE} is map"
        yield causes.invalid(child(at, "type"), items.get("type") or "", detail)
    properties = items.get("properties") or {}
    for position, name in enumerate(keys):
        if items.get("type") == "object":
            if name not in properties:
                yield causes.invalid(child(path, MAP_KEYS), keys, "entries must all be names of item properties")
            elif properties[name].get("type") in {"array", "object"}:
                detail = f"must be a scalar type if parent array's {LIST_TYPE} is map"
                yield causes.invalid(child(key(child(at, "properties"), name), "type"), items.get("type"), detail)
            if name in keys[:position]:
                yield causes.invalid(child(path, MAP_KEYS), keys, "must not contain duplicate entries")
        if name in properties:
            yield from _map_key(items, name, key(child(at, "properties"), name))


def _map_key(items: Schema, name: str, path: str) -> Iterator[Cause]:
    schema = items["properties"][name]
    if name not in (items.get("required") or ()) and schema.get("default") is None:
        detail = f"this property is in {MAP_KEYS}, so it must have a default or be a required property"
        yield causes.required(child(path, "default"), detail)
    if schema.get("nullable"):
        yield causes.forbidden(child(path, "nullable"), f"this property is in {MAP_KEYS}, so it cannot be nullable")


def _rule_texts(schema: Schema, path: str) -> Iterator[Cause]:
    """Check rules as far as possible without compiling them."""
    for position, source in enumerate(schema.get(RULES) or ()):
        at = key(child(path, RULES), str(position))
        rule, message = (source.get("rule") or "").strip(), (source.get("message") or "").strip()
        if not rule:
            yield causes.required(child(at, "rule"), "rule is not specified")
        elif source.get("message") and not message:
            yield causes.invalid(child(at, "message"), source["message"], "must be non-empty if specified")
        elif _NEWLINE.search(message):
            yield causes.invalid(child(at, "message"), source["message"], "must not contain line breaks")
        elif _NEWLINE.search(rule) and not message:
            yield causes.required(child(at, "message"), "message must be specified if rule contains line breaks")
        expression = source.get("messageExpression") or ""
        if expression and not expression.strip():
            detail = "messageExpression must be non-empty if specified"
            yield causes.required(child(at, "messageExpression"), detail)
        if source.get("reason") is not None and source["reason"] not in _REASONS:
            yield causes.not_supported(child(at, "reason"), source["reason"], _REASONS)
        field_path = source.get("fieldPath") or ""
        if field_path:
            yield from _field_path(schema, field_path, child(at, "fieldPath"))


def _field_path(schema: Schema, field_path: str, at: str) -> Iterator[Cause]:
    if not field_path.strip():
        yield causes.invalid(at, field_path, "must be non-empty if specified")
    if _NEWLINE.search(field_path):
        yield causes.invalid(at, field_path, "must not contain line breaks")
    try:
        find_field(field_path, schema)
    except ValueError:
        yield causes.invalid(at, field_path, "must be a valid path")


def _rule(source: JsonObject, path: str, place: _Place, kind: Kind) -> Iterator[Cause]:
    try:
        rule = compile_rule(source, kind)
    except RuleFault as exc:
        yield causes.invalid(child(path, exc.part), _go_rule(source), str(exc))
        if exc.part == "rule" and source.get("optionalOldSelf") is not None:
            yield causes.invalid(child(path, "optionalOldSelf"), source["optionalOldSelf"], _NO_OLD_SELF)
        return
    if rule is None:
        return
    if rule.compares and place.uncorrelatable:
        detail = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelatable}"
        yield causes.invalid(child(path, "rule"), source["rule"], detail)
    if not rule.compares and source.get("optionalOldSelf") is not None:
        yield causes.invalid(child(path, "optionalOldSelf"), source["optionalOldSelf"], _NO_OLD_SELF)


def _go_rule(source: JsonObject) -> Verbatim:
    """Return a rule as Go prints its internal type."""
    absent = {
        "rule": "",
        "message": "",
        "messageExpression": "",
        "reason": None,
        "fieldPath": "",
        "optionalOldSelf": None,
    }
    texts = (f'"{name[0].upper()}{name[1:]}":{go_json(source.get(name, empty))}' for name, empty in absent.items())
    return Verbatim(f"{{{','.join(texts)}}}")
