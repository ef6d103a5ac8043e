"""Starting and stopping the server, its HTTP, and what it leaves to moto."""

import http.client
import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import boto3
import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.moto_bridge import DEFAULT_ACCOUNT, MotoBridge
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.server import RunningServer, start
from tests.deadline import PATIENCE_S

ROLE = "arn:aws:iam::123456789012:role/training"


def address(aws: RunningServer) -> str:
    """Host and port."""
    return aws.url.removeprefix("http://")


def test_a_stopped_server_leaves_no_thread_and_no_port() -> None:
    """Connections that clients keep open are closed; stopping twice is allowed."""
    before = set(threading.enumerate())
    with start() as aws:
        connection = http.client.HTTPConnection(address(aws), timeout=PATIENCE_S)
        connection.request("GET", "/sandbox/health")
        assert connection.getresponse().read() == b'{"status": "ok"}'
    aws.stop()
    connection.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(address(aws), timeout=PATIENCE_S).connect()


def test_a_taken_port_is_an_error_of_the_caller() -> None:
    """The command line turns it into one line."""
    with start() as aws, pytest.raises(OSError, match="in use"):
        start(int(address(aws).rpartition(":")[2]))


def test_one_connection_serves_many_requests(aws: RunningServer) -> None:
    """HTTP/1.1 keep-alive, as at AWS: a client's pool is tested for what it is."""
    connection = http.client.HTTPConnection(address(aws), timeout=PATIENCE_S)
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request("GET", "/sandbox/health")
        connection.getresponse().read()
    assert connection.sock.getsockname()[1] == port
    connection.close()


def test_calls_that_need_no_moto_do_not_wait_while_it_is_loaded() -> None:
    """`make run` loads it while the operator starts, whose calls are answered in that time."""
    bridge = MotoBridge()
    bridge._lock = MagicMock()  # else a call that waits would wait for ever
    assert (bridge.account_of("AKIA"), bridge.has_rules()) == (DEFAULT_ACCOUNT, False)
    bridge.reset()
    assert not bridge._lock.__enter__.called


def test_speed_divides_all_durations() -> None:
    """`speed=10` is ten times as fast; zero is refused."""
    assert Durations().scaled(0.1).training_s == pytest.approx(Durations().training_s / 10)
    with pytest.raises(ValueError, match="speed"):
        start(speed=0)


def test_the_clock_can_be_somebody_elses() -> None:
    """A test with its own fake clock hands it over, and the Date header shows it."""
    with start(clock=SandboxClock(lambda: 0.0)) as aws:
        connection = http.client.HTTPConnection(address(aws), timeout=PATIENCE_S)
        connection.request("GET", "/sandbox/health")
        assert connection.getresponse().getheader("Date") == "Thu, 01 Jan 1970 00:00:00 GMT"
        connection.close()


def test_what_the_sandbox_does_not_do_itself_is_motos(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """What moto does well stays moto's, behind the same endpoint."""
    client("iam").create_role(RoleName="training", AssumeRolePolicyDocument="{}")
    assert client("iam").get_role(RoleName="training")["Role"]["Arn"] == ROLE


def test_an_operation_that_nobody_knows_is_unknown_and_moto_s_own_failures_are_internal(sagemaker: Any) -> None:
    """An answer in any case: a cut connection would look like a network that a client should try again."""
    with pytest.raises(ClientError) as refused:
        sagemaker.update_inference_experiment(Name="x")
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
    with pytest.raises(ClientError) as refused:
        sagemaker.list_tags(ResourceArn="arn:aws:sagemaker:us-west-2:123456789012:notebook-instance/nobody")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_s3_takes_and_gives_objects(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """Bodies pass through whole, with the headers of the service."""
    s3 = client("s3")
    s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="data", Key="train/ä b.csv", Body=b"1,2\n" * 1000)
    answer = s3.get_object(Bucket="data", Key="train/ä b.csv")
    assert answer["Body"].read() == b"1,2\n" * 1000
    assert s3.head_object(Bucket="data", Key="train/ä b.csv")["ContentLength"] == 4000


def test_other_log_groups_are_motos(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """Only SageMaker's groups are computed from jobs."""
    logs = client("logs")
    logs.create_log_group(logGroupName="/mine")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/mine"]


def test_reset_empties_moto_too(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """One call between tests is enough."""
    client("s3").create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    aws.reset()
    assert client("s3").list_buckets()["Buckets"] == []


def test_an_assumed_role_works_in_its_own_account(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """Credentials per namespace assume roles; what is made with them belongs to the role's account."""
    role = "arn:aws:iam::210987654321:role/other"
    keys = client("sts").assume_role(RoleArn=role, RoleSessionName="operator")["Credentials"]
    other = boto3.client(
        "sagemaker",
        region_name="us-west-2",
        endpoint_url=aws.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    arn = other.create_training_job(
        TrainingJobName="job",
        AlgorithmSpecification={"TrainingImage": "x", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": "s3://b/o"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 1},
    )["TrainingJobArn"]
    other.close()
    assert arn == "arn:aws:sagemaker:us-west-2:210987654321:training-job/job"
    assert client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
