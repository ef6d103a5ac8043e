"""Every cell of what a HostingAutoscalingPolicy can meet, with its action and its status (v1-kinds.md 12.5)."""

from dataclasses import replace
from datetime import UTC, datetime

from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.scaling.decide import CheckVariants, Remove, ScalingObservation, ScalingStep, decide
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ErrorClass
from tests.tables import each_row
from tests.unit.reconcile.cells import Cell, table, true_conditions

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEPT, LEFT, ADDED = (f"endpoint/e/variant/{name}" for name in ("kept", "left", "added"))

DIMENSIONS = {
    "policies": ("none", "claimed", "in-place", "missing", "half", "foreign", "disputed"),
    "endpoint": ("InService", "busy"),
    "object": ("wanted", "deleted"),
    "spec": ("same", "values", "more", "fewer", "none"),
}
"""Nothing was applied; variants are written down, nothing is applied yet; all is in place; somebody has removed it;
some calls of the last attempt failed; another object has put a policy of this name there; the same, and this object
has written the variant down, too. The spec against what is in place: other values; a variant more; a variant fewer; no
variant at all (nothing of it can be sent)."""


def can_be(cell: Cell) -> bool:
    """Specs differ from what is in place; a policy without variants is sent nowhere, it can only be deleted."""
    policies, spec = cell["policies"], cell["spec"]
    if spec == "none":
        return cell["object"] == "deleted" and policies not in {"none", "foreign", "disputed"}
    return spec == "same" or policies in {"in-place", "half"}


TABLE = table(
    """
    policies | endpoint  | object  | spec        | action      | status      | true conditions
    ---------+-----------+---------+-------------+-------------+-------------+-----------------
    none     | InService | wanted  | same        | check       | as before   | as before
    none     | busy      | wanted  | same        | show        | Reconciling | Reconciling
    claimed  | InService | wanted  | same        | apply       | as before   | as before
    claimed  | busy      | wanted  | same        | show        | Reconciling | Reconciling
    in-place | *         | wanted  | same        | nothing     | as before   | as before
    in-place | InService | wanted  | values fewer| apply       | as before   | as before
    in-place | InService | wanted  | more        | check       | as before   | as before
    in-place | busy      | wanted  | values more | show        | Reconciling | Reconciling
    in-place half | busy | wanted  | fewer       | remove      | as before   | as before
    missing  | InService | wanted  | same        | apply       | as before   | as before
    missing  | busy      | wanted  | same        | show        | Reconciling | Reconciling
    half     | InService | wanted  | same values fewer | apply | as before   | as before
    half     | InService | wanted  | more        | check       | as before   | as before
    half     | busy      | wanted  | same values more | show   | Reconciling | Reconciling
    foreign  | *         | wanted  | same        | show        | Error       | Stalled
    disputed | *         | wanted  | same        | show        | Error       | Stalled

    none     | *         | deleted | same        | let go      | as before   | as before
    foreign  | *         | deleted | same        | let go      | as before   | as before
    claimed in-place missing half disputed | * | deleted | * | remove    | as before   | as before
    """,
    DIMENSIONS,
    can_be,
)


def observed(cell: Cell) -> ScalingObservation:
    """The situation of a cell."""
    policies, spec = cell["policies"], cell["spec"]
    is_applied = policies in {"in-place", "missing", "half", "disputed"}
    wanted = {"more": (KEPT, LEFT, ADDED), "fewer": (KEPT,), "none": ()}.get(spec, (KEPT, LEFT))
    base = o.Observed(
        descriptor=HOSTING_AUTOSCALING_POLICY,
        name="policy",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        deleting_for_s=100.0 if cell["object"] == "deleted" else None,
        recorded=o.Recorded("policy", "us-east-2", "aws") if is_applied else None,
        is_recorded_in_status=is_applied,
        shown={
            "in-place": "Created",
            "missing": "Created",
            "half": "Reconciling",
            "claimed": "Reconciling",
            "disputed": "Created",
        }.get(policies, ""),
    )
    return ScalingObservation(
        base,
        "policy",
        o.Recorded("policy", "us-east-2", "aws"),
        wanted=wanted,
        recorded_ids=(KEPT, LEFT) if is_applied or policies == "claimed" else (),
        waiting="HostingDeployment e is Updating" if cell["endpoint"] == "busy" else "",
        taken={KEPT: "HostingAutoscalingPolicy default/other"} if policies in {"foreign", "disputed"} else {},
        is_observed=spec == "same" and is_applied,
        missing=policies == "missing",
    )


def decided(cell: Cell) -> dict[str, str]:
    """What the decision comes to, in the words of the table."""
    step = decide(observed(cell))
    status_update = step.status_update if isinstance(step, s.Finish) else None
    before = next_status(
        HOSTING_AUTOSCALING_POLICY, {}, s.StatusUpdate(s.Phase.READY, "Created", value="Created"), Facts(2, NOW)
    )
    return {
        "action": action_of(step),
        "status": "as before" if status_update is None or status_update.value is None else status_update.value,
        "true conditions": true_conditions(HOSTING_AUTOSCALING_POLICY, before, status_update, NOW),
    }


def action_of(step: ScalingStep) -> str:
    """A step in a word or two."""
    match step:
        case s.Finish(status_update=status_update):
            return "nothing" if status_update is None else "show"
        case s.RemoveFinalizer():
            return "let go"
        case CheckVariants():
            return "check"
        case _:
            return type(step).__name__.lower()


def test_every_cell_has_the_action_and_the_status_of_its_row() -> None:
    """D-22 to D-28."""
    assert TABLE.differences(decided) == ""


def test_no_cell_is_undefined_and_no_row_is_idle() -> None:
    """Each combination that can be stands in exactly one row."""
    for cell in TABLE.cells:
        TABLE.expected(cell)
    assert TABLE.idle() == []


def test_what_is_removed_is_what_is_written_down_and_nobody_elses() -> None:
    """D-25, D-28: whatever the spec says by now."""
    for cell in TABLE.cells:
        step = decide(observed(cell))
        if cell["object"] == "deleted" and isinstance(step, Remove):
            assert step.ids == ((LEFT,) if cell["policies"] == "disputed" else (KEPT, LEFT)), cell
        if isinstance(step, CheckVariants):
            assert set(step.ids) <= {KEPT, LEFT, ADDED} - set(observed(cell).recorded_ids), cell


@each_row("error_class", list(ErrorClass), ids=lambda each: each.value)
def test_no_cell_falls_through_when_a_step_fails(error_class: ErrorClass) -> None:
    """Whatever fails in whatever cell, the pass ends, tells why and lets go of nothing."""
    for cell in TABLE.cells:
        for during in (o.During.CREATE, o.During.DESCRIBE, o.During.DELETE):
            seen = observed(cell)
            failure = o.Failure(during, error_class, "SomeCode", "some message")
            step = decide(replace(seen, base=replace(seen.base, failure=failure)))
            assert isinstance(step, s.Finish), f"{cell}, {during}: {step}"
            assert step.status_update is not None
            assert step.status_update.message


def test_annotations_hold_in_every_cell() -> None:
    """modern-expectations.md 4: paused leaves alone, retain lets go, and neither asks AWS anything."""
    for cell in TABLE.cells:
        seen = observed(cell)
        paused = decide(replace(seen, base=replace(seen.base, policy=o.Policy(paused=True))))
        assert isinstance(paused, s.Finish), f"{cell}: {paused}"
        assert paused.status_update is not None
        assert paused.status_update.phase is s.Phase.PAUSED
        if cell["object"] == "deleted":
            retained = decide(replace(seen, base=replace(seen.base, policy=o.Policy(retain=True))))
            assert isinstance(retained, s.RemoveFinalizer), f"{cell}: {retained}"


def test_a_policy_that_was_paused_is_put_in_place_again() -> None:
    """What was edited meanwhile counts: a status that was written under the pause tells nothing of it."""
    seen = observed({"policies": "in-place", "endpoint": "InService", "object": "wanted", "spec": "same"})
    resumed = replace(seen, base=replace(seen.base, reasons={"Reconciling": "Paused"}))
    assert type(decide(resumed)).__name__ == "Apply"
