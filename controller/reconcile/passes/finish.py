"""Ends a pass: writes the last notices for users, and returns a result or raises an error for the work queue."""

from typing import Final

import structlog

from api.annotations import RECONCILE_AT, Place, ignored
from api.meta import Condition
from controller.aws.errors import CallError
from controller.observability.redact import quoted
from controller.reconcile import reasons
from controller.reconcile.managed.managed_object import JITTER, MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import During, Failure, Observed
from controller.reconcile.status import messages
from controller.reconcile.status.patch import HANDLED, merged_conditions
from controller.reconcile.steps import Event, Finish, Outcome
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ABSENT, ErrorClass, Terminal
from controller.runtime.queue.rate_limiter import backoff_s
from controller.runtime.queue.work_queue import PRIORITY_RETRY, RETRY_BASE_S, RETRY_CAP_S

_log: Final = structlog.get_logger(__name__)

_SLOW_BASE_S: Final = 60.0
_SLOW_CAP_S: Final = 300.0
"""Errors that users must resolve are retried after one minute at first, after five in the end."""
_MOST_SETBACKS: Final = 10
"""The count stops where it makes no difference any more."""


def finish(managed: ManagedObject, observed: Observed, end: Finish) -> Result:
    """Return when the object is to be reconciled again. Raises the error of the pass, or `Terminal`."""
    _report_ignored(managed, observed)
    if managed.identity.ignored or reasons.FIELDS_IGNORED in observed.reasons:
        _report_ignored_fields(managed, observed)
    if observed.is_list_lost or reasons.STATUS_DELAYED in observed.reasons:
        _report_delay(managed, observed)
    if observed.is_ended and (observed.edited or observed.reasons.get(reasons.SYNCED) == reasons.SPEC_IMMUTABLE):
        _report_late_edit(managed, observed)
    # "Not found" may be too early to be believed: then another look is to come, and the request is still open.
    is_inconclusive = observed.external is ABSENT and end.status_update is None and end.again_s is not None
    was_refused = end.outcome is Outcome.RETRY or (end.outcome is Outcome.RETRY_SLOWLY and end.failure is not None)
    is_checked = not was_refused and observed.hold_s is None and not is_inconclusive
    if observed.is_reconcile_requested and is_checked:
        _report_handled(managed, observed)
    state = managed.state
    if observed.is_ended:
        state.tags_hold = None  # it is not tagged any more
    match end.outcome:
        case Outcome.DONE:
            if observed.hold_s is None:
                state.hold, state.setbacks, state.failing_since = None, 0, None
            tags_s = managed.tags_held_s() if state.tags_hold else None
            change_s = managed.change_held_s() if observed.change is not None else None
            # A pass during a hold has taken the place of the retry, which is still to come.
            delays = [each for each in (end.again_s, tags_s, change_s, observed.hold_s) if each is not None]
            if not delays:
                return DONE
            return Result(min(delays), None if observed.hold_s is None else PRIORITY_RETRY)
        case Outcome.RETRY:
            raise _retried(managed, end)
        case Outcome.RETRY_SLOWLY:
            return _retry_slowly(managed, end)
        case Outcome.TERMINAL:
            state.hold = managed.hold_for(managed.context.settings.resync_s)
            raise Terminal(end.status_update.message if end.status_update else "nothing more can be done")


def finish_unshown(managed: ManagedObject, failure: Failure) -> Result:
    """End a pass after Kubernetes has refused the status: a Warning, once for each reason, and a slow retry."""
    text = messages.refused_write(failure)
    if managed.state.unshown != text:
        managed.state.unshown = text
        managed.emit_events((Event("Warning", reasons.KUBERNETES_REFUSED, quoted(text, MESSAGE_LIMIT)),))
    return _retry_slowly(managed, Finish(outcome=Outcome.RETRY_SLOWLY, failure=failure))


def _retried(managed: ManagedObject, end: Finish) -> CallError:
    """Return the error that makes the queue back off, and hold calls to AWS as long.

    Without the hold, the event about the status that this pass has written would lead to another call at once.
    """
    assert end.failure is not None and end.failure.error is not None  # noqa: S101, PT018 (RETRY has a failure)
    error, state = end.failure.error, managed.state
    if not (error.known or state.setbacks):
        _log.error("AWS error of an unknown kind", code=error.code, operation=error.operation)
    if state.failing_since is None:
        state.failing_since = managed.context.clock.monotonic()
    delay_s = backoff_s(state.setbacks, base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, jitter=managed.context.rand())
    delay_s = max(delay_s, error.retry_after_s or 0.0)
    state.setbacks = min(state.setbacks + 1, _MOST_SETBACKS)
    state.hold = managed.hold_for(delay_s)
    # The queue takes CONFLICT for an outdated view and retries at once: this one needs back-off, too.
    retried = error.again(error_class=ErrorClass.RETRYABLE)
    retried.retry_after_s = delay_s
    retried.__cause__ = error
    return retried


def _retry_slowly(managed: ManagedObject, end: Finish) -> Result:
    state = managed.state
    delay_s = min((end.again_s or _SLOW_BASE_S) * 2**state.setbacks, _SLOW_CAP_S)
    delay_s *= 1.0 - JITTER * managed.context.rand()
    by_kubernetes = end.failure is not None and end.failure.during is During.WRITE
    if not state.setbacks:
        code, by = end.failure.code if end.failure else "", "Kubernetes" if by_kubernetes else "AWS"
        # What the spec refers to is the user's, who reads of it in the status; what the operator may do is not.
        is_operators = by_kubernetes or (end.failure is not None and end.failure.error_class is ErrorClass.DENIED)
        log = _log.warning if is_operators else _log.info
        log("refused, trying again slowly", by=by, code=code, delay_s=round(delay_s))
    state.setbacks = min(state.setbacks + 1, _MOST_SETBACKS)
    if not by_kubernetes:  # that is no reason not to ask AWS
        state.hold = managed.hold_for(delay_s)
    return Result(delay_s, PRIORITY_RETRY)


def _report_ignored(managed: ManagedObject, observed: Observed) -> None:
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


def _report_ignored_fields(managed: ManagedObject, observed: Observed) -> None:
    """Show what AWS does not get of the spec in a condition, with one Warning, once the object has conditions."""
    if not (managed.obj.get("status") or {}).get("conditions") or observed.deleting_for_s is not None:
        return
    message = quoted("; ".join(managed.identity.ignored), MESSAGE_LIMIT)
    notice = Condition(reasons.FIELDS_IGNORED, "True", reasons.NOT_SENT, message)
    managed.notice(observed, notice, reasons.FIELDS_IGNORED)


def _report_late_edit(managed: ManagedObject, observed: Observed) -> None:
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


def _report_delay(managed: ManagedObject, observed: Observed) -> None:
    """Show that the status may be late in a condition, with one Warning, while List fails for what is followed."""
    sighting = managed.context.tracker.last(managed.key)
    lost = sighting.lost if sighting else None
    reason, message = messages.delayed(managed.descriptor, lost) if lost else (reasons.LIST_FAILING, "")
    managed.notice(observed, Condition(reasons.STATUS_DELAYED, "True", reason, message), reasons.STATUS_DELAYED)


def _report_handled(managed: ManagedObject, observed: Observed) -> None:
    """Record that the requested check was made; one that AWS has refused is still to come."""
    conditions = (managed.obj.get("status") or {}).get("conditions")
    if conditions and not observed.policy.paused and observed.deleting_for_s is None:
        managed.patch_status({HANDLED: RECONCILE_AT.of(managed.obj["metadata"].get("annotations") or {})})
