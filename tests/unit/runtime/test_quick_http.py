"""Requests and heads of replies are what they are without it, whoever sent them and however they arrive."""

import http.client
import io
from typing import Any

import pytest
from botocore.awsrequest import AWSHTTPSConnectionPool
from hypothesis import given
from hypothesis import strategies as st
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from controller.runtime.quick_http import QuickResponse, quick

BODY = b"0123456789"
USUAL = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-A:  a b \r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nDate: now\r\n\r\n"


class Wire:
    """A socket that has received some bytes, in pieces of a size."""

    def __init__(self, data: bytes, piece: int = 1 << 16) -> None:
        self._data = data
        self._piece = piece

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the received bytes as a file, like a socket's."""
        assert mode == "rb"
        return io.BufferedReader(Pieces(self._data, self._piece))


class Pieces(io.RawIOBase):
    """Bytes that arrive in pieces."""

    def __init__(self, data: bytes, piece: int) -> None:
        self._rest = io.BytesIO(data)
        self._piece = piece

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read one piece at most."""
        part = self._rest.read(min(self._piece, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def facts(kind: type[http.client.HTTPResponse], data: bytes, *, method: str = "GET", piece: int = 1 << 16) -> Any:
    """Return all that a response of this class shows of received bytes: its head, how it is framed, and its body."""
    wire: Any = Wire(data, piece)
    response = kind(wire, method=method)
    try:
        response.begin()
        framing = (response.chunked, response.length, response.will_close, response.chunk_left)
        head = (response.version, response.status, response.code, response.reason, response.getheaders())
        return head, framing, response.headers.items(), response.msg is response.headers, response.read()
    except (http.client.HTTPException, ValueError) as error:
        return type(error), str(error)


def is_quick(data: bytes, **how: Any) -> bool:
    """Return whether the head is read without `http.client`."""
    wire: Any = Wire(data, how.pop("piece", 1 << 16))
    return QuickResponse(wire, **{"method": "GET", **how})._begin_quickly()


@pytest.mark.parametrize("head", [USUAL, CHUNKED, USUAL.replace(b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n")])
def test_usual_heads_are_read_quickly(head: bytes) -> None:
    """As API servers and AWS send them all day."""
    assert is_quick(head)
    assert facts(QuickResponse, head + BODY) == facts(http.client.HTTPResponse, head + BODY)


@pytest.mark.parametrize(
    ("data", "how"),
    [
        (USUAL.replace(b"HTTP/1.1", b"HTTP/1.0"), {}),
        (USUAL.replace(b"200 OK", b"204 No Content"), {}),
        (USUAL.replace(b"200 OK", b"304 Not Modified"), {}),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + USUAL, {}),
        (USUAL.replace(b"X-A: ", b"Connection: close"), {}),
        (USUAL.replace(b"X-A: ", b"X-A: a\r\n folded"), {}),
        (USUAL.replace(b"X-A: ", b"no colon"), {}),
        (USUAL.replace(b"Content-Length: 10", b"X-B: 10"), {}),
        (USUAL.replace(b": 10", b": ten"), {}),
        (USUAL.replace(b": 10", b": -1"), {}),
        (USUAL.replace(b": 10", b": 10\r\nContent-Length: 3"), {}),
        (USUAL.replace(b": 10", b": 10\r\nTransfer-Encoding: chunked"), {}),
        (CHUNKED.replace(b": chunked", b": gzip, chunked"), {}),
        (USUAL.replace(b"X-A: ", b"X-A: a\r\n" * 101), {}),
        (USUAL[:40], {}),
        (b"", {}),
        (USUAL, {"method": "HEAD"}),
        (USUAL, {"piece": 20}),
    ],
)
def test_all_others_are_left_to_the_library(data: bytes, how: dict[str, Any]) -> None:
    """Nothing has been consumed until then, so it reads them as ever, errors included."""
    assert not is_quick(data, **how)
    assert facts(QuickResponse, data + BODY, **how) == facts(http.client.HTTPResponse, data + BODY, **how)


NAMES = st.sampled_from(["Content-Length", "content-length", "Transfer-Encoding", "Connection", "Date", "X-Ä", "A b"])
VALUES = st.sampled_from(["10", " 10", "10 ", "+1", "²", "chunked", "Chunked", "close", "keep-alive", ""]) | st.text(
    st.characters(max_codepoint=255), max_size=8
)


@given(
    status=st.sampled_from(
        [b"HTTP/1.1 200 OK", b"HTTP/1.1 404 ", b"HTTP/1.1 500", b"HTTP/1.1  200 A", b"HTTP/2 200 OK"]
    ),
    fields=st.lists(st.tuples(NAMES, VALUES), max_size=5),
    piece=st.sampled_from([7, 1 << 16]),
)
def test_no_head_is_read_differently(status: bytes, fields: list[tuple[str, str]], piece: int) -> None:
    """Whatever stands in it."""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("iso-8859-1")
    data = status + b"\r\n" + head + b"\r\n" + b"3\r\nabc\r\n0\r\n\r\n"

    assert facts(QuickResponse, data, piece=piece) == facts(http.client.HTTPResponse, data, piece=piece)


POOLS = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}


class Socket:
    """A connected socket that keeps what is sent, call by call."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        """Keep it."""
        self.sent.append(bytes(data))

    def settimeout(self, seconds: float | None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def sent_by(pool: Any, *requests: tuple[str, Any, dict[str, str]]) -> list[bytes]:
    """Return what one connection sends, call by call."""
    connection, sock = pool.ConnectionCls("host"), Socket()
    connection.sock = sock
    for method, body, headers in requests:
        connection.request(method, "/path", body=body, headers=headers)
        connection._HTTPConnection__state = "Idle"  # as after a reply
    return sock.sent


@pytest.mark.parametrize(
    ("method", "body", "headers", "calls"),
    [
        ("PATCH", b"{}", {"Content-Type": "application/json"}, 1),
        ("GET", None, {}, 1),
        ("POST", b"", {}, 1),
        ("PUT", b"{}", {"Expect": "100-continue"}, 2),
        ("POST", [b"a", b"b"], {}, 4),
        ("POST", "text", {}, 2),
        ("POST", b"{}", {"Transfer-Encoding": "chunked"}, 2),
    ],
)
def test_head_and_body_leave_together(method: str, body: Any, headers: dict[str, str], calls: int) -> None:
    """The same bytes in fewer packets; what a server has to expect, or is read from elsewhere, is left as it was."""
    request = (method, body, headers)
    quickly, slowly = sent_by(quick(POOLS)["http"], request, request), sent_by(POOLS["http"], request, request)
    assert b"".join(quickly) == b"".join(slowly)
    assert len(quickly) == 2 * calls


def test_connections_stay_what_they_were_otherwise() -> None:
    """Of all schemes, and of botocore, which has connections of its own."""
    aws = {"https": AWSHTTPSConnectionPool}
    for before, after in ((POOLS, quick(POOLS)), (aws, quick(aws))):
        assert before.keys() == after.keys()
        for scheme, pool in after.items():
            assert issubclass(pool, before[scheme])
            assert issubclass(pool.ConnectionCls, before[scheme].ConnectionCls)
            assert pool.ConnectionCls("host").response_class is QuickResponse
