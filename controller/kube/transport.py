"""Sends one HTTP request to the API server: rate limit, credentials, time-outs, metrics, typed errors.

Nothing is retried here: the caller knows whether a retry makes sense. Uses urllib3, with connections that can be
interrupted: a thread that is blocked in `recv` checks no flag, so `close` shuts the sockets down (K3).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import IncompleteRead
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
import urllib3
from prometheus_client import CollectorRegistry, Counter, Histogram
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.retry import Retry

from controller.kube import errors
from controller.kube.access import ConfigError
from controller.kube.config import Cluster
from controller.runtime.clock import Clock
from controller.runtime.queue.rate_limiter import RateLimiter
from controller.runtime.sockets import Sockets

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S: Final = 5.0
_CHUNK: Final = 1 << 16
_SEEN_WARNINGS_LIMIT: Final = 256

_DURATION_BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_NO_RETRIES: Final = Retry.from_int(False, redirect=False)  # as urllib3 makes it of `retries=False`
_NO_REPLY: Final = "<error>"
"""Label `code` of a request without a reply, as in client-go."""


class RestMetrics:
    """The REST client metrics of client-go (runtime-semantics 12); created once per registry, shared by clients."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "rest_client_requests_total",
            "Requests to the Kubernetes API, by status code, method and host.",
            ["code", "method", "host"],
            registry=registry,
        )
        self.duration = Histogram(
            "rest_client_request_duration_seconds",
            "Seconds until the reply of the Kubernetes API was read; until its headers came for a watch.",
            ["verb", "host"],
            buckets=_DURATION_BUCKETS,
            registry=registry,
        )
        self.throttled = Histogram(
            "rest_client_rate_limiter_duration_seconds",
            "Seconds that a request waited for the client-side rate limit.",
            ["verb", "host"],
            buckets=_DURATION_BUCKETS,
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `what` names it in messages, e.g. `list trainingjobs`."""

    method: str
    path: str
    what: str
    read_timeout_s: float
    """Longest silence, and for a plain request also the longest time until the reply is complete."""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = ""


class Transport:
    """Sends requests to one cluster. Thread-safe; up to the pool's size of idle connections are kept.

    `limiter` limits every request and may be shared by several transports; `None` means no limit.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        metrics: RestMetrics,
        clock: Clock,
        limiter: RateLimiter[str] | None,
        user_agent: str,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._clock = clock
        self._limiter = limiter
        self._user_agent = user_agent
        self._host = urlsplit(cluster.base_url).netloc.rpartition("@")[2]
        self._sockets = Sockets()
        self._pool = cluster.new_pool()
        self._pool.pool_classes_by_scheme = self._sockets.registering(
            {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
        )
        # Looked up once, not for each request.
        self._direct = None if self._pool.proxy else self._pool.connection_from_url(cluster.base_url)
        self._path = urlsplit(cluster.base_url).path
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._seen_warnings: set[str] = set()  # guarded by _lock

    def send(self, request: Request) -> bytes:
        """Send and return the whole reply. Raises `ApiError`; blocks for `read_timeout_s` and the rate limit."""
        _, body = self._exchange(request, read_body=True)
        return body

    def open(self, request: Request) -> urllib3.BaseHTTPResponse:
        """Send a request and return at the headers of a good reply; the caller reads and closes. Raises `ApiError`."""
        response, _ = self._exchange(request, read_body=False)
        return response

    def close(self) -> None:
        """Refuse new requests and end current ones, in all threads, with code CLIENT_CLOSED. Idempotent."""
        self._closing.set()
        self._sockets.shut_down()
        self._pool.clear()

    @contextmanager
    def failures(self, what: str) -> Iterator[None]:
        """Translate urllib3's exceptions around a reply into `ConnectionFailed`."""
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as exc:
            if self._closing.is_set():
                raise self._closed(what) from exc
            code, problem = _explain(exc)
            raise errors.ConnectionFailed(code, f"{what} at {self._cluster.base_url}: {problem}") from exc

    def _exchange(self, request: Request, *, read_body: bool) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        self._await_turn(request)
        started = self._clock.monotonic()
        code, body = _NO_REPLY, b""
        try:
            with self.failures(request.what):
                response = self._open(request)
                code = str(response.status)
                is_good = 200 <= response.status < 300
                if read_body or not is_good:
                    body = self._read(response, deadline=started + request.read_timeout_s)
        finally:
            self._metrics.requests.labels(code, request.method, self._host).inc()
            self._metrics.duration.labels(request.method, self._host).observe(self._clock.monotonic() - started)
        if response.status == 401:
            self._cluster.refused()
        if not is_good:
            raise errors.error_from_response(response.status, response.headers, body, request=request.what)
        self._pass_on_warnings(request, response)
        return response, body

    def _await_turn(self, request: Request) -> None:
        if self._closing.is_set():
            raise self._closed(request.what)
        if self._limiter is None:
            return
        delay_s = self._limiter.when(self._host)
        self._metrics.throttled.labels(request.method, self._host).observe(delay_s)
        if delay_s > 0 and self._closing.wait(delay_s):
            raise self._closed(request.what)

    def _open(self, request: Request) -> urllib3.BaseHTTPResponse:
        headers = {"Accept": "application/json", "User-Agent": self._user_agent}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        try:
            authorization = self._cluster.authorization()
        except ConfigError as exc:
            raise errors.Unauthorized("NoCredentials", str(exc)) from exc
        if authorization is not None:
            headers["Authorization"] = authorization
        query = f"?{urlencode(request.query)}" if request.query else ""
        # A proxy wants the whole URL, and headers of its own.
        send = self._pool.request if self._direct is None else self._direct.urlopen
        at = self._cluster.base_url if self._direct is None else self._path
        return send(
            request.method,
            f"{at}{request.path}{query}",
            body=request.body,
            headers=headers,
            timeout=urllib3.Timeout(
                connect=CONNECT_TIMEOUT_S, read=request.read_timeout_s, total=request.read_timeout_s
            ),
            retries=_NO_RETRIES,
            redirect=False,
            preload_content=False,
            assert_same_host=False,
        )

    def _read(self, response: urllib3.BaseHTTPResponse, *, deadline: float) -> bytes:
        """Return the whole body; a slow reply is aborted at `deadline`, or one silence later."""
        chunks = []
        while chunk := response.read1(_CHUNK):
            chunks.append(chunk)
            if self._clock.monotonic() > deadline:
                response.close()
                raise TimeoutError("the reply came too slowly")
        response.release_conn()
        return b"".join(chunks)

    def _pass_on_warnings(self, request: Request, response: urllib3.BaseHTTPResponse) -> None:
        """Log each distinct `Warning` header once: deprecated versions, unknown fields (RFC 7234 5.5, code 299)."""
        for text in response.headers.getlist("Warning"):
            with self._lock:
                is_new = text not in self._seen_warnings and len(self._seen_warnings) < _SEEN_WARNINGS_LIMIT
                if is_new:
                    self._seen_warnings.add(text)
            if is_new:
                log.warning("kubernetes api warns", request=request.what, warning=text)

    @staticmethod
    def _closed(what: str) -> errors.ConnectionFailed:
        return errors.ConnectionFailed(errors.CLIENT_CLOSED, f"{what}: the client was closed")


def _explain(exc: Exception) -> tuple[str, str]:
    """Return code and message for a failure; the more specific types first, since urllib3's derive from each other."""
    match exc:
        case urllib3.exceptions.NameResolutionError():
            return errors.CONNECTION_REFUSED, "the host name could not be resolved"
        case urllib3.exceptions.NewConnectionError() | urllib3.exceptions.ProxyError():
            return errors.CONNECTION_REFUSED, f"no connection: {_innermost(exc)}"
        case urllib3.exceptions.ConnectTimeoutError():
            return errors.CONNECTION_REFUSED, f"no connection within {CONNECT_TIMEOUT_S:g} s"
        case urllib3.exceptions.TimeoutError() | TimeoutError():
            return errors.TIMEOUT, "no reply in time"
        case urllib3.exceptions.SSLError():
            return errors.TLS_FAILED, f"TLS: {_innermost(exc)}"
        case urllib3.exceptions.ProtocolError() if isinstance(exc.__cause__, IncompleteRead):
            # its innermost cause is an empty chunk size that is not a number
            return errors.CONNECTION_BROKEN, "the connection ended within the reply"
        case _:
            return errors.CONNECTION_BROKEN, f"the connection broke: {_innermost(exc)}"


def _innermost(exc: BaseException) -> str:
    """Return the innermost cause's message: urllib3 wraps the system's error, with object addresses, several times."""
    while (inner := exc.__cause__ or exc.__context__) is not None:
        exc = inner
    return str(exc) or type(exc).__name__
