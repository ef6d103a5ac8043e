"""Shows the objects' status as a live table on a terminal, and as one line per change elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, Protocol

from api.v1 import KINDS

# Successful and failed ends; every other status is in progress. See the status values of each kind in api/.
GOOD = frozenset({"Completed", "InService", "Created"})
BAD = frozenset({"Failed", "Stopped", "Error", "OutOfService", "UpdateRollbackFailed"})
_CAPTION = "Ctrl-C ends it"
_KINDS = {kind.kind: kind for kind in KINDS}
_COLOURS = {True: "green", False: "red", None: "yellow"}


@dataclass(frozen=True, slots=True)
class Row:
    """One object as shown. `message` is its problem, or empty."""

    kind: str
    namespace: str
    name: str
    status: str
    detail: str
    remote_name: str
    message: str

    @property
    def key(self) -> str:
        """Return kind and name in kubectl's form."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def verdict(self) -> bool | None:
        """Return True for success, False for failure, None if not finished."""
        return True if self.status in GOOD else False if self.status in BAD else None

    @property
    def state(self) -> str:
        """Return the status, with the secondary one if it adds information."""
        return f"{self.status} ({self.detail})" if self.detail and self.detail != self.status else self.status


def row_of(obj: Mapping[str, Any]) -> Row:
    """Return the row of an object of any of our kinds, from the status fields in its descriptor."""
    kind, status = _KINDS[obj["kind"]], obj.get("status") or {}
    secondary = kind.status.secondary_field
    return Row(
        kind=obj["kind"],
        namespace=obj["metadata"].get("namespace", ""),
        name=obj["metadata"]["name"],
        status=status.get(kind.status.field) or "Pending",
        detail=(status.get(secondary) or "") if secondary else _progress(status),
        remote_name=status.get(kind.name.status_field) or "",
        message=str(status.get("additional") or status.get("failureReason") or ""),
    )


def _progress(status: Mapping[str, Any]) -> str:
    """Return the progress of an object with parts: the jobs of a tuning job, the instances of an endpoint."""
    counters = status.get("trainingJobStatusCounters") or {}
    if counters:
        parts = {"completed": "completed", "inProgress": "running", "totalError": "failed", "stopped": "stopped"}
        return ", ".join(f"{counters[key]} {word}" for key, word in parts.items() if counters.get(key))
    variants = [row for row in status.get("productionVariants") or () if "currentInstanceCount" in row]
    return ", ".join(
        f"{row['variantName']} {row['currentInstanceCount']}/{row.get('desiredInstanceCount', '?')}" for row in variants
    )


def changes(before: Iterable[Row], after: Iterable[Row]) -> list[str]:
    """Return a line for each object that was added, changed its status or was removed."""
    old = {(row.namespace, row.key): row for row in before}
    lines = []
    for row in after:
        known = old.pop((row.namespace, row.key), None)
        if known is None or (known.state, known.message) != (row.state, row.message):
            why = f"  {row.message}" if row.message else ""
            is_new = row.remote_name and (known is None or known.remote_name != row.remote_name)
            remote = f"  {row.remote_name}" if is_new else ""
            lines.append(f"{row.key:<48} {row.state}{remote}{why}")
    lines += [f"{row.key:<48} gone" for row in old.values()]
    return lines


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


class LineView:
    """One line per change: for pipes, files and CI."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._rows: list[Row] = []

    def show(self, rows: list[Row]) -> None:
        """Print the changes since the last call."""
        stamp = datetime.now(UTC).strftime("%H:%M:%S")
        for line in changes(self._rows, rows):
            print(f"{stamp}  {line}", file=self._out, flush=True)
        self._rows = rows

    def note(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._out, flush=True)

    def close(self) -> None:
        """Do nothing: there are no resources to release."""


class TableView:
    """A table that is redrawn in place."""

    def __init__(self, out: IO[str]) -> None:
        from rich.console import Console  # noqa: PLC0415 - costs 0.2 s, needed on terminals only
        from rich.live import Live  # noqa: PLC0415

        self._rows: list[Row] = []
        self._live = Live(console=Console(file=out), auto_refresh=False)
        self._live.start()

    def show(self, rows: list[Row]) -> None:
        """Redraw the table if a row has changed."""
        if rows == self._rows:
            return
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(
            "OBJECT",
            "STATUS",
            "SAGEMAKER NAME",
            "MESSAGE",
            box=None,
            header_style="bold",
            caption=_CAPTION,
            caption_justify="left",
        )
        for row in rows:
            status = Text(row.state, style=_COLOURS[row.verdict])
            # Text, not str: a name or message with square brackets would be read as markup.
            table.add_row(Text(row.key), status, Text(row.remote_name), Text(row.message))
        self._live.update(table, refresh=True)
        self._rows = rows

    def note(self, text: str) -> None:
        """Print a line above the table."""
        self._live.console.print(text, markup=False)

    def close(self) -> None:
        """Leave the last table on the screen."""
        self._live.stop()


def view_for(out: IO[str]) -> View:
    """Return the view that suits the stream."""
    return TableView(out) if out.isatty() else LineView(out)
