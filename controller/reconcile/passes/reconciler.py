"""The reconciler of one kind: takes an object from the store, makes a pass over it, and keeps hints for the next one.

A pass is a loop: observe, decide, perform, and again, until the decision ends it. What all life-cycles have in common
about that is here, and only here: how many steps a pass has, what a refusal of AWS means for it, which steps end it,
when AWS is not called at all, what is followed after it, and when the object is reconciled again.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Generic, TypeVar

import structlog

from api.meta import ObjectKey
from controller.aws.errors import CallError
from controller.observability.redact import quoted
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.identity import confirmed
from controller.reconcile.managed.local_state import LocalStates
from controller.reconcile.managed.managed_object import JITTER, MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import During, Failure, Observation, Observed
from controller.reconcile.passes import notices
from controller.reconcile.passes.life_cycle import LifeCycle
from controller.reconcile.ports import ObjectReader
from controller.reconcile.shared_decisions import failed
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    AwsStep,
    DeleteExpired,
    DropTags,
    Event,
    Finish,
    Outcome,
    PutTags,
    RemoveFinalizer,
)
from controller.reconcile.tags.perform import retag
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ABSENT, ClassifiedError, ErrorClass, Terminal
from controller.runtime.frozen import replace
from controller.runtime.queue.rate_limiter import backoff_s
from controller.runtime.queue.work_queue import PRIORITY_RETRY, RETRY_BASE_S, RETRY_CAP_S

ObsT = TypeVar("ObsT", bound=Observation)
StepT = TypeVar("StepT")

_log: Final = structlog.get_logger(__name__)

MAX_STEPS: Final = 60
"""More than any pass has: one for each child and a few more. Decisions that repeat must not spin."""
_REFUSALS: Final = frozenset({ErrorClass.DENIED, ErrorClass.INVALID})
"""Classes of a write that Kubernetes refuses: an admission policy, a quota, RBAC, a rule of the CRD."""
_SLOW_BASE_S: Final = 60.0
_SLOW_CAP_S: Final = 300.0
"""Errors that users must resolve are retried after one minute at first, after five in the end."""
_MOST_SETBACKS: Final = 10
"""The count stops where it makes no difference any more."""


class ObjectReconciler(Generic[ObsT, StepT]):
    """A `runtime.controller.Reconciler` for the objects of one kind, whatever their life-cycle.

    Raises `ClassifiedError` for failed calls (THROTTLED and CONFLICT do not count as failures), `Terminal` for what
    only a change of the object can cure.
    """

    def __init__(
        self,
        context: Context,
        store: ObjectReader,
        life_cycle: LifeCycle[ObsT, StepT],
        make_pass: Callable[[ManagedObject], Result] | None = None,
    ) -> None:
        self._context = context
        self._store = store
        self._life_cycle = life_cycle
        self._make_pass = make_pass or partial(run, life_cycle)
        self._states = LocalStates()

    def reconcile(self, key: ObjectKey) -> Result:
        """Make one pass over one object, if it is there; see `runtime.controller.Reconciler.reconcile`.

        Raises what the pass raises, but not that the object has gone meanwhile.
        """
        obj = self._store.get(key)
        if obj is None:
            return self._gone(key)
        state = self._states.of(key, obj["metadata"]["uid"])
        if obj["metadata"]["resourceVersion"] in state.superseded_versions:
            return DONE  # the store has not seen our own write yet; its event will enqueue the key
        state.superseded_versions.clear()
        try:
            result = self._make_pass(ManagedObject(self._context, key, obj, state))
        except ClassifiedError as error:
            if error.error_class is not ErrorClass.THROTTLED:
                state.answers.clear()
            if error.error_class is ErrorClass.NOT_FOUND and not isinstance(error, CallError):
                return self._gone(key)  # raised by a write
            raise
        state.answers.clear()
        self._states.release(key, state)
        return result

    def _gone(self, key: ObjectKey) -> Result:
        """Forget an object that is gone."""
        self._context.tracker.forget(key)
        self._life_cycle.forget(key)
        self._states.forget(key)
        return DONE


def run(life_cycle: LifeCycle[ObsT, StepT], managed: ManagedObject) -> Result:
    """Make the pass. Raises `ClassifiedError` and `Terminal`, see `ObjectReconciler`."""
    observed = life_cycle.observe(managed)
    for _ in range(MAX_STEPS):
        try:
            match next_step(life_cycle.decide, observed):
                case Finish() as end:
                    return _end_pass(managed, observed.base, end)
                case RemoveFinalizer(events):
                    managed.remove_finalizer(events)
                    managed.context.tracker.forget(managed.key)
                    return DONE
                case DeleteExpired():
                    managed.delete_expired()
                    return DONE
                case step:
                    result = _perform(life_cycle, step, observed, managed)
        except ClassifiedError as error:
            if not _is_refused_write(error):
                raise
            return _end_refused(life_cycle, managed, observed, error)
        if isinstance(result, Result):
            return result
        observed = result
    raise RuntimeError(f"no end in {MAX_STEPS} steps")


def next_step(decide: Callable[[ObsT], StepT], observed: ObsT) -> StepT | Finish:
    """Return the step that is decided on, or the end of the pass if it calls AWS during a hold.

    The tracker continues to follow the resource.
    """
    step, base = decide(observed), observed.base
    if base.hold_s is None or not (isinstance(step, AwsStep) and step.waits_for_hold):
        return step
    return Finish(again_s=base.hold_s, follow=base.recorded is not None and not base.is_ended)


def _is_refused_write(error: ClassifiedError) -> bool:
    return not isinstance(error, CallError) and error.error_class in _REFUSALS


def _end_refused(
    life_cycle: LifeCycle[ObsT, StepT], managed: ManagedObject, observed: ObsT, error: ClassifiedError
) -> Result:
    """End the pass after a write that Kubernetes refused: shown in the status, or in an event if that is refused."""
    failure = Failure.of_write(error)
    observed = observed.with_base(replace(observed.base, failure=failure))
    step = next_step(life_cycle.decide, observed)
    end = step if isinstance(step, Finish) and step.failure is failure else failed(observed.base, failure)
    assert isinstance(end, Finish)  # noqa: S101 (a refused write may have had effects before it: nothing is released)
    try:
        return _end_pass(managed, observed.base, end)
    except ClassifiedError as again:
        if not _is_refused_write(again):
            raise
        return finish_unshown(managed, Failure.of_write(again))


def _perform(life_cycle: LifeCycle[ObsT, StepT], step: StepT, observed: ObsT, managed: ManagedObject) -> ObsT | Result:
    """Carry out a step; a refusal of AWS becomes part of what is observed. THROTTLED ends the pass."""
    try:
        if not isinstance(step, PutTags | DropTags):
            return life_cycle.perform(step, observed, managed)
        base = retag(managed, observed.base, step)
        return observed.with_base(base) if base.are_tags_held else DONE  # the write of the record enqueues the object
    except CallError as error:
        if not isinstance(step, AwsStep):
            raise
        return observed.with_base(managed.refused(observed.base, step.during, error))


def _end_pass(managed: ManagedObject, observed: Observed, end: Finish) -> Result:
    """Write the status, have the tracker follow what is recorded, and end the pass."""
    recorded = confirmed(observed, end.recorded or observed.recorded)
    if end.status_update is None:
        managed.record_creation(recorded)
    else:
        managed.update_status(observed, end.status_update, end.events, recorded)
    may_ask = observed.failure is None or observed.failure.during is not During.IDENTITY
    since = (recorded.created_at or recorded.creation_time) if recorded is not None else None
    target = managed.identity.followed
    if end.follow and may_ask and recorded is not None and since is not None and target is not None:
        managed.context.tracker.follow(managed.key, target, recorded.name, since)
    else:
        managed.context.tracker.forget(managed.key)
    return finish(managed, observed, end)


def finish(managed: ManagedObject, observed: Observed, end: Finish) -> Result:
    """Return when the object is to be reconciled again. Raises the error of the pass, or `Terminal`."""
    settings = managed.identity.effective_settings
    if settings.own or settings.namespace.annotations or reasons.ANNOTATION_IGNORED in observed.reasons:
        notices.report_ignored(managed, observed)
    if managed.identity.ignored or reasons.FIELDS_IGNORED in observed.reasons:
        notices.report_ignored_fields(managed, observed)
    if observed.is_list_lost or reasons.STATUS_DELAYED in observed.reasons:
        notices.report_delay(managed, observed)
    if observed.is_ended and (observed.edited or observed.reasons.get(reasons.SYNCED) == reasons.SPEC_IMMUTABLE):
        notices.report_late_edit(managed, observed)
    # "Not found" may be too early to be believed: then another look is to come, and the request is still open.
    is_inconclusive = observed.external is ABSENT and end.status_update is None and end.again_s is not None
    was_refused = end.outcome is Outcome.RETRY or (end.outcome is Outcome.RETRY_SLOWLY and end.failure is not None)
    is_checked = not was_refused and observed.hold_s is None and not is_inconclusive
    if observed.is_reconcile_requested and is_checked:
        notices.report_handled(managed, observed)
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
            if end.look_s is not None:
                return Result(end.look_s, PRIORITY_RETRY)
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
    return Result(delay_s if end.look_s is None else min(delay_s, end.look_s), PRIORITY_RETRY)
