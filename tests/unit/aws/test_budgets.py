"""Call budgets: rate, burst, fairness, two lanes, and slowing down when AWS says so."""

import heapq
import itertools
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from controller.aws.errors import CallError
from controller.aws.limits.adaptive_rate import Limit
from controller.aws.limits.budgets import LIMITS, MOST_BUCKETS, Budgets
from controller.aws.limits.token_bucket import TokenBucket
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from hack.bench.budgets import HiddenBucket, Ours, Simulation
from tests.fakes import FakeClock
from tests.tables import each_row

LIMIT = Limit(rate=2.0, burst=4.0)
PROBED = Limit(rate=2.0, burst=4.0, ceiling=50.0)


def test_a_burst_goes_out_at_once_and_the_rest_at_the_rate() -> None:
    """GCRA: burst calls, then one every 1/rate seconds."""
    bucket = TokenBucket(LIMIT)
    waits = [bucket.admit(n, background=False, now=100.0) for n in range(7)]
    assert waits == [0, 0, 0, 0, 0.5, 1.0, 1.5]


def test_who_comes_back_at_his_time_is_admitted_and_keeps_nobody_waiting() -> None:
    """A ticket is a promise: newcomers queue behind it."""
    bucket = TokenBucket(LIMIT)
    for n in range(4):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit("early", background=False, now=100.0) == 0.5
    assert bucket.admit("late", background=False, now=100.4) == pytest.approx(0.6)
    assert bucket.admit("early", background=False, now=100.5) == 0
    assert bucket.admit("late", background=False, now=101.0) == 0


def test_asking_too_early_does_not_cost_the_place() -> None:
    """An event in between leads to a second ask: the same slot is told."""
    bucket = TokenBucket(LIMIT)
    for n in range(4):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit("x", background=False, now=100.0) == 0.5
    assert bucket.admit("x", background=False, now=100.2) == pytest.approx(0.3)


def test_background_calls_leave_half_of_the_burst_to_users() -> None:
    """User-caused before background (DESIGN 4.6)."""
    bucket = TokenBucket(LIMIT)
    now, background = 100.0, 0
    while bucket.admit(("background", background), background=True, now=now) == 0:
        background += 1
    assert background <= 2
    assert bucket.admit("user", background=False, now=now) == 0


def test_background_calls_wait_while_users_use_up_the_rate() -> None:
    """And they get through when users are quiet."""
    bucket = TokenBucket(LIMIT)
    now = 100.0
    for n in range(20):
        bucket.admit(n, background=False, now=now)
    wait = bucket.admit("tracker", background=True, now=now)
    assert wait > 5
    assert bucket.admit("tracker", background=True, now=now + wait + 0.001) == 0


def test_a_refusal_slows_those_who_wait_already() -> None:
    """A long queue goes on at the new rate, in its order: the schedule counts calls, not seconds."""
    bucket = TokenBucket(LIMIT)
    for n in range(24):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit(23, background=False, now=100.0) == 10.0
    bucket.refused("x", background=False, sent_at=100.0, now=100.0)
    assert bucket.rate == 1.0
    assert admitted_at(bucket, "x", now=100.0) == pytest.approx(101.0)
    now = 101.0
    for n in range(4, 24):
        now = admitted_at(bucket, n, now=now)
        assert now == pytest.approx(100.0 + (n - 3) + 1, abs=0.01)


def admitted_at(bucket: TokenBucket, caller: Hashable, now: float) -> float:
    """When a caller who comes whenever told is let through."""
    while wait := bucket.admit(caller, background=False, now=now):
        now += wait
    return now


def test_who_was_refused_goes_first() -> None:
    """It has waited its turn: refusals must not send anybody to the end of a long line, again and again."""
    bucket = TokenBucket(LIMIT)
    for n in range(24):
        bucket.admit(n, background=False, now=100.0)
    wait = bucket.refused("x", background=False, sent_at=100.0, now=100.0)
    assert wait == pytest.approx(1.0)
    assert bucket.admit(4, background=False, now=100.0) > wait
    assert bucket.admit("x", background=False, now=100.0 + wait) == 0


def test_the_burst_is_spent_after_a_refusal() -> None:
    """AWS's bucket is empty, whatever ours says."""
    bucket = TokenBucket(LIMIT)
    bucket.admit("x", background=False, now=100.0)
    bucket.refused("x", background=False, sent_at=100.0, now=100.0)
    assert bucket.admit("next", background=False, now=100.0) > 0


def test_a_refused_background_call_does_not_go_before_users() -> None:
    """User-caused before background, also then (DESIGN 4.6)."""
    bucket = TokenBucket(LIMIT)
    bucket.admit("tracker", background=True, now=100.0)
    bucket.refused("tracker", background=True, sent_at=100.0, now=100.0)
    for n in range(4):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.admit("tracker", background=True, now=101.0) > 0
    assert bucket.admit(0, background=False, now=102.0) == 0


@each_row("refused", [1, 3, 6, 12])
@each_row("after_s", [30.0, 600.0])
def test_callers_that_are_refused_for_ever_stop_no_other_for_ever(refused: int, after_s: float) -> None:
    """As where AWS throttles what concerns some names: a newcomer has its turn in the time of their back-offs."""
    bucket = TokenBucket(Limit(4.0, 10.0, ceiling=50.0))
    asks = [(0.0, n, f"refused-{n}") for n in range(refused)] + [(after_s, refused, "newcomer")]
    heapq.heapify(asks)
    for number in itertools.count(refused + 1):
        now, _, caller = heapq.heappop(asks)
        assert now < after_s + 120.0, "the newcomer still waits"
        wait_s = bucket.admit(caller, background=False, now=now)
        if not wait_s and caller == "newcomer":
            break
        wait_s = wait_s or bucket.refused(caller, background=False, sent_at=now, now=now, jitter=1.5)
        heapq.heappush(asks, (now + wait_s + 1e-6, number, caller))


def test_a_turn_is_a_place_in_the_line_that_costs_nothing_until_it_is_used() -> None:
    """Who would have to write something before its call asks first, and then is not overtaken."""
    bucket = TokenBucket(LIMIT)
    for n in range(3):
        bucket.admit(n, background=False, now=100.0)
    assert bucket.reserve("a", now=100.0) == 0
    assert bucket.reserve("b", now=100.0) == 0.5
    assert bucket.admit("c", background=False, now=100.0) == 1.0
    assert bucket.admit("a", background=False, now=100.1) == 0
    assert bucket.reserve("b", now=100.5) == 0
    assert bucket.admit("b", background=False, now=100.5) == 0
    assert bucket.admit("c", background=False, now=101.0) == 0


def test_long_waits_are_told_in_parts() -> None:
    """The rate may have changed when half of the time has passed."""
    bucket = TokenBucket(LIMIT)
    waits = [bucket.admit(n, background=False, now=100.0) for n in range(1000)]
    assert waits[100] == 48.5
    assert max(waits) == pytest.approx(996 / 2 / 2)
    slow = TokenBucket(Limit(0.01, 1.0))
    slow.admit("first", background=False, now=100.0)
    assert slow.admit("next", background=False, now=100.0) == pytest.approx(60.0), "of a hundred"
    assert slow.admit("next", background=False, now=160.0) == pytest.approx(40.0)


def test_demand_makes_the_rate_grow_and_slow_callers_do_not() -> None:
    """Only calls that went out because their turn had come show that the rate is what holds them back."""
    prompt, slow = TokenBucket(PROBED), TokenBucket(PROBED)
    for bucket, pause_s in ((prompt, 0.0), (slow, 1.5)):
        now = 100.0
        for n in range(40):
            bucket.admit(n, background=False, now=now)
        for n in range(4, 30):
            now = admitted_at(bucket, n, now=now + pause_s)
            bucket.accepted(n)
    assert prompt.rate > 1.5 * PROBED.rate
    assert slow.rate < 1.5 * PROBED.rate


def waiting(bucket: TokenBucket, callers: int) -> None:
    """As many users in the line, after a burst of others."""
    for n in range(4):
        bucket.admit(("burst", n), background=False, now=100.0)
    for n in range(callers):
        bucket.admit(n, background=False, now=100.0)


def test_who_is_early_has_the_turn_of_one_that_is_late() -> None:
    """On a busy machine AWS's slots would be lost; the late one is next."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 3)
    assert bucket.admit(1, background=False, now=100.8) == 0, "its own turn is at 101"
    assert bucket.admit(0, background=False, now=100.9) == pytest.approx(0.1, abs=0.1)
    assert bucket.admit(0, background=False, now=101.0) == 0
    assert bucket.admit(2, background=False, now=101.5) == 0


def test_nobody_far_behind_has_the_turn_of_one_that_is_late() -> None:
    """An edit of the last object in a long line must not send the first one to its end."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 50)
    assert bucket.admit(49, background=False, now=100.8) > 20
    assert bucket.admit("new", background=False, now=100.8) > 20
    assert bucket.admit(0, background=False, now=100.9) == 0


@each_row(("late_s", "shorter_s"), [(0.0, 0.0), (0.2, 0.0), (0.8, 0.5)])
def test_waits_are_shorter_where_callers_are_so_late_that_turns_would_be_lost(late_s: float, shorter_s: float) -> None:
    """Their timer has rung, and they wait for a worker. Where they are little late, they would come early, twice."""
    bucket, now = TokenBucket(LIMIT), 100.0
    for n in range(200):
        while wait_s := bucket.admit(n, background=False, now=now):
            now += wait_s + late_s
    now += 1000.0  # the burst is full again
    waiting_s = [bucket.admit(("more", n), background=False, now=now) for n in range(20)]
    assert waiting_s[-1] == pytest.approx(16 / 2 - shorter_s, abs=0.01)


def test_who_comes_moments_before_its_turn_is_not_sent_away() -> None:
    """A pass more would cost more; and the rate is that of the turns."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 100)
    for n in range(100):
        turn_at = 100.5 + n / LIMIT.rate
        assert bucket.admit(n, background=False, now=turn_at - 0.02) == pytest.approx(0.02)
        assert bucket.reserve(n, now=turn_at - 0.009) == 0
        assert bucket.admit(n, background=False, now=turn_at - 0.008) == 0


def test_turns_that_passed_unused_are_made_up_for_only_as_far_as_aws_saves_them_up() -> None:
    """After a stall of the machine all come at once, and AWS would refuse most of them."""
    bucket = TokenBucket(LIMIT)
    bucket.refused("x", background=False, sent_at=100.0, now=100.0)
    for n in range(30):
        bucket.admit(n, background=False, now=100.0)
    came = [n for n in ("x", *range(30)) if bucket.admit(n, background=False, now=130.0) == 0]
    assert came == ["x", 0, 1, 2], "thirty turns have passed"
    assert bucket.admit(3, background=False, now=130.5) > 0
    assert bucket.admit(3, background=False, now=131.0) == 0


def test_a_background_call_has_a_turn_that_users_left_unused() -> None:
    """Users that do not come, for their objects were deleted, must not stop others."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 30)
    assert bucket.admit("tracker", background=True, now=100.0) > 10
    assert bucket.admit("tracker", background=True, now=110.0) == 0


@each_row(
    ("users_per_s", "asks"),
    [
        pytest.param(0.0, 5.0, id="no users"),
        pytest.param(0.4, 8.0, id="a fifth"),
        pytest.param(1.0, 12.0, id="half of it"),
        pytest.param(1.9, 120.0, id="nearly all"),
    ],
)
def test_a_crowd_in_the_background_waits_for_what_users_leave_over(users_per_s: float, asks: float) -> None:
    """All objects at rest are described at once at a resync: each ask is a pass, so all must not ask for each slot."""
    bucket, crowd, per_s = TokenBucket(PROBED), 300, PROBED.rate - users_per_s
    last_s = crowd / per_s
    due = [(1000.0, n, True) for n in range(crowd)]
    due += [(1000.0 + n / users_per_s, crowd + n, False) for n in range(int(last_s * users_per_s))]
    heapq.heapify(due)
    asked, order, ended = 0, list[int](), 0.0
    while due:
        now, caller, is_background = heapq.heappop(due)
        asked += is_background
        if wait_s := bucket.admit(caller, background=is_background, now=now):
            assert is_background, "a user waits for the background"
            heapq.heappush(due, (now + wait_s, caller, is_background))
            continue
        bucket.accepted(caller)
        if is_background:
            order.append(caller)
            ended = now
    assert ended - 1000.0 == pytest.approx(last_s, rel=0.05)
    assert asked <= asks * crowd
    assert max(abs(caller - place) for place, caller in enumerate(order)) <= 5, "overtaken"


def test_a_crowd_that_does_not_come_any_more_is_forgotten_soon() -> None:
    """A hundred objects are deleted while they wait: those behind them wait little longer than they were told."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 100)
    assert admitted_at(bucket, "behind", now=101.0) <= 100.0 + 101 / 2 + 15.0
    for now in (200.0, 240.0):
        bucket.admit("last", background=False, now=now)
    assert len(bucket) == 0


def test_nobody_is_forgotten_after_a_stall() -> None:
    """All were held up, so all are late: they keep their order."""
    bucket = TokenBucket(LIMIT)
    waiting(bucket, 30)
    for n in (0, 1, 2, 3):
        assert bucket.admit(n, background=False, now=200.0) == 0
    assert bucket.admit(29, background=False, now=200.0) > bucket.admit(4, background=False, now=200.0)


def test_a_turn_comes_as_much_earlier_as_its_holders_need_to_use_it() -> None:
    """What reconcilers write before a Create takes its time; AWS's slot must not wait for it."""
    bucket, write_s, now = TokenBucket(LIMIT), 0.4, 100.0
    waits = []
    for n in range(100):
        while wait_s := bucket.reserve(n, now=now):
            now += wait_s
        now += write_s
        waits.append(bucket.admit(n, background=False, now=now))
        now = admitted_at(bucket, n, now=now + waits[-1]) if waits[-1] else now
    assert now == pytest.approx(100.0 + 96 / 2, abs=2.0)
    assert max(waits) <= 0.5


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 30), st.booleans()), max_size=80))
def test_no_schedule_exceeds_burst_plus_rate(asks: list[tuple[float, int, bool]]) -> None:
    """Whoever asks whenever: in any window at most burst + rate x window (+ 1 for tickets at its edge) calls go out."""
    bucket, now, admitted = TokenBucket(LIMIT), 100.0, []
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
    bucket = TokenBucket(LIMIT)
    for n in range(5000):
        bucket.admit(n, background=False, now=100.0 + n)
        bucket.admit(("b", n), background=True, now=100.0 + n)
    assert len(bucket) < 300


def test_budgets_are_kept_per_target_and_operation() -> None:
    """One region's or one operation's exhaustion is nobody else's."""
    budgets = Budgets(FakeClock(), CollectorRegistry(), {"List": Limit(1.0, 1.0)})
    here, there = Target("us-east-2"), Target("eu-west-1")
    budgets.admit(here, "List", "a", background=False)
    with pytest.raises(CallError) as caught:
        budgets.admit(here, "List", "b", background=False)
    assert caught.value.error_class is ErrorClass.THROTTLED
    assert caught.value.retry_after_s == pytest.approx(1.0)
    budgets.admit(there, "List", "b", background=False)
    budgets.admit(here, "Describe", "b", background=False)


def test_a_turn_raises_as_the_call_would() -> None:
    """Callers treat both alike; the place in the line is the same one."""
    budgets = Budgets(FakeClock(), CollectorRegistry(), {"Create": Limit(1.0, 1.0)})
    target = Target("us-east-2")
    budgets.reserve(target, "Create", "a")
    budgets.admit(target, "Create", "a", background=False)
    with pytest.raises(CallError) as caught:
        budgets.reserve(target, "Create", "b")
    assert caught.value.error_class is ErrorClass.THROTTLED
    assert caught.value.retry_after_s == pytest.approx(1.0)


@each_row("operation", [name for name in LIMITS if name.startswith("List")])
def test_list_quotas_are_never_probed(operation: str) -> None:
    """About two a second per account, which cannot be raised; half of them is left to others (DESIGN 4.5)."""
    assert LIMITS[operation].most <= 1.0


def test_budgets_of_regions_that_users_make_up_do_not_add_up() -> None:
    """A bad object hurts nobody else: what users write into specs must not fill the memory of the process."""
    budgets = Budgets(FakeClock(), CollectorRegistry())
    used = Target("us-east-2")
    for number in range(MOST_BUCKETS + 50):
        budgets.admit(Target(f"region-{number}"), "CreateModel", "caller", background=False)
        budgets.accepted(used, "CreateModel", "caller")
    assert len(budgets) == MOST_BUCKETS
    assert (used.quota, "CreateModel") in budgets._buckets, "those in use stay"


@pytest.mark.parametrize(
    ("per_s", "at_once", "all_within_s", "refused"),
    [
        pytest.param(1e6, 1e6, 10.0, 0.0, id="no quota"),
        pytest.param(25.0, 100.0, 45.0, 0.07, id="25 a second"),
        pytest.param(10.0, 20.0, 110.0, 0.02, id="10 a second"),
        pytest.param(4.0, 10.0, 260.0, 0.03, id="4 a second"),
    ],
)
def test_the_last_describes_of_a_thousand_jobs_take_as_long_as_aws_makes_them(
    per_s: float, at_once: float, all_within_s: float, refused: float
) -> None:
    """They start fast, since they come in bursts and each job needs only one; that may cost a few refusals."""
    policy, aws = Ours(LIMITS["DescribeTrainingJob"]), HiddenBucket(per_s, at_once)
    course = Simulation(policy, aws, callers=1000, workers=64).run(1000)
    assert len(course.order) == 1000
    assert max(course.accepted) <= all_within_s
    assert course.refused_share() <= refused
