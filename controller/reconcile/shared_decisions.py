"""Decisions that all life-cycles share: about annotations, names that are taken, and errors. Pure.

Every class of error has one behaviour (v1-kinds.md 13.4); rows cited are those of v1-kinds.md 12.1.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from api.annotations import ADOPTION_POLICY, PAUSED, READ_ONLY
from api.descriptor import LifeCycle
from controller.aws.errors import UNAUTHENTICATED, bare
from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.drift.report import LOOK_S
from controller.reconcile.observation import (
    UNREAD,
    During,
    ExternalResource,
    Failure,
    Observed,
    Ownership,
    Recorded,
    Source,
)
from controller.reconcile.status import messages
from controller.reconcile.steps import (
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

DOUBT_S: Final = 10.0
"""How long "not found" is not trusted while a creation may still take effect."""
VISIBLE_AFTER_S: Final = 60.0
"""How long after its creation a resource may be missing from answers (SageMaker is eventually consistent, D-07b)."""
LATE_LOOKS: Final = 3
"""Looks for what a Create found to exist, over a minute, before it is strange that it does not show."""
LASTING_S: Final = 180.0
"""A failure that should pass by itself is worth a Warning after this long."""
LOOK_AGAIN_S: Final = 10.0
"""Delay before another check if two answers of SageMaker contradict each other."""


def retain(observed: Observed) -> Finish | RemoveFinalizer:
    """Release the object and keep the resource (annotation `deletion-policy: retain`)."""
    if not observed.has_finalizer:
        return Finish()
    return RemoveFinalizer(
        (Event("Normal", reasons.RETAINED, f"{observed.name} is left alone, as deletion-policy asks"),)
    )


def paused(observed: Observed) -> Finish:
    """Show that the object is paused: no AWS calls, and a deletion waits (annotation `paused`)."""
    message = f"Nothing is done while the annotation {PAUSED.key} is true"
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
    """Report that the name is taken by a resource that is not ours (row 13); it may become free: looked at again.

    The name is no field that users may change, which would leave behind what an object has created.
    """
    field = observed.descriptor.name.spec_field
    message = (
        f"{observed.name} exists in SageMaker and was not created by this object: it is left alone, and looked at every"
        f" few minutes. Delete this {observed.descriptor.kind}, which does not touch it, and create one with another"
        f" {f'spec.{field}' if field else 'metadata.name'}; or, to take it over, set the annotation"
        " sagemaker.aws.amazon.com/adoption-policy=adopt."
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
        outcome=Outcome.RETRY_SLOWLY,
    )


def waits(observed: Observed) -> Finish:
    """Wait for the objects that the spec names, which is no error: their change enqueues the object."""
    reason, message = reasons.DEPENDENCY_MISSING, f"Waits for {observed.waits_for}"
    is_created = observed.recorded is not None or observed.is_legacy
    status_update = StatusUpdate(
        Phase.TROUBLED,
        reason,
        message,
        value=None if is_created else observed.descriptor.status.synchronizing,
        additional=message,
        synced=reason,
    )
    return Finish(status_update, observed.recorded)


def unseen(observed: Observed) -> Finish:
    """Wait for a name that Create finds taken and Describe does not find (D-07b).

    Soon at first, as what was just created may not be visible yet; then after minutes, with a Warning: SageMaker may be
    deleting what had the name, or another account, or something that Describe does not show, holds it.
    """
    if observed.setbacks < LATE_LOOKS:
        return Finish(again_s=LOOK_AGAIN_S, outcome=Outcome.RETRY_SLOWLY)
    message = (
        f"SageMaker says that the name {observed.name} is taken when it is asked to create it, and that it does not"
        " exist when it is asked to describe it; tried again every few minutes"
    )
    is_created = observed.recorded is not None or observed.is_legacy
    status_update = StatusUpdate(
        Phase.TROUBLED,
        reasons.NAME_UNAVAILABLE,
        message,
        value=None if is_created else operator_value(observed, ErrorClass.EXISTS),
        additional=message,
        synced=reasons.AWS_ERROR,
    )
    return Finish(
        status_update,
        observed.recorded,
        messages.once(observed, reasons.RECONCILING, reasons.NAME_UNAVAILABLE, message),
        again_s=LOOK_AGAIN_S,
        outcome=Outcome.RETRY_SLOWLY,
    )


def nothing_to_adopt(observed: Observed) -> Finish:
    """Report that nothing has the name yet (annotation `adoption-policy: adopt`, or `read-only`); looked at again."""
    annotation = READ_ONLY if observed.policy.read_only else ADOPTION_POLICY
    kind, field = observed.descriptor.kind, observed.descriptor.name.spec_field
    if observed.name:
        message = (
            f"SageMaker has no {observed.name}, which the annotation {annotation.key} requires; it is looked for every"
            " few minutes. Create it there, or remove the annotation"
        )
    elif field:
        message = (
            f"The annotation {annotation.key} is about a {kind} that exists at AWS, and spec.{field} does not say"
            " which. Set it to the ARN, or remove the annotation"
        )
    else:
        message = (
            f"The annotation {annotation.key} is about a {kind} that exists at AWS, and no spec can name one. Remove"
            " the annotation"
        )
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
    return Finish(status_update, events=events, outcome=Outcome.RETRY_SLOWLY)


def failed(observed: Observed, failure: Failure) -> Finish | RemoveFinalizer:
    """Return the end of a pass with a failure: every class of error has one behaviour (13.4; rows 15 to 17)."""
    if failure.during is During.WRITE:
        return _write_refused(observed, failure)
    is_deleting = observed.deleting_for_s is not None
    is_created = observed.recorded is not None or observed.is_legacy
    permanent = failure.error_class is ErrorClass.INVALID
    if is_deleting and not observed.has_finalizer:
        return Finish()
    if is_deleting and permanent and not (failure.sent or is_created or observed.doubt_for_s is not None):
        return RemoveFinalizer()  # this region, endpoint or name cannot be called: nothing was created there
    stuck = permanent and not is_deleting and failure.during in _REFUSED
    reason = reasons.INVALID_SPEC if stuck and failure.during is not During.IDENTITY else _trouble(failure)
    if not is_created and _may_have_created(observed, failure):
        reason = reasons.CREATION_UNCONFIRMED
    addition = f" ({_FORCED_DELETION})" if is_deleting else ""
    if observed.hints and failure.during in _REFUSED and failure.error_class in _OF_THE_STATE:
        addition += f" ({'; '.join(observed.hints)})"
    advice = "" if is_deleting else reason
    whole = messages.with_next_step(f"{failure}{addition}", advice)
    text = messages.with_next_step(f"{shortened(str(failure), messages.BRIEF)}{addition}", advice)
    outcome = Outcome.TERMINAL if stuck else _OUTCOMES.get(failure.error_class, Outcome.RETRY)
    was_lasting = observed.reasons.get(reasons.SYNCED) == reasons.AWS_ERROR_LASTS
    lasts = outcome is Outcome.RETRY and (was_lasting or observed.failing_for_s >= LASTING_S)
    # As the predecessor does for jobs: their name and logs are what users look for first.
    is_job = observed.descriptor.life_cycle is LifeCycle.JOB and not observed.descriptor.name.by_aws
    was_refused = is_job and failure.during is During.CREATE and failure.sent and outcome is not Outcome.RETRY
    status_update = StatusUpdate(
        phase=Phase.STUCK if stuck else Phase.TROUBLED,
        reason=reason,
        message=text,
        value=None if is_created else operator_value(observed, failure.error_class),
        additional=whole,
        synced=reason if stuck else reasons.AWS_ERROR_LASTS if lasts else reasons.AWS_ERROR,
        tried=observed.name if was_refused and not (is_created or is_deleting) else "",
    )
    event_reason = (_REFUSED[failure.during] or reason) if stuck else reason
    events: tuple[Event, ...] = ()
    if lasts:
        message = f"AWS has not answered as it should for {LASTING_S / 60:.0f} minutes: {whole}"
        events = messages.once(observed, reasons.SYNCED, reasons.AWS_ERROR_LASTS, message, event_reason)
    elif outcome is not Outcome.RETRY:
        condition = reasons.STALLED if stuck else reasons.RECONCILING
        events = messages.once(observed, condition, reason, whole, event_reason)
    return Finish(
        status_update,
        observed.recorded,
        events,
        follow=is_created and not observed.is_ended,
        again_s=LOOK_AGAIN_S if _may_pass_soon(failure) and outcome is Outcome.RETRY_SLOWLY else None,
        outcome=outcome,
        failure=failure,
    )


def failed_but_usable(observed: Observed, failure: Failure) -> Finish | RemoveFinalizer:
    """Return the end of a pass with a failure; after a refused update, what was there before is still of use."""
    step = failed(observed, failure)
    if failure.during is not During.UPDATE or not isinstance(step, Finish) or step.status_update is None:
        return step
    if step.status_update.phase is not Phase.STUCK:
        return step
    return replace(step, status_update=replace(step.status_update, phase=Phase.READY_STUCK))


def _may_pass_soon(failure: Failure) -> bool:
    """Return whether a change was refused for a state that may be about to pass.

    A role that was made a moment ago cannot be assumed for some seconds, as IAM is eventually consistent; data, images
    and models are often made together with what refers to them.
    """
    return failure.during in _REFUSED and bare(failure.code) == "Validation"


def _write_refused(observed: Observed, failure: Failure) -> Finish:
    """Show that Kubernetes refuses a write, and go on following what is at AWS."""
    is_created = observed.recorded is not None or observed.is_legacy
    text, reason = messages.refused_write(failure), reasons.KUBERNETES_REFUSED
    status_update = StatusUpdate(
        phase=Phase.TROUBLED,
        reason=reason,
        message=text,
        value=None if is_created else operator_value(observed, ErrorClass.RETRYABLE),
        additional=text,
        synced=reason,
    )
    events = messages.once(observed, reasons.RECONCILING, reason, text)
    follow = is_created and not observed.is_ended
    return Finish(
        status_update, observed.recorded, events, follow=follow, outcome=Outcome.RETRY_SLOWLY, failure=failure
    )


_FORCED_DELETION: Final = (
    "to delete the object without asking AWS, set its annotation sagemaker.aws.amazon.com/deletion-policy=retain"
)
"""Shown while a deletion fails, e.g. in a region that does not exist: users should not edit finalizers."""

_REFUSED: Final = {During.CREATE: reasons.CREATE_FAILED, During.UPDATE: reasons.UPDATE_FAILED, During.IDENTITY: ""}
"""Steps that an invalid request fails for good, with the event for it; empty: that of the reason."""

_OF_THE_STATE: Final = frozenset({ErrorClass.QUOTA, ErrorClass.REFUSED})
"""Classes of refusals that may be about the state of something that the spec refers to."""

_OUTCOMES: Final = {
    ErrorClass.DENIED: Outcome.RETRY_SLOWLY,
    ErrorClass.QUOTA: Outcome.RETRY_SLOWLY,
    ErrorClass.REFUSED: Outcome.RETRY_SLOWLY,
    ErrorClass.INVALID: Outcome.RETRY_SLOWLY,
}

_UNAUTHENTICATED: Final = UNAUTHENTICATED | {"NamespaceSettings"}


def _trouble(failure: Failure) -> str:
    match failure.error_class:
        case ErrorClass.DENIED:
            return reasons.CREDENTIALS_ERROR if bare(failure.code) in _UNAUTHENTICATED else reasons.ACCESS_DENIED
        case ErrorClass.QUOTA:
            return reasons.QUOTA_EXCEEDED if is_quota(failure.code) else reasons.DEPENDENCY_MISSING
        case ErrorClass.REFUSED:
            return reasons.REQUEST_REFUSED
        case ErrorClass.INVALID:
            return reasons.OTHER_ACCOUNT if failure.during is During.IDENTITY else reasons.REQUEST_REFUSED
        case _:
            return reasons.AWS_UNAVAILABLE


def _may_have_created(observed: Observed, failure: Failure) -> bool:
    """Return whether a Create without an answer may have had its effect: until AWS answers, the spec stays as it is."""
    if failure.during is During.CREATE and failure.error is not None and failure.error.ambiguous:
        return True
    return is_unconfirmed(observed) and failure.error_class is ErrorClass.RETRYABLE


def is_unconfirmed(observed: Observed) -> bool:
    """Return whether the status shows that a Create may have had its effect."""
    return observed.reasons.get(reasons.RECONCILING) == reasons.CREATION_UNCONFIRMED


def is_quota(code: str) -> bool:
    """Return whether an error of class QUOTA is about a limit, and not about something that does not exist."""
    return "Limit" in code or "Quota" in code


def is_missing(error_class: ErrorClass, code: str) -> bool:
    """Return whether an error means that something that the request refers to does not exist."""
    return error_class is ErrorClass.QUOTA and not is_quota(code)


def record_of(observed: Observed, external: ExternalResource) -> Recorded:
    """Return the record of the resource with our name, by its ARN `arn:partition:service:region:account:resource`.

    Where only a generated name shows that it is ours, the owner tags are still to be read. What the predecessor has
    created has none: its status has a value and no conditions.
    """
    has_tags = bool(observed.reasons) or not observed.shown
    is_known = observed.owner is not Ownership.UNKNOWN or observed.is_legacy or observed.policy.read_only
    is_unverified = observed.has_owner_tags and not is_known
    _, partition, _, region, account, *_ = (*external.arn.split(":", 5), "", "", "", "", "")
    return Recorded(
        name=external.arn if observed.descriptor.name.by_aws else observed.name,
        region=region,
        partition=partition,
        arn=external.arn,
        account_id=account,
        created_at=external.created_at or observed.now,
        creation_time=external.created_at,
        is_unverified=is_unverified,
        tags=UNREAD if is_unverified and has_tags else "",
        owner_uid=observed.uid,
        content=observed.content,
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


def doubt_left_s(observed: Observed, deleting_for_s: float) -> float:
    """Return how long "not found" is still not trusted of an object that is being deleted; 0: it is."""
    doubt_s = min(deleting_for_s, DOUBT_S if observed.doubt_for_s is None else observed.doubt_for_s)
    return max(DOUBT_S - doubt_s, 0.0)


def operator_value(observed: Observed, error_class: ErrorClass) -> str:
    """Return the v1 status value of an object that the operator cannot reconcile (v1-kinds.md 6)."""
    rule = observed.descriptor.status
    return rule.reconciling if error_class is ErrorClass.RETRYABLE or not rule.refused else rule.refused
