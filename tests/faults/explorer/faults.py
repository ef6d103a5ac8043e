"""Faults that strike one effect of a pass: its answer is lost, or the process dies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from controller.aws.errors import AwsError
from controller.kube.errors import ConnectionFailed
from controller.reconcile.effects import Effect
from controller.runtime.errors import ErrorClass
from tests.fakes.crashes import Crash

AT_AWS: Final = frozenset(
    {Effect.CREATE, Effect.STOP, Effect.TAG, Effect.UPDATE, Effect.DELETE, Effect.REGISTER, Effect.DEREGISTER}
)
"""Effects at AWS; the others are the API server's."""
_IGNORED: Final = frozenset({Effect.EMIT_EVENT, Effect.REQUIRE_CURRENT})
"""Nothing depends on an Event, and nothing changes by a check."""


class Fault(Enum):
    """What happens to an effect."""

    LOST_BEFORE = "fails without an answer, and without effect"
    LOST_AFTER = "takes effect, and its answer is lost"
    CRASH_AFTER = "takes effect, and the process dies"


@dataclass(slots=True)
class FaultHook:
    """`EffectHook` that counts the effects of a pass and lets one of them fail."""

    seen: list[Effect] = field(default_factory=list)
    at: int | None = None
    fault: Fault = Fault.LOST_BEFORE

    def plan(self, at: int | None = None, fault: Fault = Fault.LOST_BEFORE) -> None:
        """Begin to count; the effect number `at`, from 0, is struck."""
        self.seen.clear()
        self.at, self.fault = at, fault

    def before(self, effect: Effect) -> None:
        """See `EffectHook.before`."""
        if effect in _IGNORED:
            return
        self.seen.append(effect)
        if self.fault is Fault.LOST_BEFORE:
            self._strike(effect)

    def after(self, effect: Effect) -> None:
        """See `EffectHook.after`."""
        if effect not in _IGNORED and self.fault is not Fault.LOST_BEFORE:
            self._strike(effect)

    def _strike(self, effect: Effect) -> None:
        if self.at is None or len(self.seen) - 1 != self.at:
            return
        self.at = None
        if self.fault is Fault.CRASH_AFTER:
            raise Crash(effect)
        if effect in AT_AWS:
            raise AwsError(ErrorClass.RETRYABLE, "ConnectionBroken", "connection reset by peer", ambiguous=True)
        raise ConnectionFailed("RequestTimeout", "no reply")


def struck(hook: FaultHook, make_pass: Callable[[], None], at: int, fault: Fault) -> None:
    """Make a pass of which the effect number `at` is struck; a process that dies is the caller's."""
    hook.plan(at, fault)
    try:
        make_pass()
    finally:
        hook.plan()
