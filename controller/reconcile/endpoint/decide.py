"""Decides the next step of a HostingDeployment: its endpoint is created, switched to new configurations, and deleted.

Pure, level-based. Rows cited are those of v1-kinds.md 12.4. Updates wait while SageMaker is busy, and only the newest
spec is applied. Children are created when the update can be made, not before. `in_service` and `deletion` decide about
an endpoint in service and about a deployment that is being deleted.
"""

from dataclasses import replace
from functools import partial

from controller.observability.redact import shortened
from controller.reconcile import reasons
from controller.reconcile.endpoint.children import children_or, missing_to_check, with_other_tags, without_successor
from controller.reconcile.endpoint.deletion import deleting
from controller.reconcile.endpoint.in_service import in_service
from controller.reconcile.endpoint.observation import (
    EndpointObservation,
    EndpointStep,
    ForgetUpdate,
    OwnChild,
    RecordPendingUpdate,
    RetainChild,
    SucceedChild,
    TagChild,
)
from controller.reconcile.endpoint.pauses import BUSY_POLL_S
from controller.reconcile.endpoint.status_fields import fields_of, first_seen_events
from controller.reconcile.endpoint.updates import is_held, is_pending, resets, resolving
from controller.reconcile.hosting import BUSY, CREATING, DELETING, FAILED, IN_SERVICE, UPDATING
from controller.reconcile.identity import identified, is_replaced, replaced, takes_over, unproven
from controller.reconcile.observation import (
    Adoption,
    During,
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


def decide(observed: EndpointObservation) -> EndpointStep:
    """Return the next step. At most one AWS mutation per pass."""
    step = identified(observed.base, _decide(observed))
    if isinstance(step, Finish) and step.status_update is not None and observed.ignored and not observed.is_observed:
        message = f"without effect: {'; '.join(observed.ignored)}"  # once for each generation of the spec
        return replace(step, events=(*step.events, Event("Warning", reasons.FIELDS_IGNORED, message)))
    return step


def _decide(observed: EndpointObservation) -> EndpointStep:
    base = observed.base
    if base.deleting_for_s is not None and base.policy.retain:
        return _retain(observed)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return _failed(observed, base.failure)
    if (proof := unproven(base)) is not None:
        return proof
    if base.deleting_for_s is not None:
        return deleting(observed, base.deleting_for_s)
    if base.policy.read_only:
        is_settled = observed.is_observed and observed.was_visible
        return read_only_step(base, partial(_show_read_only, observed), is_settled=is_settled)
    if is_replaced(base) and takes_over(base) and isinstance(base.external, ExternalResource):
        if observed.is_update_copied:
            return ForgetUpdate()
        recorded = record_of(base, base.external)
        base = replace(base, recorded=recorded, is_recorded_in_status=False, is_copied=False)
        observed = replace(observed, base=base)
    elif is_replaced(base):
        if base.is_describe_due:
            return Describe(background=True)  # it may be gone: the endpoint is wanted
        return replaced(base, operator_value(base, ErrorClass.EXISTS), follow=True)
    if observed.invalid is not None:
        return _invalid(observed, observed.invalid)
    if not base.has_finalizer:
        return EnsureFinalizer()
    if (tags := tagging.step(base)) is not None:
        return tags
    for child in observed.children:
        if not child.is_owned and child.name not in observed.done:
            return OwnChild(child)
    if (held := without_successor(observed)) is not None:
        return SucceedChild(held)
    if (want := with_other_tags(observed)) is not None:
        return TagChild(want)
    if base.recorded is not None:
        return _recorded(observed, base.recorded)
    return _not_recorded(observed)


def _show_read_only(observed: EndpointObservation, external: ExternalResource, recorded: Recorded) -> Finish:
    """Show the endpoint as it is, whatever the spec says, without children."""
    if external.value == IN_SERVICE:
        status_update = StatusUpdate(Phase.READY, reasons.IN_SERVICE, value=IN_SERVICE, fields=fields_of(observed))
        return Finish(status_update, recorded, first_seen_events(observed, recorded), follow=True)
    if external.value == FAILED:
        return _endpoint_stuck(observed, recorded, external)
    return _as_it_is(observed, recorded, external)


def _failed(observed: EndpointObservation, failure: Failure) -> EndpointStep:
    """Return the end of a pass with a failure; after a refused update the endpoint still serves."""
    if observed.base.deleting_for_s is None and (check := missing_to_check(observed, failure)) is not None:
        return check
    step = failed_but_usable(observed.base, failure)
    external = observed.base.external
    if (
        failure.during is During.WRITE
        and isinstance(step, Finish)
        and step.status_update is not None
        and isinstance(external, ExternalResource)
        and external.source is Source.DESCRIPTION
    ):
        return replace(
            step, status_update=replace(step.status_update, value=external.value, fields=fields_of(observed))
        )
    return step


def _invalid(observed: EndpointObservation, failure: Failure) -> EndpointStep:
    """Report a spec that cannot be resolved: nothing is changed, and an existing endpoint is shown as it is."""
    base, external = observed.base, observed.base.external
    step = failed(base, failure)
    if base.recorded is None or not isinstance(step, Finish) or step.status_update is None:
        return step
    if base.is_describe_due or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe(background=True)
    status_update = step.status_update
    if isinstance(external, ExternalResource):
        serves = external.value == IN_SERVICE or (external.value in BUSY and external.value != CREATING)
        phase = Phase.READY_STUCK if serves else Phase.STUCK
        status_update = replace(status_update, phase=phase, value=external.value, fields=fields_of(observed))
    # No hold: AWS is called only when the tracker reports a change, which is then shown.
    return replace(step, status_update=status_update, outcome=Outcome.DONE)


def _retain(observed: EndpointObservation) -> EndpointStep:
    """Keep the endpoint, and everything that it consists of."""
    for child in observed.children:
        if child.name not in observed.done:
            return RetainChild(child)
    return retain(observed.base)


# --- before there is an endpoint


def _not_recorded(observed: EndpointObservation) -> EndpointStep:
    """Create the endpoint, unless its name is taken (rows 1 and 13)."""
    base = observed.base
    external = base.external
    if external is None:
        # A given name is looked up first, so that no children are created in vain if it is taken.
        is_unsure = base.name_is_taken or base.is_legacy or not base.is_name_generated
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


def _build(observed: EndpointObservation) -> EndpointStep:
    """Create Models, then the EndpointConfig, then the endpoint (row 1)."""
    return children_or(observed, Create(), Phase.WORKING)


# --- the endpoint exists


def _recorded(observed: EndpointObservation, recorded: Recorded) -> EndpointStep:
    base, external = observed.base, observed.base.external
    if base.mutation is Mutation.CREATED:
        return _requested(observed, recorded, CREATING, messages.created(base, recorded))
    if base.mutation is Mutation.UPDATED:
        begins = Event("Normal", reasons.UPDATE_STARTED, f"The update of {recorded.name} has begun")
        return _requested(
            observed, recorded, UPDATING, begins, *resets(observed, is_whole=not observed.last_update.is_of_numbers)
        )
    if base.mutation is Mutation.DELETED:
        goes = Event("Normal", reasons.DELETING, f"{recorded.name} is being deleted, to be created again")
        return _requested(observed, recorded, DELETING, goes)
    if (step := resolving(observed)) is not None:
        return step
    if external is None:
        if not base.is_recorded_in_status:
            return _requested(observed, recorded, CREATING, messages.created(base, recorded))
        settled = observed.was_visible and observed.is_observed and not base.is_describe_due
        return Finish(follow=True) if settled else Describe(background=observed.is_observed)
    if external is ABSENT:
        if base.name_is_taken:
            return unseen(base)
        if not observed.was_visible and may_be_invisible(base, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return _build(observed)  # row 1: it is wanted, and was deleted outside the operator
    if external.source is Source.SUMMARY or base.is_describe_due:
        return Describe(background=observed.is_observed)
    if base.policy.holds_updates and observed.is_new_spec and not observed.is_pending_recorded:
        return RecordPendingUpdate()
    if external.value == IN_SERVICE:
        return in_service(observed, recorded, external)
    if external.value == FAILED:
        return _endpoint_failed(observed, recorded, external)
    return _as_it_is(observed, recorded, external)


def _requested(observed: EndpointObservation, recorded: Recorded, value: str, *events: Event) -> Finish:
    """Show the state that follows an accepted request, without a Describe."""
    phase = Phase.READY_WORKING if value == UPDATING else Phase.WORKING
    fields = fields_of(observed)
    if (
        value == CREATING
        and observed.desired
        and observed.desired.configuration
        and observed.desired.configuration.child
    ):
        fields["endpointConfigName"] = observed.desired.configuration.child.sagemaker_name
    if value == CREATING:
        fields["creationTime"] = None  # that of an endpoint which is gone
    drift: Drift | None = Drift.NONE
    if value == UPDATING:
        drift = Drift.CORRECTING if drift_shown(observed.base) is Drift.FOUND else None
    status_update = StatusUpdate(phase, value, f"The endpoint is {value}", value=value, fields=fields, drift=drift)
    return Finish(status_update, recorded, events, follow=True)


def _as_it_is(observed: EndpointObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    """Show the state of the endpoint, and whether an update waits (rows 3, 8 and 12, and values that AWS adds)."""
    base = observed.base
    serves = external.value in BUSY and external.value != CREATING
    pending = is_pending(observed)
    message = ""
    if pending:
        what = "is prepared" if is_held(observed) else "is applied"
        message = f"The changed spec {what} when the endpoint is InService (it is {external.value})"
    status_update = StatusUpdate(
        Phase.READY_WORKING if serves else Phase.WORKING,
        messages.reason_of(external.value),
        message or external.failure_reason or f"The endpoint is {external.value}",
        value=external.value,
        additional="",
        fields=fields_of(observed),
        synced=reasons.UPDATE_PENDING if pending else reasons.SYNCED,
    )
    events = first_seen_events(observed, recorded) + messages.status_changed(base, external.value)
    if pending and base.reasons.get(reasons.SYNCED) != reasons.UPDATE_PENDING:
        events += (Event("Normal", reasons.UPDATE_PENDING, message),)
    again_s = BUSY_POLL_S if external.value == DELETING else None  # lists show changes, not disappearance
    return Finish(status_update, recorded, events, follow=True, again_s=again_s)


def _endpoint_failed(observed: EndpointObservation, recorded: Recorded, external: ExternalResource) -> EndpointStep:
    """Show or recreate a failed endpoint: AWS allows only its deletion (row 7)."""
    pending = is_pending(observed)
    if pending and observed.recreates and not (observed.was_refused_as_busy or is_held(observed)):
        return Delete(recorded.name)
    return _endpoint_stuck(observed, recorded, external)


def _endpoint_stuck(observed: EndpointObservation, recorded: Recorded, external: ExternalResource) -> Finish:
    pending = is_pending(observed)
    why = external.failure_reason or "SageMaker gives no reason"
    additional, message = f"The endpoint failed: {why}", f"The endpoint failed: {shortened(why, messages.BRIEF)}"
    if pending:
        message += (
            ". The changed spec cannot be applied: a failed endpoint can only be deleted. Delete this object and create"
            " it again, or set its annotation sagemaker.aws.amazon.com/recreate-on-failure=true"
        )
    status_update = StatusUpdate(
        Phase.STUCK,
        reasons.ENDPOINT_FAILED,
        message,
        value=FAILED,
        additional=message if pending else additional,
        fields=fields_of(observed),
        synced=reasons.UPDATE_BLOCKED if pending else reasons.SYNCED,
    )
    events = messages.once(observed.base, reasons.STALLED, reasons.ENDPOINT_FAILED, message, reasons.FAILED)
    return Finish(status_update, recorded, first_seen_events(observed, recorded) + events, follow=True)
