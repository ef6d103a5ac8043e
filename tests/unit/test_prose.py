"""Comments and docstrings are plain English: a few words that ours once overused have a budget (CONTRIBUTING.md)."""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
COVERED = (
    "api/**/*.py",
    "controller/*.py",
    "controller/aws/**/*.py",
    "controller/kube/**/*.py",
    "controller/metricsproxy/**/*.py",
    "controller/observability/**/*.py",
    "controller/reconcile/**/*.py",
    "controller/runtime/**/*.py",
    "controller/smlogs/**/*.py",
    "hack/**/*.py",
)
"""Modules that share the budgets, as patterns below the repository."""
GENERATED = ROOT / "api" / "client" / "models"
"""Mostly AWS's own words."""
BUDGETS = {
    "tell": (3.0, re.compile(r"\b(?:tell|tells|told|telling)\b", re.IGNORECASE)),
    "nobody": (2.0, re.compile(r"\b(?:nobody|somebody)\b", re.IGNORECASE)),
    "whose": (2.0, re.compile(r"\b(?:whose|whoever|whomever)\b", re.IGNORECASE)),
    "archaic": (1.0, re.compile(r"\b(?:anew|beside|shall)\b", re.IGNORECASE)),
}
"""Name → (occurrences allowed in 10,000 words, pattern)."""
_WORD = re.compile(r"[A-Za-z][\w'-]*")


def prose(source: str) -> Iterator[str]:
    """Yield the comments and the docstrings of a module, those of attributes included; no other string."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def excesses(sources: dict[str, str]) -> dict[str, list[str]]:
    """Return the budgets that `sources` (name → text) exceed, each with the counts by source, largest first."""
    words = 0
    used: dict[str, Counter[str]] = {name: Counter() for name in BUDGETS}
    for source, text in sources.items():
        for piece in prose(text):
            words += len(_WORD.findall(piece))
            for name, (_, pattern) in BUDGETS.items():
                used[name][source] += len(pattern.findall(piece))
    return {
        name: [f"{source}: {count}" for source, count in used[name].most_common() if count]
        for name, (budget, _) in BUDGETS.items()
        if used[name].total() > budget * words / 10_000
    }


def test_the_code_keeps_the_budget_of_every_word() -> None:
    """The house rule: functions return, raise, record and requeue; they do not tell."""
    found = {pattern: sorted(ROOT.glob(pattern)) for pattern in COVERED}
    assert all(found.values()), "a pattern matches no module"
    paths = sorted({path for paths in found.values() for path in paths if path.parent != GENERATED})
    assert excesses({str(path.relative_to(ROOT)): path.read_text() for path in paths}) == {}


def test_only_comments_and_docstrings_are_counted() -> None:
    """Messages for users, names and data are not prose of the code; a docstring of an attribute is."""
    source = '''"""Somebody."""\nx = 1\n"""Told."""\ny = "nobody tells"\ntell = y  # anew\n'''
    assert sorted(prose(source)) == ["# anew", "Somebody.", "Told."]


def test_an_exceeded_budget_names_the_modules() -> None:
    """One word in five is too many; other budgets are not affected."""
    assert excesses({"a.py": '"""It tells nothing at all."""\n', "b.py": "# plain words\n"}) == {"tell": ["a.py: 1"]}
