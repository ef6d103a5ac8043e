"""Decisions that all life-cycles share: about annotations, names that are taken, and errors. Pure.

Every class of error has one behaviour (v1-kinds.md 13.4); rows cited are those of v1-kinds.md 12.1.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from api.annotations import PAUSED
from controller.reconcile import reasons
from controller.reconcile.drift.report import LOOK_S
from controller.reconcile.observation import During, ExternalResource, Failure, Observed, Ownership, Recorded, Source
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    AwsStep,
    Describe,
    Drift,
    Event,
    Finish,
    Outcome,
    Phase,
    RemoveFinalizer,
    StatusUpdate,
)
from controller.runtime.errors import ErrorClass

StepT = TypeVar("StepT")

DOUBT_S: Final = 10.0
"""How long "not found" is not trusted while a creation may still take effect."""
VISIBLE_AFTER_S: Final = 60.0
"""How long after its creation a resource may be missing from answers (SageMaker is eventually consistent, D-07b)."""
LOOK_AGAIN_S: Final = 10.0
"""Delay before another check if two answers of SageMaker contradict each other."""


def respecting_hold(observed: Observed, step: StepT) -> StepT | Finish:
    """Return `step`, unless it calls AWS during a hold. The tracker continues to follow the resource."""
    if observed.hold_s is None or not isinstance(step, AwsStep):
        return step
    return Finish(again_s=observed.hold_s, follow=observed.recorded is not None and not observed.is_ended)


def retain(observed: Observed) -> Finish | RemoveFinalizer:
    """Release the object and keep the resource (annotation `deletion-policy: retain`)."""
    if not observed.has_finalizer:
        return Finish()
    return RemoveFinalizer(
        (Event("Normal", reasons.RETAINED, f"{observed.name} is left alone, as deletion-policy asks"),)
    )


def paused(observed: Observed) -> Finish:
    """Show that the object is paused: no AWS calls, and a deletion waits (annotation `paused`)."""
    message = f"nothing is done while the annotation {PAUSED.key} is true"
    if observed.deleting_for_s is not None:
        message += ": the deletion waits"
    status_update = StatusUpdate(Phase.PAUSED, reasons.PAUSED, message, additional=None, synced=reasons.PAUSED)
    is_shown = observed.reasons.get(reasons.RECONCILING) == reasons.PAUSED
    events = () if is_shown else (Event("Normal", reasons.PAUSED, message),)
    return Finish(status_update, observed.recorded, events)


def read_only_step(
    observed: Observed, show: Callable[[ExternalResource, Recorded], Finish], *, is_settled: bool
) -> Describe | Finish | RemoveFinalizer:
    """Show the resource with the object's name by `show`, and change nothing (annotation `read-only`).

    No finalizer is needed, as a deletion does not change AWS. `is_settled`: the status is up to date, unless AWS is
    known to have changed.
    """
    external = observed.external
    if external is None:
        is_known = is_settled and observed.is_recorded_in_status and not observed.is_describe_due
        return Finish(follow=True) if is_known else Describe(background=observed.is_recorded_in_status)
    if isinstance(external, ExternalResource):
        if external.source is Source.SUMMARY or observed.is_describe_due:
            return Describe(background=True)
        return show(external, observed.recorded or record_of(observed, external))
    return nothing_to_adopt(observed)


def ownership_of(observed: Observed) -> Ownership:
    """Return the ownership of the resource with our name; the predecessor's objects own what their status names."""
    return Ownership.OURS if observed.is_name_generated or observed.is_legacy else observed.owner


def foreign(observed: Observed) -> Finish:
    """Report that the name is taken by a resource that is not ours (row 13)."""
    field = observed.descriptor.name.spec_field
    message = (
        f"{observed.name} exists in SageMaker and was not created by this object: it is left alone."
        f" Choose another {f'spec.{field}' if field else 'metadata.name'}."
    )
    status_update = StatusUpdate(
        Phase.STUCK,
        reasons.ALREADY_EXISTS,
        message,
        value=operator_value(observed, ErrorClass.EXISTS),
        secondary="",
        additional=message,
        synced=reasons.ALREADY_EXISTS,
    )
    return Finish(
        status_update,
        events=messages.once(observed, reasons.STALLED, reasons.ALREADY_EXISTS, message),
        outcome=Outcome.TERMINAL,
    )


def nothing_to_adopt(observed: Observed) -> Finish:
    """Report that nothing has the name (annotation `adoption-policy: adopt`, or `read-only`)."""
    asked = "nothing but a look" if observed.policy.read_only else "adoption"
    message = f"{asked} is asked for, but SageMaker knows no {observed.name}"
    value = operator_value(observed, ErrorClass.NOT_FOUND)
    status_update = StatusUpdate(
        Phase.STUCK,
        reasons.NOT_FOUND,
        message,
        value=value,
        secondary="",
        additional=message,
        synced=reasons.NOT_FOUND,
    )
    events = messages.once(observed, reasons.STALLED, reasons.NOT_FOUND, message, reasons.ADOPTION_REFUSED)
    return Finish(status_update, events=events, outcome=Outcome.TERMINAL)


def failed(observed: Observed, failure: Failure) -> Finish | RemoveFinalizer:
    """Return the end of a pass with a failure: every class of error has one behaviour (13.4; rows 15 to 17)."""
    is_deleting = observed.deleting_for_s is not None
    is_created = observed.recorded is not None or observed.is_legacy
    permanent = failure.error_class is ErrorClass.INVALID
    if is_deleting and not observed.has_finalizer:
        return Finish()
    if is_deleting and permanent and not (failure.sent or is_created or observed.doubt_for_s is not None):
        return RemoveFinalizer()  # this region, endpoint or name cannot be called: nothing was created there
    stuck = permanent and not is_deleting and failure.during in _REFUSED
    reason = reasons.INVALID_SPEC if stuck and failure.during is not During.IDENTITY else _trouble(failure)
    text = f"{failure} ({_FORCED_DELETION})" if is_deleting else str(failure)
    status_update = StatusUpdate(
        phase=Phase.STUCK if stuck else Phase.TROUBLED,
        reason=reason,
        message=text,
        value=None if is_created else operator_value(observed, failure.error_class),
        additional=text,
        synced=reason if stuck else reasons.AWS_ERROR,
    )
    outcome = Outcome.TERMINAL if stuck else _OUTCOMES.get(failure.error_class, Outcome.RETRY)
    event_reason = (_REFUSED[failure.during] or reason) if stuck else reason
    events = (
        ()
        if outcome is Outcome.RETRY
        else messages.once(observed, reasons.STALLED if stuck else reasons.RECONCILING, reason, text, event_reason)
    )
    follow = is_created and not observed.is_ended
    return Finish(status_update, observed.recorded, events, follow=follow, outcome=outcome, failure=failure)


_FORCED_DELETION: Final = (
    "to delete the object without asking AWS, set its annotation sagemaker.aws.amazon.com/deletion-policy=retain"
)
"""Shown while a deletion fails, e.g. in a region that does not exist: users should not edit finalizers."""

_REFUSED: Final = {During.CREATE: reasons.CREATE_FAILED, During.UPDATE: reasons.UPDATE_FAILED, During.IDENTITY: ""}
"""Steps that an invalid request fails for good, with the event for it; empty: that of the reason."""

_OUTCOMES: Final = {
    ErrorClass.DENIED: Outcome.RETRY_SLOWLY,
    ErrorClass.QUOTA: Outcome.RETRY_SLOWLY,
    ErrorClass.INVALID: Outcome.RETRY_SLOWLY,
}

_UNAUTHENTICATED: Final = frozenset(
    {
        *(
            "Credentials",
            "ExpiredToken",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "NamespaceSettings",
        ),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "IncompleteSignature"),
    }
)
"""Codes that mean missing or invalid credentials; other DENIED codes mean missing permissions."""


def _trouble(failure: Failure) -> str:
    match failure.error_class:
        case ErrorClass.DENIED:
            return reasons.CREDENTIALS_ERROR if failure.code in _UNAUTHENTICATED else reasons.ACCESS_DENIED
        case ErrorClass.QUOTA:
            is_quota = "Limit" in failure.code or "Quota" in failure.code
            return reasons.QUOTA_EXCEEDED if is_quota else reasons.DEPENDENCY_MISSING
        case ErrorClass.INVALID:
            return reasons.OTHER_ACCOUNT if failure.during is During.IDENTITY else reasons.REQUEST_REFUSED
        case _:
            return reasons.AWS_UNAVAILABLE


def record_of(observed: Observed, external: ExternalResource) -> Recorded:
    """Return the record of the resource with our name, by its ARN `arn:partition:service:region:account:resource`."""
    _, partition, _, region, account, *_ = (*external.arn.split(":", 5), "", "", "", "", "")
    return Recorded(
        name=observed.name,
        region=region,
        partition=partition,
        arn=external.arn,
        account_id=account,
        created_at=external.created_at or observed.now,
    )


def drift_shown(observed: Observed) -> Drift | None:
    """Return the state of the Drifted condition; None without one."""
    return _DRIFTS.get(observed.reasons.get(reasons.DRIFTED, ""))


def drift_events(observed: Observed, message: str) -> tuple[Event, ...]:
    """Return the Warning about drift, unless the object shows it already."""
    return messages.once(observed, reasons.DRIFTED, Drift.FOUND.value, message)


def drift_update(phase: Phase, message: str, value: str, fields: Mapping[str, Any] | None = None) -> StatusUpdate:
    """Return the status update for drift; `value` and `fields` as without drift."""
    return StatusUpdate(
        phase,
        reasons.DRIFTED,
        message,
        value=value,
        additional=message,
        fields=fields or {},
        synced=reasons.DRIFTED,
        drift=Drift.FOUND,
    )


def drift_reported(observed: Observed, recorded: Recorded | None, message: str, value: str, pause_s: float) -> Finish:
    """Report drift of a usable resource; checked again when it may be corrected, after `pause_s` at the earliest."""
    corrects = observed.policy.corrects
    status_update = drift_update(Phase.READY_WORKING if corrects else Phase.READY, message, value)
    again_s = max(observed.correction_in_s, pause_s) if corrects else LOOK_S
    return Finish(status_update, recorded, drift_events(observed, message), again_s=again_s)


_DRIFTS: Final = {each.value: each for each in Drift}


def may_be_invisible(observed: Observed, recorded: Recorded) -> bool:
    """Return whether "not found" may be due to eventual consistency."""
    if recorded.created_at is None:
        return False
    return (observed.now - recorded.created_at).total_seconds() < VISIBLE_AFTER_S


def status_changed(observed: Observed, value: str) -> tuple[Event, ...]:
    """Return the event for a changed AWS status; our own requests, and ends, have events of their own."""
    if observed.shown == value or observed.shown in operator_values(observed):
        return ()
    return (Event("Normal", reasons.STATUS_CHANGED, f"{observed.shown} → {value}"),)


def operator_values(observed: Observed) -> frozenset[str]:
    """Return the status values that do not come from AWS."""
    rule = observed.descriptor.status
    return frozenset({"", rule.reconciling, rule.refused, rule.synchronizing})


def operator_value(observed: Observed, error_class: ErrorClass) -> str:
    """Return the v1 status value of an object that the operator cannot reconcile (v1-kinds.md 6)."""
    rule = observed.descriptor.status
    return rule.reconciling if error_class is ErrorClass.RETRYABLE or not rule.refused else rule.refused
