"""Decides what comes before everything else, and about owners: left alone, adopted, or taken over. Pure."""

from collections.abc import Callable
from typing import TypeVar

from controller.reconcile.identity import is_replaced, replaced, takes_over, unproven
from controller.reconcile.observation import Adoption, ExternalResource, Failure, Observed, Ownership, Recorded
from controller.reconcile.shared_decisions import (
    foreign,
    nothing_to_adopt,
    operator_value,
    ownership_of,
    paused,
    record_of,
    unseen,
)
from controller.reconcile.steps import Describe, Finish, VerifyOwner
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace

StepT = TypeVar("StepT")
EndT = TypeVar("EndT")


def first_of_all(
    base: Observed,
    retained: Callable[[Observed], StepT],
    failed: Callable[[Observed, Failure], EndT],
) -> StepT | EndT | Finish | Describe | VerifyOwner | None:
    """Return the step for what annotations, a failure, or an unknown owner of the resource demand; None: nothing."""
    if base.deleting_for_s is not None and base.policy.retain:
        return retained(base)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return failed(base, base.failure)
    return unproven(base)


def left_to_others(base: Observed, *, follow: bool) -> Describe | Finish | None:
    """Return the step for another owner's resource under the name of the object's own; None: it is not, or is to be
    taken over.
    """
    if not is_replaced(base) or takes_over(base):
        return None
    if base.is_describe_due:
        return Describe(background=True)  # it may be gone: the object's own is wanted
    return replaced(base, operator_value(base, ErrorClass.EXISTS), follow=follow)


def taken_over(base: Observed) -> Observed:
    """Return what is observed by a copy that takes over the resource of the original: it is recorded as its own."""
    if not is_replaced(base) or not isinstance(base.external, ExternalResource):
        return base
    recorded = record_of(base, base.external)
    return replace(base, recorded=recorded, is_recorded_in_status=False, is_copied=False)


def not_there(base: Observed) -> Finish | None:
    """Return the step for a resource that was never recorded and that AWS does not know; None: it is created."""
    if base.policy.adoption is Adoption.ADOPT:
        return nothing_to_adopt(base)
    return unseen(base) if base.name_is_taken else None


def adopted(base: Observed, external: ExternalResource) -> VerifyOwner | Finish | Recorded:
    """Return the record of an existing resource as the object's own, or the step that keeps it from that."""
    match ownership_of(base):
        case Ownership.UNKNOWN:
            return VerifyOwner(external.arn)
        case Ownership.FOREIGN if base.policy.adoption is Adoption.REFUSE:
            return foreign(base)
        case _:
            return record_of(base, external)
