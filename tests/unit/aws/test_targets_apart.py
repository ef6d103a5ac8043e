"""One account with two clusters, two regions and three roles: no target pays for what happens at another."""

from collections import Counter
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.errors import AwsError, CallError
from controller.aws.limits.budgets import Budgets
from controller.aws.polling.poll_state import LOST_S, PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import Page
from controller.aws.targets import BASE_IDENTITY, Identity, Target
from controller.runtime.errors import ErrorClass
from tests.fakes import FakeClock
from tests.fakes.sagemaker.jobs import FakeJobs

POLL_S = 5.0
REGIONS = ("us-east-2", "eu-west-1")
TEAM_A = Identity("arn:aws:iam::123456789012:role/sagemaker-operator-a", namespace="a")
TEAM_B = Identity("arn:aws:iam::210987654321:role/sagemaker-operator-b", namespace="b")
ROLES = (BASE_IDENTITY, TEAM_A, TEAM_B)
TARGETS = [Target(region, identity=role) for region in REGIONS for role in ROLES]
FAULTY, *HEALTHY = TARGETS
TIMEOUT_S = 20.0
JOBS = 10
"""Of each cluster at each target."""


class Bench:
    """One operator of two, with jobs at every target; each target has a SageMaker of its own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._budgets = Budgets(self.clock, CollectorRegistry(), rand=lambda: 0.5)
        self.aws = {target: FakeJobs(TRAINING_JOB, self.clock, []) for target in TARGETS}
        self.lists: Counter[Target] = Counter()
        self.woken: dict[ObjectKey, float] = {}
        self.longest_s: dict[ObjectKey, float] = {}
        """The longest time between two wakes of a key, since a test cleared it."""
        self._last_wake: dict[ObjectKey, float] = {}
        self.error: CallError | None = None
        """What Lists of the faulty target answer."""
        self.hanging: set[Target] = set()
        """Targets of which Lists are not answered."""
        self.tracker = Tracker(
            TRAINING_JOB,
            self,  # type: ignore[arg-type]
            self._wake,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            PollSettings(poll_s=POLL_S, resync_s=36_000.0),
            rand=lambda: 0.5,
        )
        for target in TARGETS:
            for number in range(JOBS):
                self.clock.advance(0.001)
                self.aws[target].existing(f"theirs-{number}", region=target.region)
                self.job(target, f"ours-{number}")

    def job(self, target: Target, name: str) -> None:
        """A job of this cluster."""
        self.aws[target].existing(name, region=target.region)
        self.tracker.follow(key(target, name), target, name, self.clock.utcnow())

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`: with the operator's budgets, which are shared as AWS's quotas are."""
        caller = ("tracker", "ListTrainingJobs")
        self._budgets.admit(target, "ListTrainingJobs", caller, background=True)
        self.lists[target] += 1
        if target in self.hanging:
            self.run(TIMEOUT_S)  # as the other threads do meanwhile
            raise AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer")
        if target == FAULTY and self.error is not None:
            if self.error.error_class is ErrorClass.THROTTLED:
                wait_s = self._budgets.refused(
                    target, "ListTrainingJobs", caller, background=True, sent_at=self.clock.monotonic()
                )
                raise AwsError(self.error.error_class, self.error.code, "no", retry_after_s=wait_s)
            raise self.error
        self._budgets.accepted(target, "ListTrainingJobs", caller)
        return self.aws[target].list_page(descriptor, target, next_token=next_token)

    def _wake(self, woken: ObjectKey) -> None:
        now = self.clock.monotonic()
        self.woken.setdefault(woken, now)
        self.longest_s[woken] = max(self.longest_s.get(woken, 0.0), now - self._last_wake.get(woken, now))
        self._last_wake[woken] = now

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(10 * seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(0.1)


def key(target: Target, name: str) -> ObjectKey:
    """The key of the object of a job."""
    return ObjectKey(f"{target.region}/{target.identity.role}", name)


def many_old_ones(bench: Bench) -> None:
    """Thousands of followed jobs: their sweeps take as many pages."""
    for number in range(500):
        bench.job(FAULTY, f"old-{number}")


def failing(code: str, error_class: ErrorClass) -> Any:
    """Lists that fail."""

    def begin(bench: Bench) -> None:
        bench.error = AwsError(error_class, code, "no")

    return begin


@pytest.fixture
def bench() -> Bench:
    """Some time after the start."""
    bench = Bench()
    bench.run(30)
    return bench


def test_each_target_costs_one_list_a_poll_and_the_jobs_of_others_nothing(bench: Bench) -> None:
    """The jobs of the other cluster are read with ours and wake nobody."""
    bench.lists.clear()
    bench.woken.clear()
    for target in TARGETS:
        bench.aws[target].move("theirs-3", "Completed", region=target.region)
    bench.run(60)
    assert set(bench.lists) == set(TARGETS)
    assert all(60 / POLL_S - 2 <= count <= 60 / POLL_S + 2 for count in bench.lists.values())
    assert bench.woken == {}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(many_old_ones, id="many jobs"),
        pytest.param(failing("AccessDeniedException", ErrorClass.DENIED), id="denied"),
        pytest.param(failing("InternalFailure", ErrorClass.RETRYABLE), id="failing"),
        pytest.param(failing("ExpiredToken", ErrorClass.DENIED), id="expired"),
    ],
)
def test_trouble_at_one_target_neither_delays_nor_slows_the_others(bench: Bench, trouble: Any) -> None:
    """Other regions, other roles, other accounts: changes show within two polls, for the same number of Lists."""
    trouble(bench)
    bench.run(120)
    bench.lists.clear()
    bench.woken.clear()
    happened = bench.clock.monotonic()
    for target in HEALTHY:
        bench.aws[target].move("ours-3", "Completed", region=target.region)
    bench.run(60)
    late = {each: bench.woken[key(each, "ours-3")] - happened for each in HEALTHY}
    assert max(late.values()) <= 2 * POLL_S, late
    assert all(60 / POLL_S - 3 <= bench.lists[each] <= 60 / POLL_S + 2 for each in HEALTHY)


def test_a_target_that_is_throttled_slows_only_those_of_its_account_and_region(bench: Bench) -> None:
    """AWS limits calls by account and region: what has a quota of its own is as quick as ever."""
    bench.error = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
    bench.run(120)
    bench.woken.clear()
    apart = [each for each in HEALTHY if each.quota != FAULTY.quota]
    assert len(apart) == len(HEALTHY)
    for target in apart:
        bench.aws[target].move("ours-3", "Completed", region=target.region)
    bench.run(2 * POLL_S)
    assert {key(each, "ours-3") for each in apart} <= bench.woken.keys()


def test_lists_that_hang_delay_neither_other_targets_nor_the_describes_of_their_own(bench: Bench) -> None:
    """A region of which Lists are not answered for one role after the other: one call at a time waits for it."""
    bench.hanging = {each for each in TARGETS if each.region == FAULTY.region}
    bench.run(2 * LOST_S)
    bench.longest_s.clear()
    bench.run(2 * LOST_S)
    of_hanging = [key(target, f"ours-{number}") for target in bench.hanging for number in range(JOBS)]
    assert max(bench.longest_s[each] for each in of_hanging) <= 2 * POLL_S
    healthy = [each for each in TARGETS if each not in bench.hanging]
    bench.woken.clear()
    happened = bench.clock.monotonic()
    for target in healthy:
        bench.aws[target].move("ours-3", "Completed", region=target.region)
    bench.run(2 * POLL_S)
    late = {each: bench.woken[key(each, "ours-3")] - happened for each in healthy}
    assert max(late.values()) <= 2 * POLL_S, late
