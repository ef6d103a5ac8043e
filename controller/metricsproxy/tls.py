"""The server's certificate: mounted files, reloaded when they change, or one created in memory."""

import datetime as dt
import os
import ssl
import tempfile
import threading
from pathlib import Path

from controller.kube.access import ConfigError


class Certificate:
    """A TLS context that is reloaded when its files change. Thread-safe. The constructor raises `ConfigError`.

    `certificate` and `key` are PEM files, as cert-manager mounts them; without them a certificate is created.
    """

    def __init__(self, certificate: Path | None, key: Path | None) -> None:
        if (certificate is None) is not (key is None):
            raise ConfigError("--tls-cert-file and --tls-private-key-file belong together")
        self._files = (certificate, key) if certificate and key else None
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()  # guarded by _lock
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._files is None:
            self._load_made()
        else:
            self.context()

    def context(self) -> ssl.SSLContext:
        """Return the context for the next connection. Unreadable files are an error only the first time."""
        if self._files is None:
            return self._context
        with self._lock:
            try:
                stamps = tuple(path.stat().st_mtime_ns for path in self._files)
                if stamps != self._seen:
                    self._context.load_cert_chain(*self._files)
                    self._seen = stamps
            except OSError as exc:  # includes ssl.SSLError
                if not self._seen:
                    raise ConfigError(f"certificate {self._files[0]} with key {self._files[1]}: {exc}") from exc
                # half-written during renewal: the next connection retries, this one uses the old certificate
        return self._context

    def _load_made(self) -> None:
        try:
            from controller.metricsproxy import selfsigned  # noqa: PLC0415 (its dependency is optional)
        except ModuleNotFoundError as exc:
            raise ConfigError(
                "no certificate: give --tls-cert-file and --tls-private-key-file, or install the package cryptography"
            ) from exc
        # ssl reads files only; these exist only while being read, in memory if there is /dev/shm
        directory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (a private directory in it)
        with tempfile.TemporaryDirectory(dir=directory) as private:
            certificate, key = Path(private) / "tls.crt", Path(private) / "tls.key"
            for path, content in zip((certificate, key), selfsigned.make(dt.datetime.now(dt.UTC)), strict=True):
                path.write_bytes(content)
            self._context.load_cert_chain(certificate, key)
