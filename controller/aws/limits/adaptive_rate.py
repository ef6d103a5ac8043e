"""Estimates how fast AWS allows calls of one operation, probing upwards like TCP slow start.

AWS publishes few of its API quotas, and accounts have them raised. So the rate starts low, doubles every few seconds
while callers wait and nothing is refused (slow start), falls when AWS refuses a call, and from then on stays near
the found value (additive increase, multiplicative decrease: RFC 5681). A known quota is the ceiling.
"""

from dataclasses import dataclass
from math import log, log2
from typing import Final

DOUBLING_S: Final = 3.0
"""The default of `Limit.doubling_s`: at any rate, some replies arrive in between."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The assumed limit of an operation: `rate` calls a second initially, `burst` at once after a quiet time."""

    rate: float
    burst: float
    ceiling: float = 0.0
    """Calls a second that are never exceeded, even if AWS allows more; if less than `rate`, `rate` is the quota."""
    doubling_s: float = DOUBLING_S
    """Seconds of unmet demand in which slow start doubles the rate."""
    decrease: float = 0.5
    """Share of the rate that is left when slow start meets its first refusal. Slow start may reach twice the allowed
    rate until then, and more where it is fast: it also uses up what AWS has saved for a burst, and each step down that
    is too short costs as many refusals as calls are under way."""

    @property
    def most(self) -> float:
        """Return the highest average rate of the operation."""
        return max(self.rate, self.ceiling)


_CREEP_PER_CALL: Final = 0.005
_CREEP_PER_S: Final = 0.01
_CREEP_AT_LEAST_PER_S: Final = 0.002
"""Share of the found rate that is regained, per accepted call or per second, whichever is slower. A refusal costs 30 %:
so at least sixty calls are between two refusals, and half a minute if calls are frequent and several are under way when
the first of them is refused. If calls are rare, five minutes are enough."""
_DECREASE: Final = 0.7
"""Share of a found rate that is left after a refusal: creeping exceeds the allowed rate only slightly."""
_OUTDATED: Final = 1.3
"""At this multiple of the last refused rate, without a refusal, the quota has changed: start over."""
_FLOOR: Final = 0.05
"""Share of the initial rate that refusals cannot go below: progress must never stop."""
_SOON_S: Final = 2.0
"""Waits up to this long assume a constant rate."""


class AdaptiveRate:
    """An adaptive rate in calls a second. Pure: the time is an argument. Not thread-safe."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self.value = limit.rate
        self.found: float | None = None
        """The rate at which AWS last refused; None in slow start."""
        self._decreased_at = float("-inf")

    def accepted(self, *, is_short: bool) -> None:
        """Record an accepted call. The rate grows if it `is_short`, i.e. callers wait: unused rate proves nothing.

        Below the initial rate it always grows, or a quiet time would end as slow as it began.
        """
        if not is_short and self.value >= self._limit.rate:
            return
        if self.found is None:
            self.value *= 2.0 ** min(1.0, 1.0 / (self.value * self._limit.doubling_s))
        else:
            share = max(min(_CREEP_PER_CALL, _CREEP_PER_S / self.value), _CREEP_AT_LEAST_PER_S / self.value)
            self.value += self.found * share
            if self.value > self.found * _OUTDATED:
                self.found = None
        self.value = min(self.value, self._limit.most)

    def refused(self, *, sent_at: float, now: float) -> None:
        """Record that AWS throttled a call that was sent at `sent_at`.

        Calls that were under way together are refused together and count once: those sent before the last decrease do
        not concern the rate since.
        """
        if sent_at < self._decreased_at:
            return
        self._decreased_at = now
        factor = self._limit.decrease if self.found is None else _DECREASE
        self.found = self.value
        self.value = max(self.value * factor, self._limit.rate * _FLOOR)

    @property
    def is_lowest(self) -> bool:
        """Return whether refusals cannot lower the rate any further."""
        return self.value <= self._limit.rate * _FLOOR

    def seconds_for(self, calls: float) -> float:
        """Return the seconds to wait for `calls`: rather too short than too long, exact only around a second.

        A caller that returns early gets the remaining wait, which costs little; slots of late callers are lost, and
        then the rate looks high enough. So the returned wait assumes the fastest possible growth.
        """
        exact_s = calls / self.value
        if exact_s <= _SOON_S or self.value >= self._limit.most:
            return exact_s
        if self.found is not None:
            return calls / min(max(self.value, self.found * _OUTDATED), self._limit.most)
        return _time_for(calls, self.value, self._limit)


def _time_for(calls: float, rate: float, limit: Limit) -> float:
    """Return the seconds for `calls` at a rate that doubles every `limit.doubling_s` until it is `limit.most`."""
    per_doubling = limit.doubling_s / log(2.0)  # calls that pass while the rate grows by one call a second
    while_growing = per_doubling * (limit.most - rate)
    if calls <= while_growing:
        return limit.doubling_s * log2(1.0 + calls / (per_doubling * rate))
    return limit.doubling_s * log2(limit.most / rate) + (calls - while_growing) / limit.most
