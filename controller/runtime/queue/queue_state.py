"""The state of a work queue, without lock, clock or thread: which keys are ready, held or waiting, and until when.

The semantics are client-go's queue (Q) with controller-runtime's ordering by priority (P), combined as follows:

- a key that is added while it is held is *dirty while held*: it counts, but `done` queues it, at the tail (Q4, Q5);
- higher priorities come first, each is first in, first out (P1); adding again can only raise the priority, and a
  raised key moves to the end of its new priority (P2);
- a key has one pending run. It is ready, or waits for its earliest deadline (P3); an immediate `add` of a waiting key
  cancels the delay (P4, unlike D3);
- a key whose delay expires is queued at that time (P5), ties in the order of waiting (D6);
- shutting down drops waiting keys (D7) and ignores adds; queued keys, also those by `done`, are still returned (Q9).
"""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_STALE_LIMIT: Final = 64
"""A heap is rebuilt when it holds more outdated entries than valid ones plus this many."""


@dataclass(slots=True)
class _Ready:
    """A key's pending run: queued, or dirty while held (then `order` is 0 and it is in no heap)."""

    priority: int
    order: int
    since: float
    """When the key became dirty, for the metrics."""


@dataclass(slots=True)
class _Waiting:
    priority: int
    order: int
    due: float


@dataclass(slots=True)
class _Held:
    priority: int
    since: float


@dataclass(frozen=True, slots=True)
class Taken(Generic[K]):
    """A key that `take` returned, and how long it had been dirty."""

    key: K
    priority: int
    queued_s: float


class QueueState(Generic[K]):
    """A work queue as plain mutable data; `now` is a monotonic time that never decreases.

    Invariants: `_queued`, `_dirty_held` and `_waiting` are disjoint; `_queued` and `_held` are disjoint; `_dirty_held`
    is a subset of `_held`. *Dirty*, in client-go's words, is `_queued` plus `_dirty_held` (Q2).

    Not thread-safe; `WorkQueue` is. Every operation costs O(log n).
    """

    def __init__(self) -> None:
        self._queued: dict[K, _Ready] = {}
        self._dirty_held: dict[K, _Ready] = {}
        self._held: dict[K, _Held] = {}
        self._waiting: dict[K, _Waiting] = {}
        # Heaps keep outdated entries: one is valid if the key's record still has the entry's `order`, which is unique.
        self._ready_heap: list[tuple[int, int, K]] = []  # (-priority, order, key)
        self._due_heap: list[tuple[float, int, K]] = []  # (due, order, key)
        self._order = 0
        self._shutting_down = False
        self.added_total = 0
        """How many times a key became dirty (X4)."""
        self.depths: dict[int, int] = {}
        """Dirty keys by priority, held ones included (X4). A priority that was ever used stays, with 0."""

    def __len__(self) -> int:
        """Number of keys that `take` could return at the last operation's `now`: neither held nor waiting (Q8)."""
        return len(self._queued)

    @property
    def held(self) -> int:
        """Return the number of held keys."""
        return len(self._held)

    @property
    def is_shutting_down(self) -> bool:
        """Return whether adds are ignored."""
        return self._shutting_down

    def add(self, key: K, priority: int, now: float) -> None:
        """Queue `key` for a run as soon as possible. Ignored while shutting down (Q9)."""
        self.promote(now)
        if not self._shutting_down:
            waiting = self._waiting.pop(key, None)
            if waiting is not None:
                priority = max(priority, waiting.priority)
            self._make_dirty(key, priority, now)

    def add_after(self, key: K, delay_s: float, priority: int, now: float) -> None:
        """Queue `key` in `delay_s` seconds unless a run before that is pending (D2, P3). Ignored in shutdown (D1)."""
        if delay_s <= 0:
            self.add(key, priority, now)
            return
        self.promote(now)
        if self._shutting_down:
            return
        if key in self._queued or key in self._dirty_held:
            self._make_dirty(key, priority, now)  # it stays ready; only the priority can change
            return
        due = now + delay_s
        waiting = self._waiting.get(key)
        if waiting is None:
            self._wait(key, priority, due)
        else:
            waiting.priority = max(waiting.priority, priority)
            if due < waiting.due:
                self._wait(key, waiting.priority, due)

    def promote(self, now: float) -> None:
        """Queue the keys that are due at `now`."""
        while self._due_heap and self._due_heap[0][0] <= now:
            due, order, key = heapq.heappop(self._due_heap)
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.order == order:
                del self._waiting[key]
                self._make_dirty(key, waiting.priority, due)

    def next_due(self) -> float | None:
        """Return the earliest deadline; None if no key waits."""
        while self._due_heap:
            due, order, key = self._due_heap[0]
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.order == order:
                return due
            heapq.heappop(self._due_heap)
        return None

    def take(self, now: float) -> Taken[K] | None:
        """Return the first ready key, None if there is none. The caller must call `done` for it (Q6)."""
        self.promote(now)
        while self._ready_heap:
            _, order, key = heapq.heappop(self._ready_heap)
            ready = self._queued.get(key)
            if ready is not None and ready.order == order:
                del self._queued[key]
                self.depths[ready.priority] -= 1
                self._held[key] = _Held(ready.priority, now)
                return Taken(key, ready.priority, max(0.0, now - ready.since))
        return None

    def done(self, key: K, now: float) -> float:
        """Mark `key` done, queueing it if it became dirty meanwhile (Q5); returns the seconds that it was held.

        Raises ValueError for a key that is not held (Q7).
        """
        self.promote(now)
        held = self._held.pop(key, None)
        if held is None:
            raise ValueError(f"{key!r} is not handed out")
        ready = self._dirty_held.pop(key, None)
        if ready is not None:
            self._enqueue(key, ready)
        return max(0.0, now - held.since)

    def shut_down(self, now: float) -> None:
        """Ignore adds from now on and drop waiting keys (D7). Idempotent."""
        self.promote(now)
        self._shutting_down = True
        self._waiting.clear()
        self._due_heap.clear()

    def held_seconds(self, now: float) -> list[float]:
        """Return for each held key the seconds since it was taken."""
        return [max(0.0, now - held.since) for held in self._held.values()]

    def _make_dirty(self, key: K, priority: int, since: float) -> None:
        ready = self._queued.get(key) or self._dirty_held.get(key)
        if ready is None:
            self.added_total += 1
            self.depths[priority] = self.depths.get(priority, 0) + 1
            ready = _Ready(priority, 0, since)
            if key in self._held:
                self._dirty_held[key] = ready
            else:
                self._enqueue(key, ready)
        elif priority > ready.priority:  # P2
            self.depths[ready.priority] -= 1
            self.depths[priority] = self.depths.get(priority, 0) + 1
            ready.priority = priority
            if key in self._queued:
                self._enqueue(key, ready)

    def _enqueue(self, key: K, ready: _Ready) -> None:
        ready.order = self._next_order()
        self._queued[key] = ready
        heapq.heappush(self._ready_heap, (-ready.priority, ready.order, key))
        if len(self._ready_heap) > 2 * len(self._queued) + _STALE_LIMIT:
            self._ready_heap = [(-entry.priority, entry.order, queued) for queued, entry in self._queued.items()]
            heapq.heapify(self._ready_heap)

    def _wait(self, key: K, priority: int, due: float) -> None:
        order = self._next_order()
        self._waiting[key] = _Waiting(priority, order, due)
        heapq.heappush(self._due_heap, (due, order, key))
        if len(self._due_heap) > 2 * len(self._waiting) + _STALE_LIMIT:
            self._due_heap = [(entry.due, entry.order, waiting) for waiting, entry in self._waiting.items()]
            heapq.heapify(self._due_heap)

    def _next_order(self) -> int:
        self._order += 1
        return self._order
