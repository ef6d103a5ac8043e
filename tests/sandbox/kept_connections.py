"""Kept connections to an API server: opening one takes longer than all else of a request, and tests look often."""

import http.client
import io
import ssl
import threading
import urllib.error
import weakref
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.deadline import PATIENCE_S

_GONE = (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError)
"""How a connection shows that the server has closed it since the last answer."""


class KeptConnections:
    """Connections to one server, as many as there are requests at a time; closed with this. Thread-safe."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[http.client.HTTPConnection] = []  # guarded by _lock
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._idle)

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        """Return the body of an answer. Raises urllib.error.HTTPError for refusals, OSError without an answer."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is not None:
            try:
                return self._answer(connection, method, path, body, headers)
            except _GONE:
                pass  # it is the connection that failed, and not the request
        return self._answer(_connection(self._url), method, path, body, headers)

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> bytes:
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        if answer.status >= 300:
            refused = urllib.error.HTTPError(
                self._url + path, answer.status, answer.reason, answer.headers, io.BytesIO(content)
            )
            refused.add_note(content.decode(errors="replace")[:2000])  # a failed test shows why
            raise refused
        return content


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=PATIENCE_S, context=trusting())
    return http.client.HTTPConnection(host, port, timeout=PATIENCE_S)


def trusting() -> ssl.SSLContext:
    """Return a context for servers on loopback, whose certificates nobody vouches for."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _close(idle: list[http.client.HTTPConnection]) -> None:
    while idle:
        idle.pop().close()
