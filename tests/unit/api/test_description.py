"""Documentation becomes one short plain text."""

import pytest

from api.schema.description import LIMIT, plain
from tests.tables import each_row


@each_row(
    ("html", "text"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("Plain text.", "Plain text.", id="plain text passes"),
        pytest.param("<p>The <code>name</code>  of\n it. </p> <p>More.</p>", "The name of it.", id="first paragraph"),
        pytest.param("<p> </p><p>Real.</p>", "Real.", id="empty paragraphs do not count"),
        pytest.param("<p>A &amp; B.</p>", "A & B.", id="character references"),
        pytest.param(
            "<p>It is. For more information, see <a href='x'>it</a>.</p>", "It is.", id="pointers are dropped"
        ),
        pytest.param("<p>For more information, see it.</p><p>It is.</p>", "It is.", id="a paragraph of pointers"),
        pytest.param("<p>It is. One of:</p><ul><li>A</li></ul>", "It is.", id="a list is not announced"),
        pytest.param(
            "<p>One of the following:</p><ul><li>A</li></ul>", "One of the following.", id="or not with a colon"
        ),
        pytest.param("<p>Use e.g. The one.</p>", "Use e.g. The one.", id="abbreviations end no sentence"),
    ],
)
def test_what_is_kept(html: str, text: str) -> None:
    """Leading sentences of the first paragraph that says something."""
    assert plain(html) == text


def test_sentences_are_kept_whole_up_to_the_limit() -> None:
    """kubectl explain is for reading."""
    text = plain("<p>" + "This sentence has exactly forty letters. " * 20 + "</p>")

    assert len(text) <= LIMIT
    assert text.endswith("letters.")


def test_one_sentence_above_the_limit_is_cut_at_a_word() -> None:
    """Marked as cut."""
    text = plain("<p>" + "word " * 100 + ".</p>")

    assert len(text) <= LIMIT
    assert text.endswith("word…")
