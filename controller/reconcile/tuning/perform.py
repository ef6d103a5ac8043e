"""The life-cycle of tuning jobs: that of jobs, with TrainingJob objects for the training jobs that SageMaker launches.

Before each decision about the tuning job its children are updated, and before it is released they are deleted.
"""

from dataclasses import dataclass
from typing import TypeAlias

from api.meta import ObjectKey
from controller.reconcile.identity import unproven
from controller.reconcile.job.decide import JobStep
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.job.perform import JobLifeCycle
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import During, Observed
from controller.reconcile.shared_decisions import LOOK_AGAIN_S
from controller.reconcile.steps import AwsStep, Finish, RemoveFinalizer
from controller.reconcile.tuning.children import TuningChildren
from controller.runtime.controller import Result
from controller.runtime.frozen import replace


@dataclass(frozen=True, slots=True)
class TuningObservation:
    """What is observed of a tuning job, and of the pass's work on its children."""

    job: JobObservation
    are_kept: bool = False
    """The children match this observation."""
    again_s: float | None = None
    """Seconds after which to update them again at the latest."""
    are_gone: bool = False

    @property
    def base(self) -> Observed:
        """See `Observation.base`."""
        return self.job.base

    def with_base(self, base: Observed) -> "TuningObservation":
        """See `Observation.with_base`."""
        return self.with_job(self.job.with_base(base))

    def with_job(self, job: JobObservation) -> "TuningObservation":
        """Return the same with another job. With a failure nothing more can be done about the children in this pass."""
        return replace(self, job=job, are_kept=job.base.failure is not None)


class KeepChildren(AwsStep):
    """Bring the children in line with the observation."""

    during = During.CHILDREN
    waits_for_hold = False


class DeleteChildren:
    """Delete the children, so that the tuning job can be released."""


TuningStep: TypeAlias = JobStep | KeepChildren | DeleteChildren


class TuningLifeCycle:
    """`LifeCycle` of tuning jobs."""

    def __init__(self, job: JobLifeCycle, children: TuningChildren) -> None:
        self._job = job
        self._children = children

    def observe(self, managed: ManagedObject) -> TuningObservation:
        """See `LifeCycle.observe`."""
        return TuningObservation(self._job.observe(managed))

    def decide(self, observed: TuningObservation) -> TuningStep:
        """See `LifeCycle.decide`."""
        if not observed.are_kept:
            base = observed.base
            is_asked = base.hold_s is None and base.failure is None and not (base.is_ended or base.policy.paused)
            return (unproven(base) if is_asked else None) or KeepChildren()
        step = self._job.decide(observed.job)
        if isinstance(step, RemoveFinalizer) and not observed.are_gone:
            return DeleteChildren()
        if isinstance(step, Finish) and observed.again_s is not None:
            return replace(step, again_s=min(observed.again_s, step.again_s or observed.again_s))
        return step

    def perform(
        self, step: TuningStep, observed: TuningObservation, managed: ManagedObject
    ) -> TuningObservation | Result:
        """See `LifeCycle.perform`."""
        match step:
            case KeepChildren():
                kept = self._children.keep(managed, observed.base)
                job = observed.job.with_base(kept.observed)
                return replace(observed, job=job, are_kept=True, again_s=kept.again_s)
            case DeleteChildren():
                if self._children.delete_all(managed, observed.base):
                    return replace(observed, are_gone=True)
                return Result(requeue_after_s=LOOK_AGAIN_S)  # at the latest: their deletion enqueues the key
            case _:
                return observed.with_job(self._job.perform(step, observed.job, managed))

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: children that it leaves behind must not hang."""
        self._children.forget(key)
