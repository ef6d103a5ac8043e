"""The life-cycle of jobs: created once, followed to their end, stopped when their object is deleted.

Pure: no I/O, no clock, no randomness, no logging. `decide` is level-based: it depends on the state, not on events, so
a pass may be cut off after any step and run again. Rows cited are those of v1-kinds.md 12.1.
"""

from dataclasses import replace
from typing import Final, TypeAlias

from api.convert import to_status
from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.identity import (
    identified,
    is_contradicted,
    is_of_another,
    is_replaced,
    left_alone,
    replaced,
    takes_over,
    unproven,
)
from controller.reconcile.job import changes
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.observation import Adoption, ExternalResource, Mutation, Observed, Ownership, Recorded, Source
from controller.reconcile.shared_decisions import (
    DOUBT_S,
    LOOK_AGAIN_S,
    failed,
    foreign,
    is_unconfirmed,
    may_be_invisible,
    nothing_to_adopt,
    ownership_of,
    paused,
    record_of,
    retain,
    unseen,
    waits,
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
    RecordChange,
    RemoveFinalizer,
    StatusUpdate,
    Stop,
    UpdateJob,
    VerifyOwner,
)
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT

UNKNOWN_VALUE_POLL_S: Final = 300.0
RULES_POLL_S: Final = 45.0
"""Debugger rules are shown within a minute. List does not show them, and they continue after the end of the job
(v1-kinds.md 6.8)."""
RULES_FIRST_POLL_S: Final = 10.0
"""After the end: most rules end seconds after their job. Doubled until it is `RULES_POLL_S`."""

JobStep: TypeAlias = (
    EnsureFinalizer
    | Describe
    | VerifyOwner
    | Create
    | Stop
    | UpdateJob
    | RecordChange
    | PutTags
    | DropTags
    | DeleteExpired
    | RemoveFinalizer
    | Finish
)


def decide(observed: JobObservation) -> JobStep:
    """Return the next step. At most one `Create` or `Stop` per pass."""
    return identified(observed.base, _decide(observed))


def _decide(observed: JobObservation) -> JobStep:
    base = observed.base
    if base.deleting_for_s is not None and base.policy.retain:
        return retain(base)
    if base.policy.paused and not base.is_ended:
        return paused(base)
    if base.failure is not None:
        return failed(base, base.failure)
    if not (base.is_ended and base.change is None) and (step := unproven(base)) is not None:
        return step
    if base.deleting_for_s is not None:
        return _deleting(observed, base.deleting_for_s)
    return _living(observed)


# --- objects that are wanted


def _living(observed: JobObservation) -> JobStep:
    base = observed.base
    if base.is_ended:
        return _ended(observed)
    if not (base.has_finalizer and base.is_name_persisted):
        next_step = _living(observed.with_base(replace(base, has_finalizer=True, is_name_persisted=True)))
        # An object of which no request can be made does not wait: its creation says why.
        creates = isinstance(next_step, Create) and base.content != "" and base.hold_s is None
        return EnsureFinalizer(before=Create() if creates else None)
    if is_replaced(base):
        if takes_over(base) and isinstance(base.external, ExternalResource):
            return _adopted(observed.with_base(replace(base, is_recorded_in_status=False)), base.external)
        if not _is_history(base):
            return replaced(base, None)
    if base.recorded is not None:
        return _created(observed, base.recorded)
    return _not_created(observed)


def _is_history(observed: Observed) -> bool:
    """Return whether it is an ended job, older than its object: the predecessor showed those, and nothing is done."""
    external, terminal = observed.external, observed.descriptor.status.terminal
    is_ended = isinstance(external, ExternalResource) and external.value in terminal
    return observed.is_legacy and is_ended and is_of_another(observed)


def _not_created(observed: JobObservation) -> JobStep:
    """Create or adopt the job; the predecessor's objects may have one already (rows 1, 13 and 18)."""
    base, external = observed.base, observed.base.external
    if external is None:
        # Name and finalizer are in place: to create first, and describe only if the name is taken, saves a call per
        # job and is as safe. The predecessor's objects may own a job already: describe first.
        was_taken = base.reasons.get(reasons.STALLED) == reasons.ALREADY_EXISTS
        may_exist = base.name_is_taken or was_taken or base.is_legacy or observed.is_token_old
        must_look = may_exist or base.policy.adoption is Adoption.ADOPT
        return Describe(background=base.is_legacy or was_taken) if must_look else _create(base)
    if external is ABSENT:
        if base.policy.adoption is Adoption.ADOPT:
            return nothing_to_adopt(base)
        if base.name_is_taken:
            return unseen(base)
        if base.is_legacy and base.shown not in messages.operator_values(base):
            return _gone(base)  # row 3: created by the predecessor, and gone
        return _create(base)
    match ownership_of(base):
        case Ownership.OURS:
            return _adopted(observed, external)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:
            return foreign(base) if base.policy.adoption is Adoption.REFUSE else _adopted(observed, external)


def _create(observed: Observed) -> Create | Finish:
    """Create the job, or wait for what its spec names; a creation that may have had its effect is confirmed first."""
    return waits(observed) if observed.waits_for and not is_unconfirmed(observed) else Create()


def _adopted(observed: JobObservation, external: ExternalResource) -> JobStep:
    """Record a job that an earlier pass created, or that is to be adopted (row 18)."""
    base = observed.base
    recorded = record_of(base, external)
    return _created(observed.with_base(replace(base, recorded=recorded)), recorded)


def _created(observed: JobObservation, recorded: Recorded) -> JobStep:
    """Show the state of the created job (rows 3, 5, 6, 8 to 10 and 12)."""
    base, external = observed.base, observed.base.external
    if not (base.is_recorded_in_status or isinstance(external, ExternalResource)):
        return _record(base, recorded)
    is_tagged = (recorded.tags, recorded.tag_keys) == (base.tags.digest, base.tags.keys)
    if not is_tagged and (tags := tagging.step(base)) is not None:
        return tags
    if base.change is not None and (change := changes.step(base)) is not None:
        return change
    rules_in_s = _rules_due_in_s(observed, recorded) if observed.are_rules_open else None
    is_describe_due = base.is_describe_due or rules_in_s == 0.0
    if external is None:
        if is_describe_due:
            return Describe(background=True)
        is_over = base.hold_s is not None and base.reasons.get(reasons.STALLED) == reasons.FOREIGN_RESOURCE
        return Finish(follow=not is_over, again_s=rules_in_s)
    if external is ABSENT:
        return _missing(base, recorded)
    if external.value in base.descriptor.status.terminal and external.source is Source.SUMMARY:
        return Describe()  # a summary has no failure reason, no artifacts, no rules
    if is_describe_due and external.source is Source.SUMMARY:
        return Describe(background=not observed.is_end_expected)
    return _show(observed, recorded, external)


def _record(observed: Observed, recorded: Recorded) -> JobStep:
    """Record the created job. The status is `StatusRule.running` without a Describe: every created job starts so."""
    rule = observed.descriptor.status
    secondary = rule.initial.get(rule.secondary_member) if rule.secondary_member else None
    status_update = StatusUpdate(
        phase=Phase.WORKING,
        reason=rule.running,
        value=rule.running,
        secondary=secondary,
        message=_progress(rule.running, secondary or ""),  # as the first List will show it, which is no change then
        fields=to_status(observed.descriptor, rule.initial),
    )
    events = () if observed.is_announced else (messages.created(observed, recorded),)
    return Finish(status_update=status_update, recorded=recorded, events=events, follow=True)


def _show(observed: JobObservation, recorded: Recorded, external: ExternalResource) -> JobStep:
    base = observed.base
    rule = base.descriptor.status
    is_known = base.is_recorded_in_status or base.is_announced or base.is_legacy
    events = [] if is_known else [messages.created(base, recorded)]
    synced = base.reasons.get(reasons.SYNCED)
    if base.edited and synced not in {reasons.SPEC_IMMUTABLE, reasons.SPAWN_FAILED}:
        events.append(Event("Warning", reasons.SPEC_IMMUTABLE, messages.immutable_notice(base, external.value)))
    if base.spawn_error and synced != reasons.SPAWN_FAILED:
        events.append(Event("Warning", reasons.SPAWN_FAILED, base.spawn_error))
    status_update = _status_update(base, external)
    events += messages.issues_found(observed.issues, external)
    ends = external.value in rule.terminal
    if not ends:
        events += messages.status_changed(base, external.value)
    elif not _had_ended(base, external):
        events.append(messages.ended(base, external))
    return Finish(
        status_update=status_update,
        recorded=recorded,
        events=tuple(events),
        follow=not ends,
        again_s=_again_s(observed, external, recorded),
    )


def _had_ended(observed: Observed, external: ExternalResource) -> bool:
    """Return whether a job had ended before it was taken over, from the predecessor or by adoption: no news."""
    if observed.is_recorded_in_status:
        return False
    was_shown = observed.is_legacy and observed.shown == external.value
    return was_shown or (observed.owner is Ownership.FOREIGN and observed.policy.adoption is not Adoption.REFUSE)


def _again_s(observed: JobObservation, external: ExternalResource, recorded: Recorded | None) -> float | None:
    """Return the delay after which to reconcile again, for changes that the tracker cannot see."""
    rule = observed.base.descriptor.status
    if external.value in rule.terminal:
        return _rules_pause_s(observed) if messages.rules_running(external.fields) else None
    if observed.summary is not None and observed.summary.value in rule.terminal:
        return LOOK_AGAIN_S  # List shows the end already, Describe does not yet
    if external.value not in {rule.running, rule.stopping}:
        return UNKNOWN_VALUE_POLL_S
    return _rules_due_in_s(observed, recorded) if observed.are_rules_open else None


def _rules_due_in_s(observed: JobObservation, recorded: Recorded | None) -> float:
    """Return the delay until the debugger rules of a job that runs are due."""
    since_s = observed.described_ago_s
    if since_s is None and recorded is not None and recorded.created_at is not None:
        since_s = (observed.base.now - recorded.created_at).total_seconds()
    return max(RULES_POLL_S - since_s, 0.0) if since_s is not None else 0.0


def _rules_pause_s(observed: JobObservation) -> float:
    """Return the delay between two polls of the rules of a job that has ended."""
    return min(max(observed.base.ended_ago_s or 0.0, RULES_FIRST_POLL_S), RULES_POLL_S)


def _progress(value: str, secondary: str) -> str:
    """Return the message for a job that runs."""
    return f"The job is {value}: {secondary}" if secondary not in {"", value} else f"The job is {value}"


def _status_update(observed: Observed, external: ExternalResource) -> StatusUpdate:
    rule = observed.descriptor.status
    phase, message = Phase.WORKING, _progress(external.value, external.secondary)
    if external.value == rule.completed:
        phase, message = Phase.DONE, "The job has completed"
    elif external.value == rule.failed:
        phase, message = Phase.ENDED, messages.failed_job(shortened(external.failure_reason, messages.BRIEF))
    elif external.value in rule.terminal:
        phase, message = Phase.ENDED, f"The job has ended: it is {external.value}"
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


def _ended(observed: JobObservation) -> JobStep:
    """Follow a job after its end, and delete its object when the TTL has passed (rows 9 and 10).

    The time counts from the end in the status, as for `ttlSecondsAfterFinished` of Jobs (batch/v1). The job itself is
    not touched. A name that is gone from the spec, as after `kubectl replace`, is filled in again.
    """
    base = observed.base
    if not (base.is_name_persisted or base.policy.paused):
        return EnsureFinalizer()
    step = changes.step(base) or _after_end(observed)
    if base.policy.ttl_s is None or base.ended_ago_s is None or base.policy.paused:
        return step
    left_s = base.policy.ttl_s - base.ended_ago_s
    if left_s <= 0:
        return DeleteExpired()
    if not isinstance(step, Finish):
        return step
    return replace(step, again_s=left_s if step.again_s is None else min(left_s, step.again_s))


def _after_end(observed: JobObservation) -> JobStep:
    """Return the step after the end: debugger rules are followed, and a user may request a Describe."""
    base = observed.base
    if base.is_reconcile_requested and base.is_describe_due and not base.policy.paused:
        return Describe()
    is_described = isinstance(base.external, ExternalResource) and base.external.is_fresh
    is_wanted = observed.rules_running or base.is_reconcile_requested or is_described
    if not is_wanted or is_contradicted(base):
        return Finish()
    if isinstance(base.external, ExternalResource) and base.external.source is Source.DESCRIPTION:
        events = tuple(messages.issues_found(observed.issues, base.external))
        return Finish(
            status_update=_status_update(base, base.external),
            events=events,
            again_s=_again_s(observed, base.external, base.recorded),
        )
    if base.external is ABSENT or not observed.rules_running:
        return Finish()
    if observed.described_ago_s is not None and observed.described_ago_s < (pause_s := _rules_pause_s(observed)):
        return Finish(again_s=pause_s - observed.described_ago_s)
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


def _deleting(observed: JobObservation, deleting_for_s: float) -> JobStep:
    base = observed.base
    if not base.has_finalizer:
        return Finish()
    if is_replaced(base):
        return _leave_alone(base)
    if base.recorded is not None:
        return RemoveFinalizer() if base.is_ended else _end(observed, base.recorded)
    external = base.external
    if external is None:
        return Describe()
    if external is ABSENT:
        doubt_s = min(deleting_for_s, DOUBT_S if base.doubt_for_s is None else base.doubt_for_s)
        if doubt_s < DOUBT_S and not base.was_refused:
            return Finish(again_s=DOUBT_S - doubt_s)
        return RemoveFinalizer()  # row 2: never created
    match ownership_of(base):
        case Ownership.OURS:
            recorded = record_of(base, external)
            return _end(observed.with_base(replace(base, recorded=recorded)), recorded)
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:  # row 14: not created by this object
            return _leave_alone(base)


def _end(observed: JobObservation, recorded: Recorded) -> JobStep:
    """Stop our job, wait for its end, remove the finalizer (rows 4, 7, 8, 11 and 12)."""
    base = observed.base
    external, rule = base.external, base.descriptor.status
    if external is None:
        return _stopping(base, recorded) if base.mutation is Mutation.STOPPED else Describe()
    if external is ABSENT:
        if may_be_invisible(base, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return RemoveFinalizer()
    if external.value in rule.terminal:
        return RemoveFinalizer()
    if base.is_describe_due and external.source is Source.SUMMARY and base.mutation is not Mutation.STOPPED:
        return Describe(background=not observed.is_end_expected)  # no List shows its end
    if external.value != rule.running:
        again_s = None if external.value == rule.stopping else UNKNOWN_VALUE_POLL_S
        return Finish(_status_update(base, external), recorded, follow=True, again_s=again_s)
    if base.mutation is Mutation.STOPPED:
        return _stopping(base, recorded)
    if external.source is Source.SUMMARY and base.shown == rule.stopping:
        return Finish(follow=True)  # the summary is older than our Stop
    if observed.stop_was_refused:
        return Finish(follow=True, again_s=LOOK_AGAIN_S)  # refused in a state that Describe does not show yet
    if base.is_spawned and base.owner is not Ownership.OURS:
        # Any user who may create objects may write an owner reference and an annotation that name any job.
        return VerifyOwner(external.arn or recorded.arn) if base.owner is Ownership.UNKNOWN else _leave_alone(base)
    return Stop()


def _leave_alone(observed: Observed) -> JobStep:
    return RemoveFinalizer((left_alone(observed),))


def _stopping(observed: Observed, recorded: Recorded) -> JobStep:
    stopping = observed.descriptor.status.stopping
    status_update = StatusUpdate(
        Phase.WORKING, stopping, "SageMaker was requested to stop the job", value=stopping, secondary=""
    )
    event = Event("Normal", reasons.STOPPING, f"SageMaker was requested to stop {recorded.name}")
    return Finish(status_update, recorded, (event,), follow=True)
