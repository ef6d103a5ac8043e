"""Shows the objects' status as a live table on a terminal, and as one line per change elsewhere."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import IO, Protocol

from hack.sandbox.show.layout import Line, layout
from hack.sandbox.show.rows import Row, changes, folded

_CAPTION = "Ctrl-C ends it"
_DUMB = frozenset({"", "dumb", "unknown"})


class View(Protocol):
    """Shows rows as they change."""

    def show(self, rows: list[Row]) -> None:
        """Show the current rows."""
        ...

    def note(self, text: str) -> None:
        """Show a message in addition to the rows."""
        ...

    def close(self) -> None:
        """Stop updating the screen."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class LineView:
    """One line per change: for pipes, files, CI and terminals that cannot move their cursor."""

    def __init__(self, out: IO[str], now: Callable[[], datetime] = _now) -> None:
        self._out = out
        self._now = now
        self._rows: list[Row] = []

    def show(self, rows: list[Row]) -> None:
        """Print the changes since the last call."""
        stamp = self._now().strftime("%H:%M:%S")
        current = folded(rows)
        for line in changes(self._rows, current):
            print(f"{stamp}  {line}", file=self._out, flush=True)
        self._rows = current

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._out, flush=True)

    def close(self) -> None:
        """Do nothing: there are no resources to release."""


class TableView:
    """A table that is redrawn in place, never larger than the terminal."""

    def __init__(self, out: IO[str], pinned: str = "", now: Callable[[], datetime] = _now) -> None:
        """Start drawing on `out`; the row of key `pinned` is always shown."""
        from rich.console import Console  # noqa: PLC0415 - costs 0.2 s, needed on terminals only
        from rich.live import Live  # noqa: PLC0415

        self._pinned = pinned
        self._now = now
        self._drawn: list[Line] = []
        self._live = Live(console=Console(file=out), auto_refresh=False, vertical_overflow="crop")
        self._live.start()

    def show(self, rows: list[Row]) -> None:
        """Redraw the table if a line has changed."""
        from rich.text import Text  # noqa: PLC0415

        # one column and one line less: a terminal may wrap or scroll when its last cell is written
        width, height = self._live.console.width - 1, self._live.console.height - 1
        lines = layout(rows, width=width, height=height, now=self._now(), caption=_CAPTION, pinned=self._pinned)
        if lines == self._drawn:
            return
        # Text, not str: a name or message with square brackets would be read as markup.
        text = Text("\n").join(Text.assemble(*line.pieces) for line in lines)
        text.no_wrap = True
        self._live.update(text, refresh=True)
        self._drawn = lines

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._live.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the last table on the screen."""
        self._live.stop()


def view_for(out: IO[str], pinned: str = "", environment: Mapping[str, str] = os.environ) -> View:
    """Return the view that suits the stream: a table needs a terminal with a cursor that moves."""
    is_able = out.isatty() and environment.get("TERM", "") not in _DUMB
    return TableView(out, pinned) if is_able else LineView(out)
