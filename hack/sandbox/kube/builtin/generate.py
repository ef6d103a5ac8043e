"""Derive `schemas.json`, the shapes of the built-in kinds, from the OpenAPI documents and Go types of a release.

    python -m hack.sandbox.kube.builtin.generate --openapi api/openapi-spec/v3 --api k8s.io/api \
        --apimachinery k8s.io/apimachinery --apiextensions k8s.io/apiextensions-apiserver

The OpenAPI documents define structure: types, required fields, merge keys, list types. They do not define how Go
encodes an unset field, so that is read from the struct tags and kept as `x-absent` of every property:

    drop   a plain value with `omitempty`: zero values vanish ("" 0 false [] {})
    keep   a pointer: whatever the client sent stays, null vanishes
    zero   no `omitempty`, or a struct: an absent field appears as its zero value
    null   a pointer without `omitempty`: an absent field appears as null

`x-proto` is the field's number in the protobuf form, with the numbers of the messages around it where Go inlines a
struct: kubectl sends built-in kinds in that form.

Descriptions are left out: the sandbox needs shapes, not prose.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

DOCUMENTS = (
    "api__v1",
    "apis__apiextensions.k8s.io__v1",
    "apis__apps__v1",
    "apis__authentication.k8s.io__v1",
    "apis__authorization.k8s.io__v1",
    "apis__autoscaling__v1",
    "apis__coordination.k8s.io__v1",
    "apis__events.k8s.io__v1",
    "apis__networking.k8s.io__v1",
    "apis__policy__v1",
    "apis__rbac.authorization.k8s.io__v1",
)
ROOTS = {
    "core.v1": "Namespace ConfigMap Secret ServiceAccount Service Pod Event LimitRange ResourceQuota",
    "apps.v1": "Deployment ReplicaSet",
    "authentication.v1": "TokenReview TokenRequest SelfSubjectReview",
    "authorization.v1": "SelfSubjectAccessReview SubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview",
    "autoscaling.v1": "Scale",
    "coordination.v1": "Lease",
    "events.v1": "Event",
    "networking.v1": "NetworkPolicy",
    "policy.v1": "PodDisruptionBudget",
    "rbac.v1": "Role RoleBinding ClusterRole ClusterRoleBinding",
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
REF = "#/components/schemas/"
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s+(?:(\w+)\s+)?(\S+)\s+`([^`]*)`", re.MULTILINE)
JSON_TAG = re.compile(r'json:"([^"]*)"')
PROTO_TAG = re.compile(r'protobuf:"\w+,(\d+),')
TAGS_KEPT = ("type", "format", "items", "additionalProperties", "properties", "required", "enum", "oneOf", "default")


def main() -> None:
    """Write schemas.json next to this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("openapi", "api", "apimachinery", "apiextensions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    source: dict[str, Any] = {}
    for document in DOCUMENTS:
        text = (arguments.openapi / f"{document}_openapi.json").read_text()
        source.update(json.loads(text)["components"]["schemas"])
    schemas = reachable(source, roots(source))
    structs = GoStructs(arguments.api, arguments.apimachinery, arguments.apiextensions)
    for name, schema in schemas.items():
        structs.annotate(name, schema)
    target = Path(__file__).with_name("schemas.json")
    target.write_text(json.dumps(schemas, sort_keys=True, separators=(",", ":")) + "\n")
    print(f"{target.name}: {len(schemas)} schemas, {target.stat().st_size} bytes")


def roots(source: dict[str, Any]) -> list[str]:
    """Return the schema names of the kinds to keep."""
    names = [f"{META}{kind}" for kind in ("Status", "DeleteOptions", "ListMeta")]
    names += [name for name in source if name.endswith(".apiextensions.v1.CustomResourceDefinition")]
    return names + [f"io.k8s.api.{package}.{kind}" for package, kinds in ROOTS.items() for kind in kinds.split()]


def reachable(source: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the named schemas and all referenced ones, stripped of descriptions."""
    result: dict[str, Any] = {}
    while names:
        name = names.pop()
        if name not in result:
            result[name] = strip(source[name])
            names += [
                found.removeprefix(REF) for found in re.findall(re.escape(REF) + r"[\w.-]+", json.dumps(source[name]))
            ]
    return result


def strip(schema: Any) -> Any:
    """Keep structure, drop prose. A reference wrapped in `allOf` becomes a plain `$ref`."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"].removeprefix(REF)}
    result = {k: v for k, v in schema.items() if k in TAGS_KEPT or k.startswith("x-kubernetes-")}
    if result.get("default") in ({}, "", 0, False, None):
        result.pop("default", None)
    for reference in schema.get("allOf", ()):
        result["$ref"] = reference["$ref"].removeprefix(REF)
    for key in ("items", "additionalProperties"):
        if key in result:
            result[key] = strip(result[key])
    if "properties" in result:
        result["properties"] = {k: strip(v) for k, v in result["properties"].items()}
    return result


class GoStructs:
    """The struct tags of the Go packages, by OpenAPI package name."""

    def __init__(self, api: Path, apimachinery: Path, apiextensions: Path):
        self._roots = (
            ("io.k8s.api.", api),
            ("io.k8s.apimachinery.", apimachinery),
            ("io.k8s.apiextensions-apiserver.", apiextensions),
        )
        self._packages: dict[str, dict[str, str]] = {}

    def annotate(self, name: str, schema: dict[str, Any]) -> None:
        """Set `x-absent` on the properties of one schema."""
        package, _, struct = name.rpartition(".")
        fields = self._fields(package, struct)
        for field, prop in schema.get("properties", {}).items():
            go_type, options, numbers = fields[field]
            if numbers:
                prop["x-proto"] = numbers
            if go_type.startswith("*"):
                prop["x-absent"] = "keep" if "omitempty" in options else "null"
            elif "omitzero" in options:
                prop["x-absent"] = "drop"
            elif "$ref" in prop or "omitempty" not in options:
                prop["x-absent"] = "zero"
            else:
                prop["x-absent"] = "drop"

    def _fields(self, package: str, struct: str) -> dict[str, tuple[str, list[str], list[int]]]:
        """Return by JSON name: the Go type, the options of the JSON tag, the protobuf numbers."""
        result: dict[str, tuple[str, list[str], list[int]]] = {}
        for _, go_type, tags in FIELD.findall(self._sources(package).get(struct, "")):
            json_tag, proto_tag = JSON_TAG.search(tags), PROTO_TAG.search(tags)
            if not json_tag:
                continue
            name, *options = json_tag[1].split(",")
            numbers = [int(proto_tag[1])] if proto_tag else []
            if "inline" in options:
                prefix, _, embedded = go_type.rpartition(".")
                inner = self._fields(META.rstrip(".") if prefix == "metav1" else package, embedded)
                # TypeMeta has no number of its own: the envelope contains it.
                result.update({k: (t, o, [*numbers, *below] if numbers else []) for k, (t, o, below) in inner.items()})
            elif name and name != "-":
                result[name] = (go_type, options, numbers)
        return result

    def _sources(self, package: str) -> dict[str, str]:
        if package not in self._packages:
            prefix, root = next((p, r) for p, r in self._roots if package.startswith(p))
            folder = root / package.removeprefix(prefix).replace(".", "/")
            text = "\n".join(path.read_text() for path in sorted(folder.glob("*.go")) if "generated" not in path.name)
            self._packages[package] = dict(STRUCT.findall(text))
        return self._packages[package]


if __name__ == "__main__":
    main()
