"""`make test-envtest`: the operator on a real API server as in a pod, with TLS, its own token and the rights we ship.

What an installation meets that the embedded server cannot show; the file is in no other run of the tests. Each test has
servers of its own, and fails where the API server has refused anything to the operator.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from api.meta import GROUP, JsonObject
from hack.audit_log import Audited, AuditLog
from hack.bench.api_servers import in_a_pod, service_account
from hack.envtest import ASSETS, assets, real_server
from hack.sandbox.aws import server as aws_server
from hack.sandbox.kubeapi import KubeApi, KubeError
from hack.sandbox.samples import create_pipeline
from tests.deadline import eventually
from tests.sandbox.conftest import SPEED, WORKERS
from tests.sandbox.harness import LONG, REPOSITORY, Api, Operator, jobs, marked, named, until_gone, until_status
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE
from tests.sandbox.kubectl import TIMEOUT, kubectl_for

SAMPLES: Final = REPOSITORY / "samples"
USER: Final = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
TRAINING: Final = "trainingjobs.sagemaker.aws.amazon.com"
LEASE: Final = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/sagemaker-k8s-operator-leader"
BRIEF: Final = (
    *("--leader-election-lease-duration", "6s"),
    *("--leader-election-renew-deadline", "4s"),
    *("--leader-election-retry-period", "1s"),
)


class Installed:
    """A real API server with the installer's objects, a SageMaker, and operators as their pods would be."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        binaries = assets()
        assert binaries is not None, f"{ASSETS} names no binaries"
        self.directory = directory
        self.server = stack.enter_context(real_server(binaries, directory))
        self.aws = stack.enter_context(aws_server.start(speed=SPEED))
        self.api = Api(self.server.api.url, self.server.api.token)
        kubeconfig = directory / "admin"
        self.server.api.write_kubeconfig(kubeconfig)
        self.kubectl = kubectl_for(kubeconfig, directory)
        self.kubectl("apply", "--filename", str(INSTALLER))
        self.kubectl("wait", "crd", "--all", "--for=condition=Established", TIMEOUT)
        self.mounted = directory / "serviceaccount"
        self.mounted.mkdir()
        self.mount(service_account(self.server.api))
        self.operators: list[Operator] = []
        self._audit_log = AuditLog(self.server.audit_log)
        stack.callback(self._end)

    def mount(self, files: dict[str, str]) -> None:
        """Have these files where a pod has those of its service account; each replaces its former one at once."""
        for name, text in files.items():
            fresh = self.mounted / f".{name}"
            fresh.write_text(text)
            fresh.replace(self.mounted / name)

    def operator(self, *flags: str) -> Operator:
        """Start an operator that has what a pod has, and no kubeconfig."""
        host, _, port = self.server.api.url.removeprefix("https://").rpartition(":")
        started = Operator(
            Path(),
            self.aws.url,
            self.directory / f"operator-{len(self.operators)}.log",
            *("--kubeconfig", "", "--enable-leader-election"),
            *("--poll-interval", "200ms", "--workers", WORKERS),
            *flags,
            command=in_a_pod("controller"),
            variables={
                "KUBERNETES_SERVICE_HOST": host,
                "KUBERNETES_SERVICE_PORT": port,
                "BENCH_SERVICE_ACCOUNT": str(self.mounted),
            },
        )
        self.operators.append(started)
        return started

    def requests(self) -> list[Audited]:
        """Return the operator's requests since the last call."""
        return [each for each in self._audit_log.fresh() if each.user == USER]

    def created(self) -> Counter[str]:
        """Return how many jobs SageMaker has of each name."""
        return Counter(each["TrainingJobName"] for each in jobs(self.aws.url))

    def _end(self) -> None:
        for each in self.operators:
            if each.process.poll() is None:
                each.kill()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Installed]:
    """A fresh installation; afterwards nothing may have been forbidden to the operator."""
    with ExitStack() as stack:
        installed = Installed(tmp_path, stack)
        yield installed
        found = installed.requests()
        assert found, "the audit log has what the operator did"
        assert [each for each in found if each.code == 403] == []


def test_every_sample_ends_well_and_goes_away(cluster: Installed) -> None:
    """With `kubectl apply`, `wait` and `delete` of all of them; SageMaker keeps a group that has a version."""
    create_pipeline(cluster.aws)
    cluster.operator().until_ready()
    cluster.kubectl("apply", "-f", str(SAMPLES))

    ready = cluster.kubectl("wait", "--for=condition=Ready", "-f", str(SAMPLES), TIMEOUT).stdout.splitlines()
    cluster.kubectl("annotate", "modelpackagegroup", "--all", f"{GROUP}/deletion-policy=retain")
    cluster.kubectl("delete", "-f", str(SAMPLES), TIMEOUT)

    assert len(ready) == len(list(SAMPLES.glob("*.yaml")))
    left = json.loads(cluster.kubectl("get", "sagemaker", "--all-namespaces", "--output=json").stdout)
    assert left["items"] == []


def test_a_kubeconfig_with_the_token_does_as_well(cluster: Installed, manifest: JsonObject) -> None:
    """It names the authority of the certificate. Server-side apply of the same manifest changes nothing later."""
    kubeconfig = cluster.directory / "operator-kubeconfig"
    api = cluster.server.api
    KubeApi(api.url, (cluster.mounted / "token").read_text(), api.authority).write_kubeconfig(kubeconfig)
    log = cluster.directory / "operator.log"
    operator = Operator(kubeconfig, cluster.aws.url, log, "--poll-interval", "200ms")
    cluster.operators.append(operator.until_ready())

    text = json.dumps(manifest)
    cluster.kubectl("apply", "--server-side", "--filename=-", stdin=text)
    cluster.kubectl("wait", "trainingjob", "--all", "--for=condition=Ready", TIMEOUT)
    before = cluster.api.get(manifest["metadata"]["name"])
    cluster.kubectl("apply", "--server-side", "--filename=-", stdin=text)

    assert cluster.api.get(manifest["metadata"]["name"]) == before


def test_a_restart_of_the_api_server_is_survived(cluster: Installed, manifest: JsonObject) -> None:
    """Watches go on, also for what was changed while the operator was cut off; nothing is made twice.

    A server that starts forbids what it has not read the roles for, and asks for patience until it has the CRDs.
    """
    operator = cluster.operator().until_ready()
    for name in ("ends", "runs"):
        cluster.api.create(named(marked(manifest, **LONG), name))
        until_status(cluster.api, name, "InProgress")

    cluster.server.stop()
    cluster.server.start()
    cluster.api.create(named(manifest, "new"))
    cluster.api.delete("ends")

    until_status(cluster.api, "new", "Completed")
    until_gone(cluster.api, "ends")
    assert operator.process.poll() is None
    cluster.requests()
    cluster.api.delete("runs")
    until_gone(cluster.api, "runs")
    assert set(cluster.created().values()) == {1}
    assert len(cluster.created()) == 3


def test_a_token_that_is_no_longer_valid_is_read_anew(cluster: Installed, manifest: JsonObject) -> None:
    """A kubelet replaces the file; until then requests are refused with 401, and nothing is lost."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bound"}}
    made = cluster.server.api.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", secret)
    bound = {"kind": "Secret", "apiVersion": "v1", "name": "bound", "uid": made["metadata"]["uid"]}
    lasting = (cluster.mounted / "token").read_text()
    path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"boundObjectRef": bound}}
    passing = cluster.server.api.create(path, request)["status"]["token"]
    cluster.mount({"token": passing})
    operator = cluster.operator().until_ready()
    cluster.api.create(named(marked(manifest, **LONG), "before"))
    until_status(cluster.api, "before", "InProgress")

    cluster.kubectl("delete", "secret", "bound", "--namespace", NAMESPACE)
    by_token = KubeApi(cluster.server.api.url, passing, cluster.server.api.authority)
    eventually(lambda: _is_unauthorized(by_token), what="the server forgets the token, which it does after 10 s")
    cluster.api.create(named(manifest, "meanwhile"))
    eventually(lambda: "Unauthorized" in operator.log.read_text(), what="a refusal")
    cluster.mount({"token": lasting})

    until_status(cluster.api, "meanwhile", "Completed")
    assert operator.process.poll() is None
    assert set(cluster.created().values()) == {1}


def _is_unauthorized(api: KubeApi) -> bool:
    try:
        api.get("/apis/sagemaker.aws.amazon.com/v1/trainingjobs?limit=1")
    except KubeError as refused:
        return "Unauthorized" in str(refused)
    return False


def test_another_replica_takes_over(cluster: Installed, manifest: JsonObject) -> None:
    """The Lease is written with the rights that we ship; one replica works at a time."""
    first = cluster.operator(*BRIEF).until_ready()
    cluster.api.create(named(marked(manifest, **LONG), "long"))
    until_status(cluster.api, "long", "InProgress")
    holder = cluster.api.call("GET", LEASE)["spec"]["holderIdentity"]
    cluster.operator(*BRIEF).until_ready()
    os.kill(first.process.pid, 9)

    eventually(lambda: cluster.api.call("GET", LEASE)["spec"]["holderIdentity"] != holder, what="another holder")
    cluster.api.create(named(manifest, "next"))

    until_status(cluster.api, "next", "Completed")
    assert set(cluster.created().values()) == {1}


def test_an_upgrade_of_the_crds_is_survived(cluster: Installed, manifest: JsonObject) -> None:
    """The server makes the storage of a changed kind anew, which ends its watches."""
    operator = cluster.operator().until_ready()
    cluster.api.create(named(marked(manifest, **LONG), "long"))
    until_status(cluster.api, "long", "InProgress")
    column = {"name": "Extra", "type": "string", "jsonPath": ".spec.region"}
    patch = [{"op": "add", "path": "/spec/versions/0/additionalPrinterColumns/-", "value": column}]

    cluster.kubectl("patch", "crd", TRAINING, "--type=json", "--patch", json.dumps(patch))
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "--filename", str(INSTALLER))
    cluster.api.create(named(manifest, "next"))

    until_status(cluster.api, "next", "Completed")
    assert operator.process.poll() is None
    assert set(cluster.created().values()) == {1}
