"""Decides whether AWS's answers are about the resource that an object created or adopted. Pure.

A name is no identity: others may delete a resource and create their own under its name. The identity is the name and
the creation time by AWS's clock. Where the time differs, or is not known, the owner tags decide, before anything is
stopped, updated, deleted or tagged; the resource of another owner is reported and left alone.

AWS's time is recorded with the first change of state after an answer that shows it; where no owner tags are in use,
and for what has no further state, with that answer. Before that, a time by another clock narrows it down:
the operator's own, where it has created the resource; the last write of the status, where the predecessor has.
Another clock proves nothing: what fits it is shown as the object's own, and the owner tags are read before the
resource is first changed.
"""

from datetime import datetime, timedelta
from typing import Final, TypeVar

from controller.reconcile import reasons
from controller.reconcile.observation import Adoption, ExternalResource, Observed, Ownership, Recorded
from controller.reconcile.status import messages
from controller.reconcile.status.copies import SKEW
from controller.reconcile.steps import (
    ChangeStep,
    Describe,
    Drift,
    Event,
    Finish,
    Outcome,
    Phase,
    StatusUpdate,
    VerifyOwner,
)
from controller.runtime.frozen import replace

StepT = TypeVar("StepT")

SAME_CREATION: Final = timedelta(seconds=1)
"""How far two times of one creation may differ where one operation returns milliseconds and another whole seconds."""
_SAME_FRACTION: Final = timedelta(milliseconds=2)
_CREATE_TAKES: Final = timedelta(seconds=60)
"""How long before its answer a Create may take effect."""
_CLOCKS_AGREE: Final = timedelta(seconds=2)
"""How late AWS may have created a resource by its own clock that the operator has recorded by another one. Small,
because others may have replaced the resource since; where clocks differ by more, each resource costs one ListTags."""


def is_same_creation(one: datetime, other: datetime) -> bool:
    """Return whether two times by AWS's clock can be of one creation.

    Where both have a fraction of a second, it counts: a name may change hands within a second.
    """
    difference = abs(one - other)
    is_rounded = one.microsecond == 0 or other.microsecond == 0
    return difference <= _SAME_FRACTION or (is_rounded and difference <= SAME_CREATION)


def is_recorded_one(observed: Observed, external: ExternalResource) -> bool | None:
    """Return whether its creation time shows that it is the resource that the object created, adopted or inherited.

    None: the record or the answer has no time. The predecessor's is then taken for what its status names. Without owner
    tags nothing but the time can decide, and clocks get the benefit of the doubt.
    """
    created_at, recorded = external.created_at, observed.recorded
    if observed.is_copied:
        return False
    if recorded is None:
        legacy = observed.legacy_created
        return legacy is None or created_at is None or created_at in legacy
    if created_at is None:
        return None
    if recorded.creation_time is not None:
        return is_same_creation(created_at, recorded.creation_time)
    if recorded.created_at is None:
        return None
    late = created_at - recorded.created_at
    return -_CREATE_TAKES <= late <= _CLOCKS_AGREE if observed.has_owner_tags else late <= SKEW


def is_assumed(observed: Observed) -> bool:
    """Return whether the record alone does not prove that a resource is the object's: the tags have to."""
    recorded = observed.recorded
    if recorded is None or not observed.has_owner_tags:
        return False
    return recorded.creation_time is None or recorded.is_unverified


def is_contradicted(observed: Observed) -> bool:
    """Return whether the creation times of the record and of the observed resource are known and differ."""
    external = observed.external
    return isinstance(external, ExternalResource) and is_recorded_one(observed, external) is False


def unproven(observed: Observed) -> Describe | VerifyOwner | None:
    """Return the step that determines the owner of the observed resource; None if it is known, or cannot be asked."""
    external = observed.external
    if not isinstance(external, ExternalResource) or observed.owner is not Ownership.UNKNOWN:
        return None
    is_let_go = observed.deleting_for_s is not None and not observed.has_finalizer
    if observed.policy.read_only or is_let_go or observed.are_tags_unreadable:
        return None
    is_shown_foreign = observed.reasons.get(reasons.STALLED) == reasons.FOREIGN_RESOURCE
    if is_recorded_one(observed, external) and not (is_shown_foreign and is_assumed(observed)):
        return None
    if external.is_fresh:
        return VerifyOwner(external.arn)
    if external.created_at is None:
        return None  # a state change that an event reported: shown, but nothing is done on its word
    return Describe(background=observed.deleting_for_s is None)  # a late List may show an earlier resource


def is_replaced(observed: Observed) -> bool:
    """Return whether another owner's resource has the name of the one that the object created or adopted."""
    external = observed.external
    return (
        observed.owner is Ownership.FOREIGN
        and isinstance(external, ExternalResource)
        and (observed.recorded is not None or observed.is_legacy)
        and not observed.policy.read_only
        and (is_assumed(observed) or not is_recorded_one(observed, external))
    )


def takes_over(observed: Observed) -> bool:
    """Return whether a copy is to take over what the original has, or had (annotation `adoption-policy`)."""
    return is_of_another(observed) and observed.policy.adoption is not Adoption.REFUSE


def is_of_another(observed: Observed) -> bool:
    """Return whether the status was recorded for another object, as far as that can be seen."""
    external, earliest = observed.external, observed.legacy_created.earliest if observed.legacy_created else None
    if earliest is None or not isinstance(external, ExternalResource):
        return observed.is_copied
    return external.created_at is not None and external.created_at < earliest


def identified(observed: Observed, step: StepT) -> StepT | Describe | VerifyOwner:
    """Return `step`; if it changes a resource, what has to be known before: a Describe of this pass, and the owner."""
    if not isinstance(step, ChangeStep):
        return step
    external = observed.external
    if not isinstance(external, ExternalResource) or not external.is_fresh:
        return Describe(before=step)
    is_open = observed.owner is Ownership.UNKNOWN and not observed.are_tags_unreadable
    return VerifyOwner(external.arn) if is_open and is_assumed(observed) else step


def confirmed(observed: Observed, recorded: Recorded | None) -> Recorded | None:
    """Return the record with AWS's creation time, if the observed resource is the recorded one.

    The time is unverified until the owner tags of the resource were read. Where they have shown that an earlier version
    has recorded it for this object, the record gets the object's uid.
    """
    external = observed.external
    if recorded is not None and observed.is_copied and observed.owner is Ownership.OURS:
        recorded = replace(recorded, owner_uid=observed.uid)
    if recorded is None or not isinstance(external, ExternalResource) or external.created_at is None:
        return recorded
    if observed.recorded is None or observed.recorded.name != recorded.name or observed.policy.read_only:
        return recorded
    known = recorded.creation_time
    is_proved = observed.owner is Ownership.OURS
    if known is not None and (known == external.created_at or is_same_creation(known, external.created_at)):
        return replace(recorded, is_unverified=False) if is_proved and recorded.is_unverified else recorded
    if not (is_proved or is_recorded_one(observed, external)):
        return recorded
    is_unverified = not is_proved and observed.has_owner_tags
    return replace(recorded, creation_time=external.created_at, is_unverified=is_unverified)


def replaced(observed: Observed, value: str | None, *, follow: bool = False) -> Finish:
    """Report that others have a resource under the name of the object's own; `value` is the v1 status value."""
    what = observed.descriptor.kind
    cause = (
        "is not this object's, which is a copy, or was restored from a backup"
        if is_of_another(observed)
        else f"is not what this object created{_since(observed)}: others have deleted that and created their own under"
        " its name"
    )
    message = (
        f"{observed.name} {cause}. It is left alone. Delete this {what}, which does not touch it, and create one"
        f" with another name; or, to take it over, with the annotation sagemaker.aws.amazon.com/adoption-policy=adopt"
    )
    status_update = StatusUpdate(
        Phase.STUCK,
        reasons.FOREIGN_RESOURCE,
        message,
        value=value,
        secondary="",
        additional=message,
        synced=reasons.FOREIGN_RESOURCE,
        drift=Drift.NONE,  # what was shown of the object's own is over
    )
    events = messages.once(observed, reasons.STALLED, reasons.FOREIGN_RESOURCE, message)
    outcome = Outcome.DONE if follow else Outcome.TERMINAL
    return Finish(status_update, observed.recorded or _lost(observed), events, follow=follow, outcome=outcome)


def _lost(observed: Observed) -> Recorded:
    """Return a record of what the predecessor created, which nothing that others have created since can match."""
    legacy = observed.legacy_created
    return Recorded(observed.name, region="", partition="", created_at=legacy.latest - SKEW if legacy else None)


def left_alone(observed: Observed) -> Event:
    """Return the event for the deletion of an object while a resource of another owner has its name."""
    message = f"{observed.name} was not created by this object and is left alone"
    return Event("Normal", reasons.RETAINED, message)


def _since(observed: Observed) -> str:
    external, recorded = observed.external, observed.recorded
    then = recorded.creation_time or recorded.created_at if recorded else None
    if then is None or not isinstance(external, ExternalResource) or external.created_at is None:
        return ""
    return f" ({_text(external.created_at)}, not {_text(then)})"


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
