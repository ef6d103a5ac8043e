"""A tuning job and its training jobs through crashes, refusals, silence and old views: the same end each time."""

import itertools

import pytest

from controller.aws.errors import AwsError
from controller.kube.errors import ConnectionFailed
from controller.runtime.errors import ErrorClass
from tests.fakes.cluster import silence
from tests.faults.tuning_scenarios import SCENARIOS, Scenario, assert_all_gone, assert_completed, completes
from tests.faults.tuning_world import KEY, TuningWorld, manifest
from tests.tables import each_row

pytestmark = pytest.mark.long

EACH = [pytest.param(scenario, id=name) for name, scenario in SCENARIOS.items()]


def _undisturbed(scenario: Scenario) -> TuningWorld:
    world = TuningWorld()
    scenario.play(world)
    scenario.check(world)
    return world


@pytest.mark.parametrize("scenario", EACH)
def test_a_crash_at_any_effect_changes_nothing_in_the_end(scenario: Scenario, subtests: pytest.Subtests) -> None:
    """DESIGN 5: no second job, no object lost or hanging, nothing spawned twice."""
    for point in _undisturbed(scenario).crash.points():
        with subtests.test(str(point)):
            world = TuningWorld()
            world.crash.die_at(point)
            scenario.play(world)
            scenario.check(world)
            assert world.crashes == 1


@pytest.mark.parametrize("every", [2, 3])
@each_row("scenario", EACH)
def test_a_process_that_keeps_crashing_still_gets_there(scenario: Scenario, every: int) -> None:
    """Each process lives for two or three effects."""
    world = TuningWorld()
    restart = world.restart

    def restart_and_die_again() -> None:
        restart()
        world.crash.at, world.crash.after = every, True

    world.restart = restart_and_die_again  # type: ignore[method-assign]
    world.restart()
    scenario.play(world)
    scenario.check(world)


ERRORS = {
    "denied": (AwsError(ErrorClass.DENIED, "AccessDeniedException", "no"), False),
    "throttled": (AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded"), False),
    "silent before": (AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True), False),
    "silent after": (AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True), True),
}


OPERATIONS = ("create", "describe", "stop", "list", "launched", "describe training")


def _calls(world: TuningWorld) -> set[str]:
    of_tunings = {operation for operation, _ in world.aws.calls}
    return of_tunings | {f"{operation} training" for operation, _ in world.aws_training.calls}


@pytest.mark.parametrize("scenario", EACH)
def test_one_failed_call_changes_nothing_in_the_end(scenario: Scenario, subtests: pytest.Subtests) -> None:
    """Whatever the class, and whether or not the request took effect. A life makes some calls only."""
    made = _calls(_undisturbed(scenario))
    for operation, name in itertools.product([each for each in OPERATIONS if each in made], ERRORS):
        error, after = ERRORS[name]
        with subtests.test(f"{operation}: {name}"):
            world = TuningWorld()
            fake = world.aws_training if operation.endswith("training") else world.aws
            fake.fail(operation.split(maxsplit=1)[0], error, after=after)
            scenario.play(world)
            scenario.check(world)
            assert fake.faults == []


def test_the_scenarios_make_every_call_that_may_fail() -> None:
    """A life makes some calls only; which ones is found by playing it."""
    made = [_calls(_undisturbed(scenario)) for scenario in SCENARIOS.values()]
    assert set().union(*made) >= set(OPERATIONS)


@pytest.mark.parametrize("which", ["tunings", "trainings"])
@pytest.mark.parametrize("scenario", EACH)
def test_a_failed_write_changes_nothing_in_the_end(scenario: Scenario, which: str, subtests: pytest.Subtests) -> None:
    """Each of the first patches may have no answer, although it may have been stored."""
    patches = min(8, getattr(_undisturbed(scenario), which).patches)
    assert patches > 0
    for failing, is_stored in itertools.product(range(1, patches + 1), [False, True]):
        with subtests.test(f"patch {failing} {'is' if is_stored else 'is not'} stored"):
            world = TuningWorld()
            getattr(world, which).fault = silence(failing, after=is_stored)
            scenario.play(world)
            scenario.check(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_row("verb", ["create", "delete"])
@each_row("scenario", EACH)
def test_a_failed_creation_or_deletion_of_an_object_changes_nothing(scenario: Scenario, verb: str, after: bool) -> None:
    """The first of its kind has no answer, although it may have taken effect."""
    world = TuningWorld()
    real = getattr(world.writer, verb)
    failed: list[str] = []

    def fail(*args: object, **kwargs: object) -> object:
        if failed:
            return real(*args, **kwargs)
        failed.append(verb)
        if after:
            real(*args, **kwargs)
        raise ConnectionFailed("RequestTimeout", "no reply")

    setattr(world.writer, verb, fail)
    scenario.play(world)
    scenario.check(world)


def test_a_view_of_the_objects_that_lags_spawns_nothing_twice_and_lets_go_of_all() -> None:
    """The informer of TrainingJobs shows none of those just made, while the tuning job is deleted."""
    world = TuningWorld()
    world.tunings.apply(manifest())
    world.run(30)
    world.trainings.store.freeze_all()
    names = world.aws.launch(world.name, 2)
    world.run(60)
    assert world.aws_training.count("describe") == 2, "what was made is remembered, though the store does not show it"
    world.tunings.delete(KEY)
    world.run(10)
    world.aws.end_all(world.name, "Stopped")
    world.run(60)
    assert world.tunings.get(KEY) is None
    world.trainings.store.thaw()
    world.seen.clear()  # the events come now
    world.run(120)
    assert_all_gone(world)
    assert names


def test_an_old_view_of_a_deleted_tuning_job_spawns_nothing() -> None:
    """A store that shows the tuning job as it was before its deletion: no object without an owner."""
    world = TuningWorld()
    world.tunings.apply(manifest())
    world.run(30)
    before = world.tunings.get(KEY)
    world.tunings.delete(KEY)
    world.restart()
    world.tunings.store.freeze(KEY, before)
    world.aws.launch((before or {})["spec"]["hyperParameterTuningJobName"], 2)
    world.run(60)
    assert world.shown() == {}
    world.tunings.store.thaw()


@pytest.mark.parametrize("every", [1, 2, 3])
def test_objects_that_others_keep_changing_converge(every: int) -> None:
    """409 is a requeue, not an error."""
    world = TuningWorld()

    def interfere(n: int, after: bool) -> None:
        if not after and n % (every + 1) == 0 and world.tunings.get(KEY):
            world.tunings.touch(KEY)

    world.tunings.fault = interfere
    completes(world)
    assert_completed(world)
