"""The metrics front end as a process of its own, against an API server that enforces RBAC."""

import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hack.background import in_background
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, Cluster, cluster, for_namespace

pytestmark = pytest.mark.sandbox

METRICS = b'sagemaker_operator_build_info{version="1"} 1.0\n'


@contextmanager
def scraped(directory: Path) -> Iterator[Cluster]:
    """A cluster with a scraper that may read metrics and another account that may not."""
    with cluster(directory) as made:
        made.kubectl("create", "serviceaccount", "prometheus")
        made.kubectl("create", "serviceaccount", "stranger")
        made.kubectl("create", "clusterrole", "reader", "--verb=get", "--non-resource-url=/metrics")
        made.kubectl(
            "create", "clusterrolebinding", "reader", "--clusterrole=reader", "--serviceaccount=default:prometheus"
        )
        # every real cluster has this: system:basic-user
        made.kubectl(
            "create",
            "clusterrole",
            "basic",
            "--verb=create",
            "--resource=selfsubjectaccessreviews.authorization.k8s.io",
        )
        made.kubectl("create", "clusterrolebinding", "basic", "--clusterrole=basic", "--group=system:authenticated")
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One with an operator for all namespaces. The tests only ask it."""
    with scraped(tmp_path_factory.mktemp("cluster-wide")) as made:
        made.apply(INSTALLER)
        yield made


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Cluster]:
    """One with an operator for the namespace `my-namespace` only."""
    with scraped(tmp_path) as made:
        made.kubectl("create", "namespace", "my-namespace")
        made.apply(for_namespace("my-namespace", made.directory))
        yield made


@contextmanager
def manager() -> Iterator[str]:
    """Something that serves plain metrics on loopback; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=1.0.0")
            self.end_headers()
            self.wfile.write(METRICS)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/metrics"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def front_end(
    home: Cluster, namespace: str, upstream: str, *flags: str, end: signal.Signals = signal.SIGTERM
) -> Iterator[str]:
    """The process with the token of the operator's account, in the background until `end`; yields its URL."""
    kubeconfig = home.directory / "front-end-kubeconfig"
    write_kubeconfig(kubeconfig, home.server.url, home.server.token(namespace, ACCOUNT))
    command = [sys.executable, "-m", "controller.metricsproxy", "--listen", "127.0.0.1:0"]
    command += ["--upstream", upstream, "--kubeconfig", str(kubeconfig), *flags]
    log = home.directory / "front-end.log"
    with log.open("w") as sink:
        process = subprocess.Popen(in_background(command), cwd=REPOSITORY, stdout=sink, stderr=subprocess.STDOUT)

    def port() -> str | None:
        assert process.poll() is None, log.read_text()
        found = re.search(r"serving.*\bport\W+(\d+)", log.read_text())
        return found[1] if found else None

    try:
        url = f"https://127.0.0.1:{eventually(port, what='the front end says where it serves')}"
        eventually(lambda: answers(url), what="listening")
        yield url
        process.send_signal(end)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    """Whether something speaks HTTPS there."""
    try:
        return scrape(url, "") == 401
    except OSError:
        return False


def scrape(url: str, token: str, path: str = "/metrics") -> int | bytes:
    """The body of a scrape, or the status of its refusal."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=trusting) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_metrics_are_for_callers_that_the_api_server_allows(home: Cluster) -> None:
    """HTTPS, TokenReview and SubjectAccessReview with the shipped role."""
    assert_judged(home, NAMESPACE, "delegated", end=signal.SIGTERM)


def test_in_one_namespace_callers_are_judged_without_any_right(team: Cluster) -> None:
    """D-43: each caller's token asks about itself."""
    assert_judged(team, "my-namespace", "self", end=signal.SIGINT)


def assert_judged(home: Cluster, namespace: str, way: str, *, end: signal.Signals) -> None:
    """Who may, who may not, who is unknown, and what else is there."""
    with manager() as upstream, front_end(home, namespace, upstream, "--review", way, end=end) as url:
        assert scrape(url, home.server.token("default", "prometheus")) == METRICS
        assert scrape(url, home.server.token("default", "stranger")) == 403
        assert scrape(url, "not-a-token") == 401
        assert scrape(url, "") == 401
        assert scrape(url, home.server.token("default", "prometheus"), "/healthz") == 404


def test_a_manager_that_is_away_is_a_bad_gateway(home: Cluster) -> None:
    """The scraper sees whose fault it is."""
    with socket.socket() as deaf:  # a port that is taken by one who does not listen
        deaf.bind(("127.0.0.1", 0))
        with front_end(home, NAMESPACE, f"http://127.0.0.1:{deaf.getsockname()[1]}/metrics") as url:
            assert scrape(url, home.server.token("default", "prometheus")) == 502


def test_plain_http_gets_no_answer_and_does_not_disturb(home: Cluster) -> None:
    """A probe of the port, or a scraper without TLS."""
    with manager() as upstream, front_end(home, NAMESPACE, upstream) as url:
        with pytest.raises(OSError, match=r"."):
            urllib.request.urlopen(url.replace("https", "http") + "/metrics", timeout=PATIENCE_S)
        assert scrape(url, home.server.token("default", "prometheus")) == METRICS


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--upstream", "http://10.0.0.1/metrics"], 2, "must be an http:// URL on loopback"),
        (["--listen", "0"], 2, "must be HOST:PORT"),
        (["--tls-cert-file", "a.crt"], 1, "belong together"),
        (["--tls-cert-file", "no.crt", "--tls-private-key-file", "no.key"], 1, "no.crt"),
    ],
)
def test_wrong_options_end_with_one_line(flags: list[str], code: int, words: str) -> None:
    """Exit code 2 for usage, 1 for what is missing."""
    done = subprocess.run(
        [sys.executable, "-m", "controller.metricsproxy", *flags],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code
    assert re.search(rf"error: .*{re.escape(words)}", done.stderr)
