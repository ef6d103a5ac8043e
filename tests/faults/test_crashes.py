"""Sieve's first family: the process dies before or after any effect, and another one takes over (DESIGN 5).

Each test plays a life once undisturbed, which counts the effects, and then once for each point at which it can die.
"""

import pytest

from api.descriptor import KindDescriptor
from tests.fakes.crashes import CrashPoint
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World
from tests.faults.scenarios import JOBS, SCENARIOS, Scenario, scenarios_of

pytestmark = pytest.mark.long

LIVES = [
    pytest.param(job, scenario, id=f"{job.kind} {name}") for job in JOBS for name, scenario in scenarios_of(job).items()
]


def _points(job: KindDescriptor, scenario: Scenario) -> list[CrashPoint]:
    """Return where the undisturbed run can die: AWS may refuse an effect, which then does not happen."""
    world = World(job)
    scenario.play(world)
    scenario.check(world)
    return world.crash.points()


@pytest.mark.parametrize(("job", "scenario"), LIVES)
def test_a_crash_at_any_effect_changes_nothing_in_the_end(
    job: KindDescriptor, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """No second job, none orphaned, none lost; the object converges without a human."""
    for point in _points(job, scenario):
        with subtests.test(str(point)):
            world = World(job)
            world.crash.die_at(point)
            scenario.play(world)
            scenario.check(world)
            assert world.crashes == 1


@pytest.mark.parametrize(("job", "scenario"), LIVES)
def test_nor_does_it_when_sagemaker_shows_new_jobs_late(
    job: KindDescriptor, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """D-07b: for some seconds only Create knows the job; "not found" must not be taken for "never was"."""
    for point in _points(job, scenario):
        with subtests.test(str(point)):
            world = World(job)
            world.aws.lag_s = 8.0
            world.crash.die_at(point)
            scenario.play(world)
            scenario.check(world)


@pytest.mark.parametrize(
    ("scenario", "every"),
    [pytest.param(s, n, id=f"{name}, {n}") for name, s in SCENARIOS.items() for n in (2, 3) if n >= s.longest],
)
def test_a_process_that_keeps_crashing_still_gets_there(scenario: Scenario, every: int) -> None:
    """Each process lives for two or three effects: proving that a view is current, and one that counts.

    Tags are noted after they are put, in the same life: who dies before that puts them again, which changes nothing.
    """
    world = World()
    restart = world.restart

    def restart_and_die_again() -> None:
        restart()
        world.crash.at, world.crash.after = every, True

    world.restart = restart_and_die_again  # type: ignore[method-assign]
    world.restart()
    scenario.play(world)
    scenario.check(world)


def test_a_process_that_may_not_act_any_more_has_no_effect() -> None:
    """DESIGN 4.10: the fence is asked before every effect."""
    world = World()
    world.fence.is_open = False
    world.cluster.apply(manifest())
    world.run(30)
    assert world.aws.calls == ()
    assert world.cluster.writes == []
