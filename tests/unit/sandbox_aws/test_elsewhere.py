"""What the embedded AWS answers to calls that a real endpoint would not get: unknown regions, images, services."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import refusal
from tests.unit.sandbox_aws.conftest import ONE_TRY, REGION, Request, without_keep_alive

ROLE = "arn:aws:iam::123456789012:role/training"


def client_in(region: str, service: str, aws: RunningServer) -> Any:
    """A client that signs for a region."""
    session = boto3.Session("test", "test", region_name=region)
    client = session.client(service, endpoint_url=aws.url, config=ONE_TRY)
    client.meta.events.register("before-sign", without_keep_alive)
    return client


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("sagemaker", "list_training_jobs", "InvalidSignatureException"),
        ("logs", "describe_log_groups", "InvalidSignatureException"),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
    ],
)
def test_a_region_that_no_partition_has_is_refused(aws: RunningServer, service: str, operation: str, code: str) -> None:
    """Its endpoint would not even have an address; one server for all regions can only refuse the signature."""
    call = getattr(client_in("us-est-2", service, aws), operation)
    message = "Credential should be scoped to a valid region, not 'us-est-2'. "
    assert refusal(call) == (code, message, 403)


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"])
def test_regions_of_all_partitions_are_served(aws: RunningServer, region: str) -> None:
    """Each has an account of its own, empty at first."""
    assert client_in(region, "sagemaker", aws).list_training_jobs()["TrainingJobSummaries"] == []


def image(region: str, suffix: str = "amazonaws.com") -> str:
    """An image in a registry of ECR."""
    return f"123456789012.dkr.ecr.{region}.{suffix}/algorithm:1"


def training(request_of: Request, uri: str) -> tuple[str, dict[str, Any]]:
    """A training job with this image."""
    return "create_training_job", request_of(AlgorithmSpecification={"TrainingImage": uri, "TrainingInputMode": "File"})


def rule(request_of: Request, uri: str) -> tuple[str, dict[str, Any]]:
    """A training job with a rule of this image."""
    rules = [{"RuleConfigurationName": "r", "RuleEvaluatorImage": uri}]
    return "create_training_job", request_of(DebugRuleConfigurations=rules)


def model(_request_of: Request, uri: str) -> tuple[str, dict[str, Any]]:
    """A model with this image in its second container."""
    containers = [{"Image": "registry.example.com/first"}, {"Image": uri}]
    return "create_model", {"ModelName": "m", "ExecutionRoleArn": ROLE, "Containers": containers}


def processing(_request_of: Request, uri: str) -> tuple[str, dict[str, Any]]:
    """A processing job with this image."""
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
    return "create_processing_job", {
        "ProcessingJobName": "p",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": uri},
        "ProcessingResources": {"ClusterConfig": cluster},
    }


def tuning(request_of: Request, uri: str) -> tuple[str, dict[str, Any]]:
    """A tuning job that trains with this image."""
    job = request_of()
    metric = {"Name": "loss", "Regex": "loss=(.*)"}
    definition = {key: job[key] for key in ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")}
    definition["AlgorithmSpecification"] = {
        "TrainingImage": uri,
        "TrainingInputMode": "File",
        "MetricDefinitions": [metric],
    }
    config = {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0", "MaxValue": "1"}]},
    }
    return "create_hyper_parameter_tuning_job", {
        "HyperParameterTuningJobName": "t",
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition,
    }


TRAINING_TEXT = (
    "Invalid DNS suffix 'amazonaws.com' for region 'eu-west-1' in training image. Please provide the valid"
    " <region>.<dns-suffix>: 'us-west-2.amazonaws.com'"
)

CROSS_REGION = "Cross region ECR image pulls are not allowed."
ANOTHER_URI = "Please provide an image URI in region us-west-2."


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (training, TRAINING_TEXT),
        (rule, TRAINING_TEXT),
        (tuning, TRAINING_TEXT),
        (
            model,
            f'Region of "{image("eu-west-1")}" does not match expected region of us-west-2. {CROSS_REGION}',
        ),
        (
            processing,
            f"Invalid region eu-west-1 in image URI {image('eu-west-1')}. {ANOTHER_URI}",
        ),
    ],
)
def test_an_image_of_another_region_is_refused_in_the_operations_own_words(
    sagemaker: Any, request_of: Request, build: Callable[..., tuple[str, dict[str, Any]]], text: str
) -> None:
    """The most frequent slip after copying a manifest: the region changed, and the registry did not."""
    operation, members = build(request_of, image("eu-west-1"))
    assert refusal(getattr(sagemaker, operation), **members) == ("ValidationException", text, 400)
    operation, members = build(request_of, image(REGION))
    getattr(sagemaker, operation)(**members)


def test_the_words_name_the_suffix_of_the_callers_partition(aws: RunningServer, request_of: Request) -> None:
    """In China, AWS has another domain."""
    operation, members = training(request_of, image("us-west-2"))
    _, message, _ = refusal(getattr(client_in("cn-north-1", "sagemaker", aws), operation), **members)
    assert message.endswith("'cn-north-1.amazonaws.com.cn'")


@pytest.mark.parametrize("uri", ["docker.io/library/python:3", "private.example.com:5000/a.dkr.ecr.x/b", "algorithm:1"])
def test_registries_other_than_ecr_have_no_region(sagemaker: Any, request_of: Request, uri: str) -> None:
    """Whether SageMaker can reach them depends on the VPC."""
    operation, members = training(request_of, uri)
    getattr(sagemaker, operation)(**members)


@pytest.mark.parametrize(
    ("service", "operation", "members", "code", "status"),
    [
        pytest.param("sagemaker", "list_hubs", {}, "UnknownOperationException", 400, id="an operation of SageMaker"),
        pytest.param("snowball", "list_jobs", {}, "UnknownOperationException", 400, id="a service of JSON"),
        pytest.param("braket", "search_devices", {"filters": []}, "UnknownOperationException", 404, id="of REST"),
        pytest.param("lex-models", "get_bots", {}, "UnknownOperationException", 404, id="a path of a known service"),
        pytest.param("cloudsearch", "list_domain_names", {}, "InvalidAction", 400, id="a service of queries"),
    ],
)
def test_what_is_not_served_is_an_unknown_operation(
    aws: RunningServer,
    capfd: pytest.CaptureFixture[str],
    service: str,
    operation: str,
    members: dict[str, Any],
    code: str,
    status: int,
) -> None:
    """In the form of the service's protocol, so that its client reads it; and silently: it is no fault of ours."""
    found, message, http = refusal(getattr(client_in(REGION, service, aws), operation), **members)
    assert (found, http) == (code, status)
    assert message.startswith("the sandbox does not know this operation: ")
    assert capfd.readouterr() == ("", "")
