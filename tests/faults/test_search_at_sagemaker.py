"""The tracker's searches against the embedded SageMaker: signed requests, real records, its clock."""

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.limits.budgets import Budgets
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.search_state import SEARCH
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import SageMaker
from controller.aws.targets import Target
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.search import Flaws
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.server import RunningServer, start
from tests.unit.aws.following import ended

pytestmark = pytest.mark.long

LIVE = 210
LIFE = Durations(starting_s=5, downloading_s=5, training_s=680, uploading_s=5)
LIFE_S = 695.0
POLL_S = 5.0
REQUEST = {
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "OutputDataConfig": {"S3OutputPath": "s3://x"},
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
}


class Clock:
    """The server's time as a `Clock`."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def monotonic(self) -> float:
        """Seconds since the epoch."""
        return self._clock.now()

    def utcnow(self) -> datetime:
        """The same, as a date."""
        return datetime.fromtimestamp(self._clock.now(), UTC)


class Bench:
    """210 jobs that began three seconds apart, which a tracker follows and a reconciler describes when they end."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.clock, self.registry = Clock(server.clock), CollectorRegistry()
        clients = Clients(ClientSettings(version="9.9"), lambda target: boto3.Session("test", "test"))
        api = AwsApi(clients, Budgets(self.clock, self.registry), self.clock, self.registry)
        self.jobs = SageMaker(api)
        self.target = Target("us-east-2", server.url)
        self.late_s: dict[str, float] = {}
        """How much later than it happened the end of a job was seen."""
        self.tracker = Tracker(
            TRAINING_JOB,
            self.jobs,
            self.reconcile,
            self.clock,
            TrackerMetrics(self.registry),
            PollSettings(poll_s=POLL_S),
            rand=lambda: 0.5,
            accelerators=[SEARCH],
        )

    def reconcile(self, key: ObjectKey) -> None:
        """Describe the job where that is due, or where it is said to have ended; forget it when it has."""
        answer = ended(self.tracker, self.jobs, self.target, key)
        if answer is not None:
            self.late_s[key.name] = (self.clock.utcnow() - answer["LastModifiedTime"]).total_seconds()

    def create(self) -> None:
        """Create the jobs, three seconds apart, and let nothing be polled meanwhile."""
        for number in range(LIVE):
            name = f"job-{number}"
            self.jobs.create(TRAINING_JOB, self.target, {**REQUEST, "TrainingJobName": name}, caller=name)
            self.tracker.follow(ObjectKey("ns", name), self.target, name, self.clock.utcnow())
            self.server.clock.advance(3.0)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.server.clock.advance(1.0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with start(durations=LIFE, clock=SandboxClock.frozen()) as server:
        bench = Bench(server)
        bench.create()
        yield bench


def test_ends_show_at_once_with_few_lists(bench: Bench) -> None:
    """A sweep costs two or three pages here; while Search is trusted there is one a minute."""
    bench.run(LIFE_S - 3 * LIVE + 60)  # until twenty have ended
    bench.server.requests.reset()
    bench.late_s.clear()
    bench.run(120)
    assert len(bench.late_s) >= 38
    assert max(bench.late_s.values()) <= 2 * POLL_S
    assert bench.server.requests.count("ListTrainingJobs") <= 9
    assert bench.server.requests.count("Search") <= 26
    trusted = {"source": SEARCH, "kind": "trainingjob", "region": "us-east-2"}
    assert bench.registry.get_sample_value("sagemaker_operator_accelerator_trusted", trusted) == 1


def test_ends_show_as_without_search_where_it_lags(bench: Bench) -> None:
    """It is left alone, and sweeps show everything."""
    bench.server.search.flaws = Flaws(lag_s=90)
    bench.run(LIFE_S - 3 * LIVE + 60)
    bench.server.requests.reset()
    bench.run(120)
    assert len(bench.late_s) >= 58
    assert max(bench.late_s.values()) <= 2 * POLL_S
    assert bench.server.requests.count("Search") == 0, "dropped before"
