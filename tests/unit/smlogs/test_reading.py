"""The lines that are there already: all, since a time, or the last ones."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controller.smlogs.command_line.options import ALL_LINES, Options
from controller.smlogs.events import THOROUGH_MS, Seen, Window
from controller.smlogs.reading import Progress, first_ms, milliseconds, read
from tests.fakes import FakeClock
from tests.unit.smlogs.fakes import FakeLog, event, kind, subject

CLOCK = FakeClock()
NOW_MS = milliseconds(CLOCK.utcnow())
AGES_S = st.lists(st.integers(0, 40_000), max_size=30)


def lines(log: FakeLog, progress: Progress, tail: int) -> list[int]:
    """Times of the events that a read gives."""
    batches = read(log, progress, tail=tail, now_ms=NOW_MS)
    return [each.time_ms for batch in batches for each in batch]


def log_of(ages_s: list[int]) -> FakeLog:
    """A log with lines of these ages."""
    log = FakeLog(CLOCK)
    log.add(*(event(NOW_MS - age * 1000, f"{number}") for number, age in enumerate(ages_s)))
    return log


@given(AGES_S)
def test_all_lines_come_in_order_of_time_and_once(ages_s: list[int]) -> None:
    """The same lines as there are."""
    assert lines(log_of(ages_s), Progress(Seen(), Window()), ALL_LINES) == sorted(NOW_MS - a * 1000 for a in ages_s)


@given(AGES_S, st.integers(0, 35))
@example([0, 3600], 3)  # a line on the border of two spans
def test_a_tail_is_the_end_of_all_lines(ages_s: list[int], tail: int) -> None:
    """However the searched spans cut the log, also right through a line's time."""
    everything = sorted(NOW_MS - age * 1000 for age in ages_s)
    assert lines(log_of(ages_s), Progress(Seen(), Window()), tail) == everything[max(0, len(everything) - tail) :]


def test_a_tail_does_not_read_the_whole_log() -> None:
    """The last lines of a job that runs for days cost one request."""
    log = log_of([5, 10, 100_000])
    lines(log, Progress(Seen(), Window()), 2)
    assert log.requests == [(NOW_MS - THOROUGH_MS, None)]


@given(AGES_S, st.integers(0, 35))
def test_what_a_tail_left_out_is_not_new_afterwards(ages_s: list[int], tail: int) -> None:
    """`--tail 1 -f` goes on behind the last line, and does not print those before it."""
    log, progress = log_of(ages_s), Progress(Seen(), Window())
    lines(log, progress, tail)
    start_ms = progress.window.start_ms(now_ms=NOW_MS, is_thorough=True)
    again = [each for page in log.pages(start_ms) for each in progress.seen.new(page)]
    assert again == []


def test_the_beginning_is_what_was_asked_for() -> None:
    """`--since`; else a day before AWS created the job, so that CloudWatch need not search the years before."""
    now = CLOCK.utcnow()
    created = subject(created_at=now - timedelta(hours=1))
    assert first_ms(Options(kind(), "job", since_s=90), created, now) == NOW_MS - 90_000
    assert first_ms(Options(kind(), "job", since_time=now - timedelta(hours=1)), created, now) == NOW_MS - 3_600_000
    assert first_ms(Options(kind(), "job"), created, now) == NOW_MS - 25 * 3600 * 1000


def test_without_a_known_creation_the_beginning_is_that_of_time() -> None:
    """Objects of the predecessor do not record it."""
    assert first_ms(Options(kind(), "job"), subject(), CLOCK.utcnow()) == 0


def test_a_long_log_does_not_fill_the_memory() -> None:
    """Only what a follower may meet again is remembered."""
    log, progress = log_of(list(range(0, 100_000, 100))), Progress(Seen(), Window())
    assert len(lines(log, progress, ALL_LINES)) == 1000
    assert len(progress.seen) == pytest.approx(THOROUGH_MS / 100_000, abs=2)
