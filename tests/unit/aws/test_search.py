"""SageMaker's Search as an accelerator of polling: what it saves while it is right, and costs when it is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.errors import BUDGET_EXHAUSTED, AwsError, CallError
from controller.aws.polling.poll_state import (
    LOOKS_PER_S,
    PROOFS,
    SAFETY_PAGES_PER_S,
    SEARCHED_SAFETY_S,
    SEARCHES_PER_INTERVAL,
    PollSettings,
)
from controller.aws.polling.search_state import GRACE_S, MOST_PAGES, REST_S, SEARCH
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.fakes import FakeClock
from tests.fakes.calls import CallLog
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.tables import each_row
from tests.unit.aws.following import ended

pytestmark = pytest.mark.long

HERE = Target("us-east-2")
POLL_S = 5.0
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")
NOT_OUR_TURN = AwsError(ErrorClass.THROTTLED, BUDGET_EXHAUSTED, "", retry_after_s=1.0)
THROTTLED = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
UNKNOWN = AwsError(ErrorClass.INVALID, "UnknownOperationException", "what")
BROKEN = AwsError(ErrorClass.RETRYABLE, "InternalFailure", "500")


class Bench:
    """A tracker with Search over the in-memory SageMaker, and a reconciler that describes what is due or has ended."""

    def __init__(self, page_size: int = 100) -> None:
        self.clock = FakeClock()
        self.log: CallLog = []
        self.aws = FakeJobs(TRAINING_JOB, self.clock, self.log)
        self.aws.page_size = page_size
        self.woken: list[str] = []
        self.shown: dict[str, float] = {}
        """When the end of a job was seen, by name."""
        self.registry = CollectorRegistry()
        self.tracker = Tracker(
            TRAINING_JOB,
            self.aws,
            self.reconcile,
            self.clock,
            TrackerMetrics(self.registry),
            PollSettings(poll_s=POLL_S, resync_s=36_000.0),
            rand=lambda: 0.5,
            accelerators=[SEARCH],
        )

    def reconcile(self, key: ObjectKey) -> None:
        """Describe the job where that is due, or where it is said to have ended; forget it when it has."""
        self.woken.append(key.name)
        if ended(self.tracker, self.aws, HERE, key) is not None:
            self.shown[key.name] = self.clock.monotonic()

    def jobs(self, count: int, prefix: str = "job") -> list[str]:
        """Jobs that exist and are followed; returns their names."""
        names = [f"{prefix}-{number}" for number in range(count)]
        for name in names:
            self.clock.advance(0.001)
            self.aws.existing(name)
            self.tracker.follow(ObjectKey("ns", name), HERE, name, self.clock.utcnow())
        return names

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)

    def earn(self, *, ends: int = 12) -> None:
        """Let jobs end until Search is trusted."""
        for name in self.jobs(ends, "earning"):
            self.run(7)
            self.aws.move(name, "Completed")
        self.run(20)
        assert self.metric("accelerator_trusted") == 1
        self.log.clear()
        self.woken.clear()

    def end(self, name: str) -> float:
        """Let a job end; returns the time."""
        self.aws.move(name, "Completed")
        return self.clock.monotonic()

    def calls_in(self, seconds: float) -> dict[str, int]:
        """Let time pass; returns the number of calls by operation."""
        self.log.clear()
        self.run(seconds)
        return {operation: self.aws.count(operation) for operation in ("list", "search", "describe")}

    def metric(self, name: str, **labels: str) -> float | None:
        """A sample of Search for this kind and region."""
        base = {"source": SEARCH, "kind": "trainingjob", "region": "us-east-2"}
        return self.registry.get_sample_value(f"sagemaker_operator_{name}", {**base, **labels})


@pytest.fixture
def bench() -> Bench:
    """A hundred jobs at ten a page: a sweep costs ten calls."""
    bench = Bench(page_size=10)
    bench.jobs(100)
    bench.run(60)
    return bench


# --- what it saves


def test_sweeps_are_rare_while_search_is_right(bench: Bench) -> None:
    """Three searches an interval where sweeps are long, and a sweep as a safety net."""
    assert bench.calls_in(60)["list"] >= 100
    bench.earn()
    calls = bench.calls_in(600)
    assert 250 <= calls["search"] <= 600 / POLL_S * SEARCHES_PER_INTERVAL + 10
    assert calls["list"] <= 600 / SEARCHED_SAFETY_S * 11 + 10
    assert calls["describe"] <= 600 / 60 + 1, "a look at the most silent job a minute"


def test_searches_stay_frequent_while_a_sweep_waits_for_its_turn(bench: Bench) -> None:
    """A sweep that has begun and read no page says nothing of how long sweeps are."""
    bench.earn()
    bench.aws.always = lambda operation: NOT_OUR_TURN if operation == "list" else None
    bench.run(SEARCHED_SAFETY_S + POLL_S)
    assert bench.calls_in(60)["search"] >= 25, "one an interval would be 12"


def test_where_sweeps_are_short_a_search_an_interval_is_enough() -> None:
    """Two pages show as much within the interval."""
    bench = Bench(page_size=10)
    bench.jobs(20)
    bench.run(60)
    bench.earn()
    assert 100 <= bench.calls_in(600)["search"] <= 125


def test_an_end_shows_within_two_intervals_while_sweeps_are_rare(bench: Bench) -> None:
    """That is what Search is for."""
    bench.earn()
    delays = []
    for number in range(0, 100, 10):
        bench.run(7)
        ended_at = bench.end(f"job-{number}")
        bench.run(2 * POLL_S + 1)
        delays.append(bench.shown[f"job-{number}"] - ended_at)
    assert max(delays) <= 2 * POLL_S


def test_the_first_ends_of_a_burst_earn_trust_at_once(bench: Bench) -> None:
    """Each has to be described in any case; two a second would take 30 seconds."""
    bench.log.clear()
    ended = {f"job-{number}": bench.end(f"job-{number}") for number in range(60)}
    bench.run(2 * POLL_S)
    assert max(bench.shown[name] - at for name, at in ended.items()) <= 2 * POLL_S
    assert bench.metric("accelerator_trusted") == 1
    assert bench.aws.count("describe") <= 60 + 1


def test_ends_that_describe_does_not_confirm_cost_ten_describes_and_then_the_budget(bench: Bench) -> None:
    """They earn nothing."""
    original = bench.aws.search_page

    def all_ended(descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        found = original(descriptor, target, next_token=next_token)
        changes = {"TrainingJobStatus": "Failed", "LastModifiedTime": bench.clock.utcnow()}
        return Page(tuple({**each, **changes} for each in found.items), found.next_token)

    bench.aws.search_page = all_ended  # type: ignore[method-assign]
    assert bench.calls_in(20)["describe"] <= PROOFS + 20 * LOOKS_PER_S + 1


def test_progress_shows_without_a_describe(bench: Bench) -> None:
    """A record is as good as a summary."""
    bench.earn()
    bench.aws.move("job-7", "InProgress", "Training")
    bench.run(15)
    seen = bench.tracker.last(ObjectKey("ns", "job-7"))
    assert seen is not None
    assert seen.summary is not None
    assert (seen.summary["SecondaryStatus"], seen.is_describe_due) == ("Training", False)
    assert bench.woken == ["job-7"]
    assert bench.aws.count("describe") == 0


@pytest.mark.parametrize("pages", [50, 100])
def test_thousands_of_live_jobs_cost_few_lists_and_their_ends_show_at_once(pages: int) -> None:
    """5,000 and 10,000 jobs are 50 and 100 pages: at most 0.3 Lists a second, and an end within two intervals."""
    bench, count = Bench(page_size=5), 5 * pages  # small pages: their number is what costs
    bench.jobs(count)
    bench.run(60)
    bench.earn()
    ended: dict[str, float] = {}
    elapsed_s = 4 * pages / SAFETY_PAGES_PER_S
    bench.log.clear()
    for number in range(0, count, count // 10):
        ended[f"job-{number}"] = bench.end(f"job-{number}")
        bench.run(elapsed_s / 10)
    late = [name for name, at in ended.items() if bench.shown.get(name, float("inf")) - at > 2 * POLL_S]
    assert late == []
    assert bench.aws.count("list") <= 0.3 * elapsed_s + pages, "one sweep more, that began before"


def test_a_job_that_sweeps_do_not_reach_is_described_rarely_while_search_is_right() -> None:
    """One old job among many newer ones of others: its changes show by Search."""
    bench = Bench(page_size=10)
    bench.jobs(1, "old")
    bench.clock.advance(86_400)
    for number in range(500):
        bench.aws.existing(f"foreign-{number}")
    bench.clock.advance(3_600)
    bench.jobs(3)
    bench.run(30)
    assert bench.calls_in(60)["describe"] >= 10
    bench.earn()
    assert bench.calls_in(120)["describe"] <= 4
    ended_at = bench.end("old-0")
    bench.run(11)
    assert bench.shown["old-0"] - ended_at <= 2 * POLL_S


def test_where_a_sweep_is_one_page_there_is_no_search() -> None:
    """Nothing to gain: a List an interval shows everything."""
    bench = Bench()
    bench.jobs(90)
    assert bench.calls_in(120)["search"] == 0


def test_searches_end_with_the_jobs_that_made_sweeps_costly(bench: Bench) -> None:
    """And come back with them."""
    bench.earn()
    bench.jobs(3, "last")
    for number in range(100):
        bench.end(f"job-{number}")
        if number % 10 == 9:
            bench.run(5)
    bench.run(2 * SEARCHED_SAFETY_S)
    assert len(bench.shown) == 100 + 12
    calls = bench.calls_in(60)
    assert (calls["search"], calls["list"]) == (0, pytest.approx(12, abs=2))
    bench.jobs(100, "more")
    bench.run(20)
    assert bench.calls_in(60)["search"] >= 11


def test_long_sweeps_are_rarer() -> None:
    """A safety net of many pages would be a burden of its own."""
    bench = Bench(page_size=10)
    bench.jobs(400)
    bench.run(60)
    bench.earn()
    assert bench.calls_in(1_000)["list"] <= 1_000 * SAFETY_PAGES_PER_S + 40


# --- how far a round reads


def test_a_burst_is_read_to_its_end(bench: Bench) -> None:
    """More changes than a page holds: the next pages are read at once."""
    bench.earn()
    ended = {f"job-{number}": bench.end(f"job-{number}") for number in range(60)}
    bench.run(2 * POLL_S + 1)
    assert max(bench.shown[name] - at for name, at in ended.items()) <= 2 * POLL_S
    rounds = (2 * POLL_S + 1) / POLL_S * SEARCHES_PER_INTERVAL + 1
    assert bench.aws.count("search") <= rounds * 7, "in each round, for the overlap"


def test_what_a_round_cannot_read_is_left_to_a_sweep_at_once() -> None:
    """A round is bounded: the changes of others may be any number."""
    bench = Bench(page_size=10)
    bench.jobs(200)
    bench.run(60)
    bench.earn()
    ended = {f"job-{number}": bench.end(f"job-{number}") for number in range(30)}
    bench.clock.advance(1)
    for number in range(20 * MOST_PAGES):
        bench.aws.existing(f"foreign-{number}")
    bench.run(2 * POLL_S)
    assert bench.aws.count("list") >= 20
    bench.run(SEARCHED_SAFETY_S)
    assert set(ended) <= set(bench.shown)


def test_a_token_that_is_repeated_for_ever_ends_the_round(bench: Bench) -> None:
    """A server that pages in circles costs a bounded number of calls an interval."""
    bench.earn()
    first = bench.aws.search_page

    def in_circles(descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        return Page(first(descriptor, target, next_token="").items[:1], "again")

    bench.aws.search_page = in_circles  # type: ignore[method-assign]
    bench.aws.move("job-1", "InProgress", "Training")
    assert bench.calls_in(60)["search"] <= 13 * MOST_PAGES
    ended_at = bench.end("job-2")
    bench.run(60)
    assert bench.shown["job-2"] - ended_at <= SEARCHED_SAFETY_S


# --- when it is wrong


def lagging(bench: Bench) -> None:
    """Changes show 75 s late."""
    bench.aws.search_lag_s = 75.0


def stuck(bench: Bench) -> None:
    """Nothing new shows."""
    bench.aws.search_lag_s = 1e6


def gapped(bench: Bench) -> None:
    """Every third job never shows."""
    bench.aws.is_searchable = lambda job: int(job.name.rpartition("-")[2]) % 3 != 0


def refusing(error: CallError) -> Callable[[Bench], None]:
    """Every search fails."""

    def refuse(bench: Bench) -> None:
        bench.aws.always = lambda operation: error if operation == "search" else None

    return refuse


FLAWS = [
    pytest.param(lagging, id="lagging"),
    pytest.param(stuck, id="stuck"),
    pytest.param(gapped, id="gapped"),
    pytest.param(refusing(DENIED), id="denied"),
    pytest.param(refusing(THROTTLED), id="throttled"),
    pytest.param(refusing(UNKNOWN), id="unknown"),
    pytest.param(refusing(BROKEN), id="broken"),
]


@each_row("flaw", FLAWS)
def test_a_search_that_is_wrong_from_the_start_is_never_relied_on(flaw: Callable[[Bench], None]) -> None:
    """Each end shows as without Search, and Search is left alone after a while."""
    bench = Bench(page_size=15)
    flaw(bench)
    bench.jobs(150)
    bench.run(60)
    for number in range(0, 120, 3):
        ended_at = bench.end(f"job-{number}")
        bench.run(11)
        assert bench.shown[f"job-{number}"] - ended_at <= 2 * POLL_S
        assert bench.metric("accelerator_trusted") == 0
    assert bench.calls_in(120)["search"] <= 4


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_search_that_becomes_wrong_is_dropped_with_the_first_sweep_that_shows_it(
    bench: Bench, flaw: Callable[[Bench], None]
) -> None:
    """It costs one interval of the safety net, once; then each end shows as without Search."""
    bench.earn()
    flaw(bench)
    ended_at = bench.end("job-0")
    bench.run(SEARCHED_SAFETY_S + 11)
    assert bench.shown["job-0"] - ended_at <= SEARCHED_SAFETY_S + POLL_S
    bench.end("job-3")
    bench.run(2 * SEARCHED_SAFETY_S + GRACE_S)
    ended_at = bench.end("job-6")
    bench.run(11)
    assert bench.shown["job-6"] - ended_at <= 2 * POLL_S
    assert bench.metric("accelerator_trusted") == 0


def test_a_search_without_the_right_is_tried_once_an_hour() -> None:
    """The right is optional: nothing depends on it, and it may be granted at any time."""
    bench = Bench(page_size=5)
    bench.jobs(12)
    bench.run(60)
    refusing(DENIED)(bench)
    assert bench.calls_in(REST_S - 60)["search"] == 1
    bench.end("job-0")
    bench.run(30)
    assert "job-0" in bench.shown
    assert bench.metric("accelerator_changes_total", outcome="missed") == 0, "it was not searched for"
    assert bench.calls_in(REST_S)["search"] == 1
    assert bench.registry.get_sample_value(
        "sagemaker_operator_search_pages_total", {"kind": "trainingjob", "code": "AccessDeniedException"}
    )
    seen = bench.tracker.last(ObjectKey("ns", "job-1"))
    assert seen is not None
    assert seen.lost is None, "Lists come: no object has to say anything"
    bench.aws.always = lambda operation: None
    bench.run(REST_S)
    bench.earn()


def test_a_search_that_was_wrong_is_tried_again_after_a_rest(bench: Bench) -> None:
    """Whatever the cause was, it may be over; but trust has to be earned again, and by more."""
    bench.earn()
    stuck(bench)
    bench.end("job-0")
    bench.run(SEARCHED_SAFETY_S + GRACE_S + 20)
    assert bench.calls_in(600)["search"] == 0
    bench.aws.search_lag_s = 0.0
    bench.run(REST_S)
    bench.earn(ends=24)


def test_what_search_missed_and_how_late_it_is_are_metrics(bench: Bench) -> None:
    """Share and lag, by kind and region."""
    bench.earn()
    announced = sum(bench.metric("accelerator_changes_total", outcome=each) or 0 for each in ("confirmed", "late"))
    assert announced >= 12
    assert bench.metric("accelerator_changes_total", outcome="missed") == 0
    assert -60 <= (bench.metric("accelerator_lag_seconds") or 0) <= GRACE_S
    stuck(bench)
    bench.end("job-0")
    bench.run(SEARCHED_SAFETY_S + GRACE_S + 20)
    assert bench.metric("accelerator_changes_total", outcome="missed") == 1


# --- records that mean something else


def forged(bench: Bench, **changes: Any) -> None:
    """Let Search show `job-0` first, with other values."""
    original = bench.aws.search_page

    def page(descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        found = original(descriptor, target, next_token=next_token)
        job = bench.aws.jobs["us-east-2", "job-0"]
        record = {**bench.aws._summary(descriptor, job), "LastModifiedTime": bench.clock.utcnow()} | changes
        return Page((record, *found.items), found.next_token)

    bench.aws.search_page = page  # type: ignore[method-assign]


def test_a_record_of_another_job_with_the_same_name_is_not_taken_for_it(bench: Bench) -> None:
    """Names are used again: a job is a name and a creation time."""
    bench.earn()
    created = bench.aws.jobs["us-east-2", "job-0"].created
    forged(bench, TrainingJobStatus="Failed", CreationTime=created - timedelta(days=3))
    bench.run(30)
    assert "job-0" not in bench.woken


@pytest.mark.parametrize("modified", ["now", "far ahead"])
def test_an_end_that_only_search_shows_is_never_shown_as_one(bench: Bench, modified: str) -> None:
    """Describe decides. A state that it does not confirm costs a few Describes and then no more, and trust."""
    bench.earn()
    at = {"LastModifiedTime": bench.clock.utcnow() + timedelta(days=9_999)} if modified == "far ahead" else {}
    forged(bench, TrainingJobStatus="Completed", **at)
    bench.run(120)
    assert "job-0" not in bench.shown
    described = [what for operation, what in bench.aws.calls if (operation, what) == ("describe", "job-0")]
    assert 1 <= len(described) <= 6
    ended_at = bench.end("job-0")
    bench.run(2 * SEARCHED_SAFETY_S)
    assert bench.shown["job-0"] - ended_at <= SEARCHED_SAFETY_S + 2 * POLL_S


def test_records_without_times_or_names_are_skipped(bench: Bench) -> None:
    """Whatever answers at an endpoint that a user chose."""
    bench.earn()
    bench.aws.search_page = lambda *_, **__: Page(({}, {"LastModifiedTime": "x"}), "")  # type: ignore[method-assign]
    bench.run(30)
    assert bench.woken == []
