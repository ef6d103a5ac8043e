"""The metrics front end's parts, without an API server."""

import datetime as dt
import gzip
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPSConnection
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter

from controller.kube.access import ConfigError
from controller.kube.errors import ApiError
from controller.metricsproxy.reviews import Remembered, Verdict
from controller.metricsproxy.routes import metrics_routes
from controller.metricsproxy.tls import Certificate
from controller.observability import server as web
from controller.observability.server import Answer, Contexts, Query, Route, WebServer
from controller.runtime.threads import Stop
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock

NOW = dt.datetime(2030, 1, 2, tzinfo=dt.UTC)


class CountingReview:
    """Allows tokens that begin with `good`, and counts the questions."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        self.asked.append(token)
        return Verdict.ALLOWED if token.startswith("good") else Verdict.UNKNOWN


def test_a_verdict_is_asked_for_once_while_it_holds() -> None:
    """A scrape every few seconds costs one question a minute, and a withdrawn right ends within it."""
    review, clock = CountingReview(), FakeClock()
    remembered = Remembered(review, clock, keep_s=60)
    assert [remembered.judge("good"), remembered.judge("good"), remembered.judge("bad")] == [
        Verdict.ALLOWED,
        Verdict.ALLOWED,
        Verdict.UNKNOWN,
    ]
    assert review.asked == ["good", "bad"]
    clock.advance(60)
    remembered.judge("good")
    assert review.asked == ["good", "bad", "good"]


def test_strangers_cannot_fill_memory() -> None:
    """The oldest verdict goes first, so a flood of invented tokens costs the scraper one more question at most."""
    review = CountingReview()
    remembered = Remembered(review, FakeClock(), limit=10)
    for number in range(50):
        remembered.judge(f"bad-{number}")
    remembered.judge("bad-49")
    assert len(review.asked) == 50, "the last ten are remembered"
    remembered.judge("bad-0")
    assert review.asked[-1] == "bad-0"


def write_pair(directory: Path) -> tuple[Path, Path]:
    """A fresh certificate with its key, as a Secret mounts them."""
    from controller.metricsproxy import selfsigned  # noqa: PLC0415 - loads cryptography

    paths = directory / "tls.crt", directory / "tls.key"
    for path, content in zip(paths, selfsigned.make(NOW), strict=True):
        path.write_bytes(content)
    return paths


def test_a_made_certificate_is_for_servers_and_this_host() -> None:
    """No authority, no client: it can be abused for nothing else."""
    from cryptography import x509  # noqa: PLC0415

    from controller.metricsproxy import selfsigned  # noqa: PLC0415

    certificate = x509.load_pem_x509_certificate(selfsigned.make(NOW)[0])
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert certificate.not_valid_before_utc < NOW < certificate.not_valid_after_utc


def test_renewed_files_are_noticed_and_broken_ones_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cert-manager replaces files under a running process; between the two writes they do not fit together."""
    loaded: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def recorded(context: ssl.SSLContext, certfile: Path, keyfile: Path) -> None:
        load(context, certfile, keyfile)
        loaded.append(certfile.read_text())

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", recorded)
    files = write_pair(tmp_path)
    first = files[0].read_text()
    certificate = Certificate(*files)
    certificate.context()
    assert loaded == [first], "unchanged files are read once"

    files[1].write_text("half")
    touch(files[1], 1)
    certificate.context()
    assert loaded == [first]

    write_pair(tmp_path)
    touch(files[1], 2)
    certificate.context()
    assert loaded == [first, files[0].read_text()]


def touch(path: Path, seconds: int) -> None:
    """Make the file visibly newer, whatever the file system's clock resolves."""
    stamp = path.stat().st_mtime_ns + seconds * 1_000_000_000
    os.utime(path, ns=(stamp, stamp))


def test_a_certificate_that_cannot_be_read_at_start_is_an_error_with_its_path(tmp_path: Path) -> None:
    """Later the old one goes on; at the start there is none."""
    with pytest.raises(ConfigError, match=r"no\.crt"):
        Certificate(tmp_path / "no.crt", tmp_path / "no.key")
    with pytest.raises(ConfigError, match="belong together"):
        Certificate(tmp_path / "tls.crt", None)


VERDICTS = {"good": Verdict.ALLOWED, "bad": Verdict.UNKNOWN, "poor": Verdict.DENIED}


class Judge:
    """A review by what the token is."""

    def judge(self, token: str) -> Verdict:
        """See `Review.judge`."""
        if token == "unanswered":
            raise ApiError("InternalError", "scripted")
        return VERDICTS[token]


@contextmanager
def served(routes: Mapping[str, Route], contexts: Contexts | None = None) -> Iterator[int]:
    """Serve routes meanwhile; yields the port."""
    stop, server = Stop(), WebServer("test", ("127.0.0.1", 0), routes, flag="--test", contexts=contexts)
    thread = threading.Thread(target=server.run, args=(stop,), name="served")
    thread.start()
    try:
        yield server.port
    finally:
        stop.set()
        thread.join()


def scrape(port: int, headers: Mapping[str, str], path: str = "/metrics") -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body of a GET over HTTPS."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=trusting)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


GOOD = {"Authorization": "Bearer good"}
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture
def front() -> Iterator[int]:
    """The front end over HTTPS, before the manager's own metrics; yields its port."""
    registry = CollectorRegistry()
    for name in ("a", "b"):
        Counter(name, name, registry=registry).inc()
    with (
        served(web.metrics_routes(registry)) as manager,
        served(metrics_routes(Judge(), f"http://127.0.0.1:{manager}/metrics"), Certificate(None, None).context) as port,
    ):
        yield port


CALLERS: list[tuple[dict[str, str], int, str]] = [
    ({}, 401, "bearer token"),
    ({"Authorization": "Bearer bad"}, 401, "bearer token"),
    ({"Authorization": "Basic good"}, 401, "bearer token"),
    ({"Authorization": "Bearer good good"}, 401, "bearer token"),
    ({"Authorization": "bearer  good "}, 200, "a_total 1.0"),
    ({"Authorization": "Bearer poor"}, 403, "metrics-reader"),
    ({"Authorization": "Bearer unanswered"}, 503, "could not be asked"),
    (GOOD, 200, "b_total 1.0"),
    (GOOD | OPENMETRICS, 200, "# EOF"),
]
"""Headers of a caller, the status, and words of the answer."""


def test_a_caller_is_judged_before_anything_is_shown(front: int, subtests: pytest.Subtests) -> None:
    """Each refusal says what is missing, and one for want of a valid token names the scheme."""
    for headers, status, words in CALLERS:
        with subtests.test(str(headers)):
            answered, back, body = scrape(front, headers)
            assert (answered, words in body.decode()) == (status, True)
            assert back.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
            assert int(back["Content-Length"]) == len(body)
    for path in ("/", "/healthz", "/metrics/", "/metricsx?/metrics"):
        with subtests.test(path):
            assert scrape(front, GOOD, path)[0] == 404


def test_format_compression_and_names_are_the_managers_answer(front: int) -> None:
    """The front end reads nothing of it: it is compressed once, where it is made."""
    status, back, body = scrape(front, GOOD | OPENMETRICS | {"Accept-Encoding": "gzip"}, "/metrics?name[]=a_total")
    assert status == 200
    assert back["Content-Encoding"] == "gzip"
    assert back["Content-Type"].startswith("application/openmetrics-text")
    text = gzip.decompress(body).decode()
    assert "a_total 1.0" in text
    assert "b_total" not in text


@pytest.mark.parametrize("query", ["name[]=\xe9", "name[]=\x7f", "a b"])
def test_a_query_that_is_no_part_of_a_url_is_refused(query: str) -> None:
    """By the front end: it is the caller's fault, and no defect for the log."""
    answer = metrics_routes(Judge(), "http://127.0.0.1:1/metrics")["/metrics"](Query(query, GOOD))
    assert answer.status is HTTPStatus.BAD_REQUEST


def no_http(listening: socket.socket) -> None:
    """Answer one connection with what is no HTTP."""
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"SSH-2.0-something\r\n\r\n")


def test_a_manager_that_fails_or_speaks_no_http_is_a_bad_gateway() -> None:
    """The scraper sees that it is not its own fault, and the log is not that of a defect."""

    def failing(_: Query) -> Answer:
        return Answer(b"later\n", HTTPStatus.SERVICE_UNAVAILABLE)

    query = Query("", GOOD)
    with served({"/metrics": failing}) as port:
        answer = metrics_routes(Judge(), f"http://127.0.0.1:{port}/metrics")["/metrics"](query)
    assert (answer.status, answer.body) == (HTTPStatus.BAD_GATEWAY, b"the manager answered 503\n")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        other = threading.Thread(target=no_http, args=(listening,), name="no-http")
        other.start()
        answer = metrics_routes(Judge(), f"http://127.0.0.1:{listening.getsockname()[1]}/metrics")["/metrics"](query)
        other.join()
    assert answer.status is HTTPStatus.BAD_GATEWAY
