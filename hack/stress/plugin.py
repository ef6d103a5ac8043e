"""A plugin of pytest that shuffles the tests and writes down those that failed."""

import random
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")


def shuffled(items: Iterable[T], group: Callable[[T], Hashable], seed: int) -> list[T]:
    """Return the items in an order that `seed` determines: the groups in random order, and each group's items, too.

    Items of a group stay together. With files as groups, servers that a file's tests share are started once.
    """
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(group(item), []).append(item)
    order = random.Random(seed)  # of our own: what tests draw does not depend on it
    members = list(groups.values())
    order.shuffle(members)
    for each in members:
        order.shuffle(each)
    return [item for each in members for item in each]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this plugin."""
    options = parser.getgroup("stress")
    options.addoption("--shuffle-seed", type=int, metavar="N", help="run the tests in the random order of this seed")
    options.addoption("--failures", type=Path, metavar="FILE", help="write the ids of failed tests there, one a line")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle; the same way in each worker, as pytest-xdist requires."""
    seed = config.getoption("--shuffle-seed")
    if seed is not None:
        items[:] = shuffled(items, lambda item: item.path, seed)


def pytest_configure(config: pytest.Config) -> None:
    """Listen to reports where they arrive: not in the workers."""
    path = config.getoption("--failures")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Failures(path))


class _Failures:
    """Writes each failure when it is reported, so that a run that is cut off has named them, too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.failed:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(report.nodeid.replace("\n", " ") + "\n")
