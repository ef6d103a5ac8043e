"""Every cell of what a job object can meet, with the action and the status that belong to it (v1-kinds.md 12.1)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.descriptor import KindDescriptor
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.job.decide import decide
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row
from tests.unit.reconcile.cells import Cell, Table, enum, table, true_conditions
from tests.unit.reconcile.job_observations import changed

NOW = datetime(2030, 1, 1, tzinfo=UTC)
JOBS = (TRAINING_JOB, HYPERPARAMETER_TUNING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
STATES = ("InProgress", "Stopping", "Completed", "Failed", "Stopped", "Deleting", "DeleteFailed", "Novel")
"""What AWS lists for any job kind, and one value that it may add some day."""
GONE = ("-",)

DIMENSIONS = {
    "whose": ("ours", "untagged", "foreign", "gone", "never", "unknown"),
    "asked by": ("list", "describe", "nobody"),
    "state": (*STATES, *GONE),
    "object": ("wanted", "deleted"),
    "spec": ("same", "edited"),
}
"""`untagged`: exists under a name that the user gave, tags not read yet. `gone`: created once, AWS does not know it.
`never`: was not created, AWS does not know it. `unknown`: AWS was not asked. `edited`: an identity field of the spec
is not what was created."""


def can_be(cell: Cell) -> bool:
    """What exists has a state; only what was created can be told from its List line, or differ from its spec."""
    whose, by, state = cell["whose"], cell["asked by"], cell["state"]
    if whose == "unknown":
        return by == "nobody" and state == "-" and cell["spec"] == "same"
    if whose in {"gone", "never"}:
        return by == "describe" and state == "-" and (whose == "gone" or cell["spec"] == "same")
    if state == "-" or by == "nobody":
        return False
    return whose == "ours" or (by == "describe" and cell["spec"] == "same")


TABLE = table(
    """
    whose    | asked by | state                  | object  | spec   | action    | status        | true conditions
    ---------+----------+------------------------+---------+--------+-----------+---------------+---------------------
    unknown  | nobody   | -                      | wanted  | same   | create    | as before     | as before
    unknown  | nobody   | -                      | deleted | same   | describe  | as before     | as before
    never    | describe | -                      | wanted  | same   | create    | as before     | as before
    never    | describe | -                      | deleted | same   | let go    | as before     | as before
    gone     | describe | -                      | wanted  | *      | refuse    | as before     | Stalled
    gone     | describe | -                      | deleted | *      | let go    | as before     | as before
    untagged | describe | *                      | *       | same   | check tags| as before     | as before
    foreign  | describe | *                      | wanted  | same   | look again| the operator's| Stalled
    foreign  | describe | *                      | deleted | same   | let go    | as before     | as before

    ours     | list     | InProgress             | wanted  | same   | show      | AWS's         | Synced Reconciling
    ours     | list     | InProgress             | wanted  | edited | show      | AWS's         | Reconciling
    ours     | list     | InProgress             | deleted | *      | describe  | as before     | as before
    ours     | list     | Stopping Deleting Novel| *       | same   | show      | AWS's         | Synced Reconciling
    ours     | list     | Stopping Deleting Novel| *       | edited | show      | AWS's         | Reconciling
    ours     | list     | Completed Failed Stopped DeleteFailed | wanted | * | describe | as before | as before
    ours     | list     | Completed Failed Stopped DeleteFailed | deleted | * | let go | as before  | as before

    ours     | describe | InProgress             | wanted  | same   | show      | AWS's         | Synced Reconciling
    ours     | describe | InProgress             | wanted  | edited | show      | AWS's         | Reconciling
    ours     | describe | InProgress             | deleted | *      | stop      | as before     | as before
    ours     | describe | Stopping Deleting Novel| *       | same   | show      | AWS's         | Synced Reconciling
    ours     | describe | Stopping Deleting Novel| *       | edited | show      | AWS's         | Reconciling
    ours     | describe | Completed              | wanted  | same   | show      | AWS's         | Ready Synced Complete
    ours     | describe | Completed              | wanted  | edited | show      | AWS's         | Ready Complete
    ours     | describe | Failed Stopped DeleteFailed | wanted | same | show    | AWS's         | Synced Stalled Failed
    ours     | describe | Failed Stopped DeleteFailed | wanted | edited | show  | AWS's         | Stalled Failed
    ours     | describe | Completed Failed Stopped DeleteFailed | deleted | * | let go | as before | as before
    """,
    DIMENSIONS,
    can_be,
)

RUNNING = s.StatusUpdate(s.Phase.WORKING, "InProgress", value="InProgress")


def of_kind(kind: KindDescriptor) -> Table:
    """The table without the states that the kind does not have."""
    known = {*enum(kind.service, kind.status.member), "Novel", "-"}
    return replace(TABLE, cells=tuple(cell for cell in TABLE.cells if cell["state"] in known))


def observed(kind: KindDescriptor, cell: Cell) -> JobObservation:
    """The situation of a cell: a prepared object, whose status tells of a running job if it has created one."""
    whose, state = cell["whose"], cell["state"]
    is_created = whose in {"ours", "gone"}
    arn = f"arn:aws:sagemaker:us-east-2:123456789012:{kind.singular}/job"
    created = NOW - timedelta(hours=1)
    external: o.External = None
    if whose in {"gone", "never"}:
        external = ABSENT
    elif whose != "unknown":
        source = o.Source.SUMMARY if cell["asked by"] == "list" else o.Source.DESCRIPTION
        external = o.ExternalResource(source, state, arn=arn, created_at=created)
    base = o.Observed(
        descriptor=kind,
        name="job",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        deleting_for_s=100.0 if cell["object"] == "deleted" else None,
        recorded=o.Recorded("job", "us-east-2", "aws", arn, "123456789012", created) if is_created else None,
        is_recorded_in_status=is_created,
        shown="InProgress" if is_created else "",
        edited=("spec.region",) if cell["spec"] == "edited" else (),
        external=external,
        owner={"foreign": o.Ownership.FOREIGN, "ours": o.Ownership.OURS}.get(whose, o.Ownership.UNKNOWN),
    )
    return JobObservation(base)


ACTIONS = {
    s.EnsureFinalizer: "prepare",
    s.Create: "create",
    s.Describe: "describe",
    s.VerifyOwner: "check tags",
    s.Stop: "stop",
    s.RemoveFinalizer: "let go",
}

ENDS = {s.Outcome.TERMINAL: "refuse", s.Outcome.RETRY_SLOWLY: "look again"}


def decided(kind: KindDescriptor, cell: Cell) -> dict[str, str]:
    """What the decision comes to, in the words of the table."""
    seen = observed(kind, cell)
    step = decide(seen)
    status_update = step.status_update if isinstance(step, s.Finish) else None
    action = ACTIONS.get(type(step), "")
    if isinstance(step, s.Finish):
        action = ENDS.get(step.outcome) or ("show" if status_update else "wait")
    value = "as before"
    if status_update is not None and status_update.value is not None:
        operators = {kind.status.refused or kind.status.reconciling: "the operator's"}
        value = (
            "AWS's" if status_update.value == cell["state"] else operators.get(status_update.value, status_update.value)
        )
    before = next_status(kind, {}, RUNNING, Facts(2, NOW))
    return {
        "action": action,
        "status": value,
        "true conditions": true_conditions(kind, before, status_update, NOW),
    }


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_every_cell_has_the_action_and_the_status_of_its_row(kind: KindDescriptor) -> None:
    """Rows 1 to 14; the same table for all job kinds."""
    assert of_kind(kind).differences(lambda cell: decided(kind, cell)) == ""


def test_no_cell_is_undefined_and_no_row_is_idle() -> None:
    """Each combination that can be stands in exactly one row."""
    for cell in TABLE.cells:
        TABLE.expected(cell)
    assert TABLE.idle() == []


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_every_state_that_aws_lists_is_in_the_table(kind: KindDescriptor) -> None:
    """A state that AWS adds to its model needs a decision of ours, not the one for the unknown."""
    assert enum(kind.service, kind.status.member) <= set(STATES)


@each_row("error_class", list(ErrorClass), ids=lambda each: each.value)
@each_row("kind", JOBS, ids=lambda kind: kind.kind)
def test_no_cell_falls_through_when_a_step_fails(kind: KindDescriptor, error_class: ErrorClass) -> None:
    """Rows 15 to 17: whatever fails in whatever cell, the pass ends, nothing is asked again and no object is let go."""
    for cell in of_kind(kind).cells:
        for during in o.During:
            failure = o.Failure(during, error_class, "SomeCode", "some message")
            step = decide(changed(observed(kind, cell), failure=failure))
            assert isinstance(step, s.Finish), f"{cell}, {during}: {step}"
            assert step.status_update is not None
            assert step.status_update.additional


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_what_is_paused_is_left_alone_in_every_cell(kind: KindDescriptor) -> None:
    """modern-expectations.md 4: no AWS calls, no status but the condition; a deletion waits."""
    for cell in of_kind(kind).cells:
        step = decide(changed(observed(kind, cell), policy=o.Policy(paused=True)))
        assert isinstance(step, s.Finish), f"{cell}: {step}"
        assert step.status_update is not None
        assert step.status_update.phase is s.Phase.PAUSED


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_retain_lets_go_in_every_cell_and_touches_nothing(kind: KindDescriptor) -> None:
    """modern-expectations.md 4: whatever the state, whoever owns it."""
    for cell in of_kind(kind).cells:
        if cell["object"] == "deleted":
            step = decide(changed(observed(kind, cell), policy=o.Policy(retain=True)))
            assert isinstance(step, s.RemoveFinalizer), f"{cell}: {step}"
