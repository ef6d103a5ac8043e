"""Decides the deletion of a component. Pure, level-based."""

from controller.reconcile import reasons
from controller.reconcile.component.observation import ComponentObservation, ComponentStep
from controller.reconcile.component.status_fields import BUSY_POLL_S, fields_of
from controller.reconcile.hosting import DELETING
from controller.reconcile.identity import is_replaced, left_alone
from controller.reconcile.observation import ExternalResource, Mutation, Ownership, Source
from controller.reconcile.shared_decisions import DOUBT_S, may_be_invisible, ownership_of
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    Delete,
    Describe,
    Event,
    Finish,
    Phase,
    RemoveFinalizer,
    StatusUpdate,
    VerifyOwner,
)
from controller.runtime.errors import ABSENT


def deleting(observed: ComponentObservation, deleting_for_s: float) -> ComponentStep:
    """Delete the component, wait until it is gone, then remove the finalizer."""
    base, external = observed.base, observed.base.external
    if not base.has_finalizer:
        return Finish()
    if is_replaced(base):
        is_fresh = isinstance(external, ExternalResource) and external.is_fresh
        return RemoveFinalizer((left_alone(base),)) if is_fresh else Describe()
    if base.mutation is Mutation.DELETED:
        return _waits(observed, "deletion of the component requested")
    if external is None or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe()
    if external is ABSENT:
        return _gone(observed, deleting_for_s)
    if base.recorded is None:
        match ownership_of(base):
            case Ownership.UNKNOWN:
                return VerifyOwner(external.arn)
            case Ownership.FOREIGN:
                return RemoveFinalizer((left_alone(base),))
            case _:
                pass
    if observed.refusal:
        return _waits(observed, f"the component is {external.value}, and AWS refuses its deletion: {observed.refusal}")
    if external.value == DELETING:
        return _waits(observed, f"the component is {external.value}")
    return Delete(base.recorded.name if base.recorded else base.name)


def _gone(observed: ComponentObservation, deleting_for_s: float) -> ComponentStep:
    base = observed.base
    if base.recorded is not None:
        if not observed.was_visible and may_be_invisible(base, base.recorded):
            return _waits(observed, "the component may not be visible yet")
        return RemoveFinalizer((Event("Normal", reasons.DELETED, f"{base.name} is gone"),))
    doubt_s = min(deleting_for_s, DOUBT_S if base.doubt_for_s is None else base.doubt_for_s)
    may_exist = bool(observed.attempt.id) and not base.was_refused  # nothing was ever requested without a record
    if may_exist and doubt_s < DOUBT_S:
        return Finish(again_s=DOUBT_S - doubt_s)
    return RemoveFinalizer()


def _waits(observed: ComponentObservation, message: str) -> Finish:
    base, reason = observed.base, reasons.DELETING
    events = messages.once(base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", reason, each.message) for each in events)
    status_update = StatusUpdate(Phase.WORKING, reason, message, value=DELETING, fields=fields_of(observed))
    return Finish(status_update, base.recorded, normal_events, again_s=BUSY_POLL_S / 2)
