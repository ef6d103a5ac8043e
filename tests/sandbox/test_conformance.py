"""The embedded API server answers as a real kube-apiserver did: the recordings in tests/conformance are played to it.

Every scenario gets a server of its own, so that they can run side by side.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack import tools
from hack.sandbox.kube.server import RunningServer, start
from tests.deadline import PATIENCE_S

KIT = Path(__file__).resolve().parent.parent / "conformance"
SCENARIOS = sorted(path.stem for path in (KIT / "scenarios").glob("*.yaml"))
LIMIT_S = PATIENCE_S
"""For one run of the replayer: a limit, far above what it takes."""

pytestmark = pytest.mark.sandbox


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """An empty server."""
    with start() as running:
        yield running


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """kubectl and helm in the versions of the recordings, whatever is on PATH."""
    return {name: tools.find(name, packaged=True) for name in ("kubectl", "helm")}


def replay(*arguments: str) -> str:
    """Run the replayer; its report."""
    command = [sys.executable, str(KIT / "replay.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return done.stdout + done.stderr


def compaction(url: str) -> str:
    """The shell command by which the replayer makes a server forget history before REV."""
    script = (
        "import urllib.request as http; "
        f"http.urlopen(http.Request({url + '/sandbox/faults'!r}, data=b'{{\"compact\": REV}}', method='POST'))"
    )
    return shlex.join([sys.executable, "-c", script])


def assert_all_passed(report: str) -> None:
    """Fail with the whole report unless steps were played and none failed or was skipped."""
    last = re.search(r"^(\d+) passed, (\d+) failed$", report, re.MULTILINE)
    assert last is not None, report
    assert int(last[1]) > 0, report
    assert last[2] == "0", report
    assert "skipped" not in report, report


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_answers_are_those_of_a_real_api_server(scenario: str, server: RunningServer) -> None:
    """Status codes, headers, bodies and watch events of every step agree with the recording."""
    report = replay("check", "--server", server.url, "--compact-command", compaction(server.url), scenario)

    assert_all_passed(report)


def test_kubectl_and_helm_print_what_they_print_against_a_real_api_server(
    server: RunningServer, programs: dict[str, Path], tmp_path: Path
) -> None:
    """Output, errors and exit codes of the recorded commands agree; they build on each other, so they run as one."""
    kubeconfig = server.write_kubeconfig(tmp_path / "kubeconfig")
    choices = [text for name, path in programs.items() for text in (f"--{name}", str(path))]

    report = replay("kubectl-check", "--kubeconfig", str(kubeconfig), *choices)

    assert_all_passed(report)
