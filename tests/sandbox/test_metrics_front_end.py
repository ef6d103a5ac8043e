"""The metrics front end as a process of its own, against an API server that enforces RBAC."""

import re
import signal
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
from tests.sandbox.apiserver import free_port, write_kubeconfig
from tests.sandbox.harness import REPOSITORY, eventually
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, Cluster, cluster, for_namespace

pytestmark = pytest.mark.sandbox

METRICS = b'sagemaker_operator_build_info{version="1"} 1.0\n'


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with a scraper that may read metrics and another account that may not."""
    with cluster(tmp_path) as made:
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
    port = free_port()
    kubeconfig = home.directory / "front-end-kubeconfig"
    write_kubeconfig(kubeconfig, home.server.url, home.server.token(namespace, ACCOUNT))
    command = [sys.executable, "-m", "controller.metricsproxy", "--listen", f"127.0.0.1:{port}"]
    command += ["--upstream", upstream, "--kubeconfig", str(kubeconfig), *flags]
    with subprocess.Popen(
        in_background(command), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            eventually(lambda: answers(f"https://127.0.0.1:{port}") or process.poll() is not None, what="listening")
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            yield f"https://127.0.0.1:{port}"
            process.send_signal(end)
            assert process.wait(20) == 0
        finally:
            process.kill()


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
        with urllib.request.urlopen(request, timeout=20, context=trusting) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.parametrize(("way", "end"), [("delegated", signal.SIGTERM), ("self", signal.SIGINT)])
def test_metrics_are_for_callers_that_the_api_server_allows(home: Cluster, way: str, end: signal.Signals) -> None:
    """HTTPS, TokenReview and SubjectAccessReview with the shipped role; in one namespace without any right (D-43).

    Either signal ends the process with exit code 0, also where it was started with SIGINT ignored.
    """
    namespace = NAMESPACE if way == "delegated" else "my-namespace"
    if way == "delegated":
        home.apply(INSTALLER)
    else:
        home.kubectl("create", "namespace", namespace)
        home.apply(for_namespace(namespace, home.directory))
    with manager() as upstream, front_end(home, namespace, upstream, "--review", way, end=end) as url:
        assert scrape(url, home.server.token("default", "prometheus")) == METRICS
        assert scrape(url, home.server.token("default", "stranger")) == 403
        assert scrape(url, "not-a-token") == 401
        assert scrape(url, "") == 401
        assert scrape(url, home.server.token("default", "prometheus"), "/healthz") == 404


def test_a_manager_that_is_away_is_a_bad_gateway(home: Cluster) -> None:
    """The scraper sees whose fault it is."""
    home.apply(INSTALLER)
    with front_end(home, NAMESPACE, f"http://127.0.0.1:{free_port()}/metrics") as url:
        assert scrape(url, home.server.token("default", "prometheus")) == 502


def test_plain_http_gets_no_answer_and_does_not_disturb(home: Cluster) -> None:
    """A probe of the port, or a scraper without TLS."""
    home.apply(INSTALLER)
    with manager() as upstream, front_end(home, NAMESPACE, upstream) as url:
        with pytest.raises(OSError, match=r"."):
            urllib.request.urlopen(url.replace("https", "http") + "/metrics", timeout=10)
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
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert re.search(rf"error: .*{re.escape(words)}", done.stderr)
