"""Reads kubeconfigs by the `kubernetes` package, which also runs credential plugins and handles proxies and TLS.

Its configuration half has no annotations: hence the `no-untyped-call`s. This module makes failures readable and adds a
time-out to plugins. Certificates (not tokens) from a plugin are loaded once per process.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import urllib3
import yaml
from kubernetes.client import Configuration
from kubernetes.client.rest import RESTClientObject
from kubernetes.config import ConfigException, load_incluster_config
from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

from controller.kube import exec_timeout as bounded_module
from controller.kube.access import Access, ConfigError, SocketOptions, unusable

PLUGIN_TIMEOUT_S: Final = 60.0
"""Time-out of a credential plugin; requests wait for it meanwhile."""

_Documents: TypeAlias = Sequence[Mapping[str, Any]]
"""The kubeconfig files that exist, decoded, in their order of precedence."""


class Configured:
    """Access by a configuration of the package."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.host: str = configuration.host

    def new_pool(self, size: int, socket_options: SocketOptions) -> urllib3.PoolManager:
        """See `Access.new_pool`: with the TLS and proxy settings of the configuration."""
        self._configuration.connection_pool_maxsize = size
        self._configuration.socket_options = socket_options
        pool: urllib3.PoolManager = RESTClientObject(self._configuration).pool_manager
        return pool

    def authorization(self) -> str:
        """See `Access.authorization`: may run a credential plugin, for `PLUGIN_TIMEOUT_S` at most."""
        try:
            key = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        except ConfigException as exc:
            raise ConfigError(str(exc)) from exc
        return key or ""


def at_address(master: str) -> Access:
    """Return the access to an address without credentials, through the proxy that the environment names."""
    return Configured(Configuration(host=master))


def in_cluster(master: str) -> Access:
    """Return the access of a pod, through the proxy that the environment names. Raises `ConfigError`."""
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError) as exc:
        raise unusable(exc) from exc
    if master:
        configuration.host = master
    return Configured(configuration)


def from_files(paths: str, *, context: str, master: str) -> Access:
    """Return the access by kubeconfigs, separated as in PATH; the first definition wins. Raises `ConfigError`.

    `context` chooses a context, else the first file that sets one does; `master` replaces the server's address.
    """
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
    return Configured(configuration)


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
