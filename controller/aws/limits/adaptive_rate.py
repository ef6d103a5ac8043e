"""Estimates how fast AWS allows calls of one operation, probing upwards like TCP slow start.

AWS publishes few of its API quotas, and accounts have them raised. So the rate starts low, and doubles every few
seconds while callers wait and nothing is refused (slow start: RFC 5681). AWS refuses a call when its bucket is empty:
what it took between two refusals is what has flowed in meanwhile, whatever it had saved up before. That is the found
rate. After a refusal calls are slightly slower, rise to the found rate, stay near it for long and leave it upwards then
(the curve of CUBIC: RFC 9438). A known quota is the ceiling.
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


_DROP: Final = 0.06
"""Share of the found rate by which calls are slower after a refusal, and by which they exceed it before the next one if
AWS has saved up little."""
_BACK_CALLS: Final = 60.0
_BACK_S: Final = (30.0, 150.0)
"""The found rate is reached again after so many calls, within these bounds of time. About as many follow until the next
refusal: one call in a hundred is refused."""
_EVIDENCE_CALLS: Final = 8
_EVIDENCE_S: Final = 4.0
"""What was taken between two refusals says how fast AWS takes calls if it is as much as this, and took as long: in
shorter times it depends on which of the calls under way are counted."""
_MADE_UP: Final = 0.25
"""Share of what AWS took by which unused turns can raise the found rate: AWS may have saved them up, and may not."""
_DECREASE: Final = 0.8
"""Share of the rate that is left after a refusal that says no more than that it was too high."""
_OUTDATED: Final = 1.3
"""At this multiple of the found rate, without a refusal, the quota has changed: start over."""
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
        """The rate that AWS is believed to allow; None in slow start."""
        self._drop = 0.0
        """Share of `found` that was taken off at the last refusal."""
        self._probed_s = 0.0
        """Seconds of unmet demand since then."""
        self._decreased_at = float("-inf")
        self._taken = 0
        """Calls accepted since the last refusal."""
        self._unused = 0.0
        """Calls that could have been made since then, but for callers that were late."""
        self._is_evidence = False
        """Whether there was a refusal, and demand all the time since."""

    def accepted(self, *, is_short: bool) -> None:
        """Record an accepted call. The rate grows if it `is_short`, i.e. callers wait: unused rate proves nothing.

        Below the initial rate it always grows, or a quiet time would end as slow as it began.
        """
        self._taken += 1
        if not is_short and self.value >= self._limit.rate:
            return
        if self.found is None:
            self.value *= 2.0 ** min(1.0, 1.0 / (self.value * self._limit.doubling_s))
        else:
            self._probed_s += 1.0 / self.value
            self.value = max(self.value, self.found * self._curve(self.found))
            if self.value > self.found * _OUTDATED:
                self.found = None
        self.value = min(self.value, self._limit.most)

    def _curve(self, found: float) -> float:
        """Return the multiple of the found rate: 1 less the drop at first, 1 after `_BACK_CALLS`, more from then on."""
        back_s = min(max(_BACK_CALLS / found, _BACK_S[0]), _BACK_S[1])
        return 1.0 + self._drop * (self._probed_s / back_s - 1.0) ** 3

    def was_unneeded(self) -> None:
        """Record that no caller waits: AWS may save up more than it can keep."""
        self._is_evidence = False

    def was_unused(self, calls: float) -> None:
        """Record that so many calls could have been made, but for callers that were late."""
        self._unused += calls

    def refused(self, *, sent_at: float, now: float) -> None:
        """Record that AWS throttled a call that was sent at `sent_at`.

        Calls that were under way together are refused together and count once: those sent before the last decrease do
        not concern the rate since.
        """
        if sent_at < self._decreased_at:
            return
        lasted_s = now - self._decreased_at
        if self._is_evidence and self._taken >= _EVIDENCE_CALLS and lasted_s >= _EVIDENCE_S:
            taken = self._taken + min(self._unused, _MADE_UP * self._taken)
            self.found, self._drop = min(self.value, taken / lasted_s), _DROP
        else:
            factor = self._limit.decrease if self.found is None else _DECREASE
            self.found, self._drop = self.value, 1.0 - factor
        self.value = max(self.found * (1.0 - self._drop), self._limit.rate * _FLOOR)
        self._decreased_at = now
        self._probed_s, self._taken, self._unused, self._is_evidence = 0.0, 0, 0.0, True

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
