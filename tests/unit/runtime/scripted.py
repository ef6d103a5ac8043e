"""An API server that follows a script, and a `Stop` whose waits only move a fake clock."""

# ruff: noqa: D102 (the fakes implement the ports, which say what their methods are)

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

from api.meta import JsonObject
from controller.runtime.cache.reflector import ListPage, Unreachable, WatchEvent
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.threads import Stop
from tests.fakes import FakeClock
from tests.unit.runtime.objects import WIDGETS


class FakeStop(Stop):
    """Waiting passes the time of `clock` at once, and is noted in `pauses`.

    That is so in the thread that made it; other threads wait until it is set, unless `is_for_all`.
    """

    def __init__(self, clock: FakeClock, *, is_for_all: bool = False) -> None:
        super().__init__()
        self._clock = clock
        self._owner = None if is_for_all else threading.get_ident()
        self.pauses: list[float] = []

    def wait(self, timeout_s: float | None = None) -> bool:
        """See `Stop.wait`; without a time-out it is the real thing."""
        if timeout_s is None or self._owner not in (None, threading.get_ident()):
            return super().wait()
        if not self.is_set():
            self.pauses.append(timeout_s)
            self._clock.advance(timeout_s)
        return self.is_set()


@dataclass
class Watch:
    """A watch that is granted: its events, then how it ends, `lived_s` after it was opened."""

    events: Iterable[WatchEvent | Callable[[], None]] = ()
    """A callable is called when its turn comes, in between two events."""
    error: ClassifiedError | None = None
    lived_s: float = 400.0
    closed: bool = field(default=False, init=False)


@dataclass
class Stream(Watch):
    """A watch that begins with what is there (R19), or its refusal. A script without any is a server that cannot."""

    refusal: ClassifiedError | None = None
    refused_after_s: float = 0.0


Step: TypeAlias = ListPage | ClassifiedError | Watch


@dataclass(frozen=True)
class Asked:
    """A request as the script saw it."""

    verb: str
    version: str
    limit: int | None = None
    token: str | None = None


class ScriptedStream:
    """Implements `WatchStream` over a `Watch` of the script."""

    def __init__(self, watch: Watch, clock: FakeClock) -> None:
        self._watch = watch
        self._clock = clock
        self._steps = iter(watch.events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self

    def __next__(self) -> WatchEvent:
        for step in self._steps:
            if isinstance(step, WatchEvent):
                return step
            step()
        self._clock.advance(self._watch.lived_s)
        if self._watch.error is not None:
            raise self._watch.error
        raise StopIteration

    def close(self) -> None:
        self._watch.closed = True


class Script:
    """Implements `ListerWatcher`: answers each request with the next step, and sets `stop` after the last one."""

    def __init__(self, clock: FakeClock, stop: Stop, *steps: Step) -> None:
        self._clock = clock
        self._stop = stop
        self._steps = list(steps)
        self.asked: list[Asked] = []
        self.timeouts_s: list[int] = []

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        self.asked.append(Asked("list", resource_version, limit, continue_token))
        step = self._next()
        assert isinstance(step, ListPage), f"the script wanted {step}, not a list"
        return step

    def watch(self, *, resource_version: str, timeout_s: int, initial_events: bool = False) -> ScriptedStream:
        if initial_events:
            return self._stream(resource_version)
        self.asked.append(Asked("watch", resource_version))
        self.timeouts_s.append(timeout_s)
        step = self._next()
        assert isinstance(step, Watch), f"the script wanted {step}, not a watch"
        return ScriptedStream(step, self._clock)

    def _stream(self, resource_version: str) -> ScriptedStream:
        if not self._steps or not isinstance(self._steps[0], Stream):
            raise INVALID
        self.asked.append(Asked("stream", resource_version))
        step = self._steps.pop(0)
        assert isinstance(step, Stream)
        if step.refusal is not None:
            self._clock.advance(step.refused_after_s)
            raise step.refusal
        return ScriptedStream(step, self._clock)

    def _next(self) -> ListPage | Watch:
        if not self._steps:
            self._stop.set()
            raise Unreachable(ErrorClass.RETRYABLE, "EndOfScript", "the script has ended")
        step = self._steps.pop(0)
        if isinstance(step, ClassifiedError):
            raise step
        return step


def page(*items: JsonObject, version: str = "10", token: str = "") -> ListPage:
    return ListPage(items=list(items), resource_version=version, continue_token=token)


def event(type_: str, obj: JsonObject) -> WatchEvent:
    return WatchEvent(type_, obj)


def bookmark(version: str, *, ends_list: bool = False) -> WatchEvent:
    metadata: JsonObject = {"resourceVersion": version, "creationTimestamp": None}
    if ends_list:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return WatchEvent("BOOKMARK", {"apiVersion": WIDGETS.api_version, "kind": WIDGETS.kind, "metadata": metadata})


def error_event(code: int, reason: str = "") -> WatchEvent:
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code}
    return WatchEvent("ERROR", {**status, "reason": reason, "message": "as scripted"})


EXPIRED = ClassifiedError(ErrorClass.EXPIRED, "Expired", "too old resource version")
THROTTLED = ClassifiedError(ErrorClass.THROTTLED, "TooManyRequests", "slow down")
BROKEN = ClassifiedError(ErrorClass.RETRYABLE, "InternalError", "etcd is away")
INVALID = ClassifiedError(ErrorClass.INVALID, "Invalid", "sendInitialEvents is forbidden")
DENIED = ClassifiedError(ErrorClass.DENIED, "Forbidden", "no")
REFUSED = Unreachable(ErrorClass.RETRYABLE, "ConnectionRefused", "nobody listens")
