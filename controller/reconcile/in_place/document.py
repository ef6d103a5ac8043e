"""Decides when the document of a spec that is in a ConfigMap is read, and what is shown while there is none. Pure.

Nothing is changed at AWS in a pass that has not read it, and what AWS has stays while it cannot be read. A deletion
does not need it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from controller.reconcile import reasons
from controller.reconcile.identity import identified
from controller.reconcile.in_place.observation import InPlaceObservation, InPlaceStep, ReadDocument
from controller.reconcile.mutable.owners import adopted
from controller.reconcile.observation import ExternalResource, Observed, Problem, Recorded
from controller.reconcile.shared_decisions import DOUBT_S, is_unconfirmed, may_be_invisible
from controller.reconcile.status import messages
from controller.reconcile.steps import AwsStep, Describe, EnsureFinalizer, Finish, Outcome, Phase, StatusUpdate
from controller.runtime.errors import ABSENT

POLL_S: Final = 60.0
"""How often a document is read while nothing else needs it."""
_LACKS: Final = frozenset({reasons.DEPENDENCY_MISSING, reasons.INVALID_DOCUMENT, reasons.KUBERNETES_REFUSED})
"""Reasons of a `Problem`."""


def with_document(observed: InPlaceObservation, living: Callable[[InPlaceObservation], InPlaceStep]) -> InPlaceStep:
    """Return the step of `living` for an object that is wanted, once its document is known as far as that needs it."""
    base, document = observed.base, observed.document
    if document is None:
        return living(observed)
    if document.problem is not None:
        if not (base.has_finalizer and base.is_name_persisted):
            return EnsureFinalizer()
        is_shown_there = base.recorded is not None and base.shown == base.descriptor.status.completed
        if is_shown_there and base.external is None and base.is_describe_due and base.hold_s is None:
            return Describe(background=True)  # it may be gone, however long there is no document
        found = _confirmed(base)
        if not isinstance(found, Observed):
            return found
        return replace(_without(found, document.problem), again_s=document.due_in_s)
    is_shown = base.reasons.get(reasons.SYNCED) in _LACKS and not base.is_reconcile_requested
    if document.is_lacking and document.due_in_s > 0.0 and is_shown:
        return Finish(again_s=document.due_in_s)
    step = identified(base, living(observed))
    calls = isinstance(step, AwsStep)
    if not document.is_read and (document.due_in_s <= 0.0 or (calls and base.hold_s is None)):
        return ReadDocument()
    return read_on(observed, Finish(again_s=base.hold_s) if calls and base.hold_s is not None else step)


def read_on(observed: InPlaceObservation, step: InPlaceStep) -> InPlaceStep:
    """Return a step, if it ends the pass with the next read: AWS may accept another document than one it has refused,
    and is not called again for the same.
    """
    document = observed.document
    if document is None or not isinstance(step, Finish) or observed.base.deleting_for_s is not None:
        return step
    in_s = document.due_in_s or POLL_S
    if step.outcome is Outcome.DONE:
        return replace(step, again_s=in_s if step.again_s is None else min(step.again_s, in_s))
    return replace(step, look_s=in_s)


def _confirmed(base: Observed) -> InPlaceStep | Observed:
    """Return what is observed, with the record of what a Create without an answer has made, or the step that looks.

    The status is about to show the lack of the document, and not any longer that something may exist.
    """
    external = base.external
    if base.recorded is not None or not is_unconfirmed(base):
        return base
    if isinstance(external, ExternalResource):
        own = adopted(base, external)
        if not isinstance(own, Recorded):
            return own
        return replace(base, recorded=replace(own, content=""), shown=external.value)  # what was sent is not known
    if external is None:
        return Describe()
    left_s = 0.0 if base.doubt_for_s is None else DOUBT_S - base.doubt_for_s
    return Finish(again_s=left_s) if left_s > 0.0 else base


def _without(base: Observed, problem: Problem) -> Finish:
    rule, recorded = base.descriptor.status, base.recorded
    is_gone = recorded is not None and base.external is ABSENT and not may_be_invisible(base, recorded)
    is_there = recorded is not None and not is_gone
    if problem.reason == reasons.INVALID_DOCUMENT:
        is_usable = is_there and base.shown == rule.completed
        phase, value, condition = Phase.READY_STUCK if is_usable else Phase.STUCK, rule.reconciling, reasons.STALLED
    else:
        phase, value, condition = Phase.TROUBLED, rule.synchronizing, reasons.RECONCILING
    status_update = StatusUpdate(
        Phase.WORKING if is_gone and phase is Phase.TROUBLED else phase,  # it has been ready, and cannot be used now
        problem.reason,
        problem.message,
        value=(base.shown or None) if is_there else value,
        additional=problem.message,
        synced=problem.reason,
    )
    events = messages.once(base, condition, problem.reason, problem.message)
    return Finish(status_update, recorded, events)
