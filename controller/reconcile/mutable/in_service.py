"""Reports about a resource in service: a failed update, drift and its correction, or that it is as the spec wants it.

Pure. The comparison with the spec is the kind's.
"""

from dataclasses import replace

from controller.reconcile import reasons
from controller.reconcile.drift.report import Difference, sentence
from controller.reconcile.mutable.kind import BUSY_POLL_S, MutableKind, ObsT, StepT
from controller.reconcile.mutable.observation import MutableStep
from controller.reconcile.mutable.shown import first_seen_events
from controller.reconcile.observation import ExternalResource, Recorded
from controller.reconcile.shared_decisions import drift_events, drift_shown, drift_update
from controller.reconcile.status import messages
from controller.reconcile.steps import Drift, Event, Finish, Phase, StatusUpdate


def update_failed(
    observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, external: ExternalResource
) -> Finish:
    """Report a failed update with SageMaker's reason; only another spec is tried."""
    reason = external.failure_reason or f"SageMaker went back to {kind.words.previous} and gives no reason"
    message = f"The update failed: {reason}. It is not repeated; change the spec to try again"
    status_update = StatusUpdate(
        Phase.READY_STUCK,
        reasons.UPDATE_FAILED,
        message,
        value=external.value,
        additional=message,
        fields=kind.fields(observed),
        synced=reasons.UPDATE_FAILED,
        # The correction has failed: the drift remains.
        drift=Drift.FOUND if drift_shown(observed.base) is Drift.CORRECTING else None,
    )
    events = messages.once(observed.base, reasons.STALLED, reasons.UPDATE_FAILED, message)
    return Finish(status_update, recorded, events, follow=True)


def drifted(
    observed: ObsT,
    kind: MutableKind[ObsT, StepT],
    recorded: Recorded,
    differences: tuple[Difference, ...],
    repair: StepT | MutableStep,
    *,
    is_usable: bool = True,
) -> StepT | MutableStep:
    """Report drift, then return `repair` if corrections are enabled and due; they back off."""
    base, corrects = observed.base, observed.base.policy.corrects
    phases = (Phase.READY_WORKING, Phase.READY) if is_usable else (Phase.WORKING, Phase.STUCK)
    again_s = None
    if corrects and drift_shown(base) is Drift.FOUND:
        if base.correction_in_s <= 0.0 and not observed.refusal and not base.waits_for:
            return repair
        again_s = max(base.correction_in_s, BUSY_POLL_S)
    end = drift_reported(observed, kind, recorded, phases[0] if corrects else phases[1], sentence(differences))
    return replace(end, again_s=again_s)


def drift_reported(
    observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, phase: Phase, message: str
) -> Finish:
    """Report drift of a resource in service."""
    status_update = drift_update(phase, message, kind.states.in_service, kind.fields(observed))
    events = first_seen_events(observed, recorded) + drift_events(observed.base, message)
    return Finish(status_update, recorded, events, follow=True)


def at_rest(observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, message: str = "") -> Finish:
    """Show that the spec is in service, and that an update or a correction is complete."""
    base, states, name = observed.base, kind.states, recorded.name
    fields = kind.served_fields(observed)
    status_update = StatusUpdate(
        Phase.READY, reasons.IN_SERVICE, message, value=states.in_service, fields=fields, drift=Drift.NONE
    )
    events = first_seen_events(observed, recorded)
    if base.shown == states.creating:
        events += (Event("Normal", reasons.IN_SERVICE, f"{name} is in service"),)
    elif base.shown == states.updating:
        events += (Event("Normal", reasons.UPDATE_COMPLETED, f"{name} serves the new {kind.words.content}"),)
    else:
        events += messages.status_changed(base, states.in_service)
    if drift_shown(base) is Drift.CORRECTING:
        events += (Event("Normal", reasons.DRIFT_CORRECTED, f"{name} is again as the spec wants it"),)
    return Finish(status_update, recorded, events, follow=True)
