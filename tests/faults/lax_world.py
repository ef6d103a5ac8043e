"""One object of any kind before its reconciler, on an API server whose schemas are not in force: all is let in."""

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import botocore.exceptions
import botocore.session
import botocore.validate
from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import FINALIZER, JsonObject, ObjectKey, Resource
from api.v1 import HOSTING_DEPLOYMENT, KINDS
from controller.aws.autoscaling import Descriptions
from controller.aws.errors import classify
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target, TargetDefaults
from controller.controllers import CONTROLLERS
from controller.reconcile.checks import Checks
from controller.reconcile.effects import EffectGate
from controller.reconcile.managed.pruning import PruningWriter
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.runtime.errors import ABSENT, Absent, Terminal
from tests.documents import SAMPLES, document, documents
from tests.fakes import FakeClock
from tests.fakes.cluster import _merge, copied
from tests.fakes.recorder import FakeRecorder, OpenFence
from tests.fakes.sagemaker import FakeSageMaker
from tests.fakes.sagemaker.arns import arn_of
from tests.sandbox.harness import REPOSITORY

KEY: Final = ObjectKey("default", "x")
SCALING: Final = "application-autoscaling"
_PASSES: Final = 5


@cache
def sample(descriptor: KindDescriptor) -> JsonObject:
    """The sample of a kind, as the API server would show it; not to be changed."""
    obj: JsonObject = {**documents(REPOSITORY / "samples" / f"{SAMPLES[descriptor.kind]}.yaml")[0]}
    uid = "a92f5e3c-f07b-11e9-bf6c-06d6f3037abc"
    obj["metadata"] = {
        "namespace": KEY.namespace,
        "name": KEY.name,
        "uid": uid,
        "resourceVersion": "1",
        "generation": 1,
    }
    return obj


def deleting(obj: JsonObject) -> JsonObject:
    """The object after `kubectl delete`."""
    changed = copied(obj)
    changed["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]}
    return changed


@cache
def schema_of(descriptor: KindDescriptor) -> JsonObject:
    """Schemas of spec and status, from the CRD that is shipped."""
    path = REPOSITORY / "config" / "crd" / "bases" / f"sagemaker.aws.amazon.com_{descriptor.plural}.yaml"
    crd = document(path)
    properties: JsonObject = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return properties


Place = tuple[str | int, ...]
_WRONG: Final[Mapping[str, tuple[Any, ...]]] = {
    "": (5, True, [None]),
    "object": ("x", 5, [None]),
    "array": ("x", 5, {"x": 5}, ["x"], [None], [{}]),
    "string": (5, ["x"], {"x": 5}),
    "integer": ("x", 1.5, True, []),
    "number": ("x", True, {}),
    "boolean": ("x", 5, [None]),
}


def misfits(schema: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every field, each with values of types that it does not have."""
    yield from ((place, value) for value in _WRONG[schema.get("type", "")])
    for name, child in (schema.get("properties") or {}).items():
        yield from misfits(child, (*place, name))
    if schema.get("type") == "array":
        yield from misfits(schema["items"], (*place, 0))


def with_value(obj: JsonObject, place: Place, value: Any) -> JsonObject:
    """A copy of `obj` with `value` at `place`; what is missing on the way is made."""
    changed: Any = copied(obj)
    at = changed
    for name, following in itertools.pairwise(place):
        inner: Any = [] if isinstance(following, int) else {}
        if isinstance(name, int) and not at:
            at.append(inner)
        if not isinstance(at[name] if isinstance(name, int) else at.get(name), type(inner)):
            at[name] = inner
        at = at[name]
    last = place[-1]
    if isinstance(last, int) and not at:
        at.append(None)
    at[last] = copied(value)
    result: JsonObject = changed
    return result


class LaxWorld:
    """A fresh operator for each object; SageMaker accepts whatever the SDK can send, and forgets it."""

    def __init__(self, descriptor: KindDescriptor) -> None:
        self._clock = FakeClock()
        queue: Any = SimpleNamespace(add=lambda *_: None)
        kinds = {each.kind: Served(each, CONTROLLERS.new_store(each), queue) for each in KINDS}
        self._store = kinds[descriptor.kind].store
        aws: Any = _AWS
        self._client = _Client({kind: served.store for kind, served in kinds.items()})
        client: Any = PruningWriter(self._client)
        settings = ReconcilerSettings(cluster_id="c", manager="m", defaults=TargetDefaults(region="eu-west-1"))
        effects = EffectGate(client, aws, FakeRecorder(), OpenFence())
        shared = Shared(kinds, client, aws, aws.scaling, aws, effects, self._clock, settings, checks=Checks())
        tracker = None
        if CONTROLLERS.of(descriptor).is_tracked:
            metrics = TrackerMetrics(CollectorRegistry())
            tracker = Tracker(descriptor, aws, lambda _: None, self._clock, metrics, PollSettings())
        self._reconciler = CONTROLLERS.new_reconciler(kinds[descriptor.kind], tracker, shared)

    def settled(self, obj: JsonObject) -> JsonObject:
        """The object after some passes, empty if it is gone. Raises what a pass raises, `Terminal` apart.

        The last of them is the first that writes nothing: it is followed by no event, and no other pass comes of it.
        """
        self._store.upsert(copied(obj))
        for _ in range(_PASSES):
            before = self._client.writes
            with suppress(Terminal):
                self._reconciler.reconcile(KEY)
            if self._client.writes == before:
                break
            self._clock.advance(1)
        return self._store.get(KEY) or {}


class LaxSageMaker(FakeSageMaker):
    """Accepts whatever the SDK can send, and forgets it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self._services = dict.fromkeys(self._services, _Forgetful())
        self.scaling: Any = _ForgetfulScaling()

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        _check("sagemaker", operation, request)


class _Forgetful:
    """The service of any kind."""

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        _check("sagemaker", descriptor.operations.create, request)
        return arn_of(descriptor, "x", region=target.region)

    def describe(self, descriptor: KindDescriptor, target: Target, name: str, **__: Any) -> JsonObject | Absent:
        if descriptor is HOSTING_DEPLOYMENT and not name.startswith("x-"):  # that of a component
            return {"EndpointStatus": "InService", "ProductionVariants": [{"VariantName": "all"}]}
        return ABSENT

    def delete(self, *_: Any, **__: Any) -> Absent:
        return ABSENT

    stop = tags = delete

    def add_tags(self, *_: Any, **__: Any) -> None:
        """Forgotten, like all else."""

    delete_tags = add_tags


class _ForgetfulScaling:
    """Application Auto Scaling, likewise."""

    def register(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        _check(SCALING, "RegisterScalableTarget", request)

    def put_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        _check(SCALING, "PutScalingPolicy", request)

    def delete_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        _check(SCALING, "DeleteScalingPolicy", request)

    def deregister(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        _check(SCALING, "DeregisterScalableTarget", request)

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        return {}

    def policies(self, target: Target, policy: str, namespace: str, *, caller: Hashable) -> Descriptions:
        return {}


_AWS: Final = LaxSageMaker(FakeClock())  # it keeps nothing, so one serves all worlds


@cache
def _shape(service: str, operation: str) -> Any:
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


def _check(service: str, operation: str, request: Mapping[str, Any]) -> None:
    """As the SDK does before it sends anything."""
    report = botocore.validate.ParamValidator().validate(dict(request), _shape(service, operation))
    if report.has_errors():
        raise classify(operation, botocore.exceptions.ParamValidationError(report=report.generate_report()))


class _Client:
    """Kubernetes writes, seen by the stores at once."""

    def __init__(self, stores: Mapping[str, Any]) -> None:
        self._stores = stores
        self.writes = 0
        """Those that changed something."""

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        current = self._stores[resource.kind].get(key)
        changes = copied(body)
        changes["metadata"].pop("resourceVersion", None)
        if subresource:
            new = {**current, "status": _merge(current.get("status"), changes["status"])}
        else:
            new = _merge(current, changes)
        return current if new == current else self._put(resource, new)

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        new = copied(dict(body))
        new["metadata"] |= {"uid": f"uid-{1 + self.writes}", "generation": 1}
        return self._put(resource, new)

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "") -> None:
        self.writes += 1
        self._stores[resource.kind].remove(key)

    def _put(self, resource: Resource, new: JsonObject) -> JsonObject:
        self.writes += 1
        new["metadata"]["resourceVersion"] = str(1 + self.writes)
        self._stores[resource.kind].upsert(copied(new))
        return new
