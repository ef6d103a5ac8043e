"""Autoscaling policies on the variants of real endpoints, through HTTP with a real operator process."""

import copy
import json
from typing import Any

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import condition, raw_call
from tests.sandbox.hosting_scene import (
    DEPLOYMENTS,
    POLICIES,
    deployment,
    left_at_sagemaker,
    replace_spec,
    sample,
    until,
    until_gone,
)

pytestmark = pytest.mark.sandbox

STATUS = "hostingAutoscalingPolicyStatus"


def scaling(world: World, operation: str) -> list[JsonObject]:
    """What a Describe of Application Auto Scaling lists."""
    answer = raw_call(world.aws.url, operation, json.dumps({"ServiceNamespace": "sagemaker"}))
    (listed,) = (value for value in answer.values() if isinstance(value, list))
    found: list[JsonObject] = listed
    return found


def targets(world: World) -> dict[str, tuple[int, int]]:
    """Bounds by variant."""
    listed = scaling(world, "DescribeScalableTargets")
    return {each["ResourceId"]: (each["MinCapacity"], each["MaxCapacity"]) for each in listed}


def policies(world: World) -> list[tuple[str, str]]:
    """Variant and name of each policy."""
    return sorted((each["ResourceId"], each["PolicyName"]) for each in scaling(world, "DescribeScalingPolicies"))


def policy(name: str, *variants: tuple[str, str], **spec: Any) -> JsonObject:
    """The sample for these endpoints and variants."""
    obj = sample("hap-predefined-metric")
    obj["metadata"]["name"] = name
    obj["spec"]["resourceId"] = [{"endpointName": endpoint, "variantName": variant} for endpoint, variant in variants]
    obj["spec"] |= spec
    return obj


VARIANT = "all-traffic"


def two_variants(name: str) -> JsonObject:
    """A deployment with two variants of its model."""
    obj = deployment(name)
    (first,) = obj["spec"]["productionVariants"]
    obj["spec"]["productionVariants"] = [first, {**copy.deepcopy(first), "variantName": "challenger"}]
    return obj


def test_a_policy_is_applied_changed_and_removed(world: World) -> None:
    """v1-kinds.md 12.5, D-22 to D-26: every variant; changes in place; what left the list goes, deletion too."""
    world.operator().until_ready()
    world.api.create(two_variants("host"), plural=DEPLOYMENTS)
    endpoint = until(world.api, "host", "InService")["status"]["endpointName"]
    both = ((endpoint, VARIANT), (endpoint, "challenger"))
    world.api.create(policy("scale", *both), plural=POLICIES)
    created = until(world.api, "scale", "Created", plural=POLICIES, field=STATUS)
    ids = [f"endpoint/{endpoint}/variant/{VARIANT}", f"endpoint/{endpoint}/variant/challenger"]
    assert created["status"]["resourceIDList"] == ids
    assert created["status"]["policyName"] == "requests-per-instance"
    assert condition(created, "Ready")["status"] == "True"
    assert targets(world) == dict.fromkeys(ids, (1, 4))
    assert policies(world) == sorted((each, "requests-per-instance") for each in ids)

    world.to_aws.forget()
    replace_spec(world.api, policy("scale", (endpoint, VARIANT), maxCapacity=6), POLICIES)
    eventually(lambda: targets(world) == {ids[0]: (1, 6)}, what="one variant, other bounds")
    until(world.api, "scale", "Created", plural=POLICIES, field=STATUS)
    asked = [request.operation for request in world.to_aws.requests if "Describe" not in request.operation]
    changes = [each for each in asked if "Scal" in each]
    assert changes[0] == "RegisterScalableTarget", "nothing is taken away before the new is in place"

    world.api.delete("scale", plural=POLICIES)
    until_gone(world.api, "scale", POLICIES)
    assert targets(world) == {}
    assert policies(world) == []


def test_a_policy_names_a_deployment_and_waits_for_it(world: World) -> None:
    """Endpoints by the name of a HostingDeployment object; not being in service is waited for, it is no error."""
    world.operator().until_ready()
    with world.time.stopped():
        world.api.create(policy("scale", ("host", VARIANT)), plural=POLICIES)
        world.api.create(deployment("host"), plural=DEPLOYMENTS)
        until(world.api, "host", "Creating")
        assert targets(world) == {}
    until(world.api, "host", "InService")
    eventually(lambda: targets(world), what="target")
    created = until(world.api, "scale", "Created", plural=POLICIES, field=STATUS)
    endpoint = world.api.status("host", plural=DEPLOYMENTS)["endpointName"]
    assert created["status"]["resourceIDList"] == [f"endpoint/{endpoint}/variant/{VARIANT}"]
    world.api.delete("scale", plural=POLICIES)
    until_gone(world.api, "scale", POLICIES)
    world.api.delete("host", plural=DEPLOYMENTS)
    until_gone(world.api, "host")
    assert left_at_sagemaker(world) == []
    assert targets(world) == {}


def test_the_second_policy_of_one_name_on_one_variant_is_refused(world: World) -> None:
    """D-28: it says why, and its deletion leaves the first one's policy alone."""
    world.operator().until_ready()
    world.api.create(deployment("host"), plural=DEPLOYMENTS)
    until(world.api, "host", "InService")
    world.api.create(policy("first", ("host", VARIANT)), plural=POLICIES)
    until(world.api, "first", "Created", plural=POLICIES, field=STATUS)
    world.api.create(policy("second", ("host", VARIANT)), plural=POLICIES)
    refused = until(world.api, "second", "Error", plural=POLICIES, field=STATUS)
    assert condition(refused, "Stalled")["reason"] == "AlreadyExists"
    assert "default/first" in refused["status"]["additional"]
    world.api.delete("second", plural=POLICIES)
    until_gone(world.api, "second", POLICIES)
    assert len(policies(world)) == len(targets(world)) == 1


def test_a_customized_metric_keeps_its_dimensions_on_every_variant(world: World) -> None:
    """D-26, and the suspended state."""
    world.operator().until_ready()
    world.api.create(two_variants("host"), plural=DEPLOYMENTS)
    until(world.api, "host", "InService")
    obj = sample("hap-custom-metric")
    obj["metadata"]["name"] = "custom"
    obj["spec"]["resourceId"] = [
        {"endpointName": "host", "variantName": variant} for variant in (VARIANT, "challenger")
    ]
    obj["spec"]["suspendedState"] = {"dynamicScalingInSuspended": True}
    world.api.create(obj, plural=POLICIES)
    until(world.api, "custom", "Created", plural=POLICIES, field=STATUS)
    listed = scaling(world, "DescribeScalingPolicies")
    metrics = [each["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"] for each in listed]
    assert len(metrics) == 2
    assert metrics[0]["Dimensions"] == metrics[1]["Dimensions"] != []
    suspended = [
        each["SuspendedState"]["DynamicScalingInSuspended"] for each in scaling(world, "DescribeScalableTargets")
    ]
    assert suspended == [True, True]
