"""The verbs of the Kubernetes API on decoded JSON, without model classes.

One method per verb, one request per call, typed errors (`kube.errors`). Objects are plain dictionaries: the operator
reads a handful of their fields, so model classes would only add decoding.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, Self
from urllib.parse import quote

import orjson

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.config import Cluster
from controller.kube.errors import ServerError
from controller.kube.transport import Request, RestMetrics, Transport
from controller.kube.watch_stream import HttpWatchStream
from controller.runtime.cache.reflector import ListPage
from controller.runtime.clock import Clock
from controller.runtime.queue.rate_limiter import RateLimiter
from controller.version import user_agent

FIELD_MANAGER: Final = "sagemaker-operator"

READ_TIMEOUT_S: Final = 30.0
"""For one object: the API server ends most requests earlier."""
LIST_TIMEOUT_S: Final = 60.0
"""For a page or a whole list: the API server's own limit for non-watch requests."""
WATCH_GRACE_S: Final = 15.0
"""Grace period after which the client ends a watch that the server did not end (K3)."""
WATCH_SILENCE_S: Final = 150.0
"""Longest silence on a watch: bookmarks arrive about every minute (apiserver `storage/cacher`), so after two and a half
of them the connection is presumed dead. If a server sends none, a quiet resource is relisted at this interval."""


class PatchType(Enum):
    """Content types of PATCH."""

    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    """For built-in kinds only."""
    APPLY = "application/apply-patch+yaml"
    """Server-side apply; JSON is YAML. The only one that takes `force`."""


class KubeClient:
    """Client of one cluster. Thread-safe; methods block for their time-out at most and raise `ApiError`.

    The default time-out is `request_timeout_s`, unless a call passes its own `timeout_s`.
    """

    def __init__(self, transport: Transport, *, request_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._transport = transport
        self._request_timeout_s = request_timeout_s

    @classmethod
    def of(
        cls,
        cluster: Cluster,
        *,
        metrics: RestMetrics,
        clock: Clock,
        limiter: RateLimiter[str] | None,
        request_timeout_s: float = READ_TIMEOUT_S,
    ) -> Self:
        """Return a client with connections of its own; `limiter` may be shared, None exempts (leader election)."""
        transport = Transport(cluster, metrics=metrics, clock=clock, limiter=limiter, user_agent=user_agent())
        return cls(transport, request_timeout_s=request_timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """End requests and watches in all threads, and refuse new ones: they raise `ConnectionFailed`."""
        self._transport.close()

    def get(self, resource: Resource, key: ObjectKey, *, timeout_s: float | None = None) -> JsonObject:
        """Return the object as etcd holds it. Raises `NotFound` if it does not exist."""
        return self._send_object("get", "GET", resource, object_path(resource, key), timeout_s=timeout_s)

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        resource_version: str = "",
        limit: int | None = None,
        continue_token: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> ListPage:
        """Return a page, of all namespaces if `namespace` is None or empty; raises `Gone` for an old version or token.

        `resource_version` follows the API's rules: empty = most recent, "0" = any cached state.
        """
        query = _query(
            resourceVersion=resource_version,
            limit=limit,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            **{"continue": continue_token},
        )
        path = collection_path(resource, namespace)
        document = self._send_object("list", "GET", resource, path, query=query, timeout_s=LIST_TIMEOUT_S)
        metadata, items = document.get("metadata"), document.get("items")
        if not isinstance(metadata, dict) or not isinstance(items, list | None):
            raise ServerError("UnreadableReply", f"list {resource.plural}: the reply is no list")
        items = items or []  # Go writes null for an empty list
        for item in items:  # lists of built-in kinds omit these
            item.setdefault("apiVersion", resource.api_version)
            item.setdefault("kind", resource.kind)
        return ListPage(items, metadata.get("resourceVersion") or "", metadata.get("continue") or "")

    def watch(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        resource_version: str,
        timeout_s: int,
        initial_events: bool = False,
        label_selector: str = "",
        field_selector: str = "",
    ) -> HttpWatchStream:
        """Open one watch, with bookmarks, that the server ends after `timeout_s`; blocks until its headers arrive.

        With `initial_events` it begins with all existing objects (API concepts, "Streaming lists"). Raises `Invalid` if
        the server does not support that.
        """
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            sendInitialEvents="true" if initial_events else None,
            resourceVersionMatch="NotOlderThan" if initial_events else None,
            resourceVersion=resource_version,
            timeoutSeconds=timeout_s,
            labelSelector=label_selector,
            fieldSelector=field_selector,
        )
        what = f"watch {_qualified(resource)}"
        silence_s = min(timeout_s + WATCH_GRACE_S, WATCH_SILENCE_S)
        request = Request("GET", collection_path(resource, namespace), what, read_timeout_s=silence_s, query=query)
        return HttpWatchStream(self._transport.open(request), self._transport, what)

    def create(
        self, resource: Resource, namespace: str | None, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> JsonObject:
        """Create an object and return it as stored. Raises `AlreadyExists`, `Invalid`."""
        query = _query(fieldManager=FIELD_MANAGER)
        path = collection_path(resource, namespace)
        return self._send_object("create", "POST", resource, path, query=query, body=body, timeout_s=timeout_s)

    def replace(self, resource: Resource, key: ObjectKey, body: Mapping[str, Any], subresource: str = "") -> JsonObject:
        """Replace an object; raises `Conflict` unless `metadata.resourceVersion` of `body` is the current one."""
        query = _query(fieldManager=FIELD_MANAGER)
        path = object_path(resource, key, subresource)
        return self._send_object("replace", "PUT", resource, path, query=query, body=body)

    def patch(
        self,
        resource: Resource,
        key: ObjectKey,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        content: PatchType = PatchType.MERGE,
        subresource: str = "",
        field_manager: str = FIELD_MANAGER,
        force: bool = False,
        timeout_s: float | None = None,
    ) -> JsonObject:
        """Change part of an object. A `metadata.resourceVersion` in `body` makes it raise `Conflict` when stale."""
        query = _query(fieldManager=field_manager, force="true" if force else None)
        path = object_path(resource, key, subresource)
        return self._send_object(
            "patch", "PATCH", resource, path, query=query, body=body, content_type=content.value, timeout_s=timeout_s
        )

    def delete(
        self,
        resource: Resource,
        key: ObjectKey,
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: str = "Background",
    ) -> None:
        """Delete an object; `uid` and `resource_version` are preconditions.

        Raises `Conflict` if they do not match, `NotFound`.
        """
        options: JsonObject = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        wanted = {"uid": uid, "resourceVersion": resource_version}
        if preconditions := {name: value for name, value in wanted.items() if value}:
            options["preconditions"] = preconditions
        self._send_object("delete", "DELETE", resource, object_path(resource, key), body=options)

    def _send_object(
        self,
        verb: str,
        method: str,
        resource: Resource,
        path: str,
        *,
        query: tuple[tuple[str, str], ...] = (),
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        content_type: str = "application/json",
        timeout_s: float | None = None,
    ) -> JsonObject:
        what = f"{verb} {_qualified(resource)}"
        reply = self._transport.send(
            Request(
                method,
                path,
                what,
                read_timeout_s=timeout_s or self._request_timeout_s,
                query=query,
                body=None if body is None else orjson.dumps(body),
                content_type="" if body is None else content_type,
            )
        )
        try:
            document = orjson.loads(reply)
        except orjson.JSONDecodeError as exc:
            raise ServerError("UnreadableReply", f"{what}: the reply is not JSON") from exc
        if not isinstance(document, dict):
            raise ServerError("UnreadableReply", f"{what}: the reply is no object")
        return document


def collection_path(resource: Resource, namespace: str | None) -> str:
    """Return the path of a collection: in all namespaces if `namespace` is None or empty."""
    root = f"/apis/{resource.group}" if resource.group else "/api"
    scope = f"/namespaces/{quote(namespace, safe='')}" if namespace and resource.namespaced else ""
    return f"{root}/{resource.version}{scope}/{resource.plural}"


def object_path(resource: Resource, key: ObjectKey, subresource: str = "") -> str:
    """Return the path of an object or its subresource. Raises ValueError for a key that means the collection."""
    if not key.name or (resource.namespaced and not key.namespace):
        raise ValueError(f"{key!r} does not name one object of {resource.plural}")
    path = f"{collection_path(resource, key.namespace)}/{quote(key.name, safe='')}"
    return f"{path}/{subresource}" if subresource else path


def _qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _query(**parameters: str | int | None) -> tuple[tuple[str, str], ...]:
    """Return the set parameters; empty ones are not sent (an empty `resourceVersion=` means the same as none)."""
    return tuple((name, str(value)) for name, value in parameters.items() if value not in (None, ""))
