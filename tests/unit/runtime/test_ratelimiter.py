"""Rate limiters (L1 to L4) and the reflector's back-off (R11)."""

import random

import pytest

from controller.runtime.queue.backoff import Backoff
from controller.runtime.queue.rate_limiter import BucketRateLimiter, ItemExponentialRateLimiter
from tests.fakes import FakeClock
from tests.tables import each_row


@each_row(
    ("call", "delay_s"),
    [(1, 0.005), (2, 0.01), (3, 0.02), (18, 655.36), (19, 1000.0), (20, 1000.0), (2000, 1000.0)],
)
def test_delay_of_a_key_doubles_up_to_the_cap(call: int, delay_s: float) -> None:
    """L1: 5, 10, 20 ms … 655.36 s at the 18th call, 1000 s from the 19th; the 1025th does not overflow."""
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter()

    delays = [limiter.when("a") for _ in range(call)]

    assert delays[-1] == pytest.approx(delay_s)


def test_forgotten_key_starts_at_the_base_again() -> None:
    """L2: num_requeues counts the calls since the last forget, for each key alone."""
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter()
    assert limiter.num_requeues("a") == 0
    for _ in range(3):
        limiter.when("a")
    limiter.when("b")
    assert (limiter.num_requeues("a"), limiter.num_requeues("b")) == (3, 1)

    limiter.forget("a")
    limiter.forget("never seen")

    assert (limiter.num_requeues("a"), limiter.num_requeues("b")) == (0, 1)
    assert limiter.when("a") == 0.005


def test_bucket_reserves_tokens_beyond_the_burst() -> None:
    """L3: calls 1 to 100 of one instant wait 0, the 101st 100 ms, the 102nd 200 ms."""
    limiter: BucketRateLimiter[str] = BucketRateLimiter(FakeClock())

    delays = [limiter.when(str(number)) for number in range(102)]

    assert delays[:100] == [0.0] * 100
    assert delays[100:] == [pytest.approx(0.1), pytest.approx(0.2)]


def test_bucket_refills_with_time_up_to_the_burst() -> None:
    """L3: a negative balance is paid off first, and no more than the burst is saved."""
    clock = FakeClock()
    limiter: BucketRateLimiter[str] = BucketRateLimiter(clock, rate_per_s=10, burst=2)
    assert [limiter.when("a") for _ in range(4)] == [0.0, 0.0, pytest.approx(0.1), pytest.approx(0.2)]

    clock.advance(0.3)
    assert [limiter.when("a") for _ in range(2)] == [pytest.approx(0.0), pytest.approx(0.1)]

    clock.advance(3600)
    assert [limiter.when("a") for _ in range(3)] == [0.0, 0.0, pytest.approx(0.1)]


class _Middle(random.Random):
    """Uniform draws are always the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_backoff_doubles_to_its_cap() -> None:
    """R11: 0.8 s doubling to 30 s, each times uniform(1, 2), here always 1.5."""
    backoff = Backoff(rng=_Middle())
    now, pauses = 0.0, []

    for _ in range(8):
        pauses.append(backoff.next_s(now))
        now += pauses[-1]

    assert pauses == [pytest.approx(1.5 * base) for base in (0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30)]


def test_backoff_is_jittered_between_once_and_twice() -> None:
    """R11: clients that lost one server do not come back at one moment."""
    pauses = {Backoff(rng=random.Random(seed)).next_s(0.0) for seed in range(50)}

    assert all(0.8 <= pause <= 1.6 for pause in pauses)
    assert len(pauses) == 50


@pytest.mark.parametrize(
    ("quiet_s", "pause_s"),
    [
        pytest.param(119.0, 2.4, id="too short: goes on growing"),
        pytest.param(120.0, 1.2, id="two minutes: starts anew"),
    ],
)
def test_backoff_starts_anew_after_two_minutes_without_a_failure(quiet_s: float, pause_s: float) -> None:
    """R11, port: counted from the end of the last pause."""
    backoff = Backoff(rng=_Middle())
    now = backoff.next_s(0.0)

    assert backoff.next_s(now + quiet_s) == pytest.approx(pause_s)
