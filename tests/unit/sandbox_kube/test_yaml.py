"""YAML bodies as sigs.k8s.io/yaml reads them, and where they differ from JSON."""

import pytest

from hack.sandbox.kube.wire.codec import ParseError, parse_yaml


@pytest.mark.parametrize("text", ['{"a": "\\ud834\\udd1e"}', '{"a": "\\\\\\ud834\\udd1e"}', 'a: "\\ud834\\udd1e"'])
def test_halves_of_a_character_are_no_yaml(text: str) -> None:
    """An apply is YAML, and many JSON encoders write characters beyond the first plane as two escapes."""
    with pytest.raises(ParseError, match="yaml: found invalid Unicode character escape code"):
        parse_yaml(text.encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "\U0001d11e"}', "\U0001d11e"),
        ('{"a": "\\u00fc"}', "\u00fc"),
        ('{"a": "\\\\ud834"}', "\\ud834"),
    ],
)
def test_other_characters_are_read(text: str, value: str) -> None:
    """Escaped or not."""
    assert parse_yaml(text.encode()) == {"a": value}
