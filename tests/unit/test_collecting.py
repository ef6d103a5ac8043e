"""Listing the tests is quick: it imports little, plays nothing, and makes no test of each cell of a large table."""

import pytest

from tests.collecting import COLLECTED, Collected

MOST_CELLS = 24


@pytest.fixture
def collected(pytestconfig: pytest.Config) -> Collected:
    """Of this very process."""
    return pytestconfig.stash[COLLECTED]


def test_no_heavy_package_is_imported_to_list_the_tests(collected: Collected) -> None:
    """A test that needs one imports it where it is used."""
    assert not collected.heavy


def test_nothing_is_played_to_list_the_tests(collected: Collected) -> None:
    """A scenario whose steps make the tests is played in one test, with a subtest for each step."""
    assert collected.worlds == 0


def test_large_tables_are_checked_in_one_test(collected: Collected) -> None:
    """By `tests.tables.each_row`: pytest spends more on a test than most cells take."""
    large = {name: cells for name, cells in collected.cells.items() if cells > MOST_CELLS}
    assert not large
