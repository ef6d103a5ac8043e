"""Starts a real API server on loopback: etcd and kube-apiserver from the directory that `KUBEBUILDER_ASSETS` names.

It is what the embedded one imitates, for tests and benchmarks: with TLS, tokens of service accounts, RBAC, and a log of
each request. There are no controllers: nothing runs Pods or collects garbage.
"""

import http.client
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from hack.audit_log import POLICY
from hack.sandbox.kubeapi import KubeApi

ASSETS: Final = "KUBEBUILDER_ASSETS"
"""The variable that names the directory with the binaries, as setup-envtest lays them out."""
_ETCD: Final = "etcd"
_API_SERVER: Final = "kube-apiserver"
_READY_WITHIN_S: Final = 180.0
_ANSWER_WITHIN_S: Final = 10.0
_LOG_TAIL: Final = 4000


class EnvtestError(Exception):
    """A binary is missing or does not start; the message has the end of its log."""


class RealServer:
    """etcd and kube-apiserver, with their data and logs in a directory."""

    def __init__(self, binaries: Mapping[str, Path], home: Path, stack: ExitStack) -> None:
        """Start both, and wait until they answer. Raises EnvtestError."""
        etcd, peers, secure = free_port(), free_port(), free_port()
        self.home = home
        self.audit_log = home / "audit.log"
        token = secrets.token_hex(16)
        self.api = KubeApi(f"https://127.0.0.1:{secure}", token, home / "certs" / "apiserver.crt")
        """As an administrator."""
        (home / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
        (home / "sa.key").write_bytes(_private_key())
        (home / "audit.yaml").write_text(json.dumps(POLICY))
        self._binaries = binaries
        self._flags = _flags_of_api_server(home, etcd, secure)
        stack.enter_context(running([str(binaries[_ETCD]), *_flags_of_etcd(home, etcd, peers)], self._log(_ETCD)))
        self._running = stack.enter_context(ExitStack())
        self.start()

    def stop(self) -> None:
        """End kube-apiserver, as SIGKILL does; etcd keeps what it has stored."""
        self._running.close()

    def start(self) -> None:
        """Start kube-apiserver, again after `stop`. Raises EnvtestError."""
        command = [str(self._binaries[_API_SERVER]), *self._flags]
        process = self._running.enter_context(running(command, self._log(_API_SERVER)))
        deadline = time.monotonic() + _READY_WITHIN_S
        while not self._is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise EnvtestError(f"{_API_SERVER} is not ready; its log:\n{self._tail()}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        """Return whether it is ready, and has made the namespaces that every cluster has."""
        return all(map(self._answers, ("/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system")))

    def _answers(self, path: str) -> bool:
        try:
            with closing(self.api.connect(_ANSWER_WITHIN_S)) as connection:
                connection.request("GET", path, headers=self.api.headers())
                return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):  # it has no certificate yet, or does not listen
            return False

    def _log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def _tail(self) -> str:
        return self._log(_API_SERVER).read_text(errors="replace")[-_LOG_TAIL:]


def assets() -> Path | None:
    """Return the directory with the binaries, or None where the environment names none."""
    named = os.environ.get(ASSETS)
    return Path(named) if named else None


@contextmanager
def real_server(binaries: Path, directory: Path) -> Iterator[RealServer]:
    """Run etcd and kube-apiserver from one directory, with their files in another.

    Raises FileNotFoundError naming a binary that is missing, EnvtestError with the log where one does not start.
    """
    found = {name: binaries / name for name in (_ETCD, _API_SERVER)}
    for path in found.values():
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing: {ASSETS} must name a directory with {_ETCD} and {_API_SERVER}")
    home = directory / "apiserver"
    home.mkdir()
    with ExitStack() as stack:
        yield RealServer(found, home, stack)


def free_port() -> int:
    """Return a port that was just free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _flags_of_etcd(home: Path, port: int, peers: int) -> tuple[str, ...]:
    return (
        f"--data-dir={home / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{port}",
        f"--advertise-client-urls=http://127.0.0.1:{port}",
        f"--listen-peer-urls=http://127.0.0.1:{peers}",
        "--unsafe-no-fsync",
    )


def _flags_of_api_server(home: Path, etcd: int, port: int) -> tuple[str, ...]:
    return (
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={home / 'certs'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={home / 'sa.key'}",
        f"--service-account-signing-key-file={home / 'sa.key'}",
        f"--token-auth-file={home / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount",
        f"--audit-policy-file={home / 'audit.yaml'}",
        f"--audit-log-path={home / 'audit.log'}",
        "--audit-log-maxsize=10000",  # MB: whoever reads it knows one file only
    )


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process in the directory of its log; kill it at the end."""
    with log.open("ab") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        yield process
    finally:
        process.kill()  # none of it is kept
        process.wait()


def _private_key() -> bytes:
    # For a real kube-apiserver only.
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
