"""What people look for when a job has ended: times, seconds that are billed, metrics, logs, the last words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB
from tests.fakes.job_manifests import manifest_of
from tests.fakes.world import World
from tests.faults.tuning_world import manifest as tuning_job

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
END = START + timedelta(minutes=10)
TRAINED = {
    "TrainingStartTime": START,
    "TrainingEndTime": END,
    "TrainingTimeInSeconds": 600,
    "BillableTimeInSeconds": 200,
    "FinalMetricDataList": [{"MetricName": "validation:error", "Value": 0.25, "Timestamp": END}],
    "WarmPoolStatus": {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 0},
}
SHOWN = {
    "trainingStartTime": "2026-01-02T03:04:05Z",
    "trainingEndTime": "2026-01-02T03:14:05Z",
    "trainingTimeInSeconds": 600,
    "billableTimeInSeconds": 200,
    "finalMetricDataList": [{"metricName": "validation:error", "value": 0.25, "timestamp": "2026-01-02T03:14:05Z"}],
    "warmPoolStatus": {"status": "Available", "resourceRetainedBillableTimeInSeconds": 0},
}
ENDS: list[tuple[KindDescriptor, dict[str, Any], JsonObject, str]] = [
    (TRAINING_JOB, TRAINED, SHOWN, "/aws/sagemaker/TrainingJobs"),
    (
        HYPERPARAMETER_TUNING_JOB,
        {"HyperParameterTuningEndTime": END, "ConsumedResources": {"RuntimeInSeconds": 90}},
        {"hyperParameterTuningEndTime": "2026-01-02T03:14:05Z", "consumedResources": {"runtimeInSeconds": 90}},
        "/aws/sagemaker/TrainingJobs",
    ),
    (
        BATCH_TRANSFORM_JOB,
        {"TransformStartTime": START, "TransformEndTime": END},
        {"transformStartTime": "2026-01-02T03:04:05Z", "transformEndTime": "2026-01-02T03:14:05Z"},
        "/aws/sagemaker/TransformJobs",
    ),
    (
        PROCESSING_JOB,
        {"ProcessingStartTime": START, "ProcessingEndTime": END, "ExitMessage": "12 rows"},
        {
            "processingStartTime": "2026-01-02T03:04:05Z",
            "processingEndTime": "2026-01-02T03:14:05Z",
            "exitMessage": "12 rows",
        },
        "/aws/sagemaker/ProcessingJobs",
    ),
]


def ended(descriptor: KindDescriptor, value: str, answer: dict[str, Any]) -> World:
    """A world whose job has ended so."""
    is_tuning = descriptor is HYPERPARAMETER_TUNING_JOB
    obj = tuning_job() if is_tuning else manifest_of(descriptor)
    world = World(descriptor, *([TRAINING_JOB] if is_tuning else []), key=ObjectKey.of(obj))
    world.cluster.apply(obj)
    world.run(10)
    ((_, name),) = world.aws.jobs
    world.aws.move(name, value, **answer)
    world.until(lambda: world.value == value, within_s=60)
    world.run(30)
    return world


@pytest.mark.parametrize(("descriptor", "answer", "shown", "group"), ENDS, ids=lambda each: getattr(each, "kind", ""))
def test_a_completed_job_shows_its_times_results_and_logs(
    descriptor: KindDescriptor, answer: dict[str, Any], shown: JsonObject, group: str
) -> None:
    """By the answer that shows the end: with the same calls and writes as without."""
    world, plain = ended(descriptor, "Completed", answer), ended(descriptor, "Completed", {})
    assert {name: world.status.get(name) for name in shown} == shown
    assert f"group={group};prefix={world.status[descriptor.name.status_field]};" in world.status["cloudWatchLogUrl"]
    assert world.sagemaker.operations == plain.sagemaker.operations
    assert len(world.cluster.writes) == len(plain.cluster.writes)


@pytest.mark.parametrize("value", ["Stopped", "Failed"])
def test_a_job_without_success_shows_what_it_cost_and_no_results(value: str) -> None:
    """As for the model path: scripts take results for a sign of success."""
    status = ended(TRAINING_JOB, value, TRAINED).status
    assert status["billableTimeInSeconds"] == 200
    assert not {"finalMetricDataList", "warmPoolStatus"} & set(status)


def test_what_grows_while_a_job_runs_is_not_shown_before_its_end() -> None:
    """A job with debugger rules is described every 45 seconds: each time would be a write."""
    obj = manifest_of(TRAINING_JOB)
    obj["spec"]["debugRuleConfigurations"] = [{"ruleConfigurationName": "a", "ruleEvaluatorImage": "image"}]
    world = World(TRAINING_JOB, key=ObjectKey.of(obj))
    world.cluster.apply(obj)
    world.run(60)
    ((_, name),) = world.aws.jobs
    looks = world.aws.count("describe")
    rules = [{"RuleConfigurationName": "a", "RuleEvaluationStatus": "InProgress"}]
    world.aws.move(name, "InProgress", "Training", DebugRuleEvaluationStatuses=rules, TrainingStartTime=START)
    world.run(60)
    writes = len(world.cluster.writes)
    for seconds in range(100, 400, 50):
        passed = {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        world.aws.move(name, "InProgress", "Training", **passed)
        world.run(50)
    assert world.aws.count("describe") > looks + 4
    assert len(world.cluster.writes) == writes
    assert "trainingTimeInSeconds" not in world.status


def test_a_secret_in_an_exit_message_is_redacted() -> None:
    """Any program writes it."""
    status = ended(PROCESSING_JOB, "Completed", {"ExitMessage": "password=hunter22 and more"}).status
    assert status["exitMessage"] == "password=[redacted] and more"
