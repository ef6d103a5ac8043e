"""Chooses how many processes `make test` starts, and what each runs when.

Each of them imports and collects all that is selected; then they take units of tests from one queue.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from xdist.scheduler import LoadScopeScheduling

MOST: Final = 8
"""More of them collect for longer than they save."""
WAITING: Final = 5
"""Workers that wait for servers and operators at any time: with fewer, two cores are idle for a third of a run."""


ROOT: Final = Path(__file__).parents[1]
WAITING_UNTIL: Final = 0.9
"""Where in the queue the last test that waits is: a run that ends with waiting has idle cores."""

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


class OneQueue(LoadScopeScheduling):
    """Hands out tests in the order in which they were collected, those that share what their module sets up as one."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return what a test runs together with: its module, where that sets up something, else the cases of its function.

    What takes long runs alone.
    """
    path, _, name = nodeid.partition("::")
    text = _text(path)
    if b'scope="module"' in text:
        return path
    return nodeid if b"mark.sandbox" in text or b"mark.long" in text else f"{path}::{name.partition('[')[0]}"


@cache
def _text(path: str) -> bytes:
    return (ROOT / path).read_bytes()


def in_order(early: Sequence[T], waiting: Sequence[T], computing: Sequence[T]) -> Iterator[T]:
    """Yield all tests so that waiting and computing ones run at the same time, from the start to the end.

    In the order of their files, all workers would compute at first and wait at last, with idle cores. `early` are those
    that take as long as many others.
    """
    slow = [*early, *waiting]
    done = 0
    for number, test in enumerate(slow, start=1):
        yield test
        until = int(len(computing) * WAITING_UNTIL * number / len(slow))
        yield from computing[done:until]
        done = until
    yield from computing[done:]


def _is_file(argument: str) -> bool:
    return argument.partition("::")[0].endswith(".py")
