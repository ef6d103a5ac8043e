"""The life-cycle of jobs: created once, followed to their end, stopped when their object is deleted.

Pure: no I/O, no clock, no randomness, no logging. `decide` is level-based: it asks what is, never what happened, so
a pass may be cut off after any step and run again. The rows cited are those of v1-kinds.md 12.1.
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
"""The AWS status of a job that runs, for all job kinds; also what a job is that was created a moment ago."""

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


def decide(seen: Observed) -> JobStep:
    """The next step for a job object. At most one `Create` or `Stop` per pass; a hold lets no AWS call through."""
    return respecting_hold(seen, _decide(seen))


def _decide(seen: Observed) -> JobStep:
    if seen.deleting_for_s is not None and seen.policy.retain:
        return retain(seen)
    if seen.policy.paused and not seen.is_ended:
        return paused(seen)
    if seen.failure is not None:
        return failed(seen, seen.failure)
    if seen.deleting_for_s is not None:
        return _deleting(seen, seen.deleting_for_s)
    return _living(seen)


# --- objects that are wanted


def _living(seen: Observed) -> JobStep:
    if seen.is_ended:
        return _ended(seen)
    if not (seen.has_finalizer and seen.is_name_persisted):
        return EnsureFinalizer()
    if seen.recorded is not None:
        return _created(seen, seen.recorded)
    return _not_created(seen)


def _not_created(seen: Observed) -> JobStep:
    """Rows 1, 13 and 18, and objects that the predecessor has left behind."""
    external = seen.external
    if external is None:
        # The names and the finalizer are in place: Create first and look only if the name is taken saves a call
        # per job, and is as safe. The predecessor's objects may own something already: look first.
        must_look = seen.name_is_taken or seen.is_legacy or seen.policy.adoption is Adoption.ADOPT
        return Describe(background=seen.is_legacy) if must_look else Create()
    if external is ABSENT:
        if seen.policy.adoption is Adoption.ADOPT:
            return nothing_to_adopt(seen)
        if seen.name_is_taken:  # exists for Create, not yet for Describe (D-07b)
            return Finish(again_s=LOOK_AGAIN_S)
        if seen.is_legacy and seen.shown not in operator_values(seen):
            return _gone(seen)  # row 3
        return Create()
    match ownership_of(seen):
        case Ownership.OURS:
            return _adopted(seen, external)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:
            return foreign(seen) if seen.policy.adoption is Adoption.REFUSE else _adopted(seen, external)


def _adopted(seen: Observed, external: ExternalResource) -> JobStep:
    """Row 18: an earlier attempt of ours created it; or its adoption is asked for."""
    recorded = record_of(seen, external)
    return _created(replace(seen, recorded=recorded), recorded)


def _created(seen: Observed, recorded: Recorded) -> JobStep:
    """Rows 3, 5, 6, 8 to 10 and 12: what the object created is shown as AWS tells it."""
    external = seen.external
    if not (seen.is_recorded_in_status or isinstance(external, ExternalResource)):
        return _record(seen, recorded)
    if (tags := tagging.step(seen)) is not None:
        return tags
    if external is None:
        if seen.is_describe_due:
            return Describe(background=True)
        return Finish(follow=True)
    if external is ABSENT:
        return _missing(seen, recorded)
    if external.value in seen.descriptor.status.terminal and external.source is Source.SUMMARY:
        return Describe()  # a summary has no failure reason, no artifacts, no rules
    if seen.is_describe_due and external.source is Source.SUMMARY:
        return Describe(background=True)
    return _show(seen, recorded, external)


def _record(seen: Observed, recorded: Recorded) -> JobStep:
    """Create has answered. The status says `InProgress` without asking: that is what a created job is."""
    status_update = StatusUpdate(phase=Phase.WORKING, reason=IN_PROGRESS, value=IN_PROGRESS, message="created")
    events = () if seen.is_announced else (messages.created(seen, recorded),)
    return Finish(status_update=status_update, recorded=recorded, events=events, follow=True)


def _show(seen: Observed, recorded: Recorded, external: ExternalResource) -> JobStep:
    rule = seen.descriptor.status
    is_known = seen.is_recorded_in_status or seen.is_announced or seen.is_legacy
    events = [] if is_known else [messages.created(seen, recorded)]
    told = seen.reasons.get(reasons.SYNCED)
    if seen.edited and told not in {reasons.SPEC_IMMUTABLE, reasons.SPAWN_FAILED}:
        events.append(Event("Warning", reasons.SPEC_IMMUTABLE, messages.immutable_notice(seen, external.value)))
    if seen.lacking and told != reasons.SPAWN_FAILED:
        events.append(Event("Warning", reasons.SPAWN_FAILED, seen.lacking))
    status_update = _status_update(seen, external)
    events += messages.issues_found(seen, external)
    ends = external.value in rule.terminal
    events += [messages.ended(seen, external)] if ends else status_changed(seen, external.value)
    return Finish(
        status_update=status_update,
        recorded=recorded,
        events=tuple(events),
        follow=not ends,
        again_s=_again_s(seen, external),
    )


def _again_s(seen: Observed, external: ExternalResource) -> float | None:
    """The tracker wakes for changes; what it cannot see is looked at again by time."""
    rule = seen.descriptor.status
    if external.value in rule.terminal:
        return RULES_POLL_S if messages.rules_running(external.fields) else None
    if seen.summary is not None and seen.summary.value in rule.terminal:
        return LOOK_AGAIN_S  # List knows of the end already, Describe does not yet
    return None if external.value in {IN_PROGRESS, rule.stopping} else UNKNOWN_VALUE_POLL_S


def _status_update(seen: Observed, external: ExternalResource) -> StatusUpdate:
    rule = seen.descriptor.status
    phase, message = Phase.WORKING, external.secondary
    if external.value == rule.completed:
        phase, message = Phase.DONE, ""
    elif external.value in rule.terminal:
        phase, message = Phase.ENDED, external.failure_reason
    notices = (
        messages.immutable_notice(seen, external.value) if seen.edited else external.failure_reason,
        seen.lacking,
    )
    return StatusUpdate(
        phase=phase,
        reason=messages.reason_of(external.value),
        message=message,
        value=external.value,
        secondary="" if external.value == rule.stopping else external.secondary,  # v1-kinds.md 6.1
        additional="; ".join(filter(None, notices)),
        fields=external.fields,
        synced=reasons.SPAWN_FAILED if seen.lacking else reasons.SPEC_IMMUTABLE if seen.edited else reasons.SYNCED,
    )


def _ended(seen: Observed) -> JobStep:
    """Rows 9 and 10. The object goes when its time is over, counted from the end that its status tells: the rule of
    `ttlSecondsAfterFinished` of Jobs (batch/v1). It is cleaned up, the job is not touched: only objects are.
    """
    step = _after_end(seen)
    if seen.policy.ttl_s is None or seen.ended_ago_s is None or seen.policy.paused:
        return step
    left_s = seen.policy.ttl_s - seen.ended_ago_s
    if left_s <= 0:
        return DeleteExpired()
    if not isinstance(step, Finish):
        return step
    return replace(step, again_s=left_s if step.again_s is None else min(left_s, step.again_s))


def _after_end(seen: Observed) -> JobStep:
    """Nothing to do any more, but debugger rules are followed to their end, and a user may ask for a look."""
    if seen.is_asked and seen.is_describe_due and not seen.policy.paused:
        return Describe()
    if not (seen.rules_running or seen.is_asked):
        return Finish()
    if isinstance(seen.external, ExternalResource) and seen.external.source is Source.DESCRIPTION:
        events = tuple(messages.issues_found(seen, seen.external))
        return Finish(
            status_update=_status_update(seen, seen.external), events=events, again_s=_again_s(seen, seen.external)
        )
    if seen.external is ABSENT or not seen.rules_running:
        return Finish()
    if seen.described_ago_s is not None and seen.described_ago_s < RULES_POLL_S:
        return Finish(again_s=RULES_POLL_S - seen.described_ago_s)
    return Describe(background=True)


def _missing(seen: Observed, recorded: Recorded) -> JobStep:
    if may_be_invisible(seen, recorded):
        return Finish(follow=True, again_s=LOOK_AGAIN_S)
    return _gone(seen)


def _gone(seen: Observed) -> JobStep:
    """Row 3: it once existed and SageMaker does not know it. Never create again: report (D-08)."""
    message = (
        f"SageMaker does not know {seen.name}, which this object created. It is not created again; check that the"
        " operator's credentials belong to the right account."
    )
    recorded = seen.recorded or Recorded(name=seen.name, region="", partition="")
    status_update = StatusUpdate(Phase.STUCK, reasons.NOT_FOUND, message, additional=message, synced=reasons.NOT_FOUND)
    return Finish(
        status_update,
        recorded,
        messages.once(seen, reasons.STALLED, reasons.NOT_FOUND, message),
        outcome=Outcome.TERMINAL,
    )


# --- objects that are being deleted


def _deleting(seen: Observed, deleting_for_s: float) -> JobStep:
    if not seen.has_finalizer:
        return Finish()
    if seen.recorded is not None:
        return RemoveFinalizer() if seen.is_ended else _end(seen, seen.recorded)
    external = seen.external
    if external is None:
        return Describe()
    if external is ABSENT:
        doubt_s = min(deleting_for_s, DOUBT_S if seen.doubt_for_s is None else seen.doubt_for_s)
        if doubt_s < DOUBT_S and not seen.was_refused:
            return Finish(again_s=DOUBT_S - doubt_s)
        return RemoveFinalizer()  # row 2
    match ownership_of(seen):
        case Ownership.OURS:
            recorded = record_of(seen, external)
            return _end(replace(seen, recorded=recorded), recorded)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:  # row 14
            return _leave_alone(seen)


def _end(seen: Observed, recorded: Recorded) -> JobStep:
    """Rows 4, 7, 8, 11 and 12: stop what is ours, wait for its end, let go."""
    external, rule = seen.external, seen.descriptor.status
    if external is None:
        return _stopping(seen, recorded) if seen.mutation is Mutation.STOPPED else Describe()
    if external is ABSENT:
        if may_be_invisible(seen, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return RemoveFinalizer()
    if external.value in rule.terminal:
        return RemoveFinalizer()
    if external.value != IN_PROGRESS:
        again_s = None if external.value == rule.stopping else UNKNOWN_VALUE_POLL_S
        return Finish(_status_update(seen, external), recorded, follow=True, again_s=again_s)
    if seen.mutation is Mutation.STOPPED:
        return _stopping(seen, recorded)
    if external.source is Source.SUMMARY and seen.shown == rule.stopping:
        return Finish(follow=True)  # the summary is older than our Stop
    if seen.stop_was_refused:
        return Finish(follow=True, again_s=LOOK_AGAIN_S)  # refused in a state that Describe does not show yet
    if seen.is_spawned and seen.owner is not Ownership.OURS:
        # Anybody who may create objects may write an owner reference and an annotation that name any job.
        return VerifyOwner(external.arn or recorded.arn) if seen.owner is Ownership.UNKNOWN else _leave_alone(seen)
    return Stop()


def _leave_alone(seen: Observed) -> JobStep:
    message = f"{seen.name} was not created by this object and is left alone"
    return RemoveFinalizer((Event("Normal", reasons.RETAINED, message),))


def _stopping(seen: Observed, recorded: Recorded) -> JobStep:
    stopping = seen.descriptor.status.stopping
    status_update = StatusUpdate(Phase.WORKING, stopping, "stop requested", value=stopping, secondary="")
    event = Event("Normal", reasons.STOPPING, f"Stop of {recorded.name} requested")
    return Finish(status_update, recorded, (event,), follow=True)
