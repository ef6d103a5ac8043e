"""The predecessor's objects, as it stored them, in all of their states: our operator, and their manifests again.

As v1-kinds.md has it (4 to 7, 9): Go's omitempty left out what is empty, its finalizer, its statuses, children named by
generation and known by labels only, and resources at AWS without tags. What it made goes on: the CRDs accept the object
and its unchanged manifest, and AWS is asked to read and tag only; deletions that it has begun are brought to their end.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pytest

from api.convert import to_request
from api.descriptor import KindDescriptor
from api.fields import installed
from api.meta import FINALIZER, JsonObject, ObjectKey
from api.naming import child_name, sagemaker_name
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    KINDS,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.reconcile.status.patch import rfc3339
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.empties import with_empties, without_empties
from tests.fakes.cluster import FakeCluster
from tests.fakes.job_manifests import manifest_of
from tests.fakes.sagemaker.arns import REGION, arn_of
from tests.fakes.sagemaker.hosting import Endpoint
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.scaling_world import ScalingWorld
from tests.faults.test_replaced_manifests import manifest as resource_manifest
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row
from tests.unit.api.contract import schema_of

pytestmark = pytest.mark.long

JOBS: Final = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
CHANGES: Final = ("create", "update", "delete", "stop", "put", "register", "deregister")
FIRST_TOUCH: Final = "SynchronizingK8sJobWithSageMaker"
ENDS: Final = ("Completed", "Failed", "Stopped")
CHECKED: Final = "lastCheckTime"
TUNING_FINALIZER: Final = "sagemaker-operator-hpo-trainingjob"
UPSERTS: Final = {"RegisterScalableTarget": 1, "PutScalingPolicy": 1}


@dataclass(frozen=True)
class Found:
    """An object of the predecessor, in the world in which our operator finds it."""

    world: Any
    kind: KindDescriptor
    file: JsonObject
    """The user's manifest."""

    @property
    def key(self) -> ObjectKey:
        """The object's."""
        return ObjectKey.of(self.file)

    @property
    def cluster(self) -> FakeCluster:
        """The objects of its kind."""
        cluster: FakeCluster = self.world.clusters[self.kind.kind]
        return cluster

    @property
    def obj(self) -> JsonObject:
        """The object as it is."""
        return self.cluster.get(self.key) or {}

    def changes(self) -> dict[str, int]:
        """How often the operator has called what changes something at AWS, tags apart; upserts count once."""
        calls = [each for each in self.world.sagemaker.operations if each not in {"delete tags", "DeleteTags"}]
        changes = Counter(each for each in calls if each.lower().startswith(CHANGES))
        return {each: 1 if each in UPSERTS else count for each, count in changes.items()}

    def pass_time(self) -> None:
        """Let some minutes pass: what was told to stop has stopped then."""
        for _ in range(2):
            self.world.run(150, step_s=5)
            if self.kind in JOBS:
                for (_, name), each in self.world.aws.jobs.items():
                    if each.value == "Stopping":
                        self.end(name)

    def end(self, name: str) -> None:
        """The job has stopped, and so has what it has launched."""
        if self.kind is HYPERPARAMETER_TUNING_JOB:
            self.world.aws.end_all(name, "Stopped")
        else:
            self.world.aws.move(name, "Stopped")

    def left(self) -> list[str]:
        """Names of what the object had at AWS and is still there, or runs."""
        if self.kind in JOBS:
            return [each.name for each in self.world.aws.jobs.values() if each.value not in ENDS]
        if self.kind is HOSTING_AUTOSCALING_POLICY:
            return [*self.world.aws.bounds, *map(str, self.world.aws.put)]
        return [each for each in self.world.aws.left if each != "m"]


def stored(world: World, kind: KindDescriptor, file: JsonObject, *, deleting: bool = False) -> JsonObject:
    """Store an object as the predecessor did with its finalizer, and the name that it wrote into the spec."""
    cluster = world.clusters[kind.kind]
    obj = cluster.apply({**file, "spec": without_empties(file["spec"])})
    obj["metadata"]["finalizers"] = [FINALIZER]
    if kind.name.late_initialized:
        obj["spec"].setdefault(kind.name.spec_field, generated(kind, obj))
    if deleting:
        obj["metadata"]["deletionTimestamp"] = rfc3339(world.clock.utcnow())
    return cluster._put(ObjectKey.of(file), obj, obj)


def shown(world: World, kind: KindDescriptor, obj: JsonObject, **status: Any) -> None:
    """Give a stored object this status, without what is empty, some time after it was created."""
    world.clock.advance(60)
    stamp = {MODEL: "lastUpdateTime", ENDPOINT_CONFIG: "lastUpdateTime", HOSTING_AUTOSCALING_POLICY: ""}.get(
        kind, CHECKED
    )
    obj = {**obj, "status": without_empties({stamp: rfc3339(world.clock.utcnow()), **status})}
    obj["status"].pop("", None)
    world.clusters[kind.kind]._put(ObjectKey.of(obj), obj, obj)


def generated(kind: KindDescriptor, obj: JsonObject) -> str:
    """The name at SageMaker."""
    return sagemaker_name(obj["metadata"]["name"], obj["metadata"]["uid"], kind.name.max_length)


# --- jobs


def job(kind: KindDescriptor, value: str, at_aws: str = "", *, deleting: bool = False, **status: Any) -> Found:
    """A job with this status, which is so at SageMaker; empty: it is not there."""
    is_tuning = kind is HYPERPARAMETER_TUNING_JOB
    world: World = TuningWorld() if is_tuning else World(kind)
    file = tuning_world.manifest() if is_tuning else manifest_of(kind)
    obj = stored(world, kind, file, deleting=deleting)
    name = generated(kind, obj)
    if at_aws:
        world.aws.existing(name, at_aws, **to_request(kind, obj["spec"]))
    fields = {kind.status.field: value, kind.name.status_field: "" if value == FIRST_TOUCH else name, **status}
    if kind in {TRAINING_JOB, PROCESSING_JOB}:
        fields["cloudWatchLogUrl"] = f"https://us-east-2.console.aws.amazon.com/#{fields[kind.name.status_field]}"
    shown(world, kind, obj, **fields)
    return Found(world, kind, file)


def spawning(value: str = "InProgress", *, deleting: bool = False) -> Found:
    """A tuning job with a training job that it has launched, whose object two finalizers hold."""
    found = job(HYPERPARAMETER_TUNING_JOB, value, value, deleting=deleting)
    world = found.world
    (launched,) = world.aws.launch(found.obj["spec"][HYPERPARAMETER_TUNING_JOB.name.spec_field])
    file = manifest_of(TRAINING_JOB, launched)
    file["metadata"] = {**file["metadata"], "name": launched}
    obj = stored(world, TRAINING_JOB, file)
    obj["metadata"]["finalizers"].insert(0, TUNING_FINALIZER)
    status = {"trainingJobStatus": "InProgress", "sageMakerTrainingJobName": launched, "secondaryStatus": "Training"}
    shown(world, TRAINING_JOB, obj, **status)
    return found


# --- models and configurations


def resource(kind: KindDescriptor, value: str, *, at_aws: bool = True, deleting: bool = False) -> Found:
    """A Model or EndpointConfig of its own; the predecessor cleared the name whenever a Describe failed."""
    world = HostingWorld()
    world.aws.models["m"] = {"ExecutionRoleArn": "role"}
    file = resource_manifest(kind, 1)
    obj = stored(world, kind, file, deleting=deleting)
    name = made(world, kind, obj) if at_aws else ""
    shown(world, kind, obj, status=value, **named(kind, name if value == "Created" else ""), additional="x")
    return Found(world, kind, file)


def made(world: HostingWorld, kind: KindDescriptor, obj: JsonObject) -> str:
    """Put the resource of an object to SageMaker, without tags of ours; returns its name."""
    name = generated(kind, obj)
    there = world.aws.models if kind is MODEL else world.aws.configs
    there[name] = {**to_request(kind, obj["spec"]), kind.name.member: name, "CreationTime": world.clock.utcnow()}
    return name


def named(kind: KindDescriptor, name: str) -> JsonObject:
    """The fields of a status about the name."""
    arn = "modelArn" if kind is MODEL else "endpointConfigArn"
    return {kind.name.status_field: name, arn: name and arn_of(kind, name)}


# --- endpoints


def host(
    value: str, at_aws: str = "", *, versions: int = 1, serves: int = 1, busy_s: float = 0.0, deleting: bool = False
) -> Found:
    """A deployment of so many generations, of which the endpoint serves one; empty: there is no endpoint."""
    world = HostingWorld()
    file = hosting_world.manifest(version="1")
    owner = stored(world, HOSTING_DEPLOYMENT, file)
    configurations = []
    for version in range(1, versions + 1):
        file = hosting_world.manifest(version=str(version))
        world.cluster.edit(ObjectKey.of(file), file["spec"])
        configurations.append(children(world, owner, file["spec"], version))
    owner = world.obj
    if deleting:
        owner["metadata"]["deletionTimestamp"] = rfc3339(world.clock.utcnow())
    name, now = generated(HOSTING_DEPLOYMENT, owner), world.clock.utcnow()
    if at_aws:
        until = world.clock.monotonic() + 60 + busy_s if busy_s else 0.0
        config = configurations[serves - 1]
        following = config if at_aws == "RollingBack" else configurations[-1]
        world.aws.bad_version = "2" if at_aws == "RollingBack" else ""
        variants = tuple(world.aws.configs[config]["ProductionVariants"])
        world.aws.endpoints[name] = Endpoint(
            {"EndpointName": name}, config, now, now, at_aws, until, following, variants=variants
        )
    there = {
        "endpointArn": arn_of(HOSTING_DEPLOYMENT, name),
        "creationTime": rfc3339(now),
        "lastModifiedTime": rfc3339(now),
        "productionVariants": [{"variantName": "a", "currentWeight": 1, "currentInstanceCount": 1}],
    }
    desired = (
        {} if deleting else {"endpointConfigName": configurations[-1], "modelNames": [{"name": "m", "value": "m"}]}
    )
    url = f"https://runtime.sagemaker.us-east-2.amazonaws.com/endpoints/{name}/invocations"
    is_first = value == FIRST_TOUCH
    fields = {"endpointStatus": value, "endpointName": "" if is_first else name, "endpointUrl": "" if is_first else url}
    shown(world, HOSTING_DEPLOYMENT, owner, **fields, **(there if at_aws else {}), **({} if is_first else desired))
    return Found(world, HOSTING_DEPLOYMENT, file)


def children(world: HostingWorld, owner: JsonObject, spec: JsonObject, generation: int) -> str:
    """Store the children of one generation, and what they have at SageMaker; returns the name of the configuration."""
    (model,), (variant,) = spec["models"], spec["productionVariants"]
    (container,) = model["containers"]
    own = {"executionRoleArn": model["executionRoleArn"], "primaryContainer": {**container, "mode": "SingleModel"}}
    model_name = child(world, MODEL, owner, child_name(model["name"], owner["metadata"]["uid"], generation), own)
    variants = {"productionVariants": [{**variant, "modelName": model_name}]}
    name = child_name(owner["metadata"]["name"], owner["metadata"]["uid"], generation)
    return child(world, ENDPOINT_CONFIG, owner, name, variants)


def child(world: HostingWorld, kind: KindDescriptor, owner: JsonObject, name: str, spec: JsonObject) -> str:
    """Store a child that labels alone connect with its owner; returns the name of its resource."""
    labels = {f"owner_HostingDeployment_{each}": owner["metadata"][each] for each in ("namespace", "name")}
    metadata = {"namespace": owner["metadata"]["namespace"], "name": name, "labels": labels}
    file = {
        "apiVersion": owner["apiVersion"],
        "kind": kind.kind,
        "metadata": metadata,
        "spec": {"region": REGION, **spec},
    }
    obj = stored(world, kind, file)
    at_aws = made(world, kind, obj)
    shown(world, kind, obj, status="Created", **named(kind, at_aws))
    return at_aws


# --- autoscaling policies


def policy(value: str, *, at_aws: bool = True, deleting: bool = False) -> Found:
    """A policy on one variant; the defaults were written into its spec."""
    world = ScalingWorld()
    file = scaling_world.manifest("a")
    obj = stored(world, HOSTING_AUTOSCALING_POLICY, file, deleting=deleting)
    obj["spec"] |= {
        "serviceNamespace": "sagemaker",
        "scalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "policyType": "TargetTrackingScaling",
    }
    if at_aws:
        world.aws.bounds[scaling_world.A] = 4
        world.aws.put.add((scaling_world.A, "busy"))
    applied = {"resourceIDList": [scaling_world.A]} if value == "Created" else {}
    shown(world, HOSTING_AUTOSCALING_POLICY, obj, hostingAutoscalingPolicyStatus=value, policyName="busy", **applied)
    return Found(world, HOSTING_AUTOSCALING_POLICY, file)


# --- all of them


@dataclass(frozen=True)
class Case:
    """How an object is found, and what is changed at AWS then."""

    found: Callable[[], Found]
    changes: Mapping[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    """What its deletion leaves there."""


RECONCILING: Final = {
    TRAINING_JOB: ("ReconcilingTrainingJob",),
    HYPERPARAMETER_TUNING_JOB: ("ReconcilingTuningJob",),
    PROCESSING_JOB: ("Reconciling", "Error"),
    BATCH_TRANSFORM_JOB: ("Failed",),
}
"""What the predecessor showed of a job when an error kept it from looking at it."""


def _of_jobs() -> Iterator[tuple[str, Case]]:
    for kind in JOBS:
        found = partial(job, kind)
        yield f"{kind.kind}: first touch", Case(partial(found, FIRST_TOUCH), {"create": 1})
        for value in ("InProgress", "Stopping", *ENDS):
            yield f"{kind.kind}: {value}", Case(partial(found, value, value))
            stops = {"stop": 1} if value == "InProgress" else {}
            yield f"{kind.kind}: {value}, deleting", Case(partial(found, value, value, deleting=True), stops)
        for value in RECONCILING[kind]:
            yield f"{kind.kind}: {value}, running", Case(partial(found, value, "InProgress", additional="x"))
            yield f"{kind.kind}: {value}, deleting", Case(partial(found, value, deleting=True, additional="x"))
        yield f"{kind.kind}: ended since", Case(partial(found, "InProgress", "Completed"))
    yield "HyperparameterTuningJob: has launched a job", Case(spawning)
    yield "HyperparameterTuningJob: has launched a job, ended", Case(partial(spawning, "Completed"))
    yield "HyperparameterTuningJob: has launched a job, deleting", Case(partial(spawning, deleting=True), {"stop": 1})


def _of_resources() -> Iterator[tuple[str, Case]]:
    for kind in (MODEL, ENDPOINT_CONFIG):
        found, create, delete = partial(resource, kind), kind.operations.create, kind.operations.delete
        yield f"{kind.kind}: first touch", Case(partial(found, FIRST_TOUCH, at_aws=False), {create: 1})
        yield f"{kind.kind}: Created", Case(partial(found, "Created"))
        yield f"{kind.kind}: Created, deleting", Case(partial(found, "Created", deleting=True), {delete: 1})
        yield f"{kind.kind}: Error, not there", Case(partial(found, "Error", at_aws=False), {create: 1})
        # the name was cleared: the Create of its own name is refused, and what has it is the object's
        yield f"{kind.kind}: Error, there", Case(partial(found, "Error"), {create: 1})
        yield f"{kind.kind}: Deleted", Case(partial(found, "Deleted", at_aws=False, deleting=True))


def _of_endpoints() -> Iterator[tuple[str, Case]]:
    goes = {"DeleteEndpointConfig": 1, "DeleteModel": 1}
    yield "endpoint: first touch", Case(partial(host, FIRST_TOUCH), {"CreateEndpoint": 1})
    yield "endpoint: being prepared", Case(partial(host, "ReconcilingEndpoint"), {"CreateEndpoint": 1})
    yield "endpoint: Creating", Case(partial(host, "Creating", "Creating", busy_s=60))
    yield "endpoint: in service", Case(partial(host, "InService", "InService"))
    yield (
        "endpoint: in service, of several generations",
        Case(partial(host, "InService", "InService", versions=2, serves=2), goes),
    )
    yield "endpoint: Updating", Case(partial(host, "Updating", "Updating", versions=2, busy_s=60), goes)
    yield "endpoint: SystemUpdating", Case(partial(host, "SystemUpdating", "SystemUpdating", busy_s=60))
    for value in ("OutOfService", "Failed"):
        yield f"endpoint: {value}", Case(partial(host, value, value))
    # it repeated a failed update for ever; nothing says which one has failed, so that it is tried once more
    found = partial(host, "RollingBack", "RollingBack", versions=2, busy_s=60)
    yield "endpoint: RollingBack", Case(found, {"UpdateEndpoint": 1})
    yield "endpoint: an error", Case(partial(host, "ReconcilingEndpoint", "InService"))
    for value in ("InService", "Failed", "OutOfService"):
        found = partial(host, "Deleting", value, deleting=True)
        yield f"endpoint: {value}, deleting", Case(found, {"DeleteEndpoint": 1, **goes})
    yield "endpoint: Deleting", Case(partial(host, "Deleting", "Deleting", busy_s=60, deleting=True), goes)


def _of_policies() -> Iterator[tuple[str, Case]]:
    yield "policy: first touch", Case(partial(policy, "Reconciling", at_aws=False), UPSERTS)
    yield "policy: Created", Case(partial(policy, "Created"), UPSERTS)
    # it noted targets only once all was applied: this one may be of others
    yield "policy: Reconciling, in place", Case(partial(policy, "Reconciling"), UPSERTS, left=(scaling_world.A,))
    yield "policy: Error", Case(partial(policy, "Error", at_aws=False), UPSERTS)
    removed = {"DeleteScalingPolicy": 1, "DeregisterScalableTarget": 1}
    yield "policy: Created, deleting", Case(partial(policy, "Created", deleting=True), removed)


CASES: Final = dict((*_of_jobs(), *_of_resources(), *_of_endpoints(), *_of_policies()))


def refusals(kind: KindDescriptor, obj: JsonObject, old: JsonObject | None = None) -> list[str]:
    """What our CRD has against an object, or against putting it in the place of `old`."""
    obj, schema = copy.deepcopy(obj), schema_of(kind.kind)
    unknown = [f"{path}: unknown field" for path in prune(schema, obj)]
    return unknown + [str(cause) for cause in validate(schema, obj, copy.deepcopy(old))]


@each_row("name", CASES)
def test_what_the_predecessor_has_stored_goes_on(name: str) -> None:
    """It is accepted, and nothing is called at AWS but reads and tags, what a deletion or a first touch needs apart.

    So are the user's manifests, unchanged, by `kubectl apply` and by `kubectl replace`, with empties or without.
    """
    case = CASES[name]
    found = case.found()
    for cluster in found.world.clusters.values():
        for each in list(cluster.objects.values()):
            (kind,) = [kind for kind in KINDS if kind.kind == each["kind"]]
            assert refusals(kind, each) == []
    is_deleting = "deletionTimestamp" in found.obj["metadata"]
    found.pass_time()
    assert found.changes() == case.changes
    if not is_deleting:
        assert found.obj["status"]["conditions"], "taken over"
        applied_again(found)
        assert found.changes() == case.changes
        found.cluster.delete(found.key)
        found.pass_time()
    assert found.cluster.peek(found.key) is None
    assert found.left() == [*case.left]


def applied_again(found: Found) -> None:
    """The unchanged manifest, as it was stored, and with all empties that a user may have written."""
    written = {**found.file, "spec": with_empties(installed(found.kind).spec, found.file["spec"])}
    for file in (found.file, written):
        merged = {**found.obj, "spec": {**found.obj["spec"], **file["spec"]}}
        assert refusals(found.kind, merged, found.obj) == [], "apply"
        assert refusals(found.kind, {**found.obj, "spec": file["spec"]}, found.obj) == [], "replace"
    found.cluster.edit(found.key, {**found.obj["spec"], **written["spec"]})
    found.pass_time()
    found.cluster.replace(found.file)
    found.pass_time()
