"""Implements `LifeCycle` for jobs: how they are observed, and how steps are carried out."""

from collections.abc import Callable, Iterable
from functools import partial

from api.meta import JsonObject, ObjectKey
from controller.aws.errors import CallError
from controller.aws.sagemaker import Jobs
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.job import changes
from controller.reconcile.job.changing import record_change, update_job
from controller.reconcile.job.decide import JobStep, decide
from controller.reconcile.job.edits import content_digest, with_edits
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.managed.lost_creation import is_token_old
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import described, external_resource, with_external
from controller.reconcile.managed.ownership import verify_owner
from controller.reconcile.managed.requests import create_request, creation_token
from controller.reconcile.observation import JobChange, Mutation, Observed, Source
from controller.reconcile.shared_decisions import is_missing
from controller.reconcile.status.messages import are_rules_open, rules_running, rules_with_issues
from controller.reconcile.steps import Create, Describe, EnsureFinalizer, RecordChange, Stop, UpdateJob, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace


class JobLifeCycle:
    """`LifeCycle` of one job kind: created once, followed to their end, stopped when their object is deleted."""

    def __init__(
        self,
        context: Context,
        jobs: Jobs,
        check_models: Callable[[Iterable[str]], None],
        complete: Callable[[JsonObject, JsonObject], JsonObject] = lambda _, request: request,
    ) -> None:
        """`check_models` makes Models look for resources of these names, `complete` adds to the Create request of an
        object what its spec does not have."""
        self._context = context
        self._descriptor = context.descriptor
        self._jobs = jobs
        self._check_models = check_models
        self._complete = complete

    def observe(self, managed: ManagedObject) -> JobObservation:
        """See `LifeCycle.observe`: the object, and the tracker's newest summary."""
        base = managed.observe()
        if base.is_recorded_in_status:  # the status has it: the local record is not needed any more
            managed.state.recorded = managed.state.doubtful_since = None
            recorded = base.recorded.changes if base.recorded else ""
            memo, made_of = managed.state.memo, (base.generation, recorded)
            change = None
            if memo.unchanged != made_of:
                change = changes.change_of(self._descriptor, managed.spec, recorded)
                memo.unchanged = made_of if change is None else None
            if change is None and reasons.UPDATED in base.reasons:
                change = changes.taken_back(managed.obj, recorded)
            if change is not None:
                base = self._with_change(base, managed, change)
        generation = (managed.obj.get("status") or {}).get("observedGeneration")
        is_shown = base.is_recorded_in_status and generation == base.generation
        if not is_shown or base.reasons.get(reasons.SYNCED) == reasons.SPEC_IMMUTABLE:
            base = with_edits(base, self._content(managed, base.generation))
        # Without a record, the tracker still follows a job of an earlier object of that name.
        sighting = self._context.tracker.last(managed.key) if base.recorded is not None else None
        summary = None
        if sighting is not None:
            if sighting.summary is not None:
                summary = external_resource(self._descriptor, sighting.summary, Source.SUMMARY)
            is_due, is_lost = sighting.is_describe_due or base.is_reconcile_requested, sighting.lost is not None
            is_settling = sighting.is_settling
            base = replace(base, is_describe_due=is_due, is_list_lost=is_lost, is_settling=is_settling)
            base = with_external(managed.state, base, summary)
        spec, status, described_at = managed.spec, managed.status, managed.state.described_at
        has_rules = "debugRuleEvaluationStatuses" in status
        return JobObservation(
            base,
            summary=summary,
            is_end_expected=sighting is not None and sighting.is_end_expected,
            rules_running=has_rules and rules_running(status),
            are_rules_open="debugRuleConfigurations" in spec and are_rules_open(spec, status),
            issues=rules_with_issues(status) if has_rules else frozenset(),
            described_ago_s=None if described_at is None else self._context.clock.monotonic() - described_at,
            is_token_old=base.recorded is None and is_token_old(managed, base),
        )

    def _content(self, managed: ManagedObject, generation: int) -> str:
        """Return the digest of what the spec asks for: made once for each of its generations, while passes follow."""
        made = managed.state.memo.content
        if made is None or made[0] != generation:
            made = managed.state.memo.content = (generation, content_digest(self._descriptor, managed.spec))
        return made[1]

    def _with_change(self, observed: Observed, managed: ManagedObject, change: JobChange) -> Observed:
        """Return the observation with the pending change of the job; it may come after the end."""
        observed = replace(observed, change=change, is_change_held=managed.change_held_s() is not None)
        return managed.check_identity(observed) if observed.is_ended and not observed.policy.paused else observed

    def decide(self, observed: JobObservation) -> JobStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(self, step: JobStep, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        """See `LifeCycle.perform`."""
        base = observed.base
        match step:
            case EnsureFinalizer(before):
                if before is not None:
                    managed.reserve_creation(base, self._jobs)
                managed.ensure_finalizer(None if base.is_name_persisted else base.name)
                return self.observe(managed)
            case Describe(background, before):
                if isinstance(before, Stop):
                    self._jobs.reserve(managed.identity.target(), self._descriptor.operations.stop, caller=managed.key)
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return observed.with_base(verify_owner(managed, base, self._jobs, arn))
            case Create():
                return self._create(observed, managed)
            case Stop():
                return self._stop(observed, managed)
            case UpdateJob(members):
                return observed.with_base(update_job(managed, base, self._jobs, members))
            case RecordChange(too_late):
                return observed.with_base(record_change(managed, base, too_late))
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of a job."""

    def _describe(self, observed: JobObservation, managed: ManagedObject, *, background: bool) -> JobObservation:
        base, target = observed.base, managed.identity.target()
        name, caller = base.name, managed.key
        answer = described(
            base,
            lambda: self._jobs.describe(self._descriptor, target, name, caller=caller, background=background),
        )
        base = replace(base, is_describe_due=False)
        managed.state.described_at = None
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT), described_ago_s=0.0)
        self._context.tracker.described(managed.key, answer)
        sighting = self._context.tracker.last(managed.key)
        base = replace(base, is_settling=sighting is not None and sighting.is_settling)
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        external = changes.with_mutable(self._descriptor, external, answer)
        is_open = are_rules_open(managed.spec, external.fields)
        if is_open or rules_running(external.fields):
            managed.state.described_at = self._context.clock.monotonic()  # List does not show rules: they are polled
        base = with_external(managed.state, base, external)
        return replace(observed, base=base, described_ago_s=0.0, are_rules_open=is_open)

    def _create(self, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        base, target = observed.base, managed.identity.target()
        request = create_request(self._descriptor, managed.resolved_spec, base.name, managed.identity)
        request = self._complete(managed.obj, request)
        if token := self._descriptor.name.token:
            request[token] = creation_token(managed.obj)
        # With a thousand new objects, each has several passes before the budget admits it: those must not cost a write.
        self._jobs.reserve(target, self._descriptor.operations.create, caller=managed.key)
        send = partial(self._context.effects.create, self._descriptor, target, request, caller=managed.key)
        try:
            created = managed.create(base, base.name, send)
            if created.mutation is Mutation.CREATED and created.recorded is not None:
                recorded = replace(
                    created.recorded, changes=changes.digest_of(self._descriptor, request), content=base.content
                )
                managed.state.recorded = recorded
                created = replace(created, recorded=recorded, name=recorded.name)
            return observed.with_base(created)
        except CallError as error:
            if is_missing(error.error_class, error.code) and (model := managed.resolved_spec.get("modelName")):
                self._check_models((str(model),))
            raise

    def _stop(self, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        base, target = observed.base, managed.identity.target()
        self._jobs.reserve(target, self._descriptor.operations.stop, caller=managed.key)
        managed.require_current()
        try:
            answer = self._context.effects.stop(self._descriptor, target, base.name, caller=managed.key)
        except CallError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, base=replace(base, external=None), stop_was_refused=True)
            raise
        external = ABSENT if answer is ABSENT else base.external
        return observed.with_base(replace(base, mutation=Mutation.STOPPED, external=external))
