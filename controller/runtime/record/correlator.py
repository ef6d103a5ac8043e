"""Finds the Event object of an occurrence: count, combine or drop. Pure; client-go `tools/record/events_cache.go`.

Equal occurrences raise one Event's count (V2), many similar ones with different messages are combined (V3), and a
flood about one object is dropped (V4). Memory is bounded: each table evicts its least recently used entry.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

from controller.runtime.record.events import EventRecord, EventRef, EventType, Regarding

MAX_ENTRIES: Final = 4096
COMBINE_FROM: Final = 10
"""From this many different messages on, a group's occurrences are combined."""
COMBINE_WITHIN_S: Final = 600.0
BURST: Final = 25.0
REFILL_S: Final = 300.0
"""Seconds until one more Event about an object is allowed after a burst."""
COMBINED_PREFIX: Final = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event that was recorded, at `at` (UTC)."""

    regarding: Regarding
    type: EventType
    reason: str
    message: str
    at: datetime


_Group: TypeAlias = tuple[tuple[str, ...], EventType, str]
_Key: TypeAlias = tuple[_Group, str]


@dataclass(frozen=True, slots=True)
class Planned:
    """The Event to write: a new one if `ref` is None, else the next state of that one."""

    key: _Key
    record: EventRecord
    ref: EventRef | None


@dataclass(slots=True)
class _Seen:
    count: int
    first_seen: datetime
    ref: EventRef | None = None


@dataclass(slots=True)
class _Messages:
    last_at: float
    different: tuple[str, ...] = ()
    """In order. Nearly all groups have one: a set of it would be five times as large."""


@dataclass(slots=True)
class _Bucket:
    filled_at: float
    tokens: float = BURST


class Correlator:
    """Remembers the recorded occurrences. Not thread-safe: used by one thread. `now` is in monotonic seconds."""

    def __init__(self, max_entries: int = MAX_ENTRIES) -> None:
        self._messages: _Lru[_Group, _Messages] = _Lru(max_entries)
        self._seen: _Lru[_Key, _Seen] = _Lru(max_entries)
        self._buckets: _Lru[tuple[tuple[str, ...], EventType], _Bucket] = _Lru(max_entries)

    def plan(self, occurrence: Occurrence, now: float) -> Planned | None:
        """Return what to write for an occurrence; None if there were too many (it still counts)."""
        group = (_identity(occurrence.regarding), occurrence.type, occurrence.reason)
        if self._is_one_of_many(group, occurrence.message, now):
            key, message = (group, COMBINED_PREFIX), COMBINED_PREFIX + occurrence.message
        else:
            key, message = (group, occurrence.message), occurrence.message
        seen = self._seen.get_or_add(key, lambda: _Seen(0, occurrence.at))
        seen.count += 1
        if not self._is_allowed(group, now):
            return None
        record = EventRecord(
            occurrence.regarding,
            occurrence.type,
            occurrence.reason,
            message,
            count=seen.count,
            first_seen=seen.first_seen,
            last_seen=occurrence.at,
        )
        return Planned(key, record, seen.ref)

    def written(self, planned: Planned, ref: EventRef) -> None:
        """Remember the reference of `planned`'s Event, to raise its count next time."""
        record = planned.record
        self._seen.get_or_add(planned.key, lambda: _Seen(record.count, record.first_seen)).ref = ref

    def _is_one_of_many(self, group: _Group, message: str, now: float) -> bool:
        messages = self._messages.get_or_add(group, lambda: _Messages(now))
        if now - messages.last_at > COMBINE_WITHIN_S:
            messages.different = ()
        messages.last_at = now
        if message not in messages.different:
            messages.different = (*messages.different, message)
        if len(messages.different) < COMBINE_FROM:
            return False
        messages.different = messages.different[1:]  # keeps it small while the flood lasts
        return True

    def _is_allowed(self, group: _Group, now: float) -> bool:
        regarding, event_type, _ = group
        bucket = self._buckets.get_or_add((regarding, event_type), lambda: _Bucket(now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.filled_at) / REFILL_S)
        bucket.filled_at = now
        if bucket.tokens < 1.0:
            return False
        bucket.tokens -= 1.0
        return True


def _identity(regarding: Regarding) -> tuple[str, ...]:
    """Return the object's identity without its version, which changes while the object stays the same."""
    return (regarding.api_version, regarding.kind, regarding.namespace, regarding.name, regarding.uid)


K = TypeVar("K")
V = TypeVar("V")


class _Lru(Generic[K, V]):
    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get_or_add(self, key: K, make: Callable[[], V]) -> V:
        if key not in self._entries:
            self._entries[key] = make()
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)
        self._entries.move_to_end(key)
        return self._entries[key]
