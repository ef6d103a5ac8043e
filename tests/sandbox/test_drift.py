"""Endpoints that others change behind the operator's back, and updates that wait for a word, with a real process."""

from typing import Any

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import condition
from tests.sandbox.hosting_scene import (
    CONFIGURATIONS,
    DEPLOYMENTS,
    MODELS,
    deployment,
    marked,
    operations,
    replace_spec,
    until,
)
from tests.sandbox.predecessor import Predecessor

pytestmark = pytest.mark.sandbox

PREFIX = "sagemaker.aws.amazon.com/"
NAME = "host-xgboost"
VARIANT = "all-traffic"
RESTS = 2
"""Polls of settled endpoints that show that nothing is done."""


@pytest.mark.early
def test_what_others_change_is_told_once_and_put_back_only_where_that_is_asked_for(world: World) -> None:
    """modern-expectations.md 2 to 4: Drifted, Synced=False, one Warning, and rest; `correct`: as it was, and rest."""
    somebody = Predecessor(world.api, world.aws.url).sagemaker
    world.operator().until_ready()
    endpoint = served(world)
    applied = world.api.status(NAME, plural=DEPLOYMENTS)["endpointConfigName"]

    shift_weight(somebody, endpoint, 0.3)
    drifted = until_drifted(world, "desiredWeight is 0.3, and 1 was applied")
    assert condition(drifted, "Synced")["status"] == "False"
    assert condition(drifted, "Synced")["reason"] == "Drifted"
    assert condition(drifted, "Ready")["status"] == "True"

    switch(somebody, endpoint, "elsewhere")
    drifted = until_drifted(world, "endpointConfigName is elsewhere")
    assert condition(drifted, "Ready")["status"] == "False"
    rests(world)
    assert somebody.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == "elsewhere"
    assert told(world).count("Drifted") == 1

    annotate(world, **{"drift-policy": "correct"})

    def is_put_back() -> bool:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        return obj is not None and condition(obj, "Drifted")["status"] == "False"

    eventually(is_put_back, what="correction")
    eventually(lambda: "DriftCorrected" in told(world), what="DriftCorrected")
    assert condition(until(world.api, NAME, "InService"), "Synced")["status"] == "True"
    described = somebody.describe_endpoint(EndpointName=endpoint)
    assert described["EndpointConfigName"] == applied
    assert [each["DesiredWeight"] for each in described["ProductionVariants"]] == [1.0]
    rests(world)


def test_children_of_the_predecessor_get_an_owner_and_an_update_waits_for_a_word(world: World) -> None:
    """D-20: tools that draw trees go by owner references. `update-policy: manual`: prepared, told, begun when asked."""
    old = Predecessor(world.api, world.aws.url)
    old.hosting(deployment(NAME))
    world.operator().until_ready()
    owner = until(world.api, NAME, "InService")
    eventually(lambda: owners(world) == [owner["metadata"]["uid"]] * 2, what="owner references")
    eventually(lambda: is_noted(world), what="it is written down that the endpoint serves what is wanted")
    assert not {"UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"} & set(operations(world))

    endpoint, applied = owner["status"]["endpointName"], owner["status"]["endpointConfigName"]
    annotate(world, **{"update-policy": "manual"})
    replace_spec(world.api, marked(deployment(NAME), VERSION="2"))

    def waits() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        return obj if obj and condition(obj, "Ready").get("reason") == "UpdatePending" else None

    pending = eventually(waits, what="UpdatePending")
    assert condition(pending, "Synced")["reason"] == "UpdatePending"
    assert condition(pending, "Ready")["status"] == "True"
    rests(world)
    assert told(world).count("UpdatePending") == 1
    assert old.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"] == applied

    annotate(world, **{"reconcile-at": "now"})

    def is_updated() -> bool:
        status = world.api.status(NAME, plural=DEPLOYMENTS)
        return status["endpointConfigName"] != applied and status["endpointStatus"] == "InService"

    eventually(is_updated, what="the update")
    assert operations(world).count("UpdateEndpoint") == 1


def served(world: World) -> str:
    """A deployment in service whose endpoint is known to serve what was applied; the endpoint's name."""
    world.api.create(deployment(NAME), plural=DEPLOYMENTS)
    until(world.api, NAME, "InService")
    eventually(lambda: is_noted(world), what="it is written down that the endpoint serves what is wanted")
    endpoint: str = world.api.status(NAME, plural=DEPLOYMENTS)["endpointName"]
    return endpoint


def is_noted(world: World) -> bool:
    """From here on, another state is somebody else's doing."""
    obj = world.api.get(NAME, plural=DEPLOYMENTS)
    annotations = (obj or {"metadata": {}})["metadata"].get("annotations") or {}
    return '"isServed":true' in annotations.get(PREFIX + "last-update-attempt", "")


def owners(world: World) -> list[str]:
    """The uids that all child objects name."""
    listed = [world.api.call("GET", world.api.path(plural=plural))["items"] for plural in (MODELS, CONFIGURATIONS)]
    return [one["uid"] for items in listed for each in items for one in each["metadata"].get("ownerReferences") or ()]


def shift_weight(somebody: Any, endpoint: str, weight: float) -> None:
    """Somebody shifts the traffic of the variant."""
    wanted = [{"VariantName": VARIANT, "DesiredWeight": weight}]
    somebody.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=wanted)


def switch(somebody: Any, endpoint: str, configuration: str) -> None:
    """Somebody makes another configuration of the same variants, and switches the endpoint to it."""
    described = eventually(lambda: in_service(somebody, endpoint), what="SageMaker allows changes again")
    current = somebody.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    changed = [each | {"InstanceType": "ml.m5.4xlarge"} for each in current["ProductionVariants"]]
    somebody.create_endpoint_config(EndpointConfigName=configuration, ProductionVariants=changed)
    somebody.update_endpoint(EndpointName=endpoint, EndpointConfigName=configuration)


def in_service(somebody: Any, endpoint: str) -> JsonObject | None:
    """The endpoint, once it can be changed."""
    described: JsonObject = somebody.describe_endpoint(EndpointName=endpoint)
    return described if described["EndpointStatus"] == "InService" else None


def until_drifted(world: World, message: str) -> JsonObject:
    """Wait until the deployment tells of this drift; returns it."""

    def look() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        shown = condition(obj, "Drifted") if obj else {}
        return obj if shown.get("status") == "True" and message in shown["message"] else None

    return eventually(look, what=f"drifted: {message}")


def told(world: World) -> list[str]:
    """Reasons of the events about the deployment, as often as they were told."""
    return [event["reason"] for event in world.api.events(NAME) for _ in range(event.get("count") or 1)]


def annotate(world: World, **annotations: str) -> None:
    """What `kubectl annotate` does."""
    body = {"metadata": {"annotations": {PREFIX + key: value for key, value in annotations.items()}}}
    world.api.call("PATCH", world.api.path(NAME, plural=DEPLOYMENTS), body, "application/merge-patch+json")


def rests(world: World) -> None:
    """Nothing but Lists is asked of AWS, over some polls of settled endpoints."""

    def is_quiet() -> bool:
        world.to_aws.forget()
        eventually(lambda: operations(world).count("ListEndpoints") >= RESTS, what=f"{RESTS} polls")
        return all(each.startswith("List") and each != "ListTags" for each in operations(world))

    eventually(is_quiet, what="rest")
