"""Annotation `reconcile-at`: one full look at AWS for each new text, whatever is due."""

from typing import Any

import pytest

from api.annotations import PAUSED, RECONCILE_AT
from api.meta import ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.cluster import FakeCluster
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world
from tests.faults.hosting_world import HostingWorld

DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")


def ask(cluster: FakeCluster, key: ObjectKey, text: str, **others: str) -> None:
    """`kubectl annotate --overwrite`."""
    obj = cluster.get(key) or {}
    obj["metadata"]["annotations"] = {
        **(obj["metadata"].get("annotations") or {}),
        RECONCILE_AT.key: text,
        **others,
    }
    cluster.apply(obj)


def handled(cluster: FakeCluster, key: ObjectKey) -> Any:
    """The text that was acted on last."""
    return (cluster.get(key) or {}).get("status", {}).get("lastHandledReconcileAt")


def job(value: str = "InProgress") -> World:
    """A job that rests in this state, and forgotten calls."""
    world = World()
    world.cluster.apply(manifest())
    world.run(30)
    world.aws.move(world.name, value)
    world.run(60)
    world.sagemaker.calls.clear()
    return world


@pytest.mark.parametrize("value", ["InProgress", "Completed", "Failed"])
def test_a_job_is_described_once_for_each_text(value: str) -> None:
    """Running or ended; a restart does not take an old text for a new one."""
    world = job(value)
    for n, text in enumerate(("now", "again"), 1):
        ask(world.cluster, KEY, text)
        world.run(60)
        assert world.aws.count("describe") == n
        assert handled(world.cluster, KEY) == text
    events = list(world.recorder.events)
    world.restart()
    world.run(60)
    assert world.aws.count("describe") == 2
    assert (world.value, world.recorder.events) == (value, events)
    assert world.errors == []


def test_what_a_look_finds_is_shown() -> None:
    """That is what it is for."""
    world = job("Completed")
    world.aws.move(world.name, "Completed", ModelArtifacts={"S3ModelArtifacts": "s3://late"})
    ask(world.cluster, KEY, "now")
    world.run(5)
    assert world.status["modelPath"] == "s3://late"
    assert world.condition("Complete") == ("True", "Completed")


def test_a_look_that_is_refused_is_still_to_come() -> None:
    """And the trouble that it tells goes with it, of an ended job, too."""
    world = job("Completed")
    world.aws.always = lambda operation: DENIED if operation == "describe" else None
    ask(world.cluster, KEY, "now")
    world.run(30)
    assert handled(world.cluster, KEY) is None
    assert world.condition("Reconciling") == ("True", "AccessDenied")
    world.aws.always = lambda operation: None
    world.run(100)
    assert handled(world.cluster, KEY) == "now"
    assert world.condition("Reconciling") == ("False", "Completed")
    assert world.condition("Complete") == ("True", "Completed")


def test_a_paused_object_is_looked_at_when_it_is_resumed() -> None:
    """Nobody asks AWS about it meanwhile."""
    world = job()
    ask(world.cluster, KEY, "now", **{PAUSED.key: "true"})
    world.run(60)
    assert (world.aws.count("describe"), handled(world.cluster, KEY)) == (0, None)
    ask(world.cluster, KEY, "now", **{PAUSED.key: "false"})
    world.run(60)
    assert (world.aws.count("describe"), handled(world.cluster, KEY)) == (1, "now")


@pytest.mark.parametrize("kind", [HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG], ids=lambda kind: kind.kind)
def test_a_resource_is_described_once_for_each_text(kind: Any) -> None:
    """In service or created, and at rest."""
    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    world.run(60)
    cluster = world.clusters[kind.kind]
    (key,) = cluster.keys()
    world.sagemaker.calls.clear()
    for n, text in enumerate(("now", "again"), 1):
        ask(cluster, key, text)
        world.run(60)
        assert world.sagemaker.operations.count(kind.operations.describe) == n
        assert handled(cluster, key) == text
    assert {call for call in world.sagemaker.operations if not call.startswith("List")} == {kind.operations.describe}
    assert world.is_at_rest()


def test_a_policy_that_was_taken_away_is_put_back() -> None:
    """The look asks Application Auto Scaling about every variant (D-23)."""
    world = scaling_world.ScalingWorld()
    world.cluster.apply(scaling_world.manifest("ab"))
    world.run(900, step_s=30)
    world.aws.put.clear()
    world.run(240, step_s=30)
    assert world.aws.put == set(), "the look that no one asks for comes every ten minutes"
    ask(world.cluster, scaling_world.KEY, "now")
    world.run(900, step_s=30)
    assert len(world.aws.put) == 2
    assert handled(world.cluster, scaling_world.KEY) == "now"


def test_an_edit_of_tags_does_not_take_the_place_of_the_look() -> None:
    """The pass that tags ends with its own write; the look that was asked for comes in the next one."""
    world = job()
    obj = world.obj
    obj["spec"]["tags"] = [{"key": "team", "value": "a"}]
    world.cluster.apply(obj)
    ask(world.cluster, KEY, "now")
    world.run(60)
    assert [operation for operation, _ in world.aws.calls if operation != "list"] == [
        "describe",  # nothing is tagged on the word of a list
        "tags",
        "add tags",
        "describe",
    ]
    assert handled(world.cluster, KEY) == "now"


@pytest.mark.parametrize("kind", [HOSTING_DEPLOYMENT, MODEL], ids=lambda kind: kind.kind)
def test_an_edit_of_tags_does_not_take_the_place_of_the_look_at_a_resource(kind: Any) -> None:
    """The same for what is served."""
    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    world.run(60)
    world.sagemaker.calls.clear()
    world.apply(hosting_world.manifest(tags=[{"key": "team", "value": "a"}]))
    cluster = world.clusters[kind.kind]
    (key,) = cluster.keys()
    ask(cluster, key, "now")
    world.run(60)
    assert world.sagemaker.operations.count("AddTags") == 3
    assert (
        world.sagemaker.operations.count(kind.operations.describe) == 2
    )  # one before the tags, one that was asked for
    assert handled(cluster, key) == "now"


def test_a_look_at_what_serves_is_no_wish_for_an_update() -> None:
    """D-15: it asks for another try only where the last one has failed."""
    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    ask(world.clusters[HOSTING_DEPLOYMENT.kind], hosting_world.KEY, "now")
    world.run(60)
    world.recorder.events.clear()
    (endpoint,) = world.aws.endpoints.values()
    endpoint.value = "SystemUpdating"
    ask(world.clusters[HOSTING_DEPLOYMENT.kind], hosting_world.KEY, "again")
    world.run(60)
    synced = next(each for each in world.status["conditions"] if each["type"] == "Synced")
    assert (world.status["endpointStatus"], synced["status"]) == ("SystemUpdating", "True")
    assert world.recorder.events == [("Normal", "StatusChanged")]
