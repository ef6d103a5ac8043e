"""Writes text: lines to standard output, messages to standard error, a status line to a terminal only."""

import select
import shutil
import threading
from collections.abc import Iterable, Mapping
from typing import Final, TextIO

from controller.smlogs.events import LogEvent
from controller.smlogs.printing.lines import Format

_CLEAR: Final = "\r\x1b[K"


def wants_colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to write colours: `stream` is a terminal with colours, and NO_COLOR (no-color.org) is not set."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Output:
    """Prints. Outputs of several threads share a `lock`, so that lines stay whole. A closed pipe is BrokenPipeError."""

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        lines: Format,
        lock: "threading.Lock | None" = None,
        *,
        has_status: bool = True,
    ) -> None:
        """`has_status`: whether to write a status line, where there is a terminal for it."""
        self._out = out
        self._err = err
        self._lines = lines
        self._lock = lock or threading.Lock()
        self._has_status_line = has_status and err.isatty()
        self._status = ""
        self.printed = 0
        """Events printed so far."""

    def show(self, events: Iterable[LogEvent]) -> None:
        """Print events and flush."""
        with self._lock:
            text = [self._lines.text(event) for event in events]
            if text:
                self._clear_status_locked()
                self.printed += len(text)
                self._out.write("".join(text))
                self._out.flush()

    def say(self, words: str) -> None:
        """Print a message for the user."""
        with self._lock:
            self._clear_status_locked()
            self._err.write(f"{words}\n")
            self._err.flush()

    def status(self, words: str) -> None:
        """Print a status line, which the next output replaces; does nothing without a terminal."""
        if not self._has_status_line or words == self._status:
            return
        with self._lock:
            self._status = words
            width = shutil.get_terminal_size().columns - 1
            self._err.write(f"{_CLEAR}{words[:width]}")
            self._err.flush()

    def clear_status(self) -> None:
        """Remove the status line."""
        with self._lock:
            self._clear_status_locked()

    def _clear_status_locked(self) -> None:
        if self._status:
            self._status = ""
            self._err.write(_CLEAR)
            self._err.flush()

    def check_reader(self) -> None:
        """Raise BrokenPipeError if the reader of a pipe has ended: without lines to write, nothing else detects it."""
        if not hasattr(select, "poll"):  # Windows: writing the next line detects it
            return
        poller = select.poll()
        try:
            poller.register(self._out.fileno(), 0)
        except (OSError, ValueError):  # no file descriptor: no reader that could end
            return
        # Always reported, without being requested: POLLERR by Linux, POLLHUP by macOS.
        if any(happened & (select.POLLERR | select.POLLHUP) for _, happened in poller.poll(0)):
            raise BrokenPipeError
