"""What the life of an object of each kind costs, undisturbed: each write to Kubernetes and each call to AWS.

The tables are exact: one more of either is a decision, to be made here first. Lists are missing, as one serves all
objects of a kind. Events are writes, too.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from api.annotations import RECONCILE_AT
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_DEPLOYMENT,
    INFERENCE_COMPONENT,
    MODEL,
    MODEL_PACKAGE,
    MODEL_PACKAGE_GROUP,
    PIPELINE,
    PIPELINE_EXECUTION,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.errors import LocalRefusal
from controller.aws.polling.poll_state import SILENT_LOOK_S, SILENT_S
from controller.kube.well_known import NAMESPACES
from controller.reconcile.managed.managed_object import WAIT_SHOWN_S
from controller.reconcile.namespaces.cache import WatchedNamespaces, trim
from controller.runtime.cache.store import Store
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.component_world import ComponentWorld
from tests.faults.component_world import manifest as component
from tests.faults.test_executions import ExecutionWorld
from tests.faults.test_executions import manifest as execution
from tests.faults.test_in_place import manifest as in_place
from tests.faults.test_model_packages import Registry
from tests.tables import each_row

MODEL_MANIFEST = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "Model",
    "metadata": {"namespace": KEY.namespace, "name": KEY.name},
    "spec": {"region": "us-east-2", "primaryContainer": {"image": "image"}},
}


class Costs:
    """Counts what a world writes and calls from now on."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events = len(world.reasons())
        self._calls = len(world.sagemaker.operations)
        self._writes: list[tuple[str, str]] = []
        world.writer.admission = self._note

    def _note(self, verb: str, kind: str, body: Mapping[str, Any]) -> None:
        parts = [verb]
        if verb == "patch":
            metadata = body["metadata"].keys() - {"resourceVersion"}
            parts = [*sorted(metadata), *sorted(body.keys() - {"metadata"})] or ["nothing"]
        self._writes.append((kind, " and ".join(parts)))

    def writes(self, descriptor: KindDescriptor) -> list[str]:
        """Return what was written into objects of a kind, in order: parts of an object, or nothing."""
        return [what for kind, what in self._writes if kind == descriptor.kind]

    @property
    def calls(self) -> dict[str, int]:
        """Return the number of calls to AWS, by operation."""
        made = self._world.sagemaker.operations[self._calls :]
        return dict(Counter(each for each in made if not each.lower().startswith("list")))

    @property
    def events(self) -> list[str]:
        """Return the reasons of the Events."""
        return self._world.reasons()[self._events :]


@pytest.mark.parametrize(
    ("kind", "writes"),
    [
        (TRAINING_JOB, ["finalizers and spec", "status", "status", "status"]),
        (PROCESSING_JOB, ["finalizers", "status", "status"]),
        (BATCH_TRANSFORM_JOB, ["finalizers and spec", "status", "status"]),
    ],
    ids=lambda each: each.kind if isinstance(each, KindDescriptor) else "",
)
def test_a_job_costs_a_write_for_each_state_that_it_shows_and_one_before_its_creation(
    kind: KindDescriptor, writes: list[str]
) -> None:
    """Created, in training, ended; AWS's creation time comes with the next of these."""
    world = World(kind)
    costs = Costs(world)
    world.cluster.apply(world.manifest())
    world.run(60)
    ((_, name),) = world.aws.jobs
    world.aws.move(name, "InProgress", "Training")
    world.run(60)
    world.aws.move(name, "Completed")
    world.run(60)

    assert world.value == "Completed"
    assert "creationTime" in world.status["awsResource"]
    assert costs.writes(kind) == writes
    assert costs.events == ["Created", "Completed"]
    assert costs.calls == {"create": 1, "describe": 1}


@pytest.mark.parametrize("passes_after_s", [2, 6, 30], ids=["at once", "within the next sweep", "later"])
def test_a_state_that_passes_at_once_costs_no_write(passes_after_s: int) -> None:
    """A secondary status is written when it has settled, or with another change: what lasts seconds is not shown."""
    world = World()
    costs = Costs(world)
    world.cluster.apply(world.manifest())
    world.run(60)
    ((_, name),) = world.aws.jobs
    shown = []
    for value, secondary in (
        ("InProgress", "Downloading"),
        ("InProgress", "Training"),
        ("InProgress", "Uploading"),
        ("Completed", "Completed"),
    ):
        world.aws.move(name, value, secondary)
        world.run(60 if secondary == "Training" else passes_after_s)
        shown.append(world.status["secondaryStatus"])
    world.run(60)

    lasts = passes_after_s == 30
    assert shown[:3] == (["Downloading", "Training", "Uploading"] if lasts else ["Starting", "Training", "Training"])
    assert world.status["secondaryStatus"] == "Completed"
    assert costs.writes(TRAINING_JOB) == ["finalizers and spec", *["status"] * (5 if lasts else 3)]
    assert costs.events == ["Created", "Completed"]
    assert costs.calls == {"create": 1, "describe": 1}


def test_a_job_that_is_described_while_it_runs_shows_its_start_with_the_next_change() -> None:
    """A Describe on suspicion costs no write; one that the user requests shows all."""
    world = World()
    world.cluster.apply(world.manifest())
    world.run(60)
    ((_, name),) = world.aws.jobs
    world.aws.move(name, "InProgress", "Training", TrainingStartTime=world.clock.utcnow())
    world.run(60)
    costs = Costs(world)
    world.run(SILENT_S + 2 * SILENT_LOOK_S)
    assert costs.calls == {"describe": 1}
    assert costs.writes(TRAINING_JOB) == []

    manifest = world.manifest()
    manifest["metadata"]["annotations"] = {RECONCILE_AT.key: "now"}
    world.cluster.apply(manifest)
    world.run(10)
    assert "trainingStartTime" in world.status


@pytest.mark.parametrize("has_tags", [True, False], ids=["owner tags", "no owner tags"])
def test_the_creation_time_has_a_write_of_its_own_only_without_owner_tags(has_tags: bool) -> None:
    """With tags, the operator's own clock is enough until something else changes."""
    world = World(PROCESSING_JOB, ownership_tags=has_tags)
    world.cluster.apply(world.manifest())
    world.run(60)

    assert world.value == "InProgress"
    assert ("creationTime" in world.status["awsResource"]) is not has_tags


@pytest.mark.parametrize("estimate_s", [1.0, 60.0], ids=["estimated low", "estimated right"])
@each_row(("wait_s", "is_shown"), [(WAIT_SHOWN_S - 2, False), (WAIT_SHOWN_S + 5, True)])
@each_row(
    ("kind", "writes"),
    [(TRAINING_JOB, ["finalizers and spec", "status"]), (MODEL, ["annotations and finalizers", "status"])],
    ids=["TrainingJob", "Model"],
)
def test_an_object_that_waits_for_its_turn_is_written_when_it_is_created(
    kind: KindDescriptor, writes: list[str], wait_s: float, is_shown: bool, estimate_s: float
) -> None:
    """The turn is reserved first, so that the write of finalizer and name proves the object current; waits are shown
    if they are long."""
    world = World(kind)
    end_s = world.clock.monotonic() + wait_s

    def reserve(*_: object, caller: object) -> None:
        if (left_s := end_s - world.clock.monotonic()) > 0:
            retry_after_s = min(left_s, estimate_s)
            raise LocalRefusal(ErrorClass.THROTTLED, "BudgetExhausted", "waits", retry_after_s=retry_after_s)

    world.sagemaker.reserve = reserve  # type: ignore[method-assign]
    costs = Costs(world)
    world.cluster.apply(MODEL_MANIFEST if kind is MODEL else world.manifest())
    world.run(wait_s)
    assert costs.writes(kind) == ["status"] * is_shown
    assert world.status.get("observedGeneration") == (1 if is_shown else None)
    world.run(10)

    assert costs.writes(kind) == ["status"] * is_shown + writes
    assert costs.events == ["Created"]


class Namespaces:
    """`ObjectGetter` of namespaces without annotations, which counts the reads."""

    def __init__(self) -> None:
        self.reads = 0

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """See `ObjectGetter.get`."""
        assert resource == NAMESPACES
        self.reads += 1
        return {"metadata": {"name": key.name, "resourceVersion": "1"}}


@each_row(("per_s", "most"), [(10, 12), (50, 4)])
def test_jobs_that_wait_for_their_turns_share_a_read_of_their_namespace_each_second(per_s: int, most: int) -> None:
    """A hundred jobs at once: a read for the first that has its turn, and one more for each second."""
    world, namespaces = World(), Namespaces()
    store = Store(transform=trim)
    store.upsert(namespaces.get(NAMESPACES, ObjectKey("", KEY.namespace)))
    reader = WatchedNamespaces(store, Store(), namespaces, None, world.clock)
    world.settings = replace(world.settings, namespaces=reader)
    world.restart()
    began, turns = world.clock.monotonic(), dict[object, float]()

    def reserve(*_: object, caller: object) -> None:
        at = turns.setdefault(caller, began + (1 + len(turns)) / per_s)
        if (left_s := at - world.clock.monotonic()) > 0:
            raise LocalRefusal(ErrorClass.THROTTLED, "BudgetExhausted", "waits", retry_after_s=left_s)

    world.sagemaker.reserve = reserve  # type: ignore[method-assign]
    for n in range(100):
        obj = world.manifest()
        obj["metadata"]["name"] = f"job-{n}"
        world.cluster.apply(obj)
    namespaces.reads = 0
    world.run(15, step_s=0.01)

    assert len(world.aws.jobs) == 100
    assert 1 <= namespaces.reads <= most


def test_a_tuning_job_costs_what_its_training_jobs_do_not() -> None:
    """An object for each training job, which shows its states like any other; one write of the tuning job for both."""
    world = tuning_world.TuningWorld()
    costs = Costs(world)
    world.cluster.apply(tuning_world.manifest())
    world.run(30)
    children = world.aws.launch(world.name, 2)
    world.run(60)
    for each in children:
        world.aws_training.move(each, "InProgress", "Training")
    world.run(60)
    world.aws.end_all(world.name, "Completed")
    world.run(200)

    assert world.value == "Completed"
    assert costs.writes(world.descriptor) == ["finalizers and spec", "status", "nothing", "status", "status"]
    assert costs.writes(TRAINING_JOB) == ["create"] * 2 + ["status"] * 6
    assert costs.events == ["Created", "TrainingJobSpawned", "Completed", "Completed", "Completed"]
    assert costs.calls == {"create": 1, "launched": 2, "describe": 5}


def test_a_deployment_costs_what_it_and_its_children_show() -> None:
    """A model and a configuration, the endpoint's creation with a record of it before and after, and its states."""
    world = hosting_world.HostingWorld()
    costs = Costs(world)
    world.apply(hosting_world.manifest())
    world.run(30)
    world.aws.settle()
    world.run(100)

    assert world.is_at_rest()
    assert costs.writes(MODEL) == costs.writes(ENDPOINT_CONFIG) == ["create", "annotations and finalizers", "status"]
    assert costs.writes(HOSTING_DEPLOYMENT) == [
        *("finalizers", "status", "nothing", "status", "annotations", "annotations", "status", "status"),
        *("annotations", "status"),
    ]
    assert costs.events == ["Created", "Created", "Created", "InService"]
    assert costs.calls == {"CreateModel": 1, "CreateEndpointConfig": 1, "CreateEndpoint": 1, "DescribeEndpoint": 2}


def test_an_autoscaling_policy_costs_a_record_before_and_after() -> None:
    """What is there is looked at before anything is registered."""
    world = scaling_world.ScalingWorld()
    costs = Costs(world)
    world.cluster.apply(scaling_world.manifest("ab"))
    world.run(100)

    assert costs.writes(world.descriptor) == [
        *("finalizers", "annotations", "status"),
        *("nothing", "annotations", "status"),
    ]
    assert costs.events == ["PolicyApplied"]
    assert costs.calls == {
        "DescribeScalingPolicies": 3,
        "DescribeScalableTargets": 3,
        "RegisterScalableTarget": 2,
        "PutScalingPolicy": 2,
    }


@pytest.mark.parametrize(
    ("kind", "writes", "calls"),
    [
        (
            MODEL_PACKAGE_GROUP,
            ["finalizers and spec", "status"],
            {"CreateModelPackageGroup": 1, "DescribeModelPackageGroup": 1},
        ),
        (MODEL_PACKAGE, ["finalizers", "status"], {"CreateModelPackage": 1, "DescribeModelPackage": 1}),
        (PIPELINE, ["finalizers and spec", "status"], {"CreatePipeline": 1, "DescribePipeline": 1}),
    ],
    ids=lambda each: each.kind if isinstance(each, KindDescriptor) else "",
)
def test_what_is_updated_in_place_costs_a_write_before_its_creation_and_one_of_what_it_shows(
    kind: KindDescriptor, writes: list[str], calls: dict[str, int]
) -> None:
    """One Describe shows what Create's answer does not."""
    world = Registry() if kind is MODEL_PACKAGE else World(kind)
    costs = Costs(world)
    given = {"modelPackageGroupName": "g"} if kind is MODEL_PACKAGE else {}
    world.cluster.apply(in_place(kind.kind, KEY.name, **given))
    world.run(600)

    assert (world.condition("Ready") or ("",))[0] == "True"
    assert costs.writes(kind) == writes
    assert costs.events == ["Created"]
    assert costs.calls == calls


def test_an_execution_costs_a_write_for_each_state_that_it_shows() -> None:
    """Its steps are read with it: no List shows the executions of all pipelines."""
    world = ExecutionWorld()
    costs = Costs(world)
    world.cluster.apply(execution())
    world.until(lambda: world.shows("Executing"))
    world.end()
    world.until(lambda: world.shows("Succeeded"))

    assert costs.writes(PIPELINE_EXECUTION) == ["finalizers", "status", "status"]
    assert costs.events == ["Created", "Succeeded"]
    assert costs.calls == {"create": 1, "describe": 1, "steps": 1}


def test_a_component_costs_a_record_before_and_after_its_creation_and_its_states() -> None:
    """The endpoint is looked at first."""
    world = ComponentWorld()
    costs = Costs(world)
    world.apply(component())
    world.until(world.is_ready)
    world.run(600)

    assert costs.writes(INFERENCE_COMPONENT) == [
        *("finalizers", "annotations", "status", "status", "annotations", "status"),
    ]
    assert costs.events == ["Created", "InService"]
    assert costs.calls == {"DescribeEndpoint": 1, "CreateInferenceComponent": 1, "DescribeInferenceComponent": 2}
