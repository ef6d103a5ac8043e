"""One revisioned store in memory; a watch is a read of its log.

The model is etcd's, as the API server uses it: one counter for all writes, every write creates a revision, and the past
can be read until it is compacted. Stored objects are never changed: a writer stores a new one, a reader must copy
before editing. Used from one event loop; nothing here waits or blocks.
"""

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Json = dict[str, Any]
ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]

HISTORY = 20_000
"""Changes kept per collection before the oldest half is compacted: a watch that is further behind gets 410."""


class CompactedError(Exception):
    """The requested revision has been compacted."""


class FutureRevisionError(Exception):
    """The requested revision has not been written yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object at one revision. `obj` has its revision in `metadata.resourceVersion` and is read-only.

    `served` caches its encoded form: see `registry.Registry.encode`.
    """

    key: str
    revision: int
    obj: Json
    served: dict[str, tuple[object, bytes]] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One write. `entry` is the new state (of a deletion: the last state, at the revision of the deletion)."""

    type: ChangeType
    entry: Entry
    previous: Entry | None

    @property
    def revision(self) -> int:
        """Return the revision of this write."""
        return self.entry.revision


Observer = Callable[[str, Change], None]


def clone(obj: Json) -> Json:
    """Return a deep copy of decoded JSON."""
    copied: Json = orjson.loads(orjson.dumps(obj))
    return copied


class Collection:
    """All objects of one resource, sorted by key (`namespace/name`, or `name`), with the log of their changes."""

    def __init__(self, name: str, since: int):
        self.name = name
        self.entries: dict[str, Entry] = {}
        self.keys: list[str] = []
        self.log: list[Change] = []
        self.compacted = since
        """Changes up to and including this revision are no longer in the log."""
        self._changed: asyncio.Event = asyncio.Event()

    def add(self, change: Change) -> None:
        """Apply one change and wake the watches."""
        key = change.entry.key
        if change.type == "DELETED":
            del self.entries[key]
            del self.keys[bisect_left(self.keys, key)]
        else:
            if key not in self.entries:
                insort(self.keys, key)
            self.entries[key] = change.entry
        self.log.append(change)
        if len(self.log) > HISTORY:
            self.compact(self.log[HISTORY // 2].revision)
        self.wake()

    def wake(self) -> None:
        """Wake all waiters of `changed()`."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    def changed(self) -> asyncio.Event:
        """Return an event that the next change or `wake()` sets; get it before reading, wait for it after."""
        return self._changed

    def compact(self, revision: int) -> None:
        """Forget the changes up to and including `revision`."""
        del self.log[: self._position(revision)]
        self.compacted = max(self.compacted, revision)

    def changes_since(self, revision: int) -> list[Change]:
        """Return the changes after `revision`, oldest first. Raises CompactedError."""
        if revision < self.compacted:
            raise CompactedError
        return self.log[self._position(revision) :]

    def scan(self, prefix: str = "", start: str = "") -> Iterator[Entry]:
        """Yield the current entries with keys that start with `prefix`, from key `start` on, in order."""
        keys = self.keys
        for index in range(bisect_left(keys, max(prefix, start)), len(keys)):
            key = keys[index]
            if not key.startswith(prefix):
                return
            yield self.entries[key]

    def scan_at(self, revision: int, prefix: str = "", start: str = "") -> Iterator[Entry]:
        """Yield the entries at `revision`, by undoing the log from its end. Raises CompactedError."""
        later = self.changes_since(revision)
        if not later:
            return self.scan(prefix, start)
        state: dict[str, Entry | None] = {}
        for change in reversed(later):
            state[change.entry.key] = change.previous
        past = {entry.key: entry for entry in self.scan(prefix, start) if entry.key not in state}
        begin = max(prefix, start)
        past.update((k, e) for k, e in state.items() if e is not None and k.startswith(prefix) and k >= begin)
        return iter([past[key] for key in sorted(past)])

    def _position(self, revision: int) -> int:
        return bisect_right(self.log, revision, key=lambda change: change.revision)


class Storage:
    """The collections under one revision counter."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self.collections: dict[str, Collection] = {}
        self._observers: list[Observer] = []

    def observe(self, observer: Observer) -> None:
        """Call `observer` with the collection and the change after every write."""
        self._observers.append(observer)

    def restore(self, collection: str, entries: list[Entry]) -> None:
        """Fill an empty collection with entries from elsewhere, without history."""
        target = self.collection(collection)
        target.entries = {entry.key: entry for entry in entries}
        target.keys = sorted(target.entries)

    def _write(self, collection: Collection, change: Change) -> None:
        collection.add(change)
        for observer in self._observers:
            observer(collection.name, change)

    def collection(self, name: str) -> Collection:
        """Return the collection of that name, created on first use."""
        found = self.collections.get(name)
        if found is None:
            found = self.collections[name] = Collection(name, self.compacted)
        return found

    def get(self, collection: str, key: str) -> Entry | None:
        """Return the current entry, or None."""
        return self.collection(collection).entries.get(key)

    def put(self, collection: str, key: str, obj: Json) -> Entry:
        """Store `obj`, which the storage owns from now on, and give it its resourceVersion."""
        target = self.collection(collection)
        previous = target.entries.get(key)
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        entry = Entry(key, self.revision, obj)
        self._write(target, Change("MODIFIED" if previous else "ADDED", entry, previous))
        return entry

    def delete(self, collection: str, key: str) -> Entry:
        """Remove the object; returns its last state with the revision of the deletion. Raises KeyError."""
        target = self.collection(collection)
        previous = target.entries[key]
        self.revision += 1
        last = {**previous.obj, "metadata": {**previous.obj["metadata"], "resourceVersion": str(self.revision)}}
        entry = Entry(key, self.revision, last)
        self._write(target, Change("DELETED", entry, previous))
        return entry

    def compact(self, revision: int) -> None:
        """Forget all history up to and including `revision`: older watches, pages and exact lists fail with 410."""
        self.compacted = max(self.compacted, min(revision, self.revision))
        for collection in self.collections.values():
            collection.compact(self.compacted)

    def require(self, revision: int) -> None:
        """Raise FutureRevisionError for a revision that has not been written."""
        if revision > self.revision:
            raise FutureRevisionError
