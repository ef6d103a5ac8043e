"""The decision table of models and endpoint configurations (v1-kinds.md 12.3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.drift.report import LOOK_S, Difference
from controller.reconcile.passes.reconciler import next_step
from controller.reconcile.resource import decide as resource
from controller.reconcile.resource.observation import (
    DELETING,
    FOREIGN,
    LEGACY_CONTENT,
    RecordName,
    ResourceObservation,
    ResourceStep,
)
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row

decide = partial(next_step, resource.decide)
"""As the loop takes it."""

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:model/m"
OLD = o.Recorded("m", "us-east-2", "aws", ARN, "123456789012", NOW - timedelta(hours=1))
FOUND = o.ExternalResource(o.Source.DESCRIPTION, "", arn=ARN, created_at=NOW)


def seen(**changes: Any) -> ResourceObservation:
    """A model that exists as its spec wants it, told in its status."""
    base = o.Observed(
        descriptor=MODEL,
        name="m",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=1,
        now=NOW,
        recorded=OLD,
        is_recorded_in_status=True,
        shown="Created",
        owner=o.Ownership.OURS,  # where the creation time leaves it open
    )
    own = {name: value for name, value in changes.items() if name in ResourceObservation.__dataclass_fields__}
    rest = {name: value for name, value in changes.items() if name not in own}
    made = ResourceObservation(replace(base, **rest), content="one", claimed={"m": "one"}, next_name="m-two")
    made = replace(made, confirmed=frozenset({"m", "m-two"}))
    return replace(made, **own)


NEW: dict[str, Any] = {"recorded": None, "is_recorded_in_status": False, "shown": ""}
CHANGED: dict[str, Any] = {"content": "two", "claimed": {"m": "one", "m-two": "two"}}
DELETED: Final = {"m": DELETING, "m-two": "two"}
SWITCHED: dict[str, Any] = {**CHANGED, "recorded": replace(OLD, name="m-two")}


def told(step: ResourceStep) -> str:
    """A step in a word or two."""
    match step:
        case RecordName(name, content):
            return f"record {name} {content}"
        case s.Delete(name):
            return f"delete {name}"
        case s.Finish(status_update=None):
            return "wait" if step.again_s is not None else "nothing"
        case s.Finish(status_update=status_update):
            assert status_update is not None
            return f"{status_update.value}: {status_update.phase.value}, {status_update.reason}"
        case _:
            return type(step).__name__


@each_row(
    ("changes", "decided"),
    [
        pytest.param({**NEW, "claimed": {}, "next_name": "m"}, "record m one", id="new: written down first"),
        pytest.param({**NEW, "has_finalizer": False}, "record m one", id="never without a finalizer"),
        pytest.param(NEW, "Create", id="not there: create"),
        pytest.param({**NEW, "name_is_taken": True}, "Describe", id="taken: an earlier attempt of ours"),
        pytest.param({**NEW, "name_is_taken": True, "external": FOUND}, "Created: ready, Created", id="and found"),
        pytest.param({**NEW, "name_is_taken": True, "external": ABSENT}, "wait", id="and not visible yet"),
        pytest.param({}, "Created: ready, Created", id="there and equal"),
        pytest.param({"is_describe_due": True}, "Describe", id="the slow look"),
        pytest.param({"external": ABSENT}, "Create", id="deleted behind our back"),
        pytest.param({"external": ABSENT, "name_is_taken": True}, "wait", id="and taken: not sixty times a pass"),
        pytest.param(
            {"external": ABSENT, "name_is_taken": True, "setbacks": 3},
            "None: troubled, NameUnavailable",
            id="and taken for a while",
        ),
        pytest.param({"content": "two"}, "record m-two two", id="changed: another name"),
        pytest.param(CHANGED, "Create", id="changed: beside the old one"),
        pytest.param(SWITCHED, "record m deleted", id="the old one is condemned when nobody uses it"),
        pytest.param({**SWITCHED, "claimed": DELETED}, "delete m", id="and goes"),
        pytest.param(
            {**SWITCHED, "claimed": DELETED, "content": "one", "next_name": "m-three"},
            "record m-three one",
            id="its name never stands for anything again",
        ),
        pytest.param({**SWITCHED, "users": {"m": ("X",)}}, "Created: ready, Created", id="kept while it is used"),
        pytest.param({**SWITCHED, "gone": frozenset({"m"})}, "ForgetName", id="and is crossed out"),
        pytest.param({**SWITCHED, "is_recorded_in_status": False}, "Created: ready, Created", id="not before all know"),
        pytest.param({**CHANGED, "content": "one"}, "record m-two deleted", id="taken back: the first one serves on"),
        pytest.param({**NEW, "is_legacy": True, "claimed": {}}, "Describe", id="the predecessor's: look"),
        pytest.param(
            {**NEW, "is_legacy": True, "claimed": {}, "external": FOUND, "legacy_matches": True},
            "record m one",
            id="the predecessor's, equal",
        ),
        pytest.param(
            {**NEW, "is_legacy": True, "claimed": {}, "external": FOUND, "legacy_matches": False},
            f"record m {LEGACY_CONTENT}",
            id="the predecessor's, different: replaced beside",
        ),
    ],
)
def test_what_is_wanted(changes: dict[str, Any], decided: str) -> None:
    """Created; replaced beside, never in place; nothing in use is deleted (D-21)."""
    assert told(decide(seen(**changes))) == decided


@each_row(
    ("changes", "decided"),
    [
        pytest.param({}, "delete m", id="exists"),
        pytest.param({"gone": frozenset({"m"})}, "RemoveFinalizer", id="deleted"),
        pytest.param({**CHANGED, "gone": frozenset({"m"})}, "ForgetName", id="one of two: crossed out first"),
        pytest.param({**NEW, "claimed": {}}, "RemoveFinalizer", id="nothing was ever claimed"),
        pytest.param({**NEW, "gone": frozenset({"m"})}, "RemoveFinalizer", id="claimed, never created, long ago"),
        pytest.param({**NEW, "gone": frozenset({"m"}), "deleting_for_s": 2.0}, "wait", id="a Create may still come"),
        pytest.param(
            {**NEW, "gone": frozenset({"m"}), "deleting_for_s": 2.0, "is_confirmed_gone": True},
            "RemoveFinalizer",
            id="it came, and was deleted",
        ),
        pytest.param({**NEW, "is_legacy": True, "claimed": {}}, "delete m", id="the predecessor's"),
        pytest.param({"is_child_in_use": True}, "None: working, InUse", id="a child that its deployment uses"),
        pytest.param({"policy": o.Policy(retain=True)}, "RemoveFinalizer", id="retain"),
        pytest.param({"policy": o.Policy(paused=True)}, "None: paused, Paused", id="paused"),
        pytest.param({"hold_s": 9.0}, "wait", id="on hold"),
        pytest.param({"has_finalizer": False}, "nothing", id="already let go"),
    ],
)
def test_what_is_being_deleted(changes: dict[str, Any], decided: str) -> None:
    """Everything that may exist is deleted; then the finalizer goes."""
    assert told(decide(seen(**{"deleting_for_s": 60.0, **changes}))) == decided


@each_row("error_class", list(ErrorClass))
@each_row("deleting_for_s", [None, 60.0])
@each_row("created", [True, False])
def test_errors_keep_what_is_known(error_class: ErrorClass, deleting_for_s: float | None, created: bool) -> None:
    """D-36: what was created stays Created; what was not shows Error; nothing is let go of."""
    failure = o.Failure(o.During.CREATE, error_class, "Code", "message")
    changes = {} if created else NEW
    step = decide(seen(**{**changes, "failure": failure, "deleting_for_s": deleting_for_s}))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.value == (None if created else "Error")


def test_the_arn_is_shown_in_the_kinds_own_field() -> None:
    """`modelArn`, `endpointConfigArn`."""
    step = decide(seen())
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.fields == {"modelArn": ARN}
    made = seen()
    step = decide(replace(made, base=replace(made.base, descriptor=ENDPOINT_CONFIG)))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.fields == {"endpointConfigArn": ARN}


OTHER = o.ExternalResource(o.Source.DESCRIPTION, "", arn=ARN, created_at=NOW)
DIFFERS = (Difference("primaryContainer.image", "a", "b"),)
REPLACED: dict[str, Any] = {"external": OTHER, "differences": DIFFERS}
TOLD: dict[str, Any] = {"reasons": {"Drifted": "Drifted"}}
CORRECTS: dict[str, Any] = {"policy": o.Policy(corrects=True)}


@each_row(
    ("changes", "decided"),
    [
        pytest.param(REPLACED, "Created: ready, Drifted", id="replaced: told"),
        pytest.param({**REPLACED, "differences": ()}, "Created: ready, Created", id="later, but what was asked for"),
        pytest.param(
            {**REPLACED, "external": replace(OTHER, created_at=OLD.created_at)},
            "Created: ready, Created",
            id="spelt otherwise by AWS: ours",
        ),
        pytest.param(
            {**REPLACED, "recorded": replace(OLD, created_at=NOW - timedelta(minutes=4))},
            "Created: ready, Created",
            id="clocks differ: ours",
        ),
        pytest.param({**REPLACED, "recorded": replace(OLD, created_at=None)}, "Created: ready, Created", id="unknown"),
        pytest.param(TOLD, "Describe", id="looked at again while it is told"),
        pytest.param({**REPLACED, **TOLD}, "Created: ready, Drifted", id="never corrected without being asked"),
        pytest.param({**REPLACED, **CORRECTS}, "Created: ready, working, Drifted", id="told before it is corrected"),
        pytest.param({**REPLACED, **CORRECTS, **TOLD}, f"record m {FOREIGN}", id="given up"),
        pytest.param(
            {**REPLACED, **CORRECTS, **TOLD, "correction_in_s": 30.0},
            "Created: ready, working, Drifted",
            id="not in a loop: two owners",
        ),
        pytest.param({**TOLD, "claimed": {"m": FOREIGN}}, "record m-two one", id="and another one beside"),
        pytest.param({**TOLD, "claimed": {"m": FOREIGN, "m-two": "one"}}, "Create", id="is created"),
        pytest.param(
            {"claimed": {"m": FOREIGN, "m-two": "one"}, "recorded": replace(OLD, name="m-two")},
            "Created: ready, Created",
            id="the foreign one is left alone",
        ),
        pytest.param({**TOLD, "content": "two"}, f"record m {FOREIGN}", id="edited: what was ours is not deleted"),
        pytest.param({**TOLD, "external": FOUND}, "Created: ready, Created", id="gone again"),
        pytest.param({**TOLD, "external": ABSENT}, "Create", id="the foreign one is deleted: made again"),
    ],
)
def test_what_others_have_put_in_its_place(changes: dict[str, Any], decided: str) -> None:
    """modern-expectations.md 2 and 4: told first; `correct` makes another one beside it (D-21)."""
    assert told(decide(seen(**changes))) == decided


def test_drift_is_told_with_what_differs_and_looked_at_again() -> None:
    """One Warning, the condition, and the slow pace of what only a Describe shows."""
    first, again = (decide(seen(**REPLACED, **shown)) for shown in ({}, TOLD))
    assert isinstance(first, s.Finish)
    assert isinstance(again, s.Finish)
    assert first.status_update is not None
    assert first.status_update.drift is s.Drift.FOUND
    assert first.status_update.synced == "Drifted"
    assert first.status_update.additional == (
        "m was deleted and created again by others, changed by others: primaryContainer.image is b, and a was applied"
    )
    assert [event.reason for event in first.events] == ["Drifted"]
    assert again.events == ()
    assert first.again_s == again.again_s == LOOK_S


@pytest.mark.parametrize(
    ("changes", "events"),
    [
        pytest.param(TOLD, ["Created", "DriftCorrected"], id="made beside a foreign one"),
        pytest.param({}, ["Created"], id="new"),
        pytest.param({"was_gone": True}, ["Created"], id="deleted by others"),
    ],
)
def test_what_is_made_again_says_why(changes: dict[str, Any], events: list[str]) -> None:
    """v1-kinds.md 12.3 row 1: told by an event."""
    made = {"mutation": o.Mutation.CREATED, "is_recorded_in_status": False, "shown": ""}
    step = decide(seen(**made, **changes))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.drift is s.Drift.NONE
    assert [event.reason for event in step.events] == events
    assert ("it had been deleted at AWS" in step.events[0].message) == ("was_gone" in changes)


def test_a_foreign_resource_outlives_the_object() -> None:
    """What is known to be somebody else's is not deleted, and that is told."""
    step = decide(seen(**TOLD, deleting_for_s=60.0))
    assert isinstance(step, s.RemoveFinalizer)
    assert [event.reason for event in step.events] == ["Retained"]
    assert told(decide(seen(claimed={"m": FOREIGN, "m-two": "one"}, deleting_for_s=60.0))) == "delete m-two"
