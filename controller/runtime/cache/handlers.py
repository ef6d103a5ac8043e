"""Maps events to keys: which objects a change concerns, and whether it matters (I17)."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from api.meta import ObjectKey, Resource
from controller.runtime.cache.store import Snapshot, Tombstone
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, PRIORITY_USER

KeysOf: TypeAlias = Callable[[Snapshot], Iterable[ObjectKey]]
"""Returns the keys to enqueue for a change of an object."""


class KeySink(Protocol):
    """The part of a work queue that takes keys."""

    def add(self, key: ObjectKey, priority: int = PRIORITY_USER) -> None:
        """Enqueue `key`; never blocks."""
        ...


class Predicate:
    """Filters events. Passes everything; subclasses narrow it. Stateless, so shared by threads."""

    def passes_add(self, obj: Snapshot) -> bool:  # noqa: ARG002 (for subclasses)
        """Return whether the addition of `obj` matters."""
        return True

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:  # noqa: ARG002
        """Return whether the change from `old` to `new` matters; on a resync they are equal."""
        return True

    def passes_delete(self, obj: Snapshot) -> bool:  # noqa: ARG002
        """Return whether the deletion of `obj` matters."""
        return True


class VersionChanged(Predicate):
    """Drops resyncs, and objects that a relist shows unchanged."""

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """See `Predicate.passes_update`."""
        return old.resource_version != new.resource_version


def own_key(obj: Snapshot) -> tuple[ObjectKey]:
    """Return the key of the object itself."""
    return (obj.key,)


def owner_keys(owner: Resource) -> KeysOf:
    """Return the keys of the owners of kind `owner`, by group and kind: a reference's version may differ."""

    def keys(obj: Snapshot) -> Iterable[ObjectKey]:
        for reference in obj.metadata.get("ownerReferences") or ():
            group, slash, _ = reference.get("apiVersion", "").partition("/")
            if reference.get("kind") == owner.kind and (group if slash else "") == owner.group:
                yield ObjectKey(obj.key.namespace if owner.namespaced else "", reference["name"])

    return keys


class EnqueueHandler:
    """Enqueues the keys that a change concerns; implements `delivery.Handler`.

    Events that no user just caused (initial lists, updates without a change) get PRIORITY_BACKGROUND (P11): of an
    initial list, all objects but those that wait to be acted on.
    """

    never_blocks = True

    def __init__(
        self,
        queue: KeySink,
        *predicates: Predicate,
        keys_of: KeysOf = own_key,
        priority: int = PRIORITY_USER,
        waits: Callable[[Snapshot], bool] = lambda _: False,
    ) -> None:
        """Enqueue an event if all `predicates` pass it; `priority` is for changes that a user just made.

        `waits` returns whether an object of an initial list waits to be acted on.
        """
        self._waits = waits
        self._queue = queue
        self._priority = priority
        self._predicates = predicates
        self._keys_of = keys_of

    def on_add(self, obj: Snapshot, *, initial: bool) -> None:
        """See `Handler.on_add`."""
        if all(predicate.passes_add(obj) for predicate in self._predicates):
            self._add(obj, PRIORITY_BACKGROUND if initial and not self._waits(obj) else self._priority)

    def on_update(self, old: Snapshot, new: Snapshot) -> None:
        """See `Handler.on_update`. Keys that only `old` maps to are enqueued too: they have lost the object."""
        if all(predicate.passes_update(old, new) for predicate in self._predicates):
            is_unchanged = old.resource_version == new.resource_version
            priority = PRIORITY_BACKGROUND if is_unchanged else self._priority
            if self._keys_of is not own_key and not is_unchanged:
                self._add(old, priority)
            self._add(new, priority)

    def on_delete(self, obj: Snapshot | Tombstone) -> None:
        """See `Handler.on_delete`. A tombstone counts as the last known state."""
        last = obj.last if isinstance(obj, Tombstone) else obj
        if all(predicate.passes_delete(last) for predicate in self._predicates):
            self._add(last, self._priority)

    def _add(self, obj: Snapshot, priority: int) -> None:
        for key in self._keys_of(obj):
            self._queue.add(key, priority)
