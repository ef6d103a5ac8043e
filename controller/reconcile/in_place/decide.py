"""The life-cycle of what AWS updates in place: created, kept as the spec wants it, deleted with its object.

Pure, level-based. `status.awsResource` records a digest of what was sent last. A spec with another one was edited, and
is sent; where AWS differs from what was sent, others have changed it, which is drift: reported, or corrected if a
policy asks for that. The record is written after the answer, and before the call says that it is not known what AWS
has: if the answer is lost, the spec counts as edited, and the Describe before the next attempt shows what is left.
"""

from dataclasses import replace
from typing import Final

from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.drift.report import LOOK_S, sentence
from controller.reconcile.identity import identified, is_replaced, left_alone
from controller.reconcile.in_place.document import read_on, with_document
from controller.reconcile.in_place.observation import InPlaceObservation, InPlaceStep, Update
from controller.reconcile.mutable.owners import adopted, first_of_all, left_to_others, not_there, taken_over
from controller.reconcile.observation import (
    Adoption,
    ExternalResource,
    Mutation,
    Observed,
    Ownership,
    Recorded,
)
from controller.reconcile.shared_decisions import (
    LOOK_AGAIN_S,
    doubt_left_s,
    drift_events,
    drift_shown,
    drift_update,
    failed_but_usable,
    is_unconfirmed,
    may_be_invisible,
    nothing_to_adopt,
    ownership_of,
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
    EnsureFinalizer,
    Event,
    Finish,
    Outcome,
    Phase,
    RemoveFinalizer,
    StatusUpdate,
    VerifyOwner,
)
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT

PENDING_POLL_S: Final = 5.0
"""How often a resource is described that AWS is still creating or deleting."""
REFRESH_S: Final = 2.0
"""Delay before what an update has changed is described."""
IN_USE_POLL_S: Final = 30.0
"""How often the deletion of what still has something in it is tried."""
DELETING: Final = "Deleting"


def decide(observed: InPlaceObservation) -> InPlaceStep:
    """Return the next step. At most one mutation per pass."""
    step = identified(observed.base, _decide(observed))
    return replace(step, follow=True) if isinstance(step, Finish) else step  # of kinds with events: they are heard


def _decide(observed: InPlaceObservation) -> InPlaceStep:
    base = observed.base
    first = first_of_all(base, retain, lambda failed, failure: read_on(observed, failed_but_usable(failed, failure)))
    if first is not None:
        return first
    if base.deleting_for_s is not None:
        return _deleting(observed, base.deleting_for_s)
    if base.policy.read_only and not base.name:
        return nothing_to_adopt(base)
    if base.policy.read_only:
        return read_only_step(
            base, lambda external, recorded: _shown(observed, recorded, external), is_settled=observed.is_observed
        )
    return with_document(observed, _living)


# --- objects that are wanted


def _living(observed: InPlaceObservation) -> InPlaceStep:
    base = observed.base
    if not (base.has_finalizer and base.is_name_persisted):
        written = replace(base, has_finalizer=True, is_name_persisted=True)
        next_step = _living(replace(observed, base=written))
        creates = isinstance(next_step, Create) and base.hold_s is None
        return EnsureFinalizer(before=Create() if creates else None)
    if (others := left_to_others(base, follow=False)) is not None:
        return others
    observed = replace(observed, base=taken_over(base))
    if observed.base.recorded is not None:
        return _created(observed, observed.base.recorded)
    return _not_created(observed)


def _with(observed: InPlaceObservation, **changes: object) -> InPlaceObservation:
    return replace(observed, base=replace(observed.base, **changes))  # type: ignore[arg-type]


def _not_created(observed: InPlaceObservation) -> InPlaceStep:
    """Create or adopt the resource: Create first, and look if the name is taken, saves a call for most."""
    base, external = observed.base, observed.base.external
    if external is None:
        was_taken = base.reasons.get(reasons.STALLED) == reasons.ALREADY_EXISTS
        must_look = base.name_is_taken or was_taken or base.policy.adoption is Adoption.ADOPT
        if must_look and base.name:
            return Describe(background=was_taken)
        if observed.is_token_old and base.policy.adoption is not Adoption.ADOPT:
            return _waits(observed) or Describe()  # AWS may have made one, and forgotten the token
        return nothing_to_adopt(base) if base.policy.adoption is Adoption.ADOPT else _create(observed)
    if external is ABSENT:
        return not_there(base) or _create(observed)
    own = adopted(base, external)
    if not isinstance(own, Recorded):
        return own
    recorded = replace(own, content="")  # what was sent last is not known: AWS is compared as after an edit
    return _created(_with(observed, recorded=recorded), recorded)


def _create(observed: InPlaceObservation) -> InPlaceStep:
    """Create the resource, or wait for what its spec names; what may be there already is confirmed first."""
    return _waits(observed) or Create()


def _waits(observed: InPlaceObservation) -> Finish | None:
    base = observed.base
    return waits(base) if base.waits_for and not is_unconfirmed(base) else None


def _created(observed: InPlaceObservation, recorded: Recorded) -> InPlaceStep:
    base, external = observed.base, observed.base.external
    if base.mutation is Mutation.UPDATED:
        return _updated(observed, recorded)
    if external is None:
        is_settled = base.is_recorded_in_status and observed.is_observed and not base.is_describe_due
        is_correction_due = _is_to_be_corrected(base) and base.correction_in_s <= 0.0
        if is_settled and not (observed.is_edited or is_correction_due):
            return tagging.step(base) or Finish(again_s=_again_s(observed, base.shown))
        return Describe(background=base.is_recorded_in_status)
    if external is ABSENT:
        return _missing(observed, recorded)
    if (tags := tagging.step(base)) is not None:
        return tags
    if not base.is_recorded_in_status or external.value != base.descriptor.status.completed:
        return _shown(observed, recorded, external)
    if observed.is_edited or observed.differences:
        return _differing(observed, recorded, external)
    return _shown(observed, recorded, external)


def _differing(observed: InPlaceObservation, recorded: Recorded, external: ExternalResource) -> InPlaceStep:
    """Send an edit, or deal with what others have changed."""
    base = observed.base
    if observed.is_edited:
        if (waiting := _waits(observed)) is not None:
            return waiting
        if observed.differences or observed.is_unshown:
            return Update()
        return _shown(observed, replace(recorded, content=base.content), external)  # an update without an answer
    message = sentence(observed.differences)
    corrects = base.policy.corrects
    if _is_to_be_corrected(base) and base.correction_in_s <= 0.0:
        return Update()
    phase = Phase.READY_WORKING if corrects else Phase.READY
    status_update = drift_update(phase, message, external.value, external.fields)
    events = _first_events(observed, recorded) + drift_events(base, message)
    again_s = max(base.correction_in_s, REFRESH_S) if corrects else LOOK_S
    return Finish(status_update, recorded, events, again_s=again_s)


def _is_to_be_corrected(base: Observed) -> bool:
    return base.policy.corrects and drift_shown(base) is Drift.FOUND


def _updated(observed: InPlaceObservation, recorded: Recorded) -> Finish:
    """Show that AWS has what was sent; it is described soon, for the fields that AWS has changed with it."""
    base = observed.base
    if drift_shown(base) is Drift.FOUND:
        event = Event("Normal", reasons.DRIFT_CORRECTED, f"{recorded.name} is as the spec wants it")
    else:
        event = Event("Normal", reasons.UPDATED, f"AWS has the changes of the spec of {recorded.name}")
    value = base.descriptor.status.completed
    status_update = StatusUpdate(Phase.READY, reasons.CREATED, value=value, drift=Drift.NONE)
    return Finish(status_update, recorded, (event,), again_s=REFRESH_S)


def _missing(observed: InPlaceObservation, recorded: Recorded) -> InPlaceStep:
    base = observed.base
    if base.name_is_taken:
        return unseen(base)
    if may_be_invisible(base, recorded):
        return _not_visible(observed, recorded)
    if base.descriptor.name.by_aws:
        return _gone(base, recorded)  # what AWS numbers is history: another one would be another version
    return _create(observed)  # it was deleted outside the operator, and is wanted


def _not_visible(observed: InPlaceObservation, recorded: Recorded) -> Finish:
    """Record what was created and does not show yet, so that no crash loses it."""
    base = observed.base
    if base.is_recorded_in_status:
        return Finish(again_s=LOOK_AGAIN_S)
    value = base.descriptor.status.synchronizing
    status_update = StatusUpdate(Phase.WORKING, reasons.CREATING, "SageMaker does not show it yet", value=value)
    return Finish(status_update, recorded, _first_events(observed, recorded), again_s=LOOK_AGAIN_S)


def _gone(base: Observed, recorded: Recorded) -> Finish:
    """Report that what existed is gone from SageMaker, and is not created again."""
    message = (
        f"SageMaker does not know {recorded.name}, which this object created. It is not created again: that would be"
        " another version. Delete this object, and create another one."
    )
    status_update = StatusUpdate(Phase.STUCK, reasons.NOT_FOUND, message, additional=message, synced=reasons.NOT_FOUND)
    events = messages.once(base, reasons.STALLED, reasons.NOT_FOUND, message)
    return Finish(status_update, recorded, events, outcome=Outcome.TERMINAL)


def _shown(observed: InPlaceObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    """Show the resource as it is."""
    base, rule = observed.base, observed.base.descriptor.status
    phase, reason, additional = Phase.WORKING, messages.reason_of(external.value), ""
    message = f"SageMaker shows it as {external.value}"
    if external.value == rule.completed:
        phase, reason, message = Phase.READY, reasons.CREATED, ""
    elif external.value in rule.terminal:
        why = external.failure_reason or "SageMaker gives no reason"
        phase, reason, additional = Phase.STUCK, reasons.RESOURCE_FAILED, f"It is {external.value}: {why}"
        message = f"It is {external.value}: {shortened(why, messages.BRIEF)}"
    status_update = StatusUpdate(
        phase,
        reason,
        message,
        value=external.value,
        additional=additional,
        fields=external.fields,
        drift=Drift.NONE if external.value == rule.completed else None,
    )
    events = _first_events(observed, recorded)
    if phase is Phase.STUCK:
        events += messages.once(base, reasons.STALLED, reason, message)
    elif not events:
        events += messages.status_changed(base, external.value)
    return Finish(status_update, recorded, events, again_s=_again_s(observed, external.value))


def _first_events(observed: InPlaceObservation, recorded: Recorded) -> tuple[Event, ...]:
    """Return the event for a resource that is recorded for the first time."""
    return () if observed.base.is_recorded_in_status else (messages.created(observed.base, recorded),)


def _again_s(observed: InPlaceObservation, value: str) -> float | None:
    """Return when to look again: soon while AWS is at work, or what others have changed may be changed back."""
    base = observed.base
    if value not in base.descriptor.status.terminal:
        return PENDING_POLL_S
    if _is_to_be_corrected(base):
        return max(base.correction_in_s, REFRESH_S)
    update = base.descriptor.resource_update
    is_shared = update is not None and update.is_shared
    return LOOK_S if is_shared or drift_shown(base) is Drift.FOUND else None


# --- objects that are being deleted


def _deleting(observed: InPlaceObservation, deleting_for_s: float) -> InPlaceStep:
    base, external = observed.base, observed.base.external
    if not base.has_finalizer:
        return Finish()
    if is_replaced(base):
        return RemoveFinalizer((left_alone(base),))
    if base.recorded is None:
        return _never_recorded(observed, deleting_for_s)
    if base.mutation is Mutation.DELETED:
        return _goes(observed)
    if external is None:
        return Describe()
    if external is ABSENT:
        if may_be_invisible(base, base.recorded) and not observed.was_deleted:
            return Finish(again_s=LOOK_AGAIN_S)
        return RemoveFinalizer((Event("Normal", reasons.DELETED, f"{base.recorded.name} was deleted"),))
    if external.value == DELETING:
        return _goes(observed)
    if observed.is_deletion_refused:
        message = f"{base.recorded.name} cannot be deleted while there is something in it: delete that first"
        status_update = StatusUpdate(Phase.WORKING, reasons.IN_USE, message, additional=message)
        return Finish(status_update, base.recorded, again_s=IN_USE_POLL_S)
    return Delete(base.recorded.name)


def _never_recorded(observed: InPlaceObservation, deleting_for_s: float) -> InPlaceStep:
    """Delete what a Create without an answer may have made."""
    base, external = observed.base, observed.base.external
    if external is None:
        return Describe()
    if external is ABSENT:
        left_s = doubt_left_s(base, deleting_for_s)
        return Finish(again_s=left_s) if left_s > 0 and not base.was_refused else RemoveFinalizer()
    match ownership_of(base):
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN:
            return RemoveFinalizer((left_alone(base),))
        case Ownership.OURS:
            recorded = record_of(base, external)
            return _deleting(_with(observed, recorded=recorded), deleting_for_s)


def _goes(observed: InPlaceObservation) -> Finish:
    """Wait until it is gone."""
    base: Observed = observed.base
    shown = base.reasons.get(reasons.RECONCILING)
    events = () if shown == reasons.DELETING else (Event("Normal", reasons.DELETING, f"{base.name} is being deleted"),)
    status_update = StatusUpdate(Phase.WORKING, reasons.DELETING, f"{base.name} is being deleted")
    return Finish(status_update, base.recorded, events, again_s=REFRESH_S)
