"""The embedded API server without sockets: its own code answers the operator's own client, in one thread.

What a store is shown went through the informer's pruning, as in a process.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from controller.controllers import CONTROLLERS
from controller.kube import transport
from controller.kube.client import KubeClient, collection_path, object_path
from controller.kube.errors import error_from_response
from controller.reconcile.managed.pruning import prune
from hack.sandbox.kube.http.api import Api
from hack.sandbox.kube.http.messages import Request, failure
from hack.sandbox.kube.server import Sandbox
from hack.sandbox.kube.store.storage import Change
from hack.sandbox.kube.wire.errors import StatusError
from tests.documents import document
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster, copied
from tests.sandbox.harness import REPOSITORY

NAMESPACE: Final = "default"
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answers; `warnings` are its Warning headers."""

    status: int
    body: JsonObject
    warnings: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing was done."""
        return self.status >= 400

    @property
    def message(self) -> str:
        """What kubectl prints of a refusal."""
        return str(self.body.get("message", "")) if self.is_refused else ""


class EmbeddedApi:
    """An API server with our CRDs. Used from one thread."""

    def __init__(self) -> None:
        self._sandbox = Sandbox()
        self._api = Api(self._sandbox.registry, self._sandbox.catalog, self._sandbox.authorizer)
        self.clusters: dict[str, EmbeddedCluster] = {}
        """Those that are kept up to date, by the collection of their objects."""
        for descriptor in KINDS:
            path = REPOSITORY / "config" / "crd" / "bases" / f"sagemaker.aws.amazon.com_{descriptor.plural}.yaml"
            made = self.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", document(path))
            assert not made.is_refused, made.message
        self._sandbox._crds.sync()
        self._sandbox.storage.observe(self._changed)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str) -> Answer:
        """One request by a user, who validates strictly, as kubectl does."""
        data = (
            b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        )  # any integer, as users write them
        return self.answer(method, path, {name: [value] for name, value in query.items()}, data, content, "kubectl")

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], data: bytes, content: str, user_agent: str
    ) -> Answer:
        """One request."""
        headers = {"accept": "application/json", "content-type": content, "user-agent": user_agent}
        request = Request(method, path, query, headers, data)
        try:
            response = self._api.respond(request)
        except StatusError as refused:
            response = failure(refused)
        return Answer(response.status, orjson.loads(response.encoded()), tuple(request.warnings))

    def forget(self) -> None:
        """Remove all objects of our kinds, whatever their finalizers say."""
        for name in self.clusters:
            for key in list(self._sandbox.storage.collection(name).entries):
                self._sandbox.storage.delete(name, key)

    def collection_of(self, descriptor: KindDescriptor) -> str:
        """The name under which objects of a kind are stored."""
        resource = self._sandbox.catalog.find(descriptor.resource.group, descriptor.resource.version, descriptor.plural)
        assert resource is not None
        return resource.collection

    def _changed(self, collection: str, change: Change) -> None:
        if (cluster := self.clusters.get(collection)) is not None:
            cluster.take_in(change)


class EmbeddedCluster(FakeCluster):
    """The objects of one kind on the embedded API server, and what an informer's store shows of them."""

    def __init__(self, api: EmbeddedApi, descriptor: KindDescriptor, clock: FakeClock) -> None:
        super().__init__(clock, indexes=CONTROLLERS.indexes(descriptor))
        self._api = api
        self._descriptor = descriptor
        api.clusters[api.collection_of(descriptor)] = self

    def take_in(self, change: Change) -> None:
        """Show a change, as an informer does."""
        key = ObjectKey.of(change.entry.obj)
        if change.type == "DELETED":
            self.objects.pop(key, None)
            return
        obj = copied(change.entry.obj)
        prune(self._descriptor, obj)
        self.objects[key] = obj

    def create(self, obj: JsonObject, **query: str) -> Answer:
        """`kubectl create`."""
        path = collection_path(self._descriptor.resource, NAMESPACE)
        return self._api.call("POST", path, obj, fieldManager="kubectl-create", fieldValidation="Strict", **query)

    def server_side_apply(self, obj: JsonObject) -> Answer:
        """`kubectl apply --server-side`."""
        return self._api.call(
            "PATCH",
            object_path(self._descriptor.resource, ObjectKey(NAMESPACE, obj["metadata"]["name"])),
            obj,
            APPLY,
            fieldManager="kubectl",
            fieldValidation="Strict",
        )

    def put(self, obj: JsonObject) -> Answer:
        """`kubectl replace` of an object that was read before, or `kubectl edit`."""
        path = object_path(self._descriptor.resource, ObjectKey(NAMESPACE, obj["metadata"]["name"]))
        return self._api.call("PUT", path, obj, fieldManager="kubectl-replace", fieldValidation="Strict")

    def merge(self, name: str, patch: JsonObject) -> Answer:
        """`kubectl patch --type merge`."""
        path = object_path(self._descriptor.resource, ObjectKey(NAMESPACE, name))
        return self._api.call("PATCH", path, patch, MERGE, fieldManager="kubectl-patch", fieldValidation="Strict")

    def delete(self, key: ObjectKey) -> None:
        """`kubectl delete`."""
        answer = self._api.call("DELETE", object_path(self._descriptor.resource, key))
        assert not answer.is_refused, answer.message


class InProcessTransport:
    """Stands in for `controller.kube.transport.Transport`."""

    def __init__(self, api: EmbeddedApi) -> None:
        self._api = api

    def send(self, request: transport.Request) -> bytes:
        """See `Transport.send`."""
        query: dict[str, list[str]] = {name: [value] for name, value in request.query}
        body, content = request.body or b"", request.content_type
        answer = self._api.answer(request.method, request.path, query, body, content, "operator")
        data = orjson.dumps(answer.body)
        if answer.is_refused:
            raise error_from_response(answer.status, {}, data, request=f"{request.what}?{urlencode(request.query)}")
        return data


def client_of(api: EmbeddedApi) -> KubeClient:
    """The operator's client of that server."""
    in_process: Any = InProcessTransport(api)
    return KubeClient(in_process)


def clusters_of(api: EmbeddedApi, kinds: Sequence[KindDescriptor], clock: FakeClock) -> Mapping[str, EmbeddedCluster]:
    """The objects of these kinds, by kind."""
    api.clusters.clear()
    return {each.kind: EmbeddedCluster(api, each, clock) for each in kinds}
