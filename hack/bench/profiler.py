"""Measures where CPU time and memory of a process go: the part of `make profile` that runs inside of the operator.

`python -m hack.bench.profiler cpu|memory FILE MODULE ARGUMENT…` runs a module as `python -m MODULE ARGUMENT…` does.
Whenever FILE is missing it is written, as JSON: calls and CPU seconds by function since the last time, or the bytes of
what is allocated now, by source file (tracemalloc).

CPU: each thread reads its own CPU clock at every call and return, so waiting costs nothing. A sampler in the process
would see threads where they give up the interpreter, and cProfile measures one thread from Python 3.12 on. What the
measurement costs itself is deducted as far as it can be: functions that call many others still look somewhat slower.
"""

import json
import runpy
import signal
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from types import BuiltinFunctionType, FrameType
from typing import Any, Final

CPU: Final = "cpu"
MEMORY: Final = "memory"
LOOK_S: Final = 0.1
"""Seconds between two looks at the file."""
_CALLS: Final = frozenset({"call", "c_call"})


class Times:
    """What is known of one function."""

    __slots__ = ("active", "calls", "own_s", "total_s")

    def __init__(self) -> None:
        self.calls = 0
        self.own_s = 0.0
        self.total_s = 0.0
        self.active = 0
        """How often it is on the stack: of a recursion, only the outermost call has a total."""


class ThreadProfile:
    """The profile of one thread: what `sys.setprofile` calls. `cost_s` is what each event adds to what is measured."""

    def __init__(self, clock: Callable[[], float] = time.thread_time, cost_s: float = 0.0) -> None:
        self._clock = clock
        self._cost_s = cost_s
        self._stack: list[tuple[Times, float, list[float]]] = []
        """Function, start, and one value: the seconds in what it has called, measuring included."""
        self.found: dict[str, Times] = {}
        self.events = 0

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        """Take in an event of the interpreter."""
        now = self._clock()
        self.events += 1
        if event in _CALLS:
            name = _name_of_c(argument) if event == "c_call" else _name_of(frame)
            times = self.found.get(name)
            if times is None:
                times = self.found[name] = Times()
            times.calls += 1
            times.active += 1
            self._stack.append((times, now, [0.0, self.events]))
        elif self._stack:  # else it was called before the profile began
            times, began, (inner_s, events) = self._stack.pop()
            took_s = max(now - began - (self.events - events) * self._cost_s, 0.0)
            times.active -= 1
            times.own_s += max(took_s - inner_s, 0.0)
            if not times.active:
                times.total_s += took_s
            if self._stack:
                self._stack[-1][2][0] += took_s


def _name_of(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_code.co_qualname}"


def _name_of_c(function: BuiltinFunctionType) -> str:
    return f"{getattr(function, '__module__', None) or ''}:<{function.__qualname__}>"


def cost_of_an_event() -> float:
    """Return the CPU seconds that measuring adds to a call, for each event within it."""

    def leaf() -> None:
        pass

    def calls() -> None:
        for _ in range(20_000):
            leaf()

    profile = ThreadProfile()
    plain = time.thread_time()
    calls()
    plain = time.thread_time() - plain
    sys.setprofile(profile)
    try:
        measured = time.thread_time()
        calls()
        measured = time.thread_time() - measured
    finally:
        sys.setprofile(None)
    return max(measured - plain, 0.0) / profile.events


class Profile:
    """The profiles of all threads since the last dump."""

    def __init__(self, cost_s: float) -> None:
        self._cost_s = cost_s
        self._threads: list[ThreadProfile] = []

    def begin(self, frame: FrameType, event: str, argument: Any) -> None:
        """Profile the current thread from now on: for `threading.setprofile`, which has each new thread call it."""
        thread = ThreadProfile(cost_s=self._cost_s)
        self._threads.append(thread)
        sys.setprofile(thread)
        thread(frame, event, argument)

    def take(self) -> list[tuple[str, int, float, float]]:
        """Return function, calls, own and total CPU seconds since the last call."""
        return merged([thread.found for thread in self._threads])


def merged(profiles: Iterable[dict[str, Times]]) -> list[tuple[str, int, float, float]]:
    """Return the sums of several threads, and set them back: calls that go on stay."""
    found: dict[str, Times] = {}
    for profile in profiles:
        for name, times in list(profile.items()):
            total = found.setdefault(name, Times())
            total.calls, total.own_s, total.total_s = (
                total.calls + times.calls,
                total.own_s + times.own_s,
                total.total_s + times.total_s,
            )
            times.calls, times.own_s, times.total_s = 0, 0.0, 0.0
    return [(name, each.calls, each.own_s, each.total_s) for name, each in found.items() if each.calls or each.own_s]


def allocated() -> list[tuple[str, int]]:
    """Return the bytes of what is allocated, by source file."""
    return [(each.traceback[0].filename, each.size) for each in tracemalloc.take_snapshot().statistics("filename")]


def dump_for_ever(take: Callable[[], list[Any]], file: Path) -> None:
    """Write what `take` returns whenever the file is missing."""
    sys.setprofile(None)
    while True:
        time.sleep(LOOK_S)
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_text(json.dumps(take()))
            part.replace(file)


def start(what: str, file: Path) -> None:
    """Measure this thread and all to come. The one that writes takes no signals: the operator waits for its own."""
    file.write_text("[]")
    profile = Profile(cost_of_an_event())
    if what == MEMORY:
        tracemalloc.start()
    take = allocated if what == MEMORY else profile.take
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    threading.Thread(target=dump_for_ever, args=(take, file), name="profile", daemon=True).start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if what == CPU:
        threading.setprofile(profile.begin)
        sys.setprofile(profile.begin)


def main() -> None:
    """Run the module of the command line under the profiler."""
    what, file, module = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    sys.argv[:] = [module, *sys.argv[4:]]
    start(what, file)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
