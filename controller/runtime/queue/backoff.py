"""Growing pauses between attempts of one thing that fails in a row (R11).

Other than a rate limiter it knows no keys and heals by time, not by success: a server that answers lists but breaks
every watch would otherwise be listed at full speed.
"""

import random
from typing import Final

INITIAL_S: Final = 0.8
"""The first pause: with the jitter, a thousand clients that lost one server come back within a second, not at once."""
CAP_S: Final = 30.0
RESET_AFTER_S: Final = 120.0


class Backoff:
    """Pauses of 0.8 s doubling to 30 s, each times uniform(1, 2); back to the start after 2 min without a failure.

    client-go resets every 2 min counted from the last reset, failures or not; what its comment intends is this.
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
        """Seconds to pause after a failure at `now` (monotonic): the caller waits that long, then tries again."""
        if self._quiet_since is not None and now - self._quiet_since >= self._reset_after_s:
            self._next_s = self._initial_s
        pause_s = self._next_s * self._rng.uniform(1.0, 2.0)
        self._next_s = min(self._next_s * 2.0, self._cap_s)
        self._quiet_since = now + pause_s
        return pause_s
