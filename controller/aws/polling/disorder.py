"""Learns how much later than a newer change an index takes in an older one: pure."""

from datetime import timedelta
from typing import Final

SAMPLE: Final = 100
"""Changes after which what they have shown is relied on."""
_SAFETY: Final = 2.0
_MARGIN: Final = timedelta(seconds=2)


class Disorder:
    """How far below the latest change known before further ones may come up. Not thread-safe."""

    def __init__(self, most: timedelta) -> None:
        """`most` is taken while little is known, and is the limit."""
        self._most = most
        self._recent = [most, timedelta(0)]
        """The largest of the sample before, and of that under way."""
        self._seen = 0

    @property
    def span(self) -> timedelta:
        """Twice what was seen of late, and a margin."""
        return min(self._most, _SAFETY * max(self._recent) + _MARGIN)

    def saw(self, late: timedelta) -> None:
        """Record a change that came up so much later than one after it; zero or less if there was none."""
        self._recent[1] = max(self._recent[1], late)
        self._seen += 1
        if self._seen % SAMPLE == 0:
            self._recent = [self._recent[1], timedelta(0)]
