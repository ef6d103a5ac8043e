"""Decides whether a source that announces changes may stand in for frequent sweeps: a pure state machine.

An accelerator (a queue of events, SageMaker's Search) is never the truth: it announces changes, and what the API
answers (sweeps, Describe) confirms them, or finds changes that nothing announced. It earns trust by announcements that
were confirmed, and loses it with the first change that it missed, with an announcement that the API does not confirm,
when it fails, and when nothing is heard from it any more. While it is trusted, sweeps may become a safety net; they go
on in any case, so an accelerator that is wrong costs time, never a change.

One instance per accelerator and target. Not thread-safe: what owns it locks. Every method gets `now` (monotonic).
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Reason: TypeAlias = Literal["new", "earned", "missed", "refuted", "failed", "silent"]
"""Why an accelerator is trusted (`earned`) or not (all others)."""
Outcome: TypeAlias = Literal["confirmed", "late", "missed", "refuted"]
"""What became of a change: announced and then confirmed, found first and announced within the grace period, found and
never announced, announced and never confirmed."""

_MOST_NEEDED: Final = 48


@dataclass(frozen=True, slots=True)
class ConfidenceSettings:
    """When an accelerator is trusted."""

    needed: int = 3
    """Announcements that must be confirmed in a row. Each loss of trust doubles it, so that trust does not flap."""
    grace_s: float = 15.0
    """How much later than the API an accelerator may show a change: near real time is no order."""
    confirm_s: float = 600.0
    """How long the API may take to show what was announced: sweeps are rare then, and Describe has a budget."""
    heard_s: float = 900.0
    """How long an accelerator may be silent."""
    forgive_s: float = 3600.0
    """Time without a loss of trust after which `needed` is what it was at first."""


@dataclass(frozen=True, slots=True)
class _Change:
    value: Hashable
    at: float


@dataclass(slots=True)
class Confidence:
    """What an accelerator announced, what the API showed, and whether the two agree."""

    settings: ConfidenceSettings = field(default_factory=ConfidenceSettings)
    is_engaged: bool = True
    """Whether the accelerator is expected to announce changes: one that is not there misses none."""
    counts: dict[Outcome, int] = field(
        default_factory=lambda: {"confirmed": 0, "late": 0, "missed": 0, "refuted": 0}, init=False
    )
    """Changes by outcome, since the start: for metrics."""
    lag_s: float = field(default=0.0, init=False)
    """Seconds by which the accelerator was later than the API with the last change; negative where it was earlier."""
    _announced: dict[Hashable, _Change] = field(default_factory=dict, init=False)
    """Not yet confirmed, the oldest first."""
    _unannounced: dict[Hashable, _Change] = field(default_factory=dict, init=False)
    """Found and still within the grace period, the oldest first."""
    _in_a_row: int = field(default=0, init=False)
    _losses: int = field(default=0, init=False)
    _lost_at: float = field(default=0.0, init=False)
    _lost_by: Reason = field(default="new", init=False)
    _heard_at: float | None = field(default=None, init=False)
    _is_failing: bool = field(default=False, init=False)

    # --- what the accelerator does

    def heard(self, *, now: float) -> None:
        """Record that the accelerator works: it answered or delivered, whatever it was."""
        self.is_engaged = True
        self._heard_at = now
        self._is_failing = False

    def failed(self) -> None:
        """Record that the accelerator does not work (denied, throttled, gone): no trust until it is heard again."""
        self.is_engaged = True
        self._is_failing = True

    def withdraw(self) -> None:
        """Forget everything but the counts: the accelerator was taken away, which is no fault of its own."""
        self.suspend()
        self.is_engaged = self._is_failing = False
        self._heard_at = None
        self._in_a_row, self._lost_by = 0, "new"

    def suspend(self) -> None:
        """Drop what is pending: the accelerator is not used for a while, and nothing is expected of it."""
        self._announced.clear()
        self._unannounced.clear()

    def announced(self, what: Hashable, value: Hashable, *, now: float) -> None:
        """Record that the accelerator shows `what` in state `value`, which was news to its caller."""
        self.heard(now=now)
        found = self._unannounced.pop(what, None)
        if found is not None and now - found.at > self.settings.grace_s:
            self._lose("missed", now)
        if found is not None and found.value == value:
            if now - found.at <= self.settings.grace_s:
                self._confirm("late", lag_s=now - found.at)
            return
        known = self._announced.get(what)
        if known is None or known.value != value:
            self._announced.pop(what, None)
            self._announced[what] = _Change(value, now)

    # --- what the API shows

    def observed(self, what: Hashable, value: Hashable, *, is_change: bool, now: float) -> None:
        """Record that the API shows `what` in state `value`, and whether it had shown another one before.

        Calls for what is neither a change nor announced are harmless and may be left out.
        """
        if not self.is_engaged:
            return
        announced = self._announced.get(what)
        if announced is not None and announced.value == value:
            del self._announced[what]
            if now - announced.at <= self.settings.confirm_s:
                self._confirm("confirmed", lag_s=announced.at - now)
            else:
                self._lose("refuted", now)
        elif is_change:
            # A state that is past by now may have been announced rightly; the one that is shown was not announced.
            self._announced.pop(what, None)
            self._unannounced.pop(what, None)
            self._unannounced[what] = _Change(value, now)

    def forget(self, what: Hashable) -> None:
        """Drop what is not followed any more; a change that was found before stays a miss unless it is announced."""
        self._announced.pop(what, None)

    @property
    def is_in_doubt(self) -> bool:
        """Whether a change was found that is not announced yet: the grace period decides whether it is a miss."""
        return bool(self._unannounced)

    def is_awaited(self, what: Hashable) -> bool:
        """Return whether a found change of this may still be announced, even if it is not followed any more."""
        return what in self._unannounced

    # --- the decision

    def is_trusted(self, *, now: float) -> bool:
        """Return whether sweeps may be rare. Takes note of deadlines that have passed."""
        self._expire(now)
        return self.reason(now=now) == "earned"

    def reason(self, *, now: float) -> Reason:
        """Return why the accelerator is trusted or not, as of the last call of `is_trusted`."""
        if self._is_failing:
            return "failed"
        if self._heard_at is not None and now - self._heard_at > self.settings.heard_s:
            return "silent"
        return "earned" if self._in_a_row >= self._needed(now) else self._lost_by

    def _needed(self, now: float) -> int:
        if self._losses and now - self._lost_at >= self.settings.forgive_s:
            self._losses = 0
        return max(min(self.settings.needed << min(self._losses, 16), _MOST_NEEDED), 1)

    def _expire(self, now: float) -> None:
        for _ in _overdue(self._unannounced, now - self.settings.grace_s):
            self._lose("missed", now)
        for _ in _overdue(self._announced, now - self.settings.confirm_s):
            self._lose("refuted", now)

    def _confirm(self, outcome: Literal["confirmed", "late"], *, lag_s: float) -> None:
        self.counts[outcome] += 1
        self.lag_s = lag_s
        self._in_a_row += 1

    def _lose(self, outcome: Literal["missed", "refuted"], now: float) -> None:
        self.counts[outcome] += 1
        if self._in_a_row >= self._needed(now):  # while it is not trusted, further misses are no further loss
            self._losses += 1
        self._in_a_row, self._lost_at, self._lost_by = 0, now, outcome


def _overdue(pending: dict[Hashable, _Change], before: float) -> list[Hashable]:
    """Remove and return what has been pending since `before`; the oldest is the first."""
    overdue = []
    for what, change in pending.items():
        if change.at >= before:
            break
        overdue.append(what)
    for what in overdue:
        del pending[what]
    return overdue
