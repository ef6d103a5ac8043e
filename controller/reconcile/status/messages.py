"""Builds events, and messages and reasons of conditions. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from api.descriptor import KindDescriptor
from controller.aws.errors import CallError
from controller.reconcile import reasons
from controller.reconcile.observation import ExternalResource, Failure, Observed, Ownership, Recorded
from controller.reconcile.steps import Event, Phase, StatusUpdate
from controller.runtime.errors import ErrorClass

BRIEF: Final = 300
"""Characters of a text of AWS in a condition. `status.additional` has the whole text, and so has the event."""

NEXT_STEPS: Final = {
    reasons.ACCESS_DENIED: "Allow the action to the role that is named; it is tried again every few minutes.",
    reasons.CREDENTIALS_ERROR: "Give the service account of the operator an IAM role, or correct the annotations of the"
    " namespace; it is tried again every few minutes.",
    reasons.QUOTA_EXCEEDED: "Stop what uses it, or request a higher quota in the Service Quotas console; it is tried"
    " again every few minutes.",
    reasons.DEPENDENCY_MISSING: "Create what is missing, or correct the spec; it is tried again every few minutes.",
    reasons.REQUEST_REFUSED: "Correct the spec, or what it refers to; it is tried again every few minutes.",
    reasons.INVALID_SPEC: "Correct the spec and apply it again.",
    reasons.AWS_UNAVAILABLE: "It is tried again by itself; if it lasts, check the network path to AWS, spec.region and"
    " spec.sageMakerEndpoint.",
    reasons.CREATION_UNCONFIRMED: "AWS may have created it, and is asked again until it answers; if that lasts, check"
    " the network path to AWS.",
}
"""What the user does about a failure, by the reason of the condition that shows it."""


def with_next_step(text: str, reason: str) -> str:
    """Return the text of a failure with what to do about it."""
    step = NEXT_STEPS.get(reason, "")
    return f"{text.rstrip('. ')}. {step}" if step else text


def rules_running(status: Mapping[str, Any]) -> bool:
    """Return whether a v1 status shows debugger rules that are still being evaluated (v1-kinds.md 6.8)."""
    rules = status.get("debugRuleEvaluationStatuses") or ()
    return any(rule.get("ruleEvaluationStatus") in {"InProgress", "Stopping"} for rule in rules)


def are_rules_open(spec: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Return whether a spec has debugger rules, and a v1 status does not show the end of all of them."""
    return bool(spec.get("debugRuleConfigurations")) and (
        not status.get("debugRuleEvaluationStatuses") or rules_running(status)
    )


def rules_with_issues(status: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the debugger rules that have found issues."""
    rules = status.get("debugRuleEvaluationStatuses") or ()
    return frozenset(
        rule.get("ruleConfigurationName", "") for rule in rules if rule.get("ruleEvaluationStatus") == "IssuesFound"
    )


def issues_found(known: frozenset[str], external: ExternalResource) -> list[Event]:
    """Return a Warning for rules with findings that are not `known` from the status yet."""
    if "debugRuleEvaluationStatuses" not in external.fields:
        return []
    news = sorted(rules_with_issues(external.fields) - known)
    return (
        [Event("Warning", reasons.RULE_ISSUES_FOUND, f"Debugger rules report issues: {', '.join(news)}")]
        if news
        else []
    )


def status_changed(observed: Observed, value: str) -> tuple[Event, ...]:
    """Return the event for a changed AWS status; our own requests, and ends, have events of their own."""
    if observed.shown == value or observed.shown in operator_values(observed):
        return ()
    return (Event("Normal", reasons.STATUS_CHANGED, f"The status changed from {observed.shown} to {value}"),)


def operator_values(observed: Observed) -> frozenset[str]:
    """Return the status values that do not come from AWS."""
    rule = observed.descriptor.status
    return frozenset({"", rule.reconciling, rule.refused, rule.synchronizing})


def reason_of(value: str) -> str:
    """Return an AWS status as the reason of a condition: a CamelCase word (metav1.Condition)."""
    word = "".join(letter for letter in value if letter.isalnum())
    return word if word[:1].isalpha() else reasons.UNKNOWN


def waiting(observed: Observed) -> StatusUpdate:
    """Return the status of an object for which AWS was not called yet, because of its rate limits."""
    message = "The operator keeps within the request rate of AWS: this object waits for its turn"
    return StatusUpdate(
        Phase.WORKING,
        reasons.CREATING,
        message,
        value=observed.descriptor.status.synchronizing,
        synced=reasons.WAITING,
    )


def created(observed: Observed, recorded: Recorded) -> Event:
    """Return the event for a resource that is recorded for the first time."""
    if observed.policy.read_only:
        return found(recorded)
    if observed.owner is Ownership.FOREIGN:
        return Event(
            "Normal", reasons.ADOPTED, f"{recorded.name} in {recorded.region} belongs to this object from now on"
        )
    return Event("Normal", reasons.CREATED, f"{recorded.name} was created in {recorded.region}")


def resumed(observed: Observed, status_update: StatusUpdate) -> tuple[Event, ...]:
    """Return the event for the first status after the annotation `paused` was removed."""
    if observed.reasons.get(reasons.RECONCILING) != reasons.PAUSED or status_update.phase is Phase.PAUSED:
        return ()
    return (Event("Normal", reasons.RESUMED, "The object is no longer paused"),)


def found(recorded: Recorded) -> Event:
    """Return the event for a resource that a read-only object shows."""
    return Event("Normal", reasons.FOUND, f"{recorded.name} in {recorded.region} is shown, and never changed")


def ended(observed: Observed, external: ExternalResource) -> Event:
    """Return the event for a job that has reached a terminal status."""
    rule = observed.descriptor.status
    if external.value == rule.failed:
        return Event("Warning", reasons.FAILED, failed_job(external.failure_reason))
    return Event("Normal", reason_of(external.value), f"{observed.name} has ended: it is {external.value}")


def failed_job(reason: str) -> str:
    """Return the message about a job that failed, with SageMaker's reason."""
    return f"The job failed: {reason}" if reason else "The job failed, and SageMaker gives no reason"


def immutable_notice(observed: Observed, value: str) -> str:
    """Return the message about an edited job, with the four parts of v1-kinds.md 13.5."""
    return (
        f"A {observed.descriptor.kind} cannot be changed after its creation, and this object no longer matches its"
        f" job in SageMaker, which is {value}. The edit of {', '.join(observed.edited)} has no effect: take it back,"
        " or delete the object and create another."
    )


def refused_write(failure: Failure) -> str:
    """Return the message about a write that Kubernetes refused, in its words."""
    return f"Kubernetes refuses a write of the operator, which is tried again every few minutes: {failure}"


def once(observed: Observed, condition: str, reason: str, message: str, event_reason: str = "") -> tuple[Event, ...]:
    """Return a Warning, unless `condition` shows `reason` already; with `event_reason`, if given."""
    return () if observed.reasons.get(condition) == reason else (Event("Warning", event_reason or reason, message),)


def delayed(descriptor: KindDescriptor, lost: CallError) -> tuple[str, str]:
    """Return the reason and the message of a status that comes late, because List fails with `lost`.

    A failure's code may change with every attempt and is left out: it would be a new message each time.
    """
    names = descriptor.operations
    late = f"the status comes from {names.describe} and may be minutes late"
    if lost.error_class is ErrorClass.DENIED:
        words = f"{names.list} is denied ({lost.code}): {late}. Allow {descriptor.service}:{names.list} to the role"
        return reasons.LIST_DENIED, words
    return reasons.LIST_FAILING, f"{names.list} fails: {late}"
