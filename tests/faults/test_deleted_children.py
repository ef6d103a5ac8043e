"""Children of a live deployment that users delete: the scripts of the first operator, in their order.

The object goes within seconds. What it has at SageMaker stays, as the endpoint uses it, and another child of the
deployment takes it over: nothing is updated, and nothing is left behind in the end.
"""

import itertools
import json
import re

import pytest

from api.annotations import AWS_RESOURCE
from api.descriptor import KindDescriptor
from api.meta import FINALIZER, GROUP, JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.kube.errors import Forbidden
from controller.reconcile.effects import Effect
from tests.fakes.crashes import CrashPoint
from tests.faults.hosting_world import KEY, HostingWorld, manifest
from tests.tables import each_row

pytestmark = pytest.mark.long

KINDS = (ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL)
CHILDREN = (ENDPOINT_CONFIG, MODEL)
SECONDS = 20.0


def serving(**spec: object) -> HostingWorld:
    """A world at rest."""
    world = HostingWorld()
    world.apply(manifest(**spec))  # type: ignore[arg-type]
    world.until(world.is_at_rest)
    world.run(60)
    return world


def uids(world: HostingWorld, kind: KindDescriptor) -> set[str]:
    """Of all objects of a kind."""
    return {each["metadata"]["uid"] for each in world.clusters[kind.kind].objects.values()}


def delete_all(world: HostingWorld, kind: KindDescriptor, within_s: float = SECONDS) -> None:
    """`kubectl delete KIND --all`, which returns when the objects that it has listed are gone."""
    cluster, listed = world.clusters[kind.kind], uids(world, kind)
    for key in cluster.keys():  # noqa: SIM118 (no mapping)
        cluster.delete(key)
    world.until(lambda: not listed & uids(world, kind), within_s=within_s)


def points_of_a_succession(kind: KindDescriptor) -> list[CrashPoint]:
    """Where an operator that has just started may crash, from the deletion of a child to its successor's rest."""
    undisturbed = serving()
    undisturbed.restart()
    delete_all(undisturbed, kind)
    undisturbed.until(undisturbed.is_at_rest)
    return list(undisturbed.crash.points())


def crashed_in_a_succession(
    kind: KindDescriptor, point: CrashPoint, monkeypatch: pytest.MonkeyPatch, deleted: tuple[KindDescriptor, ...]
) -> HostingWorld:
    """A world in which the operator has crashed there; all objects of the kinds `deleted` were deleted meanwhile."""
    world = serving()
    world.restart()
    goes_on = world.restart

    def delete(*kinds: KindDescriptor) -> None:
        for each in kinds:
            for key in world.clusters[each.kind].keys():  # noqa: SIM118 (no mapping)
                world.clusters[each.kind].delete(key)

    def restart() -> None:
        delete(*deleted)
        goes_on()

    monkeypatch.setattr(world, "restart", restart)
    world.crash.die_at(point)
    delete(kind)
    world.until(lambda: world.crashes > 0)
    return world


@pytest.mark.parametrize("order", list(itertools.permutations(KINDS)), ids=lambda each: " ".join(k.kind for k in each))
def test_all_is_deleted_in_any_order(order: tuple[KindDescriptor, ...]) -> None:
    """Each command returns within seconds, but for the time that SageMaker takes for the endpoint."""
    world = serving()
    for kind in order:
        delete_all(world, kind, within_s=SECONDS + (2 * world.aws.work_s if kind is HOSTING_DEPLOYMENT else 0))
    world.until(world.is_gone, within_s=SECONDS)
    assert world.sagemaker.operations.count("CreateEndpoint") == 1
    assert world.sagemaker.operations.count("CreateModel") == 1


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("times", [1, 3])
@each_row("kind", CHILDREN, ids=lambda each: each.kind)
def test_another_child_takes_over_what_the_endpoint_uses(kind: KindDescriptor, times: int, *, restarts: bool) -> None:
    """Nothing changes at AWS but the tags, which name the new object; the endpoint serves on, and can be updated."""
    world = serving()
    before = list(world.aws.left)
    called = len(world.sagemaker.operations)
    for _ in range(times):
        delete_all(world, kind)
        if restarts:
            world.restart()
    world.run(120, step_s=5)
    assert world.is_at_rest()
    assert world.aws.left == before
    changed = {each for each in world.sagemaker.operations[called:] if not each.startswith(("List", "Describe"))}
    assert changed <= {"AddTags"}
    (obj,) = world.clusters[kind.kind].objects.values()
    (name,) = world.aws.models if kind is MODEL else world.aws.configs
    assert obj["status"][kind.name.status_field] == name
    assert obj["status"]["awsResource"]["ownerUid"] == obj["metadata"]["uid"]
    world.apply(manifest(version="2"))
    world.until(world.is_at_rest)
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == "2"
    assert not set(world.aws.left) & set(before) - set(world.aws.endpoints)
    world.delete()
    world.until(world.is_gone)


@pytest.mark.parametrize("digits", ["0123456789", "fedcba9876"], ids=["the other stays", "it stays"])
@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_of_two_children_with_one_resource_one_stays(kind: KindDescriptor, digits: str) -> None:
    """As where the preceding child outlives its successor: the superfluous one goes, and no other succeeds it."""
    world = serving()
    before = list(world.aws.left)
    cluster = world.clusters[kind.kind]
    (child,) = cluster.objects.values()
    metadata = child["metadata"]
    note = {**child["status"]["awsResource"], "ownerUid": metadata["uid"]}
    cluster.apply(
        {
            **{field: value for field, value in child.items() if field not in {"metadata", "status"}},
            "metadata": {
                **{field: metadata[field] for field in ("namespace", "labels", "ownerReferences")},
                "name": re.sub("[0-9a-f]{10}", digits, metadata["name"], count=1),
                "annotations": {AWS_RESOURCE.key: json.dumps(note)},
            },
        }
    )
    made = len(world.crash.seen)
    world.run(300, step_s=1)
    assert [each for each in world.crash.seen[made:] if each is Effect.CREATE_CHILD] == []
    assert len(cluster.objects) == 1
    assert world.aws.left == before
    assert world.is_at_rest()
    world.delete()
    world.until(world.is_gone)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_child_may_be_deleted_at_any_effect_of_its_succession(
    kind: KindDescriptor, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third child succeeds it: the tags name the first one, or the second, which never recorded what it has."""
    before = list(serving().aws.left)
    for point in points_of_a_succession(kind):
        with subtests.test(str(point)):
            world = crashed_in_a_succession(kind, point, monkeypatch, (kind,))
            world.run(120, step_s=5)
            assert world.aws.left == before
            assert not [event for event in world.recorder.events if event[1] == "Drifted"]
            (obj,) = world.clusters[kind.kind].objects.values()
            (resource,) = (world.aws.models if kind is MODEL else world.aws.configs).values()
            assert {"Key": f"{GROUP}/uid", "Value": obj["metadata"]["uid"]} in resource["Tags"]
            world.delete()
            world.until(world.is_gone)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_children_that_are_deleted_during_an_update_leave_nothing(kind: KindDescriptor) -> None:
    """Old and new ones: the update goes on, and what it replaces goes after it."""
    world = serving()
    world.apply(manifest(version="2"))
    world.until(lambda: world.value == "Updating")
    delete_all(world, kind)
    world.until(world.is_at_rest)
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == "2"
    world.delete()
    world.until(world.is_gone)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_crash_at_any_effect_leaves_nothing(kind: KindDescriptor, subtests: pytest.Subtests) -> None:
    """Until the new child has claimed it, the old one holds it."""

    def life(world: HostingWorld) -> None:
        delete_all(world, kind, within_s=120)
        world.until(world.is_at_rest)
        world.delete()
        world.until(world.is_gone)

    undisturbed = serving()
    undisturbed.restart()
    life(undisturbed)
    for point in undisturbed.crash.points():
        with subtests.test(str(point)):
            world = serving()
            world.restart()
            world.crash.die_at(point)
            life(world)
            assert world.sagemaker.operations.count("CreateEndpoint") == 1


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_all_may_be_deleted_at_any_effect_of_that(
    kind: KindDescriptor, subtests: pytest.Subtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the new child has claimed the resource, and neither its status nor the tags show that yet."""
    for point in points_of_a_succession(kind):
        with subtests.test(str(point)):
            world = crashed_in_a_succession(kind, point, monkeypatch, (HOSTING_DEPLOYMENT, *CHILDREN))
            world.until(world.is_gone)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_a_child_waits_where_no_other_may_be_created(kind: KindDescriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a namespace that is being deleted: it goes with the deployment, which is deleted as well."""
    world = serving()

    def refused(*_args: object, **_kwargs: object) -> JsonObject:
        raise Forbidden("Forbidden", "unable to create new content in namespace: it is being terminated", status=403)

    monkeypatch.setattr(world.writer, "create", refused)
    for key in world.clusters[kind.kind].keys():  # noqa: SIM118 (no mapping)
        world.clusters[kind.kind].delete(key)
    world.run(120, step_s=5)
    assert len(world.aws.left) == 3
    assert world.value == "InService"
    world.delete()
    world.until(world.is_gone)


@pytest.mark.parametrize("kind", CHILDREN, ids=lambda each: each.kind)
def test_no_user_can_have_the_resource_of_another_object_taken_over(kind: KindDescriptor) -> None:
    """An annotation names any resource, and an owner reference any deployment of the namespace: neither is a proof."""
    world, other = serving(), "victim"
    there = world.aws.models if kind is MODEL else world.aws.configs
    ((name, request),) = there.items()
    there[other] = {**request, "Tags": [], "CreationTime": world.clock.utcnow()}
    (child,) = world.clusters[kind.kind].objects.values()
    arn = child["status"]["awsResource"]["arn"].replace(name.lower(), other)
    for forged_arn in (arn, child["status"]["awsResource"]["arn"]):
        note = f'{{"name": "{other}", "arn": "{forged_arn}", "ownerUid": "{child["metadata"]["uid"]}"}}'
        forged = {
            **child,
            "metadata": {
                "namespace": KEY.namespace,
                "name": "forged",
                "ownerReferences": child["metadata"]["ownerReferences"],
                "annotations": {AWS_RESOURCE.key: note},
                "finalizers": [FINALIZER],
            },
        }
        del forged["status"]
        world.clusters[kind.kind].apply(forged)
        world.run(60)
        if world.clusters[kind.kind].get(ObjectKey(KEY.namespace, "forged")) is not None:
            world.clusters[kind.kind].delete(ObjectKey(KEY.namespace, "forged"))
        world.run(60)
        assert other in there


@pytest.mark.parametrize("is_seen", [True, False], ids=["seen meanwhile", "seen afterwards"])
def test_an_orphaning_deletion_leaves_the_children(*, is_seen: bool) -> None:
    """`kubectl delete hostingdeployment web --cascade=orphan`: the endpoint goes, what it is made of stays."""
    world = serving()
    current = world.cluster.objects[KEY]
    finalizers = [*current["metadata"]["finalizers"], "orphan"]
    marked = {**current["metadata"], "finalizers": finalizers, "deletionTimestamp": "2030-01-02T03:04:05Z"}
    world.cluster._put(KEY, {**current, "metadata": marked}, current)
    if is_seen:
        world.run(5)
    for kind in CHILDREN:  # what the garbage collector does
        cluster = world.clusters[kind.kind]
        for key, child in list(cluster.objects.items()):
            metadata = {name: value for name, value in child["metadata"].items() if name != "ownerReferences"}
            cluster._put(key, {**child, "metadata": metadata}, child)
    current = world.cluster.objects[KEY]
    left = [each for each in current["metadata"]["finalizers"] if each != "orphan"]
    world.cluster._put(KEY, {**current, "metadata": {**current["metadata"], "finalizers": left}}, current)
    world.until(lambda: world.obj is None, within_s=300)
    world.run(120, step_s=5)
    assert (len(world.aws.endpoints), len(world.aws.configs), len(world.aws.models)) == (0, 1, 1)
    for kind in CHILDREN:
        delete_all(world, kind)
    assert world.aws.left == []
