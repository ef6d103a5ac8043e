"""Operators that are forked are processes like those that are executed: what tests do to them means what it says."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.forkserver import Child, ForkServer

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """A server of these tests."""
    made = ForkServer()
    yield made
    made.close()


def start(server: ForkServer, directory: Path, *arguments: str, **environment: str) -> Child:
    """Start an operator whose cluster cannot be reached: it goes on trying."""
    kubeconfig = directory / "kubeconfig"
    write_kubeconfig(kubeconfig, "http://127.0.0.1:1")
    flags = ("--kubeconfig", str(kubeconfig), "--metrics-addr", "0", "--health-addr", "127.0.0.1:0", *arguments)
    return server.launch(flags, environment, directory / "log")


def until_said(log: Path, text: str) -> None:
    """Wait until the log holds the text."""
    eventually(lambda: log.exists() and text in log.read_text(), what=f"{text} in the log")


def test_arguments_environment_exit_code_and_output_are_its_own(server: ForkServer, tmp_path: Path) -> None:
    """Wrong usage is exit code 2, with a word about it in the log; a variable is read like a flag."""
    wrong = start(server, tmp_path, "--fly")
    assert wrong.wait(PATIENCE_S) == 2
    assert "--fly" in (tmp_path / "log").read_text()

    wrong = start(server, tmp_path, SAGEMAKER_OPERATOR_POLL_INTERVAL="often")
    assert wrong.wait(PATIENCE_S) == 2
    assert "often" in (tmp_path / "log").read_text()


def test_it_has_a_session_and_descriptors_of_its_own_and_gets_signals(server: ForkServer, tmp_path: Path) -> None:
    """SIGTERM is a clean end, SIGKILL the end of one process and no other; nothing of the server is inherited."""
    directories = tmp_path / "one", tmp_path / "other"
    for directory in directories:
        directory.mkdir()
    one, other = (start(server, directory) for directory in directories)
    for directory in directories:  # a log each: what one process says is no sign that the other handles signals yet
        until_said(directory / "log", "serving")
    assert os.getsid(one.pid) == one.pid != os.getsid(other.pid)
    inherited = {str(Path(f"/proc/{one.pid}/fd/{number}").readlink()) for number in range(3)}
    assert inherited == {os.devnull, str(tmp_path / "one" / "log")}

    other.kill()
    assert other.wait(PATIENCE_S) == -signal.SIGKILL
    assert one.poll() is None
    one.terminate()
    assert one.wait(PATIENCE_S) == 0


def test_nothing_outlives_the_server(tmp_path: Path) -> None:
    """A pytest that is killed leaves no operators."""
    server = ForkServer()
    child = start(server, tmp_path)
    server.close()

    def is_gone() -> bool:
        try:
            stat = Path(f"/proc/{child.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        return stat.rpartition(")")[2].split()[0] == "Z"  # killed, and not yet waited for by init

    eventually(is_gone, what="the operator is gone")
