"""Many objects at once: AWS is asked at the budget's rate, everybody gets a turn, and nobody spins."""

from collections.abc import Hashable, Mapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.aws.limits.budgets import LIMITS, Budgets
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import Absent, ErrorClass
from hack.bench.budgets import HiddenBucket
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World

pytestmark = pytest.mark.long


def test_eighty_new_objects_are_created_at_the_budgets_rate_with_few_passes() -> None:
    """Tickets: a waiting object comes back a few times, not at every slot; and that costs no writes."""
    world = World()
    budgets = Budgets(world.clock, CollectorRegistry())
    create, passes, times = world.aws.create, [], []

    def budgeted(descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> str:
        budgets.admit(target, "CreateTrainingJob", caller, background=False)
        times.append(world.clock.monotonic())
        return create(descriptor, target, request, caller=caller)

    world.sagemaker.reserve = budgets.reserve  # type: ignore[method-assign, assignment]
    world.aws.create = budgeted  # type: ignore[method-assign]
    reconcile = world.reconciler.reconcile

    def counted(key: ObjectKey) -> Any:
        passes.append(key)
        return reconcile(key)

    world.reconciler.reconcile = counted  # type: ignore[method-assign]
    for n in range(80):
        obj = manifest()
        obj["metadata"]["name"] = f"job-{n}"
        world.cluster.apply(obj)
    world.run(90, step_s=0.5)
    limit = LIMITS["CreateTrainingJob"]
    assert len(world.aws.jobs) == 80
    assert times[-1] - times[0] <= 80 / limit.rate + 10
    for start in times:
        assert sum(start <= time < start + 10 for time in times) <= limit.burst + 10 * limit.rate + 1
    assert len(passes) <= 80 * 12
    assert world.cluster.patches <= 80 * 2.25, "finalizer and name, created; and waiting, of those that wait for long"


SHOWN_S = 10.0
"""A sweep of a thousand jobs takes as long: ten pages, one a second."""


class Burst:
    """Jobs that run, with the operator's budgets in front of an AWS that allows `describes_per_s`."""

    def __init__(self, jobs: int, describes_per_s: float = 1e9) -> None:
        self.world = World()
        self._allowed = HiddenBucket(describes_per_s, 2 * describes_per_s)
        self._budgets = Budgets(self.world.clock, CollectorRegistry())
        self.refused = 0
        for n in range(jobs):
            obj = manifest()
            obj["metadata"]["name"] = f"job-{n}"
            self.world.cluster.apply(obj)
        self.world.run(10)
        self._list_page, self._describe = self.world.aws.list_page, self.world.aws.describe
        self.world.aws.list_page = self._budgeted_list_page  # type: ignore[method-assign]
        self.world.aws.describe = self._budgeted_describe  # type: ignore[method-assign]
        self.world.run(60)

    def _budgeted_list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        self._budgets.admit(target, "ListTrainingJobs", "tracker", background=True)
        return self._list_page(descriptor, target, next_token=next_token)

    def _budgeted_describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        operation, now = "DescribeTrainingJob", self.world.clock.monotonic()
        self._budgets.admit(target, operation, caller, background=background)
        if not self._allowed.takes(now):
            self.refused += 1
            again_s = self._budgets.refused(target, operation, caller, background=background, sent_at=now)
            raise AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded", retry_after_s=again_s)
        self._budgets.accepted(target, operation, caller)
        return self._describe(descriptor, target, name, caller=caller, background=background)

    def ends(self) -> list[float]:
        """End all jobs at this moment; return the seconds after which each object shows it, ascending."""
        world, cluster = self.world, self.world.cluster
        ended_at, waiting, shown = world.clock.monotonic(), set(cluster.keys()), []
        for _, name in tuple(world.aws.jobs):
            world.aws.move(name, "Completed")
        while waiting and world.clock.monotonic() < ended_at + 300:
            world.run(0.25, step_s=0.25)
            ended = {key for key in waiting if (cluster.peek(key) or {})["status"]["trainingJobStatus"] == "Completed"}
            waiting -= ended
            shown += [world.clock.monotonic() - ended_at] * len(ended)
        assert not waiting
        return shown


def test_the_end_of_a_thousand_jobs_is_shown_within_ten_seconds() -> None:
    """Where AWS allows their Describes, each of which is made once: those found by a sweep, and those guessed."""
    burst = Burst(1000)
    burst.world.sagemaker.calls.clear()
    shown = burst.ends()
    assert shown[500] <= 0.75 * SHOWN_S
    assert shown[990] <= SHOWN_S
    assert burst.world.aws.count("describe") == 1000


def test_an_account_that_allows_ten_describes_a_second_is_used_to_the_full_with_few_refusals() -> None:
    """What AWS allows is found from above: a fast start costs refused calls, not time."""
    burst = Burst(300, describes_per_s=10.0)
    shown = burst.ends()
    assert shown[-1] <= 1.25 * 300 / 10.0
    assert burst.refused <= 0.05 * 300
