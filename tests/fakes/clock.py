"""A clock that stands still until a test advances it."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock` that only `advance` moves. Thread-safe."""

    def __init__(self, start: datetime = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._elapsed_s = 0.0
        self._start = start

    def monotonic(self) -> float:
        """Seconds advanced so far, plus an arbitrary offset."""
        with self._lock:
            return 1000.0 + self._elapsed_s

    def utcnow(self) -> datetime:
        """The start plus what was advanced."""
        with self._lock:
            return self._start + timedelta(seconds=self._elapsed_s)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._elapsed_s += seconds

    def set_back(self, seconds: float) -> None:
        """Correct the wall clock; monotonic time goes on."""
        with self._lock:
            self._start -= timedelta(seconds=seconds)
