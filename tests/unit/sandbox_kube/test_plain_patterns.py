"""Patterns without google-re2: the same answers for what schemas use."""

import re
from pathlib import Path

import pytest
import yaml

from hack.sandbox.kube.wire import patterns
from hack.sandbox.kube.wire.plain_patterns import compile_plainly
from tests.tables import each_row

CRDS = Path(__file__).resolve().parents[3] / "config" / "crd" / "bases"
MATCHES = [
    ("^a+$", "aa"),
    ("^a+$", "aa\n"),  # `$` of Python's own matches before a last newline
    ("^[a-z$]+$", "a$"),
    (r"^\$\d$", "$5"),
    (r"^\d$", "٣"),  # ASCII only
    (r"^[[:alnum:]]+$", "aB9"),
    (r"^[[:digit:]_]+$", "1_a"),
    (r"a\z", "ba"),
    (r"^(?P<year>\d{4})$", "2030"),
    (r"^[]a]+$", "]a"),
]


@each_row(("expression", "text"), MATCHES)
def test_it_matches_as_re2_does(expression: str, text: str) -> None:
    """Anchors, classes, flags and groups."""
    re2 = pytest.importorskip("re2")
    assert (compile_plainly(expression).search(text) is not None) == (re2.search(expression, text) is not None)


@pytest.mark.parametrize(
    "expression", ["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", "(?>a)", "a++", r"a\Z", "(a", "[[:what:]]"]
)
def test_what_re2_refuses_is_refused(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of an API server's error, or Python's."""
    with pytest.raises(patterns.BadPatternError):
        patterns.compile_pattern.__wrapped__(expression)
    monkeypatch.setattr(patterns, "re2", None)
    with pytest.raises(patterns.BadPatternError):
        patterns.compile_pattern.__wrapped__(expression)


def test_every_pattern_of_our_crds_compiles() -> None:
    """What `make run` needs, on any Python."""
    found = {
        each
        for path in CRDS.glob("*.yaml")
        for each in re.findall(r"^ +pattern: (.+)$", path.read_text(), re.MULTILINE)
    }
    assert len(found) > 20
    for each in found:
        compile_plainly(yaml.safe_load(each))
