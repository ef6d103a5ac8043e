"""What a spawned TrainingJob may stop: owner references and annotations can be made up, tags at AWS cannot."""

import json

import pytest

from api.meta import GROUP, JsonObject, ObjectKey
from controller.aws.errors import AwsError
from controller.aws.ownership_tags import OwnerTags
from controller.reconcile.status.patch import rfc3339_ms
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import CLUSTER_ID, World

PARENT_UID = "11111111-2222-3333-4444-555555555555"


def announced(job: str, arn: str) -> JsonObject:
    """An object as the operator makes it for a launched training job: or as anybody may write it."""
    obj = manifest(trainingJobName=job)
    resource = {"name": job, "region": "us-east-2", "partition": "aws", "arn": arn}
    obj["metadata"]["annotations"] = {f"{GROUP}/aws-resource": json.dumps(resource)}
    obj["metadata"]["ownerReferences"] = [
        {
            "apiVersion": f"{GROUP}/v1",
            "kind": "HyperparameterTuningJob",
            "name": "tuning",
            "uid": PARENT_UID,
            "controller": True,
        }
    ]
    return obj


def tags_of(uid: str, namespace: str) -> list[JsonObject]:
    """Tags as the operator puts them on a tuning job, which AWS copies to what it launches."""
    owner = OwnerTags(
        cluster=CLUSTER_ID,
        kind="HyperparameterTuningJob",
        key=type(KEY)(namespace, "tuning"),
        uid=uid,
        manager="test",
    )
    return [{"Key": key, "Value": value} for key, value in owner.tags().items()]


@pytest.mark.parametrize(
    ("tags", "stops"),
    [
        pytest.param([], 0, id="somebody else's job: no tags of ours"),
        pytest.param(tags_of(PARENT_UID, KEY.namespace), 1, id="launched by the parent that the object names"),
        pytest.param(tags_of("99999999-0000", KEY.namespace), 0, id="launched by another tuning job"),
        pytest.param(tags_of(PARENT_UID, "elsewhere"), 0, id="launched by one of another namespace"),
    ],
)
def test_deleting_an_object_that_names_a_launched_job_stops_only_what_its_parent_launched(
    tags: list[JsonObject], stops: int
) -> None:
    """DESIGN 4.4, D-03: what is not ours is never stopped, whatever an object says of itself."""
    world = World()
    job = world.aws.existing("foreign-prod-job", Tags=tags)
    obj = announced(job.name, job.arn)
    obj["metadata"]["name"] = job.name
    world.cluster.apply(obj)
    world.run(30)
    assert world.aws.count("create") == 0
    key = ObjectKey.of(obj)
    world.cluster.delete(key)
    world.run(30)
    assert world.aws.count("stop") == stops
    if not stops:
        assert world.cluster.get(key) is None, "the object is let go, the job is left alone"


@pytest.mark.parametrize(
    ("launched_by", "stops"), [pytest.param(PARENT_UID, 1, id="its own"), pytest.param("99999999-0000", 0, id="forged")]
)
@pytest.mark.parametrize("is_orphaned_first", [True, False], ids=["before its first pass", "after it"])
def test_an_orphan_shows_its_job_and_stops_it_only_where_tags_prove_it(
    launched_by: str, stops: int, *, is_orphaned_first: bool
) -> None:
    """`kubectl delete --cascade=orphan`: the owner reference is gone, its uid is in the annotation."""
    world = World()
    job = world.aws.existing("launched-001", Tags=tags_of(PARENT_UID, KEY.namespace))
    obj = announced(job.name, job.arn)
    resource = {
        **json.loads(obj["metadata"]["annotations"][f"{GROUP}/aws-resource"]),
        "launchedBy": f"{KEY.namespace}/{launched_by}",
    }
    obj["metadata"]["annotations"] = {f"{GROUP}/aws-resource": json.dumps(resource)}
    key = type(KEY)(KEY.namespace, job.name)
    obj["metadata"]["name"] = job.name
    if is_orphaned_first:
        obj["metadata"]["ownerReferences"] = []
    world.cluster.apply(obj)
    world.run(30)
    if not is_orphaned_first:
        orphan = {**world.cluster.objects[key]}
        orphan["metadata"] = {**orphan["metadata"], "ownerReferences": []}
        world.cluster.objects[key] = orphan
        world.cluster.touch(key)
        world.run(30)
    assert (world.cluster.get(key) or {})["status"]["trainingJobStatus"] == "InProgress"
    world.cluster.delete(key)
    world.run(30)
    assert (world.aws.count("create"), world.aws.count("stop")) == (0, stops)
    if not stops:
        assert world.cluster.get(key) is None, "the object is let go, the job is left alone"


def test_a_copy_of_another_name_neither_shows_nor_stops_the_job() -> None:
    """It is an ordinary object, whose name at SageMaker is taken."""
    world = World()
    job = world.aws.existing("launched-001", Tags=tags_of(PARENT_UID, KEY.namespace))
    obj = announced(job.name, job.arn)
    resource = {
        **json.loads(obj["metadata"]["annotations"][f"{GROUP}/aws-resource"]),
        "launchedBy": f"{KEY.namespace}/{PARENT_UID}",
    }
    obj["metadata"] |= {"annotations": {f"{GROUP}/aws-resource": json.dumps(resource)}, "ownerReferences": []}
    world.cluster.apply(obj)
    world.run(30)
    assert world.condition("Stalled") == ("True", "AlreadyExists")
    world.cluster.delete(KEY)
    world.run(30)
    assert world.aws.count("stop") == 0
    assert world.obj is None


@pytest.mark.parametrize("is_recorded", [True, False], ids=["an announcement of today", "of an earlier version"])
def test_an_announced_job_is_not_stopped_while_its_tags_cannot_be_read(*, is_recorded: bool) -> None:
    """Its time in an annotation proves nothing: users can write those."""
    world = World()
    job = world.aws.existing("prod-job")
    obj = announced(job.name, job.arn)
    obj["metadata"]["name"] = job.name
    key = type(KEY)(KEY.namespace, job.name)
    if is_recorded:
        resource = json.loads(obj["metadata"]["annotations"][f"{GROUP}/aws-resource"])
        resource |= {"creationTime": rfc3339_ms(job.created), "ownerUnverified": True}
        obj["metadata"]["annotations"] = {f"{GROUP}/aws-resource": json.dumps(resource)}
    world.cluster.apply(obj)
    world.run(30)
    denied = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no sagemaker:ListTags")
    world.aws.always = lambda operation: denied if operation == "tags" else None
    world.cluster.delete(key)
    world.run(60)
    assert world.aws.count("stop") == 0
    assert "ListTags" in (world.cluster.get(key) or {})["status"]["additional"]


def test_a_job_that_another_tuning_job_has_launched_is_not_stopped_though_its_time_is_announced() -> None:
    """A copy of the object in another namespace: what is announced has no tags, which is no proof of anything."""
    world = World()
    job = world.aws.existing("launched-002", Tags=tags_of(PARENT_UID, "elsewhere"))
    obj = announced(job.name, job.arn)
    resource = json.loads(obj["metadata"]["annotations"][f"{GROUP}/aws-resource"])
    times = {"createdAt": rfc3339_ms(job.created), "creationTime": rfc3339_ms(job.created), "ownerUnverified": True}
    obj["metadata"]["annotations"] = {f"{GROUP}/aws-resource": json.dumps({**resource, **times})}
    obj["metadata"]["name"] = job.name
    key = type(KEY)(KEY.namespace, job.name)
    world.cluster.apply(obj)
    world.run(30)
    world.cluster.delete(key)
    world.run(30)
    assert world.aws.count("stop") == 0
    assert world.cluster.get(key) is None
