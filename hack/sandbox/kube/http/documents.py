"""OpenAPI documents of the served resources: built on first request, cached until their content changes.

Clients find the documents of version 3 by hashed URLs and cache them by these, so a hash identifies a content.
"""

import hashlib
from functools import partial
from typing import Any

from hack.sandbox.kube.builtin.schemas import raw
from hack.sandbox.kube.http.messages import PLAIN, Response
from hack.sandbox.kube.http.openapi import document_v2, document_v3
from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.wire.codec import dump_json
from hack.sandbox.kube.wire.release import imitated

Json = dict[str, Any]

_V3 = "/openapi/v3"
_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
_HEAD_V2 = b"\x0a\x032.0\x12\x0c\x0a\x0aKubernetes"
"""A Document with `swagger` and `info.title` only. kubectl requests this form if no document of version 3 has a kind,
to find that this one does not have it either."""


class Documents:
    """`/openapi/v2`, `/openapi/v3` and the documents below."""

    def __init__(self, catalog: Catalog):
        self._catalog = catalog
        self._hashes: dict[Resource, str] = {}
        self._made: dict[str, tuple[str, bytes]] = {}

    def openapi(self, path: str, accept: str) -> Response:
        """Return the document at a path; an empty 404 if there is none."""
        if path == "/openapi/v2" and accept.startswith(_V2_PROTOBUF):
            # "@" is not allowed in a media type: clients send it, and get a dot back.
            return Response(200, _HEAD_V2, _V2_PROTOBUF.replace("@", "."))
        if path == "/openapi/v2":
            return Response(200, self._v2())
        if path == _V3:
            return Response(200, dump_json(self._index()), PLAIN)
        resources = self._groups().get(path.removeprefix(f"{_V3}/"))
        if not resources:
            return Response(404, b"", None)
        make = partial(document_v3, resources, raw())
        return Response(200, self._memoized(path, self._hash(resources), make))

    def _groups(self) -> dict[str, list[Resource]]:
        """Return the resources of each document."""
        groups: dict[str, list[Resource]] = {}
        for resource in self._catalog:
            prefix = "apis" if resource.group else "api"
            groups.setdefault(f"{prefix}/{resource.api_version}", []).append(resource)
        return groups

    def _index(self) -> Json:
        paths = {
            name: {"serverRelativeURL": f"{_V3}/{name}?hash={self._hash(resources)}"}
            for name, resources in self._groups().items()
        }
        return {"paths": paths}

    def _v2(self) -> bytes:
        resources = list(self._catalog)
        make = partial(document_v2, resources, raw(), imitated().name)
        return self._memoized("/openapi/v2", self._hash(resources), make)

    def _memoized(self, path: str, content: str, make: partial[Json]) -> bytes:
        known = self._made.get(path)
        if known is None or known[0] != content:
            known = self._made[path] = (content, dump_json(make()))
        return known[1]

    def _hash(self, resources: list[Resource]) -> str:
        digest = hashlib.sha256("".join(self._hash_of(resource) for resource in resources).encode())
        return digest.hexdigest().upper()

    def _hash_of(self, resource: Resource) -> str:
        if resource not in self._hashes:
            # The schemas of built-in kinds never change; removed resources are forgotten.
            self._hashes = {known: text for known, text in self._hashes.items() if self._catalog.is_current(known)}
            names = [
                resource.api_version,
                resource.plural,
                resource.kind,
                [each.name for each in resource.subresources],
            ]
            basis = [names, None if resource.builtin else resource.strategy.schema()]
            self._hashes[resource] = hashlib.sha256(dump_json(basis)).hexdigest()
        return self._hashes[resource]
