"""Finds the API server and the credentials for it: kubeconfig, or the service account of a pod.

The `kubernetes` package reads kubeconfigs, runs credential plugins, rotates service account tokens, and handles proxies
and TLS (its configuration half has no annotations: hence the `no-untyped-call`s). This module chooses the source as
controller-runtime does (`pkg/client/config`), makes failures readable, and adds two missing features: credentials that
the server refuses are reloaded (client-go `plugin/pkg/client/auth/exec`), and plugins have a time-out. Certificates
(not tokens) from a plugin are loaded once per process.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import urllib3
import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from controller.kube import exec_timeout as bounded_module
from controller.runtime.clock import Clock

DEFAULT_KUBECONFIG: Final = "~/.kube/config"

_POOL_SIZE: Final = 32
"""Idle connections kept per client: workers and watches; more are opened when needed and closed after use."""
PLUGIN_TIMEOUT_S: Final = 60.0
"""Time-out of a credential plugin; requests wait for it meanwhile."""
_RELOAD_PAUSE_S: Final = 15.0
"""Minimum time between two reloads after a refusal: a plugin is a process, often with a call to a cloud."""
_KEEPALIVE: Final = tcp_keepalive_socket_options(idle=30, interval=10, count=3)
"""The kernel notices a vanished peer after a minute, also on an idle watch (K3)."""


_Documents: TypeAlias = Sequence[Mapping[str, Any]]
"""The kubeconfig files that exist, decoded, in their order of precedence."""


class ConfigError(Exception):
    """There is no usable configuration; the message is one line with the remedy."""


class Cluster:
    """One API server and the credentials for it. Thread-safe. The constructor raises `ConfigError`."""

    def __init__(self, load: Callable[[], Configuration], *, source: str, clock: Clock) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._configuration = load()  # guarded by _lock
        self._loaded_at = clock.monotonic()  # guarded by _lock
        self._refused = False  # guarded by _lock
        self.source = source
        """The source of the configuration, for humans."""
        self.base_url: str = self._configuration.host.rstrip("/")

    def new_pool(self) -> urllib3.PoolManager:
        """Return a connection pool with the TLS and proxy settings of this cluster."""
        with self._lock:
            self._configuration.connection_pool_maxsize = _POOL_SIZE
            self._configuration.socket_options = _KEEPALIVE
            pool: urllib3.PoolManager = RESTClientObject(self._configuration).pool_manager
        return pool

    def authorization(self) -> str | None:
        """Return the Authorization header, refreshed when due; None without one (client certificates).

        May block for `PLUGIN_TIMEOUT_S` while a credential plugin runs; other callers wait for it. Raises `ConfigError`
        if that fails.
        """
        with self._lock:
            if self._refused and self._clock.monotonic() - self._loaded_at >= _RELOAD_PAUSE_S:
                self._loaded_at = self._clock.monotonic()
                self._configuration = self._load()  # replaced as a whole: its refresh hook references its own loader
                self._refused = False
            try:
                key = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
            except (ConfigException, OSError) as exc:
                raise ConfigError(f"credentials from {self.source} could not be refreshed: {exc}") from exc
        return key.strip() if key else None

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
) -> Cluster:
    """Find the cluster: `kubeconfig`, $KUBECONFIG, the pod's service account, ~/.kube/config, in this order.

    `kubeconfig` and $KUBECONFIG may list several files separated as in PATH; as with kubectl the first definition
    wins. `context` chooses a context (and skips the service account, which has none); `master` replaces the server's
    address. Raises `ConfigError`.
    """
    paths = kubeconfig or environ.get("KUBECONFIG", "")
    if not paths and not context and environ.get("KUBERNETES_SERVICE_HOST"):
        return Cluster(lambda: _in_cluster(master), source="the service account of this pod", clock=clock)
    if not paths and Path(DEFAULT_KUBECONFIG).expanduser().is_file():
        paths = DEFAULT_KUBECONFIG
    if paths:
        source = f"kubeconfig {paths}"
        return Cluster(lambda: _from_files(paths, context=context, master=master), source=source, clock=clock)
    if master:
        return Cluster(lambda: Configuration(host=master), source="--master", clock=clock)
    raise ConfigError(
        f"no cluster to work with: give --kubeconfig FILE, set KUBECONFIG, create {DEFAULT_KUBECONFIG}, "
        "or run in a pod with a service account"
    )


def _in_cluster(master: str) -> Configuration:
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as exc:
        raise ConfigError(
            f"the service account of this pod cannot be used: {exc} (is automountServiceAccountToken off?)"
        ) from exc
    if master:
        configuration.host = master
    return configuration


def _from_files(paths: str, *, context: str, master: str) -> Configuration:
    files = [Path(part).expanduser() for part in paths.split(os.pathsep) if part]
    present = [file for file in files if file.is_file()]
    if not present:
        raise ConfigError(f"kubeconfig {paths}: no such file; give --kubeconfig FILE or set KUBECONFIG")
    try:
        merged = KubeConfigMerger(os.pathsep.join(map(str, present)))  # type: ignore[no-untyped-call]
        _bound_plugins(merged.config)
        documents = list(merged.config_files.values())
        active = context or _current_context(documents)
        _check_context(documents, active, paths)
        loader = KubeConfigLoader(merged.config, active_context=active, config_base_path=None)  # type: ignore[no-untyped-call]
        configuration = Configuration()
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        _check_plugin(documents, active, configuration, paths)
    except yaml.YAMLError as exc:
        problem = " ".join(str(exc).split())
        raise ConfigError(f"kubeconfig {paths} is not readable as YAML: {problem}") from exc
    except (ConfigException, OSError, LookupError, TypeError, ValueError, AttributeError) as exc:
        # the package raises any of these for a malformed file
        raise ConfigError(f"kubeconfig {paths} cannot be used: {exc}") from exc
    if master:
        configuration.host = master
    return configuration


def _bound_plugins(config: Any) -> None:
    """Add a time-out to credential plugins, except where a user may be typing a password into one."""
    if sys.stdout is not None and sys.stdout.isatty():
        return
    bounded = ["-I", "-S", str(Path(bounded_module.__file__)), f"{PLUGIN_TIMEOUT_S:g}"]
    for node in config.value["users"]:
        user = node.value.get("user") or {}
        plugin = user.get("exec")
        if plugin:
            args = [*bounded, plugin["command"], *(plugin.get("args") or ())]
            # A new value: messages quote the documents, which are not modified.
            node.value = {**node.value, "user": {**user, "exec": {**plugin, "command": sys.executable, "args": args}}}


def _current_context(documents: _Documents) -> str:
    """Return the current context of the first file that sets it, as kubectl does; the package takes the last."""
    return next((str(document["current-context"]) for document in documents if document.get("current-context")), "")


def _check_context(documents: _Documents, active: str, paths: str) -> None:
    names = sorted({str(entry["name"]) for document in documents for entry in document.get("contexts") or ()})
    if active in names:
        return
    choice = f"choose one with --context: {', '.join(names)}" if names else "it has no contexts at all"
    wrong = f'has no context "{active}"' if active else "sets no current-context"
    raise ConfigError(f"kubeconfig {paths} {wrong}; {choice}")


def _check_plugin(documents: _Documents, active: str, configuration: Configuration, paths: str) -> None:
    """Raise for a failing credential plugin: the package only logs it, and every request would then be refused."""
    name = _first(documents, "contexts", active).get("context", {}).get("user")
    plugin = (_first(documents, "users", name).get("user") or {}).get("exec")
    if plugin and not configuration.api_key and not configuration.cert_file:
        raise ConfigError(
            f"kubeconfig {paths}: the credential plugin {plugin.get('command')!r} of user {name!r} "
            "gave no credentials; run it by hand to see why"
        )


def _first(documents: _Documents, section: str, name: object) -> Mapping[str, Any]:
    entries = (entry for document in documents for entry in document.get(section) or ())
    return next((entry for entry in entries if entry["name"] == name), {})
