"""Call budgets: rate, burst, fairness, two lanes, and slowing down when AWS says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from controller.aws.budgets import Bucket, Budgets, Limit
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.fakes import FakeClock

LIMIT = Limit(rate=2.0, burst=4.0)


def test_a_burst_goes_out_at_once_and_the_rest_at_the_rate() -> None:
    """GCRA: burst calls, then one every 1/rate seconds."""
    bucket = Bucket(LIMIT)
    waits = [bucket.admit(n, background=False, now=100.0) for n in range(7)]
    assert waits == [0, 0, 0, 0, 0.5, 1.0, 1.5]


def test_who_comes_back_at_his_time_is_admitted_and_keeps_nobody_waiting() -> None:
    """A ticket is a promise: newcomers queue behind it."""
    bucket = Bucket(LIMIT)
    for n in range(4):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit("early", background=False, now=100.0) == 0.5
    assert bucket.admit("late", background=False, now=100.4) == pytest.approx(0.6)
    assert bucket.admit("early", background=False, now=100.5) == 0
    assert bucket.admit("late", background=False, now=101.0) == 0


def test_asking_too_early_does_not_cost_the_place() -> None:
    """An event in between leads to a second ask: the same slot is told."""
    bucket = Bucket(LIMIT)
    for n in range(4):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit("x", background=False, now=100.0) == 0.5
    assert bucket.admit("x", background=False, now=100.2) == pytest.approx(0.3)


def test_background_calls_leave_half_of_the_burst_to_users() -> None:
    """User-caused before background (DESIGN 4.6)."""
    bucket = Bucket(LIMIT)
    now, background = 100.0, 0
    while bucket.admit(("background", background), background=True, now=now) == 0:
        background += 1
    assert background <= 2
    assert bucket.admit("user", background=False, now=now) == 0


def test_background_calls_wait_while_users_use_up_the_rate() -> None:
    """And they get through when users are quiet."""
    bucket = Bucket(LIMIT)
    now = 100.0
    for n in range(20):
        bucket.admit(n, background=False, now=now)
    wait = bucket.admit("tracker", background=True, now=now)
    assert wait > 5
    assert bucket.admit("tracker", background=True, now=now + wait + 0.001) == 0


def test_throttling_halves_the_rate_once_a_second_and_success_regains_it() -> None:
    """AIMD; calls that were under way together count once."""
    bucket = Bucket(LIMIT)
    for _ in range(5):
        bucket.throttled(100.0)
    assert bucket.rate == 1.0
    bucket.throttled(101.0)
    assert bucket.rate == 0.5
    assert bucket.admit("next", background=False, now=101.0) > 0, "AWS's bucket is empty, whatever ours says"
    for _ in range(100):
        bucket.accepted()
    assert bucket.rate == LIMIT.rate


def test_throttling_slows_those_who_wait_already() -> None:
    """A long queue goes on at the new rate, in its order."""
    bucket = Bucket(LIMIT)
    for n in range(24):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit(23, background=False, now=100.0) == 10.0
    bucket.throttled(100.0)
    assert bucket.admit(23, background=False, now=100.0) == 20.0
    assert bucket.admit(22, background=False, now=100.0) == 19.0


def test_throttling_never_stops_progress_for_good() -> None:
    """There is a floor."""
    bucket = Bucket(LIMIT)
    for n in range(100):
        bucket.throttled(100.0 + 2 * n)
    assert bucket.rate == pytest.approx(LIMIT.rate * 0.05)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 30), st.booleans()), max_size=80))
def test_no_schedule_exceeds_burst_plus_rate(asks: list[tuple[float, int, bool]]) -> None:
    """Whoever asks whenever: in any window at most burst + rate x window (+ 1 for tickets at its edge) calls go out."""
    bucket, now, admitted = Bucket(LIMIT), 100.0, []
    for pause, caller, background in asks:
        now += pause
        if bucket.admit((caller, background), background=background, now=now) == 0:
            admitted.append(now)
    for i, start in enumerate(admitted):
        for j in range(i, len(admitted)):
            assert j - i + 1 <= LIMIT.burst + LIMIT.rate * (admitted[j] - start) + LATE


LATE = 31
"""Callers that hold tickets whose time is past may all come at once: as many as there are callers."""


def test_abandoned_tickets_are_forgotten() -> None:
    """Objects are deleted while they wait: no growth."""
    bucket = Bucket(LIMIT)
    for n in range(5000):
        bucket.admit(n, background=False, now=100.0 + n)
        bucket.admit(("b", n), background=True, now=100.0 + n)
    assert len(bucket) < 300


def test_budgets_are_kept_per_target_and_operation() -> None:
    """One region's or one operation's exhaustion is nobody else's."""
    budgets = Budgets(FakeClock(), CollectorRegistry(), {"List": Limit(1.0, 1.0)})
    here, there = Target("us-east-2"), Target("eu-west-1")
    budgets.admit(here, "List", "a", background=False)
    with pytest.raises(AwsError) as caught:
        budgets.admit(here, "List", "b", background=False)
    assert caught.value.error_class is ErrorClass.THROTTLED
    assert caught.value.retry_after_s == pytest.approx(1.0)
    budgets.admit(there, "List", "b", background=False)
    budgets.admit(here, "Describe", "b", background=False)
