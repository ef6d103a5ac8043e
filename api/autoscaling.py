"""Converts a HostingAutoscalingPolicy to requests of Application Auto Scaling, variant by variant.

AWS scales each variant separately: register a target, then put a policy on it. Both calls replace existing settings, so
an edited policy is simply sent again. Every request is built from the spec, which is never changed for it (D-26).
Source: v1-kinds.md 11.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from api.convert import ConversionError, to_request
from api.meta import JsonObject
from api.v1.hostingautoscalingpolicy import (
    HOSTING_AUTOSCALING_POLICY,
    POLICY_NAME,
    SCALABLE_DIMENSION,
    SERVICE_NAMESPACE,
)

COMPONENT_PREFIX: Final = "inference-component/"
COPIES_DIMENSION: Final = "sagemaker:inference-component:DesiredCopyCount"
POLICY_TYPE: Final = "TargetTrackingScaling"

_CONFIGURATIONS: Final[Mapping[str, str]] = {
    "TargetTrackingScaling": "targetTrackingScalingPolicyConfiguration",
    "StepScaling": "stepScalingPolicyConfiguration",
    "PredictiveScaling": "predictiveScalingPolicyConfiguration",
}
"""Policy type → the field of the spec that it needs. AWS requires the one for the type, and allows no other."""
_NOT_SUSPENDED: Final = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


@dataclass(frozen=True, slots=True)
class ScalingRequests:
    """The requests for one variant; they share no data with the spec or with another variant's."""

    resource_id: str
    """`endpoint/<endpoint>/variant/<variant>`, as in `status.resourceIDList`."""
    target: JsonObject
    """The complete request of RegisterScalableTarget."""
    policy: JsonObject
    """The complete request of PutScalingPolicy."""


def requests(spec: Mapping[str, Any]) -> tuple[ScalingRequests, ...]:
    """Return the requests for every variant in the spec of a HostingAutoscalingPolicy, in its order.

    Missing fields are defaulted one by one (D-28). Raises ConversionError for a spec that AWS would refuse or, worse,
    partly accept: no variant, a variant without names or given twice, no configuration for the policy's type,
    contradictory bounds (D-07a). Thread-safe.
    """
    resource_ids = _resource_ids(spec)
    _check_bounds(spec)
    _check_configuration(spec)
    return tuple(_for_variant(spec, resource_id) for resource_id in resource_ids)


def resource_id_of(endpoint: str, variant: str) -> str:
    """Return the ResourceId of a variant at Application Auto Scaling."""
    return f"endpoint/{endpoint}/variant/{variant}"


def component_id_of(name: str) -> str:
    """Return the ResourceId of an inference component at Application Auto Scaling."""
    return f"{COMPONENT_PREFIX}{name}"


def selector_of(resource_id: str, spec: Mapping[str, Any]) -> JsonObject:
    """Return the request members that identify a target of this policy, even one that the spec no longer lists.

    DeregisterScalableTarget needs only these; DeleteScalingPolicy also needs `PolicyName`.
    """
    return {
        "ServiceNamespace": spec.get("serviceNamespace") or SERVICE_NAMESPACE,
        "ResourceId": resource_id,
        "ScalableDimension": spec.get("scalableDimension") or dimension_of(resource_id),
    }


def policy_name(spec: Mapping[str, Any]) -> str:
    """Return the policy's name at AWS: the same for all objects without one, so they would collide on a variant."""
    name: str = spec.get("policyName") or POLICY_NAME
    return name


def dimension_of(resource_id: str) -> str:
    """Return what is scaled of a resource, unless the spec says otherwise."""
    return COPIES_DIMENSION if resource_id.startswith(COMPONENT_PREFIX) else SCALABLE_DIMENSION


def _for_variant(spec: Mapping[str, Any], resource_id: str) -> ScalingRequests:
    selector = selector_of(resource_id, spec)
    target = to_request(HOSTING_AUTOSCALING_POLICY, spec, "RegisterScalableTarget") | selector
    if tags := _tags(spec):
        target["Tags"] = tags
    target["SuspendedState"] = _NOT_SUSPENDED | target.get("SuspendedState", {})
    policy = to_request(HOSTING_AUTOSCALING_POLICY, spec, "PutScalingPolicy") | selector
    policy["PolicyName"] = policy_name(spec)
    policy["PolicyType"] = policy.get("PolicyType") or POLICY_TYPE
    return ScalingRequests(resource_id, target, policy)


def _tags(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the user's tags as a map, which this service takes instead of SageMaker's list."""
    given = spec.get("tags") or ()
    if not isinstance(given, list | tuple):
        raise ConversionError("spec.tags", "must be a list of objects with key and value")
    tags = {}
    for n, tag in enumerate(given):
        if not isinstance(tag, Mapping) or not all(isinstance(tag.get(name), str) for name in ("key", "value")):
            raise ConversionError(f"spec.tags[{n}]", "must be an object with key and value, both strings")
        tags[tag["key"]] = tag["value"]
    return tags


def _resource_ids(spec: Mapping[str, Any]) -> tuple[str, ...]:
    given = spec.get("resourceId")
    if not given:
        raise ConversionError("spec.resourceId", "Required value: list the variants to scale")
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ConversionError("spec.resourceId", "must be a list of objects with endpointName and variantName")
    found = tuple(_resource_id(entry, f"spec.resourceId[{n}]") for n, entry in enumerate(given))
    for n, resource_id in enumerate(found):
        if resource_id in found[:n]:
            raise ConversionError(f"spec.resourceId[{n}]", f"{resource_id} is listed already")
    return found


def _resource_id(entry: Any, path: str) -> str:
    if not isinstance(entry, Mapping):
        raise ConversionError(path, "must be an object with endpointName and variantName")
    if component := entry.get("inferenceComponentName"):
        if not isinstance(component, str) or entry.get("endpointName") or entry.get("variantName"):
            raise ConversionError(
                f"{path}.inferenceComponentName", "must be a name, without endpointName and variantName"
            )
        return component_id_of(component)
    for name in ("endpointName", "variantName"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise ConversionError(f"{path}.{name}", "Required value")
    return resource_id_of(entry["endpointName"], entry["variantName"])


def _check_bounds(spec: Mapping[str, Any]) -> None:
    least, most = spec.get("minCapacity"), spec.get("maxCapacity")
    for name, value in (("minCapacity", least), ("maxCapacity", most)):
        if isinstance(value, int | float) and value < 0:
            raise ConversionError(f"spec.{name}", f"must not be negative, but is {value}")
    if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
        raise ConversionError("spec.minCapacity", f"must not be above maxCapacity, but {least} is above {most}")


def _check_configuration(spec: Mapping[str, Any]) -> None:
    kind = spec.get("policyType") or POLICY_TYPE
    if not isinstance(kind, str):
        raise ConversionError("spec.policyType", "must be a string")
    fitting = _CONFIGURATIONS.get(kind)
    if fitting is None:
        return  # a newer type of AWS, which checks its fields itself
    if spec.get(fitting) is None:
        raise ConversionError(f"spec.{fitting}", f"Required value: a policy of type {kind} needs it")
    for other in _CONFIGURATIONS.values():
        if other != fitting and spec.get(other) is not None:
            raise ConversionError(f"spec.{other}", f"does not go with a policy of type {kind}")
    if kind == "TargetTrackingScaling":
        _check_tracking(spec[fitting], f"spec.{fitting}")


def _check_tracking(configuration: Any, path: str) -> None:
    if not isinstance(configuration, Mapping):
        raise ConversionError(path, "must be an object")
    if configuration.get("targetValue") is None:
        raise ConversionError(f"{path}.targetValue", "Required value")
    metrics = [
        name
        for name in ("predefinedMetricSpecification", "customizedMetricSpecification")
        if configuration.get(name) is not None
    ]
    if len(metrics) != 1:
        raise ConversionError(
            path, "needs either predefinedMetricSpecification or customizedMetricSpecification, and not both"
        )
