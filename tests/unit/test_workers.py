"""How many processes share the tests of one run."""

import itertools

import pytest

from tests.workers import COMPUTING, MOST, how_many, in_order

ALL = ["tests/unit", "tests/property", "tests/faults", "tests/sandbox"]


@pytest.mark.parametrize(
    ("selected", "workers"),
    [
        pytest.param(ALL, 5, id="everything, much of which waits"),
        pytest.param(["tests/sandbox/"], 5, id="servers and operators"),
        pytest.param(["tests/sandbox/test_hosting.py"], 2, id="one file of them starts soon"),
        pytest.param(["tests/sandbox/test_hosting.py::test_a", "tests/sandbox"], 5, id="a folder and a test"),
        pytest.param(["tests/unit", "tests/faults"], 2, id="what computes"),
        pytest.param(["tests/unit/sandbox_kube"], 2, id="the sandbox's own unit tests compute, too"),
        pytest.param(["tests/unit/runtime/test_store.py", "tests/unit/test_main.py"], 2, id="two files"),
        pytest.param(["tests/unit/runtime/test_store.py"], 0, id="one file is over before a worker has started"),
        pytest.param(["tests/sandbox/test_hosting.py::test_a"], 0, id="one test"),
    ],
)
def test_what_is_selected_decides_on_two_cores(selected: list[str], workers: int) -> None:
    """One that is over at once needs no worker; those that wait for others leave their core to more."""
    assert how_many(selected, cores=2) == workers


def test_what_a_name_selects_is_mostly_collecting() -> None:
    """`-k`: every worker collects everything, so there is one for each core."""
    assert how_many(ALL, cores=2, is_narrowed=True) == 2


def test_large_machines_do_not_collect_a_hundred_times() -> None:
    """Each worker costs seconds of CPU before its first test."""
    assert how_many(ALL, cores=96) == MOST


def parts_of(ordered: list[str], workers: int) -> list[list[str]]:
    """The first tests of each worker, as pytest-xdist hands them out."""
    parts = []
    for part in range(workers):
        count = len(ordered) // (workers - part)
        parts.append(ordered[:count])
        ordered = ordered[count:]
    return parts


def test_some_workers_begin_with_what_waits_and_the_others_compute() -> None:
    """What takes longest is the first of its part; modules stay together."""
    early = ["E1", "E2", "E3"]
    waiting = [f"{module}{number}" for module in "ABC" for number in range(2)]
    computing = [f"c{number}" for number in range(41)]
    parts = parts_of(in_order(early, waiting, computing, 5), 5)
    assert [part[:4] for part in parts[:3]] == [
        ["E1", "A0", "A1", "c0"],
        ["E2", "B0", "B1", "c7"],
        ["E3", "C0", "C1", "c14"],
    ]
    assert all(test in computing for part in parts[-COMPUTING:] for test in part)


@pytest.mark.parametrize("early", [0, 1, 4])
@pytest.mark.parametrize("waiting", [0, 1, 9, 100])
@pytest.mark.parametrize("computing", [0, 1, 9, 100])
def test_every_test_runs_once(early: int, waiting: int, computing: int) -> None:
    """However few there are for however many workers; what waits keeps its order within a part."""
    tests = [
        [f"{name}{number}" for number in range(count)]
        for name, count in zip("ewc", (early, waiting, computing), strict=True)
    ]
    for workers in range(1, MOST + 1):
        ordered = in_order(*tests, workers)
        assert sorted(ordered) == sorted(itertools.chain(*tests))
        for part in parts_of(ordered, workers):
            numbers = [int(name[1:]) for name in part if name[0] == "w"]
            assert numbers == sorted(numbers)
