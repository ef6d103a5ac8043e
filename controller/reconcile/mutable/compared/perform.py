"""Implements `LifeCycle` for kinds with a spec that is compared with AWS: what was requested last is recorded."""

from abc import abstractmethod
from typing import TypeVar

from api.annotations import LAST_UPDATE_ATTEMPT, RECONCILE_AT
from api.convert import to_request
from api.meta import JsonObject
from controller.reconcile.drift.digest import content, plain
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.requests import create_request
from controller.reconcile.mutable.compared.attempt import Attempt, next_attempt, parse, served, text_of
from controller.reconcile.mutable.compared.desired import Desired
from controller.reconcile.mutable.compared.observation import ComparedObservation, Update
from controller.reconcile.mutable.observation import UpdateStep
from controller.reconcile.mutable.perform import MutableLifeCycle
from controller.reconcile.status.notes import note_of
from controller.reconcile.steps import Create
from controller.runtime.frozen import replace

ObsT = TypeVar("ObsT", bound=ComparedObservation)
StepT = TypeVar("StepT")


class ComparedLifeCycle(MutableLifeCycle[ObsT, StepT]):
    """`LifeCycle` of kinds with a spec that is compared with AWS, in all that does not depend on the kind."""

    @abstractmethod
    def operation(self, *, only_count: bool) -> str:
        """Return the operation that an update calls."""

    def change(self, observed: ObsT, managed: ManagedObject, *, only_count: bool) -> JsonObject:
        """Return the request of an update, without the name."""
        return to_request(self._descriptor, managed.resolved_spec, self.operation(only_count=only_count))

    def desired(self, managed: ManagedObject) -> Desired:
        """Return what the spec asks for. Raises `CallError` INVALID, not sent."""
        return Desired(content(self._descriptor, managed.resolved_spec, self.operation(only_count=False)))

    def shown(self, answer: JsonObject) -> Desired:
        """Return what a description shows, in the same form; more than was asked for is no difference."""
        return Desired(plain(answer))

    def update_operation(self, step: UpdateStep) -> str:
        """See `MutableLifeCycle.update_operation`."""
        return self.operation(only_count=_is_of_count(step))

    def update_request(self, step: UpdateStep, observed: ObsT, managed: ManagedObject) -> JsonObject:
        """See `MutableLifeCycle.update_request`."""
        return self.change(observed, managed, only_count=_is_of_count(step))

    def with_records(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """See `MutableLifeCycle.with_records`."""
        base, annotations = observed.base, managed.obj["metadata"].get("annotations") or {}
        attempt = Attempt() if base.is_copied else parse(note_of(managed.obj, LAST_UPDATE_ATTEMPT), base.uid)
        return replace(observed, attempt=attempt, retry=RECONCILE_AT.of(annotations) or "")

    def with_desired(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """See `MutableLifeCycle.with_desired`."""
        if observed.base.recorded is None:  # before anything is looked for that the creation needs
            self.create_request(observed, managed)
        return replace(observed, desired=self.desired(managed))

    def with_description(self, observed: ObsT, answer: JsonObject) -> ObsT:
        """See `MutableLifeCycle.with_description`."""
        return replace(observed, shown=self.shown(answer))

    def create_request(self, observed: ObsT, managed: ManagedObject) -> JsonObject:
        """See `MutableLifeCycle.create_request`."""
        return create_request(self._descriptor, managed.resolved_spec, observed.base.name, managed.identity)

    def intend(self, step: Create | UpdateStep, observed: ObsT, managed: ManagedObject) -> ObsT:
        """See `MutableLifeCycle.intend`."""
        assert observed.desired is not None  # noqa: S101 (decided on)
        is_update = isinstance(step, UpdateStep)
        since = str(observed.fields.get("lastModifiedTime", "")) if is_update else ""
        last, wanted = observed.attempt, observed.desired
        attempt = next_attempt(last, wanted, retry=observed.retry, since=since, now=observed.base.now)
        observed = self._record(observed, managed, attempt)
        if is_update:
            managed.patch_notes()  # nothing but the record says what AWS may have got, if the answer is lost
        return observed

    def record_served(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """See `MutableLifeCycle.record_served`."""
        assert observed.desired is not None  # noqa: S101 (decided on)
        return self._record(observed, managed, served(observed.attempt, observed.desired, observed.retry))

    def _record(self, observed: ObsT, managed: ManagedObject, attempt: Attempt) -> ObsT:
        managed.annotate({LAST_UPDATE_ATTEMPT.key: text_of(attempt, observed.base.uid)})
        return replace(observed, attempt=attempt)


def _is_of_count(step: UpdateStep) -> bool:
    return isinstance(step, Update) and step.only_count
