"""Finds the ends of many jobs sooner than the sweep gets to them: a pure state machine.

A sweep of thousands of jobs takes as many seconds as pages. Jobs that were started together often end together, so a
page with many ends is a reason to describe a few other jobs, those that sweeps reach next as the last ones. Each of
them that has ended is a reason to describe two more, or one once a guess was wrong. An end has to be described in any
case, so a guess that is right costs nothing; where fewer than half are right, or a quarter of the answers were wrong,
the guesses cease until a sweep has shown no such page. So jobs that end one after the other, as they were started, cost
little: each page shows many ends, and when guesses have overtaken the ends, no more than `MOST_OPEN` are wrong.
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
"""Jobs that are described for each described one that has ended, as long as all have."""
MOST_OPEN: Final = 40
"""Guesses without an answer: at 0.2 s a Describe, as many as a core can show."""
RIGHT_PER_WRONG: Final = 3
"""Answers that must have been ends for each one that was not."""


class Burst:
    """The guesses at one target. Not thread-safe: what owns it locks."""

    def __init__(self) -> None:
        self._left: Iterator[ObjectKey] = iter(())
        """Jobs of which the end is not known, in the order in which they are guessed."""
        self._guesses = 0
        self._hits = 0
        self._misses = 0
        self._is_on = False
        """The sweep under way has shown a page with many ends."""

    def sweep(self) -> None:
        """Note that a sweep begins: after one without many ends on any page, guesses are worth a try again."""
        if not self._is_on:
            self._guesses = self._hits = self._misses = 0
        self._is_on = False

    def page(self, ends: int, left: Callable[[], Iterable[ObjectKey]]) -> Iterator[ObjectKey]:
        """Yield the jobs to describe after a page that showed so many ends, of those that `left` returns."""
        if ends < BURST:
            return iter(())
        self._is_on = True
        if PER_HIT * self._hits < self._guesses or RIGHT_PER_WRONG * self._misses > self._hits:
            return iter(())
        self._left = iter(left())
        return self._guess(SAMPLE)

    def hit(self) -> Iterator[ObjectKey]:
        """Yield the jobs to describe since a guessed one has ended."""
        self._hits += 1
        return self._guess(1 if self._misses else PER_HIT)

    def miss(self) -> None:
        """Note that a guessed one goes on."""
        self._misses += 1

    def _guess(self, most: int) -> Iterator[ObjectKey]:
        for key in islice(self._left, max(min(most, MOST_OPEN + self._hits + self._misses - self._guesses), 0)):
            self._guesses += 1
            yield key
