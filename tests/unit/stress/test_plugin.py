"""The order of tests in a stress run."""

import random

from hack.stress.plugin import shuffled

TESTS = [(file, number) for file in "abcdef" for number in range(10)]


def order(seed: int) -> list[tuple[str, int]]:
    """The tests in that seed's order."""
    return shuffled(TESTS, lambda test: test[0], seed)


def test_every_test_runs_once() -> None:
    """Shuffling loses none."""
    assert sorted(order(1)) == TESTS


def test_the_seed_determines_the_order() -> None:
    """So that a failure can be repeated, and that all workers of pytest-xdist agree."""
    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(5)}) == 5


def test_files_and_the_tests_in_each_change_places() -> None:
    """Two tests of a file run in either order, and so do two files."""
    orders = [order(seed) for seed in range(20)]
    for one, two in [(("a", 0), ("a", 1)), (("a", 0), ("f", 0))]:
        assert {found.index(one) < found.index(two) for found in orders} == {True, False}


def test_the_tests_of_a_file_stay_together() -> None:
    """The servers that they share are started once."""
    files = [file for file, _ in order(1)]
    assert [files[place : place + 10] for place in range(0, 60, 10)] == [[file] * 10 for file in files[::10]]


def test_what_the_tests_draw_themselves_is_not_touched() -> None:
    """The seed is that of the order only."""
    random.seed(3)
    undisturbed = random.random()
    random.seed(3)
    order(1)
    assert random.random() == undisturbed
