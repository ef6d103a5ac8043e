"""How many processes share the tests of one run."""

import pytest

from tests.workers import MOST, how_many

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
