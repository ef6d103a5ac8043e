"""What objects are told: events, notices and the words in conditions. Pure."""

from collections.abc import Mapping
from typing import Any

from controller.reconcile.plan import Event, Found, Observed, Owner, Phase, Recorded, View
from controller.reconcile.status import reasons


def rules_running(status: Mapping[str, Any]) -> bool:
    """Whether a v1 status shows debugger rules that are still being evaluated (v1-kinds.md 6.8)."""
    rules = status.get("debugRuleEvaluationStatuses") or ()
    return any(rule.get("ruleEvaluationStatus") in {"InProgress", "Stopping"} for rule in rules)


def rules_with_issues(status: Mapping[str, Any]) -> frozenset[str]:
    """Names of the debugger rules that have found something."""
    rules = status.get("debugRuleEvaluationStatuses") or ()
    return frozenset(
        rule.get("ruleConfigurationName", "") for rule in rules if rule.get("ruleEvaluationStatus") == "IssuesFound"
    )


def issues_found(seen: Observed, remote: Found) -> list[Event]:
    """A Warning for rules whose findings are not in the status yet."""
    news = sorted(rules_with_issues(remote.fields) - seen.issues)
    return (
        [Event("Warning", reasons.RULE_ISSUES_FOUND, f"debugger rules report issues: {', '.join(news)}")]
        if news
        else []
    )


def reason_of(value: str) -> str:
    """An AWS status as the reason of a condition: reasons are CamelCase words (metav1.Condition)."""
    word = "".join(letter for letter in value if letter.isalnum())
    return word if word[:1].isalpha() else reasons.UNKNOWN


def waiting(seen: Observed) -> View:
    """Nothing was asked of AWS yet: others come first."""
    message = "waiting for its turn at AWS"
    return View(
        Phase.WORKING,
        reasons.CREATING,
        message,
        value=seen.descriptor.status.synchronizing,
        synced=reasons.WAITING,
    )


def created(seen: Observed, recorded: Recorded) -> Event:
    """The resource is recorded."""
    if seen.policy.read_only:
        return found(recorded)
    if seen.owner is Owner.FOREIGN:
        return Event(
            "Normal", reasons.ADOPTED, f"{recorded.name} in {recorded.region} belongs to this object from now on"
        )
    return Event("Normal", reasons.CREATED, f"{recorded.name} in {recorded.region}")


def resumed(seen: Observed, view: View) -> tuple[Event, ...]:
    """The annotation `paused` is gone: the first thing shown after it says so."""
    if seen.reasons.get(reasons.RECONCILING) != reasons.PAUSED or view.phase is Phase.PAUSED:
        return ()
    return (Event("Normal", reasons.RESUMED, "no longer paused"),)


def found(recorded: Recorded) -> Event:
    """A resource is shown that the object has not created, and does not own."""
    return Event("Normal", reasons.FOUND, f"{recorded.name} in {recorded.region}, which is only looked at")


def ended(seen: Observed, remote: Found) -> Event:
    """The job has reached a terminal status."""
    rule = seen.descriptor.status
    if remote.value == rule.failed:
        return Event("Warning", reasons.FAILED, remote.failure_reason or "SageMaker gives no reason")
    return Event("Normal", reason_of(remote.value), f"{seen.name} has ended")


def immutable_notice(seen: Observed, value: str) -> str:
    """D-11, v1-kinds.md 13.5: the four parts of the notice."""
    return (
        f"A {seen.descriptor.kind} cannot be changed after its creation, and this object no longer matches its job in"
        f" SageMaker, which is {value}. The edit of {', '.join(seen.edited)} has no effect: take it back, or delete the"
        " object and create another."
    )


def once(seen: Observed, condition: str, reason: str, message: str, told: str = "") -> tuple[Event, ...]:
    """A Warning, unless the object shows this very trouble already."""
    return () if seen.reasons.get(condition) == reason else (Event("Warning", told or reason, message),)
