"""Tables whose cells are checked in one test, or in one test per group, each as a subtest that is named in a failure.

A cell takes microseconds and a test of its own milliseconds, half of that before the first one runs: that is most of
the time where a table has many.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import update_wrapper
from inspect import Parameter, signature
from typing import Any, TypeAlias, cast

import pytest
from _pytest.mark import ParameterSet

Check: TypeAlias = Callable[..., None]
Ids: TypeAlias = Callable[[Any], object] | Iterable[str] | None
_Cells: TypeAlias = list[tuple[str, dict[str, Any]]]
_CELLS = "_cells"
"""Attribute of a test that `each_row` has made: its check, and the cells by name."""


def each_row(names: str | Sequence[str], values: Iterable[Any], ids: Ids = None) -> Callable[[Check], Check]:
    """Return a decorator for use as `pytest.mark.parametrize`, that makes one test of a check instead of one per cell.

    It may stand above another one, for the product of both. For checks that are quick and leave nothing behind: what
    fixtures give is the same for all cells.
    """
    listed = names.split(",") if isinstance(names, str) else names
    cells = _cells([name.strip() for name in listed], list(values), ids)

    def decorate(check: Check) -> Check:
        whole, inner = cast("tuple[Check, _Cells]", getattr(check, _CELLS, (check, [("", {})])))
        assert cells, "an empty table would pass"
        product = [
            (" ".join(filter(None, (outer_name, name))), {**outer, **given})
            for (outer_name, outer), (name, given) in itertools.product(cells, inner)
        ]

        parameters = signature(whole).parameters
        own = {"subtests"} & parameters.keys()

        def test(subtests: pytest.Subtests, **fixtures: Any) -> None:
            fixtures |= dict.fromkeys(own, subtests)
            for name, given in product:
                with subtests.test(name):
                    whole(**fixtures, **given)

        update_wrapper(test, whole)
        test.__dict__[_CELLS] = whole, product
        asked = [name for name in parameters if name not in product[0][1] and name not in own]
        keywords = [Parameter(name, Parameter.KEYWORD_ONLY) for name in (*asked, "subtests")]
        test.__signature__ = signature(whole).replace(parameters=keywords)  # type: ignore[attr-defined]
        return test

    return decorate


def _cells(names: Sequence[str], values: Sequence[Any], ids: Ids) -> _Cells:
    cells = []
    labels = None if ids is None or callable(ids) else list(ids)
    for number, value in enumerate(values):
        is_set = isinstance(value, ParameterSet)
        assert not (is_set and value.marks), "marks are for tests, not for cells"
        given = value.values if is_set else value if len(names) > 1 else (value,)
        if is_set and value.id is not None:
            name = str(value.id)
        elif labels is not None:
            name = labels[number]
        else:
            text_of = ids if callable(ids) else None
            name = "-".join(_name(text_of, label, each, number) for label, each in zip(names, given, strict=True))
        cells.append((name, dict(zip(names, given, strict=True))))
    return cells


def _name(ids: Callable[[Any], object] | None, label: str, value: Any, number: int) -> str:
    if ids is not None and (found := ids(value)) is not None:
        return str(found)
    if isinstance(value, str | int | float | Enum | None):
        return str(value)
    return str(getattr(value, "__name__", f"{label}{number}"))


def each_cell(groups: Mapping[str, Sequence[ParameterSet]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that makes a test per group of a check, which is called with the values of each cell."""

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        def test(group: str, subtests: pytest.Subtests) -> None:
            assert groups[group], "an empty table would pass"
            for cell in groups[group]:
                with subtests.test(str(cell.id)):
                    check(*cell.values)

        for attribute in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(test, attribute, getattr(check, attribute))
        return pytest.mark.parametrize("group", groups)(test)

    return decorate
