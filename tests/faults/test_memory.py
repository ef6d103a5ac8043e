"""What the operator holds does not grow with the number of objects it has ever seen: entries are counted, not bytes."""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.runtime.controller import DONE, Controller, Result
from controller.runtime.controller_metrics import ControllerMetrics
from controller.runtime.errors import ErrorClass, Terminal
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.work_queue import WorkQueue
from tests.fakes import FakeClock
from tests.fakes.world import World
from tests.faults import hosting_world, tuning_world

pytestmark = pytest.mark.long

FEW, MANY = 3, 12
_WORLD: Final = ("tests.", "structlog", "prometheus_client", "api.", "botocore", "threading", "logging")
"""Modules whose objects are not the operator's, or hold nothing of objects."""


def entries(root: Any) -> int:
    """Members of all containers that are reachable from `root`, without those of the world around it."""
    total, seen, waiting = 0, set(), [root]
    while waiting:
        each = waiting.pop()
        if id(each) in seen or isinstance(each, str | bytes | int | float | type | None):
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            total += len(each)
            waiting += [*each.keys(), *each.values()]
        elif isinstance(each, list | tuple | set | frozenset | deque):
            total += 0 if isinstance(each, tuple) else len(each)
            waiting += each
        elif not type(each).__module__.startswith(_WORLD) and not callable(each):
            waiting += vars(each).values() if hasattr(each, "__dict__") else ()
            slots = [name for base in type(each).__mro__ for name in getattr(base, "__slots__", ())]
            waiting += [getattr(each, name, None) for name in slots]
    return total


def job_generation(of: World, number: int) -> None:
    """A job is created, runs, is deleted and goes; another one is refused; a third one is removed by force."""
    keys = [ObjectKey("default", f"{name}-{number}") for name in ("runs", "refused", "forced")]
    for key in keys:
        obj = of.manifest()
        obj["metadata"]["name"] = key.name
        if key.name.startswith("refused"):
            obj["spec"]["roleArn"] = 5
        of.cluster.apply(obj)
    of.run(20)
    for key in keys:
        if key.name.startswith("forced"):
            of.cluster.remove(key)
        else:
            of.cluster.delete(key)
    of.run(20)
    for _, name in list(of.aws.jobs):
        of.aws.move(name, "Stopped")
    of.run(60, step_s=5)
    assert of.cluster.keys() == []
    of.seen.clear()


def hosting_generation(of: hosting_world.HostingWorld, number: int) -> None:
    """A deployment serves, is changed, and is deleted with its children."""
    of.apply(hosting_world.manifest(version=f"{number}"))
    of.until(of.is_at_rest)
    of.apply(hosting_world.manifest(version=f"{number}-changed"))
    of.until(of.is_at_rest)
    of.delete()
    of.until(of.is_gone)
    of.seen.clear()


def tuning_generation(of: tuning_world.TuningWorld, number: int) -> None:
    """A tuning job launches two training jobs, which get objects, and is deleted with them."""
    of.tunings.apply(tuning_world.manifest(name=tuning_world.KEY.name))
    of.run(20)
    launched = of.aws.launch(of.name, 2)
    of.run(60)
    of.tunings.delete(tuning_world.KEY)
    of.run(20)
    for name in launched:
        of.aws_training.move(name, "Stopped")
    of.aws.move(next(reversed(of.aws.jobs))[1], "Stopped")
    of.run(120, step_s=5)
    assert of.tunings.keys() == []
    of.seen.clear()


@pytest.mark.parametrize(
    ("make", "generation", "held"),
    [
        pytest.param(World, job_generation, lambda of: (of.reconcilers, of.trackers), id="jobs"),
        pytest.param(
            hosting_world.HostingWorld, hosting_generation, lambda of: (of.reconcilers, of.trackers), id="deployments"
        ),
        pytest.param(
            tuning_world.TuningWorld,
            tuning_generation,
            lambda of: (of.reconcilers, of.trackers),
            id="tuning jobs",
        ),
    ],
)
def test_objects_that_are_gone_are_forgotten(
    make: Callable[[], Any], generation: Callable[[Any, int], None], held: Callable[[Any], Any]
) -> None:
    """Memories, followed jobs, listings: what remains after many objects is what remained after a few."""
    of = make()
    for number in range(FEW):
        generation(of, number)
    few = entries(held(of))
    for number in range(FEW, MANY):
        generation(of, number)
    assert entries(held(of)) == few


class Failing:
    """A reconciler whose objects fail in every way, and are gone at the last."""

    def __init__(self) -> None:
        self.turns: dict[ObjectKey, int] = {}

    def reconcile(self, key: ObjectKey) -> Result:
        """See `Reconciler.reconcile`."""
        self.turns[key] = turn = self.turns.get(key, 0) + 1
        match turn:
            case 1:
                raise AwsError(ErrorClass.RETRYABLE, "InternalFailure", "once")
            case 2:
                raise AwsError(ErrorClass.THROTTLED, "ThrottlingException", "more", retry_after_s=1.0)
            case 3:
                raise ZeroDivisionError
            case 4:
                raise Terminal("never")
        del self.turns[key]
        return DONE


def test_a_queue_forgets_keys_that_are_done_with() -> None:
    """Failures in a row, deadlines, outdated entries of heaps: nothing stays of keys whose objects are gone."""
    clock = FakeClock()
    queue = WorkQueue[ObjectKey]("test", metrics=QueueMetrics(CollectorRegistry()), clock=clock)
    reconciler = Failing()
    controller = Controller(
        "test", queue, reconciler, metrics=ControllerMetrics(CollectorRegistry()), clock=clock, workers=1
    )

    def generations(first: int, last: int) -> int:
        for number in range(first, last):
            key = ObjectKey("default", f"x-{number}")
            queue.add(key)
            for turn in range(1, 6):
                if turn == 5:
                    queue.add(key)  # the deletion
                clock.advance(16)  # the longest back-off of three failures
                handed = queue.get()
                assert handed is not None
                with capture_logs():  # tracebacks take their time
                    controller.process(handed)
        return entries((queue, controller, reconciler))

    few = generations(0, 100)
    assert generations(100, 300) <= few + 64  # heaps keep some outdated entries, see QueueState
