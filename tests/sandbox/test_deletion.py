"""Objects of all kinds, deleted in all states, in an account that others use: nothing of ours is left, theirs stays."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HOSTING_DEPLOYMENT
from tests.deadline import eventually
from tests.sandbox.account import ENDS, JOBS, Foreigners, Left, manifest, marked, stop
from tests.sandbox.conftest import World
from tests.sandbox.harness import PLURALS, SLOW, SLOW_S, condition

pytestmark = pytest.mark.sandbox

REFUSED = (*(job.operations.create for job in JOBS), "CreateModel", "CreateEndpointConfig")
"""Creations that AWS refuses for good, of what has "refused" in its name."""

Objects = dict[tuple[str, str], JsonObject]
"""By kind and name."""


@dataclass(frozen=True)
class Stage:
    """What is waited for, and what is done then."""

    reached: Callable[[JsonObject], bool]
    act: Callable[[World, JsonObject], object] = lambda world, obj: None


@dataclass
class Case:
    """An object, and the way to the moment at which it is deleted."""

    obj: JsonObject
    stages: Sequence[Stage] = ()
    later: int = field(default=0, compare=False)
    """Stages that are behind it."""

    @property
    def key(self) -> tuple[str, str]:
        """Kind and name."""
        return self.obj["kind"], self.obj["metadata"]["name"]


def shows(value: str) -> Callable[[JsonObject], bool]:
    """The v1 status is `value`."""
    fields = {kind.kind: kind.status.field for kind in (*JOBS, HOSTING_DEPLOYMENT)}
    fields |= {"Model": "status", "EndpointConfig": "status"}
    fields |= {"HostingAutoscalingPolicy": "hostingAutoscalingPolicyStatus"}
    return lambda obj: (obj.get("status") or {}).get(fields[obj["kind"]]) == value


def tells(kind: str, reason: str) -> Callable[[JsonObject], bool]:
    """A condition is True for this reason."""
    return lambda obj: (condition(obj, kind).get("status"), condition(obj, kind).get("reason")) == ("True", reason)


def edited(**markers: str) -> Callable[[World, JsonObject], object]:
    """The user applies the deployment with other markers."""

    def apply(world: World, obj: JsonObject) -> object:
        name = obj["metadata"]["name"]
        spec = marked(manifest("HostingDeployment", name), **markers)["spec"]
        return replace(world, obj, spec)

    return apply


def replace(world: World, obj: JsonObject, spec: JsonObject) -> object:
    """`kubectl apply` of another spec."""
    patch = [{"op": "replace", "path": "/spec", "value": spec}]
    path = world.api.path(obj["metadata"]["name"], plural=PLURALS[obj["kind"]])
    return world.api.call("PATCH", path, patch, content="application/json-patch+json")


def of_jobs() -> list[Case]:
    """All job kinds: at once, running, stopped by somebody a moment ago or for good, ended either way, refused."""
    cases = []
    for job in JOBS:

        def case(name: str, *stages: Stage, job: Any = job, **markers: str) -> Case:
            spec = {"modelName": "others"} if job is BATCH_TRANSFORM_JOB else {}
            obj = marked(manifest(job.kind, name, **spec), **markers)
            if job.kind == "HyperparameterTuningJob":
                limits = {"maxNumberOfTrainingJobs": 2, "maxParallelTrainingJobs": 2}
                obj["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = limits
            return Case(obj, stages)

        def stopped(world: World, obj: JsonObject, job: Any = job) -> None:
            stop(world, job, obj["status"][job.name.status_field])

        long = {"SANDBOX_SECONDS": "86400"}
        cases += [
            case("at-once"),
            case("running", Stage(shows("InProgress")), **long),
            case("stopping", Stage(shows("InProgress"), stopped), **long),
            case("stopped", Stage(shows("InProgress"), stopped), Stage(shows("Stopped")), **long),
            case("completed", Stage(shows("Completed"))),
            case("refused", Stage(tells("Stalled", "InvalidSpec"))),
        ]
        if job.kind != "HyperparameterTuningJob":  # which completes though its training jobs fail
            cases.append(case("failed", Stage(shows("Failed")), SANDBOX_FAIL="broken"))
    return cases


def of_hosting() -> list[Case]:
    """Endpoints in every state that SageMaker can be brought into, and what deployments are made of."""

    def case(name: str, *stages: Stage, **markers: str) -> Case:
        return Case(marked(manifest("HostingDeployment", name), **markers), stages)

    def isolated(world: World, obj: JsonObject) -> None:
        replace(world, obj, obj["spec"] | {"enableNetworkIsolation": True})

    def policy(name: str, endpoint: str, *stages: Stage) -> Case:
        variants = [{"endpointName": endpoint, "variantName": "all-traffic"}]
        return Case(manifest("HostingAutoscalingPolicy", name, resourceId=variants), stages)

    serves, fails = shows("InService"), {"SANDBOX_FAIL": "does not load"}
    configuration = manifest("EndpointConfig", "created")
    configuration["spec"]["productionVariants"][0]["modelName"] = "others"
    return [
        case("at-once"),
        case("creating", Stage(shows("Creating")), **SLOW),
        case("serving", Stage(serves)),
        case("updating", Stage(serves, edited(**SLOW)), Stage(shows("Updating"))),
        case("failed", Stage(shows("Failed")), **fails),
        case("out-of-service", Stage(shows("OutOfService")), SANDBOX_OUT_OF_SERVICE="1"),
        case("went-back", Stage(serves, edited(**fails)), Stage(tells("Stalled", "UpdateFailed"))),
        case(
            "stuck-half-way",
            Stage(serves, edited(SANDBOX_FAIL="no", SANDBOX_ROLLBACK_FAIL="no")),
            Stage(shows("UpdateRollbackFailed")),
        ),
        case("refused", Stage(tells("Stalled", "ChildFailed"))),
        case("scaled", Stage(serves)),
        policy("at-once", "others"),
        policy("waiting", "nobody", Stage(tells("Reconciling", "DependencyMissing"))),
        policy("in-place", "scaled", Stage(shows("Created"))),
        Case(manifest("Model", "at-once")),
        Case(manifest("Model", "created"), [Stage(shows("Created"))]),
        Case(manifest("Model", "replaced"), [Stage(shows("Created"), isolated), Stage(tells("Ready", "Created"))]),
        Case(manifest("Model", "refused"), [Stage(tells("Stalled", "InvalidSpec"))]),
        Case(configuration, [Stage(shows("Created"))]),
    ]


def everything(world: World, kinds: Iterable[str] = PLURALS) -> Objects:
    """All our objects of these kinds."""
    listed = {kind: world.api.call("GET", world.api.path(plural=PLURALS[kind]))["items"] for kind in kinds}
    return {(kind, obj["metadata"]["name"]): obj for kind, items in listed.items() for obj in items}


def delete_when_there(world: World, cases: list[Case]) -> None:
    """Bring each to the moment at which it is to be deleted, and delete it then; policies before their endpoint."""
    waiting = {case.key: case for case in cases}

    def step() -> bool:
        objects = everything(world, {kind for kind, _ in waiting})
        for key, case in list(waiting.items()):
            if key == ("HostingDeployment", "scaled") and ("HostingAutoscalingPolicy", "in-place") in waiting:
                continue
            if case.later < len(case.stages) and case.stages[case.later].reached(objects[key]):
                case.stages[case.later].act(world, objects[key])
                case.later += 1
            if case.later == len(case.stages):
                world.api.delete(key[1], plural=PLURALS[key[0]])
                del waiting[key]
        return not waiting

    try:
        eventually(step, what="all are where they are to be deleted")
    except AssertionError as never:
        objects = everything(world)
        raise AssertionError({key: objects[key].get("status") for key in waiting}) from never


@pytest.mark.early
def test_whatever_is_deleted_in_whatever_state_leaves_nothing_of_ours_and_touches_nothing_of_others(
    world: World,
) -> None:
    """DESIGN 5; v1-kinds.md 12: deletion stops or deletes exactly what the object owns, then the finalizer goes."""
    foreigners = [Foreigners(world, name) for name in ("others", "running", "serving")]
    before, pictures = Left.of(world), [each.picture() for each in foreigners]
    for operation in REFUSED:
        world.aws.faults.add(operation, "invalid", None, contains="refused")
    world.operator().until_ready()
    cases = of_jobs() + of_hosting()
    for case in cases:
        world.api.create(case.obj, plural=PLURALS[case.obj["kind"]])
    delete_when_there(world, cases)
    world.aws.clock.advance(SLOW_S)  # what SageMaker does not delete while it works on it
    left = set(PLURALS)

    def all_are_gone() -> bool:
        left.intersection_update(kind for kind, _ in everything(world, left))
        return not left

    try:
        eventually(all_are_gone, what="all objects are gone")
        assert everything(world) == {}
    except AssertionError as never:
        raise AssertionError({key: obj.get("status") for key, obj in everything(world).items()}) from never

    after = Left.of(world)
    assert after.others == before.others
    ours = {name: state for name, state in after.jobs.items() if name not in before.jobs}
    assert {name: state for name, state in ours.items() if state not in ENDS} == {}
    assert len(ours) >= 4 * 5
    assert [each.picture() for each in foreigners] == pictures
