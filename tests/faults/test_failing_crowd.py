"""Three hundred objects of several kinds that AWS refuses for ever, with the real queues, workers' loop and budgets."""

import copy
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.errors import AwsError
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Target
from controller.runtime.controller import Controller
from controller.runtime.controller_metrics import ControllerMetrics
from controller.runtime.errors import ErrorClass
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.work_queue import WorkQueue
from tests.fakes.job_manifests import manifest_of
from tests.fakes.world import World
from tests.faults.hosting_world import manifest as deployment
from tests.faults.tuning_world import manifest as tuning_job

pytestmark = pytest.mark.long

JOBS = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
ERRORS = {
    "broken": AwsError(ErrorClass.RETRYABLE, "InternalFailure", "try again", ambiguous=True),
    "silent": AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True),
    "denied": AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform this"),
    "quota": AwsError(ErrorClass.QUOTA, "ResourceLimitExceeded", "the service limit is 0 instances"),
}
SPECS: Mapping[str, JsonObject] = {
    MODEL.kind: {
        "region": "us-east-2",
        "executionRoleArn": "arn:aws:iam::123456789012:role/r",
        "primaryContainer": {"image": "image"},
    },
    ENDPOINT_CONFIG.kind: {
        "region": "us-east-2",
        "productionVariants": [
            {"variantName": "a", "modelName": "m", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
        ],
    },
}
CROWD = 300
DEPLOYMENTS = 12


class Crowd(World):
    """A world whose objects are handed to the real worker loop; `refuses` is what AWS says to a Create."""

    def __init__(self) -> None:
        super().__init__(*JOBS, MODEL, ENDPOINT_CONFIG, HOSTING_DEPLOYMENT)
        registry = CollectorRegistry()
        metrics, queues = ControllerMetrics(registry), QueueMetrics(registry)
        self._budgets = Budgets(self.clock, registry, rand=lambda: 0.5)
        self.queues = {kind: WorkQueue[ObjectKey](kind, metrics=queues, clock=self.clock) for kind in self.reconcilers}
        self._controllers = {
            kind: Controller(kind, self.queues[kind], reconciler, metrics=metrics, clock=self.clock)
            for kind, reconciler in self.reconcilers.items()
        }
        self.creates: list[tuple[float, str]] = []
        self.is_down = True
        self._create = self.sagemaker.create
        self.sagemaker.create = self._limited_create  # type: ignore[method-assign]
        self.sagemaker.reserve = self._budgets.reserve  # type: ignore[method-assign, assignment]

    def fill(self) -> None:
        """Add the crowd: jobs, models, configurations and deployments, each refused in its own way."""
        kinds = (*JOBS, MODEL, ENDPOINT_CONFIG)
        for n in range(CROWD):
            kind = HOSTING_DEPLOYMENT if n < DEPLOYMENTS else kinds[n // len(ERRORS) % len(kinds)]
            self.add(f"{fault_of(n)}-{n}", kind)

    def add(self, name: str, descriptor: KindDescriptor) -> None:
        """Add an object; the first word of its name is what AWS does with it."""
        match descriptor.kind:
            case HOSTING_DEPLOYMENT.kind:
                obj = deployment()
            case HYPERPARAMETER_TUNING_JOB.kind:
                obj = tuning_job()
                obj["spec"]["hyperParameterTuningJobName"] = name  # else there is no room for it beside the uid
            case MODEL.kind | ENDPOINT_CONFIG.kind as kind:
                obj = {**copy.deepcopy(manifest_of(TRAINING_JOB)), "kind": kind, "spec": copy.deepcopy(SPECS[kind])}
            case _:
                obj = manifest_of(descriptor)
        obj["metadata"]["name"] = name
        self.clusters[descriptor.kind].apply(obj)

    def _limited_create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        operation, name = descriptor.operations.create, request[descriptor.name.member]
        self._budgets.admit(target, operation, caller, background=False)
        self.creates.append((self.clock.monotonic(), name))
        error = ERRORS.get(name.partition("-")[0]) if self.is_down else None
        if error is None:
            self._budgets.accepted(target, operation, caller)
            return self._create(descriptor, target, request, caller=caller)
        self._budgets.failed(target, operation, caller, is_answered=error.error_class is not ErrorClass.RETRYABLE)
        raise AwsError(error.error_class, error.code, error.message, ambiguous=error.ambiguous)

    def _work(self) -> bool:
        for _ in range(20):
            for kind, key in self._due():
                self.queues[kind].add(key)
            if not any(map(len, self.queues.values())):
                break
            for kind, queue in self.queues.items():
                for _ in range(len(queue)):
                    handed = queue.get()
                    assert handed is not None
                    self._controllers[kind].process(handed)
        for tracker in self.trackers.values():
            while tracker.step():
                pass
        return False


def fault_of(n: int) -> str:
    """How AWS refuses the nth object of the crowd."""
    return list(ERRORS)[n % len(ERRORS)]


@pytest.mark.early
def test_a_failing_crowd_costs_little_and_hinders_nobody(subtests: pytest.Subtests) -> None:
    """Three hundred objects that AWS refuses: few calls, few lines, one Warning each, and a quick recovery."""
    crowd = Crowd()
    crowd.fill()
    with capture_logs():
        crowd.run(300.0)

    begin, asked = crowd.clock.monotonic(), len(crowd.sagemaker.calls)
    with capture_logs() as logs:
        crowd.run(180.0)
    others = Counter(each.operation for each in crowd.sagemaker.calls[asked:])
    calls = Counter(name for at, name in crowd.creates if at >= begin)
    lines = Counter(each["event"] for each in logs if each["log_level"] != "debug")
    with subtests.test("after five minutes each object costs a call a minute at most"):
        assert len(calls) >= CROWD / 2
        assert max(calls.values()) <= 3
        assert not {each for each in others if not each.lower().startswith(("list", "search"))}, others
    with subtests.test("the log has less than 200 lines a minute"):
        assert lines.total() < 3 * 200, lines

    for descriptor in JOBS:
        crowd.add("well", descriptor)
    with capture_logs():
        crowd.run(5.0)
    with subtests.test("a new object is created within five seconds"):
        assert all(len(crowd.sagemaker.of(each).jobs) == 1 for each in JOBS)

    with capture_logs():
        crowd.run(300.0)
    warnings = Counter(reason for type_, reason in crowd.recorder.events if type_ == "Warning")
    with subtests.test("each object has one Warning"):
        assert warnings == {"CreationUnconfirmed": CROWD / 2, "AccessDenied": CROWD / 4, "QuotaExceeded": CROWD / 4}

    crowd.is_down = False
    begin = crowd.clock.monotonic()
    with capture_logs():
        crowd.run(125.0)
    tried = {"-".join(name.split("-")[:2]) for at, name in crowd.creates if at >= begin}
    passing = {f"{fault_of(n)}-{n}" for n in range(DEPLOYMENTS, CROWD) if fault_of(n) in {"broken", "silent"}}
    with subtests.test("what passes by itself recovers within a cap of two minutes"):
        assert passing <= tried
