"""The life-cycle of resources that AWS changes in place: created, updated with their spec, deleted with their object.

Pure, level-based. Updates wait while AWS is busy with the resource, and only the newest spec is applied. What a kind
needs before its creation, and how its spec compares with what AWS shows, is the kind's.
"""

from functools import partial

from controller.reconcile.identity import identified, is_replaced
from controller.reconcile.mutable.deletion import deleting
from controller.reconcile.mutable.kind import MutableKind, ObsT, StepT
from controller.reconcile.mutable.observation import ForgetUpdate, MutableStep
from controller.reconcile.mutable.owners import adopted, first_of_all, left_to_others, not_there, taken_over
from controller.reconcile.mutable.shown import as_it_is, invalid, read_only, requested
from controller.reconcile.observation import Mutation, Recorded, Source
from controller.reconcile.shared_decisions import (
    LOOK_AGAIN_S,
    may_be_invisible,
    read_only_step,
    unseen,
)
from controller.reconcile.steps import Delete, Describe, EnsureFinalizer, Finish
from controller.reconcile.tags import decide as tagging
from controller.runtime.errors import ABSENT
from controller.runtime.frozen import replace


def decide(observed: ObsT, kind: MutableKind[ObsT, StepT]) -> StepT | MutableStep:
    """Return the next step. At most one AWS mutation per pass."""
    step: StepT | MutableStep = _decide(observed, kind)
    return identified(observed.base, step)


def _decide(observed: ObsT, kind: MutableKind[ObsT, StepT]) -> StepT | MutableStep:
    base = observed.base
    first = first_of_all(base, lambda _: kind.retain(observed), lambda _, failure: kind.failed(observed, failure))
    if first is not None:
        return first
    if base.deleting_for_s is not None:
        return deleting(observed, kind, base.deleting_for_s)
    if base.policy.read_only:
        is_settled = observed.is_observed and observed.was_visible
        return read_only_step(base, partial(read_only, observed, kind), is_settled=is_settled)
    if (step := left_to_others(base, follow=True)) is not None:
        return step
    if is_replaced(base):
        if observed.is_update_copied:
            return ForgetUpdate()
        base = taken_over(base)
        observed = replace(observed, base=base)
    if observed.invalid is not None:
        return invalid(observed, kind, observed.invalid)
    if not base.has_finalizer:
        return EnsureFinalizer()
    if (tags := tagging.step(base)) is not None:
        return tags
    if (prepared := kind.prepare(observed)) is not None:
        return prepared
    if base.recorded is not None:
        return _recorded(observed, kind, base.recorded)
    return _not_recorded(observed, kind)


def _not_recorded(observed: ObsT, kind: MutableKind[ObsT, StepT]) -> StepT | MutableStep:
    """Create the resource, unless its name is taken."""
    base, external = observed.base, observed.base.external
    if external is None:
        # A given name is looked up first, so that nothing is made for it in vain if it is taken.
        is_unsure = base.name_is_taken or base.is_legacy or not base.is_name_generated
        return Describe() if is_unsure else kind.build(observed)
    if external is ABSENT:
        return not_there(base) or kind.build(observed)
    own = adopted(base, external)
    if not isinstance(own, Recorded):
        return own
    return _recorded(replace(observed, base=replace(base, recorded=own)), kind, own)


def _recorded(observed: ObsT, kind: MutableKind[ObsT, StepT], recorded: Recorded) -> StepT | MutableStep:
    base, external, states = observed.base, observed.base.external, kind.states
    if base.mutation is not None:
        return requested(observed, kind, recorded, base.mutation)
    if (step := kind.unresolved(observed)) is not None:
        return step
    if external is None:
        if not base.is_recorded_in_status:
            return requested(observed, kind, recorded, Mutation.CREATED)
        return Finish(follow=True) if _is_settled(observed, kind) else Describe(background=observed.is_observed)
    if external is ABSENT:
        if base.name_is_taken:
            return unseen(base)
        if not observed.was_visible and may_be_invisible(base, recorded):
            return Finish(follow=True, again_s=LOOK_AGAIN_S)
        return kind.build(observed)  # it is wanted, and was deleted outside the operator
    if external.source is Source.SUMMARY or base.is_describe_due:
        is_settled = observed.is_unchanged and _is_settled(observed, kind)
        return Finish(follow=True) if is_settled else Describe(background=observed.is_observed)
    if (step := kind.described(observed, recorded, external)) is not None:
        return step
    is_free = not observed.refusal and not kind.is_held(observed)
    if external.value == states.failed and observed.is_pending and observed.recreates and is_free:
        return Delete(recorded.name)
    return as_it_is(observed, kind, recorded, external)


def _is_settled(observed: ObsT, kind: MutableKind[ObsT, StepT]) -> bool:
    is_known = observed.is_observed and observed.was_visible and not observed.base.is_describe_due
    return is_known and kind.is_settled(observed)
