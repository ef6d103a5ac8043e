"""Builds the status fields that show a component, and the event when it is first seen. Pure."""

from dataclasses import replace
from typing import Any, Final

from controller.reconcile.component.observation import ComponentObservation
from controller.reconcile.dependencies import MODEL_NAMES_FIELD
from controller.reconcile.observation import ExternalResource, Recorded, Source
from controller.reconcile.status import messages
from controller.reconcile.steps import Event, Finish, Phase

BUSY_POLL_S: Final = 10.0
"""For components that SageMaker is changing: lists do not show the end of a deletion."""


def fields_of(observed: ComponentObservation, *, is_served: bool = False) -> dict[str, Any]:
    """Return the status fields besides the value: SageMaker's, and the names of the models.

    Until AWS is seen to run what the spec asks for, the models of before are named, too: they are not deleted then.
    """
    fields, external = dict(observed.fields), observed.base.external
    if isinstance(external, ExternalResource) and external.source is Source.DESCRIPTION:
        fields.setdefault("failureReason", None)
    before = () if is_served else observed.shown_model_names
    if named := dict.fromkeys((*sorted(observed.model_names.items()), *before)):
        fields[MODEL_NAMES_FIELD] = [{"name": name, "value": value} for name, value in named]
    elif observed.shown_model_names:
        fields[MODEL_NAMES_FIELD] = None
    return fields


def not_running(observed: ComponentObservation, end: Finish) -> Finish:
    """Return the end of a pass that waits, of a component that is not there: it is not ready, even if it was."""
    if end.status_update is None or observed.base.recorded is None:
        return end
    value = observed.base.descriptor.status.reconciling
    return replace(end, status_update=replace(end.status_update, phase=Phase.WORKING, value=value))


def first_seen_events(observed: ComponentObservation, recorded: Recorded) -> tuple[Event, ...]:
    """Return the event for a component that the status does not show yet."""
    return () if observed.base.is_recorded_in_status else (messages.created(observed.base, recorded),)
