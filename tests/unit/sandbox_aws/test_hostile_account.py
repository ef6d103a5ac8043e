"""What real accounts do to those who poll: a long past, late Lists, page tokens that expire, names used again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import log2
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.jobs.finished import FINISHED
from hack.sandbox.aws.jobs.kinds import TRAINING
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.past import Past
from hack.sandbox.aws.records.resource import AnyKind, Resource, Store
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.wire import Call
from tests.unit.sandbox_aws.conftest import Request
from tests.unit.sandbox_aws.test_faults import control

LAG_S = 75.0


def listed(sagemaker: Any, **members: Any) -> dict[str, str]:
    """Status by name, in the order of the answer."""
    rows = sagemaker.list_training_jobs(**members)["TrainingJobSummaries"]
    return {row["TrainingJobName"]: row["TrainingJobStatus"] for row in rows}


def pages(sagemaker: Any, **members: Any) -> Iterator[list[str]]:
    """The names on each page."""
    token: dict[str, str] = {}
    while True:
        answer = sagemaker.list_training_jobs(**members, **token)
        yield [row["TrainingJobName"] for row in answer["TrainingJobSummaries"]]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


@pytest.fixture
def finished(aws: RunningServer, sagemaker: Any, request_of: Request) -> Callable[[str], None]:
    """Create a job, and let time pass until it has ended and every List shows that."""

    def make(name: str) -> None:
        sagemaker.create_training_job(**request_of(name))
        aws.clock.advance(1000)

    return make


# --- a past


def test_the_past_is_listed_after_the_present_page_by_page(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """Finished jobs, newest first; each is shown once."""
    sagemaker.create_training_job(**request_of("now"))
    aws.past.add(250, until=aws.clock.now() - 3600)
    seen = list(pages(sagemaker, MaxResults=100))
    assert [len(page) for page in seen] == [100, 100, 51]
    assert seen[0][:3] == ["now", "past-00000249", "past-00000248"]
    assert seen[2][-1] == "past-00000000"
    assert len({name for page in seen for name in page}) == 251


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ({"SortOrder": "Ascending"}, "past-00000000", "now"),
        ({"SortBy": "Name", "SortOrder": "Descending"}, "past-00000024", "now"),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, "past-00000000", "now"),
    ],
)
def test_the_past_takes_its_place_in_every_order(
    aws: RunningServer, sagemaker: Any, request_of: Request, order: dict[str, str], first: str, last: str
) -> None:
    """Sorting does not know which of the jobs are records."""
    sagemaker.create_training_job(**request_of("now"))
    aws.past.add(25, until=aws.clock.now() - 3600)
    names = [name for page in pages(sagemaker, MaxResults=10, **order) for name in page]
    assert (names[0], names[-1], len(names)) == (first, last, 26)


def test_jobs_of_others_can_come_between_ours(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A job that has run for long stands below what was created since."""
    sagemaker.create_training_job(**request_of("old"))
    aws.clock.advance(20 * 86_400)
    aws.past.add(150, until=aws.clock.now())
    sagemaker.create_training_job(**request_of("new"))
    seen = list(pages(sagemaker, MaxResults=100))
    assert seen[0][0] == "new"
    assert seen[1][-1] == "old"


def test_creation_times_bound_the_past(aws: RunningServer, sagemaker: Any) -> None:
    """They apply before a page is cut; StatusEquals applies after."""
    aws.past.add(1000, until=aws.clock.now(), step_s=60.0)
    since = aws.clock.now() - 600.5
    assert len(listed(sagemaker, CreationTimeAfter=since, MaxResults=100)) == 10
    assert len(listed(sagemaker, CreationTimeBefore=since, MaxResults=100)) == 100
    empty = sagemaker.list_training_jobs(StatusEquals="InProgress", MaxResults=100)
    assert empty["TrainingJobSummaries"] == []
    assert "NextToken" in empty


def test_jobs_of_the_past_can_be_described_but_not_changed(aws: RunningServer, sagemaker: Any) -> None:
    """They are finished: complete answers, and no Stop. Only those that exist."""
    aws.past.add(5, until=aws.clock.now())
    job = sagemaker.describe_training_job(TrainingJobName="past-00000003")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].startswith("s3://past/models/past-00000003/")
    for refused in (sagemaker.stop_training_job, sagemaker.delete_training_job):
        with pytest.raises(ClientError, match="does not change its past"):
            refused(TrainingJobName="past-00000003")
    for unknown in ("past-00000005", "past-3", "past-x"):
        with pytest.raises(ClientError, match="not found"):
            sagemaker.describe_training_job(TrainingJobName=unknown)


@pytest.mark.parametrize(
    ("listing", "describing", "member"),
    [
        ("list_transform_jobs", "describe_transform_job", "TransformJob"),
        ("list_processing_jobs", "describe_processing_job", "ProcessingJob"),
    ],
)
def test_every_kind_of_job_has_a_past(
    aws: RunningServer, sagemaker: Any, listing: str, describing: str, member: str
) -> None:
    """Transform and processing jobs stay for ever, too."""
    aws.past.add(3, until=aws.clock.now())
    rows = getattr(sagemaker, listing)()[f"{member}Summaries"]
    assert [row[f"{member}Status"] for row in rows] == ["Completed"] * 3
    job = getattr(sagemaker, describing)(**{f"{member}Name": rows[0][f"{member}Name"]})
    assert job[f"{member}Arn"] == rows[0][f"{member}Arn"]


@pytest.mark.parametrize("order", ["Descending", "Ascending"])
def test_a_page_of_a_million_jobs_makes_the_page_and_little_else(order: str) -> None:
    """CPU and memory do not depend on the length of the past: the place of a token in it is searched by halves."""
    made: list[str] = []

    def counted(kind: AnyKind, account: str, region: str, name: str, created_at: float) -> Resource:
        made.append(name)
        return FINISHED[TRAINING.resource](kind, account, region, name, created_at)

    past = Past({TRAINING.resource: counted})
    past.add(1_000_000, until=1_800_000_000.0)
    store, params = Store(past), {"MaxResults": 100, "SortOrder": order}
    first = Call("sagemaker", "ListTrainingJobs", "123456789012", "us-east-2", 1_800_000_000.0, params)
    token = answered(TRAINING, first, store, lambda _job: {})["NextToken"]
    made.clear()
    answered(TRAINING, replace(first, params={**params, "NextToken": token}), store, lambda _job: {})
    assert len(made) <= 100 + 1 + 2 * log2(1_000_000)


# --- late lists


def test_a_list_shows_changes_late_and_describe_does_not(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """Creation and end: Describe is consistent, Lists are behind."""
    aws.lists.lag_s = LAG_S
    sagemaker.create_training_job(**request_of("job"))
    assert sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "InProgress"
    assert listed(sagemaker) == {}
    aws.clock.advance(LAG_S)
    assert listed(sagemaker) == {"job": "InProgress"}
    aws.clock.advance(360 - LAG_S)
    assert sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "Completed"
    assert listed(sagemaker) == {"job": "InProgress"}
    aws.clock.advance(LAG_S)
    assert listed(sagemaker) == {"job": "Completed"}


def test_a_stop_shows_late(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A stop changes the record; what was before it is still what the List shows."""
    sagemaker.create_training_job(**request_of("job"))
    aws.clock.advance(100)
    aws.lists.lag_s = LAG_S
    sagemaker.stop_training_job(TrainingJobName="job")
    aws.clock.advance(LAG_S - 1)
    assert listed(sagemaker) == {"job": "InProgress"}
    aws.clock.advance(1)
    assert listed(sagemaker) == {"job": "Stopping"}


def test_a_deletion_shows_late_and_a_name_can_be_used_again(
    aws: RunningServer, sagemaker: Any, request_of: Request, finished: Callable[[str], None]
) -> None:
    """The List shows the old job, then neither, then the new one of the same name: told apart by CreationTime."""
    finished("job")
    old = sagemaker.describe_training_job(TrainingJobName="job")["CreationTime"]
    aws.lists.lag_s = LAG_S
    sagemaker.delete_training_job(TrainingJobName="job")
    aws.clock.advance(10)
    sagemaker.create_training_job(**request_of("job"))
    new = sagemaker.describe_training_job(TrainingJobName="job")["CreationTime"]
    shown = []
    for wait_s in (0, LAG_S - 5, 5):
        aws.clock.advance(wait_s)
        shown.append([row["CreationTime"] for row in sagemaker.list_training_jobs()["TrainingJobSummaries"]])
    assert new > old
    assert shown == [[old], [], [new]]


def test_an_endpoint_that_is_gone_shows_until_the_lag_is_over(aws: RunningServer, sagemaker: Any) -> None:
    """Only its kind may be late: others' Lists are on time."""
    sagemaker.create_model(
        ModelName="model", ExecutionRoleArn="arn:aws:iam::123456789012:role/r", PrimaryContainer={"Image": "image"}
    )
    variant = {"VariantName": "a", "ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    aws.clock.advance(500)
    aws.lists.set(lag_s=LAG_S, late=["Endpoint"])
    sagemaker.delete_endpoint(EndpointName="endpoint")
    sagemaker.delete_model(ModelName="model")
    aws.clock.advance(50)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName="endpoint")
    assert sagemaker.list_models()["Models"] == []
    assert [row["EndpointStatus"] for row in sagemaker.list_endpoints()["Endpoints"]] == ["InService"]
    aws.clock.advance(LAG_S)
    assert sagemaker.list_endpoints()["Endpoints"] == []


# --- page tokens


def test_a_page_token_expires(aws: RunningServer, sagemaker: Any) -> None:
    """The next page is refused, whatever the operation; a new token is accepted."""
    aws.past.add(30, until=aws.clock.now())
    aws.lists.token_life_s = 30.0
    first = sagemaker.list_training_jobs()
    aws.clock.advance(30)
    second = sagemaker.list_training_jobs(NextToken=first["NextToken"])
    aws.clock.advance(1)
    with pytest.raises(ClientError, match="expired") as refused:
        sagemaker.list_training_jobs(NextToken=first["NextToken"])
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert len(sagemaker.list_training_jobs(NextToken=second["NextToken"])["TrainingJobSummaries"]) == 10


def test_a_page_token_of_another_order_is_refused(aws: RunningServer, sagemaker: Any) -> None:
    """It names a place in an order."""
    aws.past.add(30, until=aws.clock.now())
    token = sagemaker.list_training_jobs()["NextToken"]
    with pytest.raises(ClientError, match="Invalid pagination token"):
        sagemaker.list_training_jobs(NextToken=token, SortBy="Name")


# --- quotas and settings


def test_lists_and_describes_have_quotas_of_their_own(
    aws: RunningServer, sagemaker: Any, finished: Callable[[str], None]
) -> None:
    """AWS allows about two Lists and ten Describes a second."""
    finished("job")
    aws.quota.set(2, operations="List*")
    aws.quota.set(10, operations="Describe*")
    for call, allowed in (
        (sagemaker.list_training_jobs, 2),
        (lambda: sagemaker.describe_training_job(TrainingJobName="job"), 10),
    ):
        for _ in range(allowed):
            call()
        with pytest.raises(ClientError, match="Rate exceeded"):
            call()


def test_settings_can_be_made_from_outside(aws: RunningServer, sagemaker: Any) -> None:
    """By control endpoint, as the command line does; nonsense is refused, a reset forgets everything."""
    assert control(aws, "POST", "past", {"count": 20}) == (201, {"count": 20})
    assert len(listed(sagemaker, MaxResults=100)) == 20
    assert control(aws, "POST", "lists", {"lag_s": LAG_S, "late": ["Endpoint"], "token_life_s": 9})[0] == 200
    assert (aws.lists.lag_s, aws.lists.late, aws.lists.token_life_s) == (LAG_S, ("Endpoint",), 9)
    assert control(aws, "POST", "quota", {"calls_per_second": 2, "operations": "List*"})[0] == 200
    for path, body in (("past", {"count": 0}), ("lists", {"lag_s": -1}), ("lists", {"speed": 1})):
        assert control(aws, "POST", path, body)[0] == 400
    aws.reset()
    assert listed(sagemaker) == {}
    assert aws.lists.lag_s == 0
