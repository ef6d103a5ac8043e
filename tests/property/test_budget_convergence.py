"""The budgets against a simulated AWS with a hidden token bucket: they find its rate, stay there, and nobody starves.

Also on machines that are too busy for callers to come in time.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.aws.limits.adaptive_rate import Limit
from hack.bench.budgets import HiddenBucket, Machine, Ours, Policy, Simulation, WritesFirst

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


@pytest.mark.parametrize("burst_s", [1.0, 5.0, 9.0, 20.0])
@pytest.mark.parametrize("rate", [0.5, 2.0, 7.5])
def test_a_found_rate_is_kept_whatever_aws_has_saved_up(rate: float, burst_s: float) -> None:
    """No oscillation: in no forty calls' time are far fewer calls made than AWS takes."""
    until_s = 250.0 + 400.0 / rate
    course = Simulation(Ours(), hidden(rate, burst_s), callers=WAITING, again=True).run(until_s)
    settled, window_s = 120.0 + 100.0 / rate, 40.0 / rate
    windows = [settled + n * window_s for n in range(int((until_s - settled) / window_s))]
    assert min(course.rate(at, at + window_s) for at in windows) >= 0.5 * rate


@settings(max_examples=8, deadline=None)
@given(st.floats(0.5, 10.0), st.floats(3.0, 20.0), st.floats(0.0, 0.5), st.sampled_from([Ours, WritesFirst]), SEEDS)
def test_late_callers_cost_little_of_the_rate(
    rate: float, burst_s: float, late_s: float, policy: type[Policy], seed: int
) -> None:
    """On a busy machine AWS's slots are used by those that are there, where it saves up some seconds of its rate."""
    aws = hidden(rate, burst_s)
    until_s = 300.0 + 400.0 / rate
    machine = Machine(late_s=late_s, seed=seed)
    course = Simulation(policy(), aws, callers=WAITING, again=True, machine=machine, seed=seed).run(until_s)
    since = 120.0 + 100.0 / rate
    assert course.rate(since, until_s) >= 0.8 * rate
    assert course.refused_share(since) <= 0.05


@pytest.mark.parametrize(
    ("machine", "share", "refused"),
    [
        pytest.param({}, 0.97, 7, id="idle"),
        pytest.param({"late_s": 0.3}, 0.9, 9, id="callers come 0.3 s late"),
        pytest.param({"late_s": 1.0}, 0.75, 14, id="callers come a second late"),
        pytest.param({"late_s": 0.2, "stall_every_s": 8.0}, 0.6, 10, id="nothing happens for a quarter of the time"),
    ],
)
def test_two_hundred_jobs_at_two_a_second(machine: dict[str, float], share: float, refused: int) -> None:
    """AWS takes four at once. The last caller is not far behind what it allows, and few calls are refused."""
    for seed in range(5):
        course = Simulation(
            WritesFirst(), HiddenBucket(2.0, 4.0), callers=200, machine=Machine(**machine, seed=seed), seed=seed
        ).run(1000.0)
        assert len(course.order) == 200
        assert (200 - 4) / 2.0 / max(course.accepted) >= share
        assert len(course.refused) <= refused


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
