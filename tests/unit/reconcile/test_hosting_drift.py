"""What others change of an endpoint, updates that wait for a word, and what is told along the way."""

from dataclasses import replace
from typing import Any

import pytest

from controller.aws.errors import AwsError
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.endpoint.observation import (
    CorrectChild,
    EndpointObservation,
    EndpointStep,
    LastUpdate,
    OwnChild,
    PendingUpdate,
)
from controller.reconcile.managed.managed_object import WAIT_SHOWN_S
from controller.runtime.errors import ErrorClass
from tests.faults.hosting_world import HostingWorld
from tests.faults.hosting_world import manifest as hosting_manifest
from tests.tables import each_row
from tests.unit.reconcile.test_hosting_decisions import (
    C1,
    C2,
    LAST_UPDATE,
    M1,
    M2,
    NUMBERS,
    OTHER,
    SAME,
    SERVED,
    UNMADE,
    decide,
    found,
    seen,
    told,
)

CORRECTS = o.Policy(corrects=True)
MANUAL = o.Policy(holds_updates=True)
SHOWN = {"reasons": {"Drifted": "Drifted"}}
SWITCHED = found("InService", config="somebody-elses")


def aiming(count: int | None = 1, weight: float = 1.0, **changes: Any) -> o.ExternalResource:
    """An endpoint in service, with what AWS aims at for its variant."""
    external = found("InService", **changes)
    numbers = {"variantName": "a", "desiredInstanceCount": count, "desiredWeight": weight}
    variant = {name: value for name, value in numbers.items() if value is not None}
    return replace(external, fields={**external.fields, "productionVariants": [variant]})


def status_update_of(step: EndpointStep) -> s.StatusUpdate:
    """What the step shows."""
    assert isinstance(step, s.Finish), step
    assert step.status_update is not None
    return step.status_update


def events_of(step: EndpointStep) -> list[str]:
    """Reasons of the events of the step."""
    assert isinstance(step, s.Finish), step
    return [event.reason for event in step.events]


@each_row(
    ("external", "changes", "decided"),
    [
        pytest.param(SWITCHED, {}, "InService: stuck, Drifted", id="another configuration: told"),
        pytest.param(SWITCHED, {"policy": CORRECTS}, "InService: working, Drifted", id="told before it is corrected"),
        pytest.param(SWITCHED, {"policy": CORRECTS, **SHOWN}, "update", id="and switched back"),
        pytest.param(SWITCHED, {**SHOWN}, "InService: stuck, Drifted", id="never without being asked"),
        pytest.param(
            SWITCHED,
            {"policy": CORRECTS, **SHOWN, "correction_in_s": 30.0},
            "InService: working, Drifted",
            id="not in a loop: two owners",
        ),
        pytest.param(
            SWITCHED,
            {"policy": CORRECTS, **SHOWN, "refusal": "busy"},
            "InService: working, Drifted",
            id="not while it is being changed",
        ),
        pytest.param(
            SWITCHED, {"desired": replace(SAME, retry="now")}, "InService: stuck, Drifted", id="reconcile-at only looks"
        ),
        pytest.param(
            replace(SWITCHED, failure_reason="no"),
            {"last_update": replace(LAST_UPDATE, is_served=False)},
            "InService: ready, stuck, UpdateFailed",
            id="an update of ours that failed is no drift: row 6",
        ),
        pytest.param(
            SWITCHED,
            {"last_update": replace(LAST_UPDATE, is_served=False)},
            "InService: stuck, Drifted",
            id="switched before we have seen what ours came to",
        ),
        pytest.param(SWITCHED, {"desired": OTHER}, "update", id="an edited spec wins"),
        pytest.param(aiming(weight=0.3), {}, "InService: ready, Drifted", id="weight"),
        pytest.param(
            aiming(weight=0.3), {"policy": CORRECTS, **SHOWN}, "update {'a': (None, 1.0)}", id="the weight is put back"
        ),
        pytest.param(aiming(weight=1.0000001), {}, "InService: ready, InService", id="AWS keeps weights as floats"),
        pytest.param(aiming(4), {}, "AskScaled", id="count: is it autoscaling?"),
        pytest.param(aiming(4), {"scaled": frozenset()}, "InService: ready, Drifted", id="no, somebody's hand"),
        pytest.param(aiming(4), {"scaled": frozenset("a")}, "InService: ready, InService", id="yes, no drift"),
        pytest.param(aiming(4), {"scalers": {"a": "x"}}, "InService: ready, InService", id="yes, an object's policy"),
        pytest.param(
            aiming(4, 0.3),
            {"scaled": frozenset("a"), "policy": CORRECTS, **SHOWN},
            "update {'a': (None, 1.0)}",
            id="of a scaled variant only the weight is put back",
        ),
        pytest.param(aiming(None), {}, "InService: ready, InService", id="serverless"),
        pytest.param(aiming(), SHOWN, "InService: ready, InService", id="gone again"),
        pytest.param(aiming(4), {"hold_s": 9.0}, "wait", id="on hold"),
    ],
)
def test_what_others_have_changed(external: o.ExternalResource, changes: dict[str, Any], decided: str) -> None:
    """modern-expectations.md 2 and 4: told first; changed back only where `drift-policy: correct` asks for it."""
    assert told(decide(seen(external, **changes))) == decided


@each_row("value", ["Creating", "Updating", "SystemUpdating", "RollingBack", "OutOfService"])
def test_what_is_under_way_is_no_drift(value: str) -> None:
    """Compared is what AWS has settled on."""
    status_update = status_update_of(decide(seen(found(value, config="somebody-elses"))))
    assert status_update.drift is None
    assert status_update.synced == "Synced"


def test_drift_is_told_once_with_what_differs() -> None:
    """Condition, notice and one Warning; names and numbers are no secrets."""
    first = decide(seen(SWITCHED))
    again = decide(seen(SWITCHED, **SHOWN))
    assert events_of(first) == ["Drifted"]
    assert events_of(again) == []
    status_update = status_update_of(first)
    assert status_update.drift is s.Drift.FOUND
    assert status_update.synced == "Drifted"
    assert status_update.message == "changed by others: endpointConfigName is somebody-elses, and sm-c1 was applied"
    weight = status_update_of(decide(seen(aiming(weight=0.3))))
    assert weight.message == "changed by others: productionVariants[a].desiredWeight is 0.3, and 1 was applied"


def test_the_end_of_drift_is_shown_and_told_where_it_was_corrected() -> None:
    """DriftCorrected is ours; what others take back by themselves is just gone."""
    by_us = decide(seen(aiming(), reasons={"Drifted": "Correcting"}, shown="Updating"))
    by_them = decide(seen(aiming(), **SHOWN))
    assert events_of(by_us) == ["UpdateCompleted", "DriftCorrected"]
    assert events_of(by_them) == []
    assert status_update_of(by_us).drift is status_update_of(by_them).drift is s.Drift.NONE


def test_a_correction_is_under_way_and_may_fail() -> None:
    """While it is corrected it is not drift; when SageMaker refuses it, it is again."""
    begun = decide(seen(SWITCHED, policy=CORRECTS, **SHOWN, mutation=o.Mutation.UPDATED))
    assert status_update_of(begun).drift is s.Drift.CORRECTING
    failed = decide(
        seen(
            replace(SWITCHED, failure_reason="no"),
            policy=CORRECTS,
            reasons={"Drifted": "Correcting"},
            last_update=replace(LAST_UPDATE, is_served=False),
        )
    )
    assert told(failed) == "InService: ready, stuck, UpdateFailed"
    assert status_update_of(failed).drift is s.Drift.FOUND


def test_errors_and_pauses_leave_the_condition_as_it_is() -> None:
    """Nobody knows whether it is still so."""
    failure = o.Failure(o.During.DESCRIBE, ErrorClass.RETRYABLE, "Code", "message")
    assert status_update_of(decide(seen(SWITCHED, failure=failure, **SHOWN))).drift is None
    assert status_update_of(decide(seen(SWITCHED, policy=o.Policy(paused=True), **SHOWN))).drift is None


@each_row(
    ("changes", "decided"),
    [
        pytest.param(
            {"last_update": replace(LAST_UPDATE, is_served=False)}, "RecordServed", id="an update is complete"
        ),
        pytest.param({"last_update": LastUpdate()}, "RecordServed", id="adopted, or the predecessor's"),
        pytest.param(
            {"last_update": replace(SERVED, id="old", shape=SAME.shape)}, "RecordServed", id="only tags edited"
        ),
        pytest.param(
            {"last_update": replace(LAST_UPDATE, pending_update=PendingUpdate("two", ""))},
            "RecordServed",
            id="an edit was taken back",
        ),
        pytest.param({}, "InService: ready, InService", id="all is noted"),
    ],
)
def test_what_is_served_is_written_down_once(changes: dict[str, Any], decided: str) -> None:
    """Only what was seen to be served can have been changed by others afterwards."""
    assert told(decide(seen(aiming(), **changes))) == decided


def test_a_failed_change_of_numbers_is_tried_again_when_asked_for() -> None:
    """D-15: `reconcile-at` means another try."""
    asked = LastUpdate("two", NUMBERS.shape, NUMBERS.numbers, is_of_numbers=True)
    external = aiming(failure="no capacity")
    assert told(decide(seen(external, desired=NUMBERS, last_update=asked))) == "InService: ready, stuck, UpdateFailed"
    again = seen(external, desired=replace(NUMBERS, retry="now"), last_update=asked, shown="ReconcilingEndpoint")
    assert told(decide(again)) == "update {'a': (3, 0.5)}"


# --- children


def lost(**changes: Any) -> EndpointObservation:
    """The model has been deleted at SageMaker: its own object has found out."""
    children = (replace(M1, drift="deleted at SageMaker", **changes), C1)
    return seen(aiming(), children=children, policy=CORRECTS if "corrects" in changes else o.Policy())


def test_drift_of_a_child_is_the_deployments_too() -> None:
    """People look at the deployment; it serves on."""
    step = decide(lost())
    assert told(step) == "InService: ready, Drifted"
    assert status_update_of(step).message == "Model m1: deleted at SageMaker"
    assert events_of(step) == ["Drifted"]


def test_children_correct_what_the_deployment_is_told_to_correct() -> None:
    """`drift-policy: correct` on the deployment is handed on."""
    assert isinstance(decide(lost(corrects=False)), CorrectChild)
    assert told(decide(lost(corrects=True))) == "InService: ready, Drifted"


@pytest.mark.parametrize("external", [None, aiming(), found("Updating"), found("Failed")])
def test_children_of_the_predecessor_come_to_name_their_owner(external: o.External) -> None:
    """D-20: garbage collection and Argo CD go by owner references."""
    children = (replace(M1, is_owned=False), C1)
    assert isinstance(decide(seen(external, children=children)), OwnChild)
    assert told(decide(seen(aiming(), children=children, done=frozenset({"m1"})))) == "InService: ready, InService"


# --- updates that wait for a word

SEEN_EDIT = {"policy": MANUAL, "desired": OTHER, "children": (M1, C1, M2, C2)}
NOTED = replace(LAST_UPDATE, pending_update=PendingUpdate("two", "before"))


@each_row(
    ("external", "changes", "decided"),
    [
        pytest.param(found("InService"), {}, "RecordPendingUpdate", id="the edit is written down"),
        pytest.param(found("Updating"), {}, "RecordPendingUpdate", id="as soon as it is seen"),
        pytest.param(
            found("InService"),
            {"last_update": NOTED, "desired": replace(UNMADE, retry="before")},
            "MakeChild",
            id="children are prepared",
        ),
        pytest.param(
            found("InService"),
            {"last_update": NOTED, "desired": replace(OTHER, retry="before")},
            "InService: ready, UpdatePending",
            id="the update waits",
        ),
        pytest.param(
            found("InService"),
            {"last_update": NOTED, "desired": replace(OTHER, retry="after")},
            "update",
            id="until reconcile-at changes",
        ),
        pytest.param(
            found("InService"),
            {"last_update": replace(NOTED, pending_update=PendingUpdate("one and a half", "before")), "desired": OTHER},
            "RecordPendingUpdate",
            id="another edit needs a word of its own",
        ),
        pytest.param(
            found("InService"),
            {"last_update": replace(NOTED, pending_update=PendingUpdate("two", "")), "desired": NUMBERS},
            "InService: ready, UpdatePending",
            id="numbers wait, too",
        ),
        pytest.param(found("InService"), {"last_update": NOTED, "policy": o.Policy()}, "update", id="automatic again"),
        pytest.param(found("Failed"), {"last_update": NOTED, "recreates": True}, "Delete", id="a word was given: anew"),
        pytest.param(
            found("Failed"),
            {"last_update": NOTED, "recreates": True, "desired": replace(OTHER, retry="before")},
            "Failed: stuck, EndpointFailed",
            id="no word: not deleted and made anew either",
        ),
    ],
)
def test_an_update_that_waits_for_a_word(external: o.ExternalResource, changes: dict[str, Any], decided: str) -> None:
    """Annotation `update-policy: manual`: prepared, and begun when `reconcile-at` changes after the edit was seen."""
    assert told(decide(seen(external, **{**SEEN_EDIT, **changes}))) == decided


def test_the_wait_is_told_once() -> None:
    """Condition, notice and one Event."""
    waiting = {**SEEN_EDIT, "last_update": NOTED, "desired": replace(OTHER, retry="before")}
    step = decide(seen(found("InService"), **waiting))
    again = decide(seen(found("InService"), **waiting, reasons={"Ready": "UpdatePending"}))
    assert status_update_of(step).synced == "UpdatePending"
    assert "reconcile-at" in status_update_of(step).message
    assert events_of(step) == ["UpdatePending"]
    assert events_of(again) == []


# --- what is told along the way

SCALED = {"scalers": {"a": "HostingAutoscalingPolicy default/x"}}
ONLY_NUMBERS = {"last_update": replace(LAST_UPDATE, is_of_numbers=True)}
NOTHING: frozenset[str] = frozenset()
ALL = frozenset({"DesiredInstanceCount", "DesiredWeight"})


@each_row(
    ("retains", "changes", "expected"),
    [
        pytest.param(NOTHING, SCALED, ["UpdateStarted", "CapacityReset"], id="AWS's default"),
        pytest.param(ALL, SCALED, ["UpdateStarted"], id="properties are retained"),
        pytest.param(NOTHING, {}, ["UpdateStarted"], id="nothing is scaled"),
        pytest.param(NOTHING, {**SCALED, **ONLY_NUMBERS}, ["UpdateStarted"], id="only numbers"),
        pytest.param(
            NOTHING,
            {**SCALED, **ONLY_NUMBERS, "least_counts": {"a": 3}},
            ["UpdateStarted", "CapacityReset"],
            id="only numbers, below the policy's minimum",
        ),
        pytest.param(NOTHING, {**SCALED, **ONLY_NUMBERS, "least_counts": {"a": 1}}, ["UpdateStarted"], id="not below"),
        pytest.param(ALL, {**SCALED, "least_counts": {"a": 3}}, ["UpdateStarted"], id="below, and retained"),
    ],
)
def test_an_update_that_resets_scaled_variants_warns(
    retains: frozenset[str], changes: dict[str, Any], expected: list[str]
) -> None:
    """D-17b: the default of AWS stays, and is told where it costs capacity."""
    desired = replace(OTHER, retains=retains)
    step = decide(seen(found("InService"), desired=desired, mutation=o.Mutation.UPDATED, **changes))
    assert events_of(step) == expected


def test_parts_of_the_spec_that_go_nowhere_are_told_once() -> None:
    """As often as the spec changes."""
    ignored = ('spec.containers[1]: no model names "b"',)
    assert events_of(decide(seen(aiming(), ignored=ignored, is_observed=False))) == ["FieldsIgnored"]
    assert events_of(decide(seen(aiming(), ignored=ignored))) == []


INVALID = o.Failure(o.During.CREATE, ErrorClass.INVALID, "InvalidField", "spec.models: no", sent=False)


@each_row(
    ("external", "decided"),
    [
        pytest.param(found("InService"), "InService: ready, stuck, InvalidSpec", id="serves on"),
        pytest.param(found("Updating"), "Updating: ready, stuck, InvalidSpec", id="is updated"),
        pytest.param(found("Failed"), "Failed: stuck, InvalidSpec", id="has failed"),
        pytest.param(found("InService", source=o.Source.SUMMARY), "Describe", id="has news"),
        pytest.param(None, "None: stuck, InvalidSpec", id="nothing is known"),
    ],
)
def test_an_invalid_spec_hides_nothing_of_a_live_endpoint(external: o.External, decided: str) -> None:
    """Its status is kept up to date; nothing is changed."""
    step = decide(seen(external, desired=None, invalid=INVALID))
    assert told(step) == decided
    if isinstance(step, s.Finish):
        assert step.outcome is s.Outcome.DONE
        assert step.follow


def test_an_invalid_spec_without_an_endpoint_is_terminal() -> None:
    """Nothing loops."""
    step = decide(seen(None, desired=None, invalid=INVALID, recorded=None, is_recorded_in_status=False))
    assert isinstance(step, s.Finish)
    assert step.outcome is s.Outcome.TERMINAL


def test_parts_that_go_nowhere_are_told_where_the_object_had_to_wait_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown while an object waits for its turn at AWS was decided on nothing."""
    world = HostingWorld()
    describe, turns = world.aws.describe, iter([False, False])

    def busy(*args: Any, **more: Any) -> Any:
        if next(turns, True):
            return describe(*args, **more)
        raise AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded", retry_after_s=WAIT_SHOWN_S)

    monkeypatch.setattr(world.aws, "describe", busy)
    obj = hosting_manifest(endpointName="given")  # a given name is looked up first
    obj["spec"]["models"][0]["containers"][0]["imag"] = "a typo"
    world.apply(obj)
    world.run(0.5)
    assert next(each["reason"] for each in world.status["conditions"] if each["type"] == "Synced") == "Waiting"
    world.until(world.is_at_rest)
    assert world.recorder.events.count(("Warning", "FieldsIgnored")) == 1
