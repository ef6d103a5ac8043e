"""The port of a life-cycle, which `reconciler.run` calls for one object at a time."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from api.meta import ObjectKey
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import Observation
from controller.runtime.controller import Result

ObsT = TypeVar("ObsT", bound=Observation)
StepT = TypeVar("StepT")


class LifeCycle(Protocol[ObsT, StepT]):
    """How objects of one kind and their AWS resources are brought together. Thread-safe, keeps nothing of a pass."""

    def observe(self, managed: ManagedObject) -> ObsT:
        """Return what is known without a call to AWS: from the object, the stores and the tracker."""
        ...

    def decide(self, observed: ObsT) -> StepT:
        """Return the next step. Pure and level-based: it depends on what is observed, and on nothing else.

        `Finish`, `RemoveFinalizer`, `DeleteExpired`, `PutTags` and `DropTags` are carried out by the loop, which ends
        the pass in place of an `AwsStep` during a hold.
        """
        ...

    def perform(self, step: StepT, observed: ObsT, managed: ManagedObject) -> ObsT | Result:
        """Carry out a step, one effect or one query, and return what is observed after it.

        A `Result` ends the pass early: where a write enqueues the object anyway, or something has to be waited for.
        Raises `CallError` for a refusal, which becomes part of what is observed if the step is an `AwsStep`, and other
        `ClassifiedError`s, which end the pass.
        """
        ...

    def forget(self, key: ObjectKey) -> None:
        """Forget an object that is gone."""
        ...


class RestingLifeCycle(LifeCycle[ObsT, StepT], Protocol[ObsT, StepT]):
    """A life-cycle that is expensive to observe: `rest` skips passes that would do nothing."""

    def inputs(self, managed: ManagedObject, going: Mapping[str, bool]) -> object:
        """Return what an observation is made of besides the object and the time, such as versions of other objects.

        Of an object that is `going` only that it is there, if its end matters, and nothing otherwise.
        """
        ...

    def going(self, observed: ObsT) -> Mapping[str, bool]:
        """Return the uids of other objects that are being deleted, and of which all that may matter is their end.

        False: that leads to no other decision. Of those that this pass has deleted, it is known already.
        """
        ...
