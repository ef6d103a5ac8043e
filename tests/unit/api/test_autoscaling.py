"""The requests of a HostingAutoscalingPolicy, and what is refused before any is made."""

import copy
from typing import Any

import pytest

from api.autoscaling import policy_name, requests, selector_of
from api.convert import ConversionError
from api.meta import JsonObject
from tests.tables import each_row

_TRACKING = "targetTrackingScalingPolicyConfiguration"
_PREDEFINED: JsonObject = {
    "targetValue": 60.0,
    "predefinedMetricSpecification": {"predefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}
_CUSTOMIZED: JsonObject = {
    "targetValue": 60,
    "customizedMetricSpecification": {
        "metricName": "CPUUtilization",
        "namespace": "/aws/sagemaker/Endpoints",
        "statistic": "Average",
        "dimensions": [{"name": "EndpointName", "value": "e"}],
    },
}


def _spec(**fields: Any) -> JsonObject:
    return {
        "region": "us-east-2",
        "resourceId": [{"endpointName": "e", "variantName": "v"}],
        "minCapacity": 1,
        "maxCapacity": 2,
        _TRACKING: copy.deepcopy(_PREDEFINED),
        **fields,
    }


def test_what_is_left_out_gets_its_default() -> None:
    """v1-kinds.md 9 and 11: the names of service, dimension and policy, its type, and nothing suspended."""
    (made,) = requests(_spec())

    assert made.resource_id == "endpoint/e/variant/v"
    assert made.target == {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 2,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": False,
        },
    }
    assert made.policy == {
        "PolicyName": "SageMakerEndpointInvocationScalingPolicy",
        "PolicyType": "TargetTrackingScaling",
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        },
    }


@pytest.mark.parametrize(
    ("field", "member", "value", "in_target", "in_policy"),
    [
        ("serviceNamespace", "ServiceNamespace", "other", True, True),
        ("scalableDimension", "ScalableDimension", "sagemaker:variant:DesiredProvisionedConcurrency", True, True),
        ("policyName", "PolicyName", "mine", False, True),
    ],
)
def test_each_field_is_defaulted_by_itself(
    field: str, member: str, value: str, in_target: bool, in_policy: bool
) -> None:
    """D-28: giving one of them does not leave the others empty; an empty text counts as left out."""
    (given,) = requests(_spec(**{field: value}))
    (empty,) = requests(_spec(**{field: ""}))
    (absent,) = requests(_spec())

    assert (given.target.get(member) == value, given.policy.get(member) == value) == (in_target, in_policy)
    assert set(given.target) == set(absent.target)
    assert set(given.policy) == set(absent.policy)
    assert empty == absent


def test_a_part_of_the_suspended_state_leaves_the_rest_running() -> None:
    """Each absent boolean is false."""
    (made,) = requests(_spec(suspendedState={"dynamicScalingInSuspended": True}))

    assert made.target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_tags_become_a_map() -> None:
    """Written as in every other kind; Application Auto Scaling has a map."""
    (made,) = requests(_spec(tags=[{"key": "team", "value": "vision"}, {"key": "empty", "value": ""}]))

    assert made.target["Tags"] == {"team": "vision", "empty": ""}
    assert "Tags" not in made.policy


def test_every_variant_gets_whole_requests_of_its_own() -> None:
    """D-26: the second variant lost its dimensions, as the first one's request had taken them out of the spec."""
    spec = _spec(
        resourceId=[{"endpointName": "e", "variantName": "v"}, {"endpointName": "e", "variantName": "w"}],
        **{_TRACKING: _CUSTOMIZED},
    )
    before = copy.deepcopy(spec)

    first, second = requests(spec)
    first.policy[_TRACKING[0].upper() + _TRACKING[1:]]["CustomizedMetricSpecification"]["Dimensions"].clear()

    assert spec == before
    assert second.resource_id == "endpoint/e/variant/w"
    assert second.policy["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"] == {
        "MetricName": "CPUUtilization",
        "Namespace": "/aws/sagemaker/Endpoints",
        "Statistic": "Average",
        "Dimensions": [{"Name": "EndpointName", "Value": "e"}],
    }


def test_other_types_of_policies_have_their_own_configuration() -> None:
    """StepScalingPolicyConfiguration and PredictiveScalingPolicyConfiguration, which v1 did not have."""
    spec = _spec(policyType="StepScaling", stepScalingPolicyConfiguration={"adjustmentType": "ChangeInCapacity"})
    del spec[_TRACKING]

    (made,) = requests(spec)

    assert made.policy["PolicyType"] == "StepScaling"
    assert made.policy["StepScalingPolicyConfiguration"] == {"AdjustmentType": "ChangeInCapacity"}


def test_what_names_a_target_names_the_same_one_as_the_requests() -> None:
    """For what has left the list, and for deletion."""
    spec = _spec(scalableDimension="sagemaker:variant:DesiredProvisionedConcurrency", policyName="mine")
    (made,) = requests(spec)

    selector = selector_of(made.resource_id, spec)

    assert selector.items() <= made.target.items()
    assert (selector | {"PolicyName": policy_name(spec)}).items() <= made.policy.items()


@each_row(
    ("fields", "path", "said"),
    [
        pytest.param({"resourceId": None}, "spec.resourceId", "Required", id="D-07a: no variant"),
        pytest.param({"resourceId": []}, "spec.resourceId", "Required", id="no variant in the list"),
        pytest.param({"resourceId": "endpoint/e/variant/v"}, "spec.resourceId", "must be a list", id="AWS's own form"),
        pytest.param({"resourceId": ["v"]}, "spec.resourceId[0]", "must be an object", id="a text in the list"),
        pytest.param({"resourceId": [{"variantName": "v"}]}, "spec.resourceId[0].endpointName", "Required",
                     id="D-07a: no endpoint"),
        pytest.param({"resourceId": [{"endpointName": "e", "variantName": ""}]}, "spec.resourceId[0].variantName",
                     "Required", id="an empty variant"),
        pytest.param({"resourceId": [{"endpointName": "e", "variantName": "v"}] * 2}, "spec.resourceId[1]",
                     "listed already", id="a variant twice"),
        pytest.param({"minCapacity": 3}, "spec.minCapacity", "3 is above 2", id="D-28: bounds that cross"),
        pytest.param({"minCapacity": -1}, "spec.minCapacity", "negative", id="a negative bound"),
        pytest.param({"tags": {"team": "vision"}}, "spec.tags", "must be a list", id="AWS's own form of tags"),
        pytest.param({"tags": [{"key": "team"}]}, "spec.tags[0]", "key and value", id="a tag without a value"),
        pytest.param({_TRACKING: None}, f"spec.{_TRACKING}", "Required", id="D-07a: no configuration"),
        pytest.param({"policyType": "StepScaling"}, "spec.stepScalingPolicyConfiguration", "Required",
                     id="no configuration of the type"),
        pytest.param({"policyType": "StepScaling", "stepScalingPolicyConfiguration": {}}, f"spec.{_TRACKING}",
                     "does not go with", id="a configuration of another type beside it"),
        pytest.param({_TRACKING: {"targetValue": 1}}, f"spec.{_TRACKING}", "either", id="no metric"),
        pytest.param({_TRACKING: {**_PREDEFINED, **_CUSTOMIZED}}, f"spec.{_TRACKING}", "not both", id="two metrics"),
        pytest.param({_TRACKING: {"predefinedMetricSpecification": {}}}, f"spec.{_TRACKING}.targetValue", "Required",
                     id="no target"),
        pytest.param({_TRACKING: "x"}, f"spec.{_TRACKING}", "must be an object", id="a text for a configuration"),
    ],
)  # fmt: skip
def test_what_aws_could_only_refuse_is_refused_with_its_path(fields: JsonObject, path: str, said: str) -> None:
    """Before anything is registered: a half-applied policy leaks targets (D-25)."""
    with pytest.raises(ConversionError) as refused:
        requests(_spec(**fields))

    assert refused.value.path == path
    assert said in refused.value.message


def test_equal_bounds_and_zero_are_fine() -> None:
    """Scaling to zero is AWS's to allow."""
    (made,) = requests(_spec(minCapacity=0, maxCapacity=0))

    assert (made.target["MinCapacity"], made.target["MaxCapacity"]) == (0, 0)
