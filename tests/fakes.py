"""Fakes shared by the tests: small, honest implementations of the ports."""

import threading
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from controller.aws.targets import Target


class FakeClock:
    """A `Clock` that moves only when told to. Thread-safe."""

    def __init__(self, start: datetime = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)) -> None:
        self._lock = threading.Lock()
        self._elapsed_s = 0.0
        self._start = start

    def monotonic(self) -> float:
        """Seconds advanced so far, plus an arbitrary offset."""
        with self._lock:
            return 1000.0 + self._elapsed_s

    def utcnow(self) -> datetime:
        """The start plus what was advanced."""
        with self._lock:
            return self._start + timedelta(seconds=self._elapsed_s)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        with self._lock:
            self._elapsed_s += seconds

    def set_back(self, seconds: float) -> None:
        """Somebody corrects the wall clock; monotonic time goes on."""
        with self._lock:
            self._start -= timedelta(seconds=seconds)


class Answers:
    """An `Api` that gives what was prepared for an operation, one after another, the last one for ever."""

    def __init__(self, **answers: list[dict[str, Any] | Exception]) -> None:
        self.answers = answers
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def call(
        self,
        target: Target,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        caller: Hashable,
        background: bool = False,
    ) -> dict[str, Any]:
        """See `Api.call`."""
        self.requests.append((operation, dict(request)))
        prepared = self.answers[operation]
        answer = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
