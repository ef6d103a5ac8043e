"""Application Auto Scaling for endpoint variants, in sandbox time; other service namespaces are moto's.

moto has neither endpoints nor ObjectNotFoundException, keeps the policies of a removed target, and has no paging.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from hack.sandbox.aws.hosting.components import COMPONENT
from hack.sandbox.aws.hosting.endpoint_api import ENDPOINT
from hack.sandbox.aws.hosting.scaling import COPIES, INSTANCES, Policy, Target, TargetKey, Targets
from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.records.resource import Store, partition, stamp
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import ApiError, Call, invalid

T = TypeVar("T")
SERVICE = "application-autoscaling"
_RESOURCES = (
    (re.compile(r"endpoint/[^/]+/variant/[^/]+"), {INSTANCES, "sagemaker:variant:DesiredProvisionedConcurrency"}),
    (re.compile(r"inference-component/[^/]+"), {COPIES}),
)
_SUSPENSIONS = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
_CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}
_METRICS = ("PredefinedMetricSpecification", "CustomizedMetricSpecification")


class ScalingApi:
    """The operations over the endpoints of a store and the targets of a registry. Thread-safe."""

    def __init__(self, store: Store, targets: Targets) -> None:
        self._store = store
        self._targets = targets

    def knows(self, call: Call) -> bool:
        """Return whether the call concerns variants of endpoints."""
        return call.params.get("ServiceNamespace") == "sagemaker"

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler."""
        return {
            "RegisterScalableTarget": self.register,
            "DeregisterScalableTarget": self.deregister,
            "DescribeScalableTargets": self.describe_targets,
            "PutScalingPolicy": self.put_policy,
            "DeleteScalingPolicy": self.delete_policy,
            "DescribeScalingPolicies": self.describe_policies,
            "DescribeScalingActivities": self.describe_activities,
        }

    def register(self, call: Call) -> dict[str, Any]:
        """Register a variant, or change its target; omitted members are kept. Requires an endpoint in service."""
        key, params = _key(call), call.params
        self._check_variant(call, key)

        def changed(known: Target | None) -> Target:
            if known is None:
                if "MinCapacity" not in params or "MaxCapacity" not in params:
                    raise invalid("Both MinCapacity and MaxCapacity must be specified to register a scalable target.")
                known = _new_target(call, key)
            suspended = {**known.suspended, **(params.get("SuspendedState") or {})}
            target = replace(
                known,
                minimum=params.get("MinCapacity", known.minimum),
                maximum=params.get("MaxCapacity", known.maximum),
                suspended=suspended,
                role=params.get("RoleARN", known.role),
            )
            if target.minimum > target.maximum:
                raise invalid("Maximum capacity cannot be less than minimum capacity")
            return target

        return {"ScalableTargetARN": self._targets.put(call, key, changed).arn}

    def deregister(self, call: Call) -> dict[str, Any]:
        """Remove a target and, as AWS does, the policies on it."""
        self._targets.remove(call, _key(call))
        return {}

    def describe_targets(self, call: Call) -> dict[str, Any]:
        """Return a page of targets; missing ones are simply omitted."""
        validate(SERVICE, call.operation, call.params)
        wanted, dimension = call.params.get("ResourceIds") or (), call.params.get("ScalableDimension")
        found = [
            target
            for target in self._targets.targets(call)
            if (not wanted or target.key.resource_id in wanted) and dimension in {None, target.key.dimension}
        ]
        page, token = _page(call, found)
        return {"ScalableTargets": [_described_target(target) for target in page]} | token

    def put_policy(self, call: Call) -> dict[str, Any]:
        """Put a policy on a registered target, or change it."""
        key, params = _key(call), call.params
        kind = params.get("PolicyType", "StepScaling")
        if _CONFIGURATIONS[kind] not in params:
            raise invalid(f"{_CONFIGURATIONS[kind]} must be specified for the policy type {kind}")
        metric = _checked_metric(params) if kind == "TargetTrackingScaling" else None

        def check(others: Iterable[Policy]) -> None:
            for other in others:
                given = other.given.get("TargetTrackingScalingPolicyConfiguration") or {}
                if metric is not None and metric == {member: given.get(member) for member in _METRICS}:
                    raise invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")

        members = {"PolicyType": kind, _CONFIGURATIONS[kind]: params[_CONFIGURATIONS[kind]]}
        policy = self._targets.put_policy(call, _new_policy(call, key, members), check)
        return {"PolicyARN": policy.arn, "Alarms": _alarms(policy)}

    def delete_policy(self, call: Call) -> dict[str, Any]:
        """Remove a policy; its target is kept."""
        self._targets.remove_policy(call, _key(call), call.params["PolicyName"])
        return {}

    def describe_policies(self, call: Call) -> dict[str, Any]:
        """Return a page of policies."""
        validate(SERVICE, call.operation, call.params)
        names, dimension = call.params.get("PolicyNames") or (), call.params.get("ScalableDimension")
        found = [
            policy
            for policy in self._targets.policies(call)
            if (not names or policy.name in names)
            and call.params.get("ResourceId") in {None, policy.key.resource_id}
            and dimension in {None, policy.key.dimension}
        ]
        page, token = _page(call, found)
        return {"ScalingPolicies": [_described_policy(policy) for policy in page]} | token

    def describe_activities(self, call: Call) -> dict[str, Any]:
        """Return no activities: nothing here scales by itself."""
        validate(SERVICE, call.operation, call.params)
        return {"ScalingActivities": []}

    def _check_component(self, call: Call, key: TargetKey) -> None:
        component = self._store.find(COMPONENT, call, key.component)
        if component is None:
            raise invalid(f"SageMaker inference component doesn't exist: {key.resource_id}")
        if (status := component.status_at(call.now)) != "InService":
            raise invalid(
                f"Inference component {component.name} is in status '{status}'. The status should be in 'InService' to"
                " register it as a scalable target"
            )

    def _check_variant(self, call: Call, key: TargetKey) -> None:
        if key.component:
            self._check_component(call, key)
            return
        endpoint = self._store.find(ENDPOINT, call, key.endpoint)
        if endpoint is None:
            raise invalid(f"SageMaker endpoint doesn't exist: {key.resource_id}")
        step = endpoint.course.at(call.now)
        if step.status != "InService":
            raise invalid(
                f"Endpoint {endpoint.name} is in status '{step.status}'. The status should be in 'InService' to"
                " register it as a scalable target"
            )
        if key.variant not in {variant.name for variant in step.fleet.variants if not variant.is_shadow}:
            raise invalid(f"SageMaker endpoint variant doesn't exist: {key.resource_id}")


def _key(call: Call) -> TargetKey:
    """Validate a call and return its target's key."""
    validate(SERVICE, call.operation, call.params)
    key = TargetKey(call.params["ResourceId"], call.params["ScalableDimension"])
    if not any(form.fullmatch(key.resource_id) and key.dimension in known for form, known in _RESOURCES):
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    return key


def _checked_metric(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metric of a target-tracking policy; there must be one."""
    given = params["TargetTrackingScalingPolicyConfiguration"]
    metric = {member: given.get(member) for member in _METRICS}
    if (metric[_METRICS[0]] is None) == (metric[_METRICS[1]] is None):
        raise invalid(f"Exactly one of {' and '.join(_METRICS)} must be specified")
    predefined = (metric[_METRICS[0]] or {}).get("PredefinedMetricType", "SageMaker")
    if not predefined.startswith("SageMaker"):
        raise invalid(f"The predefined metric type {predefined} is not valid for the service namespace sagemaker")
    return metric


def _new_target(call: Call, key: TargetKey) -> Target:
    where = partition(call.region)
    digest = uuid.uuid5(uuid.NAMESPACE_URL, f"{call.account}{call.region}{key}").hex
    return Target(
        key=key,
        created_at=call.now,
        minimum=0,
        maximum=0,
        suspended=dict.fromkeys(_SUSPENSIONS, False),
        role=(
            f"arn:{where}:iam::{call.account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
        ),
        arn=f"arn:{where}:application-autoscaling:{call.region}:{call.account}:scalable-target/{digest}",
    )


def _new_policy(call: Call, key: TargetKey, given: dict[str, Any]) -> Policy:
    where, name = partition(call.region), call.params["PolicyName"]
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{call.account}{call.region}{key}{name}{call.now}")
    alarms = []
    if given["PolicyType"] == "TargetTrackingScaling":
        for side in ("AlarmHigh", "AlarmLow"):
            alarm = f"TargetTracking-{key.resource_id}-{side}-{uuid.uuid5(identity, side)}"
            alarms.append((alarm, f"arn:{where}:cloudwatch:{call.region}:{call.account}:alarm:{alarm}"))
    arn = (
        f"arn:{where}:autoscaling:{call.region}:{call.account}:scalingPolicy:{identity}:resource/sagemaker/"
        f"{key.resource_id}:policyName/{name}"
    )
    return Policy(key, name, call.now, given, arn, tuple(alarms))


def _described_target(target: Target) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": target.key.resource_id,
        "ScalableDimension": target.key.dimension,
        "MinCapacity": target.minimum,
        "MaxCapacity": target.maximum,
        "RoleARN": target.role,
        "CreationTime": stamp(target.created_at),
        "SuspendedState": dict(target.suspended),
        "ScalableTargetARN": target.arn,
    }


def _described_policy(policy: Policy) -> dict[str, Any]:
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": "sagemaker",
        "ResourceId": policy.key.resource_id,
        "ScalableDimension": policy.key.dimension,
        "CreationTime": stamp(policy.created_at),
        "Alarms": _alarms(policy),
        **policy.given,
    }


def _alarms(policy: Policy) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": arn} for name, arn in policy.alarms]


def _page(call: Call, found: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """Return a page of at most 50 and the member with the token of the next one. Tokens are positions."""
    token = call.params.get("NextToken") or "0"
    if not token.isdecimal():
        raise ApiError("InvalidNextTokenException", "Invalid NextToken")
    start, size = int(token), min(call.params.get("MaxResults") or 50, 50)
    end = start + size
    return found[start:end], ({"NextToken": str(end)} if end < len(found) else {})
