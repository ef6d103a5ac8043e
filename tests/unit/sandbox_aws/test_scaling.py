"""Application Auto Scaling of endpoint variants, through boto3, at the same URL as SageMaker."""

from collections.abc import Callable
from typing import Any

import pytest

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import departures, refusal
from tests.unit.sandbox_aws.test_models import create_config, create_model, variant

WHERE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
MAIN = WHERE | {"ResourceId": "endpoint/endpoint/variant/main"}
OTHER = WHERE | {"ResourceId": "endpoint/endpoint/variant/other"}
LIMITS = {"MinCapacity": 1, "MaxCapacity": 4}
TRACKING = {
    "PolicyName": "SageMakerEndpointInvocationScalingPolicy",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.5,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 700,
    },
}
DETAILS = "service namespace: sagemaker, resource ID: {}, scalable dimension: sagemaker:variant:DesiredInstanceCount"


@pytest.fixture
def scaling(aws: RunningServer, sagemaker: Any, client: Callable[[str], Any]) -> Any:
    """A client; an endpoint with the variants `main` and `other` is in service."""
    create_model(sagemaker)
    create_config(sagemaker, ProductionVariants=[variant("main"), variant("other")])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    aws.clock.advance(400)
    return client("application-autoscaling")


def targets(scaling: Any, **members: Any) -> list[Any]:
    """The scalable targets."""
    return list(scaling.describe_scalable_targets(ServiceNamespace="sagemaker", **members)["ScalableTargets"])


def policies(scaling: Any, **members: Any) -> list[Any]:
    """The scaling policies."""
    return list(scaling.describe_scaling_policies(ServiceNamespace="sagemaker", **members)["ScalingPolicies"])


def test_a_variant_is_registered_with_the_defaults_of_the_service(aws: RunningServer, scaling: Any) -> None:
    """RoleARN is the service-linked role, nothing is suspended; the time is the sandbox's."""
    arn = scaling.register_scalable_target(**MAIN, **LIMITS)["ScalableTargetARN"]
    (target,) = targets(scaling)
    assert target["ScalableTargetARN"] == arn
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["RoleARN"].endswith("AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")
    assert not any(target["SuspendedState"].values())
    assert target["CreationTime"].timestamp() == pytest.approx(aws.clock.now())
    assert (
        departures(aws.url, "DescribeScalableTargets", {"ServiceNamespace": "sagemaker"}, "application-autoscaling")
        == []
    )


def test_registering_again_changes_what_is_given_and_nothing_else(scaling: Any) -> None:
    """v1-kinds 13.2: an upsert, never "exists"; policies stay (D-24)."""
    first = scaling.register_scalable_target(**MAIN, **LIMITS)
    scaling.put_scaling_policy(**MAIN, **TRACKING)
    second = scaling.register_scalable_target(**MAIN, MaxCapacity=9, SuspendedState={"DynamicScalingInSuspended": True})
    (target,) = targets(scaling)
    assert first["ScalableTargetARN"] == second["ScalableTargetARN"] == target["ScalableTargetARN"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 9)
    assert [key for key, value in target["SuspendedState"].items() if value] == ["DynamicScalingInSuspended"]
    assert len(policies(scaling)) == 1


@pytest.mark.parametrize("state", ["Creating", "Updating", "RollingBack", "Failed", "Deleting"])
def test_only_an_endpoint_in_service_can_be_scaled(
    aws: RunningServer, sagemaker: Any, scaling: Any, state: str
) -> None:
    """v1-kinds 13.3: the text by which the operator knows that it has to wait."""
    create_config(sagemaker, "bad", Tags=[{"Key": "SANDBOX_FAIL", "Value": ""}])
    name = "new" if state in {"Creating", "Failed"} else "endpoint"
    if name == "new":
        sagemaker.create_endpoint(EndpointName="new", EndpointConfigName="bad")
        aws.clock.advance(0 if state == "Creating" else 400)
    elif state == "Deleting":
        sagemaker.delete_endpoint(EndpointName="endpoint")
    else:
        sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="bad")
        aws.clock.advance(0 if state == "Updating" else 300)
    where = WHERE | {"ResourceId": f"endpoint/{name}/variant/main"}
    code, message, _ = refusal(scaling.register_scalable_target, **where, **LIMITS)
    assert code == "ValidationException"
    assert f"'{state}'" in message
    assert "The status should be in 'InService' to register it as a scalable target" in message
    assert targets(scaling) == []


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"ResourceId": "endpoint/nobody/variant/main"}, "endpoint doesn't exist"),
        ({"ResourceId": "endpoint/endpoint/variant/nobody"}, "variant doesn't exist"),
        ({"ResourceId": "endpoint/endpoint"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ScalableDimension": "ecs:service:DesiredCount"}, "Unsupported service namespace"),
        ({"ScalableDimension": "sagemaker:variant:Size"}, "failed to satisfy constraint"),
        ({"MinCapacity": 5}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": None}, "Both MinCapacity and MaxCapacity"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(scaling: Any, members: dict[str, Any], words: str) -> None:
    """And leaves nothing behind."""
    request = {key: value for key, value in (MAIN | LIMITS | members).items() if value is not None}
    code, message, _ = refusal(scaling.register_scalable_target, **request)
    assert code == "ValidationException"
    assert words in message
    assert targets(scaling) == []


def test_a_policy_is_put_described_and_changed_in_place(aws: RunningServer, scaling: Any) -> None:
    """The configuration comes back as given, fractions included (D-30); ARN and alarms stay."""
    scaling.register_scalable_target(**MAIN, **LIMITS)
    first = scaling.put_scaling_policy(**MAIN, **TRACKING)
    assert len(first["Alarms"]) == 2
    (policy,) = policies(scaling)
    assert policy["PolicyARN"] == first["PolicyARN"]
    assert {key: policy[key] for key in TRACKING} == TRACKING
    answer = departures(
        aws.url, "DescribeScalingPolicies", {"ServiceNamespace": "sagemaker"}, "application-autoscaling"
    )
    assert answer == []
    tighter = TRACKING["TargetTrackingScalingPolicyConfiguration"] | {"TargetValue": 9.0}
    second = scaling.put_scaling_policy(**MAIN, **TRACKING | {"TargetTrackingScalingPolicyConfiguration": tighter})
    assert (second["PolicyARN"], second["Alarms"]) == (first["PolicyARN"], first["Alarms"])
    (policy,) = policies(scaling)
    assert policy["TargetTrackingScalingPolicyConfiguration"] == tighter


def test_a_customized_metric_keeps_its_dimensions_on_every_variant(scaling: Any) -> None:
    """D-26: what the first variant is given must reach the second one, too."""
    custom = {
        "TargetValue": 5.0,
        "CustomizedMetricSpecification": {
            "MetricName": "Load",
            "Namespace": "mine",
            "Statistic": "Average",
            "Dimensions": [{"Name": "EndpointName", "Value": "endpoint"}],
        },
    }
    for where in (MAIN, OTHER):
        scaling.register_scalable_target(**where, **LIMITS)
        scaling.put_scaling_policy(**where, **TRACKING | {"TargetTrackingScalingPolicyConfiguration": custom})
    assert [policy["TargetTrackingScalingPolicyConfiguration"] for policy in policies(scaling)] == [custom, custom]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1.0}}, "Exactly one of"),
        ({"TargetTrackingScalingPolicyConfiguration": None}, "must be specified for the policy type"),
        (
            {
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 1.0,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                }
            },
            "not valid for the service namespace sagemaker",
        ),
        ({"PolicyName": "second"}, "Only one TargetTrackingScaling policy for a given metric specification"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(scaling: Any, members: dict[str, Any], words: str) -> None:
    """D-07a: a policy without configuration must be an error, not a crash."""
    scaling.register_scalable_target(**MAIN, **LIMITS)
    scaling.put_scaling_policy(**MAIN, **TRACKING)
    request = {key: value for key, value in (TRACKING | members).items() if value is not None}
    code, message, _ = refusal(scaling.put_scaling_policy, **MAIN, **request)
    assert code == "ValidationException"
    assert words in message
    assert len(policies(scaling)) == 1


def test_what_is_not_there_is_an_object_not_found(scaling: Any) -> None:
    """v1-kinds 13.1: a code of its own for changes, an empty list for Describe."""
    where, detail = MAIN, DETAILS.format(MAIN["ResourceId"])
    assert refusal(scaling.put_scaling_policy, **where, **TRACKING)[:2] == (
        "ObjectNotFoundException",
        f"No scalable target registered for {detail}",
    )
    assert refusal(scaling.deregister_scalable_target, **where)[:2] == (
        "ObjectNotFoundException",
        f"No scalable target found for {detail}",
    )
    assert refusal(scaling.delete_scaling_policy, **where, PolicyName="p")[:2] == (
        "ObjectNotFoundException",
        f"No scaling policy found for {detail}, policy name: p",
    )
    assert targets(scaling, ResourceIds=[where["ResourceId"]]) == []
    assert policies(scaling, ResourceId=where["ResourceId"]) == []


def test_deleting_a_policy_leaves_its_target_and_deregistering_takes_the_policies_along(scaling: Any) -> None:
    """API reference of DeregisterScalableTarget."""
    for where in (MAIN, OTHER):
        scaling.register_scalable_target(**where, **LIMITS)
        scaling.put_scaling_policy(**where, **TRACKING)
    scaling.delete_scaling_policy(**MAIN, PolicyName=TRACKING["PolicyName"])
    assert (len(targets(scaling)), [policy["ResourceId"] for policy in policies(scaling)]) == (
        2,
        [OTHER["ResourceId"]],
    )
    scaling.deregister_scalable_target(**OTHER)
    assert ([target["ResourceId"] for target in targets(scaling)], policies(scaling)) == ([MAIN["ResourceId"]], [])


def test_deleting_an_endpoint_deregisters_its_variants(aws: RunningServer, sagemaker: Any, scaling: Any) -> None:
    """v1-kinds 10: AWS does it on the caller's behalf; other endpoints keep theirs."""
    sagemaker.create_endpoint(EndpointName="endpoint-2", EndpointConfigName="config")
    aws.clock.advance(400)
    second = WHERE | {"ResourceId": "endpoint/endpoint-2/variant/main"}
    for where in (MAIN, OTHER, second):
        scaling.register_scalable_target(**where, **LIMITS)
        scaling.put_scaling_policy(**where, **TRACKING)
    sagemaker.delete_endpoint(EndpointName="endpoint")
    assert [target["ResourceId"] for target in targets(scaling)] == [second["ResourceId"]]
    assert [policy["ResourceId"] for policy in policies(scaling)] == [second["ResourceId"]]


@pytest.mark.parametrize(
    ("variants", "is_refused"),
    [
        pytest.param([variant("other")], True, id="the scaled variant is removed"),
        pytest.param([variant("main", InstanceType="ml.m5.xlarge")], True, id="its instance type changes"),
        pytest.param([variant("main", InitialInstanceCount=3)], False, id="only its count changes"),
    ],
)
def test_a_scaled_variant_must_be_deregistered_before_it_goes(
    sagemaker: Any, scaling: Any, variants: list[dict[str, Any]], is_refused: bool
) -> None:
    """The refusal that users of hosting and scaling meet; the same update works after deregistering."""
    scaling.register_scalable_target(**MAIN, **LIMITS)
    create_config(sagemaker, "new", ProductionVariants=variants)
    update = {"EndpointName": "endpoint", "EndpointConfigName": "new"}
    if is_refused:
        code, message, _ = refusal(sagemaker.update_endpoint, **update)
        assert code == "ValidationException"
        assert message.startswith('The variant(s) "main" must be deregistered as scalable targets')
        scaling.deregister_scalable_target(**MAIN)
    sagemaker.update_endpoint(**update)


def test_targets_and_policies_come_in_pages_and_by_name(scaling: Any) -> None:
    """Every target once; a token that was never given is refused with a code of its own."""
    for where in (MAIN, OTHER):
        scaling.register_scalable_target(**where, **LIMITS)
        scaling.put_scaling_policy(**where, **TRACKING)
    ids = [MAIN["ResourceId"], OTHER["ResourceId"]]
    for operation, member in (
        ("describe_scalable_targets", "ScalableTargets"),
        ("describe_scaling_policies", "ScalingPolicies"),
    ):
        pages = scaling.get_paginator(operation).paginate(
            ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 1}
        )
        assert [row["ResourceId"] for page in pages for row in page[member]] == ids
        call = getattr(scaling, operation)
        assert refusal(call, ServiceNamespace="sagemaker", NextToken="x")[0] == "InvalidNextTokenException"
    assert [target["ResourceId"] for target in targets(scaling, ResourceIds=ids[1:])] == ids[1:]
    assert [policy["ResourceId"] for policy in policies(scaling, ResourceId=ids[0])] == ids[:1]
    assert policies(scaling, PolicyNames=["another"]) == []


def test_faults_reach_scaling_calls(aws: RunningServer, scaling: Any) -> None:
    """ConcurrentUpdateException and InternalServiceException are for another try (v1-kinds 13.3)."""
    aws.faults.add("RegisterScalableTarget", "invalid", code="ConcurrentUpdateException", message="again")
    assert refusal(scaling.register_scalable_target, **MAIN, **LIMITS)[:2] == ("ConcurrentUpdateException", "again")
    aws.faults.add("RegisterScalableTarget", "deny")
    message = refusal(scaling.register_scalable_target, **MAIN, **LIMITS)[1]
    assert "application-autoscaling:RegisterScalableTarget" in message
    scaling.register_scalable_target(**MAIN, **LIMITS)


def test_reset_and_other_namespaces(aws: RunningServer, scaling: Any) -> None:
    """Targets of other services are moto's."""
    scaling.register_scalable_target(**MAIN, **LIMITS)
    table = {"ServiceNamespace": "dynamodb", "ResourceId": "table/t"}
    dimension = {"ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
    scaling.register_scalable_target(**table, **dimension, **LIMITS)
    found = scaling.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert [target["ResourceId"] for target in found] == ["table/t"]
    aws.reset()
    assert targets(scaling) == []
