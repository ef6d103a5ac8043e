"""Order and repetition of log events: pages, windows, spans."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.smlogs.events import RECENT_MS, THOROUGH_MS, LogEvent, Seen, Window, in_order, last, tail_spans
from tests.tables import each_row
from tests.unit.smlogs.fakes import event

TIMES = st.lists(st.integers(0, 50), max_size=40)


def numbered(times: list[int]) -> list[LogEvent]:
    """Events with these times, told apart by their place."""
    return [event(time, f"{place}") for place, time in enumerate(times)]


@given(TIMES, st.integers(1, 7))
def test_sorted_pages_come_out_as_they_are(times: list[int], size: int) -> None:
    """What CloudWatch sorted, lines of one time included, keeps its order, and each event comes once."""
    events = numbered(sorted(times))
    pages = [events[start : start + size] for start in range(0, len(events), size)]
    assert [each for batch in in_order(pages) for each in batch] == events


@given(st.lists(TIMES, max_size=8))
def test_nothing_is_lost_or_doubled_by_putting_in_order(pages: list[list[int]]) -> None:
    """Whatever the pages are like, empty ones included; and each batch is in order in itself."""
    events = [[event(time, f"{page}/{place}") for place, time in enumerate(times)] for page, times in enumerate(pages)]
    batches = list(in_order(events))
    given_out = [each for batch in batches for each in batch]
    assert sorted(each.event_id for each in given_out) == sorted(each.event_id for page in events for each in page)
    assert all(a.time_ms <= b.time_ms for batch in batches for a, b in pairwise(batch))
    assert all(batches)


def test_neighbouring_pages_that_overlap_are_merged() -> None:
    """A line that arrived while the first page was read belongs before the newer ones of it."""
    batches = list(in_order([[event(1), event(5)], [event(3), event(6)], [event(7)]]))
    assert [each.time_ms for batch in batches for each in batch] == [1, 3, 5, 6, 7]


def test_a_batch_comes_out_before_all_pages_are_read() -> None:
    """A long log is printed while it is read, not afterwards."""
    batches = in_order([[event(1)], [event(2)], [event(3)]])
    assert next(batches) == [event(1)]


def test_the_same_id_in_two_streams_is_two_events() -> None:
    """Ids are promised to be unique per event; nobody promises it across streams of other servers of that API."""
    events = [event(1, "x", "job/algo-1"), event(1, "x", "job/algo-2")]
    assert Seen().new([*events, *events]) == events


def test_what_is_forgotten_is_what_is_older() -> None:
    """The memory of a follower does not grow with the log."""
    seen = Seen()
    seen.new([event(1), event(2), event(3)])
    seen.forget_before(2)
    assert len(seen) == 2
    assert seen.new([event(2), event(3)]) == []


@each_row(
    ("newest_ms", "now_ms", "is_thorough", "start_ms"),
    [
        pytest.param(None, 9_000_000, False, 1000, id="no line yet: from the beginning"),
        pytest.param(8_000_000, 9_000_000, False, 8_000_000 - RECENT_MS, id="a little before the newest line"),
        pytest.param(8_000_000, 9_000_000, True, 8_000_000 - THOROUGH_MS, id="thorough: a good while before it"),
        pytest.param(9_900_000, 9_000_000, False, 9_000_000 - RECENT_MS, id="a line from the future hides nothing"),
        pytest.param(1500, 9_000_000, False, 1000, id="never before the beginning"),
    ],
)
def test_polls_look_back_behind_the_newest_line(
    newest_ms: int | None, now_ms: int, is_thorough: bool, start_ms: int
) -> None:
    """D-48: who remembers the last line only, loses those that arrive late."""
    window = Window(1000)
    window.saw([] if newest_ms is None else [event(newest_ms), event(1200)])
    assert window.start_ms(now_ms=now_ms, is_thorough=is_thorough) == start_ms


def test_a_clock_that_is_put_back_does_not_move_the_window_back() -> None:
    """What was forgotten would be printed twice."""
    window = Window()
    window.saw([event(10_000_000)])
    first = window.start_ms(now_ms=10_000_000, is_thorough=True)
    assert window.start_ms(now_ms=1_000_000, is_thorough=True) == first


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_tail_spans_touch_and_reach_the_floor(now_ms: int, floor_ms: int) -> None:
    """No time between spans is left out, the first one is open, and they are few."""
    spans = list(tail_spans(now_ms, floor_ms))
    assert spans[0][1] is None
    assert spans[-1][0] == floor_ms
    assert all(later[0] - 1 == earlier[1] for later, earlier in pairwise(spans))
    assert len(spans) < 15


def test_the_last_events_of_batches() -> None:
    """Also none of them."""
    assert last([[event(1), event(2)], [event(3)]], 2) == [event(2), event(3)]
    assert last([[event(1)]], 0) == []
