"""Typical mistakes in manifests: each gets a message that names it and says what to do next.

At `kubectl apply` where the schema can know it, in the words of the API server; else in Ready, within seconds.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from controller.aws.errors import classify
from controller.reconcile.status import messages
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.documents import SAMPLES
from tests.fakes.world import World
from tests.tables import each_row
from tests.unit.api.conftest import ROOT as REPOSITORY
from tests.unit.api.contract import schema_of

BY_KIND = {each.kind: each for each in KINDS}
REMOVED = object()


def mistaken(kind: str, path: str, value: object) -> JsonObject:
    """The sample of a kind with another value at a path, such as `spec.tags.0.key`; REMOVED: with none."""
    text = (REPOSITORY / "samples" / f"{SAMPLES[kind]}.yaml").read_text()
    obj: JsonObject = yaml.safe_load(text)
    place: Any = obj
    *parents, last = path.split(".")
    for step in parents:
        place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
    if value is REMOVED:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = copy.deepcopy(value)
    return obj


def said_at_apply(obj: JsonObject) -> list[str]:
    """What `kubectl apply` prints, which validates strictly."""
    schema = schema_of(obj["kind"])
    unknown = [f'unknown field "{each}"' for each in prune(schema, obj)]
    return [*unknown, *map(str, validate(schema, obj))]


TRAINING, TUNING, TRANSFORM, PROCESSING = "TrainingJob", "HyperparameterTuningJob", "BatchTransformJob", "ProcessingJob"
MODEL, CONFIG, HOSTING, POLICY = "Model", "EndpointConfig", "HostingDeployment", "HostingAutoscalingPolicy"
COMPONENT = "InferenceComponent"
EXECUTION = "PipelineExecution"
_SOURCE = "spec.pipelineDefinitionFrom"
AT_APPLY = [
    # kind, where, what was written, what is said
    (EXECUTION, "spec.pipelineParameters", {"InputData": "s3://b/x"}, "spec.pipelineParameters: Invalid value"),
    (EXECUTION, "spec.pipelineName", REMOVED, "spec.pipelineName: Required value"),
    (TRAINING, "spec.hyperparameters", [], 'unknown field "spec.hyperparameters"'),
    (TRAINING, "spec.instanceType", "ml.m5.large", 'unknown field "spec.instanceType"'),
    (TRAINING, "spec.roleARN", "arn", 'unknown field "spec.roleARN"'),
    (TRAINING, "spec.roleArn", REMOVED, "spec.roleArn: Required value"),
    (TRAINING, "spec.outputDataConfig", REMOVED, "spec.outputDataConfig: Required value"),
    (TRAINING, "spec.resourceConfig", REMOVED, "spec.resourceConfig: Required value"),
    (TRAINING, "spec.stoppingCondition", REMOVED, "spec.stoppingCondition: Required value"),
    (TRAINING, "spec.algorithmSpecification", REMOVED, "spec.algorithmSpecification: Required value"),
    (TRAINING, "spec.resourceConfig.instanceCount", "1", "spec.resourceConfig.instanceCount: Invalid value"),
    (TRAINING, "spec.resourceConfig.volumeSizeInGB", "5", "spec.resourceConfig.volumeSizeInGB: Invalid value"),
    (TRAINING, "spec.stoppingCondition.maxRuntimeInSeconds", "1h", "maxRuntimeInSeconds: Invalid value"),
    (TRAINING, "spec.hyperParameters", {"eta": "0.2"}, "spec.hyperParameters: Invalid value"),
    (TRAINING, "spec.hyperParameters.0.value", 10, "spec.hyperParameters[0].value: Invalid value"),
    (TRAINING, "spec.outputDataConfig.s3OutputPath", "my-bucket/x", "s3OutputPath: Invalid value"),
    (TRAINING, "spec.inputDataConfig", [], "spec.inputDataConfig"),
    (
        TRAINING,
        "spec.inputDataConfig.0.dataSource.s3DataSource.s3DataType",
        "S3prefix",
        "s3DataType: Unsupported value",
    ),
    (TRAINING, "spec.algorithmSpecification.trainingInputMode", "file", "trainingInputMode: Unsupported value"),
    (TRAINING, "spec.trainingJobName", "x" * 64, "spec.trainingJobName: Too long"),
    (TRAINING, "spec.sageMakerEndpoint", "api.sagemaker.example", "spec.sageMakerEndpoint: Invalid value"),
    (TRAINING, "spec.tags", [{"key": "team"}], "spec.tags[0].value: Required value"),
    (TRAINING, "spec.tags", {"team": "a"}, "spec.tags: Invalid value"),
    (TUNING, "spec.hyperParameterTuningJobConfig.resourceLimits", REMOVED, "resourceLimits: Required value"),
    (TUNING, "spec.hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs", 0, "maxNumberOfTrainingJobs"),
    (TUNING, "spec.trainingJobDefinition.staticHyperParameters.0.value", 1, "staticHyperParameters[0].value: Invalid"),
    (TRANSFORM, "spec.modelName", REMOVED, "spec.modelName: Required value"),
    (TRANSFORM, "spec.transformInput.compressionType", "gzip", "compressionType: Unsupported value"),
    (TRANSFORM, "spec.transformInput.dataSource.s3DataSource.s3Uri", "/data", "s3Uri: Invalid value"),
    (TRANSFORM, "spec.dataProcessing.joinSource", "Input", 'unknown field "spec.dataProcessing.joinSource"'),
    (PROCESSING, "spec.appSpecification", REMOVED, "spec.appSpecification: Required value"),
    (PROCESSING, "spec.environment", {"A": "b"}, "spec.environment: Invalid value"),
    (MODEL, "spec.executionRoleARN", "arn", 'unknown field "spec.executionRoleARN"'),
    (MODEL, "spec.primaryContainer.image", ["a"], "spec.primaryContainer.image: Invalid value"),
    (CONFIG, "spec.productionVariants", [], "spec.productionVariants"),
    (CONFIG, "spec.productionVariants.0.instanceType", REMOVED, "instanceType"),
    (HOSTING, "spec.models", REMOVED, "spec.models"),
    (HOSTING, "spec.productionVariants.0.initialInstanceCount", "2", "initialInstanceCount: Invalid value"),
    (COMPONENT, "spec.endpointName", REMOVED, "spec.endpointName: Required value"),
    (COMPONENT, "spec.specification", REMOVED, "one of specification and specifications is required"),
    (COMPONENT, "spec.specification.computeResourceRequirements.minMemoryRequiredInMb", "8Gi", "Invalid value"),
    (COMPONENT, "spec.copyCount", 2, 'unknown field "spec.copyCount"'),
    (POLICY, "spec.minCapacity", "1", "spec.minCapacity: Invalid value"),
    ("Pipeline", "spec.pipelineDefinition", {"Steps": []}, "spec.pipelineDefinition: Invalid value"),
    ("Pipeline", _SOURCE, {"configMap": {"name": "a"}}, f'unknown field "{_SOURCE}.configMap"'),
    ("Pipeline", _SOURCE, {"configMapKeyRef": {"name": "a"}}, f"{_SOURCE}.configMapKeyRef.key: Required value"),
    ("Pipeline", _SOURCE, {"configMapKeyRef": {"name": "A_b", "key": "c"}}, "configMapKeyRef.name: Invalid value"),
    ("Pipeline", _SOURCE, {"configMapKeyRef": {"name": "a", "key": "b/c"}}, "configMapKeyRef.key: Invalid value"),
    ("ModelPackage", "spec.customerMetadataProperties", {"a": "b"}, "spec.customerMetadataProperties: Invalid value"),
    ("ModelPackageGroup", "spec.modelPackageGroupName", "a_b", "spec.modelPackageGroupName: Invalid value"),
]


def name_of(row: tuple[Any, ...]) -> str:
    """For reports."""
    return f"{row[0]} {row[1].removeprefix('spec.')} {'left out' if row[2] is REMOVED else str(row[2])[:20]}"


@each_row("row", AT_APPLY, ids=name_of)
def test_what_the_schema_can_know_is_refused_at_apply_by_its_path(row: tuple[str, str, object, str]) -> None:
    """And nothing else is said: the samples are valid."""
    kind, path, value, said = row
    whole = said_at_apply(mistaken(kind, path, value))
    assert any(said in each for each in whole), whole


def refusal(message: str, code: str = "ValidationException") -> Callable[[str], Exception]:
    """An answer of AWS to an operation."""
    reply: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return lambda operation: ClientError(reply, operation)


def _enum(value: str, member: str, *allowed: str) -> Callable[[str], Exception]:
    return refusal(
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy"
        f" enum value set: [{', '.join(allowed)}]"
    )


INSTANCES = [f"ml.{family}.{size}xlarge" for family in ("m4", "m5", "c5", "p3") for size in ("", "2", "4", "10", "24")]
URL = "https://api.sagemaker.us-east-2.amazonaws.con"
IMAGE = "The training image 1.dkr.ecr.us-west-2.amazonaws.com/x must be in the region of the job"
BUCKET = "S3 prefix s3://my-bukket/train does not exist or cannot be read by the role"
ROLE = "Could not assume role arn:aws:iam::1:role/tpyo. Please ensure that the role exists"
QUOTA = "The account-level service limit 'ml.p4d.24xlarge for training job usage' is 0 Instances"
DENIED = "User: arn:aws:sts::1:assumed-role/op/x is not authorized to perform: sagemaker:CreateTrainingJob"
IN_READY: list[tuple[str, str, object, Callable[[str], Exception] | None, str, str]] = [
    # kind, where, what was written, what AWS answers (None: it is not asked), reason, what Ready says
    (TRAINING, "spec.resourceConfig.instanceType", "ml.m4.xlrage", _enum("ml.m4.xlrage", "resourceConfig.instanceType",
     *INSTANCES), "InvalidSpec", "similar ones are ml.m4.xlarge"),
    (TRAINING, "spec.region", REMOVED, None, "InvalidSpec", "set spec.region"),
    (TRAINING, "spec.region", "us-esat-2", lambda _: EndpointConnectionError(endpoint_url=URL), "AWSUnavailable",
     "check the network path to AWS, spec.region and spec.sageMakerEndpoint"),
    (TRAINING, "spec.sageMakerEndpoint", URL, lambda _: EndpointConnectionError(endpoint_url=URL), "AWSUnavailable",
     URL),
    (TRAINING, "spec.roleArn", "arn:aws:iam::1:role/tpyo", refusal(ROLE), "DependencyMissing",
     "Create what is missing"),
    (TRAINING, "spec.inputDataConfig.0.dataSource.s3DataSource.s3Uri", "s3://my-bukket/train", refusal(BUCKET),
     "DependencyMissing", "Create what is missing, or correct the spec"),
    (TRAINING, "spec.resourceConfig.instanceType", "ml.p4d.24xlarge", refusal(QUOTA, "ResourceLimitExceeded"),
     "QuotaExceeded", "request a higher quota"),
    (TRAINING, "spec.roleArn", "arn:aws:iam::1:role/r", refusal(DENIED, "AccessDeniedException"), "AccessDenied",
     "Allow the action"),
    (TRAINING, "spec.roleArn", "arn:aws:iam::1:role/r", lambda _: NoCredentialsError(), "CredentialsError",
     "Unable to locate credentials. Give the service account of the operator an IAM role"),
    (TRAINING, "spec.algorithmSpecification.trainingImage", "1.dkr.ecr.us-west-2.amazonaws.com/x", refusal(IMAGE),
     "RequestRefused", "Correct the spec, or what it refers to"),
    (TRAINING, "spec.tags", [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], None, "InvalidSpec", "spec.tags"),
    (TUNING, "spec.hyperParameterTuningJobConfig.strategy", "bayes", _enum("bayes", "strategy", "Bayesian", "Random",
     "Hyperband", "Grid"), "InvalidSpec", "is none of: Bayesian, Grid, Hyperband, Random"),
    (TRANSFORM, "spec.modelName", "modle", refusal('Could not find model "modle".'), "DependencyMissing",
     'Could not find model "modle". Create what is missing'),
    (PROCESSING, "spec.processingResources.clusterConfig.instanceType", "m5.large", _enum("m5.large", "instanceType",
     *INSTANCES), "InvalidSpec", "similar ones are"),
    (CONFIG, "spec.productionVariants.0.modelName", "modle", refusal('Could not find model "modle".'),
     "DependencyMissing", "Create what is missing, or correct the spec"),
    (HOSTING, "spec.productionVariants.0.modelName", "modle", None, "InvalidSpec", "modle"),
    (HOSTING, "spec.models.0.containers", ["xgbost"], None, "InvalidSpec", "xgbost"),
    (POLICY, "spec.resourceId", REMOVED, None, "InvalidSpec", "list the variants to scale"),
    (POLICY, "spec.minCapacity", 9, None, "InvalidSpec", "must not be above maxCapacity"),
    (POLICY, "spec.policyType", "StepScaling", None, "InvalidSpec", "stepScalingPolicyConfiguration"),
]  # fmt: skip


@pytest.mark.parametrize("row", IN_READY, ids=name_of)
def test_what_only_aws_or_the_operator_can_know_is_in_ready_within_seconds(row: tuple[Any, ...]) -> None:
    """With what AWS said, shortened, and the next step."""
    kind, path, value, answer, reason, said = row
    world = asked(BY_KIND[kind], answer)
    obj = mistaken(kind, path, value)
    obj["metadata"]["namespace"] = "default"
    world.key = ObjectKey.of(obj)
    assert said_at_apply(copy.deepcopy(obj)) == [], "else it is for the first table"
    world.cluster.apply(obj)
    world.run(5.0)
    ready = next(each for each in world.status["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", reason), ready
    assert said in ready["message"]
    assert ready["message"].endswith(messages.NEXT_STEPS[reason])


def asked(descriptor: KindDescriptor, answer: Callable[[str], Exception] | None) -> World:
    """A world in which SageMaker gives one answer to every Create."""
    world = World(descriptor, *(BY_KIND[each] for each in (MODEL, CONFIG) if each != descriptor.kind))
    for service in {id(each): each for each in map(world.sagemaker.of, (descriptor, BY_KIND[MODEL]))}.values():
        service.always = lambda operation: _refused(descriptor, operation, answer)
    return world


def _refused(descriptor: KindDescriptor, operation: str, answer: Callable[[str], Exception] | None) -> Exception | None:
    if not operation.lower().startswith("create"):
        return None
    assert answer is not None, "AWS is not asked"
    return classify(descriptor.operations.create, answer(descriptor.operations.create))


def test_there_are_fifty_mistakes_and_all_kinds_are_among_them() -> None:
    """The count that was promised."""
    rows: list[Mapping[int, Any]] = [dict(enumerate(each)) for each in (*AT_APPLY, *IN_READY)]
    assert len(rows) >= 50
    assert {each[0] for each in rows} == set(BY_KIND)
