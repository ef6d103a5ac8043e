"""Where moto's own SageMaker differs from the real one, and the embedded SageMaker does not.

Each row is played to both. A row that fails on moto's side says that moto has changed: then look whether what overrides
it there is still needed, and correct the row.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import pytest

from hack.sandbox.aws.moto_bridge import MotoBridge
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.wire import ApiError, HttpRequest, UnknownOperationError
from tests.unit.sandbox_aws.answers import raw
from tests.unit.sandbox_aws.conftest import REGION

Ask: TypeAlias = Callable[..., Any]
"""Operation and members → the decoded answer, or the code of the error."""

ROLE: Final = "arn:aws:iam::123456789012:role/r"
JOB: Final = {
    "TrainingJobName": "n",
    "RoleArn": ROLE,
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
VARIANT: Final = {"VariantName": "v", "ModelName": "n", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
CREATIONS: Final[dict[str, dict[str, Any]]] = {
    "CreateModel": {"ModelName": "n", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}},
    "CreateEndpointConfig": {"EndpointConfigName": "n", "ProductionVariants": [VARIANT]},
    "CreateEndpoint": {"EndpointName": "n", "EndpointConfigName": "n"},
    "CreateTrainingJob": JOB,
}
MISSING: Final = "UnknownOperationException"


def twice(creation: str) -> Callable[[Ask], str]:
    """Create the same twice; what the second answer is."""

    def play(ask: Ask) -> str:
        answer = ask(creation, **CREATIONS[creation])
        return answer if isinstance(answer, str) else "success"

    return play


def state(operation: str, member: str) -> Callable[[Ask], str]:
    """The state of what was created a moment ago."""
    return lambda ask: str(ask(operation, **{f"{operation.removeprefix('Describe')}Name": "n"})[member])


def code(operation: str, **members: Any) -> Callable[[Ask], str]:
    """The code of the error."""

    def play(ask: Ask) -> str:
        answer = ask(operation, **members)
        return answer if isinstance(answer, str) else "success"

    return play


def deleted_meanwhile(ask: Ask) -> str:
    """Delete the configuration of an endpoint that is being created; what becomes of the endpoint."""
    ask("DeleteEndpointConfig", EndpointConfigName="n")
    ask("(time passes)")
    return str(ask("DescribeEndpoint", EndpointName="n")["EndpointStatus"])


ROWS: Final[dict[str, tuple[Callable[[Ask], str], str, str]]] = {
    "a second Create of a job": (twice("CreateTrainingJob"), "success", "ResourceInUse"),
    "a second Create of a model": (twice("CreateModel"), "success", "ValidationException"),
    "a second Create of a configuration": (twice("CreateEndpointConfig"), "success", "ValidationException"),
    "a second Create of an endpoint": (twice("CreateEndpoint"), "success", "ValidationException"),
    "a job that was just created": (state("DescribeTrainingJob", "TrainingJobStatus"), "Completed", "InProgress"),
    "an endpoint that was just created": (state("DescribeEndpoint", "EndpointStatus"), "InService", "Creating"),
    "StopTrainingJob": (code("StopTrainingJob", TrainingJobName="n"), MISSING, "success"),
    "DeleteTrainingJob of one that runs": (
        code("DeleteTrainingJob", TrainingJobName="n"),
        MISSING,
        "ValidationException",
    ),
    "UpdateTrainingJob of a job that is none": (
        code("UpdateTrainingJob", TrainingJobName="none"),
        MISSING,
        "ValidationException",
    ),
    "StopTransformJob": (code("StopTransformJob", TransformJobName="none"), MISSING, "ValidationException"),
    "StopHyperParameterTuningJob": (
        code("StopHyperParameterTuningJob", HyperParameterTuningJobName="none"),
        MISSING,
        "ResourceNotFound",
    ),
    "UpdateEndpoint during a creation": (
        code("UpdateEndpoint", EndpointName="n", EndpointConfigName="n"),
        MISSING,
        "ValidationException",
    ),
    "DeleteEndpoint during a creation": (code("DeleteEndpoint", EndpointName="n"), "success", "ValidationException"),
    "a configuration that is deleted while it is used": (deleted_meanwhile, "InService", "Failed"),
}
"""What is played after everything of CREATIONS was created, what plain moto answers, and what SageMaker does."""


@pytest.fixture(scope="module")
def bridge() -> MotoBridge:
    """moto, with nothing of ours in front of it."""
    return MotoBridge()


@pytest.fixture
def plain(bridge: MotoBridge) -> Iterator[Ask]:
    """Calls of plain moto, empty at first."""
    scope = f"Credential=key/20300101/{REGION}/sagemaker/aws4_request"

    def ask(operation: str, **members: Any) -> Any:
        if operation.startswith("("):
            return None
        headers = {
            "host": f"api.sagemaker.{REGION}.amazonaws.com",
            "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"SageMaker.{operation}",
            "authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        }
        try:
            response = bridge.answer(HttpRequest("POST", "/", headers, json.dumps(members).encode()))
        except UnknownOperationError:
            return MISSING
        except ApiError as refused:
            return refused.code
        answer = json.loads(response.body or b"{}")
        return answer["__type"] if response.status >= 400 else answer

    bridge.reset()
    yield ask
    bridge.reset()


@pytest.fixture
def ours(aws: RunningServer) -> Ask:
    """Calls of the embedded SageMaker, empty at first."""

    def ask(operation: str, **members: Any) -> Any:
        if operation.startswith("("):
            return aws.clock.advance(86_400)
        status, _, answer = raw(aws.url, operation, json.dumps(members))
        return answer["__type"] if status >= 400 else answer or {}

    return ask


@pytest.mark.parametrize("row", ROWS)
def test_moto_is_overridden_where_it_differs_from_sagemaker(row: str, plain: Ask, ours: Ask) -> None:
    """What we rely on would be wrong with plain moto."""
    play, by_moto, by_sagemaker = ROWS[row]
    for ask in (plain, ours):
        for operation, members in CREATIONS.items():
            assert not isinstance(ask(operation, **members), str), operation
    assert play(ours) == by_sagemaker
    assert play(plain) == by_moto, f"moto has changed: {row}; is what overrides it still needed?"
