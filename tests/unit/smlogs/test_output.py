"""Where text goes: lines, messages, a status line on terminals only; a reader that went away."""

import io
import os

import pytest

from controller.smlogs import __main__ as program
from controller.smlogs.printing.lines import Lines
from controller.smlogs.printing.output import Output
from tests.unit.smlogs.fakes import Terminal, event, output


def test_the_status_line_is_for_terminals() -> None:
    """Nothing of it gets into a file or a pipe."""
    err = io.StringIO()
    shown = output(err=err)
    shown.status("waiting")
    shown.clear_status()
    shown.say("header")
    assert err.getvalue() == "header\n"


def test_the_status_line_gives_way_to_lines_and_messages() -> None:
    """They would be written behind it."""
    out, err = io.StringIO(), Terminal()
    shown = output(out, err)
    shown.status("waiting")
    shown.status("waiting")
    shown.show([event(1, "line")])
    shown.status("still waiting")
    shown.say("header")
    assert err.getvalue() == "\r\x1b[Kwaiting\r\x1b[K\r\x1b[Kstill waiting\r\x1b[Kheader\n"
    assert out.getvalue() == "line\n"


def test_a_pipe_without_a_reader_is_noticed() -> None:
    """Before the next line is written, which may take hours."""
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "w") as out:
        shown = Output(out, io.StringIO(), Lines())
        shown.check_reader()
        os.close(read_end)
        with pytest.raises(BrokenPipeError):
            shown.check_reader()


def test_help_needs_neither_cluster_nor_aws(capsys: pytest.CaptureFixture[str]) -> None:
    """B-19: exit code 0, on standard output."""
    assert program.main([]) == 0
    assert capsys.readouterr().out.startswith("View Amazon SageMaker logs via Kubernetes\n")


def test_wrong_usage_is_one_line_and_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, as kubectl and the predecessor."""
    assert program.main(["model", "x"]) == 1
    text = capsys.readouterr()
    assert text.out == ""
    first, second = text.err.splitlines()
    assert first.startswith('error: unknown command "model" for "smlogs"; ')
    assert second == "Run 'kubectl smlogs --help' for usage."


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is what shells expect; no traceback."""

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_run", interrupted)
    assert program.main([]) == 130
    assert capsys.readouterr().err == ""
