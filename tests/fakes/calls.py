"""The log of all calls to the AWS in memory, and the faults that a test puts in their way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from botocore.exceptions import ClientError

from controller.aws.errors import CallError, classify
from controller.runtime.clock import Clock


class Call(NamedTuple):
    """One call, refused or not."""

    service: str
    """The kind of its records: names may be the same in two of them."""
    operation: str
    what: str
    """The name, ARN or region that it is about."""


def refusal(operation: str, message: str, code: str = "ValidationException") -> CallError:
    """Return what the operator makes of such an answer."""
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return classify(operation, ClientError(answer, operation))  # type: ignore[arg-type]


CallLog = list[Call]
"""The calls of all kinds in the order in which they were made."""


@dataclass(slots=True)
class Fault:
    """The next call of an operation fails; `after` it has taken effect, or before."""

    operation: str
    error: Exception
    after: bool = False
    then: Callable[[], object] = lambda: None
    """What happens in the world before the caller learns of it."""


class Service:
    """The part of AWS that serves one kind of record: its own faults, and calls in the log of all."""

    def __init__(self, name: str, clock: Clock, log: CallLog) -> None:
        self._name = name
        self._clock = clock
        self._log = log
        self.faults: list[Fault] = []
        self.always: Callable[[str], Exception | None] = lambda operation: None

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """Operation and subject of this service's calls so far."""
        return tuple((call.operation, call.what) for call in self._log if call.service == self._name)

    def count(self, operation: str) -> int:
        """Return how often an operation was called so far."""
        return sum(call.operation == operation and call.service == self._name for call in self._log)

    def record(self, operation: str, what: str) -> None:
        """Add a call to the log."""
        self._log.append(Call(self._name, operation, what))

    def fail(
        self, operation: str, error: Exception, *, after: bool = False, then: Callable[[], object] = lambda: None
    ) -> None:
        """Make the next call of `operation` raise; see `Fault`."""
        self.faults.append(Fault(operation, error, after, then))

    @contextmanager
    def _call(self, operation: str, what: str) -> Iterator[None]:
        self.record(operation, what)
        fault = next((each for each in self.faults if each.operation == operation), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is not None and not fault.after:
            fault.then()
            raise fault.error
        if error := self.always(operation):
            raise error
        yield
        if fault is not None:
            fault.then()
            raise fault.error
