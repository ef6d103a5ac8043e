"""Names that change hands: others delete a resource of ours, and create their own under its name.

The identity of a resource is its name and AWS's creation time; where the time differs, owner tags decide. What belongs
to others is reported, and never stopped, updated, deleted or tagged.
"""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api.annotations import DRIFT_POLICY, RECONCILE_AT, RECREATE_ON_FAILURE
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.errors import AwsError
from controller.reconcile.status.patch import rfc3339, rfc3339_ms
from controller.runtime.errors import ErrorClass
from tests.fakes.cluster import FakeCluster
from tests.fakes.world import World
from tests.faults import hosting_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

pytestmark = pytest.mark.long

JOBS = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
CHANGES = ("create", "stop", "add tags", "delete tags")
HOSTING_CHANGES = (
    *("CreateEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "DeleteEndpoint", "DeleteModel"),
    *("DeleteEndpointConfig", "CreateModel", "CreateEndpointConfig", "AddTags", "DeleteTags"),
)


def changes(world: World) -> list[str]:
    """The operations that changed something, so far."""
    return [each for each in world.sagemaker.operations if each in {*CHANGES, *HOSTING_CHANGES}]


def condition(world: World, type_: str) -> JsonObject:
    """A condition of the object, empty if it has none of that type."""
    return next((each for each in world.status.get("conditions", ()) if each["type"] == type_), {})


def edited(cluster: FakeCluster, key: ObjectKey, change: Callable[[JsonObject], None]) -> None:
    """What `kubectl edit` does."""
    obj = copy.deepcopy(cluster.get(key))
    assert obj is not None
    change(obj)
    cluster.apply(obj)


def retagged(obj: JsonObject) -> None:
    """Give the object a tag."""
    obj["spec"]["tags"] = [{"key": "team", "value": "a"}]


# --- what the status remembers of the resource


def is_as_written(status: JsonObject) -> None:
    """By this version of the operator."""


def is_proved(status: JsonObject) -> None:
    """The tags of the resource were read before."""
    status["awsResource"].pop("ownerUnverified")


def is_of_an_earlier_version(status: JsonObject) -> None:
    """Which had recorded the time of its own clock only."""
    status["awsResource"].pop("creationTime", None)


def is_of_the_predecessor(status: JsonObject) -> None:
    """Which recorded no identity; what it last saw is dated."""
    for field in ("awsResource", "conditions", "observedGeneration"):
        del status[field]


MEMORIES = [is_as_written, is_of_an_earlier_version, is_of_the_predecessor]


def remember(cluster: FakeCluster, key: ObjectKey, memory: Callable[[JsonObject], None]) -> None:
    """Rewrite the status."""
    cluster.rewrite_status(key, memory)


# --- jobs


def job_world(kind: KindDescriptor) -> World:
    """A world with one job of ours that runs under a name that the user gave; its creation time is recorded.

    As after its first change of state, which not all kinds show. Before it, the record is like an earlier version's.
    """
    world = applied_job(kind)
    world.run(60)
    assert world.value == "InProgress"
    created = {"creationTime": rfc3339_ms(world.aws.jobs["us-east-2", "shared"].created), "ownerUnverified": True}
    world.cluster.rewrite_status(world.key, lambda status: status["awsResource"].update(created))
    world.run(5)
    return world


def applied_job(kind: KindDescriptor) -> World:
    """A world with a job, under a name that the user gave, that no pass has seen."""
    if kind is HYPERPARAMETER_TUNING_JOB:
        world: World = TuningWorld()
        obj = tuning_world.manifest()
        obj["spec"][kind.name.spec_field] = "shared"
    else:
        world = World(kind)
        obj = world.manifest("shared")
    world.cluster.apply(obj)
    return world


def is_deleted(world: World) -> None:
    """`kubectl delete`."""
    world.cluster.delete(world.key)


def is_tagged(world: World) -> None:
    """The user gives it a tag."""
    edited(world.cluster, world.key, retagged)


def is_asked_for(world: World) -> None:
    """The user asks for a look."""
    edited(world.cluster, world.key, lambda obj: obj["metadata"].update(annotations={RECONCILE_AT.key: "now"}))


def is_left(world: World) -> None:
    """The user does nothing."""


ACTS = [is_deleted, is_tagged, is_asked_for, is_left]


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("memory", MEMORIES, ids=lambda each: each.__name__)
@each_row("act", ACTS, ids=lambda each: each.__name__)
@each_row("kind", JOBS, ids=lambda each: each.kind)
def test_another_job_of_the_name_is_reported_and_left_alone(
    kind: KindDescriptor, act: Callable[[World], None], memory: Callable[[JsonObject], None], restarts: bool
) -> None:
    """All job kinds x what the user does x what the status remembers x with and without a restart."""
    world = job_world(kind)
    world.clock.advance(3600)
    world.aws.existing("shared")
    if restarts:
        world.restart()
    remember(world.cluster, world.key, memory)
    act(world)
    world.run(1200, step_s=5)
    assert changes(world) == ["create"]
    if act is is_deleted:
        assert world.obj is None, "the object goes, their job stays"
        return
    stalled = condition(world, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "ForeignResource")
    assert "left alone" in stalled["message"]
    assert world.status["additional"] == stalled["message"]
    assert world.recorder.events.count(("Warning", "ForeignResource")) == 1
    world.cluster.delete(world.key)
    world.run(120, step_s=5)
    assert world.obj is None
    assert changes(world) == ["create"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_the_state_of_their_job_is_not_shown_as_ours(kind: KindDescriptor) -> None:
    """Nor does its end complete the object."""
    world = job_world(kind)
    world.clock.advance(3600)
    world.aws.existing("shared", "Completed")
    world.run(600, step_s=5)
    assert condition(world, "Complete") == {}
    assert world.value == "InProgress"


def test_the_children_of_their_tuning_job_are_not_shown_as_ours() -> None:
    """No TrainingJob object is made for what others have launched."""
    world = job_world(HYPERPARAMETER_TUNING_JOB)
    assert isinstance(world, TuningWorld)
    world.clock.advance(3600)
    world.aws.existing("shared")
    world.aws.launch("shared", 2)
    world.run(600, step_s=5)
    assert world.shown() == {}


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_a_late_list_neither_reports_nor_stops_anything(kind: KindDescriptor) -> None:
    """A List that still shows ours does not get theirs stopped: each Stop follows a Describe of the same pass."""
    world = job_world(kind)
    ours = copy.deepcopy(world.aws.jobs["us-east-2", "shared"])
    list_page = world.aws.list_page

    def late(descriptor: KindDescriptor, target: Any, *, next_token: str) -> Any:
        theirs, world.aws.jobs["us-east-2", "shared"] = world.aws.jobs["us-east-2", "shared"], ours
        try:
            return list_page(descriptor, target, next_token=next_token)
        finally:
            world.aws.jobs["us-east-2", "shared"] = theirs

    world.aws.list_page = late
    world.clock.advance(3600)
    world.aws.existing("shared")
    world.cluster.delete(world.key)
    world.run(300, step_s=5)
    assert world.obj is None
    assert changes(world) == ["create"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_a_job_of_ours_costs_one_look_at_the_tags_where_it_is_stopped(kind: KindDescriptor) -> None:
    """Its life: a Create, a Describe and the tags before its Stop; the Lists that are made anyway date it."""
    world = job_world(kind)
    world.cluster.delete(world.key)
    world.run(30)
    world.aws.move("shared", "Stopped")
    world.until(lambda: world.obj is None)
    calls = [each for each in world.sagemaker.operations if each not in {"list", "search", "launched"}]
    assert calls == ["create", "describe", "tags", "stop"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_answers_that_differ_by_less_than_a_second_are_of_one_job(kind: KindDescriptor) -> None:
    """Some operations return milliseconds, others whole seconds."""
    world = job_world(kind)
    job = world.aws.jobs["us-east-2", "shared"]
    describe = world.aws.describe

    def rounded(*args: Any, **kwargs: Any) -> Any:
        answer = describe(*args, **kwargs)
        return {**answer, "CreationTime": job.created + timedelta(milliseconds=900)}

    world.aws.describe = rounded
    remember(world.cluster, world.key, is_proved)
    world.cluster.delete(world.key)
    world.run(30)
    assert world.aws.count("tags") == 0
    assert world.aws.count("stop") == 1


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
@each_row("is_ours", [True, False], ids=["ours", "theirs"])
def test_tags_decide_where_an_answer_has_no_creation_time(kind: KindDescriptor, is_ours: bool) -> None:
    """As of a proxy that leaves members out."""
    world = job_world(kind)
    if not is_ours:
        world.aws.existing("shared")
    summary = type(world.aws)._summary

    def undated(descriptor: KindDescriptor, job: Any) -> JsonObject:
        answer = summary(world.aws, descriptor, job) if kind is HYPERPARAMETER_TUNING_JOB else summary(descriptor, job)
        return {member: value for member, value in answer.items() if member != "CreationTime"}

    world.aws._summary = undated
    world.restart()
    world.cluster.delete(world.key)
    world.run(60)
    assert world.aws.count("stop") == is_ours


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_a_clock_of_ours_that_is_slow_costs_one_look_at_the_tags(kind: KindDescriptor) -> None:
    """The time that our clock has recorded proves nothing where clocks differ; AWS's is recorded then."""
    world = job_world(kind)
    at = rfc3339(world.clock.utcnow() - timedelta(seconds=260))

    def is_dated_by_a_slow_clock(status: JsonObject) -> None:
        is_of_an_earlier_version(status)
        status["awsResource"]["createdAt"] = at

    remember(world.cluster, world.key, is_dated_by_a_slow_clock)
    world.restart()
    world.run(600, step_s=5)
    assert world.aws.count("tags") == 1
    assert world.value == "InProgress"
    world.cluster.delete(world.key)
    world.run(60)
    assert world.aws.count("stop") == 1
    assert world.aws.count("tags") == 1


@pytest.mark.parametrize("kind", [TRAINING_JOB, HOSTING_DEPLOYMENT], ids=lambda each: each.kind)
def test_tags_that_are_put_right_count_when_a_look_is_asked_for(kind: KindDescriptor) -> None:
    """A resource that was restored by hand is the object's again."""
    world = deployment_world() if kind is HOSTING_DEPLOYMENT else job_world(kind)
    there = world.aws.endpoints["shared"] if kind is HOSTING_DEPLOYMENT else world.aws.jobs["us-east-2", "shared"]
    tags = there.request["Tags"]
    world.clock.advance(3600)
    if kind is HOSTING_DEPLOYMENT:
        world.aws.others(kind, "shared")
    else:
        world.aws.existing("shared")
    world.run(600, step_s=5)
    assert condition(world, "Stalled")["reason"] == "ForeignResource"
    restored = world.aws.endpoints["shared"] if kind is HOSTING_DEPLOYMENT else world.aws.jobs["us-east-2", "shared"]
    restored.request["Tags"] = tags
    world.run(600, step_s=5)
    assert condition(world, "Stalled")["reason"] == "ForeignResource", "AWS is not asked over and over"
    annotations = (world.obj["metadata"].get("annotations") or {}) | {RECONCILE_AT.key: "now"}
    edited(world.cluster, world.key, lambda obj: obj["metadata"].update(annotations=annotations))
    world.run(600, step_s=5)
    assert condition(world, "Stalled")["status"] == "False"
    world.cluster.delete(world.key)
    world.run(120, step_s=5)
    assert set(changes(world)) & {"stop", "DeleteEndpoint"}


# --- endpoints


def deployment_world(name: str = "shared") -> HostingWorld:
    """A world at rest with an endpoint whose name the user gave."""
    world = HostingWorld()
    world.apply(hosting_world.manifest(endpointName=name))
    world.until(world.is_at_rest)
    world.run(60)
    return world


def respec(**spec: Any) -> Callable[[World], None]:
    """An edit of the deployment."""

    def act(world: World) -> None:
        there = hosting_world.manifest(endpointName="shared", **spec)["spec"]
        edited(world.cluster, world.key, lambda obj: obj.update(spec=there))

    return act


def fails_and_may_be_recreated(world: World) -> None:
    """Theirs fails, and the object says that a failed endpoint may be created again."""
    annotations = {RECREATE_ON_FAILURE.key: "true"}
    edited(world.cluster, world.key, lambda obj: obj["metadata"].update(annotations=annotations))
    world.aws.endpoints["shared"].value = "Failed"
    respec(version="2")(world)


def corrects_drift(world: World) -> None:
    """Theirs has another weight, and the object says that drift is corrected."""
    edited(world.cluster, world.key, lambda obj: obj["metadata"]["annotations"].update({DRIFT_POLICY.key: "correct"}))
    world.aws.endpoints["shared"].numbers["a"] = 7


ENDPOINT_ACTS = {
    "is deleted": is_deleted,
    "another model": respec(version="2"),
    "another count": respec(count=3),
    "tags": is_tagged,
    "recreation": fails_and_may_be_recreated,
    "correction of drift": corrects_drift,
    "a look": is_asked_for,
    "nothing": is_left,
}


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("memory", MEMORIES, ids=lambda each: each.__name__)
@each_row("act", ENDPOINT_ACTS.values(), ids=ENDPOINT_ACTS)
def test_another_endpoint_of_the_name_is_reported_and_left_alone(
    act: Callable[[World], None], memory: Callable[[JsonObject], None], restarts: bool
) -> None:
    """What the user does x what the status remembers x with and without a restart."""
    world = deployment_world()
    world.clock.advance(3600)
    world.aws.others(HOSTING_DEPLOYMENT, "shared")
    done = changes(world)
    if restarts:
        world.restart()
    remember(world.cluster, world.key, memory)
    act(world)
    world.run(1200, step_s=5)
    touched = [call for call in world.sagemaker.calls[len(done) :] if "shared" in call.what]
    assert not {call.operation for call in touched} & {*HOSTING_CHANGES} - {"CreateEndpoint"}, touched
    assert world.sagemaker.operations.count("CreateEndpoint") == 1
    if act is is_deleted:
        assert world.obj is None
        endpoint = world.aws.endpoints["shared"]
        assert endpoint.config in world.aws.configs, "it still has what it is made of"
        return
    stalled = condition(world, "Stalled")
    assert (stalled["status"], stalled["reason"]) == ("True", "ForeignResource")
    assert condition(world, "Ready")["status"] == "False"
    assert world.recorder.events.count(("Warning", "ForeignResource")) == 1


def test_drift_of_the_former_endpoint_is_over_when_others_have_the_name() -> None:
    """It is not theirs that has drifted."""
    world = deployment_world()
    world.aws.endpoints["shared"].numbers["a"] = 7
    is_asked_for(world)
    world.until(lambda: condition(world, "Drifted").get("status") == "True")
    world.clock.advance(3600)
    world.aws.others(HOSTING_DEPLOYMENT, "shared")
    world.until(lambda: condition(world, "Stalled")["reason"] == "ForeignResource", within_s=1200)
    assert condition(world, "Drifted")["status"] == "False"


def test_the_endpoint_is_created_again_when_theirs_is_gone() -> None:
    """The object is still wanted; no one has to act."""
    world = deployment_world()
    world.clock.advance(3600)
    world.aws.others(HOSTING_DEPLOYMENT, "shared")
    world.run(300, step_s=5)
    assert condition(world, "Stalled")["reason"] == "ForeignResource"
    del world.aws.endpoints["shared"]
    world.until(world.is_at_rest)
    world.run(600, step_s=5)
    assert world.is_at_rest()
    assert world.sagemaker.operations.count("CreateEndpoint") == 2
    assert world.sagemaker.operations.count("ListTags") == 1
    world.delete()
    world.until(world.is_gone)


def test_an_endpoint_that_was_created_again_before_a_crash_is_known_by_its_tags() -> None:
    """AWS shows another creation time than is recorded, and the tags of the object: it is ours."""
    world = deployment_world()
    world.clock.advance(3600)
    del world.aws.endpoints["shared"]
    world.until(lambda: "shared" in world.aws.endpoints)
    resource = copy.deepcopy(world.status["awsResource"])
    world.run(60)
    resource["creationTime"] = "2020-01-01T00:00:00.000Z"
    world.cluster.rewrite_status(world.key, lambda status: status.update(awsResource=resource))
    world.restart()
    world.until(world.is_at_rest)
    world.run(60)
    assert world.sagemaker.operations.count("ListTags") == 1
    world.delete()
    world.until(world.is_gone)


# --- models and configurations


CHILDREN = (MODEL, ENDPOINT_CONFIG)


def standalone(kind: KindDescriptor, world: HostingWorld, **spec: Any) -> JsonObject:
    """A model, or a configuration of one, that no deployment owns."""
    if kind is MODEL:
        own: JsonObject = {"executionRoleArn": "arn:aws:iam::1:role/r", "primaryContainer": {"image": "i"}}
    else:
        world.aws.models["m"] = {"ModelName": "m"}
        variant = {"variantName": "a", "modelName": "m", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
        own = {"productionVariants": [variant]}
    metadata = {"namespace": "default", "name": "alone"}
    spec = {"region": "us-east-2", **own, **spec}
    return {"apiVersion": "sagemaker.aws.amazon.com/v1", "kind": kind.kind, "metadata": metadata, "spec": spec}


def alone(kind: KindDescriptor) -> tuple[HostingWorld, FakeCluster, ObjectKey, dict[str, Any]]:
    """A world in which one of those was created; its cluster, its key, and the resources of its kind by name."""
    world = HostingWorld()
    cluster, key = world.clusters[kind.kind], ObjectKey("default", "alone")
    cluster.apply(standalone(kind, world))
    world.run(30)
    return world, cluster, key, world.aws.models if kind is MODEL else world.aws.configs


@pytest.mark.parametrize("after_s", [1, 3600], ids=["at once", "after an hour"])
@each_row("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("memory", [is_as_written, is_of_an_earlier_version], ids=lambda each: each.__name__)
@each_row("act", ["is deleted", "another spec", "tags"])
@each_row("kind", CHILDREN, ids=lambda each: each.kind)
def test_another_model_or_configuration_of_the_name_is_left_alone(
    kind: KindDescriptor, act: str, memory: Callable[[JsonObject], None], restarts: bool, after_s: int
) -> None:
    """Both kinds x what the user does x what the status remembers, however soon the name changes hands."""
    world, cluster, key, there = alone(kind)
    name = (cluster.get(key) or {})["status"]["awsResource"]["name"]
    if memory is is_as_written:
        edited(cluster, key, lambda obj: obj["metadata"]["annotations"].update({RECONCILE_AT.key: "now"}))
        world.run(30)
        assert "creationTime" in (cluster.get(key) or {})["status"]["awsResource"]
    else:
        cluster.rewrite_status(key, memory)
    world.clock.advance(after_s)
    world.aws.others(kind, name)
    if restarts:
        world.restart()
    leaves_alone(world, kind, name, act)
    assert name in there


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("act", ["is deleted", "another spec", "tags", "nothing"])
@each_row("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_status_that_is_emptied_makes_theirs_not_ours(kind: KindDescriptor, act: str, restarts: bool) -> None:
    """The name alone is recorded then; the tags are read before anything is changed."""
    world, cluster, key, there = alone(kind)
    name = (cluster.get(key) or {})["status"]["awsResource"]["name"]
    world.clock.advance(3)
    world.aws.others(kind, name)
    cluster.lose_status(key)
    if restarts:
        world.restart()
    if act != "nothing":
        world.run(30)
    leaves_alone(world, kind, name, act)
    assert name in there


def leaves_alone(world: HostingWorld, kind: KindDescriptor, name: str, act: str) -> None:
    """What the user does changes nothing at AWS under this name, which is no more the object's."""
    cluster, key = world.clusters[kind.kind], ObjectKey("default", "alone")
    called = len(world.sagemaker.calls)
    if act == "is deleted":
        cluster.delete(key)
    elif act == "tags":
        edited(cluster, key, retagged)
    elif act == "another spec":
        edited(cluster, key, lambda obj: obj["spec"].update(tags=[], **respecified(kind)))
    world.run(1200, step_s=5)
    touched = {call.operation for call in world.sagemaker.calls[called:] if call.what.endswith(name)}
    assert touched <= {kind.operations.describe, kind.operations.create, "ListTags"}  # refused: the name is taken
    if act == "is deleted":
        assert cluster.get(key) is None
        assert ("Normal", "Retained") in world.recorder.events
        looks = [call for call in world.sagemaker.calls[called:] if call.operation == "ListTags"]
        assert len(looks) <= 1, "a pass has a turn for one, and would begin again"


@pytest.mark.parametrize("is_listed", [False, True], ids=["never seen by us", "taken over, then edited"])
@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_model_or_configuration_of_the_predecessor_is_deleted_without_tags(
    kind: KindDescriptor, *, is_listed: bool
) -> None:
    """It put none; the names have the uid of the object in them."""
    world, cluster, key, there = alone(kind)
    (name,) = {each for each in there if each != "m"}
    there[name] = {member: value for member, value in there[name].items() if member != "Tags"}
    edited(cluster, key, lambda obj: obj["metadata"].update(annotations={}))
    cluster.rewrite_status(key, is_of_the_predecessor)
    world.restart()
    if is_listed:
        edited(cluster, key, lambda obj: obj["spec"].update(respecified(kind)))
        world.run(600, step_s=5)
        assert name not in there
    cluster.delete(key)
    world.run(600, step_s=5)
    assert cluster.get(key) is None
    assert {each for each in there if each != "m"} == set()


def respecified(kind: KindDescriptor) -> JsonObject:
    """Fields of another spec."""
    if kind is MODEL:
        return {"primaryContainer": {"image": "another"}}
    variant = {"variantName": "b", "modelName": "m", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
    return {"productionVariants": [variant]}


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_the_deletion_of_a_model_or_configuration_costs_one_call_more(kind: KindDescriptor) -> None:
    """Its tags, unless they were read before; else a Describe."""
    world = HostingWorld()
    cluster, key = world.clusters[kind.kind], ObjectKey("default", "alone")
    for is_known in (False, True):
        cluster.apply(standalone(kind, world))
        world.run(30)
        if is_known:
            edited(cluster, key, lambda obj: obj["metadata"]["annotations"].update({RECONCILE_AT.key: "now"}))
            world.run(30)
            remember(cluster, key, is_proved)
        called = len(world.sagemaker.operations)
        cluster.delete(key)
        world.run(60)
        assert cluster.get(key) is None
        one = kind.operations.describe if is_known else "ListTags"
        assert list(world.sagemaker.operations[called:]) == [one, kind.operations.delete]


# --- accounts without owner tags, and older CRDs


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "theirs"])
def test_without_owner_tags_the_creation_time_alone_decides(is_ours: bool) -> None:
    """Accounts may forbid tags; ListTags is asked all the same, as tags may be left from before."""
    world = World(ownership_tags=False)
    world.cluster.apply(world.manifest("shared"))
    world.run(60)
    if not is_ours:
        world.clock.advance(3600)
        world.aws.existing("shared")
    world.restart()
    world.cluster.delete(world.key)
    world.run(60)
    assert world.aws.count("stop") == is_ours


def test_a_denied_look_at_the_tags_stops_nothing() -> None:
    """Without `sagemaker:ListTags` it is not known whose it is."""
    world = job_world(TRAINING_JOB)
    world.clock.advance(3600)
    world.aws.existing("shared")
    denied = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no sagemaker:ListTags")
    world.aws.always = lambda operation: denied if operation == "tags" else None
    world.cluster.delete(world.key)
    world.run(1200, step_s=5)
    assert world.obj is not None
    assert changes(world) == ["create"]
    assert "ListTags" in world.status["additional"]


def test_crds_without_the_field_cost_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server drops what the CRDs of an earlier version do not have; the time is kept in memory then."""
    world = World()
    patch = world.cluster._patch

    def pruned(key: ObjectKey, body: JsonObject, subresource: str) -> JsonObject:
        (body.get("status") or {}).get("awsResource", {}).pop("creationTime", None)
        return patch(key, body, subresource)

    monkeypatch.setattr(world.cluster, "_patch", pruned)
    world.cluster.apply(world.manifest("shared"))
    world.run(60)
    writes = len(world.cluster.writes)
    for minute in range(5):
        world.aws.move("shared", "InProgress", f"Stage{minute}")
        world.run(60)
    assert len(world.cluster.writes) == writes + 5
    world.aws.existing("shared")
    world.cluster.delete(world.key)
    world.run(60)
    assert world.obj is None
    assert changes(world) == ["create"]


@pytest.mark.parametrize("kind", JOBS, ids=lambda each: each.kind)
def test_a_stop_that_waits_its_turn_costs_one_describe(kind: KindDescriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many objects are deleted at once: a pass that has no budget for its Stop does not describe the job first."""
    world, passes = job_world(kind), 0

    def full(target: Any, operation: str, *, caller: Any) -> None:
        nonlocal passes
        if operation == kind.operations.stop and (passes := passes + 1) < 20:
            raise AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "waits for its turn", retry_after_s=1.0)

    monkeypatch.setattr(world.sagemaker, "reserve", full)
    world.cluster.delete(world.key)
    world.run(60)
    assert (world.aws.count("describe"), world.aws.count("stop")) == (1, 1)
    assert passes >= 20


@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "theirs"])
@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_model_or_configuration_is_deleted_without_the_right_to_read_tags(
    kind: KindDescriptor, monkeypatch: pytest.MonkeyPatch, *, is_ours: bool
) -> None:
    """Its creation time is as the operator's own clock had it; where it is not, nothing is deleted."""
    world, cluster, key, there = alone(kind)
    (name,) = {each for each in there if each != "m"}
    if not is_ours:
        world.clock.advance(3600)
        world.aws.others(kind, name)

    def denied(*_args: Any, **_kwargs: Any) -> None:
        raise AwsError(ErrorClass.DENIED, "AccessDeniedException", "no sagemaker:ListTags")

    monkeypatch.setattr(world.sagemaker, "tags", denied)
    cluster.delete(key)
    world.run(600, step_s=5)
    assert (name in there, cluster.get(key) is None) == (not is_ours, is_ours)
