"""The reconciler of one kind: reads the store, makes a pass, and keeps local state for the next one."""

from collections.abc import Callable
from functools import partial
from typing import Final, Generic, TypeVar

import structlog

from api.meta import JsonObject, ObjectKey
from controller.aws.errors import CallError
from controller.reconcile.context import Context
from controller.reconcile.managed.local_state import LocalState, LocalStates
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import Observation
from controller.reconcile.passes.life_cycle import LifeCycle
from controller.reconcile.passes.loop import run
from controller.reconcile.ports import ObjectReader
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ClassifiedError, ErrorClass

ObsT = TypeVar("ObsT", bound=Observation)
StepT = TypeVar("StepT")

_log: Final = structlog.get_logger(__name__)


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
        """Make one pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        return reconcile_one(
            key,
            self._store,
            self._states,
            lambda obj, state: self._make_pass(ManagedObject(self._context, key, obj, state)),
            self._forget,
        )

    def _forget(self, key: ObjectKey) -> None:
        self._context.tracker.forget(key)
        self._life_cycle.forget(key)


def reconcile_one(
    key: ObjectKey,
    store: ObjectReader,
    states: LocalStates,
    make_pass: Callable[[JsonObject, LocalState], Result],
    forget: Callable[[ObjectKey], None] = lambda _: None,
) -> Result:
    """Make one pass over the object `key`, if it is there. `forget` is called for objects that are gone.

    Raises what the pass raises, but not that the object has gone meanwhile.
    """

    def gone() -> Result:
        _warn_of_orphan(states.get(key))
        forget(key)
        states.forget(key)
        return DONE

    obj = store.get(key)
    if obj is None:
        return gone()
    uid = obj["metadata"]["uid"]
    before = states.get(key)
    if before is not None and before.uid != uid:
        _warn_of_orphan(before)
    state = states.of(key, uid)
    if obj["metadata"]["resourceVersion"] in state.superseded_versions:
        return DONE  # the store has not seen our own write yet; its event will enqueue the key
    state.superseded_versions.clear()
    try:
        result = make_pass(obj, state)
    except ClassifiedError as error:
        if error.error_class is not ErrorClass.THROTTLED:
            state.answers.clear()
        if error.error_class is ErrorClass.NOT_FOUND and not isinstance(error, CallError):
            return gone()  # raised by a write: the object is gone
        raise
    state.answers.clear()
    if state.is_blank():
        states.forget(key)
    return result


def _warn_of_orphan(state: LocalState | None) -> None:
    """Warn of an object that went, its finalizer removed by force, before its status could record its resource."""
    if state is not None and state.recorded is not None:
        _log.warning("object gone, its resource stays at AWS", resource=state.recorded.arn or state.recorded.name)
