"""A table in one test checks every cell and names those that fail."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from inspect import signature
from typing import Any

import pytest

from tests.tables import each_row


class Subtests:
    """Notes the name of each subtest, and of each that fails."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.failed: list[str] = []

    @contextmanager
    def test(self, name: str) -> Iterator[None]:
        """As `pytest.Subtests.test`: a failure is noted and the rest goes on."""
        self.names.append(name)
        with suppress(AssertionError):
            yield
            return
        self.failed.append(name)


def run(test: Any, **fixtures: Any) -> Subtests:
    subtests = Subtests()
    test(subtests=subtests, **fixtures)
    return subtests


def test_every_cell_is_checked_and_those_that_fail_are_named() -> None:
    """A failure does not hide the next."""

    @each_row("number", [1, 2, 3])
    def is_odd(number: int) -> None:
        assert number % 2

    subtests = run(is_odd)
    assert subtests.names == ["1", "2", "3"]
    assert subtests.failed == ["2"]


def test_tables_multiply() -> None:
    """As those of `pytest.mark.parametrize` do."""
    seen = []

    @each_row("word", ["a", "b"])
    @each_row(("left", "right"), [(1, 2), pytest.param(3, 4, id="more")])
    def check(word: str, left: int, right: int) -> None:
        seen.append((word, left, right))

    assert run(check).names == ["a 1-2", "a more", "b 1-2", "b more"]
    assert seen == [("a", 1, 2), ("a", 3, 4), ("b", 1, 2), ("b", 3, 4)]


@pytest.mark.parametrize(("ids", "names"), [(["x", "y"], ["x", "y"]), (str.upper, ["A", "B"]), (None, ["a", "b"])])
def test_cells_have_the_names_that_they_are_given(ids: Any, names: list[str]) -> None:
    """Of a list or of a function."""
    test = each_row("word", ["a", "b"], ids=ids)(lambda word: None)
    assert run(test).names == names


def test_what_is_no_column_comes_from_fixtures_and_other_parameters() -> None:
    """The test asks pytest for it."""
    seen = []
    test = each_row("word", ["a", "b"])(lambda word, monkeypatch: seen.append((word, monkeypatch)))
    assert list(signature(test).parameters) == ["monkeypatch", "subtests"]
    run(test, monkeypatch=7)
    assert seen == [("a", 7), ("b", 7)]


def test_an_empty_table_is_a_mistake() -> None:
    """It would pass for ever."""
    with pytest.raises(AssertionError, match="empty"):
        each_row("word", [])(lambda word: None)


def test_a_mark_on_a_cell_is_a_mistake() -> None:
    """It would have no effect."""
    with pytest.raises(AssertionError, match="marks"):
        each_row("word", [pytest.param("a", marks=pytest.mark.long)])
