"""The past of an account: jobs that had ended before anyone looked, made only when a call wants to see them.

Accounts keep 10,000 to 1,000,000 of them. An era is a number of jobs at even distances in time, so the n-th of them is
computed: an era costs no memory, and a page of it no more than a page.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, cast, overload

from hack.sandbox.aws.records.resource import AnyKind, Kind, R, Resource
from hack.sandbox.aws.wire import Call

Finished: TypeAlias = Callable[[AnyKind, str, str, str, float], Resource]
"""Makes the record of a job that ended soon after its creation: kind, account, region, name, creation time."""
_PREFIX = "past-"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Era:
    """`count` jobs, numbered from `first` on, created `step_s` seconds apart; the last one a step before `until`."""

    first: int
    count: int
    until: float
    step_s: float

    def created_at(self, position: int) -> float:
        """Return when the job at this position, 0 for the oldest, was created."""
        return self.until - self.step_s * (self.count - position)


class Run(Sequence[R], Generic[R]):
    """An era of one kind in one account and region, as a sequence of records: by creation as well as by name."""

    def __init__(self, era: Era, make: Callable[[str, float], R]) -> None:
        self._era = era
        self._make = make

    def __len__(self) -> int:
        return self._era.count

    @overload
    def __getitem__(self, position: int) -> R: ...
    @overload
    def __getitem__(self, position: slice) -> list[R]: ...
    def __getitem__(self, position: int | slice) -> R | list[R]:
        """Return the job at a position, or those of a slice."""
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        if not 0 <= position < len(self):
            raise IndexError(position)
        return self._make(f"{_PREFIX}{self._era.first + position:0{_DIGITS}}", self._era.created_at(position))


class Past:
    """The eras, the same in every account and region. Thread-safe."""

    def __init__(self, makers: Mapping[str, Finished]) -> None:
        """`makers` has a maker of records for each kind with a past, by the kind's name."""
        self._makers = makers
        self._lock = threading.Lock()
        self._eras: list[Era] = []  # guarded by _lock

    def add(self, count: int, *, until: float, step_s: float = 60.0) -> None:
        """Add jobs of each kind, created up to `until` (epoch seconds). Raises ValueError for a count below 1."""
        if count < 1 or step_s <= 0:
            raise ValueError("the past needs a count of at least 1 and a step of more than 0 seconds")
        with self._lock:
            first = sum(era.count for era in self._eras)
            self._eras.append(Era(first, count, until, step_s))

    def clear(self) -> None:
        """Forget all eras."""
        with self._lock:
            self._eras.clear()

    def runs(self, kind: Kind[R], call: Call) -> Iterator[Run[R]]:
        """Yield the eras as the caller sees them."""
        maker = self._makers.get(kind.resource)
        if maker is None:
            return
        with self._lock:
            eras = tuple(self._eras)

        def make(name: str, created_at: float) -> R:
            return cast("R", maker(kind, call.account, call.region, name, created_at))

        for era in eras:
            yield Run(era, make)

    def find(self, kind: AnyKind, account: str, region: str, name: str) -> Any:
        """Return the job called `name`, or None."""
        maker, digits = self._makers.get(kind.resource), name.removeprefix(_PREFIX)
        if maker is None or digits == name or len(digits) != _DIGITS or not digits.isdecimal():
            return None
        number = int(digits)
        with self._lock:
            for era in self._eras:
                if era.first <= number < era.first + era.count:
                    return maker(kind, account, region, name, era.created_at(number - era.first))
        return None
