"""The annotation `paused`, set and taken off again: nothing happens under it, and nothing that was asked is lost."""

import copy

import pytest

from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT
from tests.fakes.cluster import FakeCluster
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World
from tests.faults import scaling_world as scaling
from tests.faults.hosting_world import KEY, HostingWorld
from tests.faults.hosting_world import manifest as deployment

PAUSED = "sagemaker.aws.amazon.com/paused"


def pause(cluster: FakeCluster, obj: JsonObject, is_paused: bool, **spec: object) -> None:
    """`kubectl annotate`, and an edit of the spec with it; what the operator has noted stays."""
    changed = copy.deepcopy(obj)
    annotations = changed["metadata"].setdefault("annotations", {})
    annotations.pop(PAUSED, None)
    if is_paused:
        annotations[PAUSED] = "true"
    changed["spec"] |= spec
    cluster.apply(changed)


def reasons(obj: JsonObject | None) -> set[str]:
    """Reasons of all conditions."""
    return {each["reason"] for each in (obj or {})["status"]["conditions"]}


def synced(obj: JsonObject) -> str:
    """The message of the condition Synced."""
    return next(str(each["message"]) for each in obj["status"]["conditions"] if each["type"] == "Synced")


@pytest.mark.parametrize("name", ["", "shared"], ids=["generated name", "name of the user"])
def test_what_was_left_to_others_stays_theirs_after_a_pause(name: str) -> None:
    """A deletion that has let the endpoint go, and takes its children down, is paused, and resumed after a restart."""
    world = HostingWorld()
    world.apply(deployment(**{"endpointName": name} if name else {}))
    world.until(world.is_at_rest)
    (endpoint,) = world.aws.endpoints
    world.clock.advance(60)
    world.aws.others(HOSTING_DEPLOYMENT, endpoint)

    models = world.clusters["Model"]
    (model,) = map(copy.deepcopy, models.objects.values())
    model["metadata"]["finalizers"].append("example.com/hold")
    models.replace(model)
    world.delete()
    world.until(lambda: "DeletingChildren" in reasons(world.obj))
    pause(world.cluster, world.obj or {}, True)
    world.until(lambda: "Paused" in reasons(world.obj))
    world.restart()
    pause(world.cluster, world.obj or {}, False)
    world.run(60)
    model = copy.deepcopy(models.objects[ObjectKey.of(model)])
    model["metadata"]["finalizers"].remove("example.com/hold")
    models.replace(model)
    world.until(lambda: world.obj is None)
    assert list(world.aws.endpoints) == [endpoint]
    assert "DeleteEndpoint" not in world.sagemaker.operations


@pytest.mark.parametrize("version", ["1", "2"], ids=["as it was", "edited under the pause"])
def test_an_endpoint_serves_what_was_asked_for_under_the_pause(version: str) -> None:
    """modern-expectations.md 4: no AWS calls meanwhile; then one update, or none where nothing was edited."""
    world = HostingWorld()
    cluster = world.clusters["HostingDeployment"]
    cluster.apply(deployment())
    world.run(300)
    pause(cluster, cluster.get(KEY) or {}, True, models=deployment(version=version)["spec"]["models"])
    world.run(10)
    world.sagemaker.calls.clear()
    world.run(100)
    assert "Paused" in reasons(cluster.get(KEY))
    assert set(world.sagemaker.operations) <= {"ListEndpoints"}
    pause(cluster, cluster.get(KEY) or {}, False)
    world.run(300)
    (endpoint,) = world.aws.endpoints.values()
    assert (endpoint.value, world.aws.version_of(endpoint.config)) == ("InService", version)
    assert "Paused" not in reasons(cluster.get(KEY))
    assert world.sagemaker.operations.count("UpdateEndpoint") == (version != "1")
    assert world.recorder.events.count(("Normal", "Resumed")) == 1


def test_a_job_that_runs_on_is_followed_again() -> None:
    """Its status says so although nothing has changed at SageMaker."""
    world = World()
    world.cluster.apply(manifest())
    world.run(120)
    pause(world.cluster, world.obj, True)
    world.run(60)
    assert world.condition("Reconciling") == ("False", "Paused")
    pause(world.cluster, world.obj, False)
    world.run(60)
    assert world.condition("Reconciling") == ("True", "InProgress")
    assert world.condition("Synced") == ("True", "Synced")
    assert world.recorder.events[-2:] == [("Normal", "Paused"), ("Normal", "Resumed")]


def test_what_a_paused_object_waits_for_is_told() -> None:
    """Whoever deletes one, and sees nothing happen, finds out why."""
    world = World()
    world.cluster.apply(manifest())
    world.run(60)
    pause(world.cluster, world.obj, True)
    world.run(60)
    assert synced(world.obj) == "Nothing is done while the annotation sagemaker.aws.amazon.com/paused is true"
    world.cluster.delete(ObjectKey.of(world.obj))
    world.run(60)
    assert synced(world.obj).endswith("/paused is true: the deletion waits")
    assert world.aws.count("stop") == 0


def test_a_policy_has_the_bounds_that_were_asked_for_under_the_pause() -> None:
    """The pause observes the edit without applying it: what it shows is no proof of what is in place."""
    world = scaling.ScalingWorld()
    world.cluster.apply(scaling.manifest("a"))
    world.run(900, step_s=30)
    pause(world.cluster, world.cluster.get(scaling.KEY) or {}, True, maxCapacity=9)
    world.run(900, step_s=30)
    assert world.aws.bounds == {scaling.A: 4}
    pause(world.cluster, world.cluster.get(scaling.KEY) or {}, False)
    world.run(900, step_s=30)
    assert world.aws.bounds == {scaling.A: 9}
    assert "Paused" not in reasons(world.cluster.get(scaling.KEY))
