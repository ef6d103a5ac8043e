"""Models and configurations of a live endpoint that somebody deletes, and makes anew under the same name."""

import pytest

from api.annotations import DRIFT_POLICY, RECONCILE_AT
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from tests.fakes.cluster import FakeCluster
from tests.faults.hosting_world import KEY, HostingWorld, manifest

KINDS = [MODEL.kind, ENDPOINT_CONFIG.kind]


def replaced(kind: str) -> tuple[HostingWorld, str]:
    """A world at rest in which somebody has put another child of that kind in the place of ours; its name."""
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    world.run(600, step_s=5)
    there = world.aws.models if kind == MODEL.kind else world.aws.configs
    ((name, request),) = there.items()
    there[name] = {**otherwise(request), "CreationTime": world.clock.utcnow()}
    return world, name


def otherwise(request: JsonObject) -> JsonObject:
    """A request for something else, without our tags."""
    request = {member: value for member, value in request.items() if member != "Tags"}
    if "PrimaryContainer" in request:
        return {**request, "PrimaryContainer": {**request["PrimaryContainer"], "Image": "another"}}
    return {**request, "ProductionVariants": [{**request["ProductionVariants"][0], "ModelName": "theirs"}]}


def look(world: HostingWorld, kind: str) -> None:
    """The slow look at the child is due."""
    (key,) = world.clusters[kind].keys()
    annotate(world.clusters[kind], key, RECONCILE_AT.key, "now")
    world.run(30)


def annotate(cluster: FakeCluster, key: ObjectKey, annotation: str, value: str) -> None:
    """What `kubectl annotate` does."""
    obj = cluster.get(key)
    assert obj is not None
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), annotation: value}
    cluster.apply(obj)


def conditions(status: JsonObject) -> dict[str, str]:
    """Status by type."""
    return {each["type"]: each["status"] for each in status["conditions"]}


@pytest.mark.parametrize("kind", KINDS)
def test_what_others_have_made_anew_is_told_by_the_child_and_its_deployment_and_left_alone(kind: str) -> None:
    """modern-expectations.md 2: it serves on, and nothing is called but the looks, and their tags once."""
    world, name = replaced(kind)
    called = len(world.sagemaker.operations)
    look(world, kind)
    world.run(3600, step_s=5)
    (key,) = world.clusters[kind].keys()
    child = world.clusters[kind].get(key)
    assert child is not None
    assert conditions(child["status"])["Drifted"] == "True"
    shown = conditions(world.status)
    assert (shown["Drifted"], shown["Ready"], shown["Synced"]) == ("True", "True", "False")
    assert name in next(each["message"] for each in world.status["conditions"] if each["type"] == "Drifted")
    assert set(world.sagemaker.operations[called:]) == {"ListEndpoints", f"Describe{kind}", "ListTags"}
    assert world.sagemaker.operations[called:].count("ListTags") == 1, "what is known to be theirs stays known"
    assert world.sagemaker.operations[called:].count(f"Describe{kind}") <= 8, (
        "every ten minutes, and after the news was told"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_correction_makes_another_one_beside_it_and_switches_to_that(kind: str) -> None:
    """`drift-policy: correct` on the deployment: what others have made stays, then and when all is deleted."""
    world, name = replaced(kind)
    annotate(world.clusters[HOSTING_DEPLOYMENT.kind], KEY, DRIFT_POLICY.key, "correct")
    look(world, kind)
    world.run(900, step_s=5)
    shown = conditions(world.status)
    assert (shown["Drifted"], shown["Ready"], shown["Synced"]) == ("False", "True", "True")
    there = world.aws.models if kind == MODEL.kind else world.aws.configs
    assert len(there) == 2
    (endpoint,) = world.aws.endpoints.values()
    serves = world.aws.configs[endpoint.config]
    used = endpoint.config if kind == ENDPOINT_CONFIG.kind else serves["ProductionVariants"][0]["ModelName"]
    assert used in set(there) - {name}
    assert world.sagemaker.operations.count("UpdateEndpoint") == 1

    world.delete()
    world.run(600, step_s=5)
    assert world.obj is None
    assert world.aws.left == [name]
