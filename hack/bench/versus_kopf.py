"""The operator beside a minimal operator on kopf: the same jobs, the same sandbox, one run after the other.

Run `make bench-kopf`, or `python -m hack.bench.versus_kopf --jobs 1000`, where kopf is installed (extra `bench`), or
with `--kopf-python` an interpreter that has it. Both poll every five seconds, with their defaults otherwise. Each has
an API server and a SageMaker of its own, in processes of their own. Three phases: all jobs are applied at once and
run for some seconds; then as many that run for ever are created and looked after at rest; `--quota N` lets SageMaker
refuse more than N calls a second of each List and Describe, as an account's quota does.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack.bench.scene import Servers, Usage, Watcher, apply_jobs, percentile, process, until
from hack.sandbox.control_client import control

WRITES: Final = frozenset({"create", "update", "patch", "delete"})
OURS, KOPF = "ours", "kopf"
AGENTS: Final = {OURS: "sagemaker", KOPF: "kopf"}
POLL_S: Final = 5
_START_S: Final = 5.0
"""Time after the first request until all watches are open."""


@dataclass(slots=True)
class Figures:
    """The results of one contender, name → value."""

    values: dict[str, float] = field(default_factory=dict)
    operations: dict[str, Counter[str]] = field(default_factory=dict)


def burst(servers: Servers, who: str, pid: int, options: argparse.Namespace, figures: Figures) -> None:
    """Measure all jobs at once, from `kubectl apply` to Completed."""
    watcher = Watcher(servers.kube_url)
    servers.forget()
    before, start = Usage.of(pid), time.monotonic()
    created = apply_jobs(servers.kube_url, "burst", options.jobs, options.train_seconds)
    until(lambda: watcher.count("burst", "Completed") >= options.jobs, "all Completed", options.timeout)
    took_s = time.monotonic() - start
    after, calls, requests = Usage.of(pid), servers.aws_calls(), servers.kube_requests(AGENTS[who])
    waits = [
        watcher.seen[name]["InProgress"] - at for name, at in created.items() if "InProgress" in watcher.seen[name]
    ]
    figures.operations["burst"] = calls + Counter({f"kube {verb}": count for verb, count in requests.items()})
    figures.values |= {
        "all Completed, s": took_s,
        "apply to InProgress, p50 s": percentile(waits, 0.5),
        "apply to InProgress, p99 s": percentile(waits, 0.99),
        "AWS calls a job": calls.total() / options.jobs,
        "API server requests a job": requests.total() / options.jobs,
        "API server writes a job": sum(requests[verb] for verb in WRITES) / options.jobs,
        "CPU ms a job": (after.cpu_s - before.cpu_s) * 1000 / options.jobs,
    }


def rest(servers: Servers, who: str, pid: int, options: argparse.Namespace, figures: Figures) -> None:
    """Measure as many endless jobs, some time after all of them are training."""
    watcher = Watcher(servers.kube_url)
    apply_jobs(servers.kube_url, "rest", options.jobs, 86_400)
    until(lambda: watcher.count("rest", "Training") >= options.jobs, "all in Training", options.timeout)
    time.sleep(options.settle)
    servers.forget()
    before = Usage.of(pid)
    time.sleep(options.seconds)
    after, calls, requests = Usage.of(pid), servers.aws_calls(), servers.kube_requests(AGENTS[who])
    per_minute = 60 / options.seconds
    figures.operations["rest"] = calls + Counter({f"kube {verb}": count for verb, count in requests.items()})
    figures.values |= {
        "at rest: AWS calls a minute": calls.total() * per_minute,
        "at rest: API server requests a minute": requests.total() * per_minute,
        "at rest: CPU, % of a core": (after.cpu_s - before.cpu_s) / options.seconds * 100,
        "peak memory, MB": after.peak_mb,
    }


def contend(who: str, options: argparse.Namespace) -> Figures:
    """Run one contender through all phases."""
    commands = {
        OURS: [sys.executable, "-m", "controller", "--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0"],
        KOPF: [
            options.kopf_python,
            *("-m", "kopf", "run", "--all-namespaces", "--standalone", "--quiet", "hack/bench/kopf_operator.py"),
        ],
    }
    figures = Figures()
    with ExitStack() as closing:
        directory = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        servers = Servers(directory, closing)
        if options.quota:
            control(servers.aws_url, "POST", "quota", {"calls_per_second": options.quota})
        environment = servers.environment() | {"POLL_S": str(POLL_S)}
        log = options.logs / f"{who}.log" if options.logs else directory / "operator.log"
        operator = closing.enter_context(process(commands[who], environment, log))
        until(lambda: servers.kube_requests(AGENTS[who])["list"] > 0, f"{who} lists", 60)
        time.sleep(_START_S)
        burst(servers, who, operator.pid, options, figures)
        rest(servers, who, operator.pid, options, figures)
    return figures


def main() -> None:
    """Run both and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--train-seconds", type=float, default=20.0, help="how long a job of the burst trains")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they are watched at rest")
    parser.add_argument("--settle", type=float, default=90.0, help="pause between the last change and the rest")
    parser.add_argument("--quota", type=float, default=0.0, help="calls a second that SageMaker answers; 0: all")
    parser.add_argument("--timeout", type=float, default=900.0, help="longest time of a phase, in seconds")
    parser.add_argument("--kopf-python", default=sys.executable, help="an interpreter that has kopf and boto3")
    parser.add_argument("--only", choices=(OURS, KOPF))
    parser.add_argument("--logs", type=Path, help="keep the operators' logs in this directory")
    options = parser.parse_args()
    found = {who: contend(who, options) for who in (OURS, KOPF) if options.only in (None, who)}
    for who, figures in found.items():
        for phase, operations in figures.operations.items():
            print(f"{who}, {phase}: " + ", ".join(f"{name} {count}" for name, count in operations.most_common()))
    print(f"\n{options.jobs:,} training jobs{'':<24}" + "".join(f"{who:>12}" for who in found) + f"{'kopf / ours':>14}")
    for name in next(iter(found.values())).values:
        values = [figures.values[name] for figures in found.values()]
        ratio = f"{values[1] / values[0]:>13.1f}" if len(values) == 2 and values[0] else ""
        print(f"{name:<42}" + "".join(f"{value:>12,.1f}" for value in values) + ratio)


if __name__ == "__main__":
    main()
