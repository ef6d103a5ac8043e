"""A life as data: the steps something will take and when. What it shows depends on its timeline and the time only.

No thread moves a job on: its course is drawn up when it is created, redrawn when it is stopped, and read whenever
somebody asks. So a test that skips an hour sees what an hour later would have shown, transition by transition.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the stages of a job or an endpoint take, in seconds of the sandbox's clock."""

    starting_s: float = 1.0
    downloading_s: float = 1.0
    training_s: float = 3.0
    uploading_s: float = 1.0
    stopping_s: float = 1.5  # AWS allows two minutes between SIGTERM and SIGKILL
    interrupted_s: float = 1.0
    rules_s: float = 2.0  # debugger rules go on for this long after their job has ended
    transform_s: float = 3.0
    processing_s: float = 3.0
    creating_s: float = 4.0  # an endpoint, at AWS some minutes
    updating_s: float = 4.0
    rolling_back_s: float = 2.0
    deleting_s: float = 1.5

    def scaled(self, factor: float) -> "Durations":
        """Return all durations multiplied by `factor`."""
        return Durations(*(getattr(self, name) * factor for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Step:
    """One transition: from `at` (epoch seconds) on the job shows these values."""

    at: float
    status: str
    secondary: str
    message: str
    failure: str = ""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows."""
        return self.status in TERMINAL


S = TypeVar("S", bound=Step)


@dataclass(
    frozen=True
)  # no slots: typing sets an attribute on what a generic alias makes, and must be refused properly
class Timeline(Generic[S]):
    """The steps of one thing, ascending in time, the first at its creation; nothing happens after the last."""

    steps: tuple[S, ...]

    @property
    def end(self) -> S:
        """The last step."""
        return self.steps[-1]

    def reached(self, now: float) -> tuple[S, ...]:
        """Return the steps taken by `now`; at least the first, so that a clock that jumps back breaks nothing."""
        return self.steps[: max(1, bisect_right(self.steps, now, key=lambda step: step.at))]

    def at(self, now: float) -> S:
        """Return the step that is shown at `now`."""
        return self.steps[max(0, bisect_right(self.steps, now, key=lambda step: step.at) - 1)]

    def cut(self, at: float, *tail: S) -> "Timeline[S]":
        """Return the timeline that is this one up to `at` and `tail` from then on."""
        return replace(self, steps=(*(step for step in self.steps if step.at <= at), *tail))

    def first(self, secondary: str, now: float) -> float | None:
        """Return when the first step with this `secondary` began, or None if none has by `now`."""
        return next((step.at for step in self.reached(now) if step.secondary == secondary), None)

    def spent(self, secondaries: frozenset[str], now: float) -> float:
        """Return the seconds spent in any of `secondaries` up to `now`."""
        taken = self.reached(now)
        ends = [step.at for step in taken[1:]] + [now]
        return sum(
            max(0.0, end - step.at) for step, end in zip(taken, ends, strict=True) if step.secondary in secondaries
        )


Course: TypeAlias = Timeline[Step]
"""The timeline of a job: its last step is terminal."""
