"""Implements `LifeCycle` for resources that AWS changes in place: their calls. A kind adds its requests and records."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, Generic

from api.annotations import RECREATE_ON_FAILURE
from api.meta import JsonObject, ObjectKey
from controller.aws.errors import CallError
from controller.aws.sagemaker import Endpoints
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.effects import Effect
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import described, external_resource, with_external
from controller.reconcile.managed.ownership import verify_owner
from controller.reconcile.mutable.kind import ObsT, StepT
from controller.reconcile.mutable.observation import ForgetUpdate, RecordServed, UpdateStep
from controller.reconcile.observation import During, ExternalResource, Failure, Mutation, Observed, Source
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.status.patch import rfc3339
from controller.reconcile.steps import ChangeStep, Create, Delete, Describe, Drift, EnsureFinalizer, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace


class MutableLifeCycle(ABC, Generic[ObsT, StepT]):
    """`LifeCycle` of resources that AWS changes in place, in all that does not depend on the kind."""

    def __init__(self, context: Context, resources: Endpoints) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._resources = resources

    # --- every kind has its own

    @abstractmethod
    def new_observation(self, managed: ManagedObject, base: Observed) -> ObsT:
        """Return what the kind observes in addition to `base`; the common parts are added to it."""

    @abstractmethod
    def with_desired(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Add what the spec asks for. Raises `CallError` if no request can be made of it."""

    @abstractmethod
    def decide(self, observed: ObsT) -> StepT:
        """See `LifeCycle.decide`."""

    @abstractmethod
    def create_request(self, observed: ObsT, managed: ManagedObject) -> JsonObject:
        """Return the Create request."""

    @abstractmethod
    def update_operation(self, step: UpdateStep) -> str:
        """Return the operation that an update calls."""

    @abstractmethod
    def update_request(self, step: UpdateStep, observed: ObsT, managed: ManagedObject) -> JsonObject:
        """Return the request of an update, without the name."""

    @abstractmethod
    def intend(self, step: Create | UpdateStep, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Record what is about to be requested."""

    @abstractmethod
    def record_served(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Carry out `RecordServed`."""

    # --- some kinds have

    def with_records(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Add what is recorded of the last update."""
        return observed

    def completed(
        self, managed: ManagedObject, summary: ExternalResource, answer: Mapping[str, Any]
    ) -> ExternalResource:
        """Return a List summary with what the status shows of the same state."""
        return summary

    def with_description(self, observed: ObsT, answer: JsonObject) -> ObsT:
        """Add what else the kind reads in a description."""
        return observed

    def accepted(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Record that AWS has accepted what was intended."""
        return observed

    def forget_update(self, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Carry out `ForgetUpdate`."""
        return replace(observed, is_update_copied=False)

    def perform_own(self, step: StepT, observed: ObsT, managed: ManagedObject) -> ObsT:
        """Carry out a step that only this kind has."""
        raise AssertionError(f"{step} is the loop's")

    # --- observing

    def observe(self, managed: ManagedObject) -> ObsT:
        """See `LifeCycle.observe`."""
        base = managed.observe()
        if base.is_recorded_in_status:
            managed.state.recorded = managed.state.doubtful_since = None
        base, is_unchanged = self._listed(managed, base)
        status = managed.obj.get("status") or {}
        is_waiting = base.reasons.get(reasons.SYNCED) == reasons.WAITING
        observed = replace(
            self.with_records(self.new_observation(managed, base), managed),
            is_observed=status.get("observedGeneration") == base.generation and not is_waiting,
            is_unchanged=is_unchanged,
            was_visible=bool(status.get("creationTime")),
            recreates=RECREATE_ON_FAILURE.of(managed.obj["metadata"].get("annotations") or {}) is True,
        )
        base = observed.base
        if base.failure is not None or base.deleting_for_s is not None or base.policy.read_only:
            return observed
        try:
            return self.with_desired(observed, managed)
        except CallError as error:
            return replace(observed, invalid=Failure.of(During.CREATE, error))

    def _listed(self, managed: ManagedObject, base: Observed) -> tuple[Observed, bool]:
        """Return what the tracker has polled, and whether the status shows it already."""
        sighting, is_unchanged = self._context.tracker.last(managed.key), False
        if sighting is None or base.recorded is None:  # of an earlier object
            return base, False
        summary, answer = None, sighting.summary
        if answer is not None:
            summary = external_resource(self._descriptor, answer, Source.SUMMARY)
            status = managed.obj.get("status") or {}
            modified: Any = answer.get("LastModifiedTime")
            is_same = modified is not None and rfc3339(modified) == status.get("lastModifiedTime")
            is_unchanged = is_same and status.get(self._descriptor.status.field) == summary.value
            summary = self.completed(managed, summary, answer)
        is_due, is_lost = sighting.is_describe_due or base.is_reconcile_requested, sighting.lost is not None
        base = replace(base, is_describe_due=is_due, is_list_lost=is_lost)
        return with_external(managed.state, base, summary), is_unchanged

    # --- acting

    def perform(self, step: StepT, observed: ObsT, managed: ManagedObject) -> ObsT:
        """See `LifeCycle.perform`."""
        match step:
            case EnsureFinalizer():
                managed.ensure_finalizer(None)
                return self.observe(managed)
            case RecordServed():
                return self.record_served(observed, managed)
            case ForgetUpdate():
                return self.forget_update(observed, managed)
            case Describe(background, before):
                if (operation := self._operation(before)) is not None:
                    self._resources.reserve(managed.identity.target(), operation, caller=managed.key)
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return replace(observed, base=verify_owner(managed, observed.base, self._resources, arn))
            case Create():
                return self._create(step, observed, managed)
            case UpdateStep():
                return self._update(step, observed, managed)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                return self.perform_own(step, observed, managed)

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept."""

    def _operation(self, step: ChangeStep | None) -> str | None:
        """Return the operation that a change calls; None for tags."""
        if isinstance(step, UpdateStep):
            return self.update_operation(step)
        return self._descriptor.operations.delete if isinstance(step, Delete) else None

    def _describe(self, observed: ObsT, managed: ManagedObject, *, background: bool) -> ObsT:
        base, target = observed.base, managed.identity.target()
        describe = partial(self._resources.describe, self._descriptor, target, base.name, caller=managed.key)
        answer = described(base, partial(describe, background=background))
        base = replace(base, is_describe_due=False)
        observed = replace(observed, is_described=True)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        self._context.tracker.described(managed.key, answer)
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        observed = replace(observed, base=with_external(managed.state, base, external))
        return self.with_description(observed, answer)

    def _create(self, step: Create, observed: ObsT, managed: ManagedObject) -> ObsT:
        base, target = observed.base, managed.identity.target()
        request = self.create_request(observed, managed)
        self._resources.reserve(target, self._descriptor.operations.create, caller=managed.key)
        observed = self.intend(step, observed, managed)
        create = partial(self._resources.create, self._descriptor, target, request, caller=managed.key)
        send = partial(self._context.effects.perform, Effect.CREATE, create)
        created = replace(managed.create(base, base.name, send), external=None)
        if created.mutation is None:  # the name is taken
            return replace(observed, base=created)
        return replace(self.accepted(observed, managed), base=created, was_visible=False)

    def _update(self, step: UpdateStep, observed: ObsT, managed: ManagedObject) -> ObsT:
        base, target, operation = observed.base, managed.identity.target(), self.update_operation(step)
        name: JsonObject = {self._descriptor.name.member: base.name}
        request = name | self.update_request(step, observed, managed)
        is_correction = not observed.is_edited and drift_shown(base) is Drift.FOUND
        self._resources.reserve(target, operation, caller=managed.key)
        observed = self.intend(step, observed, managed)
        managed.require_current()
        change = partial(self._resources.change, target, operation, request, caller=managed.key)
        try:
            self._context.effects.perform(Effect.UPDATE, change)
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
            return _refused(observed, error)
        self._context.tracker.poll_soon(managed.key)
        if is_correction:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        return replace(self.accepted(observed, managed), base=replace(base, mutation=Mutation.UPDATED))

    def _delete(self, observed: ObsT, managed: ManagedObject, name: str) -> ObsT:
        base, target = observed.base, managed.identity.target()
        managed.require_current()
        delete = partial(self._resources.delete, self._descriptor, target, name, caller=managed.key)
        try:
            answer = self._context.effects.perform(Effect.DELETE, delete)
        except CallError as error:
            return _refused(observed, error)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
        return replace(observed, base=replace(base, mutation=Mutation.DELETED))


def _refused(observed: ObsT, error: CallError) -> ObsT:
    """Return what is observed once AWS has refused a change because of the state. Raises any other error."""
    if error.error_class is not ErrorClass.CONFLICT:
        raise error
    return replace(observed, refusal=error.message or error.code)
