"""The decision table of autoscaling policies (v1-kinds.md 12.5)."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.passes.reconciler import next_step
from controller.reconcile.scaling import decide as scaling
from controller.reconcile.scaling.decide import CheckVariants, Remove, ScalingObservation, ScalingStep
from controller.runtime.errors import ErrorClass
from tests.tables import each_row

decide = partial(next_step, scaling.decide)
"""As the loop takes it."""

A, B = "endpoint/e/variant/a", "endpoint/e/variant/b"
RECORDED = o.Recorded("policy", "us-east-2", "aws")


def seen(**changes: Any) -> ScalingObservation:
    """A policy that is in place on both variants of its spec."""
    base = o.Observed(
        descriptor=HOSTING_AUTOSCALING_POLICY,
        name="policy",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=1,
        now=datetime(2030, 1, 1, tzinfo=UTC),
        recorded=RECORDED,
        is_recorded_in_status=True,
        shown="Created",
    )
    own = {name: value for name, value in changes.items() if name in ScalingObservation.__dataclass_fields__}
    rest = {name: value for name, value in changes.items() if name not in own}
    made = ScalingObservation(
        replace(base, **rest), "policy", RECORDED, wanted=(A, B), recorded_ids=(A, B), is_observed=True
    )
    return replace(made, **own)


def told(step: ScalingStep) -> str:
    """A step in a word or two."""
    match step:
        case CheckVariants(ids) | Remove(ids):
            return f"{type(step).__name__} {' '.join(each[-1] for each in ids)}"
        case s.Finish(status_update=None):
            return "wait" if step.again_s is not None else "nothing"
        case s.Finish(status_update=status_update):
            assert status_update is not None
            return f"{status_update.value}: {status_update.phase.value}, {status_update.reason}"
        case _:
            return type(step).__name__


NEW: dict[str, Any] = {"recorded_ids": (), "shown": "", "is_observed": False}
EDITED: dict[str, Any] = {"is_observed": False}


@each_row(
    ("changes", "decided"),
    [
        pytest.param({**NEW, "has_finalizer": False}, "EnsureFinalizer", id="finalizer first"),
        pytest.param({**NEW, "is_name_persisted": False}, "EnsureFinalizer", id="name first"),
        pytest.param(NEW, "CheckVariants a b", id="whose targets are they?"),
        pytest.param({**NEW, "is_checked": True}, "Reconciling: working, Applying", id="written down first: D-25"),
        pytest.param({**EDITED, "shown": "Reconciling"}, "Apply", id="then applied"),
        pytest.param({**EDITED, "is_applied": True}, "Created: ready, Created", id="in place"),
        pytest.param({}, "nothing", id="equal"),
        pytest.param({"is_check_due": True}, "VerifyPolicies", id="the slow look, at every variant: D-23"),
        pytest.param({"missing": True}, "Apply", id="removed behind our back"),
        pytest.param(EDITED, "Apply", id="changed: put again in place, D-24"),
        pytest.param({**EDITED, "wanted": (A,)}, "Apply", id="one left the list: first apply"),
        pytest.param({**EDITED, "wanted": (A,), "is_applied": True}, "Remove b", id="then remove"),
        pytest.param(
            {**EDITED, "wanted": (A,), "is_applied": True, "removed": frozenset({B})},
            "Created: ready, Created",
            id="then tell",
        ),
        pytest.param({**NEW, "waiting": "x"}, "Reconciling: working, WaitingForEndpoint", id="endpoint not in service"),
        pytest.param({"waiting": "x"}, "nothing", id="in place: an update of the endpoint is no matter"),
        pytest.param({**NEW, "taken": {A: "other"}}, "Error: stuck, AlreadyExists", id="another object's: D-28"),
        pytest.param({**NEW, "policy": "policy", "hold_s": 5.0}, "wait", id="on hold"),
    ],
)
def test_what_is_wanted(changes: dict[str, Any], decided: str) -> None:
    """Written down, applied in place, and only then what left the list is removed."""
    assert told(decide(seen(**changes))) == decided


@each_row(
    ("changes", "decided"),
    [
        pytest.param({}, "Remove a b", id="all that is written down"),
        pytest.param({"wanted": ()}, "Remove a b", id="whatever the spec says now"),
        pytest.param({"recorded_ids": (A,), "legacy_ids": (A, B)}, "Remove a b", id="the predecessor's: its spec, too"),
        pytest.param({"taken": {B: "other"}}, "Remove a", id="not what is another object's"),
        pytest.param({"removed": frozenset({A, B})}, "RemoveFinalizer", id="then let go"),
        pytest.param(NEW, "RemoveFinalizer", id="nothing was applied"),
        pytest.param({"policy": "policy", "has_finalizer": False}, "nothing", id="already let go"),
    ],
)
def test_what_is_being_deleted(changes: dict[str, Any], decided: str) -> None:
    """From the union of what is written down and, for the predecessor's objects, the spec (D-25)."""
    assert told(decide(seen(**{"deleting_for_s": 60.0, **changes}))) == decided


@each_row("error_class", list(ErrorClass))
def test_errors_are_told_by_class(error_class: ErrorClass) -> None:
    """v1-kinds.md 6.7: Reconciling for what passes, Error for what does not; a busy endpoint is waited for."""
    failure = o.Failure(o.During.CREATE, error_class, "Code", "message")
    step = decide(seen(failure=failure))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    lasting = {ErrorClass.DENIED, ErrorClass.QUOTA, ErrorClass.REFUSED, ErrorClass.INVALID}
    assert step.status_update.value == ("Error" if error_class in lasting else "Reconciling")
    if error_class is ErrorClass.CONFLICT:
        assert step.status_update.reason == "WaitingForEndpoint"
        assert step.again_s is not None


@pytest.mark.parametrize(("wanted", "words"), [((A,), "1 variant"), ((A, B), "2 variants")])
def test_what_is_in_place_is_told_with_its_variants(wanted: tuple[str, ...], words: str) -> None:
    """Counted as people count."""
    step = decide(seen(**EDITED, wanted=wanted, recorded_ids=wanted, is_applied=True))
    assert isinstance(step, s.Finish)
    assert [each.message for each in step.events] == [f"policy is in place on {words}"]
