"""Who may call one operation, and when: a token bucket as a schedule of numbered calls, with tickets and two lanes.

Tickets make the wait fair and the requeues few: a thousand waiting keys come back a few times each, not all at every
slot.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from controller.aws.limits.adaptive_rate import Limit, Rate

_GRACE_S: Final = 30.0
"""How long a slot is kept for a caller that does not come back when it should (its object is gone)."""
_USER_SHARE: Final = 0.5
"""Share of the burst that background calls leave untouched."""
_FAR_S: Final = 60.0
"""Longer waits are told by halves: the rate may have changed when half of it has passed."""
_LATE_S: Final = 1.0
"""A caller that comes so much later than its slot shows that callers are slow, not that the rate is."""
_ROUNDING: Final = 1e-6
"""Calls by which a slot may be missed: who comes exactly when told must not be told a microsecond."""


@dataclass(slots=True)
class _Ticket:
    slot: float
    back_at: float
    """When its holder was told to come back, monotonic seconds."""


class Bucket:
    """The schedule of one operation (GCRA). Pure: every method gets `now`, which never decreases.

    The schedule counts calls, not seconds: its clock `_at` runs at the rate of the moment, so a change of the rate
    moves everybody who waits, in their order. `_due` is when the schedule is level again; each admitted or promised
    call moves it by one, and a call may run ahead of it by the burst. Background calls have tickets of their own,
    behind the user's: they are admitted only while half of the burst is left.
    Not thread-safe: `Budgets` locks. Source: ITU-T I.371 (GCRA).
    """

    def __init__(self, limit: Limit) -> None:
        self._burst = limit.burst
        self._rate = Rate(limit)
        self._at = 0.0
        self._now = float("-inf")
        self._due = float("-inf")
        self._background_due = float("-inf")
        self._users: dict[Hashable, _Ticket] = {}
        self._background: dict[Hashable, _Ticket] = {}
        self._is_short = False
        """Users waited for the last admitted call, and came in time for it."""
        self._drop_at = float("-inf")

    def __len__(self) -> int:
        """Tickets that wait for their slot."""
        return len(self._users) + len(self._background)

    @property
    def rate(self) -> float:
        """Calls a second at present."""
        return self._rate.value

    def admit(self, caller: Hashable, *, background: bool, now: float) -> float:
        """Seconds to wait before `caller` may try again; 0 means: go now, the call is charged.

        The wait is an estimate: who comes back too early, because the rate has fallen or users were faster than the
        background, keeps the place and is told the rest. Waits of more than a minute are told in parts.
        """
        self._advance(now)
        self._drop_abandoned(now)
        return self._admit_background(caller) if background else self._admit_user(caller)

    def turn(self, caller: Hashable, *, now: float) -> float:
        """Seconds to wait before a user's call would be admitted, as `admit` tells, but without charging it.

        `caller` has a place in the line from now on, and keeps it until it calls.
        """
        self._advance(now)
        self._drop_abandoned(now)
        slot = self._user_slot(caller)
        calls = slot - self._at
        if calls > _ROUNDING:
            return self._tell(self._users, caller, slot, calls)
        self._users[caller] = _Ticket(slot, self._now)
        return 0.0

    def accepted(self) -> None:
        """AWS took a call."""
        self._rate.accepted(is_short=self._is_short)

    def refused(self, caller: Hashable, *, background: bool, sent_at: float, now: float) -> float:
        """AWS refused the call of `caller`, sent at `sent_at`, for being too many. Seconds until it may try again.

        Its place is the first: it has waited its turn. Everybody else moves back by one call.
        """
        self._advance(now)
        self._rate.refused(sent_at=sent_at, now=now)
        self._at = min(self._at, self._next_slot()) - 1.0
        # The burst is spent, whatever we believed: AWS's bucket is empty.
        self._due = max(self._due, self._at + self._ahead(1.0) + 1.0)
        self._is_short = False
        lane = self._background if background else self._users
        return self._tell(lane, caller, self._at + 1.0, 1.0)

    def _next_slot(self) -> float:
        """The earliest slot that will be used.

        It may be past where the rate grew after its holder was told: such slots must not be used all at once when AWS's
        bucket is empty.
        """
        slots = (ticket.slot for ticket in self._users.values() if ticket.back_at >= self._now)
        return min(slots, default=self._at)

    def _user_slot(self, caller: Hashable) -> float:
        """The slot of `caller`, a new one at the end of the line where it has none."""
        ticket = self._users.get(caller)
        if ticket is not None:
            return ticket.slot
        slot = max(self._at, self._due - self._ahead(1.0))
        self._due = max(self._at, self._due) + 1.0
        return slot

    def _admit_user(self, caller: Hashable) -> float:
        slot = self._user_slot(caller)
        calls = slot - self._at
        if calls > _ROUNDING:
            return self._tell(self._users, caller, slot, calls)
        self._users.pop(caller, None)
        self._is_short = bool(self._users) and -calls <= _LATE_S * self._rate.value
        return 0.0

    def _admit_background(self, caller: Hashable) -> float:
        ticket = self._background.get(caller)
        if ticket is None:
            slot = max(self._at, self._background_due)
            self._background_due = slot + 1.0
        else:
            slot = ticket.slot
        calls = max(slot, self._due - self._ahead(1.0 - _USER_SHARE)) - self._at
        if calls > _ROUNDING:
            return self._tell(self._background, caller, slot, calls)
        self._background.pop(caller, None)
        self._due = max(self._at, self._due) + 1.0
        return 0.0

    def _tell(self, lane: dict[Hashable, _Ticket], caller: Hashable, slot: float, calls: float) -> float:
        """Keep `slot` for `caller`, who has to wait for so many calls; the seconds to tell."""
        wait_s = self._rate.seconds_for(calls)
        if wait_s > _FAR_S:
            wait_s = max(_FAR_S, wait_s / 2)
        lane[caller] = _Ticket(slot, self._now + wait_s)
        return wait_s

    def _ahead(self, share: float) -> float:
        """Calls that may run ahead of the schedule: the first one costs nothing, hence minus one."""
        return max(self._burst * share - 1.0, 0.0)

    def _advance(self, now: float) -> None:
        if now > self._now:
            if self._now > float("-inf"):
                self._at += (now - self._now) * self._rate.value
            self._now = now

    def _drop_abandoned(self, now: float) -> None:
        if now < self._drop_at:
            return
        self._drop_at = now + _GRACE_S
        for lane in (self._users, self._background):
            for caller in [caller for caller, ticket in lane.items() if ticket.back_at + _GRACE_S < now]:
                del lane[caller]
