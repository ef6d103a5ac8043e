"""Who asked for what: counts of requests and of the errors answered, by operation, plus the simulated call quota."""

import threading
from collections import Counter
from typing import Any

from hack.sandbox.aws.wire import ApiError


class Requests:
    """Counts since the start or the last reset. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()  # all guarded by _lock
        self._errors: Counter[tuple[str, str]] = Counter()

    def note(self, operation: str, error_code: str = "") -> None:
        """Count one request, and how it failed."""
        with self._lock:
            self._calls[operation] += 1
            if error_code:
                self._errors[operation, error_code] += 1

    def count(self, operation: str) -> int:
        """Return how often `operation` was asked for, answered or not."""
        with self._lock:
            return self._calls[operation]

    def errors(self, operation: str, code: str) -> int:
        """Return how often `operation` was answered with this error code; lost answers have the code `(lost)`."""
        with self._lock:
            return self._errors[operation, code]

    def counts(self) -> dict[str, int]:
        """Return operation → number of requests."""
        with self._lock:
            return dict(self._calls)

    def report(self) -> dict[str, Any]:
        """Return everything counted, as JSON."""
        with self._lock:
            errors: dict[str, dict[str, int]] = {}
            for (operation, code), number in self._errors.items():
                errors.setdefault(operation, {})[code] = number
            return {"requests": dict(self._calls), "errors": errors}

    def reset(self) -> None:
        """Count from zero again."""
        with self._lock:
            self._calls.clear()
            self._errors.clear()


class CallQuota:
    """An account's quota of List and Describe calls: a token bucket per operation, off until a rate is set.

    Thread-safe. SageMaker's own is about two calls a second for each List operation and cannot be raised.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rate = 0.0  # calls a second, 0 = unlimited; all guarded by _lock
        self._burst = 0.0
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}  # caller → (tokens, when)

    def set(self, calls_per_second: float, burst: float | None = None) -> None:
        """Limit each List and Describe operation of an account and region; 0 lifts the limit.

        Raises ValueError for a negative rate or a burst below one call.
        """
        if calls_per_second < 0 or (burst is not None and burst < 1):
            raise ValueError("the quota needs a rate of at least 0 and a burst of at least 1")
        with self._lock:
            self._rate = calls_per_second
            self._burst = max(1.0, calls_per_second) if burst is None else burst
            self._buckets.clear()

    def charge(self, account: str, region: str, operation: str, now: float) -> None:
        """Count one call. Raises ApiError, the throttling one, when the bucket is empty."""
        if not operation.startswith(("List", "Describe")):
            return
        with self._lock:
            if not self._rate:
                return
            tokens, since = self._buckets.get((account, region, operation), (self._burst, now))
            tokens = min(self._burst, tokens + (now - since) * self._rate)
            is_spent = tokens < 1
            self._buckets[account, region, operation] = (tokens if is_spent else tokens - 1, now)
        if is_spent:
            raise ApiError("ThrottlingException", "Rate exceeded")
