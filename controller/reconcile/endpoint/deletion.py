"""Decides the deletion of a deployment: endpoint, configurations, models, then the finalizer (D-54).

Pure, level-based. Rows cited are those of v1-kinds.md 12.4.
"""

from controller.reconcile import reasons
from controller.reconcile.endpoint.observation import DropChild, EndpointObservation, EndpointStep
from controller.reconcile.endpoint.pauses import BUSY_POLL_S, CHILDREN_POLL_S
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.hosting import BUSY, DELETING
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
    if base.reasons.get(reasons.RECONCILING) == reasons.DELETING_CHILDREN and base.recorded is None:
        return _teardown(observed)
    external = base.external
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
                return _teardown_begins(observed, f"{base.name} was not created by this object and is left alone")
            case _:
                pass
    if external.value == DELETING or external.value in BUSY or observed.was_refused_as_busy:
        return _waits_for_endpoint(observed, _busy_message(external.value), reasons.DELETING)
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


def _teardown_begins(observed: EndpointObservation, message: str) -> EndpointStep:
    """Record that the children are being deleted: after that, the endpoint is not looked for again."""
    if not observed.children:
        return RemoveFinalizer(_deleted_events(observed, message))
    status_update = StatusUpdate(
        Phase.WORKING,
        reasons.DELETING_CHILDREN,
        message,
        value=DELETING,
        fields={"endpointConfigName": None, "modelNames": None},
        forgets=True,
    )
    return Finish(status_update, None, _deleted_events(observed, message), again_s=CHILDREN_POLL_S)


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
