"""Operators for deployments, models and configurations over in-memory Kubernetes and SageMaker, crashed together."""

import copy
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.autoscaling import Descriptions
from controller.aws.errors import AwsError
from controller.aws.polling.poll_state import FeedSettings
from controller.aws.polling.tracker import Tracker, TrackerMetrics
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.controllers import CONTROLLERS
from controller.kube.errors import AlreadyExists
from controller.reconcile.effects import EffectGate
from controller.reconcile.endpoint.child_objects import OWNERS
from controller.reconcile.endpoint.desired import owners_of
from controller.reconcile.resource.users import CONFIGURATION, MODELS, configuration_of, models_of
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.runtime.controller import Reconciler
from controller.runtime.errors import ABSENT, Absent, ClassifiedError, ErrorClass, Terminal
from tests.fakes import FakeClock
from tests.faults.cluster import FakeCluster, copied
from tests.faults.world import Crash, CrashHook, FakeRecorder, OpenFence, _Hook

KEY = ObjectKey("default", "host")
REGION = "us-east-2"
KINDS = (MODEL, ENDPOINT_CONFIG, HOSTING_DEPLOYMENT)
INDEXES = {OWNERS: owners_of, MODELS: models_of, CONFIGURATION: configuration_of}
WORK_S = 40.0
"""How long SageMaker is busy with an endpoint."""


def manifest(*, version: str = "1", count: int = 1, **spec: Any) -> JsonObject:
    """A deployment with one model, whose container has `version` in its environment."""
    container = {"containerHostname": "c", "image": "image", "environment": [{"name": "VERSION", "value": version}]}
    variant = {"variantName": "a", "modelName": "m", "initialInstanceCount": count, "instanceType": "ml.c5.large"}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HostingDeployment",
        "metadata": {"namespace": KEY.namespace, "name": KEY.name},
        "spec": {
            "region": REGION,
            "models": [{"name": "m", "executionRoleArn": "arn:aws:iam::1:role/r", "containers": [container]}],
            "productionVariants": [variant],
            **spec,
        },
    }


class Store:
    """What an informer's store shows of one kind: the present."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def get(self, key: ObjectKey) -> JsonObject | None:
        """A fresh copy."""
        return self._cluster.get(key)

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Objects that the index function knows under `value`."""
        objects = [self._cluster.peek(key) for key in self._cluster.keys()]  # noqa: SIM118 (not a mapping)
        return [copied(obj) for obj in objects if obj and value in set(INDEXES[name](obj))]


class Writer:
    """Kubernetes writes to all three kinds."""

    def __init__(self, clusters: Mapping[str, FakeCluster]) -> None:
        self._clusters = clusters

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `ObjectWriter.patch`."""
        return self._clusters[resource.kind].patch(resource, key, body, subresource=subresource)

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """See `ChildWriter.create`."""
        key = ObjectKey(namespace or "", body["metadata"]["name"])
        if self._clusters[resource.kind].get(key) is not None:
            raise AlreadyExists("AlreadyExists", f"{key} exists", status=409)
        return self._clusters[resource.kind].apply(copy.deepcopy(dict(body)))

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ChildWriter.delete`."""
        there = self._clusters[resource.kind].get(key)
        assert there is not None
        assert there["metadata"]["uid"] == uid
        self._clusters[resource.kind].delete(key)


@dataclass(slots=True)
class Endpoint:
    """An endpoint: what it runs with, and what it is switched to until `until`."""

    request: dict[str, Any]
    config: str
    created: datetime
    modified: datetime
    value: str = "Creating"
    until: float = 0.0
    next_config: str = ""
    failure: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


class FakeHosting:
    """`Endpoints` and `list_page` in memory. It fails the test where something in use is deleted."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.calls: list[str] = []
        self.scaled: set[str] = set()
        """ResourceIds of variants that somebody scales."""
        self.bad_version = ""
        """Models with this version do not load."""

    @property
    def left(self) -> list[str]:
        """Names of everything there is."""
        return [*self.endpoints, *self.configs, *self.models]

    def settle(self) -> None:
        """Let time have its effect."""
        for name, endpoint in list(self.endpoints.items()):
            if not endpoint.until or self._clock.monotonic() < endpoint.until:
                continue
            endpoint.until, endpoint.modified = 0.0, self._clock.utcnow()
            if endpoint.value == "Deleting":
                del self.endpoints[name]
            elif self._is_bad(endpoint.next_config):
                endpoint.failure = "the model does not load"
                endpoint.value = "Failed" if endpoint.value == "Creating" else "InService"
            else:
                endpoint.value, endpoint.config, endpoint.failure = "InService", endpoint.next_config, ""

    def version_of(self, config: str) -> str:
        """What the model of a configuration says."""
        (variant,) = self.configs[config]["ProductionVariants"]
        version: str = self.models[variant["ModelName"]]["PrimaryContainer"]["Environment"]["VERSION"]
        return version

    def _is_bad(self, config: str) -> bool:
        return self.version_of(config) == self.bad_version

    # --- the ports

    def turn(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `Jobs.turn`: nobody waits."""

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Resources.create`."""
        self.calls.append(descriptor.operations.create)
        name = request[descriptor.name.member]
        if name in self._of(descriptor):
            raise AwsError(ErrorClass.EXISTS, "ValidationException", "Cannot create already existing")
        if descriptor is HOSTING_DEPLOYMENT:
            config = request["EndpointConfigName"]
            assert config in self.configs
            now = self._clock.utcnow()
            self.endpoints[name] = Endpoint(
                dict(request), config, now, now, until=self._clock.monotonic() + WORK_S, next_config=config
            )
        else:
            if descriptor is ENDPOINT_CONFIG:
                assert {each["ModelName"] for each in request["ProductionVariants"]} <= set(self.models)
            self._of(descriptor)[name] = dict(request)
        return _arn(descriptor, name)

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Resources.describe`."""
        self.calls.append(descriptor.operations.describe)
        self.settle()
        if name not in self._of(descriptor):
            return ABSENT
        if descriptor is not HOSTING_DEPLOYMENT:
            return {**self._of(descriptor)[name], descriptor.status.arn_member: _arn(descriptor, name)}
        endpoint = self.endpoints[name]
        failure = {"FailureReason": endpoint.failure} if endpoint.failure else {}
        return {**self._summary(name, endpoint), "EndpointConfigName": endpoint.config, **failure}

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        self.calls.append(descriptor.operations.delete)
        self.settle()
        if name not in self._of(descriptor):
            return ABSENT
        if descriptor is HOSTING_DEPLOYMENT:
            endpoint = self._idle(name)
            endpoint.value, endpoint.until = "Deleting", self._clock.monotonic() + WORK_S
            endpoint.modified = self._clock.utcnow()
            return None
        if descriptor is ENDPOINT_CONFIG:
            used = {name for each in self.endpoints.values() for name in (each.config, each.next_config)}
            assert name not in used or self._only_reverted(name), "a live endpoint uses it"
        else:
            used = {v["ModelName"] for each in self.configs.values() for v in each["ProductionVariants"]}
            assert name not in used, "a configuration uses it"
        del self._of(descriptor)[name]
        return None

    def _only_reverted(self, name: str) -> bool:
        """Whether endpoints only tried this configuration, and went back."""
        return all(each.config != name and not each.until for each in self.endpoints.values())

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        self.calls.append(operation)
        self.settle()
        endpoint = self._idle(request["EndpointName"])
        assert endpoint.value == "InService"
        endpoint.value, endpoint.modified = "Updating", self._clock.utcnow()
        endpoint.until = self._clock.monotonic() + WORK_S
        endpoint.next_config = request.get("EndpointConfigName", endpoint.config)
        for each in request.get("DesiredWeightsAndCapacities", ()):
            endpoint.numbers[each["VariantName"]] = each.get("DesiredInstanceCount")

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        self.calls.append("list")
        self.settle()
        newest_first = sorted(self.endpoints.items(), key=lambda item: item[1].created, reverse=True)
        return Page(tuple(self._summary(name, each) for name, each in newest_first), "")

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.search_page`: nothing here searches."""
        raise AssertionError(next_token)

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Jobs.stop`: nothing here can be stopped."""
        raise AssertionError(name)

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        name = arn.rpartition("/")[2]
        if name not in self.endpoints:
            return ABSENT
        return {tag["Key"]: tag["Value"] for tag in self.endpoints[name].request.get("Tags", ())}

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        self.calls.append("AddTags")
        request = self._tagged(arn)
        kept = [tag for tag in request.get("Tags", ()) if tag["Key"] not in {each["Key"] for each in tags}]
        request["Tags"] = [*kept, *tags]

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        self.calls.append("DeleteTags")
        request = self._tagged(arn)
        request["Tags"] = [tag for tag in request.get("Tags", ()) if tag["Key"] not in keys]

    def _tagged(self, arn: str) -> dict[str, Any]:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind == HOSTING_DEPLOYMENT.singular:
            return self.endpoints[name].request
        request: dict[str, Any] = (self.models if kind == MODEL.singular else self.configs)[name]
        return request

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """See `Scaling.targets`."""
        self.calls.append("DescribeScalableTargets")
        return {each["ResourceId"]: {} for each in selectors if each["ResourceId"] in self.scaled}

    def _idle(self, name: str) -> Endpoint:
        endpoint = self.endpoints[name]
        if endpoint.until:
            raise AwsError(ErrorClass.CONFLICT, "ValidationException", "Cannot update in-progress endpoint")
        return endpoint

    def _of(self, descriptor: KindDescriptor) -> dict[str, Any]:
        stores: dict[str, dict[str, Any]] = {
            MODEL.kind: self.models,
            ENDPOINT_CONFIG.kind: self.configs,
            HOSTING_DEPLOYMENT.kind: self.endpoints,
        }
        return stores[descriptor.kind]

    @staticmethod
    def _summary(name: str, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "EndpointName": name,
            "EndpointArn": _arn(HOSTING_DEPLOYMENT, name),
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
            "EndpointStatus": endpoint.value,
        }


def _arn(descriptor: KindDescriptor, name: str) -> str:
    return f"arn:aws:sagemaker:{REGION}:123456789012:{descriptor.singular}/{name}"


class HostingWorld:
    """Time, cluster and SageMaker outlive the operator; `restart` makes a new one that remembers nothing."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.clusters = {descriptor.kind: FakeCluster(self.clock) for descriptor in KINDS}
        for number, cluster in enumerate(self.clusters.values(), 1):
            cluster._version = number * 100_000  # uids are made of it: they must differ between kinds
        self.aws = FakeHosting(self.clock)
        self.recorder = FakeRecorder()
        self.fence = OpenFence()
        self.crashes = 0
        self.settings = ReconcilerSettings(cluster_id="cluster-1", manager="test/1")
        self.restart()

    def restart(self) -> None:
        """A new process: fresh memory, fresh tracker, no crash planned."""
        self.crash = CrashHook(self.clock)
        self.seen: dict[tuple[str, ObjectKey], str | None] = {}
        self.woken: list[ObjectKey] = []
        self.later: dict[tuple[str, ObjectKey], float] = {}
        stores = {kind: Store(cluster) for kind, cluster in self.clusters.items()}
        writer = Writer(self.clusters)
        self.tracker = Tracker(
            HOSTING_DEPLOYMENT,
            self.aws,
            self.woken.append,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            FeedSettings(settled=CONTROLLERS.of(HOSTING_DEPLOYMENT).settled),
            rand=lambda: 0.5,
        )
        effects = EffectGate(writer, self.aws, self.recorder, self.fence, _Hook(self.crash))
        kinds: Any = {
            descriptor.kind: SimpleNamespace(descriptor=descriptor, store=stores[descriptor.kind])
            for descriptor in KINDS
        }
        aws: Any = self.aws
        shared = Shared(kinds, writer, aws, aws, aws, effects, self.clock, self.settings, lambda: 0.5)
        self.reconcilers: dict[str, Reconciler] = {
            kind: CONTROLLERS.new_reconciler(served, self.tracker if kind == HOSTING_DEPLOYMENT.kind else None, shared)
            for kind, served in kinds.items()
        }

    def run(self, seconds: float, *, step_s: float = 1.0) -> None:
        """Let time pass: what was written, woken or is due is reconciled; after a crash another process goes on."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            try:
                self._work()
            except Crash:
                self.crashes += 1
                self.restart()
            self.clock.advance(step_s)

    def until(self, what: Callable[[], bool], within_s: float = 1500.0) -> None:
        """Let time pass until `what` holds."""
        end = self.clock.monotonic() + within_s
        while not what():
            assert self.clock.monotonic() < end, f"never; status: {self.status}; calls: {self.aws.calls[-10:]}"
            self.run(2, step_s=2)

    def _work(self) -> None:
        for _ in range(30):
            due = self._due()
            if not due:
                break
            for kind, key in due:
                self._reconcile(kind, key)
        else:
            raise AssertionError(f"hot loop over {due}")
        while self.tracker.step():
            pass

    def _reconcile(self, kind: str, key: ObjectKey) -> None:
        try:
            delay = self.reconcilers[kind].reconcile(key).requeue_after_s
        except Terminal:
            delay = None
        except ClassifiedError as error:
            delay = error.retry_after_s or 1.0
        if delay is not None:
            self.later[kind, key] = self.clock.monotonic() + delay

    def _due(self) -> Iterable[tuple[str, ObjectKey]]:
        due = {(HOSTING_DEPLOYMENT.kind, key) for key in self.woken}
        self.woken.clear()
        for kind, cluster in self.clusters.items():
            known = {key for each, key in self.seen if each == kind}
            for key in {*cluster.keys(), *known}:
                obj = cluster.peek(key)
                version = obj["metadata"]["resourceVersion"] if obj else None
                if self.seen.get((kind, key), "") != version:
                    self.seen[kind, key] = version
                    due.add((kind, key))
                    if kind != HOSTING_DEPLOYMENT.kind:
                        due.add((HOSTING_DEPLOYMENT.kind, KEY))
        now = self.clock.monotonic()
        for each in [each for each, at in self.later.items() if at <= now]:
            del self.later[each]
            due.add(each)
        return sorted(due)

    # --- the user, and looking at the outcome

    def apply(self, obj: JsonObject) -> None:
        """`kubectl apply` of the deployment."""
        self.clusters[HOSTING_DEPLOYMENT.kind].apply(obj)

    def delete(self) -> None:
        """`kubectl delete` of the deployment."""
        self.clusters[HOSTING_DEPLOYMENT.kind].delete(KEY)

    @property
    def obj(self) -> JsonObject | None:
        """The deployment."""
        return self.clusters[HOSTING_DEPLOYMENT.kind].get(KEY)

    @property
    def status(self) -> JsonObject:
        """Its status."""
        status: JsonObject = (self.obj or {}).get("status") or {}
        return status

    def is_at_rest(self) -> bool:
        """In service with the newest spec, and told so; nothing superfluous is left."""
        ready = {each["type"]: each["status"] for each in self.status.get("conditions", ())}
        obj = self.obj
        return (
            obj is not None
            and self.status.get("endpointStatus") == "InService"
            and self.status.get("observedGeneration") == obj["metadata"]["generation"]
            and (ready.get("Ready"), ready.get("Reconciling"), ready.get("Stalled")) == ("True", "False", "False")
            and len(self.aws.left) == 3
        )

    def is_gone(self) -> bool:
        """No object of any kind, and nothing at SageMaker."""
        return not self.aws.left and not any(cluster.keys() for cluster in self.clusters.values())
