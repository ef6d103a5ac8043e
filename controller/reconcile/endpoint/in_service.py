"""Decides about an endpoint in service: apply a new spec, report a failed update, correct drift, or rest.

Pure, level-based. Rows cited are those of v1-kinds.md 12.4.
"""

from controller.reconcile import reasons
from controller.reconcile.endpoint.capacity import changed_numbers, wanted_numbers
from controller.reconcile.endpoint.children import CHILDREN_POLL_S, children_or, is_going, needed, unneeded_children
from controller.reconcile.endpoint.desired import Child, shape_of
from controller.reconcile.endpoint.drift import changed_configuration, changed_numbers_of, children_drifted
from controller.reconcile.endpoint.observation import (
    AskScaled,
    DropChild,
    EndpointObservation,
    EndpointStep,
    Kind,
    Numbers,
    Update,
)
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.endpoint.updates import held, is_held
from controller.reconcile.hosting import IN_SERVICE
from controller.reconcile.mutable.in_service import at_rest, drifted, update_failed
from controller.reconcile.mutable.kind import BUSY_POLL_S
from controller.reconcile.mutable.observation import RecordServed
from controller.reconcile.observation import ExternalResource, Recorded
from controller.reconcile.shared_decisions import LOOK_AGAIN_S
from controller.reconcile.steps import Finish, Phase, StatusUpdate
from controller.runtime.frozen import replace


def in_service(
    observed: EndpointObservation, kind: Kind, recorded: Recorded, external: ExternalResource
) -> EndpointStep:
    """Apply a new spec, report a failed update, correct drift, or rest (rows 4 to 6)."""
    desired = observed.desired
    assert desired is not None  # noqa: S101 (only deletions have none)
    last_update = observed.last_update
    modified = str(external.fields.get("lastModifiedTime", ""))
    if modified and not last_update.is_served and modified <= last_update.since:
        return Finish(follow=True, again_s=LOOK_AGAIN_S)  # an answer from before our update
    running = observed.running
    has_shape = running is not None and desired.shape != "" and desired.shape == shape_of(running.content)
    if has_shape and running is not None:
        return _right_configuration(observed, kind, recorded, external, running)
    if (
        not observed.is_new_spec and desired.configuration is None
    ):  # a model's object was deleted: create it again first
        return children_or(observed, Update(), Phase.READY_WORKING)
    # After a failure SageMaker restores the previous configuration and gives a reason. Without a reason, another
    # configuration was applied outside the operator before it could observe the result of its own request.
    is_foreign = observed.is_requested and running is None and not external.failure_reason
    if not observed.is_new_spec and running is not None and last_update.is_served:
        # One of the object's own configurations is no drift: an update of its own is not recorded.
        return _again(observed)
    if not observed.is_new_spec and (last_update.is_served or is_foreign):
        repair = children_or(observed, Update(), Phase.WORKING)
        return drifted(observed, kind, recorded, changed_configuration(observed), repair, is_usable=False)
    # What runs is what was requested last, and the spec has another configuration since: a child was created again.
    is_applied = running is not None and last_update.shape != "" and last_update.shape == shape_of(running.content)
    if observed.is_requested and not is_applied:
        return update_failed(observed, kind, recorded, external)  # row 6: SageMaker has rolled back
    step = _again(observed)
    return held(observed, recorded, is_whole=True) if isinstance(step, Update) and is_held(observed) else step


def _again(observed: EndpointObservation) -> EndpointStep:
    """Switch to the wanted configuration, unless SageMaker has just said that it is busy."""
    if observed.refusal:
        return Finish(follow=True, again_s=BUSY_POLL_S)
    return children_or(observed, Update(), Phase.READY_WORKING)


def _right_configuration(
    observed: EndpointObservation, kind: Kind, recorded: Recorded, external: ExternalResource, running: Child
) -> EndpointStep:
    """Change weights and counts, if needed, of an endpoint with the wanted configuration."""
    base = observed.base
    numbers: Numbers = changed_numbers(observed, running)
    has_failed = (
        observed.last_update.is_of_numbers and not observed.last_update.is_served and bool(external.failure_reason)
    )
    if has_failed and observed.is_requested:
        return update_failed(observed, kind, recorded, external)
    if has_failed and not observed.is_new_spec and observed.desired is not None:
        numbers = wanted_numbers(observed.desired)
    if not numbers or observed.is_requested:
        return _serves(observed, kind, recorded)
    if observed.refusal:
        return Finish(follow=True, again_s=BUSY_POLL_S)
    if is_held(observed):
        return held(observed, recorded, is_whole=False)
    return Update(numbers) if base.shown == base.descriptor.status.reconciling else _announce(observed, recorded)


def _announce(observed: EndpointObservation, recorded: Recorded) -> EndpointStep:
    """Show `ReconcilingEndpoint` before `Updating`, as in the guide, also if no children have to be created."""
    status_update = StatusUpdate(
        Phase.READY_WORKING,
        reasons.PREPARING_UPDATE,
        "The endpoint is about to be updated",
        value=observed.base.descriptor.status.reconciling,
        fields=fields_of(observed),
        synced=reasons.UPDATE_PENDING,
    )
    return Finish(status_update, recorded, follow=True)


def _serves(observed: EndpointObservation, kind: Kind, recorded: Recorded) -> EndpointStep:
    """Check numbers and children of an endpoint with the wanted configuration for drift."""
    last_update = observed.last_update
    is_open = last_update.pending_update is not None or last_update.intent is not None
    if observed.is_new_spec or not last_update.is_served or is_open:
        return RecordServed()
    changed = changed_numbers_of(observed)
    if changed.unclear:
        return AskScaled(changed.unclear)
    if changed.restore is not None:
        return drifted(observed, kind, recorded, changed.differences, Update(changed.restore))
    if lost := [child for child in observed.children if child.drift and child.uid in needed(observed)]:
        return children_drifted(observed, kind, recorded, lost)
    return _at_rest(observed, kind, recorded)


def _at_rest(observed: EndpointObservation, kind: Kind, recorded: Recorded) -> EndpointStep:
    """Show that the spec is in service, and delete unneeded children, configurations first (row 4, D-54)."""
    base = observed.base
    is_shown = base.shown == IN_SERVICE and base.is_recorded_in_status and observed.is_observed
    unneeded = unneeded_children(observed)
    if is_shown and unneeded:
        for child in unneeded:
            if not is_going(observed, child):
                return DropChild(child)
    # Once all that is left to go are models on their way, nothing waits for them.
    is_waited_for = any(child in observed.configurations or not is_going(observed, child) for child in unneeded)
    return replace(at_rest(observed, kind, recorded), again_s=CHILDREN_POLL_S if is_waited_for else None)
