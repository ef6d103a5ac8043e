"""The life-cycle of models and endpoint configurations: there until deleted, replaced by another one when changed.

SageMaker cannot change them. A changed spec gets a resource with a new name; the old one is deleted when nothing uses
it any more (D-21). An annotation lists the names that may exist at AWS, each with a digest of its content, and is
written before the resource is created: a crash at any point leaves no unknown resource.

Pure, level-based. The table is that of v1-kinds.md 12.3.
"""

from dataclasses import replace
from typing import Any, Final

from controller.reconcile import reasons
from controller.reconcile.dependencies import NOTED
from controller.reconcile.identity import identified, unproven
from controller.reconcile.observation import ExternalResource, Observed, Recorded
from controller.reconcile.resource.drift import is_abandoned, is_due, is_replaced, replaced
from controller.reconcile.resource.observation import (
    CREATED,
    DELETING,
    DELETING_LEGACY,
    FOREIGN,
    LEGACY_CONTENT,
    ConfirmOwner,
    ForgetName,
    RecordName,
    ResourceObservation,
    ResourceStep,
    TakeOver,
)
from controller.reconcile.shared_decisions import (
    LOOK_AGAIN_S,
    doubt_left_s,
    drift_shown,
    failed,
    may_be_invisible,
    paused,
    read_only_step,
    record_of,
    retain,
    unseen,
    waits,
)
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    Create,
    Delete,
    Describe,
    Drift,
    Event,
    Finish,
    Phase,
    RemoveFinalizer,
    StatusUpdate,
)
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT

USERS_POLL_S: Final = 5.0
"""How often to check in the store whether a resource that is to be deleted still has users."""


def decide(observed: ResourceObservation) -> ResourceStep:
    """Return the next step. At most one `Create` or `Delete` per pass."""
    step = _decide(observed)
    if isinstance(step, Delete):
        step = step if step.name in observed.confirmed else ConfirmOwner(step.name)
    elif not isinstance(step, RecordName | ForgetName | ConfirmOwner):
        return identified(observed.base, step)
    return step


def _decide(observed: ResourceObservation) -> ResourceStep:
    base = observed.base
    if base.deleting_for_s is not None and base.policy.retain:
        return retain(base)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return failed(base, base.failure)
    if base.deleting_for_s is not None:
        return _deleting(observed, base.deleting_for_s)
    return _living(observed)


# --- objects that are wanted


def _living(observed: ResourceObservation) -> ResourceStep:
    base = observed.base
    if base.policy.read_only:
        is_settled = base.shown == CREATED and observed.is_observed
        return read_only_step(base, lambda _, recorded: _show_read_only(observed, recorded), is_settled=is_settled)
    if base.waits_for:
        return waits(base)
    if observed.handed_over is not None:
        return TakeOver(observed.handed_over)
    if (base.is_legacy or base.is_recorded_in_status) and not observed.claimed:
        return _inherited(observed)
    if observed.inherited:
        return RecordName(min(observed.inherited), LEGACY_CONTENT)
    if base.recorded is not None and base.recorded.name != observed.current and is_abandoned(observed):
        return RecordName(base.recorded.name, FOREIGN)
    if not base.has_finalizer or not observed.current:
        return _record_name(observed, observed.current or observed.next_name)
    if base.recorded is None or base.recorded.name != observed.current:
        return _not_created(observed)
    return _created(observed, base.recorded)


def _record_name(observed: ResourceObservation, name: str) -> RecordName:
    """Record the name for the content of the spec; where the creation follows, it is the creation's turn already."""
    claimed = {**observed.claimed, name: observed.content}
    next_step = _living(replace(observed, base=replace(observed.base, has_finalizer=True), claimed=claimed))
    creates = isinstance(next_step, Create) and observed.base.hold_s is None
    return RecordName(name, observed.content, before=Create() if creates else None)


def _show_read_only(observed: ResourceObservation, recorded: Recorded) -> Finish:
    """Show the resource, whatever the spec says."""
    base = observed.base
    message = "" if observed.legacy_matches else f"{recorded.name} is not what the spec asks for, and stays as it is"
    status_update = StatusUpdate(
        Phase.READY,
        reasons.CREATED,
        message,
        value=CREATED,
        additional=message,
        fields=_arn_field(base, recorded),
        synced=reasons.READ_ONLY if message else reasons.SYNCED,
    )
    is_known = base.is_recorded_in_status or base.is_legacy
    return Finish(status_update, recorded, () if is_known else (messages.found(recorded),))


def _inherited(observed: ResourceObservation) -> ResourceStep:
    """Record the name of an existing resource that no annotation lists, with its content if it matches the spec."""
    base = observed.base
    if base.external is None:
        return Describe(background=True)
    if base.external is ABSENT or observed.legacy_matches:
        return RecordName(base.name, observed.content)
    return RecordName(base.name, LEGACY_CONTENT)


def _not_created(observed: ResourceObservation) -> ResourceStep:
    base = observed.base
    if base.external is None:
        must_look = base.name_is_taken or base.is_legacy or observed.is_taken_over
        return Describe(background=base.is_legacy) if must_look else Create()
    if base.external is ABSENT:
        return unseen(base) if base.name_is_taken else Create()
    return _show(observed, _record(observed, base.external))  # names hold the object's uid: it is ours


def _record(observed: ResourceObservation, external: ExternalResource) -> Recorded:
    found = record_of(observed.base, external)
    return replace(found, name=observed.current)


def _created(observed: ResourceObservation, recorded: Recorded) -> ResourceStep:
    base = observed.base
    if base.external is ABSENT and base.mutation is None:
        if base.name_is_taken:
            return unseen(base)
        if may_be_invisible(base, recorded):
            return Finish(again_s=LOOK_AGAIN_S)
        return Create()  # it was deleted outside the operator, and is wanted
    if base.is_recorded_in_status and base.mutation is None and base.external is None and is_due(base):
        return Describe(background=True)
    if base.mutation is None and (proof := unproven(base)) is not None:
        return proof
    if is_replaced(observed, recorded):
        return replaced(observed, recorded)
    return _show(observed, recorded)


def _show(observed: ResourceObservation, recorded: Recorded) -> ResourceStep:
    """Show the resource, and delete those that it replaced, one a pass, once they are unused."""
    base = observed.base
    if observed.gone:
        return ForgetName(min(observed.gone))
    is_shown = base.is_recorded_in_status and base.recorded == recorded and base.shown == CREATED
    old = [name for name, content in observed.claimed.items() if name != observed.current and content != FOREIGN]
    free = [name for name in old if not observed.users.get(name)]
    if is_shown and free and base.mutation is None:
        if free[0] in observed.foreign:
            return RecordName(free[0], FOREIGN)
        content = observed.claimed[free[0]]
        if content in {DELETING, DELETING_LEGACY}:
            return Delete(free[0])
        return RecordName(free[0], DELETING_LEGACY if content == LEGACY_CONTENT else DELETING)
    if is_shown and base.mutation is None and (tags := tagging.step(base)) is not None:
        return tags
    message = ""
    if kept := [name for name in old if observed.users.get(name)]:
        message = f"{kept[0]} is kept: {', '.join(observed.users[kept[0]])} uses it"
    fields = _arn_field(base, recorded) | _model_names(observed, are_others_left=bool(old))
    recorded = replace(recorded, replaced_names=tuple(sorted(old)))
    status_update = StatusUpdate(Phase.READY, reasons.CREATED, message, value=CREATED, fields=fields, drift=Drift.NONE)
    events = () if is_shown or base.is_legacy else _news(observed, recorded)
    return Finish(status_update, recorded, events, again_s=USERS_POLL_S if old else None)


def _news(observed: ResourceObservation, recorded: Recorded) -> tuple[Event, ...]:
    """Return the events for a created resource, with the reason if it existed before."""
    if observed.is_taken_over:
        return (messages.found(recorded),)
    made = messages.created(observed.base, recorded)
    if observed.was_gone:
        return (replace(made, message=f"{made.message}, again: it had been deleted at AWS"),)
    if drift_shown(observed.base) is Drift.FOUND:
        return made, Event("Normal", reasons.DRIFT_CORRECTED, f"{recorded.name} is as the spec wants it")
    return (made,)


def _arn_field(base: Observed, recorded: Recorded) -> dict[str, str]:
    """Return the status field `modelArn` or `endpointConfigArn`."""
    member = base.descriptor.status.arn_member
    return {each.name: recorded.arn for each in base.descriptor.compat.status if each.source == member}


def _model_names(observed: ResourceObservation, *, are_others_left: bool) -> dict[str, Any]:
    """Return the status field with the Models that the spec names by their objects; none where it names no object.

    Those of replaced configurations stay as long as these do: a Model does not delete what is listed.
    """
    named = dict.fromkeys(sorted(observed.model_names.items()))
    if are_others_left:
        named |= dict.fromkeys(observed.shown_model_names)
    _, field = NOTED[observed.base.descriptor.kind]
    if not named:
        return {field: None} if observed.shown_model_names else {}
    return {field: [{"name": name, "value": value} for name, value in named]}


# --- objects that are being deleted


def _deleting(observed: ResourceObservation, deleting_for_s: float) -> ResourceStep:
    """Delete all resources of the object, then remove the finalizer.

    v1's status `Deleted` is not written: it would cost a write that only a watcher could see for a moment. An Event
    records the deletion instead (the same for autoscaling policies).
    """
    base = observed.base
    if not base.has_finalizer:
        return Finish()
    if observed.is_child_in_use:
        message = "its deployment uses what it has at SageMaker: another object takes that over, then this one goes"
        status_update = StatusUpdate(Phase.WORKING, reasons.IN_USE, message, additional=message)
        return Finish(status_update, base.recorded, again_s=USERS_POLL_S)
    names = _names_to_delete(observed)
    left = [name for name in names if name not in observed.gone | observed.foreign and name not in observed.successors]
    if observed.gone and left:
        return ForgetName(min(observed.gone))  # the others in later passes
    if left:
        return Delete(left[0])
    if observed.successors:
        name, successor = min(observed.successors.items())
        message = f"{name} is kept, as its deployment uses it: {base.descriptor.kind} {successor} has taken it over"
        return RemoveFinalizer((Event("Normal", reasons.RETAINED, message),))
    if observed.foreign:
        kept = ", ".join(sorted(observed.foreign))
        message = f"{kept} is left alone: others have created it in place of what this object created"
        return RemoveFinalizer((Event("Normal", reasons.RETAINED, message),))
    left_s = doubt_left_s(base, deleting_for_s)
    was_seen = base.recorded is not None or base.is_legacy or observed.is_confirmed_gone or base.was_refused
    if names and not was_seen and left_s > 0:
        return Finish(again_s=left_s)  # a Create may still take effect
    if names:
        return RemoveFinalizer((Event("Normal", reasons.DELETED, f"{base.name} was deleted"),))
    if base.recorded is not None and is_abandoned(observed):
        message = f"{base.recorded.name} is left alone: others have created it in the place of what this object had"
        return RemoveFinalizer((Event("Normal", reasons.RETAINED, message),))
    return RemoveFinalizer()


def _names_to_delete(observed: ResourceObservation) -> list[str]:
    """Return all names of ours that may exist, those of the annotation first; the status records one more at most.

    The status still names a resource that an earlier pass has deleted and forgotten. It comes last: a name that the
    annotation does not list cannot be forgotten again, and a write that changes nothing would not enqueue the object.
    """
    base = observed.base
    known = base.recorded.name if base.recorded else (base.name if base.is_legacy else "")
    listed = [*observed.claimed, *sorted(observed.inherited)]
    names = [*listed, known] if known and known not in listed else listed
    foreign = {known} if is_abandoned(observed) else set()
    return [name for name in names if observed.claimed.get(name) != FOREIGN and name not in foreign]
