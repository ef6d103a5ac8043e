"""Updates of an endpoint that wait for SageMaker or for approval (annotation `update-policy`). Pure."""

from controller.reconcile import reasons
from controller.reconcile.endpoint.observation import EndpointObservation
from controller.reconcile.endpoint.status_fields import fields_of, first_seen_events
from controller.reconcile.hosting import IN_SERVICE
from controller.reconcile.observation import Recorded
from controller.reconcile.steps import Event, Finish, Phase, StatusUpdate


def is_pending(observed: EndpointObservation) -> bool:
    """Return whether an update has to be requested: for a changed spec, or as a retry of a failed one."""
    is_served = observed.last_update.is_served and not observed.is_new_spec
    return bool(observed.last_update.id) and observed.desired is not None and not (observed.is_requested or is_served)


def is_held(observed: EndpointObservation) -> bool:
    """Return whether the update waits for approval: `update-policy: manual`, and `reconcile-at` is unchanged."""
    if not observed.base.policy.holds_updates or not observed.is_new_spec or observed.desired is None:
        return False
    pending_update = observed.last_update.pending_update
    return (
        pending_update is None
        or pending_update.id != observed.desired.spec_digest
        or pending_update.retry == observed.desired.retry
    )


def held(observed: EndpointObservation, recorded: Recorded, *, is_whole: bool) -> Finish:
    """Show that the update is ready and waits for approval."""
    message = (
        "the update is prepared, and begins when the annotation sagemaker.aws.amazon.com/reconcile-at gets a new text"
    )
    if warnings := resets(observed, is_whole=is_whole):
        message += f"; {warnings[0].message}"
    status_update = StatusUpdate(
        Phase.READY,
        reasons.UPDATE_PENDING,
        message,
        value=IN_SERVICE,
        additional=message,
        fields=fields_of(observed),
        synced=reasons.UPDATE_PENDING,
    )
    is_shown = observed.base.reasons.get(reasons.READY) == reasons.UPDATE_PENDING
    events = () if is_shown else (Event("Normal", reasons.UPDATE_PENDING, message),)
    return Finish(status_update, recorded, first_seen_events(observed, recorded) + events, follow=True)


def resets(observed: EndpointObservation, *, is_whole: bool) -> tuple[Event, ...]:
    """Return a Warning if the update resets counts set by autoscaling: AWS's default, kept for v1's users (D-17b)."""
    if not (is_whole and observed.scalers and observed.desired is not None and observed.desired.resets_counts):
        return ()
    scaled = ", ".join(f"{variant} ({policy})" for variant, policy in sorted(observed.scalers.items()))
    message = (
        f"the update sets the instances of scaled variants back to the spec's: {scaled};"
        " spec.retainAllVariantProperties=true keeps them"
    )
    return (Event("Warning", reasons.CAPACITY_RESET, message),)
