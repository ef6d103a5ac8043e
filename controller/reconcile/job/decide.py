"""The life-cycle of jobs: created once, followed to their end, stopped when their object is deleted.

Pure: no I/O, no clock, no randomness, no logging. `decide` is level-based: it depends on the state, not on events, so
a pass may be cut off after any step and run again. Rows cited are those of v1-kinds.md 12.1.
"""

from dataclasses import replace
from typing import Final, TypeAlias

from controller.reconcile import reasons
from controller.reconcile.observation import Adoption, ExternalResource, Mutation, Observed, Ownership, Recorded, Source
from controller.reconcile.shared_decisions import (
    DOUBT_S,
    LOOK_AGAIN_S,
    failed,
    foreign,
    may_be_invisible,
    nothing_to_adopt,
    operator_values,
    ownership_of,
    paused,
    record_of,
    respecting_hold,
    retain,
    status_changed,
)
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    Create,
    DeleteExpired,
    Describe,
    DropTags,
    EnsureFinalizer,
    Event,
    Finish,
    Outcome,
    Phase,
    PutTags,
    RemoveFinalizer,
    StatusUpdate,
    Stop,
    VerifyOwner,
)
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT

IN_PROGRESS: Final = "InProgress"
"""The AWS status of a running job, for all job kinds; also of a job that was just created."""

UNKNOWN_VALUE_POLL_S: Final = 300.0
RULES_POLL_S: Final = 60.0
"""Debugger rules continue after the end of the job, and List does not show them (v1-kinds.md 6.8)."""

JobStep: TypeAlias = (
    EnsureFinalizer
    | Describe
    | VerifyOwner
    | Create
    | Stop
    | PutTags
    | DropTags
    | DeleteExpired
    | RemoveFinalizer
    | Finish
)


def decide(observed: Observed) -> JobStep:
    """Return the next step. At most one `Create` or `Stop` per pass; no AWS call during a hold."""
    return respecting_hold(observed, _decide(observed))


def _decide(observed: Observed) -> JobStep:
    if observed.deleting_for_s is not None and observed.policy.retain:
        return retain(observed)
    if observed.policy.paused and not observed.is_ended:
        return paused(observed)
    if observed.failure is not None:
        return failed(observed, observed.failure)
    if observed.deleting_for_s is not None:
        return _deleting(observed, observed.deleting_for_s)
    return _living(observed)


# --- objects that are wanted


def _living(observed: Observed) -> JobStep:
    if observed.is_ended:
        return _ended(observed)
    if not (observed.has_finalizer and observed.is_name_persisted):
        return EnsureFinalizer()
    if observed.recorded is not None:
        return _created(observed, observed.recorded)
    return _not_created(observed)


def _not_created(observed: Observed) -> JobStep:
    """Create or adopt the job; the predecessor's objects may have one already (rows 1, 13 and 18)."""
    external = observed.external
    if external is None:
        # Name and finalizer are in place: to create first, and describe only if the name is taken, saves a call per
        # job and is as safe. The predecessor's objects may own a job already: describe first.
        must_look = observed.name_is_taken or observed.is_legacy or observed.policy.adoption is Adoption.ADOPT
        return Describe(background=observed.is_legacy) if must_look else Create()
    if external is ABSENT:
        if observed.policy.adoption is Adoption.ADOPT:
            return nothing_to_adopt(observed)
        if observed.name_is_taken:  # exists for Create, not yet for Describe (D-07b)
            return Finish(again_s=LOOK_AGAIN_S)
        if observed.is_legacy and observed.shown not in operator_values(observed):
            return _gone(observed)  # row 3: created by the predecessor, and gone
        return Create()
    match ownership_of(observed):
        case Ownership.OURS:
            return _adopted(observed, external)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:
            return foreign(observed) if observed.policy.adoption is Adoption.REFUSE else _adopted(observed, external)


def _adopted(observed: Observed, external: ExternalResource) -> JobStep:
    """Record a job that an earlier pass created, or that is to be adopted (row 18)."""
    recorded = record_of(observed, external)
    return _created(replace(observed, recorded=recorded), recorded)


def _created(observed: Observed, recorded: Recorded) -> JobStep:
    """Show the state of the created job (rows 3, 5, 6, 8 to 10 and 12)."""
    external = observed.external
    if not (observed.is_recorded_in_status or isinstance(external, ExternalResource)):
        return _record(observed, recorded)
    if (tags := tagging.step(observed)) is not None:
        return tags
    if external is None:
        if observed.is_describe_due:
            return Describe(background=True)
        return Finish(follow=True)
    if external is ABSENT:
        return _missing(observed, recorded)
    if external.value in observed.descriptor.status.terminal and external.source is Source.SUMMARY:
        return Describe()  # a summary has no failure reason, no artifacts, no rules
    if observed.is_describe_due and external.source is Source.SUMMARY:
        return Describe(background=True)
    return _show(observed, recorded, external)


def _record(observed: Observed, recorded: Recorded) -> JobStep:
    """Record the created job. The status is `InProgress` without a Describe: every created job starts so."""
    status_update = StatusUpdate(phase=Phase.WORKING, reason=IN_PROGRESS, value=IN_PROGRESS, message="created")
    events = () if observed.is_announced else (messages.created(observed, recorded),)
    return Finish(status_update=status_update, recorded=recorded, events=events, follow=True)


def _show(observed: Observed, recorded: Recorded, external: ExternalResource) -> JobStep:
    rule = observed.descriptor.status
    is_known = observed.is_recorded_in_status or observed.is_announced or observed.is_legacy
    events = [] if is_known else [messages.created(observed, recorded)]
    synced = observed.reasons.get(reasons.SYNCED)
    if observed.edited and synced not in {reasons.SPEC_IMMUTABLE, reasons.SPAWN_FAILED}:
        events.append(Event("Warning", reasons.SPEC_IMMUTABLE, messages.immutable_notice(observed, external.value)))
    if observed.spawn_error and synced != reasons.SPAWN_FAILED:
        events.append(Event("Warning", reasons.SPAWN_FAILED, observed.spawn_error))
    status_update = _status_update(observed, external)
    events += messages.issues_found(observed, external)
    ends = external.value in rule.terminal
    events += [messages.ended(observed, external)] if ends else status_changed(observed, external.value)
    return Finish(
        status_update=status_update,
        recorded=recorded,
        events=tuple(events),
        follow=not ends,
        again_s=_again_s(observed, external),
    )


def _again_s(observed: Observed, external: ExternalResource) -> float | None:
    """Return the delay after which to reconcile again, for changes that the tracker cannot see."""
    rule = observed.descriptor.status
    if external.value in rule.terminal:
        return RULES_POLL_S if messages.rules_running(external.fields) else None
    if observed.summary is not None and observed.summary.value in rule.terminal:
        return LOOK_AGAIN_S  # List shows the end already, Describe does not yet
    return None if external.value in {IN_PROGRESS, rule.stopping} else UNKNOWN_VALUE_POLL_S


def _status_update(observed: Observed, external: ExternalResource) -> StatusUpdate:
    rule = observed.descriptor.status
    phase, message = Phase.WORKING, external.secondary
    if external.value == rule.completed:
        phase, message = Phase.DONE, ""
    elif external.value in rule.terminal:
        phase, message = Phase.ENDED, external.failure_reason
    notices = (
        messages.immutable_notice(observed, external.value) if observed.edited else external.failure_reason,
        observed.spawn_error,
    )
    return StatusUpdate(
        phase=phase,
        reason=messages.reason_of(external.value),
        message=message,
        value=external.value,
        secondary="" if external.value == rule.stopping else external.secondary,  # v1-kinds.md 6.1
        additional="; ".join(filter(None, notices)),
        fields=external.fields,
        synced=reasons.SPAWN_FAILED
        if observed.spawn_error
        else reasons.SPEC_IMMUTABLE
        if observed.edited
        else reasons.SYNCED,
    )


def _ended(observed: Observed) -> JobStep:
    """Follow a job after its end, and delete its object when the TTL has passed (rows 9 and 10).

    The time counts from the end in the status, as for `ttlSecondsAfterFinished` of Jobs (batch/v1). The job itself is
    not touched.
    """
    step = _after_end(observed)
    if observed.policy.ttl_s is None or observed.ended_ago_s is None or observed.policy.paused:
        return step
    left_s = observed.policy.ttl_s - observed.ended_ago_s
    if left_s <= 0:
        return DeleteExpired()
    if not isinstance(step, Finish):
        return step
    return replace(step, again_s=left_s if step.again_s is None else min(left_s, step.again_s))


def _after_end(observed: Observed) -> JobStep:
    """Return the step after the end: debugger rules are followed, and a user may request a Describe."""
    if observed.is_reconcile_requested and observed.is_describe_due and not observed.policy.paused:
        return Describe()
    if not (observed.rules_running or observed.is_reconcile_requested):
        return Finish()
    if isinstance(observed.external, ExternalResource) and observed.external.source is Source.DESCRIPTION:
        events = tuple(messages.issues_found(observed, observed.external))
        return Finish(
            status_update=_status_update(observed, observed.external),
            events=events,
            again_s=_again_s(observed, observed.external),
        )
    if observed.external is ABSENT or not observed.rules_running:
        return Finish()
    if observed.described_ago_s is not None and observed.described_ago_s < RULES_POLL_S:
        return Finish(again_s=RULES_POLL_S - observed.described_ago_s)
    return Describe(background=True)


def _missing(observed: Observed, recorded: Recorded) -> JobStep:
    if may_be_invisible(observed, recorded):
        return Finish(follow=True, again_s=LOOK_AGAIN_S)
    return _gone(observed)


def _gone(observed: Observed) -> JobStep:
    """Report that a job that existed is gone from SageMaker; it is never created again (row 3, D-08)."""
    message = (
        f"SageMaker does not know {observed.name}, which this object created. It is not created again; check that the"
        " operator's credentials belong to the right account."
    )
    recorded = observed.recorded or Recorded(name=observed.name, region="", partition="")
    status_update = StatusUpdate(Phase.STUCK, reasons.NOT_FOUND, message, additional=message, synced=reasons.NOT_FOUND)
    return Finish(
        status_update,
        recorded,
        messages.once(observed, reasons.STALLED, reasons.NOT_FOUND, message),
        outcome=Outcome.TERMINAL,
    )


# --- objects that are being deleted


def _deleting(observed: Observed, deleting_for_s: float) -> JobStep:
    if not observed.has_finalizer:
        return Finish()
    if observed.recorded is not None:
        return RemoveFinalizer() if observed.is_ended else _end(observed, observed.recorded)
    external = observed.external
    if external is None:
        return Describe()
    if external is ABSENT:
        doubt_s = min(deleting_for_s, DOUBT_S if observed.doubt_for_s is None else observed.doubt_for_s)
        if doubt_s < DOUBT_S and not observed.was_refused:
            return Finish(again_s=DOUBT_S - doubt_s)
        return RemoveFinalizer()  # row 2: never created
    match ownership_of(observed):
        case Ownership.OURS:
            recorded = record_of(observed, external)
            return _end(replace(observed, recorded=recorded), recorded)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:  # row 14: not created by this object
            return _leave_alone(observed)


def _end(observed: Observed, recorded: Recorded) -> JobStep:
    """Stop our job, wait for its end, remove the finalizer (rows 4, 7, 8, 11 and 12)."""
    external, rule = observed.external, observed.descriptor.status
    if external is None:
        return _stopping(observed, recorded) if observed.mutation is Mutation.STOPPED else Describe()
    if external is ABSENT:
        if may_be_invisible(observed, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return RemoveFinalizer()
    if external.value in rule.terminal:
        return RemoveFinalizer()
    if external.value != IN_PROGRESS:
        again_s = None if external.value == rule.stopping else UNKNOWN_VALUE_POLL_S
        return Finish(_status_update(observed, external), recorded, follow=True, again_s=again_s)
    if observed.mutation is Mutation.STOPPED:
        return _stopping(observed, recorded)
    if external.source is Source.SUMMARY and observed.shown == rule.stopping:
        return Finish(follow=True)  # the summary is older than our Stop
    if observed.stop_was_refused:
        return Finish(follow=True, again_s=LOOK_AGAIN_S)  # refused in a state that Describe does not show yet
    if observed.is_spawned and observed.owner is not Ownership.OURS:
        # Any user who may create objects may write an owner reference and an annotation that name any job.
        return (
            VerifyOwner(external.arn or recorded.arn) if observed.owner is Ownership.UNKNOWN else _leave_alone(observed)
        )
    return Stop()


def _leave_alone(observed: Observed) -> JobStep:
    message = f"{observed.name} was not created by this object and is left alone"
    return RemoveFinalizer((Event("Normal", reasons.RETAINED, message),))


def _stopping(observed: Observed, recorded: Recorded) -> JobStep:
    stopping = observed.descriptor.status.stopping
    status_update = StatusUpdate(Phase.WORKING, stopping, "stop requested", value=stopping, secondary="")
    event = Event("Normal", reasons.STOPPING, f"Stop of {recorded.name} requested")
    return Finish(status_update, recorded, (event,), follow=True)
