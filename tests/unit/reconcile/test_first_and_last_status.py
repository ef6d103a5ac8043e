"""What an object shows at the ends of its life: first, after a refusal, at the end of a job, and of one long ago."""

from collections.abc import Callable
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY
from api.descriptor import KindDescriptor
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.errors import AwsError, CallError
from controller.reconcile.status.patch import rfc3339
from controller.runtime.errors import ErrorClass
from tests.fakes.calls import refusal
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.scaling_world import ScalingWorld
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

SINGLE = (TRAINING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
"""Tuning jobs have a world of their own."""
ARTIFACTS = {"S3ModelArtifacts": "s3://bucket/output/model.tar.gz"}
ZEROS = dict.fromkeys(("completed", "inProgress", "retryableError", "nonRetryableError", "stopped", "totalError"), 0)


def first_status(world: World) -> Any:
    """The first status that says InProgress."""
    field = world.descriptor.status.field
    statuses = [each["status"] for each in world.cluster.writes if (each.get("status") or {}).get(field)]
    return next(each for each in statuses if each[field] == "InProgress")


def test_a_training_job_shows_its_secondary_status_with_the_first_in_progress() -> None:
    """Columns that are empty for the first seconds look like a fault. No call is made for it."""
    world = World()
    world.cluster.apply(manifest())
    world.run(2)
    assert first_status(world)["secondaryStatus"] == "Starting"
    assert world.aws.count("describe") == 0
    assert [each for each in world.reasons() if each == "StatusChanged"] == []


def test_a_tuning_job_shows_its_counters_with_the_first_in_progress() -> None:
    """So do the columns of a tuning job; nothing is listed while nothing is counted."""
    world = TuningWorld()
    world.cluster.apply(tuning_world.manifest())
    world.run(2)
    assert first_status(world)["trainingJobStatusCounters"] == ZEROS
    assert world.aws.count("create") == 1
    assert world.aws.count("launched") == 0


@each_row("value", ["InProgress", "Stopping", "Stopped", "Failed", "Completed"])
def test_a_model_path_is_shown_of_completed_jobs_only(value: str) -> None:
    """As the predecessor did: scripts take the path for a sign of success. AWS has it of stopped jobs, too."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, value, ModelArtifacts=ARTIFACTS)
    world.tracker.poll_soon(KEY)
    world.run(20)
    assert world.status.get("modelPath") == (ARTIFACTS["S3ModelArtifacts"] if value == "Completed" else None)


REFUSALS = [
    pytest.param(AwsError(ErrorClass.INVALID, "ValidationException", "no such instance type"), id="for good"),
    pytest.param(refusal("CreateTrainingJob", "Could not assume role"), id="for now"),
    pytest.param(AwsError(ErrorClass.QUOTA, "ResourceLimitExceeded", "limit"), id="quota"),
    pytest.param(AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized"), id="denied"),
]


def refused(kind: KindDescriptor, error: CallError, name: str = "") -> World:
    """An object whose creation AWS refuses."""
    world = World(kind)
    world.aws.fail("create", error)
    world.cluster.apply(world.manifest(name))
    world.run(5)
    return world


@each_row("kind", SINGLE, ids=lambda kind: kind.kind)
@each_row("error", REFUSALS)
def test_a_refused_creation_shows_the_name_and_the_logs_that_were_tried(kind: KindDescriptor, error: CallError) -> None:
    """As the predecessor did. It is no record: the job can be created when what was wrong is corrected."""
    world = refused(kind, error)
    name = world.status[kind.name.status_field]
    assert name == world.status["awsResource"]["triedName"]
    if any(field.name == "cloudWatchLogUrl" for field in kind.compat.status):
        assert name in world.status["cloudWatchLogUrl"]
    world.cluster.edit(KEY, world.obj["spec"] | {"roleArn": "arn:aws:iam::123456789012:role/other"})
    world.run(10)
    assert world.value == "InProgress"
    assert world.aws.count("describe") == 0
    assert world.status["awsResource"]["name"] == name
    assert "triedName" not in world.status["awsResource"]


@pytest.mark.parametrize("error", REFUSALS)
def test_a_refused_tuning_job_shows_the_name_that_was_tried(error: CallError) -> None:
    """As other jobs do; it has no log of its own."""
    world = TuningWorld()
    world.aws.fail("create", error)
    world.cluster.apply(tuning_world.manifest())
    world.run(5)
    assert world.status[HYPERPARAMETER_TUNING_JOB.name.status_field] == world.status["awsResource"]["triedName"]
    world.cluster.delete(world.key)
    world.run(15)
    assert world.obj is None


@pytest.mark.parametrize("kind", SINGLE, ids=lambda kind: kind.kind)
def test_a_name_that_was_tried_proves_nothing(kind: KindDescriptor) -> None:
    """A job of others that has the name by now is neither shown as the object's own nor stopped with it."""
    world = refused(kind, AwsError(ErrorClass.INVALID, "ValidationException", "no such instance type"), "shared")
    world.aws.existing("shared")
    world.restart()
    world.cluster.delete(KEY)
    world.run(60)
    assert world.obj is None
    assert world.aws.stopped == []


@pytest.mark.parametrize("kind", SINGLE, ids=lambda kind: kind.kind)
def test_a_refused_object_goes_at_once(kind: KindDescriptor) -> None:
    """Nothing was created under the name that it shows."""
    world = refused(kind, AwsError(ErrorClass.INVALID, "ValidationException", "no such instance type"))
    world.cluster.delete(KEY)
    world.run(5)
    assert world.obj is None


def test_a_lost_answer_is_no_refusal() -> None:
    """The job may exist: nothing is said to have been tried, and it is adopted."""
    world = World()
    world.aws.fail("create", AwsError(ErrorClass.RETRYABLE, "Timeout", "no answer", ambiguous=True), after=True)
    world.cluster.apply(manifest())
    world.run(1)
    assert "awsResource" not in world.status
    world.run(30)
    assert world.status["awsResource"]["name"] == world.name


@each_row("kind", SINGLE, ids=lambda kind: kind.kind)
@each_row(
    ("shown", "expected"),
    [pytest.param("Completed", [], id="known"), pytest.param("InProgress", ["Completed"], id="news")],
)
def test_an_end_that_the_predecessor_has_shown_is_no_news(
    kind: KindDescriptor, shown: str, expected: list[str]
) -> None:
    """A take-over of a thousand ended jobs makes no thousand events; an end that it has missed is one."""
    world = World(kind)
    obj = world.manifest("old")
    obj["metadata"]["finalizers"] = ["sagemaker-operator-finalizer"]
    world.aws.existing("old", "Completed")
    status = {kind.name.status_field: "old", kind.status.field: shown, "lastCheckTime": rfc3339(world.clock.utcnow())}
    world.cluster.apply(obj | {"status": status})
    world.run(30)
    assert world.condition("Complete") == ("True", "Completed")
    assert world.reasons() == expected


@each_row("kind", SINGLE, ids=lambda kind: kind.kind)
@each_row(
    ("value", "expected"),
    [
        pytest.param("Completed", ["Adopted"], id="ended"),
        pytest.param("InProgress", ["Adopted", "Completed"], id="runs"),
    ],
)
def test_an_end_before_an_adoption_is_no_news(kind: KindDescriptor, value: str, expected: list[str]) -> None:
    """The event `Adopted` says what has happened."""
    world = World(kind)
    world.aws.existing("theirs", value)
    obj = world.manifest("theirs")
    obj["metadata"]["annotations"] = {ADOPTION_POLICY.key: "adopt"}
    world.cluster.apply(obj)
    world.run(30)
    if value == "InProgress":
        world.aws.move("theirs", "Completed")
        world.run(30)
    assert world.condition("Complete") == ("True", "Completed")
    assert world.reasons() == expected


# --- kinds without a job: what the predecessor shows of them when nothing was created (v1-kinds.md 7)


def waiting_policy() -> World:
    """Its deployment has no endpoint yet."""
    world = World(HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG, key=scaling_world.KEY)
    world.sagemaker.hosting.work_s = 1000.0
    deployment = hosting_world.manifest()
    deployment["metadata"]["name"] = "e"
    world.clusters[HOSTING_DEPLOYMENT.kind].apply(deployment)
    world.cluster.apply(scaling_world.manifest("a"))
    return world


def refused_policy() -> ScalingWorld:
    """Others have registered the variant."""
    world = ScalingWorld()
    world.aws.bounds[scaling_world.A] = 9
    world.cluster.apply(scaling_world.manifest("a"))
    return world


def denied_policy() -> ScalingWorld:
    """AWS does not even let us look."""
    world = ScalingWorld()
    world.aws.always = lambda operation: AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized")
    world.cluster.apply(scaling_world.manifest("a"))
    return world


@pytest.mark.parametrize("begin", [waiting_policy, refused_policy, denied_policy], ids=lambda each: each.__name__)
def test_a_policy_shows_its_name_whatever_happens(begin: Callable[[], World]) -> None:
    """It is no record: the object goes at once, and the name may be corrected."""
    world = begin()
    world.run(30)
    assert world.status["policyName"] == "busy"
    assert "name" not in world.status["awsResource"]
    changed = {**world.obj["spec"], "policyName": "idle"}
    world.cluster.edit(world.key, changed)
    world.run(30)
    assert world.status["policyName"] == "idle"
    world.cluster.delete(world.key)
    world.run(30)
    assert world.obj is None
    assert not {"DeleteScalingPolicy", "DeregisterScalableTarget"} & set(world.sagemaker.operations)


@pytest.mark.parametrize("operation", ["CreateModel", "CreateEndpoint"])
def test_a_refused_endpoint_shows_where_it_would_be_and_no_name(operation: str) -> None:
    """The URL from the first pass on; the names of the endpoint, of models and configurations once AWS has them."""
    world = HostingWorld()
    refused = AwsError(ErrorClass.INVALID, "ValidationException", "failed to satisfy constraint")
    world.aws.always = lambda each: refused if each == operation else None
    world.apply(hosting_world.manifest(endpointName="shared"))
    world.run(30)
    assert world.status["endpointUrl"].endswith("/endpoints/shared/invocations")
    assert "endpointName" not in world.status
    assert "failed to satisfy constraint" in world.status["additional"]
    (model,) = world.clusters[MODEL.kind].objects.values()
    assert ("sageMakerModelName" in model["status"]) == (operation == "CreateEndpoint")
