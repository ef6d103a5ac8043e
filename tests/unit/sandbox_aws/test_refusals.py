"""What the embedded SageMaker refuses, and in which words. Clients match on these, so they are the real ones."""

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.records.validation import compiled, service_model, validate
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.service import AwsService
from hack.sandbox.aws.wire import ApiError
from tests.deadline import PATIENCE_S
from tests.unit.sandbox_aws.answers import departures, raw, refusal
from tests.unit.sandbox_aws.conftest import Request


@pytest.mark.parametrize("operation", ["describe_training_job", "stop_training_job", "delete_training_job"])
def test_an_unknown_job_is_requested_resource_not_found(sagemaker: Any, operation: str) -> None:
    """v1-kinds 13.1: a ValidationException, told from others only by its words."""
    code, message, status = refusal(getattr(sagemaker, operation), TrainingJobName="nobody")
    assert (code, message, status) == ("ValidationException", "Requested resource not found.", 400)


def test_a_taken_name_is_in_use(sagemaker: Any, request_of: Request) -> None:
    """v1-kinds 13.2: ResourceInUse, whatever the second request says."""
    sagemaker.create_training_job(**request_of())
    code, message, status = refusal(sagemaker.create_training_job, **request_of(HyperParameters={"a": "b"}))
    assert (code, status) == ("ResourceInUse", 400)
    assert message.startswith("Training job names must be unique within an AWS account and region")


def test_regions_do_not_share_names(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A name is unique within account and region; the region is the signature's."""
    sagemaker.create_training_job(**request_of())
    body = json.dumps({"TrainingJobName": "job"}).replace("us-west-2", "eu-west-1")
    host = urlsplit(aws.url).netloc
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    scope = "Credential=key/20300101/eu-west-1/sagemaker/aws4_request"
    headers = {"X-Amz-Target": "SageMaker.DescribeTrainingJob", "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
    connection.request("POST", "/", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer == {"__type": "ValidationException", "message": "Requested resource not found."}


NAME_PATTERN = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


@pytest.mark.parametrize(
    ("members", "constraint"),
    [
        pytest.param(
            {"TrainingJobName": "a_b"},
            f"Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression"
            f" pattern: {NAME_PATTERN}",
            id="a pattern",
        ),
        pytest.param(
            {"RoleArn": "arn:aws:iam::1:r"},
            "Value 'arn:aws:iam::1:r' at 'roleArn' failed to satisfy constraint: Member must have length greater than"
            " or equal to 20;",
            id="a length",
        ),
        pytest.param(
            {"ResourceConfig": {"InstanceType": "ml.none", "InstanceCount": 1, "VolumeSizeInGB": 1}},
            "Value 'ml.none' at 'resourceConfig.instanceType' failed to satisfy constraint: Member must satisfy enum"
            " value set: [ml.m4.xlarge,",
            id="an enumeration",
        ),
        pytest.param(
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: Member must have value"
            " greater than or equal to 1",
            id="a number",
        ),
        pytest.param(
            {"Tags": [{"Key": "k", "Value": "v" * 257}]},
            f"Value '{'v' * 257}' at 'tags.1.member.value' failed to satisfy constraint: Member must have length less"
            " than or equal to 256",
            id="an item of a list",
        ),
        pytest.param(
            {"Environment": {"1": "x"}},
            "Value '{1=x}' at 'environment' failed to satisfy constraint: Map keys must satisfy constraint: [Member"
            " must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]",
            id="a key of a map",
        ),
    ],
)
def test_a_broken_constraint_is_told_as_aws_tells_it(
    sagemaker: Any, request_of: Request, members: dict[str, Any], constraint: str
) -> None:
    """v1-kinds 13: such a refusal is terminal for the operator, and its text is what the user reads."""
    code, message, _ = refusal(sagemaker.create_training_job, **{**request_of(), **members})
    assert code == "ValidationException"
    assert "validation error" in message
    assert constraint in message


def test_all_broken_constraints_are_counted_and_told_together(sagemaker: Any, request_of: Request) -> None:
    """One answer lists everything, so that a user corrects a manifest once."""
    members = {"StoppingCondition": {"MaxRuntimeInSeconds": 0}, "TrainingJobName": "a_b"}
    _, message, _ = refusal(sagemaker.create_training_job, **{**request_of(), **members})
    assert message.startswith("2 validation errors detected: ")
    assert message.count("failed to satisfy constraint") == 2


def test_a_missing_member_is_null(aws: RunningServer) -> None:
    """boto3 finds this itself; other clients do not."""
    status, _, answer = raw(aws.url, "CreateTrainingJob", '{"TrainingJobName": "x"}')
    assert status == 400
    assert "Value null at 'roleArn' failed to satisfy constraint: Member must not be null" in answer["message"]


@pytest.mark.parametrize("body", ['{"TrainingJobName": 7}', '{"TrainingJobName": ["x"]}', "[]", "{"])
def test_a_value_of_the_wrong_type_is_a_serialization_error(aws: RunningServer, body: str) -> None:
    """JSON 1.1: what cannot be read is refused before it is validated."""
    status, _, answer = raw(aws.url, "DescribeTrainingJob", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:role/does-not-exist"}, "Could not assume role"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "either a training image or an algorithm name"),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 9, "MaxWaitTimeInSeconds": 9}}, "MaxWaitTimeInSeconds can be"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "reserved"),
        ({"Tags": [{"Key": "x", "Value": "y"}] * 2}, "Duplicate tag keys"),
        ({"Tags": [{"Key": str(number), "Value": ""} for number in range(51)]}, "50"),
        ({"Environment": {"SANDBOX_TRAIN_SECONDS": "long"}}, "SANDBOX_TRAIN_SECONDS must be a number"),
    ],
)
def test_a_well_formed_request_without_sense_is_refused(
    sagemaker: Any, request_of: Request, members: dict[str, Any], words: str
) -> None:
    """Checks beyond the service model; each leaves nothing behind."""
    code, message, _ = refusal(sagemaker.create_training_job, **request_of(**members))
    assert code == "ValidationException"
    assert words in message
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_every_answer_has_a_date_in_sandbox_time_and_a_request_id(aws: RunningServer) -> None:
    """botocore corrects its clock by Date; the tracker takes its watermark from there."""
    _, headers, _ = raw(aws.url, "DescribeTrainingJob", '{"TrainingJobName": "x"}')
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-RequestId"])
    aws.clock.advance(3600)
    _, later, _ = raw(aws.url, "DescribeTrainingJob", '{"TrainingJobName": "x"}')
    assert headers["Date"][17:25] != later["Date"][17:25]
    assert headers["Date"][20:25] == later["Date"][20:25]


def test_an_answer_without_output_has_an_empty_body(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """JSON 1.1 for operations whose model has no output, such as StopTrainingJob."""
    sagemaker.create_training_job(**request_of())
    status, headers, answer = raw(aws.url, "StopTrainingJob", '{"TrainingJobName": "job"}')
    assert (status, headers["Content-Length"], answer) == (200, "0", None)


@pytest.mark.parametrize("end", ["SANDBOX_FAIL", "none"])
def test_answers_hold_only_what_the_service_model_knows_and_all_it_requires(
    aws: RunningServer, sagemaker: Any, request_of: Request, end: str
) -> None:
    """A stray or missing member would be a fiction of the sandbox that no real client ever meets."""
    rule = {"RuleConfigurationName": "r", "RuleEvaluatorImage": "rules:latest"}
    resources = request_of()["ResourceConfig"] | {"KeepAlivePeriodInSeconds": 600}
    everything = request_of(
        DebugRuleConfigurations=[rule],
        ProfilerConfig={"S3OutputPath": "s3://bucket/profile"},
        ProfilerRuleConfigurations=[rule],
        ResourceConfig=resources,
        Environment={end: "x"},
    )
    sagemaker.create_training_job(**everything)
    aws.clock.advance(1000)
    assert departures(aws.url, "DescribeTrainingJob", {"TrainingJobName": "job"}) == []
    assert departures(aws.url, "ListTrainingJobs", {}) == []


ARN = "arn:aws:sagemaker:us-west-2:123456789012:training-job/x"


@pytest.mark.parametrize("key", ["ключ", "a b", "_.:/=+-@", "x1"])
def test_tag_keys_may_be_in_any_script(key: str) -> None:
    """Java's \\p{L} and its kin have no twin in `re`; the stand-ins must let through what AWS lets through."""
    validate("sagemaker", "AddTags", {"ResourceArn": ARN, "Tags": [{"Key": key, "Value": key}]})


@pytest.mark.parametrize("key", ["a*", "a,b", ""])
def test_tag_keys_with_other_signs_are_refused(key: str) -> None:
    """And they must not let through anything else."""
    with pytest.raises(ApiError, match=r"tags\.1\.member\.key"):
        validate("sagemaker", "AddTags", {"ResourceArn": ARN, "Tags": [{"Key": key, "Value": ""}]})


def patterns(shape: Shape, visited: set[str]) -> Iterator[str]:
    """All patterns below a shape."""
    if shape.name in visited:
        return
    visited.add(shape.name)
    if "pattern" in shape.metadata:
        yield shape.metadata["pattern"]
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield from patterns(member, visited)
    elif isinstance(shape, ListShape):
        yield from patterns(shape.member, visited)
    elif isinstance(shape, MapShape):
        yield from patterns(shape.key, visited)
        yield from patterns(shape.value, visited)


def test_every_pattern_of_every_operation_we_answer_compiles() -> None:
    """A pattern that `re` cannot read would turn a request into HTTP 500."""
    service = AwsService(SandboxClock.frozen(), Durations())
    for name, operations in service.operations.items():
        for operation in operations:
            for pattern in patterns(service_model(name).operation_model(operation).input_shape, set()):
                assert compiled(pattern)
