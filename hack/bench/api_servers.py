"""The API server of a benchmark: the embedded one, or a real one if `KUBEBUILDER_ASSETS` names its binaries.

What differs: how an operator reaches it as from a pod, and where its requests are counted. A real one has TLS, and
lets the operator do what the roles that we ship allow.
"""

import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from hack.audit_log import Audited, AuditLog
from hack.bench.processes import process
from hack.envtest import assets, free_port, real_server
from hack.sandbox.control_client import control
from hack.sandbox.kubeapi import KubeApi, KubeError, manifests
from hack.sandbox.samples import REPOSITORY

Counts = Counter[tuple[str, str, str]]
"""Requests by verb, resource and User-Agent."""
_SERVICE_ACCOUNT: Final = "BENCH_SERVICE_ACCOUNT"
_IDENTITY: Final = frozenset(
    {"Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
)
"""Of the installer, what makes the operator's service account and its rights."""
_INSTALLER: Final = REPOSITORY / "release/rolebased/installer.yaml"
_TOKEN_S: Final = 86_400


class ApiServer(Protocol):
    """An API server that runs in a process of its own."""

    api: KubeApi
    """As an administrator."""

    def is_up(self) -> bool:
        """Return whether it serves."""
        ...

    def forget(self) -> None:
        """Count from zero."""
        ...

    def counts(self) -> Counts:
        """Return the requests since `forget`."""
        ...

    def pod(self, home: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Return flags and environment of an operator that has no kubeconfig, as in a pod; `home` is its directory."""
        ...


class Embedded:
    """The embedded one, which counts by itself."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        port = free_port()
        self.api = KubeApi(f"http://127.0.0.1:{port}")
        command = [sys.executable, "-m", "hack.sandbox", "kube", "--port", str(port)]
        stack.enter_context(process(command, os.environ, directory / "kube.log"))

    def is_up(self) -> bool:
        """See `ApiServer.is_up`."""
        try:
            self.api.get("/api")
        except KubeError:
            return False
        return True

    def forget(self) -> None:
        """See `ApiServer.forget`."""
        control(self.api.url, "DELETE", "requests")

    def counts(self) -> Counts:
        """See `ApiServer.counts`."""
        counted = control(self.api.url, "GET", "requests")["requests"]
        return Counter({(each["verb"], each["resource"], each["userAgent"]): each["count"] for each in counted})

    def pod(self, home: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """See `ApiServer.pod`: it has the address."""
        return ("--master", self.api.url), {"HOME": str(home), "KUBECONFIG": ""}


class Real:
    """A real one; its audit log has the counts."""

    def __init__(self, binaries: Path, directory: Path, stack: ExitStack) -> None:
        server = stack.enter_context(real_server(binaries, directory))
        self.api = server.api
        self._audit_log = AuditLog(server.audit_log)
        self._counts: Counts = Counter()

    def is_up(self) -> bool:
        """See `ApiServer.is_up`: it was when it was made."""
        return True

    def forget(self) -> None:
        """See `ApiServer.forget`."""
        self.counts()
        self._counts.clear()

    def counts(self) -> Counts:
        """See `ApiServer.counts`."""
        self._counts.update(map(counted_as, self._audit_log.fresh()))
        return self._counts.copy()

    def pod(self, home: Path) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """See `ApiServer.pod`: it has the files of its service account, and the variables that name the server."""
        files = home / "serviceaccount"
        files.mkdir(exist_ok=True)
        for name, text in service_account(self.api).items():
            (files / name).write_text(text)
        host, _, port = self.api.url.removeprefix("https://").rpartition(":")
        address = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        return (), address | {"HOME": str(home), "KUBECONFIG": "", _SERVICE_ACCOUNT: str(files)}


def in_a_pod(module: str, *, without: str = "") -> tuple[str, ...]:
    """Return a command that runs a module as `python -m` does in a pod of `ApiServer.pod`, `without` another module.

    The files that a pod has are in a directory of the whole machine, and an operator of any build looks there.
    """
    lines = [
        "import os, pathlib, runpy, sys",
        f"sys.modules[{without!r}] = None" if without else "",
        f"if files := os.environ.get({_SERVICE_ACCOUNT!r}):",
        "    from controller.kube import access",
        "    access.SERVICE_ACCOUNT = pathlib.Path(files)",
        f"runpy.run_module({module!r}, None, '__main__', alter_sys=True)",
    ]
    return (sys.executable, "-c", "\n".join(lines))


def counted_as(request: Audited) -> tuple[str, str, str]:
    """Return what a request counts as: the embedded server knows methods and paths, so a watch is a list."""
    return "list" if request.verb == "watch" else request.verb, request.resource, request.agent


def started(directory: Path, stack: ExitStack) -> ApiServer:
    """Start a real one if there are binaries of one, else the embedded one."""
    binaries = assets()
    return Embedded(directory, stack) if binaries is None else Real(binaries, directory, stack)


def service_account(api: KubeApi) -> dict[str, str]:
    """Make the operator's service account with its rights, and return the files that its pod would have."""
    made = [api.apply(each) for each in manifests(_INSTALLER) if each["kind"] in _IDENTITY]
    (account,) = (each["metadata"] for each in made if each["kind"] == "ServiceAccount")
    path = f"/api/v1/namespaces/{account['namespace']}/serviceaccounts/{account['name']}/token"
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": _TOKEN_S},
    }
    token = api.create(path, request)["status"]["token"]
    authority = "" if api.authority is None else api.authority.read_text()
    return {"token": token, "namespace": account["namespace"], "ca.crt": authority}
