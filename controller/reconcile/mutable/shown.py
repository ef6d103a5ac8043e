"""Shows the state of a resource that AWS changes in place, and what has become of requests. Pure."""

from dataclasses import replace

from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.mutable.kind import BUSY_POLL_S, MutableKind, ObsT, StepT
from controller.reconcile.mutable.observation import MutableObservation
from controller.reconcile.observation import ExternalResource, Failure, Mutation, Recorded, Source
from controller.reconcile.shared_decisions import drift_shown, failed
from controller.reconcile.status import messages
from controller.reconcile.steps import Describe, Drift, Event, Finish, Outcome, Phase, RemoveFinalizer, StatusUpdate


def first_seen_events(observed: MutableObservation, recorded: Recorded) -> tuple[Event, ...]:
    """Return the event for a resource that the status does not show yet."""
    is_news = not (observed.base.is_recorded_in_status or observed.base.is_legacy)
    return (messages.created(observed.base, recorded),) if is_news else ()


def requested(observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, mutation: Mutation) -> Finish:
    """Show the state that follows an accepted request, without a Describe."""
    base, states, fields = observed.base, kind.states, kind.fields(observed)
    phase = Phase.WORKING
    drift: Drift | None = Drift.NONE
    match mutation:
        case Mutation.UPDATED:
            value, phase = states.updating, Phase.READY_WORKING
            drift = Drift.CORRECTING if drift_shown(base) is Drift.FOUND else None
            begins = Event("Normal", reasons.UPDATE_STARTED, f"The update of {recorded.name} has begun")
            events = (*first_seen_events(observed, recorded), begins, *kind.warnings(observed))
        case Mutation.DELETED:
            value = states.deleting
            events = (Event("Normal", reasons.DELETING, f"{recorded.name} is being deleted, to be created again"),)
        case _:
            value = states.creating
            fields |= kind.created_fields(observed)
            fields["creationTime"] = None  # that of a resource which is gone
            events = (messages.created(base, recorded),)
    message = f"The {kind.words.noun} is {value}"
    status_update = StatusUpdate(phase, value, message, value=value, fields=fields, drift=drift)
    return Finish(status_update, recorded, events, follow=True)


def read_only(observed: ObsT, kind: MutableKind[ObsT, StepT], external: ExternalResource, recorded: Recorded) -> Finish:
    """Show the resource as it is, whatever the spec says."""
    if external.value == kind.states.in_service:
        fields = kind.fields(observed)
        status_update = StatusUpdate(Phase.READY, reasons.IN_SERVICE, value=external.value, fields=fields)
        return Finish(status_update, recorded, first_seen_events(observed, recorded), follow=True)
    return as_it_is(observed, kind, recorded, external)


def as_it_is(observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, external: ExternalResource) -> Finish:
    """Show the state of the resource, and whether an update waits; also values that AWS adds."""
    if external.value == kind.states.failed:
        return _stuck(observed, kind, recorded, external)
    base, states, pending = observed.base, kind.states, observed.is_pending
    message = external.failure_reason or f"The {kind.words.noun} is {external.value}"
    if pending:
        what = "is prepared" if kind.is_held(observed) else "is applied"
        noun = kind.words.noun
        message = f"The changed spec {what} when the {noun} is {states.in_service} (it is {external.value})"
    status_update = StatusUpdate(
        Phase.READY_WORKING if external.value in states.changing else Phase.WORKING,
        messages.reason_of(external.value),
        message,
        value=external.value,
        fields=kind.fields(observed),
        synced=reasons.UPDATE_PENDING if pending else reasons.SYNCED,
    )
    events = first_seen_events(observed, recorded) + messages.status_changed(base, external.value)
    if pending and base.reasons.get(reasons.SYNCED) != reasons.UPDATE_PENDING:
        events += (Event("Normal", reasons.UPDATE_PENDING, message),)
    again_s = BUSY_POLL_S if external.value == states.deleting else None  # lists show changes, not disappearance
    return Finish(status_update, recorded, events, follow=True, again_s=again_s)


def _stuck(observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded, external: ExternalResource) -> Finish:
    """Show a failed resource: AWS allows only its deletion."""
    noun, pending = kind.words.noun, observed.is_pending
    why = external.failure_reason or "SageMaker gives no reason"
    additional, message = f"The {noun} failed: {why}", f"The {noun} failed: {shortened(why, messages.BRIEF)}"
    if pending:
        message += (
            f". {kind.words.blocked}. Delete this object and create it again, or set its annotation"
            " sagemaker.aws.amazon.com/recreate-on-failure=true"
        )
    status_update = StatusUpdate(
        Phase.STUCK,
        kind.words.failed,
        message,
        value=external.value,
        additional=message if pending else additional,
        fields=kind.fields(observed),
        synced=reasons.UPDATE_BLOCKED if pending else reasons.SYNCED,
    )
    events = messages.once(observed.base, reasons.STALLED, kind.words.failed, message, reasons.FAILED)
    return Finish(status_update, recorded, first_seen_events(observed, recorded) + events, follow=True)


def invalid(observed: ObsT, kind: MutableKind[ObsT, StepT], failure: Failure) -> Finish | RemoveFinalizer | Describe:
    """Report a spec of which no request can be made: nothing is changed, and a resource is shown as it is."""
    base, external = observed.base, observed.base.external
    step = failed(base, failure)
    if base.recorded is None or not isinstance(step, Finish) or step.status_update is None:
        return step
    if base.is_describe_due or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe(background=True)
    status_update = step.status_update
    if isinstance(external, ExternalResource):
        phase = Phase.READY_STUCK if external.value in kind.states.serving else Phase.STUCK
        status_update = replace(status_update, phase=phase, value=external.value, fields=kind.fields(observed))
    # No hold: AWS is called only when the tracker reports a change, which is then shown.
    return replace(step, status_update=status_update, outcome=Outcome.DONE)
