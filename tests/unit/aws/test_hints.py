"""Events as an accelerator of polling: what a hint costs and shows, and when sweeps become rare (DESIGN 4.5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.confidence import ConfidenceSettings
from controller.aws.polling.hints import Effect, Hint, effect_of
from controller.aws.polling.poll_state import (
    HINTED_LOOKS_PER_S,
    LOOKS_PER_S,
    RECHECK_S,
    SETTLE_EVENT_S,
    SETTLE_POLLS,
    PollSettings,
)
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Identity, Target
from controller.runtime.errors import Absent
from tests.fakes import FakeClock
from tests.fakes.calls import CallLog
from tests.fakes.sagemaker.arns import ACCOUNT
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.tables import each_row
from tests.unit.aws.following import ended

HERE = Target("us-east-2")
EVENTS = "events"
CONFIDENCE = ConfidenceSettings()
SETTINGS = PollSettings(poll_s=5.0, resync_s=36_000.0)


class Bench:
    """A tracker over the in-memory SageMaker, a reconciler that describes what is due, and events of every change."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log: CallLog = []
        self.aws = FakeJobs(TRAINING_JOB, self.clock, self.log)
        self.woken: list[str] = []
        self.registry = CollectorRegistry()
        self.distrusted: list[tuple[str, str, str]] = []
        self.tracker = Tracker(
            TRAINING_JOB,
            self.aws,
            self.reconcile,
            self.clock,
            TrackerMetrics(self.registry),
            SETTINGS,
            rand=lambda: 0.5,
            accelerators=[EVENTS],
            on_distrust=lambda *what: self.distrusted.append(what),
        )

    def reconcile(self, key: ObjectKey) -> None:
        """Describe the job where that is due, or where it is said to have ended; forget it when it has."""
        self.woken.append(key.name)
        ended(self.tracker, self.aws, HERE, key)

    def job(self, name: str) -> None:
        """A job that exists and is followed."""
        self.aws.existing(name)
        self.tracker.follow(ObjectKey("ns", name), HERE, name, self.clock.utcnow())

    def event(self, name: str, **changes: Any) -> Effect:
        """Deliver an event with the state that the job has now."""
        job = self.aws.jobs["us-east-2", name]
        hint = Hint(job.name, job.value, job.secondary, job.modified, job.arn)
        return self.hint(replace(hint, **changes))

    def hint(self, hint: Hint, account: str = ACCOUNT) -> Effect:
        """Deliver any hint."""
        return self.tracker.hint(EVENTS, "us-east-2", account, hint)

    def end(self, name: str, value: str = "Completed") -> None:
        """Let a job end, and its event arrive a second later."""
        self.aws.move(name, value)
        self.clock.advance(1.0)
        self.event(name)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)

    def earn(self) -> None:
        """Earn the trust that makes sweeps rare: jobs that end as they were announced."""
        for number in range(CONFIDENCE.needed):
            self.job(f"earning-{number}")
        self.run(10)
        for number in range(CONFIDENCE.needed):
            self.end(f"earning-{number}")
            self.run(2)
        self.log.clear()
        self.woken.clear()

    def status(self, name: str) -> tuple[str | None, str | None]:
        """The state and the secondary one that are shown."""
        seen = self.tracker.last(ObjectKey("ns", name))
        shown = (seen.summary if seen else None) or {}
        return shown.get("TrainingJobStatus"), shown.get("TrainingJobStatus") and shown.get("SecondaryStatus")

    def metric(self, name: str, **labels: str) -> float | None:
        """A sample of the events of this kind and region."""
        labels = {"source": EVENTS, "kind": "trainingjob", "region": "us-east-2", **labels}
        return self.registry.get_sample_value(f"sagemaker_operator_accelerator_{name}", labels)


# --- what a hint does


def test_an_end_is_described_as_soon_as_it_is_announced() -> None:
    """Without waiting for a sweep, and only AWS's answer counts."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.log.clear()
    bench.end("a")
    assert bench.aws.calls == (("describe", "a"),)
    assert bench.tracker.last(ObjectKey("ns", "a")) is None


def test_progress_is_shown_without_a_call() -> None:
    """A job's life costs one Describe, at its end."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.log.clear()
    bench.woken.clear()
    bench.aws.move("a", "InProgress", "Training")
    assert bench.event("a") == "progress"
    bench.run(SETTLE_EVENT_S)
    assert bench.woken == []
    bench.run(2)
    assert bench.woken == ["a"]
    assert bench.status("a") == ("InProgress", "Training")
    assert bench.aws.count("describe") == 0


@pytest.mark.parametrize("by", ["event", "description"])
def test_progress_wakes_threads_that_wait_for_a_sweep_after_it_has_settled(
    monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Where sweeps are rare, nothing else would have it shown in time."""
    bench, woken = Bench(), []
    bench.job("a")
    bench.run(30)
    bench.aws.move("a", "InProgress", "Training")
    now = bench.clock.monotonic()
    bench.tracker._pollers[HERE].state._sweep_at = now + 180
    bench.tracker._waits[1] = now + 180
    monkeypatch.setattr(bench.tracker._changed, "notify_all", lambda: woken.append(None))
    if by == "event":
        bench.event("a")
    else:
        summary = bench.aws.describe(TRAINING_JOB, HERE, "a", caller="", background=False)
        assert not isinstance(summary, Absent)
        bench.tracker.described(ObjectKey("ns", "a"), summary)

    assert len(woken) == 1
    assert bench.tracker.due_at == now + (SETTLE_EVENT_S if by == "event" else SETTLE_POLLS * SETTINGS.poll_s)


def test_states_that_follow_each_other_at_once_are_shown_as_one() -> None:
    """And an event brings forward what a description has let wait for the next sweep."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.woken.clear()
    bench.aws.move("a", "InProgress", "Downloading")
    summary = bench.aws.describe(TRAINING_JOB, HERE, "a", caller="", background=False)
    assert not isinstance(summary, Absent)
    bench.tracker.described(ObjectKey("ns", "a"), summary)
    bench.aws.move("a", "InProgress", "Training")
    assert bench.event("a") == "progress"
    bench.run(1)
    bench.aws.move("a", "InProgress", "Uploading")
    assert bench.event("a") == "progress"
    bench.run(SETTLE_POLLS * SETTINGS.poll_s)
    assert bench.woken == ["a"]
    assert bench.status("a") == ("InProgress", "Uploading")


def test_a_forged_end_is_not_believed() -> None:
    """The API says otherwise: a few Describes, in case it lags, and the job is shown as before."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.log.clear()
    assert bench.event("a", status="Failed", modified=bench.clock.utcnow()) == "change"
    bench.run(RECHECK_S * 10)
    assert bench.aws.count("describe") == 3
    assert bench.status("a") == ("InProgress", "Starting")


def test_an_end_that_describe_does_not_know_yet_is_looked_for_again() -> None:
    """Events may be ahead of the API's replicas."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.event("a", status="Completed", modified=bench.clock.utcnow())
    assert bench.status("a") == ("InProgress", "Starting")
    bench.aws.move("a", "Completed")
    bench.clock.advance(RECHECK_S)
    bench.log.clear()
    bench.tracker.step()
    assert bench.aws.calls[:1] == (("describe", "a"),)


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "Failed"])
def test_what_is_older_than_what_is_known_costs_nothing(status: str) -> None:
    """Replayed and reordered messages: ten thousand of them wake no key and cause no call."""
    bench = Bench()
    bench.job("a")
    bench.clock.advance(60)
    bench.aws.move("a", "InProgress", "Training")
    bench.run(30)
    bench.log.clear()
    bench.woken.clear()
    old = bench.clock.utcnow() - timedelta(seconds=60)
    for number in range(10_000):
        assert bench.event("a", status=status, modified=old - timedelta(seconds=number)) == "stale"
    assert (bench.aws.calls, bench.woken) == ((), [])


def test_repeated_messages_cost_one_call() -> None:
    """At least once is what AWS promises."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.log.clear()
    bench.aws.move("a", "Stopping")
    assert [bench.event("a") for _ in range(1_000)] == ["change"] + ["known"] * 999
    assert bench.aws.calls == (("describe", "a"),)


def test_messages_about_others_leave_nothing_behind_but_the_last_thousand() -> None:
    """An account may run far more than this cluster does."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.log.clear()
    foreign = [Hint(f"foreign-{n}", "Completed", "", bench.clock.utcnow()) for n in range(10_000)]
    assert {bench.hint(hint) for hint in foreign} == {"unfollowed"}
    assert bench.aws.calls == ()
    assert len(bench.tracker._unfollowed) == 1024


def test_a_job_of_that_name_in_another_account_is_not_meant() -> None:
    """Once an answer has shown whose account the jobs are in."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    hint = Hint("a", "Failed", "", bench.clock.utcnow())
    assert bench.hint(hint, account="210987654321") == "unfollowed"
    assert bench.hint(hint) == "change"


def test_a_role_says_which_account_is_meant() -> None:
    """Before any answer has."""
    bench = Bench()
    role = Identity(role="arn:aws:iam::210987654321:role/team")
    bench.tracker.follow(ObjectKey("ns", "a"), Target("us-east-2", identity=role), "a", bench.clock.utcnow())
    hint = Hint("a", "Failed", "", bench.clock.utcnow())
    assert bench.hint(hint) == "unfollowed"
    assert bench.hint(hint, account="210987654321") == "change"


def test_the_arn_decides_before_the_name() -> None:
    """The two were seen to differ in events, and ARNs are spelled in lower case."""
    bench = Bench()
    bench.job("a")
    bench.job("B")
    bench.run(30)
    bench.log.clear()
    arn = bench.aws.jobs["us-east-2", "B"].arn.lower()
    bench.hint(Hint("a", "Failed", "", bench.clock.utcnow(), arn))
    assert bench.aws.calls == (("describe", "B"),)


def test_an_end_that_is_announced_before_the_job_is_followed_is_not_lost() -> None:
    """A job may fail before its creation is recorded."""
    bench = Bench()
    bench.earn()
    bench.aws.existing("quick")
    created = bench.clock.utcnow()
    bench.aws.move("quick", "Failed")
    bench.event("quick")
    bench.tracker.follow(ObjectKey("ns", "quick"), HERE, "quick", created)
    bench.run(2)
    assert bench.aws.count("describe") == 1
    assert bench.woken == ["quick"]


def test_a_flood_of_forged_ends_is_described_at_the_pace_of_polling() -> None:
    """Nothing has confirmed that what this queue says is true."""
    bench = Bench()
    for number in range(1_000):
        bench.job(f"job-{number}")
    bench.run(30)
    bench.log.clear()
    for number in range(1_000):
        bench.event(f"job-{number}", status="Failed", modified=bench.clock.utcnow())
    bench.run(60)
    assert bench.aws.count("describe") <= 60 * LOOKS_PER_S + 1


def test_a_burst_of_ends_is_described_at_once_while_events_are_trusted() -> None:
    """No slower than sweeps would have found them: the budgets of calls limit it, further down."""
    bench = Bench()
    bench.earn()
    for number in range(500):
        bench.job(f"job-{number}")
    bench.run(10)
    for number in range(500):
        bench.aws.move(f"job-{number}", "Completed")
    bench.log.clear()
    for number in range(500):
        bench.event(f"job-{number}")
    bench.run(500 / HINTED_LOOKS_PER_S + 1)
    assert bench.aws.count("describe") == 500


# --- how rare sweeps are


def test_sweeps_are_a_safety_net_while_events_announce_every_change() -> None:
    """Ten jobs end within the hour, each within a second of its event, at one List in three minutes."""
    bench = Bench()
    bench.earn()
    for number in range(10):
        bench.job(f"job-{number}")
    for number in range(10):
        bench.run(300)
        bench.tracker.heard(EVENTS, "us-east-2", ACCOUNT)
        bench.end(f"job-{number}")
        assert bench.tracker.last(ObjectKey("ns", f"job-{number}")) is None
    assert 3_000 / SETTINGS.safety_s - 3 <= bench.aws.count("list") <= 3_000 / SETTINGS.safety_s + 3
    assert bench.metric("trusted") == 1
    assert bench.metric("changes_total", outcome="confirmed") == 13


def test_a_change_that_no_event_announced_brings_sweeps_back() -> None:
    """The rule is gone while the queue still answers: one change is late, the next one is not."""
    bench = Bench()
    bench.earn()
    for number in range(2):
        bench.job(f"job-{number}")
    bench.run(300)
    bench.aws.move("job-0", "Completed")
    bench.run(SETTINGS.safety_s + CONFIDENCE.grace_s + 10)
    assert bench.tracker.last(ObjectKey("ns", "job-0")) is None
    bench.aws.move("job-1", "Completed")
    bench.run(SETTINGS.poll_s * 2)
    assert bench.tracker.last(ObjectKey("ns", "job-1")) is None
    assert bench.metric("trusted") == 0
    assert bench.metric("changes_total", outcome="missed") == 1
    assert bench.distrusted == [(EVENTS, "us-east-2", "missed")]


@pytest.mark.parametrize("is_denied", [True, False], ids=["the queue is denied", "the queue is silent"])
def test_a_queue_that_delivers_nothing_brings_sweeps_back(is_denied: bool) -> None:
    """At once where it says so, else after the time for which silence is nothing unusual."""
    bench = Bench()
    bench.earn()
    bench.job("a")
    bench.run(60)
    if is_denied:
        bench.tracker.failed(EVENTS, "us-east-2", ACCOUNT)
    else:
        bench.run(CONFIDENCE.heard_s + SETTINGS.safety_s)
    bench.log.clear()
    bench.run(60)
    assert bench.aws.count("list") >= 9
    assert bench.distrusted == [(EVENTS, "us-east-2", "failed" if is_denied else "silent")]
    bench.tracker.heard(EVENTS, "us-east-2", ACCOUNT)
    bench.run(10)
    bench.log.clear()
    bench.run(600)
    assert bench.aws.count("list") <= 5


def test_a_queue_that_fails_again_as_soon_as_it_was_heard_is_reported_again() -> None:
    """No page is read, and no job described, in between."""
    bench = Bench()
    bench.earn()
    bench.job("a")
    for _ in range(2):
        bench.tracker.failed(EVENTS, "us-east-2", ACCOUNT)
        bench.tracker.heard(EVENTS, "us-east-2", ACCOUNT)
    assert bench.distrusted == [(EVENTS, "us-east-2", "failed")] * 2


def test_trust_that_is_earned_by_late_events_of_ended_jobs_is_missed_as_any_other() -> None:
    """A sweep found the ends first, and nothing is followed any more when their events arrive."""
    bench = Bench()
    for number in range(CONFIDENCE.needed):
        bench.job(f"job-{number}")
    bench.run(10)
    for number in range(CONFIDENCE.needed):
        bench.aws.move(f"job-{number}", "Completed")
    bench.run(10)
    for number in range(CONFIDENCE.needed):
        assert bench.event(f"job-{number}") == "unfollowed"
    assert bench.metric("trusted") == 1
    bench.tracker.failed(EVENTS, "us-east-2", ACCOUNT)
    assert bench.distrusted == [(EVENTS, "us-east-2", "failed")]


def test_trust_that_a_describe_has_just_earned_is_not_lost_unseen() -> None:
    """No page is read between the Describe that confirms the last announcement and the failure of the queue."""
    bench = Bench()
    names = [f"earning-{number}" for number in range(CONFIDENCE.needed)]
    for name in names:
        bench.job(name)
    bench.run(10)
    for name in names:
        bench.end(name)
    assert bench.metric("trusted") == 1
    bench.tracker.failed(EVENTS, "us-east-2", ACCOUNT)
    assert bench.metric("trusted") == 0
    assert bench.distrusted == [(EVENTS, "us-east-2", "failed")]


def test_a_queue_that_fails_while_no_job_is_followed_is_not_trusted_with_the_next_one() -> None:
    """Until it is heard again: what would have been announced meanwhile was not."""
    bench = Bench()
    bench.earn()
    bench.run(60)
    bench.tracker.failed(EVENTS, "us-east-2", ACCOUNT)
    assert bench.distrusted == [(EVENTS, "us-east-2", "failed")]
    bench.job("a")
    bench.run(60)
    assert bench.aws.count("list") >= 9


def test_an_old_job_costs_no_describe_in_each_interval_while_events_are_trusted() -> None:
    """What stands too far down for sweeps is described as rarely as sweeps are made."""
    bench = Bench()
    bench.aws.page_size = 2
    bench.job("old")
    bench.clock.advance(86_400)
    for number in range(50):
        bench.aws.existing(f"foreign-{number}")
    bench.clock.advance(3_600)
    bench.earn()
    bench.run(300)
    bench.log.clear()
    bench.run(600)
    assert bench.aws.count("describe") <= 5
    bench.log.clear()
    bench.end("old")
    assert bench.aws.calls == (("describe", "old"),)


# --- the decision


NOW = datetime(2026, 5, 1, 12, 0, 0, 123_000, tzinfo=UTC)


@each_row(
    ("hint", "known", "effect"),
    [
        (("Completed", "Completed", 0.0), ("InProgress", "Training", -60.0), "change"),
        (("InProgress", "Uploading", 0.0), ("InProgress", "Training", -60.0), "progress"),
        (("InProgress", "Training", 0.0), ("InProgress", "Training", 0.0), "known"),
        (("InProgress", "", 0.0), ("InProgress", "Training", 0.0), "known"),
        (("InProgress", "Training", 0.0), ("Completed", "Completed", 60.0), "stale"),
        (("Completed", "Completed", -0.1), ("InProgress", "Uploading", 0.0), "change"),
        (("InProgress", "Starting", 0.0), None, "progress"),
        (("InProgress", "", 0.0), None, "known"),
        (("Failed", "Failed", 0.0), None, "change"),
    ],
)
def test_the_effect_of_a_hint(hint: tuple[str, str, float], known: tuple[str, str, float] | None, effect: str) -> None:
    """By state and time; within one second no order is known."""
    status, secondary, at = known or (None, "", 0.0)
    modified = NOW + timedelta(seconds=at) if known else None
    given = Hint("a", hint[0], hint[1], NOW + timedelta(seconds=hint[2]))
    assert effect_of(given, status=status, secondary=secondary, modified=modified, earlier=None) == effect


@pytest.mark.parametrize(
    ("at_s", "shown", "shown_at_s", "effect"),
    [
        (30.0, "Updating", 20.0, "change"),
        (10.0, "Creating", 0.0, "known"),
        (30.0, "Creating", 0.0, "known"),
        (30.0, "InService", 20.0, "known"),
        (9.0, "Updating", 20.0, "stale"),
    ],
    ids=["reached again", "sent again", "sent again with another time", "shown", "of before"],
)
def test_a_state_that_is_reached_again_is_a_change(at_s: float, shown: str, shown_at_s: float, effect: str) -> None:
    """An endpoint is in service, updates, and is in service again; that it updates, a Describe has shown."""
    earlier = Hint("a", "InService", "", NOW + timedelta(seconds=10))
    given, modified = Hint("a", "InService", "", NOW + timedelta(seconds=at_s)), NOW + timedelta(seconds=shown_at_s)
    assert effect_of(given, status=shown, secondary="", modified=modified, earlier=earlier) == effect


def test_a_hint_is_shown_before_any_answer_if_its_arn_is_that_of_the_job() -> None:
    """Objects record the ARN that they are shown: a forged one must not come in that way."""
    bench = Bench()
    bench.aws.existing("a")
    bench.tracker.follow(ObjectKey("ns", "a"), HERE, "a", bench.clock.utcnow())
    assert bench.event("a", secondary="Downloading", arn="") == "progress"
    assert bench.status("a") == (None, None)
    bench.clock.advance(1)
    later = bench.clock.utcnow()
    assert bench.event("a", secondary="Training", modified=later) == "progress"
    assert bench.status("a") == ("InProgress", "Training")
    seen = bench.tracker.last(ObjectKey("ns", "a"))
    assert seen is not None
    assert seen.summary is not None
    assert seen.summary["TrainingJobArn"] == bench.aws.jobs["us-east-2", "a"].arn


def test_an_end_that_a_sweep_found_a_moment_before_its_event_is_no_miss() -> None:
    """Not even of the last job, behind which nothing is followed any more."""
    bench = Bench()
    for number in range(CONFIDENCE.needed):
        bench.job(f"job-{number}")
        bench.run(10)
        bench.aws.move(f"job-{number}", "Completed")
        bench.run(10)
        assert bench.tracker.last(ObjectKey("ns", f"job-{number}")) is None
        assert bench.event(f"job-{number}") == "unfollowed"
    bench.run(60)
    assert bench.metric("trusted") == 1
    assert bench.metric("changes_total", outcome="late") == CONFIDENCE.needed
