"""The last known state of many objects, as packed bytes under their keys, with indexes.

Bytes instead of decoded objects: decoded, a TrainingJob takes about five times the memory of its JSON, which takes ten
times that of its packed form (`packing`). Every reader decodes a copy of its own, so no lock and no convention has to
protect it (S7).
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from api.meta import JsonObject, ObjectKey
from controller.runtime.cache.packing import PLAIN, Codec, Compactor
from controller.runtime.cache.snapshot import Change, Snapshot, Tombstone

__all__ = ["Change", "IndexFunc", "RejectedObject", "Replaced", "Replacement", "Snapshot", "Store", "Tombstone"]

IndexFunc: TypeAlias = Callable[[JsonObject], Iterable[str]]
"""Returns the index values of an object: none, one or many. Pure: reads the object only, and does not change it."""

_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


class RejectedObject(Exception):  # noqa: N818 (a verdict on the object)
    """An object that cannot be stored: no name, or an index function failed on it. The store is unchanged (S6)."""

    def __init__(self, key: ObjectKey | None, reason: str) -> None:
        super().__init__(f"{key}: {reason}" if key else reason)
        self.key = key
        """None if the object has no name."""


class _Entry(NamedTuple):
    version: str
    codec: Codec
    packed: bytes
    values: tuple[tuple[str, ...], ...]
    """Index values, one tuple for each index in the order of `Store._indexes`: needed to remove the object."""

    def data(self) -> bytes:
        return self.codec.unpack(self.packed)

    def snapshot(self, key: ObjectKey, metadata: Mapping[str, Any] | None = None) -> Snapshot:
        return Snapshot(key, self.version, self.codec, self.packed, metadata)


_IndexMap: TypeAlias = dict[str, "ObjectKey | set[ObjectKey]"]
"""Value → keys. Most values have one object, and a set of one takes 216 bytes: a single key is stored without set."""


class _Index(NamedTuple):
    function: IndexFunc
    keys: _IndexMap


class Store:
    """Objects by key, with indexes that change in the same step (S4). Thread-safe.

    Readers see each write as a whole (S3). Writers take turns; by design there is one, the informer (DESIGN 2).
    Objects are kept without `metadata.managedFields` and kubectl's last-applied annotation, which no code here reads.
    """

    def __init__(
        self, indexers: Mapping[str, IndexFunc] | None = None, *, transform: Callable[[JsonObject], None] | None = None
    ) -> None:
        """`transform` changes each object in place before it is indexed and stored; an exception rejects the object.

        Source: client-go `SharedInformer.SetTransform`.
        """
        self._compactor = Compactor()
        self._transform = transform
        self._writing = threading.Lock()  # held by a writer from its first look to its last change; never by a reader
        self._lock = threading.Lock()  # guards the two below, for as long as it takes to read or swap them
        self._entries: dict[ObjectKey, _Entry] = {}
        self._indexes: dict[str, _Index] = {name: _Index(func, {}) for name, func in (indexers or {}).items()}

    def get(self, key: ObjectKey) -> JsonObject | None:
        """Return a fresh copy of the object, owned by the caller; None if it is unknown."""
        data = self.get_bytes(key)
        return None if data is None else orjson.loads(data)

    def get_bytes(self, key: ObjectKey) -> bytes | None:
        """Return the object as compact JSON."""
        with self._lock:
            entry = self._entries.get(key)
        return None if entry is None else entry.data()

    def snapshot(self, key: ObjectKey) -> Snapshot | None:
        """Return the object as a value that decodes on demand."""
        with self._lock:
            entry = self._entries.get(key)
        return None if entry is None else entry.snapshot(key)

    def resource_version(self, key: ObjectKey) -> str | None:
        """Return the stored version, without decoding; compare for equality only (S8)."""
        with self._lock:
            entry = self._entries.get(key)
        return None if entry is None else entry.version

    def keys(self, namespace: str = "") -> list[ObjectKey]:
        """Return the keys, all or those of one namespace, in no defined order (S8)."""
        with self._lock:
            keys = list(self._entries)
        return [key for key in keys if key.namespace == namespace] if namespace else keys

    def snapshots(self, namespace: str = "") -> list[Snapshot]:
        """Return the objects at one moment, all or those of one namespace, in no defined order (S8)."""
        with self._lock:
            entries = list(self._entries.items())
        return [entry.snapshot(key) for key, entry in entries if not namespace or key.namespace == namespace]

    def index_keys(self, name: str, value: str) -> list[ObjectKey]:
        """Return the distinct keys of the objects with `value` in index `name`. Raises KeyError: no such index (S5)."""
        with self._lock:
            return _members(self._indexes[name].keys, value)

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Return fresh copies of the objects with `value` in index `name`. Raises KeyError: no such index (S5)."""
        with self._lock:
            found = [self._entries[key] for key in _members(self._indexes[name].keys, value)]
        return [orjson.loads(entry.data()) for entry in found]

    def index_sizes(self, name: str) -> dict[str, int]:
        """Return the number of objects by value of index `name`. Raises KeyError: no such index (S5)."""
        with self._lock:
            keys = self._indexes[name].keys
            return {value: len(found) if isinstance(found, set) else 1 for value, found in keys.items()}

    def index_values(self, name: str) -> list[str]:
        """Return the values of index `name`. Raises KeyError: no such index (S5)."""
        with self._lock:
            return list(self._indexes[name].keys)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._entries

    def upsert(self, obj: JsonObject) -> Change:
        """Add or replace one object (S2), which is trimmed in place; its metadata becomes part of the result.

        Raises `RejectedObject` and leaves the store unchanged (S6).
        """
        with self._writing:
            key, entry = self._prepare(obj)
            with self._lock:
                old = self._entries.get(key)
                if old is not None and old.values == entry.values:
                    entry = entry._replace(values=old.values)  # the indexes have these strings
                self._entries[key] = entry
                for position, index in enumerate(self._indexes.values()):
                    before = old.values[position] if old else ()
                    if before != entry.values[position]:
                        _leave(index.keys, key, before)
                        _enter(index.keys, key, entry.values[position])
        return Change(
            old=None if old is None else old.snapshot(key),
            new=entry.snapshot(key, obj["metadata"]),
        )

    def remove(self, key: ObjectKey) -> Snapshot | None:
        """Remove an object; returns its last known state, None if it was unknown (S2)."""
        with self._writing, self._lock:
            old = self._entries.pop(key, None)
            if old is None:
                return None
            for position, index in enumerate(self._indexes.values()):
                _leave(index.keys, key, old.values[position])
        return old.snapshot(key)

    def remove_as(self, final: JsonObject) -> Snapshot:
        """Remove the object with the last state `final`, known or not; returns that state (I4).

        Raises `RejectedObject` if it has no name.
        """
        key = _key_of(final)
        self.remove(key)
        metadata = final["metadata"]
        return Snapshot(key, metadata.get("resourceVersion", ""), PLAIN, orjson.dumps(final), metadata)

    def replace(self, objects: Iterable[JsonObject]) -> "Replaced":
        """Replace the whole content with `objects` in one step (S3). Shorthand for a `Replacement` of one page."""
        replacement = self.replacement()
        replacement.add(objects)
        return replacement.commit()

    def replacement(self, namespace: str = "") -> "Replacement":
        """Begin to collect new content, page by page; nothing changes before its `commit`.

        With a `namespace` it replaces the objects of this namespace only.
        """
        return Replacement(self._prepare_or_keep, self._swap, namespace)

    def _prepare(self, obj: JsonObject) -> tuple[ObjectKey, _Entry]:
        """Trim `obj` in place and return its entry."""
        key = _key_of(obj)
        if self._transform is not None:
            _transform(self._transform, key, obj)
        metadata = obj["metadata"]
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if annotations and annotations.pop(_LAST_APPLIED, None) is not None and not annotations:
            del metadata["annotations"]
        values = tuple(_index_values(name, index.function, key, obj) for name, index in self._indexes.items())
        codec, packed = self._compactor.pack(orjson.dumps(obj))
        return key, _Entry(metadata.get("resourceVersion", ""), codec, packed, values)

    def _prepare_or_keep(self, obj: JsonObject) -> tuple[ObjectKey, _Entry]:
        """Return the stored entry if `obj` has its version, else a new one: an unchanged relist takes no memory."""
        key = _key_of(obj)
        known = self._entries.get(key)
        if known is not None and known.version and known.version == obj["metadata"].get("resourceVersion"):
            return key, known
        return self._prepare(obj)

    def _swap(self, entries: dict[ObjectKey, _Entry], rejected: list[RejectedObject], namespace: str) -> "Replaced":
        with self._writing:
            old: Mapping[ObjectKey, _Entry] = self._entries
            everything = entries
            if namespace:
                everything = {key: entry for key, entry in old.items() if key.namespace != namespace}
                old = {key: entry for key, entry in old.items() if key.namespace == namespace}
            for rejection in rejected:
                if rejection.key is not None and rejection.key in old:
                    entries.setdefault(rejection.key, old[rejection.key])
            if everything is not entries:
                everything.update(entries)
            indexes = {name: _Index(index.function, {}) for name, index in self._indexes.items()}
            for key, entry in everything.items():
                for index, values in zip(indexes.values(), entry.values, strict=True):
                    _enter(index.keys, key, values)
            with self._lock:
                self._entries = everything
                self._indexes = indexes
            # Copies of the references: the store's own map keeps changing, while this is a snapshot.
            new = entries if everything is not entries else entries.copy()
        deleted = [Tombstone(key, e.snapshot(key)) for key, e in old.items() if key not in new]
        return Replaced(deleted, rejected, old, new)


@dataclass(frozen=True, slots=True)
class Replaced:
    """The changes that a replacement made."""

    deleted: list[Tombstone]
    """Objects that were stored and no longer exist."""
    rejected: list[RejectedObject]
    """Objects that could not be stored; an older stored version is kept (S6)."""
    _old: Mapping[ObjectKey, _Entry]
    _new: Mapping[ObjectKey, _Entry]

    def changes(self) -> Iterator[Change]:
        """Yield every object of the new content in list order; unchanged ones have equal resource versions."""
        for key, entry in self._new.items():
            old = self._old.get(key)
            new = entry.snapshot(key)
            if old is None:
                yield Change(None, new)
            elif old is entry:
                yield Change(new, new)
            else:
                yield Change(old.snapshot(key), new)


class Replacement:
    """New content being collected. Each object is encoded as it arrives, so that no page has to be kept decoded.

    For the one thread that writes the store; not thread-safe. Nothing is visible before `commit`.
    """

    def __init__(
        self,
        prepare: Callable[[JsonObject], tuple[ObjectKey, _Entry]],
        swap: Callable[[dict[ObjectKey, _Entry], list[RejectedObject], str], Replaced],
        namespace: str,
    ) -> None:
        self._prepare = prepare
        self._swap = swap
        self._namespace = namespace
        self._entries: dict[ObjectKey, _Entry] = {}
        self._rejected: list[RejectedObject] = []

    def add(self, objects: Iterable[JsonObject]) -> None:
        """Add objects; of several with one key the last counts. Rejected ones are recorded, not raised."""
        for obj in objects:
            try:
                key, entry = self._prepare(obj)
            except RejectedObject as rejected:
                self._rejected.append(rejected)
            else:
                self._entries[key] = entry

    def discard(self, obj: JsonObject) -> None:
        """Remove an object again; one without a name cannot have been added."""
        with suppress(RejectedObject):
            self._entries.pop(_key_of(obj), None)

    def commit(self) -> Replaced:
        """Replace the content with the added objects. Call it once only."""
        return self._swap(self._entries, self._rejected, self._namespace)


def _key_of(obj: JsonObject) -> ObjectKey:
    try:
        key = ObjectKey.of(obj)
    except (KeyError, TypeError, AttributeError) as exc:
        raise RejectedObject(None, "no metadata.name") from exc
    # Thousands of objects share a few namespaces; decoding JSON creates a separate string for each.
    return ObjectKey(sys.intern(key.namespace), key.name)


def _transform(function: Callable[[JsonObject], None], key: ObjectKey, obj: JsonObject) -> None:
    try:
        function(obj)
    except Exception as exc:  # as with index functions (S6)
        raise RejectedObject(key, f"transform failed: {type(exc).__name__}") from exc


def _index_values(name: str, function: IndexFunc, key: ObjectKey, obj: JsonObject) -> tuple[str, ...]:
    """Return the distinct values of one index function, in their order."""
    try:
        return tuple(dict.fromkeys(function(obj)))
    except Exception as exc:  # a caller's function may raise anything, and must not end the informer (S6)
        raise RejectedObject(key, f"index {name!r} failed: {type(exc).__name__}") from exc


def _enter(keys: _IndexMap, key: ObjectKey, values: tuple[str, ...]) -> None:
    for value in values:
        known = keys.get(value)
        if known is None:
            keys[value] = key
        elif isinstance(known, set):
            known.add(key)
        elif known != key:
            keys[value] = {known, key}


def _leave(keys: _IndexMap, key: ObjectKey, values: tuple[str, ...]) -> None:
    for value in values:
        known = keys[value]
        if isinstance(known, set):
            known.discard(key)
            if len(known) == 1:
                keys[value] = known.pop()
        else:
            del keys[value]


def _members(keys: _IndexMap, value: str) -> list[ObjectKey]:
    known = keys.get(value)
    if known is None:
        return []
    return list(known) if isinstance(known, set) else [known]
