"""Decision tables as text: every cell of the product of some dimensions stands in exactly one row.

A table is read by people first. Its columns are the dimensions and what is expected; a field of a dimension lists
values, or is `*` for all of them. `Table` checks that no cell is forgotten or contradicted and that no row is idle.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from api.descriptor import KindDescriptor
from controller.reconcile.status.patch import Facts, next_status
from controller.reconcile.steps import StatusUpdate
from hack import models

Cell = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One line: the values of each dimension that it speaks for, and what it expects."""

    values: Mapping[str, frozenset[str]]
    expected: Mapping[str, str]

    def holds(self, cell: Cell) -> bool:
        """Whether the row speaks for the cell."""
        return all(cell[name] in values for name, values in self.values.items())


@dataclass(frozen=True)
class Table:
    """Rows over dimensions; `cells` are those combinations that can be."""

    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]

    def expected(self, cell: Cell) -> Mapping[str, str]:
        """What the one row that speaks for the cell says. Fails the test for none, and for several."""
        rows = [row for row in self.rows if row.holds(cell)]
        assert len(rows) == 1, f"{len(rows)} rows speak for {dict(cell)}: {rows}"
        return rows[0].expected

    def idle(self) -> list[Row]:
        """Rows that speak for no cell: words without meaning."""
        return [row for row in self.rows if not any(row.holds(cell) for cell in self.cells)]

    def differences(self, decided: Callable[[Cell], Mapping[str, str]]) -> str:
        """Cells in which `decided` departs from the table, a line each; empty where all is as written."""
        wrong = []
        for cell in self.cells:
            is_so, should = decided(cell), self.expected(cell)
            if dict(is_so) != dict(should):
                wrong.append(f"{' '.join(cell.values())}: {dict(is_so)}, not {dict(should)}")
        return "\n".join(wrong)


def table(text: str, dimensions: Mapping[str, Sequence[str]], can_be: Callable[[Cell], bool] | None = None) -> Table:
    """Read a table whose first line names the columns; fields are parted by `|`, values in a field by spaces.

    `dimensions` gives all values by name, `can_be(cell)` whether a combination exists at all. Raises AssertionError
    for a value that no dimension has.
    """
    head, *lines = [line for line in text.strip().splitlines() if line.strip() and set(line.strip()) - set("-+| ")]
    names = [name.strip() for name in head.split("|")]
    rows = []
    for line in lines:
        fields = dict(zip(names, (field.strip() for field in line.split("|")), strict=True))
        values = {}
        for name, known in dimensions.items():
            listed = frozenset(known) if fields[name] == "*" else frozenset(fields[name].split())
            assert listed <= set(known), f"{listed - set(known)}: not in {name}: {line}"
            values[name] = listed
        rows.append(Row(values, {name: field for name, field in fields.items() if name not in dimensions}))
    product = (dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values()))
    return Table(tuple(cell for cell in product if can_be is None or can_be(cell)), tuple(rows))


def true_conditions(
    descriptor: KindDescriptor, before: Mapping[str, Any], status_update: StatusUpdate | None, now: datetime
) -> str:
    """Types of the conditions that are True after the view, in the order of the API; "as before" without a view."""
    if status_update is None:
        return "as before"
    status = next_status(descriptor, before, status_update, Facts(2, now))
    return " ".join(each["type"] for each in status["conditions"] if each["status"] == "True")


@cache
def enum(service: str, shape: str) -> frozenset[str]:
    """The values that AWS's service model lists for a shape."""
    values: list[str] = models.read(service)["shapes"][shape]["enum"]
    return frozenset(values)
