"""The downloadable plugin: one file that needs a Python and kubectl, and nothing of this environment."""

import os
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from controller.version import version
from hack import smlogs, tools
from tests.deadline import PATIENCE_S
from tests.sandbox.reader import Reader, check_marks, site
from tests.sandbox.smlogs_scene import Scene

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What `make smlogs` builds."""
    return smlogs.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture
def reader(archives: list[Path], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Reader, Scene]]:
    """A reader who has kubectl and a bare Python, and a cluster and an AWS to look at."""
    with ExitStack() as stack:
        scene = Scene(tmp_path, stack)
        downloads = archives[0].parents[1]
        address = stack.enter_context(site(tmp_path, **{downloads.name: downloads}))
        home = tmp_path / "home"
        home.mkdir()
        aws = {name: value for name, value in scene.environment.items() if name.startswith("AWS_")}
        made = Reader(home, scene.kubeconfig, address, aws | {"PYTHONPATH": "/nowhere"})
        # Isolated, and without site-packages: what the plugin imports is in its file or in the standard library.
        made.script("python3", f"exec {shlex.quote(sys._base_executable)} -I -S")  # type: ignore[attr-defined]
        yield made, scene
    check_marks(made, request)


@pytest.mark.guide("B-18", "B-19")
def test_the_plugin_is_downloaded_and_reads_a_log(reader: tuple[Reader, Scene]) -> None:
    """Section 3; the training job's log, and the tuning job's, for which SageMaker is asked, too."""
    guide, scene = reader
    guide.does("B-18")
    guide.does("B-19")
    scene.training_job("foo")
    scene.tuning_job("tune")
    scene.aws.clock.advance(400)
    for kind, name, job in (("trainingjob", "foo", "foo/"), ("hyperparametertuningjob", "tune", "tune-")):
        header, *lines = guide.types(f"kubectl smlogs {kind} {name}").splitlines()
        assert header.startswith(f'"{name}" has SageMaker ')
        assert len(lines) > 5
        assert all(line.startswith(job) for line in lines)
    assert guide.types("ls -d ~/.kube/cache/kubectl-smlogs_*").count("\n") == 1, "it was unpacked once"


def test_the_plugin_needs_no_home_and_completes_words(archives: list[Path], tmp_path: Path) -> None:
    """In a container the home may be missing or read-only. Completion is asked by the real kubectl."""
    with tarfile.open(archives[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    folder, scratch = tmp_path / "kubectl-smlogs.linux.amd64", tmp_path / "tmp"
    scratch.mkdir()
    python = tmp_path / "python3"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys._base_executable)} -I -S "$@"\n')  # type: ignore[attr-defined]
    python.chmod(0o755)
    kubectl = tools.find("kubectl")
    path = f"{folder}:{tmp_path}:{kubectl.parent}:/usr/bin:/bin"
    environment = {"PATH": path, "HOME": "/proc/nowhere", "TMPDIR": str(scratch), "KUBECONFIG": "/dev/null"}

    def output(*words: str) -> str:
        return subprocess.run(
            [str(kubectl), *words], env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        ).stdout

    assert output("smlogs", "--version") == f"kubectl-smlogs {version()}\n"
    assert [each.name for each in scratch.iterdir()] == [f"kubectl-smlogs-{os.getuid()}"]
    assert output("__complete", "smlogs", "train").splitlines() == ["trainingjob\tLogs of a TrainingJob", ":4"]
    assert output("__complete", "smlogs", "trainingjob", "j", "-o", "").splitlines() == ["text", "json", ":4"]


def test_every_system_gets_the_same_file(archives: list[Path]) -> None:
    """Named as the guides name it, executable, with its licence; nothing in it is compiled for one of them."""
    contents = {}
    for path in archives:
        with tarfile.open(path) as archive:
            entries = archive.getmembers()
            system = path.name.removesuffix(".tar.gz")
            assert [(entry.name, entry.mode) for entry in entries] == [
                (f"kubectl-smlogs.{system}/kubectl-smlogs", 0o755),
                (f"kubectl-smlogs.{system}/kubectl_complete-smlogs", 0o755),
                (f"kubectl-smlogs.{system}/LICENSE", 0o644),
            ]
            content = archive.extractfile(entries[0])
            assert content is not None
            contents[system] = content.read()
    assert set(contents) == {"linux.amd64", "linux.arm64", "darwin.amd64", "darwin.arm64"}
    assert len(set(contents.values())) == 1
