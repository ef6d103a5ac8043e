"""The metrics front end as a process of its own, against an API server that enforces RBAC."""

import os
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
from typing import Final

import pytest
import yaml

from hack.background import in_background
from hack.manifests import charts
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.forkserver import Child, fork_server
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, Cluster, cluster, for_namespace

pytestmark = pytest.mark.sandbox

PROGRAM: Final = "controller.metricsproxy"
METRICS = b'sagemaker_operator_build_info{version="1"} 1.0\n'


CALLERS = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: default}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{nonResourceURLs: [/metrics], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: basic}
rules: [{apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: basic}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: basic}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
"""
"""A scraper that may read metrics, an account that may not, and what each cluster has: system:basic-user."""


@contextmanager
def scraped(directory: Path) -> Iterator[Cluster]:
    """A cluster with a scraper that may read metrics and another account that may not."""
    with cluster(directory) as made:
        made.put_all(yaml.load_all(CALLERS, Loader=yaml.CSafeLoader))
        yield made


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One with an operator for all namespaces. The tests only ask it."""
    with scraped(tmp_path_factory.mktemp("cluster-wide")) as made:
        made.put(INSTALLER)
        yield made


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Cluster]:
    """One with an operator for the namespace `my-namespace` only."""
    with scraped(tmp_path) as made:
        made.put_namespaces("my-namespace")
        made.put(for_namespace("my-namespace", made.directory))
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
    """The process with the token of the operator's account until `end`; yields its URL.

    What ends by SIGINT is executed in the background, as by `&` in a script; all others are forked.
    """
    kubeconfig = home.directory / "front-end-kubeconfig"
    write_kubeconfig(kubeconfig, home.server.url, home.server.token(namespace, ACCOUNT))
    arguments = ["--listen", "127.0.0.1:0", "--upstream", upstream, "--kubeconfig", str(kubeconfig), *flags]
    log = home.directory / "front-end.log"
    log.write_text("")
    process: subprocess.Popen[bytes] | Child
    if end is signal.SIGINT:
        command = in_background([sys.executable, "-m", PROGRAM, *arguments])
        with log.open("w") as sink:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdout=sink, stderr=subprocess.STDOUT)
    else:
        process = fork_server().launch(arguments, os.environ, log, program=PROGRAM)

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


def test_the_script_of_helm_test_sees_what_is_served_and_what_is_not(home: Cluster) -> None:
    """Without a token, as a pod of the chart's tests runs it; another path is refused for another reason."""
    script = (charts.FILES / "answers.py").read_text("utf-8")
    with manager() as upstream, front_end(home, NAMESPACE, upstream) as url, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        addresses = [f"{url}/metrics", f"{url}/other", f"https://127.0.0.1:{deaf.getsockname()[1]}/metrics"]
        done = [
            subprocess.run([sys.executable, "-c", script, each], capture_output=True, text=True, check=False)
            for each in addresses
        ]
    assert [(each.returncode, each.stderr) for each in done] == [(0, ""), (1, ""), (1, "")]
    assert done[0].stdout == f"{addresses[0]} is served, and wants a token\n"
    assert "answers 404 instead of 401" in done[1].stdout
    assert "cannot be reached, so no replica is ready" in done[2].stdout


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
def test_wrong_options_end_with_one_line(tmp_path: Path, flags: list[str], code: int, words: str) -> None:
    """Exit code 2 for usage, 1 for what is missing."""
    said = tmp_path / "said"
    assert fork_server().launch(flags, os.environ, said, program=PROGRAM).wait(PATIENCE_S) == code
    assert re.search(rf"error: .*{re.escape(words)}", said.read_text())
