"""Many objects at once: AWS is asked at the budget's rate, everybody gets a turn, and nobody spins."""

from collections.abc import Hashable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.limits.budgets import LIMITS, Budgets
from controller.aws.targets import Target
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World


def test_eighty_new_objects_are_created_at_the_budgets_rate_with_few_passes() -> None:
    """Tickets: a waiting object comes back a few times, not at every slot; and that costs no writes."""
    world = World()
    budgets = Budgets(world.clock, CollectorRegistry())
    create, passes, times = world.aws.create, [], []

    def budgeted(descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> str:
        budgets.admit(target, "CreateTrainingJob", caller, background=False)
        times.append(world.clock.monotonic())
        return create(descriptor, target, request, caller=caller)

    world.sagemaker.turn = budgets.turn  # type: ignore[method-assign, assignment]
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
    assert len(world.cluster.writes) <= 80 * 5, "finalizer and name, waiting, empty write before Create, created"
