"""Leader election: every rule of runtime-semantics 8 that is decided here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from controller.runtime.election.fence import LeaseFence
from controller.runtime.election.leader_election import (
    ElectionConfig,
    ElectionMetrics,
    ElectionState,
    Elector,
    LeadershipLost,
    LeaseRecord,
    Versioned,
    micro_time,
    unique_identity,
)
from controller.runtime.errors import ABSENT, Absent, ClassifiedError, ErrorClass
from controller.runtime.record.events import Regarding
from controller.runtime.threads import Stop
from tests.fakes import FakeClock

ME = ElectionConfig("me")
THEIRS = LeaseRecord("other", 15, 4, "2020-01-01T00:00:00.000000Z", "2020-01-01T00:00:00.000000Z")


def gone_wrong(error_class: ErrorClass) -> ClassifiedError:
    """A failed call."""
    return ClassifiedError(error_class, error_class.value, "scripted")


class FakeLock:
    """A lease in memory with versions; `failures` are raised by the next calls, whatever they are."""

    regarding = Regarding("coordination.k8s.io/v1", "Lease", "ns", "lease", "u")

    def __init__(self) -> None:
        self.stored: Versioned | Absent = ABSENT
        self.calls: list[str] = []
        self.timeouts: list[float] = []
        self.failures: list[ClassifiedError] = []
        self.before_call: Callable[[], None] = lambda: None
        self._version = 0

    def put(self, record: LeaseRecord) -> Versioned:
        """Store as if somebody had written."""
        self._version += 1
        stored = Versioned(record, str(self._version))
        self.stored = stored
        return stored

    @property
    def record(self) -> LeaseRecord:
        """What is stored."""
        assert self.stored is not ABSENT
        return self.stored.record

    def get(self, *, timeout_s: float) -> Versioned | Absent:
        """See `Lock.get`."""
        self._called("get", timeout_s)
        return self.stored

    def create(self, record: LeaseRecord, *, timeout_s: float) -> Versioned:
        """See `Lock.create`."""
        self._called("create", timeout_s)
        if self.stored is not ABSENT:
            raise gone_wrong(ErrorClass.EXISTS)
        return self.put(record)

    def update(self, record: LeaseRecord, version: str, *, timeout_s: float) -> Versioned:
        """See `Lock.update`."""
        self._called("update", timeout_s)
        if self.stored is ABSENT or self.stored.version != version:
            raise gone_wrong(ErrorClass.CONFLICT)
        return self.put(record)

    def _called(self, what: str, timeout_s: float) -> None:
        self.calls.append(what)
        self.timeouts.append(timeout_s)
        self.before_call()
        if self.failures:
            raise self.failures.pop(0)


class Stage:
    """An elector whose waits advance the clock; `plot` says what happens at each wait, then it is stopped."""

    def __init__(self, config: ElectionConfig = ME) -> None:
        self.clock = FakeClock()
        self.lock = FakeLock()
        self.registry = CollectorRegistry()
        self.told: list[str] = []
        self.waits: list[float] = []
        self.plot: list[Callable[[], None]] = []
        self.started = 0
        self.stop = Stop()
        self.fence = LeaseFence(self.clock, renew_deadline_s=config.renew_deadline_s)
        self.elector = Elector(
            config,
            self.lock,
            fence=self.fence,
            recorder=self,
            metrics=ElectionMetrics(self.registry, "lease"),
            clock=self.clock,
            wait=self.wait,
            jitter=lambda _low, high: high,
        )

    def event(self, regarding: Regarding, type: str, reason: str, message: str) -> None:  # noqa: A002
        """See `Recorder.event`."""
        assert (regarding, type, reason) == (self.lock.regarding, "Normal", "LeaderElection")
        self.told.append(message)

    def wait(self, stop: Stop, seconds: float) -> bool:
        """Time passes, the next turn of the plot happens."""
        self.waits.append(seconds)
        self.clock.advance(seconds)
        if self.plot:
            self.plot.pop(0)()
        else:
            stop.set()
        return stop.is_set()

    def on_started(self) -> None:
        """Count."""
        self.started += 1

    def run(self, *plot: Callable[[], None]) -> None:
        """Run to the end of the plot."""
        self.plot = list(plot)
        self.elector.run(self.stop, self.on_started)

    @property
    def gauge(self) -> float | None:
        """leader_election_master_status."""
        return self.registry.get_sample_value("leader_election_master_status", {"name": "lease"})

    @property
    def slow_paths(self) -> float | None:
        """leader_election_slowpath_total."""
        return self.registry.get_sample_value("leader_election_slowpath_total", {"name": "lease"})


def nothing() -> None:
    """A turn of the plot in which nothing happens."""


class TestConfig:
    """E1."""

    def test_the_defaults_are_client_gos(self) -> None:
        """15, 10 and 2 seconds."""
        assert (ME.lease_duration_s, ME.renew_deadline_s, ME.retry_period_s) == (15, 10, 2)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"identity": ""},
            {"lease_duration_s": 10},
            {"lease_duration_s": 15.5},
            {"renew_deadline_s": 2.4},
            {"retry_period_s": 0},
            {"retry_period_s": -1},
        ],
    )
    def test_times_that_could_elect_two_leaders_are_refused(self, wrong: dict[str, object]) -> None:
        """Lease duration > renew deadline > 1.2 · retry period > 0; the lease holds whole seconds (E3)."""
        with pytest.raises(ValueError, match=r"must"):
            replace(ME, **wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize(("deadline_s", "timeout_s"), [(10, 5), (1.5, 1)])
    def test_one_hanging_request_cannot_cost_the_lease(self, deadline_s: float, timeout_s: float) -> None:
        """E13."""
        config = replace(ME, renew_deadline_s=deadline_s, retry_period_s=1)
        assert config.request_timeout_s == timeout_s

    def test_identities_differ_between_processes_on_one_host(self) -> None:
        """E7 relies on it."""
        assert unique_identity() != unique_identity()
        assert "_" in unique_identity()


class TestState:
    """Who may lead, from what was seen and when."""

    @pytest.mark.parametrize(
        ("found", "elapsed_s", "may"),
        [
            pytest.param(ABSENT, 0, True, id="E5 no lease"),
            pytest.param(Versioned(replace(THEIRS, holder=""), "1"), 0, True, id="E6 empty holder"),
            pytest.param(Versioned(replace(THEIRS, holder="me"), "1"), 0, True, id="E7 our own name"),
            pytest.param(Versioned(THEIRS, "1"), 14.9, False, id="E2 renewed years ago, still waited out"),
            pytest.param(Versioned(THEIRS, "1"), 15, True, id="E2 silent for its duration"),
            pytest.param(Versioned(replace(THEIRS, duration_s=60), "1"), 59, False, id="E3 the record's duration"),
            pytest.param(Versioned(replace(THEIRS, duration_s=1), "1"), 1, True, id="E3 not our own setting"),
        ],
    )
    def test_the_lease_may_be_taken(self, found: Versioned | Absent, elapsed_s: float, may: bool) -> None:
        """Renew times are years apart from our clock on purpose: they are never compared."""
        state = ElectionState(ME)
        state.observe(found, 100.0)

        assert state.may_take(100.0 + elapsed_s) is may

    def test_only_a_change_of_content_starts_the_wait_anew(self) -> None:
        """E4: a new version with the same content is no sign of life."""
        state = ElectionState(ME)
        state.observe(Versioned(THEIRS, "1"), 100)
        state.observe(Versioned(THEIRS, "2"), 110)
        assert state.may_take(115)

        state.observe(Versioned(replace(THEIRS, renew_time="2020-01-01T00:00:00.000001Z"), "3"), 115)
        assert not state.may_take(129.9)

    @pytest.mark.parametrize(
        ("last", "transitions", "acquired"),
        [
            pytest.param(None, 0, "now", id="E5 first"),
            pytest.param(replace(THEIRS, holder="me"), 4, THEIRS.acquire_time, id="E7 E8 renewing keeps both"),
            pytest.param(THEIRS, 5, "now", id="E8 taking counts"),
            pytest.param(replace(THEIRS, holder=""), 5, "now", id="E8 taking a released one counts too"),
        ],
    )
    def test_the_record_that_makes_us_leader(self, last: LeaseRecord | None, transitions: int, acquired: str) -> None:
        """Acquire time and transitions tell the lease's history."""
        now = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
        state = ElectionState(ME)
        if last is not None:
            state.observe(Versioned(last, "1"), 0)

        wanted = state.wanted(now)

        stamp = "2030-01-02T03:04:05.000678Z"
        acquire_time = stamp if acquired == "now" else acquired
        assert wanted == LeaseRecord("me", 15, transitions, acquire_time, stamp)

    def test_a_new_holder_is_noticed_once(self) -> None:
        """E17: on first sight and on each change."""
        state = ElectionState(ME)

        assert state.observe(Versioned(THEIRS, "1"), 0)
        assert not state.observe(Versioned(replace(THEIRS, renew_time="x"), "2"), 1)
        assert state.observe(Versioned(replace(THEIRS, holder="third"), "3"), 2)

    def test_times_have_six_decimals(self) -> None:
        """E21."""
        assert micro_time(datetime(2030, 1, 2, tzinfo=UTC)) == "2030-01-02T00:00:00.000000Z"


class TestAcquiring:
    """Candidates."""

    def test_the_first_try_is_at_once(self) -> None:
        """E11, E5."""
        stage = Stage()

        stage.run()

        assert stage.lock.calls[:2] == ["get", "create"]
        assert stage.started == 1
        assert stage.lock.record.holder == "me"

    def test_later_tries_are_spread(self) -> None:
        """E11: retry period · uniform(1, 2.2); candidates that started together drift apart."""
        stage = Stage()
        stage.lock.put(THEIRS)

        stage.run(nothing, nothing)

        assert stage.waits == [pytest.approx(4.4)] * 3
        assert stage.started == 0

    def test_a_silent_holder_is_succeeded_after_its_duration(self) -> None:
        """E2, E8."""
        stage = Stage()
        stage.lock.put(THEIRS)

        stage.run(*[nothing] * 4)

        assert stage.lock.record.holder == "me"
        assert stage.lock.record.transitions == 5
        assert sum(stage.waits[:4]) > 15

    @pytest.mark.parametrize("error_class", [ErrorClass.EXISTS, ErrorClass.CONFLICT, ErrorClass.RETRYABLE])
    def test_a_failed_try_is_only_a_failed_try(self, error_class: ErrorClass) -> None:
        """E5, E10: lost races and an unreachable server alike."""
        stage = Stage()
        stage.lock.failures = [gone_wrong(error_class)]

        stage.run(nothing)

        assert stage.started == 1

    def test_a_candidate_that_is_stopped_never_starts(self) -> None:
        """E14: and its gauge stays 0."""
        stage = Stage()
        stage.stop.set()

        stage.run()

        assert (stage.started, stage.lock.calls, stage.gauge) == (0, [], 0)

    def test_becoming_leader_is_told_as_an_event(self) -> None:
        """E21."""
        stage = Stage()

        stage.run()

        assert stage.told == ["me became leader"]


class TestLeading:
    """The leader."""

    def test_renewals_come_every_retry_period_and_do_not_read(self) -> None:
        """E12 without jitter; E9: from memory while its own view is valid."""
        stage = Stage()

        stage.run(nothing, nothing)

        assert stage.waits == [2, 2, 2]
        assert stage.lock.calls == ["get", "create", "update", "update"]
        assert stage.lock.record.transitions == 0

    def test_a_conflict_is_read_and_retried_in_the_same_round(self) -> None:
        """E9: the slow path, counted; somebody edited the lease, and it is still ours."""
        stage = Stage()

        stage.run(lambda: stage.lock.put(stage.lock.record) and None)

        assert stage.lock.calls == ["get", "create", "update", "get", "update"]
        assert stage.slow_paths == 1

    def test_a_lease_taken_by_another_is_lost_at_once(self) -> None:
        """Trying on until the deadline, as client-go does, could only do harm."""
        stage = Stage()

        with pytest.raises(LeadershipLost, match="other holds it now"):
            stage.run(lambda: stage.lock.put(THEIRS) and None)

        assert not stage.fence.may_act()
        assert stage.told == ["me became leader", "me stopped leading"]
        assert stage.waits == [2]

    def test_a_leader_that_cannot_renew_gives_up_in_time(self) -> None:
        """E12: retry period + renew deadline after the last success, before others may take over at 15 s."""
        stage = Stage()
        began = stage.clock.monotonic()

        def fail_from_now_on() -> None:
            stage.lock.failures = [gone_wrong(ErrorClass.RETRYABLE)] * 100

        with pytest.raises(LeadershipLost, match="within 10 s"):
            stage.run(fail_from_now_on, *[nothing] * 20)

        assert stage.clock.monotonic() - began == pytest.approx(12)
        assert not stage.fence.may_act()

    def test_requests_end_with_their_round(self) -> None:
        """A request that hangs at the end of the deadline must not stretch it (E13)."""
        stage = Stage()

        def hang() -> None:
            stage.lock.failures = [gone_wrong(ErrorClass.RETRYABLE)] * 100
            stage.lock.before_call = lambda: stage.clock.advance(stage.lock.timeouts[-1])

        began = stage.clock.monotonic()
        with pytest.raises(LeadershipLost):
            stage.run(hang, *[nothing] * 20)

        assert stage.clock.monotonic() - began < 12.5

    def test_a_renewal_counts_from_before_it_was_sent(self) -> None:
        """E20: others may see it, and start to count, while our answer is on its way."""
        stage = Stage()
        stage.lock.before_call = lambda: stage.clock.advance(4)
        open_after: list[bool] = []

        def look() -> None:
            stage.lock.before_call = nothing
            stage.clock.advance(3.9)  # 4 s of the create, 2 s of the wait, 3.9 s
            open_after.append(stage.fence.may_act())
            stage.clock.advance(0.2)
            open_after.append(stage.fence.may_act())

        stage.run(look)

        assert open_after == [True, False]

    def test_a_failure_in_between_does_not_end_the_leadership(self) -> None:
        """One failed round trip is what the deadline is for."""
        stage = Stage()

        def fail_once() -> None:
            stage.lock.failures = [gone_wrong(ErrorClass.RETRYABLE)] * 2

        stage.run(fail_once, nothing)

        assert stage.fence.may_act()

    def test_the_gauge_is_one_while_leading_and_zero_after_every_exit(self) -> None:
        """E19."""
        stage = Stage()
        during: list[float | None] = []
        assert stage.gauge == 0

        stage.run(lambda: during.append(stage.gauge))

        assert during == [1]
        assert stage.gauge == 0

    def test_health_fails_when_the_electing_thread_hangs(self) -> None:
        """E18: leading, and the last renewal is longer ago than lease duration and tolerance."""
        stage = Stage()
        seen: list[bool] = []

        def look() -> None:
            stage.clock.advance(15 + 20 - 2)
            seen.append(stage.elector.healthy())
            stage.clock.advance(0.1)
            seen.append(stage.elector.healthy())

        assert stage.elector.healthy()
        stage.run(look)

        assert seen == [True, False]
        assert stage.elector.healthy()


class TestReleasing:
    """E15, E16."""

    def test_a_stop_leaves_the_lease_until_it_is_released(self) -> None:
        """Only after the guarded work has ended, which the manager knows."""
        stage = Stage()
        stage.run()
        assert stage.lock.record.holder == "me"

        stage.elector.release()

        assert stage.lock.record == LeaseRecord("", 1, 0, stage.lock.record.acquire_time, stage.lock.record.renew_time)
        assert stage.told[-1] == "me stopped leading"
        assert not stage.fence.may_act()

    def test_a_lease_that_another_took_is_not_emptied(self) -> None:
        """E16: decided on the record just read, not by memory."""
        stage = Stage()
        stage.run()
        stage.lock.put(THEIRS)

        stage.elector.release()

        assert stage.lock.record == THEIRS

    def test_a_lease_never_held_is_not_touched(self) -> None:
        """A standby that ends."""
        stage = Stage()
        stage.lock.put(THEIRS)
        stage.stop.set()
        stage.run()

        stage.elector.release()

        assert stage.lock.calls == ["get"]
        assert stage.told == []

    def test_a_conflict_while_releasing_is_read_again(self) -> None:
        """Somebody labelled the lease; it is still ours to release."""
        stage = Stage()
        stage.run()
        stage.lock.failures = [gone_wrong(ErrorClass.CONFLICT)]

        stage.elector.release()

        assert stage.lock.record.holder == ""

    def test_an_unreachable_server_does_not_hold_up_the_end(self) -> None:
        """The lease expires by itself."""
        stage = Stage()
        stage.run()
        stage.lock.calls.clear()
        stage.lock.failures = [gone_wrong(ErrorClass.RETRYABLE)] * 100

        stage.elector.release()

        assert stage.lock.calls == ["get"] * 3
        assert not stage.fence.may_act()


def test_of_two_electors_one_leads_and_the_other_follows_after_the_release() -> None:
    """Both against one lease: the second starts only after the first has let go."""
    first, second = Stage(), Stage(replace(ME, identity="second"))
    second.lock = first.lock
    second.elector._lock = first.lock
    first.run()

    second.run(first.elector.release, nothing)

    assert (first.started, second.started) == (1, 1)
    assert first.lock.record.holder == "second"
    assert first.lock.record.transitions == 1
