"""The calls that show whether an action is allowed, and change nothing. Pure.

AWS decides about the right to make a call before it looks at what the call is about. So a right shows in any other
answer than a refusal of access. Reads are made as the operator makes them, with one result at most. Calls that would
change something name things that do not exist, with a random part that nobody has chosen: there is nothing to stop, to
delete, to change or to tag. A creation refers to what is missing, a role or a model, so that AWS refuses it; should it
be accepted nevertheless, `undo` takes it back at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from api.descriptor import KindDescriptor, LifeCycle
from api.v1 import (
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    INFERENCE_COMPONENT,
    KINDS,
    MODEL,
    PIPELINE_EXECUTION,
    TRAINING_JOB,
)
from api.v1.inferencecomponent import UPDATE
from controller.aws.console import partition_of

UNCHECKED: Final = (
    "iam:PassRole",
    "iam:CreateServiceLinkedRole",
    "kms:CreateGrant",
    "kms:DescribeKey",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:DeleteAlarms",
)
"""Rights that AWS uses in the operator's name: it checks them with the call that needs them, and no call alone."""
_TOKEN: Final = 32
"""Characters of a client token at least."""
_COPIES: Final = "UpdateInferenceComponentRuntimeConfig"
_TOKENS: Final = {"DeletePipeline": {"ClientRequestToken": "check-" * 6}}
"""Operation → what it requires besides the name."""
_SCALING: Final = "application-autoscaling"
_VARIANT: Final = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@dataclass(frozen=True, slots=True)
class Probe:
    """One call, and what does not work without the right to make it."""

    operation: str
    request: Mapping[str, Any]
    without: str
    service: str = "sagemaker"
    is_optional: bool = False
    undo: tuple[str, Mapping[str, Any]] | None = field(default=None, compare=False)
    """Operation and request that take it back."""
    right: str = ""
    """The name of the action, if it is not that of the operation."""
    must_exist: bool = False
    """It is about something that exists: without that, the right is worth nothing."""

    @property
    def action(self) -> str:
        """Return the IAM action."""
        return f"{self.service}:{self.right or self.operation}"


def probes(account: str, region: str, nonce: str, kinds: Sequence[KindDescriptor] = KINDS) -> tuple[Probe, ...]:
    """Return the calls that an operator of `kinds` makes in one account and region.

    `nonce` is a random text of lower-case letters and digits.
    """
    name = f"check-does-not-exist-{nonce}"  # 32 characters at most, as a tuning job has
    found = (
        *_of_kinds(name, kinds),
        *(_executions(name, account, region) if PIPELINE_EXECUTION in kinds else ()),
        *_creations(name, account, region, kinds),
        *_updates(name, account, region, kinds),
        *_tags(name, account, region, kinds),
    )
    unique = {each.operation: each for each in (*found, *_scaling(name, kinds))}  # kinds share operations
    return tuple(sorted(unique.values(), key=lambda probe: probe.action))


def _without_list(kind: KindDescriptor) -> str:
    if kind.name.among:
        return f"a {kind.kind} whose creation was not answered for ten minutes is not found again"
    return f"the status of each {kind.kind} is late, and costs a call of its own"


def _of_kinds(name: str, kinds: Sequence[KindDescriptor]) -> Iterator[Probe]:
    """Yield the calls that each kind makes alike."""
    for kind in kinds:
        if kind.service != "sagemaker" or kind is PIPELINE_EXECUTION:
            continue
        names, named = kind.operations, {kind.name.member: name}
        yield Probe(names.describe, named, f"a {kind.kind} cannot be created or shown")
        if kind.is_listed:
            yield Probe(names.list, {"MaxResults": 1}, _without_list(kind))
        if names.stop:
            yield Probe(names.stop, named, f"a {kind.kind} cannot be deleted while its job runs")
        if names.delete:
            yield Probe(names.delete, {**named, **_TOKENS.get(names.delete, {})}, f"a {kind.kind} cannot be deleted")
    for searched in [kind.operations.search for kind in kinds if kind.operations.search][:1]:
        search = {"Resource": searched, "MaxResults": 1}
        yield Probe("Search", search, "status in big accounts costs more calls", is_optional=True)
    if HYPERPARAMETER_TUNING_JOB in kinds:
        launched = {"HyperParameterTuningJobName": name, "MaxResults": 1}
        missing = "a tuning job shows no training jobs"
        yield Probe("ListTrainingJobsForHyperParameterTuningJob", launched, missing)


def _executions(name: str, account: str, region: str) -> Iterator[Probe]:
    """Yield the calls about executions of a pipeline that does not exist."""
    arn = f"arn:{partition_of(region)}:sagemaker:{region}:{account}:pipeline/{name}/execution/none"
    named, token = {"PipelineExecutionArn": arn}, {"ClientRequestToken": name.ljust(_TOKEN, "0")}
    start = {"PipelineName": name, **token}
    yield Probe("StartPipelineExecution", start, "a PipelineExecution cannot be started")
    yield Probe("DescribePipelineExecution", named, "a PipelineExecution cannot be shown")
    yield Probe("ListPipelineExecutionSteps", named, "a PipelineExecution shows no steps")
    lost = "a PipelineExecution of which the answer was lost is not found again"
    yield Probe("ListPipelineExecutions", {"PipelineName": name, "MaxResults": 1}, lost)
    yield Probe("StopPipelineExecution", {**named, **token}, "a PipelineExecution cannot be deleted while it runs")


def _creations(name: str, account: str, region: str, kinds: Sequence[KindDescriptor]) -> Iterator[Probe]:
    """Yield the creations: of jobs with a role, and of all else with a model or a configuration, that do not exist."""
    role, bucket = f"arn:{partition_of(region)}:iam::{account}:role/{name}", f"s3://{name}"
    image = f"{account}.dkr.ecr.{region}.amazonaws.com/{name}:none"
    resources = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    training = {
        "AlgorithmSpecification": algorithm,
        "OutputDataConfig": {"S3OutputPath": bucket},
        "ResourceConfig": resources,
        "RoleArn": role,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    requests: dict[str, dict[str, Any]] = {
        "TrainingJob": training,
        "HyperparameterTuningJob": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "none"},
                "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "none", "Values": ["none"]}]},
            },
            "TrainingJobDefinition": {
                **training,
                "AlgorithmSpecification": {
                    **algorithm,
                    "MetricDefinitions": [{"Name": "none", "Regex": "none=(.*)"}],
                },
            },
        },
        "BatchTransformJob": {
            "ModelName": name,
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": bucket}}},
            "TransformOutput": {"S3OutputPath": bucket},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        },
        "ProcessingJob": {
            "AppSpecification": {"ImageUri": image},
            "ProcessingResources": {"ClusterConfig": resources},
            "RoleArn": role,
        },
        "Model": {"ExecutionRoleArn": role, "PrimaryContainer": {"Image": image, "ModelDataUrl": f"{bucket}/none"}},
        "EndpointConfig": {
            "ProductionVariants": [
                {"VariantName": "none", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
            ]
        },
        "HostingDeployment": {"EndpointConfigName": name},
        "InferenceComponent": {
            "EndpointName": name,
            "VariantName": "none",
            "Specification": {"ModelName": name, "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128}},
            "RuntimeConfig": {"CopyCount": 1},
        },
        "ModelPackageGroup": {"Tags": [{"Key": f"aws:{name}", "Value": "none"}]},  # AWS keeps this prefix for itself
        "ModelPackage": {"SourceUri": f"{bucket}/{name}", "Tags": [{"Key": f"aws:{name}", "Value": "none"}]},
        "Pipeline": {"PipelineDefinition": "{}", "RoleArn": role, **_TOKENS["DeletePipeline"]},
    }
    for kind in kinds:
        if (request := requests.get(kind.kind)) is not None:
            own = {kind.name.member: name}
            back = kind.operations.stop or kind.operations.delete
            missing = f"a {kind.kind} cannot be created"
            undo = (back, {**own, **_TOKENS.get(back, {})})
            yield Probe(kind.operations.create, {**own, **request}, missing, undo=undo)


def _updates(name: str, account: str, region: str, kinds: Sequence[KindDescriptor]) -> Iterator[Probe]:
    package = f"arn:{partition_of(region)}:sagemaker:{region}:{account}:model-package/{name}"
    arns = {"ModelPackageArn": package, "PipelineName": name}
    job, endpoint = {TRAINING_JOB.name.member: name}, {HOSTING_DEPLOYMENT.name.member: name}
    keeps = {"ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}
    if TRAINING_JOB in kinds:
        yield Probe("UpdateTrainingJob", {**job, **keeps}, "warm pools cannot be ended or kept for longer by an edit")
    if HOSTING_DEPLOYMENT in kinds:
        configuration = {ENDPOINT_CONFIG.name.member: name}
        yield Probe("UpdateEndpoint", {**endpoint, **configuration}, "a HostingDeployment cannot be changed")
    if HOSTING_DEPLOYMENT in kinds or HOSTING_AUTOSCALING_POLICY in kinds:
        numbers = {"DesiredWeightsAndCapacities": [{"VariantName": "none", "DesiredWeight": 1.0}]}
        missing = "weights and counts of a HostingDeployment cannot be changed, and its variants not be scaled"
        yield Probe("UpdateEndpointWeightsAndCapacities", {**endpoint, **numbers}, missing)
    if INFERENCE_COMPONENT in kinds:
        component, copies = {INFERENCE_COMPONENT.name.member: name}, {"CopyCount": 1}
        unchanged = "an InferenceComponent cannot be changed"
        yield Probe("DescribeEndpoint", endpoint, "an InferenceComponent waits for its endpoint for ever")
        yield Probe(UPDATE, {**component, "RuntimeConfig": copies}, unchanged)
        yield Probe(_COPIES, {**component, "DesiredRuntimeConfig": copies}, unchanged)
    for kind in kinds:
        if (update := kind.resource_update) is not None:
            changed = {update.name_member: arns[update.name_member]}
            yield Probe(update.operation, changed, f"a {kind.kind} cannot be changed")
    if HOSTING_AUTOSCALING_POLICY in kinds:  # AWS requires them of who registers a variant
        configuration = {ENDPOINT_CONFIG.name.member: name}
        for operation, named in (("DescribeEndpoint", endpoint), ("DescribeEndpointConfig", configuration)):
            yield Probe(operation, named, "a HostingAutoscalingPolicy cannot be applied")
        component = {INFERENCE_COMPONENT.name.member: name}
        scaled = {**component, "DesiredRuntimeConfig": {"CopyCount": 1}}
        for operation, request in (("DescribeInferenceComponent", component), (_COPIES, scaled)):
            yield Probe(operation, request, "a HostingAutoscalingPolicy cannot be applied to an inference component")


def _tags(name: str, account: str, region: str, kinds: Sequence[KindDescriptor]) -> Iterator[Probe]:
    kinds = [kind for kind in kinds if kind.is_tagged]
    if all(kind.life_cycle is LifeCycle.SCALING for kind in kinds):
        return
    arn = f"arn:{partition_of(region)}:sagemaker:{region}:{account}:{MODEL.singular}/{name}"
    tag = {"Key": name, "Value": "none"}
    yield Probe("AddTags", {"ResourceArn": arn, "Tags": [tag]}, "nothing can be created, as all that is gets tags")
    yield Probe("ListTags", {"ResourceArn": arn}, "a resource under a name that a user gave is not recognised")
    if any(kind.life_cycle not in (LifeCycle.JOB, LifeCycle.SCALING) for kind in kinds):
        yield Probe("DeleteTags", {"ResourceArn": arn, "TagKeys": [name]}, "tags that are removed from a spec stay")


def _scaling(name: str, kinds: Sequence[KindDescriptor]) -> Iterator[Probe]:
    resource = f"endpoint/{name}/variant/none"
    variant = {**_VARIANT, "ResourceId": resource}
    missing = "a HostingAutoscalingPolicy cannot be applied"
    stays = "a HostingAutoscalingPolicy, and an endpoint that it scales, cannot be deleted"
    target = {
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 1.0,
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
            },
        },
    }
    bounds = {"MinCapacity": 1, "MaxCapacity": 1}
    undo = ("DeregisterScalableTarget", variant)
    listed = {"ServiceNamespace": "sagemaker", "MaxResults": 1}
    if HOSTING_AUTOSCALING_POLICY in kinds:
        yield Probe("RegisterScalableTarget", {**variant, **bounds}, missing, _SCALING, undo=undo)
        yield Probe("PutScalingPolicy", {**variant, **target}, missing, _SCALING)
        yield Probe("DeleteScalingPolicy", {**variant, "PolicyName": name}, stays, _SCALING)
        yield Probe("DescribeScalingPolicies", listed, missing, _SCALING)
    if HOSTING_AUTOSCALING_POLICY in kinds or HOSTING_DEPLOYMENT in kinds:
        yield Probe("DeregisterScalableTarget", variant, stays, _SCALING)
    if {HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT} & {*kinds}:
        yield Probe("DescribeScalableTargets", listed, "drift of what is scaled is not reported", _SCALING)
