"""Queues of namespaces at the tracker: their news concern the targets of some credentials, and end with the queue."""

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.confidence import ConfidenceSettings
from controller.aws.polling.hints import Effect, Hint
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Identity, Target
from tests.fakes import FakeClock
from tests.fakes.calls import CallLog
from tests.fakes.sagemaker.arns import ACCOUNT
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.unit.aws.following import ended

EVENTS = "events"
REGION = "us-east-2"
A, B = (Identity(f"arn:aws:iam::{ACCOUNT}:role/{team}") for team in "ab")
"""Roles of one account: whatever happens in it is an event for both."""
NEEDED = ConfidenceSettings().needed
SETTINGS = PollSettings(poll_s=5.0, resync_s=36_000.0)


class Bench:
    """A tracker that follows jobs under both roles, and no queue yet."""

    def __init__(self, *everywhere: str) -> None:
        self.clock = FakeClock()
        self.log: CallLog = []
        self.aws = FakeJobs(TRAINING_JOB, self.clock, self.log)
        self.distrusted: list[str] = []
        self.registry = CollectorRegistry()
        self.tracker = Tracker(
            TRAINING_JOB,
            self.aws,
            self._reconcile,
            self.clock,
            TrackerMetrics(self.registry),
            SETTINGS,
            rand=lambda: 0.5,
            accelerators=everywhere,
            optional=[EVENTS],
            on_distrust=lambda source, region, reason: self.distrusted.append(reason),
        )

    def _reconcile(self, key: ObjectKey) -> None:
        ended(self.tracker, self.aws, target_of(A if key.namespace == "a" else B), key)

    def job(self, name: str, identity: Identity) -> None:
        """A job that exists; a namespace's object follows it."""
        self.aws.existing(name)
        self.tracker.follow(key_of(name, identity), target_of(identity), name, self.clock.utcnow())

    def event(self, name: str, *identities: Identity) -> Effect:
        """Deliver an event about the present state of a job, from a queue of these identities, or of all."""
        job = self.aws.jobs[REGION, name]
        self.tracker.heard(EVENTS, REGION, ACCOUNT, identities=identities)
        hint = Hint(job.name, job.value, job.secondary, job.modified, job.arn)
        return self.tracker.hint(EVENTS, REGION, ACCOUNT, hint, identities=identities)

    def end(self, name: str, *identities: Identity) -> None:
        """Let a job end, and its event arrive a second later."""
        self.aws.move(name, "Completed")
        self.clock.advance(1.0)
        self.event(name, *identities)

    def earn(self, identity: Identity) -> None:
        """Let a queue of an identity earn trust."""
        names = [f"earning-{identity.role[-1]}-{number}" for number in range(NEEDED)]
        for name in names:
            self.job(name, identity)
        self.run(10)
        for name in names:
            self.end(name, identity)
            self.run(2)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)

    def lists(self, seconds: float) -> int:
        """The number of Lists in the time to come."""
        self.log.clear()
        self.run(seconds)
        return self.aws.count("list")

    def is_followed(self, name: str, identity: Identity) -> bool:
        """Whether the end of a job has not been shown yet."""
        return self.tracker.last(key_of(name, identity)) is not None

    def sample(self, name: str, **labels: str) -> float | None:
        """A metric of events."""
        labels = {"source": EVENTS, "kind": "trainingjob", "region": REGION, **labels}
        return self.registry.get_sample_value(f"sagemaker_operator_accelerator_{name}", labels)


def key_of(name: str, identity: Identity) -> ObjectKey:
    """The key of the object of a job."""
    return ObjectKey(identity.role[-1], name)


def target_of(identity: Identity) -> Target:
    """Where the jobs of a team are."""
    return Target(REGION, identity=identity)


def test_an_event_concerns_only_the_targets_of_those_who_named_its_queue() -> None:
    """Whoever may write to the queue of a team must not make the operator call for others."""
    bench = Bench()
    bench.job("of-a", A)
    bench.job("of-b", B)
    bench.run(10)
    bench.log.clear()
    bench.aws.move("of-b", "Completed")
    assert bench.event("of-b", A) == "unfollowed"
    assert bench.log == []
    assert bench.event("of-b", A, B) == "change"
    assert bench.aws.calls == (("describe", "of-b"),)
    bench.end("of-a", A)
    assert not bench.is_followed("of-a", A)


@pytest.mark.parametrize(("queue", "is_described"), [(A, False), (B, True)], ids=["another team's", "its own"])
def test_an_event_that_was_early_concerns_no_other_targets_either(queue: Identity, is_described: bool) -> None:
    """A job may fail before its creation is recorded."""
    bench = Bench()
    bench.aws.existing("of-b", "Failed")
    assert bench.event("of-b", queue) == "unfollowed"
    bench.tracker.follow(key_of("of-b", B), target_of(B), "of-b", bench.clock.utcnow())
    bench.tracker.step()
    assert (bench.aws.count("describe") == 1) == is_described


def test_what_happens_to_the_queue_of_a_team_changes_nothing_for_others() -> None:
    """Each is trusted, and lost, for its own targets."""
    bench = Bench()
    bench.earn(A)
    bench.job("of-a", A)
    bench.job("of-b", B)
    bench.run(10)
    assert 10 <= bench.lists(60) <= 14, "those of the team without a queue"
    bench.tracker.failed(EVENTS, REGION, ACCOUNT, identities=[B])
    assert bench.lists(60) <= 14
    bench.tracker.failed(EVENTS, REGION, ACCOUNT, identities=[A])
    assert bench.distrusted == ["failed"]
    assert bench.lists(60) >= 20


def test_where_no_queue_is_no_change_is_missed() -> None:
    """Metrics say nothing of events, until the first one, or the first failure."""
    bench = Bench()
    for number in range(NEEDED):
        bench.job(f"job-{number}", A)
    bench.run(10)
    for number in range(NEEDED - 1):
        bench.aws.move(f"job-{number}", "Completed")
    bench.run(60)
    assert not bench.is_followed("job-0", A)
    assert bench.sample("trusted") is None
    bench.end(f"job-{NEEDED - 1}", A)
    assert bench.sample("trusted") == 0.0
    assert bench.sample("changes_total", outcome="missed") == 0.0


def test_a_queue_that_is_taken_away_leaves_an_operator_without_one() -> None:
    """At once, not with the first change that is missed; it is no fault of the queue, and nothing is reported."""
    bench = Bench()
    bench.earn(A)
    bench.job("of-a", A)
    bench.run(10)
    assert bench.lists(60) <= 2
    bench.tracker.withdraw(EVENTS, [A])
    assert 10 <= bench.lists(60) <= 14
    assert (bench.distrusted, bench.sample("trusted")) == ([], None)
    bench.aws.move("of-a", "Completed")
    bench.run(2 * SETTINGS.poll_s)
    assert not bench.is_followed("of-a", A)
    bench.earn(A)
    bench.job("again", A)
    bench.run(10)
    assert bench.lists(60) <= 2, "trust can be earned again"


def test_a_queue_of_the_operator_is_expected_to_announce_all_changes() -> None:
    """Also where a namespace's has been taken away: `--status-queue` stays."""
    bench = Bench(EVENTS)
    bench.job("of-a", A)
    bench.run(10)
    bench.tracker.withdraw(EVENTS, [A])
    bench.aws.move("of-a", "Completed")
    bench.run(60)
    assert bench.sample("changes_total", outcome="missed") == 1.0
