"""Sorts and deduplicates log events. Pure: other modules decide which pages to read, and when.

CloudWatch sorts the events of one request by time (API reference, FilterLogEvents); other servers of that API sort by
stream, and all of them return late events out of order. Times are milliseconds since the epoch.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

RECENT_MS: Final = 30_000
"""How far each poll reads back before the newest line: instances send their lines every few seconds."""
THOROUGH_MS: Final = 600_000
"""How far the occasional thorough poll reads back: for an instance that was disconnected for minutes."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line of one instance, or several that were written at once."""

    stream: str
    event_id: str
    time_ms: int
    message: str


class Seen:
    """Remembers the events that were read, as long as they may be read again. Not thread-safe."""

    def __init__(self) -> None:
        self._time_of: dict[tuple[str, str], int] = {}

    def new(self, events: Iterable[LogEvent]) -> list[LogEvent]:
        """Return the new ones of `events`, each once, in their order."""
        fresh = []
        for event in events:
            key = (event.stream, event.event_id)
            if key not in self._time_of:
                self._time_of[key] = event.time_ms
                fresh.append(event)
        return fresh

    def forget_before(self, time_ms: int) -> None:
        """Drop older events: that time will not be read again."""
        self._time_of = {key: at for key, at in self._time_of.items() if at >= time_ms}

    def __len__(self) -> int:
        return len(self._time_of)


class Window:
    """The time from which to read again, so that late lines are found. Its start only moves forward.

    It is relative to the newest line's time, or this machine's clock if that is earlier: one line from the future must
    not hide those of the present.
    """

    def __init__(self, floor_ms: int = 0) -> None:
        self.floor_ms = floor_ms
        """Nothing before this is ever read again."""
        self._newest_ms: int | None = None

    def saw(self, events: Iterable[LogEvent]) -> None:
        """Record events that were read."""
        times = [event.time_ms for event in events]
        if times:
            self._newest_ms = max(times) if self._newest_ms is None else max(self._newest_ms, *times)

    def start_ms(self, *, now_ms: int, is_thorough: bool) -> int:
        """Return where the next poll begins; moves the floor."""
        if self._newest_ms is None:
            return self.floor_ms
        anchor_ms = min(self._newest_ms, now_ms)
        self.floor_ms = max(self.floor_ms, anchor_ms - THOROUGH_MS)
        return max(self.floor_ms, anchor_ms - (THOROUGH_MS if is_thorough else RECENT_MS))


def by_time(events: Iterable[LogEvent]) -> list[LogEvent]:
    """Sort events, oldest first; equal times keep their order, in which they were written."""
    return sorted(events, key=lambda event: event.time_ms)


def in_order(pages: Iterable[list[LogEvent]]) -> Iterator[list[LogEvent]]:
    """Yield the pages of one request as batches in order of time, also if neighbouring pages overlap.

    Holds back about one page: yielded events are not newer than the oldest event of the latest page.
    """
    held: list[LogEvent] = []
    for page in pages:
        if not page:
            continue
        oldest_ms = min(event.time_ms for event in page)
        ready = [event for event in held if event.time_ms <= oldest_ms]
        held = by_time([*(event for event in held if event.time_ms > oldest_ms), *page])
        if ready:
            yield ready
    if held:
        yield held


def last(batches: Iterable[list[LogEvent]], count: int) -> list[LogEvent]:
    """Return the last `count` events of batches, keeping only those in memory."""
    kept: deque[LogEvent] = deque(maxlen=count)
    for batch in batches:
        kept.extend(batch)
    return list(kept)


def tail_spans(now_ms: int, floor_ms: int) -> Iterator[tuple[int, int | None]]:
    """Yield time spans to search for the last lines, from the latest backwards: (start, end), end None for "open".

    Each is six times as long as the one before, so that the last lines of a long log cost few pages, and those of an
    old log few requests. Bounds are inclusive: spans share no millisecond, or its lines would be read twice, and
    together they cover the time back to `floor_ms` without a gap.
    """
    length_ms = THOROUGH_MS
    end_ms: int | None = None
    start_ms = now_ms - length_ms
    while start_ms > floor_ms:
        yield start_ms, end_ms
        end_ms = start_ms - 1
        length_ms *= 6
        start_ms = now_ms - length_ms
    yield floor_ms, end_ms
