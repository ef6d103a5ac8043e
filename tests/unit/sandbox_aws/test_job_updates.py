"""UpdateTrainingJob: what it changes, and in which state."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.conftest import Request

KEEP_S = 600


@pytest.fixture
def warm(sagemaker: Any, request_of: Request) -> dict[str, Any]:
    """A job that asks for a warm pool; its resources."""
    resources: dict[str, Any] = request_of()["ResourceConfig"] | {"KeepAlivePeriodInSeconds": KEEP_S}
    sagemaker.create_training_job(**request_of(ResourceConfig=resources))
    return resources


def pool(sagemaker: Any) -> str:
    """The status of the warm pool; empty if there is none."""
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    status: str = answer.get("WarmPoolStatus", {}).get("Status", "")
    return status


def keep(sagemaker: Any, seconds: int) -> None:
    """Change the time for which the pool is kept."""
    sagemaker.update_training_job(TrainingJobName="job", ResourceConfig={"KeepAlivePeriodInSeconds": seconds})


def test_a_running_job_takes_every_member_and_keeps_the_rest(sagemaker: Any, warm: dict[str, Any]) -> None:
    """Describe shows what was sent, merged into the job's own resources."""
    keep(sagemaker, 60)
    sagemaker.update_training_job(TrainingJobName="job", ProfilerConfig={"DisableProfiler": True})
    answer = sagemaker.describe_training_job(TrainingJobName="job")
    assert answer["ResourceConfig"] == warm | {"KeepAlivePeriodInSeconds": 60}
    assert answer["ProfilerConfig"] == {"DisableProfiler": True}
    assert answer["ProfilingStatus"] == "Disabled"


def test_an_available_pool_is_prolonged_and_ended(aws: RunningServer, sagemaker: Any, warm: dict[str, Any]) -> None:
    """Developer guide, "Use SageMaker managed warm pools": an update to zero ends it, and it does not come back."""
    aws.clock.advance(360 + KEEP_S - 1)
    keep(sagemaker, 2 * KEEP_S)
    aws.clock.advance(2)
    assert pool(sagemaker) == "Available"
    keep(sagemaker, 0)
    assert pool(sagemaker) == "Terminated"
    with pytest.raises(ClientError, match="Completed"):
        keep(sagemaker, KEEP_S)


@pytest.mark.parametrize("seconds", [360 + KEEP_S, 10_000])
def test_what_is_over_cannot_be_changed(aws: RunningServer, sagemaker: Any, warm: dict[str, Any], seconds: int) -> None:
    """Neither a pool whose time is over, nor the profiler of a job that has ended."""
    aws.clock.advance(seconds)
    with pytest.raises(ClientError, match="ValidationException"):
        keep(sagemaker, KEEP_S)
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.update_training_job(TrainingJobName="job", ProfilerConfig={"DisableProfiler": True})


def test_the_profiler_of_a_job_with_a_pool_cannot_be_changed(
    aws: RunningServer, sagemaker: Any, warm: dict[str, Any]
) -> None:
    """Only its pool can."""
    aws.clock.advance(400)
    with pytest.raises(ClientError, match="ValidationException"):
        sagemaker.update_training_job(TrainingJobName="job", ProfilerConfig={"DisableProfiler": True})
    assert pool(sagemaker) == "Available"


def test_an_unknown_job_is_not_found(sagemaker: Any) -> None:
    """With the error of the other operations."""
    with pytest.raises(ClientError, match="not found"):
        keep(sagemaker, 0)
