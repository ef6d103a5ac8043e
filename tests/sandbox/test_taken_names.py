"""A name that somebody else has: the object says why it is refused, and its deletion touches nothing (D-03, D-28)."""

import pytest

from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HOSTING_DEPLOYMENT
from tests.deadline import eventually
from tests.sandbox.account import Foreigners, Left, manifest, marked
from tests.sandbox.conftest import World
from tests.sandbox.harness import PLURALS, condition, until_gone

pytestmark = pytest.mark.sandbox

NAMED = {
    "TrainingJob": "trainingJobName",
    "HyperparameterTuningJob": "hyperParameterTuningJobName",
    "BatchTransformJob": "transformJobName",
    "HostingDeployment": "endpointName",
}
"""Kinds whose objects may give the name at AWS, by the field that does."""


def named(kind: str, name: str, at_aws: str) -> JsonObject:
    """An object that asks for a name at AWS, and runs until it is stopped."""
    obj = manifest(kind, name, **{NAMED[kind]: at_aws})
    if kind == BATCH_TRANSFORM_JOB.kind:
        obj["spec"]["modelName"] = "others"
    return obj if kind == HOSTING_DEPLOYMENT.kind else marked(obj, SANDBOX_SECONDS="86400")


def policy(name: str, endpoint: str, policy_name: str) -> JsonObject:
    """A policy for the one variant of an endpoint."""
    variants = [{"endpointName": endpoint, "variantName": "all-traffic"}]
    return manifest("HostingAutoscalingPolicy", name, resourceId=variants, policyName=policy_name)


def refusal(world: World, kind: str, name: str) -> JsonObject:
    """The object once it is refused."""

    def look() -> JsonObject | None:
        obj = world.api.get(name, plural=PLURALS[kind])
        return obj if obj and condition(obj, "Stalled").get("status") == "True" else None

    return eventually(look, what=f"{kind} {name} is refused")


def is_there(world: World, kind: str, name: str) -> bool:
    """Whether the object has created its resource, and that shows what it will show until it is stopped."""
    obj = world.api.get(name, plural=PLURALS[kind]) or {}
    if kind == "TrainingJob":
        return bool(obj.get("status", {}).get("secondaryStatus") == "Training")
    return condition(obj, "Ready").get("reason") in {"InProgress", "InService", "Created"}


def test_who_comes_second_is_refused_says_why_and_takes_nothing_along(world: World) -> None:
    """Two objects of each kind with one name at AWS, and one with the name of something that somebody else made."""
    foreigner = Foreigners(world, "others")
    picture = foreigner.picture()
    world.operator().until_ready()
    for kind in NAMED:
        world.api.create(named(kind, "first", "shared"), plural=PLURALS[kind])
    for kind in NAMED:
        eventually(lambda kind=kind: is_there(world, kind, "first"), what=f"{kind} is there")  # type: ignore[misc]
    scaled = "HostingAutoscalingPolicy"
    world.api.create(policy("first", "first", "busy"), plural=PLURALS[scaled])
    eventually(lambda: is_there(world, scaled, "first"), what="policy is in place")
    before = Left.of(world)

    for kind in NAMED:
        world.api.create(named(kind, "second", "shared"), plural=PLURALS[kind])
        world.api.create(named(kind, "third", "others"), plural=PLURALS[kind])
    world.api.create(policy("second", "first", "busy"), plural=PLURALS[scaled])
    world.api.create(policy("third", "others", "requests-per-instance"), plural=PLURALS[scaled])
    for kind in (*NAMED, scaled):
        for name in ("second", "third"):
            refused = refusal(world, kind, name)
            why = condition(refused, "Stalled")
            assert why["reason"] == condition(refused, "Synced")["reason"] == "AlreadyExists", kind
            assert refused["status"]["additional"] == why["message"], kind
            assert "left alone" in why["message"], kind
            assert condition(refused, "Ready")["status"] == "False", kind
            eventually(lambda kind=kind, name=name: is_told(world, kind, name), what=f"{kind} {name} is told")  # type: ignore[misc]
    assert Left.of(world) == before, "nothing was made for them, not even children"

    for kind in (*NAMED, scaled):
        for name in ("second", "third"):
            world.api.delete(name, plural=PLURALS[kind])
    for kind in (*NAMED, scaled):
        for name in ("second", "third"):
            until_gone(world.api, name, plural=PLURALS[kind])
    assert Left.of(world) == before
    assert foreigner.picture() == picture
    asked = {request.operation for request in world.to_aws.requests}
    assert not {each for each in asked if each.startswith(("Stop", "Delete", "Deregister", "Update"))}


def is_told(world: World, kind: str, name: str) -> bool:
    """Whether an Event about the object says so."""
    events = world.api.events(name)
    about = [each for each in events if each["involvedObject"]["kind"] == kind]
    return ("Warning", "AlreadyExists") in {(each["type"], each["reason"]) for each in about}
