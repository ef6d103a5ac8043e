"""An operator for one kind over in-memory Kubernetes and SageMaker, that can be crashed and started again."""

import copy
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.aws.polling.poll_state import FeedSettings
from controller.aws.polling.tracker import Tracker, TrackerMetrics
from controller.aws.targets import TargetDefaults
from controller.controllers import CONTROLLERS
from controller.reconcile.effects import Effect, EffectGate
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ClassifiedError, ErrorClass, Terminal
from controller.runtime.record.events import EventType, Regarding
from tests.fakes import FakeClock
from tests.faults.cluster import ClusterWriter, FakeCluster
from tests.faults.sagemaker import FakeSageMaker

KEY = ObjectKey("default", "xgboost")

MANIFEST: JsonObject = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "TrainingJob",
    "metadata": {"namespace": "default", "name": "xgboost"},
    "spec": {
        "roleArn": "arn:aws:iam::123456789012:role/training",
        "region": "us-east-2",
        "algorithmSpecification": {"trainingImage": "image", "trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://bucket/xgboost"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
        "stoppingCondition": {"maxRuntimeInSeconds": 3600},
    },
}


SPECS: dict[str, JsonObject] = {
    TRAINING_JOB.kind: MANIFEST["spec"],
    BATCH_TRANSFORM_JOB.kind: {
        "region": "us-east-2",
        "modelName": "model",
        "environment": [{"name": "LEVEL", "value": "info"}],
        "transformInput": {"dataSource": {"s3DataSource": {"s3DataType": "S3Prefix", "s3Uri": "s3://bucket/in"}}},
        "transformOutput": {"s3OutputPath": "s3://bucket/out"},
        "transformResources": {"instanceCount": 1, "instanceType": "ml.m4.xlarge"},
    },
    PROCESSING_JOB.kind: {
        "region": "us-east-2",
        "roleArn": "arn:aws:iam::123456789012:role/processing",
        "appSpecification": {"imageUri": "image"},
        "environment": [{"name": "LEVEL", "value": "info"}],
        "processingResources": {
            "clusterConfig": {"instanceCount": 1, "instanceType": "ml.m5.xlarge", "volumeSizeInGB": 5}
        },
    },
}
"""The least of each kind of job."""


def manifest(**spec: object) -> JsonObject:
    """The sample with fields of the spec replaced; None removes one."""
    obj = copy.deepcopy(MANIFEST)
    obj["spec"] = {name: value for name, value in {**obj["spec"], **spec}.items() if value is not None}
    return obj


class Crash(BaseException):
    """The process dies: nothing catches it."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """A place in a run at which the process can die: before or after its n-th effect."""

    n: int
    after: bool
    effect: Effect

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} effect {self.n}, {self.effect.name}"


@dataclass(slots=True)
class CrashHook:
    """Counts effects and dies before or after the n-th."""

    clock: FakeClock
    at: int | None = None
    after: bool = False
    seen: list[Effect] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When each of `seen` began."""
    done: list[int] = field(default_factory=list)
    """Numbers of the effects that happened."""

    def points(self, *, besides: frozenset[Effect] = frozenset()) -> list[CrashPoint]:
        """Return where the run so far could have died: before each effect, and after those that happened.

        Memory is lost either way, so dying before an effect is the same as dying after the one before it, unless time
        has passed in between, and users or SageMaker have done something: that is counted once.
        """
        found, done_at = [], None
        for n, (effect, time) in enumerate(zip(self.seen, self.times, strict=True), 1):
            if effect in besides:
                continue
            if time != done_at:
                found.append(CrashPoint(n, False, effect))
            done_at = time if n in self.done else None
            if n in self.done:
                found.append(CrashPoint(n, True, effect))
        assert found, "no effect, so there is nothing to interrupt"
        return found

    def step(self, point: CrashPoint) -> None:
        """Die at this point."""
        self.at, self.after = point.n, point.after

    def before(self, effect: Effect) -> None:
        """See `EffectHook.before`."""
        self.seen.append(effect)
        self.times.append(self.clock.monotonic())
        if not self.after and len(self.seen) == self.at:
            raise Crash(effect)

    def after_(self, effect: Effect) -> None:
        """Dies after the effect."""
        self.done.append(len(self.seen))
        if self.after and len(self.seen) == self.at:
            raise Crash(effect)


class _Hook:
    """Adapter: a dataclass field named `after` hides the method of that name."""

    def __init__(self, crash: CrashHook) -> None:
        self.before = crash.before
        self.after = crash.after_


class FakeRecorder:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.messages: list[str] = []

    def event(self, regarding: Regarding, type: EventType, reason: str, message: str) -> None:  # noqa: A002
        """See `Recorder.event`."""
        self.events.append((type, reason))
        self.messages.append(message)


class OpenFence:
    """A fence that a test may close."""

    is_open = True

    def may_act(self) -> bool:
        """See `Fence.may_act`."""
        return self.is_open


class World:
    """Time, cluster and SageMaker outlive the operator; `restart` makes a new one that remembers nothing."""

    def __init__(self, descriptor: KindDescriptor = TRAINING_JOB, *, ownership_tags: bool = True) -> None:
        self.descriptor = descriptor
        self.clock = FakeClock()
        self.cluster = FakeCluster(self.clock)
        self.aws = FakeSageMaker(self.clock)
        self.recorder = FakeRecorder()
        self.fence = OpenFence()
        self.crashes = 0
        self.errors: list[Exception] = []
        self.settings = ReconcilerSettings(
            cluster_id="cluster-1", manager="test/1", defaults=TargetDefaults(), has_ownership_tags=ownership_tags
        )
        self.restart()

    def restart(self) -> None:
        """A new process: fresh memory, fresh tracker, no crash planned."""
        self.crash = CrashHook(self.clock)
        self.seen: dict[ObjectKey, str | None] = {}
        self.woken: list[ObjectKey] = []
        self.later: dict[ObjectKey, float] = {}
        self.tracker = Tracker(
            self.descriptor,
            self.aws,
            self.woken.append,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            FeedSettings(),
            rand=lambda: 0.5,
        )
        self.effects = EffectGate(ClusterWriter(self.cluster), self.aws, self.recorder, self.fence, _Hook(self.crash))
        served: Any = SimpleNamespace(descriptor=self.descriptor, store=self.cluster.store)
        self.reconciler = CONTROLLERS.new_reconciler(served, self.tracker, self._shared(served))

    def _shared(self, served: Served) -> Shared:
        """What the process shares, as `app` puts it together."""
        writer: Any = ClusterWriter(self.cluster)
        aws: Any = self.aws
        kinds = {self.descriptor.kind: served}
        return Shared(kinds, writer, aws, aws, aws, self.effects, self.clock, self.settings, lambda: 0.5)

    def reconcile(self, key: ObjectKey = KEY) -> Result | Exception:
        """One pass, as the worker loop sees it: a result or an error; the requeue is noted."""
        try:
            result = self.reconciler.reconcile(key)
        except (ClassifiedError, Terminal) as error:
            self.errors.append(error)
            if isinstance(error, ClassifiedError):
                delay = error.retry_after_s
                if delay is None:
                    delay = 0.2 if error.error_class is ErrorClass.CONFLICT else 1.0
                self.later[key] = self.clock.monotonic() + delay
            return error
        if result.requeue_after_s is not None:
            self.later[key] = self.clock.monotonic() + result.requeue_after_s
        return result

    def run(self, seconds: float = 60.0, *, step_s: float = 1.0) -> None:
        """Let time pass: what was written, woken or is due is reconciled; after a crash another process goes on."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            try:
                self._work()
            except Crash:
                self.crashes += 1
                self.restart()
            self.clock.advance(step_s)

    def _work(self) -> None:
        for _ in range(20):
            due = self._due()
            if not due:
                break
            for key in due:
                self.reconcile(key)
        else:
            raise AssertionError(f"hot loop over {due}")
        while self.tracker.step():
            pass

    def _due(self) -> set[ObjectKey]:
        seen = self.seen
        due = set(self.woken)
        self.woken.clear()
        for key in {*self.cluster.keys(), *seen}:
            obj = self.cluster.store.peek(key)
            version = obj["metadata"]["resourceVersion"] if obj else None
            if key not in seen or seen[key] != version:
                due.add(key)
                seen[key] = version
        now = self.clock.monotonic()
        for key in [key for key, at in self.later.items() if at <= now]:
            del self.later[key]
            due.add(key)
        return due

    def manifest(self, name: str = "") -> JsonObject:
        """The least manifest of the kind; with `name` as the user's choice of the name at AWS, if given."""
        obj = {**copy.deepcopy(MANIFEST), "kind": self.descriptor.kind}
        obj["spec"] = copy.deepcopy(SPECS[self.descriptor.kind])
        return {**obj, "spec": {**obj["spec"], self.descriptor.name.spec_field: name}} if name else obj

    # --- looking at the outcome

    @property
    def value(self) -> str:
        """The status value that the object shows."""
        value: str = self.status[self.descriptor.status.field]
        return value

    @property
    def obj(self) -> JsonObject:
        """The object as it is."""
        obj = self.cluster.get(KEY)
        assert obj is not None
        return obj

    @property
    def status(self) -> JsonObject:
        """Its status."""
        status: JsonObject = self.obj.get("status", {})
        return status

    def condition(self, type_: str) -> tuple[str, str] | None:
        """Status and reason of a condition."""
        for each in self.status.get("conditions", ()):
            if each["type"] == type_:
                return each["status"], each["reason"]
        return None

    @property
    def job_name(self) -> str:
        """The name at SageMaker."""
        name: str = self.obj["spec"]["trainingJobName"]
        return name


__all__ = ["DONE", "KEY", "Crash", "World", "manifest"]
