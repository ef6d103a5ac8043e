"""Edits of jobs: what AWS has refused is corrected by one; after that they have no effect, which is shown."""

import copy
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.reconcile.status.patch import recorded_in
from controller.runtime.errors import ErrorClass
from hack.sandbox.kube.crd.object_validation import validate
from tests.fakes.calls import refusal
from tests.fakes.world import World
from tests.unit.api.contract import schema_of

KINDS = (TRAINING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
kinds = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
NO_ANSWER = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "read timed out", ambiguous=True)


@kinds
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(("1 validation error detected: Value at 'roleArn'", "ValidationException"), id="for good"),
        pytest.param(("No S3 objects found under S3 URL", "ValidationException"), id="for now"),
        pytest.param(("The account-level service limit", "ResourceLimitExceeded"), id="a quota"),
    ],
)
def test_what_aws_has_refused_is_corrected_by_an_edit(kind: KindDescriptor, error: tuple[str, str]) -> None:
    """Nothing exists at AWS: the edit is a new attempt, at once."""
    world = World(kind)
    world.aws.fail("create", refusal(kind.operations.create, *error))
    world.cluster.apply(world.manifest())
    world.run(5)
    assert recorded_in(world.status) is None

    _apply(world, environment=[{"name": "LEVEL", "value": "debug"}], region="eu-west-1")
    world.run(5)

    assert world.status["awsResource"]["region"] == "eu-west-1"
    assert world.condition("Synced") == ("True", "Synced")
    assert world.aws.count("create") == 2


@kinds
def test_a_missing_region_is_written_into_the_spec(kind: KindDescriptor) -> None:
    """As the message about it advises."""
    world = World(kind)
    manifest = world.manifest()
    del manifest["spec"]["region"]
    world.cluster.apply(manifest)
    world.run(5)
    assert world.condition("Stalled") == ("True", "InvalidSpec")

    _apply(world, region="us-east-2")
    world.run(5)

    assert world.status["awsResource"]["region"] == "us-east-2"


@kinds
def test_a_create_without_an_answer_counts_as_one_that_had_its_effect(kind: KindDescriptor) -> None:
    """The job may run: an edit is refused until AWS has answered, whatever fails meanwhile."""
    world = World(kind)
    for _ in range(3):
        world.aws.fail("create", NO_ANSWER)
    world.cluster.apply(world.manifest())
    world.run(2)

    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")
    assert any("cannot be changed" in each for each in _refusals(world, region="eu-west-1"))

    world.run(120)
    assert world.condition("Synced") == ("True", "Synced")


@kinds
@pytest.mark.parametrize("end", ["", "Completed", "Failed"])
def test_an_edit_without_effect_is_shown_once_until_it_is_taken_back(kind: KindDescriptor, end: str) -> None:
    """Rules let some edits pass, in lists with empty values in them, and one that is made while the job is created."""
    world = _created(kind, end)
    before = copy.deepcopy(world.obj["spec"])
    ready = world.condition("Ready")

    world.cluster.edit(world.key, before | {"environment": [{"name": "LEVEL", "value": "debug"}]})
    world.run(30)
    assert world.condition("Synced") == ("False", "SpecImmutable")
    assert world.reasons().count("SpecImmutable") == 1

    world.cluster.edit(world.key, before)
    world.run(30)
    assert world.condition("Synced") == ("True", "Synced")
    assert world.condition("Ready") == ready
    assert (world.aws.count("create"), world.aws.count("stop")) == (1, 0)


@kinds
def test_what_makes_the_same_request_is_no_edit(kind: KindDescriptor) -> None:
    """Empty values that are written, and entries of a map in another order."""
    world = _created(kind)
    world.cluster.edit(
        world.key, {**world.obj["spec"], "environment": world.obj["spec"].get("environment", []), "tags": []}
    )
    world.run(30)

    assert world.condition("Synced") == ("True", "Synced")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name.late_initialized], ids=lambda kind: kind.kind)
@pytest.mark.parametrize("end", ["", "Completed"])
def test_a_name_that_a_replacement_has_dropped_is_filled_in_again(kind: KindDescriptor, end: str) -> None:
    """`kubectl replace -f` of the unchanged file, as Argo CD does with Replace=true."""
    world = _created(kind, end)
    name = world.name
    replaced = world.obj
    replaced["spec"] = world.manifest()["spec"]
    if not end:
        del replaced["metadata"]["finalizers"]
    assert [str(each) for each in validate(schema_of(kind.kind), replaced, world.obj)] == []

    world.cluster.replace(replaced)
    world.run(30)

    assert world.name == world.status["awsResource"]["name"] == name
    assert world.obj["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    assert world.aws.count("create") == 1


def _created(kind: KindDescriptor, end: str = "") -> World:
    world = World(kind)
    world.cluster.apply(world.manifest())
    world.run(5)
    if end:
        world.aws.move(world.status["awsResource"]["name"], end)
        world.until(lambda: world.value == end)
    return world


def _edited(world: World, **spec: Any) -> JsonObject:
    obj = world.obj
    obj["spec"] |= spec
    edited: JsonObject = obj
    return edited


def _refusals(world: World, **spec: Any) -> list[str]:
    edited = _edited(world, **spec)
    return [str(each) for each in validate(schema_of(world.descriptor.kind), edited, world.obj)]


def _apply(world: World, **spec: Any) -> None:
    """Edit the object, as the API server lets a user do."""
    assert _refusals(world, **spec) == []
    world.cluster.edit(world.key, _edited(world, **spec)["spec"])
