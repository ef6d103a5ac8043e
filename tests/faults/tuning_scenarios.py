"""Lives of a tuning job and of what it launches, as scripts that run the same with and without faults."""

from collections.abc import Callable
from dataclasses import dataclass

from api.meta import GROUP, ObjectKey
from tests.faults.tuning_world import KEY, TuningWorld, manifest

STEP_S = 10.0
"""Hundreds of these lives are played: two polls, and what comes of them, happen at the same time."""


def _applied(world: TuningWorld) -> str:
    """A tuning job that runs; its name at AWS."""
    world.tunings.apply(manifest())
    world.run(150, step_s=STEP_S)
    return world.name


def completes(world: TuningWorld) -> None:
    """Two jobs are launched, then a third; all complete, and the tuning job with them."""
    name = _applied(world)
    first, second = world.aws.launch(name, 2)
    world.run(60, step_s=STEP_S)
    world.aws.end(first, "Completed", 0.5)
    world.aws.launch(name)
    world.run(60, step_s=STEP_S)
    world.aws.end(second, "Failed")
    world.aws.end_all(name, "Completed")
    world.run(200, step_s=STEP_S)


def is_deleted_while_running(world: TuningWorld) -> None:
    """It is stopped, which stops what it has launched."""
    name = _applied(world)
    world.aws.launch(name, 2)
    world.run(60, step_s=STEP_S)
    world.tunings.delete(KEY)
    world.run(150, step_s=STEP_S)
    world.aws.end_all(name, "Stopped")
    world.run(200, step_s=STEP_S)


def is_deleted_after_its_end(world: TuningWorld) -> None:
    """Nothing is left to be stopped."""
    completes(world)
    world.tunings.delete(KEY)
    world.run(200, step_s=STEP_S)


def expires(world: TuningWorld) -> None:
    """Its time after the end is over, and with it that of the objects of what it has launched."""
    world.tunings.apply(manifest(annotations={f"{GROUP}/ttl-seconds-after-finished": "60"}))
    world.run(150, step_s=STEP_S)
    world.aws.launch(world.name, 2)
    world.run(60, step_s=STEP_S)
    world.aws.end_all(world.name, "Completed")
    world.run(300, step_s=STEP_S)


def loses_an_object_of_its_own(world: TuningWorld) -> None:
    """The user deletes one spawned object; the tuning job goes on."""
    name = _applied(world)
    first, _ = world.aws.launch(name, 2)
    world.run(90, step_s=STEP_S)
    world.trainings.delete(ObjectKey("default", first))
    world.run(150, step_s=STEP_S)
    if world.aws_training.jobs["us-east-2", first].value == "Stopping":
        world.aws.end(first, "Stopped")
    world.aws.launch(name)
    world.run(90, step_s=STEP_S)
    world.aws.end_all(name, "Completed")
    world.run(200, step_s=STEP_S)


def is_forgotten_by_sagemaker(world: TuningWorld) -> None:
    """Its records leave SageMaker while it runs; then it is deleted (D-18)."""
    name = _applied(world)
    world.aws.launch(name, 2)
    world.run(90, step_s=STEP_S)
    world.aws.jobs.clear()
    world.aws_training.jobs.clear()
    world.tunings.delete(KEY)
    world.run(300, step_s=STEP_S)


def _one_tuning_job_and_nothing_created_by_us(world: TuningWorld) -> None:
    assert len(world.aws.jobs) <= 1
    assert world.aws_training.count("create") == 0, "SageMaker launches training jobs, the operator never"


def assert_completed(world: TuningWorld) -> None:
    """Everything is shown as it ended."""
    _one_tuning_job_and_nothing_created_by_us(world)
    names = world.aws.launched[world.name]
    assert world.shown() == {name: world.aws_training.jobs["us-east-2", name].value for name in names}
    assert world.status["hyperParameterTuningJobStatus"] == "Completed"
    assert world.status["trainingJobStatusCounters"]["completed"] == 2
    assert world.status["trainingJobStatusCounters"]["totalError"] == 1
    assert world.status["bestTrainingJob"]["trainingJobName"] == names[0]


def assert_all_gone(world: TuningWorld) -> None:
    """No object is left, nothing runs, and no training job was stopped but by its tuning job."""
    _one_tuning_job_and_nothing_created_by_us(world)
    assert world.tunings.get(KEY) is None
    assert world.shown() == {}
    running = {job.name for fake in (world.aws, world.aws_training) for job in fake.jobs.values()}
    assert not {name for name in running if _value(world, name) in {"InProgress", "Stopping"}}
    assert world.aws_training.stopped == []


def _value(world: TuningWorld, name: str) -> str:
    key = ("us-east-2", name)
    return (world.aws.jobs.get(key) or world.aws_training.jobs[key]).value


def assert_two_of_three_are_shown(world: TuningWorld) -> None:
    """What was removed stays removed."""
    _one_tuning_job_and_nothing_created_by_us(world)
    first, *others = world.aws.launched[world.name]
    assert set(world.shown()) == set(others)
    assert world.status["removedTrainingJobs"] == [first]
    assert world.aws_training.jobs["us-east-2", first].value == "Stopped"
    assert world.status["hyperParameterTuningJobStatus"] == "Completed"


@dataclass(frozen=True)
class Scenario:
    """A script and its oracle."""

    play: Callable[[TuningWorld], None]
    check: Callable[[TuningWorld], None]


SCENARIOS = {
    "completes": Scenario(completes, assert_completed),
    "expires": Scenario(expires, assert_all_gone),
    "deleted while running": Scenario(is_deleted_while_running, assert_all_gone),
    "deleted after its end": Scenario(is_deleted_after_its_end, assert_all_gone),
    "one object deleted": Scenario(loses_an_object_of_its_own, assert_two_of_three_are_shown),
    "forgotten by SageMaker": Scenario(is_forgotten_by_sagemaker, assert_all_gone),
}
