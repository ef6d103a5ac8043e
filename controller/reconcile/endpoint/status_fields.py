"""Builds the status fields that show an endpoint, and the event when it is first seen. Pure."""

from typing import Any

from controller.reconcile.endpoint.observation import EndpointObservation
from controller.reconcile.observation import ExternalResource, Recorded, Source
from controller.reconcile.status import messages
from controller.reconcile.steps import Event


def fields_of(observed: EndpointObservation) -> dict[str, Any]:
    """Return the status fields in addition to the value: SageMaker's, the URL, the names of the models."""
    fields = dict(observed.fields)
    if isinstance(observed.base.external, ExternalResource) and observed.base.external.source is Source.DESCRIPTION:
        fields.setdefault("failureReason", None)
    if observed.url:
        fields["endpointUrl"] = observed.url
    names = observed.desired.model_names if observed.desired else {}
    if observed.desired and observed.desired.models and all(names.get(want.label) for want in observed.desired.models):
        fields["modelNames"] = [{"name": want.label, "value": names[want.label]} for want in observed.desired.models]
    return fields


def first_seen_events(observed: EndpointObservation, recorded: Recorded) -> tuple[Event, ...]:
    """Return the event for an endpoint that the status does not show yet."""
    is_news = not (observed.base.is_recorded_in_status or observed.base.is_legacy)
    return (messages.created(observed.base, recorded),) if is_news else ()
