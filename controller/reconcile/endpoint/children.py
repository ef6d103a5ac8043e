"""Decides which children of a deployment to create, to wait for, to tag and to delete. Pure.

Rows cited are those of v1-kinds.md 12.4.
"""

from controller.reconcile import reasons
from controller.reconcile.endpoint.desired import Child, Want
from controller.reconcile.endpoint.observation import EndpointObservation, EndpointStep, MakeChild, RestoreChild, Update
from controller.reconcile.endpoint.pauses import CHILDREN_POLL_S
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.status import messages
from controller.reconcile.steps import Create, Finish, Phase, StatusUpdate


def children_or(observed: EndpointObservation, then: Create | Update, phase: Phase) -> EndpointStep:
    """Return `then` if all children are there, else the step that creates or awaits one of them."""
    desired = observed.desired
    assert desired is not None  # noqa: S101 (only deletions have none)
    wants = [*desired.models, *filter(None, [desired.configuration])]
    for want in wants:
        if want.child is None and want.name not in observed.done:
            return RestoreChild(want) if want.modified else MakeChild(want)
    for want in wants:
        if want.child is None or not want.child.sagemaker_name:
            return _waits_for(observed, want, phase)
    return then


def _waits_for(observed: EndpointObservation, want: Want, phase: Phase) -> Finish:
    base = observed.base
    kind, name = want.descriptor.kind, want.child.name if want.child else want.name
    is_stuck = want.child is not None and want.child.is_stalled
    trouble = want.child.trouble if want.child else ""
    message = f"{kind} {name}: {trouble}" if trouble else f"{kind} {name} is being created"
    reason = reasons.CHILD_FAILED if is_stuck else reasons.PREPARING[kind]
    if is_stuck:
        phase = Phase.STUCK if phase is Phase.WORKING else Phase.READY_STUCK
    waits = reasons.UPDATE_PENDING if base.recorded else reasons.CREATING
    status_update = StatusUpdate(
        phase,
        reason,
        message,
        value=base.descriptor.status.reconciling,
        additional=message if trouble else "",
        fields=fields_of(observed),
        synced=reasons.CHILD_FAILED if is_stuck else waits,
    )
    events = messages.once(base, reasons.STALLED, reason, message) if is_stuck else ()
    return Finish(status_update, base.recorded, events, follow=base.recorded is not None, again_s=CHILDREN_POLL_S)


def with_other_tags(observed: EndpointObservation) -> Want | None:
    """Return a child that differs from what is wanted in its tags only; they are changed in place (D-13)."""
    desired = observed.desired
    for want in (*desired.models, *filter(None, [desired.configuration])) if desired else ():
        child = want.child
        if child is None or child.is_deleting or child.name in observed.done:
            continue
        if (child.spec.get("tags") or []) != (want.spec.get("tags") or []):
            return want
    return None


def needed(observed: EndpointObservation) -> set[str]:
    """Return the uids of the running configuration and of the wanted models."""
    desired, running = observed.desired, observed.running
    assert desired is not None and running is not None  # noqa: S101, PT018 (the endpoint runs with a child)
    return {running.uid} | {want.child.uid for want in desired.models if want.child}


def unneeded_children(observed: EndpointObservation) -> list[Child]:
    """Return the children that neither endpoint nor spec needs; models only after the configurations that use them."""
    wanted = needed(observed)
    configurations = [child for child in observed.configurations if child.uid not in wanted]
    used = {
        variant.get("modelName")
        for child in observed.configurations
        for variants in ("productionVariants", "shadowProductionVariants")
        for variant in child.spec.get(variants) or ()
    }
    models = [child for child in observed.models if child.uid not in wanted and child.sagemaker_name not in used]
    return configurations + models
