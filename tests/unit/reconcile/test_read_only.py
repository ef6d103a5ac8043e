"""Annotation `read-only`: no decision of any life-cycle, in whatever state, asks for a change at AWS."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, READ_ONLY, RECREATE_ON_FAILURE
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.endpoint import decide as hosting
from controller.reconcile.endpoint.observation import EndpointObservation, MakeChild, RestoreChild, Update
from controller.reconcile.job import decide as job
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings
from controller.reconcile.resource import decide as resource
from controller.reconcile.resource.observation import ResourceObservation
from controller.reconcile.scaling import decide as scaling
from controller.reconcile.scaling.decide import Apply, Remove, ScalingObservation
from controller.runtime.errors import ABSENT, ErrorClass
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job"
MUTATIONS = (s.Create, s.Stop, s.Delete, s.PutTags, s.DropTags, Update, Apply, Remove, MakeChild, RestoreChild)
"""Plans that change something at AWS, by themselves or by the child object that they make."""
JOBS = (TRAINING_JOB, HYPERPARAMETER_TUNING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
VALUES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped", "Creating", "InService", "Updating", "Deleting")

usually = st.sampled_from([True, True, True, False])
seconds = st.sampled_from([None, 0.0, 5.0, 1e6])
names = st.sampled_from(["", "one", "two"])
name_sets = st.lists(names.filter(bool), unique=True).map(tuple)
recorded = st.sampled_from([0, 1e6]).map(
    lambda ago: o.Recorded("job", "us-east-2", "aws", ARN, "123456789012", NOW - timedelta(seconds=ago))
)
policies = st.fixed_dictionaries(
    {},
    optional={
        ADOPTION_POLICY.key: st.sampled_from(["refuse", "adopt", "adopt-or-create"]),
        DELETION_POLICY.key: st.sampled_from(["delete", "retain"]),
        RECREATE_ON_FAILURE.key: st.just("true"),
    },
).map(lambda asked: EffectiveSettings({**asked, READ_ONLY.key: "true"}, NamespaceSettings("default")).policy())
found = st.builds(
    o.ExternalResource,
    st.sampled_from(o.Source),
    st.sampled_from(VALUES),
    arn=st.just(ARN),
    created_at=st.just(NOW),
    failure_reason=st.sampled_from(["", "why"]),
    fields=st.sampled_from([{}, {"endpointConfigName": "c", "lastModifiedTime": "2029-12-31T00:00:00Z"}]),
)
failures = st.builds(
    o.Failure,
    st.sampled_from(o.During),
    st.sampled_from([each for each in ErrorClass if each is not ErrorClass.THROTTLED]),
    st.just("Code"),
    st.just("message"),
    sent=st.booleans(),
)


def observed(*kinds: Any) -> st.SearchStrategy[o.Observed]:
    """Any state of a read-only object of these kinds."""
    fields = {
        "descriptor": st.sampled_from(kinds),
        "name": st.just("job"),
        "generation": st.just(2),
        "now": st.just(NOW),
        "policy": policies,
        "deleting_for_s": st.sampled_from([None, None, None, 0.0, 5.0, 1e6]),
        "has_finalizer": usually,
        "is_name_persisted": usually,
        "recorded": st.none() | recorded,
        "shown": st.sampled_from(["", *VALUES, "Created", "Error"]),
        "reasons": st.just({}) | st.just({"Stalled": "NotFound", "Reconciling": "DeletingChildren"}),
        "external": st.none() | st.just(ABSENT) | found,
        "owner": st.sampled_from(o.Ownership),
        "doubt_for_s": seconds,
        "mutation": st.none() | st.none() | st.sampled_from(o.Mutation),
        "failure": st.none() | st.none() | st.none() | failures,
        "hold_s": st.sampled_from([None, None, None, 30.0]),
        "tags": st.sampled_from([o.Tagging(), o.Tagging("wanted", ("a",), frozenset("a"))]),
        "edited": st.sampled_from([(), ("spec.region",)]),
    }
    flags = [name for name, field in o.Observed.__dataclass_fields__.items() if field.type in {bool, "bool"}]
    return st.builds(o.Observed, **{**dict.fromkeys(flags, st.booleans()), **fields})


def refuses_to_act(step: object) -> None:
    """The step leaves AWS as it is."""
    assert not isinstance(step, MUTATIONS)


@given(
    st.builds(
        JobObservation,
        observed(*JOBS),
        is_end_expected=st.booleans(),
        rules_running=st.booleans(),
        are_rules_open=st.booleans(),
        described_ago_s=seconds,
        is_token_old=st.booleans(),
        stop_was_refused=st.booleans(),
    )
)
def test_no_job_is_created_or_stopped(seen: JobObservation) -> None:
    """Training, tuning, transform and processing jobs."""
    refuses_to_act(job.decide(seen))


@given(
    st.builds(
        ResourceObservation,
        observed(MODEL, ENDPOINT_CONFIG),
        content=names.filter(bool),
        claimed=st.dictionaries(names.filter(bool), names.filter(bool), max_size=2),
        next_name=st.just("next"),
        is_observed=st.booleans(),
        legacy_matches=st.sampled_from([None, True, False]),
        users=st.just({}) | st.just({"one": ("X",)}),
        is_child_in_use=st.booleans(),
        gone=st.frozensets(names.filter(bool)),
        is_confirmed_gone=st.booleans(),
    )
)
def test_no_model_and_no_configuration_is_created_or_deleted(seen: ResourceObservation) -> None:
    """Nor is one replaced beside the other."""
    refuses_to_act(resource.decide(seen))


@given(
    st.builds(
        EndpointObservation,
        observed(HOSTING_DEPLOYMENT),
        desired=st.none(),
        is_observed=st.booleans(),
        was_visible=st.booleans(),
        recreates=st.booleans(),
        refusal=st.sampled_from(("", "busy")),
    )
)
def test_no_endpoint_is_created_updated_or_deleted(seen: EndpointObservation) -> None:
    """And no child is made, which would create something."""
    refuses_to_act(hosting.decide(seen))


@given(
    st.builds(
        ScalingObservation,
        observed(HOSTING_AUTOSCALING_POLICY),
        policy=st.just("busy"),
        record=st.none() | recorded,
        wanted=name_sets,
        recorded_ids=name_sets,
        legacy_ids=name_sets,
        waiting=names,
        taken=st.just({}) | st.just({"one": "other"}),
        is_observed=st.booleans(),
        is_check_due=st.booleans(),
        is_verified=st.booleans(),
        is_checked=st.booleans(),
        is_applied=st.booleans(),
        missing=st.booleans(),
        removed=st.frozensets(names.filter(bool)),
    )
)
def test_no_target_is_registered_and_no_policy_put_or_removed(seen: ScalingObservation) -> None:
    """Application Auto Scaling is AWS, too."""
    refuses_to_act(scaling.decide(seen))


# --- what is shown instead


def read_only(obj: dict[str, Any]) -> dict[str, Any]:
    """The manifest with the annotation."""
    return {**obj, "metadata": {**obj["metadata"], "annotations": {READ_ONLY.key: "true"}}}


def changes(world: HostingWorld) -> list[str]:
    """Calls that change something at AWS."""
    return [call for call in world.sagemaker.operations if not call.startswith(("Describe", "List"))]


def deployed() -> HostingWorld:
    """A deployment that serves, and forgotten calls."""
    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    world.sagemaker.calls.clear()
    return world


def condition(world: HostingWorld, type_: str) -> str:
    """The status of a condition of the deployment."""
    return next(str(each["status"]) for each in world.status["conditions"] if each["type"] == type_)


def test_a_deployment_that_becomes_read_only_is_shown_whatever_its_spec_says() -> None:
    """An edit has no effect until the annotation goes."""
    world = deployed()
    world.apply(read_only(hosting_world.manifest(version="2", count=3)))
    world.run(100)
    assert changes(world) == []
    assert (world.status["endpointStatus"], condition(world, "Ready")) == ("InService", "True")
    assert world.status["observedGeneration"] == (world.obj or {})["metadata"]["generation"]
    (endpoint,) = world.aws.endpoints.values()
    endpoint.value, endpoint.modified = "Updating", world.clock.utcnow()
    world.run(100)
    assert world.status["endpointStatus"] == "Updating"
    endpoint.value, endpoint.modified = "InService", world.clock.utcnow()
    world.apply(hosting_world.manifest(version="2", count=3))
    world.until(world.is_at_rest)
    assert "UpdateEndpoint" in world.sagemaker.operations


def test_a_read_only_deployment_shows_an_endpoint_of_others_and_leaves_it_behind() -> None:
    """Found by its name; no child objects, no finalizer, no tags."""
    world = deployed()
    (name,) = world.aws.endpoints
    other = read_only(hosting_world.manifest(endpointName=name))
    other["metadata"] |= {"name": "other"}
    cluster = world.clusters[HOSTING_DEPLOYMENT.kind]
    cluster.apply(other)
    key = type(hosting_world.KEY)("default", "other")
    world.run(30)
    shown = cluster.get(key) or {}
    assert shown["status"]["endpointStatus"] == "InService"
    assert "finalizers" not in shown["metadata"]
    assert ("Normal", "Found") in world.recorder.events
    cluster.delete(key)
    world.run(30)
    assert cluster.get(key) is None
    assert changes(world) == []
    assert world.is_at_rest()


def test_a_read_only_deployment_without_an_endpoint_says_so() -> None:
    """Nothing is made for it."""
    world = HostingWorld()
    world.apply(read_only(hosting_world.manifest()))
    world.run(100)
    assert (changes(world), world.clusters[MODEL.kind].keys()) == ([], [])
    assert condition(world, "Stalled") == "True"


def test_a_read_only_model_is_shown_and_used_on_when_it_may_be_changed_again() -> None:
    """Its name is its own, so that taking the annotation off makes it what it would have been."""
    world = HostingWorld()
    model = {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "Model",
        "metadata": {"namespace": "default", "name": "m"},
        "spec": {"region": "us-east-2", "executionRoleArn": "r", "primaryContainer": {"image": "i"}},
    }
    cluster = world.clusters[MODEL.kind]
    cluster.apply(read_only(model))
    key = cluster.keys()[0]
    world.run(30)
    uid = (cluster.get(key) or {})["metadata"]["uid"].replace("-", "")
    assert (cluster.get(key) or {})["status"]["conditions"][3]["reason"] == "NotFound"
    world.aws.models[f"m-{uid}"] = {
        "ModelName": f"m-{uid}",
        "PrimaryContainer": {"Image": "i"},
        "CreationTime": world.clock.utcnow(),
    }
    cluster.apply(read_only({**model, "spec": {**model["spec"], "executionRoleArn": "other"}}))
    world.run(30)
    status = (cluster.get(key) or {})["status"]
    assert (status["status"], status["sageMakerModelName"]) == ("Created", f"m-{uid}")
    assert [each["reason"] for each in status["conditions"] if each["type"] == "Synced"] == ["ReadOnly"]
    assert changes(world) == []
    world.aws.models[f"m-{uid}"]["ExecutionRoleArn"] = "r"
    cluster.apply(model)
    world.run(30)
    assert (changes(world), list(world.aws.models)) == (["AddTags"], [f"m-{uid}"])
    assert (cluster.get(key) or {})["status"]["conditions"][1]["reason"] == "Synced"


@pytest.mark.parametrize("value", ["InProgress", "Completed"])
def test_a_read_only_job_is_followed_and_left_behind(value: str) -> None:
    """Whoever created it goes on owning it."""
    world = World()
    world.aws.existing("my-job")
    world.cluster.apply(read_only(manifest(trainingJobName="my-job")))
    world.run(30)
    assert world.value == "InProgress"
    world.aws.move("my-job", value)
    world.run(30)
    assert world.value == value
    world.cluster.delete(KEY)
    world.run(30)
    assert world.cluster.get(KEY) is None
    assert {operation for operation, _ in world.aws.calls} <= {"describe", "list", "tags"}
