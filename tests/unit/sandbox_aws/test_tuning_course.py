"""Properties of every course a tuning job can take: whoever looks, whenever, and whatever is stopped meanwhile."""

import threading
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hack.sandbox.aws.jobs.kinds import TRAINING
from hack.sandbox.aws.jobs.tuning import TuningJob
from hack.sandbox.aws.jobs.tuning_answers import launched
from hack.sandbox.aws.jobs.tuning_api import TUNING, TuningApi
from hack.sandbox.aws.records.resource import Store
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.wire import Call
from tests.unit.sandbox_aws.test_tuning import request

DURATIONS = Durations(starting_s=1, downloading_s=1, training_s=7, uploading_s=1, stopping_s=3)
LOOKS = st.lists(st.integers(0, 15), max_size=20)


class World:
    """A tuning job in a store of its own, without HTTP."""

    def __init__(self, **members: Any) -> None:
        self.store = Store()
        self.api = TuningApi(self.store, DURATIONS)
        self.now = 1000.0
        self.api.create(self.call(**request(**members)))

    def call(self, **params: Any) -> Call:
        """A call at this time."""
        return Call("sagemaker", "CreateHyperParameterTuningJob", "123456789012", "us-west-2", self.now, params)

    def seen(self) -> TuningJob:
        """The tuning job as it is now."""
        self.api.settle(self.now)
        return self.store.get(TUNING, self.call(), "tune")

    def stop_child(self, number: int) -> None:
        """Stop a training job as StopTrainingJob does, if it runs."""
        running = [child for child in launched(self.seen(), self.now) if child.job.status_at(self.now) == "InProgress"]
        if running:
            name = running[number % len(running)].job.name
            self.store.change(
                TRAINING,
                self.call(),
                name,
                lambda job: replace(job, course=TRAINING.stop(job.course, self.now, DURATIONS)),
            )


def lives(job: TuningJob, now: float) -> list[tuple[str, float, str]]:
    """Name, start and status of every training job."""
    return [(child.job.name, child.job.created_at, child.job.status_at(now)) for child in launched(job, now)]


@settings(deadline=None)
@given(most=st.integers(1, 6), parallel=st.integers(1, 6), failing=st.integers(0, 6), looks=LOOKS)
def test_it_does_not_matter_when_anybody_looks(most: int, parallel: int, failing: int, looks: list[int]) -> None:
    """A clock that creeps and one that jumps lead to the same training jobs at the same times."""
    tags = [{"Key": "SANDBOX_FAIL_FIRST", "Value": str(failing)}]
    members = {"most": most, "parallel": min(most, parallel), "Tags": tags}
    watched, unwatched = World(**members), World(**members)
    for wait_s in looks:
        watched.now += wait_s
        watched.seen()
    unwatched.now = watched.now = watched.now + 10
    first, second = watched.seen(), unwatched.seen()
    assert lives(first, watched.now) == lives(second, watched.now)
    assert first.course.reached(watched.now) == second.course.reached(watched.now)


@settings(deadline=None)
@given(
    most=st.integers(1, 6),
    parallel=st.integers(1, 6),
    events=st.lists(st.tuples(st.integers(0, 12), st.sampled_from(["look", "stop one", "stop"])), max_size=20),
)
def test_limits_hold_and_the_past_stays(most: int, parallel: int, events: list[tuple[int, str]]) -> None:
    """Never more than MaxParallelTrainingJobs at once, never more than the maximum, and an end in any case."""
    parallel = min(most, parallel)
    world = World(most=most, parallel=parallel)
    past: list[tuple[str, float]] = []
    for wait_s, event in events:
        world.now += wait_s
        job = world.seen()
        if event == "stop one":
            world.stop_child(wait_s)
        elif event == "stop" and job.status_at(world.now) == "InProgress":
            call = world.call(HyperParameterTuningJobName="tune")
            world.api.stop(replace(call, operation="StopHyperParameterTuningJob"))
        job = world.seen()
        statuses = [status for _, _, status in lives(job, world.now)]
        assert statuses.count("InProgress") + statuses.count("Stopping") <= parallel
        assert len(statuses) <= most
        started = [(name, at) for name, at, _ in lives(job, world.now)]
        assert started[: len(past)] == past
        past = started
    world.now += 1000
    job = world.seen()
    assert job.course.at(world.now).is_terminal
    assert not {"InProgress", "Stopping"} & {status for _, _, status in lives(job, world.now)}
    assert [step.at for step in job.course.steps] == sorted(step.at for step in job.course.steps)


def test_training_jobs_are_launched_once_however_many_ask() -> None:
    """Requests come on threads of their own."""
    world = World(most=6, parallel=2)
    world.now += 15
    errors: list[BaseException] = []

    def look() -> None:
        try:
            world.seen()
        except BaseException as exc:  # noqa: BLE001 - told below, on the test's own thread
            errors.append(exc)

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(world.seen().children) == len(world.store.list(TRAINING, world.call())) == 4
