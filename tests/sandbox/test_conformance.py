"""The embedded API server answers as a real kube-apiserver did: the recordings in tests/conformance are played to it.

Most of a run of the replayer is its start: several scenarios share one, and its server.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack import tools
from hack.sandbox.kube.server import RunningServer, start
from hack.sandbox.kube.wire.release import V1_36, V1_37
from tests.deadline import PATIENCE_S

KIT = Path(__file__).resolve().parent.parent / "conformance"
SCENARIOS = sorted(path.stem for path in (KIT / "scenarios").glob("*.yaml"))
OF_BOTH = [name for name in SCENARIOS if not name.startswith("corners-")]
"""Recorded with both releases; the others with 1.36."""
OF_1_37 = KIT / "golden-1.37.2"
"""The recordings that differ from those of 1.36.2."""
SIDE_BY_SIDE = 4
"""Runs of the replayer, for as many processes."""

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


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recordings of 1.37: those of 1.36 with the ones that differ over them."""
    made = tmp_path_factory.mktemp("kit") / "conformance"
    shutil.copytree(KIT, made, ignore=shutil.ignore_patterns(OF_1_37.name, "__pycache__", ".*"))
    shutil.copytree(OF_1_37, made / "golden", dirs_exist_ok=True)
    return made


def replay(kit: Path, *arguments: str) -> str:
    """Run the replayer; its report."""
    command = [sys.executable, str(kit / "replay.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=len(SCENARIOS) * PATIENCE_S, check=False)
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


@pytest.mark.parametrize("nth", range(SIDE_BY_SIDE))
def test_answers_are_those_of_a_real_api_server(nth: int, server: RunningServer, kit: Path) -> None:
    """Status codes, headers, bodies and watch events of every step of every scenario agree with the recording."""
    plays(kit, server, OF_BOTH[nth::SIDE_BY_SIDE])


@pytest.mark.early
def test_answers_of_the_release_before_are_those_of_a_real_api_server() -> None:
    """Of the scenarios in which the releases differ, or that were recorded with that one only."""
    with start(release=V1_36) as server:
        plays(KIT, server, sorted({path.stem for path in OF_1_37.glob("*.json")} | {*SCENARIOS} - {*OF_BOTH}))


def plays(kit: Path, server: RunningServer, scenarios: list[str]) -> None:
    """Play scenarios; all their steps have to pass."""
    report = replay(kit, "check", "--server", server.url, "--compact-command", compaction(server.url), *scenarios)

    assert_all_passed(report)
    assert re.findall(r"^== (\S+)$", report, re.MULTILINE) == scenarios


def test_the_recordings_are_of_the_releases_that_the_server_imitates() -> None:
    """Each file says what it was recorded from, and /version says the same."""
    for directory, release in ((KIT / "golden", V1_36), (OF_1_37, V1_37)):
        recordings = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
        assert {each.get("recorded_from") for each in recordings} - {None} == {release.document()["gitVersion"]}


@pytest.mark.early
def test_kubectl_and_helm_print_what_they_print_against_a_real_api_server(
    programs: dict[str, Path], tmp_path: Path
) -> None:
    """Output, errors and exit codes of the recorded commands agree; they build on each other, so they run as one.

    They were recorded with 1.36: 1.37 has other columns for CRDs.
    """
    choices = [text for name, path in programs.items() for text in (f"--{name}", str(path))]
    with start(release=V1_36) as server:
        kubeconfig = server.write_kubeconfig(tmp_path / "kubeconfig")
        report = replay(KIT, "kubectl-check", "--kubeconfig", str(kubeconfig), *choices)

    assert_all_passed(report)
