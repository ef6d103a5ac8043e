"""CloudWatch Logs of training jobs, as `kubectl smlogs` reads them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.conftest import Request

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture
def logs(aws: RunningServer, client: Callable[[str], Any]) -> Any:
    """A CloudWatch Logs client."""
    return client("logs")


def test_before_any_job_has_trained_there_is_no_group(logs: Any, sagemaker: Any, request_of: Request) -> None:
    """AWS creates the group with the first line: until then, ResourceNotFoundException."""
    sagemaker.create_training_job(**request_of())
    with pytest.raises(ClientError) as refused:
        logs.filter_log_events(logGroupName=GROUP)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ResourceNotFoundException", "The specified log group does not exist.")


def test_each_instance_has_a_stream_named_after_the_job(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request
) -> None:
    """`<job>/algo-<n>-<epoch>`: a prefix of the job's name finds them."""
    two = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 5}
    sagemaker.create_training_job(**request_of("one"))
    sagemaker.create_training_job(**request_of("two", ResourceConfig=two))
    aws.clock.advance(30)
    epoch = int(aws.clock.now())
    streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="two/")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [f"two/algo-1-{epoch}", f"two/algo-2-{epoch}"]


def test_lines_appear_as_the_job_trains(aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request) -> None:
    """Following a log means to see more of the same lines each time, none of them from the future."""
    sagemaker.create_training_job(**request_of())
    counts = []
    for _ in range(4):
        aws.clock.advance(100)
        events = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="job/")["events"]
        assert all(event["timestamp"] <= aws.clock.now() * 1000 for event in events)
        counts.append(len(events))
    assert counts == sorted(set(counts))
    assert events[-1]["message"] == "INFO:root:Training finished, model saved to /opt/ml/model"


def test_stopping_a_job_does_not_change_what_it_has_written(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request
) -> None:
    """Who follows a log must not see its past change."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(100)
    before = logs.filter_log_events(logGroupName=GROUP)["events"]
    sagemaker.stop_training_job(TrainingJobName="job")
    aws.clock.advance(1000)
    after = logs.filter_log_events(logGroupName=GROUP)["events"]
    assert after[: len(before)] == before
    assert [event["message"] for event in after[len(before) :]] == ["INFO:root:Received SIGTERM, saving what there is"]


def test_each_attempt_of_a_spot_job_has_a_stream(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request
) -> None:
    """After an interruption a new container starts, with a stream of its own."""
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200},
        "Environment": {"SANDBOX_INTERRUPT": "1"},
    }
    sagemaker.create_training_job(**request_of(**spot))
    aws.clock.advance(100)
    assert len(logs.describe_log_streams(logGroupName=GROUP)["logStreams"]) == 1
    aws.clock.advance(1000)
    first, second = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert second["creationTime"] - first["lastEventTimestamp"] == (40 + 10 + 20) * 1000


def test_events_are_filtered_by_time_stream_and_words_and_come_in_pages(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request
) -> None:
    """FilterLogEvents: startTime is inclusive, pages join to the whole."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(1000)
    everything = logs.filter_log_events(logGroupName=GROUP)["events"]
    middle = everything[10]["timestamp"]
    assert logs.filter_log_events(logGroupName=GROUP, startTime=middle)["events"] == everything[10:]
    assert logs.filter_log_events(logGroupName=GROUP, logStreamNames=["other"])["events"] == []
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern='"[3]" train-error')["events"]
    assert [event["message"][:4] for event in found] == ["[3]#"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, limit=7)
    assert [event for page in pages for event in page["events"]] == everything


def test_a_stream_is_read_forwards_until_the_token_repeats(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request
) -> None:
    """GetLogEvents: at the end, the same nextForwardToken comes back, and continues once there is more."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(100)
    stream = logs.describe_log_streams(logGroupName=GROUP)["logStreams"][0]["logStreamName"]
    where = {"logGroupName": GROUP, "logStreamName": stream}
    first = logs.get_log_events(**where, startFromHead=True, limit=2)
    rest = logs.get_log_events(**where, nextToken=first["nextForwardToken"])
    assert first["events"][0]["message"] == "INFO:root:Starting training on algo-1"
    assert (
        logs.get_log_events(**where, nextToken=rest["nextForwardToken"])["nextForwardToken"] == rest["nextForwardToken"]
    )
    aws.clock.advance(500)
    assert logs.get_log_events(**where, nextToken=rest["nextForwardToken"])["events"]
    assert logs.get_log_events(**where, limit=1)["events"][0]["message"].startswith("INFO:root:Training finished")


@pytest.mark.parametrize(("marker", "last"), [("SANDBOX_FAIL", "ERROR:root:AlgorithmError: broken, exit code: 1")])
def test_a_failed_job_says_why_in_its_last_line(
    aws: RunningServer, logs: Any, sagemaker: Any, request_of: Request, marker: str, last: str
) -> None:
    """The reason is where a user looks first."""
    sagemaker.create_training_job(**request_of(Environment={marker: "broken"}))
    aws.clock.advance(1000)
    assert logs.filter_log_events(logGroupName=GROUP)["events"][-1]["message"] == last


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("get_log_events", {"logStreamName": "job/other"}, "ResourceNotFoundException"),
        ("get_log_events", {"logStreamName": "job/algo-1-{epoch}", "nextToken": "f/x"}, "InvalidParameterException"),
        ("filter_log_events", {"logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "InvalidParameterException"),
        ("describe_log_streams", {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}, "InvalidParameterException"),
    ],
)
def test_a_wrong_question_is_refused(
    aws: RunningServer,
    logs: Any,
    sagemaker: Any,
    request_of: Request,
    operation: str,
    members: dict[str, Any],
    code: str,
) -> None:
    """API reference of CloudWatch Logs."""
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(30)
    epoch = str(int(aws.clock.now()))
    filled = {
        key: value.replace("{epoch}", epoch) if isinstance(value, str) else value for key, value in members.items()
    }
    with pytest.raises(ClientError) as refused:
        getattr(logs, operation)(logGroupName=GROUP, **filled)
    assert refused.value.response["Error"]["Code"] == code
