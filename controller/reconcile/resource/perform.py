"""The reconciler of models and endpoint configurations: looks, lets `decide` decide, carries out."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from api.annotations import CREATED_NAMES
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.naming import join_name, sagemaker_name
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Resources
from controller.reconcile.context import JobSettings, ObjectReader
from controller.reconcile.creating import create
from controller.reconcile.drift.digest import content, differences, digest
from controller.reconcile.executor import Effect, Executor
from controller.reconcile.hand import Hand
from controller.reconcile.local_state import Memories, Memory
from controller.reconcile.observe_object import found
from controller.reconcile.one_key import reconcile_one
from controller.reconcile.plan import (
    Create,
    Delete,
    Describe,
    DropTags,
    During,
    Mutation,
    Observed,
    PutTags,
    Release,
    Settle,
    Source,
)
from controller.reconcile.resource.decide import decide
from controller.reconcile.resource.observation import FOREIGN, Claim, Disclaim, ResourceSeen
from controller.reconcile.tags.perform import retag
from controller.runtime.clock import Clock
from controller.runtime.controller import Result
from controller.runtime.errors import ABSENT

CLAIMS: Final = CREATED_NAMES.key
"""Annotation: JSON object of the names that may exist at AWS for this object, with the digest of their content."""

_MAX_STEPS: Final = 12
"""More steps than any pass has: a decision that goes round in circles is a defect, and must not spin."""
_DESCRIBE_SHARE: Final = 0.8
"""Resyncs come with jitter: one that is a little early still counts as one."""


class Users(Protocol):
    """Who uses what; `users.Usage` is one."""

    def users(self, kind: str, name: str) -> tuple[str, ...]:
        """Who uses the resource `name` of `kind`."""
        ...

    def is_child_in_use(self, kind: str, obj: JsonObject, name: str) -> bool:
        """Whether a child is used by its deployment or by another of its children."""
        ...


@dataclass(frozen=True, slots=True)
class ResourceContext:
    """Everything that a pass over an object of one kind works with. Shared by threads."""

    descriptor: KindDescriptor
    resources: Resources
    usage: Users
    executor: Executor
    clock: Clock
    settings: JobSettings
    rand: Callable[[], float] = random.random


class ResourceReconciler:
    """A `runtime.controller.Reconciler` for one kind of resource. Raises as `JobReconciler` does."""

    def __init__(self, context: ResourceContext, store: ObjectReader) -> None:
        self._context = context
        self._store = store
        self._memories = Memories()

    def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        return reconcile_one(
            key, self._store, self._memories, lambda obj, memory: ResourcePass(self._context, key, obj, memory).run()
        )


class ResourcePass:
    """Looks, decides and acts until it settles. Lives in one worker, for one call of `run`."""

    def __init__(self, context: ResourceContext, key: ObjectKey, obj: JsonObject, memory: Memory) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._key = key
        self._memory = memory
        self._hand = Hand(context, key, obj, memory)

    def run(self) -> Result:
        """Make the pass. Raises `ClassifiedError` and `Terminal`."""
        seen = self._observe()
        attempt = self._hand.attempt_on
        for _ in range(_MAX_STEPS):
            match decide(seen):
                case Claim(name, wanted):
                    self._claim(seen, name, wanted)
                    seen = self._observe()
                case Disclaim(name):
                    self._write_claims({each: value for each, value in seen.claimed.items() if each != name})
                    return self._hand.end_early()
                case Create():
                    seen = attempt(seen, During.CREATE, self._create)
                case Describe(background):
                    seen = attempt(seen, During.DESCRIBE, partial(self._describe, background))
                case Delete(name):
                    seen = attempt(seen, During.DELETE, partial(self._delete, name))
                case PutTags() | DropTags() as step:
                    seen = attempt(seen, During.TAG, partial(self._retag, step))
                    if seen.base.failure is None and not seen.base.are_tags_held:
                        return self._hand.end_early()
                case Release(events):
                    return self._hand.release(events)
                case Settle() as settle:
                    if settle.view is not None:
                        self._hand.show(seen.base, settle.view, settle.events, settle.recorded or seen.base.recorded)
                    return self._hand.end(seen.base, settle)
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    # --- looking

    def _observe(self) -> ResourceSeen:
        clock, obj, memory = self._context.clock, self._hand.obj, self._memory
        base = self._hand.observed()
        if base.is_recorded_in_status and base.recorded is not None:
            if memory.recorded is not None and memory.recorded.name != base.recorded.name:
                base = replace(base, recorded=memory.recorded, is_recorded_in_status=False)
            else:
                memory.recorded = memory.doubtful_since = None
        if memory.described_at is None:
            memory.described_at = clock.monotonic()  # the look that is due one day counts from the first sight
        metadata = obj["metadata"]
        claimed = _claims(metadata.get("annotations") or {})
        failure, wanted = base.failure, ""
        try:
            wanted = digest(content(self._descriptor, self._hand.spec))
        except AwsError as error:
            if base.deleting_for_s is None:
                failure = failure or self._hand.failure(During.CREATE, error)
        due_s = self._context.settings.resync_s * _DESCRIBE_SHARE
        return ResourceSeen(
            base=replace(
                base,
                failure=failure,
                is_describe_due=base.is_asked or clock.monotonic() - memory.described_at >= due_s,
            ),
            content=wanted,
            claimed=claimed,
            is_observed=(obj.get("status") or {}).get("observedGeneration") == base.generation,
            next_name=_next_name(self._descriptor, metadata, wanted, claimed),
            users={name: self._context.usage.users(self._descriptor.kind, name) for name in claimed},
            is_child_in_use=any(
                self._context.usage.is_child_in_use(self._descriptor.kind, obj, name) for name in {*claimed, base.name}
            ),
        )

    def _describe(self, background: bool, seen: ResourceSeen) -> ResourceSeen:
        base = seen.base
        name = base.name if base.policy.read_only else seen.current or base.name
        answer = self._context.resources.describe(
            self._descriptor, self._hand.target(base), name, caller=self._key, background=background
        )
        self._memory.described_at = self._context.clock.monotonic()
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(seen, base=replace(base, remote=ABSENT))
        differs = tuple(differences(content(self._descriptor, self._hand.spec), answer))
        return replace(
            seen,
            base=replace(base, remote=found(self._descriptor, answer, Source.DESCRIPTION)),
            legacy_matches=not differs,
            differences=differs,
        )

    # --- acting

    def _claim(self, seen: ResourceSeen, name: str, wanted: str) -> None:
        claims = {**seen.claimed, name: wanted}
        if wanted == FOREIGN:
            self._memory.corrections = self._memory.corrections.after(self._context.clock.monotonic())
        self._hand.prepare(None, {CLAIMS: json.dumps(claims, separators=(",", ":"))})

    def _write_claims(self, claims: Mapping[str, str]) -> None:
        self._hand.note({CLAIMS: json.dumps(claims, separators=(",", ":"))})

    def _create(self, seen: ResourceSeen) -> ResourceSeen:
        base = seen.base
        target = self._hand.target(base)
        request = self._hand.request(seen.current)
        self._context.resources.turn(target, self._descriptor.operations.create, caller=self._key)
        send = partial(
            self._context.executor.perform,
            Effect.CREATE,
            lambda: self._context.resources.create(self._descriptor, target, request, caller=self._key),
        )
        created = replace(create(self._hand, base, seen.current, target, send), remote=None)
        if created.mutation is not None:
            created = replace(created, is_recorded_in_status=False, shown="")
        is_known = base.recorded is not None and base.recorded.name == seen.current
        return replace(seen, base=created, was_gone=is_known and base.remote is ABSENT)

    def _retag(self, step: PutTags | DropTags, seen: ResourceSeen) -> ResourceSeen:
        return replace(seen, base=retag(self._hand, seen.base, step))

    def _delete(self, name: str, seen: ResourceSeen) -> ResourceSeen:
        base = seen.base
        target = self._hand.target(base)
        self._context.resources.turn(target, self._descriptor.operations.delete, caller=self._key)
        self._hand.confirm()
        answer = self._context.executor.perform(
            Effect.DELETE,
            lambda: self._context.resources.delete(self._descriptor, target, name, caller=self._key),
        )
        if answer is not ABSENT:
            seen = replace(seen, is_confirmed_gone=True)
        return replace(seen, gone=seen.gone | {name}, base=replace(base, mutation=Mutation.DELETED))


def _claims(annotations: Mapping[str, str]) -> dict[str, str]:
    """The annotation; one that somebody has spoilt counts as absent, and the status still tells the current name."""
    try:
        claims: Any = json.loads(annotations.get(CLAIMS) or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in claims.items()} if isinstance(claims, dict) else {}


def _next_name(descriptor: KindDescriptor, metadata: Mapping[str, Any], wanted: str, claimed: Mapping[str, str]) -> str:
    """v1's name for the first content, as users know it (v1-kinds.md 4); each edit has one of its own, as an earlier
    one of the same content may have been deleted, or be about to be (`resource.CONDEMNED`).
    """
    limit, name, uid = descriptor.name.max_length, metadata["name"], metadata["uid"]
    first = sagemaker_name(name, uid, limit)
    if not claimed:
        return first
    foreign = sorted(each for each, content in claimed.items() if content == FOREIGN)
    edit = digest([wanted, metadata.get("generation", 0), *foreign])
    return join_name(f"{uid.replace('-', '')}-{edit}", name, limit).replace(".", "-")


__all__ = ["CLAIMS", "Observed", "ResourceContext", "ResourcePass", "ResourceReconciler"]
