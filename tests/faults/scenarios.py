"""Lives of a job, as scripts that run the same with and without faults, and what must hold at their end."""

from collections.abc import Callable
from dataclasses import dataclass

from api.descriptor import KindDescriptor
from api.meta import GROUP
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB
from tests.fakes.job_manifests import KEY
from tests.fakes.sagemaker.jobs import Job
from tests.fakes.world import World

MODEL = {"S3ModelArtifacts": "s3://bucket/xgboost/output/model.tar.gz"}


def _only_job(world: World) -> Job:
    (job,) = world.aws.jobs.values()
    return job


def completes(world: World) -> None:
    """Applied, runs, completes."""
    world.cluster.apply(world.manifest())
    world.run(150)
    world.aws.move(_only_job(world).name, "InProgress", "Training")
    world.run(60)
    world.aws.move(_only_job(world).name, "Completed", ModelArtifacts=MODEL)
    world.run(200)


def completes_under_a_given_name(world: World) -> None:
    """The same with a name in the spec: ownership is proved by tags, not by the name."""
    world.cluster.apply(world.manifest("my-job"))
    world.run(150)
    world.aws.move(_only_job(world).name, "Completed", ModelArtifacts=MODEL)
    world.run(200)


def is_deleted_while_running(world: World) -> None:
    """Applied, runs, is deleted, stops."""
    world.cluster.apply(world.manifest("my-job"))
    world.run(150)
    world.cluster.delete(KEY)
    world.run(150)
    job = _only_job(world)
    if job.value == "Stopping":
        world.aws.move(job.name, "Stopped")
    world.run(200)


def is_deleted_at_once(world: World) -> None:
    """Deleted before anything but the first pass (or part of it) has happened."""
    world.cluster.apply(world.manifest())
    world.run(1)
    world.cluster.delete(KEY)
    world.run(150)
    for job in world.aws.jobs.values():
        if job.value == "Stopping":
            world.aws.move(job.name, "Stopped")
    world.run(200)


def is_named_like_a_foreign_job(world: World) -> None:
    """The given name belongs to somebody else's running job; the object is deleted in the end."""
    world.aws.existing("my-job")
    world.cluster.apply(world.manifest("my-job"))
    world.run(150)
    world.cluster.delete(KEY)
    world.run(200)


def expires(world: World) -> None:
    """It ends, and its object goes a minute later."""
    obj = world.manifest()
    obj["metadata"] = {**obj["metadata"], "annotations": {f"{GROUP}/ttl-seconds-after-finished": "60"}}
    world.cluster.apply(obj)
    world.run(150)
    world.aws.move(_only_job(world).name, "Completed", ModelArtifacts=MODEL)
    world.run(200)


def adopts(world: World) -> None:
    """It takes over somebody else's job, which then completes."""
    world.aws.existing("my-job", Tags=[{"Key": "theirs", "Value": "kept"}])
    world.run(10)  # time enough for SageMaker to show it
    obj = world.manifest("my-job")
    obj["metadata"] = {**obj["metadata"], "annotations": {f"{GROUP}/adoption-policy": "adopt"}}
    world.cluster.apply(obj)
    world.run(150)
    world.aws.move("my-job", "Completed", ModelArtifacts=MODEL)
    world.run(200)


def assert_adopted_and_completed(world: World) -> None:
    """The job bears the object's tags beside its own, and is shown to its end."""
    assert_completed(world)
    tags = _only_job(world).tags
    assert (tags["theirs"], tags[f"{GROUP}/uid"]) == ("kept", world.obj["metadata"]["uid"])
    assert world.aws.count("create") == 0


def assert_gone_and_job_kept(world: World) -> None:
    """No object; the job as it was, and nobody has tried to stop it."""
    assert world.cluster.get(KEY) is None
    assert _only_job(world).value == "Completed"
    assert world.aws.count("stop") == 0


def assert_completed(world: World) -> None:
    """One job; the object tells its end."""
    job = _only_job(world)
    status = world.status
    assert world.value == "Completed"
    assert status["awsResource"]["arn"] == job.arn
    if world.descriptor is TRAINING_JOB:
        assert status["modelPath"] == MODEL["S3ModelArtifacts"]
    assert "additional" not in status
    assert world.condition("Complete") == ("True", "Completed")
    assert world.condition("Stalled") == ("False", "Completed")
    assert world.aws.count("stop") == 0


def assert_gone_and_stopped(world: World) -> None:
    """No object, and no job that runs."""
    assert world.cluster.get(KEY) is None
    assert [job.value for job in world.aws.jobs.values() if job.value != "Stopped"] == []
    assert len(world.aws.jobs) <= 1


def assert_gone_and_foreign_job_untouched(world: World) -> None:
    """The foreign job runs on; nobody has even tried to stop it."""
    assert world.cluster.get(KEY) is None
    assert _only_job(world).value == "InProgress"
    assert world.aws.count("stop") == 0


@dataclass(frozen=True)
class Scenario:
    """A script and its oracle."""

    play: Callable[[World], None]
    check: Callable[[World], None]
    longest: int = 2
    """Effects that belong together: a process that never lives for so many gets nowhere."""


JOBS = (TRAINING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
"""Kinds that live such lives. Tuning jobs have scenarios of their own, with what they launch."""


def scenarios_of(descriptor: KindDescriptor) -> dict[str, Scenario]:
    """The lives that objects of a kind may have: not all let their users choose the name at AWS."""
    return {name: each for name, each in SCENARIOS.items() if descriptor.name.spec_field or "name" not in name}


SCENARIOS = {
    "completes": Scenario(completes, assert_completed),
    "completes under a given name": Scenario(completes_under_a_given_name, assert_completed),
    "deleted while running": Scenario(is_deleted_while_running, assert_gone_and_stopped),
    "deleted at once": Scenario(is_deleted_at_once, assert_gone_and_stopped),
    "adopts by name": Scenario(adopts, assert_adopted_and_completed, longest=3),
    "expires": Scenario(expires, assert_gone_and_job_kept),
    "foreign name": Scenario(is_named_like_a_foreign_job, assert_gone_and_foreign_job_untouched),
}
