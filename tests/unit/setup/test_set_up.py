"""`python -m hack.setup`: stages of one environment, what is said, and what a machine without an index sees."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hack import slim
from hack.setup import __main__ as set_up
from hack.setup import installers
from hack.setup.installers import LOCKS, ROOT, Installer, SetupError, UnreachableError, read


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that refuses connections: bound, so that no one else gets it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://me:secret@127.0.0.1:{bound.getsockname()[1]}/simple"


def test_without_an_index_there_is_one_line(tmp_path: Path, nowhere: str) -> None:
    """The first `make` on a machine behind a proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    variables = {**kept, "PIP_INDEX_URL": nowhere, "NO_PROXY": "127.0.0.1", "HOME": str(tmp_path)}
    variables |= {"PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0"}
    command = [sys.executable, "-m", "hack.setup", "run", "--directory", str(tmp_path / "venv")]

    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    (error,) = [line for line in done.stderr.splitlines() if not line.startswith("Setting up ")]
    assert error.startswith("error: the package index cannot be reached (")
    assert "secret" not in error
    assert not (tmp_path / "venv" / ".ready-run").exists()
    assert not list((tmp_path / "venv").glob(".setup-*")), "nothing is left of the attempt"


class Recorder(Installer):
    """Installs nothing; records the arguments, and the text of each lock."""

    def __init__(self) -> None:
        super().__init__("recorder", ("recorder",))
        object.__setattr__(self, "calls", [])
        object.__setattr__(self, "locks", [])

    calls: list[tuple[str, ...]]
    locks: list[str]

    def install(self, *arguments: str, **_more: object) -> None:  # type: ignore[override]
        """See Installer."""
        self.calls.append(arguments)
        if "--requirement" in arguments:
            self.locks.append(Path(arguments[arguments.index("--requirement") + 1]).read_text())


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The installer that is chosen."""
    made = Recorder()
    monkeypatch.setattr(set_up, "choose", lambda *_args, **_more: made)
    return made


STAGES = [("run", {"run"}), ("dev", {"run", "dev"}), ("bench", {"bench"}), ("release", {"release"}), ("site", {"site"})]


@pytest.mark.parametrize(("stage", "ready"), STAGES)
def test_a_stage_installs_its_lock_and_the_stages_that_it_includes(
    stage: str, ready: set[str], recorder: Recorder, tmp_path: Path
) -> None:
    """Every package by hash and without resolution; make takes the stamps for what is done."""
    venv = tmp_path / "venv"
    assert set_up.main([stage, "--directory", str(venv)]) == 0
    left_out = slim.FOR_ASYNCHRONOUS if stage in ("run", "dev") else ()
    assert recorder.locks[0] == read(LOCKS / f"{stage}.txt", without=left_out)
    assert all("--require-hashes" in arguments or "--editable" in arguments for arguments in recorder.calls)
    assert any("--editable" in arguments for arguments in recorder.calls) == (stage not in ("release", "site"))
    assert {path.name.removeprefix(".ready-") for path in venv.glob(".ready-*")} == ready

    before = len(recorder.calls)
    assert set_up.main([stage, "--directory", str(venv)]) == 0
    assert len(recorder.calls) == before, "a current environment stays as it is"


def test_the_asynchronous_client_is_left_out(recorder: Recorder, tmp_path: Path) -> None:
    """Half of the kubernetes package, which neither the operator nor the sandbox imports."""
    venv = tmp_path / "venv"
    packages = set_up._packages(venv)
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    for part in ("aio", "client"):
        (packages / "kubernetes" / part).mkdir(parents=True)
    set_up.main(["run", "--directory", str(venv)])
    assert [path.name for path in (packages / "kubernetes").iterdir()] == ["client"]
    assert "aiohttp" not in recorder.locks[0]


def test_an_older_stamp_is_not_current(recorder: Recorder, tmp_path: Path) -> None:
    """As make sees it: a lock that is newer is installed."""
    set_up.main(["run", "--directory", str(tmp_path / "venv")])
    os.utime(tmp_path / "venv" / ".ready-run", (0, 0))
    first = len(recorder.calls)
    set_up.main(["run", "--directory", str(tmp_path / "venv")])
    assert len(recorder.calls) == 2 * first


def test_an_environment_of_another_python_is_made_again(recorder: Recorder, tmp_path: Path) -> None:
    """`make PYTHON=python3.13` after 3.11: packages of both in one folder would be a riddle."""
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "lib" / "python3.9" / "site-packages").mkdir(parents=True)
    (venv / "bin" / "python").touch()
    set_up.main(["run", "--directory", str(venv)])
    assert not (venv / "lib" / "python3.9").exists()
    assert recorder.calls


def fake(tmp_path: Path, name: str, script: str) -> Path:
    """An executable."""
    path = tmp_path / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_progress_is_shown_and_the_rest_only_if_it_fails(tmp_path: Path) -> None:
    """pip's hundred lines become a count, uv's downloads stay."""
    talk = """
for each in 1 2 3 4 5 6 7 8 9 10; do echo "Collecting package$each==1"; done
echo "  Downloading botocore-1.44.8-py3-none-any.whl (16.9 MB)"
echo "Installing collected packages: a, b, c"
echo "Downloading botocore (16.1MiB)"
echo " + botocore==1.44.8"
exit $CODE
"""
    tool = fake(tmp_path, "tool", talk)
    said: list[str] = []
    Installer("tool", (str(tool),), variables={"CODE": "0"}).install(say=said.append)
    assert said == ["  10 packages fetched", "  Installing collected packages", "  Downloading botocore (16.1MiB)"]

    with pytest.raises(SetupError, match=r"tool failed \(3\)") as failure:
        Installer("tool", (str(tool),), variables={"CODE": "3"}).install(say=said.append)
    assert " + botocore==1.44.8" in str(failure.value)


def test_uv_on_path_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own cache; nothing is fetched."""
    uv = fake(tmp_path, "uv", "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    chosen = installers.choose(Path("/python"), tmp_path, pytest.fail)
    assert (chosen.name, chosen.command) == ("uv", (str(uv), "pip"))
    assert "UV_CACHE_DIR" not in chosen.variables


@pytest.mark.parametrize(
    ("failure", "only_uv", "then"),
    [
        (None, False, "uv"),
        (SetupError("no wheel"), False, "pip"),
        (SetupError("no wheel"), True, None),
        (UnreachableError("no index"), False, None),
    ],
)
def test_without_uv_it_is_fetched_or_else_pip_installs(
    failure: SetupError | None, only_uv: bool, then: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system without a wheel of uv; without an index there is nothing to fall back to."""

    def fetch(*_args: object) -> Path:
        if failure is not None:
            raise failure
        return tmp_path / "uv"

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installers, "pip_command", lambda _scratch: ("pip",))
    monkeypatch.setattr(installers, "_fetch_uv", fetch)
    said: list[str] = []
    if then is None:
        with pytest.raises(SetupError):
            installers.choose(Path("/python"), tmp_path, said.append, only_uv=only_uv)
        return
    chosen = installers.choose(Path("/python"), tmp_path, said.append, only_uv=only_uv)
    assert chosen.name == then
    assert said == ([] if then == "uv" else ["uv is not to be had for this system: pip installs, which takes longer"])
