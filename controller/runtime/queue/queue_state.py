"""What a work queue knows, without lock, clock or thread: which key is ready, held, due again, and when.

The semantics are client-go's queue (Q) with controller-runtime's ordering by priority (P), joined so:

- a key that is added while it is held is *dirty while held*: it counts, but is queued by `done`, at the tail (Q4, Q5);
- a higher priority goes first, first in first out within one (P1); adding again can only raise, and a raised key goes
  to the end of its new priority (P2);
- a key has one pending run. It is ready, or waits for the earliest deadline it was given (P3); an immediate `add` of a
  waiting key uses the delay up (P4, other than D3);
- a key that becomes ready by time takes its place at that time (P5), ties in the order of waiting (D6);
- shutting down drops what waits (D7) and ignores adds; what is queued, also by `done`, is still handed out (Q9).
"""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_STALE_LIMIT: Final = 64
"""A heap may hold as many outdated entries as valid ones, plus these, before it is built anew."""


@dataclass(slots=True)
class _Ready:
    """A key's owed run: queued, or dirty while held (then `order` is 0 and it is in no heap)."""

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
    """A key that was handed out, and how long it had been owed a run."""

    key: K
    priority: int
    queued_s: float


class QueueState(Generic[K]):
    """A work queue as a value that operations change; `now` is a monotonic time that never decreases.

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
        """How often a key became dirty so far (X4)."""
        self.depths: dict[int, int] = {}
        """Dirty keys by priority, held ones included (X4). A priority that was used once stays, with 0."""

    def __len__(self) -> int:
        """Keys that `take` would hand out, up to the last operation's `now`; neither held nor waiting ones (Q8)."""
        return len(self._queued)

    @property
    def held(self) -> int:
        """Number of keys that are handed out."""
        return len(self._held)

    @property
    def is_shutting_down(self) -> bool:
        """Whether adds are ignored from now on."""
        return self._shutting_down

    def add(self, key: K, priority: int, now: float) -> None:
        """Owe `key` a run as soon as possible. Ignored while shutting down (Q9)."""
        self.promote(now)
        if not self._shutting_down:
            waiting = self._waiting.pop(key, None)
            if waiting is not None:
                priority = max(priority, waiting.priority)
            self._make_dirty(key, priority, now)

    def add_after(self, key: K, delay_s: float, priority: int, now: float) -> None:
        """Owe `key` a run in `delay_s` seconds unless an earlier one is (D2, P3). Ignored while shutting down (D1)."""
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
        """Make ready what is due at `now`."""
        while self._due_heap and self._due_heap[0][0] <= now:
            due, order, key = heapq.heappop(self._due_heap)
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.order == order:
                del self._waiting[key]
                self._make_dirty(key, waiting.priority, due)

    def next_due(self) -> float | None:
        """The earliest deadline; None where nothing waits."""
        while self._due_heap:
            due, order, key = self._due_heap[0]
            waiting = self._waiting.get(key)
            if waiting is not None and waiting.order == order:
                return due
            heapq.heappop(self._due_heap)
        return None

    def take(self, now: float) -> Taken[K] | None:
        """Hand out the first ready key; None where there is none. `done` is owed for it (Q6)."""
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
        """Take `key` back, queueing it if it became dirty meanwhile (Q5); returns the seconds that it was held.

        Raises ValueError for a key that is not handed out (Q7).
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
        """Ignore adds from now on and drop what waits (D7). Idempotent."""
        self.promote(now)
        self._shutting_down = True
        self._waiting.clear()
        self._due_heap.clear()

    def held_seconds(self, now: float) -> list[float]:
        """For how long each held key has been held."""
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
