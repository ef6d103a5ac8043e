"""Schedules the calls of one operation: a token bucket over numbered calls, with tickets and two lanes.

Tickets make the wait fair and requeues rare: a thousand waiting keys are requeued a few times each, not all for every
slot. A caller that is throttled again and again backs off on its own, and callers that failed queue behind those that
did not, so that one bad object cannot stop the others.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from math import expm1
from typing import Final

from controller.aws.limits.adaptive_rate import AdaptiveRate, Limit
from controller.aws.limits.line import Line, Ticket

_GRACE_S: Final = 10.0
"""How long a slot is kept for a caller that does not return in time (its object may be deleted); more where callers are
late anyway."""
_CATCH_UP: Final = 3.0
_CATCH_UP_S: Final = 1.0
"""Calls, or seconds of the rate if that is more, that are made up for at once when callers were late. AWS saves up some
calls, too, and refuses what goes beyond that."""
_USER_SHARE: Final = 0.5
"""Share of the burst that background calls leave untouched."""
_FAR_S: Final = 60.0
"""For longer waits, half the wait is returned: the rate may have changed when that has passed."""
_LEFT_OVER_S: Final = 30.0
"""Time over which it is averaged how much of the rate users leave to the background."""
_LEAST_LEFT: Final = 0.25
"""Share of the rate that waits in the background assume at least: users may stop at any time."""
_LATE_S: Final = 1.0
"""A caller this much later than its slot shows that callers are slow, not that the rate is."""
_ROUNDING: Final = 1e-6
"""Calls by which a slot may be missed: a caller that returns exactly on time must not wait a microsecond more."""
_EARLY_S: Final = 0.01
"""A user's call that comes so little before its slot is let go: sending it away costs more, and its reserved slot keeps
the rate."""
_OWN_AFTER: Final = 3
"""Refusals in a row from which a caller backs off on its own; two also happen while a rate is being found."""
_OWN_BASE_S: Final = 2.0
_OWN_CAP_S: Final = 60.0
"""Bounds of that back-off, before the jitter."""
_FORGET_S: Final = 900.0
"""How long a failed caller is remembered: longer than the longest pause between two attempts of one object."""


@dataclass(slots=True)
class _Failures:
    """The failures in a row of one caller; dropped when one of its calls is accepted."""

    refusals: int = 0
    """How often AWS throttled it."""
    accepted: int = 0
    """Calls of the operation that AWS had accepted when it was last throttled."""
    is_behind: bool = False
    """It queues behind the callers that did not fail."""
    not_before: float = float("-inf")
    """The end of its own back-off, monotonic seconds."""
    failed_at: float = float("-inf")


class TokenBucket:
    """The schedule of one operation (GCRA). Pure: every method gets `now`, which never decreases.

    The schedule counts calls, not seconds: its clock `_at` runs at the current rate, so a change of the rate moves
    all waiting callers, in their order. `_due` is when the schedule is level again; each admitted or promised
    call moves it by one, and a call may run ahead of it by the burst. Where callers are late the clock waits for them,
    but for the calls that may be made up for. Background calls have tickets of their own, behind the user's: they are
    admitted only while half of the burst is left, or when users leave their turns unused. Their clock counts the calls
    that users leave over, so each turn that a user takes moves all of them, too, in their order.
    Not thread-safe: `Budgets` locks. Source: ITU-T I.371 (GCRA).
    """

    def __init__(self, limit: Limit) -> None:
        self._burst = limit.burst
        self._rate = AdaptiveRate(limit)
        self._at = 0.0
        self._now = float("-inf")
        self._due = float("-inf")
        self._taken = 0.0
        """Turns that users have taken, or were promised."""
        self._taken_before = 0.0
        """The same when the clock was last advanced."""
        self._background_due = float("-inf")
        """Like `_due`, by the clock of the background."""
        self._left_over = limit.rate
        """Calls a second that users leave to the background, on average."""
        self._line = Line()
        self._background: dict[Hashable, Ticket] = {}
        self._is_short = False
        """Users waited for the last admitted call, and returned in time for it."""
        self._unused = 0.0
        """Turns that users have let pass, of those that may be made up for: background calls may have them."""
        self._was_unused = False
        """Whether a turn has passed since the last admitted call."""
        self._drop_at = float("-inf")
        self._failures: dict[Hashable, _Failures] = {}
        self._accepted = 0

    def __len__(self) -> int:
        """Number of tickets that wait for their slot."""
        return len(self._line) + len(self._background)

    @property
    def rate(self) -> float:
        """Return the current calls a second."""
        return self._rate.value

    def admit(self, caller: Hashable, *, background: bool, now: float) -> float:
        """Return the seconds to wait before `caller` may retry; 0: call now, it is charged.

        The wait is an estimate: a caller that returns early, because the rate has fallen or users were faster than the
        background, keeps its slot and gets the remaining wait. Waits of more than a minute are returned in parts.
        """
        self._advance(now)
        self._drop_abandoned(now)
        if backoff_s := self._backoff_left(caller):
            return backoff_s
        return self._admit_background(caller) if background or self._is_behind(caller) else self._admit_user(caller)

    def reserve(self, caller: Hashable, *, now: float) -> float:
        """Return the seconds before a user's call would be admitted, as `admit` does, but without charging it.

        `caller` has a place in the queue from now on, and keeps it until it calls. It may go ahead somewhat before its
        turn, as it will prepare its call.
        """
        self._advance(now)
        self._drop_abandoned(now)
        if backoff_s := self._backoff_left(caller):
            return backoff_s
        if self._is_behind(caller):
            return self._background_wait(caller)
        slot = self._user_slot(caller)
        calls, lead_s = slot - self._at, self._line.lead_s
        if calls > self._rate.value * (lead_s + _EARLY_S):
            return self._wait_in_line(caller, slot, calls, lead_s=lead_s)
        self._line.hold(caller, Ticket(slot, self._now + lead_s, granted_at=self._now))
        return 0.0

    def accepted(self, caller: Hashable) -> None:
        """Record that AWS accepted `caller`'s call."""
        self._accepted += 1
        self._failures.pop(caller, None)
        self._rate.accepted(is_short=self._is_short)

    def failed(self, caller: Hashable, *, is_answered: bool, now: float) -> None:
        """Record that `caller`'s call failed, though not for being one too many: it queues behind the others next time.

        `is_answered`: AWS refused the request as such, which says that the rate is not too high.
        """
        self._advance(now)
        failures = self._failures.setdefault(caller, _Failures())
        failures.is_behind, failures.failed_at = True, now
        if is_answered:
            self._rate.accepted(is_short=self._is_short)

    def refused(
        self,
        caller: Hashable,
        *,
        background: bool,
        sent_at: float,
        now: float,
        jitter: float = 1.0,
        retry_after_s: float = 0.0,
    ) -> float:
        """Record that AWS throttled `caller`'s call, sent at `sent_at`; returns the seconds until it may retry.

        It is first in the queue then, since it has waited already, and all others move back by one call. From the third
        refusal in a row it backs off on its own, `jitter` times 2 s and doubling, and others go ahead. If calls of
        others were accepted since its last refusal, it is not the rate that AWS refuses, and the rate stays.
        `retry_after_s` is the wait that AWS asked for.
        """
        self._advance(now)
        failures = self._failures.setdefault(caller, _Failures())
        failures.refusals += 1
        is_repeated = failures.refusals >= _OWN_AFTER
        is_alone = is_repeated and self._accepted > failures.accepted
        failures.accepted, failures.failed_at = self._accepted, now
        if not is_alone:
            self._slow_down(sent_at=sent_at, now=now)
        if is_repeated:
            own_s = min(_OWN_BASE_S * 2.0 ** min(failures.refusals - _OWN_AFTER, 16), _OWN_CAP_S) * jitter
            retry_after_s = max(retry_after_s, own_s)
        if retry_after_s > 0.0:
            failures.not_before = now + retry_after_s
            return retry_after_s
        if background:
            return self._wait_behind(caller, self._background_at + 1.0, 1.0)
        return self._wait_in_line(caller, self._at + 1.0, 1.0)

    def _slow_down(self, *, sent_at: float, now: float) -> None:
        """Lower the rate and move all waiting callers back by one call.

        At the lowest rate they stay where they are: callers that are refused for ever would keep them from their turn
        for ever, if they are as many as that rate allows.
        """
        was_lowest = self._rate.is_lowest
        self._rate.refused(sent_at=sent_at, now=now)
        if not was_lowest:
            # AWS's bucket is empty: callers whose turn came earlier than was computed must not go all at once.
            next_slot = self._line.next_slot(now)
            self._at = (self._at if next_slot is None else min(self._at, next_slot)) - 1.0
        # The burst is spent, whatever the estimate was: AWS's bucket is empty.
        self._due = max(self._due, self._at + self._ahead(1.0) + 1.0)
        self._is_short = False
        self._unused = 0.0

    def _is_behind(self, caller: Hashable) -> bool:
        failures = self._failures.get(caller)
        return failures is not None and failures.is_behind

    def _backoff_left(self, caller: Hashable) -> float:
        """Return the seconds until the end of the caller's own back-off; 0: it has none."""
        failures = self._failures.get(caller)
        left_s = failures.not_before - self._now if failures else 0.0
        return left_s if left_s > _ROUNDING else 0.0

    def _user_slot(self, caller: Hashable) -> float:
        """Return the slot of `caller`, a new one at the end of the queue if it has none.

        After a back-off of its own it is first: it has waited, and must not be overtaken by all that came meanwhile.
        """
        self._line.came(caller, self._now)
        ticket = self._line.get(caller)
        if ticket is not None:
            return ticket.slot
        failures = self._failures.get(caller)
        has_waited = failures is not None and failures.not_before > float("-inf")
        # While others wait, slots have no gaps: turns that pass unused would leave longer ones behind.
        self._due = max(self._due, self._at - (self._most_late() if self._line else 0.0))
        slot = self._due - self._ahead(1.0)
        if has_waited or not self._line:
            slot = self._at if has_waited else max(self._at, slot)
        self._due += 1.0
        self._taken += 1.0
        return slot

    def _admit_user(self, caller: Hashable) -> float:
        slot = self._user_slot(caller)
        ahead = slot - self._at
        if _ROUNDING < ahead <= 1.0 + self._rate.value * self._line.reach_s(_LATE_S):
            slot = self._line.exchange(caller, slot, due=self._at + _ROUNDING, now=self._now)
        calls = slot - self._at
        if calls > self._rate.value * _EARLY_S:
            return self._wait_in_line(caller, slot, calls)
        self._line.leave(caller)
        if not self._line:
            self._rate.was_unneeded()
        self._is_short = bool(self._line) and not self._was_unused and -calls <= _LATE_S * self._rate.value
        self._was_unused = False
        return 0.0

    def _admit_background(self, caller: Hashable) -> float:
        if wait_s := self._background_wait(caller):
            return wait_s
        self._background.pop(caller, None)
        if self._unused >= 1.0:
            self._unused -= 1.0
            return 0.0
        self._due = max(self._at, self._due) + 1.0
        return 0.0

    def _background_wait(self, caller: Hashable) -> float:
        """Return the seconds to wait in the lane behind the users', with a ticket; 0: none."""
        ticket, at = self._background.get(caller), self._background_at
        if ticket is None:
            slot = max(at, self._background_due)
            self._background_due = slot + 1.0
        else:
            slot = ticket.slot
        calls = max(slot - at, self._due - self._ahead(1.0 - _USER_SHARE) - self._at)
        if calls > _ROUNDING and self._unused < 1.0:
            return self._wait_behind(caller, slot, calls)
        self._background[caller] = Ticket(slot, self._now)
        return 0.0

    def _wait_in_line(self, caller: Hashable, slot: float, calls: float, *, lead_s: float = 0.0) -> float:
        """Reserve `slot` for a user that has to wait for `calls`; returns the seconds to wait."""
        wait_s = self._line.shortened(_in_parts(self._rate.seconds_for(calls)), lead_s=lead_s)
        self._line.hold(caller, Ticket(slot, self._now + wait_s))
        return wait_s

    def _wait_behind(self, caller: Hashable, slot: float, calls: float) -> float:
        """Reserve `slot` for a background call that has to wait for `calls`; returns the seconds to wait.

        Only the demand of users makes the rate grow, and they have what it grows by.
        """
        wait_s = _in_parts(calls / max(self._left_over, _LEAST_LEFT * self._rate.value))
        self._background[caller] = Ticket(slot, self._now + wait_s)
        return wait_s

    @property
    def _background_at(self) -> float:
        """The clock of the background."""
        return self._at - self._taken

    def _ahead(self, share: float) -> float:
        """Return how many calls may run ahead of the schedule: the first one is free, hence minus one."""
        return max(self._burst * share - 1.0, 0.0)

    def _advance(self, now: float) -> None:
        if self._now <= self._line.first_back_at < now:
            # Nobody has come since the first one should have: all may have been held up, and none is dropped yet.
            self._drop_at = max(self._drop_at, now + _GRACE_S)
        if now > self._now:
            if self._now > float("-inf"):
                self._average(now - self._now)
                self._at += (now - self._now) * self._rate.value
                self._let_turns_pass()
            self._now = now

    def _average(self, passed_s: float) -> None:
        """Average what users have left over of the last `passed_s` seconds."""
        left_over = max(self._rate.value - (self._taken - self._taken_before) / passed_s, 0.0)
        self._left_over += (left_over - self._left_over) * -expm1(-passed_s / _LEFT_OVER_S)
        self._taken_before = self._taken

    def _most_late(self) -> float:
        """Return how many calls may be made up for at once."""
        return max(_CATCH_UP, self._rate.value * _CATCH_UP_S)

    def _let_turns_pass(self) -> None:
        """Give up the turns that callers have not come for, beyond those that may be made up for."""
        most = int(self._most_late())
        slot = self._line.slot_at(most)
        if slot is not None and (unused := self._at - slot) > 0:
            self._at = slot
            self._unused = min(self._unused + unused, most)
            self._was_unused = True
            self._rate.was_unused(unused)

    def _drop_abandoned(self, now: float) -> None:
        if now < self._drop_at:
            return
        self._drop_at = now + _GRACE_S / 2.0
        dropped = self._line.drop(now, _GRACE_S)
        if dropped and (first := self._line.slot_at(0)) is not None:
            self._at = max(self._at, min(first, self._at + dropped))  # nobody else may wait for their turns
        for caller in [caller for caller, ticket in self._background.items() if ticket.back_at + _GRACE_S < now]:
            del self._background[caller]
        for caller in [each for each, failures in self._failures.items() if failures.failed_at + _FORGET_S < now]:
            del self._failures[caller]


def _in_parts(wait_s: float) -> float:
    """Return what to wait at first of a wait."""
    return max(_FAR_S, wait_s / 2) if wait_s > _FAR_S else wait_s
