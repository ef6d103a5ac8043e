"""The Kubernetes API that end-to-end tests run against: the sandbox's, real binaries, or a cluster.

With `KUBEBUILDER_ASSETS` set to a directory that holds `etcd` and `kube-apiserver` (as setup-envtest lays them out),
the same tests run against those; with `TEST_CLUSTER=1` against the cluster that kubectl is set to, in a scratch
namespace. There they show that the operator, not only the sandbox, is right.
"""

import io
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from hack.envtest import assets, free_port, real_server, running
from hack.sandbox.kube import server as sandbox
from hack.sandbox.kubeapi import KubeApi
from hack.tools import find
from tests.deadline import PATIENCE_S, NeverError, eventually
from tests.sandbox.kept_connections import trusting

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
    return not os.environ.get(CLUSTER) and not assets()


@contextmanager
def api_server(directory: Path, *, state: Path | None = None) -> Iterator[ApiServer]:
    """The API server for one test: the sandbox's with that state, else with the namespaces of a fresh cluster only."""
    binaries = assets()
    if os.environ.get(CLUSTER):
        with cluster(directory) as scratch:
            yield scratch
    elif binaries:
        with real_server(binaries, directory) as real:
            yield ApiServer(real.api.url, real.api.token, is_sandbox=False)
    else:
        with sandbox.start(state=state) as running:
            yield ApiServer(running.url)


@contextmanager
def cluster(directory: Path) -> Iterator[ApiServer]:
    """The cluster of the current kubeconfig, through `kubectl proxy`, which knows every way to log in.

    Tests get a namespace of a random name, deleted afterwards; our CRDs are applied and stay.
    """
    kubectl = str(find("kubectl"))
    namespace = f"sagemaker-operator-test-{secrets.token_hex(4)}"
    port = free_port()
    with running([kubectl, "proxy", f"--port={port}"], directory / "kubectl-proxy.log"):
        server = ApiServer(f"http://127.0.0.1:{port}", namespace=namespace, is_sandbox=False, is_ours=False)
        _wait_until_ready(server, directory / "kubectl-proxy.log")
        made = subprocess.run([kubectl, "create", "namespace", namespace], capture_output=True, text=True, check=False)
        if made.returncode:
            raise AssertionError(f"the cluster does not let us make a namespace: {made.stderr}")
        try:
            yield server
        finally:
            subprocess.run([kubectl, "delete", "namespace", namespace, "--wait=false"], capture_output=True, check=True)


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
    """A kubeconfig with one context called `sandbox`."""
    KubeApi(url, token).write_kubeconfig(path, namespace=namespace)


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
