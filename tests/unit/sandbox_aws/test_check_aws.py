"""`--check-aws` against the embedded SageMaker, over real clients: nothing changes, and denied operations are found."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Target
from controller.rights.app import ALL_ALLOWED, MISSING, examine
from controller.rights.identities import Identities
from controller.rights.probes import probes
from hack.sandbox.aws.server import RunningServer
from tests.fakes.clock import FakeClock
from tests.unit.sandbox_aws.conftest import REGION

OPERATIONS = [probe.operation for probe in probes("123456789012", REGION, "0")]


@pytest.fixture
def examined(aws: RunningServer, client: Callable[[str], Any]) -> Callable[[], tuple[int, str]]:
    """Runs a check; returns its exit code and its text."""
    session = SimpleNamespace(client=lambda service, **_: client(service))

    def run() -> tuple[int, str]:
        clock, registry, out = FakeClock(), CollectorRegistry(), io.StringIO()
        clients = Clients(ClientSettings("test"), lambda _: session)
        api = AwsApi(clients, Budgets(clock, registry), clock, registry)
        code = examine(Identities({Target(REGION): []}), api, clock.advance, out)
        return code, out.getvalue()

    return run


def test_with_all_rights_nothing_is_missing_and_nothing_has_changed(
    aws: RunningServer, sagemaker: Any, examined: Callable[[], tuple[int, str]]
) -> None:
    """Each call is refused for what it is about, or reads."""
    code, text = examined()
    assert (code, text.count("  allowed ")) == (ALL_ALLOWED, len(OPERATIONS)), text
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []
    assert sagemaker.list_transform_jobs()["TransformJobSummaries"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_endpoints()["Endpoints"] == []


@pytest.mark.parametrize(
    "denied",
    [
        pytest.param({"ListTrainingJobs", "ListEndpoints"}, id="lists, as the predecessor needs none"),
        pytest.param({"AddTags", "ListTags", "DeleteTags"}, id="tags"),
        pytest.param({"CreateModel", "StopTrainingJob", "UpdateEndpointWeightsAndCapacities"}, id="changes"),
        pytest.param(set(OPERATIONS), id="everything"),
    ],
)
def test_denied_operations_are_found_and_no_others(
    aws: RunningServer, examined: Callable[[], tuple[int, str]], denied: set[str]
) -> None:
    """In IAM's words, with the exit code 1."""
    for operation in denied:
        aws.faults.add(operation, "deny", count=None)
    code, text = examined()
    lines = [line.split() for line in text.splitlines()]
    found = {line[1].partition(":")[2] for line in lines if line and line[0] in {"DENIED", "denied"}}
    assert (code, found) == (MISSING, denied), text
    assert text.count("is not authorized to perform") == len(denied)
