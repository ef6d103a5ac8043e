"""The search itself, over counters."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.faults.explorer.search import InvariantError, Move, Search


class Counter:
    """A model: a number that goes up by calm moves to `end`, and by others."""

    def __init__(
        self,
        *,
        end: int = 3,
        jumps: tuple[int, ...] = (),
        forbidden: int = -1,
        wraps: bool = False,
        period: tuple[int, ...] = (),
        is_time: bool = False,
    ) -> None:
        """`period` are the numbers to which a move may be repeated for ever; `is_time`: time passes with the moves."""
        self.n = 0
        self._end, self._jumps, self._forbidden, self._wraps = end, jumps, forbidden, wraps
        self._period, self._is_time = period, is_time

    def state(self) -> int:
        """See `Model`."""
        return self.n

    def restore(self, state: int) -> None:
        """See `Model`."""
        self.n = state

    def key(self) -> bytes:
        """See `Model`."""
        return str(self.n).encode()

    def moves(self) -> Iterator[Move]:
        """See `Model`."""
        yield Move("one more", self._step, is_calm=True, is_time=self._is_time)
        for each in self._jumps:
            yield Move(f"add {each}", partial(self._add, each))

    def _step(self) -> None:
        if self.n < self._end:
            self.n += 1
        elif self._wraps:
            self.n = 0

    def _add(self, more: int) -> None:
        self.n = min(self.n + more, 20)

    def check(self) -> None:
        """See `Model`."""
        if self.n == self._forbidden:
            raise InvariantError(f"{self.n} is reached")

    def check_end(self) -> None:
        """See `Model`."""
        if self.n != self._end:
            raise InvariantError(f"it ends at {self.n}")

    def repeats(self) -> bool:
        """See `Model`."""
        return self.n in self._period

    def note(self) -> str:
        """See `Model`."""
        return f"at {self.n}"


def test_every_state_is_seen_once() -> None:
    """Equal states are merged, whatever the way to them."""
    report = Search(Counter(end=20, jumps=(2,))).run()
    assert (report.states, report.is_complete, report.broken) == (21, True, None)
    assert report.transitions == 42


def test_the_trace_to_a_violation_is_a_shortest_one() -> None:
    """Breadth first; each move is shown with the state after it."""
    report = Search(Counter(end=20, jumps=(3, 5), forbidden=11)).run()
    assert report.broken is not None
    assert len(report.broken.trace) == 3
    assert report.broken.notes[-1] == "at 11"
    assert "11 is reached" in str(report)


def test_a_state_from_which_the_calm_course_ends_badly_is_broken() -> None:
    """No calm move changes anything, and it is no good end."""
    report = Search(Counter(end=3, jumps=(7,))).run()
    assert report.broken is not None
    assert (report.broken.what, report.broken.trace) == ("it ends at 7", ("add 7",))


def test_a_calm_course_without_an_end_is_broken() -> None:
    """It changes for ever: nobody waits for that."""
    report = Search(Counter(end=3, wraps=True)).run()
    assert report.broken is not None
    assert report.broken.what == "it goes round in circles"


def test_a_period_in_which_time_passes_is_an_end() -> None:
    """Such as a look every few minutes, if the model says so of each of its moves."""
    report = Search(Counter(end=3, wraps=True, period=(0, 1, 2, 3), is_time=True)).run()
    assert (report.states, report.broken) == (4, None)


@pytest.mark.parametrize(
    ("period", "is_time"), [((0, 1, 2, 3), False), ((0, 1, 3), True)], ids=["no time passes", "a move is none of it"]
)
def test_other_circles_are_no_end(period: tuple[int, ...], *, is_time: bool) -> None:
    """A hot loop, or one that changes something each time."""
    report = Search(Counter(end=3, wraps=True, period=period, is_time=is_time)).run()
    assert report.broken is not None
    assert report.broken.what == "it goes round in circles"


def test_a_search_that_is_cut_off_is_not_complete() -> None:
    """It says so, and judges no state by moves that it has not made."""
    report = Search(Counter(end=20), most_states=5).run()
    assert (report.is_complete, report.broken) == (False, None)
    assert "not all of them" in str(report)
