"""A log whose lines arrive over time, a pause that moves the clock, and an AWS that answers from a script."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from controller.smlogs import subject as subjects
from controller.smlogs.events import LogEvent
from controller.smlogs.kinds import LogKind, find
from controller.smlogs.printing.lines import Lines
from controller.smlogs.printing.output import Output
from controller.smlogs.reading import milliseconds
from controller.smlogs.subject import Subject
from tests.fakes import FakeClock


def kind(name: str = "trainingjob") -> LogKind:
    """The kind that a command means."""
    found = find(name)
    assert found is not None
    return found


def event(time_ms: int, text: str = "", stream: str = "job/algo-1") -> LogEvent:
    """An event whose id is its text, by default its time."""
    return LogEvent(stream, text or str(time_ms), time_ms, text or str(time_ms))


def subject(status: str = "InProgress", **changes: Any) -> Subject:
    """A training job that exists at AWS."""
    obj = {
        "metadata": {"name": "job", "uid": "1"},
        "spec": {"region": "us-east-2"},
        "status": {"sageMakerTrainingJobName": "job", "trainingJobStatus": status},
    }
    return replace(subjects.of(kind(), obj), **changes)


@dataclass
class FakeLog:
    """A `Reader` of events that each become visible at a time; pages hold `page_size` events."""

    clock: FakeClock
    arrivals: list[tuple[int, LogEvent]] = field(default_factory=list)
    """(when it becomes visible in ms, event)"""
    page_size: int = 3
    requests: list[tuple[int, int | None]] = field(default_factory=list)

    def add(self, *events: LogEvent, at_ms: int = 0) -> None:
        """Events that become visible at a time, by default from the beginning."""
        self.arrivals += [(at_ms, each) for each in events]

    def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
        """See `Reader.pages`."""
        self.requests.append((start_ms, end_ms))
        now_ms = milliseconds(self.clock.utcnow())
        found = sorted(
            (
                each
                for at_ms, each in self.arrivals
                if at_ms <= now_ms and start_ms <= each.time_ms and (end_ms is None or each.time_ms <= end_ms)
            ),
            key=lambda each: each.time_ms,
        )
        for start in range(0, len(found), self.page_size):
            yield found[start : start + self.page_size]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does not lie: this is what is tested."""
        return True


def output(out: io.StringIO | None = None, err: io.StringIO | None = None) -> Output:
    """An output into memory that prints messages only."""
    lines = Lines(hide_stream=True, timestamps=False)
    return Output(out if out is not None else io.StringIO(), err if err is not None else io.StringIO(), lines)


def moving(clock: FakeClock) -> Callable[[float], None]:
    """A pause that takes no time and moves the clock."""
    return clock.advance
