"""Updates of an endpoint that wait for SageMaker or for approval (annotation `update-policy`), and those of unknown
outcome: the answer was lost, or a crash cut them off. Pure.
"""

from controller.reconcile import reasons
from controller.reconcile.endpoint.desired import COUNT
from controller.reconcile.endpoint.drift import aimed_at
from controller.reconcile.endpoint.observation import EndpointObservation, EndpointStep, Intent, Numbers, RecordOutcome
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.hosting import BUSY, IN_SERVICE
from controller.reconcile.mutable.notes import open_for_s
from controller.reconcile.mutable.shown import first_seen_events
from controller.reconcile.observation import ExternalResource, Recorded
from controller.reconcile.steps import Describe, Event, Finish, Phase, StatusUpdate


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
        "The update is prepared, and begins when the annotation sagemaker.aws.amazon.com/reconcile-at gets a new text"
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
    """Return a Warning if the update resets counts set by autoscaling: AWS's default, kept for v1's users (D-17b); also
    if it sets one that is below what a policy of the cluster allows.
    """
    if observed.desired is None or COUNT in observed.desired.retains:
        return ()
    messages = []
    if is_whole and observed.scalers:
        scaled = ", ".join(f"{variant} ({policy})" for variant, policy in sorted(observed.scalers.items()))
        messages.append(f"the update sets the instances of scaled variants back to the spec's: {scaled}")
    messages += [
        f"{variant} gets {count} instances, below the {least} that {observed.scalers.get(variant, 'its policy')} allows"
        for variant, least in sorted(observed.least_counts.items())
        if (count := observed.desired.numbers.get(variant, (None, 1.0))[0]) is not None and count < least
    ]
    if not messages:
        return ()
    message = f"{'; '.join(messages)}; spec.retainAllVariantProperties=true keeps them"
    return (Event("Warning", reasons.CAPACITY_RESET, message),)


def resolving(observed: EndpointObservation) -> EndpointStep | None:
    """Return the step that finds out about the intent; None if there is none, if it is known that it had no effect, or
    if SageMaker is busy, which is shown, and nothing else is decided meanwhile.
    """
    intent = observed.last_update.intent
    if intent is None or observed.refusal:
        return None
    if not observed.is_described:
        return Describe()
    external = observed.base.external
    if not isinstance(external, ExternalResource):
        return None
    if _took_effect(intent, external):
        return RecordOutcome(took_effect=True)
    is_unchanged = not _is_newer(intent, external)
    doubt_s = open_for_s(intent.at, observed.base.now)
    return Finish(follow=True, again_s=doubt_s) if is_unchanged and doubt_s > 0 else None


def _took_effect(intent: Intent, external: ExternalResource) -> bool:
    """Return whether the endpoint is what the update has made of it.

    Only that proves it: an update of others, or one that was rolled back, is tried again once. While SageMaker is busy,
    it shows the configuration from before.
    """
    if external.value in BUSY or not _is_newer(intent, external):
        return False
    if intent.configuration:
        return bool(external.fields.get("endpointConfigName") == intent.configuration)
    return _has(external, intent.changes)


def _is_newer(intent: Intent, external: ExternalResource) -> bool:
    """Return whether the endpoint has changed since the intent was recorded: answers may lag."""
    return str(external.fields.get("lastModifiedTime", "")) > intent.since  # both as `rfc3339` writes them


def _has(external: ExternalResource, changes: Numbers) -> bool:
    aims = aimed_at(external.fields)
    return all(
        name in aims and count in {None, aims[name][0]} and weight in {None, aims[name][1]}
        for name, (count, weight) in changes.items()
    )
