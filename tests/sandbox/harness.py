"""What end-to-end tests are made of: real operator processes, and waiting for what must become true."""

import copy
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from api.meta import JsonObject
from api.v1 import KINDS
from tests.deadline import PATIENCE_S, NeverError, eventually
from tests.sandbox.apiserver import authorization, open_url
from tests.sandbox.forkserver import Child, fork_server
from tests.sandbox.kept_connections import KeptConnections

REPOSITORY = Path(__file__).resolve().parents[2]
PLURALS = {each.kind: each.plural for each in KINDS}


class Api:
    """A few HTTP verbs against a Kubernetes API: what a test needs to look and to act."""

    def __init__(self, url: str, token: str = "", *, namespace: str = "default") -> None:
        self.url = url
        self.namespace = namespace
        """Where objects are, unless a call says otherwise."""
        self._connections = KeptConnections(url)
        self._headers = {"Accept": "application/json", "User-Agent": "tests", **authorization(token)}

    def call(self, method: str, path: str, body: object = None, content: str = "application/json") -> JsonObject:
        """The decoded answer. Raises urllib.error.HTTPError for refusals."""
        sent = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content, **self._headers}
        decoded: JsonObject = json.loads(self._connections.ask(method, path, sent, headers))
        return decoded

    def is_served(self, path: str) -> bool:
        """Whether a collection is there; a CRD takes a moment to become one."""
        try:
            self.call("GET", path)
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code in {404, 429}:  # 429: "storage is (re)initializing"
                    return False
                raise
        return True

    def path(self, name: str = "", *, namespace: str = "", plural: str = "trainingjobs") -> str:
        """Path of one of our objects, or of its collection."""
        base = f"/apis/sagemaker.aws.amazon.com/v1/namespaces/{namespace or self.namespace}/{plural}"
        return f"{base}/{name}" if name else base

    def get(self, name: str, **where: str) -> JsonObject | None:
        """The object, or None where there is none."""
        try:
            return self.call("GET", self.path(name, **where))
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code == 404:
                    return None
                raise

    def create(self, obj: Mapping[str, Any], **where: str) -> JsonObject:
        """Create an object."""
        return self.call("POST", self.path(**where), obj)

    def delete(self, name: str, **where: str) -> JsonObject:
        """Ask for deletion; finalizers may keep the object."""
        return self.call("DELETE", self.path(name, **where))

    def status(self, name: str, **where: str) -> JsonObject:
        """Status of the object, empty where it has none or does not exist."""
        status: JsonObject = (self.get(name, **where) or {}).get("status") or {}
        return status

    def events(self, name: str, namespace: str = "") -> list[JsonObject]:
        """Events about the object of that name."""
        listed = self.call("GET", f"/api/v1/namespaces/{namespace or self.namespace}/events")
        return [event for event in listed["items"] if event["involvedObject"]["name"] == name]


def until_status(api: Api, name: str, value: str, *, field: str = "trainingJobStatus", **where: str) -> JsonObject:
    """Wait until the status field has `value`; returns the object. `where` is that of `Api.path`."""

    def look() -> JsonObject | None:
        obj = api.get(name, **where)
        return obj if obj and (obj.get("status") or {}).get(field) == value else None

    try:
        return eventually(look, what=f"{name}: {field}={value}")
    except NeverError as never:
        raise NeverError(f"{never}; object: {json.dumps(api.get(name, **where), indent=1)}") from None


def until_gone(api: Api, name: str, **where: str) -> None:
    """Wait until the object does not exist. `where` is that of `Api.path`."""
    try:
        eventually(lambda: api.get(name, **where) is None, what=f"{name} is gone")
    except NeverError as never:
        raise NeverError(f"{never}; object: {json.dumps(api.get(name, **where), indent=1)}") from None


OPERATOR_CHECKOUT = "OPERATOR_CHECKOUT"
"""The variable that names a checkout of another commit. Its operator plays the tests then, on today's servers."""


def other_checkout() -> Path | None:
    """Return the checkout whose operator is to run, or None for this one.

    Raises FileNotFoundError where there is no operator: what runs would be ours.
    """
    named = os.environ.get(OPERATOR_CHECKOUT)
    if not named:
        return None
    checkout = Path(named).resolve()
    if not (checkout / "controller" / "__main__.py").is_file():
        raise FileNotFoundError(f"{OPERATOR_CHECKOUT} must name a checkout of this repository: no operator in {named}")
    return checkout


PATIENT_LEADER = (
    *("--leader-election-lease-duration", f"{4 * PATIENCE_S:g}s"),
    *("--leader-election-renew-deadline", f"{3 * PATIENCE_S:g}s"),
)
"""A leader that cannot renew its lease ends. A busy machine may keep it from that for more than ten seconds, which is
the default. Tests of take-overs choose their own durations."""


class Operator:
    """`python -m controller` as a real process. Its log is kept and shown where a test fails.

    It is forked from a process that has imported the operator (forkserver.py), or executed where a `command` is given
    or `OPERATOR_CHECKOUT` names another build.
    """

    process: "Child | subprocess.Popen[bytes]"

    def __init__(
        self,
        kubeconfig: Path,
        aws_url: str,
        log: Path,
        *flags: str,
        command: Sequence[str] = (),
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.log = log
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "KUBE", "SAGEMAKER_")) and not name.upper().endswith("_PROXY")
        }
        environment |= {
            "AWS_DEFAULT_SAGEMAKER_ENDPOINT": aws_url,
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": str(log.parent),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        arguments = [
            *("--kubeconfig", str(kubeconfig)),
            *("--metrics-addr", "127.0.0.1:0"),
            *("--health-addr", "127.0.0.1:0"),
            *("--log-format", "json", "--log-level", "debug"),
            *PATIENT_LEADER,
            *flags,
        ]
        log.touch()
        checkout = other_checkout()
        if command or checkout is not None:
            environment |= {} if checkout is None else {"PYTHONPATH": str(checkout)}
            with log.open("ab") as sink:
                self.process = subprocess.Popen(
                    [*(command or (sys.executable, "-m", "controller")), *arguments],
                    cwd=checkout or REPOSITORY,
                    env=environment,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                )
        else:
            self.process = fork_server().launch(arguments, environment, log)

    def url(self, server: Literal["metrics", "health"]) -> str:
        """Return the address of one of its servers, which is in the log: the system chose the port."""

        def look() -> str | None:
            if self.process.poll() is not None:
                raise AssertionError(f"operator ended with {self.process.returncode}:\n{self.log_tail()}")
            written, _, _ = self.log.read_text(errors="replace").rpartition("\n")
            for line in written.splitlines():
                if '"serving"' in line and (said := json.loads(line)).get("server") == server:
                    return f"http://127.0.0.1:{said['port']}"
            return None

        return eventually(look, what=f"the operator serves {server}")

    def until_ready(self) -> "Operator":
        """Wait for `/readyz`. Raises AssertionError with the log where the process ended instead."""
        health = self.url("health")

        def look() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"operator ended with {self.process.returncode}:\n{self.log_tail()}")
            try:
                open_url(urllib.request.Request(health + "/readyz"))
            except OSError:
                return False
            return True

        try:
            eventually(look, what="operator is ready")
        except NeverError as never:
            raise NeverError(f"{never}; its log:\n{self.log_tail()}") from None
        return self

    def kill(self) -> None:
        """SIGKILL: no chance to clean up."""
        self.process.kill()
        self.process.wait()

    def terminate(self, within_s: float = PATIENCE_S) -> int:
        """SIGTERM, as a kubelet does; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(within_s)

    def log_tail(self, lines: int = 60) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def aws_call(url: str, operation: str, *, region: str = "us-east-2", **members: object) -> JsonObject:
    """One raw call (JSON 1.1) against the embedded SageMaker. Raises urllib.error.HTTPError for refusals."""
    return raw_call(url, operation, json.dumps(members), region=region)


def raw_call(url: str, operation: str, body: str, *, region: str = "us-east-2") -> JsonObject:
    """The same with a request that is text already, also for Application Auto Scaling."""
    is_scaling = "Scal" in operation
    service = "application-autoscaling" if is_scaling else "sagemaker"
    target = "AnyScaleFrontendService" if is_scaling else "SageMaker"
    request = urllib.request.Request(
        url,
        method="POST",
        data=body.encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{target}.{operation}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20300102/{region}/{service}/aws4_request, "
            "SignedHeaders=host, Signature=0",
        },
    )
    decoded: JsonObject = json.loads(open_url(request) or b"{}")  # Stop* answer with nothing
    return decoded


def condition(obj: JsonObject, kind: str) -> JsonObject:
    """The condition of that type, empty where there is none."""
    conditions = (obj.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def named(manifest: JsonObject, name: str, **spec: Any) -> JsonObject:
    """The manifest under another object name, with fields of its spec replaced."""
    changed = copy.deepcopy(manifest)
    changed["metadata"]["name"] = name
    changed["spec"] |= spec
    return changed


def marked(manifest: JsonObject, **markers: str) -> JsonObject:
    """The manifest with hyperparameters that tell the embedded SageMaker how the job shall go."""
    changed = copy.deepcopy(manifest)
    changed["spec"]["hyperParameters"] += [{"name": name, "value": value} for name, value in markers.items()]
    return changed


def for_any_region(manifest: JsonObject) -> JsonObject:
    """The manifest with images from a registry that is no region's: SageMaker pulls from its own region's ECR only."""
    changed: JsonObject = json.loads(_ECR.sub("registry.example.com/", json.dumps(manifest)))
    return changed


_ECR = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")
LONG = {"SANDBOX_TRAIN_SECONDS": "86400"}
"""Marks a job that runs until it is stopped."""
SLOW_S = 600.0
SLOW = {"SANDBOX_SECONDS": "600"}
"""Marks work that takes until the test moves SageMaker's clock by `SLOW_S`. No sample may run for less."""


def jobs(url: str) -> list[JsonObject]:
    """All training jobs that the SageMaker at `url` knows."""
    listed: list[JsonObject] = aws_call(url, "ListTrainingJobs", MaxResults=100)["TrainingJobSummaries"]
    return listed
