"""The commands of the user guides as data, and which test proves which of them.

`tests/data/guides/commands.yaml` holds the list. A test that runs commands of it has the mark `guide("B-23")`;
the marks are read from the sources, so that they do not depend on which tests were selected.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.documents import document

TESTS = Path(__file__).resolve().parent
LIST = TESTS / "data" / "guides" / "commands.yaml"
MARK = "guide"


@dataclass(frozen=True)
class Command:
    """One command of a guide, or a fact; the fields are described at the top of the list."""

    id: str
    run: str = ""
    see: tuple[str, ...] = ()
    cannot: str = ""
    also: str = ""
    fact: str = ""


@cache
def commands() -> Mapping[str, Command]:
    """All commands by id, in the order of the guides."""
    entries = document(LIST)
    found = [Command(**entry | {"see": tuple(entry.get("see", ()))}) for entry in entries]
    assert len({each.id for each in found}) == len(found), "an id is given twice"
    return {each.id: each for each in found}


@cache
def marked() -> tuple[tuple[str, str], ...]:
    """(id, where) of each command that a test is marked with."""
    return tuple(_marks())


def _marks() -> Iterator[tuple[str, str]]:
    for file in sorted(TESTS.rglob("test_*.py")):
        source = file.read_text("utf-8")
        if f"mark.{MARK}(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{MARK}":
                for argument in node.args:
                    yield ast.literal_eval(argument), f"{file.relative_to(TESTS.parent)}:{node.lineno}"
