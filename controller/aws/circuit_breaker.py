"""A circuit breaker per target: one trial call at a time probes a target that does not respond.

A call to a region that accepts connections but never answers blocks its worker for the whole read time-out. With more
such objects than workers, objects of healthy regions would wait for minutes (DESIGN 5). So after a call without an
answer the target is suspect until a call is answered: callers are refused while another call is under way.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

NO_ANSWER: Final = frozenset({"ReadTimeout", "ConnectTimeout"})
"""Error codes of calls that took their whole time-out without an answer."""
TURN_S: Final = 5.0
"""Retry-After of the callers that are refused during a trial call."""


class Suspects:
    """Targets that currently do not respond. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: dict[Target, bool] = {}  # suspect targets, and whether a trial call is under way; guarded by _lock

    @contextmanager
    def call(self, target: Target) -> Iterator[None]:
        """Wrap one call. Raises `AwsError` THROTTLED with `retry_after_s` if a trial call of the target is under way.

        Unless the block raises an `AwsError` of NO_ANSWER, the target has answered and is cleared.
        """
        with self._lock:
            if self._tried.get(target, False):
                raise AwsError(
                    ErrorClass.THROTTLED,
                    "NotAnswering",
                    f"AWS in {target.region} does not answer at the moment; another call is trying",
                    retry_after_s=TURN_S,
                    sent=False,
                )
            if target in self._tried:
                self._tried[target] = True
        is_mute = False
        try:
            yield
        except AwsError as error:
            is_mute = error.code in NO_ANSWER
            raise
        finally:
            with self._lock:
                if is_mute:
                    self._tried[target] = False
                else:
                    self._tried.pop(target, None)
