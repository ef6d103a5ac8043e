"""Serves GET over HTTP, or HTTPS, by a few threads of the standard library's server; and the routes of the manager.

`/metrics`, `/healthz` and `/readyz` are for scrapers and kubelets on the same node or pod; nothing of it is
authenticated, so the default addresses are loopback. Several threads answer, so a client that sends nothing cannot keep
a kubelet waiting. The metrics front end uses the same server with a route and a certificate of its own.
"""

import errno
import gzip
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias, cast
from urllib.parse import parse_qs, urlsplit

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted

log = structlog.get_logger(__name__)

_THREADS: Final = 4
_CLIENT_TIMEOUT_S: Final = 5.0
"""For the handshake and for each read and write: a silent client must not block a thread."""
_POLL_S: Final = 0.25
"""How often the accepting thread checks whether it should end."""

Check: TypeAlias = Callable[[], str | None]
"""Returns None if healthy, else one line with the problem. Called from several threads; must not block."""


class Stopping(Protocol):
    """The part of a stop signal that this module needs (`runtime.threads.Stop`)."""

    def is_set(self) -> bool:
        """Return whether the signal is set."""
        ...


class BindError(Exception):
    """An address cannot be listened on; the message is one line with the remedy."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Reply to a GET."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """The part of a request that an answer depends on."""

    text: str
    """What follows the question mark, as it was sent."""
    headers: Mapping[str, str]
    """By name, whatever its case."""

    @property
    def parameters(self) -> Mapping[str, list[str]]:
        """Return the parameters, also those without a value."""
        return parse_qs(self.text, keep_blank_values=True)


Route: TypeAlias = Callable[[Query], Answer]
Contexts: TypeAlias = Callable[[], ssl.SSLContext]
"""Returns the TLS context for the next connection."""


def metrics_routes(registry: CollectorRegistry) -> dict[str, Route]:
    """Return the route `/metrics`, which offers what prometheus-client does.

    The text format, or OpenMetrics if the scraper accepts it; compressed if it accepts that; of all series, or of those
    that `name[]` names.
    """

    def metrics(query: Query) -> Answer:
        encode, content_type = choose_encoder(query.headers.get("Accept", ""))
        names = query.parameters.get("name[]")
        body = encode(registry.restricted_registry(names) if names else registry)
        if gzip_accepted(query.headers.get("Accept-Encoding", "")):
            return Answer(gzip.compress(body), content_type=content_type, headers=(("Content-Encoding", "gzip"),))
        return Answer(body, content_type=content_type)

    return {"/metrics": metrics}


_NONE: Final[Mapping[str, Check]] = MappingProxyType({})


def health_routes(
    *, healthz: Mapping[str, Check], readyz: Mapping[str, Check], degraded: Mapping[str, Check] = _NONE
) -> dict[str, Route]:
    """Return the routes `/healthz` and `/readyz`, and each check below them, as in Kubernetes components (M4).

    200 and `ok`, or 503 with one line per check; `?verbose` shows the lines also if all checks pass. What `degraded`
    returns is shown by `/readyz?verbose`, too, and fails nothing: a restart or another replica would not cure it.
    """
    routes: dict[str, Route] = {}
    for name, checks, notes in (("healthz", healthz, {}), ("readyz", readyz, degraded)):
        routes[f"/{name}"] = _health_route(name, checks, notes)
        for check_name, check in checks.items():
            routes[f"/{name}/{check_name}"] = _health_route(f"{name}/{check_name}", {check_name: check})
    return routes


def _health_route(name: str, checks: Mapping[str, Check], degraded: Mapping[str, Check] = _NONE) -> Route:
    def answer(query: Query) -> Answer:
        problems = {check_name: check() for check_name, check in checks.items()}
        is_well = not any(problems.values())
        if is_well and "verbose" not in query.parameters:
            return Answer(b"ok")
        lines = [
            f"[-]{check_name} failed: {problem}" if problem else f"[+]{check_name} ok"
            for check_name, problem in problems.items()
        ]
        notes = {note_name: note() for note_name, note in degraded.items()}
        lines += [f"[+]{each} degraded: {problem}" if problem else f"[+]{each} ok" for each, problem in notes.items()]
        lines.append(f"{name} check {'passed' if is_well else 'failed'}")
        status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
        return Answer("\n".join([*lines, ""]).encode(), status)

    return answer


def parse_address(text: str) -> tuple[str, int] | None:
    """Return host and port of `host:port` or `:port` (all interfaces); None for `0` or empty, which disable a server.

    IPv6 hosts are in brackets. Raises ValueError.
    """
    if text in ("", "0"):
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"must be HOST:PORT, :PORT, or 0 to switch it off, not {text!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


class WebServer:
    """One listening address with its routes. Listens from construction on, answers while `run` runs.

    The constructor raises `BindError`; `flag` is the option that sets the address. With `contexts` it speaks HTTPS.
    """

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        routes: Mapping[str, Route],
        *,
        flag: str,
        contexts: Contexts | None = None,
    ) -> None:
        self.name = name
        try:
            self._server = _Server(address, dict(routes), name, contexts)
        except OSError as exc:
            shown = f"{address[0]}:{address[1]}"
            problem = "the address is in use" if exc.errno == errno.EADDRINUSE else exc.strerror or str(exc)
            raise BindError(f"cannot serve {name} on {shown}: {problem}; choose another with {flag}") from exc

    @property
    def port(self) -> int:
        """Return the listening port, chosen by the system for port 0."""
        port: int = self._server.server_address[1]
        return port

    def run(self, stop: Stopping) -> None:
        """Answer until `stop`, then finish the current answers and close."""
        log.info("serving", server=self.name, host=self._server.server_address[0], port=self.port)
        try:
            while not stop.is_set():
                self._server.handle_request()
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening. For a server whose `run` is never called; idempotent."""
        self._server.server_close()


class _Server(HTTPServer):
    timeout = _POLL_S  # of handle_request
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], routes: Mapping[str, Route], name: str, contexts: Contexts | None
    ) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.routes = routes
        self._contexts = contexts
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"http-{name}")
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the base class's look-up of the host name, which may hang if DNS does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = cast("tuple[str, int]", self.server_address[:2])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in one of the threads; further requests wait."""
        self._pool.submit(self._answer, request, client_address).add_done_callback(_report)

    def server_close(self) -> None:
        """Close the socket, then wait for the current answers."""
        super().server_close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _answer(self, request: socket.socket, client_address: Any) -> None:
        try:
            request.settimeout(_CLIENT_TIMEOUT_S)
            if self._contexts is None:
                self.finish_request(request, client_address)
            else:
                with self._contexts().wrap_socket(request, server_side=True) as secured:
                    self.finish_request(secured, client_address)
        except OSError as exc:  # no TLS, or disconnected: a probe of the port looks like this
            log.debug("client of the web server went away", error=str(exc))
        finally:
            self.shutdown_request(request)


def _report(answered: Future[None]) -> None:
    """Log the exception of a route, which is a bug; the client gets no answer."""
    if not answered.cancelled() and (exc := answered.exception()) is not None:
        log.error("web route failed", exc_info=exc)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "sagemaker-k8s-operator"
    sys_version = ""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        route = self.server.routes.get(url.path)
        if route is None:
            self._send(Answer(b"not found\n", HTTPStatus.NOT_FOUND))
            return
        self._send(route(Query(url.query, cast("Mapping[str, str]", self.headers))))

    do_HEAD = do_GET  # noqa: N815 (http.server's naming)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: probes arrive every few seconds."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
