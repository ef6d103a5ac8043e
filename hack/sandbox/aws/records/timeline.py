"""A life-cycle as data: the steps of a resource and their times. Its state depends on timeline and time only.

No thread advances a job: its timeline is computed at creation, recomputed when it is stopped, and read on demand. So a
test that skips an hour observes the state after an hour, with all transitions.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

TERMINAL = frozenset({"Completed", "Succeeded", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Durations:
    """How long the stages of a job or an endpoint take, in seconds of the sandbox's clock."""

    starting_s: float = 1.0
    downloading_s: float = 1.0
    training_s: float = 3.0
    uploading_s: float = 1.0
    stopping_s: float = 1.5  # AWS allows two minutes between SIGTERM and SIGKILL
    interrupted_s: float = 1.0
    rules_s: float = 2.0  # debugger rules run for this long after their job has ended
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
        """Return whether this is the last step."""
        return self.status in TERMINAL


S = TypeVar("S", bound=Step)


@dataclass(
    frozen=True
)  # no slots: typing sets an attribute on instances of a generic alias, and must get the right error
class Timeline(Generic[S]):
    """The steps of one resource, ascending in time, the first at its creation; nothing happens after the last."""

    steps: tuple[S, ...]

    @property
    def end(self) -> S:
        """Return the last step."""
        return self.steps[-1]

    def reached(self, now: float) -> tuple[S, ...]:
        """Return the steps taken by `now`; at least the first, so that a clock that jumps back breaks nothing."""
        return self.steps[: max(1, bisect_right(self.steps, now, key=lambda step: step.at))]

    def at(self, now: float) -> S:
        """Return the current step at `now`."""
        return self.steps[max(0, bisect_right(self.steps, now, key=lambda step: step.at) - 1)]

    def cut(self, at: float, *tail: S) -> "Timeline[S]":
        """Return this timeline up to `at`, followed by `tail`."""
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
