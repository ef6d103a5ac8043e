"""The child objects of one deployment: finds them in the stores, makes, restores, labels and removes them."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from api.annotations import DELETION_POLICY, DRIFT_POLICY
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.endpoint.desired import Child, Want, is_child_of, label_value, manifest, reference
from controller.reconcile.executor import Effect, Executor
from controller.reconcile.hand import Hand
from controller.reconcile.status.view import merge_patch
from controller.runtime.errors import ClassifiedError, ErrorClass

OWNERS = "owners"
"""Index of children by their deployment: `desired.owners_of`."""


class ChildReader(Protocol):
    """A store of children; `runtime.store.Store` is one."""

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Copies of the objects that the index knows under `value`."""
        ...


class ChildWriter(Protocol):
    """Writes child objects; `kube.client.KubeClient` is one. Raises `ClassifiedError`."""

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """Create an object. EXISTS: there is one of that name."""
        ...

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject) -> JsonObject:
        """Merge-patch an object. CONFLICT: it has changed since `metadata.resourceVersion` of the body."""
        ...

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "") -> None:
        """Ask for deletion of the object with this uid. NOT_FOUND: it is gone."""
        ...


class Children:
    """The children of the object in `hand`, for one pass. Writes raise `ClassifiedError`."""

    def __init__(
        self, hand: Hand, models: ChildReader, configurations: ChildReader, writer: ChildWriter, executor: Executor
    ) -> None:
        self._hand = hand
        self._stores = {MODEL.kind: models, ENDPOINT_CONFIG.kind: configurations}
        self._writer = writer
        self._executor = executor

    def of(self, descriptor: KindDescriptor) -> list[JsonObject]:
        """Those of one kind, by name."""
        store, metadata = self._stores[descriptor.kind], self._hand.obj["metadata"]
        labelled = f"{metadata.get('namespace', '')}/{label_value(metadata['name'])}"
        there = {
            each["metadata"]["uid"]: each
            for value in (metadata["uid"], labelled)
            for each in store.by_index(OWNERS, value)
            if (each["metadata"].get("namespace") or "") == self._hand.key.namespace
        }
        mine = [each for each in there.values() if is_child_of(each, self._hand.obj)]
        return sorted(mine, key=lambda each: str(each["metadata"]["name"]))

    def make(self, want: Want) -> None:
        """Create a child; one that is there already is ours, as its name holds our uid: the store is behind."""
        self._hand.confirm()
        resource, namespace = want.descriptor.resource, self._hand.key.namespace or None
        child = manifest(self._hand.obj, want)
        self._perform(
            Effect.CREATE_CHILD, lambda: self._writer.create(resource, namespace, child), unless=ErrorClass.EXISTS
        )

    def restore(self, spoilt: Child, want: Want) -> None:
        """Give a child its spec back."""
        self._hand.confirm()
        body = {"spec": merge_patch(spoilt.spec, want.spec)}
        self._perform(Effect.CREATE_CHILD, lambda: self._patch(spoilt, {}, body), unless=None)

    def tag(self, child: Child, want: Want) -> None:
        """Give a child the tags of what is wanted; its own reconciler takes them to AWS."""
        self._hand.confirm()
        body = {"spec": {"tags": want.spec.get("tags") or None}}
        self._perform(Effect.TAG_CHILD, lambda: self._patch(child, {}, body), unless=None)

    def drop(self, child: Child) -> None:
        """Delete a child."""
        self._hand.confirm()
        resource, key = child.descriptor.resource, self._key(child)
        self._perform(Effect.DELETE_CHILD, lambda: self._writer.delete(resource, key, uid=child.uid))

    def retain(self, child: Child) -> None:
        """Have a child leave AWS alone when it goes."""
        self._note(child, {"annotations": {DELETION_POLICY.key: "retain"}})

    def correct(self, child: Child) -> None:
        """Have a child change back what somebody else has changed of it."""
        self._note(child, {"annotations": {DRIFT_POLICY.key: "correct"}})

    def own(self, child: Child) -> None:
        """Have a child name its owner: garbage collection and tools that draw trees go by that."""
        self._note(child, {"ownerReferences": [reference(self._hand.obj)]})

    def _note(self, child: Child, metadata: JsonObject) -> None:
        self._perform(Effect.NOTE, lambda: self._patch(child, metadata))

    def _patch(self, child: Child, metadata: JsonObject, body: Mapping[str, Any] | None = None) -> None:
        versioned = {"metadata": {"resourceVersion": child.version, **metadata}}
        self._writer.patch(child.descriptor.resource, self._key(child), {**versioned, **(body or {})})

    def _key(self, child: Child) -> ObjectKey:
        return ObjectKey(self._hand.key.namespace, child.name)

    def _perform(
        self, effect: Effect, act: Callable[[], object], *, unless: ErrorClass | None = ErrorClass.NOT_FOUND
    ) -> None:
        """Carry out a write; a refusal of class `unless` means that there is nothing to do."""
        try:
            self._executor.perform(effect, act)
        except ClassifiedError as error:
            if error.error_class is not unless:
                raise
