"""What an object says of its job, which streams are the job's, and the header line."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controller.smlogs import selection
from controller.smlogs import subject as subjects
from controller.smlogs.selection import Selection
from controller.smlogs.subject import Subject
from tests.tables import each_row
from tests.unit.smlogs.fakes import kind, subject


def of(command: str = "trainingjob", spec: dict[str, Any] | None = None, **status: Any) -> Subject:
    """The subject of an object with this spec and status."""
    obj = {"metadata": {"name": "name", "uid": "1"}, "spec": {"region": "us-east-2", **(spec or {})}, "status": status}
    return subjects.of(kind(command), obj)


@pytest.mark.parametrize(
    ("seen", "header"),
    [
        (
            of(sageMakerTrainingJobName="name-1", trainingJobStatus="InProgress", secondaryStatus="Starting"),
            (
                '"name" has SageMaker TrainingJobName "name-1" in region "us-east-2", status "InProgress" '
                'and secondary status "Starting"'
            ),
        ),
        (
            of("batchtransformjob", {"transformJobName": "name-1"}, transformJobStatus="Completed"),
            '"name" has SageMaker TransformJobName "name-1" in region "us-east-2", status "Completed"',
        ),
        (
            of("processingjob", sageMakerProcessingJobName="name-1", processingJobStatus="Stopped"),
            '"name" has SageMaker ProcessingJobName "name-1" in region "us-east-2", status "Stopped"',
        ),
        (
            of("endpoint", endpointName="name-1", endpointStatus="InService"),
            '"name" has SageMaker EndpointName "name-1" in region "us-east-2", status "InService"',
        ),
    ],
    ids=["training", "transform", "processing", "endpoint"],
)
def test_the_header_says_where_the_lines_come_from(seen: Subject, header: str) -> None:
    """Guide F-3e, word by word for the two kinds of the guide."""
    assert seen.header == header


def test_what_was_recorded_wins_over_an_edited_spec() -> None:
    """D-04: the job is where it was created, under the name it was created with."""
    recorded = {"name": "old", "region": "eu-west-1", "createdAt": "2030-01-02T03:04:05Z"}
    seen = of(spec={"trainingJobName": "new"}, awsResource=recorded)
    assert (seen.aws_name, seen.region) == ("old", "eu-west-1")
    assert seen.created_at == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_the_predecessors_objects_have_their_name_in_the_spec() -> None:
    """v1-kinds.md 4: it wrote generated names there, and its plugin read them from there."""
    seen = of(spec={"trainingJobName": "name-1"}, trainingJobStatus="Completed")
    assert (seen.aws_name, seen.may_exist, seen.has_ended) == ("name-1", True, True)


@each_row(
    ("seen", "may_exist"),
    [
        pytest.param(of(), False, id="no name, no status"),
        pytest.param(of(spec={"trainingJobName": "x"}), False, id="a name that somebody wants"),
        pytest.param(
            of(spec={"trainingJobName": "x"}, trainingJobStatus="SynchronizingK8sJobWithSageMaker"),
            False,
            id="waiting for the operator",
        ),
        pytest.param(
            of(spec={"trainingJobName": "x"}, trainingJobStatus="ReconcilingTrainingJob"), False, id="in trouble"
        ),
        pytest.param(
            of(trainingJobStatus="ReconcilingTrainingJob", sageMakerTrainingJobName="x"), True, id="in trouble since"
        ),
        pytest.param(of(spec={"trainingJobName": "x"}, trainingJobStatus="InProgress"), True, id="AWS's own state"),
    ],
)
def test_a_job_exists_when_it_was_seen_at_aws(seen: Subject, may_exist: bool) -> None:
    """The operator's own states say nothing about AWS."""
    assert seen.may_exist is may_exist


@each_row(
    ("status", "reason"),
    [
        ({}, ""),
        ({"additional": "quota", "conditions": [{"type": "Stalled", "status": "True", "reason": "X"}]}, "quota"),
        ({"failureReason": "no capacity"}, "no capacity"),
        (
            {
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "Creating"},
                    {"type": "Synced", "status": "False", "reason": "Denied", "message": "no right"},
                ]
            },
            "Denied: no right",
        ),
        ({"conditions": [{"type": "Synced", "status": "True", "reason": "Synced"}]}, ""),
    ],
)
def test_the_reason_is_the_most_telling_one(status: dict[str, Any], reason: str) -> None:
    """First the words that were written for people, then the conditions that are not as they should be."""
    assert of(**status).reason == reason


def test_the_time_of_the_end_is_that_of_the_condition() -> None:
    """Whether the last lines may still be on their way depends on it."""
    ended = {"type": "Failed", "status": "True", "lastTransitionTime": "2030-01-02T03:04:05Z"}
    assert of(conditions=[ended]).ended_at == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert of().ended_at is None


def accepted(chosen: Selection, *streams: str) -> list[str]:
    """Those of the streams that are wanted."""
    return [stream for stream in streams if chosen.accepts(stream)]


@pytest.mark.guide("F-3f")
@pytest.mark.parametrize(
    ("command", "group", "prefix"),
    [
        ("trainingjob", "/aws/sagemaker/TrainingJobs", "foo/algo-1"),
        ("batchtransformjob", "/aws/sagemaker/TransformJobs", "foo/algo-1"),
        ("processingjob", "/aws/sagemaker/ProcessingJobs", "foo/algo-1"),
        ("hostingdeployment", "/aws/sagemaker/Endpoints/foo", "algo-1"),
    ],
)
def test_each_kind_has_its_log_group(command: str, group: str, prefix: str) -> None:
    """Guide F-3f; jobs share a group, each endpoint has its own."""
    chosen = selection.of(subject(kind=kind(command), aws_name="foo"), "algo-1")
    assert (chosen.group, chosen.prefix) == (group, prefix)


def test_the_lines_of_foo_are_not_those_of_foo_bar() -> None:
    """D-48."""
    chosen = selection.of(subject(aws_name="foo"), "")
    assert accepted(chosen, "foo/algo-1-1", "foo-bar/algo-1-1", "foobar/x", "foo") == ["foo/algo-1-1"]


def test_the_search_prefix_goes_on_behind_the_jobs_name() -> None:
    """`-p algo-4`."""
    chosen = selection.of(subject(aws_name="foo"), "algo-1")
    assert accepted(chosen, "foo/algo-1-99", "foo/algo-12-99", "foo/algo-2-99", "algo-1") == [
        "foo/algo-1-99",
        "foo/algo-12-99",
    ]


def test_a_tuning_jobs_lines_are_those_of_its_training_jobs() -> None:
    """One request finds them all, with those of the tuning job `foo-bar`, which are left out."""
    chosen = selection.of(subject(kind=kind("hyperparametertuningjob"), aws_name="foo"), "algo-1", {"foo-001-abc"})
    assert (chosen.group, chosen.prefix) == ("/aws/sagemaker/TrainingJobs", "foo-")
    streams = ("foo-001-abc/algo-1-9", "foo-001-abc/algo-2-9", "foo-bar-001-abc/algo-1-9", "foo/algo-1-9")
    assert accepted(chosen, *streams) == ["foo-001-abc/algo-1-9"]


def test_an_executions_lines_are_those_of_the_jobs_of_its_steps() -> None:
    """By their names, in the log groups of all sorts of jobs; the id in them is the last part of the ARN."""
    arn = "arn:aws:sagemaker:us-east-2:123456789012:pipeline/p/execution/abc123"
    of_steps = selection.of_steps(subject(kind=kind("pipelineexecution"), aws_name=arn), "algo-1")
    groups = [f"/aws/sagemaker/{each}Jobs" for each in ("Transform", "Processing", "Training")]
    assert [(each.group, each.prefix) for each in of_steps] == [(group, "pipelines-abc123-") for group in groups]
    streams = ("pipelines-abc123-Train-x/algo-1-9", "pipelines-abc123-Train-x/algo-2-9", "pipelines-abc1234-T/algo-1-9")
    for each in of_steps:
        assert accepted(each, *streams) == ["pipelines-abc123-Train-x/algo-1-9"]
