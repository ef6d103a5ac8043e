"""The operator beside others: the same jobs against the same kinds of servers, in turns, as one table.

Run `make bench-peers`, or `python -m hack.bench.peers`. Peers are this build, the build of another checkout
(`--before DIR`), an operator on kopf (`--kopf-python`, an interpreter that has kopf and boto3), and any command that
serves TrainingJobs of the cluster in KUBECONFIG (`--peer NAME=COMMAND`). All poll every five seconds, with their
defaults otherwise. Each run has an API server and a SageMaker of its own, in processes of their own; the API server is
a real one where KUBEBUILDER_ASSETS names its binaries. Runs alternate; the table shows medians, and the spread where
there was more than one.

Phases: *start*, from exec to the creation of a job that waits; *burst*, all jobs applied at once; *quota*, a burst of a
fifth of them at a SageMaker that takes `--creates` a second; *rest*, as many jobs as in the burst that run for ever.
"""

import argparse
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3

from hack.bench.processes import Usage, memory_settings, process
from hack.bench.scene import OPERATOR, SAMPLE, Servers, Watcher, apply_jobs, percentile, until
from hack.sandbox.control_client import SandboxError, control
from hack.sandbox.kubeapi import manifests
from hack.sandbox.samples import REPOSITORY

WRITES: Final = frozenset({"create", "update", "patch", "delete"})
POLL_S: Final = 5
_CREATE: Final = "CreateTrainingJob"
_BURST_OF_QUOTA: Final = 4
"""Calls that SageMaker takes at once before its quota refuses."""

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Peer:
    """An operator: the command that runs it, and the directory in which it does."""

    name: str
    command: tuple[str, ...]
    directory: Path = REPOSITORY
    has_kubeconfig: bool = True
    """False: it runs as in a pod, which has none."""


class Run:
    """One peer with servers of its own, from its start."""

    def __init__(self, peer: Peer, options: argparse.Namespace, stack: ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.options = options
        self.servers = Servers(directory, stack)
        self.watcher = Watcher(self.servers.api)
        stack.callback(self.watcher.close)
        apply_jobs(self.servers.api, "first", 1, 86_400)
        flags, environment = ((), self.servers.environment()) if peer.has_kubeconfig else self.servers.pod(directory)
        environment |= {"POLL_S": str(POLL_S), "PYTHONPATH": str(peer.directory)}
        environment |= {} if peer.has_kubeconfig else memory_settings(peer.directory)
        log = options.logs / f"{peer.name}.log" if options.logs else directory / "operator.log"
        began = time.monotonic()
        operator = stack.enter_context(process((*peer.command, *flags), environment, log, peer.directory))
        self.pid = operator.pid
        self.until(lambda: bool(self.servers.aws_calls()[_CREATE]), "the job that waits is created")
        self.start_s = time.monotonic() - began

    def until(self, look: Callable[[], bool], what: str) -> None:
        """Wait until `look` is true. Raises SandboxError after the longest time of a phase."""
        until(look, what, self.options.timeout)

    def until_events_are_written(self) -> None:
        """Wait until no Event was written for a second: they come after what they are about."""
        before = -1
        while (written := self.servers.requests_by_agents()["create", "events"]) != before:
            before = written
            time.sleep(1.0)

    def job_times(self, member: str) -> dict[str, float]:
        """Return a time of every job that ended at SageMaker, by the job's name (monotonic)."""
        region = next(manifests(SAMPLE))["spec"]["region"]
        keys = {"aws_access_key_id": "other", "aws_secret_access_key": "user"}
        client: Any = boto3.client("sagemaker", endpoint_url=self.servers.aws_url, region_name=region, **keys)
        offset_s = time.time() - time.monotonic()
        with closing(client):
            pages = client.get_paginator("list_training_jobs").paginate(MaxResults=100, StatusEquals="Completed")
            return {
                job["TrainingJobName"]: job[member].timestamp() - offset_s
                for page in pages
                for job in page["TrainingJobSummaries"]
            }


# --- phases


def start(run: Run) -> Figures:
    """Return how long the process took until it had created a job that was there before it."""
    return {"exec to the first job created, s": run.start_s, "memory at rest, MB": Usage.of(run.pid).peak_mb}


def burst(run: Run) -> Figures:
    """Measure all jobs at once, from apply to Completed."""
    jobs = run.options.jobs
    run.servers.forget()
    before, began = Usage.of(run.pid), time.monotonic()
    applied = apply_jobs(run.servers.api, "burst", jobs, run.options.train_seconds)
    run.until(lambda: run.servers.aws_calls()[_CREATE] >= jobs, "all are created")
    created_s = time.monotonic() - began
    run.until(lambda: run.watcher.count("burst", "Completed") >= jobs, "all are Completed")
    run.until_events_are_written()
    after, calls = Usage.of(run.pid), run.servers.aws_calls()
    requests = run.servers.requests_by_agents()
    seen = run.watcher.seen
    waits = [seen[name]["InProgress"] - at for name, at in applied.items() if "InProgress" in seen[name]]
    ended = run.job_times("TrainingEndTime")
    late = [
        max(0.0, states["Completed"] - ended[run.watcher.jobs[name]])
        for name, states in list(seen.items())
        if "Completed" in states and run.watcher.jobs.get(name) in ended
    ]
    writes = {key: count for key, count in requests.items() if key[0] in WRITES}
    return {
        "burst: all created, s": created_s,
        "burst: apply to InProgress, p50 s": percentile(waits, 0.5),
        "burst: apply to InProgress, p99 s": percentile(waits, 0.99),
        "burst: end shown after, p99 s": percentile(late, 0.99),
        "AWS calls a job's life": calls.total() / jobs,
        "  of them Describes": calls["DescribeTrainingJob"] / jobs,
        "API server writes a job's life": sum(writes.values()) / jobs,
        "  of them Events": sum(count for (_, resource), count in writes.items() if resource == "events") / jobs,
        "API server reads a job's life": (sum(requests.values()) - sum(writes.values())) / jobs,
        "CPU of a job's life, ms": (after.cpu_s - before.cpu_s) * 1000 / jobs,
        "peak memory, MB": after.peak_mb,
    }


def quota(run: Run) -> Figures:
    """Measure a burst at a SageMaker that takes few Creates a second."""
    jobs, rate = max(run.options.jobs // 5, 1), run.options.creates
    control(
        run.servers.aws_url,
        "POST",
        "quota",
        {"calls_per_second": rate, "burst": _BURST_OF_QUOTA, "operations": "Create*"},
    )
    run.servers.forget()
    began = time.monotonic()
    apply_jobs(run.servers.api, "quota", jobs, 86_400)
    run.until(lambda: run.watcher.count("quota", "InProgress") >= jobs, "all are created")
    took_s, calls = time.monotonic() - began, run.servers.aws_calls()
    control(run.servers.aws_url, "POST", "quota", {"calls_per_second": 0, "operations": "Create*"})
    return {
        "quota: all created, s": took_s,
        "quota: share of what AWS allows, %": 100 * (jobs - _BURST_OF_QUOTA) / rate / took_s,
        "quota: Creates refused": calls[_CREATE] - jobs,
    }


def rest(run: Run) -> Figures:
    """Measure as many endless jobs, some time after all of them are training."""
    jobs, seconds = run.options.jobs, run.options.seconds
    apply_jobs(run.servers.api, "rest", jobs, 86_400)
    run.until(lambda: run.watcher.count("rest", "Training") >= jobs, "all are in Training")
    time.sleep(run.options.settle)
    run.servers.forget()
    before = Usage.of(run.pid)
    time.sleep(seconds)
    after = Usage.of(run.pid)
    return {
        "rest: AWS calls a minute": run.servers.aws_calls().total() * 60 / seconds,
        "rest: API server requests a minute": run.servers.requests_by_agents().total() * 60 / seconds,
        "rest: CPU, % of a core": (after.cpu_s - before.cpu_s) / seconds * 100,
        "rest: peak memory, MB": after.peak_mb,
    }


PHASES: Final[Mapping[str, Callable[[Run], Figures]]] = {"start": start, "burst": burst, "quota": quota, "rest": rest}


# --- the command


def peers(options: argparse.Namespace) -> list[Peer]:
    """Return the peers of the command line, this build first."""
    found = [Peer("ours", OPERATOR, has_kubeconfig=False)]
    if options.before:
        found.append(Peer("before", OPERATOR, options.before.resolve(), has_kubeconfig=False))
    if options.kopf_python:
        kopf = ("-m", "kopf", "run", "--all-namespaces", "--standalone", "--quiet", "hack/bench/kopf_operator.py")
        found.append(Peer("kopf", (options.kopf_python, *kopf)))
    for each in options.peer:
        name, _, command = each.partition("=")
        found.append(Peer(name, tuple(shlex.split(command))))
    return found


def measure(peer: Peer, options: argparse.Namespace) -> Figures:
    """Run one peer through the phases; what it does not do in time is left out, with all phases after that."""
    figures: Figures = {}
    with ExitStack() as stack:
        try:
            run = Run(peer, options, stack)
            for phase in options.phases:
                figures |= PHASES[phase](run)
        except SandboxError as late:
            sys.stderr.write(f"{peer.name}: {late}\n")
    sys.stderr.write(f"{peer.name}: {figures}\n")  # at once: a run of several peers takes long, and may be cut off
    return figures


def table(found: Mapping[str, Sequence[Figures]]) -> list[str]:
    """Return the lines of the table: medians by peer, with the spread of several runs, and ratios to the first one."""
    first = next(iter(found))
    lines = ["| | " + " | ".join((*found, *(f"{name} / {first}" for name in found if name != first))) + " |"]
    lines.append("|---" * (2 * len(found)) + "|")
    for what in dict.fromkeys(what for runs in found.values() for figures in runs for what in figures):
        values = {name: [figures[what] for figures in runs if what in figures] for name, runs in found.items()}
        middle = {name: statistics.median(each) if each else 0.0 for name, each in values.items()}
        cells = [_cell(each) for each in values.values()]
        cells += [
            f"{middle[name] / middle[first]:.2f}" if middle[first] and values[name] else ""
            for name in found
            if name != first
        ]
        lines.append(f"| {what.strip()} | " + " | ".join(cells) + " |")
    return lines


def _cell(values: Sequence[float]) -> str:
    """Return the median, with the spread of several values; a word where no run came so far."""
    if not values:
        return "not in time"
    spread = f" ({min(values):,.3g} to {max(values):,.3g})" if len(values) > 1 else ""
    return f"{statistics.median(values):,.3g}{spread}"


def _phases(text: str) -> list[str]:
    """Return the phases of a list with commas, in their order. Raises ValueError for an unknown one."""
    asked = set(text.split(","))
    if unknown := asked - PHASES.keys():
        raise ValueError(unknown)
    return [phase for phase in PHASES if phase in asked]


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000, help="jobs of the burst and at rest (default: %(default)s)")
    parser.add_argument("--train-seconds", type=float, default=30.0, help="how long a job of the burst trains")
    parser.add_argument("--creates", type=float, default=2.0, help="Creates a second that SageMaker takes under quota")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each peer (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long peers are watched at rest")
    parser.add_argument("--settle", type=float, default=90.0, help="pause between the last change and the rest")
    parser.add_argument("--timeout", type=float, default=900.0, help="longest time of a phase, in seconds")
    parser.add_argument("--phases", type=_phases, default=list(PHASES), help=f"some of {','.join(PHASES)}")
    parser.add_argument("--before", type=Path, help="a checkout with another build of this operator")
    parser.add_argument("--kopf-python", help="an interpreter that has kopf and boto3")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND", help="another operator")
    parser.add_argument("--logs", type=Path, help="keep the operators' logs in this directory")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run all peers in turns and print the table."""
    options = parse(arguments)
    found: dict[str, list[Figures]] = {}
    for turn in range(options.repeat):
        for peer in peers(options):
            sys.stderr.write(f"run {turn + 1} of {options.repeat}: {peer.name}\n")
            found.setdefault(peer.name, []).append(measure(peer, options))
    sys.stdout.write(f"{options.jobs:,} training jobs, {os.cpu_count()} cores\n\n" + "\n".join(table(found)) + "\n")


if __name__ == "__main__":
    main()
