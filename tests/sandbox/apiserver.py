"""The Kubernetes API that end-to-end tests run against: the sandbox's, real binaries, or a cluster.

With `KUBEBUILDER_ASSETS` set to a directory that holds `etcd` and `kube-apiserver` (as setup-envtest lays them out),
the same tests run against those; with `TEST_CLUSTER=1` against the cluster that kubectl is set to, in a scratch
namespace. There they show that the operator, not only the sandbox, is right.
"""

import io
import json
import os
import secrets
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from hack.sandbox.kube import server as sandbox
from hack.tools import find
from tests.deadline import PATIENCE_S, NeverError, eventually
from tests.sandbox.kept_connections import trusting

ASSETS = "KUBEBUILDER_ASSETS"
CLUSTER = "TEST_CLUSTER"


@dataclass(frozen=True)
class ApiServer:
    """A running API server; `token` is empty where anybody may do anything."""

    url: str
    token: str = ""
    namespace: str = "default"
    """Where tests may make objects."""
    is_sandbox: bool = True
    is_ours: bool = True
    """Whether everything on it belongs to the test."""


def is_sandbox() -> bool:
    """Whether tests run against the sandbox's API server."""
    return not os.environ.get(CLUSTER) and not os.environ.get(ASSETS)


@contextmanager
def api_server(directory: Path, *, state: Path | None = None) -> Iterator[ApiServer]:
    """The API server for one test: the sandbox's with that state, else with the namespaces of a fresh cluster only."""
    assets = os.environ.get(ASSETS)
    if os.environ.get(CLUSTER):
        with cluster(directory) as scratch:
            yield scratch
    elif assets:
        with real_server(Path(assets), directory) as real:
            yield real
    else:
        with sandbox.start(state=state) as running:
            yield ApiServer(running.url)


@contextmanager
def real_server(assets: Path, directory: Path) -> Iterator[ApiServer]:
    """etcd and kube-apiserver on loopback, with their data and logs in `directory`.

    Raises FileNotFoundError naming the binary that is missing, AssertionError with the log where one does not start.
    """
    binaries = {name: assets / name for name in ("etcd", "kube-apiserver")}
    for path in binaries.values():
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: {ASSETS} must name a directory with etcd and kube-apiserver")
    home = directory / "apiserver"
    home.mkdir()
    etcd, peers, secure = free_port(), free_port(), free_port()
    token = secrets.token_hex(16)
    (home / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    (home / "sa.key").write_bytes(_private_key())
    commands = {
        "etcd": (
            f"--data-dir={home / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peers}",
            "--unsafe-no-fsync",
        ),
        "kube-apiserver": (
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            f"--secure-port={secure}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={home / 'certs'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={home / 'sa.key'}",
            f"--service-account-signing-key-file={home / 'sa.key'}",
            f"--token-auth-file={home / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--disable-admission-plugins=ServiceAccount",
        ),
    }
    with ExitStack() as stack:
        for name, flags in commands.items():
            stack.enter_context(_process([str(binaries[name]), *flags], home / f"{name}.log"))
        server = ApiServer(f"https://127.0.0.1:{secure}", token, is_sandbox=False)
        _wait_until_ready(server, home / "kube-apiserver.log")
        yield server


@contextmanager
def cluster(directory: Path) -> Iterator[ApiServer]:
    """The cluster of the current kubeconfig, through `kubectl proxy`, which knows every way to log in.

    Tests get a namespace of a random name, deleted afterwards; our CRDs are applied and stay.
    """
    kubectl = str(find("kubectl"))
    namespace = f"sagemaker-operator-test-{secrets.token_hex(4)}"
    port = free_port()
    with _process([kubectl, "proxy", f"--port={port}"], directory / "kubectl-proxy.log"):
        server = ApiServer(f"http://127.0.0.1:{port}", namespace=namespace, is_sandbox=False, is_ours=False)
        _wait_until_ready(server, directory / "kubectl-proxy.log")
        made = subprocess.run([kubectl, "create", "namespace", namespace], capture_output=True, text=True, check=False)
        if made.returncode:
            raise AssertionError(f"the cluster does not let us make a namespace: {made.stderr}")
        try:
            yield server
        finally:
            subprocess.run([kubectl, "delete", "namespace", namespace, "--wait=false"], capture_output=True, check=True)


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def open_url(request: urllib.request.Request, timeout_s: float = PATIENCE_S) -> bytes:
    """The body of an answer, over plain HTTP or from a server whose certificate nobody vouches for (loopback)."""
    try:
        with _opener().open(request, timeout=timeout_s) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as refused:
        with refused:
            words = refused.read()
        told = urllib.error.HTTPError(refused.url, refused.code, refused.msg, refused.headers, io.BytesIO(words))
        told.add_note(words.decode(errors="replace")[:2000])  # a failed test shows why
        raise told from None


@cache
def _opener() -> urllib.request.OpenerDirector:
    """Trusts everybody, and takes no proxy of the environment. Made once, for that takes longer than a request."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting()))


def write_kubeconfig(path: Path, url: str, token: str = "", *, namespace: str = "default") -> None:
    """A kubeconfig with one context called `sandbox`. JSON is YAML."""
    cluster = {"server": url, **({"insecure-skip-tls-verify": True} if url.startswith("https:") else {})}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sandbox",
        "clusters": [{"name": "sandbox", "cluster": cluster}],
        "users": [{"name": "sandbox", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox", "namespace": namespace}}],
    }
    path.write_text(json.dumps(config))
    path.chmod(0o600)


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield
    finally:
        process.kill()  # nothing of it is kept
        process.wait()


def _wait_until_ready(server: ApiServer, log: Path) -> None:
    """Until it is ready and has made the namespaces that every cluster has."""

    def answers(path: str) -> bool:
        try:
            open_url(urllib.request.Request(server.url + path, headers=authorization(server.token)))
        except OSError:  # refused, or an HTTPError: not yet
            return False
        return True

    try:
        for path in ("/readyz", *(f"/api/v1/namespaces/{name}" for name in ("default", "kube-system"))):
            eventually(partial(answers, path), what=f"kube-apiserver answers {path}")
    except NeverError as never:
        raise NeverError(f"{never}; its log:\n{log.read_text()[-4000:]}") from None


def authorization(token: str) -> dict[str, str]:
    """The header that carries a bearer token; none without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def _private_key() -> bytes:
    # For a real kube-apiserver only.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
