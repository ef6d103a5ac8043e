"""Reads the existing lines: all of them, or the last ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from controller.smlogs.command_line.options import ALL_LINES, Options
from controller.smlogs.events import LogEvent, Seen, Window, in_order, last, tail_spans
from controller.smlogs.subject import Subject

_BEFORE_CREATION: Final = timedelta(days=1)
"""How much older than its job a line may be, because of wrong clocks."""


class Reader(Protocol):
    """Finds events; see `cloudwatch.LogReader`."""

    def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
        """Yield events from `start_ms` to `end_ms`, both included, roughly sorted; pages may be empty."""
        ...


def milliseconds(time: datetime) -> int:
    """Return milliseconds since the epoch."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def first_ms(options: Options, subject: Subject, now: datetime) -> int:
    """Return the start of the requested time: an explicit start also saves CloudWatch a search through empty years."""
    if options.since_s is not None:
        return milliseconds(now - timedelta(seconds=options.since_s))
    if options.since_time is not None:
        return max(0, milliseconds(options.since_time))
    return max(0, milliseconds(subject.created_at - _BEFORE_CREATION)) if subject.created_at else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of reading, from which a follower continues."""

    seen: Seen
    window: Window


def read(reader: Reader, progress: Progress, *, tail: int, now_ms: int) -> Iterator[list[LogEvent]]:
    """Yield batches of new events since the window's floor by time; with `tail`, one batch of at most that many.

    Updates `progress` so that a follower prints later lines, and none that `tail` left out.
    """
    if tail == ALL_LINES:
        yield from _new(reader, progress, (progress.window.floor_ms, None), now_ms)
        return
    found: list[LogEvent] = []
    reached_ms = progress.window.floor_ms
    for span in tail_spans(now_ms, reached_ms):
        found = last([last(_new(reader, progress, span, now_ms), tail), found], tail)
        reached_ms = span[0]
        if len(found) >= tail:
            break
    progress.window.floor_ms = max(progress.window.floor_ms, reached_ms)
    if found:
        yield found


def _new(reader: Reader, progress: Progress, span: tuple[int, int | None], now_ms: int) -> Iterator[list[LogEvent]]:
    for batch in in_order(reader.pages(*span)):
        progress.window.saw(batch)
        yield progress.seen.new(batch)
        # A long log must not fill the memory: events that no follower will read again are not remembered.
        progress.seen.forget_before(progress.window.start_ms(now_ms=now_ms, is_thorough=True))
