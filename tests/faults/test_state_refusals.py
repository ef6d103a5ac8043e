"""A change is refused for a state, in all the words that there are; once the state passes, the newest spec is reached.

No refusal of these ends the attempts, whatever its words: only what the spec alone decides does.
"""

import fnmatch
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.aws.errors import classify
from hack.sandbox.aws.hostile.refusals import all_wordings
from tests.fakes.job_manifests import KEY
from tests.fakes.world import World
from tests.faults import scaling_world
from tests.faults.hosting_world import HostingWorld, manifest
from tests.faults.scaling_world import A, B, ScalingWorld

LONG_S: Final = 50_000.0
"""Refusals of tags are tried again after an hour."""


def refusals(operation: str) -> list[Exception]:
    """What the operator makes of each refusal of an operation."""
    found = []
    for pattern, (code, message) in all_wordings():
        if fnmatch.fnmatchcase(operation, pattern):
            body = {
                "Error": {"Code": code, "Message": message},
                "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
            }
            found.append(classify(operation, ClientError(body, operation)))
    return found


def refuse(world: World, operation: str, *, named: str = "") -> None:
    """Refuse the next calls of an operation, in all words; `named` is how the SageMaker in memory calls it."""
    errors = refusals(operation)
    assert errors
    for error in errors:
        world.aws.fail(named or operation, error)


def get_over_it(world: World) -> None:
    """Let time pass until all was refused, and what comes after it is done."""
    world.until(lambda: not world.aws.faults, within_s=LONG_S)
    world.run(4_000, step_s=50)


TAGS: Final = ({"tags": [{"key": "a", "value": "1"}]}, {"tags": [{"key": "b", "value": "2"}]})


@pytest.mark.parametrize(
    ("operation", "old", "new"),
    [
        ("CreateModel", None, {}),
        ("CreateEndpointConfig", None, {}),
        ("CreateEndpoint", None, {}),
        ("UpdateEndpoint", {}, {"version": "2"}),
        ("UpdateEndpointWeightsAndCapacities", {}, {"count": 3}),
        ("DeleteEndpointConfig", {}, {"version": "2"}),
        ("DeleteModel", {}, {"version": "2"}),
        ("AddTags", *TAGS),
        ("DeleteTags", *TAGS),
    ],
)
def test_an_endpoint_reaches_its_newest_spec(operation: str, old: Any, new: Any) -> None:
    """Creation, update, weights, tags, and the removal of what is not needed any more."""
    world = HostingWorld()
    if old is not None:
        world.apply(manifest(**old))
        world.until(world.is_at_rest)
    refuse(world, operation)
    world.apply(manifest(**new))
    get_over_it(world)
    assert world.is_at_rest()
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == new.get("version", "1")
    (variant,) = world.aws.variants(endpoint)
    assert variant["DesiredInstanceCount"] == new.get("count", 1)
    given = {each["Key"]: each["Value"] for each in endpoint.request["Tags"] if "/" not in each["Key"]}
    assert given == {each["key"]: each["value"] for each in new.get("tags", ())}


@pytest.mark.parametrize("operation", ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"])
def test_a_deployment_that_is_deleted_goes_with_all_that_it_is_made_of(operation: str) -> None:
    """In the end."""
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    refuse(world, operation)
    world.delete()
    get_over_it(world)
    assert world.is_gone()


@pytest.mark.parametrize("kind", [TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB], ids=lambda each: each.kind)
def test_a_job_is_created_and_stopped(kind: Any) -> None:
    """A refused creation shows no state that is final; a job that is to be deleted is stopped."""
    world = World(kind)
    refuse(world, kind.operations.create, named="create")
    world.cluster.apply(world.manifest())
    get_over_it(world)
    (job,) = world.aws.jobs.values()
    refuse(world, kind.operations.stop, named="stop")
    world.cluster.delete(KEY)
    get_over_it(world)
    assert job.value == "Stopping"
    world.aws.move(job.name, "Stopped")
    world.run(120)
    assert world.obj is None


def test_a_creation_is_tried_again_soon_after_the_first_refusal() -> None:
    """A role that was just made can be used after some seconds: the job does not wait for minutes."""
    world = World()
    refuse(world, "CreateTrainingJob", named="create")
    del world.aws.faults[1:]
    world.cluster.apply(world.manifest())
    world.run(30)
    assert len(world.aws.jobs) == 1


def test_a_job_is_changed() -> None:
    """The operation of a job that exists."""
    world = World()
    obj = world.manifest()
    obj["spec"]["resourceConfig"]["keepAlivePeriodInSeconds"] = 60
    world.cluster.apply(obj)
    world.run(60)
    refuse(world, "UpdateTrainingJob", named="update")
    resources = {**world.obj["spec"]["resourceConfig"], "keepAlivePeriodInSeconds": 600}
    world.cluster.edit(KEY, {**world.obj["spec"], "resourceConfig": resources})
    get_over_it(world)
    (job,) = world.aws.jobs.values()
    assert job.request["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600


@pytest.mark.parametrize(
    "operation", ["RegisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy", "DeregisterScalableTarget"]
)
def test_a_policy_is_on_the_variants_of_its_newest_spec(operation: str) -> None:
    """And nowhere else."""
    world = ScalingWorld()
    world.cluster.apply(scaling_world.manifest("a", 4))
    world.run(120)
    refuse(world, operation)
    world.edit(scaling_world.manifest("b", 6))
    get_over_it(world)
    assert world.aws.put == {(B, "busy")}
    assert world.aws.bounds == {B: 6}
    assert A not in world.aws.bounds
