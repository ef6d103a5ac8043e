"""A real HTTP server that does what a script says: the client under test meets sockets, not mocks."""

import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from api.meta import JsonObject
from tests.deadline import PATIENCE_S


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


class Exchange:
    """What a step may do with one request."""

    def __init__(self, handler: BaseHTTPRequestHandler, released: threading.Event) -> None:
        self.handler = handler
        self.released = released

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Send the status line and headers."""
        self.handler.send_response(status)
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body; an empty one ends it."""
        self.handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.handler.wfile.flush()

    def cut(self) -> None:
        """Drop the connection without another word."""
        self.handler.close_connection = True
        self.handler.connection.shutdown(socket.SHUT_RDWR)

    def be_silent(self) -> None:
        """Say nothing until the test is over."""
        self.released.wait(PATIENCE_S)
        self.handler.close_connection = True


Step = Callable[[Exchange], None]


def reply(body: object, status: int = 200, **headers: str) -> Step:
    """A JSON reply; `headers` with underscores for dashes."""

    def step(exchange: Exchange) -> None:
        data = json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        exchange.head(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **named})
        exchange.handler.wfile.write(data)

    return step


def refusal(code: int, reason: str = "", message: str = "no", *, details: object = None, **headers: str) -> Step:
    """A `metav1.Status`."""
    return reply(status_object(code, reason, message, details), code, **headers)


def status_object(code: int, reason: str, message: str = "no", details: object = None) -> JsonObject:
    """A failure `Status` as the API server writes it."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        **({"reason": reason} if reason else {}),
        **({"details": details} if details else {}),
        "code": code,
    }


def text(body: str, status: int) -> Step:
    """A reply that is not JSON, as proxies send it."""

    def step(exchange: Exchange) -> None:
        exchange.head(status, {"Content-Type": "text/plain", "Content-Length": str(len(body))})
        exchange.handler.wfile.write(body.encode())

    return step


def short_body() -> Step:
    """Promise 100 bytes, send 10, hang up."""

    def step(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Type": "application/json", "Content-Length": "100"})
        exchange.handler.wfile.write(b'{"items":[')
        exchange.handler.wfile.flush()
        exchange.cut()

    return step


def trickle() -> Step:
    """Send a byte now and then, for ever."""

    def step(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Type": "application/json", "Content-Length": "1000000"})
        while not exchange.released.wait(0.02):
            exchange.handler.wfile.write(b" ")
            exchange.handler.wfile.flush()
        exchange.handler.close_connection = True

    return step


def silence() -> Step:
    """Take the request and never answer."""
    return Exchange.be_silent


def watch(*chunks: bytes, then: str = "end") -> Step:
    """A chunked stream of `chunks`; then its `end`, a `cut` connection, or `silence`."""

    def step(exchange: Exchange) -> None:
        exchange.head(200, {"Content-Type": "application/json", "Transfer-Encoding": "chunked"})
        for data in chunks:
            exchange.chunk(data)
        if then == "end":
            exchange.chunk(b"")
        elif then == "cut":
            exchange.cut()
        else:
            exchange.be_silent()

    return step


def event(type_: str, **obj: object) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": type_, "object": obj}).encode() + b"\n"


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are what many of these tests are about."""


class ScriptedServer:
    """Answers the n-th request with the n-th step; requests beyond the script get 500 and fail the test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.unexpected: list[Received] = []
        self._steps: deque[Step] = deque()
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def will(self, *steps: Step) -> None:
        """Add to the script."""
        with self._lock:
            self._steps.extend(steps)

    def _take(self, received: Received) -> Step:
        with self._lock:
            self.received.append(received)
            if self._steps:
                return self._steps.popleft()
            self.unexpected.append(received)
            return refusal(500, "InternalError", "not in the script")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = PATIENCE_S

            def handle_any(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                query = dict(parse_qsl(url.query, keep_blank_values=True))
                received = Received(self.command, url.path, query, dict(self.headers), body)
                try:
                    scripted._take(received)(Exchange(self, scripted._released))
                except OSError:
                    self.close_connection = True  # the client hung up first, as some tests want it to

            def log_message(self, *args: object) -> None:
                """Nothing."""

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.handle_any)
        return Handler

    @contextmanager
    def running(self) -> Iterator["ScriptedServer"]:
        """Serve until the end of the context; connections that are still open are dropped."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="scripted-server")
        thread.start()
        try:
            yield self
        finally:
            self._released.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()
            assert not self.unexpected, f"requests beyond the script: {self.unexpected}"
