"""Decides the deletion of a resource that AWS changes in place: it waits until the resource is gone. Pure."""

from controller.reconcile import reasons
from controller.reconcile.identity import is_replaced
from controller.reconcile.mutable.kind import BUSY_POLL_S, MutableKind, ObsT, StepT
from controller.reconcile.mutable.observation import MutableStep
from controller.reconcile.observation import ExternalResource, Mutation, Ownership, Source
from controller.reconcile.shared_decisions import doubt_left_s, may_be_invisible, ownership_of
from controller.reconcile.status import messages
from controller.reconcile.steps import Delete, Describe, Event, Finish, Phase, StatusUpdate, VerifyOwner
from controller.runtime.errors import ABSENT


def deleting(observed: ObsT, kind: MutableKind[ObsT, StepT], deleting_for_s: float) -> StepT | MutableStep:
    """Delete the resource, and what belongs to it, wait for each, then remove the finalizer."""
    base, external, noun = observed.base, observed.base.external, kind.words.noun
    if not base.has_finalizer:
        return Finish()
    if (step := kind.teardown(observed)) is not None:
        return step
    if is_replaced(base):
        is_fresh = isinstance(external, ExternalResource) and external.is_fresh
        return kind.leave_alone(observed) if is_fresh else Describe()
    if base.mutation is Mutation.DELETED:
        return _waits(observed, kind, f"deletion of the {noun} requested")
    if external is None or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe()
    if external is ABSENT:
        return _gone(observed, kind, deleting_for_s)
    if base.recorded is None:
        match ownership_of(base):
            case Ownership.UNKNOWN:
                return VerifyOwner(external.arn)
            case Ownership.FOREIGN:
                return kind.leave_alone(observed)
            case _:
                pass
    if external.value == kind.states.deleting:
        return _waits(observed, kind, f"the {noun} is {external.value}")
    if (kept := kind.keeps(observed, external)) is not None:
        return _waits(observed, kind, *kept)
    return Delete(base.recorded.name if base.recorded else base.name)


def _gone(observed: ObsT, kind: MutableKind[ObsT, StepT], deleting_for_s: float) -> StepT | MutableStep:
    base = observed.base
    if base.recorded is not None:
        if not observed.was_visible and may_be_invisible(base, base.recorded):
            return _waits(observed, kind, f"the {kind.words.noun} may not be visible yet")
        return kind.gone(observed)
    left_s = doubt_left_s(base, deleting_for_s)
    if kind.may_exist(observed) and not base.was_refused and left_s > 0:
        return Finish(again_s=left_s)
    return kind.gone(observed)


def _waits(observed: ObsT, kind: MutableKind[ObsT, StepT], message: str, reason: str = reasons.DELETING) -> Finish:
    base = observed.base
    events = messages.once(base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", reasons.DELETING, each.message) for each in events)
    fields = kind.fields(observed)
    status_update = StatusUpdate(Phase.WORKING, reason, message, value=kind.states.deleting, fields=fields)
    return Finish(status_update, base.recorded, normal_events, again_s=BUSY_POLL_S / 2)
