"""Retries a call after transient failures: throttling, 5xx, connections. Bounded, with growing pauses."""

import random
from collections.abc import Callable
from typing import Protocol, TypeVar

from controller.runtime.clock import Clock
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.queue.backoff import Backoff

T = TypeVar("T")

_PASSING = frozenset({ErrorClass.THROTTLED, ErrorClass.RETRYABLE})


class Pause(Protocol):
    """Waits; interrupted by Ctrl-C."""

    def __call__(self, seconds: float, /) -> None:
        """Return after `seconds`, or raise the exception that ends the program."""
        ...


class Patience:
    """Retries until success, or `attempts` failures in a row, then raises the last error; permanent ones at once.

    A call that the plugin's own budget delays (with a known wait) has not failed. `tell` receives the message of each
    failure that is retried.
    """

    def __init__(
        self, *, attempts: int, pause: Pause, clock: Clock, rng: random.Random, tell: Callable[[str], None]
    ) -> None:
        self._attempts = attempts
        self._pause = pause
        self._clock = clock
        self._rng = rng
        self._tell = tell

    def call(self, attempt: Callable[[], T]) -> T:
        """Return the result of `attempt`. Raises its `ClassifiedError`."""
        backoff = Backoff(rng=self._rng, initial_s=0.5, cap_s=15.0)
        failures = 0
        while True:
            try:
                return attempt()
            except ClassifiedError as error:
                if error.retry_after_s is not None and error.error_class is ErrorClass.THROTTLED:
                    wait_s = error.retry_after_s
                else:
                    failures += 1
                    if error.error_class not in _PASSING or failures >= self._attempts:
                        raise
                    wait_s = backoff.next_s(self._clock.monotonic())
                    self._tell(f"trying again in {wait_s:.0f} s: {error}")
            self._pause(wait_s)
