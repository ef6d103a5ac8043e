"""The schema that most tests here speak about: a widget with one field for every keyword that CRDs commonly use."""

from typing import Any

JsonObject = dict[str, Any]

WIDGET: JsonObject = {
    "type": "object",
    "required": ["spec"],
    "properties": {
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "required": ["size"],
            "x-kubernetes-validations": [{"rule": "!has(oldSelf.name) || self.name == oldSelf.name"}],
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "minLength": 2, "maxLength": 10},
                "size": {"type": "string", "enum": ["small", "medium", "large"]},
                "color": {"type": "string", "default": "blue"},
                "replicas": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 5, "default": 1},
                "weight": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "multipleOf": 0.5},
                "enabled": {"type": "boolean"},
                "note": {"type": "string", "nullable": True},
                "port": {"x-kubernetes-int-or-string": True},
                "startAt": {"type": "string", "format": "date-time"},
                "region": {
                    "type": "string",
                    "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "region is immutable"}],
                },
                "tags": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 3,
                    "x-kubernetes-list-type": "set",
                    "items": {"type": "string"},
                },
                "parts": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": {"type": "string"},
                            "quantity": {"type": "integer", "default": 1},
                            "material": {"type": "string"},
                        },
                    },
                },
                "labels": {
                    "type": "object",
                    "maxProperties": 3,
                    "additionalProperties": {"type": "string", "maxLength": 8},
                },
                "settings": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "template": {
                    "type": "object",
                    "properties": {
                        "image": {"type": "string", "default": "busybox"},
                        "limits": {"type": "object", "properties": {"cpu": {"type": "string", "default": "100m"}}},
                    },
                },
            },
        },
        "status": {
            "type": "object",
            "properties": {
                "phase": {"type": "string"},
                "observedGeneration": {"type": "integer", "format": "int64"},
                "conditions": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                    "items": {
                        "type": "object",
                        "required": ["type", "status"],
                        "properties": {
                            "type": {"type": "string"},
                            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                        },
                    },
                },
            },
        },
    },
}


def widget(**spec: Any) -> JsonObject:
    """A widget of size small with the given fields in its spec."""
    return {
        "apiVersion": "example.dev/v1",
        "kind": "Widget",
        "metadata": {"name": "w"},
        "spec": {"size": "small", **spec},
    }


def object_with(name: str, schema: JsonObject) -> JsonObject:
    """The schema of an object that has one field."""
    return {"type": "object", "properties": {name: schema}}
