"""Shows users what does not end a pass: annotations and fields without effect, late edits, delays, handled requests."""

from api.annotations import RECONCILE_AT, Place, ignored
from api.meta import Condition
from controller.observability.redact import quoted
from controller.reconcile import reasons
from controller.reconcile.managed.managed_object import MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import Observed
from controller.reconcile.status import messages
from controller.reconcile.status.patch import HANDLED, merged_conditions
from controller.reconcile.steps import Event


def report_ignored(managed: ManagedObject, observed: Observed) -> None:
    """Show annotations without effect in a condition, with one Warning, once the object has conditions."""
    conditions = (managed.obj.get("status") or {}).get("conditions") or ()
    if not conditions or observed.deleting_for_s is not None:
        return
    annotations = managed.obj["metadata"].get("annotations") or {}
    of_namespace = managed.namespace.annotations
    without_effect = list(ignored(annotations, Place.OBJECT, managed.descriptor.life_cycle)) if annotations else []
    if of_namespace:
        of_namespace_ignored = (*ignored(of_namespace, Place.NAMESPACE), *managed.namespace.troubles)
        without_effect += [f"namespace's {each}" for each in of_namespace_ignored]
    message = quoted("; ".join(without_effect), MESSAGE_LIMIT) if without_effect else ""
    notice = Condition(reasons.ANNOTATION_IGNORED, "True", reasons.NO_EFFECT, message)
    managed.notice(observed, notice, reasons.ANNOTATION_IGNORED)


def report_ignored_fields(managed: ManagedObject, observed: Observed) -> None:
    """Show what AWS does not get of the spec in a condition, with one Warning, once the object has conditions."""
    if not (managed.obj.get("status") or {}).get("conditions") or observed.deleting_for_s is not None:
        return
    message = quoted("; ".join(managed.identity.ignored), MESSAGE_LIMIT)
    notice = Condition(reasons.FIELDS_IGNORED, "True", reasons.NOT_SENT, message)
    managed.notice(observed, notice, reasons.FIELDS_IGNORED)


def report_late_edit(managed: ManagedObject, observed: Observed) -> None:
    """Show in Synced, with one Warning, that an edit of a job which has ended has no effect, until it is taken back."""
    notice = Condition(reasons.SYNCED, "True", reasons.SYNCED)
    if observed.edited:
        message = messages.immutable_notice(observed, observed.shown)
        notice = Condition(reasons.SYNCED, "False", reasons.SPEC_IMMUTABLE, message)
    is_shown = observed.reasons.get(notice.type) == notice.reason
    if is_shown or observed.policy.paused or observed.deleting_for_s is not None:
        return
    shown = (managed.obj.get("status") or {}).get("conditions") or ()
    managed.patch_status({"conditions": merged_conditions(shown, (notice,), observed.generation, observed.now)})
    if notice.message:
        managed.emit_events((Event("Warning", reasons.SPEC_IMMUTABLE, notice.message),))


def report_delay(managed: ManagedObject, observed: Observed) -> None:
    """Show that the status may be late in a condition, with one Warning, while List fails for what is followed."""
    sighting = managed.context.tracker.last(managed.key)
    lost = sighting.lost if sighting else None
    reason, message = messages.delayed(managed.descriptor, lost) if lost else (reasons.LIST_FAILING, "")
    managed.notice(observed, Condition(reasons.STATUS_DELAYED, "True", reason, message), reasons.STATUS_DELAYED)


def report_handled(managed: ManagedObject, observed: Observed) -> None:
    """Record that the requested check was made; one that AWS has refused is still to come."""
    conditions = (managed.obj.get("status") or {}).get("conditions")
    if conditions and not observed.policy.paused and observed.deleting_for_s is None:
        managed.patch_status({HANDLED: RECONCILE_AT.of(managed.obj["metadata"].get("annotations") or {})})
