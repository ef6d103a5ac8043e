"""Every cell of what a Model or an EndpointConfig object can meet, with action and status (v1-kinds.md 12.3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.descriptor import KindDescriptor
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.drift.report import Difference
from controller.reconcile.resource.decide import decide
from controller.reconcile.resource.observation import (
    DELETING,
    ForgetName,
    RecordName,
    ResourceObservation,
    ResourceStep,
)
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row
from tests.unit.reconcile.cells import Cell, table, true_conditions

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KINDS = (MODEL, ENDPOINT_CONFIG)

DIMENSIONS = {
    "at AWS": ("never", "created", "gone", "beside", "swapped", "doomed", "foreign"),
    "looked": ("no", "found", "absent"),
    "object": ("wanted", "deleted"),
    "spec": ("same", "changed"),
    "used": ("no", "yes"),
}
"""What bears one of the object's names: nothing was created; one resource; the one that was created is missing; one
under the old name, and a new name written down; the new one, and the old one still there, which is not, or is, written
down as about to be deleted; what others have put in its place, as the status tells. `used`: by a configuration or a
live endpoint. Names hold the object's uid, so nobody else's resource bears one by accident."""


def can_be(cell: Cell) -> bool:
    """What is gone was looked for; two names mean that the spec has changed since the first; unused is what is not."""
    at, looked, spec = cell["at AWS"], cell["looked"], cell["spec"]
    if at == "gone":
        return looked == "absent" and cell["used"] == "no"
    if at == "never":
        return spec == "same" and cell["used"] == "no"
    if at in {"beside", "swapped", "doomed"}:
        return looked == "no" and spec == "changed"
    return looked in {"no", "found"}


TABLE = table(
    """
    at AWS  | looked | object  | spec    | used | action     | status    | true conditions
    --------+--------+---------+---------+------+------------+-----------+----------------
    never   | no     | wanted  | same    | no   | create     | as before | as before
    never   | found  | wanted  | same    | no   | show       | Created   | Ready Synced
    never   | absent | wanted  | same    | no   | create     | as before | as before
    created | *      | wanted  | same    | *    | show       | Created   | Ready Synced
    created | *      | wanted  | changed | *    | record new | as before | as before
    foreign | no     | wanted  | same    | *    | describe   | as before | as before
    foreign | found  | wanted  | same    | *    | show       | Created   | Ready Drifted
    foreign | *      | wanted  | changed | *    | record old | as before | as before
    gone    | absent | wanted  | same    | no   | create     | as before | as before
    gone    | absent | wanted  | changed | no   | record new | as before | as before
    beside  | no     | wanted  | changed | *    | create     | as before | as before
    swapped | no     | wanted  | changed | no   | record old | as before | as before
    swapped | no     | wanted  | changed | yes  | show       | Created   | Ready Synced
    doomed  | no     | wanted  | changed | no   | delete old | as before | as before
    doomed  | no     | wanted  | changed | yes  | show       | Created   | Ready Synced

    never   | *      | deleted | same    | no   | delete old | as before | as before
    created | *      | deleted | *       | no   | delete old | as before | as before
    created | *      | deleted | *       | yes  | wait       | as before | Synced Reconciling
    foreign | *      | deleted | *       | no   | let go     | as before | as before
    foreign | *      | deleted | *       | yes  | wait       | as before | Synced Reconciling
    gone    | absent | deleted | *       | no   | delete old | as before | as before
    beside  | no     | deleted | changed | no   | delete old | as before | as before
    swapped | no     | deleted | changed | no   | delete old | as before | as before
    doomed  | no     | deleted | changed | no   | delete old | as before | as before
    beside  | no     | deleted | changed | yes  | wait       | as before | Synced Reconciling
    swapped | no     | deleted | changed | yes  | wait       | as before | Synced Reconciling
    doomed  | no     | deleted | changed | yes  | wait       | as before | Synced Reconciling
    """,
    DIMENSIONS,
    can_be,
)


def observed(kind: KindDescriptor, cell: Cell) -> ResourceObservation:
    """The situation of a cell: an object whose first resource is `old`, and whose next one would be `new`."""
    at = cell["at AWS"]
    arn = f"arn:aws:sagemaker:us-east-2:123456789012:{kind.singular}/x"
    created = NOW - timedelta(hours=1)
    name = "new" if at in {"swapped", "doomed"} else "old"
    is_created = at != "never"
    external: o.External = {"no": None, "absent": ABSENT}.get(cell["looked"])
    if cell["looked"] == "found":
        external = o.ExternalResource(o.Source.DESCRIPTION, "", arn=arn, created_at=NOW if at == "foreign" else created)
    content = "two" if cell["spec"] == "changed" else "one"
    base = o.Observed(
        descriptor=kind,
        name=name,
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        deleting_for_s=100.0 if cell["object"] == "deleted" else None,
        recorded=o.Recorded(name, "us-east-2", "aws", arn, "123456789012", created) if is_created else None,
        is_recorded_in_status=is_created,
        shown="Created" if is_created else "",
        external=external,
        owner=o.Ownership.FOREIGN if at == "foreign" else o.Ownership.UNKNOWN,
        reasons={"Drifted": "Drifted"} if at == "foreign" else {},
    )
    is_used, is_replaced = cell["used"] == "yes", at in {"beside", "swapped", "doomed"}
    return ResourceObservation(
        base,
        content=content,
        claimed={"old": DELETING if at == "doomed" else "one"} | ({"new": "two"} if is_replaced else {}),
        next_name="new",
        confirmed=frozenset({"old", "new"}),
        users={"old": ("HostingDeployment default/host",)} if is_used else {},
        is_child_in_use=is_used,
        differences=(Difference("enableNetworkIsolation", True, False),) if at == "foreign" else (),
    )


def decided(kind: KindDescriptor, cell: Cell) -> dict[str, str]:
    """What the decision comes to, in the words of the table."""
    step = decide(observed(kind, cell))
    status_update = step.status_update if isinstance(step, s.Finish) else None
    before = next_status(kind, {}, s.StatusUpdate(s.Phase.READY, "Created", value="Created"), Facts(2, NOW))
    return {
        "action": action_of(step),
        "status": "as before" if status_update is None or status_update.value is None else status_update.value,
        "true conditions": true_conditions(kind, before, status_update, NOW),
    }


def action_of(step: ResourceStep) -> str:
    """A step in a word or two."""
    match step:
        case RecordName(name):
            return f"record {name}"
        case ForgetName(name) | s.Delete(name):
            return f"{type(step).__name__.lower()} {name}"
        case s.Finish(status_update=status_update):
            return "show" if status_update is not None and status_update.phase is s.Phase.READY else "wait"
        case _:
            return "let go" if isinstance(step, s.RemoveFinalizer) else type(step).__name__.lower()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_cell_has_the_action_and_the_status_of_its_row(kind: KindDescriptor) -> None:
    """Never deleted while in use, never changed in place: D-21."""
    assert TABLE.differences(lambda cell: decided(kind, cell)) == ""


def test_no_cell_is_undefined_and_no_row_is_idle() -> None:
    """Each combination that can be stands in exactly one row."""
    for cell in TABLE.cells:
        TABLE.expected(cell)
    assert TABLE.idle() == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_everything_that_may_exist_is_deleted_name_by_name_and_then_the_object_goes(kind: KindDescriptor) -> None:
    """In every cell: each pass deletes one name and crosses it out; "not found" is as good as deleted.

    The status records its name to the end, crossed out or not.
    """
    for cell in TABLE.cells:
        if cell["object"] == "wanted" or cell["used"] == "yes":
            continue
        seen, deleted = observed(kind, cell), []
        for _ in range(9):
            match decide(seen):
                case s.Delete(name):
                    deleted.append(name)
                    seen = replace(seen, gone=seen.gone | {name}, is_confirmed_gone=True)
                case ForgetName(name):
                    assert name in seen.claimed, f"{cell}: a write that changes nothing enqueues nothing"
                    left = {each: content for each, content in seen.claimed.items() if each != name}
                    seen = replace(seen, claimed=left, gone=frozenset(), base=replace(seen.base, external=None))
                case step:
                    assert isinstance(step, s.RemoveFinalizer), f"{cell}: {step}"
                    break
        ours = [] if cell["at AWS"] == "foreign" else sorted(observed(kind, cell).claimed)
        assert sorted(set(deleted)) == ours, cell


@each_row("error_class", list(ErrorClass), ids=lambda each: each.value)
@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_no_cell_falls_through_when_a_step_fails(kind: KindDescriptor, error_class: ErrorClass) -> None:
    """Whatever fails in whatever cell, the pass ends, tells why and lets go of nothing."""
    for cell in TABLE.cells:
        for during in (o.During.CREATE, o.During.DESCRIBE, o.During.DELETE):
            seen = observed(kind, cell)
            failure = o.Failure(during, error_class, "SomeCode", "some message")
            step = decide(replace(seen, base=replace(seen.base, failure=failure)))
            assert isinstance(step, s.Finish), f"{cell}, {during}: {step}"
            assert step.status_update is not None
            assert step.status_update.additional


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_annotations_hold_in_every_cell(kind: KindDescriptor) -> None:
    """modern-expectations.md 4: paused leaves alone, retain lets go, and neither asks AWS anything."""
    for cell in TABLE.cells:
        seen = observed(kind, cell)
        paused = decide(replace(seen, base=replace(seen.base, policy=o.Policy(paused=True))))
        assert isinstance(paused, s.Finish), f"{cell}: {paused}"
        assert paused.status_update is not None
        assert paused.status_update.phase is s.Phase.PAUSED
        if cell["object"] == "deleted":
            retained = decide(replace(seen, base=replace(seen.base, policy=o.Policy(retain=True))))
            assert isinstance(retained, s.RemoveFinalizer), f"{cell}: {retained}"
