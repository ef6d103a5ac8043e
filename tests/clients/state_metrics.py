"""Runs kube-state-metrics with the configuration that we ship: `make test-state-metrics`.

The samples live in the sandbox, with the operator; kube-state-metrics lists them by the rights of our role alone. Then
every object must have its metrics with the values of its status. A path that leads nowhere is silent there, and a
series with a label that is missing is no error to Prometheus: so what is exposed is compared with the objects.
"""

import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from prometheus_client.parser import text_string_to_metric_families

from api.descriptor import PrinterColumn
from api.v1 import KINDS
from hack.envtest import free_port
from hack.sandbox.aws import server as aws_server
from hack.sandbox.kubeapi import KubeApi
from hack.sandbox.operator_process import OperatorProcess
from hack.sandbox.samples import SAMPLES, create_pipeline
from hack.sandbox.show.rows import row_of
from tests.deadline import NeverError, eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.installation import NAMESPACE, Cluster, cluster

PROGRAM: Final = "kube-state-metrics"
CONFIGURATION: Final = Path("config", "kube-state-metrics")
ROLE: Final = "sagemaker-k8s-operator-state-metrics-role"
ACCOUNT: Final = "state-metrics"
Series: TypeAlias = tuple[str, frozenset[tuple[str, str]]]
"""Name and labels."""


def main() -> int:
    """Compare; returns 1 after a line on stderr if there is no kube-state-metrics."""
    program = shutil.which(PROGRAM)
    if program is None:
        print(
            f"error: no {PROGRAM} on PATH; with Go: go install k8s.io/kube-state-metrics/v2@latest, and its folder "
            "(go env GOPATH)/bin on PATH",
            file=sys.stderr,
        )
        return 1
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = stack.enter_context(cluster(directory, has_kinds=True))
        aws = stack.enter_context(aws_server.start(speed=4.0))
        create_pipeline(aws)
        log = directory / "operator.log"
        stack.enter_context(OperatorProcess(home.kubeconfig, aws.url, log, speed=4.0))
        home.put_all(sample.manifest for sample in SAMPLES)
        url = stack.enter_context(_Program(program, home, directory)).url
        objects = _ended_well(KubeApi(home.server.url))
        _compare(url, objects)
        kinds = {obj["kind"] for obj in objects}
        assert kinds == {kind.kind for kind in KINDS}, f"no sample of { ({kind.kind for kind in KINDS} - kinds) }"
        families = {name for name, _ in _scraped(url)}
        print(f"{len(objects)} objects of {len(kinds)} kinds have all series of {len(families)} metrics")
    return 0


def _ended_well(kube: KubeApi) -> list[dict[str, Any]]:
    """Wait until all objects have ended well, and return them. Raises NeverError with those that have not."""

    def unfinished() -> list[str]:
        return [
            f"{row.key} is {row.state} {row.message}" for row in map(row_of, kube.operator_objects()) if not row.verdict
        ]

    try:
        eventually(lambda: not unfinished(), what="all objects end well")
    except NeverError as never:
        raise NeverError(f"{never}; {'; '.join(unfinished())}") from never
    return kube.operator_objects()


def _compare(url: str, objects: Sequence[Mapping[str, Any]]) -> None:
    """Wait until all objects have their series. Raises NeverError with some that are missing."""
    try:
        eventually(lambda: not missing(_scraped(url), objects), what="every object has its series")
    except NeverError as never:
        raise NeverError(f"{never}; missing: {missing(_scraped(url), objects)[:5]}") from never


class _Program:
    """kube-state-metrics as its Deployment runs it: with the role that we ship, and nothing but our configuration."""

    def __init__(self, program: str, home: Cluster, directory: Path) -> None:
        rendered = directory / "state-metrics.yaml"
        rendered.write_text(home.kubectl("kustomize", str(CONFIGURATION)))
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _named(ACCOUNT) | {"namespace": NAMESPACE}}
        home.put_namespaces(NAMESPACE)
        home.put(rendered)
        home.put_all([account, _binding()])
        config = home.kubectl(
            *("get", "configmap", "sagemaker-k8s-operator-state-metrics", "--namespace", NAMESPACE),
            *("--output", r"jsonpath={.data.config\.yaml}"),
        )
        (directory / "config.yaml").write_text(config)
        kubeconfig = directory / "state-metrics-kubeconfig"
        write_kubeconfig(kubeconfig, home.server.url, home.server.token(NAMESPACE, ACCOUNT))
        port, telemetry = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}/metrics"
        self._log = directory / "state-metrics.log"
        self._command = [
            *(program, "--kubeconfig", str(kubeconfig)),
            *("--custom-resource-state-config-file", str(directory / "config.yaml"), "--custom-resource-state-only"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--telemetry-host", "127.0.0.1", "--telemetry-port", str(telemetry)),
        ]

    def __enter__(self) -> Self:
        with self._log.open("wb") as sink:
            self._process = subprocess.Popen(self._command, stdout=sink, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *failure: object) -> None:
        self._process.terminate()
        self._process.wait()
        if any(failure):
            print(self._log.read_text(encoding="utf-8", errors="replace")[-4000:], file=sys.stderr)


def _named(name: str) -> dict[str, Any]:
    return {"name": name}


def _binding() -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": _named(ROLE),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
        "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
    }


def _scraped(url: str) -> dict[Series, float]:
    """Return what is exposed; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def missing(shown: Mapping[Series, float], objects: Iterable[Mapping[str, Any]]) -> list[tuple[str, dict[str, str]]]:
    """Return what the objects should have and is not shown with its value."""
    by_name: dict[str, list[tuple[frozenset[tuple[str, str]], float]]] = {}
    for (name, labels), value in shown.items():
        by_name.setdefault(name, []).append((labels, value))
    return [
        (name, labels)
        for obj in objects
        for name, labels, value in expected(obj)
        if not any(labels.items() <= found and value == number for found, number in by_name.get(name, ()))
    ]


def expected(obj: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield name, labels (at least these) and value of the series that docs/monitoring.md promises of an object."""
    kind = next(kind for kind in KINDS if kind.kind == obj["kind"])
    metadata, status = obj["metadata"], obj["status"]
    prefix = f"sagemaker_{kind.singular}"
    who = {"name": metadata["name"], "namespace": metadata["namespace"], "customresource_kind": kind.kind}
    columns = {_label(column.name): _at(obj, column.json_path) for column in kind.printer_columns if _is_shown(column)}
    assert "status" in columns
    yield f"{prefix}_info", {**who, **{label: text for label, text in columns.items() if text}}, 1.0
    yield f"{prefix}_created", who, datetime.fromisoformat(metadata["creationTimestamp"]).timestamp()
    for condition in status["conditions"]:
        labels = {"type": condition["type"], "reason": condition["reason"]}
        yield f"{prefix}_condition", {**who, **labels}, float(condition["status"] == "True")


def _is_shown(column: PrinterColumn) -> bool:
    return column.type == "string" and column.json_path.startswith(".status.") and "[" not in column.json_path


def _label(column: str) -> str:
    """Return the label of a column of `kubectl get`, as docs/monitoring.md has it."""
    return "aws_name" if column.upper().endswith("-NAME") else column.lower().replace("-", "_")


def _at(obj: Mapping[str, Any], path: str) -> str:
    value: Any = obj
    for step in path.removeprefix(".").split("."):
        value = (value or {}).get(step)
    return str(value or "")


if __name__ == "__main__":
    sys.exit(main())
