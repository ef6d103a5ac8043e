"""IAM policies from the operations that the code calls: one per kind, one for all, one for people who read logs, and
one for roles of namespaces.

A test reads the operations out of `controller/` and fails when one is missing here. Resources are `*`: names are only
known when objects are made, and the same file serves every partition. Narrow them by tag or prefix where you need to.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from api.descriptor import KindDescriptor, LifeCycle
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, KINDS, MODEL

_TAGS: Final = ("AddTags", "ListTags")
"""AddTags: what is created carries its owner, which AWS asks for as soon as a Create has tags; what is adopted, too."""
_EDITED: Final = frozenset({LifeCycle.RESOURCE, LifeCycle.ENDPOINT})
"""Life-cycles whose spec, and with it `spec.tags`, may be edited: what vanishes there is taken off by DeleteTags."""
_FURTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "HyperparameterTuningJob": (
        "DescribeTrainingJob",
        "ListTrainingJobs",
        "ListTrainingJobsForHyperParameterTuningJob",
        "StopTrainingJob",
    ),
    "HostingDeployment": ("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"),
}
"""Kind -> SageMaker operations besides those of its descriptor."""
_SCALING: Final = (
    "DeleteScalingPolicy",
    "DeregisterScalableTarget",
    "DescribeScalableTargets",
    "DescribeScalingPolicies",
    "PutScalingPolicy",
    "RegisterScalableTarget",
)
_ALARMS: Final = ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm")
"""AWS keeps a target-tracking policy's alarms with the caller's permissions."""
_PASSING: Final = {
    "TrainingJob",
    "HyperparameterTuningJob",
    "ProcessingJob",
    "Model",
    "HostingDeployment",
}
"""Kinds whose creation hands an execution role to SageMaker."""

Policy = dict[str, Any]


def generate() -> dict[str, str]:
    """Every file below `docs/iam/` and its content."""
    statements = {kind: _statements(kind) for kind in KINDS}
    files = {f"{kind.singular}.json": _text(found) for kind, found in statements.items()}
    files["operator.json"] = _text(_merged([each for found in statements.values() for each in found]))
    logs = ["logs:FilterLogEvents", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"]
    files["smlogs.json"] = _text([_allow("ReadJobLogs", logs)])
    files["assume-roles.json"] = _text([_assume()])
    return files


def _statements(kind: KindDescriptor) -> list[Policy]:
    """What one kind needs; a hosting deployment makes models and configurations itself."""
    if kind.life_cycle is LifeCycle.SCALING:
        return [
            _allow("Scaling", [f"application-autoscaling:{each}" for each in _SCALING]),
            _allow("ScalingAlarms", [f"cloudwatch:{each}" for each in _ALARMS]),
            _allow("SageMaker", ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"]),
            _linked_role(),
        ]
    parts = (kind, MODEL, ENDPOINT_CONFIG) if kind.life_cycle is LifeCycle.ENDPOINT else (kind,)
    operations = {each for part in parts for each in _operations(part)} | {*_TAGS, *_FURTHER.get(kind.kind, ())}
    if kind.life_cycle in _EDITED:
        operations.add("DeleteTags")
    found = [_allow("SageMaker", [f"sagemaker:{each}" for each in operations])]
    if kind.life_cycle is LifeCycle.ENDPOINT:
        # AWS refuses to delete an endpoint with a scalable target to callers who could not remove that; and what is
        # scaled has to be known before another instance count is called somebody's change.
        operations = {"DeregisterScalableTarget", "DescribeScalableTargets"}
        found.append(_allow("Scaling", [f"application-autoscaling:{each}" for each in operations]))
    if kind.kind in _PASSING:
        found.append(_pass_role())
    return found


def _operations(kind: KindDescriptor) -> set[str]:
    names = kind.operations
    return {each for each in (*names.sending, names.describe, names.list, names.stop, names.delete) if each}


def _merged(statements: list[Policy]) -> list[Policy]:
    """One statement for each purpose, with all its actions."""
    merged: dict[str, Policy] = {}
    for each in statements:
        into = merged.setdefault(each["Sid"], {**each, "Action": []})
        into["Action"] = sorted({*into["Action"], *each["Action"]})
    return list(merged.values())


def _allow(sid: str, actions: list[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def _assume() -> Policy:
    """For namespaces with roles of their own. By name: with `*`, every role that trusts the operator's account."""
    allowed = _allow("AssumeRolesOfNamespaces", ["sts:AssumeRole", "sts:TagSession"])
    return {**allowed, "Resource": "arn:*:iam::*:role/sagemaker-operator-*"}


def _pass_role() -> Policy:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return {**_allow("PassExecutionRoles", ["iam:PassRole"]), "Condition": condition}


def _linked_role() -> Policy:
    """For the first scaling policy of an account: AWS makes the role that scales endpoints."""
    condition = {
        "StringLike": {"iam:AWSServiceName": f"{MODEL.service}.{HOSTING_AUTOSCALING_POLICY.service}.amazonaws.com*"}
    }
    return {**_allow("ScalingServiceRole", ["iam:CreateServiceLinkedRole"]), "Condition": condition}


def _text(statements: list[Policy]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
