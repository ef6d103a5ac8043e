"""Every cell of what an InferenceComponent can meet, with its action and its status."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.v1 import INFERENCE_COMPONENT
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.component.decide import decide
from controller.reconcile.component.observation import ComponentObservation, ComponentStep, EndpointSeen
from controller.reconcile.mutable.compared.attempt import Attempt, parse, text_of
from controller.reconcile.mutable.compared.desired import Desired
from controller.reconcile.mutable.compared.observation import Update
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row
from tests.unit.reconcile.cells import Cell, table, true_conditions

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD, NEW = Desired({"Specification": {"ModelName": "old"}}, 1), Desired({"Specification": {"ModelName": "new"}}, 1)
MORE = Desired(OLD.content, 3)

DIMENSIONS = {
    "component": ("unknown", "none", "Creating", "InService", "Updating", "Failed", "Deleting", "foreign"),
    "endpoint": ("unknown", "InService", "busy", "missing", "other"),
    "spec": ("served", "edited", "copies", "asked", "drifted"),
    "object": ("wanted", "deleted"),
}
"""What Describe shows (unknown: not asked yet). What it shows of the endpoint (other: without the variant). The spec is
what AWS was seen to have; another specification; another number of copies; what was asked for last, of unknown outcome;
what AWS had, and others have changed."""


def can_be(cell: Cell) -> bool:
    """The endpoint is looked at for a creation only; a spec differs from what is in service."""
    is_made = cell["component"] in {"unknown", "none"}
    if cell["endpoint"] != "unknown" and not (cell["component"] == "none" and cell["object"] == "wanted"):
        return False
    return cell["spec"] == "served" or not is_made


TABLE = table(
    """
    component | endpoint  | spec    | object  | action      | status      | true conditions
    ----------+-----------+---------+---------+-------------+-------------+-----------------
    unknown   | *         | *       | wanted  | nothing     | as before   | as before
    unknown   | *         | *       | deleted | describe    | as before   | as before
    none      | unknown   | *       | wanted  | look        | as before   | as before
    none      | InService | *       | wanted  | create      | as before   | as before
    none      | busy missing other | * | wanted | show      | Reconciling | Reconciling
    Creating  | *         | served asked drifted | wanted | show | Creating | Synced Reconciling
    Creating  | *         | edited copies | wanted | show  | Creating    | Reconciling
    Updating  | *         | served asked drifted | wanted | show | Updating | Ready Synced Reconciling
    Updating  | *         | edited copies | wanted | show  | Updating    | Ready Reconciling
    Deleting  | *         | served asked drifted | wanted | show | Deleting | Synced Reconciling
    Deleting  | *         | edited copies | wanted | show  | Deleting    | Reconciling
    Failed    | *         | served asked drifted | wanted | show | Failed | Synced Stalled
    Failed    | *         | edited copies | wanted | show  | Failed      | Stalled
    InService | *         | served  | wanted  | show        | InService   | Ready Synced
    InService | *         | edited  | wanted  | update      | as before   | as before
    InService | *         | copies  | wanted  | copies      | as before   | as before
    InService | *         | asked   | wanted  | record      | as before   | as before
    InService | *         | drifted | wanted  | show        | InService   | Ready Drifted
    foreign   | *         | *       | wanted  | show        | Reconciling | Stalled

    none      | *         | *       | deleted | let go      | as before   | as before
    Creating Updating InService Failed | * | * | deleted | delete | as before | as before
    Deleting  | *         | *       | deleted | show        | Deleting    | Synced Reconciling
    foreign   | *         | *       | deleted | let go      | as before   | as before
    """,
    DIMENSIONS,
    can_be,
)


def observed(cell: Cell) -> ComponentObservation:
    """The situation of a cell."""
    component, spec = cell["component"], cell["spec"]
    value = "InService" if component == "foreign" else component
    external: o.External = None if component == "unknown" else ABSENT
    modified = "2029-12-31T12:00:00Z"
    if component not in {"unknown", "none"}:
        external = o.ExternalResource(
            o.Source.DESCRIPTION,
            value,
            arn="arn:aws:s:r:a:c/llm",
            created_at=NOW,
            fields={"lastModifiedTime": modified},
        )
    recorded = o.Recorded("llm", "us-east-2", "aws", created_at=NOW, creation_time=NOW, owner_uid="u")
    base = o.Observed(
        descriptor=INFERENCE_COMPONENT,
        name="llm",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        uid="u",
        deleting_for_s=100.0 if cell["object"] == "deleted" else None,
        recorded=replace(recorded, creation_time=NOW.replace(year=2029)) if component == "foreign" else recorded,
        is_recorded_in_status=True,
        shown="InService",
        owner=o.Ownership.FOREIGN if component == "foreign" else o.Ownership.OURS,
        external=external,
    )
    endpoints = {
        "InService": EndpointSeen("e", "InService", ("a",)),
        "busy": EndpointSeen("e", "Updating", ("a",)),
        "other": EndpointSeen("e", "InService", ("b",)),
        "missing": ABSENT,
    }
    wanted = {"edited": NEW, "copies": MORE, "asked": NEW}.get(spec, OLD)
    last = NEW if spec == "asked" else OLD
    return ComponentObservation(
        base,
        desired=None if cell["object"] == "deleted" else wanted,
        variant="a",
        attempt=Attempt(last.id, last.count, since="2029-12-31T11:00:00Z", is_served=spec != "asked"),
        shown={"asked": NEW, "drifted": NEW}.get(spec, OLD),
        endpoint=endpoints.get(cell["endpoint"]),
        has_target=False,
        is_observed=spec == "served",
        was_visible=True,
    )


def decided(cell: Cell) -> dict[str, str]:
    """What the decision comes to, in the words of the table."""
    step = decide(observed(cell))
    status_update = step.status_update if isinstance(step, s.Finish) else None
    before = next_status(
        INFERENCE_COMPONENT, {}, s.StatusUpdate(s.Phase.READY, "InService", value="InService"), Facts(2, NOW)
    )
    value = "as before" if status_update is None or status_update.value is None else status_update.value
    return {
        "action": action_of(step),
        "status": value.removesuffix("InferenceComponent"),
        "true conditions": true_conditions(INFERENCE_COMPONENT, before, status_update, NOW),
    }


def action_of(step: ComponentStep) -> str:
    """A step in a word or two."""
    match step:
        case s.Finish(status_update=status_update):
            return "nothing" if status_update is None else "show"
        case s.RemoveFinalizer():
            return "let go"
        case Update(only_count=True):
            return "copies"
        case _:
            return {"LookAtEndpoint": "look", "RecordServed": "record"}.get(
                type(step).__name__, type(step).__name__.lower()
            )


def test_every_cell_has_the_action_and_the_status_of_its_row() -> None:
    """A component that AWS has, in every state, and what becomes of an edit and of a deletion there."""
    assert TABLE.differences(decided) == ""


def test_no_cell_is_undefined_and_no_row_is_idle() -> None:
    """Each combination that can be stands in exactly one row."""
    for cell in TABLE.cells:
        TABLE.expected(cell)
    assert TABLE.idle() == []


@each_row("error_class", list(ErrorClass), ids=lambda each: each.value)
def test_no_cell_falls_through_when_a_step_fails(error_class: ErrorClass) -> None:
    """Whatever fails in whatever cell, the pass ends, shows why and lets go of nothing that was sent."""
    for cell in TABLE.cells:
        for during in (o.During.CREATE, o.During.DESCRIBE, o.During.UPDATE, o.During.DELETE):
            seen = observed(cell)
            failure = o.Failure(during, error_class, "SomeCode", "some message")
            step = decide(replace(seen, base=replace(seen.base, failure=failure)))
            assert isinstance(step, s.Finish), f"{cell}, {during}: {step}"
            assert step.status_update is not None
            assert step.status_update.message


def test_annotations_hold_in_every_cell() -> None:
    """Paused leaves alone, retain lets go, and neither calls AWS; read-only changes nothing there."""
    changes = (s.ChangeStep, s.Create)
    for cell in TABLE.cells:
        seen = observed(cell)
        paused = decide(replace(seen, base=replace(seen.base, policy=o.Policy(paused=True))))
        assert isinstance(paused, s.Finish), f"{cell}: {paused}"
        read_only = decide(replace(seen, base=replace(seen.base, policy=o.Policy(read_only=True, retain=True))))
        assert not isinstance(read_only, changes), f"{cell}: {read_only}"
        if cell["object"] == "deleted":
            retained = decide(replace(seen, base=replace(seen.base, policy=o.Policy(retain=True))))
            assert isinstance(retained, s.RemoveFinalizer), f"{cell}: {retained}"


CELL = {"component": "InService", "endpoint": "unknown", "spec": "asked", "object": "wanted"}


@each_row(
    ("modified", "age_s", "failure", "number", "expected"),
    [
        pytest.param("11:00:00", 1.0, "", 1, "nothing", id="an answer of before, and it may still take effect"),
        pytest.param("11:00:00", 60.0, "", 1, "update", id="it never took effect"),
        pytest.param("12:00:00", 60.0, "no capacity", 1, "show", id="rolled back"),
        pytest.param("12:00:00", 60.0, "", 1, "update", id="others were faster"),
        pytest.param("12:00:00", 60.0, "", 2, "show", id="and again"),
    ],
)
def test_what_becomes_of_a_request_whose_answer_may_be_lost(
    modified: str, age_s: float, failure: str, number: int, expected: str
) -> None:
    """AWS shows another specification than was asked for: by its time, its reason, and how often that was so."""
    seen = observed(CELL)
    external = seen.base.external
    assert isinstance(external, o.ExternalResource)
    external = replace(external, failure_reason=failure, fields={"lastModifiedTime": f"2029-12-31T{modified}Z"})
    at = datetime.fromtimestamp(NOW.timestamp() - age_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attempt = replace(seen.attempt, at=at, number=number)
    step = decide(replace(seen, shown=OLD, attempt=attempt, base=replace(seen.base, external=external)))
    assert action_of(step) == expected


def test_a_record_is_read_as_it_was_written_and_no_other_objects_counts() -> None:
    """A copy of an object has another uid; what cannot be read counts as nothing."""
    attempt = Attempt("abc", 0, "now", "2029-12-31T11:00:00Z", "2029-12-31T12:00:00Z", 2, is_served=True)
    assert parse(text_of(attempt, "u"), "u") == attempt
    assert parse(text_of(attempt, "u"), "v") == parse("[]", "u") == parse("{", "u") == Attempt()
