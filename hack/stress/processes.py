"""Starts processes that nothing survives: busy loops, and a command with all that it leaves behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

_LOOP: Final = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(1_000_000))"
"""Ends by itself should its parent be killed."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_PROC: Final = Path("/proc")
_SHOWN: Final = 160
"""How many characters are shown of a command line."""


@contextmanager
def busy(count: int, prefix: Sequence[str], **how: Any) -> Iterator[frozenset[int]]:
    """Run busy loops beside the `with` block, which gets their process ids.

    `prefix` is what a command begins with, `how` is for `subprocess.Popen`.
    """
    with ExitStack() as stack:
        loops = []
        for _ in range(count):
            loop = stack.enter_context(subprocess.Popen([*prefix, sys.executable, "-c", _LOOP], **how))
            stack.callback(loop.kill)
            loops.append(loop.pid)
        yield frozenset(loops)


def adopt_orphans() -> None:
    """Make this process the parent of descendants whose parent has ended, so that they can be found. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def owned(command: Sequence[str], **how: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command as the leader of a session of its own; kill its process group at the end of the `with` block."""
    with subprocess.Popen(command, start_new_session=True, **how) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # all of it has ended
                os.killpg(process.pid, signal.SIGKILL)


def kill_descendants(spared: Collection[int] = (), grace_s: float = 0.0) -> list[str]:
    """Kill the processes that descend from this one, other than `spared`; return the command lines of the killed.

    They may end by themselves for `grace_s`. Repeats until there are none, since one that is being killed may have
    started another. Processes in other sessions are found, too, given `adopt_orphans`; without /proc, none is.
    """
    deadline = time.monotonic() + grace_s
    killed: dict[int, str] = {}
    while found := descendants(_parents(), os.getpid()).difference(spared):
        is_over = time.monotonic() >= deadline
        for pid in found:
            if is_over:
                killed[pid] = killed.get(pid) or _command_line(pid)[:_SHOWN]
                _send(pid, signal.SIGKILL)
            _reap(pid)
        time.sleep(0.02)  # what was killed takes a moment to end
    return [words for words in killed.values() if words]  # zombies have no command line


def descendants(parents: dict[int, int], ancestor: int) -> set[int]:
    """Return all processes below `ancestor`, given the parent of each process."""
    found: set[int] = set()
    while more := {pid for pid, parent in parents.items() if parent in found | {ancestor}} - found:
        found |= more
    return found


def parent_in(stat: str) -> int:
    """Return the parent that a line of /proc/PID/stat names; the command in it may hold spaces and brackets."""
    return int(stat.rpartition(")")[2].split()[1])


def _parents() -> dict[int, int]:
    parents = {}
    for directory in _PROC.glob("[0-9]*"):
        try:
            parents[int(directory.name)] = parent_in((directory / "stat").read_text(errors="replace"))
        except OSError:
            continue  # it ended meanwhile
    return parents


def _command_line(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it ended meanwhile
        os.kill(pid, number)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # another process is its parent
        os.waitpid(pid, os.WNOHANG)
