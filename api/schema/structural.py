"""Converts a kind's fields to a structural OpenAPI v3 schema, as CRDs require.

Source: Kubernetes documentation, "Specifying a structural schema".
"""

from typing import Final

from api.descriptor import KindDescriptor
from api.fields import Field, KindFields
from api.form import Form
from api.meta import JsonObject
from api.schema.description import plain
from api.schema.immutability import immutability
from api.schema.pattern import to_re2
from api.schema.validations import validations

_TYPES: Final[dict[Form, dict[str, str]]] = {
    Form.STRING: {"type": "string"},
    Form.INTEGER: {"type": "integer", "format": "int64"},
    Form.NUMBER: {"type": "number"},
    Form.BOOLEAN: {"type": "boolean"},
    Form.TIME: {"type": "string", "format": "date-time"},
}
_LIMITS: Final[dict[Form, tuple[str, str]]] = {
    Form.STRING: ("minLength", "maxLength"),
    Form.INTEGER: ("minimum", "maximum"),
    Form.NUMBER: ("minimum", "maximum"),
    Form.LIST: ("minItems", "maxItems"),
    Form.PAIRS: ("minItems", "maxItems"),
}
NOT_SEEN: Final = {"observedGeneration": -1}
"""Status of an object that no operator has seen. Without one, tools that use kstatus (`helm --wait`, Flux, Argo CD)
take an object for current the moment it is applied; with this they wait. Source: cli-utils, kstatus, README."""
_VALUES_WORTH_TELLING: Final = 12
"""More values than that (instance types) would overload a description."""


def object_schema(descriptor: KindDescriptor, fields: KindFields) -> JsonObject:
    """Return the schema of a whole object, metadata included."""
    spec = {**field_schema(descriptor, fields.spec), "description": f"The {_words(descriptor)} that is wanted."}
    status = {
        **field_schema(descriptor, fields.status),
        "description": "What became of it, as last seen.",
        "default": NOT_SEEN,
    }
    schema: JsonObject = {
        "type": "object",
        "description": f"{descriptor.kind}: made at AWS by {', '.join(descriptor.operations.sending)}.",
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the API that this object is written in."},
            "kind": {"type": "string", "description": "Kind of this object."},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }
    if fields.spec.required:
        schema["required"] = ["spec"]
    if rules := immutability(descriptor, fields):
        schema["x-kubernetes-validations"] = rules
    return schema


def field_schema(descriptor: KindDescriptor, field: Field) -> JsonObject:
    """Return the schema of one field and all fields below it."""
    schema: JsonObject = {}
    if text := description_of(field):
        schema["description"] = text
    match field.form:
        case Form.STRUCTURE:
            schema |= _object(descriptor, field)
        case Form.LIST:
            assert field.item is not None  # noqa: S101 - lists are built with their item
            schema |= {"type": "array", "items": field_schema(descriptor, field.item)}
            if field.list_key:
                schema |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [field.list_key]}
        case Form.PAIRS:
            # Atomic on purpose: v1 accepted duplicate and missing names; a map by name would refuse both.
            schema |= {"type": "array", "items": _object(descriptor, field)}
        case _:
            schema |= _TYPES[field.form]
    # What AWS answers has no limits here; what rules walk has one.
    if field.path.startswith("spec") or field.list_key:
        schema |= _limits(field)
    if field.enum:
        schema["enum"] = list(field.enum)
    if alternatives := _alternatives(descriptor, field):
        schema["allOf"] = alternatives
    if rules := validations(descriptor, field):
        schema["x-kubernetes-validations"] = rules
    return schema


def description_of(field: Field) -> str:
    """Return the field's description in plain text, with AWS's values if they are few and not enforced."""
    text = plain(field.documentation)
    if not field.enum and 0 < len(field.known_values) <= _VALUES_WORTH_TELLING:
        text = f"{text} Known values: {', '.join(field.known_values)}.".strip()
    return text


def pattern_of(field: Field) -> str:
    """Return the pattern for the API server: v1's own unchanged, AWS's rewritten; empty if there is none."""
    return field.pattern if field.is_v1 else to_re2(field.pattern)


def _object(descriptor: KindDescriptor, field: Field) -> JsonObject:
    schema: JsonObject = {
        "type": "object",
        "properties": {child.name: field_schema(descriptor, child) for child in field.fields},
    }
    if required := [child.name for child in field.fields if child.required]:
        schema["required"] = required
    if field.or_text:
        # A structural schema has no "object or string": without a type any value passes, and known fields of an object
        # are still checked. The operator refuses other types (v1-kinds.md 2).
        del schema["type"]
        schema["x-kubernetes-preserve-unknown-fields"] = True
    return schema


def _alternatives(descriptor: KindDescriptor, field: Field) -> list[JsonObject]:
    """Return, in keywords, what is required here unless an alternative is set.

    CEL would be more readable, but refuses values that are written unlike their schema: a count given as 1.0, which
    an int64 otherwise accepts. The API server reports the first branch's error.
    """
    return [
        {"anyOf": [_has(entry.field), *(_has(name) for name in entry.alternatives)]}
        for entry in descriptor.compat.required_unless
        if entry.path == field.path
    ]


def _has(path: str) -> JsonObject:
    """Return a schema that requires a field; if dotted, in its parent, if that is set, or in every item of it."""
    name, _, below = path.partition(".")
    if not below:
        return {"required": [name]}
    inner = _has(below)
    return {"properties": {name[:-2]: {"items": inner}} if name.endswith("[]") else {name: inner}}


def _limits(field: Field) -> JsonObject:
    limits: JsonObject = {}
    if field.form in _LIMITS:
        least, most = _LIMITS[field.form]
        # Lengths start at zero anyway; for numbers it means that they are not negative.
        if field.minimum is not None and (field.minimum != 0 or least == "minimum"):
            limits[least] = field.minimum
        if field.maximum is not None:
            limits[most] = field.maximum
    if pattern := pattern_of(field):
        limits["pattern"] = pattern
    return limits


def _words(descriptor: KindDescriptor) -> str:
    """Return the kind in words: `TrainingJob` → `training job`."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in descriptor.kind).strip()
