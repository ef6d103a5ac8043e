"""A loopback HTTP proxy between the operator and a server: it sees, counts and can cut every request.

It stands in front of the real thing, whichever that is (sandbox, kube-apiserver, moto), so tests can kill the
operator between any two of its effects and count what it asked for, with no hook in the product.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}


class Phase(Enum):
    """When the hook is called."""

    RECEIVED = "received, not forwarded"
    COMMITTED = "answered by the server, answer not passed on"


@dataclass(frozen=True)
class Request:
    """One request, as received."""

    method: str
    path: str
    query: str
    operation: str
    """AWS operation of `X-Amz-Target`, else empty."""
    user_agent: str
    body: bytes

    @property
    def is_watch(self) -> bool:
        """Whether it opens a Kubernetes watch."""
        return "watch=true" in self.query or "watch=1" in self.query

    @property
    def is_write(self) -> bool:
        """Whether it may change something: not a Kubernetes read, not an AWS Describe or List."""
        if self.operation:
            return not self.operation.startswith(("Describe", "List", "Get"))
        return self.method not in {"GET", "HEAD"}


class Cut(Exception):  # noqa: N818 (an instruction)
    """Raised by a hook: close the connection, the client gets no answer."""


class Answered(Exception):  # noqa: N818 (an instruction)
    """Raised by a hook on a request that is not forwarded: the client gets this text, and the server nothing."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


Hook = Callable[[Request, Phase], None]


class Interceptor:
    """The proxy's state: every request so far, and the hook. Thread-safe."""

    def __init__(self, upstream: str, *, token: str = "") -> None:
        parts = urlsplit(upstream)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or (443 if self._secure else 80)
        self._token = token
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._hook: Hook | None = None
        self._sockets: set[socket.socket] = set()
        self.url = ""

    @property
    def requests(self) -> list[Request]:
        """A copy of all requests since the last `forget`."""
        with self._lock:
            return list(self._requests)

    def forget(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._requests.clear()

    def on_request(self, hook: Hook | None) -> None:
        """Call `hook` in both phases of every request from now on."""
        with self._lock:
            self._hook = hook

    @contextmanager
    def tracked(self, opened: socket.socket) -> Iterator[None]:
        """Have `close_connections` reach `opened` while the block runs."""
        with self._lock:
            self._sockets.add(opened)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.discard(opened)

    def close_connections(self) -> None:
        """Break every open connection, to either side: what a restart or a failing network does."""
        with self._lock:
            opened = list(self._sockets)
        for each in opened:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _saw(self, request: Request) -> Hook | None:
        with self._lock:
            self._requests.append(request)
            return self._hook

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self._host, self._port, timeout=700, context=context)
        return http.client.HTTPConnection(self._host, self._port, timeout=700)

    def forward(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request on and its answer back, with the hook before and after."""
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        request = Request(
            method=handler.command,
            path=parts.path,
            query=parts.query,
            operation=(handler.headers.get("X-Amz-Target") or "").rpartition(".")[2],
            user_agent=handler.headers.get("User-Agent") or "",
            body=body,
        )
        hook = self._saw(request)
        try:
            if hook:
                hook(request, Phase.RECEIVED)
        except Answered as answered:
            self._answer(handler, answered.text)
            return
        upstream = self._connect()
        upstream.connect()
        with self.tracked(upstream.sock), closing(upstream):
            headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            upstream.request(handler.command, handler.path, body=body or None, headers=headers)
            answer = upstream.getresponse()
            if hook:
                hook(request, Phase.COMMITTED)
            handler.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP | {"content-length"}:
                    handler.send_header(name, value)
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            while chunk := answer.read1(65536):
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")

    @staticmethod
    def _answer(handler: BaseHTTPRequestHandler, text: str) -> None:
        body = text.encode()
        handler.send_response_only(200)
        handler.send_header("Content-Type", "text/plain")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def interceptor(upstream: str, *, token: str = "") -> Iterator[Interceptor]:
    """A running proxy in front of `upstream`, a base URL; `token` is added as bearer token."""
    proxy = Interceptor(upstream, token=token)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            # either side went away: so does this connection
            with proxy.tracked(self.connection), suppress(Cut, OSError, http.client.HTTPException):
                super().handle()
            self.close_connection = True

        def _any(self) -> None:
            proxy.forward(self)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _any  # noqa: N815 (names of http.server)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="interceptor")
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        proxy.close_connections()
        server.server_close()
        thread.join()
