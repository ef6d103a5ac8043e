"""Transform and processing jobs, through boto3: their lives, failures, lists, tags and logs.

They share the machinery of training jobs, so what both kinds have in common is one table here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import departures, refusal

ROLE = "arn:aws:iam::123456789012:role/role"


def transform_request(name: str = "job", **members: Any) -> dict[str, Any]:
    """The smallest CreateTransformJob, with members replaced."""
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}
    return {
        "TransformJobName": name,
        "ModelName": "model",
        "TransformInput": {"DataSource": source},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    } | members


def processing_request(name: str = "job", **members: Any) -> dict[str, Any]:
    """The smallest CreateProcessingJob, with members replaced."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
    return {
        "ProcessingJobName": name,
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/process:1"},
        "ProcessingResources": {"ClusterConfig": cluster},
        "RoleArn": ROLE,
    } | members


@dataclass(frozen=True)
class Kind:
    """One of the two kinds, driven through boto3."""

    sagemaker: Any
    resource: str
    request: Callable[..., dict[str, Any]]
    works_s: int

    def create(self, name: str = "job", **members: Any) -> str:
        """Create a job; return its ARN."""
        arn: str = getattr(self.sagemaker, f"create_{self.resource}_job")(**self.request(name, **members))[
            f"{self.resource.title()}JobArn"
        ]
        return arn

    def call(self, verb: str, name: str = "job") -> Any:
        """Describe or stop a job."""
        operation = getattr(self.sagemaker, f"{verb}_{self.resource}_job")
        return operation(**{f"{self.resource.title()}JobName": name})

    def status(self, name: str = "job") -> str:
        """The status that Describe shows."""
        return str(self.call("describe", name)[f"{self.resource.title()}JobStatus"])

    def listed(self, **members: Any) -> list[Any]:
        """The summaries of a List."""
        answer = getattr(self.sagemaker, f"list_{self.resource}_jobs")(**members)
        return list(answer[f"{self.resource.title()}JobSummaries"])


@pytest.fixture(params=["transform", "processing"])
def kind(request: pytest.FixtureRequest, sagemaker: Any) -> Kind:
    """Each of the kinds; transform jobs find a model."""
    sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x"})
    build = {"transform": transform_request, "processing": processing_request}[request.param]
    return Kind(sagemaker, request.param, build, {"transform": 200, "processing": 150}[request.param])


def test_a_job_starts_works_and_completes(aws: RunningServer, kind: Kind) -> None:
    """v1-kinds 6.3, 6.4: InProgress, then Completed; start and end times appear with their stage."""
    kind.create()
    start, end = f"{kind.resource.title()}StartTime", f"{kind.resource.title()}EndTime"
    assert not {start, end} & kind.call("describe").keys()
    aws.clock.advance(10)
    assert start in kind.call("describe")
    aws.clock.advance(kind.works_s - 1)
    assert kind.status() == "InProgress"
    aws.clock.advance(1)
    answer = kind.call("describe")
    assert kind.status() == "Completed"
    assert (answer[start] - answer["CreationTime"]).total_seconds() == 10
    assert (answer[end] - answer[start]).total_seconds() == kind.works_s
    assert "FailureReason" not in answer


def test_stopping_takes_time(aws: RunningServer, kind: Kind) -> None:
    """v1-kinds 12.1 rows 7 to 9; a second Stop is refused with the status in the text (13.3)."""
    kind.create()
    aws.clock.advance(20)
    kind.call("stop")
    assert kind.status() == "Stopping"
    code, message, _ = refusal(kind.call, verb="stop")
    assert code == "ValidationException"
    assert message.endswith("is in status Stopping.")
    aws.clock.advance(60)
    assert kind.status() == "Stopped"


@pytest.mark.parametrize("verb", ["describe", "stop"])
def test_an_unknown_job_is_not_found_in_the_words_of_these_kinds(kind: Kind, verb: str) -> None:
    """v1-kinds 13.1: not the text of training jobs."""
    code, message, _ = refusal(kind.call, verb=verb, name="nobody")
    assert (code, message) == ("ValidationException", "Could not find requested job with name: nobody")


def test_a_taken_name_is_in_use(kind: Kind) -> None:
    """v1-kinds 13.2: go by the code."""
    kind.create()
    assert refusal(kind.create)[0] == "ResourceInUse"


def test_the_kinds_do_not_share_names(aws: RunningServer, kind: Kind, sagemaker: Any) -> None:
    """A transform job and a processing job may be called the same."""
    sagemaker.create_transform_job(**transform_request("both"))
    sagemaker.create_processing_job(**processing_request("both"))
    assert kind.status("both") == "InProgress"


@pytest.mark.parametrize("where", ["tag", "environment", "name"])
def test_a_marked_job_fails_with_a_reason(aws: RunningServer, kind: Kind, where: str) -> None:
    """The reason is in Describe and in the summary: a user needs no log to see it."""
    marked: dict[str, Any] = {
        "tag": {"Tags": [{"Key": "sandbox/fail", "Value": "out of memory"}]},
        "environment": {"Environment": {"SANDBOX_FAIL": "out of memory"}},
        "name": {},
    }[where]
    name = "fail-me" if where == "name" else "job"
    kind.create(name, **marked)
    aws.clock.advance(1000)
    reason = kind.call("describe", name)["FailureReason"]
    assert reason.startswith("AlgorithmError: See job logs" if where == "name" else "AlgorithmError: out of memory")
    assert [row["FailureReason"] for row in kind.listed()] == [reason]


def test_the_marker_of_work_sets_its_length(aws: RunningServer, kind: Kind) -> None:
    """SANDBOX_SECONDS is the same word for all kinds."""
    kind.create(Environment={"SANDBOX_SECONDS": "5"})
    aws.clock.advance(14)
    assert kind.status() == "InProgress"
    aws.clock.advance(1)
    assert kind.status() == "Completed"


def test_a_tracker_sees_each_transition_in_the_list(aws: RunningServer, kind: Kind) -> None:
    """DESIGN 4.5: LastModifiedTimeAfter brings what moved on, and nothing else."""
    kind.create("a")
    kind.create("b", Environment={"SANDBOX_SECONDS": "900"})
    aws.clock.advance(10)
    mark = max(row["LastModifiedTime"] for row in kind.listed())
    assert kind.listed(LastModifiedTimeAfter=mark) == []
    aws.clock.advance(kind.works_s)
    member = kind.resource.title()
    seen = [
        (row[f"{member}JobName"], row[f"{member}JobStatus"], f"{member}EndTime" in row)
        for row in kind.listed(LastModifiedTimeAfter=mark)
    ]
    assert seen == [("a", "Completed", True)]
    assert [row[f"{member}JobName"] for row in kind.listed(StatusEquals="InProgress")] == ["b"]
    assert [row[f"{member}JobName"] for row in kind.listed(NameContains="A")] == ["a"]


def test_tags_stay_with_the_job(kind: Kind, sagemaker: Any) -> None:
    """Ownership is proved by tags for every kind alike."""
    arn = kind.create(Tags=[{"Key": "owner", "Value": "me"}])
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    kind.call("stop")
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"owner": "me", "team": "a"}
    unknown = arn.replace("/job", "/nobody")
    assert refusal(sagemaker.list_tags, ResourceArn=unknown)[1] == "Could not find requested job with name: nobody"


@pytest.mark.parametrize("failing", [True, False])
def test_log_lines_appear_while_the_job_works(
    aws: RunningServer, kind: Kind, client: Callable[[str], Any], failing: bool
) -> None:
    """A group per kind, streams below the job's name; the last line says how it ended."""
    kind.create(Environment={"SANDBOX_FAIL": "broken"} if failing else {})
    group = f"/aws/sagemaker/{kind.resource.title()}Jobs"
    logs = client("logs")
    assert refusal(logs.filter_log_events, logGroupName=group)[0] == "ResourceNotFoundException"
    counts = []
    for _ in range(4):
        aws.clock.advance(60)
        events = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="job/")["events"]
        assert all(event["timestamp"] <= aws.clock.now() * 1000 for event in events)
        counts.append(len(events))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    last = events[-1]["message"]
    assert ("AlgorithmError: broken" in last) if failing else (last == "INFO: done")


def test_a_stopped_job_writes_no_more(aws: RunningServer, kind: Kind, client: Callable[[str], Any]) -> None:
    """Its last line is about the signal that ended it; no line is from a time after that."""
    kind.create()
    aws.clock.advance(60)
    kind.call("stop")
    stopped_at = aws.clock.now()
    aws.clock.advance(1000)
    group = f"/aws/sagemaker/{kind.resource.title()}Jobs"
    events = client("logs").filter_log_events(logGroupName=group)["events"]
    assert events[-1]["message"] == "INFO: received SIGTERM"
    assert max(event["timestamp"] for event in events) <= stopped_at * 1000


def test_answers_hold_only_what_the_service_model_knows(aws: RunningServer, kind: Kind) -> None:
    """And all that it requires, before and after the end."""
    kind.create(Environment={"SANDBOX_FAIL": "broken"})
    member = f"{kind.resource.title()}Job"
    for _ in range(2):
        assert departures(aws.url, f"Describe{member}", {f"{member}Name": "job"}) == []
        assert departures(aws.url, f"List{member}s", {}) == []
        aws.clock.advance(1000)


def test_a_transform_job_needs_its_model(sagemaker: Any, aws: RunningServer) -> None:
    """v1-kinds 13.4, missing dependency: the refusal is that of DescribeModel."""
    code, message, _ = refusal(sagemaker.create_transform_job, **transform_request())
    arn = "arn:aws:sagemaker:us-west-2:123456789012:model/model"
    assert (code, message) == ("ValidationException", f'Could not find model "{arn}".')
    assert sagemaker.list_transform_jobs()["TransformJobSummaries"] == []


def test_a_transform_job_shares_the_markers_of_its_model(sagemaker: Any, aws: RunningServer) -> None:
    """A broken model breaks whatever runs it."""
    broken = {"Image": "x", "Environment": {"SANDBOX_FAIL": "model is broken"}}
    sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=broken)
    sagemaker.create_transform_job(**transform_request())
    aws.clock.advance(1000)
    reason = sagemaker.describe_transform_job(TransformJobName="job")["FailureReason"]
    assert reason == "AlgorithmError: model is broken"


def test_a_marker_of_the_job_itself_counts_more_than_one_of_its_model(sagemaker: Any, aws: RunningServer) -> None:
    """So that one job can differ from the others of its model."""
    slow = {"Image": "x", "Environment": {"SANDBOX_SECONDS": "500"}}
    sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=slow)
    sagemaker.create_transform_job(**transform_request(Environment={"SANDBOX_SECONDS": "5"}))
    aws.clock.advance(15)
    assert sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"] == "Completed"


def test_a_transform_job_shows_the_defaults_of_the_service(aws: RunningServer, sagemaker: Any) -> None:
    """v1-kinds 11: DataProcessing and the None values appear in Describe though nobody asked for them."""
    sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "x"})
    sagemaker.create_transform_job(**transform_request())
    answer = sagemaker.describe_transform_job(TransformJobName="job")
    assert answer["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert (answer["TransformInput"]["CompressionType"], answer["TransformInput"]["SplitType"]) == ("None", "None")
    assert answer["TransformOutput"]["AssembleWith"] == "None"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"AppSpecification": {"ImageUri": "x/does-not-exist:1"}}, "ClientError: Cannot pull algorithm container."),
        (
            {
                "ProcessingInputs": [
                    {
                        "InputName": "in",
                        "S3Input": {"S3Uri": "s3://does-not-exist/in", "S3DataType": "S3Prefix"},
                    }
                ]
            },
            "ClientError: Data download failed:No S3 objects found",
        ),
        ({"Environment": {"SANDBOX_FAIL": "bad rows"}}, "AlgorithmError: bad rows, exit code: 1"),
    ],
)
def test_a_processing_job_says_why_it_failed(
    sagemaker: Any, aws: RunningServer, members: dict[str, Any], words: str
) -> None:
    """What is missing is known only once the instances are there; the container's own words are the exit message."""
    sagemaker.create_processing_job(**processing_request(**members))
    aws.clock.advance(1000)
    answer = sagemaker.describe_processing_job(ProcessingJobName="job")
    assert answer["ProcessingJobStatus"] == "Failed"
    assert answer["FailureReason"].startswith(words)
    assert answer.get("ExitMessage") == ("bad rows" if "bad rows" in words else None)


def test_a_processing_job_has_a_time_limit(sagemaker: Any, aws: RunningServer) -> None:
    """StoppingCondition.MaxRuntimeInSeconds counts from the start of the work."""
    sagemaker.create_processing_job(**processing_request(StoppingCondition={"MaxRuntimeInSeconds": 30}))
    statuses = []
    for wait_s in (39, 1, 60):
        aws.clock.advance(wait_s)
        statuses.append(sagemaker.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"])
    assert statuses == ["InProgress", "Stopping", "Stopped"]


def test_a_processing_job_that_has_ended_can_be_deleted(sagemaker: Any, aws: RunningServer) -> None:
    """DeleteProcessingJob; while it runs, the refusal says so."""
    sagemaker.create_processing_job(**processing_request())
    assert "InProgress" in refusal(sagemaker.delete_processing_job, ProcessingJobName="job")[1]
    aws.clock.advance(1000)
    sagemaker.delete_processing_job(ProcessingJobName="job")
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []
