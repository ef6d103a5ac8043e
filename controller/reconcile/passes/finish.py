"""Ends a pass: writes the last notices for users, and returns a result or raises an error for the work queue."""

from typing import Final

import structlog

from api.annotations import RECONCILE_AT, Place, ignored
from api.meta import Condition
from controller.aws.errors import AwsError
from controller.reconcile import reasons
from controller.reconcile.managed.managed_object import JITTER, MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import Observed
from controller.reconcile.status import messages
from controller.reconcile.status.patch import HANDLED
from controller.reconcile.steps import Finish, Outcome
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ErrorClass, Terminal

_log: Final = structlog.get_logger(__name__)

_SLOW_BASE_S: Final = 60.0
_SLOW_CAP_S: Final = 300.0
"""Errors that users must resolve are retried after one minute at first, after five in the end."""


def finish(managed: ManagedObject, observed: Observed, end: Finish) -> Result:
    """Return when the object is to be reconciled again. Raises the error of the pass, or `Terminal`."""
    _report_ignored(managed, observed)
    if observed.is_list_lost or reasons.STATUS_DELAYED in observed.reasons:
        _report_delay(managed, observed)
    if observed.is_reconcile_requested and end.outcome in {Outcome.DONE, Outcome.TERMINAL} and observed.hold_s is None:
        _report_handled(managed, observed)
    state = managed.state
    if observed.is_ended:
        state.tags_hold = None  # it is not tagged any more
    match end.outcome:
        case Outcome.DONE:
            if observed.hold_s is None:
                state.hold, state.setbacks = None, 0
            tags_s = managed.tags_held_s() if state.tags_hold else None
            delays = [each for each in (end.again_s, tags_s) if each is not None]
            return Result(requeue_after_s=min(delays)) if delays else DONE
        case Outcome.RETRY:
            raise _error_of(end)
        case Outcome.RETRY_SLOWLY:
            return _retry_slowly(managed, end)
        case Outcome.TERMINAL:
            state.hold = managed.hold_for(managed.context.settings.resync_s)
            raise Terminal(end.status_update.message if end.status_update else "nothing more can be done")


def _error_of(end: Finish) -> AwsError:
    """Return the error that makes the queue back off."""
    assert end.failure is not None and end.failure.error is not None  # noqa: S101, PT018 (RETRY has a failure)
    error = end.failure.error
    if not error.known:
        _log.error("AWS error of an unknown kind", code=error.code, operation=error.operation)
    if error.error_class is not ErrorClass.RETRYABLE:
        # The queue takes CONFLICT for an outdated view and retries at once: this one needs back-off.
        retried = AwsError(ErrorClass.RETRYABLE, error.code, error.message, operation=error.operation)
        retried.__cause__ = error
        return retried
    return error


def _retry_slowly(managed: ManagedObject, end: Finish) -> Result:
    state = managed.state
    delay_s = min(_SLOW_BASE_S * 2**state.setbacks, _SLOW_CAP_S)
    delay_s *= 1.0 - JITTER * managed.context.rand()
    state.setbacks = min(state.setbacks + 1, 10)
    state.hold = managed.hold_for(delay_s)
    code = end.failure.code if end.failure else ""
    _log.warning("AWS refuses, trying again slowly", code=code, delay_s=round(delay_s))
    return Result(requeue_after_s=delay_s)


def _report_ignored(managed: ManagedObject, observed: Observed) -> None:
    """Show annotations without effect in a condition, with one Warning, once the object has conditions."""
    conditions = (managed.obj.get("status") or {}).get("conditions") or ()
    if not conditions or observed.deleting_for_s is not None:
        return
    annotations = managed.obj["metadata"].get("annotations") or {}
    of_namespace = managed.namespace.annotations
    without_effect = list(ignored(annotations, Place.OBJECT, managed.descriptor.life_cycle)) if annotations else []
    without_effect += [f"namespace's {each}" for each in ignored(of_namespace, Place.NAMESPACE)] if of_namespace else []
    message = "; ".join(without_effect)[:MESSAGE_LIMIT]
    notice = Condition(reasons.ANNOTATION_IGNORED, "True", reasons.NO_EFFECT, message)
    managed.notice(observed, notice, reasons.ANNOTATION_IGNORED)


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
