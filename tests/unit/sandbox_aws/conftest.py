"""An embedded SageMaker whose clock stands still, and real boto3 clients for it."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.server import RunningServer, start
from tests.deadline import PATIENCE_S

REGION = "us-west-2"
DURATIONS = Durations(
    starting_s=10,
    downloading_s=20,
    training_s=300,
    uploading_s=30,
    stopping_s=60,
    interrupted_s=40,
    rules_s=100,
    transform_s=200,
    processing_s=150,
    creating_s=400,
    updating_s=300,
    rolling_back_s=80,
    deleting_s=50,
)
# boto3's own checks are off, so that it is the server that refuses.
ONE_TRY = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=PATIENCE_S,
    read_timeout=PATIENCE_S,
    parameter_validation=False,
)
Request = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """One server for all tests: a job takes 360 seconds of a clock that only tests move."""
    with start(durations=DURATIONS, clock=SandboxClock.frozen()) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: RunningServer) -> Iterator[Callable[[str], Any]]:
    """A factory of boto3 clients for the server, one per service, closed at the end."""
    session = boto3.Session("test", "test", region_name=REGION)
    clients: dict[str, Any] = {}

    def made(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=server.url, config=ONE_TRY)
            clients[service].meta.events.register("before-sign", without_keep_alive)
        return clients[service]

    yield made
    for one in clients.values():
        one.close()


def without_keep_alive(request: Any, **_: object) -> None:
    """Let each connection, and the server's thread for it, end with its answer: no test leaves a thread behind."""
    request.headers["Connection"] = "close"


@pytest.fixture
def aws(server: RunningServer) -> Iterator[RunningServer]:
    """The server, empty; afterwards no request hangs in it."""
    server.reset()
    yield server
    server.reset()


@pytest.fixture
def sagemaker(aws: RunningServer, client: Callable[[str], Any]) -> Any:
    """A SageMaker client of an empty server."""
    return client("sagemaker")


@pytest.fixture
def request_of() -> Request:
    """Build a CreateTrainingJob request: the smallest valid one, with members replaced."""

    def build(name: str = "job", **members: Any) -> dict[str, Any]:
        request = {
            "TrainingJobName": name,
            "AlgorithmSpecification": {
                "TrainingImage": "123456789012.dkr.ecr.us-west-2.amazonaws.com/algorithm:1",
                "TrainingInputMode": "File",
            },
            "RoleArn": "arn:aws:iam::123456789012:role/training",
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
        } | members
        return {key: value for key, value in request.items() if value is not None}

    return build
