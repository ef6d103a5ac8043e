"""How long a key waits before its next attempt: per-item exponential, token bucket, and the maximum of several.

The limits and their arithmetic are client-go's (`util/workqueue/default_rate_limiters.go`, `golang.org/x/time/rate`),
so that cluster administrators see the delays that they know. All limiters are thread-safe.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

from controller.runtime.clock import Clock

K = TypeVar("K", bound=Hashable)
K_contra = TypeVar("K_contra", bound=Hashable, contravariant=True)

_MAX_EXPONENT: Final = 1023
"""Exponent of the largest power of two that a float holds; one more raises OverflowError (L1)."""


class RateLimiter(Protocol[K_contra]):
    """Returns how long a key has to wait; `forget` resets the key."""

    def when(self, key: K_contra) -> float:
        """Count one attempt of `key`; returns the seconds to wait before it, ≥ 0. Raises nothing."""
        ...

    def forget(self, key: K_contra) -> None:
        """Drop the state of `key`, which may be unknown."""
        ...

    def num_requeues(self, key: K_contra) -> int:
        """Return the number of `when` calls since the last `forget`; 0 for an unknown key (L2)."""
        ...


def backoff_s(failures: int, *, base_s: float, cap_s: float, jitter: float) -> float:
    """Return the delay after so many failures before the last: doubled by each, up to the cap, times 1 + jitter."""
    return min(base_s * 2.0 ** min(failures, _MAX_EXPONENT), cap_s) * (1.0 + jitter)


class ItemExponentialRateLimiter(Generic[K]):
    """Doubles the delay of a key with every failure in a row: base · 2ⁿ seconds, n from 0, at most `cap_s` (L1).

    The defaults give 5, 10, 20 ms … 655.36 s at the 18th call and 1000 s from the 19th. Keeps a number for each
    failing key until `forget`.
    """

    def __init__(
        self, *, base_s: float = 0.005, cap_s: float = 1000.0, rand: Callable[[], float] = lambda: 0.0
    ) -> None:
        """`rand`, 0 ≤ r < 1, returns the jitter: each delay is multiplied by 1 + r, also the cap."""
        self._base_s = base_s
        self._cap_s = cap_s
        self._rand = rand
        self._lock = threading.Lock()
        self._failures: dict[K, int] = {}  # guarded by _lock; holds failing keys only

    def when(self, key: K) -> float:
        """See `RateLimiter.when`."""
        with self._lock:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        return backoff_s(failures, base_s=self._base_s, cap_s=self._cap_s, jitter=self._rand())

    def forget(self, key: K) -> None:
        """See `RateLimiter.forget`."""
        with self._lock:
            self._failures.pop(key, None)

    def num_requeues(self, key: K) -> int:
        """See `RateLimiter.num_requeues`."""
        with self._lock:
            return self._failures.get(key, 0)


class BucketRateLimiter(Generic[K]):
    """Limits all keys together: `rate_per_s` tokens a second, at most `burst` saved up (L3).

    Every call *reserves* a token, so the balance goes below zero and later callers wait behind earlier ones.
    """

    def __init__(self, clock: Clock, *, rate_per_s: float = 10.0, burst: int = 100) -> None:
        self._clock = clock
        self._rate_per_s = rate_per_s
        self._burst = float(burst)
        self._lock = threading.Lock()
        self._tokens = self._burst  # guarded by _lock; may be negative: reserved
        self._filled_at = clock.monotonic()  # guarded by _lock

    def when(self, key: K) -> float:  # noqa: ARG002 (the bucket ignores keys on purpose)
        """See `RateLimiter.when`."""
        with self._lock:
            now = self._clock.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate_per_s)
            self._filled_at = now
            self._tokens -= 1.0
            return max(0.0, -self._tokens / self._rate_per_s)

    def forget(self, key: K) -> None:
        """Do nothing: reserved tokens stay reserved (L4)."""

    def num_requeues(self, key: K) -> int:  # noqa: ARG002
        """Return 0: the bucket counts no keys."""
        return 0
