"""How fast AWS lets us call one operation: a guess that probes upwards, as TCP probes a path whose width nobody tells.

AWS publishes few of its API quotas, and accounts have them raised. So the rate starts low, doubles every few seconds
while callers wait and nothing is refused (slow start), falls when AWS refuses a call, and from then on creeps around
what was found (additive increase, multiplicative decrease: RFC 5681). Where a quota is known, it is the ceiling.
"""

from dataclasses import dataclass
from math import log, log2
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """What is assumed of an operation: `rate` calls a second to begin with, `burst` at once after a quiet time."""

    rate: float
    burst: float
    ceiling: float = 0.0
    """Calls a second that are never exceeded, whatever AWS would allow; less than `rate` means: `rate` is the quota."""

    @property
    def most(self) -> float:
        """The fastest that the operation is ever called, on average."""
        return max(self.rate, self.ceiling)


DOUBLING_S: Final = 3.0
"""Seconds of unmet demand in which slow start doubles the rate: some answers of AWS come in between, at any rate."""
_CREEP_PER_CALL: Final = 0.005
_CREEP_PER_S: Final = 0.01
_CREEP_AT_LEAST_PER_S: Final = 0.002
"""Share of the found rate that is gained back, per accepted call or per second, whichever is slower. A refusal costs
thirty per cent: so there are sixty calls between two refusals at least, and half a minute where calls are frequent and
several are under way when the first of them is refused. Where calls are rare, five minutes must do."""
_DECREASE: Final = 0.7
_DECREASE_FROM_SLOW_START: Final = 0.5
"""Slow start may be twice as fast as AWS allows before the first refusal comes back; creeping is a little too fast."""
_OUTDATED: Final = 1.3
"""So many times faster than what was refused once, without a refusal: the quota has changed, start over."""
_FLOOR: Final = 0.05
"""Share of the initial rate below which refusals do not push: progress must not stop for good."""
_SOON_S: Final = 2.0
"""Waits up to which the rate can be taken as constant."""


class Rate:
    """Calls a second. Pure: gets the time. Not thread-safe."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self.value = limit.rate
        self.found: float | None = None
        """The rate at which AWS last refused; None in slow start."""
        self._decreased_at = float("-inf")

    def accepted(self, *, is_short: bool) -> None:
        """AWS took a call. The rate grows if it `is_short`, i.e. callers wait for it: what is not used proves nothing.

        Below what was assumed at first it grows in any case, or a quiet time would end as slow as it began.
        """
        if not is_short and self.value >= self._limit.rate:
            return
        if self.found is None:
            self.value *= 2.0 ** min(1.0, 1.0 / (self.value * DOUBLING_S))
        else:
            share = max(min(_CREEP_PER_CALL, _CREEP_PER_S / self.value), _CREEP_AT_LEAST_PER_S / self.value)
            self.value += self.found * share
            if self.value > self.found * _OUTDATED:
                self.found = None
        self.value = min(self.value, self._limit.most)

    def refused(self, *, sent_at: float, now: float) -> None:
        """AWS refused a call, for being too many, that was sent at `sent_at`.

        Calls that were under way together are refused together and count once: those sent before the last decrease say
        nothing about the rate since.
        """
        if sent_at < self._decreased_at:
            return
        self._decreased_at = now
        factor = _DECREASE_FROM_SLOW_START if self.found is None else _DECREASE
        self.found = self.value
        self.value = max(self.value * factor, self._limit.rate * _FLOOR)

    def seconds_for(self, calls: float) -> float:
        """How long to wait for so many calls: too short rather than too long, exact only where it is about a second.

        Whoever comes too early is told the rest, which costs little; slots whose holders come too late are lost, and
        then the rate looks high enough. So everybody is told what the fastest possible growth would make of the wait.
        """
        exact_s = calls / self.value
        if exact_s <= _SOON_S or self.value >= self._limit.most:
            return exact_s
        if self.found is not None:
            return calls / min(max(self.value, self.found * _OUTDATED), self._limit.most)
        return _time_for(calls, self.value, self._limit.most)


def _time_for(calls: float, rate: float, most: float) -> float:
    """Seconds in which `calls` pass at a rate that doubles every DOUBLING_S until it is `most`."""
    per_doubling = DOUBLING_S / log(2.0)  # calls that pass while the rate grows by one call a second
    while_growing = per_doubling * (most - rate)
    if calls <= while_growing:
        return DOUBLING_S * log2(1.0 + calls / (per_doubling * rate))
    return DOUBLING_S * log2(most / rate) + (calls - while_growing) / most
