"""Chooses how many processes `make test` starts, and which tests each begins with.

Each of them imports and collects all that is selected. At first pytest-xdist (`--dist worksteal`) cuts the list into as
many parts as there are workers; one that has run dry takes the last half of the longest rest.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeVar

MOST: Final = 8
"""More of them collect for longer than they save."""
WAITING: Final = 3
"""Workers that wait for servers and operators at any time: with fewer, two cores are idle for a third of a run."""


COMPUTING: Final = 2
"""Workers that begin with tests that compute: one for each core, so that none is idle while others wait."""

T = TypeVar("T")


def how_many(selected: Sequence[str], cores: int, *, is_narrowed: bool = False) -> int:
    """Return the number of workers for these arguments of pytest, paths and test ids; 0 means no worker at all.

    One file of pure tests is over before a worker has started. Tests in tests/sandbox wait for servers and operators
    five times as long as they compute, so a folder of them gets `WAITING` workers more than there are cores; a single
    file does not, since it should start soon, nor what `-k` narrows, where most of the time is spent on collecting.
    """
    is_sandbox = any("sandbox" in path.split("/") for path in selected)
    if all("::" in each for each in selected) or (len(selected) == 1 and _is_file(selected[0]) and not is_sandbox):
        return 0
    has_folder = not all(map(_is_file, selected))
    return min(cores + WAITING * (is_sandbox and has_folder and not is_narrowed), MOST)


def in_order(early: Sequence[T], waiting: Sequence[T], computing: Sequence[T], workers: int) -> list[T]:
    """Return all tests so that waiting and computing ones run at the same time, from the start to the end.

    In the order of their files, all workers would compute at first and wait at last, with idle cores. So all parts but
    `COMPUTING` begin with tests that wait for servers and operators, and a worker that has run dry takes the tests that
    compute from the ends of those parts. `early` are those that take as long as many others: the first of each part.
    Neighbours in `waiting` stay neighbours, since they share what their module sets up.
    """
    left = [deque(early), deque(waiting), deque(computing)]
    parts = workers - COMPUTING if computing and workers > COMPUTING else workers
    ordered: list[T] = []
    for part in range(workers):
        size = sum(map(len, left)) // (workers - part)
        shares = [-(-len(each) // (parts - part)) if part < parts else 0 for each in left[:2]]
        for tests, share in zip(left, [*shares, size], strict=True):
            count = min(share, size, len(tests))
            ordered += [tests.popleft() for _ in range(count)]
            size -= count
    return [*ordered, *left[0], *left[1], *left[2]]


def _is_file(argument: str) -> bool:
    return argument.partition("::")[0].endswith(".py")
