"""Converts AWS's HTML documentation to a short plain text for `kubectl explain`."""

import re
from html.parser import HTMLParser
from typing import Final

LIMIT: Final = 280
"""Characters. The CRD of a kind must stay well below the 256 KiB of the last-applied annotation."""

_BLOCKS: Final = frozenset({"p", "ul", "ol", "li", "note", "important", "para", "dl", "dt", "dd", "br"})
# The text after these words refers to web pages, or applies to every field of every API.
_POINTERS: Final = ("For more information", "To learn more", "For information about", "For a list of", "See ")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_ABBREVIATION: Final = re.compile(r"(?:\be\.g|\bi\.e|\betc|\bvs|\bAmazon\.com)\.$", re.IGNORECASE)


def plain(html: str) -> str:
    """Return the first sentences of `html` up to LIMIT characters, without markup; empty for empty input.

    Plain text is shortened likewise. Only the first paragraph with content is used.
    """
    for paragraph in _paragraphs(html):
        kept = [sentence for sentence in _sentences(paragraph) if not sentence.startswith(_POINTERS)]
        if kept:
            return _fit(kept)
    return ""


def _fit(sentences: list[str]) -> str:
    text = sentences[0]
    for sentence in sentences[1:]:
        # A colon announces a list, which is not shown.
        if len(text) + 1 + len(sentence) > LIMIT or sentence.endswith(":"):
            break
        text = f"{text} {sentence}"
    if len(text) > LIMIT:
        text = text[: LIMIT - 1].rsplit(" ", 1)[0].rstrip(",;:") + "…"
    # A list or an example followed in the HTML.
    return re.sub(r"[:,]$", ".", text)


def _sentences(paragraph: str) -> list[str]:
    sentences: list[str] = []
    for part in _SENTENCE_END.split(paragraph):
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] = f"{sentences[-1]} {part}"
        else:
            sentences.append(part)
    return sentences


def _paragraphs(html: str) -> list[str]:
    parser = _Text()
    parser.feed(html)
    parser.close()
    return [text for block in parser.blocks if (text := " ".join("".join(block).split()))]


class _Text(HTMLParser):
    """Collects text by block element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[list[str]] = [[]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base's signature
        if tag in _BLOCKS:
            self.blocks.append([])

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.blocks.append([])

    def handle_data(self, data: str) -> None:
        self.blocks[-1].append(data)
