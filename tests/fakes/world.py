"""An operator for some kinds over in-memory Kubernetes and AWS, that can be crashed and started again."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from types import SimpleNamespace
from typing import Any, ClassVar

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.announced import AnnouncedChanges
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import TargetDefaults
from controller.controllers import CONTROLLERS
from controller.reconcile.checks import Checks
from controller.reconcile.effects import EffectGate, EffectHook
from controller.reconcile.object_metrics import ObjectMetrics
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.runtime.controller import Reconciler, Result
from controller.runtime.errors import ClassifiedError, ErrorClass, Terminal
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import ClusterWriter, FakeCluster, copied
from tests.fakes.config_maps import FakeConfigMaps
from tests.fakes.crashes import Crash, CrashHook, CrashingHook
from tests.fakes.job_manifests import KEY, manifest_of
from tests.fakes.recorder import FakeRecorder, OpenFence
from tests.fakes.sagemaker import FakeSageMaker

_PASSES = 30
"""More passes in a row, while no time passes, are a hot loop."""


CLUSTER_ID = "cluster-1"


class World:
    """Time, clusters and AWS outlive the operator; `restart` makes a new one that remembers nothing.

    The first kind is the one that the test is about: `cluster`, `aws`, `reconciler` and `tracker` are of that.
    """

    made: ClassVar[int] = 0
    """Worlds of this process."""

    def __init__(
        self, *kinds: KindDescriptor, key: ObjectKey = KEY, ownership_tags: bool = True, collects: bool = False
    ) -> None:
        """`key` is that of the object that the test is about; `collects`: objects go with their owners."""
        World.made += 1
        kinds = kinds or (TRAINING_JOB,)
        self.descriptor = kinds[0]
        self.key = key
        self.clock = FakeClock()
        self.clusters = self._new_clusters(kinds)
        self.cluster = self.clusters[self.descriptor.kind]
        self.writer = self._new_writer()
        self.config_maps = FakeConfigMaps()
        self.sagemaker = self._new_sagemaker()
        self.aws: Any = self.sagemaker.of(self.descriptor)
        self.recorder = FakeRecorder()
        self.fence = OpenFence()
        self.has_garbage_collector = collects
        self.metrics: ObjectMetrics | None = None
        """Those of the next process, to look at; None: its own."""
        self.crashes = 0
        self.errors: list[Exception] = []
        self.settings = ReconcilerSettings(
            cluster_id=CLUSTER_ID, manager="test/1", defaults=TargetDefaults(), has_ownership_tags=ownership_tags
        )
        self._kinds = {each.kind: self._served(each) for each in kinds}
        self._handlers = {kind: list(CONTROLLERS.handlers(served, self._kinds)) for kind, served in self._kinds.items()}
        self.restart()

    # --- what the operator is surrounded by; other worlds have their own

    def _new_clusters(self, kinds: Sequence[KindDescriptor]) -> dict[str, FakeCluster]:
        """Objects of each kind, by kind."""
        return {
            each.kind: FakeCluster(self.clock, version=100 + 100_000 * n, indexes=CONTROLLERS.indexes(each))
            for n, each in enumerate(kinds)
        }

    def _new_writer(self) -> Any:
        """What the operator writes objects with."""
        return ClusterWriter(self.clusters)

    def _new_sagemaker(self) -> Any:
        """Every port of AWS."""
        return FakeSageMaker(self.clock)

    def _served(self, descriptor: KindDescriptor) -> Served:
        store: Any = self.clusters[descriptor.kind].store
        queue: Any = SimpleNamespace(
            add=lambda key, priority=0: self.woken.add((descriptor.kind, key)),
            add_after=lambda key, delay_s: self._add_after((descriptor.kind, key), delay_s),
        )
        return Served(descriptor, store, queue)

    def restart(self) -> None:
        """A new process: fresh memory, fresh trackers, no crash planned."""
        self.crash = CrashHook(self.clock)
        self.seen: dict[str, dict[ObjectKey, JsonObject]] = {}
        """The newest version of each object that the operator was shown, by kind."""
        self.woken: set[tuple[str, ObjectKey]] = set()
        self.later: dict[tuple[str, ObjectKey], float] = {}
        aws: Any = self.sagemaker
        effects = EffectGate(self.writer, aws, self.recorder, self.fence, self._hook())
        self.shared = shared = Shared(
            self._kinds,
            self.writer,
            aws,
            aws.scaling,
            aws,
            effects,
            self.clock,
            self.settings,
            lambda: 0.5,
            checks=Checks(),
        )
        self.shared = shared = replace(shared, parts=aws.parts, getter=self.config_maps)
        if self.metrics is not None:
            self.shared = shared = replace(shared, metrics=self.metrics)
        metrics = TrackerMetrics(CollectorRegistry())
        self.trackers = {
            kind: self._tracker(served, metrics)
            for kind, served in self._kinds.items()
            if CONTROLLERS.of(served.descriptor).is_tracked
        }
        self.announced = {
            kind: AnnouncedChanges(served.descriptor, served.queue.add_after, self.clock)
            for kind, served in self._kinds.items()
            if kind not in self.trackers and served.descriptor.status.event
        }
        self.reconcilers: dict[str, Reconciler] = {
            kind: CONTROLLERS.new_reconciler(served, self.trackers.get(kind) or self.announced.get(kind), shared)
            for kind, served in self._kinds.items()
        }
        self.reconciler: Any = self.reconcilers[self.descriptor.kind]

    def _hook(self) -> EffectHook:
        return CrashingHook(self.crash)

    def _tracker(self, served: Served, metrics: TrackerMetrics) -> Tracker:
        aws: Any = self.sagemaker
        settings = PollSettings(settled=CONTROLLERS.of(served.descriptor).settled)
        return Tracker(served.descriptor, aws, served.queue.add, self.clock, metrics, settings, rand=lambda: 0.5)

    @property
    def tracker(self) -> Tracker:
        """That of the first kind."""
        return self.trackers[self.descriptor.kind]

    def reconcile(self, key: ObjectKey | None = None, kind: str = "") -> Result | Exception:
        """One pass, as the worker loop sees it: a result or an error; the requeue is noted.

        It takes the place of one that was to come later, as in the work queue: it must ask for that again.
        """
        kind, key = kind or self.descriptor.kind, key or self.key
        self.later.pop((kind, key), None)
        outcome: Result | Exception
        try:
            outcome = self.reconcilers[kind].reconcile(key)
        except (ClassifiedError, Terminal) as error:
            self.errors.append(error)
            outcome = error
        if (delay := _delay(outcome)) is not None:
            self._add_after((kind, key), delay)
        return outcome

    def _add_after(self, what: tuple[str, ObjectKey], delay_s: float) -> None:
        """As the work queue does: the earlier run stays."""
        self.later[what] = min(self.clock.monotonic() + delay_s, self.later.get(what, inf))

    def run(self, seconds: float = 60.0, *, step_s: float = 1.0) -> None:
        """Let time pass: what was written, woken or is due is reconciled; after a crash another process goes on."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            is_idle = False
            try:
                is_idle = self._work()
            except Crash:
                self.crashes += 1
                self.restart()
            self.clock.advance(step_s)
            if is_idle:
                self._pass_idle_time(min(end, self._next_due()), step_s)

    def _next_due(self) -> float:
        """Return when something is to be done, if nothing happens until then."""
        return min([*self.later.values(), *(tracker.due_at for tracker in self.trackers.values())], default=inf)

    def _pass_idle_time(self, until: float, step_s: float) -> None:
        """Take the steps at which there would be nothing to do."""
        while self.clock.monotonic() < until:
            self.clock.advance(step_s)

    def until(self, what: Callable[[], bool], within_s: float = 1500.0) -> None:
        """Let time pass until `what` holds."""
        end = self.clock.monotonic() + within_s
        while not what():
            if self.clock.monotonic() >= end:
                raise AssertionError(f"never; status: {self.status}; calls: {self.sagemaker.operations[-10:]}")
            self.run(2, step_s=2)

    def _work(self) -> bool:
        """Do what is due; returns whether there was nothing."""
        is_idle = True
        for _ in range(_PASSES):
            if self.has_garbage_collector:
                self._collect_garbage()
            due = self._due()
            if not due:
                break
            is_idle = False
            for kind, key in due:
                self.reconcile(key, kind)
        else:
            raise AssertionError(f"hot loop over {due}")
        for tracker in self.trackers.values():
            while tracker.step():
                is_idle = False
        return is_idle

    def _due(self) -> list[tuple[str, ObjectKey]]:
        """What the informers show, the trackers woke, or was to be reconciled again by now."""
        for kind, cluster in self.clusters.items():
            shown, seen = cluster.store.shown(), self.seen.setdefault(kind, {})
            for key, obj in shown.items():
                if obj is not (before := seen.get(key)) and (before is None or _version(obj) != _version(before)):
                    seen[key] = obj
                    self._show(kind, key, before, obj)
            if len(seen) > len(shown):
                for key in seen.keys() - shown.keys():
                    self._show(kind, key, seen.pop(key), None)
        due, self.woken = self.woken, set()
        now = self.clock.monotonic()
        for each in [each for each, at in self.later.items() if at <= now]:
            del self.later[each]
            due.add(each)
        return sorted(due)

    def _show(self, kind: str, key: ObjectKey, before: JsonObject | None, obj: JsonObject | None) -> None:
        """Give a change to the handlers, as an informer does."""
        old, new = (each and _snapshot(key, each) for each in (before, obj))
        for handler in self._handlers[kind]:
            if old and new:
                handler.on_update(old, new)
            elif new:
                handler.on_add(new, initial=False)
            elif old:
                handler.on_delete(old)

    def _collect_garbage(self) -> None:
        """Delete the objects whose owners are gone, as kube-controller-manager does."""
        there = [
            (cluster, key, cluster.peek(key))
            for cluster in self.clusters.values()
            for key in cluster.keys()  # noqa: SIM118 (no mapping)
        ]
        uids = {obj["metadata"]["uid"] for _, _, obj in there if obj}
        for cluster, key, obj in there:
            metadata = (obj or {})["metadata"]
            owners = {each["uid"] for each in metadata.get("ownerReferences") or ()}
            if owners and not uids & owners and "deletionTimestamp" not in metadata:
                cluster.delete(key)

    # --- looking at the outcome, of the object that the test is about

    @property
    def obj(self) -> Any:
        """The object as it is; None if it is gone."""
        return self.cluster.get(self.key)

    @property
    def status(self) -> JsonObject:
        """Its status, empty if it has none; to look at only."""
        status: JsonObject = (self.cluster.peek(self.key) or {}).get("status") or {}
        return status

    @property
    def value(self) -> str:
        """The status value that the object shows."""
        value: str = self.status[self.descriptor.status.field]
        return value

    def condition(self, type_: str) -> tuple[str, str] | None:
        """Status and reason of a condition."""
        for each in self.status.get("conditions", ()):
            if each["type"] == type_:
                return each["status"], each["reason"]
        return None

    @property
    def name(self) -> str:
        """Its name at SageMaker."""
        name: str = self.obj["spec"][self.descriptor.name.spec_field]
        return name

    def manifest(self, name: str = "") -> JsonObject:
        """The least manifest of the kind; with `name` as the user's choice of the name at AWS, if given."""
        return manifest_of(self.descriptor, name)

    def reasons(self) -> list[str]:
        """Reasons of all events, in order."""
        return [reason for _, reason in self.recorder.events]


def _delay(outcome: Result | Exception) -> float | None:
    """Return when a work queue would give the key out again."""
    if isinstance(outcome, Result):
        return outcome.requeue_after_s
    if isinstance(outcome, ClassifiedError):
        if outcome.retry_after_s is not None:
            return outcome.retry_after_s
        return 0.2 if outcome.error_class is ErrorClass.CONFLICT else 1.0
    return None


def _version(obj: JsonObject) -> str:
    version: str = obj["metadata"]["resourceVersion"]
    return version


def _snapshot(key: ObjectKey, obj: JsonObject) -> Any:
    """Return what handlers read of a `Snapshot`."""
    return SimpleNamespace(
        key=key, metadata=obj["metadata"], resource_version=_version(obj), decode=lambda: copied(obj)
    )
