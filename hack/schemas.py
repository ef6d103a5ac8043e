"""Generates JSON schemas of the kinds for editors and kubeconform, from their CRDs.

A CRD's schema says too little for a file: the API server drops unknown fields, and knows apiVersion, kind and metadata
by itself. So objects are closed, and what every manifest has is added, with the annotations of the operator.
"""

import json
from collections.abc import Iterable
from typing import Final

from api.annotations import KNOWN, Place
from api.descriptor import KindDescriptor
from api.meta import API_VERSION, GROUP, VERSION, JsonObject

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
ALL: Final = "all.json"


def file_name(descriptor: KindDescriptor) -> str:
    """Return the schema's place in a folder of schemas, as kubeconform and the CRDs catalog name it."""
    return f"{GROUP}/{descriptor.singular}_{VERSION}.json"


def schema(descriptor: KindDescriptor, crd: JsonObject) -> str:
    """Return the schema of a kind's manifests as JSON."""
    (version,) = crd["spec"]["versions"]
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    found: JsonObject = {
        "$schema": DRAFT,
        "title": f"{descriptor.kind} of {API_VERSION}",
        "description": version["schema"]["openAPIV3Schema"]["description"],
        "type": "object",
        "additionalProperties": False,
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": descriptor.kind},
            "metadata": _metadata(descriptor),
            "spec": _closed(properties["spec"]),
            "status": _closed(properties["status"]),
        },
    }
    return _text(found)


def all_kinds(descriptors: Iterable[KindDescriptor]) -> str:
    """Return the schema of a file with an object of any kind: each is checked by the schema of its kind."""
    kinds = [
        {"if": {"properties": {"kind": {"const": each.kind}}}, "then": {"$ref": file_name(each)}}
        for each in descriptors
    ]
    names = [each.kind for each in descriptors]
    properties = {"apiVersion": {"const": API_VERSION}, "kind": {"enum": names}}
    found = {"$schema": DRAFT, "type": "object", "required": ["apiVersion", "kind"], "properties": properties}
    return _text(found | {"allOf": kinds})


def _metadata(descriptor: KindDescriptor) -> JsonObject:
    """Return the schema of metadata: names, labels, and annotations of which ours are known."""
    texts = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}
    ours = {
        each.key: {"type": "string", "description": f"Accepts {each.takes} (docs/annotations.md)."}
        for each in KNOWN.values()
        if Place.OBJECT in each.places and descriptor.life_cycle in each.life_cycles and not each.is_ours
    }
    foreign = {"not": {"pattern": f"^{GROUP.replace('.', '[.]')}/"}}
    known = {"enum": sorted(each.key for each in KNOWN.values())}
    return {
        "type": "object",
        "anyOf": [{"required": ["name"]}, {"required": ["generateName"]}],
        "properties": {
            "name": {"type": "string", "maxLength": 253, "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
            "generateName": {"type": "string"},
            "namespace": {"type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
            "labels": texts,
            "annotations": texts | {"properties": ours, "propertyNames": {"anyOf": [foreign, known]}},
        },
    }


def _closed(schema: JsonObject) -> JsonObject:
    """Return a schema without Kubernetes' extensions, in which objects have no other than their fields."""
    found: JsonObject = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: _closed(field) for name, field in value.items()}
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            found[key] = _closed(value)
        elif key in ("allOf", "anyOf", "oneOf"):
            found[key] = [_closed(each) for each in value]
        elif key == "nullable":
            found["type"] = [schema["type"], "null"] if value else schema["type"]
        elif not key.startswith("x-kubernetes-"):
            found.setdefault(key, value)
    if schema.get("type") == "object" and "properties" in schema:
        found.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields", False)))
    return found


def _text(value: JsonObject) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
