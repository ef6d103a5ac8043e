"""Measures what objects at rest cost: `make bench-growth`, or `python -m hack.bench.growth`.

An operator brings a training, a processing and a transform job to their ends. Copies of these objects, with the status
that it wrote, are six tenths of what fills an API server: a thousand, ten thousand, fifty thousand. The others are
models, endpoint configs and hosting deployments with theirs, which it creates at SageMaker. Then an operator is
started, as after a crash, together with a new job; `--starts` times, the median counts. The table shows how long it
takes until that job is created, what the start costs until all is quiet, and what the objects cost after that: memory,
and CPU for each `--resync-period`.

An operator that crashed had read all objects, so they are read once before the first start: the embedded API server
encodes an object when it is first read, which takes it longer than the operator takes to store it.

Servers are processes of their own. Times depend on the machine; CPU and memory, less.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from hack.bench.processes import Usage, memory_settings, process
from hack.bench.scene import OPERATOR, Servers, apply_jobs, until
from hack.sandbox.kubeapi import manifests
from hack.sandbox.samples import REPOSITORY

Figures = dict[str, float]
SAMPLES: Final = REPOSITORY / "samples"
KINDS: Final = {
    "trainingjobs": ("xgboost-mnist-trainingjob", "trainingJobStatus"),
    "processingjobs": ("kmeans-mnist-processingjob", "processingJobStatus"),
    "batchtransformjobs": ("xgboost-mnist-batchtransform", "transformJobStatus"),
}
"""The sample of each kind that is copied, and the field of its state: each is two tenths of the objects."""
LIVING: Final = {
    "models": ("xgboost-mnist-model", 5),
    "endpointconfigs": ("xgboost-mnist-endpointconfig", 10),
    "hostingdeployments": ("xgboost-mnist-hostingdeployment-inline", 30),
}
"""The sample of each kind that the operator creates, and of how many objects it is one; a deployment is three objects,
with the model and the endpoint config that it has."""
_CREATES: Final = {"CreateModel": (5, 30), "CreateEndpointConfig": (10, 30), "CreateEndpoint": (30,)}
"""Calls that create them, each once for so many objects."""
_COLLECTION: Final = "/apis/sagemaker.aws.amazon.com/v1/namespaces/{namespace}/{plural}"
_NAMESPACES: Final = 20
_CONNECTIONS: Final = 4
_WITHIN_S: Final = 900.0
_WITHIN_S_EACH: Final = 0.05
"""The same for each object of thousands that are created: four tenths of them are, at 50 a second or less."""
_RESYNC: Final = "more where there are many objects, or the operator would never be quiet (default: %(default)s)"
_RESYNC_S_EACH: Final = 0.012
"""A resync makes a pass over each object, and describes four tenths of them, at four calls a second and operation: what
is measured is a period's share of that."""
_QUIET_S: Final = 5.0
_QUIET_SHARE: Final = 0.05
"""Share of a core below which the operator counts as quiet, for some seconds."""


class Operator:
    """A running operator, as in a pod."""

    def __init__(self, servers: Servers, directory: Path, stack: ExitStack, *flags: str) -> None:
        of_pod, environment = servers.pod(directory)
        self.began = time.monotonic()
        environment |= memory_settings(REPOSITORY)
        command = [*OPERATOR, *of_pod, *flags]
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
        made = {
            "apiVersion": original["apiVersion"],
            "kind": original["kind"],
            "metadata": {"name": f"{metadata['name']}-{number}", "finalizers": metadata["finalizers"]},
            "spec": original["spec"],
        }
        yield f"team-{number % _NAMESPACES}", made


Send = Callable[[str, str, str, str], dict[str, Any]]
"""Sends method, path, body and type of the body; returns the object of the reply."""


def sent(servers: Servers, numbers: range, act: Callable[[Send, range], None]) -> None:
    """Have `act` send the requests for all numbers, over a few connections at once."""

    def some(part: range) -> None:
        with closing(servers.api.connect(60)) as connection:

            def send(method: str, path: str, body: str, kind: str) -> dict[str, Any]:
                connection.request(method, path, body, servers.api.headers(kind))
                answer = connection.getresponse()
                value: dict[str, Any] = json.loads(answer.read())
                if answer.status >= 400:
                    raise RuntimeError(value.get("message"))
                return value

            act(send, part)

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(some, [numbers[first::_CONNECTIONS] for first in range(_CONNECTIONS)]))


def fill(servers: Servers, plural: str, original: Mapping[str, Any], numbers: range) -> None:
    """Create the copies of one object, each with the status of the original, which names its own job."""
    uid = original["metadata"]["uid"]
    names = (uid, uid.replace("-", ""))
    status = json.dumps({"status": original["status"]})
    generation = f'"observedGeneration": {original["metadata"]["generation"]}'

    def fill_some(send: Send, some: range) -> None:
        for namespace, obj in copies(original, some):
            path = _COLLECTION.format(namespace=namespace, plural=plural)
            text = json.dumps(obj)
            made = send("POST", path, text, "application/json")
            own = made["metadata"]["uid"]
            text, shown = json.dumps({"spec": original["spec"]}), status
            for before, after in zip(names, (own, own.replace("-", "")), strict=True):
                text, shown = text.replace(before, after), shown.replace(before, after)
            name = made["metadata"]["name"]
            made = send("PATCH", f"{path}/{name}", text, "application/merge-patch+json")
            shown = shown.replace(generation, f'"observedGeneration": {made["metadata"]["generation"]}')
            send("PATCH", f"{path}/{name}/status", shown, "application/merge-patch+json")

    sent(servers, numbers, fill_some)


def fill_living(servers: Servers, directory: Path, before: int, objects: int) -> None:
    """Apply what is more of the living kinds with `objects` than with `before`, and have an operator create it."""
    for plural, (sample, one_of) in LIVING.items():
        (obj,) = manifests(SAMPLES / f"{sample}.yaml")
        sent(servers, range(before // one_of, objects // one_of), partial(_apply_copies, plural, obj))
    wanted = {call: sum(objects // one_of - before // one_of for one_of in each) for call, each in _CREATES.items()}
    servers.forget()
    with ExitStack() as stack:
        operator = Operator(servers, directory, stack)
        within_s = max(_WITHIN_S, _WITHIN_S_EACH * (objects - before))
        until(lambda: all(servers.aws_calls()[call] >= calls for call, calls in wanted.items()), "creation", within_s)
        operator.until_quiet()


def _apply_copies(plural: str, original: Mapping[str, Any], send: Send, numbers: range) -> None:
    """Create copies as a user applies them. A config names the model of its number, which is in its namespace."""
    for number in numbers:
        spec = copy.deepcopy(original["spec"])
        if plural == "endpointconfigs":
            spec["productionVariants"][0]["modelName"] += f"-{number}"
        text = json.dumps({**original, "spec": spec, "metadata": {"name": f"{original['metadata']['name']}-{number}"}})
        namespace = f"team-{number % _NAMESPACES}"
        send("POST", _COLLECTION.format(namespace=namespace, plural=plural), text, "application/json")


def started(servers: Servers, directory: Path, stack: ExitStack, name: str, resync_s: float) -> tuple[Operator, float]:
    """Start an operator together with a new job; return it, and the seconds until that job was created."""
    servers.forget()
    apply_jobs(servers.api, name, 1, 86_400)
    operator = Operator(servers, directory, stack, "--resync-period", f"{resync_s:g}s")
    until(lambda: bool(servers.aws_calls()["CreateTrainingJob"]), "the new job is created", _WITHIN_S)
    return operator, time.monotonic() - operator.began


def measure(servers: Servers, directory: Path, objects: int, resync_s: float, starts: int) -> Figures:
    """Start an operator beside the objects that are there and a new job; return what that costs."""
    for plural in (*KINDS, *LIVING):
        servers.api.get(f"/apis/sagemaker.aws.amazon.com/v1/{plural}")
    all_s: list[float] = []
    for number in range(1, starts):
        with ExitStack() as stack:
            all_s.append(started(servers, directory, stack, f"new-{objects}-{number}", resync_s)[1])
    with ExitStack() as stack:
        operator, acted_s = started(servers, directory, stack, f"new-{objects}", resync_s)
        all_s.append(acted_s)
        start_cpu_s = operator.until_quiet()
        calls = servers.aws_calls()
        resident_mb, peak_mb = operator.resident_mb, operator.usage.peak_mb
        before = operator.usage.cpu_s
        time.sleep(2 * resync_s)
        resync_cpu_s = (operator.usage.cpu_s - before) / 2
    return {
        "exec to a new job's creation, s": statistics.median(all_s),
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
    parser.add_argument("--starts", type=int, default=3, help="starts of each size (default: %(default)s)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> dict[int, Figures]:
    """Return the figures of each size, ascending."""
    found: dict[int, Figures] = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = Servers(directory, stack)
        for number in range(_NAMESPACES):
            servers.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
        made, before = originals(servers, directory), 0
        for objects in sorted(options.sizes):
            for plural, original in made.items():
                fill(servers, plural, original, range(before // 5, objects // 5))
            fill_living(servers, directory, before, objects)
            before = objects
            sys.stderr.write(f"{objects:,} objects\n")
            resync_s = max(options.resync_period, _RESYNC_S_EACH * objects)
            found[objects] = measure(servers, directory, objects, resync_s, options.starts)
            sys.stderr.write(f"{found[objects]}\n")  # at once: the next size takes long
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all sizes and print the table."""
    found = run(parse(arguments))
    sys.stdout.write(f"{os.cpu_count()} cores\n\n" + "\n".join(table(found)) + "\n")


if __name__ == "__main__":
    main()
