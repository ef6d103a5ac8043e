"""Hundreds of objects of every kind at rest, without the time that an operator and its budgets take to create them.

A real operator brings one object of each kind to rest. The others are copies of what it left behind: the objects, with
status and annotations, and the requests by which it created their resources at AWS, under other names and uids.
"""

import itertools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import yaml

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.naming import sagemaker_name
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT, KINDS
from controller.reconcile.drift.digest import content, digest
from controller.reconcile.scaling.claims import CLAIMED
from controller.reconcile.status.patch import rfc3339, rfc3339_ms
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, PLURALS, REPOSITORY, aws_call, raw_call

FIRST = "proto"
"""Name of the objects that are copied, and part of every name at AWS; it occurs nowhere else."""
SHARED = "shared"
"""Endpoint of others, without models, on which all components run."""
MERGE = "application/merge-patch+json"
ENDPOINT_TIMES = {"creationTime": "CreationTime", "lastModifiedTime": "LastModifiedTime"}
QUIET_S = 1200.0
"""After this no job changes by itself for a while, and none has come to the end that its spec allows."""
SCALING = ("RegisterScalableTarget", "PutScalingPolicy")
"""Taken for endpoints in service only."""
CREATIONS = (
    *("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "CreateInferenceComponent", *SCALING),
    *("CreateTrainingJob", "CreateTransformJob", "CreateProcessingJob", "CreateHyperParameterTuningJob"),
    *("CreateModelPackageGroup", "CreateModelPackage", "CreatePipeline"),
)


_TOKEN = re.compile(r'("Client(?:Request)?Token": ").{6}')


def first_manifests() -> dict[str, JsonObject]:
    """One object of each kind that users write, by plural; its jobs run until they are stopped."""
    environment = [{"name": "SANDBOX_SECONDS", "value": LONG["SANDBOX_TRAIN_SECONDS"]}]
    markers = [{"name": name, "value": value} for name, value in LONG.items()]
    training = _sample("xgboost-mnist-trainingjob", "TrainingJob", trainingJobName=f"{FIRST}-training")
    training["spec"]["hyperParameters"] += markers
    tuning = _sample("xgboost-mnist-hpo", "HyperparameterTuningJob", hyperParameterTuningJobName=f"{FIRST}-tuning")
    tuning["spec"]["trainingJobDefinition"].setdefault("staticHyperParameters", []).extend(markers)
    limits = {"maxNumberOfTrainingJobs": 1, "maxParallelTrainingJobs": 1}
    tuning["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = limits
    transform = _sample("xgboost-mnist-batchtransform", "BatchTransformJob", transformJobName=f"{FIRST}-transform")
    transform["spec"].setdefault("environment", []).extend(environment)
    processing = _sample("kmeans-mnist-processingjob", "ProcessingJob")
    processing["spec"].setdefault("environment", []).extend(environment)
    policy = _sample("hap-predefined-metric", "HostingAutoscalingPolicy")
    policy["spec"]["resourceId"] = [{"endpointName": FIRST, "variantName": "all-traffic"}]
    deployment = _sample("xgboost-mnist-hostingdeployment", "HostingDeployment")
    component = _sample("inference-component", "InferenceComponent", endpointName=SHARED)
    group = _sample("modelpackagegroup", "ModelPackageGroup", modelPackageGroupName=FIRST)
    package = _sample("modelpackage", "ModelPackage", modelPackageGroupName=FIRST)
    pipeline = _sample("pipeline", "Pipeline", pipelineName=FIRST)
    every = (training, tuning, transform, processing, deployment, component, policy, group, package, pipeline)
    return {PLURALS[each["kind"]]: each for each in every}


def _sample(file: str, kind: str, **spec: object) -> JsonObject:
    obj: JsonObject = yaml.safe_load((REPOSITORY / "samples" / f"{file}.yaml").read_text())
    assert obj["kind"] == kind
    obj["metadata"]["name"] = FIRST
    obj["spec"] |= {"region": "us-east-2", **spec}
    return obj


def rest(world: World) -> None:
    """Have an operator bring the first object of each kind to rest, and end it."""
    aws_call(
        world.aws.url,
        "CreateModel",
        ModelName="xgboost-mnist",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://my-bucket/model.tar.gz"},
    )
    role = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
    variant = {"VariantName": "all", "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1}
    configured = {"EndpointConfigName": SHARED, "ExecutionRoleArn": role, "ProductionVariants": [variant]}
    aws_call(world.aws.url, "CreateEndpointConfig", **configured)
    aws_call(world.aws.url, "CreateEndpoint", EndpointName=SHARED, EndpointConfigName=SHARED)
    operator = world.operator().until_ready()
    for plural, manifest in first_manifests().items():
        world.api.create(manifest, plural=plural)
    told = {
        "trainingjobs": ("secondaryStatus", "Training"),
        "hyperparametertuningjobs": ("hyperParameterTuningJobStatus", "InProgress"),
        "batchtransformjobs": ("transformJobStatus", "InProgress"),
        "processingjobs": ("processingJobStatus", "InProgress"),
        "hostingdeployments": ("endpointStatus", "InService"),
        "inferencecomponents": ("inferenceComponentStatus", "InService"),
        "hostingautoscalingpolicies": ("hostingAutoscalingPolicyStatus", "Created"),
        "modelpackagegroups": ("modelPackageGroupStatus", "Completed"),
        "modelpackages": ("modelPackageStatus", "Completed"),
        "pipelines": ("pipelineStatus", "Active"),
    }
    for plural, (field, value) in told.items():
        eventually(
            lambda plural=plural, field=field, value=value: (  # type: ignore[misc]
                world.api.status(FIRST, plural=plural).get(field) == value
            ),
            what=f"{plural} rest",
        )
    counted = "trainingJobStatusCounters"
    tuning = PLURALS["HyperparameterTuningJob"]
    eventually(
        lambda: world.api.status(FIRST, plural=tuning).get(counted, {}).get("inProgress") == 1, what="one is counted"
    )
    operator.terminate()


class Copies:
    """Copies of all that `rest` has left. They are at rest, and their policies in place, after `settle`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._originals = [*self._read()]
        asked = [(each.operation, each.body.decode()) for each in world.to_aws.requests]
        self._creations = [(operation, body) for operation, body in asked if operation in CREATIONS]
        self._numbers = itertools.count(1)
        self._tokens = itertools.count(1)
        self._endpoints: list[tuple[JsonObject, JsonObject, Names]] = []
        self._components: list[tuple[JsonObject, JsonObject]] = []
        self._jobs: list[tuple[KindDescriptor, JsonObject, JsonObject]] = []
        self._later: list[tuple[str, str]] = []

    def _read(self) -> Iterator[tuple[KindDescriptor, JsonObject]]:
        """Parents before their children, models before configurations before policies; no spawned training jobs."""
        order = {HOSTING_DEPLOYMENT.kind: 0, "Model": 1, ENDPOINT_CONFIG.kind: 2}
        for descriptor in sorted(KINDS, key=lambda each: order.get(each.kind, 3)):
            listed = self._world.api.call("GET", self._world.api.path(plural=descriptor.plural))["items"]
            owners = {"HostingDeployment": True, "HyperparameterTuningJob": False}
            for obj in listed:
                references = obj["metadata"].get("ownerReferences") or ()
                if all(owners[each["kind"]] for each in references):
                    yield descriptor, obj

    def add(self) -> None:
        """One more of each."""
        other = Names({FIRST: f"copy-{next(self._numbers)}"})
        for descriptor, original in self._originals:
            self._copy(descriptor, original, other)
        for operation, body in self._creations:
            if operation in SCALING:
                self._later.append((operation, other.translate(body)))
            else:
                apart = _TOKEN.sub(rf"\g<1>{next(self._tokens):06d}", body)  # the same one is the same resource
                raw_call(self._world.aws.url, operation, other.translate(apart))

    def _copy(self, descriptor: KindDescriptor, original: JsonObject, other: "Names") -> None:
        api, metadata = self._world.api, original["metadata"]
        if descriptor is ENDPOINT_CONFIG:  # its content, which names hold, has the name of its model
            before, after = (
                digest(content(descriptor, spec)) for spec in (original["spec"], other.of(original["spec"]))
            )
            other.add(before, after)
        kept = {
            name: metadata[name] for name in ("name", "labels", "ownerReferences", "finalizers") if name in metadata
        }
        head = {name: original[name] for name in ("apiVersion", "kind")}
        made = api.create(other.of({**head, "metadata": kept, "spec": original["spec"]}), plural=descriptor.plural)
        name, uid = made["metadata"]["name"], made["metadata"]["uid"]
        for one, another in (
            (_sagemaker_name(descriptor, original), _sagemaker_name(descriptor, made)),
            (metadata["uid"], uid),
            (metadata["uid"].replace("-", ""), uid.replace("-", "")),
        ):
            other.add(one, another)
        if "annotations" in metadata:
            annotations = other.of({"metadata": {"annotations": metadata["annotations"]}})
            if descriptor is HOSTING_AUTOSCALING_POLICY:  # its targets are put there later, at a time of their own
                claims = {uid: list(json.loads(annotations["metadata"]["annotations"][CLAIMED])[uid])}
                annotations["metadata"]["annotations"][CLAIMED] = json.dumps(claims)
            api.call("PATCH", api.path(name, plural=descriptor.plural), annotations, content=MERGE)
        if descriptor is HOSTING_DEPLOYMENT:  # its status has the names of children that are not made yet
            self._endpoints.append((made, original, other))
        elif descriptor is INFERENCE_COMPONENT:
            self._components.append((made, other.of(original["status"])))
        elif descriptor.operations.stop:  # nor is the time of the job's creation
            self._jobs.append((descriptor, made, other.of(original["status"])))
        else:
            self._tell(made, other.of(original["status"]), descriptor)

    def _tell(self, obj: JsonObject, status: JsonObject, descriptor: KindDescriptor) -> None:
        for each in (status, *status["conditions"]):
            each["observedGeneration"] = 1
        path = self._world.api.path(obj["metadata"]["name"], plural=descriptor.plural) + "/status"
        self._world.api.call("PATCH", path, {"status": status}, content=MERGE)

    def settle(self) -> None:
        """Let time pass at AWS; tell of the endpoints as SageMaker describes them then, and scale them."""
        self._world.aws.clock.advance(QUIET_S)
        for obj, original, other in self._endpoints:
            status = other.of(original["status"])
            answer = aws_call(self._world.aws.url, "DescribeEndpoint", EndpointName=status["endpointName"])
            assert answer["EndpointStatus"] == "InService"
            for field, member in ENDPOINT_TIMES.items():
                status[field] = rfc3339(datetime.fromtimestamp(answer[member], UTC))
            for shown, variant in zip(status["productionVariants"], answer["ProductionVariants"], strict=True):
                for image, resolved in zip(shown["deployedImages"], variant["DeployedImages"], strict=True):
                    image["resolutionTime"] = rfc3339(datetime.fromtimestamp(resolved["ResolutionTime"], UTC))
            self._tell(obj, _dated(status, answer), HOSTING_DEPLOYMENT)
        for obj, status in self._components:
            name = {INFERENCE_COMPONENT.name.member: status["awsResource"]["name"]}
            answer = aws_call(self._world.aws.url, INFERENCE_COMPONENT.operations.describe, **name)
            assert answer["InferenceComponentStatus"] == "InService"
            for field, member in ENDPOINT_TIMES.items():
                status[field] = rfc3339(datetime.fromtimestamp(answer[member], UTC))
            self._tell(obj, _dated(status, answer), INFERENCE_COMPONENT)
        for descriptor, obj, status in self._jobs:
            name = {descriptor.name.member: status["awsResource"]["name"]}
            answer = aws_call(self._world.aws.url, descriptor.operations.describe, **name)
            self._tell(obj, _dated(status, answer), descriptor)
        for operation, body in self._later:
            raw_call(self._world.aws.url, operation, body)
        self._endpoints.clear()
        self._components.clear()
        self._jobs.clear()
        self._later.clear()


def _dated(status: JsonObject, answer: JsonObject) -> JsonObject:
    """The status with the times at which the copy was created, by the operator's clock and by AWS's."""
    status["awsResource"]["createdAt"] = rfc3339(datetime.now(UTC))  # lists need not show yet what is young
    status["awsResource"]["creationTime"] = rfc3339_ms(datetime.fromtimestamp(answer["CreationTime"], UTC))
    return status


def _sagemaker_name(descriptor: KindDescriptor, obj: JsonObject) -> str:
    metadata = obj["metadata"]
    return sagemaker_name(metadata["name"], metadata["uid"], descriptor.name.max_length)


class Names:
    """Old words and the new ones, in which no old one occurs; the longest that matches counts."""

    def __init__(self, words: dict[str, str]) -> None:
        self._words = words

    def add(self, old: str, new: str) -> None:
        """One more."""
        self._words[old] = new

    def translate(self, text: str) -> str:
        """The text with all words replaced."""
        for word in sorted(self._words, key=len, reverse=True):
            text = text.replace(word, self._words[word])
        return text

    def of(self, value: JsonObject) -> JsonObject:
        """The same for the texts in a JSON value."""
        translated: JsonObject = json.loads(self.translate(json.dumps(value)))
        return translated
