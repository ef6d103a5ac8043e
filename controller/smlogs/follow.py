"""Prints lines as they come, until the job has ended and its last lines are out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controller.runtime.clock import Clock
from controller.smlogs.events import by_time
from controller.smlogs.output import Output
from controller.smlogs.patience import Pause
from controller.smlogs.reading import Progress, Reader, milliseconds
from controller.smlogs.subject import Subject

_LONG_AGO: Final = timedelta(minutes=1)
"""After this time, all lines of a job that has ended are at CloudWatch."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often to ask, in seconds."""

    poll_s: float = 0.5
    """After new lines: more are probably coming."""
    idle_s: float = 1.5
    """The longest pause, approached while nothing comes; a line must be out two seconds after it appeared."""
    thorough_s: float = 30.0
    """From one look for very late lines to the next."""
    look_s: float = 3.0
    """From one look at the Kubernetes object to the next."""
    settle_s: float = 5.0
    """Silence after the job's end that counts as the end of its log: instances send their last lines with a delay."""


class Pace:
    """The pause before the next poll. Pure."""

    def __init__(self, rhythm: Rhythm) -> None:
        self._rhythm = rhythm
        self._pause_s = rhythm.poll_s

    def next_s(self, *, came_lines: bool) -> float:
        """Seconds until the next poll."""
        grown_s = min(self._pause_s * 1.5, self._rhythm.idle_s)
        self._pause_s = self._rhythm.poll_s if came_lines else grown_s
        return self._pause_s


class Follower:
    """Follows one log. `look` tells what the Kubernetes object says now, None when it is gone."""

    def __init__(
        self,
        reader: Reader,
        look: Callable[[], Subject | None],
        output: Output,
        pause: Pause,
        clock: Clock,
        rhythm: Rhythm | None = None,
    ) -> None:
        self._reader = reader
        self._look = look
        self._output = output
        self._pause = pause
        self._clock = clock
        self._rhythm = rhythm or Rhythm()

    def run(self, subject: Subject, progress: Progress) -> Subject | None:
        """Print new lines until the end, which is returned as the object showed it last (None: it was deleted).

        Raises what polls and looks raise, and BrokenPipeError when nobody reads any more.
        """
        rhythm, pace = self._rhythm, Pace(self._rhythm)
        latest: Subject | None = subject
        now_s = looked_s = thorough_s = self._clock.monotonic()
        quiet_since_s = now_s - rhythm.settle_s if self._ended_long_ago(subject) else None
        while True:
            self._output.check_reader()
            is_thorough = now_s - thorough_s >= rhythm.thorough_s
            thorough_s = now_s if is_thorough else thorough_s
            came_lines = self._poll(progress, is_thorough=is_thorough)
            if latest is None or latest.has_ended:
                quiet_since_s = now_s if came_lines or quiet_since_s is None else quiet_since_s
                if now_s - quiet_since_s >= rhythm.settle_s:
                    self._poll(progress, is_thorough=True)
                    return latest
            elif now_s - looked_s >= rhythm.look_s:
                latest, looked_s = self._same(latest), now_s
            self._tell(latest)
            self._pause(pace.next_s(came_lines=came_lines))
            now_s = self._clock.monotonic()

    def _poll(self, progress: Progress, *, is_thorough: bool) -> bool:
        """Print what is new; returns whether anything was."""
        start_ms = progress.window.start_ms(now_ms=milliseconds(self._clock.utcnow()), is_thorough=is_thorough)
        fresh = by_time(event for page in self._reader.pages(start_ms) for event in progress.seen.new(page))
        progress.window.saw(fresh)
        if is_thorough:
            progress.seen.forget_before(progress.window.floor_ms)
        self._output.show(fresh)
        return bool(fresh)

    def _same(self, before: Subject) -> Subject | None:
        """The object now; another one under the same name means that the one that is followed is gone."""
        now = self._look()
        return now if now is not None and now.uid == before.uid else None

    def _ended_long_ago(self, subject: Subject) -> bool:
        return (
            subject.has_ended and subject.ended_at is not None and self._clock.utcnow() - subject.ended_at > _LONG_AGO
        )

    def _tell(self, subject: Subject | None) -> None:
        if subject is None or subject.has_ended:
            self._output.status("the job has ended; waiting for its last lines")
        else:
            states = "/".join(filter(None, (subject.status, subject.secondary)))
            self._output.status(f"{subject.object_name}: {states}, {self._output.printed} lines so far")
