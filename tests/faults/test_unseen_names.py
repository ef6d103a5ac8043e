"""Names that Create finds taken and Describe does not find: few calls, and words about it."""

from collections.abc import Callable

import pytest

from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import manifest_of
from tests.fakes.world import World
from tests.faults.hosting_world import HostingWorld
from tests.faults.hosting_world import manifest as deployment
from tests.faults.tuning_world import manifest as tuning

pytestmark = pytest.mark.long

TAKEN = AwsError(ErrorClass.EXISTS, "ResourceInUse", "the name is in use")


def world_of(make: Callable[[], World], obj: JsonObject, operation: str) -> World:
    """A world whose AWS says of `operation` that the name is taken."""
    world = make()
    world.aws.always = lambda each: TAKEN if each == operation else None
    world.cluster.apply(obj)
    return world


WORLDS = [
    *(
        pytest.param(lambda kind=kind: World(kind), manifest_of(kind), "create", id=kind.kind)
        for kind in (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB)
    ),
    pytest.param(
        lambda: World(HYPERPARAMETER_TUNING_JOB, TRAINING_JOB), tuning(), "create", id=HYPERPARAMETER_TUNING_JOB.kind
    ),
    *(
        pytest.param(HostingWorld, deployment(), operation, id=operation)
        for operation in ("CreateModel", "CreateEndpointConfig", "CreateEndpoint")
    ),
]


@pytest.mark.parametrize(("make", "obj", "operation"), WORLDS)
def test_a_taken_name_that_is_not_found_is_tried_every_few_minutes(
    make: Callable[[], World], obj: JsonObject, operation: str
) -> None:
    """It was twelve calls a minute for ever; a minute of late answers is allowed for."""
    world = world_of(make, obj, operation)
    world.run(600.0)
    before = world.aws.count(operation)
    assert 3 <= before <= 10
    world.run(900.0)
    assert world.aws.count(operation) - before <= 5


@pytest.mark.parametrize(("make", "obj", "operation"), WORLDS)
def test_a_taken_name_that_is_not_found_is_reported_once(
    make: Callable[[], World], obj: JsonObject, operation: str
) -> None:
    """In the status and with one Warning, of the object that needs the name."""
    world = world_of(make, obj, operation)
    world.run(1200.0)
    shown = [
        condition
        for cluster in world.clusters.values()
        for key in cluster.keys()  # noqa: SIM118 (no mapping)
        for condition in (cluster.get(key) or {}).get("status", {}).get("conditions", ())
        if condition["type"] == "Reconciling" and condition["reason"] == "NameUnavailable"
    ]
    assert len(shown) == 1
    assert "is taken" in shown[0]["message"]
    assert [reason for type_, reason in world.recorder.events if type_ == "Warning"] == ["NameUnavailable"]


@pytest.mark.parametrize(("make", "obj", "operation"), WORLDS)
def test_a_name_that_becomes_free_is_used_within_minutes(
    make: Callable[[], World], obj: JsonObject, operation: str
) -> None:
    """Without anybody's help."""
    world = world_of(make, obj, operation)
    world.run(1200.0)
    before = world.aws.count(operation)
    world.aws.always = lambda _: None
    world.run(310.0)
    assert world.aws.count(operation) == before + 1
    assert world.condition("Reconciling") != ("True", "NameUnavailable")
