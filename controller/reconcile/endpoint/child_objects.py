"""Finds, creates, restores, tags and deletes the child objects of a deployment."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import structlog

from api.annotations import DELETION_POLICY, DRIFT_POLICY, RECONCILE_AT
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.effects import Effect, EffectGate
from controller.reconcile.endpoint.desired import (
    Child,
    Want,
    is_child_of,
    is_orphaned,
    label_value,
    manifest,
    reference,
    successor,
)
from controller.reconcile.hosting import OWNERS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.ports import ObjectReader, ObjectWriter
from controller.reconcile.status.patch import merge_patch, rfc3339
from controller.runtime.errors import ClassifiedError, ErrorClass

T = TypeVar("T")

_log: Final = structlog.get_logger(__name__)

CHILDREN: Final = (MODEL, ENDPOINT_CONFIG)
"""Kinds of children."""


class ChildObjects:
    """The children of deployments. Thread-safe; writes raise `ClassifiedError`."""

    def __init__(
        self, models: ObjectReader, configurations: ObjectReader, writer: ObjectWriter, effects: EffectGate
    ) -> None:
        self._stores = {MODEL.kind: models, ENDPOINT_CONFIG.kind: configurations}
        self._writer = writer
        self._effects = effects

    def of(self, owner: ManagedObject, descriptor: KindDescriptor) -> list[JsonObject]:
        """Return the children of one kind, as this pass has left them, sorted by name."""
        store, metadata = self._stores[descriptor.kind], owner.obj["metadata"]
        labelled = f"{metadata.get('namespace', '')}/{label_value(metadata['name'])}"
        keys = {  # a child stands under both values: it is decoded once
            key
            for value in (metadata["uid"], labelled)
            for key in store.index_keys(OWNERS, value)
            if key.namespace == owner.key.namespace
        }
        there = {key: each for key in keys if (each := store.get(key)) is not None}
        for (kind, key), written in owner.written.items():
            if kind == descriptor.kind and written is not None:
                there[key] = written
            elif kind == descriptor.kind and key in there:
                there[key]["metadata"].setdefault("deletionTimestamp", rfc3339(owner.context.clock.utcnow()))
        mine = [each for each in there.values() if is_child_of(each, owner.obj)]
        if metadata.get("deletionTimestamp"):
            mine = [each for each in mine if not is_orphaned(each, owner.obj)]
        return sorted(mine, key=lambda each: str(each["metadata"]["name"]))

    def make(self, owner: ManagedObject, want: Want) -> None:
        """Create a child. An existing one is ours, since its name contains our uid: the store is behind."""
        owner.require_current()
        self._create(owner, want.descriptor, manifest(owner.obj, want))

    def succeed(self, owner: ManagedObject, preceding: Child) -> None:
        """Create the child that takes over from another one. Refused, as in a namespace that goes, both wait."""
        owner.require_current()
        try:
            self._create(owner, preceding.descriptor, successor(owner.obj, preceding))
        except ClassifiedError as error:
            if error.error_class not in {ErrorClass.DENIED, ErrorClass.INVALID, ErrorClass.QUOTA}:
                raise
            _log.warning("no child can take over from one that is deleted", child=preceding.name, code=error.code)

    def restore(self, owner: ManagedObject, modified: Child, want: Want) -> None:
        """Restore the spec of a child."""
        owner.require_current()
        body = {"spec": merge_patch(modified.spec, want.spec)}
        self._patch(Effect.CREATE_CHILD, owner, modified, {}, body, unless=None)

    def tag(self, owner: ManagedObject, child: Child, want: Want) -> None:
        """Set the wanted tags on a child; its own reconciler applies them at AWS."""
        owner.require_current()
        body = {"spec": {"tags": want.spec.get("tags") or None}}
        self._patch(Effect.TAG_CHILD, owner, child, {}, body, unless=None)

    def drop(self, owner: ManagedObject, child: Child) -> None:
        """Delete a child."""
        owner.require_current()
        resource, key = child.descriptor.resource, _key(owner, child)
        self._perform(Effect.DELETE_CHILD, lambda: self._writer.delete(resource, key, uid=child.uid))
        owner.written[child.descriptor.kind, key] = None

    def retain(self, owner: ManagedObject, child: Child) -> None:
        """Make a child keep its AWS resource when it is deleted."""
        self._note(owner, child, {"annotations": {DELETION_POLICY.key: "retain"}})

    def correct(self, owner: ManagedObject, child: Child) -> None:
        """Make a child correct its own drift."""
        self._note(owner, child, {"annotations": {DRIFT_POLICY.key: "correct"}})

    def retry(self, owner: ManagedObject, child: Child, at: str) -> None:
        """Make a child try again now what it is refused."""
        self._note(owner, child, {"annotations": {RECONCILE_AT.key: at}})

    def own(self, owner: ManagedObject, child: Child) -> None:
        """Set the owner reference of a child, for garbage collection and for tools that show object trees."""
        self._note(owner, child, {"ownerReferences": [reference(owner.obj)]})

    def _note(self, owner: ManagedObject, child: Child, metadata: JsonObject) -> None:
        self._patch(Effect.ANNOTATE, owner, child, metadata, {})

    def _create(self, owner: ManagedObject, descriptor: KindDescriptor, child: JsonObject) -> None:
        namespace = owner.key.namespace or None
        created = self._perform(
            Effect.CREATE_CHILD,
            lambda: self._writer.create(descriptor.resource, namespace, child),
            unless=ErrorClass.EXISTS,
        )
        self._keep(owner, descriptor, created)

    def _patch(
        self,
        effect: Effect,
        owner: ManagedObject,
        child: Child,
        metadata: JsonObject,
        body: Mapping[str, Any],
        *,
        unless: ErrorClass | None = ErrorClass.NOT_FOUND,
    ) -> None:
        versioned = {"metadata": {"resourceVersion": child.version, **metadata}, **body}
        resource, key = child.descriptor.resource, _key(owner, child)
        patched = self._perform(effect, lambda: self._writer.patch(resource, key, versioned), unless=unless)
        self._keep(owner, child.descriptor, patched)

    def _keep(self, owner: ManagedObject, descriptor: KindDescriptor, written: JsonObject | None) -> None:
        if written is not None:
            owner.written[descriptor.kind, ObjectKey.of(written)] = written

    def _perform(
        self, effect: Effect, act: Callable[[], T], *, unless: ErrorClass | None = ErrorClass.NOT_FOUND
    ) -> T | None:
        """Carry out a write; an error of class `unless` means that there is nothing to do."""
        try:
            return self._effects.perform(effect, act)
        except ClassifiedError as error:
            if error.error_class is not unless:
                raise
        return None


def _key(owner: ManagedObject, child: Child) -> ObjectKey:
    return ObjectKey(owner.key.namespace, child.name)
