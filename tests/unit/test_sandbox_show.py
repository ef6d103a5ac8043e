"""What the sandbox shows of objects: rows, their layout in a terminal, lines elsewhere, and commands to try."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v1 import KINDS
from hack.sandbox.operator_process import aws_environment
from hack.sandbox.samples import NAMED, SAMPLES
from hack.sandbox.show.guidance import COMMANDS, GOODBYE, welcome
from hack.sandbox.show.layout import layout
from hack.sandbox.show.rows import Row, changes, folded, ordered, row_of
from hack.sandbox.show.views import LineView, TableView, view_for
from tests.tables import each_row

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def job(name: str = "a", kind: str = "TrainingJob", **status: Any) -> dict[str, Any]:
    """An object with this status."""
    return {"kind": kind, "metadata": {"name": name, "namespace": "default"}, "status": status}


@each_row(
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
        ["default", "trainingjob/a", "InProgress", "a-1"],
        ["default", "trainingjob/c", "Pending"],
        ["default", "trainingjob/b", "gone"],
    ]


@pytest.mark.parametrize(
    ("obj", "stage", "parts"),
    [
        pytest.param(job(trainingJobStatus="InProgress", secondaryStatus="Uploading"), "Uploading", "", id="a stage"),
        pytest.param(job(trainingJobStatus="Stopped", secondaryStatus="MaxRuntimeExceeded"), "Stopped", "", id="ended"),
        pytest.param(
            {
                **job(
                    kind="HyperparameterTuningJob",
                    hyperParameterTuningJobStatus="InProgress",
                    trainingJobStatusCounters={"completed": 3, "inProgress": 2, "totalError": 1},
                ),
                "spec": {"hyperParameterTuningJobConfig": {"resourceLimits": {"maxNumberOfTrainingJobs": 10}}},
            },
            "InProgress",
            "3/10 (1 failed)",
            id="tuning",
        ),
        pytest.param(
            job(
                kind="HostingDeployment",
                endpointStatus="Updating",
                productionVariants=[
                    {"variantName": "a", "currentInstanceCount": 1, "desiredInstanceCount": 2},
                    {"variantName": "b", "currentInstanceCount": 1, "desiredInstanceCount": 1},
                ],
            ),
            "Updating",
            "2/3",
            id="endpoint",
        ),
    ],
)
def test_progress_is_a_stage_or_a_count(obj: dict[str, Any], stage: str, parts: str) -> None:
    """One word and one number: there is no room for more."""
    row = row_of(obj)
    assert (row.stage, row.parts) == (stage, parts)


def test_an_object_that_waits_shows_what_it_waits_for() -> None:
    """Nothing is known of it at AWS yet, so that the reason stands in Ready only."""
    blocked = {"type": "Ready", "status": "False", "message": "no credentials: set AWS_PROFILE"}
    assert row_of(job(conditions=[blocked])).message == "no credentials: set AWS_PROFILE"
    assert not row_of(job(conditions=[blocked], trainingJobStatus="InProgress")).message


def test_every_kind_has_a_short_word() -> None:
    """The longest one decides how much room is left for names."""
    words = [row_of(job(kind=kind.kind)).short_kind for kind in KINDS]
    assert len(set(words)) == len(KINDS)
    assert max(map(len, words)) <= 10


def made_by(owner: Row, name: str, kind: str = "TrainingJob", status: str = "Completed", message: str = "") -> Row:
    """A row of an object that another one made."""
    return Row(kind, "default", name, status, "", "", message, uid=f"uid-{name}", owner=owner.uid)


TUNING = Row("HyperparameterTuningJob", "default", "tune", "InProgress", "", "", "", uid="uid-tune")
DEPLOYMENT = Row("HostingDeployment", "default", "host", "InService", "", "", "", uid="uid-host")


def test_what_an_object_made_is_folded_into_its_row() -> None:
    """A tuning job counts its training jobs; the parts of a deployment matter once they have a problem."""
    jobs = [made_by(TUNING, "1"), made_by(TUNING, "2", status="Failed", message="AlgorithmError")]
    parts = [made_by(DEPLOYMENT, "m", "Model", "Created"), made_by(DEPLOYMENT, "c", "EndpointConfig", "Error", "why")]
    assert [(row.name, row.folded) for row in folded([TUNING, *jobs, DEPLOYMENT, *parts])] == [
        ("tune", 2),
        ("host", 1),
        ("c", 0),
    ]
    assert [row.name for row in folded(jobs)] == ["1", "2"], "the tuning job is gone, they are not"


def test_unfinished_rows_come_first_and_failed_ones_before_the_rest() -> None:
    """So that what is cut off is what needs no look."""
    states = {"a": "Completed", "b": "Failed", "c": "InProgress", "d": "Created", "e": "Pending"}
    rows = [row_of(job(name, trainingJobStatus=state)) for name, state in states.items()]
    assert [row.name for row in ordered(rows)] == ["c", "e", "b", "a", "d"]


def text_of(rows: list[Row], width: int = 79, height: int = 23) -> list[str]:
    """The lines of a table in a terminal of 80 by 24."""
    lines = layout(rows, width=width, height=height, now=NOW, caption="Ctrl-C ends it", pinned=NAMED.key)
    return [line.text for line in lines]


def samples(status: str = "InProgress") -> list[Row]:
    """Rows of all samples, half a minute old."""
    created = (NOW - timedelta(seconds=30)).isoformat()
    metadata = [(sample.manifest["kind"], sample.manifest["metadata"]["name"]) for sample in SAMPLES]
    return [
        Row(kind, "default", name, status, "", f"{name}-{'0' * 32}", "", created_at=created) for kind, name in metadata
    ]


def test_the_show_fits_a_terminal_of_the_usual_size() -> None:
    """80 by 24: every sample with its full name, namespace, status and age, and no column without content."""
    lines = text_of(samples())
    assert lines[0].split() == ["KIND", "NAMESPACE", "NAME", "STATUS", "AGE"]
    assert len(lines) == len(SAMPLES) + 2
    shown = {tuple(line.split()) for line in lines[1:-1]}
    assert shown == {(row.short_kind, "default", row.name, "InProgress", "30s") for row in samples()}


def test_a_wide_terminal_shows_the_names_at_sagemaker_too() -> None:
    """They are for the AWS console and CLI."""
    assert "SAGEMAKER NAME" in text_of(samples(), width=160)[0]


def test_what_has_no_room_is_counted() -> None:
    """With the sample that the printed commands name among what is shown, wherever it stands."""
    rows = [*samples("Completed"), *(Row("Model", "team", f"m{number}", "Pending", "", "", "") for number in range(20))]
    lines = text_of(rows, height=20)
    assert len(lines) == 20
    assert sum(" team " in line for line in lines) == 17
    assert NAMED.manifest["metadata"]["name"] in lines[-2]
    assert lines[-1] == "and 21 more: 18 Completed, 3 Pending; Ctrl-C ends it"


def test_a_problem_stands_below_its_row() -> None:
    """In one line, as far as it fits."""
    row = Row("Model", "default", "m", "Error", "", "", "Could not find\nmodel data " + "x" * 80)
    lines = text_of([row])
    assert lines[2].startswith("    Could not find model data xxx")
    assert (len(lines[2]), lines[2][-1]) == (79, "…")


NAMES = st.text("abc-", min_size=1, max_size=60)
ROWS = st.builds(
    Row,
    kind=st.sampled_from([kind.kind for kind in KINDS]),
    namespace=st.sampled_from(
        ["default", "team-a", "a-namespace-with-a-name-of-the-greatest-length-that-there-can-be"]
    ),
    name=NAMES,
    status=st.sampled_from(["Pending", "InProgress", "Completed", "Failed", "SynchronizingK8sTuningJobWithSageMaker"]),
    detail=st.just(""),
    remote_name=st.sampled_from(["", "remote-name"]),
    message=st.sampled_from(["", "why " * 60]),
    parts=st.sampled_from(["", "1/2"]),
    created_at=st.sampled_from(["", "2029-12-31T00:00:00Z"]),
)


@given(rows=st.lists(ROWS, max_size=40), width=st.integers(20, 200), height=st.integers(4, 60))
def test_no_table_is_larger_than_its_terminal_and_no_column_is_empty(rows: list[Row], width: int, height: int) -> None:
    """Whatever there is to show."""
    lines = text_of(rows, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    titles = lines[0].split() if rows else []
    assert "AGE" not in titles or any(row.created_at for row in rows)
    assert "DONE" not in titles or any(row.parts for row in rows)


def test_a_stream_that_is_no_terminal_gets_lines() -> None:
    """One line per change, with the time."""
    out = io.StringIO()
    view = view_for(out, environment={"TERM": "xterm"})
    for status in ("InProgress", "InProgress", "Completed"):
        view.show([row_of(job(trainingJobStatus=status))])
    view.close()
    assert isinstance(view, LineView)
    assert [line.split()[1:] for line in out.getvalue().splitlines()] == [
        ["default", "trainingjob/a", "InProgress"],
        ["default", "trainingjob/a", "Completed"],
    ]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"TERM": "unknown"}, {"TERM": ""}, {}])
def test_a_terminal_whose_cursor_cannot_move_gets_lines(environment: dict[str, str]) -> None:
    """As in an editor's shell: a table would be printed again and again."""
    assert isinstance(view_for(Terminal(), environment=environment), LineView)


def test_a_terminal_gets_a_table_that_shows_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Square brackets in a message are not markup; what has not changed is not drawn again."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("LINES", "24")
    out = Terminal()
    view = view_for(out, environment={"TERM": "xterm"})
    assert isinstance(view, TableView)
    rows = [Row("Model", "default", "m", "Error", "", "m-1", "set [a, b] is [red]wrong[/red]")]
    view.show(rows)
    drawn = out.getvalue()
    view.show(rows)
    assert out.getvalue() == drawn
    view.close()
    assert "set [a, b] is [red]wrong[/red]" in drawn
    assert "SAGEMAKER NAME" in drawn


def test_what_is_printed_around_the_table_fits_the_usual_width() -> None:
    """A command that is broken in the middle cannot be copied."""
    url = "http://127.0.0.1:18443"
    folder = Path("/home/someone/sagemaker-operator")
    text = welcome(url, url, folder / ".sandbox", folder / ".venv" / "bin", aws_environment(url))
    assert max(map(len, f"{text}{COMMANDS}{GOODBYE}".splitlines())) <= 79
    assert "\n" not in GOODBYE


def test_paths_with_spaces_are_quoted() -> None:
    """The lines are for a shell."""
    text = welcome("http://a", "http://b", Path("/a b"), Path("/c d"), {"AWS_A": "1", "AWS_B": "2", "AWS_C": "3"})
    assert "export KUBECONFIG='/a b/kubeconfig'\n" in text
    assert "export PATH='/c d':$PATH\n" in text
