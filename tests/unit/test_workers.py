"""How many processes share the tests of one run."""

import itertools

import pytest

from tests.tables import each_row
from tests.workers import MOST, how_many, in_order, unit_of

ALL = ["tests/unit", "tests/property", "tests/faults", "tests/sandbox"]


@each_row(
    ("selected", "workers"),
    [
        pytest.param(ALL, 7, id="everything, much of which waits"),
        pytest.param(["tests/sandbox/"], 7, id="servers and operators"),
        pytest.param(["tests/sandbox/test_hosting.py"], 2, id="one file of them starts soon"),
        pytest.param(["tests/sandbox/test_hosting.py::test_a", "tests/sandbox"], 7, id="a folder and a test"),
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


def test_what_waits_is_spread_over_what_computes() -> None:
    """What takes longest is first; a run ends with short tests."""
    ordered = list(in_order(["E"], ["a", "b", "c"], [f"c{number}" for number in range(20)]))
    places = [ordered.index(name) for name in ("E", "a", "b", "c")]
    assert places == [0, 5, 11, 16]
    assert sorted(ordered) == sorted({*ordered})
    assert len(ordered) == 24


@each_row("early", [0, 1, 4])
@each_row("waiting", [0, 1, 100])
@each_row("computing", [0, 1, 9, 100])
def test_every_test_runs_once(early: int, waiting: int, computing: int) -> None:
    """However few there are of a sort; each sort keeps its order."""
    tests = [
        [f"{name}{number}" for number in range(count)]
        for name, count in zip("ewc", (early, waiting, computing), strict=True)
    ]
    ordered = list(in_order(*tests))
    assert sorted(ordered) == sorted(itertools.chain(*tests))
    for sort in tests:
        assert [each for each in ordered if each in sort] == sort


@each_row(
    ("nodeid", "unit"),
    [
        ("tests/sandbox/test_hosting.py::test_a[1]", "tests/sandbox/test_hosting.py::test_a[1]"),
        ("tests/sandbox/test_alerts.py::test_a[1]", "tests/sandbox/test_alerts.py"),
        ("tests/unit/test_workers.py::test_a[1-b::c]", "tests/unit/test_workers.py::test_a"),
        (
            "tests/unit/kube/test_client.py::TestFailures::test_a",
            "tests/unit/kube/test_client.py::TestFailures::test_a",
        ),
        ("tests/unit/api/test_fields.py::test_a", "tests/unit/api/test_fields.py"),
    ],
)
def test_tests_that_share_a_fixture_of_their_module_run_in_one_process(nodeid: str, unit: str) -> None:
    """Else each process would set it up. Cases of a function are one unit, but where each of them takes long."""
    assert unit_of(nodeid) == unit
