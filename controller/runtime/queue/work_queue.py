"""The work queue that threads share: `QueueState` behind a lock, with a clock, a rate limiter and metrics.

Its semantics are in `queue_state`: client-go's queue with controller-runtime's ordering by priority.
"""

import random
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from controller.runtime.clock import Clock
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.queue_state import QueueState
from controller.runtime.queue.rate_limiter import ItemExponentialRateLimiter, RateLimiter

__all__ = ["PRIORITY_BACKGROUND", "PRIORITY_RETRY", "PRIORITY_USER", "Handed", "QueueState", "WorkQueue"]

K = TypeVar("K", bound=Hashable)

PRIORITY_USER: Final = 0
"""A change that a user just made."""
PRIORITY_RETRY: Final = -50
"""Another attempt after a failure: three hundred objects that fail do not keep a new one waiting."""
PRIORITY_BACKGROUND: Final = -100
"""Initial lists, resyncs, polls: a restart with 100,000 objects does not keep a user waiting (P11)."""

RETRY_BASE_S: Final = 1.0
RETRY_CAP_S: Final = 60.0
"""Pauses after failures, before the jitter of up to as much again: the first is 1 to 2 s, the longest 1 to 2 min.

client-go's 5 ms to 1000 s suit calls within a cluster. These suit AWS: no burst at the begin of an outage, and all
objects recover within two minutes after its end."""

_LONGEST_WAIT_S: Final = 10.0
"""Seconds: a blocked `get` reads the clock at least this often, however the clock moved meanwhile (D5)."""


@dataclass(frozen=True, slots=True)
class Handed(Generic[K]):
    """A key that the caller holds until `done`, and its priority (P8)."""

    key: K
    priority: int


class WorkQueue(Generic[K]):
    """Returns each key to at most one worker at a time and loses none. Thread-safe.

    Keys are small hashable values, never objects (Q13). A worker must call `done` for every key that `get` returned,
    whatever happened, and `forget` when it succeeded.
    """

    def __init__(
        self, name: str, *, metrics: QueueMetrics, clock: Clock, rate_limiter: RateLimiter[K] | None = None
    ) -> None:
        """`name` labels the metrics; the default limiter is a per-item one only (L7), with jitter."""
        self._clock = clock
        self._rate_limiter: RateLimiter[K] = rate_limiter or ItemExponentialRateLimiter(
            base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, rand=random.random
        )
        self._lock = threading.Lock()
        self._ready = threading.Condition(self._lock)  # a key became ready, a deadline came closer, or shutdown
        self._state: QueueState[K] = QueueState()  # guarded by _lock
        # Among waiting workers one sleeps no longer than to the next deadline, the others until they are woken: a
        # deadline does not wake everybody. Guarded by _lock; the id of that thread, None where a new one is needed.
        self._timekeeper: int | None = None
        self._counted = 0  # guarded by _lock; how much of the state's added_total the counter includes
        self._adds = metrics.adds.labels(name, name)
        self._retries = metrics.retries.labels(name, name)
        self._queue_duration = metrics.queue_duration.labels(name, name)
        self._work_duration = metrics.work_duration.labels(name, name)
        metrics.attach(name, self)

    def add(self, key: K, priority: int = PRIORITY_USER) -> None:
        """Queue `key` for a run as soon as possible. No-op while shutting down."""
        with self._lock:
            self._state.add(key, priority, self._clock.monotonic())
            self._wake_worker_locked()
            added = self._added_locked()
        self._count(added)

    def add_after(self, key: K, delay_s: float, priority: int = PRIORITY_USER) -> None:
        """Queue `key` in `delay_s` seconds, at once for ≤ 0; an earlier pending run replaces it (D2, P3)."""
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

    def add_rate_limited(self, key: K, priority: int = PRIORITY_USER, *, at_least_s: float = 0.0) -> None:
        """Count one failure of `key` and queue it after the limiter's delay (L5), but not before `at_least_s`."""
        self.add_after(key, max(self._rate_limiter.when(key), at_least_s), priority)

    def forget(self, key: K) -> None:
        """Reset the failures of `key`, known or not; pending runs stay, and `done` is still required (L6, D9)."""
        self._rate_limiter.forget(key)

    def num_requeues(self, key: K) -> int:
        """Return how many times `key` was rate limited since the last `forget` (L2)."""
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

    def done(self, key: K, *, gets_next: bool = False) -> None:
        """Mark `key` done. Raises ValueError if it is not held (Q7).

        `gets_next`: the caller calls `get` at once, so no other worker has to wake up for what is ready now.
        """
        with self._lock:
            held_s = self._state.done(key, self._clock.monotonic())
            if not gets_next:
                self._wake_worker_locked()
            added = self._added_locked()
        self._count(added)
        self._work_duration.observe(held_s)

    def shut_down(self) -> None:
        """Ignore adds from now on, drop delays, and end every `get` when no key is left. Idempotent (Q10)."""
        with self._lock:
            self._state.shut_down(self._clock.monotonic())
            self._ready.notify_all()
            added = self._added_locked()
        self._count(added)

    def __len__(self) -> int:
        """Number of ready keys: neither held nor waiting (Q8)."""
        with self._lock:
            self._state.promote(self._clock.monotonic())
            return len(self._state)

    def depths(self) -> dict[int, int]:
        """Return the number of dirty keys by priority, including held ones that became dirty again (X4)."""
        with self._lock:
            self._state.promote(self._clock.monotonic())
            return dict(self._state.depths)

    def held_seconds(self) -> list[float]:
        """Return for each held key the seconds since it was taken."""
        with self._lock:
            return self._state.held_seconds(self._clock.monotonic())

    def _wait_locked(self, now: float) -> None:
        """Wait until a key may be ready; may return early (K7)."""
        if self._timekeeper is not None:
            self._ready.wait()
            return
        me = self._timekeeper = threading.get_ident()
        due = self._state.next_due()
        self._ready.wait(_LONGEST_WAIT_S if due is None else min(due - now, _LONGEST_WAIT_S))
        if self._timekeeper == me:
            self._timekeeper = None

    def _wake_worker_locked(self) -> None:
        """Wake one waiting worker if there is a ready key for it, or a deadline that no worker waits for."""
        if len(self._state) or (self._timekeeper is None and self._state.next_due() is not None):
            self._ready.notify()

    def _added_locked(self) -> int:
        """Return how many keys became dirty since the last call; the caller counts them without the lock."""
        added = self._state.added_total - self._counted
        self._counted = self._state.added_total
        return added

    def _count(self, added: int) -> None:
        if added:
            self._adds.inc(added)
