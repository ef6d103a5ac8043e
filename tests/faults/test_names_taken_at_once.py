"""Names that change hands within the two seconds by which clocks may differ, before AWS's creation time is recorded.

What others have created then fits the operator's own clock, and is shown as the object's; the owner tags are read
before it is first changed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from api.annotations import RECONCILE_AT
from api.descriptor import KindDescriptor
from api.meta import GROUP, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, MODEL, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.test_reused_names import (
    CHILDREN,
    ENDPOINT_ACTS,
    HOSTING_CHANGES,
    JOBS,
    applied_job,
    changes,
    condition,
    edited,
    is_deleted,
    is_tagged,
    leaves_alone,
    standalone,
)
from tests.tables import each_row

RESTARTS = pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
DESTRUCTIVE = {name: ENDPOINT_ACTS[name] for name in ("is deleted", "another model", "another count", "tags")}


def job_just_created(kind: KindDescriptor) -> World:
    """A world with a job, under a name that the user gave, that AWS has not shown yet."""
    world = applied_job(kind)
    world.run(1)
    assert changes(world) == ["create"]
    assert "creationTime" not in world.status["awsResource"]
    return world


def deployment(then: Callable[[HostingWorld], None] = lambda world: None) -> HostingWorld:
    """A world with an endpoint under a name that the user gave; `then` happens right after its creation."""
    world = HostingWorld()
    create = world.aws.create

    def created(descriptor: KindDescriptor, *args: Any, **kwargs: Any) -> str:
        arn: str = create(descriptor, *args, **kwargs)
        if descriptor is HOSTING_DEPLOYMENT:
            then(world)
        return arn

    world.aws.create = created
    world.apply(hosting_world.manifest(endpointName="shared"))
    return world


@RESTARTS
@pytest.mark.parametrize("act", [is_deleted, is_tagged], ids=lambda each: each.__name__)
@each_row("kind", JOBS, ids=lambda each: each.kind)
def test_a_job_that_was_replaced_at_once_is_neither_stopped_nor_tagged(
    kind: KindDescriptor, act: Callable[[World], None], restarts: bool
) -> None:
    """All job kinds x what changes a job; those that show a progress have recorded AWS's time with it."""
    world = job_just_created(kind)
    world.aws.existing("shared")
    world.aws.move("shared", "InProgress", "Training")
    world.run(60)
    resource = world.status["awsResource"]
    assert resource.get("ownerUnverified") is (True if kind is TRAINING_JOB else None), "it fits, which proves nothing"
    assert ("creationTime" in resource) == (kind is TRAINING_JOB)
    if restarts:
        world.restart()
    act(world)
    world.run(600, step_s=5)
    assert changes(world) == ["create"]
    if act is is_deleted:
        assert world.obj is None
    else:
        assert condition(world, "Stalled")["reason"] == "ForeignResource"


@pytest.mark.parametrize(
    ("changed", "stops"), [("cluster", 1), ("uid", 0), ("namespace", 0)], ids=["cluster", "object", "namespace"]
)
def test_a_job_that_is_recorded_is_known_by_the_object_in_its_tags(changed: str, stops: int) -> None:
    """Whatever they call the cluster: an operator that may read less of it has another id for it."""
    world = job_just_created(TRAINING_JOB)
    world.aws.move("shared", "InProgress", "Training")
    world.run(60)
    assert world.status["awsResource"]["ownerUnverified"] is True
    job = world.aws.jobs["us-east-2", "shared"]
    tags = {**job.tags, f"{GROUP}/{changed}": "other"}
    job.request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    is_deleted(world)
    world.run(600, step_s=5)
    assert world.aws.count("stop") == stops
    assert (world.obj is None) == (not stops), "what is stopped is waited for"


@RESTARTS
@pytest.mark.parametrize("act", DESTRUCTIVE.values(), ids=DESTRUCTIVE)
def test_an_endpoint_that_was_replaced_at_once_is_left_alone(act: Callable[[World], None], restarts: bool) -> None:
    """DeleteEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, AddTags."""
    world = deployment(lambda world: world.aws.others(HOSTING_DEPLOYMENT, "shared"))
    world.run(60)
    assert world.status["awsResource"]["ownerUnverified"] is True
    if restarts:
        world.restart()
    called = len(world.sagemaker.calls)
    act(world)
    world.run(1200, step_s=5)
    touched = {call.operation for call in world.sagemaker.calls[called:] if call.what.endswith("shared")}
    assert not touched & {*HOSTING_CHANGES}
    if act is is_deleted:
        assert world.obj is None
        assert world.aws.endpoints["shared"].config in world.aws.configs
    else:
        assert condition(world, "Stalled")["reason"] == "ForeignResource"


@RESTARTS
@pytest.mark.parametrize("is_looked_at", [False, True], ids=["not described", "described"])
@each_row("act", ["is deleted", "another spec", "tags"])
@each_row("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_model_or_configuration_that_was_replaced_at_once_is_left_alone(
    kind: KindDescriptor, act: str, *, is_looked_at: bool, restarts: bool
) -> None:
    """Both kinds x what changes or deletes it, whether or not a Describe has dated it."""
    world = HostingWorld()
    cluster, key = world.clusters[kind.kind], ObjectKey("default", "alone")
    cluster.apply(standalone(kind, world))
    world.run(1)
    there = world.aws.models if kind is MODEL else world.aws.configs
    (name,) = {each for each in there if each != "m"}
    world.aws.others(kind, name)
    if is_looked_at:
        edited(cluster, key, lambda obj: obj["metadata"]["annotations"].update({RECONCILE_AT.key: "now"}))
        world.run(30)
        assert (cluster.get(key) or {})["status"]["awsResource"]["ownerUnverified"] is True
    if restarts:
        world.restart()
    leaves_alone(world, kind, name, act)
    assert name in there


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_theirs_is_not_shown_as_ours_again_once_the_tags_were_read(kind: KindDescriptor) -> None:
    """Not after a restart either, which forgets what was read."""
    world = job_just_created(kind)
    world.aws.existing("shared")
    world.run(60)
    is_tagged(world)
    world.run(60)
    assert condition(world, "Stalled")["reason"] == "ForeignResource"
    edited(world.cluster, world.key, lambda obj: obj["spec"].pop("tags"))
    world.restart()
    world.run(600, step_s=5)
    assert condition(world, "Stalled")["reason"] == "ForeignResource"
    assert changes(world) == ["create"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_a_job_that_completes_costs_no_look_at_the_tags(kind: KindDescriptor) -> None:
    """Its life: one Create and its Describes."""
    world = job_just_created(kind)
    world.run(60)
    world.aws.move("shared", "Completed")
    world.until(lambda: world.value == "Completed")
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    calls = {each for each in world.sagemaker.operations if each not in {"list", "search", "launched"}}
    assert calls == {"create", "describe"}
    assert world.aws.count("create") == 1


def test_the_tags_of_an_endpoint_are_read_once() -> None:
    """Before its first update; that it is proved is recorded, and survives a restart."""
    world = deployment()
    world.until(world.is_at_rest)
    assert world.sagemaker.operations.count("ListTags") == 0
    for version in ("2", "3"):
        world.apply(hosting_world.manifest(endpointName="shared", version=version))
        world.run(10)
        world.until(world.is_at_rest)
        world.restart()
    endpoint = [call for call in world.sagemaker.calls if call.operation == "ListTags" and "endpoint/" in call.what]
    assert len(endpoint) == 1
    assert "ownerUnverified" not in world.status["awsResource"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_the_tags_of_a_job_are_read_once_however_often_they_change(kind: KindDescriptor) -> None:
    """The write that records the tags records the proof as well."""
    world = job_just_created(kind)
    world.run(60)
    for value in ("a", "b"):
        tags = [{"key": "team", "value": value}]
        edited(world.cluster, world.key, lambda obj, tags=tags: obj["spec"].update(tags=tags))  # type: ignore[misc]
        world.run(60)
        world.restart()
    assert world.aws.count("add tags") == 2
    assert world.aws.count("tags") == 1


@pytest.mark.parametrize("kind", JOBS[:3], ids=lambda each: each.kind)
def test_what_was_created_without_owner_tags_is_stopped_once_they_are_wanted(kind: KindDescriptor) -> None:
    """`--ownership-tags` was off: nothing at AWS could show whose it is, and its time fits."""
    world = World(kind, ownership_tags=False)
    world.cluster.apply(world.manifest("shared"))
    world.run(1)
    world.settings = replace(world.settings, has_ownership_tags=True)
    world.restart()
    world.run(60)
    world.cluster.delete(world.key)
    world.run(60)
    assert world.aws.count("stop") == 1


@pytest.mark.parametrize("error_class", [ErrorClass.DENIED, ErrorClass.REFUSED], ids=lambda each: each.value)
@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "theirs"])
def test_where_aws_refuses_to_read_tags_the_clock_has_to_do(*, is_ours: bool, error_class: ErrorClass) -> None:
    """A job whose creation time fits is stopped; one that does not is not."""
    world = job_just_created(TRAINING_JOB)
    world.run(60)
    if not is_ours:
        world.clock.advance(60)
        world.aws.existing("shared")
    denied = AwsError(error_class, "AccessDeniedException", "no sagemaker:ListTags")
    world.aws.always = lambda operation: denied if operation == "tags" else None
    world.cluster.delete(world.key)
    world.run(120)
    assert world.aws.count("stop") == is_ours
