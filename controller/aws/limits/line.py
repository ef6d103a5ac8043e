"""The users' line: who waits for which slot, and how late callers come.

A caller is woken by a timer, and then waits for a worker and for the processor. On a busy machine that takes seconds,
in which a slot of AWS's would be lost: so waits are shortened by how late callers come, and one that is here before its
turn has the turn of one that is late. They change places, so that each is about as far from its turn as before.
"""

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from math import inf
from typing import Final

_WEIGHT: Final = 0.1
"""Share of the last caller in the average lateness: that of about ten callers."""
_MOST_LATE_S: Final = 10.0
"""More than that is no matter of load, or for a moment only."""
_MADE_UP_S: Final = 0.3
"""Callers that are late by no more lose no turn: the bucket makes up for that at once. With shorter waits, each of them
would come early and be sent away again."""
_LEAST_SHARE: Final = 0.25
"""Share of a wait that is left at least: who is early for all that is not sent away many times."""
_LOOKED_AT: Final = 16
"""Slots at the front of the line among which a late caller is looked for."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the line."""

    slot: float
    back_at: float
    """When its holder's wait ends, monotonic seconds."""
    granted_at: float | None = None
    """When its holder was let go to prepare its call; None: it waits."""
    number: int = 0
    """Orders tickets of one slot."""


class Line:
    """The tickets of one operation's users, by slot. Pure: every method gets the time. Not thread-safe."""

    def __init__(self) -> None:
        self._tickets: dict[Hashable, Ticket] = {}
        self._order: list[tuple[float, int, Hashable]] = []
        """Slot and number of each ticket, and its holder; ascending."""
        self._numbers = count()
        self._late_s = 0.0
        self.lead_s = 0.0
        """Seconds that callers need on average to prepare their calls."""

    def __len__(self) -> int:
        return len(self._tickets)

    def get(self, caller: Hashable) -> Ticket | None:
        """Return the ticket of a caller."""
        return self._tickets.get(caller)

    def hold(self, caller: Hashable, ticket: Ticket) -> None:
        """Give a caller this ticket, in place of the one that it has."""
        self.leave(caller)
        ticket = replace(ticket, number=next(self._numbers))
        self._tickets[caller] = ticket
        insort(self._order, (ticket.slot, ticket.number, caller))

    def leave(self, caller: Hashable) -> None:
        """Take a caller out of the line. Idempotent."""
        ticket = self._tickets.pop(caller, None)
        if ticket is not None:
            del self._order[bisect_left(self._order, (ticket.slot, ticket.number))]

    @property
    def first_back_at(self) -> float:
        """Return when the wait of the first one in the line ends; never if there is none."""
        return self._tickets[self._order[0][2]].back_at if self._order else inf

    def slot_at(self, position: int) -> float | None:
        """Return the slot at a position from the front; None if the line is shorter."""
        return self._order[position][0] if position < len(self._order) else None

    def next_slot(self, now: float) -> float | None:
        """Return the first slot of those that callers are not late for; None if there is none."""
        return next((slot for slot, _, caller in self._order if self._tickets[caller].back_at >= now), None)

    def came(self, caller: Hashable, now: float) -> None:
        """Note how late a caller comes, or how long it has prepared its call."""
        ticket = self._tickets.get(caller)
        if ticket is None:
            return
        if ticket.granted_at is not None:
            self.lead_s += _WEIGHT * (min(now - ticket.granted_at, _MOST_LATE_S) - self.lead_s)
        elif now >= ticket.back_at:
            self._late_s += _WEIGHT * (min(now - ticket.back_at, _MOST_LATE_S) - self._late_s)

    def shortened(self, wait_s: float, *, lead_s: float = 0.0) -> float:
        """Return what to wait for a turn in `wait_s`, so that callers come in time on average."""
        late_s = max(self._late_s - _MADE_UP_S, 0.0)
        return max(wait_s - late_s - lead_s, _LEAST_SHARE * wait_s)

    def reach_s(self, least_s: float) -> float:
        """Return how long before its turn a caller may have that of one that is late."""
        return max(self._late_s, least_s)

    def exchange(self, caller: Hashable, slot: float, *, due: float, now: float) -> float:
        """Return a slot, due by `due`, of a caller that is late, which gets `slot` for it; `slot` if nobody is."""
        if caller in self._tickets:
            for first, other in self._first_until(due):
                ticket = self._tickets[other]
                if ticket.back_at < now:
                    self.hold(other, replace(ticket, slot=slot))
                    return first
        return slot

    def _first_until(self, due: float) -> Iterator[tuple[float, Hashable]]:
        for slot, _, caller in islice(self._order, _LOOKED_AT):
            if slot > due:
                return
            yield slot, caller

    def drop(self, now: float, grace_s: float) -> int:
        """Forget callers that do not come any more, because their objects are gone; return how many."""
        since = now - grace_s - 3.0 * self._late_s
        gone = [caller for caller, ticket in self._tickets.items() if ticket.back_at < since]
        for caller in gone:
            self.leave(caller)
        return len(gone)
