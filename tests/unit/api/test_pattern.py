"""AWS's patterns in RE2: what is kept matches no less than AWS does."""

import re

import pytest

from api.schema.pattern import to_re2
from tests.tables import each_row


@each_row(
    ("aws", "re2"),
    [
        pytest.param("[a-z]+", "^[a-z]+$", id="anchored: AWS matches the whole text"),
        pytest.param("^[a-z]+$", "^[a-z]+$", id="not anchored twice"),
        pytest.param("a|b", "^(?:a|b)$", id="branches are grouped"),
        pytest.param("(a|b)c", "^(a|b)c$", id="branches in a group are one branch"),
        pytest.param("[|]", "^[|]$", id="a bar in a class is a character"),
        pytest.param(r"a\|b", r"^a\|b$", id="an escaped bar is a character"),
        pytest.param(r"US\$", r"^US\$$", id="an escaped dollar is a character"),
        pytest.param(r"arn:[\p{Alnum}\-]+", r"^arn:[a-zA-Z0-9\-]+$", id="Java's class names"),
        pytest.param(r"x/[\S]{1,2048}", r"^x/[\S]{1,}$", id="RE2 counts to 1000"),
        pytest.param(r"x{2000}", r"^x*$", id="a fixed number above 1000"),
        pytest.param(r"[a-z](-*[a-z]){0,62}", r"^[a-z](-*[a-z]){0,62}$", id="counts that RE2 takes"),
        pytest.param(r"([a-z]{1,63}){0,63}", "", id="counts that multiply to more than 1000"),
        pytest.param(r"a(?<!-)", "", id="look-behind"),
        pytest.param(r"(?!a).*", "", id="look-ahead"),
        pytest.param(".*", "", id="says nothing"),
        pytest.param(".+", "", id="says no more than a least length of 1"),
        pytest.param("", "", id="empty"),
    ],
)
def test_patterns_are_rewritten_or_left_to_aws(aws: str, re2: str) -> None:
    """RE2 syntax; Go refuses a CRD whose pattern does not compile."""
    assert to_re2(aws) == re2


def test_a_rewritten_pattern_still_tells_good_from_bad() -> None:
    """AWS's pattern for the ARN of a role, matched anywhere as the API server does."""
    pattern = re.compile(to_re2(r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"))

    assert pattern.search("arn:aws:iam::123456789012:role/x")
    assert not pattern.search("see arn:aws:iam::123456789012:role/x, please")
