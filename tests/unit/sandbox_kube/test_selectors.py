"""Label and field selectors: what they select, and what is said about those that are none."""

import pytest

from hack.sandbox.kube.wire.errors import StatusError
from hack.sandbox.kube.wire.selectors import parse_field_selector, parse_label_selector
from tests.tables import each_row

LABELS = {"app": "web", "tier": "front", "size": "3"}


@each_row(
    ("selector", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier=back", False),
        ("app!=web", False),
        ("other!=web", True),
        ("app", True),
        ("!app", False),
        ("!other", True),
        ("tier in (front, back)", True),
        ("tier notin (front)", False),
        ("other notin (x)", True),
        ("size>2", True),
        ("size<3", False),
        ("app>2", False),
        ("app in (web),!other", True),
        ("app=", False),
        ("other in (,x)", False),
    ],
)
def test_label_selectors_select_as_documented(selector: str, selected: bool) -> None:
    """All terms must hold; a missing label satisfies only the negative ones."""
    assert parse_label_selector(selector).matches(LABELS) is selected


@each_row(
    ("selector", "message"),
    [
        ("a=(b", "unable to parse requirement: found '(', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a=b,", "found '', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
    ],
)
def test_a_label_selector_that_is_none_is_explained(selector: str, message: str) -> None:
    """The words are the API server's: people read them in kubectl's output."""
    with pytest.raises(StatusError) as refused:
        parse_label_selector(selector)
    assert (refused.value.code, refused.value.message) == (400, message)


def test_field_selectors_compare_text_and_unescape() -> None:
    """A missing field is the empty string; commas in values are escaped."""
    selector = parse_field_selector(r"a=1\,2,b!=x,c=", lambda label: label)

    assert selector.matches({"a": "1,2", "b": "y"})
    assert not selector.matches({"a": "1,2", "b": "x"})
    assert not selector.matches({"a": "1", "b": "y"})
