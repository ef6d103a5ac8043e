"""From events to keys: which objects a change concerns, and whether it matters (I17)."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from api.meta import ObjectKey, Resource
from controller.runtime.cache.store import Snapshot, Tombstone
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, PRIORITY_USER

KeysOf: TypeAlias = Callable[[Snapshot], Iterable[ObjectKey]]
"""The keys to queue for a change of an object."""


class KeySink(Protocol):
    """The end of a work queue that takes keys."""

    def add(self, key: ObjectKey, priority: int = PRIORITY_USER) -> None:
        """Owe `key` a run; never blocks."""
        ...


class Predicate:
    """Says which events matter. Passes everything: subclasses narrow it. Stateless, so shared by threads."""

    def passes_add(self, obj: Snapshot) -> bool:  # noqa: ARG002 (what subclasses look at)
        """Whether the appearance of `obj` matters."""
        return True

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:  # noqa: ARG002
        """Whether the step from `old` to `new` matters; on a resync they are equal."""
        return True

    def passes_delete(self, obj: Snapshot) -> bool:  # noqa: ARG002
        """Whether the end of `obj` matters."""
        return True


class VersionChanged(Predicate):
    """Drops resyncs, and what a relist shows unchanged."""

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """See `Predicate.passes_update`."""
        return old.resource_version != new.resource_version


def own_key(obj: Snapshot) -> tuple[ObjectKey]:
    """The object itself."""
    return (obj.key,)


def owner_keys(owner: Resource) -> KeysOf:
    """The owners of kind `owner`, by group and kind: the version that a reference names may differ."""

    def keys(obj: Snapshot) -> Iterable[ObjectKey]:
        for reference in obj.metadata.get("ownerReferences") or ():
            group, slash, _ = reference.get("apiVersion", "").partition("/")
            if reference.get("kind") == owner.kind and (group if slash else "") == owner.group:
                yield ObjectKey(obj.key.namespace if owner.namespaced else "", reference["name"])

    return keys


class EnqueueHandler:
    """Queues the keys that a change concerns; implements `delivery.Handler`.

    What nobody did just now is added at PRIORITY_BACKGROUND: initial lists, and updates without a change (P11).
    """

    never_blocks = True

    def __init__(
        self, queue: KeySink, *predicates: Predicate, keys_of: KeysOf = own_key, priority: int = PRIORITY_USER
    ) -> None:
        """An event is queued if all `predicates` pass it; at `priority`, where somebody did it just now."""
        self._queue = queue
        self._priority = priority
        self._predicates = predicates
        self._keys_of = keys_of

    def on_add(self, obj: Snapshot, *, initial: bool) -> None:
        """See `Handler.on_add`."""
        if all(predicate.passes_add(obj) for predicate in self._predicates):
            self._add(obj, PRIORITY_BACKGROUND if initial else self._priority)

    def on_update(self, old: Snapshot, new: Snapshot) -> None:
        """See `Handler.on_update`. Keys that only `old` names are queued too: they have lost the object."""
        if all(predicate.passes_update(old, new) for predicate in self._predicates):
            is_unchanged = old.resource_version == new.resource_version
            priority = PRIORITY_BACKGROUND if is_unchanged else self._priority
            if self._keys_of is not own_key and not is_unchanged:
                self._add(old, priority)
            self._add(new, priority)

    def on_delete(self, obj: Snapshot | Tombstone) -> None:
        """See `Handler.on_delete`. A tombstone counts as what was last known."""
        last = obj.last if isinstance(obj, Tombstone) else obj
        if all(predicate.passes_delete(last) for predicate in self._predicates):
            self._add(last, self._priority)

    def _add(self, obj: Snapshot, priority: int) -> None:
        for key in self._keys_of(obj):
            self._queue.add(key, priority)
