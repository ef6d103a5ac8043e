"""An AWS account that others use, too: their resources, and a picture of everything that is in it."""

import json
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import yaml

from api import autoscaling
from api.convert import to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from tests.deadline import eventually
from tests.documents import SAMPLES
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY, aws_call, raw_call

JOBS = (TRAINING_JOB, HYPERPARAMETER_TUNING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
ENDS = ("Completed", "Failed", "Stopped")
PASSED = ("TrainingTimeInSeconds", "BillableTimeInSeconds", "ConsumedResources")
"""Members of Describe answers that grow while a job runs."""
ALL = json.dumps({"MaxResults": 100})


@cache
def _text(kind: str) -> str:
    return (REPOSITORY / "samples" / f"{SAMPLES[kind]}.yaml").read_text()


def manifest(kind: str, name: str, **spec: Any) -> JsonObject:
    """The sample of a kind under another name, with fields of its spec replaced, in the region that tests ask."""
    obj: JsonObject = yaml.load(_text(kind), Loader=yaml.CSafeLoader)
    assert obj["kind"] == kind
    obj["metadata"]["name"] = name
    obj["spec"] |= {"region": "us-east-2", **spec}
    return obj


def marked(obj: JsonObject, **markers: str) -> JsonObject:
    """The manifest with markers that tell the embedded SageMaker how it shall go; it is changed in place."""
    pairs = [{"name": name, "value": value} for name, value in markers.items()]
    spec = obj["spec"]
    match obj["kind"]:
        case "TrainingJob":
            spec["hyperParameters"] += pairs
        case "HyperparameterTuningJob":
            spec["trainingJobDefinition"].setdefault("staticHyperParameters", []).extend(pairs)
        case "HostingDeployment":
            spec["containers"][0]["environment"] = pairs
        case _:
            spec.setdefault("environment", []).extend(pairs)
    return obj


def member(kind: KindDescriptor) -> str:
    """How AWS's operations call the kind's resource, e.g. `TransformJob`."""
    return kind.operations.create.removeprefix("Create")


def stop(world: World, kind: KindDescriptor, name: str) -> None:
    """Somebody stops the job, in the console for example."""
    aws_call(world.aws.url, kind.operations.stop, **{kind.name.member: name})


def describe(world: World, kind: KindDescriptor, name: str) -> JsonObject:
    """The whole answer."""
    return aws_call(world.aws.url, kind.operations.describe, **{kind.name.member: name})


@dataclass(frozen=True)
class Left:
    """What is in the account: jobs with their states (AWS keeps the record of a job for ever), and all else by name."""

    jobs: dict[str, str]
    others: frozenset[str]

    @classmethod
    def of(cls, world: World) -> "Left":
        """All that SageMaker and Application Auto Scaling list; fewer than 100 of each."""
        jobs = {}
        for kind in JOBS:
            listed = raw_call(world.aws.url, kind.operations.list, ALL)
            assert "NextToken" not in listed
            items = listed[kind.operations.list_items]
            jobs |= {f"{member(kind)} {item[kind.name.member]}": item[kind.status.member] for item in items}
        others = set()
        for name in ("Model", "EndpointConfig", "Endpoint"):
            listed = raw_call(world.aws.url, f"List{name}s", ALL)
            assert "NextToken" not in listed
            others |= {f"{name} {item[f'{name}Name']}" for item in listed[f"{name}s"]}
        space = json.dumps({"ServiceNamespace": "sagemaker"})
        for operation in ("DescribeScalableTargets", "DescribeScalingPolicies"):
            (items,) = (each for each in raw_call(world.aws.url, operation, space).values() if isinstance(each, list))
            others |= {f"{operation} {item['ResourceId']} {item.get('PolicyName', '')}" for item in items}
        return cls(jobs, frozenset(others))


class Foreigners:
    """Resources of somebody else, one of each sort, whose names differ from `name` by what is added to it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self.name = name
        url = world.aws.url
        model = to_request(MODEL, manifest("Model", "m")["spec"])
        aws_call(url, "CreateModel", **{**model, "ModelName": name})
        configuration = manifest("EndpointConfig", "c")["spec"]
        configuration["productionVariants"][0] |= {"modelName": name, "variantName": "all-traffic"}
        made = to_request(ENDPOINT_CONFIG, configuration)
        aws_call(url, "CreateEndpointConfig", **{**made, "EndpointConfigName": name})
        aws_call(url, "CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        for kind in JOBS:
            spec = marked(manifest(kind.kind, "job"), SANDBOX_SECONDS="86400")["spec"]
            if kind is BATCH_TRANSFORM_JOB:
                spec["modelName"] = name
            aws_call(url, kind.operations.create, **{**to_request(kind, spec), kind.name.member: name})
        eventually(lambda: self._endpoint()["EndpointStatus"] == "InService", what="their endpoint is in service")
        scaled = manifest("HostingAutoscalingPolicy", "p")["spec"]
        scaled["resourceId"] = [{"endpointName": name, "variantName": "all-traffic"}]
        for request in autoscaling.requests(scaled):
            raw_call(url, "RegisterScalableTarget", json.dumps(request.target))
            raw_call(url, "PutScalingPolicy", json.dumps(request.policy))
        eventually(lambda: self._training()["SecondaryStatus"] == "Training", what="their job trains")
        # A picture that is taken before all have begun to work would differ from a later one.
        for kind in (BATCH_TRANSFORM_JOB, PROCESSING_JOB):
            started = f"{member(kind).removesuffix('Job')}StartTime"
            eventually(partial(self._shows, kind, started), what=f"their {member(kind)} has started")
        eventually(self._tunes, what="their tuning job has launched its jobs")

    def _endpoint(self) -> JsonObject:
        return aws_call(self._world.aws.url, "DescribeEndpoint", EndpointName=self.name)

    def _shows(self, kind: KindDescriptor, field: str) -> bool:
        return field in describe(self._world, kind, self.name)

    def _tunes(self) -> bool:
        tuning = describe(self._world, HYPERPARAMETER_TUNING_JOB, self.name)
        limits = tuning["HyperParameterTuningJobConfig"]["ResourceLimits"]
        running: int = tuning["TrainingJobStatusCounters"]["InProgress"]
        return running == limits["MaxParallelTrainingJobs"]

    def _training(self) -> JsonObject:
        return describe(self._world, TRAINING_JOB, self.name)

    def picture(self) -> str:
        """Everything that AWS tells of them, time that has passed apart, as text to compare."""
        url, space = self._world.aws.url, {"ServiceNamespace": "sagemaker"}
        told = [describe(self._world, kind, self.name) for kind in (*JOBS, MODEL, ENDPOINT_CONFIG)]
        told.append(self._endpoint())
        mine = json.dumps({**space, "ResourceIds": [f"endpoint/{self.name}/variant/all-traffic"]})
        told.append(raw_call(url, "DescribeScalableTargets", mine))
        mine = json.dumps({**space, "ResourceId": f"endpoint/{self.name}/variant/all-traffic"})
        told.append(raw_call(url, "DescribeScalingPolicies", mine))
        told += [aws_call(url, "ListTags", ResourceArn=each["TrainingJobArn"]) for each in told[:1]]
        for each in told:
            for passed in PASSED:
                each.pop(passed, None)
        return json.dumps(told, sort_keys=True, indent=1)
