"""Operators for tuning and training jobs over in-memory Kubernetes and SageMaker, that can be crashed together."""

import copy
from collections.abc import Hashable, Mapping
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.aws.polling.poll_state import FeedSettings
from controller.aws.polling.tracker import Tracker, TrackerMetrics
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.controllers import CONTROLLERS
from controller.kube.errors import AlreadyExists
from controller.reconcile.effects import EffectGate
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.reconcile.tuning.watches import INDEXERS, tuning_keys, tuning_names
from controller.runtime.controller import Reconciler
from controller.runtime.errors import ClassifiedError, ErrorClass, Terminal
from tests.fakes import FakeClock
from tests.faults.cluster import ClusterWriter, FakeCluster, copied
from tests.faults.sagemaker import FakeSageMaker, Job
from tests.faults.world import Crash, CrashHook, FakeRecorder, OpenFence, _Hook

KEY = ObjectKey("default", "hpo")
ROLE = "arn:aws:iam::123456789012:role/training"
COUNTERS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
COUNTER_OF = {"Failed": "NonRetryableError", "Stopping": "InProgress"}

MANIFEST: JsonObject = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "HyperparameterTuningJob",
    "metadata": {"namespace": "default", "name": "hpo", "labels": {"team": "a"}},
    "spec": {
        "region": "us-east-2",
        "sageMakerEndpoint": "https://vpce.example.com",
        "hyperParameterTuningJobConfig": {
            "strategy": "Bayesian",
            "hyperParameterTuningJobObjective": {"type": "Minimize", "metricName": "validation:error"},
            "resourceLimits": {"maxNumberOfTrainingJobs": 3, "maxParallelTrainingJobs": 2},
        },
    },
}
DESCRIPTION: dict[str, Any] = {
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/xgboost"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "HyperParameters": {"num_round": "18", "_tuning_objective_metric": "validation:error"},
}


def manifest(**metadata: Any) -> JsonObject:
    """The sample with fields of its metadata replaced."""
    obj = copy.deepcopy(MANIFEST)
    obj["metadata"] |= metadata
    return obj


class FakeTuning(FakeSageMaker):
    """Tuning jobs: `launch` and `end` are what SageMaker does by itself. Training jobs are in `training`."""

    def __init__(self, clock: FakeClock, training: FakeSageMaker) -> None:
        super().__init__(clock, "hyper-parameter-tuning-job")
        self.training = training
        self.launched: dict[str, list[str]] = {}
        self.ratings: dict[str, float] = {}
        self.is_dating = True
        """Whether counters that change change LastModifiedTime, too."""

    # --- the test's side

    def launch(self, tuning: str, count: int = 1) -> list[str]:
        """SageMaker launches training jobs."""
        names = self.launched.setdefault(tuning, [])
        new = [f"{tuning}-{len(names) + n + 1:03d}-{n:08x}" for n in range(count)]
        tags = next(job.request.get("Tags", []) for (_, name), job in self.jobs.items() if name == tuning)
        for name in new:  # AWS copies the tags of a tuning job to what it launches
            self.training.existing(name, Tags=tags).extra.update(copy.deepcopy(DESCRIPTION))
        names += new
        self._touch(tuning)
        return new

    def end(self, name: str, value: str, rating: float | None = None) -> None:
        """A training job ends."""
        self.training.move(name, value)
        if rating is not None:
            self.ratings[name] = rating
        self._touch(next(tuning for tuning, names in self.launched.items() if name in names))

    def end_all(self, tuning: str, value: str) -> None:
        """The tuning job ends, and with it what it has launched."""
        for name in self.launched.get(tuning, ()):
            if self.training.jobs["us-east-2", name].value in {"InProgress", "Stopping"}:
                self.training.move(name, "Completed" if value == "Completed" else "Stopped")
        best = min((name for name in self.ratings), key=lambda name: self.ratings[name], default=None)
        extra = {"BestTrainingJob": self._item(tuning, best)} if best else {}
        self.move(tuning, value, **extra)

    def _touch(self, tuning: str) -> None:
        if self.is_dating:
            self.jobs["us-east-2", tuning].modified = self._clock.utcnow()

    def _item(self, tuning: str, name: str) -> dict[str, Any]:
        job = self.training.jobs["us-east-2", name]
        item = {
            "TrainingJobName": name,
            "TrainingJobArn": job.arn,
            "TuningJobName": tuning,
            "CreationTime": job.created,
            "TrainingJobStatus": job.value,
            "TunedHyperParameters": {"num_round": "18"},
        }
        if name in self.ratings:
            metric = {"MetricName": "validation:error", "Value": self.ratings[name]}
            item |= {"ObjectiveStatus": "Succeeded", "FinalHyperParameterTuningJobObjectiveMetric": metric}
        return item

    # --- the ports

    def _summary(self, descriptor: KindDescriptor, job: Job) -> dict[str, Any]:  # type: ignore[override]
        values = [self.training.jobs["us-east-2", name].value for name in self.launched.get(job.name, ())]
        counters = dict.fromkeys(COUNTERS, 0)
        for value in values:
            counters[COUNTER_OF.get(value, value)] += 1
        return {**FakeSageMaker._summary(descriptor, job), "TrainingJobStatusCounters": counters}

    def page(self, target: Target, tuning_job: str, *, next_token: str, caller: Hashable) -> Page:
        """See `Launched.page`."""
        with self._call("launched", tuning_job):
            items = [self._item(tuning_job, name) for name in self.launched.get(tuning_job, ())]
        start = int(next_token or 0)
        end = start + self.page_size
        return Page(tuple(items[start:end]), str(end) if end < len(items) else "")


class BothJobs:
    """`Jobs` by kind."""

    def __init__(self, by_kind: Mapping[str, FakeSageMaker]) -> None:
        self._by_kind = by_kind

    def __getattr__(self, operation: str) -> Any:
        def call(descriptor: Any, *args: Any, **kwargs: Any) -> Any:
            return getattr(self._by_kind[descriptor.kind], operation)(descriptor, *args, **kwargs)

        return call

    def turn(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `Jobs.turn`: nobody waits."""

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Any:
        """See `Jobs.tags`."""
        return self._of(arn).tags(target, arn, caller=caller)

    def add_tags(self, target: Target, arn: str, tags: Any, *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        self._of(arn).add_tags(target, arn, tags, caller=caller)

    def _of(self, arn: str) -> FakeSageMaker:
        return self._by_kind["TrainingJob" if ":training-job/" in arn else "HyperparameterTuningJob"]


class Writer:
    """Kubernetes writes by kind; names are unique across both."""

    def __init__(self, clusters: Mapping[str, FakeCluster]) -> None:
        self._clusters = clusters

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `ObjectWriter.patch`."""
        return self._clusters[resource.kind].patch(resource, key, body, subresource=subresource)

    def create(self, resource: Resource, namespace: str | None, body: JsonObject) -> JsonObject:
        """See `ChildWriter.create`."""
        cluster = self._clusters[resource.kind]
        if cluster.get(ObjectKey.of(body)) is not None:
            raise AlreadyExists("AlreadyExists", "there is one", status=409)
        return cluster.apply({name: value for name, value in body.items() if name != "status"})

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ObjectWriter.delete`."""
        writer = ClusterWriter(self._clusters[resource.kind])
        writer.delete(resource, key, uid=uid, resource_version=resource_version)


class Children:
    """What the informer of TrainingJobs shows: the present, or what was there when `freeze` was called."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._frozen: dict[ObjectKey, JsonObject] | None = None

    def freeze(self) -> None:
        """Show this moment from now on."""
        self._frozen = {key: self._cluster.get(key) or {} for key in self._cluster.keys()}  # noqa: SIM118

    def thaw(self) -> None:
        """Show the present again."""
        self._frozen = None

    def _all(self) -> dict[ObjectKey, JsonObject]:
        if self._frozen is not None:
            return self._frozen
        return {key: self._cluster.peek(key) or {} for key in self._cluster.keys()}  # noqa: SIM118

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._all()

    def get(self, key: ObjectKey) -> JsonObject | None:
        """A fresh copy."""
        return copied(self._all().get(key))

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """See `Store.by_index`."""
        return [copied(obj) for obj in self._all().values() if value in INDEXERS[name](obj)]


class TuningWorld:
    """Time, both clusters and both SageMakers outlive the operator; `restart` makes a new one."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.tunings = FakeCluster(self.clock)
        self.trainings = FakeCluster(self.clock)
        self.trainings._version = 5000  # uids are made of it, and must differ
        self.aws_training = FakeSageMaker(self.clock)
        self.aws = FakeTuning(self.clock, self.aws_training)
        self.recorder = FakeRecorder()
        self.fence = OpenFence()
        self.children = Children(self.trainings)
        self.writer = Writer({"HyperparameterTuningJob": self.tunings, "TrainingJob": self.trainings})
        self.jobs = BothJobs({"HyperparameterTuningJob": self.aws, "TrainingJob": self.aws_training})
        self.crashes = 0
        self.errors: list[Exception] = []
        self.has_garbage_collector = True
        self.restart()

    def restart(self) -> None:
        """A new process."""
        self.crash = CrashHook(self.clock)
        self.seen: dict[tuple[str, ObjectKey], JsonObject | None] = {}
        self.later: dict[tuple[str, ObjectKey], float] = {}
        self.woken: set[tuple[str, ObjectKey]] = set()
        metrics = TrackerMetrics(CollectorRegistry())
        self.trackers: dict[str, Tracker] = {}
        self.reconcilers: dict[str, Reconciler] = {}
        effects = EffectGate(self.writer, self.jobs, self.recorder, self.fence, _Hook(self.crash))  # type: ignore[arg-type]
        settings = ReconcilerSettings(cluster_id="cluster-1", manager="test/1")
        kinds: Any = {
            HYPERPARAMETER_TUNING_JOB.kind: SimpleNamespace(
                descriptor=HYPERPARAMETER_TUNING_JOB, store=self.tunings.store
            ),
            TRAINING_JOB.kind: SimpleNamespace(descriptor=TRAINING_JOB, store=self.children),
        }
        jobs: Any = self.jobs
        scaling: Any = None
        shared = Shared(kinds, self.writer, jobs, scaling, self.aws, effects, self.clock, settings, lambda: 0.5)
        for kind, served in kinds.items():

            def wake(key: ObjectKey, kind: str = kind) -> None:
                self.woken.add((kind, key))

            tracker = Tracker(served.descriptor, jobs, wake, self.clock, metrics, FeedSettings(), rand=lambda: 0.5)
            self.trackers[kind] = tracker
            self.reconcilers[kind] = CONTROLLERS.new_reconciler(served, tracker, shared)
        self._parents = tuning_keys(HYPERPARAMETER_TUNING_JOB.resource, self._by_name)

    def _by_name(self, value: str) -> list[ObjectKey]:
        objects = (self.tunings.peek(key) for key in self.tunings.keys())  # noqa: SIM118
        return [ObjectKey.of(obj) for obj in objects if obj and value in tuning_names(obj)]

    def run(self, seconds: float = 60.0, *, step_s: float = 1.0) -> None:
        """Let time pass; after a crash another process goes on."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            try:
                self._work()
            except Crash:
                self.crashes += 1
                self.restart()
            self.clock.advance(step_s)

    def _work(self) -> None:
        for _ in range(30):
            self._collect_garbage()
            due = self._due()
            if not due:
                break
            for kind, key in sorted(due):
                self._reconcile(kind, key)
        else:
            raise AssertionError(f"hot loop over {due}")
        for tracker in self.trackers.values():
            while tracker.step():
                pass

    def _reconcile(self, kind: str, key: ObjectKey) -> None:
        delay: float | None = None
        try:
            delay = self.reconcilers[kind].reconcile(key).requeue_after_s
        except (ClassifiedError, Terminal) as error:
            self.errors.append(error)
            if isinstance(error, ClassifiedError):
                delay = error.retry_after_s
                if delay is None:
                    delay = 0.2 if error.error_class is ErrorClass.CONFLICT else 1.0
        if delay is not None:
            self.later[kind, key] = self.clock.monotonic() + delay

    def _due(self) -> set[tuple[str, ObjectKey]]:
        due, self.woken = self.woken, set()
        stores = {"HyperparameterTuningJob": self.tunings, "TrainingJob": self.trainings}
        for kind, cluster in stores.items():
            known = {key for seen_kind, key in self.seen if seen_kind == kind}
            for key in {*cluster.keys(), *known}:
                obj, before = cluster.peek(key), self.seen.get((kind, key))
                version, old = ((each or {}).get("metadata", {}).get("resourceVersion") for each in (obj, before))
                if (kind, key) in self.seen and version == old:
                    continue
                due.add((kind, key))
                if kind == "TrainingJob" and (obj is None or obj["metadata"].get("deletionTimestamp")):
                    last = obj or before or {"metadata": {"name": key.name, "namespace": key.namespace}}
                    snapshot = SimpleNamespace(key=key, metadata=last["metadata"])
                    due |= {("HyperparameterTuningJob", parent) for parent in self._parents(snapshot)}  # type: ignore[arg-type]
                if obj is None:
                    del self.seen[kind, key]
                else:
                    self.seen[kind, key] = obj
        now = self.clock.monotonic()
        for each in [each for each, at in self.later.items() if at <= now]:
            del self.later[each]
            due.add(each)
        return due

    def _collect_garbage(self) -> None:
        """Delete the objects whose owner is gone, as kube-controller-manager does."""
        if not self.has_garbage_collector:
            return
        uids = {(self.tunings.peek(key) or {})["metadata"]["uid"] for key in self.tunings.keys()}  # noqa: SIM118
        for key in self.trainings.keys():  # noqa: SIM118
            metadata = (self.trainings.peek(key) or {})["metadata"]
            owners = [each["uid"] for each in metadata.get("ownerReferences") or ()]
            if owners and not uids & set(owners) and "deletionTimestamp" not in metadata:
                self.trainings.delete(key)

    # --- looking at the outcome

    @property
    def status(self) -> JsonObject:
        """Of the tuning job object."""
        status: JsonObject = (self.tunings.get(KEY) or {}).get("status", {})
        return status

    @property
    def name(self) -> str:
        """The tuning job's name at AWS."""
        name: str = (self.tunings.get(KEY) or {})["spec"]["hyperParameterTuningJobName"]
        return name

    def condition(self, type_: str) -> tuple[str, str] | None:
        """Status and reason of a condition of the tuning job object."""
        found = (each for each in self.status.get("conditions", ()) if each["type"] == type_)
        return next(((each["status"], each["reason"]) for each in found), None)

    def training(self, name: str) -> JsonObject:
        """The TrainingJob object of that name, empty where there is none."""
        return self.trainings.get(ObjectKey("default", name)) or {}

    def shown(self) -> dict[str, str]:
        """Status by name of all TrainingJob objects."""
        objects = [self.trainings.get(key) or {} for key in self.trainings.keys()]  # noqa: SIM118
        return {obj["metadata"]["name"]: obj.get("status", {}).get("trainingJobStatus", "") for obj in objects}

    def reasons(self) -> list[str]:
        """Reasons of all events, in order."""
        return [reason for _, reason in self.recorder.events]


__all__ = ["KEY", "AwsError", "TuningWorld", "manifest"]
