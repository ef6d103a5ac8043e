"""Shows how far a wait is: one line that is replaced in a notebook, else a line for each change."""

import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Progress: TypeAlias = Callable[[str], None]
"""Takes a line about the object each time that it is another."""


def silent(line: str) -> None:
    """Show nothing."""


def shown() -> Progress:
    """Return the progress for where this runs: a notebook's cell, or the terminal."""
    display = _display()
    return printed if display is None else in_notebook(display)


def printed(line: str) -> None:
    """Print a line, at once also where output is a file."""
    print(line, flush=True)


def in_notebook(display: Callable[..., Any]) -> Progress:
    """Return a progress that replaces its line below the cell; `display` is IPython's."""
    handle: Any = None

    def show(line: str) -> None:
        nonlocal handle
        content = {"text/plain": line}
        if handle is None:
            handle = display(content, raw=True, display_id=True)
        else:
            handle.update(content, raw=True)

    return show


def _display() -> Callable[..., Any] | None:
    """Return IPython's `display` if this is a notebook's kernel, which has loaded it then."""
    ipython, shown_by = sys.modules.get("IPython"), sys.modules.get("IPython.display")
    shell = ipython.get_ipython() if ipython is not None else None
    if shown_by is None or getattr(shell, "kernel", None) is None:
        return None
    found: Callable[..., Any] = shown_by.display
    return found
