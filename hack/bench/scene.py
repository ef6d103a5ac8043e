"""What benchmarks share that run operators as real processes: both servers, objects, and when each showed what."""

import copy
import http.client
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final

from hack.bench.api_servers import in_a_pod, started
from hack.bench.processes import process
from hack.envtest import free_port
from hack.sandbox.control_client import SandboxError, control
from hack.sandbox.kubeapi import KubeApi, manifests
from hack.sandbox.operator_process import aws_environment
from hack.sandbox.samples import REPOSITORY, crd_paths

SAMPLE: Final = REPOSITORY / "samples/xgboost-mnist-trainingjob.yaml"
JOBS_PATH: Final = "/apis/sagemaker.aws.amazon.com/v1/namespaces/default/trainingjobs"
OPERATOR: Final = (
    *in_a_pod("controller", without="rich"),
    *("--metrics-addr", "127.0.0.1:0", "--health-addr", "127.0.0.1:0"),
)
"""Runs the operator as in its image, which has no rich: `make run` needs that, and where it is, structlog loads it."""


class Servers:
    """An API server with our CRDs, a SageMaker, and their request counts."""

    def __init__(self, directory: Path, closing: ExitStack) -> None:
        aws = free_port()
        self.aws_url = f"http://127.0.0.1:{aws}"
        self.kubeconfig = directory / "kubeconfig"
        command = [sys.executable, "-m", "hack.sandbox", "aws", "--port", str(aws)]
        closing.enter_context(process(command, os.environ, directory / "aws.log"))
        self._kube = started(directory, closing)
        self.api = self._kube.api
        self.api.write_kubeconfig(self.kubeconfig)
        until(self._are_up, "the servers", 30)
        for path in crd_paths():
            for crd in manifests(path):
                self.api.until_established(self.api.apply(crd)["metadata"]["name"])

    def _are_up(self) -> bool:
        try:
            control(self.aws_url, "GET", "health")
        except SandboxError:
            return False
        return self._kube.is_up()

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that uses both."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
        ours = {"AWS_DEFAULT_SAGEMAKER_ENDPOINT": self.aws_url, "AWS_EC2_METADATA_DISABLED": "true"}
        return kept | aws_environment(self.aws_url) | ours | {"KUBECONFIG": str(self.kubeconfig), "PYTHONPATH": "."}

    def pod(self, home: Path) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return flags and environment of an operator without a kubeconfig, as in a pod; `home` is its directory."""
        flags, environment = self._kube.pod(home)
        return flags, self.environment() | environment

    def forget(self) -> None:
        """Count from zero."""
        self._kube.forget()
        control(self.aws_url, "DELETE", "requests")

    def aws_calls(self) -> Counter[str]:
        """Return SageMaker calls by operation."""
        return Counter(control(self.aws_url, "GET", "requests")["requests"])

    def kube_requests(self, agent: str) -> Counter[str]:
        """Return the requests by verb of user agents with `agent` in them; others belong to the benchmark."""
        found: Counter[str] = Counter()
        for (verb, _, by), count in self._kube.counts().items():
            if agent in by.lower():
                found[verb] += count
        return found

    def requests_by_agents(self) -> Counter[tuple[str, str]]:
        """Return the requests by verb and resource that have a user agent: those of the benchmark have none."""
        found: Counter[tuple[str, str]] = Counter()
        for (verb, resource, by), count in self._kube.counts().items():
            if by:
                found[verb, resource] += count
        return found


def until(look: Callable[[], bool], what: str, within_s: float) -> None:
    """Wait until `look` is true. Raises SandboxError after `within_s`."""
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            raise SandboxError(f"{what}: not within {within_s:g} s")
        time.sleep(0.1)


class Watcher:
    """Watches the jobs: records when each first had which state, and its name at SageMaker."""

    def __init__(self, api: KubeApi) -> None:
        self.seen: dict[str, dict[str, float]] = {}
        self.jobs: dict[str, str] = {}
        self._api = api
        self._version = "0"
        self._is_closed = False
        self._failure: Exception | None = None
        self._open()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the watch."""
        self._is_closed = True
        with suppress(OSError):  # the server may have ended first
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._answer.close()
        self._connection.close()

    def _open(self) -> None:
        self._connection = self._api.connect(3600)
        path = f"{JOBS_PATH}?watch=true&resourceVersion={self._version}&timeoutSeconds=3600"
        self._connection.request("GET", path, headers=self._api.headers())
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()

    def _follow(self) -> None:
        """Read on, over all ends: a real server ends the watch of a client that is slow, or when it restarts."""
        try:
            while not self._is_closed:
                with suppress(OSError, http.client.HTTPException):
                    self._read()
                if not self._is_closed:
                    self._connection.close()
                    self._open()
        except (OSError, http.client.HTTPException, SandboxError) as exc:
            if not self._is_closed:
                self._failure = exc

    def _read(self) -> None:
        for line in self._answer:
            event = json.loads(line)
            if event["type"] == "ERROR":
                raise SandboxError(f"the watch of the benchmark: {event['object']}")
            obj = event["object"]
            self._version = obj["metadata"]["resourceVersion"]
            status = obj.get("status") or {}
            states = self.seen.setdefault(obj["metadata"]["name"], {})
            for state in (status.get("trainingJobStatus"), status.get("secondaryStatus")):
                if state:
                    states.setdefault(state, time.monotonic())
            if job := status.get("sageMakerTrainingJobName"):
                self.jobs[obj["metadata"]["name"]] = job

    def count(self, prefix: str, state: str) -> int:
        """Return how many jobs with that prefix have reached `state`. Raises SandboxError if it cannot watch on."""
        if self._failure is not None:
            raise SandboxError("the benchmark's watch has ended") from self._failure
        return sum(state in states for name, states in list(self.seen.items()) if name.startswith(prefix))


def apply_jobs(api: KubeApi, prefix: str, jobs: int, seconds: float) -> dict[str, float]:
    """Create objects of jobs that train for so long, over four connections; returns creation times by name."""
    (sample,) = manifests(SAMPLE)
    created: dict[str, float] = {}

    def create(numbers: range) -> None:
        with closing(api.connect(60)) as connection:
            for number in numbers:
                obj = copy.deepcopy(sample)
                obj["metadata"]["name"] = f"{prefix}-{number}"
                obj["spec"]["hyperParameters"].append({"name": "SANDBOX_TRAIN_SECONDS", "value": str(seconds)})
                limit = obj["spec"]["stoppingCondition"]
                limit["maxRuntimeInSeconds"] = max(limit["maxRuntimeInSeconds"], int(seconds))
                connection.request("POST", JOBS_PATH, json.dumps(obj), api.headers("application/json"))
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 201:
                    raise SandboxError(text.decode(errors="replace"))
                created[obj["metadata"]["name"]] = time.monotonic()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(create, [range(first, jobs, 4) for first in range(4)]))
    return created


def percentile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
