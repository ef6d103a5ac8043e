"""A circuit breaker per target, service and direction (reads, writes): few calls probe what does not respond.

A call to a region that accepts connections but never answers blocks its worker for the whole read time-out. With more
such objects than workers, objects of healthy regions would wait for minutes (DESIGN 5). So after a call without an
answer the circuit is suspect until a call is answered, and one trial call at a time is let through. Where one object is
the cause, e.g. because a firewall swallows its big requests, it must not be the trial: callers that got no answer have
a lane of their own, one call at a time, and hold up nobody else.
"""

import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from controller.aws.errors import CallError, LocalRefusal
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

NO_ANSWER: Final = frozenset({"ReadTimeout", "ConnectTimeout"})
"""Error codes of calls that took their whole time-out without an answer."""
TURN_S: Final = 5.0
"""Least Retry-After of the callers that are refused during a trial call; doubles with every trial without an answer."""
TURN_CAP_S: Final = 60.0
MOST_SILENT: Final = 1024
"""Callers without an answer that are remembered per circuit; the oldest are forgotten first."""
_READS: Final = ("Describe", "List", "Search", "Get", "Receive", "Filter")

_Circuit: TypeAlias = tuple[Target, str, bool]
"""Target, service, and whether the operation only reads: Lists go on while a Create hangs."""
_Call: TypeAlias = tuple[str, Hashable]
"""Operation and caller."""


class _Lane(Enum):
    """Which of the calls to a suspect circuit; one call of each lane at a time."""

    TRIAL = "trial"
    SILENT = "silent"
    """Of callers that got no answer the last time."""


@dataclass(slots=True)
class _State:
    """What is known of a circuit that has not answered a call."""

    is_suspect: bool = False
    unanswered: int = 0
    """Calls without an answer since the last answer."""
    silent: OrderedDict[_Call, None] = field(default_factory=OrderedDict)
    """The calls that got no answer the last time, oldest first."""
    busy: set[_Lane] = field(default_factory=set)

    def lane_of(self, call: _Call) -> _Lane | None:
        """Return the lane of a call; None: it is not limited."""
        if call in self.silent:
            return _Lane.SILENT
        return _Lane.TRIAL if self.is_suspect else None

    def answered(self, call: _Call, lane: _Lane | None) -> None:
        """Record an answer. One to a silent caller shows that the fault was the circuit's, not the callers'."""
        self.is_suspect, self.unanswered = False, 0
        if lane is _Lane.SILENT:
            self.silent.clear()
        self.silent.pop(call, None)

    def not_answered(self, call: _Call, lane: _Lane | None) -> None:
        """Record a call without an answer. The silence of a caller that is known for it says nothing new."""
        self.is_suspect = self.is_suspect or lane is not _Lane.SILENT
        self.unanswered += 1
        self.silent[call] = None
        self.silent.move_to_end(call)
        if len(self.silent) > MOST_SILENT:
            self.silent.popitem(last=False)


class CircuitBreaker:
    """Circuits that currently do not respond. Thread-safe."""

    def __init__(self, rand: Callable[[], float] = random.random) -> None:
        """`rand` returns the jitter, 0 ≤ r < 1."""
        self._rand = rand
        self._lock = threading.Lock()
        self._states: dict[_Circuit, _State] = {}  # only those with something to remember; guarded by _lock

    @contextmanager
    def call(self, target: Target, service: str, operation: str, caller: Hashable) -> Iterator[None]:
        """Wrap one call. Raises `CallError` THROTTLED with `retry_after_s` if its lane is taken by another call.

        Without an `CallError` from the block, the call was answered; with one of NO_ANSWER, it was not; with one that
        was not sent, and with any other exception, it says nothing.
        """
        circuit, call = (target, service, operation.startswith(_READS)), (operation, caller)
        with self._lock:
            state = self._states.get(circuit)
            lane = state.lane_of(call) if state is not None else None
            if state is not None and lane is not None:
                if lane in state.busy:
                    raise self._refusal(target, state)
                state.busy.add(lane)
        is_answered: bool | None = None
        try:
            yield
            is_answered = True
        except CallError as error:
            if error.is_sent:
                is_answered = error.code not in NO_ANSWER
            raise
        finally:
            with self._lock:
                self._record(circuit, call, lane, is_answered)

    def _record(self, circuit: _Circuit, call: _Call, lane: _Lane | None, is_answered: bool | None) -> None:
        state = self._states.get(circuit)
        if state is None:
            if is_answered is not False:
                return
            state = self._states[circuit] = _State()
        if lane is not None:
            state.busy.discard(lane)
        if is_answered is not None:
            (state.answered if is_answered else state.not_answered)(call, lane)
        if not (state.is_suspect or state.silent or state.busy):
            del self._states[circuit]

    def _refusal(self, target: Target, state: _State) -> CallError:
        turn_s = min(TURN_S * 2.0 ** max(min(state.unanswered, 16) - 1, 0), TURN_CAP_S)
        return LocalRefusal(
            ErrorClass.THROTTLED,
            "NotAnswering",
            f"AWS in {target.region} does not answer at the moment; another call is trying",
            retry_after_s=turn_s * (1.0 + self._rand()),
        )
