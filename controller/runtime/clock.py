"""Time as a dependency: durations from a monotonic clock, stamps in UTC.

Only values written to an API are wall time (K6); everything that waits or expires uses `monotonic`.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the machinery reads of time. Implementations are thread-safe."""

    def monotonic(self) -> float:
        """Return the seconds of a clock that never jumps; only differences are meaningful."""
        ...

    def utcnow(self) -> datetime:
        """Return the wall time, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def utcnow(self) -> datetime:
        """See `Clock.utcnow`."""
        return datetime.now(UTC)
