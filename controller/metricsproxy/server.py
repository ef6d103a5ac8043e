"""The HTTPS server: a fixed number of threads; requests are reviewed, then passed to the metrics on loopback."""

import socket
import ssl
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final, cast

import structlog

from controller.kube.errors import ApiError
from controller.metricsproxy.reviews import PATH, Review, Verdict
from controller.metricsproxy.tls import Certificate
from controller.runtime.threads import Stop

log = structlog.get_logger(__name__)

_THREADS: Final = 4
_CLIENT_TIMEOUT_S: Final = 10.0
"""For the handshake and for each read: a silent client must not block a thread."""
_UPSTREAM_TIMEOUT_S: Final = 20.0
_POLL_S: Final = 0.25
"""How often the accepting thread checks whether it should end."""
_TOKEN_LIMIT: Final = 16_384
_MESSAGES: Final = {
    Verdict.UNKNOWN: "a bearer token that the API server accepts is needed\n",
    Verdict.DENIED: f"this user may not `get` the path {PATH}; bind it to the role metrics-reader\n",
}


class MetricsServer(HTTPServer):
    """Listens from construction on, answers while `run` runs. `upstream` is the URL of the metrics."""

    timeout = _POLL_S  # of handle_request
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], certificate: Certificate, review: Review, upstream: str) -> None:
        self.review = review
        self.upstream = upstream
        self._certificate = certificate
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="https-metrics")
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the base class's look-up of the host name, which may hang if DNS does."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = cast("tuple[str, int]", self.server_address[:2])

    def run(self, stop: Stop) -> None:
        """Answer until `stop`, then finish the current answers and close."""
        try:
            while not stop.is_set():
                self.handle_request()
        finally:
            self.server_close()
            self._pool.shutdown(wait=True, cancel_futures=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in one of the threads; further requests wait."""
        self._pool.submit(self._answer, request, client_address).add_done_callback(_report)

    def _answer(self, request: socket.socket, client_address: Any) -> None:
        try:
            request.settimeout(_CLIENT_TIMEOUT_S)
            with self._certificate.context().wrap_socket(request, server_side=True) as secured:
                self.finish_request(secured, client_address)
        except (OSError, ssl.SSLError) as exc:  # no TLS, or disconnected: a probe of the port looks like this
            log.debug("client of the metrics front end went away", error=str(exc))
        finally:
            request.close()


def _report(answered: Future[None]) -> None:
    """Log the exception of a thread, which is a bug; the client gets no answer."""
    if not answered.cancelled() and (exc := answered.exception()) is not None:
        log.error("metrics request failed", exc_info=exc)


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer
    timeout = _CLIENT_TIMEOUT_S
    server_version = "sagemaker-k8s-operator"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self._say(HTTPStatus.NOT_FOUND, "not found\n")
            return
        token = _bearer(self.headers.get("Authorization", ""))
        try:
            verdict = self.server.review.judge(token) if token else Verdict.UNKNOWN
        except ApiError as exc:
            log.warning("caller could not be judged", error=str(exc))
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, "the API server could not be asked who you are\n")
            return
        if verdict is not Verdict.ALLOWED:
            self._say(HTTPStatus(verdict.value), _MESSAGES[verdict])
            return
        self._pass_on()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing: scrapes arrive every few seconds."""

    def _pass_on(self) -> None:
        _, mark, query = self.path.partition("?")
        url = f"{self.server.upstream}{mark}{query}"
        request = urllib.request.Request(url, headers={"Accept": self.headers.get("Accept", "")})  # noqa: S310 (checked at start)
        try:
            with urllib.request.urlopen(request, timeout=_UPSTREAM_TIMEOUT_S) as answer:  # noqa: S310
                self._send(HTTPStatus(answer.status), answer.headers.get("Content-Type", "text/plain"), answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                self._say(HTTPStatus.BAD_GATEWAY, f"the manager answered {refused.code}\n")
        except OSError as exc:
            log.warning("manager's metrics are not reachable", error=str(exc))
            self._say(HTTPStatus.BAD_GATEWAY, "the manager's metrics are not reachable\n")

    def _say(self, status: HTTPStatus, text: str) -> None:
        self._send(status, "text/plain; charset=utf-8", text.encode())

    def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _bearer(header: str) -> str:
    """Return the token of an Authorization header, empty if it has none."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    is_plausible = scheme.lower() == "bearer" and len(token) <= _TOKEN_LIMIT and token.isascii() and token.isprintable()
    return token if is_plausible and " " not in token else ""
