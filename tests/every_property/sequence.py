"""One property's life: created with a valid value, edited, edited back, given values to refuse, deleted.

The judge compares what is at AWS by the requests that it received with what the oracle derives from the manifest.
"""

import copy
import itertools
import json
import random
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import Any, Final, TypeAlias

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from controller.aws.targets import Target
from tests.documents import SAMPLES, document
from tests.every_property import values
from tests.every_property.kubernetes import Answer, EmbeddedApi
from tests.every_property.ledger import Ledger
from tests.every_property.oracle import CONTAINER, Path_, Request, expected, neutral, update_of
from tests.every_property.places import Place, spec_schema
from tests.every_property.processes import ProcessWorld
from tests.every_property.world import EmbeddedWorld
from tests.sandbox.harness import REPOSITORY

BY_KIND: Final[Mapping[str, KindDescriptor]] = {each.kind: each for each in KINDS}
JOBS: Final = frozenset({"TrainingJob", "HyperparameterTuningJob", "BatchTransformJob", "ProcessingJob"})
_CALLER: Final = "test"
_ABSENT: Final = "(absent)"
_NAMES: Final = frozenset({"EndpointName", "EndpointConfigName"})


World: TypeAlias = EmbeddedWorld | ProcessWorld
Worlds: TypeAlias = Callable[[KindDescriptor], World]
"""Makes a world without any object, or anything at AWS, in which a kind is played."""


def in_one_thread(api: EmbeddedApi) -> Worlds:
    """Worlds on that API server."""

    def new(descriptor: KindDescriptor) -> World:
        api.forget()
        return EmbeddedWorld(api, descriptor, "x")

    return new


class How(Enum):
    """Ways to edit."""

    APPLY = "apply --server-side"
    REPLACE = "replace"
    PATCH = "patch"


@dataclass(frozen=True, slots=True)
class Violation:
    """What went wrong, and the manifests that show it."""

    place: str
    rule: str
    detail: str
    manifests: tuple[JsonObject, ...]

    def __str__(self) -> str:
        return f"{self.place}: {self.rule}: {self.detail}"


@dataclass(slots=True)
class Outcome:
    """What one sequence has shown."""

    kind: str
    path: str
    accepted: int = 0
    """Valid values that have reached AWS."""
    edits: int = 0
    refused: int = 0
    """Values that were to be refused, and were, with a message."""
    taken: int = 0
    """Values that the schema or AWS's model seemed to refuse, but that were accepted and sent as they are."""
    turned_down: list[str] = field(default_factory=list)
    """Valid values that were refused, in words: the manifest needs more than one property."""
    violations: list[Violation] = field(default_factory=list)


@cache
def _sample(kind: str) -> JsonObject:
    obj: JsonObject = document(REPOSITORY / "samples" / f"{SAMPLES[kind]}.yaml")
    return obj


def base(kind: str, name: str) -> JsonObject:
    """The manifest in which one property is set."""
    obj = copy.deepcopy(_sample(kind))
    obj["metadata"] = {"namespace": "default", "name": name}
    return obj


def with_value(obj: JsonObject, place: Place, value: Any) -> JsonObject:
    """A copy with `value` at the place, in the first item of each list; what is missing on the way is minimal.

    What cannot stand beside what is on the way is left out.
    """
    changed = copy.deepcopy(obj)
    for name in _BESIDE.get((place.kind, place.path[1]), ()):
        changed["spec"].pop(name, None)
    if place.path[: len(_INLINE)] == _INLINE:
        changed["spec"].pop("containers", None)
        for model in changed["spec"]["models"][:1]:
            model |= {"containers": [], "primaryContainer": ""}
    if place.text == "spec.stoppingCondition.maxWaitTimeInSeconds":
        changed["spec"]["enableManagedSpotTraining"] = True
        changed["spec"]["stoppingCondition"] = {"maxRuntimeInSeconds": 1}
    changed["spec"] |= copy.deepcopy(_WITH.get((place.kind, place.path[1]), {}))
    at: Any = changed["spec"]
    schema: Mapping[str, Any] = spec_schema(place.kind)
    for n, name in enumerate(place.path[1:]):
        path, is_last = place.path[: n + 2], n + 2 == len(place.path)
        if name != "[]":
            for other in values.excluded(schema, name):
                at.pop(other, None)
        schema = schema["items"] if name == "[]" else schema["properties"][name]
        if name == "[]" and is_last:
            at[:1] = [copy.deepcopy(value)]
        elif is_last:
            at[name] = copy.deepcopy(value)
        elif name == "[]":
            if not at:
                at.append(values.minimal(place.kind, path, schema))
            if not isinstance(at[0], dict | list):  # the name of a container
                at[0] = values.minimal(place.kind, path, schema)
            at = at[0]
        else:
            if not at.get(name):
                at[name] = values.minimal(place.kind, path, schema)
            at = at[name]
    return changed


_INLINE: Final = CONTAINER[:-1]
"""Containers that a model has itself, in place of names of those beside it."""
_BESIDE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("Model", "containers"): ("primaryContainer",),
    ("HyperparameterTuningJob", "trainingJobDefinitions"): ("trainingJobDefinition",),
}
"""What is taken out of the sample for a property at the top that AWS does not accept beside it."""
_WITH: Final[Mapping[tuple[str, str], JsonObject]] = {
    ("HostingAutoscalingPolicy", "stepScalingPolicyConfiguration"): {"policyType": "StepScaling"},
    ("HostingAutoscalingPolicy", "predictiveScalingPolicyConfiguration"): {"policyType": "PredictiveScaling"},
    ("ModelPackage", "tags"): {"modelPackageName": "churn-alone"},
}
"""What a property at the top needs."""


def without(obj: JsonObject, place: Place) -> JsonObject:
    """A copy without the property; what is on the way to it stays."""
    changed = copy.deepcopy(obj)
    at: Any = changed["spec"]
    for name in place.path[1:-1]:
        at = at[0] if name == "[]" else at[name]
    if place.path[-1] == "[]":
        del at[0]
    else:
        at.pop(place.path[-1], None)
    return changed


_NOTHING: Final[tuple[Any, ...]] = (None, {})
_EMPTIED: Final = 'Invalid value: "null"'
"""Part of the words in which Kubernetes 1.37 refuses an apply that empties a structure, as it makes null of it. Users
leave the field out."""


class Sequence:
    """Plays one property."""

    def __init__(self, worlds: Worlds, place: Place, seed: int) -> None:
        self._worlds = worlds
        self._place = place
        self._rng = random.Random(f"{seed} {place.kind} {place.text}")
        self._how = self._rng.choice(list(How))
        self._outcome = Outcome(place.kind, place.text)
        self._manifests: list[JsonObject] = []
        self._world = self._new_world()

    def play(self) -> Outcome:
        """All of it; what the operator or the sandbox raises is a violation."""
        try:
            self._play()
        except Exception as error:  # noqa: BLE001 (the judge of code that must not raise)
            self._violated("nothing is raised", "".join(traceback.format_exception(error)[-4:]))
        return self._outcome

    def _play(self) -> None:
        found = values.valid(self._place.kind, self._place.path, self._place.schema, self._rng)[:3]
        for n, value in enumerate(found):
            if self._accepts(value, found[n + 1 :]):
                break
        self._refuses()

    def _new_world(self) -> World:
        world = self._worlds(BY_KIND[self._place.kind])
        self._manifests = []
        if surroundings := _SURROUNDINGS.get(self._place.kind):
            for region, request in itertools.product(values.REGIONS, surroundings):
                if request[0] == "CreateInferenceComponent":
                    world.clock.advance(60)  # its endpoint has to be in service
                world.sagemaker._api.call(Target(region), "sagemaker", *request, caller=_CALLER)
            world.clock.advance(60)
        self._before = self._judged = len(world.sagemaker.sent)
        self._world = world
        return world

    # --- valid values

    def _accepts(self, value: Any, others: list[Any]) -> bool:
        """Play a valid value; whether it was accepted."""
        world = self._new_world()
        first = with_value(base(self._place.kind, "x"), self._place, value)
        self._manifests = [first]
        answer = world.cluster.server_side_apply(first) if self._how is How.APPLY else world.cluster.create(first)
        if answer.is_refused:
            self._turned_down(answer.message)
            return False
        settled = world.settle()
        if self._is_refusal_shown():
            self._turned_down(self._message())
            self._expect_nothing_at_aws()
            self._goes()
            return False
        if not settled:
            self._violated("converges", f"not within {world.clock.monotonic():g} s: {world.conditions}")
            return False
        self._outcome.accepted += 1
        self._judge(first, "sent")
        conditions = self._told()
        for other in [*others, None]:
            if other in _NOTHING and value in _NOTHING:
                continue  # no edit, by the rule about empties: whether that is right at AWS is said when it is created
            second = without(first, self._place) if other is None else with_value(first, self._place, other)
            self._edit(first, second, conditions)
        self._goes()
        return True

    def _edit(self, first: JsonObject, second: JsonObject, conditions: JsonObject) -> None:
        """Edit, and edit back."""
        world = self._world
        self._manifests = [first, second]
        answer = self._change(first, second)
        self._outcome.edits += 1
        if answer.is_refused:
            if not answer.message:
                self._violated("refusal is shown", f"{answer.status} without a message")
            world.run(30)
            self._judge(first, "a refused edit changes nothing", of=neutral)
            return
        if not world.settle():
            self._violated("converges", f"after an edit ({self._how.value}): {world.conditions}")
        if self._is_refusal_shown():
            if not self._message():
                self._violated("refusal is shown", "no message")
        else:
            self._judge(second, f"sent after an edit ({self._how.value})", of=neutral)
        self._manifests = [first, second, first]
        back = self._change(second, first)
        if back.is_refused and self._how is How.APPLY and _EMPTIED in back.message:
            return
        if back.is_refused:
            self._violated("going back restores", f"refused: {back.message}")
            return
        if not world.settle():
            self._violated("going back restores", f"does not settle: {world.conditions}")
            return
        self._judge(first, "going back restores", of=neutral)
        if (told := self._told()) != conditions:
            self._violated("going back restores", f"conditions were {conditions} and are {told}")

    def _change(self, before: JsonObject, after: JsonObject) -> Answer:
        world = self._world
        match self._how:
            case How.APPLY:
                return world.cluster.server_side_apply(after)
            case How.REPLACE:
                live = copy.deepcopy(world.cluster.objects[world.key])
                live["spec"] = _applied(live["spec"], before["spec"], after["spec"])
                return world.cluster.put(live)
            case How.PATCH:
                return world.cluster.merge("x", {"spec": _difference(before["spec"], after["spec"])})

    # --- judging

    def _judge(self, obj: JsonObject, rule: str, *, of: Callable[[Any], Any] = lambda params: params) -> None:
        """Compare what is at AWS with what the manifest says; after an edit, what can be left out may be."""
        world = self._world
        kind, spec = self._place.kind, obj["spec"]

        def plain(some: list[Request]) -> list[Request]:
            return [Request(each.operation, of(_with_tags_in_order(each.params))) for each in some]

        def found() -> list[Request]:
            there = self._ledger().requests(_given_names(spec))
            spawned = {"CreateTrainingJob"} if kind == "HyperparameterTuningJob" else set()
            return plain(
                [_bound(each, spec) if of is neutral else each for each in there if each.operation not in spawned]
            )

        wanted = plain(expected(kind, spec))
        if not world.becomes(lambda: _same(wanted, found())):
            self._violated(rule, _compared(wanted, found()))
        for each in self._ledger().unknown:
            self._violated("nothing else changes", f"{each.operation} was sent")
        region, endpoint = spec.get("region") or "", spec.get("sageMakerEndpoint") or ""
        since, self._judged = self._judged, len(world.sagemaker.sent)
        for each in world.sagemaker.sent[since:]:
            if each.operation == "UpdateEndpoint" and not each.error and of is neutral:
                update = update_of(kind, spec)
                named = {name: value for name, value in each.params.items() if name not in _NAMES}
                if neutral(named) != neutral(update):
                    self._violated(f"{rule}: UpdateEndpoint", "; ".join(_members(update, named, "UpdateEndpoint")))
            if each.operation.startswith("Create") and (each.target.region, each.target.endpoint) != (region, endpoint):
                self._violated("region and endpoint", f"{each.operation} went to {each.target}")
                break
        self._judge_objects(spec)

    def _ledger(self) -> Ledger:
        return Ledger.of(self._world.sagemaker.sent[self._before :])

    def _judge_objects(self, spec: Mapping[str, Any]) -> None:
        """No object but the manifest's, and those that a deployment is made of."""
        world, kind = self._world, self._place.kind
        wanted = {kind: 1}
        if kind == "HostingDeployment":
            wanted |= {"Model": len(spec.get("models") or ()), "EndpointConfig": 1}
        for each, cluster in world.clusters.items():
            if each == "TrainingJob" and kind == "HyperparameterTuningJob":
                continue
            count = wanted.get(each, 0)
            if not world.becomes(lambda cluster=cluster, count=count: len(cluster.objects) == count):  # type: ignore[misc]
                self._violated("no other object", f"{len(cluster.objects)} objects of {each}")

    def _expect_nothing_at_aws(self) -> None:
        if self._place.kind == "HostingAutoscalingPolicy":
            return  # targets come before policies, and stay for the next try
        if self._place.text == "spec.approvalDescription":
            return  # it can be sent after the creation alone
        if left := [
            each for each in self._ledger().running() if each[0] not in {"CreateModel", "CreateEndpointConfig"}
        ]:
            self._violated("a refused object has nothing at AWS", str(left))

    def _goes(self) -> None:
        """Delete, and expect that nothing is left."""
        world = self._world
        if world.obj is None:
            return
        world.cluster.delete(world.key)
        for _ in range(40):
            world.run(30, step_s=5)
            if world.obj is None and not any(cluster.objects for cluster in world.clusters.values()):
                break
        else:
            left = [str(key) for cluster in world.clusters.values() for key in cluster.objects]
            self._violated("deletion converges", f"{left} are left: {world.conditions}")
            return
        if left := [each for each in self._ledger().running() if self._runs(*each)]:
            self._violated("deletion leaves nothing", str(left))

    def _runs(self, operation: str, name: str) -> bool:
        """Whether what was created and not stopped exists; jobs with little time end by themselves."""
        if self._world.descriptor.is_retained:
            return False
        if self._place.kind not in JOBS:
            return True
        world, descriptor = self._world, self._world.descriptor
        answer = world.sagemaker.describe(descriptor, Target(values.REGIONS[0]), name, caller=_CALLER, background=False)
        return bool(answer) and answer[descriptor.status.member] not in descriptor.status.terminal

    # --- values to refuse

    def _refuses(self) -> None:
        """Every invalid value is refused by the API server or in the status, or else it is sent as it is."""
        world = self._new_world()
        for rule, value in values.invalid(self._place.kind, self._place.path, self._place.schema):
            try:
                obj = with_value(base(self._place.kind, "x"), self._place, value)
            except (TypeError, AttributeError) as odd:
                raise AssertionError(f"{self._place}: {odd}") from odd
            self._manifests = [obj]
            answer = world.cluster.create(obj, dryRun="All")
            if answer.is_refused:
                self._outcome.refused += 1
                self._judge_refusal(answer, rule, value)
                continue
            world = self._new_world()
            self._manifests = [obj]
            world.cluster.create(obj)
            settled = world.settle()
            if self._is_refusal_shown():
                self._outcome.refused += 1
                self._expect_nothing_at_aws()
            elif not settled:
                self._violated("refusal is shown", f"{rule} {value!r}: {world.conditions}")
            else:
                self._outcome.taken += 1
                self._judge(obj, f"sent ({rule} {str(value)[:60]!r} was taken)")
            self._goes()
            world = self._new_world()

    def _judge_refusal(self, answer: Answer, rule: str, value: Any) -> None:
        """It is a refusal of this value, which names the property."""
        names = [each for each in self._place.path if each != "[]"]
        if answer.status not in {400, 422} or not any(name in answer.message for name in (names[-1], names[-2])):
            self._violated("refusal names the property", f"{rule} {value!r}: {answer.status} {answer.message}")

    # --- what is shown

    def _is_refusal_shown(self) -> bool:
        synced, ready = (self._world.conditions.get(each, {}) for each in ("Synced", "Ready"))
        return synced.get("status") == "False" or (
            ready.get("status") == "False" and self._world.conditions.get("Stalled", {}).get("status") == "True"
        )

    def _message(self) -> str:
        messages = [self._world.conditions.get(each, {}).get("message", "") for each in ("Ready", "Synced")]
        if not all(messages):
            self._violated("refusal is shown", f"a condition without a message: {self._world.conditions}")
        return " | ".join(messages)

    def _told(self) -> JsonObject:
        return {type_: (each["status"], each["reason"]) for type_, each in self._world.conditions.items()}

    def _turned_down(self, message: str) -> None:
        if not message:
            self._violated("refusal is shown", "no message")
        self._outcome.turned_down.append(message)

    def _violated(self, rule: str, detail: str) -> None:
        manifests = tuple(copy.deepcopy(self._manifests))
        self._outcome.violations.append(Violation(f"{self._place.kind} {self._place.text}", rule, detail, manifests))


_ROLE: Final = "arn:aws:iam::123456789012:role/r"
_VARIANTS: Final = [
    {"VariantName": name, "ModelName": values.MODELS[0], "InitialInstanceCount": 1, "InstanceType": "ml.c5.large"}
    for name in (*values.VARIANTS, values.NEWEST)
]
_TUNING: Final = {
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
    },
    "TrainingJobDefinition": {
        "RoleArn": _ROLE,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/path"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
}
_HOSTED: Final = (
    *(
        ("CreateModel", {"ModelName": name, "ExecutionRoleArn": _ROLE, "PrimaryContainer": {"Image": "image"}})
        for name in values.MODELS
    ),
    ("CreateEndpointConfig", {"EndpointConfigName": "config", "ProductionVariants": _VARIANTS}),
    ("CreateEndpoint", {"EndpointName": values.ENDPOINT, "EndpointConfigName": "config"}),
)
_SHARED_VARIANT: Final = {
    "VariantName": values.SHARED_VARIANT,
    "InitialInstanceCount": 1,
    "InstanceType": "ml.g5.2xlarge",
}
_SHARED: Final = (
    _HOSTED[0],
    _HOSTED[1],
    (
        "CreateEndpointConfig",
        {"EndpointConfigName": "shared", "ExecutionRoleArn": _ROLE, "ProductionVariants": [_SHARED_VARIANT]},
    ),
    ("CreateEndpoint", {"EndpointName": values.SHARED, "EndpointConfigName": "shared"}),
    (
        "CreateInferenceComponent",
        {
            "InferenceComponentName": values.BASE,
            "EndpointName": values.SHARED,
            "VariantName": values.SHARED_VARIANT,
            "Specification": {
                "ModelName": values.MODELS[0],
                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128, "NumberOfCpuCoresRequired": 1},
            },
            "RuntimeConfig": {"CopyCount": 1},
        },
    ),
)
_PIPELINE: Final = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": name, "Type": "String", "DefaultValue": "x"} for name in (*values.PARAMETERS, "TrainingInstanceType")
    ],
    "Steps": [
        {
            "Name": values.STEP,
            "Type": "Processing",
            "Arguments": {
                "AppSpecification": {"ImageUri": "image"},
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
                },
                "RoleArn": _ROLE,
            },
        }
    ],
}
_PIPELINES: Final = tuple(
    (
        "CreatePipeline",
        {
            "PipelineName": name,
            "PipelineDefinition": json.dumps(_PIPELINE),
            "RoleArn": _ROLE,
            "ClientRequestToken": name.ljust(32, "0"),
        },
    )
    for name in values.PIPELINES
)
_REGISTERED: Final = tuple(
    request
    for name in values.GROUPS
    for request in (
        ("CreateModelPackageGroup", {"ModelPackageGroupName": name}),
        (
            "CreateModelPackage",
            {
                "ModelPackageGroupName": name,
                "ClientToken": name.ljust(32, "0"),
                "SourceUri": "s3://bucket/path",
            },
        ),
    )
)
_TUNED: Final = tuple(
    ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName": name, **_TUNING}) for name in values.TUNED
)
_SURROUNDINGS: Final[Mapping[str, tuple[tuple[str, JsonObject], ...]]] = {
    **dict.fromkeys(("BatchTransformJob", "EndpointConfig", "HostingAutoscalingPolicy"), _HOSTED),
    "HyperparameterTuningJob": _TUNED,
    "InferenceComponent": _SHARED,
    "ModelPackage": _REGISTERED,
    "PipelineExecution": _PIPELINES,
}
"""By kind, what is at AWS already, in each region."""


def _given_names(spec: Mapping[str, Any]) -> frozenset[str]:
    """The names that a manifest gives to what it is for."""
    return frozenset(each for key, each in spec.items() if key.endswith("Name") and isinstance(each, str))


def _bound(there: Request, spec: Mapping[str, Any]) -> Request:
    """What a manifest binds: what it does not mention any more stays as it is, where AWS cannot take it away."""
    said = {name.lower() for name, value in spec.items() if value not in (None, [], {})}
    left = {name for name in _STAYING.get(there.operation, ()) if name.lower() not in said}
    return Request(there.operation, {name: each for name, each in there.params.items() if name not in left})


_STAYING: Final[Mapping[str, frozenset[str]]] = {
    "CreateInferenceComponent": frozenset({"RuntimeConfig"}),
    "CreateModelPackage": frozenset(
        {
            "CustomerMetadataProperties",
            "InferenceSpecification",
            "ModelApprovalStatus",
            "ModelCard",
            "ModelLifeCycle",
            "ModelPackageRegistrationType",
            "SourceUri",
        }
    ),
    "CreatePipeline": frozenset({"ParallelismConfiguration", "PipelineDisplayName", "PipelineVersionAliases"}),
}
"""By creation, what an edit changes and cannot take away."""


def _with_tags_in_order(params: JsonObject) -> JsonObject:
    """Tags have no order, and those that are there stay where they are."""
    tags = params.get("Tags")
    return params | {"Tags": sorted(tags, key=itemgetter("Key"))} if isinstance(tags, list) else params


def _same(wanted: list[Request], there: list[Request]) -> bool:
    left = list(there)
    for each in wanted:
        if each not in left:
            return False
        left.remove(each)
    return not left


def _compared(wanted: list[Request], there: list[Request]) -> str:
    """What differs, by the members of requests of the same operation."""
    missing = [each for each in wanted if each not in there]
    odd = [each for each in there if each not in wanted]
    lines = []
    for each in missing:
        other = next((one for one in odd if one.operation == each.operation), None)
        if other is None:
            lines.append(f"no {each.operation} of {each.params}")
        else:
            odd.remove(other)
            lines += _members(each.params, other.params, each.operation)
    return "; ".join([*lines, *(f"unexpected {each.operation} of {each.params}" for each in odd)])


def _members(wanted: Any, there: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        for name in sorted({*wanted, *there}):
            yield from _members(wanted.get(name, _ABSENT), there.get(name, _ABSENT), f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for n, (one, other) in enumerate(zip(wanted, there, strict=True)):
            yield from _members(one, other, f"{path}[{n}]")
    elif wanted != there:
        yield f"{path} should be {wanted!r}, and is {there!r}"


def _difference(before: Any, after: Any) -> Any:
    """RFC 7386: the patch from one to the other."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    patch: JsonObject = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name not in before:
            patch[name] = value
        elif before[name] != value:
            patch[name] = _difference(before[name], value)
    return patch


def _applied(live: JsonObject, before: JsonObject, after: JsonObject) -> JsonObject:
    """What an editor makes of the live object to whom the difference matters."""
    result = copy.deepcopy(live)
    for name in before:
        if name not in after:
            result.pop(name, None)
    for name, value in after.items():
        if before.get(name) != value:
            result[name] = copy.deepcopy(value)
    return result


def key_of(name: str) -> ObjectKey:
    """Of the object in the sandbox's namespace."""
    return ObjectKey("default", name)


__all__ = ["Outcome", "Path_", "Place", "Sequence", "Violation", "neutral"]
