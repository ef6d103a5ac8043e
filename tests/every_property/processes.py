"""The same sequences through real processes: an operator, and both servers over HTTP, on a clock that cannot be set.

Slower by far than in one thread, so some properties of each kind are played. SageMaker's clock is moved; what the
operator waits for by itself is waited for.
"""

import json
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from controller.aws.targets import Target
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.wire import HttpRequest, HttpResponse
from tests.deadline import NeverError, eventually
from tests.every_property.amazon import DURATIONS, Sent
from tests.every_property.kubernetes import APPLY, MERGE, NAMESPACE, Answer
from tests.every_property.oracle import CONFIG_MAPS
from tests.every_property.world import is_current, is_settled
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.crds import server_with_crds
from tests.sandbox.harness import Api, Operator, raw_call

NOT_HERE: Final = frozenset({"spec.sageMakerEndpoint"})
"""Properties that would have the operator talk to somebody else."""
_POLL: Final = "200ms"
_STEP_S: Final = 5.0
"""By which SageMaker's clock is moved at each look."""
_QUIET_LOOKS: Final = 5
"""Looks at which a refusal has to say the same, until it is the last word."""


class Servers:
    """An operator's process and what it talks to; one for all sequences. Leave its `with` block to end them."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.kube = stack.enter_context(server_with_crds(directory))
        self.aws = stack.enter_context(aws_server.start(durations=DURATIONS))
        self.api = Api(self.kube.url, self.kube.token)
        for name, data in CONFIG_MAPS.items():
            body = {"metadata": {"name": name}, "data": data}
            self.api.call("POST", f"/api/v1/namespaces/{NAMESPACE}/configmaps", body)
        self.sent: list[Sent] = []
        """Every request of the operator that AWS has received, in order."""
        service = self.aws._service
        service.answer = self._noting(service.answer)  # type: ignore[method-assign,assignment]
        kubeconfig = directory / "kubeconfig"
        write_kubeconfig(kubeconfig, self.kube.url, self.kube.token)
        self.operator = Operator(
            kubeconfig, self.aws.url, directory / "operator.log", "--poll-interval", _POLL, "--workers", "4"
        )
        stack.callback(self.operator.kill)
        self.operator.until_ready()

    def _noting(self, answer: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
        def noted(request: HttpRequest) -> HttpResponse:
            response = answer(request)
            if "sagemaker-on-kubernetes" in request.headers.get("user-agent", ""):
                self.sent.append(_sent(request, response))
            return response

        return noted

    def world(self, descriptor: KindDescriptor) -> "ProcessWorld":
        """Begin anew: no objects of our kinds, nothing at AWS."""
        for each in KINDS:
            for obj in self.api.call("GET", self.api.path(plural=each.plural))["items"]:
                name = obj["metadata"]["name"]
                self.api.call(
                    "PATCH", self.api.path(name, plural=each.plural), {"metadata": {"finalizers": None}}, MERGE
                )
                _unless_gone(lambda each=each, name=name: self.api.delete(name, plural=each.plural))  # type: ignore[misc]
        self.aws.reset()
        return ProcessWorld(self, descriptor)


@contextmanager
def servers() -> Iterator[Servers]:
    """Running servers and an operator."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="every-property-")))
        yield Servers(directory, stack)


def _sent(request: HttpRequest, response: HttpResponse) -> Sent:
    _, _, scope = request.headers["authorization"].partition("Credential=")
    _, _, region, service, *_ = scope.split("/")
    operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
    error = ""
    if response.status >= 400:
        error = json.loads(response.body)["__type"].rpartition("#")[2]
    return Sent(service, operation, Target(region), json.loads(request.body or b"{}"), error)


def _unless_gone(call: Callable[[], Any]) -> None:
    try:
        call()
    except urllib.error.HTTPError as refused:
        with refused:
            if refused.code != 404:
                raise


class ProcessCluster:
    """The objects of one kind; requests are those of kubectl."""

    def __init__(self, api: Api, descriptor: KindDescriptor) -> None:
        self._api = api
        self._plural = descriptor.plural

    @property
    def objects(self) -> Mapping[ObjectKey, JsonObject]:
        """All that there are now."""
        listed = self._api.call("GET", self._api.path(plural=self._plural))["items"]
        return {ObjectKey.of(each): each for each in listed}

    def peek(self, key: ObjectKey) -> JsonObject | None:
        """The object, or None."""
        return self._api.get(key.name, plural=self._plural)

    def create(self, obj: JsonObject, **query: str) -> Answer:
        """`kubectl create`."""
        return self._call("POST", "", obj, "application/json", fieldManager="kubectl-create", **query)

    def server_side_apply(self, obj: JsonObject) -> Answer:
        """`kubectl apply --server-side`."""
        return self._call("PATCH", obj["metadata"]["name"], obj, APPLY, fieldManager="kubectl")

    def put(self, obj: JsonObject) -> Answer:
        """`kubectl replace`, of the newest version: the operator writes at the same time."""
        name = obj["metadata"]["name"]
        while True:
            live = self._api.get(name, plural=self._plural) or {}
            answer = self._call("PUT", name, {**live, "spec": obj["spec"]}, fieldManager="kubectl-replace")
            if answer.status != 409:
                return answer

    def merge(self, name: str, patch: JsonObject) -> Answer:
        """`kubectl patch --type merge`."""
        return self._call("PATCH", name, patch, MERGE, fieldManager="kubectl-patch")

    def delete(self, key: ObjectKey) -> None:
        """`kubectl delete`."""
        _unless_gone(lambda: self._api.delete(key.name, plural=self._plural))

    def _call(self, method: str, name: str, body: Any, content: str = "application/json", **query: str) -> Answer:
        path = self._api.path(name, plural=self._plural)
        try:
            answer = self._api.call(
                method, f"{path}?{urlencode({**query, 'fieldValidation': 'Strict'})}", body, content
            )
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, json.loads(refused.read()))
        return Answer(200, answer)


class ProcessAws:
    """AWS as a sequence sees it: what it was sent, and calls of others."""

    def __init__(self, aws: aws_server.RunningServer, sent: list[Sent]) -> None:
        self._url = aws.url
        self.sent = sent
        self._api = self

    def call(self, target: Target, _service: str, operation: str, params: JsonObject, *, caller: str) -> JsonObject:
        """Call an operation as somebody else."""
        return raw_call(self._url, operation, json.dumps(params), region=target.region)

    def describe(self, descriptor: KindDescriptor, target: Target, name: str, **_: object) -> JsonObject:
        """Describe a resource."""
        request = json.dumps({descriptor.name.member: name})
        return raw_call(self._url, descriptor.operations.describe, request, region=target.region)


def has_tags(descriptor: KindDescriptor) -> bool:
    """Whether tags say which object has made a resource; without, its creation time has to, by clocks that agree."""
    return not descriptor.untagged_with


class ProcessClock:
    """SageMaker's clock, which can be moved unless it is to stay that of the operator, and the operator's."""

    def __init__(self, aws: aws_server.RunningServer, *, moves: bool) -> None:
        self._aws = aws
        self._moves = moves

    def advance(self, seconds: float) -> None:
        """Move SageMaker's clock."""
        if self._moves:
            self._aws.clock.advance(seconds)

    def monotonic(self) -> float:
        """Seconds since some time."""
        return time.monotonic()


class ProcessWorld:
    """What `Sequence` needs of a world."""

    def __init__(self, servers: Servers, descriptor: KindDescriptor) -> None:
        self.descriptor = descriptor
        self.key = ObjectKey(NAMESPACE, "x")
        self.clusters = {each.kind: ProcessCluster(servers.api, each) for each in KINDS}
        self.cluster = self.clusters[descriptor.kind]
        self.sagemaker = ProcessAws(servers.aws, servers.sent)
        self.clock = ProcessClock(servers.aws, moves=has_tags(descriptor))

    @property
    def obj(self) -> JsonObject | None:
        """The object, or None where there is none."""
        return self.cluster.peek(self.key)

    @property
    def status(self) -> JsonObject:
        """Its status."""
        return (self.obj or {}).get("status") or {}

    @property
    def conditions(self) -> dict[str, JsonObject]:
        """Its conditions by type."""
        return {each["type"]: each for each in self.status.get("conditions") or ()}

    def run(self, seconds: float, step_s: float = _STEP_S) -> None:
        """Move SageMaker's clock by that time, with a look of the operator between two steps."""
        for _ in range(max(1, round(seconds / step_s / 2))):
            self.clock.advance(step_s)
            time.sleep(0.1)

    def becomes(self, look: Callable[[], bool]) -> bool:
        """Wait until it is so, and return whether it was: what is replaced goes after the new one is shown."""
        try:
            return eventually(look, what=f"what belongs to the {self.descriptor.kind}")
        except NeverError:
            return False

    def settle(self) -> bool:
        """Wait until the object says that it is done, or refused; whether it did."""
        looks: list[Sequence[Any]] = []

        def look() -> bool:
            obj = self.obj
            if obj is None or is_settled(self.descriptor, obj):
                return True
            told = [(each["type"], each["status"], each.get("reason")) for each in self.conditions.values()]
            is_refused = ("Synced", "False") in [(type_, status) for type_, status, _ in told] and is_current(obj)
            looks[:] = [*looks, told] if is_refused and (not looks or looks[-1] == told) else []
            self.clock.advance(_STEP_S)
            return len(looks) >= _QUIET_LOOKS

        try:
            return eventually(look, what=f"{self.descriptor.kind} is settled")
        except NeverError:
            return False
