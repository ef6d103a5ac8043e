"""OpenAPI documents of the served resources, for `kubectl explain`, `apply` and `diff`.

Version 3 has a document for each group version, version 2 one for all. Paths contain the operations, with the
parameters and media types from which kubectl detects a server's features; the schemas of custom resources are those of
their CRDs with the common members added. Source: k8s.io/apiextensions-apiserver pkg/controller/openapi/{builder,v2}.
Descriptions are omitted, except those of the user's own kinds.
"""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.resources.resource import Resource, Subresource
from hack.sandbox.kube.schema.defaulting import EMBEDDED, PRESERVE, Schema

JsonObject: TypeAlias = dict[str, Any]
Definitions: TypeAlias = Mapping[str, Schema]
"""Schemas of built-in types by their full names; a `$ref` in them is such a name."""

V3_REF: Final = "#/components/schemas/"
V2_REF: Final = "#/definitions/"

_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PATCH: Final = f"{_META}Patch"
_CONVENTIONS: Final = "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
_API_VERSION: Final[Schema] = {
    "description": "APIVersion defines the versioned schema of this representation of an object. Servers should "
    "convert recognized schemas to the latest internal value, and may reject unrecognized values. "
    f"{_CONVENTIONS}#resources",
    "type": "string",
}
_KIND: Final[Schema] = {
    "description": "Kind is a string value representing the REST resource this object represents. Servers may infer "
    "this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. "
    f"{_CONVENTIONS}#types-kinds",
    "type": "string",
}
_GVK: Final = "x-kubernetes-group-version-kind"
_OWN_MARKS: Final = frozenset({"x-absent", "x-struct", "x-package"})
"""Internal keywords of the stored schemas, not for clients."""

_LIST_PARAMETERS: Final = {
    "allowWatchBookmarks": "boolean",
    "continue": "string",
    "fieldSelector": "string",
    "labelSelector": "string",
    "limit": "integer",
    "resourceVersion": "string",
    "resourceVersionMatch": "string",
    "sendInitialEvents": "boolean",
    "shardSelector": "string",
    "timeoutSeconds": "integer",
    "watch": "boolean",
}
_WRITE_PARAMETERS: Final = dict.fromkeys(("dryRun", "fieldManager", "fieldValidation"), "string")
_PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "list": _LIST_PARAMETERS,
    "deletecollection": _LIST_PARAMETERS,
    "get": {"resourceVersion": "string"},
    "post": _WRITE_PARAMETERS,
    "put": _WRITE_PARAMETERS,
    "patch": {**_WRITE_PARAMETERS, "force": "boolean"},
    "delete": {
        "dryRun": "string",
        "gracePeriodSeconds": "integer",
        "ignoreStoreReadErrorWithClusterBreakingPotential": "boolean",
        "orphanDependents": "boolean",
        "propagationPolicy": "string",
    },
}
"""Query parameters by action, with their types."""

_ACTIONS: Final = {
    "list": ("get", "list", "list"),
    "create": ("post", "post", "create"),
    "deletecollection": ("delete", "deletecollection", "delete"),
    "get": ("get", "get", "read"),
    "update": ("put", "put", "replace"),
    "delete": ("delete", "delete", "delete"),
    "patch": ("patch", "patch", "patch"),
}
"""HTTP method, action and start of the operation's id, by verb."""

_OTHER_SUCCESSES: Final = {
    "create": {"201": "Created", "202": "Accepted"},
    "update": {"201": "Created"},
    "delete": {"202": "Accepted"},
}
_COLLECTION_VERBS: Final = ("list", "create", "deletecollection")
_OBJECT_VERBS: Final = ("get", "update", "delete", "patch")
_JSON: Final = ("application/json", "application/yaml")


def document_v3(resources: Sequence[Resource], definitions: Definitions) -> JsonObject:
    """Return the document of one group version. `resources` are all of that group version, at least one."""
    schemas = {name: _publish_v3(schema) for name, schema in _used(resources, definitions).items()}
    paths: JsonObject = {}
    for resource in resources:
        names = _Names(resource, definitions)
        paths |= dict(_paths(resource, partial(_operation_v3, names), _parameter_v3))
    title = "Kubernetes" if resources[0].builtin else "Kubernetes CRD Swagger"
    return {
        "openapi": "3.0.0",
        "info": {"title": title, "version": "v0.1.0"},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def document_v2(resources: Sequence[Resource], definitions: Definitions, version: str) -> JsonObject:
    """Return the document of all resources; `version` is the server's, `1.36`."""
    schemas = {name: _publish_v2(schema) for name, schema in _used(resources, definitions).items()}
    paths: JsonObject = {}
    for resource in resources:
        names = _Names(resource, definitions)
        paths |= dict(_paths(resource, partial(_operation_v2, names), _parameter_v2))
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": version},
        "paths": dict(sorted(paths.items())),
        "definitions": dict(sorted(schemas.items())),
    }


def definition_name(group: str, version: str, kind: str) -> str:
    """Return the name of a custom resource's schema: `dev.example.v1.Widget`."""
    return ".".join([*reversed(group.split(".")), version, kind])


class _Names:
    """The names of a resource's schemas and operations."""

    def __init__(self, resource: Resource, definitions: Definitions) -> None:
        self.resource = resource
        self.gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        self.kind = _definition_of(resource, definitions)
        self.list_kind = f"{self.kind.rpartition('.')[0]}.{resource.list_kind}"
        words = (resource.group or "core").split(".")
        self.camel = "".join(word.capitalize() for word in words) + resource.version.capitalize()
        self.tag = words[0] + "".join(word.capitalize() for word in words[1:]) + f"_{resource.version}"


def _definition_of(resource: Resource, definitions: Definitions) -> str:
    if resource.builtin:
        wanted = {"group": resource.group, "version": resource.version, "kind": resource.kind}
        for name, schema in definitions.items():
            if wanted in schema.get(_GVK, ()):
                return name
    return definition_name(resource.group, resource.version, resource.kind)


# --- schemas --------------------------------------------------------------------------------------------------------


def _used(resources: Iterable[Resource], definitions: Definitions) -> dict[str, Schema]:
    """Return the schemas of the resources, of their lists, and all referenced ones."""
    used: dict[str, Schema] = {_PATCH: {"type": "object"}}
    waiting = [f"{_META}{name}" for name in ("DeleteOptions", "Status")]
    for resource in resources:
        names = _Names(resource, definitions)
        if not resource.builtin:
            used[names.kind] = _with_type_meta(resource.strategy.schema(), resource)
        else:
            waiting.append(names.kind)
        if "list" in resource.verbs:
            used[names.list_kind] = _list_schema(resource, names)
        waiting += [_scale_name(sub) for sub in resource.subresources if sub.kind == "Scale"]
    for schema in list(used.values()):
        waiting += _references(schema)
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in used:
            used[name] = definitions[name]
            waiting += _references(definitions[name])
    return used


def _scale_name(subresource: Subresource) -> str:
    return f"io.k8s.api.{subresource.group}.{subresource.version}.{subresource.kind}"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            yield reference
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)


def _metadata(name: str, text: str) -> Schema:
    return {"description": text, "$ref": f"{_META}{name}"}


def _with_type_meta(schema: Schema, resource: Resource) -> Schema:
    """Return a CRD's schema with the members of every object."""
    published = copy.deepcopy(schema) if schema else {"type": "object", PRESERVE: True}
    published.setdefault("type", "object")
    metadata = _metadata("ObjectMeta", f"Standard object's metadata. {_CONVENTIONS}#metadata")
    own = {"apiVersion": _API_VERSION, "kind": _KIND, "metadata": metadata}
    published["properties"] = {**(schema.get("properties") or {}), **own} if schema else dict(own)
    _embed(published)
    published[_GVK] = [{"group": resource.group, "kind": resource.kind, "version": resource.version}]
    return published


def _embed(schema: Any) -> None:
    """Add the members of every object to the schemas of embedded resources, in place."""
    if isinstance(schema, list):
        for item in schema:
            _embed(item)
    elif isinstance(schema, dict):
        for child in schema.values():
            _embed(child)
        if schema.get(EMBEDDED):
            metadata = _metadata("ObjectMeta", f"Standard object's metadata. {_CONVENTIONS}#metadata")
            own = {"apiVersion": _API_VERSION, "kind": _KIND, "metadata": metadata}
            schema["properties"] = {**(schema.get("properties") or {}), **own}
            schema["required"] = sorted({*(schema.get("required") or ()), "apiVersion", "kind"})


def _list_schema(resource: Resource, names: _Names) -> Schema:
    return {
        "description": f"{resource.list_kind} is a list of {resource.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": _API_VERSION,
            "items": {
                "description": f"List of {resource.plural}. {_CONVENTIONS}",
                "type": "array",
                "items": {"$ref": names.kind},
            },
            "kind": _KIND,
            "metadata": _metadata("ListMeta", f"Standard list metadata. {_CONVENTIONS}#types-kinds"),
        },
        _GVK: [{"group": resource.group, "kind": resource.list_kind, "version": resource.version}],
    }


def _publish_v3(schema: Any) -> Any:
    """Return the schema with references in the form of version 3: next to other keywords they are in an `allOf`."""
    if isinstance(schema, list):
        return [_publish_v3(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    published = {name: _publish_v3(value) for name, value in schema.items() if name not in _OWN_MARKS}
    reference = published.get("$ref")
    if isinstance(reference, str):
        published["$ref"] = V3_REF + reference
        if len(published) > 1:
            published["allOf"] = [{"$ref": published.pop("$ref")}]
    if published.get("x-kubernetes-int-or-string") and "anyOf" not in published and "allOf" not in published:
        published.pop("type", None)
        published["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    return published


def _publish_v2(schema: Any) -> Any:
    """Return the schema for version 2: no nulls, no alternatives, no defaults of custom resources."""
    if isinstance(schema, list):
        return [_publish_v2(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = set(_OWN_MARKS)
    if isinstance(schema.get("type"), str) or "x-kubernetes-int-or-string" in schema or PRESERVE in schema:
        dropped |= {"allOf", "anyOf", "oneOf", "not", "default", "nullable"}
        if schema.get("nullable") or schema.get("x-kubernetes-int-or-string"):
            dropped |= {"type", "items", "properties", "format"}
        if schema.get(PRESERVE) and _GVK not in schema:
            dropped |= {"type", "items", "properties"}
    published = {name: _publish_v2(value) for name, value in schema.items() if name not in dropped}
    if isinstance(published.get("$ref"), str):
        published["$ref"] = V2_REF + published["$ref"]
    return published


# --- paths ----------------------------------------------------------------------------------------------------------

Operation: TypeAlias = Callable[[str, Subresource | None], JsonObject]
Parameter: TypeAlias = Callable[[str, str, str], JsonObject]


def _paths(resource: Resource, operation: Operation, parameter: Parameter) -> Iterator[tuple[str, JsonObject]]:
    """Yield the paths of a resource with their operations and common parameters."""
    prefix = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    within = f"{prefix}/namespaces/{{namespace}}" if resource.namespaced else prefix
    in_path = ["namespace"] if resource.namespaced else []

    def item(verbs: Iterable[str], available: Iterable[str], names: list[str], sub: Subresource | None) -> JsonObject:
        operations = {_ACTIONS[verb][0]: operation(verb, sub) for verb in verbs if verb in available}
        parameters = [parameter(name, "path", "string") for name in names] + [parameter("pretty", "query", "string")]
        return {**operations, "parameters": parameters}

    yield f"{within}/{resource.plural}", item(_COLLECTION_VERBS, resource.verbs, in_path, None)
    if resource.namespaced and "list" in resource.verbs:
        everywhere = operation("list", None)
        everywhere["operationId"] = everywhere["operationId"].replace("Namespaced", "", 1) + "ForAllNamespaces"
        common = [*everywhere.pop("parameters"), parameter("pretty", "query", "string")]
        common.sort(key=lambda each: str(each["name"]))
        yield f"{prefix}/{resource.plural}", {"get": everywhere, "parameters": common}
    one = f"{within}/{resource.plural}/{{name}}"
    names = ["name", *in_path]
    yield one, item(_OBJECT_VERBS, resource.verbs, names, None)
    for sub in resource.subresources:
        yield f"{one}/{sub.name}", item((*_OBJECT_VERBS, "create"), sub.verbs, names, sub)


def _parameter_v3(name: str, where: str, kind: str) -> JsonObject:
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, **required, "schema": {"type": kind, "uniqueItems": True}}


def _parameter_v2(name: str, where: str, kind: str) -> JsonObject:
    required = {"required": True} if where == "path" else {}
    return {"name": name, "in": where, **required, "type": kind, "uniqueItems": True}


def _operation(names: _Names, verb: str, sub: Subresource | None, parameter: Parameter) -> JsonObject:
    resource = names.resource
    _, action, start = _ACTIONS[verb]
    scope = "Namespaced" if resource.namespaced else ""
    many = "Collection" if verb == "deletecollection" else ""
    gvk = names.gvk
    if sub is not None and sub.kind:
        gvk = {"group": sub.group, "version": sub.version, "kind": sub.kind}
    return {
        "tags": [names.tag],
        "operationId": f"{start}{names.camel}{many}{scope}{resource.kind}{sub.name.capitalize() if sub else ''}",
        "parameters": [parameter(name, "query", kind) for name, kind in _PARAMETERS[action].items()],
        "x-kubernetes-action": action,
        _GVK: gvk,
    }


def _operation_v3(names: _Names, verb: str, sub: Subresource | None) -> JsonObject:
    operation = _operation(names, verb, sub, _parameter_v3)
    answer = {"$ref": V3_REF + _answer(names, verb, sub)}
    response = {"description": "OK", "content": {media: {"schema": answer} for media in _JSON}}
    operation["responses"] = {"200": response, "401": {"description": "Unauthorized"}}
    for code, text in _OTHER_SUCCESSES.get(verb, {}).items():
        operation["responses"][code] = {**response, "description": text}
    body = _body(names, verb, sub)
    if body is not None:
        media_types = names.resource.strategy.patch_types if verb == "patch" else _JSON
        content = {media: {"schema": {"$ref": V3_REF + body}} for media in sorted(media_types)}
        operation["requestBody"] = {"content": content, **({} if verb == "delete" else {"required": True})}
    return operation


def _operation_v2(names: _Names, verb: str, sub: Subresource | None) -> JsonObject:
    operation = _operation(names, verb, sub, _parameter_v2)
    body = _body(names, verb, sub)
    if body is not None:
        parameter = {"name": "body", "in": "body", "schema": {"$ref": V2_REF + body}}
        operation["parameters"] = [parameter, *operation["parameters"]]
    operation["consumes"] = list(names.resource.strategy.patch_types if verb == "patch" else _JSON)
    operation["produces"] = list(_JSON)
    answer = {"$ref": V2_REF + _answer(names, verb, sub)}
    operation["responses"] = {"200": {"description": "OK", "schema": answer}, "401": {"description": "Unauthorized"}}
    return operation


def _answer(names: _Names, verb: str, sub: Subresource | None) -> str:
    if verb == "list":
        return names.list_kind
    if verb in {"delete", "deletecollection"}:
        return f"{_META}Status"
    return _scale_name(sub) if sub is not None and sub.kind == "Scale" else names.kind


def _body(names: _Names, verb: str, sub: Subresource | None) -> str | None:
    """Return the name of the schema of the request's body; None if it has none."""
    if verb in {"create", "update"}:
        return _answer(names, verb, sub)
    if verb == "delete":
        return f"{_META}DeleteOptions"
    return _PATCH if verb == "patch" else None
