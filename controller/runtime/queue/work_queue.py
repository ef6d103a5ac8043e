"""The work queue that threads share: `QueueState` behind a lock, with a clock, a rate limiter and metrics.

Its semantics are in `queue_state`: client-go's queue with controller-runtime's ordering by priority.
"""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from controller.runtime.clock import Clock
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.queue_state import QueueState
from controller.runtime.queue.rate_limiter import ItemExponentialRateLimiter, RateLimiter

__all__ = ["PRIORITY_BACKGROUND", "PRIORITY_USER", "Handed", "QueueState", "WorkQueue"]

K = TypeVar("K", bound=Hashable)

PRIORITY_USER: Final = 0
"""What somebody did just now."""
PRIORITY_BACKGROUND: Final = -100
"""Initial lists, resyncs, polls: a restart with 100,000 objects does not keep a user waiting (P11)."""

_LONGEST_WAIT_S: Final = 10.0
"""A blocked `get` looks at the clock at least this often, whatever the clock did meanwhile (D5)."""


@dataclass(frozen=True, slots=True)
class Handed(Generic[K]):
    """A key that is yours until `done`, and the priority that it had (P8)."""

    key: K
    priority: int


class WorkQueue(Generic[K]):
    """Hands each key to at most one worker at a time and forgets none. Thread-safe.

    Keys are small hashable values, never objects (Q13). A worker owes `done` for every key that `get` gave it, whatever
    happened, and `forget` when it succeeded.
    """

    def __init__(
        self, name: str, *, metrics: QueueMetrics, clock: Clock, rate_limiter: RateLimiter[K] | None = None
    ) -> None:
        """`name` labels the metrics; the default limiter is the per-item one, alone (L7)."""
        self._clock = clock
        self._rate_limiter: RateLimiter[K] = rate_limiter or ItemExponentialRateLimiter()
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)  # a key became ready, a deadline came closer, or shutdown
        self._state: QueueState[K] = QueueState()  # guarded by _lock
        # Among waiting workers one sleeps no longer than to the next deadline, the others until they are woken: a
        # deadline does not wake everybody. Guarded by _lock; the id of that thread, None where a new one is needed.
        self._timekeeper: int | None = None
        self._counted = 0  # guarded by _lock; how much of the state's added_total the counter has seen
        self._adds = metrics.adds.labels(name, name)
        self._retries = metrics.retries.labels(name, name)
        self._queue_duration = metrics.queue_duration.labels(name, name)
        self._work_duration = metrics.work_duration.labels(name, name)
        metrics.attach(name, self)

    def add(self, key: K, priority: int = PRIORITY_USER) -> None:
        """Owe `key` a run as soon as possible. No-op while shutting down."""
        with self._lock:
            self._state.add(key, priority, self._clock.monotonic())
            self._wake_worker_locked()
            added = self._added_locked()
        self._count(added)

    def add_after(self, key: K, delay_s: float, priority: int = PRIORITY_USER) -> None:
        """Owe `key` a run in `delay_s` seconds, at once for ≤ 0; an earlier run that is owed replaces it (D2, P3)."""
        with self._lock:
            if self._state.is_shutting_down:  # D1
                return
            before = self._state.next_due()
            self._state.add_after(key, delay_s, priority, self._clock.monotonic())
            if self._state.next_due() != before:
                self._timekeeper = None
            self._wake_worker_locked()
            added = self._added_locked()
        self._count(added)
        if delay_s > 0:
            self._retries.inc()

    def add_rate_limited(self, key: K, priority: int = PRIORITY_USER) -> None:
        """Charge one failure to `key` and owe it a run after the limiter's delay (L5)."""
        self.add_after(key, self._rate_limiter.when(key), priority)

    def forget(self, key: K) -> None:
        """Forget the failures of `key`, known or not; what is owed stays owed, `done` too (L6, D9)."""
        self._rate_limiter.forget(key)

    def num_requeues(self, key: K) -> int:
        """How often `key` was rate limited since the last `forget` (L2)."""
        return self._rate_limiter.num_requeues(key)

    def get(self) -> Handed[K] | None:
        """Block until a key is ready and take it; None once the queue is shut down and has nothing left (Q6, Q9)."""
        with self._lock:
            while True:
                now = self._clock.monotonic()
                taken = self._state.take(now)
                if taken is not None:
                    break
                if self._state.is_shutting_down:
                    return None
                self._wait_locked(now)
            self._wake_worker_locked()  # for the next ready key, or to keep the time in this worker's place
            added = self._added_locked()
        self._count(added)
        self._queue_duration.observe(taken.queued_s)
        return Handed(taken.key, taken.priority)

    def done(self, key: K) -> None:
        """Give `key` back. Raises ValueError where it is not handed out (Q7)."""
        with self._lock:
            held_s = self._state.done(key, self._clock.monotonic())
            self._wake_worker_locked()
            added = self._added_locked()
        self._count(added)
        self._work_duration.observe(held_s)

    def shut_down(self) -> None:
        """Ignore adds from now on, drop delays, and let every `get` end when nothing is left. Idempotent (Q10)."""
        with self._lock:
            self._state.shut_down(self._clock.monotonic())
            self._ready.notify_all()
            added = self._added_locked()
        self._count(added)

    def __len__(self) -> int:
        """Keys that are ready: neither in hand nor waiting (Q8)."""
        with self._lock:
            self._state.promote(self._clock.monotonic())
            return len(self._state)

    def depths(self) -> dict[int, int]:
        """Keys that are owed a run, by priority; those in hand that became dirty again are among them (X4)."""
        with self._lock:
            self._state.promote(self._clock.monotonic())
            return dict(self._state.depths)

    def held_seconds(self) -> list[float]:
        """For how long each key in hand has been held."""
        with self._lock:
            return self._state.held_seconds(self._clock.monotonic())

    def _wait_locked(self, now: float) -> None:
        """Wait until it is worth looking again; may return early (K7)."""
        if self._timekeeper is not None:
            self._ready.wait()
            return
        me = self._timekeeper = threading.get_ident()
        due = self._state.next_due()
        self._ready.wait(_LONGEST_WAIT_S if due is None else min(due - now, _LONGEST_WAIT_S))
        if self._timekeeper == me:
            self._timekeeper = None

    def _wake_worker_locked(self) -> None:
        """Wake one waiting worker if there is something to do for it: a key, or a deadline that nobody watches."""
        if len(self._state) or (self._timekeeper is None and self._state.next_due() is not None):
            self._ready.notify()

    def _added_locked(self) -> int:
        """Keys that became dirty since this was last asked; counted by the caller without the lock."""
        added = self._state.added_total - self._counted
        self._counted = self._state.added_total
        return added

    def _count(self, added: int) -> None:
        if added:
            self._adds.inc(added)
