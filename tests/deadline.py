"""Waiting for what must become true, with one deadline for all of it."""

import os
import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

PATIENCE_S: Final = float(os.environ.get("TEST_PATIENCE_S") or 180)
"""How long anything may take. It is no expectation: only a test that fails waits so long, so no machine is too slow.

The variable is for those who run tests that they expect to fail, such as those of a fix on the build before it.
"""
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 0.1
_LOOKS_PER_PAUSE: Final = 3
"""How many looks a pause is at least as long as. Dear ones, such as a run of kubectl, would keep a core busy."""


class NeverError(AssertionError):
    """What had to become true did not, in time; the message shows the last thing seen."""


def eventually(look: Callable[[], T | None], *, what: str) -> T:
    """Return the first true value that `look` returns. Raises NeverError after `PATIENCE_S`.

    The pauses grow, as a look is a request or more: waiting is most of what the tests do. They are longer after a look
    that took long.
    """
    deadline = time.monotonic() + PATIENCE_S
    pause_s = _FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        is_late = began > deadline
        seen = look()
        if seen:
            return seen
        if is_late:
            raise NeverError(f"{what}: not within {PATIENCE_S:g} s; last seen: {seen!r}")
        time.sleep(max(pause_s, _LOOKS_PER_PAUSE * (time.monotonic() - began)))
        pause_s = min(1.4 * pause_s, _LONGEST_PAUSE_S)
