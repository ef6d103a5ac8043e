"""Implements `LifeCycle` for jobs: how they are observed, and how steps are carried out."""

from dataclasses import replace
from functools import partial

from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Jobs
from controller.reconcile.context import Context
from controller.reconcile.job.decide import JobStep, decide
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import external_resource
from controller.reconcile.managed.requests import create_request
from controller.reconcile.observation import Mutation, Observed, Ownership, Source
from controller.reconcile.status.messages import rules_running
from controller.reconcile.steps import Create, Describe, EnsureFinalizer, Stop, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass


class JobLifeCycle:
    """`LifeCycle` of one job kind: created once, followed to their end, stopped when their object is deleted."""

    def __init__(self, context: Context, jobs: Jobs) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._jobs = jobs

    def observe(self, managed: ManagedObject) -> Observed:
        """See `LifeCycle.observe`: the object, and the tracker's newest summary."""
        observed = managed.observe()
        if observed.is_recorded_in_status:  # the status has it: the local record is not needed any more
            managed.state.recorded = managed.state.doubtful_since = None
        sighting = self._context.tracker.last(managed.key)
        if sighting is None or observed.recorded is None:
            return observed  # the tracker still follows a job of an earlier object of that name
        external = None
        if sighting.summary is not None:
            external = external_resource(self._descriptor, sighting.summary, Source.SUMMARY)
        is_due, is_lost = sighting.is_describe_due or observed.is_reconcile_requested, sighting.lost is not None
        return replace(observed, external=external, summary=external, is_describe_due=is_due, is_list_lost=is_lost)

    def decide(self, observed: Observed) -> JobStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(self, step: JobStep, observed: Observed, managed: ManagedObject) -> Observed:
        """See `LifeCycle.perform`."""
        match step:
            case EnsureFinalizer():
                managed.ensure_finalizer(None if observed.is_name_persisted else observed.name)
                return self.observe(managed)
            case Describe(background):
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return self._verify_owner(observed, managed, arn)
            case Create():
                return self._create(observed, managed)
            case Stop():
                return self._stop(observed, managed)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of a job."""

    def _describe(self, observed: Observed, managed: ManagedObject, *, background: bool) -> Observed:
        target = managed.identity.target()
        answer = self._jobs.describe(self._descriptor, target, observed.name, caller=managed.key, background=background)
        observed = replace(observed, described_ago_s=0.0, is_describe_due=False)
        managed.state.described_at = None
        if answer is ABSENT:
            return replace(observed, external=ABSENT)
        self._context.tracker.described(managed.key, answer)
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        if external.value in self._descriptor.status.terminal and rules_running(external.fields):
            managed.state.described_at = self._context.clock.monotonic()  # List does not show rules: they are polled
        return replace(observed, external=external)

    def _verify_owner(self, observed: Observed, managed: ManagedObject, arn: str) -> Observed:
        identity = managed.identity
        tags = self._jobs.tags(identity.target(), arn, caller=managed.key)
        if tags is ABSENT:
            return replace(observed, external=ABSENT)
        creator = identity.creator if observed.is_spawned else identity.owner
        return replace(observed, owner=Ownership.OURS if creator.is_proved_by(tags) else Ownership.FOREIGN)

    def _create(self, observed: Observed, managed: ManagedObject) -> Observed:
        target = managed.identity.target()
        request = create_request(self._descriptor, managed.spec, observed.name, managed.identity)
        # With a thousand new objects, each has several passes before the budget admits it: those must not cost a write.
        self._jobs.turn(target, self._descriptor.operations.create, caller=managed.key)
        send = partial(self._context.effects.create, self._descriptor, target, request, caller=managed.key)
        return managed.create(observed, observed.name, send)

    def _stop(self, observed: Observed, managed: ManagedObject) -> Observed:
        target = managed.identity.target()
        self._jobs.turn(target, self._descriptor.operations.stop, caller=managed.key)
        managed.require_current()
        try:
            answer = self._context.effects.stop(self._descriptor, target, observed.name, caller=managed.key)
        except AwsError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, stop_was_refused=True, external=None)
            raise
        return replace(observed, mutation=Mutation.STOPPED, external=ABSENT if answer is ABSENT else observed.external)
