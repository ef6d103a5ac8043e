"""Builds the status fields that show an endpoint. Pure."""

from typing import Any

from controller.reconcile.endpoint.observation import EndpointObservation
from controller.reconcile.mutable.kind import described_fields


def fields_of(observed: EndpointObservation) -> dict[str, Any]:
    """Return the status fields in addition to the value: SageMaker's, the URL, the names of the models."""
    fields = described_fields(observed)
    if observed.url:
        fields["endpointUrl"] = observed.url
    names = observed.desired.model_names if observed.desired else {}
    if observed.desired and observed.desired.models and all(names.get(want.label) for want in observed.desired.models):
        fields["modelNames"] = [{"name": want.label, "value": names[want.label]} for want in observed.desired.models]
    return fields
