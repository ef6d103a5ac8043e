"""Formats a log event: `<stream> <time> <message>`, the time as Go writes it (guide F-3e); or as JSON, one a line."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from controller.smlogs.events import LogEvent

_COLOURS: Final = ("36", "33", "32", "35", "34", "31", "96", "93", "92", "95", "94", "91")
"""SGR codes of foreground colours that are readable on dark and on light backgrounds, the most distinct ones first."""


def go_time(time_ms: int) -> str:
    """Format a time in UTC as Go's `Time.String` does: the fraction has no trailing zeros, and may be missing."""
    seconds, milliseconds = divmod(time_ms, 1000)
    fraction = f".{milliseconds:03d}".rstrip("0") if milliseconds else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


class Format(Protocol):
    """Formats events as text."""

    def text(self, event: LogEvent) -> str:
        """Return the line or lines of an event, with the final newline."""
        ...


class JsonLines:
    """Formats events as JSON for programs: one object a line, always with stream and time."""

    def text(self, event: LogEvent) -> str:
        """Return the object of an event; the time is RFC 3339 with milliseconds."""
        time = datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        shown = {
            "stream": event.stream,
            "time": time.replace("+00:00", "Z"),
            "message": event.message.removesuffix("\n"),
        }
        return f"{json.dumps(shown, ensure_ascii=False)}\n"


@dataclass(slots=True)
class Lines:
    """Formats events as text. With colours, each stream (an instance) keeps its first colour."""

    hide_stream: bool = False
    timestamps: bool = True
    is_coloured: bool = False
    _colour_of: dict[str, str] = field(default_factory=dict)

    def text(self, event: LogEvent) -> str:
        """Return the line or lines of an event, with the final newline."""
        parts = [] if self.hide_stream else [event.stream]
        if self.timestamps:
            parts.append(go_time(event.time_ms))
        prefix = " ".join(parts)
        if prefix and self.is_coloured:
            prefix = f"\x1b[{self._colour(event.stream)}m{prefix}\x1b[0m"
        message = event.message.removesuffix("\n")
        return f"{prefix} {message}\n" if prefix else f"{message}\n"

    def _colour(self, stream: str) -> str:
        return self._colour_of.setdefault(stream, _COLOURS[len(self._colour_of) % len(_COLOURS)])
