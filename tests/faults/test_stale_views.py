"""Sieve's second and third families: events that are missed or repeated, and restarts on an older view."""

import copy
from datetime import datetime, timedelta

import pytest

from api.meta import JsonObject
from controller.aws.errors import AwsError
from controller.runtime.controller import DONE
from controller.runtime.errors import ErrorClass
from tests.fakes import FakeClock
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults.scenarios import SCENARIOS, Scenario, assert_completed, completes

pytestmark = pytest.mark.long


def _history(scenario: Scenario) -> list[JsonObject]:
    world = World()
    scenario.play(world)
    assert world.cluster.history
    return world.cluster.history


@pytest.mark.parametrize("scenario", [pytest.param(each, id=name) for name, each in SCENARIOS.items()])
def test_a_restart_on_any_older_view_changes_nothing_in_the_end(scenario: Scenario, subtests: pytest.Subtests) -> None:
    """A new process that for two minutes sees an old version does no harm, and then converges."""
    for n, view in enumerate(_history(scenario)):
        with subtests.test(f"view {n}"):
            world = World()
            scenario.play(world)
            world.restart()
            creates, jobs = world.aws.count("create"), set(world.aws.jobs)
            stops = world.aws.count("stop")
            world.cluster.store.freeze(KEY, view)
            world.run(120)
            assert set(world.aws.jobs) == jobs
            assert world.aws.count("create") == creates, "nothing is created on a view that is not current"
            assert world.aws.count("stop") == stops, "nothing is stopped on a view that is not current"
            world.cluster.store.thaw()
            world.run(60)
            scenario.check(world)


def test_a_record_that_has_left_sagemaker_is_not_created_again_by_an_older_view(subtests: pytest.Subtests) -> None:
    """D-08 with a stale cache: the name is free again, so only the precondition stands between us and a second run."""
    for n, view in enumerate(_history(SCENARIOS["completes"])):
        with subtests.test(f"view {n}"):
            world = World()
            completes(world)
            world.aws.jobs.clear()
            world.restart()
            world.cluster.store.freeze(KEY, view)
            world.run(120)
            world.cluster.store.thaw()
            world.run(60)
            assert world.aws.jobs == {}
            assert world.aws.count("create") == 1
            assert world.status["trainingJobStatus"] == "Completed"


def test_a_new_object_of_the_same_name_is_not_stopped_by_the_old_ones_deletion() -> None:
    """A view of the deleted predecessor (another uid) must not stop the job of its successor."""
    world = World()
    world.cluster.apply(manifest(trainingJobName="my-job"))
    world.run(30)
    world.cluster.delete(KEY)
    world.run(5)
    deleting = copy.deepcopy(world.obj)
    world.aws.move("my-job", "Stopped")
    world.run(30)
    assert world.cluster.get(KEY) is None
    world.aws.jobs.clear()  # DeleteTrainingJob has freed the name
    world.cluster.apply(manifest(trainingJobName="my-job"))
    world.run(30)
    stops = world.aws.count("stop")
    world.restart()
    world.cluster.store.freeze(KEY, deleting)
    world.run(120)
    assert world.aws.count("stop") == stops
    world.cluster.store.thaw()
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({}, {}, id="generated names"),
        pytest.param({"trainingJobName": "my-job"}, {}, id="a given name, then a generated one"),
        pytest.param(
            {"trainingJobName": "my-job"}, {"trainingJobName": "my-job", "region": "us-west-2"}, id="another region"
        ),
    ],
)
def test_what_was_followed_for_a_removed_object_is_not_taken_for_its_successors(
    before: JsonObject, after: JsonObject
) -> None:
    """Removed by force and made again before anybody looked: the tracker still follows the job of the first uid."""
    world = World()
    world.cluster.apply(manifest(**before))
    world.run(30)
    first = set(world.aws.jobs)
    world.cluster.remove(KEY)
    world.cluster.apply(manifest(**after))
    world.run(30)
    (own,) = set(world.aws.jobs) - first
    assert (world.status["awsResource"]["region"], world.status["awsResource"]["name"]) == own
    assert world.status["trainingJobStatus"] == "InProgress"


class AheadClock(FakeClock):
    """The clock of the servers, which nobody has set back."""

    def __init__(self, ours: FakeClock, ahead_s: float) -> None:
        super().__init__()
        self._ours, self._ahead = ours, timedelta(seconds=ahead_s)

    def utcnow(self) -> datetime:
        """Ours, and what it was set back by."""
        return self._ours.utcnow() + self._ahead


def set_back(world: World, seconds: float = 3600.0) -> None:
    """The wall clock of the operator's machine is corrected; that of the servers was right."""
    world.clock.set_back(seconds)
    world.aws._clock = world.cluster._clock = AheadClock(world.clock, seconds)


def test_a_clock_that_is_set_back_does_not_hold_up_a_deletion() -> None:
    """The time since a deletion was asked for is counted by our own watch, too: stamps may lie in the future."""
    world = World()
    world.aws.always = lambda operation: (
        AwsError(ErrorClass.RETRYABLE, "InternalFailure", "") if operation == "create" else None
    )
    world.cluster.apply(manifest())
    world.run(1)
    world.cluster.delete(KEY)
    set_back(world)
    world.run(60)
    assert world.cluster.get(KEY) is None


def test_a_clock_that_is_set_back_does_not_blind_us_for_a_job() -> None:
    """Its creation lies in the future then: the first list does not show it, so that it is asked for by name."""
    world = World()
    world.cluster.apply(manifest())
    world.run(1)
    world.aws.move(world.name, "Completed")
    set_back(world)
    world.run(120)
    assert world.status["trainingJobStatus"] == "Completed"


def test_repeated_events_cost_nothing() -> None:
    """A hundred passes over an unchanged object: no call to AWS, no write."""
    world = World()
    world.cluster.apply(manifest())
    world.run(30)
    calls, patches = len(world.aws.calls), world.cluster.patches
    results = [world.reconcile() for _ in range(100)]
    assert set(results) == {DONE}
    assert (len(world.aws.calls), world.cluster.patches) == (calls, patches)


def test_a_store_that_lags_behind_our_own_write_is_waited_for() -> None:
    """The version that we have just replaced is known to be stale: no call, no conflict."""
    world = World()
    world.cluster.apply(manifest())
    before = world.obj
    world.reconcile()
    world.cluster.store.freeze(KEY, before)
    calls, patches = len(world.aws.calls), world.cluster.patches
    assert world.reconcile() == DONE
    assert (len(world.aws.calls), world.cluster.patches) == (calls, patches)


@pytest.mark.parametrize("every", [1, 2, 3, 5])
def test_an_object_that_others_keep_changing_converges(every: int) -> None:
    """Every n-th write of ours meets a conflict: 409 is a requeue, not an error, and no second job comes of it."""
    world = World()

    def interfere(n: int, after: bool) -> None:
        if not after and n % (every + 1) == 0:
            world.cluster.touch(KEY)

    world.cluster.fault = interfere
    completes(world)
    assert_completed(world)
    assert len(world.aws.jobs) == 1
