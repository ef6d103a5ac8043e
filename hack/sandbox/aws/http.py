"""A small HTTP/1.1 server with keep-alive that can cut a connection and that leaves no thread behind.

It is not werkzeug's development server because that closes every connection after one response, unlike AWS, where
clients pool connections.
"""

import socket
import sys
import threading
import uuid
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hack.sandbox.aws.service import Lost
from hack.sandbox.aws.wire import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]


class HttpServer(ThreadingHTTPServer):
    """Serves `answer` on host and port (0: any free one); the port is bound when the object exists.

    Raises OSError when the port is taken. `now` returns the time for the Date header, which clients use to correct
    their own clock, so it must be the time in the responses.
    """

    daemon_threads = False
    block_on_close = True  # server_close() joins the threads of all connections
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, answer: Answer, now: Callable[[], float]) -> None:
        self.answer = answer
        self.now = now
        self._connections: set[socket.socket] = set()  # guarded by _connections_lock
        self._connections_lock = threading.Lock()
        super().__init__((host, port), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and register it."""
        connection, address = super().get_request()
        with self._connections_lock:
            self._connections.add(connection)
        return connection, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection on a thread of its own, named after the client's port."""
        threading.current_thread().name = f"sandbox-aws-{client_address[1]}"
        super().process_request_thread(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and unregister it."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        with self._connections_lock:
            for connection in self._connections:
                cut(connection)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a disconnected client; print any other error with its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body waits 40 ms for the ACK of the headers
    server: HttpServer

    def _handle(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = HttpRequest(self.command, self.path, headers, self._body())
        try:
            response = self.server.answer(request)
        except Lost as lost:
            self.close_connection = True
            if lost.part is not None:
                self._send(lost.part)
            cut(self.connection)
            return
        self._send(response)

    # http.server finds the method for a verb by this name.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _handle  # noqa: N815

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(chunks)

    def _send(self, response: HttpResponse) -> None:
        self.send_response_only(response.status)
        self.send_header("Date", formatdate(self.server.now(), usegmt=True))
        names = set()
        for name, value in response.headers:
            self.send_header(name, value)
            names.add(name.lower())
        if "x-amzn-requestid" not in names:
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        if self.close_connection:  # requested by the client, which would otherwise reuse it
            self.send_header("Connection", "close")
        if "content-length" not in names:  # the response to a HEAD has the length of a GET's
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)


def cut(connection: socket.socket) -> None:
    """Cut a connection both ways; ignores a peer that has already disconnected."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
