"""What listing the tests has cost, by counts: every process of a run lists all of them before the first one runs."""

import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

HEAVY: Final = frozenset({"cryptography", "jsonschema.validators", "kubernetes", "moto", "rich", "uvicorn"})
"""Modules that take as long to import as hundreds of tests to list: see `tests.late`, or import them where they are
used."""
WORLD: Final = "tests.fakes.world"


@dataclass(frozen=True, slots=True)
class Collected:
    """What was done to list the tests."""

    heavy: frozenset[str]
    """Those of `HEAVY` that were imported."""
    worlds: int
    """Worlds that were made: lives are played in tests."""
    cells: Mapping[str, int]
    """Tests in `tests/unit` by their function, of those that take nothing but cells of a table."""


COLLECTED: Final = pytest.StashKey[Collected]()


def collected(items: Iterable[pytest.Item]) -> Collected:
    """Return what was done to list these tests, as far as this process has done nothing else."""
    world = sys.modules.get(WORLD)
    return Collected(
        heavy=HEAVY & sys.modules.keys(),
        worlds=0 if world is None else world.World.made,
        cells=Counter(item.nodeid.partition("[")[0] for item in items if _has_cells_only(item)),
    )


def _has_cells_only(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or not item.nodeid.startswith("tests/unit/"):
        return False
    columns = getattr(getattr(item, "callspec", None), "params", {}).keys()
    return bool(columns) and columns >= set(item._fixtureinfo.argnames)
