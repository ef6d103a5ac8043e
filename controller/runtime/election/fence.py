"""Decides whether this process may change anything now; checked before every effect (E20, DESIGN 4.10).

Cancelling work when a lease is lost is not enough: a thread may be between its decision and its effect. The fence
closes by itself as time passes, so it holds even while the electing thread hangs.
"""

import threading
from typing import Protocol

from controller.runtime.clock import Clock
from controller.runtime.threads import Stop


class Fence(Protocol):
    """Decides whether effects may start. Thread-safe, never blocks."""

    def may_act(self) -> bool:
        """Return whether an effect may be started now."""
        ...


class UnfencedUntil:
    """The fence of a process without leader election: open until `stop` is set."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def may_act(self) -> bool:
        """See `Fence.may_act`."""
        return not self._stop.is_set()


class LeaseFence:
    """Open for `renew_deadline_s` after the start of the last successful renewal, closed before the first one.

    The renew deadline is shorter than the lease's duration (E1), and counting starts *before* the renewing request is
    sent: the difference is the time that an effect under way has to finish before others may lead.
    """

    def __init__(self, clock: Clock, *, renew_deadline_s: float) -> None:
        self._clock = clock
        self._renew_deadline_s = renew_deadline_s
        self._lock = threading.Lock()
        self._open_until: float | None = None  # monotonic seconds; guarded by _lock
        self._sealed = False  # guarded by _lock

    def may_act(self) -> bool:
        """See `Fence.may_act`."""
        with self._lock:
            return self._open_until is not None and not self._sealed and self._clock.monotonic() < self._open_until

    def renewed(self, *, sent_at: float) -> None:
        """Record that a request sent at `sent_at` (monotonic seconds) acquired or renewed the lease."""
        with self._lock:
            self._open_until = sent_at + self._renew_deadline_s

    def close(self) -> None:
        """Close permanently: the lease was lost or is about to be released. Idempotent."""
        with self._lock:
            self._sealed = True
