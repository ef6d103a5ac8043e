"""What a deployment shows of its endpoint, whatever is decided: status fields, and events that open a chapter. Pure."""

from typing import Any

from controller.reconcile.endpoint.observation import HostingSeen
from controller.reconcile.observation import ExternalResource, Recorded, Source
from controller.reconcile.status import messages
from controller.reconcile.steps import Event


def fields_of(seen: HostingSeen) -> dict[str, Any]:
    """Status fields beside the value: SageMaker's, the URL, the names of the models."""
    fields = dict(seen.fields)
    if isinstance(seen.base.external, ExternalResource) and seen.base.external.source is Source.DESCRIPTION:
        fields.setdefault("failureReason", None)
    if seen.url:
        fields["endpointUrl"] = seen.url
    names = seen.desired.model_names if seen.desired else {}
    if seen.desired and seen.desired.models and all(names.get(want.label) for want in seen.desired.models):
        fields["modelNames"] = [{"name": want.label, "value": names[want.label]} for want in seen.desired.models]
    return fields


def first_sight(seen: HostingSeen, recorded: Recorded) -> tuple[Event, ...]:
    """That the endpoint is there, unless the status says so already."""
    is_news = not (seen.base.is_recorded_in_status or seen.base.is_legacy)
    return (messages.created(seen.base, recorded),) if is_news else ()
