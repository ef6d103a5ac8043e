"""What users of a soak write: objects of every kind, drawn from a seeded source, and edits of them. Pure.

Names come from small pools, so that objects are made again under names that were used before, and so that names at AWS
which users give collide with each other and with what was there before.
"""

import copy
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import yaml

from api.descriptor import LifeCycle
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from tests.sandbox.harness import REPOSITORY, for_any_region

REGIONS: Final = ("us-east-2", "us-west-2")
NAMESPACES: Final = ("soak-a", "soak-b")
_DEFINITIONS: Final = "definitions"
_KEYS: Final = ("first.json", "second.json")
"""Name of a ConfigMap of each namespace, and its keys."""
MODEL: Final = "soak-model"
"""A model at AWS that is there in every region before the soak begins; nobody's."""
FOREIGN: Final = "soak-foreign"
"""Name of resources of every kind that belong to somebody else."""
ADOPTABLE: Final = "soak-adoptable"
"""Name of jobs of somebody else that objects may adopt."""
SHARED: Final = "soak-shared"
"""How the names at AWS begin that users give."""
LONG_S: Final = "86400"
SHORT: Final = "soak-short"
"""A pipeline at AWS in every region; nobody's."""
ENDLESS: Final = "soak-endless"
"""Another one, with a step that does not end by itself."""
REGISTRY: Final = "soak-registry"
"""A group of model packages at AWS in every region; nobody's."""
_ROLE: Final = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
_IMAGE: Final = "registry.example.com/xgboost:1"
THEIR_MODEL: Final[JsonObject] = {
    "ExecutionRoleArn": _ROLE,
    "PrimaryContainer": {"Image": _IMAGE, "ModelDataUrl": "s3://my-bucket/soak/model.tar.gz"},
}
"""Requests of others, at AWS and without tags, but for the name."""
THEIR_VARIANT: Final[JsonObject] = {
    "VariantName": "v0",
    "ModelName": FOREIGN,
    "InstanceType": "ml.c5.large",
    "InitialInstanceCount": 1,
}
HOST: Final = "soak-host"
"""Endpoint of others without models, for components to run on."""
HOST_CONFIGURATION: Final[JsonObject] = {
    "ExecutionRoleArn": _ROLE,
    "ProductionVariants": [{"VariantName": "all", "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1}],
}
THEIR_JOB: Final[JsonObject] = {
    "RoleArn": _ROLE,
    "AlgorithmSpecification": {"TrainingImage": _IMAGE, "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://my-bucket/soak/"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
    "HyperParameters": {"SANDBOX_TRAIN_SECONDS": LONG_S},
}

_SAMPLES: Final[Mapping[str, str]] = {
    "TrainingJob": "xgboost-mnist-trainingjob.yaml",
    "ProcessingJob": "kmeans-mnist-processingjob.yaml",
    "BatchTransformJob": "xgboost-mnist-batchtransform.yaml",
    "PipelineExecution": "churn-pipelineexecution.yaml",
    "HyperparameterTuningJob": "xgboost-mnist-hpo.yaml",
    "Model": "xgboost-mnist-model.yaml",
    "EndpointConfig": "xgboost-mnist-endpointconfig.yaml",
    "HostingDeployment": "xgboost-mnist-hostingdeployment-inline.yaml",
    "InferenceComponent": "inference-component.yaml",
    "ModelPackageGroup": "modelpackagegroup.yaml",
    "ModelPackage": "modelpackage.yaml",
    "Pipeline": "pipeline.yaml",
    "HostingAutoscalingPolicy": "hap-predefined-metric.yaml",
}
_WEIGHTS: Final[Mapping[str, int]] = {
    "TrainingJob": 5,
    "ProcessingJob": 2,
    "BatchTransformJob": 2,
    "PipelineExecution": 3,
    "HyperparameterTuningJob": 3,
    "Model": 2,
    "EndpointConfig": 2,
    "HostingDeployment": 5,
    "InferenceComponent": 3,
    "ModelPackageGroup": 1,
    "ModelPackage": 2,
    "Pipeline": 2,
    "HostingAutoscalingPolicy": 3,
}
_ASKED: Final = (
    ("paused", ("true", None, None)),
    ("deletion-policy", ("retain", None)),
    ("reconcile-at", ("1", "2", "3")),
    ("ttl-seconds-after-finished", ("0", "3", None)),
    ("update-policy", ("manual", None)),
    ("drift-policy", ("correct", None)),
)
FOR_NAMESPACES: Final = (
    ("paused", ("true", None, None)),
    ("deletion-policy", ("retain", None)),
    ("default-tags", ("team=ns", "team=ns,owner=soak", None)),
    ("drift-policy", ("correct", None)),
)
_BY_KIND: Final = {each.kind: each for each in KINDS}


@cache
def _sample(kind: str) -> JsonObject:
    return for_any_region(yaml.safe_load((REPOSITORY / "samples" / _SAMPLES[kind]).read_text()))


def drawn(rng: random.Random) -> JsonObject:
    """An object to create."""
    kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    obj = copy.deepcopy(_sample(kind))
    obj["metadata"] = {
        "name": f"{kind.lower()[:8]}-{rng.randrange(4)}",
        "namespace": rng.choice(NAMESPACES),
        "annotations": _annotations(rng),
    }
    spec = obj["spec"]
    spec["region"] = rng.choices(REGIONS, (5, 1))[0]
    descriptor = _BY_KIND[kind]
    is_named = descriptor.name.spec_field and kind != "HostingAutoscalingPolicy" and not descriptor.name.by_aws
    if is_named and rng.random() < 0.3:
        names = [f"{SHARED}-{rng.randrange(2)}", FOREIGN]
        if descriptor.life_cycle in {LifeCycle.COMPONENT, LifeCycle.IN_PLACE}:  # others have none of this name
            names = names[:1]
        if "adoption-policy" in str(obj["metadata"]["annotations"]):  # it would take over what others want
            names = [ADOPTABLE] if kind == "TrainingJob" else [""]
        spec[descriptor.name.spec_field] = rng.choice(names)
    _FILL[kind](rng, spec)
    if rng.random() < 0.3 and not descriptor.untagged_with:
        spec["tags"] = _tags(rng)
    return obj


def edited(rng: random.Random, obj: JsonObject) -> JsonObject:
    """A merge patch that a user might send for `obj`: its spec where its kind allows that, else an annotation."""
    edit = _EDITS.get(obj["kind"])
    if edit is None or rng.random() < 0.25:
        name, values = rng.choice(_ASKED)
        return {"metadata": {"annotations": {f"{GROUP}/{name}": rng.choice(values)}}}
    return {"spec": edit(rng, obj["spec"])}


def retagged(rng: random.Random) -> JsonObject:
    """A merge patch that changes tags."""
    return {"spec": {"tags": _tags(rng)}}


def for_namespace(rng: random.Random) -> JsonObject:
    """A merge patch of a namespace's annotations."""
    name, values = rng.choice(FOR_NAMESPACES)
    return {"metadata": {"annotations": {f"{GROUP}/{name}": rng.choice(values)}}}


def _tags(rng: random.Random) -> list[JsonObject]:
    keys = rng.sample(("team", "cost-center", "stage"), rng.randrange(3))
    return [{"key": key, "value": rng.choice(("a", "b"))} for key in sorted(keys)]


def _annotations(rng: random.Random) -> dict[str, str]:
    roll = rng.random()
    for limit, name, value in (
        (0.05, "paused", "true"),
        (0.12, "deletion-policy", "retain"),
        (0.14, "read-only", "true"),
        (0.19, "adoption-policy", "adopt"),
        (0.24, "adoption-policy", "adopt-or-create"),
        (0.28, "recreate-on-failure", "true"),
        (0.33, "ttl-seconds-after-finished", "2"),
        (0.39, "update-policy", "manual"),
        (0.45, "drift-policy", "correct"),
    ):
        if roll < limit:
            return {f"{GROUP}/{name}": value}
    return {}


def _course(rng: random.Random) -> list[JsonObject]:
    """Markers for the embedded SageMaker: how the work shall go."""
    return rng.choice(
        (
            [],
            [],
            [{"name": "SANDBOX_TRAIN_SECONDS", "value": LONG_S}],
            [{"name": "SANDBOX_TRAIN_SECONDS", "value": "2"}],
            [{"name": "SANDBOX_FAIL", "value": "soak"}],
        )
    )


def _training(rng: random.Random, spec: JsonObject) -> None:
    spec["hyperParameters"] = [*spec["hyperParameters"], *_course(rng)]


def _working(rng: random.Random, spec: JsonObject) -> None:
    spec["environment"] = [*spec["environment"], *_course(rng)]


def _transform(rng: random.Random, spec: JsonObject) -> None:
    spec["modelName"] = MODEL
    _working(rng, spec)


def _execution(rng: random.Random, spec: JsonObject) -> None:
    spec["pipelineName"] = rng.choice((SHORT, ENDLESS))


def _tuning(rng: random.Random, spec: JsonObject) -> None:
    limits = {"maxNumberOfTrainingJobs": rng.randint(1, 4), "maxParallelTrainingJobs": 1}
    limits["maxParallelTrainingJobs"] = rng.randint(1, limits["maxNumberOfTrainingJobs"])
    spec["hyperParameterTuningJobConfig"]["resourceLimits"] = limits
    spec["trainingJobDefinition"]["staticHyperParameters"] += _course(rng)


def _environment(rng: random.Random) -> list[JsonObject]:
    values = [{"name": "LOG_LEVEL", "value": rng.choice(("info", "debug", "error"))}]
    return values + ([{"name": "SANDBOX_FAIL", "value": "soak"}] if rng.random() < 0.15 else [])


def _model(rng: random.Random, spec: JsonObject) -> None:
    spec["primaryContainer"] = {**spec["primaryContainer"], "environment": _environment(rng)}


def _variants(rng: random.Random, model_of: Callable[[int], str]) -> list[JsonObject]:
    return [
        {
            "variantName": f"v{number}",
            "modelName": model_of(number),
            "initialInstanceCount": rng.randint(1, 3),
            "instanceType": "ml.c5.large",
            "initialVariantWeight": rng.choice((1, 2)),
        }
        for number in range(rng.randint(1, 2))
    ]


def _configuration(rng: random.Random, spec: JsonObject) -> None:
    spec["productionVariants"] = _variants(rng, lambda _: MODEL)


def _hosting(rng: random.Random, spec: JsonObject) -> None:
    template = copy.deepcopy(_sample("HostingDeployment")["spec"]["models"][0])
    spec["models"] = []
    for number in range(rng.randint(1, 3)):
        container = {**template["containers"][0], "environment": _environment(rng)}
        spec["models"].append({**template, "name": f"m{number}", "containers": [container]})
    names = [model["name"] for model in spec["models"]]
    spec["productionVariants"] = _variants(rng, lambda number: names[number % len(names)])


def _component(rng: random.Random, spec: JsonObject) -> None:
    spec["endpointName"] = HOST
    container = {**spec["specification"]["container"], "environment": _environment(rng)}
    spec["specification"] = {**spec["specification"], "container": container}
    spec["runtimeConfig"] = {"copyCount": rng.randint(1, 3)}


def _group(_rng: random.Random, _spec: JsonObject) -> None:
    """Nothing of a group can be edited."""


def _package(rng: random.Random, spec: JsonObject) -> None:
    spec["modelPackageGroupName"] = REGISTRY
    spec["modelPackageDescription"] = f"soak {rng.random()}"
    spec["modelApprovalStatus"] = rng.choice(("Approved", "Rejected"))
    inference = spec["inferenceSpecification"]
    environment = _environment(rng)[: rng.randrange(3)]
    spec["inferenceSpecification"] = {
        **inference,
        "containers": [{**inference["containers"][0], "environment": environment}],
    }


def definitions() -> JsonObject:
    """A ConfigMap with the definitions that pipelines may have in place of one in the spec."""
    inline = _sample("Pipeline")["spec"]["pipelineDefinition"]
    data = {key: inline.replace('"Name": "Train"', f'"Name": "Train-{key}"') for key in _KEYS}
    return {"metadata": {"name": _DEFINITIONS}, "data": data}


def _pipeline(rng: random.Random, spec: JsonObject) -> None:
    where: JsonObject = {
        "pipelineDefinition": _sample("Pipeline")["spec"]["pipelineDefinition"],
        "pipelineDefinitionFrom": {"configMapKeyRef": {"name": _DEFINITIONS, "key": rng.choice(_KEYS)}},
    }
    for field in where:
        spec.pop(field, None)
    chosen = rng.choice(list(where))
    spec[chosen] = where[chosen]
    spec["pipelineDescription"] = rng.choice(("nightly", "weekly"))
    spec["parallelismConfiguration"] = {"maxParallelExecutionSteps": rng.randint(1, 3)}


def _policy(rng: random.Random, spec: JsonObject) -> None:
    spec["policyName"] = f"soak-policy-{rng.randrange(2)}"
    spec["resourceId"] = [
        {"endpointName": rng.choice([*(f"hostingd-{n}" for n in range(4)), FOREIGN]), "variantName": f"v{number}"}
        for number in range(rng.randint(1, 2))
    ]
    spec["maxCapacity"] = rng.randint(2, 5)


_FILL: Final[Mapping[str, Callable[[random.Random, JsonObject], None]]] = {
    "TrainingJob": _training,
    "ProcessingJob": _working,
    "BatchTransformJob": _transform,
    "PipelineExecution": _execution,
    "HyperparameterTuningJob": _tuning,
    "Model": _model,
    "EndpointConfig": _configuration,
    "HostingDeployment": _hosting,
    "InferenceComponent": _component,
    "ModelPackageGroup": _group,
    "ModelPackage": _package,
    "Pipeline": _pipeline,
    "HostingAutoscalingPolicy": _policy,
}


def _edit(kind: str, *fields: str) -> Callable[[random.Random, JsonObject], JsonObject]:
    def edit(rng: random.Random, spec: JsonObject) -> dict[str, Any]:
        changed = copy.deepcopy(spec)
        _FILL[kind](rng, changed)
        return {field: changed.get(field) for field in fields}

    return edit


_EDITS: Final[Mapping[str, Callable[[random.Random, JsonObject], JsonObject]]] = {
    "Model": _edit("Model", "primaryContainer"),
    "EndpointConfig": _edit("EndpointConfig", "productionVariants"),
    "HostingDeployment": _edit("HostingDeployment", "models", "productionVariants"),
    "InferenceComponent": _edit("InferenceComponent", "specification", "runtimeConfig"),
    "ModelPackage": _edit("ModelPackage", "inferenceSpecification", "modelApprovalStatus"),
    "Pipeline": _edit(
        "Pipeline",
        *("pipelineDescription", "parallelismConfiguration", "pipelineDefinition", "pipelineDefinitionFrom"),
    ),
    "HostingAutoscalingPolicy": _edit("HostingAutoscalingPolicy", "resourceId", "maxCapacity"),
}
