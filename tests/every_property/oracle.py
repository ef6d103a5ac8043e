"""What AWS has to be sent for a manifest, from the v1 reference and botocore's models alone.

A key of a manifest is the member of the same name at AWS, in whatever case, unless the table of v1's fields names
another. Lists of names and values are maps where AWS has maps. What is `null`, or an empty list that AWS does not
require, is left out (v1-kinds 11). Nothing here reads what the operator itself converts with.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.meta import JsonObject
from hack.sandbox.aws.records.validation import service_model

_TABLE: Final = Path(__file__).parents[1] / "data" / "v1-fields.tsv"
SAGEMAKER: Final = "sagemaker"
SCALING: Final = "application-autoscaling"
OBJECT: Final = "x"
"""The name of the object that is played; AWS shows it for an execution without another."""
_SHOWN: Final = "PipelineExecutionDisplayName"
_UPDATE: Final = "UpdateModelPackage"
"""Has members that a creation does not have: they are sent after it."""
NAMED: Final = "<named>"
"""Stands for a name that the operator has made."""


def definition(step: str) -> str:
    """A definition of a pipeline, with one step."""
    return json.dumps({"Version": "2020-12-01", "Steps": [{"Name": step, "Type": "Fail"}]})


CONFIG_MAPS: Final[Mapping[str, Mapping[str, str]]] = {
    name: {key: definition(f"{name}-{key[0]}") for key in ("first.json", "second.json")}
    for name in ("definitions", "others")
}
"""ConfigMaps that are there already: their data, by their names."""
CREATES: Final[Mapping[str, str]] = {
    "TrainingJob": "CreateTrainingJob",
    "HyperparameterTuningJob": "CreateHyperParameterTuningJob",
    "BatchTransformJob": "CreateTransformJob",
    "ProcessingJob": "CreateProcessingJob",
    "Model": "CreateModel",
    "EndpointConfig": "CreateEndpointConfig",
    "InferenceComponent": "CreateInferenceComponent",
    "PipelineExecution": "StartPipelineExecution",
    "ModelPackageGroup": "CreateModelPackageGroup",
    "ModelPackage": "CreateModelPackage",
    "Pipeline": "CreatePipeline",
}
"""The kinds with one request, and this."""
NAME_MEMBERS: Final[Mapping[str, str]] = {
    "CreateTrainingJob": "TrainingJobName",
    "CreateHyperParameterTuningJob": "HyperParameterTuningJobName",
    "CreateTransformJob": "TransformJobName",
    "CreateProcessingJob": "ProcessingJobName",
    "CreateModel": "ModelName",
    "CreateEndpointConfig": "EndpointConfigName",
    "CreateEndpoint": "EndpointName",
    "CreateInferenceComponent": "InferenceComponentName",
    "CreateModelPackageGroup": "ModelPackageGroupName",
    "CreatePipeline": "PipelineName",
}
REQUESTS: Final[Mapping[str, tuple[tuple[str, str, tuple[str, ...]], ...]]] = {
    **{kind: ((SAGEMAKER, operation, ()),) for kind, operation in CREATES.items()},
    "HostingDeployment": (
        (SAGEMAKER, "CreateModel", ("models", "[]")),
        (SAGEMAKER, "CreateEndpointConfig", ()),
        (SAGEMAKER, "CreateEndpoint", ()),
        (SAGEMAKER, "UpdateEndpoint", ()),
    ),
    "InferenceComponent": (
        (SAGEMAKER, "CreateInferenceComponent", ()),
        (SAGEMAKER, "UpdateInferenceComponent", ()),
    ),
    "ModelPackage": ((SAGEMAKER, "CreateModelPackage", ()), (SAGEMAKER, "UpdateModelPackage", ())),
    "Pipeline": ((SAGEMAKER, "CreatePipeline", ()), (SAGEMAKER, "UpdatePipeline", ())),
    "HostingAutoscalingPolicy": ((SCALING, "RegisterScalableTarget", ()), (SCALING, "PutScalingPolicy", ())),
}
"""By kind, the requests that its spec is for: service, operation, and where in the spec its members begin."""
CONTAINER: Final = ("spec", "models", "[]", "containers", "[]")
SHARED_CONTAINER: Final = ("spec", "containers", "[]")

Path_ = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that has to be at AWS: the operation that makes it, with these members."""

    operation: str
    params: JsonObject


@cache
def _v1(kind: str) -> Mapping[Path_, str]:
    """v1's fields in the spec, with the column `aws_member`."""
    with _TABLE.open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE) if row["kind"] == kind]
    return {segments(row["path"]): row["aws_member"] for row in rows if " " not in row["path"]}


def segments(path: str) -> Path_:
    """`spec.tags[].key` as spec, tags, [], key."""
    return tuple(path.replace("[]", ".[]").split("."))


@cache
def input_shape(service: str, operation: str) -> StructureShape:
    """The members of a request."""
    shape: StructureShape = service_model(service).operation_model(operation).input_shape
    return shape


def member_of(kind: str, path: Path_, shape: StructureShape, operation: str) -> str:
    """The member of `shape` that a key of the manifest is; empty if it is none."""
    known = _v1(kind).get(path, "")
    root = input_shape(SCALING if "Scal" in operation else SAGEMAKER, operation).name
    for each in known.split(" ; "):
        where, *way = each.partition(":")[2].replace("[]", "").split(".")
        if where == root and way and way[-1] in shape.members:
            return way[-1]
    fitting = [name for name in shape.members if name.lower() == path[-1].lower()]
    assert len(fitting) <= 1, f"{path} is ambiguous: {fitting}"
    return fitting[0] if fitting else ""


def convert(kind: str, operation: str, shape: Shape, value: Any, path: Path_) -> Any:
    """A value of a manifest as AWS has to get it."""
    if isinstance(shape, StructureShape):
        members = {}
        for name, given in value.items():
            member = member_of(kind, (*path, name), shape, operation)
            if not member or given is None or (given == [] and member not in shape.required_members):
                continue
            members[member] = convert(kind, operation, shape.members[member], given, (*path, name))
        return members
    if isinstance(shape, ListShape):
        return [convert(kind, operation, shape.member, each, (*path, "[]")) for each in value]
    if isinstance(shape, MapShape):
        return {each.get("name") or "": each.get("value") or "" for each in value}
    if shape.type_name in {"float", "double"}:
        return float(value)
    if shape.type_name in {"integer", "long"}:
        return int(value)
    return value


def expected(kind: str, spec: Mapping[str, Any]) -> list[Request]:
    """Everything that has to be at AWS for a spec; what the operator names is NAMED."""
    match kind:
        case "HostingDeployment":
            return list(_deployment(spec))
        case "HostingAutoscalingPolicy":
            return list(_policy(spec))
        case _:
            operation = CREATES[kind]
            if named := (spec.get("pipelineDefinitionFrom") or {}).get("configMapKeyRef"):
                spec = {**spec, "pipelineDefinition": CONFIG_MAPS[named["name"]][named["key"]]}
            request = convert(kind, operation, input_shape(SAGEMAKER, operation), spec, ("spec",))
            if operation == "StartPipelineExecution":
                request[_SHOWN] = request.get(_SHOWN) or OBJECT
            if operation == "CreateModelPackage":
                later = convert(kind, _UPDATE, input_shape(SAGEMAKER, _UPDATE), spec, ("spec",))
                later.pop("ModelPackageArn", None)  # it names what is there already, if an annotation says so
                request = later | request
            if operation in NAME_MEMBERS:
                request[NAME_MEMBERS[operation]] = request.get(NAME_MEMBERS[operation]) or NAMED
            return [Request(operation, request)]


def _deployment(spec: Mapping[str, Any]) -> Iterator[Request]:
    kind = "HostingDeployment"
    tags = {name: spec[name] for name in ("tags",) if spec.get(name)}
    shared = {each["containerHostname"]: each for each in spec.get("containers") or ()}
    model_shape = input_shape(SAGEMAKER, "CreateModel")
    for model in spec.get("models") or ():
        given = model.get("containers") or [model["primaryContainer"]]
        containers = [
            convert(kind, "CreateModel", model_shape.members["PrimaryContainer"], shared[each], SHARED_CONTAINER)
            if isinstance(each, str)
            else convert(kind, "CreateModel", model_shape.members["PrimaryContainer"], each, CONTAINER)
            for each in given
        ]
        own = {name: each for name, each in model.items() if name not in {"containers", "primaryContainer", "name"}}
        request = convert(kind, "CreateModel", model_shape, own, ("spec", "models", "[]"))
        request |= {"Containers": containers} if len(containers) > 1 else {"PrimaryContainer": containers[0]}
        request |= convert(kind, "CreateModel", model_shape, tags, ("spec",))
        yield Request("CreateModel", request | {"ModelName": NAMED})
    config = convert(kind, "CreateEndpointConfig", input_shape(SAGEMAKER, "CreateEndpointConfig"), spec, ("spec",))
    for variant in (*config.get("ProductionVariants", ()), *config.get("ShadowProductionVariants", ())):
        if "ModelName" in variant:
            variant["ModelName"] = NAMED
    yield Request("CreateEndpointConfig", config | {"EndpointConfigName": NAMED})
    endpoint = convert(kind, "CreateEndpoint", input_shape(SAGEMAKER, "CreateEndpoint"), spec, ("spec",))
    endpoint["EndpointName"] = endpoint.get("EndpointName") or NAMED
    yield Request("CreateEndpoint", endpoint | {"EndpointConfigName": NAMED})


def update_of(kind: str, spec: Mapping[str, Any]) -> JsonObject:
    """UpdateEndpoint for a spec, without names."""
    request: JsonObject = convert(kind, "UpdateEndpoint", input_shape(SAGEMAKER, "UpdateEndpoint"), spec, ("spec",))
    request.pop("EndpointName", None)
    return request


def _policy(spec: Mapping[str, Any]) -> Iterator[Request]:
    """One target and one policy for each variant; defaults as in v1-kinds 9."""
    kind = "HostingAutoscalingPolicy"
    given = {name: value for name, value in spec.items() if name not in {"resourceId", "tags"}}
    defaults = {
        "ServiceNamespace": "sagemaker",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    for variant in spec.get("resourceId") or ():
        resource_id = f"endpoint/{variant['endpointName']}/variant/{variant['variantName']}"
        both = {"ResourceId": resource_id}
        target = convert(
            kind, "RegisterScalableTarget", input_shape(SCALING, "RegisterScalableTarget"), given, ("spec",)
        )
        policy = convert(kind, "PutScalingPolicy", input_shape(SCALING, "PutScalingPolicy"), given, ("spec",))
        suspended = dict.fromkeys(
            ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
        )
        target["SuspendedState"] = suspended | target.get("SuspendedState", {})
        if spec.get("tags"):
            target["Tags"] = {each["key"]: each["value"] for each in spec["tags"]}
        for request in (target, policy):
            request |= {name: value for name, value in defaults.items() if not request.get(name)} | both
        policy["PolicyName"] = policy.get("PolicyName") or "SageMakerEndpointInvocationScalingPolicy"
        policy["PolicyType"] = policy.get("PolicyType") or "TargetTrackingScaling"
        yield Request("RegisterScalableTarget", target)
        yield Request("PutScalingPolicy", policy)


_ABSENT: Final[Mapping[str, Any]] = {
    "AppManaged": False,
    "AssembleWith": "None",
    "CompressionType": "None",
    "InitialVariantWeight": 1.0,
    "InputFilter": "$",
    "JoinSource": "None",
    "KeepAlivePeriodInSeconds": 0,
    "Mode": "SingleModel",
    "OutputFilter": "$",
    "RecordWrapperType": "None",
    "S3CompressionType": "None",
    "S3DataDistributionType": "FullyReplicated",
    "SplitType": "None",
    "TrainingJobEarlyStoppingType": "Off",
}
"""Members and the value that their absence means (v1-kinds 11, API references)."""


_PROFILER: Final = "ProfilerConfig"
"""Its absence in an update means that it is off, which an empty one does not."""


def neutral(value: Any) -> Any:
    """What a request says, without what it could leave out."""
    if isinstance(value, Mapping):
        inner = {name: neutral(each) for name, each in value.items()}
        said = {
            name: each
            for name, each in inner.items()
            if each is not False and each not in ("", [], {}) and not (name in _ABSENT and each == _ABSENT[name])
        }
        said.pop("DeploymentConfig", None)  # how the next update is made, and nothing that is
        if _PROFILER in value:
            is_off = value[_PROFILER].get("DisableProfiler", False)
            said[_PROFILER] = {**inner[_PROFILER], "DisableProfiler": is_off}
            if said[_PROFILER] == {"DisableProfiler": True}:
                del said[_PROFILER]
        return said
    if isinstance(value, list):
        return [neutral(each) for each in value]
    return value
