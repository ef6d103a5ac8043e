"""The decision table of hosting deployments (v1-kinds.md 12.4): every state of the endpoint, every relation of spec and
endpoint, wanted and being deleted, ours and foreign."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.endpoint import decide as endpoint
from controller.reconcile.endpoint.desired import Child, Desired, Want, numbers_of, shape_of
from controller.reconcile.endpoint.observation import (
    EndpointObservation,
    EndpointStep,
    Intent,
    LastUpdate,
    RecordOutcome,
    SucceedChild,
    Update,
)
from controller.reconcile.passes.reconciler import next_step
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row

decide = partial(next_step, endpoint.decide)
"""As the loop takes it."""

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:endpoint/host"
CREATED = NOW - timedelta(hours=1)
RECORDED = o.Recorded("host", "us-east-2", "aws", ARN, "123456789012", CREATED, CREATED)
BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack")
SETTLED = ("InService", "OutOfService", "Failed", "UpdateRollbackFailed", "Novel")
VALUES = (*BUSY, *SETTLED, "Deleting")


def configuration(model: str, count: int = 1, weight: float = 1.0) -> dict[str, Any]:
    """Content of a configuration with one variant."""
    variant = {"VariantName": "a", "ModelName": model, "InstanceType": "ml.c5.large"}
    return {"ProductionVariants": [{**variant, "InitialInstanceCount": count, "InitialVariantWeight": weight}]}


def child(descriptor: Any, name: str, content: dict[str, Any] | None = None, **changes: Any) -> Child:
    """A child that SageMaker knows under `sm-<name>`."""
    spec = {"productionVariants": [{"modelName": "sm-m1"}]} if descriptor is ENDPOINT_CONFIG else {}
    made = Child(descriptor, name, f"uid-{name}", "7", f"sm-{name}", content or {}, spec, is_deleting=False)
    return replace(made, **changes)


M1 = child(MODEL, "m1")
C1 = child(ENDPOINT_CONFIG, "c1", configuration("sm-m1"))
M2 = child(MODEL, "m2")
C2 = child(ENDPOINT_CONFIG, "c2", configuration("sm-m2"), spec={"productionVariants": [{"modelName": "sm-m2"}]})


def want(made: Child | None, descriptor: Any = MODEL, label: str = "m") -> Want:
    """A wish, fulfilled or not."""
    return Want(descriptor, label, made.name if made else "new", {}, made)


def desired_of(
    spec_digest: str, model: Child | None, made: Child | None, content: dict[str, Any] | None = None
) -> Desired:
    """What the spec wants; `content` where the configuration's object is not there yet."""
    if model is None:
        return Desired(spec_digest, (want(None),), None)
    says = content or (made.content if made else configuration(model.sagemaker_name))
    return Desired(spec_digest, (want(model),), want(made, ENDPOINT_CONFIG, ""), shape_of(says), dict(numbers_of(says)))


SAME = desired_of("one", M1, C1)
SERVED = LastUpdate(is_served=True, numbers={"a": (1, 1.0)}, serves={"a": (1, 1.0)})
LAST_UPDATE = LastUpdate("one", SAME.shape, SAME.numbers, is_served=True, serves={"a": (1, 1.0)})


def seen(external: o.External = None, **changes: Any) -> EndpointObservation:
    """A deployment whose endpoint runs with c1, as its spec wants and its status tells."""
    base = o.Observed(
        descriptor=HOSTING_DEPLOYMENT,
        name="host",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        recorded=RECORDED,
        is_recorded_in_status=True,
        shown="InService",
        external=external,
    )
    own = {name: value for name, value in changes.items() if name in EndpointObservation.__dataclass_fields__}
    rest = {name: value for name, value in changes.items() if name not in own}
    made = EndpointObservation(
        base=replace(base, **rest),
        desired=SAME,
        children=(M1, C1),
        last_update=LAST_UPDATE,
        is_observed=True,
        was_visible=True,
    )
    return replace(made, **own)


def found(
    value: str, *, config: str = "sm-c1", failure: str = "", source: o.Source = o.Source.DESCRIPTION
) -> o.ExternalResource:
    """A Describe answer."""
    fields = {"endpointConfigName": config, "lastModifiedTime": "2029-12-31T00:00:00Z"}
    return o.ExternalResource(
        source, value, arn=ARN, created_at=RECORDED.created_at, failure_reason=failure, fields=fields
    )


def told(step: EndpointStep) -> str:
    """A step in a word or two."""
    match step:
        case Update(numbers):
            return "update" if numbers is None else f"update {dict(numbers)}"
        case s.Finish(status_update=None):
            return "wait" if step.follow or step.again_s is not None else "nothing"
        case s.Finish(status_update=status_update):
            assert status_update is not None
            return f"{status_update.value}: {status_update.phase.value}, {status_update.reason}"
        case _:
            return type(step).__name__


OTHER = desired_of("two", M2, C2)
UNMADE = desired_of("two", None, None)
MODELS_ONLY = desired_of("two", M2, None)
NUMBERS = desired_of("two", M1, None, configuration("sm-m1", 3, 0.5))

LIVING = [
    # external, desired, what is decided
    *[(found(v), SAME, f"{v}: {'working' if v == 'Creating' else 'ready, working'}, {v}") for v in BUSY],
    *[(found(v), OTHER, f"{v}: {'working' if v == 'Creating' else 'ready, working'}, {v}") for v in BUSY],
    (found("InService"), SAME, "InService: ready, InService"),
    (found("InService"), UNMADE, "MakeChild"),
    (found("InService"), MODELS_ONLY, "MakeChild"),
    (found("InService"), OTHER, "update"),
    (found("InService", config="elsewhere"), OTHER, "update"),
    (found("OutOfService"), SAME, "OutOfService: working, OutOfService"),
    (found("OutOfService"), OTHER, "OutOfService: working, OutOfService"),
    (found("UpdateRollbackFailed"), OTHER, "UpdateRollbackFailed: working, UpdateRollbackFailed"),
    (found("Novel"), SAME, "Novel: working, Novel"),
    (found("Failed", failure="why"), SAME, "Failed: stuck, EndpointFailed"),
    (found("Failed", failure="why"), OTHER, "Failed: stuck, EndpointFailed"),
    (found("Deleting"), SAME, "Deleting: working, Deleting"),
    (found("Deleting"), OTHER, "Deleting: working, Deleting"),
    (ABSENT, SAME, "Create"),
    (ABSENT, UNMADE, "MakeChild"),
    (None, SAME, "wait"),
]


@each_row(("external", "desired", "decided"), LIVING)
def test_an_endpoint_that_is_wanted(external: o.External, desired: Desired, decided: str) -> None:
    """Rows 1, 3 to 5, 7, 8 and 12: action and status for every state, with the spec as it runs and changed."""
    children = (M1, C1, M2, C2) if desired is OTHER else (M1, C1)
    assert told(decide(seen(external, desired=desired, children=children))) == decided


@each_row("value", VALUES)
def test_a_summary_is_looked_into_before_anything_is_done(value: str) -> None:
    """Lists do not tell which configuration runs."""
    assert told(decide(seen(found(value, source=o.Source.SUMMARY)))) == "Describe"


def test_a_wish_that_waits_is_told_once() -> None:
    """Row 3, D-17a: a pending change is visible in a condition, with one Event."""
    first = decide(seen(found("Updating"), desired=OTHER, shown="Updating"))
    again = decide(seen(found("Updating"), desired=OTHER, shown="Updating", reasons={"Synced": "UpdatePending"}))
    assert isinstance(first, s.Finish)
    assert isinstance(again, s.Finish)
    assert first.status_update is not None
    assert first.status_update.synced == "UpdatePending"
    assert [event.reason for event in first.events] == ["UpdatePending"]
    assert again.events == ()


def test_only_numbers_are_changed_where_only_numbers_differ() -> None:
    """UpdateEndpointWeightsAndCapacities; the guide's ReconcilingEndpoint comes first."""
    assert told(decide(seen(found("InService"), desired=NUMBERS))).startswith("ReconcilingEndpoint: ready, working")
    announced = seen(found("InService"), desired=NUMBERS, shown="ReconcilingEndpoint")
    assert told(decide(announced)) == "update {'a': (3, 0.5)}"


def test_what_autoscaling_has_changed_is_no_difference() -> None:
    """Only numbers of the spec that differ from those asked for last are sent; who scales is known or asked for."""
    external = found("InService")
    scaled = replace(
        external, fields={**external.fields, "productionVariants": [{"variantName": "a", "desiredInstanceCount": 9}]}
    )
    assert told(decide(seen(scaled))) == "AskScaled"
    for known in ({"scaled": frozenset("a")}, {"scalers": {"a": "HostingAutoscalingPolicy default/x"}}):
        assert told(decide(seen(scaled, **known))) == "InService: ready, InService"
    weight = desired_of("two", M1, None, configuration("sm-m1", 1, 0.5))
    assert told(decide(seen(scaled, desired=weight, shown="ReconcilingEndpoint"))) == "update {'a': (None, 0.5)}"


def test_an_endpoint_that_is_adopted_and_updated_in_one_pass_is_announced_as_both() -> None:
    """The record of the adoption is written with the first status: no later pass would announce it."""
    new = {"recorded": None, "is_recorded_in_status": False, "is_name_generated": False}
    theirs = {"owner": o.Ownership.FOREIGN, "policy": o.Policy(adoption=o.Adoption.ADOPT)}
    step = decide(seen(found("InService"), mutation=o.Mutation.UPDATED, **new, **theirs))
    assert isinstance(step, s.Finish)
    assert [each.reason for each in step.events] == ["Adopted", "UpdateStarted"]


def test_an_endpoint_without_a_record_is_what_its_creation_has_made_if_it_has_what_was_asked_for() -> None:
    """The answer and the status were lost: the annotation alone says what was about to be requested."""
    intent = Intent("one", "", SAME.shape, SAME.numbers, since="", at="2029-12-31T00:00:00Z", configuration="sm-c1")
    lost = {"recorded": None, "is_recorded_in_status": False, "last_update": LastUpdate(intent=intent)}
    assert decide(seen(found("InService"), is_described=True, **lost)) == RecordOutcome(took_effect=True)
    assert decide(seen(found("InService"), is_described=False, **lost)) == s.Describe()


def test_numbers_are_put_back_after_they_were_changed() -> None:
    """The running configuration says 1, AWS was asked for 3, the spec says 1 again."""
    asked = LastUpdate("two", NUMBERS.shape, NUMBERS.numbers, is_of_numbers=True)
    step = decide(seen(found("InService"), last_update=asked, shown="ReconcilingEndpoint"))
    assert told(step) == "update {'a': (1, 1.0)}"


@pytest.mark.parametrize("failure", ["the model does not load", ""])
def test_a_failed_update_is_told_and_not_repeated(failure: str) -> None:
    """Row 6, D-15: asked for, in service, and not what runs."""
    last_update = LastUpdate("two", OTHER.shape, OTHER.numbers, since="2029-12-30T00:00:00Z")
    step = decide(
        seen(found("InService", failure=failure), desired=OTHER, children=(M1, C1, M2, C2), last_update=last_update)
    )
    assert told(step) == "InService: ready, stuck, UpdateFailed"


def test_a_child_that_is_created_again_before_its_endpoint_was_seen_in_service_is_no_failed_update() -> None:
    """What runs is what was requested last. The new model has another name, and so the spec another configuration."""
    last_update = LastUpdate("two", SAME.shape, SAME.numbers, since="2029-12-30T00:00:00Z")
    assert (
        told(decide(seen(found("InService"), desired=OTHER, children=(C1, M2, C2), last_update=last_update)))
        == "update"
    )


def test_a_failed_update_is_left_behind_by_another_spec() -> None:
    """Row 6: a new wish is carried out, and so is going back to what runs."""
    last_update = LastUpdate("bad", "shape", {}, since="2029-12-30T00:00:00Z")
    external = found("InService", failure="the model does not load")
    assert told(decide(seen(external, desired=OTHER, children=(M1, C1, M2, C2), last_update=last_update))) == "update"
    assert told(decide(seen(external, last_update=last_update))) == "RecordServed"
    back = replace(LAST_UPDATE, since="2029-12-30T00:00:00Z")
    assert told(decide(seen(external, last_update=back))) == "InService: ready, InService"


def test_an_answer_from_before_the_update_says_nothing() -> None:
    """Eventual consistency: still InService with the old configuration and the old time."""
    last_update = LastUpdate("two", OTHER.shape, OTHER.numbers, since="2029-12-31T00:00:00Z")
    step = decide(
        seen(found("InService"), desired=OTHER, children=(M1, C1, M2, C2), last_update=last_update, shown="Updating")
    )
    assert told(step) == "wait"


def test_an_update_that_is_refused_as_busy_waits() -> None:
    """v1-kinds.md 13.3: `Cannot update in-progress endpoint`."""
    step = decide(seen(found("InService"), desired=OTHER, children=(M1, C1, M2, C2), refusal="busy"))
    assert told(step) == "wait"


def test_children_that_nobody_needs_go_configurations_first() -> None:
    """Row 4, D-54: and only when the new configuration is live and told."""
    everyone = (M1, C1, M2, C2)
    step = decide(seen(found("InService", config="sm-c2"), desired=OTHER, children=everyone,
                       last_update=replace(SERVED, id="two", shape=OTHER.shape)))  # fmt: skip
    assert told(step) == "DropChild"
    assert step.child.name == "c1"  # type: ignore[union-attr]
    step = decide(seen(found("InService", config="sm-c2"), desired=OTHER, children=everyone, done=frozenset({"c1"}),
                       last_update=replace(SERVED, id="two", shape=OTHER.shape)))  # fmt: skip
    assert told(step) == "InService: ready, InService", "its model is used as long as the configuration is there"
    step = decide(seen(found("InService", config="sm-c2"), desired=OTHER, children=(M1, M2, C2),
                       last_update=replace(SERVED, id="two", shape=OTHER.shape)))  # fmt: skip
    assert step.child.name == "m1"  # type: ignore[union-attr]


@each_row("value", VALUES)
def test_no_child_goes_unless_the_endpoint_is_in_service_with_another(value: str) -> None:
    """Never delete what a live endpoint uses (D-21)."""
    for shown in (value, "Updating"):
        step = decide(seen(found(value), desired=OTHER, children=(M1, C1, M2, C2), shown=shown))
        assert told(step) != "DropChild"


def test_a_failed_endpoint_is_made_anew_only_when_asked_for_and_changed() -> None:
    """Row 7, annotation recreate-on-failure."""
    assert told(decide(seen(found("Failed"), recreates=True))) == "Failed: stuck, EndpointFailed"
    assert told(decide(seen(found("Failed"), desired=OTHER, recreates=True))) == "Delete"


# --- without a record


@each_row(
    ("external", "changes", "decided"),
    [
        pytest.param(None, {"desired": UNMADE}, "MakeChild", id="generated name: nobody is asked"),
        pytest.param(None, {}, "Create", id="children are there"),
        pytest.param(None, {"name_is_taken": True}, "Describe", id="taken"),
        pytest.param(None, {"is_name_generated": False}, "Describe", id="given name: look first"),
        pytest.param(ABSENT, {"is_name_generated": False}, "Create", id="given name, free"),
        pytest.param(found("InService"), {"is_name_generated": False}, "VerifyOwner", id="given name, exists"),
        pytest.param(
            found("InService"),
            {"is_name_generated": False, "owner": o.Ownership.FOREIGN},
            "ReconcilingEndpoint: stuck, AlreadyExists",
            id="given name, foreign: row 13",
        ),
        pytest.param(
            found("InService"),
            {"is_name_generated": False, "owner": o.Ownership.FOREIGN, "policy": o.Policy(adoption=o.Adoption.ADOPT)},
            "RecordServed",
            id="given name, adopted",
        ),
        pytest.param(found("InService"), {"is_legacy": True}, "RecordServed", id="the predecessor's"),
        pytest.param(
            found("InService"),
            {"is_legacy": True, "last_update": LAST_UPDATE},
            "InService: ready, InService",
            id="and noted",
        ),
        pytest.param(ABSENT, {"name_is_taken": True}, "wait", id="taken, not visible yet"),
    ],
)
def test_an_endpoint_that_is_not_recorded(external: o.External, changes: dict[str, Any], decided: str) -> None:
    """Rows 1 and 13."""
    changes = {"recorded": None, "is_recorded_in_status": False, "shown": "", "last_update": LastUpdate(), **changes}
    assert told(decide(seen(external, **changes))) == decided


@pytest.mark.parametrize(("setbacks", "decided"), [(0, "wait"), (3, "None: troubled, NameUnavailable")])
def test_an_endpoint_that_was_deleted_outside_and_has_a_taken_name(setbacks: int, decided: str) -> None:
    """Create finds the name in use, Describe finds nothing: not sixty calls a pass, and words after a minute."""
    assert told(decide(seen(ABSENT, name_is_taken=True, setbacks=setbacks))) == decided


# --- deletion


@each_row("desired", [SAME, OTHER, None])
@each_row("value", VALUES)
def test_deletion_of_an_endpoint_in_any_state(value: str, desired: Desired | None) -> None:
    """Rows 9 to 11, D-16: every settled state can be deleted; the others are waited for."""
    step = decide(seen(found(value), desired=desired, deleting_for_s=5.0))
    waits = value in BUSY or value == "Deleting"
    assert told(step) == ("Deleting: working, Deleting" if waits else "Delete")
    if isinstance(step, s.Finish) and step.status_update is not None:
        assert ("its deletion is asked for when that has ended" in step.status_update.message) == (value in BUSY)


@each_row("value", VALUES)
def test_deletion_leaves_a_foreign_endpoint_alone(value: str) -> None:
    """Row 13, D-03."""
    changes = {"recorded": None, "is_name_generated": False, "deleting_for_s": 60.0, "children": ()}
    assert told(decide(seen(found(value), owner=o.Ownership.FOREIGN, **changes))) == "RemoveFinalizer"
    assert told(decide(seen(found(value), **changes))) == "VerifyOwner"


def test_deletion_goes_endpoint_configurations_models() -> None:
    """Row 2, D-54: each waited for, and that the endpoint is gone is written down first."""
    gone = decide(seen(ABSENT, deleting_for_s=60.0))
    assert told(gone) == "Deleting: working, DeletingChildren"
    assert isinstance(gone, s.Finish)
    assert gone.recorded is not None
    assert gone.recorded.is_released

    def then(*children: Child, **changes: Any) -> EndpointStep:
        torn = {"recorded": gone.recorded, "deleting_for_s": 60.0, "children": children}
        shown = {"recorded": None, "reasons": {"Reconciling": "DeletingChildren"}}  # where nothing was recorded
        steps = [decide(seen(None, **{**torn, **each, **changes})) for each in ({}, shown)]
        assert steps[0] == steps[1]
        return steps[0]

    assert then(M1, C1).child is C1  # type: ignore[union-attr]
    assert told(then(M1, replace(C1, is_deleting=True))) == "wait"
    assert then(M1).child is M1  # type: ignore[union-attr]
    assert told(then(replace(M1, is_deleting=True))) == "wait"
    assert told(then()) == "RemoveFinalizer"


HELD = replace(C1, is_deleting=True, is_held=True, resource={"name": "sm-c1"})


@each_row(
    ("others", "is_succeeded"),
    [
        ((), True),
        ((replace(C2, sagemaker_name="sm-c1"),), False),
        ((replace(C2, sagemaker_name="", takes_over="sm-c1"),), False),
        ((replace(C2, sagemaker_name="sm-c1", is_deleting=True),), True),
        ((replace(C2, succeeds=HELD.uid, is_deleting=True),), False),
        ((replace(M2, sagemaker_name="sm-c1"),), True),
        ((C2,), True),
    ],
    ids=["none", "has it", "takes it over", "has it and goes", "succeeds it and goes", "of another kind", "another"],
)
def test_a_child_that_is_held_gets_a_successor_unless_one_stays(others: tuple[Child, ...], is_succeeded: bool) -> None:
    """Another would be superfluous, and be deleted, and be held in its turn."""
    step = decide(seen(found("InService"), children=(M1, HELD, *others)))
    assert isinstance(step, SucceedChild) is is_succeeded


def test_deletion_believes_not_found_only_when_nothing_can_come_any_more() -> None:
    """A Create may still be taking effect; without children there was none."""
    unrecorded: dict[str, Any] = {"recorded": None, "is_recorded_in_status": False, "shown": "", "was_visible": False}
    assert told(decide(seen(ABSENT, deleting_for_s=1.0, **unrecorded))) == "wait"
    assert told(decide(seen(ABSENT, deleting_for_s=60.0, **unrecorded))).startswith("Deleting")
    assert told(decide(seen(ABSENT, deleting_for_s=1.0, children=(), **unrecorded))) == "RemoveFinalizer"


def test_retain_keeps_the_children_at_aws_too() -> None:
    """Annotation deletion-policy=retain."""
    policy = o.Policy(retain=True)
    assert told(decide(seen(found("InService"), deleting_for_s=1.0, policy=policy))) == "RetainChild"
    done = frozenset({"m1", "c1"})
    assert told(decide(seen(found("InService"), deleting_for_s=1.0, policy=policy, done=done))) == "RemoveFinalizer"


@each_row("deleting_for_s", [None, 60.0])
@each_row("value", VALUES)
def test_a_paused_deployment_is_left_alone(value: str, deleting_for_s: float | None) -> None:
    """Annotation paused: no AWS calls; a deletion waits."""
    step = decide(seen(found(value), desired=OTHER, policy=o.Policy(paused=True), deleting_for_s=deleting_for_s))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.phase is s.Phase.PAUSED


@each_row("error_class", list(ErrorClass))
@each_row("deleting_for_s", [None, 60.0])
def test_no_error_takes_the_finalizer_off_what_was_created(
    error_class: ErrorClass, deleting_for_s: float | None
) -> None:
    """D-09: only a proven end releases."""
    failure = o.Failure(o.During.DESCRIBE, error_class, "Code", "message")
    step = decide(seen(None, failure=failure, deleting_for_s=deleting_for_s))
    assert isinstance(step, s.Finish)


def test_a_refused_update_leaves_an_endpoint_that_serves() -> None:
    """Stalled, but Ready: the previous configuration answers requests."""
    failure = o.Failure(o.During.UPDATE, ErrorClass.INVALID, "ValidationException", "bad guardrails")
    step = decide(seen(found("InService"), desired=OTHER, failure=failure, shown="ReconcilingEndpoint"))
    assert told(step) == "None: ready, stuck, InvalidSpec"


def test_a_hold_lets_no_aws_call_through() -> None:
    """Errors that time or a change must cure stay slow."""
    for external in (None, found("InService"), ABSENT):
        step = decide(seen(external, desired=OTHER, children=(M1, C1, M2, C2), hold_s=30.0, is_describe_due=True))
        assert told(step) == "wait"
