"""Targets that did not answer: one call at a time tries them, so that a mute region does not hold all workers.

A call to a region that accepts connections and never answers blocks its worker for the whole read time-out. With more
such objects than workers, objects of healthy regions would wait for minutes (DESIGN 5). So after a call without an
answer the target is a suspect until one is answered: whoever comes while another call is under way waits its turn.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

NO_ANSWER: Final = frozenset({"ReadTimeout", "ConnectTimeout"})
"""Error codes of calls that took their whole time-out and told nothing."""
TURN_S: Final = 5.0
"""How long callers are sent away while somebody else is trying."""


class Suspects:
    """Which targets are mute at the moment. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tried: dict[Target, bool] = {}  # suspects, and whether a call is under way; guarded by _lock

    @contextmanager
    def call(self, target: Target) -> Iterator[None]:
        """Around one call. Raises `AwsError` THROTTLED with `retry_after_s` where the target is being tried already.

        Every end of the block but an `AwsError` of NO_ANSWER is an answer, and clears the target.
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
