"""Discovery documents: API groups and resources in the legacy and in the aggregated form."""

import base64
import hashlib
from typing import Any, Final

from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.resource import Resource, Subresource
from hack.sandbox.kube.wire.negotiation import clauses

Json = dict[str, Any]

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def wants_aggregated(accept: str) -> bool:
    """Return whether the client prefers the aggregated form."""
    for media_type, parameters in clauses(accept):
        if media_type in ("application/json", "*/*", "application/*", ""):
            return parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("v") == "v2"
    return False


def api_versions() -> Json:
    """Return `/api`."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group_list(catalog: Catalog) -> Json:
    """Return `/apis`."""
    groups = [_group(name, versions) for name, versions in catalog.groups().items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(catalog: Catalog, name: str) -> Json | None:
    """Return `/apis/GROUP`; None if it is not served."""
    versions = catalog.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def _group(name: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(catalog: Catalog, group: str, version: str) -> Json | None:
    """Return `/apis/GROUP/VERSION`; None if it is not served."""
    found = catalog.of(group, version)
    if not found:
        return None
    listed = [entry for resource in found for entry in _resource(resource)]
    body: Json = {"kind": "APIResourceList"}
    if group:
        body["apiVersion"] = "v1"
    return {**body, "groupVersion": found[0].api_version, "resources": listed}


def _resource(resource: Resource) -> list[Json]:
    main: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        main["shortNames"] = list(resource.short_names)
    if resource.categories:
        main["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        main["storageVersionHash"] = _hash(resource)
    return [main, *(_subresource(resource, each) for each in resource.subresources)]


def _subresource(resource: Resource, each: Subresource) -> Json:
    entry: Json = {
        "name": f"{resource.plural}/{each.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": each.kind or resource.kind,
        "verbs": list(each.verbs),
    }
    return {**entry, "group": each.group, "version": each.version} if each.group else entry


def _hash(resource: Resource) -> str:
    digest = hashlib.sha256(f"{resource.group}/{resource.version}/{resource.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def aggregated(catalog: Catalog, *, core: bool) -> Json:
    """Return `/api` or `/apis` in the aggregated form."""
    groups = {"": ["v1"]} if core else catalog.groups()
    items = [
        {
            "metadata": {"name": name} if name else {},
            "versions": [
                {
                    "version": version,
                    "resources": [_discovered(resource) for resource in catalog.of(name, version)],
                    "freshness": "Current",
                }
                for version in versions
            ],
        }
        for name, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(resource: Resource) -> Json:
    # Built-in kinds omit group and version, which the enclosing document has.
    own = ("", "") if resource.builtin else (resource.group, resource.version)
    entry: Json = {
        "resource": resource.plural,
        "responseKind": _kind(*own, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": each.name,
                "responseKind": _kind(each.group, each.version, each.kind) if each.kind else _kind(*own, resource.kind),
                "verbs": list(each.verbs),
            }
            for each in resource.subresources
        ]
    return entry


def _kind(group: str, version: str, kind: str) -> Json:
    return {"group": group, "version": version, "kind": kind}
