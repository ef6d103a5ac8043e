"""The life-cycle of inference components: created on an endpoint in service, updated in place, deleted.

Pure, level-based. A component needs its endpoint, and what else its spec names: it waits for them, and is woken by
them. Only the newest spec is applied, when SageMaker is not busy with the component.
"""

from dataclasses import replace
from functools import partial

from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.component.deletion import deleting
from controller.reconcile.component.in_service import in_service
from controller.reconcile.component.observation import ComponentObservation, ComponentStep, LookAtEndpoint
from controller.reconcile.component.status_fields import BUSY_POLL_S, fields_of, first_seen_events, not_running
from controller.reconcile.hosting import CREATING, DELETING, FAILED, IN_SERVICE, UPDATING
from controller.reconcile.identity import identified, is_replaced, replaced, takes_over, unproven
from controller.reconcile.observation import (
    Adoption,
    ExternalResource,
    Failure,
    Mutation,
    Ownership,
    Recorded,
    Source,
)
from controller.reconcile.shared_decisions import (
    LOOK_AGAIN_S,
    drift_shown,
    failed,
    failed_but_usable,
    foreign,
    may_be_invisible,
    nothing_to_adopt,
    operator_value,
    ownership_of,
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
    EnsureFinalizer,
    Event,
    Finish,
    Outcome,
    Phase,
    StatusUpdate,
    VerifyOwner,
)
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT, ErrorClass


def decide(observed: ComponentObservation) -> ComponentStep:
    """Return the next step. At most one AWS mutation per pass."""
    return identified(observed.base, _decide(observed))


def _decide(observed: ComponentObservation) -> ComponentStep:
    base = observed.base
    if base.deleting_for_s is not None and base.policy.retain:
        return retain(base)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return failed_but_usable(base, base.failure)
    if (proof := unproven(base)) is not None:
        return proof
    if base.deleting_for_s is not None:
        return deleting(observed, base.deleting_for_s)
    if base.policy.read_only:
        is_settled = observed.is_observed and observed.was_visible
        return read_only_step(base, partial(_show_read_only, observed), is_settled=is_settled)
    if is_replaced(base) and takes_over(base) and isinstance(base.external, ExternalResource):
        recorded = record_of(base, base.external)
        base = replace(base, recorded=recorded, is_recorded_in_status=False, is_copied=False)
        observed = replace(observed, base=base)
    elif is_replaced(base):
        if base.is_describe_due:
            return Describe(background=True)  # it may be gone: the component is wanted
        return replaced(base, operator_value(base, ErrorClass.EXISTS), follow=True)
    if observed.invalid is not None:
        return _invalid(observed, observed.invalid)
    if not base.has_finalizer:
        return EnsureFinalizer()
    if (tags := tagging.step(base)) is not None:
        return tags
    if base.recorded is not None:
        return _recorded(observed, base.recorded)
    return _not_recorded(observed)


def _invalid(observed: ComponentObservation, failure: Failure) -> ComponentStep:
    """Report a spec of which no request can be made: nothing is changed, and a component is shown as it is."""
    base, external = observed.base, observed.base.external
    step = failed(base, failure)
    if base.recorded is None or not isinstance(step, Finish) or step.status_update is None:
        return step
    if base.is_describe_due or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe(background=True)
    status_update = step.status_update
    if isinstance(external, ExternalResource):
        phase = Phase.READY_STUCK if external.value in {IN_SERVICE, UPDATING} else Phase.STUCK
        status_update = replace(status_update, phase=phase, value=external.value, fields=fields_of(observed))
    # No hold: AWS is called only when the tracker reports a change, which is then shown.
    return replace(step, status_update=status_update, outcome=Outcome.DONE)


def _show_read_only(observed: ComponentObservation, external: ExternalResource, recorded: Recorded) -> Finish:
    """Show the component as it is, whatever the spec says."""
    if external.value == IN_SERVICE:
        status_update = StatusUpdate(Phase.READY, reasons.IN_SERVICE, value=IN_SERVICE, fields=fields_of(observed))
        return Finish(status_update, recorded, first_seen_events(observed, recorded), follow=True)
    if external.value == FAILED:
        return _stuck(observed, recorded, external)
    return _as_it_is(observed, recorded, external)


# --- before there is a component


def _not_recorded(observed: ComponentObservation) -> ComponentStep:
    """Create the component, unless its name is taken."""
    base, external = observed.base, observed.base.external
    if external is None:
        is_unsure = base.name_is_taken or not base.is_name_generated
        return Describe() if is_unsure else _build(observed)
    if external is ABSENT:
        if base.policy.adoption is Adoption.ADOPT:
            return nothing_to_adopt(base)
        return unseen(base) if base.name_is_taken else _build(observed)
    match ownership_of(base):
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN if base.policy.adoption is Adoption.REFUSE:
            return foreign(base)
        case _:
            recorded = record_of(base, external)
            return _recorded(replace(observed, base=replace(base, recorded=recorded)), recorded)


def _build(observed: ComponentObservation) -> ComponentStep:
    """Create the component where its endpoint and what else it needs are there, else wait for them."""
    base, endpoint = observed.base, observed.endpoint
    if base.waits_for:
        return not_running(observed, waits(base))
    if endpoint is None:
        return LookAtEndpoint()
    if endpoint is ABSENT:
        return _waits_for_endpoint(observed, "the endpoint that the spec names does not exist at SageMaker")
    if endpoint.status != IN_SERVICE:
        return _waits_for_endpoint(observed, f"the endpoint {endpoint.name} is {endpoint.status}")
    if observed.variant and observed.variant not in endpoint.variants:
        there = ", ".join(endpoint.variants) or "none"
        message = f"the endpoint {endpoint.name} has no variant {observed.variant} (there: {there})"
        return _waits_for_endpoint(observed, message)
    return Create()


def _waits_for_endpoint(observed: ComponentObservation, message: str) -> Finish:
    """Wait for an endpoint, which is no error. An object of the cluster that stands for it ends the wait at once."""
    base, reason = observed.base, reasons.WAITING_FOR_ENDPOINT
    status_update = StatusUpdate(
        Phase.WORKING, reason, message, value=base.descriptor.status.reconciling, additional=message, synced=reason
    )
    events = messages.once(base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", each.reason, each.message) for each in events)
    end = Finish(status_update, base.recorded, normal_events, again_s=LOOK_AGAIN_S, outcome=Outcome.RETRY_SLOWLY)
    return not_running(observed, end)


# --- the component exists


def _recorded(observed: ComponentObservation, recorded: Recorded) -> ComponentStep:
    base, external = observed.base, observed.base.external
    if base.mutation is Mutation.CREATED:
        return _requested(observed, recorded, CREATING, messages.created(base, recorded))
    if base.mutation is Mutation.UPDATED:
        begins = Event("Normal", reasons.UPDATE_STARTED, f"The update of {recorded.name} has begun")
        return _requested(observed, recorded, UPDATING, *first_seen_events(observed, recorded), begins)
    if base.mutation is Mutation.DELETED:
        goes = Event("Normal", reasons.DELETING, f"{recorded.name} is being deleted, to be created again")
        return _requested(observed, recorded, DELETING, goes)
    if external is None:
        if not base.is_recorded_in_status:
            return _requested(observed, recorded, CREATING, messages.created(base, recorded))
        return Finish(follow=True) if _is_settled(observed) else Describe(background=observed.is_observed)
    if external is ABSENT:
        if base.name_is_taken:
            return unseen(base)
        if not observed.was_visible and may_be_invisible(base, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return _build(observed)  # it is wanted, and was deleted outside the operator
    if external.source is Source.SUMMARY or base.is_describe_due:
        is_settled = observed.is_unchanged and _is_settled(observed)
        return Finish(follow=True) if is_settled else Describe(background=observed.is_observed)
    if external.value == IN_SERVICE:
        return in_service(observed, recorded, external)
    if external.value != FAILED:
        return _as_it_is(observed, recorded, external)
    if observed.is_pending and observed.recreates and not observed.refusal:
        return Delete(recorded.name)
    return _stuck(observed, recorded, external)


def _is_settled(observed: ComponentObservation) -> bool:
    """Return whether nothing is to be done while AWS shows nothing new."""
    if not (observed.is_observed and observed.was_visible) or observed.base.is_describe_due:
        return False
    if observed.base.shown != IN_SERVICE:
        return observed.base.shown in {CREATING, UPDATING, FAILED}  # lists show no end of a deletion
    if not observed.attempt.is_served or observed.is_pending or drift_shown(observed.base) is Drift.FOUND:
        return False
    is_left_behind = observed.desired is not None and observed.shown_copies not in {None, observed.desired.copies}
    return not is_left_behind or bool(observed.scaler)  # what a policy has left behind is drift


def _requested(observed: ComponentObservation, recorded: Recorded, value: str, *events: Event) -> Finish:
    """Show the state that follows an accepted request, without a Describe."""
    phase = Phase.READY_WORKING if value == UPDATING else Phase.WORKING
    fields = fields_of(observed)
    if value == CREATING:
        fields["creationTime"] = None  # that of a component which is gone
    drift: Drift | None = Drift.NONE
    if value == UPDATING:
        drift = Drift.CORRECTING if drift_shown(observed.base) is Drift.FOUND else None
    status_update = StatusUpdate(phase, value, f"The component is {value}", value=value, fields=fields, drift=drift)
    return Finish(status_update, recorded, events, follow=True)


def _as_it_is(observed: ComponentObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    """Show the state of the component, and whether an update waits; also of values that AWS adds."""
    base, pending = observed.base, observed.is_pending
    message = external.failure_reason or f"The component is {external.value}"
    if pending:
        message = f"The changed spec is applied when the component is InService (it is {external.value})"
    status_update = StatusUpdate(
        Phase.READY_WORKING if external.value == UPDATING else Phase.WORKING,
        messages.reason_of(external.value),
        message,
        value=external.value,
        fields=fields_of(observed),
        synced=reasons.UPDATE_PENDING if pending else reasons.SYNCED,
    )
    events = first_seen_events(observed, recorded) + messages.status_changed(base, external.value)
    if pending and base.reasons.get(reasons.SYNCED) != reasons.UPDATE_PENDING:
        events += (Event("Normal", reasons.UPDATE_PENDING, message),)
    again_s = BUSY_POLL_S if external.value == DELETING else None  # lists show changes, not disappearance
    return Finish(status_update, recorded, events, follow=True, again_s=again_s)


def _stuck(observed: ComponentObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    """Show a failed component: AWS allows only its deletion."""
    why = external.failure_reason or "SageMaker gives no reason"
    additional, message = f"The component failed: {why}", f"The component failed: {shortened(why, messages.BRIEF)}"
    if observed.is_pending:
        message += (
            ". The changed spec is not applied to a failed component. Delete this object and create it again, or set"
            " its annotation sagemaker.aws.amazon.com/recreate-on-failure=true"
        )
    status_update = StatusUpdate(
        Phase.STUCK,
        reasons.COMPONENT_FAILED,
        message,
        value=FAILED,
        additional=message if observed.is_pending else additional,
        fields=fields_of(observed),
        synced=reasons.UPDATE_BLOCKED if observed.is_pending else reasons.SYNCED,
    )
    events = messages.once(observed.base, reasons.STALLED, reasons.COMPONENT_FAILED, message, reasons.FAILED)
    return Finish(status_update, recorded, first_seen_events(observed, recorded) + events, follow=True)
