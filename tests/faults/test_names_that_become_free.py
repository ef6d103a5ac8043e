"""Names that are taken, and resources that are awaited: looked at again within minutes, at the cost of a call each."""

import pytest

from api.annotations import ADOPTION_POLICY, READ_ONLY
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from tests.fakes.sagemaker.hosting import Endpoint
from tests.fakes.world import World
from tests.faults import hosting_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

JOBS = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
NAMED = (*JOBS, HOSTING_DEPLOYMENT)
MINUTES = 660.0


def world_of(kind: KindDescriptor) -> World:
    """A world of that kind, in which nothing is yet."""
    if kind is HOSTING_DEPLOYMENT:
        return HostingWorld()
    return TuningWorld() if kind is HYPERPARAMETER_TUNING_JOB else World(kind)


def manifest(world: World, annotation: str = "", value: str = "") -> JsonObject:
    """An object with the name `shared` at AWS."""
    if isinstance(world, HostingWorld):
        obj = hosting_world.manifest(endpointName="shared")
    elif isinstance(world, TuningWorld):
        obj = tuning_world.manifest()
        obj["spec"][HYPERPARAMETER_TUNING_JOB.name.spec_field] = "shared"
    else:
        obj = world.manifest("shared")
    if annotation:
        obj["metadata"] = {**obj["metadata"], "annotations": {annotation: value}}
    return obj


def others_have_it(world: World) -> None:
    """There is one of that name, without our tags."""
    if isinstance(world, HostingWorld):
        now = world.clock.utcnow()
        world.aws.endpoints["shared"] = Endpoint({"Tags": []}, "theirs", now, now, "InService", next_config="theirs")
    else:
        world.aws.existing("shared")


def it_goes(world: World) -> None:
    """It is deleted."""
    if isinstance(world, HostingWorld):
        del world.aws.endpoints["shared"]
    else:
        del world.aws.jobs["us-east-2", "shared"]


def is_stalled(world: World, reason: str) -> bool:
    """The object says that it cannot go on."""
    return world.condition("Stalled") == ("True", reason)


@pytest.mark.parametrize("kind", NAMED, ids=lambda each: each.kind)
def test_a_name_that_was_taken_is_used_when_it_is_free(kind: KindDescriptor) -> None:
    """As that of an endpoint of others that is being deleted; until then a look every few minutes."""
    world = world_of(kind)
    others_have_it(world)
    world.cluster.apply(manifest(world))
    world.until(lambda: is_stalled(world, "AlreadyExists"))
    calls = len(world.aws.calls)
    world.run(3600, step_s=10)
    assert is_stalled(world, "AlreadyExists")
    assert world.recorder.events.count(("Warning", "AlreadyExists")) == 1
    assert f"Delete this {kind.kind}" in world.status["additional"], (
        "its name cannot be changed (api.schema.immutability)"
    )
    assert len([each for each, _ in world.aws.calls[calls:] if not each.lower().startswith("list")]) <= 17
    it_goes(world)
    world.run(MINUTES, step_s=5)
    assert world.condition("Stalled") == ("False", world.value if kind is HOSTING_DEPLOYMENT else "InProgress")


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row(("annotation", "value"), [(ADOPTION_POLICY.key, "adopt"), (READ_ONLY.key, "true")])
@each_row("kind", NAMED, ids=lambda each: each.kind)
def test_what_is_to_be_adopted_or_shown_is_found_when_it_is_there(
    kind: KindDescriptor, annotation: str, value: str, *, restarts: bool
) -> None:
    """The object may be there first."""
    world = world_of(kind)
    world.cluster.apply(manifest(world, annotation, value))
    world.until(lambda: is_stalled(world, "NotFound"))
    world.run(1200, step_s=10)
    others_have_it(world)
    if restarts:
        world.restart()
    world.run(MINUTES, step_s=5)
    assert not is_stalled(world, "NotFound")
    assert world.status["awsResource"]["name"] == "shared"
