"""Logs of several objects, chosen by their labels: one after the other, or followed at once."""

import io
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.smlogs import app
from controller.smlogs.app import SmlogsError, print_all
from controller.smlogs.command_line.options import Options, read
from tests.deadline import PATIENCE_S


def printer(printed: list[str], *failing: str) -> Callable[[str], None]:
    """Notes the names whose log is printed; those that fail say so."""

    def print_log(name: str) -> None:
        if name in failing:
            raise SmlogsError(f"{name} failed")
        printed.append(name)

    return print_log


def test_logs_are_printed_one_after_the_other_and_one_that_fails_does_not_end_the_rest() -> None:
    """In the order of their names; the exit code says that something is missing."""
    printed: list[str] = []
    said: list[str] = []
    assert print_all(["a", "b", "c"], printer(printed, "b"), said.append, at_once=False) == 1
    assert (printed, said) == (["a", "c"], ["error: b failed"])


def test_logs_are_followed_at_once() -> None:
    """Each waits for all others here, which would never end one after the other."""
    barrier = threading.Barrier(3)

    def print_log(_name: str) -> None:
        barrier.wait(PATIENCE_S)

    assert print_all(["a", "b", "c"], print_log, pytest.fail, at_once=True) == 0


@pytest.mark.parametrize("error", [BrokenPipeError, KeyboardInterrupt])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_ends_one_ends_all(error: type[BaseException], at_once: bool) -> None:
    """Ctrl-C, or a reader that has gone."""

    def print_log(_name: str) -> None:
        raise error

    with pytest.raises(error):
        print_all(["a", "b"], print_log, pytest.fail, at_once=at_once)


def test_a_single_log_that_fails_is_the_callers_error() -> None:
    """It is said once."""
    with pytest.raises(SmlogsError, match="a failed"):
        print_all(["a"], printer([], "a"), pytest.fail, at_once=False)


@pytest.mark.parametrize(
    ("count", "flags", "words"),
    [
        (0, [], "error: no TrainingJob has the labels team=a in this namespace\n"),
        (11, ["-f"], "error: 11 objects have these labels, and -f follows 10 at most\n"),
    ],
)
def test_labels_that_select_none_or_too_many_are_an_error(
    count: int, flags: list[str], words: str, tmp_path: Path
) -> None:
    """Before anything is asked of AWS."""
    items = [{"metadata": {"name": f"job-{number}"}} for number in range(count)]
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f"#!{sys.executable}\nprint({json.dumps(json.dumps({'items': items}))})\n")
    kubectl.chmod(0o755)
    options = read(["trainingjob", "-l", "team=a", *flags])
    assert isinstance(options, Options)
    err = io.StringIO()
    path = os.environ["PATH"]
    try:
        os.environ["PATH"] = f"{tmp_path}{os.pathsep}{path}"
        assert app.run(options, os.environ, io.StringIO(), err) == 1
    finally:
        os.environ["PATH"] = path
    assert err.getvalue() == words
