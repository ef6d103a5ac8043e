"""Endpoints that go: deleted by the operator to be made again, or by others. "Not found" of any call means absent."""

from collections.abc import Callable

import pytest

from api.annotations import DRIFT_POLICY, RECREATE_ON_FAILURE
from tests.fakes.calls import refusal
from tests.faults import scaling_world
from tests.faults.hosting_world import HostingWorld, manifest
from tests.faults.scaling_world import ScalingWorld
from tests.tables import each_row

SOON_S = 300.0
"""docs/drift.md: an endpoint is missed within two minutes of its end; then it is made again."""


def serving(**spec: object) -> HostingWorld:
    """A world at rest."""
    world = HostingWorld()
    world.apply(manifest(**spec))  # type: ignore[arg-type]
    world.until(world.is_at_rest)
    world.run(300, step_s=5)
    return world


def annotated(world: HostingWorld, key: str, value: str = "true") -> None:
    """What `kubectl annotate` does."""
    obj = world.obj
    obj["metadata"]["annotations"] = {**obj["metadata"].get("annotations", {}), key: value}
    world.apply(obj)


def edited(world: HostingWorld, **spec: object) -> None:
    """What `kubectl apply` of another spec does."""
    world.cluster.edit(world.key, manifest(**spec)["spec"])  # type: ignore[arg-type]


def begin_deletion(world: HostingWorld) -> None:
    """Others ask for its deletion, which takes SageMaker a while."""
    (endpoint,) = world.aws.endpoints.values()
    endpoint.value, endpoint.modified = "Deleting", world.clock.utcnow()
    endpoint.until = world.clock.monotonic() + world.aws.work_s


def delete_at_once(world: HostingWorld) -> None:
    """It is gone before anything has shown its deletion."""
    world.aws.endpoints.clear()


GOES = (begin_deletion, delete_at_once)


def do_nothing(_world: HostingWorld) -> None:
    """The spec stays."""


def change_the_model(world: HostingWorld) -> None:
    """UpdateEndpoint would be next."""
    edited(world, version="2")


def change_the_count(world: HostingWorld) -> None:
    """UpdateEndpointWeightsAndCapacities would be next."""
    edited(world, count=3)


def change_the_tags(world: HostingWorld) -> None:
    """AddTags would be next."""
    edited(world, tags=[{"key": "team", "value": "a"}])


def correct_drift(world: HostingWorld) -> None:
    """Nothing is to be corrected of what is gone."""
    annotated(world, DRIFT_POLICY.key, "correct")


ACTS = (do_nothing, change_the_model, change_the_count, change_the_tags, correct_drift)


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("act", ACTS, ids=lambda each: each.__name__)
@each_row("goes", GOES, ids=lambda each: each.__name__)
def test_an_endpoint_that_others_delete_is_made_again(
    goes: Callable[[HostingWorld], None], act: Callable[[HostingWorld], None], *, restarts: bool
) -> None:
    """How it goes x what the user does meanwhile x with and without a restart: docs/drift.md."""
    world = serving()
    goes(world)
    if restarts:
        world.restart()
    act(world)
    world.until(lambda: world.aws.count("CreateEndpoint") == 2, within_s=SOON_S)
    world.until(world.is_at_rest, within_s=300)
    assert world.aws.count("UpdateEndpoint") <= 1
    assert world.aws.count("UpdateEndpointWeightsAndCapacities") <= 1
    assert world.condition("Ready") == ("True", "InService")
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == ("2" if act is change_the_model else "1")


@pytest.mark.parametrize("goes", GOES, ids=lambda each: each.__name__)
def test_a_vanished_endpoint_is_not_shown_as_ready(goes: Callable[[HostingWorld], None]) -> None:
    """While it is made again the object says so."""
    world = serving()
    goes(world)
    world.until(lambda: world.aws.count("CreateEndpoint") == 2, within_s=SOON_S)
    world.run(5)
    assert world.value == "Creating"
    assert world.condition("Ready") == ("False", "Creating")


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
def test_a_failed_endpoint_is_deleted_and_made_again_where_that_is_asked_for(*, restarts: bool) -> None:
    """`recreate-on-failure`, with a SageMaker that takes its time to delete: the new one follows the end of the old."""
    world = HostingWorld()
    world.aws.bad_version = "1"
    world.apply(manifest())
    annotated(world, RECREATE_ON_FAILURE.key)
    world.until(lambda: world.status.get("endpointStatus") == "Failed")
    edited(world, version="2")
    world.until(lambda: world.aws.count("DeleteEndpoint") == 1)
    if restarts:
        world.restart()
    world.until(world.is_at_rest, within_s=600)
    assert world.aws.count("CreateEndpoint") == 2
    assert world.aws.count("DeleteEndpoint") == 1


def test_a_deployment_is_deleted_while_its_endpoint_is_gone() -> None:
    """Nothing is waited for."""
    world = serving()
    delete_at_once(world)
    world.delete()
    world.until(world.is_gone, within_s=120)
    assert world.aws.count("CreateEndpoint") == 1


@pytest.mark.parametrize(
    ("act", "operation"),
    [(change_the_model, "UpdateEndpoint"), (change_the_count, "UpdateEndpointWeightsAndCapacities")],
)
def test_an_update_that_finds_the_endpoint_gone_makes_it_again(
    act: Callable[[HostingWorld], None], operation: str
) -> None:
    """It went after the Describe that precedes the update: the refusal says what the Describe would have."""
    world = serving()
    (name,) = world.aws.endpoints
    missing = refusal(operation, f'Could not find endpoint "arn:aws:sagemaker:us-east-2:1:endpoint/{name}".')
    world.aws.fail(operation, missing, then=lambda: delete_at_once(world))
    act(world)
    world.until(world.is_at_rest, within_s=300)
    assert world.aws.count(operation) == 1
    assert world.aws.count("CreateEndpoint") == 2
    assert "AWSUnavailable" not in world.reasons()


def test_a_policy_that_finds_its_target_gone_registers_it_again() -> None:
    """ObjectNotFoundException of PutScalingPolicy: with the endpoint, its targets are gone."""
    world = ScalingWorld()
    missing = refusal("PutScalingPolicy", "No scalable target registered", "ObjectNotFoundException")
    world.aws.fail("PutScalingPolicy", missing, then=world.aws.bounds.clear)
    world.cluster.apply(scaling_world.manifest("a"))
    world.run(120)
    assert world.aws.put == {(scaling_world.A, "busy")}
    assert world.status["hostingAutoscalingPolicyStatus"] == "Created"
