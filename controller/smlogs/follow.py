"""Finds new lines until the job has ended and its last lines were found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from controller.runtime.clock import Clock
from controller.smlogs.events import LogEvent, by_time
from controller.smlogs.patience import Pause
from controller.smlogs.reading import Progress, Reader, milliseconds
from controller.smlogs.subject import Subject

_LONG_AGO: Final = timedelta(minutes=1)
"""After this time, CloudWatch has all lines of a finished job."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Polling intervals, in seconds."""

    poll_s: float = 0.5
    """After new lines: more will probably follow."""
    idle_s: float = 1.5
    """The longest pause, approached while there are no lines; a line must be printed within two seconds."""
    thorough_s: float = 30.0
    """Between polls for very late lines."""
    look_s: float = 3.0
    """Between look-ups of the Kubernetes object."""
    settle_s: float = 5.0
    """Silence after the job's end that ends its log: instances send their last lines with a delay."""


class Pace:
    """Computes the pause before the next poll. Pure."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._rhythm = rhythm
        self._pause_s = rhythm.poll_s

    def next_s(self, *, came_lines: bool) -> float:
        """Return the seconds until the next poll."""
        grown_s = min(self._pause_s * 1.5, self._rhythm.idle_s)
        self._pause_s = self._rhythm.poll_s if came_lines else grown_s
        return self._pause_s


class Audience(Protocol):
    """The receiver of the lines, as far as following needs it; see `Output`."""

    @property
    def printed(self) -> int:
        """Return how many lines it got."""
        ...

    def check_reader(self) -> None:
        """Raise the exception that ends following if nothing reads any more."""
        ...

    def status(self, words: str) -> None:
        """Show what is followed."""
        ...


class Follower:
    """Follows one log. `look` returns the current Kubernetes object, None if it was deleted."""

    def __init__(
        self,
        reader: Reader,
        look: Callable[[], Subject | None],
        audience: Audience,
        pause: Pause,
        clock: Clock,
        rhythm: Rhythm | None = None,
    ) -> None:
        self.latest: Subject | None = None
        """The last observed object (None: it was deleted), once `batches` has ended."""
        self._reader = reader
        self._look = look
        self._audience = audience
        self._pause = pause
        self._clock = clock
        self._rhythm = rhythm or Rhythm()

    def batches(self, subject: Subject, progress: Progress) -> Iterator[list[LogEvent]]:
        """Yield new lines until the job has ended. Raises the errors of polls, look-ups and the audience."""
        rhythm, pace = self._rhythm, Pace(self._rhythm)
        self.latest = subject
        now_s = looked_s = thorough_s = self._clock.monotonic()
        quiet_since_s = now_s - rhythm.settle_s if self._ended_long_ago(subject) else None
        while True:
            self._audience.check_reader()
            is_thorough = now_s - thorough_s >= rhythm.thorough_s
            thorough_s = now_s if is_thorough else thorough_s
            fresh = self._poll(progress, is_thorough=is_thorough)
            if fresh:
                yield fresh
            if self.latest is None or self.latest.has_ended:
                quiet_since_s = now_s if fresh or quiet_since_s is None else quiet_since_s
                if now_s - quiet_since_s >= rhythm.settle_s:
                    if last := self._poll(progress, is_thorough=True):
                        yield last
                    return
            elif now_s - looked_s >= rhythm.look_s:
                self.latest, looked_s = self._same(self.latest), now_s
            self._tell(self.latest)
            self._pause(pace.next_s(came_lines=bool(fresh)))
            now_s = self._clock.monotonic()

    def _poll(self, progress: Progress, *, is_thorough: bool) -> list[LogEvent]:
        """Return new lines."""
        start_ms = progress.window.start_ms(now_ms=milliseconds(self._clock.utcnow()), is_thorough=is_thorough)
        fresh = by_time(event for page in self._reader.pages(start_ms) for event in progress.seen.new(page))
        progress.window.saw(fresh)
        if is_thorough:
            progress.seen.forget_before(progress.window.floor_ms)
        return fresh

    def _same(self, before: Subject) -> Subject | None:
        """Return the current object; None if another one has its name, since the followed one was deleted."""
        now = self._look()
        return now if now is not None and now.uid == before.uid else None

    def _ended_long_ago(self, subject: Subject) -> bool:
        return (
            subject.has_ended and subject.ended_at is not None and self._clock.utcnow() - subject.ended_at > _LONG_AGO
        )

    def _tell(self, subject: Subject | None) -> None:
        if subject is None or subject.has_ended:
            self._audience.status("the job has ended; waiting for its last lines")
        else:
            states = "/".join(filter(None, (subject.status, subject.secondary)))
            self._audience.status(f"{subject.object_name}: {states}, {self._audience.printed} lines so far")
