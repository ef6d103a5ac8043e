"""Shell completion: what kubectl gets for the words typed so far."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from controller.smlogs.__main__ import main
from controller.smlogs.command_line import completion
from controller.smlogs.command_line.completion import candidates
from tests.tables import each_row

JOBS = "trainingjobs.sagemaker.aws.amazon.com"


class Cluster:
    """Objects by resource; remembers with which flags it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    def __call__(self, resource: str, flags: Sequence[str]) -> list[str]:
        """Return names."""
        self.asked.append((resource, list(flags)))
        return {JOBS: ["train-a", "train-b", "other"], "namespaces": ["default", "team"]}.get(resource, [])


@each_row(
    ("words", "found", "directive"),
    [
        pytest.param(["trai"], ["trainingjob\tLogs of a TrainingJob"], ":4", id="a kind"),
        pytest.param(["TRAI"], ["trainingjob\tLogs of a TrainingJob"], ":4", id="a kind in any case"),
        pytest.param(["pod"], [], ":4", id="no kind"),
        pytest.param(["trainingjob", "tr"], ["train-a", "train-b"], ":4", id="a name"),
        pytest.param(["-f", "trainingjobs", ""], ["train-a", "train-b", "other"], ":4", id="a name after flags"),
        pytest.param(["trainingjob", "train-a", ""], [], ":4", id="one name is enough"),
        pytest.param(["pods", ""], [], ":4", id="names of no kind of ours"),
        pytest.param(["trainingjob", "a", "-o", ""], ["text", "json"], ":4", id="a format"),
        pytest.param(["trainingjob", "a", "--output", "j"], ["json"], ":4", id="the beginning of a format"),
        pytest.param(["trainingjob", "-n", "t"], ["team"], ":4", id="a namespace"),
        pytest.param(["trainingjob", "--kubeconfig", ""], [], ":0", id="a file"),
        pytest.param(["trainingjob", "--tail", ""], [], ":4", id="a number"),
    ],
)
def test_the_last_word_is_completed(words: list[str], found: list[str], directive: str) -> None:
    """Kinds, names, flags and their values; `:0` lets the shell complete files."""
    assert candidates(words, Cluster()) == (found, directive)


def test_flags_are_completed_with_their_help() -> None:
    """The text after the tab is shown beside them."""
    found, _ = candidates(["trainingjob", "--since"], Cluster())
    assert [each.split("\t")[0] for each in found] == ["--since", "--since-time"]
    assert all(each.split("\t")[1] for each in found)


def test_names_are_those_of_the_cluster_and_namespace_that_were_typed() -> None:
    """With the user's own flags."""
    cluster = Cluster()
    candidates(["-n", "team", "--context=prod", "trainingjob", ""], cluster)
    assert cluster.asked == [(JOBS, ["--namespace=team", "--context=prod"])]


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `kubectl` on PATH, to be written."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/nowhere")
    return tmp_path / "kubectl"


def test_kubectl_is_asked_for_names(scripted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The words of kubectl's completion as arguments, candidates line by line as cobra prints them."""
    listed = '{"items": [{"metadata": {"name": "train-a"}}]}'
    scripted.write_text(f"#!{sys.executable}\nprint({listed!r})\n")
    scripted.chmod(0o755)
    assert main([completion.COMMAND, "trainingjob", ""]) == 0
    assert capsys.readouterr().out == "train-a\n:4\n"


@pytest.mark.parametrize("words", [["trainingjob", ""], ["--colour", "x"], ["trainingjob", "--tail=often", ""]])
def test_without_an_answer_nothing_is_suggested(
    words: list[str], scripted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No cluster, or a word that is wrong: a shell in the middle of a line is no place for errors."""
    assert not scripted.exists()
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-smlogs", *words])
    assert completion.main() == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == (":4\n", "")
