"""Implements `LifeCycle` for models and endpoint configurations."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from api.annotations import CREATED_NAMES
from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.naming import join_name, sagemaker_name
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Resources
from controller.reconcile.context import Context
from controller.reconcile.drift.digest import content, differences, digest
from controller.reconcile.effects import Effect
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import RESYNC_SHARE, external_resource
from controller.reconcile.managed.requests import create_request
from controller.reconcile.observation import During, Failure, Mutation, Source
from controller.reconcile.resource.decide import decide
from controller.reconcile.resource.observation import FOREIGN, ForgetName, RecordName, ResourceObservation, ResourceStep
from controller.reconcile.resource.users import Users
from controller.reconcile.steps import Create, Delete, Describe
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ABSENT

CLAIMS: Final = CREATED_NAMES.key
"""Annotation: JSON object of the names that may exist at AWS for this object, with the digest of their content."""


class ResourceLifeCycle:
    """`LifeCycle` of models and endpoint configurations: there until deleted, replaced by another one when changed."""

    def __init__(self, context: Context, resources: Resources, users: Users) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._resources = resources
        self._users = users

    def decide(self, observed: ResourceObservation) -> ResourceStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(
        self, step: ResourceStep, observed: ResourceObservation, managed: ManagedObject
    ) -> ResourceObservation | Result:
        """See `LifeCycle.perform`."""
        match step:
            case RecordName(name, wanted):
                self._record_name(observed, managed, name, wanted)
                return self.observe(managed)
            case ForgetName(name):
                left = {each: value for each, value in observed.claimed.items() if each != name}
                managed.annotate({CLAIMS: _text_of(left)})
                return DONE  # this write enqueues the object for the rest
            case Create():
                return self._create(observed, managed)
            case Describe(background):
                return self._describe(observed, managed, background=background)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of an object."""

    # --- observing

    def observe(self, managed: ManagedObject) -> ResourceObservation:
        """See `LifeCycle.observe`."""
        clock, obj, state = self._context.clock, managed.obj, managed.state
        base = managed.observe()
        if base.is_recorded_in_status and base.recorded is not None:
            if state.recorded is not None and state.recorded.name != base.recorded.name:
                base = replace(base, recorded=state.recorded, is_recorded_in_status=False)
            else:
                state.recorded = state.doubtful_since = None
        if state.described_at is None:
            state.described_at = clock.monotonic()  # the periodic Describe counts from the first pass
        metadata = obj["metadata"]
        claimed = _claims(metadata.get("annotations") or {})
        failure, wanted = base.failure, ""
        try:
            wanted = digest(content(self._descriptor, managed.spec))
        except AwsError as error:
            if base.deleting_for_s is None:
                failure = failure or Failure.of(During.CREATE, error)
        due_s = self._context.settings.resync_s * RESYNC_SHARE
        return ResourceObservation(
            base=replace(
                base,
                failure=failure,
                is_describe_due=base.is_reconcile_requested or clock.monotonic() - state.described_at >= due_s,
            ),
            content=wanted,
            claimed=claimed,
            is_observed=(obj.get("status") or {}).get("observedGeneration") == base.generation,
            next_name=_next_name(self._descriptor, metadata, wanted, claimed),
            users={name: self._users.of(self._descriptor.kind, name) for name in claimed},
            is_child_in_use=any(
                self._users.is_child_in_use(self._descriptor.kind, obj, name) for name in {*claimed, base.name}
            ),
        )

    def _describe(
        self, observed: ResourceObservation, managed: ManagedObject, *, background: bool
    ) -> ResourceObservation:
        base = observed.base
        name = base.name if base.policy.read_only else observed.current or base.name
        answer = self._resources.describe(
            self._descriptor, managed.identity.target(), name, caller=managed.key, background=background
        )
        managed.state.described_at = self._context.clock.monotonic()
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        differs = tuple(differences(content(self._descriptor, managed.spec), answer))
        return replace(
            observed,
            base=replace(base, external=external_resource(self._descriptor, answer, Source.DESCRIPTION)),
            legacy_matches=not differs,
            differences=differs,
        )

    # --- acting

    def _record_name(self, observed: ResourceObservation, managed: ManagedObject, name: str, wanted: str) -> None:
        if wanted == FOREIGN:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        managed.ensure_finalizer(None, {CLAIMS: _text_of({**observed.claimed, name: wanted})})

    def _create(self, observed: ResourceObservation, managed: ManagedObject) -> ResourceObservation:
        base = observed.base
        target = managed.identity.target()
        request = create_request(self._descriptor, managed.spec, observed.current, managed.identity)
        self._resources.turn(target, self._descriptor.operations.create, caller=managed.key)
        send = partial(
            self._context.effects.perform,
            Effect.CREATE,
            lambda: self._resources.create(self._descriptor, target, request, caller=managed.key),
        )
        created = replace(managed.create(base, observed.current, send), external=None)
        if created.mutation is not None:
            created = replace(created, is_recorded_in_status=False, shown="")
        is_known = base.recorded is not None and base.recorded.name == observed.current
        return replace(observed, base=created, was_gone=is_known and base.external is ABSENT)

    def _delete(self, observed: ResourceObservation, managed: ManagedObject, name: str) -> ResourceObservation:
        base = observed.base
        target = managed.identity.target()
        self._resources.turn(target, self._descriptor.operations.delete, caller=managed.key)
        managed.require_current()
        answer = self._context.effects.perform(
            Effect.DELETE,
            lambda: self._resources.delete(self._descriptor, target, name, caller=managed.key),
        )
        if answer is not ABSENT:
            observed = replace(observed, is_confirmed_gone=True)
        return replace(observed, gone=observed.gone | {name}, base=replace(base, mutation=Mutation.DELETED))


def _text_of(claims: Mapping[str, str]) -> str:
    """Return the text of the annotation."""
    return json.dumps(claims, separators=(",", ":"))


def _claims(annotations: Mapping[str, str]) -> dict[str, str]:
    """Parse the annotation; an unreadable one counts as absent, and the status still has the current name."""
    try:
        claims: Any = json.loads(annotations.get(CLAIMS) or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in claims.items()} if isinstance(claims, dict) else {}


def _next_name(descriptor: KindDescriptor, metadata: Mapping[str, Any], wanted: str, claimed: Mapping[str, str]) -> str:
    """Return the name for new content: v1's name for the first (v1-kinds.md 4), another one for each edit.

    An earlier name with the same content may have been deleted, or be about to be (`observation.DELETING`).
    """
    limit, name, uid = descriptor.name.max_length, metadata["name"], metadata["uid"]
    first = sagemaker_name(name, uid, limit)
    if not claimed:
        return first
    foreign = sorted(each for each, content in claimed.items() if content == FOREIGN)
    edit = digest([wanted, metadata.get("generation", 0), *foreign])
    return join_name(f"{uid.replace('-', '')}-{edit}", name, limit).replace(".", "-")
