"""What the sandbox shows of objects: rows, changes, and how it ends."""

import io
from typing import Any

import pytest

from hack.sandbox.watch_table import LineView, Row, TableView, changes, row_of, view_for


def job(name: str = "a", kind: str = "TrainingJob", **status: Any) -> dict[str, Any]:
    """An object with this status."""
    return {"kind": kind, "metadata": {"name": name, "namespace": "default"}, "status": status}


@pytest.mark.parametrize(
    ("obj", "state", "verdict"),
    [
        pytest.param(job(), "Pending", None, id="no status yet"),
        pytest.param(
            job(trainingJobStatus="InProgress", secondaryStatus="Training"), "InProgress (Training)", None, id="running"
        ),
        pytest.param(
            job(trainingJobStatus="Completed", secondaryStatus="Completed"), "Completed", True, id="said only once"
        ),
        pytest.param(job(trainingJobStatus="Failed", secondaryStatus="Failed"), "Failed", False, id="failed"),
        pytest.param(
            job(kind="HyperparameterTuningJob", hyperParameterTuningJobStatus="Stopped"), "Stopped", False, id="tuning"
        ),
        pytest.param(
            job(
                kind="HyperparameterTuningJob",
                hyperParameterTuningJobStatus="InProgress",
                trainingJobStatusCounters={"completed": 3, "inProgress": 2, "totalError": 0},
            ),
            "InProgress (3 completed, 2 running)",
            None,
            id="tuning, under way",
        ),
        pytest.param(
            job(kind="BatchTransformJob", transformJobStatus="Completed"), "Completed", True, id="batch transform"
        ),
        pytest.param(job(kind="ProcessingJob", processingJobStatus="Error"), "Error", False, id="processing, refused"),
        pytest.param(job(kind="HostingDeployment", endpointStatus="Creating"), "Creating", None, id="new endpoint"),
        pytest.param(
            job(
                kind="HostingDeployment",
                endpointStatus="InService",
                productionVariants=[{"variantName": "a", "currentInstanceCount": 1, "desiredInstanceCount": 2}],
            ),
            "InService (a 1/2)",
            True,
            id="endpoint",
        ),
        pytest.param(job(kind="EndpointConfig", status="Created"), "Created", True, id="configuration"),
        pytest.param(job(kind="Model", status="Created"), "Created", True, id="model"),
        pytest.param(
            job(kind="HostingAutoscalingPolicy", hostingAutoscalingPolicyStatus="Created"), "Created", True, id="policy"
        ),
        pytest.param(job(trainingJobStatus="ReconcilingTrainingJob"), "ReconcilingTrainingJob", None, id="retried"),
    ],
)
def test_every_kind_has_a_state_and_a_verdict(obj: dict[str, Any], state: str, verdict: bool | None) -> None:
    """v1-kinds 6: descriptors name the status fields, so that no kind needs code here."""
    row = row_of(obj)
    assert (row.state, row.verdict) == (state, verdict)


def test_a_row_names_the_sagemaker_object_and_the_reason() -> None:
    """v1-kinds 7: `additional` is where the reason stands."""
    row = row_of(job(trainingJobStatus="Failed", sageMakerTrainingJobName="a-1f2e", additional="AlgorithmError: x"))
    assert (row.key, row.remote_name, row.message) == ("trainingjob/a", "a-1f2e", "AlgorithmError: x")


def test_only_changes_are_told() -> None:
    """In CI's log each line is news."""
    first = [row_of(job("a")), row_of(job("b"))]
    second = [row_of(job("a", trainingJobStatus="InProgress", sageMakerTrainingJobName="a-1")), row_of(job("c"))]
    assert changes(first, first) == []
    assert [line.split() for line in changes(first, second)] == [
        ["trainingjob/a", "InProgress", "a-1"],
        ["trainingjob/c", "Pending"],
        ["trainingjob/b", "gone"],
    ]


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    """One line per change, with the time."""
    out = io.StringIO()
    view = view_for(out)
    for status in ("InProgress", "InProgress", "Completed"):
        view.show([row_of(job(trainingJobStatus=status))])
    view.close()
    assert isinstance(view, LineView)
    assert [line.split()[1:] for line in out.getvalue().splitlines()] == [
        ["trainingjob/a", "InProgress"],
        ["trainingjob/a", "Completed"],
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_gets_a_table_that_shows_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets in a message are not markup."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    out = Terminal()
    view = view_for(out)
    assert isinstance(view, TableView)
    view.show([Row("Model", "default", "m", "Error", "", "m-1", "set [a, b] is [red]wrong[/red]")])
    view.close()
    assert "set [a, b] is [red]wrong[/red]" in out.getvalue()
    assert "SAGEMAKER NAME" in out.getvalue()
