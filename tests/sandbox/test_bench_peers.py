"""The benchmark of peers runs, and what it counts is bounded: times are for its table only."""

from typing import Any

import pytest

from hack.bench import peers

pytestmark = pytest.mark.sandbox

JOBS = 5


@pytest.mark.early
def test_the_operator_runs_through_all_phases() -> None:
    """Counts of a small burst: what an operator without restraint or with a loop of its own would exceed."""
    options = peers.parse(
        ["--jobs", str(JOBS), "--creates", "50", "--train-seconds", "1", "--seconds", "1", "--settle", "0"]
    )
    (ours,) = peers.peers(options)

    figures = peers.measure(ours, options)

    assert figures["AWS calls a job's life"] * JOBS <= 2 * JOBS + 10, "Create, Describe, and the Lists of all"
    assert figures["API server writes a job's life"] <= 7.0, (
        "six, and that it waits for its turn where the machine is slow"
    )
    assert figures["quota: Creates refused"] <= 1
    assert figures["memory at rest, MB"] < 100


def test_the_table_has_medians_spread_and_ratios() -> None:
    """The first peer is what others are compared with."""
    found: dict[str, Any] = {"ours": [{"s": 1.0}, {"s": 3.0}, {"s": 2.0}], "kopf": [{"s": 4.0}]}

    assert peers.table(found) == [
        "| | ours | kopf | kopf / ours |",
        "|---|---|---|---|",
        "| s | 2 (1 to 3) | 4 | 2.00 |",
    ]


def test_the_table_says_what_a_peer_did_not_do_in_time() -> None:
    """It loses none of the others' figures."""
    found: dict[str, Any] = {"ours": [{"s": 2.0, "MB": 50.0}], "slow": [{"s": 4.0}]}

    assert peers.table(found)[2:] == ["| s | 2 | 4 | 2.00 |", "| MB | 50 | not in time |  |"]


@pytest.mark.parametrize("text", ["burst,lunch", ""])
def test_an_unknown_phase_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage, before anything is started."""
    with pytest.raises(SystemExit):
        peers.parse(["--phases", text])
    assert "--phases" in capsys.readouterr().err


def test_every_peer_has_its_command(tmp_path: Any) -> None:
    """This build, an earlier one in its own directory, and commands of others."""
    options = peers.parse(["--before", str(tmp_path), "--peer", "go=/usr/bin/manager --leader-elect=false"])

    ours, before, other = peers.peers(options)

    assert (ours.command, before.directory) == (before.command, tmp_path)
    assert (ours.has_kubeconfig, before.has_kubeconfig, other.has_kubeconfig) == (False, False, True)
    assert other.command == ("/usr/bin/manager", "--leader-elect=false")
