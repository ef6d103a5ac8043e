"""The budgets against a simulated AWS with a hidden token bucket: they find its rate, and nobody starves."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.aws.limits.adaptive_rate import Limit
from hack.bench.budgets import HiddenBucket, Ours, Simulation

pytestmark = pytest.mark.long

RATES = st.floats(0.5, 30.0)
SECONDS_OF_BURST = st.floats(1.0, 20.0)
SEEDS = st.integers(0, 1 << 16)
WAITING = 100


def hidden(rate: float, burst_s: float) -> HiddenBucket:
    """An AWS that saves up so many seconds of its rate: two calls at least, or no schedule could meet it."""
    return HiddenBucket(rate, max(2.0, rate * burst_s))


@settings(max_examples=12, deadline=None)
@given(RATES, SECONDS_OF_BURST, SEEDS)
def test_four_fifths_of_an_unknown_rate_are_reached_with_few_refusals(rate: float, burst_s: float, seed: int) -> None:
    """DESIGN 4.6: with demand that never ends, after two minutes or a hundred calls of it."""
    aws = hidden(rate, burst_s)
    until_s = 600.0 + 400.0 / rate
    course = Simulation(Ours(), aws, callers=WAITING, again=True, seed=seed).run(until_s)
    since = 120.0 + 100.0 / rate
    assert course.rate(since, until_s) >= 0.8 * rate
    assert course.refused_share(since) <= 0.05


@settings(max_examples=12, deadline=None)
@given(RATES, RATES, SEEDS)
def test_a_change_of_the_rate_is_followed(before: float, after: float, seed: int) -> None:
    """A quota was raised, or somebody else uses it up: ten minutes, or four hundred calls at the slower rate.

    AWS saves up five seconds of the faster rate: with less than one, a call that comes a little late is lost for good.
    """
    change_at = 200.0
    settled = change_at + 600.0 + 400.0 / min(before, after)
    until_s = settled + 300.0 + 100.0 / after
    aws = hidden(max(before, after), 5.0)
    course = Simulation(Ours(), aws, callers=WAITING, again=True, changes={change_at: after}, seed=seed).run(until_s)
    assert course.rate(settled, until_s) >= 0.75 * after
    assert course.refused_share(settled) <= 0.06


@settings(max_examples=20, deadline=None)
@given(RATES, SECONDS_OF_BURST, SEEDS)
def test_everybody_gets_a_turn_in_about_the_order_of_coming(rate: float, burst_s: float, seed: int) -> None:
    """Fair: nobody is overtaken by more than come while a call, or the told part of a wait, is under way."""
    course = Simulation(Ours(), hidden(rate, burst_s), callers=300, seed=seed).run(10_000)
    assert len(course.order) == 300
    displaced = [abs(place - caller) for place, caller in enumerate(course.order)]
    assert max(displaced) <= 60
    assert course.asks / 300 <= 20


@settings(max_examples=10, deadline=None)
@given(st.floats(2.0, 10.0), SEEDS)
def test_a_known_quota_is_kept(rate: float, seed: int) -> None:
    """Where the limit is no guess, AWS could allow more and would not be asked."""
    aws = hidden(rate, 5.0)
    course = Simulation(Ours(Limit(1.0, 2.0)), aws, callers=50, again=True, seed=seed).run(300)
    assert len(course.accepted) <= 302
    assert not course.refused
