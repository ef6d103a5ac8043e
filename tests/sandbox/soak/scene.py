"""Where a soak takes place: API server, SageMaker, operators that die and come back, and what is written down of it."""

import itertools
import json
import signal
import subprocess
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from api.meta import GROUP, JsonObject
from hack.sandbox.aws import server as aws_server
from tests.deadline import PATIENCE_S
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.crds import server_with_crds
from tests.sandbox.harness import PLURALS, Api, Operator, aws_call
from tests.sandbox.soak.manifests import NAMESPACES, definitions

SPEED: Final = 4.0
ELECTION: Final = (
    "--enable-leader-election",
    *("--leader-election-namespace", "default"),
    *("--leader-election-lease-duration", "3s"),
    *("--leader-election-renew-deadline", "2s"),
    *("--leader-election-retry-period", "500ms"),
)
OPERATOR: Final = "sagemaker-on-kubernetes"
"""What the header User-Agent of the operator holds in AWS calls."""
CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass
class Ledger:
    """What the driver has done: evidence for the invariants, and the story of each object."""

    started: float = field(default_factory=time.time)
    lines: list[tuple[float, str]] = field(default_factory=list)
    deleted: dict[str, float] = field(default_factory=dict)
    """When the deletion of an object was asked for, by uid."""
    retained: set[str] = field(default_factory=set)
    """Uids of objects that were deleted with an annotation that protects what is at AWS."""
    undecided: set[str] = field(default_factory=set)
    """Uids of objects that were being deleted when their namespace changed: either way is right."""
    policies: set[str] = field(default_factory=set)
    """Uids of autoscaling policies that were deleted."""
    meddled: set[str] = field(default_factory=set)
    """Scalable targets that somebody else has registered, too."""
    their_policies: set[tuple[str, str]] = field(default_factory=set)
    """Target and name of scaling policies that others have put where one of ours was."""
    recreating: set[str] = field(default_factory=set)
    """Uids of deployments that may delete a failed endpoint."""
    removed_jobs: dict[str, float] = field(default_factory=dict)
    """When the deletion of a spawned object was asked for, by its job's name."""
    drawn: Counter[str] = field(default_factory=Counter)
    """How often each disturbance was drawn."""
    struck: Counter[str] = field(default_factory=Counter)
    """How often an act of others at AWS took effect."""

    def tell(self, text: str) -> None:
        """Write a line."""
        self.lines.append((time.time() - self.started, text))

    def story(self, *words: str) -> str:
        """The lines that hold one of the words, and the disturbances between."""
        told = [(at, text) for at, text in self.lines if text.startswith("!") or any(word in text for word in words)]
        return "\n".join(f"    {at:7.1f}  {text}" for at, text in told[-60:])


class Scene:
    """Both servers and the operators. Leaving its `with` block ends everything."""

    def __init__(self, directory: Path, *, replicas: int, flags: tuple[str, ...] = ()) -> None:
        self.directory = directory
        self.ledger = Ledger()
        self._replicas = replicas
        self._flags = flags
        self._stack = ExitStack()
        self._numbers = itertools.count(1)
        self.operators: list[Operator] = []
        self.exits: list[str] = []
        """Operators that ended although nobody had killed them."""
        self.killed: set[Operator] = set()
        self.hung: str | None = None
        """The name of which SageMaker answers nothing, whatever else ends."""
        self._hang: tuple[str, float] = ("*", 0.0)
        self._retaining: set[str] = set()
        """Namespaces that ask to retain what is at AWS."""

    def __enter__(self) -> Self:
        with self._stack as stack:
            self.kube = stack.enter_context(server_with_crds(self.directory))
            self.aws = stack.enter_context(aws_server.start(speed=SPEED))
            self.api = Api(self.kube.url, self.kube.token)
            self.kubeconfig = self.directory / "kubeconfig"
            write_kubeconfig(self.kubeconfig, self.kube.url, self.kube.token)
            self._make_namespaces()
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_namespaces(self) -> None:
        for namespace in NAMESPACES:
            self.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
            self.api.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", definitions())

    # --- operators

    def start_operators(self) -> None:
        """Start as many as there shall be."""
        while len(self.running()) < self._replicas:
            log = self.directory / f"operator-{next(self._numbers)}.log"
            flags = ("--poll-interval", "200ms", "--aws-read-timeout", "2s", "--aws-connect-timeout", "2s")
            election = ELECTION if self._replicas > 1 else ()
            self.operators.append(Operator(self.kubeconfig, self.aws.url, log, *flags, *election, *self._flags))

    def running(self) -> list[Operator]:
        """Operators that live. Those that ended unasked are noted."""
        for each in self.operators:
            code = each.process.poll()
            if code is not None and each not in self.killed:
                self.killed.add(each)
                self.ledger.tell(f"! operator ended by itself with {code}")
                if self._replicas == 1 or code < 0:
                    self.exits.append(f"{each.log.name} ended with {code}:\n{each.log_tail(15)}")
        return [each for each in self.operators if each.process.poll() is None]

    def kill(self, operator: Operator) -> None:
        """SIGKILL."""
        self.killed.add(operator)
        operator.kill()

    def terminate(self, operator: Operator, within_s: float = PATIENCE_S) -> None:
        """SIGTERM, as a rolling update does; one that does not end by itself is noted, and killed."""
        self.killed.add(operator)
        try:
            operator.terminate(within_s)
        except subprocess.TimeoutExpired:
            self.exits.append(f"{operator.log.name} did not end within {within_s:g} s:\n{operator.log_tail(15)}")
            operator.kill()

    def signal(self, operator: Operator, number: signal.Signals) -> None:
        """Send a signal."""
        operator.process.send_signal(number)

    def _end(self) -> None:
        for each in self.operators:
            if each.process.poll() is None:
                each.kill()

    def log_lines(self) -> Iterator[JsonObject]:
        """All lines of all operators; one that is no JSON has the key `unreadable`."""
        for each in self.operators:
            for line in each.log.read_text(errors="replace").splitlines():
                try:
                    yield json.loads(line)
                except ValueError:
                    yield {"unreadable": line, "log": each.log.name}

    # --- the two servers

    def objects(self) -> list[JsonObject]:
        """All objects of our kinds, ordered, `kind` set."""
        found = []
        for kind, plural in PLURALS.items():
            listed = self.api.call("GET", f"/apis/sagemaker.aws.amazon.com/v1/{plural}")["items"]
            found += [{**obj, "kind": kind} for obj in listed]
        return sorted(found, key=lambda obj: (obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]))

    def patch(self, obj: JsonObject, body: JsonObject, subresource: str = "") -> None:
        """Merge-patch an object; one that is gone does not matter."""
        path = self.path_of(obj) + subresource
        self._try("PATCH", path, body, "application/merge-patch+json")

    def annotate_namespace(self, namespace: str, body: JsonObject) -> None:
        """Merge-patch a namespace's annotations."""
        asked = body["metadata"]["annotations"]
        self.ledger.tell(f"! namespace {namespace}: {asked}")
        key = f"{GROUP}/deletion-policy"
        if key in asked:  # noted before: the operator may let go of them at once
            (self._retaining.add if asked[key] else self._retaining.discard)(namespace)
            for obj in self.objects():
                if obj["metadata"]["namespace"] == namespace and obj["metadata"]["uid"] in self.ledger.deleted:
                    self.ledger.undecided.add(obj["metadata"]["uid"])
        self._try("PATCH", f"/api/v1/namespaces/{namespace}", body, "application/merge-patch+json")

    def create(self, obj: JsonObject) -> JsonObject | None:
        """Create an object; None where there is one of that name, or the server refuses."""
        return self._try("POST", self.path_of(obj, named=False), obj)

    def delete(self, obj: JsonObject) -> None:
        """Ask for the deletion of an object, and note what that allows the operator to do."""
        metadata = obj["metadata"]
        uid, annotations = metadata["uid"], str(metadata.get("annotations") or {})
        if "retain" in annotations or "read-only" in annotations or metadata["namespace"] in self._retaining:
            self.ledger.retained.add(uid)
        self.ledger.deleted.setdefault(uid, time.time())
        if obj["kind"] == "HostingAutoscalingPolicy":
            self.ledger.policies.add(uid)
        if obj["kind"] == "TrainingJob" and metadata.get("ownerReferences"):
            self.ledger.removed_jobs.setdefault(obj["spec"].get("trainingJobName", ""), time.time())
        self._try("DELETE", self.path_of(obj))

    def path_of(self, obj: JsonObject, *, named: bool = True) -> str:
        """Path of an object, or of its collection."""
        metadata = obj["metadata"]
        name = metadata["name"] if named else ""
        return self.api.path(name, namespace=metadata["namespace"], plural=PLURALS[obj["kind"]])

    def _try(self, method: str, path: str, body: object = None, content: str = "application/json") -> JsonObject | None:
        try:
            return self.api.call(method, path, body, content=content)
        except urllib.error.HTTPError as refused:
            with refused:
                if refused.code not in {404, 409, 422}:
                    raise
                return None

    def disturb_kube(self, order: JsonObject) -> None:
        """Order a fault of the API server; without effect on a real one."""
        if self.kube.is_sandbox:
            self.api.call("POST", "/sandbox/faults", order)

    def break_aws(self, operation: str, fault: str, count: int | None, **details: Any) -> None:
        """Order a fault of AWS. It hits the operator only, not who drives the soak, nor the others it plays."""
        self.aws.faults.add(operation, fault, count, user_agent=OPERATOR, **details)

    def hang(self, operation: str, name: str, delay_s: float) -> None:
        """Leave operations unanswered whose request holds the name, until `release`."""
        self.hung, self._hang = name, (operation, delay_s)
        self.ledger.tell(f"! SageMaker never answers {operation} of {name} again")
        self.break_aws(operation, "hang-before", None, contains=name, delay_s=delay_s)

    def release(self) -> None:
        """Answer what hung."""
        self.hung = None
        self.aws.faults.clear()

    def calm(self) -> None:
        """Withdraw all faults, but for the object that hangs for ever."""
        self.aws.faults.clear()
        self.aws.lists.set()
        self.aws.roles.set()
        if self.hung is not None:
            self.hang(self._hang[0], self.hung, self._hang[1])
        if self.kube.is_sandbox:
            self.api.call("DELETE", "/sandbox/faults")

    def kube_writes(self) -> int:
        """How many writes of our kinds the API server has seen; 0 where it does not count."""
        if not self.kube.is_sandbox:
            return 0
        counted = self.api.call("GET", "/sandbox/requests")["requests"]
        return sum(
            each["count"]
            for each in counted
            if each["verb"] in {"create", "update", "patch", "delete"} and "sagemaker" in each["resource"]
        )

    def ask(self, operation: str, region: str, **members: Any) -> JsonObject | None:
        """A SageMaker call as somebody else; None where it is refused."""
        try:
            return aws_call(self.aws.url, operation, region=region, **members)
        except urllib.error.HTTPError as refused:
            with refused:
                refused.read()
            return None


def recorded(obj: JsonObject) -> JsonObject | None:
    """Return what the status records at AWS; a name that was only tried is no record."""
    resource: JsonObject = (obj.get("status") or {}).get("awsResource") or {}
    return resource if resource.get("name") else None
