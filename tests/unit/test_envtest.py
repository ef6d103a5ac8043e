"""What is known about a real API server without one: its audit log, how it is reached, how an operator finds it."""

import json
import os
import ssl
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.audit_log import Audited, AuditLog
from hack.bench.api_servers import counted_as, in_a_pod, service_account, started
from hack.bench.scene import Watcher, apply_jobs
from hack.envtest import ASSETS, real_server
from hack.sandbox.kube.server import start
from hack.sandbox.kubeapi import KubeApi, KubeError, manifests
from hack.sandbox.samples import CRDS, REPOSITORY
from tests.deadline import eventually
from tests.tables import each_row

OURS = "trainingjobs.sagemaker.aws.amazon.com"
NAMESPACE = "sagemaker-k8s-operator-system"
JOBS = "/apis/sagemaker.aws.amazon.com/v1/namespaces/a/trainingjobs"
TRAINING = {"resource": "trainingjobs", "namespace": "a", "apiGroup": "sagemaker.aws.amazon.com", "apiVersion": "v1"}


def line(verb: str, path: str, about: dict[str, str] | None, stage: str = "ResponseComplete", **more: Any) -> str:
    """Return a line as kube-apiserver 1.37 writes it."""
    event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": stage,
        "requestURI": path,
        "verb": verb,
        "user": {"username": "admin"},
        **({"objectRef": about} if about else {}),
        "responseStatus": {"code": 200},
        **more,
    }
    return json.dumps(event) + "\n"


@each_row(
    ("written", "expected"),
    [
        (
            line("patch", f"{JOBS}/j/status", TRAINING | {"name": "j", "subresource": "status"}, userAgent="op"),
            [Audited("patch", f"{OURS}/status", "op", "admin", 200, f"{JOBS}/j/status")],
        ),
        (line("get", "/apis?limit=1", None), [Audited("get", "/apis", "", "admin", 200, "/apis?limit=1")]),
        (
            line("watch", JOBS, TRAINING, "ResponseStarted") + line("watch", JOBS, TRAINING),
            [Audited("watch", OURS, "", "admin", 200, JOBS)],
        ),
        (
            line("list", JOBS, TRAINING, "ResponseStarted") + line("list", JOBS, TRAINING),
            [Audited("list", OURS, "", "admin", 200, JOBS)],
        ),
        (
            line("list", JOBS, TRAINING, user={"username": "them"}, responseStatus={"code": 403}),
            [Audited("list", OURS, "", "them", 403, JOBS)],
        ),
    ],
)
def test_the_audit_log_has_each_request_once(written: str, expected: list[Audited], tmp_path: Path) -> None:
    """A watch counts when it begins, as it may last; all others when they are answered."""
    log = tmp_path / "audit.log"
    log.write_text(written)

    assert list(AuditLog(log).fresh()) == expected


@each_row(
    ("verb", "resource", "counted"),
    [
        ("watch", OURS, ("list", OURS, "op")),
        ("patch", f"{OURS}/status", ("patch", f"{OURS}/status", "op")),
        ("create", "events", ("create", "events", "op")),
        ("get", "/apis/apps/v1", ("get", "/apis/apps/v1", "op")),
    ],
)
def test_a_request_counts_as_on_the_embedded_server(verb: str, resource: str, counted: tuple[str, str, str]) -> None:
    """Its counter knows methods and paths only, so a watch is a list."""
    assert counted_as(Audited(verb, resource, "op", "admin", 200, "/")) == counted


def test_the_audit_log_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    """Also within a line that is being written."""
    log, first, second = tmp_path / "audit.log", line("get", "/a", None), line("get", "/b", None)
    audit_log = AuditLog(log)
    log.write_text(first + second[:30])
    before = [each.path for each in audit_log.fresh()]
    log.write_text(first + second)

    assert (before, [each.path for each in audit_log.fresh()]) == (["/a"], ["/b"])
    assert list(audit_log.fresh()) == []


@pytest.mark.parametrize("missing", ["etcd", "kube-apiserver"])
def test_a_missing_binary_is_named(missing: str, tmp_path: Path) -> None:
    """Before the other one is started."""
    for name in {"etcd", "kube-apiserver"} - {missing}:
        (tmp_path / name).touch()

    with pytest.raises(FileNotFoundError, match=f"{missing} is missing: {ASSETS}"), real_server(tmp_path, tmp_path):
        pass


def test_a_benchmark_takes_the_binaries_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never the embedded server in their place."""
    monkeypatch.setenv(ASSETS, str(tmp_path / "none"))

    with ExitStack() as stack, pytest.raises(FileNotFoundError, match="etcd is missing"):
        started(tmp_path, stack)


@each_row(
    ("token", "authority", "cluster", "user"),
    [
        ("", None, {"insecure-skip-tls-verify": True}, {}),
        ("t", Path("/ca.crt"), {"certificate-authority": "/ca.crt"}, {"token": "t"}),
    ],
)
def test_a_kubeconfig_has_what_the_client_has(
    token: str, authority: Path | None, cluster: dict[str, object], user: dict[str, str], tmp_path: Path
) -> None:
    """And is for its owner alone, as it holds the token."""
    path = tmp_path / "kubeconfig"

    KubeApi("https://127.0.0.1:1", token, authority).write_kubeconfig(path, namespace="n")

    config = yaml.safe_load(path.read_text())
    assert config["clusters"][0]["cluster"] == {"server": "https://127.0.0.1:1", **cluster}
    assert config["users"][0]["user"] == user
    assert config["contexts"][0]["context"]["namespace"] == "n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_certificate_is_checked_by_the_authority_and_not_without_one(tmp_path: Path) -> None:
    """An authority that cannot be read is an error, and no reason to trust everyone."""
    bare = KubeApi("https://127.0.0.1:1")
    context: Any = vars(bare.connect(1))["_context"]
    assert context.verify_mode is ssl.CERT_NONE

    with pytest.raises(FileNotFoundError):
        KubeApi("https://127.0.0.1:1", authority=tmp_path / "ca.crt").connect(1)


def test_the_operators_account_may_do_what_the_installer_allows_and_no_more() -> None:
    """On the embedded server with authorization: the token is that of the account that the installer binds."""
    with start(rbac=True) as server:
        admin = KubeApi(server.url)
        admin.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        files = service_account(admin)
        operator = KubeApi(server.url, files["token"])
        event = {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}

        assert files["namespace"] == NAMESPACE
        assert operator.create("/api/v1/namespaces/default/events", event)["metadata"]["name"] == "e"
        with pytest.raises(KubeError, match="cannot list resource"):
            operator.get("/api/v1/secrets")


def test_an_operator_finds_the_files_of_its_account_where_a_benchmark_has_put_them(tmp_path: Path) -> None:
    """`in_a_pod` runs a module like `python -m`, with the operator's own constant in place before it looks."""
    (tmp_path / "shown.py").write_text(
        "import sys\nfrom controller.kube.config import SERVICE_ACCOUNT\n"
        "print(SERVICE_ACCOUNT, __name__, sys.argv[1:], sys.modules.get('rich', 'absent'))\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{REPOSITORY}", "BENCH_SERVICE_ACCOUNT": "/files"}

    said = subprocess.run(
        [*in_a_pod("shown", without="rich"), "--flag"], env=environment, capture_output=True, text=True, check=True
    )

    assert said.stdout.split("\n")[0] == "/files __main__ ['--flag'] None"


def test_the_watcher_of_a_benchmark_watches_on_after_an_end() -> None:
    """From where it was: a real server ends the watch of a slow client."""
    with start() as server:
        api = KubeApi(server.url)
        for crd in manifests(CRDS / "sagemaker.aws.amazon.com_trainingjobs.yaml"):
            api.until_established(api.apply(crd)["metadata"]["name"])
        apply_jobs(api, "first", 1, 1)
        watcher = Watcher(api)
        eventually(lambda: "first-0" in watcher.seen, what="the first is seen")
        api.create("/sandbox/faults", {"drop_watches": True})
        apply_jobs(api, "second", 1, 1)

        eventually(lambda: "second-0" in watcher.seen, what="the second is seen")
        watcher.close()
