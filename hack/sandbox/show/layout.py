"""Lays rows out as lines of a terminal: which columns there is room for, and which rows. Pure.

What does not fit is left out in this order: the SageMaker name, the middle of long names, the age, the namespace;
of the rows, those that finished well, from the end. No column is empty, and no line is longer than the terminal.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hack.sandbox.kube.wire.human_time import human_duration
from hack.sandbox.show.rows import Row, folded, ordered

_GAP = 2
_SHORTEST_NAME = 16
_LONGEST_STATUS = 22
_COLOURS: Mapping[bool | None, str] = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line: pieces of text, each with a style of rich."""

    pieces: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """Return the line without styles."""
        return "".join(text for text, _ in self.pieces).rstrip()


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[Row], str]


def layout(
    rows: Sequence[Row], *, width: int, height: int, now: datetime, caption: str, pinned: str = ""
) -> list[Line]:
    """Return at most `height` lines of at most `width` characters, with the row of key `pinned` among them."""
    every = ordered(folded(rows))
    if not every:
        return [Line(((_cut(caption, width), "dim"),))]
    hidden = sum(row.folded for row in every)
    if hidden:
        caption += f"; +{hidden}: objects that the one of that row made"
    shown = _chosen(every, height - 2, pinned)
    left_out = Counter(row.status for row in every if row not in shown)
    if left_out:
        some = ", ".join(f"{count} {status}" for status, count in left_out.most_common())
        caption = f"and {left_out.total()} more: {some}; {caption}"
    lines = _table(shown, width, now)
    room = height - 2 - len(shown)
    for at in reversed(range(len(shown))):
        message = shown[at].message
        if message and room > 0:
            lines.insert(at + 2, Line(((_cut(f"    {' '.join(message.split())}", width), "dim"),)))
            room -= 1
    return [*lines, Line(((_cut(caption, width), "dim"),))]


def _chosen(rows: list[Row], most: int, pinned: str) -> list[Row]:
    """Return the first `most` rows, in their order; the pinned one is the last if it is not among them."""
    most = max(1, most)
    shown = rows[:most]
    extra = [row for row in rows[most:] if row.key == pinned]
    return [*shown[: most - len(extra)], *extra]


def _table(rows: Sequence[Row], width: int, now: datetime) -> list[Line]:
    columns = [
        _Column("KIND", lambda row: row.short_kind),
        _Column("NAMESPACE", lambda row: row.namespace),
        _Column("NAME", lambda row: row.name + (f" +{row.folded}" if row.folded else "")),
        _Column("STATUS", lambda row: _cut(row.stage, _LONGEST_STATUS)),
        _Column("DONE", lambda row: row.parts),
        _Column("AGE", lambda row: _age(row, now)),
        _Column("SAGEMAKER NAME", lambda row: row.remote_name),
    ]
    columns = [column for column in columns if any(column.cell(row) for row in rows)]
    widths = {column.title: max(len(column.title), *(len(column.cell(row)) for row in rows)) for column in columns}
    for title, least in (("SAGEMAKER NAME", 0), ("NAME", _SHORTEST_NAME), ("AGE", 0), ("NAMESPACE", 0)):
        excess = sum(widths.values()) + _GAP * (len(widths) - 1) - width
        if excess <= 0 or title not in widths:
            continue
        if least:
            widths[title] = max(least, widths[title] - excess)
        else:
            del widths[title]
    columns = [column for column in columns if column.title in widths]
    lines = [Line(_pieces([(column.title, "bold") for column in columns], [widths[c.title] for c in columns], width))]
    for row in rows:
        cells = [(column.cell(row), _style(column.title, row)) for column in columns]
        lines.append(Line(_pieces(cells, [widths[column.title] for column in columns], width)))
    return lines


def _pieces(cells: Sequence[tuple[str, str]], widths: Sequence[int], width: int) -> tuple[tuple[str, str], ...]:
    pieces, left = [], width
    for (text, style), wide in zip(cells, widths, strict=True):
        padded = f"{_shortened(text, wide):<{wide + _GAP}}"[:left]
        pieces.append((padded, style))
        left -= len(padded)
    return tuple(pieces)


def _style(title: str, row: Row) -> str:
    return _COLOURS[row.verdict] if title == "STATUS" else ""


def _age(row: Row, now: datetime) -> str:
    if not row.created_at:
        return ""
    return human_duration((now - datetime.fromisoformat(row.created_at)).total_seconds())


def _shortened(text: str, width: int) -> str:
    """Return the text without its middle: names that were generated differ at their end."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
