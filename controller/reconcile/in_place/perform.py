"""Implements `LifeCycle` for resources that AWS updates in place."""

import math
from functools import partial

from api.meta import JsonObject, ObjectKey
from controller.aws.errors import CallError
from controller.aws.parts import Parts
from controller.aws.sagemaker import Endpoints
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.drift.report import LOOK_S
from controller.reconcile.effects import Effect
from controller.reconcile.in_place import config_maps, desired
from controller.reconcile.in_place.decide import PENDING_POLL_S, decide
from controller.reconcile.in_place.observation import (
    InPlaceObservation,
    InPlaceStep,
    ObservedDocument,
    ReadDocument,
    Update,
)
from controller.reconcile.managed.lost_creation import find_own, is_token_old
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.marker import marked
from controller.reconcile.managed.observe_object import RESYNC_SHARE, described, external_resource, with_external
from controller.reconcile.managed.ownership import verify_owner
from controller.reconcile.managed.requests import create_request, creation_token
from controller.reconcile.observation import During, Failure, Mutation, Observed, Ownership, Source
from controller.reconcile.ports import ObjectGetter
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.steps import Create, Delete, Describe, Drift, EnsureFinalizer, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace


class InPlaceLifeCycle:
    """`LifeCycle` of what AWS updates in place."""

    def __init__(self, context: Context, resources: Endpoints, parts: Parts, getter: ObjectGetter) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._resources = resources
        self._parts = parts
        self._getter = getter

    def observe(self, managed: ManagedObject) -> InPlaceObservation:
        """See `LifeCycle.observe`."""
        base, state = managed.observe(), managed.state
        if base.is_recorded_in_status:
            state.recorded = state.doubtful_since = None
        now = self._context.clock.monotonic()
        if state.described_at is None:
            state.described_at = now  # the periodic Describe counts from the first pass
        wanted: JsonObject = {}
        try:
            wanted = desired.changeable(self._descriptor, managed.resolved_spec)
        except CallError as error:
            if base.deleting_for_s is None and base.failure is None:
                base = replace(base, failure=Failure.of(During.CREATE, error))
        sighting = self._context.tracker.last(managed.key)
        is_announced = sighting is not None and sighting.is_describe_due
        is_due = base.is_reconcile_requested or is_announced or now - state.described_at >= self._period_s(base)
        generation, document = managed.status.get("observedGeneration"), self._document(managed, base.generation)
        return InPlaceObservation(
            base=replace(base, content=self._content(managed, base, wanted, document), is_describe_due=is_due),
            is_observed=generation == base.generation and bool(base.shown) and _is_sound(base),
            is_unshown=bool(wanted.keys() & desired.unshown_members(self._descriptor)),
            is_token_old=is_token_old(managed, base),
            was_deleted=self._deletion(base.name) in state.made,
            document=document,
        )

    def _document(self, managed: ManagedObject, generation: int) -> ObservedDocument | None:
        if config_maps.field_to_read(self._descriptor, managed.spec) is None:
            managed.state.document = None
            return None
        found = managed.document
        if found is not None:
            config_maps.is_of(managed.state, generation)
        due_in_s = config_maps.due_in_s(managed.state, generation, self._context.clock.monotonic())
        last = managed.state.document
        return ObservedDocument(
            is_read=found is not None,
            due_in_s=due_in_s,
            is_lacking=last is not None and last.failures > 0,
            problem=None if found is None else found.problem,
        )

    @staticmethod
    def _content(managed: ManagedObject, base: Observed, wanted: JsonObject, document: ObservedDocument | None) -> str:
        """Return the digest of what an Update sends; without the document, what an earlier pass has found it to be."""
        state = managed.state
        if document is None:
            return desired.record_of(wanted)
        if document.is_read and document.problem is None:
            content = desired.record_of(wanted)
            config_maps.keep(state, content)
            return content
        sent = base.recorded.content if base.recorded else ""
        content_then = config_maps.kept(state, base.generation)
        return sent if content_then is None else content_then

    def _period_s(self, base: Observed) -> float:
        """Return how often the resource is described: nobody reports what others change, nor that AWS is done."""
        if base.shown not in base.descriptor.status.terminal:
            return PENDING_POLL_S * RESYNC_SHARE
        resync_s = self._context.settings.resync_s
        update = base.descriptor.resource_update
        is_soon = drift_shown(base) is Drift.FOUND or (update is not None and update.is_shared)
        return (min(LOOK_S, resync_s) if is_soon else resync_s) * RESYNC_SHARE

    def decide(self, observed: InPlaceObservation) -> InPlaceStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(self, step: InPlaceStep, observed: InPlaceObservation, managed: ManagedObject) -> InPlaceObservation:
        """See `LifeCycle.perform`."""
        base = observed.base
        match step:
            case EnsureFinalizer(before):
                if before is not None:
                    managed.reserve_creation(base, self._resources)
                managed.ensure_finalizer(None if base.is_name_persisted else base.name)
                return self.observe(managed)
            case ReadDocument():
                return self._read_document(observed.base.generation, managed)
            case Create():
                return replace(observed, base=self._create(base, managed))
            case Describe() if not base.name:
                return self._find(observed, managed)
            case Describe(background):
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return replace(observed, base=verify_owner(managed, base, self._resources, arn))
            case Update():
                return self._update(observed, managed)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept."""

    def _read_document(self, generation: int, managed: ManagedObject) -> InPlaceObservation:
        found = config_maps.read(self._getter, self._descriptor, managed.key.namespace, managed.spec)
        config_maps.note(managed.state, found, generation, self._context.clock.monotonic())
        managed.document = found
        return self.observe(managed)  # a hold ends with another document

    def _create(self, base: Observed, managed: ManagedObject) -> Observed:
        target, spec = managed.identity.target(), managed.resolved_spec
        request = create_request(self._descriptor, spec, base.name, managed.identity)
        if token := self._descriptor.name.token:
            request[token] = creation_token(managed.obj)
        if self._descriptor.name.by_aws and not base.name:
            request = marked(self._descriptor, managed.obj, request)
        self._resources.reserve(target, self._descriptor.operations.create, caller=managed.key)
        send = partial(self._resources.create, self._descriptor, target, request, caller=managed.key)
        created = managed.create(base, base.name, partial(self._context.effects.perform, Effect.CREATE, send))
        if created.mutation is None or created.recorded is None:
            return created
        # AWS may have answered with what an earlier pass has created of another spec: it is compared, as after an edit.
        is_known = not (managed.had_finalizer and self._descriptor.name.token)
        sent = desired.sent_by_create(self._descriptor, spec) if is_known else ""
        recorded = replace(created.recorded, content=sent)
        managed.state.recorded = recorded
        return replace(
            created, name=recorded.name, recorded=recorded, is_recorded_in_status=False, shown="", external=None
        )

    def _find(self, observed: InPlaceObservation, managed: ManagedObject) -> InPlaceObservation:
        """Look for what the object has created, where AWS has chosen the name and no answer has said it."""
        arn = find_own(managed, self._parts)
        if not arn:
            return replace(observed, base=replace(observed.base, external=ABSENT))
        named = replace(observed, base=replace(observed.base, name=arn))
        found = self._describe(named, managed, background=False)
        return replace(found, base=replace(found.base, owner=Ownership.OURS))

    def _describe(
        self, observed: InPlaceObservation, managed: ManagedObject, *, background: bool
    ) -> InPlaceObservation:
        base, target, descriptor = observed.base, managed.identity.target(), self._descriptor
        describe = partial(self._resources.describe, descriptor, target, base.name, caller=managed.key)
        answer = described(base, partial(describe, background=background))
        managed.state.described_at = self._context.clock.monotonic()
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        self._context.tracker.described(managed.key, answer)
        observed = replace(
            observed, base=with_external(managed.state, base, external_resource(descriptor, answer, Source.DESCRIPTION))
        )
        if base.deleting_for_s is not None:
            return observed
        wanted = desired.changeable(descriptor, managed.resolved_spec)
        edited = desired.edited_structures(base.recorded.content if base.recorded else "", wanted)
        return replace(
            observed,
            differences=desired.missing(descriptor, wanted, answer, edited),
            update=desired.update_members(descriptor, wanted, answer, edited),
        )

    def _update(self, observed: InPlaceObservation, managed: ManagedObject) -> InPlaceObservation:
        base, rule, state = observed.base, self._descriptor.resource_update, managed.state
        assert rule is not None  # noqa: S101 (others have nothing to update)
        assert base.recorded is not None  # noqa: S101 (what is not recorded is not changed)
        target, request = managed.identity.target(), {rule.name_member: base.recorded.name, **observed.update}
        self._resources.reserve(target, rule.operation, caller=managed.key)
        # Without this, a spec that is edited back before the answer is known is taken for what AWS has.
        doubt = desired.in_doubt(base.recorded.content, base.content)
        managed.record_content(doubt)
        managed.require_current()
        send = partial(self._resources.change, target, rule.operation, request, caller=managed.key)
        try:
            self._context.effects.perform(Effect.UPDATE, send)
        except CallError as error:
            known = replace(base.recorded, content=doubt) if error.ambiguous else base.recorded
            return replace(observed, base=managed.refused(replace(base, recorded=known), Update.during, error))
        if drift_shown(base) is Drift.FOUND and not observed.is_edited:
            state.corrections = state.corrections.after(self._context.clock.monotonic())
        state.described_at = -math.inf  # what AWS has made of it is still to be seen
        recorded = replace(base.recorded, content=base.content)
        return replace(observed, base=replace(base, mutation=Mutation.UPDATED, recorded=recorded))

    def _delete(self, observed: InPlaceObservation, managed: ManagedObject, name: str) -> InPlaceObservation:
        base, target = observed.base, managed.identity.target()
        self._resources.reserve(target, self._descriptor.operations.delete, caller=managed.key)
        managed.require_current()
        delete = partial(self._resources.delete, self._descriptor, target, name, caller=managed.key)
        try:
            self._context.effects.perform(Effect.DELETE, delete)
        except CallError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, is_deletion_refused=True)
            raise
        managed.state.made.add(self._deletion(name))
        return replace(observed, base=replace(base, mutation=Mutation.DELETED))

    @staticmethod
    def _deletion(name: str) -> str:
        return f"delete {name}"


def _is_sound(base: Observed) -> bool:
    """Return whether the status shows nothing that has ended since: a pause, or the lack of a document."""
    return base.reasons.get(reasons.SYNCED) in {reasons.SYNCED, reasons.DRIFTED}
