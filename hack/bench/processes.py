"""Runs the processes that benchmarks measure, and reads what they have used."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hack.sandbox.samples import REPOSITORY

_TICKS: Final = os.sysconf("SC_CLK_TCK")


@contextmanager
def process(
    command: Sequence[str], environment: Mapping[str, str], log: Path, directory: Path = REPOSITORY
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a directory; send SIGTERM at the end."""
    with log.open("wb") as sink:
        running = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def memory_settings(checkout: Path) -> dict[str, str]:
    """Return the environment variables for the C library's memory that the image of a checkout sets."""
    return dict(re.findall(r"\b(MALLOC_\w+)=(\w+)", (checkout / "Dockerfile").read_text()))


@dataclass(frozen=True, slots=True)
class Usage:
    """The resources that a process has used so far (Linux)."""

    cpu_s: float
    peak_mb: float

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Read it from /proc."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return cls((int(fields[11]) + int(fields[12])) / _TICKS, int(status["VmHWM"].split()[0]) / 1024)
