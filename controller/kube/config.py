"""Finds the API server and the credentials for it: kubeconfig, or the service account of a pod.

The source is chosen as controller-runtime does (`pkg/client/config`). Credentials that the server refuses are reloaded
(client-go `plugin/pkg/client/auth/exec`), whatever their source.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from urllib.request import getproxies

import urllib3
from urllib3.connection import HTTPConnection

from controller.kube.access import SERVICE_ACCOUNT, Access, Address, ConfigError, ServiceAccount, SocketOptions
from controller.runtime.clock import Clock

DEFAULT_KUBECONFIG: Final = "~/.kube/config"

_POOL_SIZE: Final = 32
"""Idle connections kept per client: workers and watches; more are opened when needed and closed after use."""
_RELOAD_PAUSE_S: Final = 15.0
"""Minimum time between two reloads after a refusal: a plugin is a process, often with a call to a cloud."""
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPALIVE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""The kernel notices a vanished peer after a minute, also on an idle watch (K3). Names of Linux and of macOS."""


def pod_namespace() -> str:
    """Return the namespace of this pod; empty outside of a cluster."""
    try:
        return (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError:
        return ""


def home_namespace(leader_election_namespace: str) -> str:
    """Return the namespace with what belongs to the operator, such as the account map: the pod's, outside of a cluster
    that of the Lease; empty if neither is known.
    """
    return pod_namespace() or leader_election_namespace


class Cluster:
    """One API server and the credentials for it. Thread-safe. The constructor raises `ConfigError`."""

    def __init__(self, load: Callable[[], Access], *, source: str, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._access = load()  # guarded by _lock
        self._loaded_at = clock.monotonic()  # guarded by _lock
        self._refused = False  # guarded by _lock
        self.source = source
        """The source of the configuration, for humans."""
        self.base_url: str = self._access.host.rstrip("/")

    def new_pool(self) -> urllib3.PoolManager:
        """Return a connection pool with the TLS and proxy settings of this cluster."""
        with self._lock:
            return self._access.new_pool(_POOL_SIZE, _socket_options())

    def authorization(self) -> str | None:
        """Return the Authorization header, refreshed when due; None without one (client certificates).

        May block for a minute while a credential plugin runs; other callers wait for it. Raises `ConfigError`
        if that fails.
        """
        with self._lock:
            if self._refused and self._clock.monotonic() - self._loaded_at >= _RELOAD_PAUSE_S:
                self._loaded_at = self._clock.monotonic()
                self._access = self._load()
                self._refused = False
            try:
                header = self._access.authorization()
            except (ConfigError, OSError) as exc:
                raise ConfigError(f"credentials from {self.source} could not be refreshed: {exc}") from exc
        return header.strip() or None

    def refused(self) -> None:
        """Record a 401 reply: the credentials are reloaded without waiting for their expiry."""
        with self._lock:
            self._refused = True


def connect(
    clock: Clock,
    *,
    kubeconfig: str = "",
    context: str = "",
    master: str = "",
    environ: Mapping[str, str] = os.environ,
    service_account: Path = SERVICE_ACCOUNT,
) -> Cluster:
    """Find the cluster: `kubeconfig`, $KUBECONFIG, the pod's service account, ~/.kube/config, in this order.

    `kubeconfig` and $KUBECONFIG may list several files separated as in PATH; as with kubectl the first definition
    wins. `context` chooses a context (and skips the service account, which has none); `master` replaces the server's
    address. Raises `ConfigError`.
    """
    paths = kubeconfig or environ.get("KUBECONFIG", "")
    if not paths and not context and environ.get("KUBERNETES_SERVICE_HOST"):
        pod = partial(_in_pod, clock, master, environ, service_account)
        return Cluster(pod, source="the service account of this pod", clock=clock)
    if not paths and Path(DEFAULT_KUBECONFIG).expanduser().is_file():
        paths = DEFAULT_KUBECONFIG
    if paths:
        files = partial(_from_files, paths, context, master)
        return Cluster(files, source=f"kubeconfig {paths}", clock=clock)
    if master:
        return Cluster(partial(_at_address, master), source="--master", clock=clock)
    raise ConfigError(
        f"no cluster to work with: give --kubeconfig FILE, set KUBECONFIG, create {DEFAULT_KUBECONFIG}, "
        "or run in a pod with a service account"
    )


# What needs the `kubernetes` package loads it when it is chosen (see `access`).


def _from_files(paths: str, context: str, master: str) -> Access:
    from controller.kube import kubeconfig  # noqa: PLC0415 (see above)

    return kubeconfig.from_files(paths, context=context, master=master)


def _in_pod(clock: Clock, master: str, environ: Mapping[str, str], files: Path) -> Access:
    if not _has_proxy():
        return ServiceAccount(clock, files, master=master, environ=environ)
    from controller.kube import kubeconfig  # noqa: PLC0415 (see above; it knows which hosts bypass the proxy)

    return kubeconfig.in_cluster(master)


def _at_address(master: str) -> Access:
    if not _has_proxy():
        return Address(master)
    from controller.kube import kubeconfig  # noqa: PLC0415 (as for a pod)

    return kubeconfig.at_address(master)


def _has_proxy() -> bool:
    """Return whether the environment names a proxy, which may be for the API server, too."""
    return bool(getproxies().keys() - {"no"})


def _socket_options() -> SocketOptions:
    """Return urllib3's own options, which a list replaces, and those for keep-alive that the platform has."""
    keepalive = [
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in _KEEPALIVE.items()
        if hasattr(socket, name)
    ]
    return [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *keepalive]
