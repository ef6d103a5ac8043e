"""The operator beside a minimal operator on kopf: the same jobs, the same sandbox, one run after the other.

Run `make bench-kopf`, or `python -m hack.bench.versus_kopf --jobs 1000`, where kopf is installed (extra `bench`), or
with `--kopf-python` an interpreter that has it. Both poll every five seconds, with their defaults otherwise. Each has
an API server and a SageMaker of its own, in processes of their own. Three phases: all jobs are applied at once and
run for some seconds; then as many that run for ever are created and looked after at rest; `--quota N` lets SageMaker
refuse more than N calls a second of each List and Describe, as an account's quota does.
"""

import argparse
import copy
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hack.sandbox.control_client import SandboxError, control
from hack.sandbox.kubeapi import KubeApi, KubeError, manifests
from hack.sandbox.operator_process import aws_environment
from hack.sandbox.samples import REPOSITORY, crd_paths

SAMPLE: Final = REPOSITORY / "samples/xgboost-mnist-trainingjob.yaml"
JOBS_PATH: Final = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/trainingjobs"
WRITES: Final = frozenset({"create", "update", "patch", "delete"})
OURS, KOPF = "ours", "kopf"
AGENTS: Final = {OURS: "sagemaker", KOPF: "kopf"}
POLL_S: Final = 5
_START_S: Final = 5.0
"""Time after the first request until all watches are open."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that was just free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process; send SIGTERM at the end."""
    with log.open("wb") as sink:
        running = subprocess.Popen(
            command,
            cwd=REPOSITORY,
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


class Servers:
    """An API server with our CRDs, a SageMaker, and their request counts."""

    def __init__(self, directory: Path, closing: ExitStack) -> None:
        kube, aws = free_port(), free_port()
        self.kube_url, self.aws_url = f"http://127.0.0.1:{kube}", f"http://127.0.0.1:{aws}"
        self.kubeconfig = directory / "kubeconfig"
        python = [sys.executable, "-m", "hack.sandbox"]
        for name, arguments in (
            ("kube", ["kube", "--port", str(kube), "--kubeconfig", str(self.kubeconfig)]),
            ("aws", ["aws", "--port", str(aws)]),
        ):
            closing.enter_context(process([*python, *arguments], os.environ, directory / f"{name}.log"))
        self.api = KubeApi(self.kube_url)
        until(self._are_up, "the servers", 30)
        for path in crd_paths():
            for crd in manifests(path):
                self.api.until_established(self.api.apply(crd)["metadata"]["name"])

    def _are_up(self) -> bool:
        try:
            self.api.get("/api")
            control(self.aws_url, "GET", "health")
        except (KubeError, SandboxError):
            return False
        return self.kubeconfig.exists()

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that uses both."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
        ours = {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": self.aws_url, "AWS_EC2_METADATA_DISABLED": "true"}
        return kept | aws_environment(self.aws_url) | ours | {"KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": "."}

    def forget(self) -> None:
        """Count from zero."""
        for url in (self.kube_url, self.aws_url):
            control(url, "DELETE", "requests")

    def aws_calls(self) -> Counter[str]:
        """Return SageMaker calls by operation."""
        return Counter(control(self.aws_url, "GET", "requests")["requests"])

    def kube_requests(self, who: str) -> Counter[str]:
        """Return the requests of a contender by verb; other user agents belong to this benchmark."""
        found: Counter[str] = Counter()
        for each in control(self.kube_url, "GET", "requests")["requests"]:
            if AGENTS[who] in each["userAgent"].lower():
                found[each["verb"]] += each["count"]
        return found


def until(look: Callable[[], bool], what: str, within_s: float) -> None:
    """Wait until `look` is true. Raises SandboxError after `within_s`."""
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            raise SandboxError(f"{what}: not within {within_s:g} s")
        time.sleep(0.1)


class Watcher:
    """Watches the jobs: records when each first had which state."""

    def __init__(self, url: str) -> None:
        self.seen: dict[str, dict[str, float]] = {}
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=3600)
        self._connection.request("GET", f"{JOBS_PATH}?watch=true&resourceVersion=0&timeoutSeconds=3600")
        self._answer = self._connection.getresponse()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        for line in self._answer:
            obj = json.loads(line)["object"]
            status = obj.get("status") or {}
            states = self.seen.setdefault(obj["metadata"]["name"], {})
            for state in (status.get("trainingJobStatus"), status.get("secondaryStatus")):
                if state:
                    states.setdefault(state, time.monotonic())

    def count(self, prefix: str, state: str) -> int:
        """Return how many jobs with that prefix have reached `state`."""
        return sum(state in states for name, states in list(self.seen.items()) if name.startswith(prefix))


def apply_jobs(url: str, prefix: str, jobs: int, seconds: float) -> dict[str, float]:
    """Create the objects over four connections; returns creation times by name."""
    (sample,) = manifests(SAMPLE)
    created: dict[str, float] = {}

    def create(numbers: range) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        for number in numbers:
            obj = copy.deepcopy(sample)
            obj["metadata"]["name"] = f"{prefix}-{number}"
            obj["spec"]["hyperParameters"].append({"name": "SANDBOX_TRAIN_SECONDS", "value": str(seconds)})
            connection.request("POST", JOBS_PATH, json.dumps(obj), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 201:
                raise SandboxError(text.decode(errors="replace"))
            created[obj["metadata"]["name"]] = time.monotonic()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, [range(first, jobs, 4) for first in range(4)]))
    return created


@dataclass(slots=True)
class Figures:
    """The results of one contender, name → value."""

    values: dict[str, float] = field(default_factory=dict)
    operations: dict[str, Counter[str]] = field(default_factory=dict)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def burst(servers: Servers, who: str, pid: int, options: argparse.Namespace, figures: Figures) -> None:
    """Measure all jobs at once, from `kubectl apply` to Completed."""
    watcher = Watcher(servers.kube_url)
    servers.forget()
    before, start = Usage.of(pid), time.monotonic()
    created = apply_jobs(servers.kube_url, "burst", options.jobs, options.train_seconds)
    until(lambda: watcher.count("burst", "Completed") >= options.jobs, "all Completed", options.timeout)
    took_s = time.monotonic() - start
    after, calls, requests = Usage.of(pid), servers.aws_calls(), servers.kube_requests(who)
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
    after, calls, requests = Usage.of(pid), servers.aws_calls(), servers.kube_requests(who)
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
        until(lambda: servers.kube_requests(who)["list"] > 0, f"{who} lists", 60)
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
