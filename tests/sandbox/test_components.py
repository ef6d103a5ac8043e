"""Inference components on an endpoint without models, through HTTP with a real operator process."""

import copy

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import aws_call, condition
from tests.sandbox.hosting_scene import DEPLOYMENTS, replace_spec, sample

pytestmark = pytest.mark.sandbox

COMPONENTS, POLICIES = "inferencecomponents", "hostingautoscalingpolicies"


def ready(world: World, copies: int) -> JsonObject | None:
    """The component, once it is in service with this many copies, and as its spec says."""
    obj = world.api.get("llm", plural=COMPONENTS)
    if obj is None or condition(obj, "Ready").get("status") != "True" or condition(obj, "Synced")["status"] != "True":
        return None
    status = obj["status"]
    is_newest = status["observedGeneration"] == obj["metadata"]["generation"]
    counts = {status["runtimeConfig"].get(each) for each in ("desiredCopyCount", "currentCopyCount")}
    return obj if is_newest and status["inferenceComponentStatus"] == "InService" and counts == {copies} else None


def edited(world: World, image: str, **spec: object) -> None:
    """Another image in the sample."""
    wanted = sample("inference-component")
    wanted["spec"] = copy.deepcopy(wanted["spec"]) | spec
    wanted["spec"]["specification"]["container"]["image"] = image
    replace_spec(world.api, wanted, COMPONENTS)


def test_the_life_of_a_component_on_an_endpoint_without_models(world: World) -> None:
    """Created when its deployment serves, updated, scaled, rolled back, and gone before its endpoint."""
    world.operator().until_ready()
    world.api.create(sample("inference-component"), plural=COMPONENTS)
    world.api.create(sample("shared-hostingdeployment"), plural=DEPLOYMENTS)
    first = eventually(lambda: ready(world, 2), what="the component serves")
    name, image = first["status"]["inferenceComponentName"], first["spec"]["specification"]["container"]["image"]
    described = aws_call(world.aws.url, "DescribeInferenceComponent", InferenceComponentName=name)
    assert described["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"] == image

    another = image.replace("0.33.0", "0.34.0")
    edited(world, another, runtimeConfig={"copyCount": 3})
    updated = eventually(lambda: ready(world, 3), what="the update")
    assert updated["status"]["deployedImage"]["specifiedImage"] == another
    assert updated["status"]["lastDeploymentConfig"]["rollingUpdatePolicy"]["waitIntervalInSeconds"] == 120

    failing = sample("inference-component")["spec"]["specification"]
    failing["container"] |= {"environment": [{"name": "SANDBOX_FAIL", "value": "no such model"}], "image": image}
    edited(world, image, specification=failing, runtimeConfig={"copyCount": 3})

    def is_rolled_back() -> bool:
        obj = world.api.get("llm", plural=COMPONENTS)
        stalled = condition(obj, "Stalled") if obj else {}
        return stalled.get("reason") == "UpdateFailed" and "no such model" in stalled["message"]

    eventually(is_rolled_back, what="the roll-back")
    described = aws_call(world.aws.url, "DescribeInferenceComponent", InferenceComponentName=name)
    assert described["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"] == another

    edited(world, another, runtimeConfig={"copyCount": 3})
    eventually(lambda: ready(world, 3), what="the edit is taken back")
    world.api.create(sample("hap-inference-component"), plural=POLICIES)
    eventually(
        lambda: (
            world.api.status("hap-inference-component", plural=POLICIES).get("hostingAutoscalingPolicyStatus")
            == "Created"
        ),
        what="the policy",
    )
    world.api.delete("shared", plural=DEPLOYMENTS)

    def waits() -> bool:
        obj = world.api.get("shared", plural=DEPLOYMENTS)
        return obj is not None and condition(obj, "Reconciling").get("reason") == "InUse"

    eventually(waits, what="the deployment waits for the component")
    world.api.delete("hap-inference-component", plural=POLICIES)
    world.api.delete("llm", plural=COMPONENTS)
    for plural in (POLICIES, COMPONENTS, DEPLOYMENTS):
        eventually(
            lambda plural=plural: not world.api.call("GET", world.api.path(plural=plural))["items"],  # type: ignore[misc]
            what=f"no {plural}",
        )
    assert aws_call(world.aws.url, "ListInferenceComponents")["InferenceComponents"] == []
    assert aws_call(world.aws.url, "ListEndpoints")["Endpoints"] == []
