"""Tables whose cells are checked in one test per group, each as a subtest that is named in a failure.

A cell takes microseconds and a test of its own milliseconds, which is most of the time where a table has hundreds.
"""

from collections.abc import Callable, Mapping, Sequence

import pytest
from _pytest.mark import ParameterSet


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
