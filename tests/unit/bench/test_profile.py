"""The profile of the operator: what is measured, and how it is shown."""

from types import SimpleNamespace
from typing import Any

import pytest

from hack.bench import growth, profile
from hack.bench.profiler import ThreadProfile, merged
from hack.sandbox.samples import REPOSITORY
from tests.tables import each_row


class Script:
    """Calls and returns of a thread at given times, fed to a profile."""

    def __init__(self, cost_s: float = 0.0) -> None:
        self.now = 0.0
        self.profile = ThreadProfile(lambda: self.now, cost_s)

    def at(self, now: float, event: str, function: str) -> None:
        """Have one event happen."""
        self.now = now
        code = SimpleNamespace(co_filename="file.py", co_qualname=function)
        frame: Any = SimpleNamespace(f_code=code)
        self.profile(frame, event, None)

    @property
    def found(self) -> dict[str, list[float]]:
        """Return calls, own and total seconds by function."""
        return {name.partition(":")[2]: rest for name, *rest in merged([self.profile.found])}


def test_time_counts_for_a_function_and_for_what_it_calls() -> None:
    """Own time is what is left of the total without the calls."""
    script = Script()
    script.at(0.0, "call", "outer")
    script.at(1.0, "call", "inner")
    script.at(4.0, "return", "inner")
    script.at(10.0, "return", "outer")
    assert script.found == {"outer": [1, 7.0, 10.0], "inner": [1, 3.0, 3.0]}


def test_a_recursion_has_one_total() -> None:
    """Its inner calls are part of the outermost one."""
    script = Script()
    script.at(0.0, "call", "f")
    script.at(1.0, "call", "f")
    script.at(2.0, "return", "f")
    script.at(5.0, "return", "f")
    assert script.found == {"f": [2, 5.0, 5.0]}


def test_what_measuring_costs_is_deducted() -> None:
    """Each event within a call has added to it."""
    script = Script(cost_s=0.5)
    script.at(0.0, "call", "outer")
    script.at(1.0, "call", "inner")
    script.at(2.5, "return", "inner")
    script.at(6.0, "return", "outer")
    assert script.found == {"outer": [1, 3.5, 4.5], "inner": [1, 1.0, 1.0]}


def test_each_dump_has_what_came_since_the_last_one() -> None:
    """Calls that go on are counted when they began, and timed when they end; those from before are left out."""
    script = Script()
    script.at(0.0, "return", "began before the profile")
    script.at(1.0, "call", "long")
    assert script.found == {"long": [1, 0.0, 0.0]}
    script.at(3.0, "return", "long")
    assert script.found == {"long": [0, 2.0, 2.0]}
    assert script.found == {}


@each_row(
    ("function", "part"),
    [
        (f"{REPOSITORY}/controller/reconcile/job/decide.py:decide", "controller/reconcile/job"),
        (f"{REPOSITORY}/api/convert.py:to_status", "api/convert"),
        (f"{REPOSITORY}/tests/__init__.py:f", "tests"),
        (f"{pytest.__file__}:f", "pytest"),
        (":<dict.get>", "interpreter"),
        ("<string>:__init__", "interpreter"),
        ("orjson:<loads>", "orjson"),
    ],
)
def test_functions_belong_to_parts(function: str, part: str) -> None:
    """Ours to folders, others to packages."""
    assert profile.part_of(profile.short(function)) == part


def test_a_table_shows_shares_and_costs_of_a_job() -> None:
    """By part, by what ours take with all that they call, and by what each takes itself."""
    found = [(f"{REPOSITORY}/controller/app.py:run", 4, 1.0, 4.0), (":<dict.get>", 100, 3.0, 3.0)]
    lines = profile.cpu_table(found, jobs=2, lines=5)
    assert lines[0].startswith("4.00 s of CPU, for each of 2 jobs")
    assert [line.split() for line in lines if "interpreter" in line] == [
        ["75.0%", "1500.000", "ms", "50.0", "calls", "interpreter"]
    ]
    assert [line.split() for line in lines if "run" in line] == [
        ["100.0%", "2000.000", "ms", "2.0", "calls", "controller/app.py:run"],
        ["25.0%", "500.000", "ms", "2.0", "calls", "controller/app.py:run"],
    ]


def test_memory_is_shown_by_part() -> None:
    """The largest first."""
    found = [(f"{REPOSITORY}/controller/app.py", 1 << 20), (pytest.__file__, 3 << 20), ("<frozen x>", 0)]
    assert [line.split() for line in profile.memory_table(found, 64.0, 2)[1:]] == [
        ["3.00", "MB", "pytest"],
        ["1.00", "MB", "controller/app"],
    ]


def test_growth_is_the_cost_of_an_object_since_the_row_before() -> None:
    """What is there without objects does not count."""
    names = ("memory, MB", "CPU until quiet, s", "CPU of a resync, s")
    found = {1000: dict.fromkeys(names, 1.0), 3000: dict(zip(names, (3.0, 2.0, 1.5), strict=True))}
    *_, first, last = growth.table(found)
    assert first.endswith("|  |  |  |")
    assert last.endswith("| 1 | 0.5 | 0.25 |")
