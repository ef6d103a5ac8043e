"""Finds the ends of many jobs sooner than the sweep gets to them: a pure state machine.

A sweep of thousands of jobs takes as many seconds as pages. Jobs that were started together often end together, so a
page with many ends is a reason to describe a few other jobs, those that sweeps reach next as the last ones. Each of
them that has ended is a reason to describe two more. An end has to be described in any case, so a guess that is right
costs nothing; where fewer than half are right, the guesses cease until a sweep has shown no such page. So jobs that
end one after the other, as they were started, cost one sample: each page shows many ends, and no guess is right.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from api.meta import ObjectKey

BURST: Final = 10
"""Ends on one page that are no coincidence."""
SAMPLE: Final = 10
"""Jobs that are described because of one such page."""
PER_HIT: Final = 2
"""Jobs that are described for each described one that has ended."""


class Burst:
    """The guesses at one target. Not thread-safe: what owns it locks."""

    def __init__(self) -> None:
        self._left: Iterator[ObjectKey] = iter(())
        """Jobs of which the end is not known, in the order in which they are guessed."""
        self._guesses = 0
        self._hits = 0
        self._is_on = False
        """The sweep under way has shown a page with many ends."""

    def sweep(self) -> None:
        """Note that a sweep begins: after one without many ends on any page, guesses are worth a try again."""
        if not self._is_on:
            self._guesses = self._hits = 0
        self._is_on = False

    def page(self, ends: int, left: Callable[[], Iterable[ObjectKey]]) -> Iterator[ObjectKey]:
        """Yield the jobs to describe after a page that showed so many ends, of those that `left` returns."""
        if ends < BURST:
            return iter(())
        self._is_on = True
        if PER_HIT * self._hits < self._guesses:
            return iter(())
        self._left = iter(left())
        return self._guess(SAMPLE)

    def hit(self) -> Iterator[ObjectKey]:
        """Yield the jobs to describe since a guessed one has ended."""
        self._hits += 1
        return self._guess(PER_HIT)

    def _guess(self, most: int) -> Iterator[ObjectKey]:
        for key in islice(self._left, most):
            self._guesses += 1
            yield key
