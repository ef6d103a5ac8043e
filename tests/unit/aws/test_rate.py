"""How the rate of calls follows what AWS does: slow start, creeping, decreases, and the waits that are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.limits.adaptive_rate import DOUBLING_S, AdaptiveRate, Limit

PROBED = Limit(rate=2.0, burst=4.0, ceiling=50.0)
FIXED = Limit(rate=2.0, burst=4.0)


def refuse(rate: AdaptiveRate, at: float) -> None:
    """A call that was sent and refused at one moment."""
    rate.refused(sent_at=at, now=at)


def accept_for(rate: AdaptiveRate, seconds: float, *, is_short: bool = True) -> None:
    """As many accepted calls as the rate makes of that time."""
    while seconds > 0:
        seconds -= 1.0 / rate.value
        rate.accepted(is_short=is_short)


def test_the_rate_doubles_while_callers_wait_and_nothing_is_refused() -> None:
    """Slow start (RFC 5681 3.1): 1,000 new jobs must not trickle at a guess."""
    rate = AdaptiveRate(PROBED)
    accept_for(rate, DOUBLING_S)
    assert rate.value == pytest.approx(4.0, rel=0.1)
    accept_for(rate, 2 * DOUBLING_S)
    assert rate.value == pytest.approx(16.0, rel=0.2)


def test_a_rate_that_nobody_needs_does_not_grow() -> None:
    """What was not tried proves nothing (RFC 7661): calls that did not have to wait are no demand."""
    rate = AdaptiveRate(PROBED)
    accept_for(rate, 600, is_short=False)
    assert rate.value == PROBED.rate


@pytest.mark.parametrize(("limit", "most"), [(PROBED, 50.0), (FIXED, 2.0)], ids=["probed", "a known quota"])
def test_the_ceiling_is_never_exceeded(limit: Limit, most: float) -> None:
    """List quotas are known and cannot be raised: what a probe finds there is what others do without (DESIGN 4.5)."""
    rate = AdaptiveRate(limit)
    accept_for(rate, 120)
    assert rate.value == most


def test_a_refusal_halves_a_rate_in_slow_start_and_takes_a_fifth_off_a_found_one() -> None:
    """The first overshoots by up to two (RFC 5681), the next one by less."""
    rate = AdaptiveRate(PROBED)
    refuse(rate, 100.0)
    assert rate.value == pytest.approx(1.0)
    refuse(rate, 101.0)
    assert rate.value == pytest.approx(0.8)


@pytest.mark.parametrize("saved", [0, 10, 100], ids=lambda calls: f"{calls} calls saved up")
def test_what_aws_took_between_two_refusals_is_the_found_rate(saved: int) -> None:
    """Its bucket was empty both times, so what it had saved up before does not count."""
    rate = AdaptiveRate(PROBED)
    accept_for(rate, 5.0)
    for _ in range(saved):
        rate.accepted(is_short=True)
    refuse(rate, 100.0)
    for _ in range(45):
        rate.accepted(is_short=True)
    refuse(rate, 110.0)
    assert rate.found == pytest.approx(4.5)
    assert rate.value == pytest.approx(4.5 * 0.94)


def test_what_was_taken_while_nobody_waited_says_nothing_about_the_rate() -> None:
    """AWS could have taken more."""
    rate = AdaptiveRate(PROBED)
    refuse(rate, 100.0)
    rate.was_unneeded()
    for _ in range(45):
        rate.accepted(is_short=True)
    before = rate.value
    refuse(rate, 200.0)
    assert rate.found == before


@pytest.mark.parametrize(("unused", "found"), [(5.0, 2.5), (100.0, 2.5)], ids=["some", "more than AWS can save up"])
def test_turns_that_late_callers_left_unused_count_within_bounds(unused: float, found: float) -> None:
    """AWS may have saved them up for later, or not."""
    rate = AdaptiveRate(Limit(rate=8.0, burst=4.0, ceiling=50.0))
    refuse(rate, 100.0)
    for _ in range(20):
        rate.accepted(is_short=False)
    rate.was_unused(unused)
    refuse(rate, 110.0)
    assert rate.found == pytest.approx(found)


def test_calls_that_were_under_way_together_count_once() -> None:
    """Those sent before the decrease say nothing about the rate since."""
    rate = AdaptiveRate(PROBED)
    for n in range(5):
        rate.refused(sent_at=99.0 + n / 10, now=100.0 + n / 10)
    assert rate.value == pytest.approx(1.0)


def test_a_found_rate_is_kept_for_long_and_left_upwards_if_nothing_is_refused() -> None:
    """The curve of CUBIC (RFC 9438): slow around what was found; far above it nothing is known any more."""
    rate = AdaptiveRate(PROBED)
    accept_for(rate, 2 * DOUBLING_S)
    refuse(rate, 100.0)
    for _ in range(50):
        rate.accepted(is_short=True)
    refuse(rate, 110.0)
    found = rate.found
    assert found == pytest.approx(5.0)
    accept_for(rate, 20)
    assert found * 0.99 < rate.value < found
    accept_for(rate, 30)
    assert found < rate.value < found * 1.03
    accept_for(rate, 40)
    assert rate.found is None, "nothing was refused at thirty per cent more: the quota has changed"
    accept_for(rate, 2 * DOUBLING_S)
    assert rate.value > found * 4


def test_a_rate_that_fell_below_the_first_guess_recovers_without_demand() -> None:
    """Or the next object after a storm of refusals would wait for minutes."""
    rate = AdaptiveRate(PROBED)
    for n in range(100):
        refuse(rate, 100.0 + n)
    assert rate.value == pytest.approx(PROBED.rate * 0.05), "the floor: progress never stops for good"
    accept_for(rate, 400, is_short=False)
    assert rate.value >= PROBED.rate


def test_refusals_are_one_in_sixty_calls_at_most() -> None:
    """Between a refusal and the same rate again there are sixty calls, but where calls are rarer than one in 2 s."""
    for start in (1.5, 2.0, 10.0, 40.0):
        rate = AdaptiveRate(Limit(start, 1.0, 50.0))
        refuse(rate, 100.0)  # slow start is over
        accept_for(rate, 60)
        refuse(rate, 200.0)
        assert rate.found is not None
        calls = 0
        while rate.value < rate.found:
            rate.accepted(is_short=True)
            calls += 1
        assert calls >= 59


@given(st.lists(st.booleans(), max_size=300), st.floats(0.0, 1.0))
def test_a_wait_of_up_to_a_minute_is_never_told_too_long(answers: list[bool], share: float) -> None:
    """Slots whose holders come too late are lost: even if nothing is refused any more, the calls take about as long."""
    rate = AdaptiveRate(PROBED)
    for n, is_accepted in enumerate(answers):
        if is_accepted:
            rate.accepted(is_short=True)
        else:
            refuse(rate, float(n))
    calls = share * 60.0 * rate.value
    told_s = rate.seconds_for(calls)
    took_s, left = 0.0, calls
    while left > 0:
        took_s += min(1.0, left) / rate.value
        left -= 1.0
        rate.accepted(is_short=True)
    assert told_s <= took_s * 1.25 + 1.0
