"""One pass over one object: observe, decide, perform, and again, until the decision ends the pass.

What all life-cycles have in common about it is here, and only here: how many steps a pass has, what a refusal of AWS
means for it, which steps end it, and what is followed after it.
"""

from typing import Final, TypeVar

from controller.aws.errors import CallError
from controller.reconcile.identity import confirmed
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import During, Failure, Observation, Observed
from controller.reconcile.passes.finish import finish, finish_unshown
from controller.reconcile.passes.life_cycle import LifeCycle
from controller.reconcile.shared_decisions import failed
from controller.reconcile.steps import AwsStep, DeleteExpired, DropTags, Finish, PutTags, RemoveFinalizer
from controller.reconcile.tags.perform import retag
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.frozen import replace

ObsT = TypeVar("ObsT", bound=Observation)
StepT = TypeVar("StepT")

MAX_STEPS: Final = 60
"""More than any pass has: one for each child and a few more. Decisions that repeat must not spin."""


_REFUSALS: Final = frozenset({ErrorClass.DENIED, ErrorClass.INVALID})
"""Classes of a write that Kubernetes refuses: an admission policy, a quota, RBAC, a rule of the CRD."""


def run(life_cycle: LifeCycle[ObsT, StepT], managed: ManagedObject) -> Result:
    """Make the pass. Raises `ClassifiedError` and `Terminal`, see `reconciler.ObjectReconciler`."""
    observed = life_cycle.observe(managed)
    for _ in range(MAX_STEPS):
        try:
            match life_cycle.decide(observed):
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


def _is_refused_write(error: ClassifiedError) -> bool:
    return not isinstance(error, CallError) and error.error_class in _REFUSALS


def _end_refused(
    life_cycle: LifeCycle[ObsT, StepT], managed: ManagedObject, observed: ObsT, error: ClassifiedError
) -> Result:
    """End the pass after a write that Kubernetes refused: shown in the status, or in an event if that is refused."""
    failure = Failure.of_write(error)
    observed = observed.with_base(replace(observed.base, failure=failure))
    step = life_cycle.decide(observed)
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
    if end.follow and may_ask and recorded is not None and since is not None:
        managed.context.tracker.follow(managed.key, managed.identity.target().shared, recorded.name, since)
    else:
        managed.context.tracker.forget(managed.key)
    return finish(managed, observed, end)
