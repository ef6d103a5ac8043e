"""Detects changes made outside the operator to scalable targets and their policies. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.autoscaling import ScalingRequests
from controller.reconcile.drift.digest import differences
from controller.reconcile.drift.report import Difference


def changed(
    requests: Iterable[ScalingRequests],
    targets: Mapping[str, Mapping[str, Any]],
    policies: Mapping[str, Mapping[str, Any]],
) -> tuple[Difference, ...]:
    """Return where AWS's descriptions, by resource id, differ from the last requests."""
    found: list[Difference] = []
    for request in requests:
        path = f"resourceId[{request.resource_id}]"
        found += differences(_bounds(request.target), targets.get(request.resource_id, {}), path)
        found += differences(_policy(request.policy), policies.get(request.resource_id, {}), path)
    return tuple(found)


def changes_target(request: ScalingRequests, target: Mapping[str, Any]) -> bool:
    """Return whether RegisterScalableTarget would change this target."""
    return any(differences(_bounds(request.target), target, request.resource_id))


def _bounds(target: Mapping[str, Any]) -> dict[str, Any]:
    names = ("MinCapacity", "MaxCapacity", "SuspendedState")
    return {name: target[name] for name in names if target.get(name) is not None}


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy's configuration; PutScalingPolicy replaces it whole, so absent members are AWS's defaults."""
    given = {name: value for name, value in policy.items() if name == "PolicyType" or name.endswith("Configuration")}
    tracking = given.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is not None:
        given["TargetTrackingScalingPolicyConfiguration"] = {"DisableScaleIn": False, **tracking}
    return given
