"""ListTrainingJobs: filters, order and pages, as the tracker relies on them; and tags."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.conftest import Request

Listed = Callable[..., list[str]]


@pytest.fixture
def three(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """Three jobs a minute apart: `alpha` completed, `Beta` stopped, `gamma` training."""
    for name, wait_s in (("alpha", 60), ("Beta", 60), ("gamma", 0)):
        sagemaker.create_training_job(**request_of(name))
        aws.clock.advance(wait_s)
    sagemaker.stop_training_job(TrainingJobName="Beta")
    aws.clock.advance(240)


@pytest.fixture
def listed(sagemaker: Any, three: None) -> Listed:
    """Names in the order of the answer."""

    def names(**members: Any) -> list[str]:
        return [row["TrainingJobName"] for row in sagemaker.list_training_jobs(**members)["TrainingJobSummaries"]]

    return names


def at(sagemaker: Any, name: str, member: str = "LastModifiedTime") -> Any:
    """A time of a job."""
    return sagemaker.describe_training_job(TrainingJobName=name)[member]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, ["gamma", "Beta", "alpha"], id="newest first by default"),
        pytest.param({"SortOrder": "Ascending"}, ["alpha", "Beta", "gamma"], id="oldest first"),
        pytest.param({"SortBy": "Name", "SortOrder": "Ascending"}, ["Beta", "alpha", "gamma"], id="by name"),
        pytest.param({"SortBy": "Status", "SortOrder": "Ascending"}, ["alpha", "gamma", "Beta"], id="by status"),
        pytest.param({"NameContains": "a"}, ["gamma", "Beta", "alpha"], id="part of the name"),
        pytest.param({"NameContains": "ET"}, ["Beta"], id="part of the name in any case"),
        pytest.param({"StatusEquals": "Stopped"}, ["Beta"], id="status"),
        pytest.param({"StatusEquals": "Failed"}, [], id="nothing"),
        pytest.param({"MaxResults": 1}, ["gamma"], id="a page"),
    ],
)
def test_jobs_are_filtered_and_sorted(listed: Listed, members: dict[str, Any], expected: list[str]) -> None:
    """API reference of ListTrainingJobs."""
    assert listed(**members) == expected


def test_last_modified_after_is_exclusive_and_sees_transitions(
    aws: RunningServer, sagemaker: Any, listed: Listed
) -> None:
    """DESIGN 4.5: deltas by LastModifiedTimeAfter. A job that moved on is in, one that did not is out."""
    mark = max(at(sagemaker, name) for name in ("alpha", "Beta", "gamma"))
    assert listed(LastModifiedTimeAfter=mark) == []
    aws.clock.advance(100)
    assert listed(LastModifiedTimeAfter=mark) == ["gamma"]


@pytest.mark.parametrize(
    "late",
    [
        pytest.param({"StatusEquals": "Completed"}, id="status"),
        pytest.param({"NameContains": "alpha"}, id="name"),
        pytest.param({"LastModifiedTimeBefore": 1.0}, id="modified"),
    ],
)
def test_late_filters_leave_pages_short_or_empty_but_keep_the_token(
    sagemaker: Any, three: None, late: dict[str, Any]
) -> None:
    """API reference of ListTrainingJobs: a page is cut first, and filtered then; only creation times come first."""
    first = sagemaker.list_training_jobs(MaxResults=1, **late)
    assert first["TrainingJobSummaries"] == []
    assert "NextToken" in first
    names, token = [], first["NextToken"]
    while token:
        page = sagemaker.list_training_jobs(MaxResults=1, NextToken=token, **late)
        names += [row["TrainingJobName"] for row in page["TrainingJobSummaries"]]
        token = page.get("NextToken")
    assert names == ([] if "LastModifiedTimeBefore" in late else ["alpha"])
    alpha = at(sagemaker, "alpha", "CreationTime")
    early = sagemaker.list_training_jobs(MaxResults=1, CreationTimeAfter=alpha)
    assert [row["TrainingJobName"] for row in early["TrainingJobSummaries"]] == ["gamma"]


def test_times_bound_from_both_sides(sagemaker: Any, listed: Listed) -> None:
    """CreationTimeBefore and After, and LastModifiedTimeBefore."""
    beta = at(sagemaker, "Beta", "CreationTime")
    assert listed(CreationTimeAfter=beta) == ["gamma"]
    assert listed(CreationTimeBefore=beta) == ["alpha"]
    assert listed(LastModifiedTimeBefore=at(sagemaker, "alpha")) == ["gamma", "Beta"]


def test_jobs_are_found_by_warm_pool_and_training_plan(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A pool is there from the end of its job until its keep-alive period is over."""
    plan = "arn:aws:sagemaker:us-west-2:123456789012:training-plan/plan"
    resources = request_of()["ResourceConfig"]
    sagemaker.create_training_job(**request_of("warm", ResourceConfig=resources | {"KeepAlivePeriodInSeconds": 600}))
    sagemaker.create_training_job(**request_of("planned", ResourceConfig=resources | {"TrainingPlanArn": plan}))
    sagemaker.create_training_job(**request_of("plain"))

    def names(**members: Any) -> list[str]:
        return [row["TrainingJobName"] for row in sagemaker.list_training_jobs(**members)["TrainingJobSummaries"]]

    assert names(TrainingPlanArnEquals=plan) == ["planned"]
    pools = []
    for wait_s in (0, 360, 599, 1):
        aws.clock.advance(wait_s)
        pools.append([names(WarmPoolStatusEquals=status) for status in ("Available", "Terminated")])
    assert pools == [[[], []], [["warm"], []], [["warm"], []], [[], ["warm"]]]


def test_a_summary_has_what_a_delta_needs(sagemaker: Any, three: None) -> None:
    """Status, secondary status and times stand in the list: no Describe is needed to see a change."""
    rows = {row["TrainingJobName"]: row for row in sagemaker.list_training_jobs()["TrainingJobSummaries"]}
    assert (rows["alpha"]["TrainingJobStatus"], rows["alpha"]["SecondaryStatus"]) == ("Completed", "Completed")
    assert rows["alpha"]["TrainingEndTime"] == rows["alpha"]["LastModifiedTime"]
    assert (rows["gamma"]["TrainingJobStatus"], rows["gamma"]["SecondaryStatus"]) == ("InProgress", "Training")
    assert "TrainingEndTime" not in rows["gamma"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_pages_hold_every_job_once_even_while_jobs_arrive(
    aws: RunningServer, sagemaker: Any, request_of: Request, size: int
) -> None:
    """A token continues after the job that ended the page, so that a job created meanwhile shifts nothing."""
    for number in range(5):
        sagemaker.create_training_job(**request_of(f"job-{number}"))
    seen: list[str] = []
    token = None
    while True:
        page = sagemaker.list_training_jobs(MaxResults=size, **({"NextToken": token} if token else {}))
        seen += [row["TrainingJobName"] for row in page["TrainingJobSummaries"]]
        aws.clock.advance(1)
        sagemaker.create_training_job(**request_of(f"late-{len(seen)}"))
        token = page.get("NextToken")
        if token is None:
            break
    assert [name for name in seen if name.startswith("job-")] == [f"job-{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    "members", [{"MaxResults": 101}, {"NextToken": "never given"}, {"StatusEquals": "Done"}, {"SortBy": "Size"}]
)
def test_a_filter_that_makes_no_sense_is_refused(sagemaker: Any, members: dict[str, Any]) -> None:
    """ValidationException, not an empty list."""
    with pytest.raises(ClientError) as refused:
        sagemaker.list_training_jobs(**members)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_tags_given_at_creation_are_listed_and_can_be_changed(sagemaker: Any, request_of: Request) -> None:
    """modern-expectations 5: ownership is proved by tags, read with ListTags by ARN; Describe does not show them."""
    owner = {"Key": "sagemaker.aws.amazon.com/uid", "Value": "a92f5e3c"}
    arn = sagemaker.create_training_job(**request_of(Tags=[owner]))["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [owner]
    assert "Tags" not in sagemaker.describe_training_job(TrainingJobName="job")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}, owner | {"Value": "other"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "about", "Value": "order"}])
    assert [tag["Key"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]] == ["about", owner["Key"], "team"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["about"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [owner | {"Value": "other"}, {"Key": "team", "Value": "a"}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "absent"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [owner | {"Value": "other"}]


@pytest.mark.parametrize(
    ("operation", "members"),
    [("list_tags", {}), ("add_tags", {"Tags": [{"Key": "a", "Value": "b"}]}), ("delete_tags", {"TagKeys": ["a"]})],
)
def test_tags_of_an_unknown_job_are_not_found(sagemaker: Any, operation: str, members: dict[str, Any]) -> None:
    """Whoever asks for the owner of a job that is gone learns that it is gone."""
    arn = "arn:aws:sagemaker:us-west-2:123456789012:training-job/nobody"
    with pytest.raises(ClientError, match="Requested resource not found"):
        getattr(sagemaker, operation)(ResourceArn=arn, **members)


def test_tags_survive_stopping(sagemaker: Any, request_of: Request) -> None:
    """A changed job keeps what is known about its owner."""
    arn = sagemaker.create_training_job(**request_of(Tags=[{"Key": "a", "Value": "b"}]))["TrainingJobArn"]
    sagemaker.stop_training_job(TrainingJobName="job")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_resource_has_at_most_fifty_tags(sagemaker: Any, request_of: Request) -> None:
    """The refused call changes nothing."""
    tags = [{"Key": f"k{number:02}", "Value": ""} for number in range(50)]
    arn = sagemaker.create_training_job(**request_of(Tags=tags))["TrainingJobArn"]
    with pytest.raises(ClientError, match="maximum number of tags"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": ""}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
