"""Every cell of what a HostingDeployment can meet, with its action and its status (v1-kinds.md 12.4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile import observation as o
from controller.reconcile import reasons
from controller.reconcile import steps as s
from controller.reconcile.endpoint.decide import decide
from controller.reconcile.endpoint.desired import Child, Desired, Want, numbers_of, shape_of
from controller.reconcile.endpoint.observation import (
    CheckChild,
    EndpointObservation,
    EndpointStep,
    LastUpdate,
    MakeChild,
    Update,
)
from controller.reconcile.mutable.observation import RecordServed
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_row
from tests.unit.reconcile.cells import Cell, enum, table, true_conditions

NOW = datetime(2030, 1, 1, tzinfo=UTC)
STATES = (
    *("InService", "Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"),
    *("Failed", "OutOfService", "UpdateRollbackFailed", "Novel"),
)
"""What AWS lists for endpoints, and one value that it may add some day."""

DIMENSIONS = {
    "whose": ("ours", "untagged", "foreign", "gone", "never", "unknown"),
    "state": (*STATES, "-"),
    "object": ("wanted", "deleted"),
    "spec": ("same", "unmade", "made", "numbers", "failed", "undone"),
}
"""`untagged`: exists under a name that the user gave, tags not read yet. `gone`: created once, AWS does not know it.
`never`: not created, AWS does not know it. `unknown`: AWS was not asked. The spec against the endpoint: the same;
another, whose children are to be made, or are there; only weights or counts differ; the same as an update that failed;
again what is served, after an update to something else failed."""


def can_be(cell: Cell) -> bool:
    """What exists has a state; specs differ from, and updates are made of, what is there."""
    whose, state, spec = cell["whose"], cell["state"], cell["spec"]
    if whose in {"gone", "never", "unknown"}:
        return state == "-" and spec in {"same", "unmade"}
    if state == "-":
        return False
    return whose == "ours" or spec in {"same", "unmade"}


GROUPS = {
    "pending": "unmade made numbers undone",
    "serving": "Updating SystemUpdating RollingBack",
    "idle": "OutOfService UpdateRollbackFailed Novel",
}
"""Values that stand in the same rows: specs that SageMaker was not asked for yet; changing, and serving meanwhile;
neither changing nor serving what is wanted."""

TABLE = table(
    """
    whose    | state       | object  | spec        | action     | status              | true conditions
    ---------+-------------+---------+-------------+------------+---------------------+-------------------------
    unknown  | -           | *       | *           | describe   | as before           | as before
    untagged | *           | *       | *           | check tags | as before           | as before
    never    | -           | wanted  | same        | create     | as before           | as before
    never    | -           | wanted  | unmade      | make child | as before           | as before
    gone     | -           | wanted  | same        | create     | as before           | as before
    gone     | -           | wanted  | unmade      | make child | as before           | as before
    never    | -           | deleted | *           | tear down  | Deleting            | Synced Reconciling
    gone     | -           | deleted | *           | tear down  | Deleting            | Synced Reconciling
    foreign  | *           | wanted  | *           | look again | ReconcilingEndpoint | Stalled
    foreign  | *           | deleted | *           | tear down  | Deleting            | Synced Reconciling

    ours     | InService   | wanted  | same        | show       | AWS's               | Ready Synced
    ours     | InService   | wanted  | undone      | record     | as before           | as before
    ours     | InService   | wanted  | unmade      | make child | as before           | as before
    ours     | InService   | wanted  | made        | update     | as before           | as before
    ours     | InService   | wanted  | numbers     | show       | ReconcilingEndpoint | Ready Reconciling
    ours     | InService   | wanted  | failed      | show       | AWS's               | Ready Stalled

    ours     | Creating    | wanted  | same failed | show       | AWS's               | Synced Reconciling
    ours     | Creating    | wanted  | {pending}   | show       | AWS's               | Reconciling
    ours     | {serving}   | wanted  | same failed | show       | AWS's               | Ready Synced Reconciling
    ours     | {serving}   | wanted  | {pending}   | show       | AWS's               | Ready Reconciling
    ours     | {idle}      | wanted  | same failed | show       | AWS's               | Synced Reconciling
    ours     | {idle}      | wanted  | {pending}   | show       | AWS's               | Reconciling
    ours     | Deleting    | wanted  | same failed | show       | AWS's               | Synced Reconciling
    ours     | Deleting    | wanted  | {pending}   | show       | AWS's               | Reconciling
    ours     | Failed      | wanted  | same failed | show       | AWS's               | Synced Stalled
    ours     | Failed      | wanted  | {pending}   | show       | AWS's               | Stalled

    ours     | InService   | deleted | *           | delete     | as before           | as before
    ours     | Failed      | deleted | *           | delete     | as before           | as before
    ours     | {idle}      | deleted | *           | delete     | as before           | as before
    ours     | Creating    | deleted | *           | show       | Deleting            | Synced Reconciling
    ours     | {serving}   | deleted | *           | show       | Deleting            | Synced Reconciling
    ours     | Deleting    | deleted | *           | show       | Deleting            | Synced Reconciling
    """.format(**GROUPS),
    DIMENSIONS,
    can_be,
)


# --- a family: the endpoint runs with c1, which uses m1; another spec wants c2, which uses m2


def content(model: str, count: int = 1) -> dict[str, Any]:
    """Of a configuration with one variant."""
    variant = {"VariantName": "a", "ModelName": model, "InstanceType": "ml.c5.large", "InitialVariantWeight": 1.0}
    return {"ProductionVariants": [{**variant, "InitialInstanceCount": count}]}


def model_child(name: str) -> Child:
    """A model that SageMaker knows under `sm-<name>`."""
    return Child(MODEL, name, f"uid-{name}", "7", f"sm-{name}", {}, {}, is_deleting=False)


def configuration_child(name: str, model: Child) -> Child:
    """A configuration that serves `model`."""
    spec = {"productionVariants": [{"modelName": model.sagemaker_name}]}
    made = content(model.sagemaker_name)
    return Child(ENDPOINT_CONFIG, name, f"uid-{name}", "7", f"sm-{name}", made, spec, is_deleting=False)


M1, M2 = model_child("m1"), model_child("m2")
C1, C2 = configuration_child("c1", M1), configuration_child("c2", M2)


def desired_of(
    spec_digest: str, model: Child | None, made: Child | None, says: dict[str, Any] | None = None
) -> Desired:
    """What the spec wants; None for children that are to be made."""
    if model is None:
        return Desired(spec_digest, (Want(MODEL, "m", "new", {}, None),), None)
    says = says or content(model.sagemaker_name)
    wants = Want(ENDPOINT_CONFIG, "", made.name if made else "new", {}, made)
    return Desired(
        spec_digest, (Want(MODEL, "m", model.name, {}, model),), wants, shape_of(says), dict(numbers_of(says))
    )


SAME, MADE = desired_of("one", M1, C1), desired_of("two", M2, C2)
WISHES = {
    "same": SAME,
    "unmade": desired_of("two", None, None),
    "made": MADE,
    "numbers": desired_of("two", M1, None, content("sm-m1", 3)),
    "failed": MADE,
    "undone": SAME,
}
SERVED = LastUpdate("one", SAME.shape, SAME.numbers, is_served=True)
FAILED = LastUpdate("two", MADE.shape, MADE.numbers, since="2029-12-30T00:00:00Z")


def observed(cell: Cell) -> EndpointObservation:
    """The situation of a cell."""
    whose, state, spec = cell["whose"], cell["state"], cell["spec"]
    arn = "arn:aws:sagemaker:us-east-2:123456789012:endpoint/host"
    created = NOW - timedelta(hours=1)
    is_created = whose in {"ours", "gone"}
    is_tried = spec in {"failed", "undone"}
    external: o.External = ABSENT if whose in {"gone", "never"} else None
    if state != "-":
        config = "theirs" if (whose, cell["object"]) == ("foreign", "deleted") else "sm-c1"
        fields = {"endpointConfigName": config, "lastModifiedTime": "2029-12-31T00:00:00Z"}
        reason = "the model does not load" if is_tried or state == "Failed" else ""
        external = o.ExternalResource(
            o.Source.DESCRIPTION, state, arn=arn, created_at=created, failure_reason=reason, fields=fields
        )
    base = o.Observed(
        descriptor=HOSTING_DEPLOYMENT,
        name="host",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        deleting_for_s=100.0 if cell["object"] == "deleted" else None,
        recorded=o.Recorded("host", "us-east-2", "aws", arn, "123456789012", created, created) if is_created else None,
        is_recorded_in_status=is_created,
        shown="InService" if is_created else "",
        external=external,
        owner=o.Ownership.FOREIGN if whose == "foreign" else o.Ownership.UNKNOWN,
    )
    return EndpointObservation(
        base,
        desired=None if cell["object"] == "deleted" else WISHES[spec],
        children=(M1, C1, M2, C2) if spec in {"made", "failed"} else (M1, C1),
        last_update=(FAILED if is_tried else SERVED) if is_created else LastUpdate(),
        is_observed=True,
        was_visible=is_created,
    )


ACTIONS = {MakeChild: "make child", RecordServed: "record", s.VerifyOwner: "check tags", Update: "update"}


def decided(cell: Cell) -> dict[str, str]:
    """What the decision comes to, in the words of the table."""
    step = decide(observed(cell))
    status_update = step.status_update if isinstance(step, s.Finish) else None
    before = next_status(
        HOSTING_DEPLOYMENT, {}, s.StatusUpdate(s.Phase.READY, "InService", value="InService"), Facts(2, NOW)
    )
    value = "as before" if status_update is None or status_update.value is None else status_update.value
    return {
        "action": action_of(step),
        "status": "AWS's" if value == cell["state"] and cell["object"] == "wanted" else value,
        "true conditions": true_conditions(HOSTING_DEPLOYMENT, before, status_update, NOW),
    }


def action_of(step: EndpointStep) -> str:
    """A step in a word or two."""
    if not isinstance(step, s.Finish):
        return ACTIONS.get(type(step), type(step).__name__.lower())
    if step.outcome is s.Outcome.TERMINAL:
        return "refuse"
    if step.outcome is s.Outcome.RETRY_SLOWLY:
        return "look again"
    if step.status_update is None:
        return "wait"
    return "tear down" if step.status_update.reason == reasons.DELETING_CHILDREN else "show"


def test_every_cell_has_the_action_and_the_status_of_its_row() -> None:
    """Rows 1 to 13."""
    assert TABLE.differences(decided) == ""


def test_no_cell_is_undefined_and_no_row_is_idle() -> None:
    """Each combination that can be stands in exactly one row."""
    for cell in TABLE.cells:
        TABLE.expected(cell)
    assert TABLE.idle() == []


def test_every_state_that_aws_lists_is_in_the_table() -> None:
    """A state that AWS adds to its model needs a decision of ours, not the one for the unknown."""
    assert enum("sagemaker", "EndpointStatus") <= set(STATES)


def test_a_summary_is_never_enough_to_act_on() -> None:
    """Lists do not tell which configuration runs: in every cell in which something exists it is described first."""
    for cell in TABLE.cells:
        seen = observed(cell)
        if cell["whose"] == "ours" and isinstance(seen.base.external, o.ExternalResource):
            listed = replace(seen.base.external, source=o.Source.SUMMARY, fields={}, failure_reason="")
            step = decide(replace(seen, base=replace(seen.base, external=listed)))
            assert isinstance(step, s.Describe), f"{cell}: {step}"


@each_row("error_class", list(ErrorClass), ids=lambda each: each.value)
def test_no_cell_falls_through_when_a_step_fails(error_class: ErrorClass) -> None:
    """Whatever fails in whatever cell, the pass ends, tells why and lets go of nothing."""
    for cell in TABLE.cells:
        for during in o.During:
            seen = observed(cell)
            failure = o.Failure(during, error_class, "SomeCode", "some message")
            seen = replace(seen, base=replace(seen.base, failure=failure))
            while isinstance(step := decide(seen), CheckChild):
                assert step.child.name not in seen.done
                seen = replace(seen, done=seen.done | {step.child.name})
            assert isinstance(step, s.Finish), f"{cell}, {during}: {step}"
            assert step.status_update is not None
            assert step.status_update.additional


def test_annotations_hold_in_every_cell() -> None:
    """modern-expectations.md 4: paused leaves alone, retain keeps the children at AWS, too; neither asks AWS."""
    for cell in TABLE.cells:
        seen = observed(cell)
        paused = decide(replace(seen, base=replace(seen.base, policy=o.Policy(paused=True))))
        assert isinstance(paused, s.Finish), f"{cell}: {paused}"
        assert paused.status_update is not None
        assert paused.status_update.phase is s.Phase.PAUSED
        if cell["object"] == "deleted":
            done = frozenset(child.name for child in seen.children)
            retained = decide(replace(seen, done=done, base=replace(seen.base, policy=o.Policy(retain=True))))
            assert isinstance(retained, s.RemoveFinalizer), f"{cell}: {retained}"
