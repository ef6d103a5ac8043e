"""Updates of an endpoint that wait: for SageMaker, or for a word from the user (annotation `update-policy`). Pure."""

from controller.reconcile import reasons
from controller.reconcile.endpoint.observation import HostingSeen
from controller.reconcile.endpoint.status_fields import fields_of, first_sight
from controller.reconcile.hosting import IN_SERVICE
from controller.reconcile.observation import Recorded
from controller.reconcile.steps import Event, Finish, Phase, StatusUpdate


def is_pending(seen: HostingSeen) -> bool:
    """Whether there is something to ask SageMaker for: a changed spec, or another try of what it does not serve."""
    is_served = seen.last_update.is_served and not seen.is_new_spec
    return bool(seen.last_update.id) and seen.desired is not None and not (seen.is_requested or is_served)


def is_held(seen: HostingSeen) -> bool:
    """Annotation `update-policy: manual`, and no new text in `reconcile-at` since the edit was seen."""
    if not seen.base.policy.holds_updates or not seen.is_new_spec or seen.desired is None:
        return False
    pending_update = seen.last_update.pending_update
    return (
        pending_update is None
        or pending_update.id != seen.desired.spec_digest
        or pending_update.retry == seen.desired.retry
    )


def held(seen: HostingSeen, recorded: Recorded, *, is_whole: bool) -> Finish:
    """Everything is prepared, and the user has the last word."""
    message = (
        "the update is prepared, and begins when the annotation sagemaker.aws.amazon.com/reconcile-at gets a new text"
    )
    if warnings := resets(seen, is_whole=is_whole):
        message += f"; {warnings[0].message}"
    status_update = StatusUpdate(
        Phase.READY,
        reasons.UPDATE_PENDING,
        message,
        value=IN_SERVICE,
        additional=message,
        fields=fields_of(seen),
        synced=reasons.UPDATE_PENDING,
    )
    is_told = seen.base.reasons.get(reasons.READY) == reasons.UPDATE_PENDING
    events = () if is_told else (Event("Normal", reasons.UPDATE_PENDING, message),)
    return Finish(status_update, recorded, first_sight(seen, recorded) + events, follow=True)


def resets(seen: HostingSeen, *, is_whole: bool) -> tuple[Event, ...]:
    """D-17b: AWS's default is to forget what autoscaling has made of the counts; v1's users rely on that default."""
    if not (is_whole and seen.scalers and seen.desired is not None and seen.desired.resets_counts):
        return ()
    scaled = ", ".join(f"{variant} ({policy})" for variant, policy in sorted(seen.scalers.items()))
    message = (
        f"the update sets the instances of scaled variants back to the spec's: {scaled};"
        " spec.retainAllVariantProperties=true keeps them"
    )
    return (Event("Warning", reasons.CAPACITY_RESET, message),)
