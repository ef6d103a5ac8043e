"""Skips passes that would do nothing: nothing was left to do, and nothing has changed since.

A pass that writes is followed by events about its own writes, and by those of children that it waits for, or no longer
needs. With many children, deciding again that nothing is to be done is expensive; comparing their versions is cheap.
Nothing depends on it: a process that has just started, and any event that tells of something else, makes a pass.
"""

from typing import Final, TypeVar

from controller.aws.errors import CallError
from controller.reconcile.managed.local_state import Rest
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import Observation
from controller.reconcile.passes.life_cycle import RestingLifeCycle
from controller.reconcile.passes.reconciler import next_step, run
from controller.reconcile.steps import Finish, Outcome
from controller.runtime.controller import DONE, Result

ObsT = TypeVar("ObsT", bound=Observation)
StepT = TypeVar("StepT")

_LONGEST_S: Final = 600.0
"""After this, an object that is enqueued gets its pass, whatever has not changed."""


def run_unless_at_rest(life_cycle: RestingLifeCycle[ObsT, StepT], managed: ManagedObject) -> Result:
    """Make a pass, unless it would do nothing. Raises what `reconciler.run` raises."""
    rest = managed.state.rest
    if rest is not None:
        left_s = rest.until - managed.context.clock.monotonic()
        if left_s > 0 and rest.facts == _facts(managed, life_cycle.inputs(managed, rest.going)):
            return Result(requeue_after_s=left_s) if rest.is_timed else DONE
    managed.state.rest = None
    result = run(life_cycle, managed)
    managed.state.rest = _rest_after(result, life_cycle, managed)
    return result


def _rest_after(result: Result, life_cycle: RestingLifeCycle[ObsT, StepT], managed: ManagedObject) -> Rest | None:
    """Return a rest, if the object as the pass has left it leads to the same end, without a write."""
    inputs = life_cycle.inputs(managed, {})  # before observing: what changes in between ends the rest
    try:
        observed = life_cycle.observe(managed)
    except CallError:
        return None  # the next pass reports it
    step = next_step(life_cycle.decide, observed)
    if (
        not isinstance(step, Finish)
        or step.outcome is not Outcome.DONE
        or managed.would_change_status(observed.base, step)
    ):
        return None
    is_followed = managed.context.tracker.last(managed.key) is not None
    if step.follow is not is_followed or step.again_s != result.requeue_after_s:
        return None
    if going := life_cycle.going(observed):
        if inputs != life_cycle.inputs(managed, {}):
            return None
        inputs = life_cycle.inputs(managed, going)
    pause_s = _LONGEST_S if step.again_s is None else step.again_s
    until = managed.context.clock.monotonic() + pause_s
    return Rest(_facts(managed, inputs), until, is_timed=step.again_s is not None, going=going)


def _facts(managed: ManagedObject, inputs: object) -> object:
    return managed.obj["metadata"]["resourceVersion"], managed.namespace, inputs
