"""Decides about a component in service: apply a new spec, report a failed update, correct drift, or rest. Pure."""

from typing import Final

from controller.reconcile import reasons
from controller.reconcile.component.desired import Desired, changed_copies, changed_specification
from controller.reconcile.component.observation import (
    ComponentObservation,
    ComponentStep,
    LookForTarget,
    RecordServed,
    Update,
)
from controller.reconcile.component.status_fields import BUSY_POLL_S, fields_of, first_seen_events
from controller.reconcile.drift.report import Difference, sentence
from controller.reconcile.hosting import CREATING, IN_SERVICE, UPDATING
from controller.reconcile.observation import ExternalResource, Recorded
from controller.reconcile.shared_decisions import DOUBT_S, drift_events, drift_shown, drift_update
from controller.reconcile.status import messages
from controller.reconcile.status.patch import parse_time
from controller.reconcile.steps import Drift, Event, Finish, Phase, StatusUpdate

_MOST_ATTEMPTS: Final = 2
"""Of the same update, where nothing came of it and AWS gives no reason: others may have changed the component first."""


def in_service(observed: ComponentObservation, recorded: Recorded, external: ExternalResource) -> ComponentStep:
    """Apply a new spec, report a failed update, correct drift, or rest."""
    wanted, found, attempt = observed.desired, observed.shown, observed.attempt
    assert wanted is not None and found is not None  # noqa: S101, PT018 (only deletions have none; it was described)
    if (differs := changed_copies(wanted.copies, found)) and not observed.is_scaled and observed.has_target is None:
        return LookForTarget()
    specification = changed_specification(wanted, found)
    copies = () if observed.is_scaled else differs
    if observed.is_pending:
        if attempt.id in {"", wanted.id} and not specification and not copies:
            return RecordServed()  # adopted as it is; or only `reconcile-at`, or the copies of what is scaled, changed
        return _update(observed, recorded, only_copies=attempt.id == wanted.id and not specification)
    if not attempt.is_served:
        return _outcome(observed, recorded, external, (*specification, *copies))
    if specification or copies:
        return _drifted(observed, recorded, (*specification, *copies), Update(only_copies=not specification))
    return _at_rest(observed, recorded)


def _update(observed: ComponentObservation, recorded: Recorded, *, only_copies: bool) -> ComponentStep:
    """Send an update, once what the spec names is there and AWS is not busy."""
    message = observed.refusal or (f"Waits for {observed.base.waits_for}" if observed.base.waits_for else "")
    if not message:
        return Update(only_copies)
    status_update = StatusUpdate(
        Phase.READY_WORKING,
        reasons.UPDATE_PENDING,
        message,
        value=IN_SERVICE,
        additional=message,
        fields=fields_of(observed),
        synced=reasons.UPDATE_PENDING,
    )
    return Finish(status_update, recorded, follow=True, again_s=BUSY_POLL_S if observed.refusal else None)


def _outcome(
    observed: ComponentObservation, recorded: Recorded, external: ExternalResource, differs: tuple[Difference, ...]
) -> ComponentStep:
    """Find out what became of the last request, whether it was answered or not."""
    attempt = observed.attempt
    if attempt.since and str(external.fields.get("lastModifiedTime", "")) <= attempt.since:
        doubt_s = DOUBT_S - _age_s(observed)
        if doubt_s > 0:
            return Finish(follow=True, again_s=doubt_s)  # it may still take effect, or this answer is older
        return _update(observed, recorded, only_copies=False)
    if not differs:
        return RecordServed()
    if external.failure_reason or attempt.number >= _MOST_ATTEMPTS:
        return _update_failed(observed, recorded, external)
    return _update(observed, recorded, only_copies=False)


def _age_s(observed: ComponentObservation) -> float:
    at = parse_time(observed.attempt.at)
    return max((observed.base.now - at).total_seconds(), 0.0) if at else DOUBT_S


def _update_failed(observed: ComponentObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    """Report a failed update with SageMaker's reason; only another spec is tried."""
    reason = external.failure_reason or "SageMaker went back to what it was before and gives no reason"
    message = f"The update failed: {reason}. It is not repeated; change the spec to try again"
    status_update = StatusUpdate(
        Phase.READY_STUCK,
        reasons.UPDATE_FAILED,
        message,
        value=IN_SERVICE,
        additional=message,
        fields=fields_of(observed),
        synced=reasons.UPDATE_FAILED,
        # The correction has failed: the drift remains.
        drift=Drift.FOUND if drift_shown(observed.base) is Drift.CORRECTING else None,
    )
    events = messages.once(observed.base, reasons.STALLED, reasons.UPDATE_FAILED, message)
    return Finish(status_update, recorded, events, follow=True)


def _drifted(
    observed: ComponentObservation, recorded: Recorded, differs: tuple[Difference, ...], repair: Update
) -> ComponentStep:
    """Report drift, then correct it if corrections are enabled and due; they back off."""
    base, corrects, again_s = observed.base, observed.base.policy.corrects, None
    message = sentence(differs)
    if corrects and drift_shown(base) is Drift.FOUND:
        if base.correction_in_s <= 0.0 and not observed.refusal and not base.waits_for:
            return repair
        again_s = max(base.correction_in_s, BUSY_POLL_S)
    phase = Phase.READY_WORKING if corrects else Phase.READY
    status_update = drift_update(phase, message, IN_SERVICE, fields_of(observed))
    events = first_seen_events(observed, recorded) + drift_events(base, message)
    return Finish(status_update, recorded, events, follow=True, again_s=again_s)


def _at_rest(observed: ComponentObservation, recorded: Recorded) -> Finish:
    """Show that the spec is in service."""
    base = observed.base
    message = _scaled(observed)
    status_update = StatusUpdate(
        Phase.READY,
        reasons.IN_SERVICE,
        message,
        value=IN_SERVICE,
        fields=fields_of(observed, is_served=True),
        drift=Drift.NONE,
    )
    events = first_seen_events(observed, recorded)
    if base.shown == UPDATING:
        events += (Event("Normal", reasons.UPDATE_COMPLETED, f"{recorded.name} serves the new specification"),)
    elif base.shown == CREATING:
        events += (Event("Normal", reasons.IN_SERVICE, f"{recorded.name} is in service"),)
    else:
        events += messages.status_changed(base, IN_SERVICE)
    if drift_shown(base) is Drift.CORRECTING:
        events += (Event("Normal", reasons.DRIFT_CORRECTED, f"{recorded.name} is again as the spec wants it"),)
    return Finish(status_update, recorded, events, follow=True)


def _scaled(observed: ComponentObservation) -> str:
    """Return that the number of copies in the spec does not count; empty where it does, or is the same."""
    wanted, found = observed.desired, observed.shown
    assert wanted is not None and found is not None  # noqa: S101, PT018 (see `in_service`)
    if not observed.is_scaled or not _differ(wanted, found):
        return ""
    return f"{observed.scaler or 'autoscaling'} sets the copies: spec.runtimeConfig.copyCount does not count meanwhile"


def _differ(wanted: Desired, found: Desired) -> bool:
    return bool(changed_copies(wanted.copies, found))
