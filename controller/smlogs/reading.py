"""The lines that are there already: all of them, or the last ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from controller.smlogs.events import LogEvent, Seen, Window, in_order, last, tail_spans
from controller.smlogs.options import ALL_LINES, Options
from controller.smlogs.subject import Subject

_BEFORE_CREATION: Final = timedelta(days=1)
"""How much older than its job a line may be, by clocks that are wrong."""


class Reader(Protocol):
    """Finds events; see `cloudwatch.LogReader`."""

    def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
        """Events from `start_ms` to `end_ms`, both included, about sorted; pages may be empty."""
        ...


def milliseconds(time: datetime) -> int:
    """Milliseconds since the epoch."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def first_ms(options: Options, subject: Subject, now: datetime) -> int:
    """From when on lines are wanted: an explicit start also spares CloudWatch a search through empty years."""
    if options.since_s is not None:
        return milliseconds(now - timedelta(seconds=options.since_s))
    return max(0, milliseconds(subject.created_at - _BEFORE_CREATION)) if subject.created_at else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """What was read, for whoever reads on."""

    seen: Seen
    window: Window


def read(reader: Reader, progress: Progress, *, tail: int, now_ms: int) -> Iterator[list[LogEvent]]:
    """Batches of new events since the window's floor in order of time; with `tail`, at most that many in one batch.

    Afterwards `progress` is such that a follower prints what is new since, and nothing that `tail` left out.
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
        # A long log must not fill the memory: what no follower will meet again needs no remembering.
        progress.seen.forget_before(progress.window.start_ms(now_ms=now_ms, is_thorough=True))
