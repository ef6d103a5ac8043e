"""`kubectl replace -f` of Models and EndpointConfigs: annotations and finalizers are lost, the status is kept."""

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, MODEL
from tests.fakes.cluster import FakeCluster, copied
from tests.faults.hosting_world import HostingWorld
from tests.tables import each_row

KEY = ObjectKey("default", "churn")
USER = ObjectKey("default", "user")


def manifest(kind: KindDescriptor, version: int) -> JsonObject:
    """The file that the user keeps, in one of its versions."""
    variant = {"variantName": f"v{version}", "modelName": "m", "instanceType": "ml.c5.large", "initialInstanceCount": 1}
    model = {"executionRoleArn": "role", "primaryContainer": {"image": f"image:{version}"}}
    spec = model if kind is MODEL else {"productionVariants": [variant]}
    metadata = {"namespace": KEY.namespace, "name": KEY.name}
    api_version = "sagemaker.aws.amazon.com/v1"
    return {"apiVersion": api_version, "kind": kind.kind, "metadata": metadata, "spec": {"region": "us-east-2", **spec}}


def replace(cluster: FakeCluster, obj: JsonObject) -> None:
    """What a PUT does: all is as in the file, but for the status and what the API server keeps."""
    current = cluster.objects[ObjectKey.of(obj)]
    new = copied({**current, "spec": obj["spec"]})
    for field in ("annotations", "finalizers"):
        new["metadata"].pop(field, None)
    cluster._put(ObjectKey.of(obj), new, current)


def started(kind: KindDescriptor, *, is_used: bool) -> HostingWorld:
    """A world with the first version, and for a Model with an EndpointConfig that uses what it has at AWS."""
    world = HostingWorld()
    world.aws.models["m"] = {"ExecutionRoleArn": "role"}
    cluster = world.clusters[kind.kind]
    cluster.apply(manifest(kind, 1))
    world.run(60)
    if is_used:
        name = (cluster.get(KEY) or {})["status"][kind.name.status_field]
        user = manifest(ENDPOINT_CONFIG, 1)
        user["metadata"]["name"] = USER.name
        user["spec"]["productionVariants"][0]["modelName"] = name
        world.clusters[ENDPOINT_CONFIG.kind].apply(user)
        world.run(60)
    return world


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("pause_s", [0, 60], ids=["at once", "later"])
@each_row(("kind", "is_used"), [(MODEL, True), (MODEL, False), (ENDPOINT_CONFIG, False)])
def test_what_was_replaced_twice_leaves_nothing(
    kind: KindDescriptor, pause_s: float, *, is_used: bool, restarts: bool
) -> None:
    """What is in use is kept as long, and everything goes with the object in the end."""
    world = started(kind, is_used=is_used)
    cluster = world.clusters[kind.kind]
    for version in (2, 3):
        replace(cluster, manifest(kind, version))
        if restarts:
            world.restart()
        world.run(pause_s or 1)
    world.run(60)
    there = world.aws.models if kind is MODEL else world.aws.configs
    assert cluster.objects[KEY]["status"][kind.name.status_field] in there
    if is_used:
        world.clusters[ENDPOINT_CONFIG.kind].delete(USER)
        world.run(60)
    assert len(world.aws.left) == 2, "m, and the third version"
    cluster.delete(KEY)
    world.run(120, step_s=5)
    assert cluster.get(KEY) is None
    assert world.aws.left == ["m"]


@pytest.mark.parametrize("kind", [MODEL, ENDPOINT_CONFIG])
def test_what_is_deleted_right_after_it_was_replaced_leaves_nothing(kind: KindDescriptor) -> None:
    """`kubectl replace --force` apart, the finalizer is put back by the next pass."""
    world = started(kind, is_used=kind is MODEL)
    cluster = world.clusters[kind.kind]
    for version in (2, 3):
        replace(cluster, manifest(kind, version))
        world.run(30)
    if kind is MODEL:
        world.clusters[ENDPOINT_CONFIG.kind].delete(USER)
    cluster.delete(KEY)
    world.run(120, step_s=5)
    assert cluster.get(KEY) is None
    assert world.aws.left == ["m"]


def test_older_crds_without_the_field_cost_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server drops it; the names of what is in use are not written over and over."""
    world = started(MODEL, is_used=True)
    cluster = world.clusters[MODEL.kind]
    patch = cluster._patch

    def pruned(key: ObjectKey, body: JsonObject, subresource: str) -> JsonObject:
        (body.get("status") or {}).get("awsResource", {}).pop("replacedNames", None)
        return patch(key, body, subresource)

    monkeypatch.setattr(cluster, "_patch", pruned)
    cluster.edit(KEY, manifest(MODEL, 2)["spec"])
    world.run(60)
    writes = cluster.patches
    world.run(300, step_s=5)
    assert cluster.patches == writes
