"""Shows where the operator's CPU time and memory go, phase by phase: `make profile`, or `python -m hack.bench.profile`.

One operator runs under the profiler, and another one with its allocations traced, each with an API server and a
SageMaker of its own, in processes of their own. Phases: *start*, from exec until a job that waits is created; *create*,
all jobs applied at once, until all are created; *life*, until all are Completed; *rest*, as many seconds as asked for.

Times are of the profiled process, which is some times slower: read shares, and compare builds by `make bench-peers`.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from hack.bench.api_servers import in_a_pod
from hack.bench.processes import Usage, process
from hack.bench.profiler import CPU, MEMORY
from hack.bench.scene import Servers, Watcher, apply_jobs, until
from hack.sandbox.samples import REPOSITORY

OURS: Final = ("controller", "api")
_WITHIN_S: Final = 900.0
_ROOTS: Final = tuple(
    sorted((f"{REPOSITORY}/", *(f"{path}/" for path in sys.path if path.startswith("/"))), key=len, reverse=True)
)
Cpu = Sequence[tuple[str, int, float, float]]
"""Function, calls, own and total CPU seconds, as the profiler writes them."""


def short(function: str) -> str:
    """Return a function or file without the folder that it was imported from."""
    return next((function.removeprefix(root) for root in _ROOTS if function.startswith(root)), function)


def part_of(name: str) -> str:
    """Return the part of the program that a (short) function or file belongs to: ours by folder, others by package."""
    path = name.partition(":")[0].removesuffix(".py")
    folders = path.split("/")
    if folders[0] in OURS:
        return "/".join(folders[:3])
    return folders[0] if folders[0].isidentifier() else "interpreter"


def cpu_table(found: Cpu, jobs: int, lines: int) -> list[str]:
    """Return the lines of a phase: by part, ours by what they take in total, and all by what they take themselves."""
    rows = [(short(name), calls, own_s, total_s) for name, calls, own_s, total_s in found]
    all_s = sum(own_s for _, _, own_s, _ in rows) or 1.0
    parts: Counter[str] = Counter()
    for name, _, own_s, _ in rows:
        parts[part_of(name)] += own_s  # type: ignore[assignment]  # seconds

    def line(name: str, calls: int, seconds: float) -> str:
        return f"  {seconds / all_s:>6.1%}  {seconds * 1000 / jobs:>8.3f} ms  {calls / jobs:>8.1f} calls  {name}"

    calls_of: Counter[str] = Counter()
    for name, calls, _, _ in rows:
        calls_of[part_of(name)] += calls
    ours = [row for row in rows if row[0].split("/")[0] in OURS]
    return [
        f"{all_s:.2f} s of CPU, for each of {jobs:,} jobs: share, time, calls",
        " by part, without what it calls",
        *(line(name, calls_of[name], seconds) for name, seconds in parts.most_common(lines)),
        " functions of ours, with what they call",
        *(line(row[0], row[1], row[3]) for row in _most(ours, 3, lines)),
        " all functions, without what they call",
        *(line(row[0], row[1], row[2]) for row in _most(rows, 2, lines)),
    ]


def _most(rows: Iterable[tuple[Any, ...]], column: int, lines: int) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: row[column], reverse=True)[:lines]


def memory_table(found: Sequence[tuple[str, int]], resident_mb: float, lines: int) -> list[str]:
    """Return the lines of a phase: what Python has allocated, by part."""
    parts: Counter[str] = Counter()
    for name, size in found:
        parts[part_of(short(name))] += size
    return [
        f"{sum(parts.values()) / 2**20:.1f} MB allocated by Python ({resident_mb:.0f} MB resident at most, traced)",
        *(f"  {size / 2**20:>6.2f} MB  {name}" for name, size in parts.most_common(lines)),
    ]


class Run:
    """One operator under the profiler, with servers of its own, and what its phases show."""

    def __init__(self, what: str, options: argparse.Namespace, stack: ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._what, self._options = what, options
        self._servers = Servers(directory, stack)
        self._watcher = Watcher(self._servers.api)
        stack.callback(self._watcher.close)
        apply_jobs(self._servers.api, "first", 1, 86_400)
        self._file = directory / "profile.json"
        command = [*in_a_pod("hack.bench.profiler"), what, str(self._file), "controller"]
        flags, environment = self._servers.pod(directory)
        command += ["--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0", *flags]
        self._operator = stack.enter_context(process(command, environment, directory / "operator.log"))
        self._until_created(1)

    def phases(self) -> Iterable[tuple[str, list[str]]]:
        """Go through the phases; yield the name and the lines of each."""
        jobs, options = self._options.jobs, self._options
        yield "start", self._table(1)
        apply_jobs(self._servers.api, "burst", jobs, options.train_seconds)
        self._until_created(jobs + 1)
        yield "create", self._table(jobs)
        until(lambda: self._watcher.count("burst", "Completed") >= jobs, "all are Completed", _WITHIN_S)
        yield "life", self._table(jobs)
        time.sleep(options.seconds)
        yield "rest", self._table(1)

    def _until_created(self, jobs: int) -> None:
        until(lambda: self._servers.aws_calls()["CreateTrainingJob"] >= jobs, "all are created", _WITHIN_S)

    def _table(self, jobs: int) -> list[str]:
        self._file.unlink()
        until(self._file.exists, "the profile", _WITHIN_S)
        found = json.loads(self._file.read_text())
        if self._what == CPU:
            return cpu_table(found, jobs, self._options.lines)
        return memory_table(found, Usage.of(self._operator.pid).peak_mb, self._options.lines)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200, help="jobs of the burst (default: %(default)s)")
    parser.add_argument("--train-seconds", type=float, default=20.0, help="how long they train (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the rest is (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=25, help="lines of each list (default: %(default)s)")
    parser.add_argument("--what", choices=(CPU, MEMORY), action="append", help="only this; may be repeated")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the phases of both runs."""
    options = parse(arguments)
    for what in options.what or (CPU, MEMORY):
        with ExitStack() as stack:
            for phase, lines in Run(what, options, stack).phases():
                sys.stdout.write("\n".join((f"== {what}, {phase}: {lines[0]}", *lines[1:], "", "")))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
