"""Starts programs as a script's `command &`, nohup or a CI without a terminal does."""

from collections.abc import Sequence


def in_background(command: Sequence[str]) -> list[str]:
    """Return a command that becomes `command` with SIGINT ignored.

    Python installs no handler for Ctrl-C in such a process: a program that wants to end by it asks for it. The shell
    does it, because code of ours between fork and exec (`preexec_fn`) is not safe beside threads.
    """
    return ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command]
