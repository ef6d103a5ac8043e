"""A training job's life, seen through boto3, second by second of a clock that the test moves."""

from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.conftest import Request


def seen(sagemaker: Any, name: str = "job") -> tuple[str, str]:
    """Primary and secondary status."""
    answer = sagemaker.describe_training_job(TrainingJobName=name)
    return answer["TrainingJobStatus"], answer["SecondaryStatus"]


def transitions(sagemaker: Any, name: str = "job") -> list[str]:
    """The secondary statuses passed through."""
    answer = sagemaker.describe_training_job(TrainingJobName=name)
    return [step["Status"] for step in answer["SecondaryStatusTransitions"]]


@pytest.mark.parametrize(
    ("after_s", "status", "secondary"),
    [
        (0, "InProgress", "Starting"),
        (9.9, "InProgress", "Starting"),
        (10, "InProgress", "Downloading"),
        (30, "InProgress", "Training"),
        (330, "InProgress", "Uploading"),
        (360, "Completed", "Completed"),
        (1e6, "Completed", "Completed"),
    ],
)
def test_a_job_passes_through_its_stages_as_time_goes_by(
    aws: RunningServer, sagemaker: Any, request_of: Request, after_s: float, status: str, secondary: str
) -> None:
    """v1-kinds 6.1: InProgress with its secondary statuses, then Completed, and nothing after that."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(after_s)
    assert seen(sagemaker) == (status, secondary)


def test_last_modified_changes_with_each_transition_and_only_then(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """The tracker pages by LastModifiedTimeAfter: a transition that kept the old time would never be seen."""
    sagemaker.create_training_job(**request_of())
    created = sagemaker.describe_training_job(TrainingJobName="job")["CreationTime"]
    offsets = []
    for _ in range(10):
        answer = sagemaker.describe_training_job(TrainingJobName="job")
        offsets.append((answer["LastModifiedTime"] - created).total_seconds())
        aws.clock.advance(45)
    assert offsets == [0, 30, 30, 30, 30, 30, 30, 30, 360, 360]


def test_a_completed_job_tells_times_costs_artifacts_and_transitions(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """v1-kinds 8: the model's place is joined with exactly one slash. Billed is the time on instances."""
    metric = {"Name": "loss", "Regex": "loss=(.*)"}
    algorithm = request_of()["AlgorithmSpecification"] | {"MetricDefinitions": [metric]}
    sagemaker.create_training_job(**request_of(AlgorithmSpecification=algorithm))
    aws.clock.advance(1000)
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    elapsed = {
        name: (answer[name] - answer["CreationTime"]).total_seconds()
        for name in ("TrainingStartTime", "TrainingEndTime")
    }
    assert elapsed == {"TrainingStartTime": 10, "TrainingEndTime": 360}
    assert (answer["TrainingTimeInSeconds"], answer["BillableTimeInSeconds"]) == (350, 350)
    assert answer["ModelArtifacts"] == {"S3ModelArtifacts": "s3://bucket/models/job/output/model.tar.gz"}
    assert [metric["MetricName"] for metric in answer["FinalMetricDataList"]] == ["loss"]
    assert "FailureReason" not in answer
    steps = answer["SecondaryStatusTransitions"]
    assert [step["Status"] for step in steps] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(step["EndTime"] == following["StartTime"] for step, following in pairwise(steps))


def test_a_running_job_has_neither_end_nor_artifacts(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A client must not find a model that is not there yet."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(100)
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert not {"ModelArtifacts", "TrainingEndTime", "BillableTimeInSeconds", "FinalMetricDataList"} & answer.keys()
    assert answer["TrainingTimeInSeconds"] == 90
    assert "EndTime" not in answer["SecondaryStatusTransitions"][-1]


def test_stopping_takes_time_and_saves_the_model(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """v1-kinds 12.1 rows 7 and 8: Stopping for a while, then Stopped."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(100)
    sagemaker.stop_training_job(TrainingJobName="job")
    assert seen(sagemaker) == ("Stopping", "Stopping")
    aws.clock.advance(59)
    assert seen(sagemaker) == ("Stopping", "Stopping")
    aws.clock.advance(1)
    assert seen(sagemaker) == ("Stopped", "Stopped")
    assert transitions(sagemaker) == ["Starting", "Downloading", "Training", "Stopping", "Stopped"]
    assert sagemaker.describe_training_job(TrainingJobName="job")["ModelArtifacts"]


@pytest.mark.parametrize(
    ("stopped_after_s", "then_s", "status"), [(100, 0, "Stopping"), (100, 60, "Stopped"), (360, 0, "Completed")]
)
def test_only_a_job_in_progress_can_be_stopped(
    aws: RunningServer, sagemaker: Any, request_of: Request, stopped_after_s: float, then_s: float, status: str
) -> None:
    """v1-kinds 13.3: the refusal names the status."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(stopped_after_s)
    if status != "Completed":
        sagemaker.stop_training_job(TrainingJobName="job")
    aws.clock.advance(then_s)
    with pytest.raises(ClientError) as refused:
        sagemaker.stop_training_job(TrainingJobName="job")
    error = refused.value.response["Error"]
    text = f"The request was rejected because the training job is in status {status}."
    assert (error["Code"], error["Message"]) == ("ValidationException", text)


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param({"Tags": [{"Key": "sandbox/fail", "Value": "out of memory"}]}, id="a tag"),
        pytest.param({"Environment": {"SANDBOX_FAIL": "out of memory"}}, id="an environment variable"),
        pytest.param({"HyperParameters": {"sandbox-fail": "out of memory"}}, id="a hyperparameter"),
    ],
)
def test_a_marked_job_fails_with_an_algorithm_error(
    aws: RunningServer, sagemaker: Any, request_of: Request, marked: dict[str, Any]
) -> None:
    """The sandbox's markers: the same word wherever the manifest has room for it."""
    sagemaker.create_training_job(**request_of(**marked))
    aws.clock.advance(359)
    assert seen(sagemaker) == ("InProgress", "Uploading")
    aws.clock.advance(1)
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert (answer["TrainingJobStatus"], answer["SecondaryStatus"]) == ("Failed", "Failed")
    assert answer["FailureReason"] == "AlgorithmError: out of memory, exit code: 1"


def test_a_name_that_starts_with_fail_fails(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """So that `kubectl` users need no marker at all."""
    sagemaker.create_training_job(**request_of("fail-me"))
    aws.clock.advance(360)
    reason = sagemaker.describe_training_job(TrainingJobName="fail-me")["FailureReason"]
    assert reason.startswith("AlgorithmError: ExecuteUserScriptError")


def test_an_image_that_does_not_exist_fails_before_training(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """SageMaker pulls the image late: the request is accepted, the job fails."""
    image = {
        "TrainingImage": "123456789012.dkr.ecr.us-west-2.amazonaws.com/does-not-exist:1",
        "TrainingInputMode": "File",
    }
    sagemaker.create_training_job(**request_of(AlgorithmSpecification=image))
    aws.clock.advance(30)
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert answer["FailureReason"].startswith("ClientError: Cannot pull algorithm container.")
    assert transitions(sagemaker) == ["Starting", "Downloading", "Failed"]


def test_a_job_that_trains_too_long_is_stopped_by_its_own_condition(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """MaxRuntimeInSeconds counts training, not the time before it."""
    sagemaker.create_training_job(**request_of(StoppingCondition={"MaxRuntimeInSeconds": 100}))
    aws.clock.advance(129)
    assert seen(sagemaker) == ("InProgress", "Training")
    aws.clock.advance(1)
    assert seen(sagemaker) == ("Stopping", "Stopping")
    aws.clock.advance(60)
    assert seen(sagemaker) == ("Stopped", "MaxRuntimeExceeded")


def test_a_spot_job_can_be_interrupted_and_begins_again(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """Managed spot training: Interrupted, then all stages again; what is billed is less than what it took."""
    condition = {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    spot = request_of(
        StoppingCondition=condition, EnableManagedSpotTraining=True, Environment={"SANDBOX_INTERRUPT": "1"}
    )
    sagemaker.create_training_job(**spot)
    aws.clock.advance(180)
    assert seen(sagemaker) == ("InProgress", "Interrupted")
    aws.clock.advance(1000)
    stages = ["Starting", "Downloading", "Training"]
    assert transitions(sagemaker) == [*stages, "Interrupted", *stages, "Uploading", "Completed"]
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert answer["BillableTimeInSeconds"] < answer["TrainingTimeInSeconds"] == 20 + 150 + 20 + 150 + 30


def test_the_runtime_of_all_attempts_counts(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """MaxRuntimeInSeconds 200 with an interruption after 150 leaves 50 for the second attempt."""
    condition = {"MaxRuntimeInSeconds": 200, "MaxWaitTimeInSeconds": 7200}
    spot = request_of(
        StoppingCondition=condition, EnableManagedSpotTraining=True, Environment={"SANDBOX_INTERRUPT": "1"}
    )
    sagemaker.create_training_job(**spot)
    aws.clock.advance(1000)
    end = sagemaker.describe_training_job(TrainingJobName="job")
    assert end["SecondaryStatus"] == "MaxRuntimeExceeded"
    elapsed_s = (end["TrainingEndTime"] - end["CreationTime"]).total_seconds()
    assert elapsed_s == (10 + 20 + 150) + 40 + (10 + 20 + 50) + 60


def test_a_spot_job_that_waits_too_long_is_stopped(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """MaxWaitTimeInSeconds counts everything, interruptions too."""
    condition = {"MaxRuntimeInSeconds": 200, "MaxWaitTimeInSeconds": 200}
    spot = request_of(
        StoppingCondition=condition, EnableManagedSpotTraining=True, Environment={"SANDBOX_INTERRUPT": "1"}
    )
    sagemaker.create_training_job(**spot)
    aws.clock.advance(1000)
    assert seen(sagemaker) == ("Stopped", "MaxWaitTimeExceeded")
    end = sagemaker.describe_training_job(TrainingJobName="job")
    assert (end["TrainingEndTime"] - end["CreationTime"]).total_seconds() == 200 + 60


@pytest.mark.parametrize(
    ("members", "stop", "verdict"),
    [
        ({}, False, "NoIssuesFound"),
        ({"Environment": {"SANDBOX_RULE_ISSUE": "LossNotDecreasing"}}, False, "IssuesFound"),
        ({"Environment": {"SANDBOX_FAIL": "x"}}, False, "Error"),
        ({}, True, "Stopped"),
    ],
)
def test_debugger_rules_end_later_than_their_job(
    aws: RunningServer, sagemaker: Any, request_of: Request, members: dict[str, Any], stop: bool, verdict: str
) -> None:
    """v1-kinds 6.8: a rule may still run when the job is terminal, and the job's own times do not move for it."""
    rule = {"RuleConfigurationName": "LossNotDecreasing", "RuleEvaluatorImage": "895741380848.dkr.ecr/rules:latest"}
    sagemaker.create_training_job(**request_of(DebugRuleConfigurations=[rule], **members))
    if stop:
        aws.clock.advance(300)
        sagemaker.stop_training_job(TrainingJobName="job")
        aws.clock.advance(60)
    else:
        aws.clock.advance(360)
    ended = sagemaker.describe_training_job(TrainingJobName="job")
    aws.clock.advance(100)
    later = sagemaker.describe_training_job(TrainingJobName="job")
    assert ended["DebugRuleEvaluationStatuses"][0]["RuleEvaluationStatus"] == ("Stopping" if stop else "InProgress")
    assert later["DebugRuleEvaluationStatuses"][0]["RuleEvaluationStatus"] == verdict
    assert ended["LastModifiedTime"] == later["LastModifiedTime"]


def test_a_job_that_has_ended_can_be_deleted(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """What happens when somebody tidies up outside of Kubernetes: the job is not found any more."""
    sagemaker.create_training_job(**request_of())
    with pytest.raises(ClientError, match="in status InProgress"):
        sagemaker.delete_training_job(TrainingJobName="job")
    aws.clock.advance(360)
    sagemaker.delete_training_job(TrainingJobName="job")
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="job")
