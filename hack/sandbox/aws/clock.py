"""The sandbox's wall time: the real one plus the time that a test or a user has skipped."""

import threading
import time
from collections.abc import Callable


class SandboxClock:
    """Wall time in seconds since the epoch, moved forward on request.

    `source` returns the underlying time; a test that needs a frozen clock passes a constant. Thread-safe.
    Life-cycles are computed from this clock on demand, so skipping an hour costs nothing.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._skipped_s = 0.0  # guarded by _lock

    @classmethod
    def frozen(cls, at: float = 1_800_000_000.0) -> "SandboxClock":
        """Return a clock that is frozen at `at` (epoch seconds) and moves only by `advance`."""
        return cls(lambda: at)

    def now(self) -> float:
        """Return the sandbox's time, seconds since the epoch."""
        with self._lock:
            return self._source() + self._skipped_s

    def advance(self, seconds: float) -> float:
        """Advance the clock and return the new time. Raises ValueError for a negative step: statuses never go back."""
        if seconds < 0:
            raise ValueError("the sandbox's clock only moves forward")
        with self._lock:
            self._skipped_s += seconds
            return self._source() + self._skipped_s
