"""The words in which SageMaker refuses what the state of something does not allow: there are many, and they change.

Each is a ValidationException, the code that an invalid spec has, too, or a code of its own. The next call that is
refused gets the next words of its operation, so that no client can rely on one of them.
"""

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

Wording: TypeAlias = tuple[str, str]
"""Error code and message; in the table, ARNs are still to be filled in."""

VALIDATION: Final = "ValidationException"
_ARN: Final = "arn:aws:sagemaker:us-east-2:123456789012:{resource}/sandbox"
_ROLE: Final = "arn:aws:iam::123456789012:role/sandbox"


def _state(*messages: str) -> tuple[Wording, ...]:
    return tuple((VALIDATION, message) for message in messages)


_IN_PROGRESS: Final = _state(
    'Cannot update in-progress endpoint "{endpoint}".',
    "The endpoint {endpoint} is being updated. Wait until it is InService and try again.",
    "Endpoint sandbox cannot be changed while its status is RollingBack.",
)
_NEW_ROLE: Final = _state(
    "Could not assume role {role}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to"
    " assume the role.",
    'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust relationship'
    ' policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com".',
    "User: arn:aws:sts::123456789012:assumed-role/sandbox/SageMaker is not authorized to perform: sts:AssumeRole on"
    " resource: {role}",
)
_WORDINGS: Final[Mapping[str, tuple[Wording, ...]]] = {
    "UpdateEndpoint": (
        *_IN_PROGRESS,
        *_state(
            'The variant(s) "v0" must be deregistered as scalable targets with AWS Auto Scaling before they can be'
            " removed or have their instance type updated.",
            'Could not find endpoint configuration "{configuration}".',
        ),
    ),
    "UpdateEndpointWeightsAndCapacities": _IN_PROGRESS,
    "DeleteEndpoint": (*_IN_PROGRESS, *_state('Cannot delete in-progress endpoint "{endpoint}".')),
    "CreateInferenceComponent": _state(
        'Could not find endpoint "{endpoint}".',
        'Could not find model "{model}".',
        'The endpoint "{endpoint}" is in status Updating. It must be InService.',
        "There is not enough hardware on the instances of the variant to create another copy.",
    ),
    "UpdateInferenceComponent*": _state(
        'Cannot update in-progress inference component "{component}".',
        "The inference component sandbox cannot be changed while its endpoint is Updating.",
    ),
    "DeleteInferenceComponent": _state(
        'Cannot delete inference component "{component}" in status Updating.',
        "The inference component sandbox has adapters. Delete these first.",
    ),
    "DeleteEndpointConfig": _state(
        'Cannot delete endpoint configuration "{configuration}" while an update to it runs.',
        "EndpointConfig sandbox is in use.",
    ),
    "DeleteModel": _state('Cannot delete model "{model}" while an endpoint is being created from it.'),
    "CreateModel": (
        *_NEW_ROLE,
        *_state(
            "Could not find model data at s3://my-bucket/sandbox/model.tar.gz.",
            'Could not access model data at s3://my-bucket/sandbox/model.tar.gz. Please ensure that the role "{role}"'
            ' exists and that its trust relationship policy allows the action "sts:AssumeRole".',
            "Requested image 123456789012.dkr.ecr.us-east-2.amazonaws.com/sandbox:1 not found.",
        ),
    ),
    "CreateEndpointConfig": _state(
        'Could not find model "{model}".', "The model sandbox is being created. Try again when it is there."
    ),
    "CreateEndpoint": _state(
        'Could not find endpoint configuration "{configuration}".',
        'Could not find model "{model}".',
        "The repository of your image 123456789012.dkr.ecr.us-east-2.amazonaws.com/sandbox does not grant"
        " ecr:BatchGetImage to sagemaker.amazonaws.com.",
    ),
    "Create*Job": (
        *_NEW_ROLE,
        *_state(
            "No S3 objects found under S3 URL s3://my-bucket/sandbox/ given in input data source.",
            "S3DataSource s3://my-bucket/sandbox/ is not ready yet.",
            "The subnet ID 'subnet-0' does not exist.",
        ),
    ),
    "StartPipelineExecution": (
        *_NEW_ROLE,
        *_state("Pipeline sandbox cannot be started while it is being updated."),
        ("ConflictException", "Pipeline sandbox is being updated."),
    ),
    "StopPipelineExecution": (("ConflictException", "Pipeline execution sandbox is in status Stopping."),),
    "Create*Package*": _state(
        "ModelPackageGroup arn:aws:sagemaker:us-east-2:123456789012:model-package-group/sandbox does not exist.",
        "Model package group sandbox is being deleted.",
    ),
    "DeleteModelPackageGroup": (("ConflictException", "ModelPackageGroup sandbox still has model packages."),),
    "*ModelPackage": (
        ("ConflictException", "The model package is being changed by another request."),
        *_state("The model package cannot be changed while its status is InProgress."),
    ),
    "*Pipeline": (
        ("ConflictException", "The pipeline is being changed by another request."),
        *_state("The pipeline sandbox cannot be changed while its status is Deleting."),
    ),
    "UpdateTrainingJob": _state("The request was rejected because the training job is in status Stopping."),
    "Stop*": _state(
        "The request was rejected because the job is in status Stopping.",
        "The job sandbox cannot be stopped before it has started.",
    ),
    "AddTags": _state('The tags of "{endpoint}" cannot be changed while it is being created.'),
    "DeleteTags": _state('The tags of "{endpoint}" cannot be changed while it is being deleted.'),
    "RegisterScalableTarget": (
        *_state(
            "ECS service doesn't exist: endpoint/sandbox/variant/v0",
            "Endpoint sandbox is in status 'Updating'. The status should be in 'InService' to register it as a scalable"
            " target",
        ),
        ("ConcurrentUpdateException", "Concurrent update of the scalable target endpoint/sandbox/variant/v0."),
    ),
    "DeregisterScalableTarget": (("ConcurrentUpdateException", "The scalable target is being updated."),),
    "PutScalingPolicy": (
        *_state("The alarms of the policy cannot be changed at the moment."),
        ("ConcurrentUpdateException", "Concurrent update of the scaling policy."),
    ),
    "DeleteScalingPolicy": (("ConcurrentUpdateException", "Concurrent update of the scaling policy."),),
}


def wording(operation: str, number: int) -> Wording | None:
    """Return the words with which the `number`-th call of an operation is refused; None where there are none."""
    for pattern, known in _WORDINGS.items():
        if fnmatch.fnmatchcase(operation, pattern):
            return _filled(known[number % len(known)], _ROLE)
    return None


def of_a_new_role(role: str, number: int) -> Wording:
    """Return the words with which the `number`-th call that uses a new role is refused."""
    return _filled(_NEW_ROLE[number % len(_NEW_ROLE)], role)


def all_wordings() -> Iterator[tuple[str, Wording]]:
    """Yield the pattern of operations and the words of each refusal."""
    for pattern, known in _WORDINGS.items():
        for each in known:
            yield pattern, _filled(each, _ROLE)


def _filled(given: Wording, role: str) -> Wording:
    code, message = given
    arns = {
        "endpoint": _ARN.format(resource="endpoint"),
        "configuration": _ARN.format(resource="endpoint-config"),
        "component": _ARN.format(resource="inference-component"),
        "model": _ARN.format(resource="model"),
    }
    return code, message.format(role=role, **arns)
