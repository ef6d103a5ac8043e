"""Decides what is special about the deletion of a deployment: after the endpoint go configurations, models, and then
the finalizer (D-54). Pure, level-based (rows 2, 9 to 11 of v1-kinds.md 12.4).
"""

from dataclasses import replace

from controller.reconcile import reasons
from controller.reconcile.endpoint.children import CHILDREN_POLL_S, models_of
from controller.reconcile.endpoint.observation import DropChild, EndpointObservation, EndpointStep, RetainChild
from controller.reconcile.hosting import BUSY, DELETING, is_torn_down
from controller.reconcile.identity import left_alone
from controller.reconcile.observation import ExternalResource
from controller.reconcile.steps import Event, Finish, Phase, RemoveFinalizer, StatusUpdate


def keeps(observed: EndpointObservation, external: ExternalResource) -> tuple[str, str] | None:
    """Return why SageMaker would refuse the deletion of the endpoint: it is changing it, or components run on it."""
    if external.value in BUSY or observed.refusal:
        return f"the endpoint is {external.value}: its deletion is asked for when that has ended", reasons.DELETING
    if observed.components:
        there = f"{', '.join(observed.components)} runs on the endpoint: it is deleted after that"
        return there, reasons.IN_USE
    return None


def gone(observed: EndpointObservation) -> EndpointStep:
    """Begin with the children, once the endpoint is gone, or is known never to have been there."""
    message = "the endpoint is gone" if observed.base.recorded is not None else "there is no endpoint"
    return _teardown_begins(observed, message)


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


def leave_alone(observed: EndpointObservation) -> EndpointStep:
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


def teardown(observed: EndpointObservation) -> EndpointStep | None:
    """Delete the children, once the status shows that the endpoint is done with; None: it is not."""
    if not is_torn_down(observed.base.recorded, observed.base.reasons.get(reasons.RECONCILING)):
        return None
    for group in (observed.configurations, observed.models):
        for child in group:
            if not child.is_deleting and child.name not in observed.done:
                return DropChild(child)
        if group:
            return Finish(again_s=CHILDREN_POLL_S / 2)
    return RemoveFinalizer()
