"""Counts the effects of the operator, and makes its process die before or after one of them."""

from dataclasses import dataclass, field

from controller.reconcile.effects import Effect
from tests.fakes.clock import FakeClock


class Crash(BaseException):
    """The process dies: nothing catches it."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """A place in a run at which the process can die: before or after its n-th effect."""

    n: int
    after: bool
    effect: Effect

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} effect {self.n}, {self.effect.name}"


@dataclass(slots=True)
class CrashHook:
    """Counts effects and dies before or after the n-th."""

    clock: FakeClock
    at: int | None = None
    after: bool = False
    seen: list[Effect] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When each of `seen` began."""
    done: list[int] = field(default_factory=list)
    """Numbers of the effects that happened."""

    def points(self, *, besides: frozenset[Effect] = frozenset()) -> list[CrashPoint]:
        """Return where the run so far could have died: before each effect, and after those that happened.

        Memory is lost either way, so dying before an effect is the same as dying after the one before it, unless time
        has passed in between, and users or SageMaker have done something: that is counted once.
        """
        found, done_at = [], None
        for n, (effect, time) in enumerate(zip(self.seen, self.times, strict=True), 1):
            if effect in besides:
                continue
            if time != done_at:
                found.append(CrashPoint(n, False, effect))
            done_at = time if n in self.done else None
            if n in self.done:
                found.append(CrashPoint(n, True, effect))
        assert found, "no effect, so there is nothing to interrupt"
        return found

    def die_at(self, point: CrashPoint) -> None:
        """Die at this point."""
        self.at, self.after = point.n, point.after

    def before(self, effect: Effect) -> None:
        """See `EffectHook.before`."""
        self.seen.append(effect)
        self.times.append(self.clock.monotonic())
        if not self.after and len(self.seen) == self.at:
            raise Crash(effect)

    def after_(self, effect: Effect) -> None:
        """Dies after the effect."""
        self.done.append(len(self.seen))
        if self.after and len(self.seen) == self.at:
            raise Crash(effect)


class CrashingHook:
    """Adapter: a dataclass field named `after` hides the method of that name."""

    def __init__(self, crash: CrashHook) -> None:
        self.before = crash.before
        self.after = crash.after_
