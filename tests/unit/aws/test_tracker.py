"""Status by delta: what a sweep costs, what it finds, and whom it wakes (DESIGN 4.5)."""

import threading
from datetime import UTC, datetime, timedelta
from math import inf

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.errors import AwsError, CallError
from controller.aws.polling.poll_state import (
    LOOKS_PER_S,
    LOST_S,
    MISSING_S,
    SETTLE_POLLS,
    SILENT_S,
    UNSEEN_S,
    PollSettings,
    PollState,
)
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from controller.runtime.threads import Stop
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock
from tests.fakes.sagemaker import FakeSageMaker

HERE, THERE = Target("us-east-2"), Target("eu-west-1")
THROTTLED = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")
SETTLE_S = SETTLE_POLLS * 5.0
BROKEN = AwsError(ErrorClass.RETRYABLE, "InternalFailure", "500")


class Bench:
    """A tracker over the in-memory SageMaker."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sagemaker = FakeSageMaker(self.clock)
        self.aws = self.sagemaker.of(TRAINING_JOB)
        self.woken: list[str] = []
        self.registry = CollectorRegistry()
        self.tracker = Tracker(
            TRAINING_JOB,
            self.aws,
            lambda key: self.woken.append(key.name),
            self.clock,
            TrackerMetrics(self.registry),
            PollSettings(poll_s=5.0, resync_s=3600.0),
            rand=lambda: 0.5,
        )

    def job(self, name: str, target: Target = HERE) -> None:
        """A job that exists, followed from now on under a key of the same name."""
        self.aws.existing(name, region=target.region)
        self.follow(name, target)

    def follow(self, name: str, target: Target = HERE, *, age_s: float = 0.0) -> None:
        """Follow a job said to be `age_s` old."""
        created = self.clock.utcnow() - timedelta(seconds=age_s)
        self.tracker.follow(ObjectKey("ns", name), target, name, created)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)

    def observed(self, name: str) -> tuple[str | None, bool]:
        """Status and whether a Describe is wanted."""
        seen = self.tracker.last(ObjectKey("ns", name))
        assert seen is not None
        return (seen.summary or {}).get(TRAINING_JOB.status.member), seen.is_describe_due

    def metric(self, name: str, **labels: str) -> float | None:
        """A sample."""
        return self.registry.get_sample_value(name, labels)


def test_a_thousand_quiet_jobs_cost_a_page_for_each_hundred() -> None:
    """Where everything that stands in the List is followed, nothing is cheaper."""
    bench = Bench()
    for n in range(1000):
        bench.job(f"job-{n}")
    bench.run(120)
    bench.sagemaker.calls.clear()
    bench.run(60)
    assert 100 <= bench.aws.count("list") <= 140
    assert bench.aws.count("describe") == 0


@pytest.mark.parametrize("past", [0, 2_000, 20_000])
def test_the_accounts_past_costs_nothing(past: int) -> None:
    """aws-reality: filters apply after a page was cut, and jobs stay for ever."""
    bench = Bench()
    for n in range(past):
        bench.aws.existing(f"past-{n}", "Completed")
    bench.clock.advance(86_400)
    for n in range(10):
        bench.job(f"job-{n}")
    bench.run(30)
    bench.sagemaker.calls.clear()
    bench.woken.clear()
    bench.aws.move("job-3", "Completed")
    bench.run(60)
    assert bench.woken == ["job-3"]
    assert 10 <= bench.aws.count("list") <= 14


def test_an_old_job_among_many_newer_ones_of_others_is_described_in_turn() -> None:
    """It costs a Describe an interval, and the sweep what it costs without the old job."""
    bench = Bench()
    bench.job("old")
    bench.clock.advance(20 * 86_400)
    for n in range(5_000):
        bench.aws.existing(f"foreign-{n}")
    bench.clock.advance(3_600)
    for n in range(5):
        bench.job(f"job-{n}")
    bench.run(30)
    bench.sagemaker.calls.clear()
    bench.woken.clear()
    bench.run(60)
    assert 10 <= bench.aws.count("list") <= 14
    assert 10 <= bench.woken.count("old") <= 14
    assert set(bench.woken) == {"old"}
    assert bench.observed("old")[1] is True


def test_jobs_out_of_reach_share_the_budget_of_describes() -> None:
    """Three hundred of them: each is described once in as long as the budget takes for all, and evenly."""
    bench = Bench()
    bench.aws.page_size = 1
    for n in range(300):
        bench.job(f"job-{n}")
    bench.clock.advance(60)
    for n in range(400):
        bench.aws.existing(f"foreign-{n}")
    bench.run(700)
    bench.woken.clear()
    bench.run(300)
    assert len(bench.woken) == pytest.approx(300 * LOOKS_PER_S, rel=0.05)
    assert {bench.woken.count(f"job-{n}") for n in range(300)} <= {1, 2, 3}
    bench.woken.clear()
    bench.run(170)
    assert len(set(bench.woken)) == 300, "nobody is out of sight for longer than a round"


def test_only_what_changed_is_woken_and_once() -> None:
    """The overlap shows changes again: they are recognised."""
    bench = Bench()
    bench.job("a")
    bench.job("b")
    bench.run(30)
    bench.woken.clear()
    bench.aws.move("a", "InProgress", "Training")
    bench.run(30)
    assert bench.woken == ["a"]
    assert bench.observed("a") == ("InProgress", False)


def test_nobody_followed_no_calls() -> None:
    """An operator without jobs does not list."""
    bench = Bench()
    bench.job("a")
    bench.run(10)
    bench.tracker.forget(ObjectKey("ns", "a"))
    bench.sagemaker.calls.clear()
    bench.run(60)
    assert bench.aws.calls == ()


def test_after_a_start_one_sweep_goes_back_to_the_oldest_job() -> None:
    """Followed jobs that this process has not seen pull the beginning back, once."""
    bench = Bench()
    bench.aws.existing("old")
    bench.aws.existing("foreign")
    bench.clock.advance(86_400)
    bench.follow("old", age_s=86_400)
    bench.run(30)
    assert bench.woken == ["old"]
    assert bench.observed("old") == ("InProgress", False)


def test_a_job_that_a_sweep_should_show_and_does_not_is_described() -> None:
    """It may be gone: the reconciler is woken to describe it, and again while Lists keep missing it."""
    bench = Bench()
    bench.follow("missing", age_s=3 * 86_400)
    bench.run(30)
    assert bench.woken == ["missing"]
    assert bench.observed("missing") == (None, True)
    bench.run(MISSING_S + 10)
    assert bench.woken == ["missing"] * 2


def test_a_job_that_vanishes_from_lists_is_described_at_once() -> None:
    """Deleted by others: a List never shows a deletion, only the absence."""
    bench = Bench()
    bench.job("kept")
    bench.job("deleted")
    bench.run(120)
    del bench.aws.jobs["us-east-2", "deleted"]
    bench.woken.clear()
    bench.run(10)
    assert bench.woken == ["deleted"]
    assert bench.observed("deleted")[1] is True


def test_a_silent_job_is_described_now_and_then() -> None:
    """Lists may be stale for longer than anyone promises: a slow look at the one that was silent for longest."""
    bench = Bench()
    for n in range(3):
        bench.job(f"job-{n}")
    bench.run(SILENT_S - 60)
    bench.woken.clear()
    bench.run(90)
    assert len(bench.woken) == 1
    bench.run(120)
    assert sorted(bench.woken) == ["job-0", "job-1", "job-2"]


def test_a_job_created_just_now_may_be_late_in_lists() -> None:
    """Eventual consistency: no Describe for being unseen in the first minute."""
    bench = Bench()
    bench.follow("new")
    bench.run(UNSEEN_S - 10)
    assert bench.woken == []
    bench.aws.existing("new")
    bench.run(20)
    assert bench.woken == ["new"]
    assert bench.observed("new") == ("InProgress", False)


def test_a_change_is_seen_however_late_it_shows() -> None:
    """Each sweep reads the state itself, not what changed after some time: a late change is a change."""
    bench = Bench()
    bench.job("a")
    bench.run(300)
    bench.aws.move("a", "InProgress", "Training")
    bench.aws.jobs["us-east-2", "a"].modified -= timedelta(seconds=250)
    bench.woken.clear()
    bench.run(15)
    assert bench.woken == ["a"]


@pytest.mark.parametrize(
    ("changes", "woken_at"),
    [
        ([(0, "InProgress", "Training")], [10]),
        ([(0, "InProgress", "Downloading"), (6, "InProgress", "Training")], [5 + SETTLE_S]),
        ([(0, "InProgress", "Uploading"), (6, "Completed", "Completed")], [10]),
        ([(0, "Stopping", "Stopping")], [5]),
        ([(0, "InProgress", "Downloading"), (20, "InProgress", "Training")], [10, 30]),
    ],
    ids=["another secondary status", "one that passes", "the end", "another status", "one that lasts"],
)
def test_a_secondary_status_is_news_when_it_has_settled(
    changes: list[tuple[int, str, str]], woken_at: list[float]
) -> None:
    """When the next sweep shows it once more, or else in the state of one and a half poll intervals later."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    bench.woken.clear()
    key, began, woken = ObjectKey("ns", "a"), bench.clock.monotonic(), []
    for second in range(60):
        for _, *state in (each for each in changes if each[0] == second):
            bench.aws.move("a", *state)
        bench.run(1)
        if bench.woken:
            woken.append(bench.clock.monotonic() - began)
            seen = bench.tracker.last(key)
            assert seen is not None
            assert not seen.is_settling
            bench.woken.clear()

    assert len(woken) == len(woken_at)
    # A step of the test, and the phase of the sweeps, which take turns with it.
    assert all(at - 5 <= each <= at + 2 for each, at in zip(woken, woken_at, strict=True)), woken


def test_an_older_answer_does_not_undo_a_newer_one() -> None:
    """Replicas of SageMaker lag: what Describe has told is not overwritten by an older summary, nor the reverse."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    now = bench.clock.utcnow()
    key = ObjectKey("ns", "a")
    newer = {"TrainingJobStatus": "Completed", "LastModifiedTime": now}
    bench.tracker.described(key, newer)
    bench.woken.clear()
    bench.run(30)
    assert bench.woken == []
    assert bench.observed("a")[0] == "Completed"
    bench.tracker.described(key, {"TrainingJobStatus": "InProgress", "LastModifiedTime": now - timedelta(seconds=1)})
    assert bench.observed("a")[0] == "Completed"


def test_a_description_is_kept_as_short_as_a_summary() -> None:
    """The safety net describes everything in time: whole answers would fill the memory."""
    bench = Bench()
    bench.job("a")
    description = {"TrainingJobName": "a", "TrainingJobStatus": "InProgress", "HyperParameters": {"much": "text"}}
    bench.tracker.described(ObjectKey("ns", "a"), description)
    seen = bench.tracker.last(ObjectKey("ns", "a"))
    assert seen is not None
    assert seen.summary == {"TrainingJobName": "a", "TrainingJobStatus": "InProgress"}


def test_pages_are_followed_to_the_end() -> None:
    """More changes than one page holds."""
    bench = Bench()
    bench.aws.page_size = 7
    for n in range(50):
        bench.job(f"job-{n}")
    bench.run(15)
    assert len(set(bench.woken)) == 50


def test_a_throttled_sweep_goes_on_where_it_was() -> None:
    """A long first sweep must come to its end although every third page is refused."""
    bench = Bench()
    bench.aws.page_size = 2
    for n in range(20):
        bench.job(f"job-{n}")
    bench.aws.always = lambda operation: THROTTLED if len(bench.aws.calls) % 3 == 0 else None
    bench.run(50)
    assert sorted(bench.woken) == sorted(f"job-{n}" for n in range(20))
    refused = bench.metric("sagemaker_operator_tracker_pages_total", kind="trainingjob", code="ThrottlingException")
    assert refused is not None
    assert refused >= 5


def test_a_refused_page_token_starts_the_sweep_anew() -> None:
    """Tokens expire: one that is refused is refused for ever, only a sweep from the start gets a new one."""
    bench = Bench()
    bench.aws.page_size = 3
    for n in range(9):
        bench.job(f"job-{n}")
    original, tokens = bench.aws.list_page, []

    def expiring(descriptor, target, *, next_token):  # type: ignore[no-untyped-def]
        tokens.append(next_token)
        if next_token and tokens.count("") == 1:
            raise AwsError(ErrorClass.INVALID, "ValidationException", "Invalid NextToken")
        return original(descriptor, target, next_token=next_token)

    bench.aws.list_page = expiring  # type: ignore[method-assign]
    bench.run(60)
    assert set(bench.woken) == {f"job-{n}" for n in range(9)}


def test_one_refused_region_does_not_disturb_another() -> None:
    """DESIGN 5: the operator keeps serving while one region fails; the failing one is asked ever less."""
    bench = Bench()
    bench.job("a", HERE)
    bench.job("b", THERE)
    bench.run(30)
    original = bench.aws.list_page

    def refuse_here(descriptor, target, **arguments):  # type: ignore[no-untyped-def]
        if target == HERE:
            bench.aws.record("refused", target.region)
            raise DENIED
        return original(descriptor, target, **arguments)

    bench.aws.list_page = refuse_here  # type: ignore[method-assign]
    bench.woken.clear()
    bench.aws.move("b", "Completed", region="eu-west-1")
    bench.run(590)
    assert bench.woken.count("b") == 1
    assert bench.aws.count("refused") < 15
    staleness = "sagemaker_operator_tracker_staleness_seconds"
    assert (bench.metric(staleness, kind="trainingjob", region="us-east-2") or 0) > 500
    assert (bench.metric(staleness, kind="trainingjob", region="eu-west-1") or 99) < 10
    assert bench.metric("sagemaker_operator_tracker_followed_jobs", kind="trainingjob", region="us-east-2") == 1


def test_a_resync_describes_each_job_however_lively_it_is() -> None:
    """Slow, and spread: not all at once."""
    bench = Bench()
    bench.job("a")
    for n in range(100):
        bench.aws.move("a", "InProgress", f"step {n}")
        bench.run(27)
        assert bench.observed("a")[1] is False
    bench.woken.clear()
    for n in range(100, 103):
        bench.aws.move("a", "InProgress", f"step {n}")
        bench.run(27)
    assert bench.observed("a") == ("InProgress", True)
    bench.tracker.described(ObjectKey("ns", "a"), {"TrainingJobStatus": "InProgress"})
    assert bench.observed("a")[1] is False


@pytest.mark.parametrize(
    ("error", "after_s"), [pytest.param(DENIED, 10.0, id="denied"), pytest.param(BROKEN, LOST_S + 60, id="broken")]
)
def test_while_list_fails_all_jobs_are_described_in_turn(error: CallError, after_s: float) -> None:
    """IAM may deny List and allow Describe: what objects show stays true, within the budget, and heals by itself."""
    bench = Bench()
    for n in range(20):
        bench.job(f"job-{n}")
    bench.run(30)
    bench.aws.always = lambda operation: error if operation == "list" else None
    bench.woken.clear()
    bench.run(after_s)
    bench.run(11)
    assert {f"job-{n}" for n in range(20)} <= set(bench.woken)
    seen = bench.tracker.last(ObjectKey("ns", "job-0"))
    assert seen is not None
    assert seen.lost is error
    bench.woken.clear()
    bench.run(100)
    assert len(bench.woken) <= 100 * LOOKS_PER_S + 1
    bench.aws.always = lambda operation: None
    bench.run(300)
    bench.woken.clear()
    bench.run(60)
    assert bench.woken == []
    seen = bench.tracker.last(ObjectKey("ns", "job-0"))
    assert seen is not None
    assert seen.lost is None


def test_waiting_for_the_own_budget_is_no_failure_of_list() -> None:
    """A hundred targets share a quota: each waits for its turn, and no Describe is spent for that."""
    bench = Bench()
    bench.job("a")
    bench.run(30)
    waits = AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "waits for its turn", retry_after_s=5.0)
    bench.aws.always = lambda operation: waits if operation == "list" else None
    bench.woken.clear()
    bench.run(300)
    assert bench.woken == []


def test_a_job_named_by_two_objects_wakes_both() -> None:
    """A conflict that is told elsewhere; here both see what happens."""
    bench = Bench()
    bench.job("a")
    bench.tracker.follow(ObjectKey("other", "twin"), HERE, "a", bench.clock.utcnow())
    bench.run(15)
    assert sorted(bench.woken) == ["a", "twin"]
    bench.tracker.forget(ObjectKey("ns", "a"))
    bench.woken.clear()
    bench.aws.move("a", "Completed")
    bench.run(10)
    assert bench.woken == ["twin"]


def test_a_key_that_moves_to_another_target_is_followed_there_only() -> None:
    """An object deleted and made anew elsewhere."""
    bench = Bench()
    bench.job("a", HERE)
    bench.run(10)
    bench.job("a", THERE)
    bench.sagemaker.calls.clear()
    bench.run(30)
    assert {where for _, where in bench.aws.calls} == {"eu-west-1"}


def test_foreign_jobs_leave_no_trace() -> None:
    """Memory depends on what is followed, not on what the account runs."""
    bench = Bench()
    bench.job("a")
    for n in range(500):
        bench.aws.existing(f"foreign-{n}")
    bench.run(30)
    (poller,) = bench.tracker._pollers.values()
    assert len(poller.state) == 1
    assert list(poller.state._by_name) == ["a"]


def test_a_slow_target_holds_one_thread_only_and_stop_ends_all() -> None:
    """Two threads run the tracker; one region hangs, the other is served; `stop` returns both."""
    bench = Bench()
    release, hangs, served = threading.Event(), threading.Event(), threading.Event()
    original = bench.aws.list_page

    def slow_here(descriptor, target, **arguments):  # type: ignore[no-untyped-def]
        if target == HERE:
            hangs.set()
            assert release.wait(PATIENCE_S)
        return original(descriptor, target, **arguments)

    bench.aws.list_page = slow_here  # type: ignore[method-assign]
    bench.tracker._wake = lambda key: served.set() if key.name == "b" else None
    bench.job("a", HERE)
    bench.job("b", THERE)
    bench.aws.move("b", "Stopping", region=THERE.region)
    bench.clock.advance(60)
    stop = Stop()
    threads = [threading.Thread(target=bench.tracker.run, args=(stop,), name=f"tracker-{n}") for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert hangs.wait(PATIENCE_S)
        assert served.wait(PATIENCE_S)
    finally:
        release.set()
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize(("looks_again_s", "wakes"), [((inf,), 1), ((10.0,), 1), ((1.0,), 0), ((1.0, inf), 0), ((), 0)])
def test_a_followed_job_wakes_threads_only_if_it_is_due_before_one_looks_again(
    monkeypatch: pytest.MonkeyPatch, looks_again_s: tuple[float, ...], wakes: int
) -> None:
    """A burst of jobs would wake both threads for each of them, with nothing to do."""
    bench, woken = Bench(), []
    now = bench.clock.monotonic()
    bench.tracker._waits.update({thread: now + seconds for thread, seconds in enumerate(looks_again_s)})
    monkeypatch.setattr(bench.tracker._changed, "notify_all", lambda: woken.append(None))
    bench.job("a")
    assert now + 1.0 < bench.tracker.due_at < now + 10.0
    assert len(woken) == wakes


def test_a_thread_that_takes_work_wakes_those_that_relied_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be away for as long as a call takes; what is due meanwhile is for the others."""
    bench, woken = Bench(), []
    bench.job("a", HERE)
    bench.clock.advance(3)
    bench.job("b", THERE)
    bench.clock.advance(2)
    monkeypatch.setattr(bench.tracker._changed, "notify_all", lambda: woken.append(None))
    bench.tracker._waits[1] = bench.clock.monotonic() + 60
    taken = bench.tracker._take_due(Stop())
    assert taken is not None
    assert taken[0].target == HERE
    assert bench.tracker.due_at < bench.tracker._waits[1]
    assert len(woken) == 1


@pytest.mark.parametrize("error", [THROTTLED, DENIED], ids=["throttled", "denied"])
def test_an_error_that_is_not_awss_gives_the_lane_back(error: CallError) -> None:
    """A defect ends its thread loudly, and the others go on with the target."""
    bench = Bench()
    bench.job("a")
    bench.clock.advance(10)
    bench.aws.fail("list", RuntimeError("defect"))
    with pytest.raises(RuntimeError, match="defect"):
        bench.tracker.step()
    bench.aws.fail("list", error)
    bench.run(30)
    assert bench.woken == ["a"]


def test_a_job_from_the_future_is_asked_for_by_name_as_soon_as_others() -> None:
    """Our clock was set back since its creation: it must not be out of sight for as long as that."""
    feed = PollState(TRAINING_JOB, PollSettings(), lambda: 0.5, now=0.0)
    watched = feed.follow(ObjectKey("default", "x"), "x", datetime(2030, 1, 1, tzinfo=UTC), now=0.0, age_s=-3600.0)
    assert watched is not None
    assert watched.unseen_at == UNSEEN_S
