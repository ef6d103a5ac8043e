"""/metrics, /healthz and /readyz for scrapers and kubelets."""

import gzip
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry, Counter

from controller.observability.registry import new_registry
from controller.observability.server import (
    Answer,
    BindError,
    Query,
    Route,
    WebServer,
    health_routes,
    metrics_routes,
    parse_address,
)
from controller.runtime.threads import Stop
from tests.deadline import PATIENCE_S

Serve = Callable[[Mapping[str, Route]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves routes and returns the address; ends with the test."""
    with ExitStack() as stack:

        def start(routes: Mapping[str, Route]) -> str:
            stop = Stop()
            server = WebServer("test", ("127.0.0.1", 0), routes, flag="--test-addr")
            thread = threading.Thread(target=server.run, args=(stop,), name="web-server")
            thread.start()
            stack.callback(thread.join)
            stack.callback(stop.set)
            return f"http://127.0.0.1:{server.port}"

        yield start


def get(url: str, accept: str = "") -> tuple[int, str, str]:
    """Code, body and content type."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode(), refused.headers["Content-Type"]


class TestHealth:
    """M4."""

    def test_all_well_is_200(self, serve: Serve) -> None:
        """What a kubelet looks at."""
        url = serve(health_routes(healthz={}, readyz={"caches": lambda: None}))

        assert get(f"{url}/healthz")[:2] == (200, "ok")
        assert get(f"{url}/readyz")[:2] == (200, "ok")

    def test_a_failing_check_is_503_and_says_why(self, serve: Serve) -> None:
        """What a person looks at; every check has its line."""
        url = serve(health_routes(healthz={}, readyz={"ping": lambda: None, "caches": lambda: "not synced: jobs"}))

        code, body, _ = get(f"{url}/readyz")

        assert code == 503
        assert body == "[+]ping ok\n[-]caches failed: not synced: jobs\nreadyz check failed\n"

    def test_verbose_shows_the_checks_also_when_all_is_well(self, serve: Serve) -> None:
        """As Kubernetes components do."""
        url = serve(health_routes(healthz={"lease": lambda: None}, readyz={}))

        assert get(f"{url}/healthz?verbose")[1] == "[+]lease ok\nhealthz check passed\n"

    def test_what_is_degraded_shows_and_fails_nothing(self, serve: Serve) -> None:
        """Another replica could do no better: it is for the reader, not for the probe."""
        degraded = {"status-sources": lambda: "ListTrainingJobs: AccessDeniedException", "other": lambda: None}
        url = serve(health_routes(healthz={}, readyz={"caches": lambda: None}, degraded=degraded))

        assert get(f"{url}/readyz")[:2] == (200, "ok")
        status, lines = get(f"{url}/readyz?verbose")[:2]
        assert (status, lines.splitlines()) == (
            200,
            [
                "[+]caches ok",
                "[+]status-sources degraded: ListTrainingJobs: AccessDeniedException",
                "[+]other ok",
                "readyz check passed",
            ],
        )

    def test_each_check_can_be_asked_alone(self, serve: Serve) -> None:
        """For a probe that cares about one of them."""
        url = serve(health_routes(healthz={"a": lambda: None, "b": lambda: "bad"}, readyz={}))

        assert get(f"{url}/healthz/a")[0] == 200
        assert get(f"{url}/healthz/b")[0] == 503


class TestMetrics:
    """The registry over HTTP."""

    def test_metrics_are_served_in_the_text_format(self, serve: Serve) -> None:
        """With process metrics (X1), without creation times (X3)."""
        registry = new_registry()
        Counter("things", "Things.", registry=registry).inc()

        code, body, content_type = get(serve(metrics_routes(registry)) + "/metrics")

        assert code == 200
        assert content_type.startswith("text/plain")
        assert "things_total 1.0" in body
        assert "process_resident_memory_bytes" in body
        assert "_created" not in body

    def test_openmetrics_is_served_where_asked_for(self, serve: Serve) -> None:
        """Prometheus asks for it."""
        answer = get(serve(metrics_routes(new_registry())) + "/metrics", accept="application/openmetrics-text")

        assert answer[2].startswith("application/openmetrics-text")

    @pytest.mark.parametrize(
        ("accepted", "is_compressed"),
        [
            ("", False),
            ("identity", False),
            ("gzip", True),
            ("deflate, GZIP;q=1.0", True),
            ("br", False),
        ],
    )
    def test_metrics_are_compressed_for_who_accepts_that(
        self, serve: Serve, accepted: str, is_compressed: bool
    ) -> None:
        """As Prometheus does: some hundred kilobytes become some ten."""
        registry = CollectorRegistry()
        Counter("things", "Things.", registry=registry).inc()
        request = urllib.request.Request(
            serve(metrics_routes(registry)) + "/metrics", headers={"Accept-Encoding": accepted}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            body = answer.read()
            assert answer.headers.get("Content-Encoding") == ("gzip" if is_compressed else None)
        assert b"things_total 1.0" in (gzip.decompress(body) if is_compressed else body)

    def test_single_series_are_served_by_name(self, serve: Serve) -> None:
        """As prometheus-client offers it, for a look by hand."""
        registry = CollectorRegistry()
        for name in ("a", "b", "c"):
            Counter(name, name, registry=registry).inc()
        _, body, _ = get(serve(metrics_routes(registry)) + "/metrics?name[]=a_total&name[]=c_total")
        assert {line for line in body.splitlines() if line[0] != "#"} == {"a_total 1.0", "c_total 1.0"}


class TestServer:
    """The server itself."""

    def test_headers_of_a_head_request_are_those_of_a_get(self, serve: Serve) -> None:
        """A load balancer may look so; there is no body."""
        url = serve(health_routes(healthz={}, readyz={"caches": lambda: "not synced"}))
        request = urllib.request.Request(f"{url}/readyz", method="HEAD")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE_S)
        with refused.value as answer:
            assert (answer.code, answer.read()) == (503, b"")
            assert int(answer.headers["Content-Length"]) == len(get(f"{url}/readyz")[1])

    def test_unknown_paths_are_404(self, serve: Serve) -> None:
        """Nothing else is served."""
        assert get(serve({}) + "/debug")[0] == 404

    def test_a_client_that_says_nothing_does_not_keep_others_waiting(self, serve: Serve) -> None:
        """A port scanner must not fail a kubelet's probe."""
        url = serve(health_routes(healthz={}, readyz={}))
        with socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))):
            assert get(f"{url}/healthz")[0] == 200

    def test_a_route_that_raises_breaks_only_its_own_answer(self, serve: Serve) -> None:
        """It is a bug, and loud; the server goes on."""

        def broken(query: Query) -> Answer:
            raise RuntimeError("scripted")

        url = serve({"/broken": broken, **health_routes(healthz={}, readyz={})})

        with pytest.raises(OSError, match="closed connection"):
            get(f"{url}/broken")
        assert get(f"{url}/healthz")[0] == 200

    def test_an_address_in_use_is_one_line_that_names_the_flag(self) -> None:
        """Two operators on one laptop."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]

            with pytest.raises(BindError) as caught:
                WebServer("metrics", ("127.0.0.1", port), {}, flag="--metrics-addr")

        assert str(caught.value) == (
            f"cannot serve metrics on 127.0.0.1:{port}: the address is in use; choose another with --metrics-addr"
        )

    @pytest.mark.parametrize(
        ("text", "address"),
        [
            (":8080", ("", 8080)),
            ("127.0.0.1:0", ("127.0.0.1", 0)),
            ("[::1]:8080", ("::1", 8080)),
            ("0", None),
            ("", None),
        ],
    )
    def test_addresses_are_written_as_in_go(self, text: str, address: tuple[str, int] | None) -> None:
        """`:8080` means all interfaces."""
        assert parse_address(text) == address

    @pytest.mark.parametrize("text", ["8080", "a:b", ":99999", "a:"])
    def test_other_addresses_are_refused(self, text: str) -> None:
        """With what would be right."""
        with pytest.raises(ValueError, match="must be HOST:PORT"):
            parse_address(text)
