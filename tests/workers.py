"""Chooses how many processes `make test` starts: each of them imports and collects all that is selected."""

from collections.abc import Sequence
from typing import Final

MOST: Final = 8
"""More of them collect for longer than they save."""
WAITING: Final = 3
"""Workers that wait for servers and operators at any time: with fewer, two cores are idle for a third of a run."""


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


def _is_file(argument: str) -> bool:
    return argument.partition("::")[0].endswith(".py")
