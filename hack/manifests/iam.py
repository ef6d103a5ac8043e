"""Generates IAM policies from the operations that the code calls: one per kind, one for all, one for users who read
logs, one for roles of namespaces, and one for queues of state changes.

A test reads the operations in `controller/` and fails if one is missing here. Resources are `*`: names are known only
when objects are created, and the same file is valid in every partition. Narrow them by tag or prefix as needed.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.descriptor import KindDescriptor, LifeCycle
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, KINDS, MODEL

_TAGS: Final = ("AddTags", "ListTags")
"""AddTags: created and adopted resources get ownership tags, and AWS requires it for a Create with tags."""
_EDITED: Final = frozenset({LifeCycle.RESOURCE, LifeCycle.ENDPOINT, LifeCycle.COMPONENT, LifeCycle.IN_PLACE})
"""Life-cycles with an editable spec, including `spec.tags`: DeleteTags removes the tags that are removed there."""
_FURTHER: Final[Mapping[str, tuple[str, ...]]] = {
    "HyperparameterTuningJob": (
        "DescribeTrainingJob",
        "ListTrainingJobs",
        "ListTrainingJobsForHyperParameterTuningJob",
        "StopTrainingJob",
    ),
    "HostingDeployment": ("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"),
    "InferenceComponent": ("DescribeEndpoint", "UpdateInferenceComponentRuntimeConfig"),
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
_SCALED: Final = (
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeInferenceComponent",
    "UpdateEndpointWeightsAndCapacities",
    "UpdateInferenceComponentRuntimeConfig",
)
"""Application Auto Scaling requires them of who registers a variant or a component. Source: SageMaker developer guide,
"Auto scaling prerequisites"."""
_ALARMS: Final = ("DeleteAlarms", "DescribeAlarms", "PutMetricAlarm")
"""AWS manages a target-tracking policy's alarms with the caller's permissions."""
_PASSING: Final = {
    "TrainingJob",
    "HyperparameterTuningJob",
    "ProcessingJob",
    "Model",
    "EndpointConfig",
    "HostingDeployment",
    "PipelineExecution",
    "ModelPackage",
    "Pipeline",
}
"""Kinds with an execution role that their Create passes to SageMaker; an execution may have another than its pipeline.
"""
_ENCRYPTING: Final = {
    "TrainingJob",
    "HyperparameterTuningJob",
    "BatchTransformJob",
    "ProcessingJob",
    "HostingDeployment",
    "ModelPackage",
}
"""Kinds whose volumes may be encrypted with a key of the customer's (`volumeKmsKeyId`; `kmsKeyId` of an endpoint's
configuration, which counts when the endpoint is created or updated). SageMaker makes the grant for its volumes with the
caller's permissions. Source: SageMaker developer guide, "API permissions: actions, permissions, and resources"."""

_OPTIONAL_SEARCH: Final = "OptionalSearch"
"""Sid of the statement that may be left out: without it status is polled by List alone."""

Policy = dict[str, Any]


def generate() -> dict[str, str]:
    """Every file below `docs/iam/` and its content."""
    statements = {kind: _statements(kind) for kind in KINDS}
    files = {f"{kind.singular}.json": _text(found) for kind, found in statements.items()}
    files["operator.json"] = policy(KINDS)
    logs = ["logs:FilterLogEvents", "sagemaker:ListTrainingJobsForHyperParameterTuningJob"]
    files["smlogs.json"] = _text([_allow("ReadJobLogs", logs)])
    files["assume-roles.json"] = _text([_assume()])
    files["status-queue.json"] = _text([_status_queue()])
    return files


def policy(kinds: Iterable[KindDescriptor]) -> str:
    """Return the policy of an operator that serves `kinds`."""
    return _text(_merged([each for kind in kinds for each in _statements(kind)]))


def _statements(kind: KindDescriptor) -> list[Policy]:
    """Return the statements that one kind needs; a hosting deployment itself creates models and configurations."""
    if kind.life_cycle is LifeCycle.SCALING:
        return [
            _allow("Scaling", [f"application-autoscaling:{each}" for each in _SCALING]),
            _allow("ScalingAlarms", [f"cloudwatch:{each}" for each in _ALARMS]),
            _allow("SageMaker", [f"sagemaker:{each}" for each in _SCALED]),
            _linked_role(),
        ]
    parts = (kind, MODEL, ENDPOINT_CONFIG) if kind.life_cycle is LifeCycle.ENDPOINT else (kind,)
    operations = {each for part in parts for each in _operations(part)} | {*_FURTHER.get(kind.kind, ())}
    if kind.is_tagged:
        operations |= {*_TAGS}
    if kind.life_cycle in _EDITED:
        operations.add("DeleteTags")
    found = [_allow("SageMaker", [f"sagemaker:{each}" for each in operations])]
    if kind.operations.search:
        found.append(_allow(_OPTIONAL_SEARCH, ["sagemaker:Search"]))
    if kind.life_cycle is LifeCycle.ENDPOINT:
        # AWS refuses to delete an endpoint with a scalable target if the caller may not remove the target; and scaled
        # variants have to be known before another instance count counts as drift.
        operations = {"DeregisterScalableTarget", "DescribeScalableTargets"}
        found.append(_allow("Scaling", [f"application-autoscaling:{each}" for each in operations]))
    if kind.life_cycle is LifeCycle.COMPONENT:  # the copies of a scaled component are no drift
        found.append(_allow("Scaling", ["application-autoscaling:DescribeScalableTargets"]))
    if kind.kind in _PASSING:
        found.append(_pass_role())
    if kind.kind in _ENCRYPTING:
        found += _encrypt_volumes()
    return found


def _operations(kind: KindDescriptor) -> set[str]:
    names = kind.operations
    update = kind.update.operation if kind.update else ""
    reading = (names.describe, names.list if kind.is_listed else "", *names.reads)
    return {each for each in (*names.sending, *reading, names.stop, names.delete, update) if each}


def _merged(statements: list[Policy]) -> list[Policy]:
    """Return one statement for each purpose, with all its actions."""
    merged: dict[str, Policy] = {}
    for each in statements:
        into = merged.setdefault(each["Sid"], {**each, "Action": []})
        into["Action"] = sorted({*into["Action"], *each["Action"]})
    return list(merged.values())


def _allow(sid: str, actions: list[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": "*"}


def _assume() -> Policy:
    """Return the policy for namespaces with roles. By name: `*` would allow every role that trusts the account."""
    allowed = _allow("AssumeRolesOfNamespaces", ["sts:AssumeRole", "sts:TagSession"])
    return {**allowed, "Resource": "arn:*:iam::*:role/sagemaker-operator-*"}


def _status_queue() -> Policy:
    """Return the policy for `--status-queue`. By name, as config/aws/status-queue.yaml chooses it."""
    actions = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    return {**_allow("ReadStatusQueue", actions), "Resource": "arn:*:sqs:*:*:sagemaker-operator-*"}


def _pass_role() -> Policy:
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return {**_allow("PassExecutionRoles", ["iam:PassRole"]), "Condition": condition}


def _encrypt_volumes() -> list[Policy]:
    """Return the statements for customers' keys: only through SageMaker, and only grants that it makes for itself."""
    via = {"StringLike": {"kms:ViaService": f"{MODEL.service}.*.amazonaws.com*"}}
    grants = {**via, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        {**_allow("EncryptVolumes", ["kms:CreateGrant"]), "Condition": grants},
        {**_allow("DescribeVolumeKeys", ["kms:DescribeKey"]), "Condition": via},
    ]


def _linked_role() -> Policy:
    """Return the statement for an account's first scaling policy: AWS creates the role that scales endpoints."""
    condition = {
        "StringLike": {"iam:AWSServiceName": f"{MODEL.service}.{HOSTING_AUTOSCALING_POLICY.service}.amazonaws.com*"}
    }
    return {**_allow("ScalingServiceRole", ["iam:CreateServiceLinkedRole"]), "Condition": condition}


def _text(statements: list[Policy]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n"
