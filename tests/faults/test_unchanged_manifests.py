"""Writes of users that say nothing new: all verbs x all kinds, and `kubectl replace` in every state of each.

They are no edits: what is changed at AWS from then on is what would have been changed without them, and so is what is
left at the end. `kubectl replace -f`, and Argo CD with `Replace=true`, remove annotations, finalizers, labels and
owners that are not in the file, and keep the status. Copies and backups are in test_copies.py, deletions in every order
in test_deleted_children.py, and kubectl itself in tests/sandbox.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pytest

from api.annotations import ADOPTION_POLICY, KNOWN, UPDATE_POLICY
from api.descriptor import KindDescriptor
from api.meta import GROUP, JsonObject, ObjectKey, Resource
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.cluster import FakeCluster, copied
from tests.fakes.job_manifests import manifest_of
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.scaling_world import A, ScalingWorld
from tests.faults.test_replaced_manifests import manifest as resource_manifest
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

pytestmark = pytest.mark.long

JOBS: Final = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
SILENT: Final = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)
CHANGES: Final = ("create", "update", "delete", "stop", "put", "register", "deregister", "add")


@dataclass(frozen=True)
class State:
    """A state of an object: the world in it, and the file that the object was last applied from."""

    world: Any
    file: JsonObject

    @property
    def key(self) -> ObjectKey:
        """The object's."""
        return ObjectKey.of(self.file)

    @property
    def cluster(self) -> FakeCluster:
        """The objects of its kind."""
        cluster: FakeCluster = self.world.clusters[self.file["kind"]]
        return cluster


def annotated(obj: JsonObject, annotation: str, value: str) -> JsonObject:
    """The same file with an annotation of the user."""
    return {**obj, "metadata": {**obj["metadata"], "annotations": {annotation: value}}}


# --- states


def host(*versions: str, for_s: float = 0.0, **spec: Any) -> State:
    """A deployment that serves one version after the other, and so much time after the last was applied."""
    world = HostingWorld()
    world.aws.bad_version = "bad"
    for version in versions:
        if world.aws.endpoints:
            world.run(300)
        file = hosting_world.manifest(version=version, **spec)
        world.apply(file)
    world.run(for_s)
    return State(world, file)


def scaled_host() -> State:
    """A deployment whose numbers were edited."""
    state = host("1", for_s=300)
    file = hosting_world.manifest(version="1", count=3)
    state.world.cluster.edit(state.key, file["spec"])
    state.world.run(300)
    return State(state.world, file)


def drifted_host() -> State:
    """A deployment whose number of instances others, such as autoscaling, have changed."""
    state = host("1", for_s=300)
    (endpoint,) = state.world.aws.endpoints.values()
    endpoint.numbers["a"], endpoint.modified = 4, state.world.clock.utcnow()
    return state


def unanswered_host(operation: str, *versions: str) -> State:
    """A deployment whose creation, or update, took effect without an answer."""
    state = host(*versions[:1], for_s=300 if versions[1:] else 0)
    state.world.aws.fail(operation, SILENT, after=True)
    if versions[1:]:
        file = hosting_world.manifest(version=versions[1])
        state.world.apply(file)
        state = State(state.world, file)
    state.world.until(lambda: operation in state.world.sagemaker.operations)
    return state


def approved_host() -> State:
    """A deployment whose update waits for an approval."""
    world = HostingWorld()
    first, second = (hosting_world.manifest(version=each) for each in "12")
    world.apply(annotated(first, UPDATE_POLICY.key, "manual"))
    world.run(300)
    world.cluster.edit(hosting_world.KEY, second["spec"])
    world.run(300)
    return State(world, annotated(second, UPDATE_POLICY.key, "manual"))


def policy(variants: str = "ab", bounds: int = 0, *, adopts: bool = False, for_s: float = 900) -> State:
    """A policy on these variants, of which others have registered the first, with such bounds."""
    world = ScalingWorld()
    if bounds:
        world.aws.bounds[A] = bounds
    file = scaling_world.manifest(variants)
    file = annotated(file, ADOPTION_POLICY.key, "adopt-or-create") if adopts else file
    world.cluster.apply(file)
    world.run(for_s)
    return State(world, file)


def smaller_policy() -> State:
    """A policy that one of its variants has left, where a target of others was adopted and put back."""
    state = policy("ab", 9, adopts=True)
    file = {**state.file, "spec": scaling_world.manifest("b")["spec"]}
    state.world.edit(file)
    state.world.run(900)
    return State(state.world, file)


def resource(kind: KindDescriptor, *versions: int) -> State:
    """A Model or an EndpointConfig, edited to one version after the other."""
    world = HostingWorld()
    world.aws.models["m"] = {"ExecutionRoleArn": "role"}
    for version in versions:
        file = resource_manifest(kind, version)
        if world.clusters[kind.kind].peek(ObjectKey.of(file)) is None:
            world.clusters[kind.kind].apply(file)
        else:
            world.clusters[kind.kind].edit(ObjectKey.of(file), file["spec"])
        world.run(60)
    return State(world, file)


def job(kind: KindDescriptor, name: str = "", *, for_s: float = 150, value: str = "") -> State:
    """A job, of that name at AWS if any is given; so much time after it was applied, and moved to that status."""
    if kind is HYPERPARAMETER_TUNING_JOB:
        world: World = TuningWorld()
        file = tuning_world.manifest()
        file["spec"] |= {kind.name.spec_field: name} if name else {}
    else:
        world = World(kind)
        file = manifest_of(kind, name)
    world.cluster.apply(file)
    world.run(for_s)
    if value:
        for _, each in list(world.aws.jobs):
            world.aws.move(each, value)
        world.run(150)
    return State(world, file)


STATES: Final[dict[str, Callable[[], State]]] = {
    "endpoint: just applied": lambda: host("1", for_s=2),
    "endpoint: creating": lambda: host("1", for_s=20),
    "endpoint: in service": lambda: host("1", for_s=300),
    "endpoint: of a given name, in service": lambda: host("1", for_s=300, endpointName="shared"),
    "endpoint: being updated": lambda: host("1", "2", for_s=20),
    "endpoint: updated": lambda: host("1", "2", for_s=300),
    "endpoint: the update failed": lambda: host("1", "bad", for_s=300),
    "endpoint: the creation failed": lambda: host("bad", for_s=300),
    "endpoint: scaled": scaled_host,
    "endpoint: scaled by others": drifted_host,
    "endpoint: created without an answer": lambda: unanswered_host("CreateEndpoint", "1"),
    "endpoint: updated without an answer": lambda: unanswered_host("UpdateEndpoint", "1", "2"),
    "endpoint: waits for an approval": approved_host,
    "policy: just applied": lambda: policy(for_s=1),
    "policy: in place": policy,
    "policy: beside a target of others": lambda: policy(bounds=4),
    "policy: refused for a target of others": lambda: policy(bounds=9),
    "policy: has adopted a target of others": lambda: policy(bounds=9, adopts=True),
    "policy: has put back a target of others": smaller_policy,
    **{
        f"{kind.kind}: {name}": lambda kind=kind, versions=versions: resource(kind, *versions)
        for kind in (MODEL, ENDPOINT_CONFIG)
        for name, versions in {"created": (1,), "edited": (1, 2), "edited and back": (1, 2, 1)}.items()
    },
    **{
        f"{kind.kind}: {name}": lambda kind=kind, given=given: job(kind, **given)
        for kind in JOBS
        for name, given in {
            "just applied": {"for_s": 1},
            "in progress": {},
            "completed": {"value": "Completed"},
            "failed": {"value": "Failed"},
            **({"of a given name": {"name": "my-job"}} if kind.name.spec_field else {}),
        }.items()
    },
}


# --- what happens then


def changed(world: World) -> Counter[str]:
    """How often the operator has called what changes something at AWS."""
    return Counter(each for each in world.sagemaker.operations if each.lower().startswith(CHANGES))


def left(world: Any) -> object:
    """What is there at AWS, whatever its names."""
    if isinstance(world, ScalingWorld):
        return world.aws.bounds, world.aws.put
    if isinstance(world, HostingWorld):
        return len(world.aws.endpoints), len(world.aws.configs), len(world.aws.models)
    return sorted(each.value for each in world.aws.jobs.values())


def lived(state: State) -> tuple[object, ...]:
    """What was changed, and what is left, after some time, and after the deletion of the object."""
    state.world.run(700, step_s=10)
    shown = (state.cluster.get(state.key) or {}).get("status", {}).get("conditions", ())
    conditions = {each["type"]: (each["status"], each["reason"]) for each in shown}
    before = changed(state.world), left(state.world), conditions
    state.cluster.delete(state.key)
    state.world.run(700, step_s=10)
    return (*before, changed(state.world), left(state.world), state.cluster.peek(state.key) is None)


@cache
def undisturbed(name: str) -> tuple[object, ...]:
    """The same, where the user writes nothing."""
    return lived(STATES[name]())


# --- what users write


def applied(state: State) -> None:
    """`kubectl apply`, also `--server-side`: what the file has not, and others have written, is kept."""
    obj = state.cluster.objects[state.key]
    state.cluster.edit(state.key, {**obj["spec"], **state.file["spec"]})


def replaced(state: State) -> None:
    """`kubectl replace`."""
    state.cluster.replace(state.file)


def edited(state: State) -> None:
    """`kubectl edit`: the object as it is, with a label."""
    obj = state.cluster.get(state.key) or {}
    obj["metadata"].setdefault("labels", {})["team"] = "a"
    state.cluster.replace(obj)


def patched(state: State) -> None:
    """`kubectl patch --type=merge`, or `annotate`: an annotation of the user's own."""
    obj = state.cluster.get(state.key) or {}
    obj["metadata"].setdefault("annotations", {})["example.com/note"] = "x"
    state.cluster.replace(obj)


def stripped(state: State) -> None:
    """`kubectl patch --type=json`: the operator's annotations and its finalizer are removed."""
    obj = state.cluster.get(state.key) or {}
    metadata = obj["metadata"]
    annotations = metadata.pop("annotations", {})
    metadata["annotations"] = {
        each: text for each, text in annotations.items() if not KNOWN[each[len(GROUP) + 1 :]].is_ours
    }
    metadata["finalizers"] = []
    state.cluster.replace(obj)


ONE_OF_EACH: Final = (
    "endpoint: scaled by others",
    "policy: has adopted a target of others",
    f"{MODEL.kind}: edited",
    f"{ENDPOINT_CONFIG.kind}: edited",
    *(f"{kind.kind}: in progress" for kind in JOBS),
)


@pytest.mark.parametrize("verb", [applied, edited, patched, stripped], ids=lambda each: each.__name__)
@each_row("name", ONE_OF_EACH)
def test_what_says_nothing_new_changes_nothing(name: str, verb: Callable[[State], None]) -> None:
    """All kinds x verbs."""
    state = STATES[name]()
    verb(state)
    assert lived(state) == undisturbed(name)


@each_row("name", STATES)
def test_a_replace_of_the_unchanged_file_changes_nothing(name: str) -> None:
    """Neither what is done at AWS, nor what the object shows, nor what its deletion leaves; after a restart, too."""
    for restarts in (False, True):
        state = STATES[name]()
        replaced(state)
        if restarts:
            state.world.restart()
        assert lived(state) == undisturbed(name), f"restarted: {restarts}"


@pytest.mark.parametrize("name", ["endpoint: the update failed", "endpoint: scaled by others"])
def test_older_crds_without_the_field_cost_no_writes(name: str) -> None:
    """The API server drops what it has no schema for; notes are not written over and over."""
    state = STATES[name]()
    patch = state.cluster.patch

    def pruned(resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        body = copied(body)
        (body.get("status") or {}).pop("notes", None)
        return patch(resource, key, body, subresource=subresource)

    state.cluster.patch = pruned  # type: ignore[method-assign]
    state.cluster.rewrite_status(state.key, lambda status: status.pop("notes", None))
    state.world.restart()
    state.world.run(60)
    writes = len(state.cluster.writes)
    for _ in range(5):
        state.world.clock.advance(20)
        state.world.reconcile()
    assert len(state.cluster.writes) == writes
