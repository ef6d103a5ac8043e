"""Decides the deletion of a deployment: endpoint, configurations, models, then the finalizer (D-54).

Pure, level-based. Rows cited are those of v1-kinds.md 12.4.
"""

from dataclasses import replace

from controller.reconcile import reasons
from controller.reconcile.endpoint.children import models_of
from controller.reconcile.endpoint.observation import DropChild, EndpointObservation, EndpointStep, RetainChild
from controller.reconcile.endpoint.pauses import BUSY_POLL_S, CHILDREN_POLL_S
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.hosting import BUSY, DELETING, is_torn_down
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


def deleting(observed: EndpointObservation, deleting_for_s: float) -> EndpointStep:
    """Delete endpoint, configurations and models, and wait for each, then remove the finalizer (rows 2, 9 to 11)."""
    base = observed.base
    if not base.has_finalizer:
        return Finish()
    if is_torn_down(base.recorded, base.reasons.get(reasons.RECONCILING)):
        return _teardown(observed)
    external = base.external
    if is_replaced(base):
        is_fresh = isinstance(external, ExternalResource) and external.is_fresh
        return _leave_alone(observed) if is_fresh else Describe()
    if base.mutation is Mutation.DELETED:
        return _waits_for_endpoint(observed, "deletion of the endpoint requested", reasons.DELETING)
    if external is None or (isinstance(external, ExternalResource) and external.source is Source.SUMMARY):
        return Describe()
    if external is ABSENT:
        return _gone(observed, deleting_for_s)
    if base.recorded is None:
        match ownership_of(base):
            case Ownership.UNKNOWN:
                return VerifyOwner(external.arn)
            case Ownership.FOREIGN:
                return _leave_alone(observed)
            case _:
                pass
    if external.value == DELETING or external.value in BUSY or observed.was_refused_as_busy:
        return _waits_for_endpoint(observed, _busy_message(external.value), reasons.DELETING)
    if observed.components:  # AWS deletes no endpoint that has any
        there = f"{', '.join(observed.components)} runs on the endpoint: it is deleted after that"
        return _waits_for_endpoint(observed, there, reasons.IN_USE)
    return Delete(base.recorded.name if base.recorded else base.name)


def _busy_message(value: str) -> str:
    """Return why the deletion waits: SageMaker does not delete an endpoint that it is changing."""
    return f"the endpoint is {value}" + ("" if value == DELETING else ": its deletion is asked for when that has ended")


def _gone(observed: EndpointObservation, deleting_for_s: float) -> EndpointStep:
    base = observed.base
    if base.recorded is not None:
        if not observed.was_visible and may_be_invisible(base, base.recorded):
            return _waits_for_endpoint(observed, "the endpoint may not be visible yet", reasons.DELETING)
        return _teardown_begins(observed, "the endpoint is gone")
    doubt_s = min(deleting_for_s, DOUBT_S if base.doubt_for_s is None else base.doubt_for_s)
    may_exist = bool(observed.children) and not base.was_refused  # without children nothing can have been created
    if may_exist and doubt_s < DOUBT_S:
        return Finish(again_s=DOUBT_S - doubt_s)
    return _teardown_begins(observed, "there is no endpoint")


def _waits_for_endpoint(observed: EndpointObservation, message: str, reason: str) -> Finish:
    base = observed.base
    events = messages.once(base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", reasons.DELETING, each.message) for each in events)
    fields = {**fields_of(observed)}
    status_update = StatusUpdate(Phase.WORKING, reason, message, value=DELETING, fields=fields)
    return Finish(status_update, base.recorded, normal_events, again_s=BUSY_POLL_S / 2)


def _teardown_begins(
    observed: EndpointObservation, message: str, events: tuple[Event, ...] | None = None
) -> EndpointStep:
    """Record that the children are being deleted: after that, the endpoint is not looked for again."""
    events = _deleted_events(observed, message) if events is None else events
    if not observed.children:
        return RemoveFinalizer(events)
    status_update = StatusUpdate(
        Phase.WORKING,
        reasons.DELETING_CHILDREN,
        message,
        value=DELETING,
        fields={"endpointConfigName": None, "modelNames": None},
    )
    recorded = observed.base.recorded
    released = replace(recorded, is_released=True) if recorded is not None else None
    return Finish(status_update, released, events, again_s=CHILDREN_POLL_S)


def _leave_alone(observed: EndpointObservation) -> EndpointStep:
    """Leave another owner's endpoint alone, with those of the children that it runs with."""
    served = observed.fields.get("endpointConfigName")
    configurations = [child for child in observed.configurations if child.sagemaker_name == served]
    for child in (*configurations, *models_of(observed, configurations)):
        if child.name not in observed.done:
            return RetainChild(child)
    retained = left_alone(observed.base)
    return _teardown_begins(observed, retained.message, (retained,))


def _deleted_events(observed: EndpointObservation, message: str) -> tuple[Event, ...]:
    return (Event("Normal", reasons.DELETED, message),) if observed.base.recorded else ()


def _teardown(observed: EndpointObservation) -> EndpointStep:
    for group in (observed.configurations, observed.models):
        for child in group:
            if not child.is_deleting and child.name not in observed.done:
                return DropChild(child)
        if group:
            return Finish(again_s=CHILDREN_POLL_S / 2)
    return RemoveFinalizer()
