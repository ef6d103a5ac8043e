"""How the API server is reached, and the two simplest ways: the service account of a pod, and an address.

Everything else, such as kubeconfigs with their credential plugins, is the `kubernetes` package's (`kubeconfig`). It
costs a quarter of a second and 15 MB to load, so a pod does without: what it is given is two files and two variables
(https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import urllib3

from controller.runtime.clock import Clock

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts the token of a pod, which it renews, the CA of the API server, and the namespace."""
_TOKEN_READ_S: Final = 60.0
"""Age at which the token is read again (client-go transport/token_source.go)."""

SocketOptions = Sequence[tuple[int, int, int]]


class ConfigError(Exception):
    """There is no usable configuration; the message is one line with the remedy."""


def unusable(exc: Exception) -> ConfigError:
    """Return the error for a pod whose service account cannot be used because of `exc`."""
    return ConfigError(f"the service account of this pod cannot be used: {exc} (is automountServiceAccountToken off?)")


class Access(Protocol):
    """The address of an API server, and the credentials for it. Used under a lock."""

    host: str
    """URL without a path."""

    def new_pool(self, size: int, socket_options: SocketOptions) -> urllib3.PoolManager:
        """Return a pool that keeps up to `size` idle connections."""
        ...

    def authorization(self) -> str:
        """Return the Authorization header, refreshed when due; empty without one. Raises OSError, `ConfigError`."""
        ...


class Address:
    """Access without credentials."""

    def __init__(self, host: str) -> None:
        self.host = host

    def new_pool(self, size: int, socket_options: SocketOptions) -> urllib3.PoolManager:
        """See `Access.new_pool`: the system's certificate authorities count."""
        return urllib3.PoolManager(maxsize=size, socket_options=socket_options, **self._tls())

    def authorization(self) -> str:
        """See `Access.authorization`: there are no credentials."""
        return ""

    def _tls(self) -> Mapping[str, Any]:
        return {"cert_reqs": "CERT_REQUIRED"}


class ServiceAccount(Address):
    """Access by the service account of this pod. The constructor raises `ConfigError`."""

    def __init__(self, clock: Clock, files: Path, *, master: str, environ: Mapping[str, str]) -> None:
        """`master` is the address to use in place of that in the environment, if not empty."""
        super().__init__(master or _host_of(environ))
        self._clock = clock
        self._token_file, self._authorities = files / "token", files / "ca.crt"
        self._read_at = clock.monotonic()
        try:
            self._token = _text_of(self._token_file)
            _text_of(self._authorities)
        except (OSError, ConfigError) as exc:
            raise unusable(exc) from exc

    def authorization(self) -> str:
        """See `Access.authorization`: the token, which the kubelet replaces before it expires."""
        if self._clock.monotonic() - self._read_at >= _TOKEN_READ_S:
            self._token = _text_of(self._token_file)
            self._read_at = self._clock.monotonic()
        return f"Bearer {self._token}"

    def _tls(self) -> Mapping[str, Any]:
        return {"cert_reqs": "CERT_REQUIRED", "ca_certs": str(self._authorities)}


def _text_of(file: Path) -> str:
    """Return the text of a file. Raises OSError, and `ConfigError` if it is empty."""
    text = file.read_text().strip()
    if not text:
        raise ConfigError(f"{file} is empty")
    return text


def _host_of(environ: Mapping[str, str]) -> str:
    """Return the URL of the API server as the kubelet's variables have it. Raises `ConfigError`."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST", ""), environ.get("KUBERNETES_SERVICE_PORT", "")
    if not (host and port):
        raise ConfigError("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT name no API server")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
