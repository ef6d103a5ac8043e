"""Log events in order and without repetition. Pure: what pages there are, and when to read them, is decided elsewhere.

CloudWatch sorts what one request finds by time (API reference, FilterLogEvents); other servers of that API sort by
stream, and what arrives late comes out of order from all of them. Times are milliseconds since the epoch.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

RECENT_MS: Final = 30_000
"""How far each poll looks back behind the newest line: instances send their lines every few seconds."""
THOROUGH_MS: Final = 600_000
"""How far the occasional thorough poll looks back: for the lines of an instance that was cut off for minutes."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One line, or what was written at once, of one instance."""

    stream: str
    event_id: str
    time_ms: int
    message: str


class Seen:
    """Remembers which events were there already, as long as they may be met again. Not thread-safe."""

    def __init__(self) -> None:
        self._time_of: dict[tuple[str, str], int] = {}

    def new(self, events: Iterable[LogEvent]) -> list[LogEvent]:
        """Those of `events` that were never given before, each once, in their order."""
        fresh = []
        for event in events:
            key = (event.stream, event.event_id)
            if key not in self._time_of:
                self._time_of[key] = event.time_ms
                fresh.append(event)
        return fresh

    def forget_before(self, time_ms: int) -> None:
        """Drop what is older: nobody will ask for that time again."""
        self._time_of = {key: at for key, at in self._time_of.items() if at >= time_ms}

    def __len__(self) -> int:
        return len(self._time_of)


class Window:
    """From when on to read again, so that late lines are found. Its start only ever moves forward.

    The newest line's time anchors it, unless this machine's clock is behind that: one line from the future must not
    hide those of the present.
    """

    def __init__(self, floor_ms: int = 0) -> None:
        self.floor_ms = floor_ms
        """Nothing before this is ever read again."""
        self._newest_ms: int | None = None

    def saw(self, events: Iterable[LogEvent]) -> None:
        """Take notice of events that were read."""
        times = [event.time_ms for event in events]
        if times:
            self._newest_ms = max(times) if self._newest_ms is None else max(self._newest_ms, *times)

    def start_ms(self, *, now_ms: int, is_thorough: bool) -> int:
        """Where the next poll begins; moves the floor."""
        if self._newest_ms is None:
            return self.floor_ms
        anchor_ms = min(self._newest_ms, now_ms)
        self.floor_ms = max(self.floor_ms, anchor_ms - THOROUGH_MS)
        return max(self.floor_ms, anchor_ms - (THOROUGH_MS if is_thorough else RECENT_MS))


def by_time(events: Iterable[LogEvent]) -> list[LogEvent]:
    """Oldest first; equal times keep their order, which is that of writing."""
    return sorted(events, key=lambda event: event.time_ms)


def in_order(pages: Iterable[list[LogEvent]]) -> Iterator[list[LogEvent]]:
    """The pages of one request as batches in order of time, also where neighbouring pages overlap.

    Holds back about one page: what is given out is not newer than the oldest event of the latest page.
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
    """The last `count` events of batches, holding no more than those."""
    kept: deque[LogEvent] = deque(maxlen=count)
    for batch in batches:
        kept.extend(batch)
    return list(kept)


def tail_spans(now_ms: int, floor_ms: int) -> Iterator[tuple[int, int | None]]:
    """Time spans to search for the last lines, from the latest backwards: (start, end), end None for "open".

    Each is six times as long as the one before, so that the last lines of a long log cost few pages, and those of an
    old log few requests. Both bounds belong to a span: no two share a millisecond, or its lines would come twice, and
    together they reach back to `floor_ms` without a gap.
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
