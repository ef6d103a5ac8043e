"""Copies of objects: applied to another namespace or under another name, or restored from a backup with their status.

What is noted on an object, in its annotations and its status, counts only with its own uid. A copy neither adopts what
the original has at AWS nor changes it, and its deletion leaves the original as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY, CLAIMED_VARIANTS
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
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
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.status.patch import rfc3339
from tests.fakes.cluster import FakeCluster, copied
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.scaling_world import ScalingWorld
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

pytestmark = pytest.mark.long

JOBS = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
CHANGES = frozenset({"create", "stop", "add tags", "delete tags", "AddTags", "DeleteTags"})
PREFIXES = ("Create", "Update", "Delete", "Put", "Register", "Deregister")
COPY = ObjectKey("team-b", "copy")


@dataclass(frozen=True)
class Original:
    """An object that has created what it stands for, and its world."""

    world: World
    kind: KindDescriptor
    key: ObjectKey
    at_aws: str
    """What is in the names and ARNs of what it has at AWS, and in no other's."""

    @property
    def cluster(self) -> FakeCluster:
        """The objects of its kind."""
        return self.world.clusters[self.kind.kind]

    @property
    def obj(self) -> JsonObject:
        """The object as it is."""
        obj = self.cluster.get(self.key)
        assert obj is not None
        return obj


# --- originals


def job(kind: KindDescriptor, name: str) -> Original:
    """A job that runs, under a name that the user gave or a generated one."""
    if kind is HYPERPARAMETER_TUNING_JOB:
        world: World = TuningWorld()
        obj = tuning_world.manifest()
        obj["spec"] |= {kind.name.spec_field: name} if name else {}
    else:
        world = World(kind)
        obj = world.manifest(name)
    world.cluster.apply(obj)
    world.run(60)
    assert world.value == "InProgress"
    return Original(world, kind, world.key, world.status[kind.name.status_field])


def resource(kind: KindDescriptor) -> Original:
    """A Model or an EndpointConfig of its own."""
    world = HostingWorld()
    world.aws.models["m"] = {"ExecutionRoleArn": "role"}
    key = ObjectKey("default", "churn")
    variant = {"variantName": "b", "modelName": "m", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
    spec = {"executionRoleArn": "role", "primaryContainer": {"image": "image"}}
    obj = {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind.kind,
        "metadata": {"namespace": key.namespace, "name": key.name},
        "spec": {"region": "us-east-2", **(spec if kind is MODEL else {"productionVariants": [variant]})},
    }
    cluster = world.clusters[kind.kind]
    cluster.apply(obj)
    world.run(60)
    return Original(world, kind, key, (cluster.get(key) or {})["status"][kind.name.status_field])


def deployment(name: str) -> Original:
    """A HostingDeployment in service."""
    world = HostingWorld()
    world.apply(hosting_world.manifest() if not name else hosting_world.manifest(endpointName=name))
    world.until(world.is_at_rest)
    world.run(60)
    return Original(world, HOSTING_DEPLOYMENT, hosting_world.KEY, world.status["endpointName"])


def child(kind: KindDescriptor) -> Original:
    """A child of a HostingDeployment in service."""
    of = deployment("shared")
    (key,) = of.world.clusters[kind.kind].keys()
    obj = of.world.clusters[kind.kind].get(key) or {}
    return Original(of.world, kind, key, obj["status"][kind.name.status_field])


def policy() -> Original:
    """An autoscaling policy on a variant."""
    world = ScalingWorld()
    world.cluster.apply(scaling_world.manifest("a"))
    world.run(60)
    assert world.aws.put == {(scaling_world.A, "busy")}
    return Original(world, HOSTING_AUTOSCALING_POLICY, scaling_world.KEY, scaling_world.A)


def launched() -> Original:
    """The TrainingJob object of a job that a tuning job has launched."""
    of = job(HYPERPARAMETER_TUNING_JOB, "shared")
    (name,) = of.world.aws.launch("shared")
    of.world.run(120, step_s=5)
    key = ObjectKey("default", name)
    assert of.world.clusters[TRAINING_JOB.kind].get(key) is not None
    return Original(of.world, TRAINING_JOB, key, name)


ORIGINALS: Mapping[str, Callable[[], Original]] = {
    **{f"named {each.kind}": lambda each=each: job(each, "shared") for each in JOBS},  # type: ignore[misc]
    **{f"{each.kind}": lambda each=each: job(each, "") for each in JOBS},  # type: ignore[misc]
    "Model": lambda: resource(MODEL),
    "EndpointConfig": lambda: resource(ENDPOINT_CONFIG),
    "named HostingDeployment": lambda: deployment("shared"),
    "HostingDeployment": lambda: deployment(""),
    "child Model": lambda: child(MODEL),
    "child EndpointConfig": lambda: child(ENDPOINT_CONFIG),
    "HostingAutoscalingPolicy": policy,
    "launched TrainingJob": launched,
}


# --- ways to copy


def as_written(obj: JsonObject) -> None:
    """By this version of the operator."""


def of_an_earlier_version(obj: JsonObject) -> None:
    """Which recorded neither the uid nor AWS's creation time, and noted variants without a uid."""
    for field in ("creationTime", "ownerUid"):
        obj["status"].get("awsResource", {}).pop(field, None)
    (obj["metadata"].get("annotations") or {}).pop(CLAIMED_VARIANTS.key, None)


def of_the_predecessor(obj: JsonObject) -> None:
    """Which recorded no identity and annotated nothing."""
    for field in ("awsResource", "conditions", "observedGeneration"):
        obj["status"].pop(field, None)
    obj["metadata"].pop("annotations", None)


MEMORIES = (as_written, of_an_earlier_version, of_the_predecessor)


def without_status(obj: JsonObject) -> JsonObject:
    """What the API server makes of an applied object: the status is a subresource."""
    return {name: value for name, value in obj.items() if name != "status"}


def applied_elsewhere(original: Original, obj: JsonObject) -> tuple[World, ObjectKey]:
    """`kubectl get -o yaml | sed namespace | kubectl apply -f -`: annotations, finalizers and owners are copied."""
    obj["metadata"] |= {"namespace": COPY.namespace}
    original.cluster.apply(without_status(obj))
    return original.world, ObjectKey(COPY.namespace, original.key.name)


def applied_by_another_name(original: Original, obj: JsonObject) -> tuple[World, ObjectKey]:
    """The same in the namespace of the original."""
    obj["metadata"] |= {"name": COPY.name}
    original.cluster.apply(without_status(obj))
    return original.world, ObjectKey(original.key.namespace, COPY.name)


def restored_elsewhere(original: Original, obj: JsonObject) -> tuple[World, ObjectKey]:
    """`velero restore create --restore-status --namespace-mappings`."""
    obj["metadata"] |= {"namespace": COPY.namespace}
    original.cluster.apply(obj)
    return original.world, ObjectKey(COPY.namespace, original.key.name)


def restored_in_another_cluster(original: Original, obj: JsonObject) -> tuple[World, ObjectKey]:
    """With its status, in a cluster of the same account."""
    world = type(original.world)() if type(original.world) is not World else World(original.kind)
    world.clock, world.sagemaker, world.aws = original.world.clock, original.world.sagemaker, original.world.aws
    there = original.world.settings
    world.settings = ReconcilerSettings("cluster-2", there.manager, there.defaults)
    for each in world.clusters.values():
        each._clock, each._version = world.clock, each._version + 10_000_000
    world.restart()
    world.clusters[original.kind.kind].apply(obj)
    return world, original.key


WAYS = {
    "applied to another namespace": (applied_elsewhere, as_written),
    "applied under another name": (applied_by_another_name, as_written),
    **{
        f"restored {how}, {memory.__name__.replace('_', ' ')}": (way, memory)
        for how, way in (("elsewhere", restored_elsewhere), ("in another cluster", restored_in_another_cluster))
        for memory in MEMORIES
    },
}


def changes_of(original: Original, since: int) -> list[Any]:
    """The calls that changed what the original has at AWS."""
    return [
        call
        for call in original.world.sagemaker.calls[since:]
        if original.at_aws in call.what
        and (call.operation in CHANGES - {"create"} or call.operation.startswith(PREFIXES))
        and not call.operation.startswith("Create")
    ]


def pause(original: Original) -> None:
    """More time than clocks may differ by."""
    original.world.run(1200, step_s=10)


def let_stopped_jobs_end(original: Original) -> None:
    """Those of copies that have had one of their own."""
    if original.kind in JOBS:
        aws = original.world.sagemaker.of(original.kind)
        for name in [name for (_, name), each in aws.jobs.items() if each.value == "Stopping"]:
            aws.move(name, "Stopped")


@pytest.mark.parametrize("way", WAYS)
@each_row("kind", ORIGINALS)
def test_a_copy_changes_nothing_of_the_original_in_its_life_and_its_end(kind: str, way: str) -> None:
    """All kinds x how it is copied x which version has written what is copied."""
    original = ORIGINALS[kind]()
    pause(original)
    copy_of, memory = WAYS[way]
    obj = copied(original.obj)
    memory(obj)
    begin = len(original.world.sagemaker.calls)
    world, key = copy_of(original, obj)
    for each in (world, original.world):
        each.run(300, step_s=5)
    assert changes_of(original, begin) == []
    cluster = world.clusters[original.kind.kind]
    if cluster.get(key) is not None:  # else its owner, which is not there, took it away
        cluster.delete(key)
    for each in (world, original.world):
        each.run(300, step_s=5)
        let_stopped_jobs_end(original)
        each.run(60, step_s=5)
    assert cluster.get(key) is None, "nothing holds up the deletion of a copy, or of its namespace"
    assert changes_of(original, begin) == []
    ready = [each for each in original.obj["status"].get("conditions", ()) if each["type"] == "Stalled"]
    assert [each["status"] for each in ready] == ["False"]


NAMED = tuple(each for each in ORIGINALS if each.startswith("named "))


@pytest.mark.parametrize("memory", MEMORIES, ids=lambda each: each.__name__)
@each_row("kind", NAMED)
def test_a_restored_object_takes_over_where_that_is_asked_for(kind: str, memory: Callable[[JsonObject], None]) -> None:
    """The first cluster is lost, and the second one is to have what it has left behind: `adoption-policy: adopt`."""
    original = ORIGINALS[kind]()
    pause(original)
    obj = copied(original.obj)
    memory(obj)
    annotations = {**(obj["metadata"].get("annotations") or {}), ADOPTION_POLICY.key: "adopt"}
    obj["metadata"]["annotations"] = annotations
    world, key = restored_in_another_cluster(original, obj)
    world.run(300, step_s=5)
    cluster = world.clusters[original.kind.kind]
    restored = cluster.get(key) or {}
    assert restored["status"]["awsResource"]["ownerUid"] == restored["metadata"]["uid"]
    conditions = {each["type"]: each["status"] for each in restored["status"]["conditions"]}
    assert conditions["Stalled"] == "False"
    writes = len(cluster.writes)
    world.run(300, step_s=5)
    assert len(cluster.writes) == writes
    cluster.delete(key)
    world.run(120, step_s=5)
    gone = {"stop", "DeleteEndpoint"} & {call.operation for call in world.sagemaker.calls if call.what == "shared"}
    assert gone, "it is the restored object's to end"


@pytest.mark.parametrize("kind", NAMED)
def test_what_an_earlier_version_has_adopted_is_known_by_its_tags(kind: str) -> None:
    """It is older than the object, as that of a copy is; the tags are read once, and the uid is recorded."""
    original = ORIGINALS[kind]()
    pause(original)
    world, cluster = original.world, original.cluster
    cluster.rewrite_status(original.key, lambda status: status["awsResource"].pop("ownerUid"))
    current = cluster.objects[original.key]
    later = {**current["metadata"], "creationTimestamp": rfc3339(world.clock.utcnow())}
    cluster._put(original.key, {**current, "metadata": later}, current)
    world.restart()
    world.run(600, step_s=5)
    assert original.obj["status"]["awsResource"]["ownerUid"] == original.obj["metadata"]["uid"]
    operations = world.sagemaker.operations
    assert operations.count("tags") + operations.count("ListTags") == 1
    cluster.delete(original.key)
    world.run(120, step_s=5)
    assert changes_of(original, 0), "stopped, or deleted"
