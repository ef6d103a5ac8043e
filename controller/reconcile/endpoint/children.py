"""Decides which children of a deployment to create, to wait for, to tag and to delete. Pure.

Rows cited are those of v1-kinds.md 12.4.
"""

from collections.abc import Callable
from typing import Final

from controller.reconcile import reasons
from controller.reconcile.endpoint.desired import Child, Want
from controller.reconcile.endpoint.observation import (
    CheckChild,
    EndpointObservation,
    EndpointStep,
    MakeChild,
    RecordOutcome,
    RestoreChild,
    RetryChild,
    Update,
)
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.observation import During, Failure
from controller.reconcile.shared_decisions import is_missing
from controller.reconcile.status import messages
from controller.reconcile.steps import Create, Finish, Phase, StatusUpdate
from controller.runtime.frozen import replace

CHILDREN_POLL_S: Final = 10.0
"""Children enqueue their deployment; this is for those that the predecessor made, which name no owner."""


def children_or(observed: EndpointObservation, then: Create | Update, phase: Phase) -> EndpointStep:
    """Return `then` if all children are there, else the step that creates or awaits one of them."""
    desired = observed.desired
    assert desired is not None  # noqa: S101 (only deletions have none)
    wants = [*desired.models, *filter(None, [desired.configuration])]
    for want in wants:
        if want.child is None and want.name not in observed.done:
            return RestoreChild(want) if want.modified else MakeChild(want)
        if want.child is not None and _is_leaving(observed, want.child):
            return _waits_for(observed, want, phase)  # before a configuration is made that refers to a leaving model
    for want in wants:
        if want.child is None or not want.child.sagemaker_name:
            return _retry_of(observed, want.child) or _waits_for(observed, want, phase)
    return then


def _is_leaving(observed: EndpointObservation, child: Child) -> bool:
    """Return whether a child is being deleted and nothing holds it: its resource may be gone at any moment."""
    is_served_unknown = observed.base.recorded is not None and not observed.last_update.id
    if not child.is_deleting or observed.is_update_open or is_served_unknown:
        return False
    running = observed.running
    staying = [each for each in observed.configurations if each is running or not each.is_deleting]
    return child is not running and child.uid not in {each.uid for each in models_of(observed, staying)}


def _retry_of(observed: EndpointObservation, child: Child | None) -> RetryChild | None:
    """Return the step that passes `reconcile-at` on to a child that is refused; None if it has that text already."""
    at = observed.desired.retry if observed.desired else ""
    if child is None or not (child.trouble and at) or at == child.retry or child.name in observed.done:
        return None
    return RetryChild(child, at)


def missing_to_check(observed: EndpointObservation, failure: Failure) -> CheckChild | RecordOutcome | None:
    """Return the check of a child that AWS does not know, or may not: those that the refusal names and what they use,
    else all that the endpoint is made of. One that is being deleted is not held any longer.
    """
    if failure.during not in {During.CREATE, During.UPDATE} or not is_missing(failure.error_class, failure.code):
        return None
    known = [child for child in observed.children if child.sagemaker_name]
    named = [child for child in known if child.sagemaker_name in failure.message]
    if observed.last_update.intent is not None and any(child.is_deleting for child in named):
        return RecordOutcome(took_effect=False)
    checked = [*named, *models_of(observed, named)] if named else known
    return next((CheckChild(each) for each in checked if each.name not in observed.done), None)


def models_of(observed: EndpointObservation, configurations: list[Child]) -> list[Child]:
    """Return the child models that configurations refer to."""
    used = {
        variant.get("modelName")
        for child in configurations
        for variants in ("productionVariants", "shadowProductionVariants")
        for variant in child.spec.get(variants) or ()
    }
    return [child for child in observed.models if child.sagemaker_name in used]


def _waits_for(observed: EndpointObservation, want: Want, phase: Phase) -> Finish:
    base = observed.base
    kind, name = want.descriptor.kind, want.child.name if want.child else want.name
    is_stuck = want.child is not None and want.child.is_stalled
    trouble = want.child.trouble if want.child else ""
    doing = "is being deleted, to be made again" if want.child and want.child.is_deleting else "is being created"
    message = f"{kind} {name}: {trouble}" if trouble else f"{kind} {name} {doing}"
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


def without_successor(observed: EndpointObservation) -> Child | None:
    """Return a child that waits for another one to take over what it has at SageMaker, because the endpoint uses it.

    `kubectl delete endpointconfig --all` is to return although the deployment lives on. Where a child that stays has it
    already, or is about to, one is enough: another would be superfluous, and be deleted, and be held in its turn.
    """
    succeeded = {child.succeeds for child in observed.children}
    staying = [child for child in observed.children if not child.is_deleting]
    kept = {(child.descriptor.kind, name) for child in staying for name in (child.sagemaker_name, child.takes_over)}
    held = (child for child in observed.children if child.is_held and child.resource)
    return next(
        (
            child
            for child in held
            if child.uid not in succeeded
            and (child.descriptor.kind, child.resource.get("name")) not in kept
            and child.name not in observed.done
        ),
        None,
    )


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


def is_going(observed: EndpointObservation, child: Child) -> bool:
    """Return whether a child is being deleted, or was by this pass."""
    return child.is_deleting or child.name in observed.done


def going_children(
    observed: EndpointObservation, decide: Callable[[EndpointObservation], EndpointStep]
) -> dict[str, bool]:
    """Return the uids of the superfluous children that are being deleted; False if their end leads to nothing else."""
    if observed.base.deleting_for_s is None and (observed.desired is None or observed.running is None):
        return {}
    superfluous = observed.children if observed.base.deleting_for_s is not None else unneeded_children(observed)
    leaving = [child for child in superfluous if child.is_deleting and not child.is_held]
    if not leaving:
        return {}
    step = decide(observed)
    ends = [[child] for child in leaving] + [leaving]
    is_waited_for = any(decide(_without(observed, each)) != step for each in ends)
    return {child.uid: is_waited_for for child in leaving}


def _without(observed: EndpointObservation, gone: list[Child]) -> EndpointObservation:
    return replace(observed, children=tuple(child for child in observed.children if child not in gone))


def needed(observed: EndpointObservation) -> set[str]:
    """Return the uids of the running configuration and of the wanted models."""
    desired, running = observed.desired, observed.running
    assert desired is not None and running is not None  # noqa: S101, PT018 (the endpoint runs with a child)
    return {running.uid} | {want.child.uid for want in desired.models if want.child}


def unneeded_children(observed: EndpointObservation) -> list[Child]:
    """Return the children that neither endpoint nor spec needs; models only after the configurations that use them."""
    wanted = needed(observed)
    wanted |= {child.uid for child in observed.children if child.succeeds and not child.sagemaker_name}
    configurations = [child for child in observed.configurations if child.uid not in wanted]
    used = {child.uid for child in models_of(observed, observed.configurations)}
    kept = {child.sagemaker_name for child in observed.models if child.uid in wanted} - {""}
    models = [
        child
        for child in observed.models
        if child.uid not in wanted and (child.uid not in used or child.sagemaker_name in kept)
    ]
    return configurations + models
