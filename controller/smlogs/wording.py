"""Error messages with their remedy, one function per failure. Pure."""

from typing import Final

from api.meta import GROUP
from controller.aws.errors import CallError, bare
from controller.runtime.errors import ErrorClass
from controller.smlogs import kubectl
from controller.smlogs.cloudwatch import FILTER, LIST_MEMBERS
from controller.smlogs.kinds import LogKind
from controller.smlogs.subject import Subject

_ACTIONS: Final = {FILTER: f"logs:{FILTER}", LIST_MEMBERS: f"sagemaker:{LIST_MEMBERS}"}
_PERMISSION: Final = frozenset({"AccessDenied", "UnauthorizedOperation", "NotAuthorized"})
"""Codes of a missing permission; the other refusals of class DENIED are about the credentials themselves."""


def of_cluster(error: kubectl.KubectlError, kind: LogKind, name: str) -> str:
    """Return the message for an object that kubectl did not get."""
    match error.code:
        case kubectl.NOT_FOUND:
            there = f'"kubectl get {kind.kind} --all-namespaces" lists those that are there'
            return f'{kind.kind} "{name}" not found; {there}'
        case kubectl.NOT_SERVED:
            return f"the cluster does not serve {kind.kind} ({GROUP}): are the operator's CRDs installed?"
        case kubectl.UNAUTHORIZED:
            return f"the cluster does not accept your credentials: {error.message}"
        case kubectl.FORBIDDEN:
            return f"the cluster does not let you do this: {error.message}"
        case kubectl.UNREACHABLE:
            return f"the cluster cannot be reached: {error.message}"
        case kubectl.MISSING:
            return f"kubectl is needed to find the {kind.kind}, and is not on PATH: {error.message}"
        case _:
            return error.message.removeprefix("error: ")


def of_aws(error: CallError, region: str, log_group: str) -> str:
    """Return the message for an AWS call that failed permanently."""
    action = _ACTIONS.get(error.operation, error.operation)
    match error.error_class:
        case ErrorClass.DENIED if bare(error.code) in _PERMISSION:
            resource = f' on log group "{log_group}"' if error.operation == FILTER else ""
            return f"access denied: your AWS identity lacks the IAM action {action}{resource} ({error.message})"
        case ErrorClass.DENIED:
            return (
                f"no usable AWS credentials: {error.message}; set them up as for the AWS CLI "
                '("aws sts get-caller-identity" shows whether they work)'
            )
        case ErrorClass.THROTTLED:
            return f"AWS goes on refusing {action} as too frequent; try again later ({error.message})"
        case _:
            return f'{action} in region "{region}" failed: {error}'


def not_created(subject: Subject) -> str:
    """Return the message for a resource that does not exist at AWS yet, or never will."""
    what = f'{subject.kind.kind} "{subject.object_name}"'
    if subject.has_ended:
        return f'{what} was not created in SageMaker; its status is "{subject.status}": {_because(subject)}'
    if subject.is_stalled:
        return f"{what} was not created in SageMaker: {_because(subject)}"
    return f"{what} has not been created in SageMaker yet: {_because(subject)}"


def _because(subject: Subject) -> str:
    if subject.reason:
        return subject.reason
    if subject.status:
        return f'its status is "{subject.status}"'
    return "it has no status; does the operator run, and watch this namespace?"


def no_region(subject: Subject) -> str:
    """Return the message for a missing region."""
    return f'{subject.kind.kind} "{subject.object_name}" names no region: set spec.region'


def no_lines(subject: Subject, *, is_narrowed: bool) -> str:
    """Return the message for an empty log; `is_narrowed` if only a part of it was requested."""
    what = f'{subject.kind.kind} "{subject.object_name}"'
    states = "/".join(filter(None, (subject.status, subject.secondary)))
    if is_narrowed:
        return f"{what} has no log lines that match; its status is {states}"
    if subject.has_ended:
        reason = f": {subject.reason}" if subject.reason else ""
        return f"{what} wrote no log lines; it ended with status {states}{reason}"
    return f"{what} has written no log lines yet; its status is {states}"


def ended(subject: Subject | None, before: Subject) -> str:
    """Return the message for the end of a followed job."""
    what = f'{before.kind.kind} "{before.object_name}"'
    if subject is None:
        return f"{what} was deleted"
    reason = f": {subject.reason}" if subject.reason and subject.status != "Completed" else ""
    return f'{what} has ended with status "{subject.status}"{reason}'
