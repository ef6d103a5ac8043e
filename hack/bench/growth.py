"""Measures what objects at rest cost: `make bench-growth`, or `python -m hack.bench.growth`.

An operator brings a training, a processing and a transform job to their ends. Copies of these objects, with the status
that it wrote, fill an API server: a thousand, ten thousand, fifty thousand. Then an operator is started, as after a
crash, together with a new job. The table shows how long it takes until that job is created, what the start costs until
all is quiet, and what the objects cost after that: memory, and CPU for each `--resync-period`.

Servers are processes of their own. Times depend on the machine; CPU and memory, less.
"""

import argparse
import http.client
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from hack.bench.scene import Servers, Usage, apply_jobs, process, until
from hack.sandbox.kubeapi import manifests
from hack.sandbox.samples import REPOSITORY

Figures = dict[str, float]
SAMPLES: Final = REPOSITORY / "samples"
KINDS: Final = {
    "trainingjobs": ("xgboost-mnist-trainingjob", "trainingJobStatus"),
    "processingjobs": ("kmeans-mnist-processingjob", "processingJobStatus"),
    "batchtransformjobs": ("xgboost-mnist-batchtransform", "transformJobStatus"),
}
"""The sample of each kind that is copied, and the field of its state."""
_COLLECTION: Final = "/apis/sagemaker.aws.amazon.com/v1/namespaces/{namespace}/{plural}"
_NAMESPACES: Final = 20
_CONNECTIONS: Final = 4
_WITHIN_S: Final = 900.0
_RESYNC: Final = "long enough for all objects, or the operator is never quiet (default: %(default)s)"
_QUIET_S: Final = 5.0
_QUIET_SHARE: Final = 0.05
"""Share of a core below which the operator counts as quiet, for some seconds."""


class Operator:
    """A running operator, as in a pod."""

    def __init__(self, servers: Servers, directory: Path, stack: ExitStack, *flags: str) -> None:
        command = [sys.executable, "-m", "controller", "--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0"]
        environment = servers.environment() | {"HOME": str(directory), "KUBECONFIG": ""}
        self.began = time.monotonic()
        command += ["--master", servers.kube_url, *flags]
        self._process = stack.enter_context(process(command, environment, directory / "operator.log"))

    @property
    def usage(self) -> Usage:
        """What it has used so far."""
        return Usage.of(self._process.pid)

    @property
    def resident_mb(self) -> float:
        """What it has in memory now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def until_quiet(self) -> float:
        """Wait until it hardly uses the CPU; return the CPU seconds that it has used until then."""
        deadline, before = time.monotonic() + _WITHIN_S, self.usage.cpu_s
        while time.monotonic() < deadline:
            time.sleep(_QUIET_S)
            used = self.usage.cpu_s
            if used - before < _QUIET_S * _QUIET_SHARE:
                return before
            before = used
        raise TimeoutError("the operator is not quiet")


def originals(servers: Servers, directory: Path) -> dict[str, dict[str, Any]]:
    """Have an operator bring one object of each kind to its end; return them by plural."""
    for sample in ("xgboost-mnist-model", *(sample for sample, _ in KINDS.values())):
        (obj,) = manifests(SAMPLES / f"{sample}.yaml")
        servers.api.apply(obj)

    def found() -> dict[str, dict[str, Any]]:
        paths = {plural: _COLLECTION.format(namespace="default", plural=plural) for plural in KINDS}
        return {plural: servers.api.get(path)["items"][0] for plural, path in paths.items()}

    def have_ended() -> bool:
        return all((obj.get("status") or {}).get(KINDS[plural][1]) == "Completed" for plural, obj in found().items())

    with ExitStack() as stack:
        Operator(servers, directory, stack, "--poll-interval", "1s")
        until(have_ended, "the first jobs are Completed", _WITHIN_S)
        time.sleep(1.0)  # what is written last is the Event
    return found()


def copies(original: Mapping[str, Any], numbers: range) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield namespace and object of each copy: with names and a uid of its own wherever the original has its own."""
    metadata = original["metadata"]
    for number in numbers:
        copy = {
            "apiVersion": original["apiVersion"],
            "kind": original["kind"],
            "metadata": {"name": f"{metadata['name']}-{number}", "finalizers": metadata["finalizers"]},
            "spec": original["spec"],
        }
        yield f"team-{number % _NAMESPACES}", copy


def fill(servers: Servers, plural: str, original: Mapping[str, Any], numbers: range) -> None:
    """Create the copies of one object, each with the status of the original, which names its own job."""
    uid = original["metadata"]["uid"]
    names = (uid, uid.replace("-", ""))
    status = json.dumps({"status": original["status"]})
    generation = f'"observedGeneration": {original["metadata"]["generation"]}'

    def fill_some(some: range) -> None:
        with closing(http.client.HTTPConnection(urlsplit(servers.kube_url).netloc, timeout=60)) as connection:

            def send(method: str, path: str, body: str, kind: str) -> dict[str, Any]:
                connection.request(method, path, body, {"Content-Type": kind})
                answer = connection.getresponse()
                value: dict[str, Any] = json.loads(answer.read())
                if answer.status >= 400:
                    raise RuntimeError(value.get("message"))
                return value

            for namespace, copy in copies(original, some):
                path = _COLLECTION.format(namespace=namespace, plural=plural)
                text = json.dumps(copy)
                made = send("POST", path, text, "application/json")
                own = made["metadata"]["uid"]
                text, shown = json.dumps({"spec": original["spec"]}), status
                for before, after in zip(names, (own, own.replace("-", "")), strict=True):
                    text, shown = text.replace(before, after), shown.replace(before, after)
                name = made["metadata"]["name"]
                made = send("PATCH", f"{path}/{name}", text, "application/merge-patch+json")
                shown = shown.replace(generation, f'"observedGeneration": {made["metadata"]["generation"]}')
                send("PATCH", f"{path}/{name}/status", shown, "application/merge-patch+json")

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(fill_some, [numbers[first::_CONNECTIONS] for first in range(_CONNECTIONS)]))


def measure(servers: Servers, directory: Path, objects: int, resync_s: float) -> Figures:
    """Start an operator beside the objects that are there and a new job; return what that costs."""
    servers.forget()
    apply_jobs(servers.kube_url, f"new-{objects}", 1, 86_400)
    with ExitStack() as stack:
        operator = Operator(servers, directory, stack, "--resync-period", f"{resync_s:g}s")
        until(lambda: bool(servers.aws_calls()["CreateTrainingJob"]), "the new job is created", _WITHIN_S)
        acted_s = time.monotonic() - operator.began
        start_cpu_s = operator.until_quiet()
        calls = servers.aws_calls()
        resident_mb, peak_mb = operator.resident_mb, operator.usage.peak_mb
        before = operator.usage.cpu_s
        time.sleep(2 * resync_s)
        resync_cpu_s = (operator.usage.cpu_s - before) / 2
    return {
        "exec to a new job's creation, s": acted_s,
        "CPU until quiet, s": start_cpu_s,
        "memory, MB": resident_mb,
        "peak memory, MB": peak_mb,
        "CPU of a resync, s": resync_cpu_s,
        "AWS calls until quiet": float(calls.total()),
    }


def table(found: Mapping[int, Figures]) -> list[str]:
    """Return the lines of the table; costs for each object are the growth since the row before."""
    first = next(iter(found.values()))
    lines = ["| objects | " + " | ".join((*first, "KB an object", "ms of start an object", "ms of resync an object"))]
    lines = [f"{lines[0]} |", "|---" * (len(first) + 4) + "|"]
    earlier: tuple[int, Figures] | None = None
    for objects, figures in found.items():
        cells = [f"{value:,.3g}" for value in figures.values()]
        if earlier is None:
            cells += ["", "", ""]
        else:
            more = objects - earlier[0]
            for what, unit in (("memory, MB", 1024), ("CPU until quiet, s", 1000), ("CPU of a resync, s", 1000)):
                cells.append(f"{(figures[what] - earlier[1][what]) * unit / more:.2g}")
        lines.append(f"| {objects:,} | " + " | ".join(cells) + " |")
        earlier = objects, figures
    return lines


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = [0, 1_000, 10_000, 50_000]
    parser.add_argument("sizes", type=int, nargs="*", default=sizes, help=f"numbers of objects (default: {sizes})")
    parser.add_argument("--resync-period", type=float, default=60.0, metavar="SECONDS", help=_RESYNC)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> dict[int, Figures]:
    """Return the figures of each size, ascending."""
    found: dict[int, Figures] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = Servers(directory, stack)
        for number in range(_NAMESPACES):
            servers.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
        made, of_kind = originals(servers, directory), 0
        for objects in sorted(options.sizes):
            wanted = objects // len(KINDS)
            for plural, original in made.items():
                fill(servers, plural, original, range(of_kind, wanted))
            of_kind = wanted
            sys.stderr.write(f"{objects:,} objects\n")
            found[objects] = measure(servers, directory, objects, options.resync_period)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all sizes and print the table."""
    found = run(parse(arguments))
    sys.stdout.write(f"{os.cpu_count()} cores\n\n" + "\n".join(table(found)) + "\n")


if __name__ == "__main__":
    main()
