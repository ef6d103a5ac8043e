"""Compares policies that find AWS's unknown rate: the operator's budgets and three usual ways, in simulated time.

Run `python -m hack.bench.budgets`. AWS is a token bucket of unknown rate and size; a thousand objects need one call
each (a burst), or there is always a caller waiting (steady). Only policies are compared: nothing is sent.
"""

import heapq
import random
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import Final, Protocol

from botocore.exceptions import CapacityNotAvailableError
from botocore.retries.adaptive import RateClocker
from botocore.retries.bucket import TokenBucket as BotocoreBucket
from botocore.retries.throttling import CubicCalculator

from controller.aws.limits.adaptive_rate import Limit
from controller.aws.limits.budgets import LIMITS
from controller.aws.limits.token_bucket import TokenBucket

LATENCY_S: Final = (0.1, 0.4)
"""Bounds of the time that a call takes; AWS judges it half-way."""
MANY: Final = 1000


class HiddenBucket:
    """AWS: `rate` calls a second, `size` at once. `rate` may be changed while it is used."""

    def __init__(self, rate: float, size: float) -> None:
        self.rate = rate
        self._size = self._tokens = size
        self._at = 0.0

    def takes(self, now: float) -> bool:
        """Return whether a call that arrives now is accepted."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Policy(Protocol):
    """How a client decides when to call."""

    def ask(self, caller: Hashable, now: float) -> float:
        """Return the seconds until `caller` may retry; 0: call now."""
        ...

    def told(self, caller: Hashable, *, is_accepted: bool, sent_at: float, now: float) -> float:
        """Record AWS's answer; returns the seconds until `caller` retries a refused call."""
        ...


class Ours:
    """`controller.aws.limits.token_bucket`, by default with the limit of CreateTrainingJob."""

    def __init__(self, limit: Limit = LIMITS["CreateTrainingJob"]) -> None:
        self.bucket = TokenBucket(limit)

    def ask(self, caller: Hashable, now: float) -> float:
        """Ask the bucket for a place in the queue of a user's call."""
        return self.bucket.admit(caller, background=False, now=now)

    def told(self, caller: Hashable, *, is_accepted: bool, sent_at: float, now: float) -> float:
        """Report the answer to the bucket; a refused caller gets its next turn from it."""
        if is_accepted:
            self.bucket.accepted(caller)
            return 0.0
        return self.bucket.refused(caller, background=False, sent_at=sent_at, now=now)


class WritesFirst(Ours):
    """The same, as reconcilers use it: they take their turn, write to Kubernetes, and call then."""

    def __init__(self, limit: Limit = LIMITS["CreateTrainingJob"], write_s: float = 0.1) -> None:
        super().__init__(limit)
        self._write_s = write_s
        self._ready: set[Hashable] = set()

    def ask(self, caller: Hashable, now: float) -> float:
        """Return the time that the write takes when the turn has come; ask for the call after it."""
        if caller in self._ready:
            return super().ask(caller, now)
        wait_s = self.bucket.reserve(caller, now=now)
        if wait_s > 0:
            return wait_s
        self._ready.add(caller)
        return self._write_s


class Backoff:
    """No limit: exponential back-off with full jitter for each caller, as in botocore's standard mode."""

    def __init__(self, seed: int = 1, cap_s: float = 20.0) -> None:
        self._rng = random.Random(seed)
        self._cap_s = cap_s
        self._failures: dict[Hashable, int] = {}

    def ask(self, caller: Hashable, now: float) -> float:
        """Let every call go at once."""
        del caller, now
        return 0.0

    def told(self, caller: Hashable, *, is_accepted: bool, sent_at: float, now: float) -> float:
        """Forget the failures of an accepted caller, or return the next delay with full jitter."""
        del sent_at, now
        if is_accepted:
            self._failures.pop(caller, None)
            return 0.0
        failures = self._failures[caller] = self._failures.get(caller, 0) + 1
        return self._rng.random() * min(2.0**failures, self._cap_s)


class _SimulatedClock:
    now = 0.0

    def current_time(self) -> float:
        return self.now


class Adaptive(Backoff):
    """botocore's retry mode `adaptive`: its own classes, wired as its `ClientRateLimiter` does, without blocking."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__(seed)
        self._clock = _SimulatedClock()
        self._tokens = BotocoreBucket(max_rate=1, clock=self._clock)
        self._clocker = RateClocker(self._clock)
        self._cubic = CubicCalculator(starting_max_rate=0, start_time=0.0)
        self._is_enabled = False

    def ask(self, caller: Hashable, now: float) -> float:
        """Take a token, or return the time until there is one; without limit before the first refusal."""
        del caller
        self._clock.now = now
        if not self._is_enabled:
            return 0.0
        try:
            self._tokens.acquire(block=False)
        except CapacityNotAvailableError:
            wait_s: float = (1.0 - self._tokens.available_capacity) / self._tokens.max_rate
            return max(wait_s, 1e-3)
        return 0.0

    def told(self, caller: Hashable, *, is_accepted: bool, sent_at: float, now: float) -> float:
        """Adapt the rate to the answer as botocore does; a refused caller backs off as in `Backoff`."""
        self._clock.now = now
        measured = self._clocker.record()
        if is_accepted:
            rate = self._cubic.success_received(now)
        else:
            used = min(measured, self._tokens.max_rate) if self._is_enabled else measured
            rate = self._cubic.error_received(used, now)
            self._is_enabled = True
        self._tokens.max_rate = min(rate, 2.0 * measured)
        return super().told(caller, is_accepted=is_accepted, sent_at=sent_at, now=now)


@dataclass(slots=True)
class Course:
    """The events of a simulation."""

    accepted: list[float] = field(default_factory=list)
    """Times of accepted calls."""
    refused: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    """Seconds from the first attempt to acceptance, in the order of acceptance."""
    order: list[int] = field(default_factory=list)
    """Callers in the order of acceptance."""
    asks: int = 0

    def refused_share(self, since: float = 0.0) -> float:
        """Return refused calls as a share of all sent calls."""
        refused = sum(at >= since for at in self.refused)
        return refused / max(1, refused + sum(at >= since for at in self.accepted))

    def rate(self, since: float, until: float) -> float:
        """Return accepted calls a second in that time."""
        return sum(since <= at < until for at in self.accepted) / (until - since)


class Machine:
    """How late a client acts: each time by `late_s` seconds on average, and not at all during stalls.

    A stall begins every `stall_every_s` seconds on average, and lasts `stall_s`: others use the processors meanwhile.
    """

    def __init__(
        self,
        *,
        late_s: float = 0.0,
        stall_every_s: float = 0.0,
        stall_s: tuple[float, float] = (1.0, 4.0),
        seed: int = 7,
        until_s: float = 10_000.0,
    ) -> None:
        self._rng = random.Random(seed)
        self._late_s = late_s
        self._stalls: list[tuple[float, float]] = []
        at = 0.0
        while stall_every_s and at < until_s:
            began = at + self._rng.expovariate(1.0 / stall_every_s)
            at = began + self._rng.uniform(*stall_s)
            self._stalls.append((began, at))

    def when(self, at: float) -> float:
        """Return when that happens which is due at `at`."""
        if self._late_s:
            at += self._rng.expovariate(1.0 / self._late_s)
        position = bisect_right(self._stalls, (at, float("inf"))) - 1
        if position >= 0 and at < self._stalls[position][1]:
            return self._stalls[position][1] + self._rng.uniform(0.0, 0.2)
        return at


IDLE: Final = Machine()
"""A machine that has time for everything at once."""


class Simulation:
    """`callers` that all start at once, and an AWS that accepts or refuses their calls.

    `workers` calls run concurrently. With `again`, each accepted call is followed by a new caller: demand never ends.
    `changes` are times and AWS's rates from then on. Callers come, and answers are read, when `machine` has time.
    """

    def __init__(
        self,
        policy: Policy,
        aws: HiddenBucket,
        *,
        callers: int,
        workers: int = 16,
        again: bool = False,
        changes: Mapping[float, float] = MappingProxyType({}),
        machine: Machine = IDLE,
        seed: int = 7,
    ) -> None:
        self._policy = policy
        self._machine = machine
        self._aws = aws
        self._callers = callers
        self._workers = workers
        self._again = again
        self._rng = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()
        self._newcomers = count(callers)
        self._came: dict[int, float] = {}
        self._queue: deque[int] = deque()
        """Callers that found all workers busy."""
        self._busy = 0
        self._course = Course()
        for caller in range(callers):
            self._at(machine.when(0.0), partial(self._come, caller))
        for time, rate in changes.items():
            self._at(time, lambda _, rate=rate: setattr(aws, "rate", rate))

    def run(self, until_s: float) -> Course:
        """Run until all callers are served or the time is up."""
        while self._events and (self._again or len(self._course.order) < self._callers):
            now, _, act = heapq.heappop(self._events)
            if now >= until_s:
                break
            act(now)
        return self._course

    def _at(self, time: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), act))

    def _come(self, caller: int, now: float) -> None:
        self._came.setdefault(caller, now)
        if self._busy >= self._workers:
            self._queue.append(caller)
            return
        self._course.asks += 1
        wait_s = self._policy.ask(caller, now)
        if wait_s > 0:
            self._at(self._machine.when(now + wait_s), partial(self._come, caller))
            self._serve_next(now)
            return
        self._busy += 1
        half_s = self._rng.uniform(*LATENCY_S) / 2
        self._at(now + half_s, partial(self._arrive, caller, now, half_s))

    def _arrive(self, caller: int, sent_at: float, half_s: float, now: float) -> None:
        is_accepted = self._aws.takes(now)
        (self._course.accepted if is_accepted else self._course.refused).append(now)
        self._at(self._machine.when(now + half_s), partial(self._answer, caller, sent_at, is_accepted))

    def _answer(self, caller: int, sent_at: float, is_accepted: bool, now: float) -> None:
        self._busy -= 1
        wait_s = self._policy.told(caller, is_accepted=is_accepted, sent_at=sent_at, now=now)
        if is_accepted:
            self._course.order.append(caller)
            self._course.waited.append(now - self._came[caller])
            if self._again:
                self._at(self._machine.when(now), partial(self._come, next(self._newcomers)))
        else:
            self._at(self._machine.when(now + wait_s), partial(self._come, caller))
        self._serve_next(now)

    def _serve_next(self, now: float) -> None:
        if self._queue:
            self._at(now, partial(self._come, self._queue.popleft()))


def main() -> None:
    """Print both comparisons."""
    policies: dict[str, Callable[[], Policy]] = {
        "ours": Ours,
        "fixed 2/s": lambda: Ours(Limit(2.0, 5.0)),
        "botocore adaptive": Adaptive,
        "back-off alone": Backoff,
    }
    for rate, size in ((2.0, 10.0), (5.0, 20.0), (10.0, 50.0), (25.0, 100.0)):
        print(f"AWS allows {rate:g}/s, {size:g} at once:")
        for name, policy in policies.items():
            burst = Simulation(policy(), HiddenBucket(rate, size), callers=MANY).run(4000)
            steady = Simulation(policy(), HiddenBucket(rate, size), callers=200, again=True).run(1200)
            print(
                f"  {name:<18} 1,000 calls in {burst.accepted[-1]:>5.0f} s, {burst.refused_share():>6.1%} refused, "
                f"{burst.asks / MANY:>5.1f} asks each;  steady {steady.rate(300, 1200) / rate:>4.0%} of the rate, "
                f"{steady.refused_share(300):>6.1%} refused, longest wait {max(steady.waited):>5.0f} s"
            )


if __name__ == "__main__":
    main()
