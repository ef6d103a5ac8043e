"""What the hosting guide promises beyond its walk-through, with real kubectl: updates, scaling, deletion."""

import copy
import json
from typing import Any

import pytest
import yaml

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.account import Left, manifest, marked
from tests.sandbox.conftest import World
from tests.sandbox.harness import aws_call
from tests.sandbox.kubectl import TIMEOUT, Kubectl

pytestmark = pytest.mark.sandbox

BOTH = ("all-traffic", "challenger")


def apply(kubectl: Kubectl, obj: JsonObject) -> None:
    """`kubectl apply -f -`."""
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump(obj))


def wait_for(kubectl: Kubectl, what: str, path: str, value: str) -> None:
    """`kubectl wait` on a status field of v1."""
    kubectl("wait", f"--for=jsonpath={{.status.{path}}}={value}", TIMEOUT, what)


def deployment(name: str, *variants: str, **spec: Any) -> JsonObject:
    """The guide's deployment with these variants of its model."""
    obj = manifest("HostingDeployment", name, **spec)
    (first,) = obj["spec"]["productionVariants"]
    obj["spec"]["productionVariants"] = [{**copy.deepcopy(first), "variantName": each} for each in variants]
    return obj


def running(world: World, name: str) -> JsonObject:
    """DescribeEndpoint of a deployment's endpoint."""
    endpoint = world.api.status(name, plural="hostingdeployments")["endpointName"]
    return aws_call(world.aws.url, "DescribeEndpoint", EndpointName=endpoint)


def is_observed(world: World, name: str) -> bool:
    """Whether the status is about the newest spec of a deployment."""
    obj = world.api.get(name, plural="hostingdeployments") or {}
    return bool(obj["status"].get("observedGeneration") == obj["metadata"]["generation"])


def updates(world: World) -> list[JsonObject]:
    """The UpdateEndpoint requests of the operator."""
    return [json.loads(each.body) for each in world.to_aws.requests if each.operation == "UpdateEndpoint"]


def version(world: World, endpoint: JsonObject) -> str | None:
    """What the model says that all variants of an endpoint serve; None while they differ."""
    described = aws_call(world.aws.url, "DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"])
    names = {each["ModelName"] for each in described["ProductionVariants"]}
    if len(names) != 1:
        return None
    model = aws_call(world.aws.url, "DescribeModel", ModelName=names.pop())
    said: str | None = model["PrimaryContainer"].get("Environment", {}).get("VERSION")
    return said


@pytest.mark.early
def test_an_update_upon_an_update_keeps_what_autoscaling_has_set(world: World, kubectl: Kubectl) -> None:
    """Guide: an edit during an update waits, only the newest is applied; retainAllVariantProperties keeps counts.

    One policy scales variants of several endpoints; it is deleted before them.
    """
    empty = Left.of(world)
    world.operator().until_ready()
    apply(kubectl, deployment("host", *BOTH))
    apply(kubectl, deployment("other", BOTH[0]))
    for name in ("host", "other"):
        wait_for(kubectl, f"hostingdeployment/{name}", "endpointStatus", "InService")
    scaled = [("host", BOTH[0]), ("host", BOTH[1]), ("other", BOTH[0])]
    variants = [{"endpointName": endpoint, "variantName": variant} for endpoint, variant in scaled]
    apply(kubectl, manifest("HostingAutoscalingPolicy", "scale", resourceId=variants))
    wait_for(kubectl, "hap/scale", "hostingAutoscalingPolicyStatus", "Created")
    listed = kubectl("get", "hap", "scale", "-o", "jsonpath={.status.resourceIDList}").stdout
    assert [each.rpartition("/")[2] for each in json.loads(listed)] == [variant for _, variant in scaled]

    endpoint = running(world, "host")["EndpointName"]
    scaling_out = [{"VariantName": BOTH[0], "DesiredInstanceCount": 3}]
    aws_call(
        world.aws.url,
        "UpdateEndpointWeightsAndCapacities",
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=scaling_out,
    )
    eventually(lambda: running(world, "host")["EndpointStatus"] == "InService", what="scaled out")

    with world.time.stopped():
        for number in ("2", "3", "4"):
            apply(kubectl, marked(deployment("host", *BOTH, retainAllVariantProperties=True), VERSION=number))
            eventually(lambda: is_observed(world, "host"), what=f"the operator has seen version {number}")
            # not by status: it may still show the scaling as Updating
            eventually(lambda: len(updates(world)) == 1, what="the update begins")
    eventually(lambda: version(world, running(world, "host")) == "4", what="the newest is served")
    kubectl("wait", "--for=condition=Ready", TIMEOUT, "hostingdeployment/host")
    wait_for(kubectl, "hostingdeployment/host", "endpointStatus", "InService")

    assert [each["RetainAllVariantProperties"] for each in updates(world)] == [True, True], (
        "not for what was edited again"
    )
    counts = {
        each["VariantName"]: each["CurrentInstanceCount"] for each in running(world, "host")["ProductionVariants"]
    }
    assert counts == {BOTH[0]: 3, BOTH[1]: 1}

    kubectl("delete", "hap", "scale", TIMEOUT)
    kubectl("delete", "hostingdeployments", "host", "other", TIMEOUT)
    assert kubectl("get", "hostingdeployments,models.sagemaker.aws.amazon.com,endpointconfigs").stdout == ""
    assert Left.of(world) == empty


def test_a_deployment_that_never_came_up_is_deleted_like_any_other(world: World, kubectl: Kubectl) -> None:
    """Guide: `kubectl delete` while Creating, which SageMaker refuses and the operator waits for, and when Failed."""
    empty = Left.of(world)
    world.operator().until_ready()
    apply(kubectl, marked(deployment("broken", BOTH[0]), SANDBOX_FAIL="the model does not load"))
    with world.time.stopped():
        apply(kubectl, deployment("slow", BOTH[0]))
        wait_for(kubectl, "hostingdeployment/slow", "endpointStatus", "Creating")
        kubectl("delete", "hostingdeployment", "slow", "--wait=false")
        wait_for(kubectl, "hostingdeployment/slow", "endpointStatus", "Deleting")
    wait_for(kubectl, "hostingdeployment/broken", "endpointStatus", "Failed")
    assert "the model does not load" in kubectl("describe", "hostingdeployment", "broken").stdout
    kubectl("delete", "hostingdeployment", "broken", TIMEOUT)
    kubectl("wait", "--for=delete", TIMEOUT, "hostingdeployment/slow")
    assert Left.of(world) == empty
