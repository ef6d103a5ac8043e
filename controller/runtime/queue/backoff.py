"""Growing pauses between consecutive failed attempts of one operation (R11).

Unlike a rate limiter it has no keys and resets by time, not by success: otherwise a server that answers lists but
breaks every watch would be listed at full speed.
"""

import random
from typing import Final

INITIAL_S: Final = 0.8
"""The first pause: with the jitter, a thousand clients of one failed server return over a second, not at once."""
CAP_S: Final = 30.0
RESET_AFTER_S: Final = 120.0


class Backoff:
    """Pauses of 0.8 s doubling to 30 s, each times uniform(1, 2); back to the start after 2 min without a failure.

    client-go resets every 2 min after the last reset, with failures or without; its comment intends what is done here.
    Not thread-safe: it belongs to the thread that pauses.
    """

    def __init__(
        self,
        *,
        rng: random.Random,
        initial_s: float = INITIAL_S,
        cap_s: float = CAP_S,
        reset_after_s: float = RESET_AFTER_S,
    ) -> None:
        self._rng = rng
        self._initial_s = initial_s
        self._cap_s = cap_s
        self._reset_after_s = reset_after_s
        self._next_s = initial_s
        self._quiet_since: float | None = None  # monotonic end of the last pause; None before the first failure

    def next_s(self, now: float) -> float:
        """Return the seconds to wait after a failure at `now` (monotonic) before the next attempt."""
        if self._quiet_since is not None and now - self._quiet_since >= self._reset_after_s:
            self._next_s = self._initial_s
        pause_s = self._next_s * self._rng.uniform(1.0, 2.0)
        self._next_s = min(self._next_s * 2.0, self._cap_s)
        self._quiet_since = now + pause_s
        return pause_s
