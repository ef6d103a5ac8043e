"""What every kind tells in which state: conditions, what kstatus makes of them, and events.

The tables are those of modern-expectations.md 2 and 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from api.descriptor import KindDescriptor
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.endpoint import decide as hosting
from controller.reconcile.job import decide as job
from controller.reconcile.resource import decide as resource
from controller.reconcile.scaling import decide as scaling
from controller.reconcile.status import messages
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ErrorClass
from tests.fakes.kstatus import kstatus
from tests.tables import each_row
from tests.unit.reconcile import test_hosting_table as hosting_table
from tests.unit.reconcile import test_job_table as job_table
from tests.unit.reconcile import test_resource_table as resource_table
from tests.unit.reconcile import test_scaling_table as scaling_table
from tests.unit.reconcile.test_job_table import JOBS

NOW = datetime(2030, 1, 1, tzinfo=UTC)


# --- situations: what is decided about an object of the kind; the status before is that of a working, then a ready one

Decided = Callable[[KindDescriptor], s.Finish]


def about(kind: KindDescriptor, base: Callable[[o.Observed], o.Observed], **cell: str) -> s.Finish:
    """The decision about a cell of the kind's table, with `base` changed."""
    if kind in JOBS:
        whole = {"whose": "ours", "asked by": "describe", "state": "InProgress", "object": "wanted", "spec": "same"}
        seen = job_table.observed(kind, {**whole, **cell})
        step: object = job.decide(seen.with_base(base(seen.base)))
    elif kind is HOSTING_DEPLOYMENT:
        hosted = hosting_table.observed(
            {"whose": "ours", "state": "InService", "object": "wanted", "spec": "same", **cell}
        )
        noted = hosted.last_update if hosted.last_update.id else hosting_table.SERVED  # what is adopted is noted before
        step = hosting.decide(replace(hosted, last_update=noted, base=base(hosted.base)))
    elif kind is HOSTING_AUTOSCALING_POLICY:
        whole = {"policies": "in-place", "endpoint": "InService", "object": "wanted", "spec": "values", **cell}
        scaled = scaling_table.observed(whole)
        step = scaling.decide(replace(scaled, is_applied=cell.get("policies") != "none", base=base(scaled.base)))
    else:
        whole = {"at AWS": "created", "looked": "no", "object": "wanted", "spec": "same", "used": "no", **cell}
        made = resource_table.observed(kind, whole)
        step = resource.decide(replace(made, base=base(made.base)))
    assert isinstance(step, s.Finish), step
    return step


def in_cell(**cell: str) -> Decided:
    """A cell of the kind's table as it is."""
    return lambda kind: about(kind, lambda base: base, **cell)


def refused(error_class: ErrorClass, during: o.During, code: str = "SomeCode", **cell: str) -> Decided:
    """A step that failed."""
    failure = o.Failure(during, error_class, code, "some message")
    return lambda kind: about(kind, lambda base: replace(base, failure=failure), **cell)


def paused(kind: KindDescriptor) -> s.Finish:
    """The annotation."""
    return about(kind, lambda base: replace(base, policy=o.Policy(paused=True)))


def waiting(kind: KindDescriptor) -> s.Finish:
    """Nothing was asked of AWS yet: its budget is used up."""
    whole = {"whose": "unknown", "asked by": "nobody", "state": "-", "object": "wanted", "spec": "same"}
    return s.Finish(messages.waiting(job_table.observed(kind, whole).base))


RETRYABLE = refused(ErrorClass.RETRYABLE, o.During.DESCRIBE)
DENIED = refused(ErrorClass.DENIED, o.During.DESCRIBE)
QUOTA = refused(ErrorClass.QUOTA, o.During.CREATE, "ResourceLimitExceeded")
ENDPOINT = (HOSTING_DEPLOYMENT,)
ALL: Sequence[KindDescriptor] = (*JOBS, MODEL, ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, HOSTING_AUTOSCALING_POLICY)
NEW = {
    HOSTING_AUTOSCALING_POLICY: {"policies": "none"},
    MODEL: {"at AWS": "never"},
    ENDPOINT_CONFIG: {"at AWS": "never"},
}


def invalid(kind: KindDescriptor) -> s.Finish:
    """AWS refuses the creation for good."""
    cell = NEW.get(kind, {"whose": "never", "state": "-"})
    return refused(ErrorClass.INVALID, o.During.CREATE, "ValidationException", **cell)(kind)


def taken(kind: KindDescriptor) -> s.Finish:
    """The name, or the policy's name, is somebody else's."""
    cell = {"policies": "foreign", "spec": "same"} if kind is HOSTING_AUTOSCALING_POLICY else {"whose": "foreign"}
    return in_cell(**cell)(kind)


CONDITIONS = [
    # state, kinds, decided, Ready, Reconciling, Stalled, the end, reason, kstatus; None: as before
    ("first touch", ALL, waiting, "False", "True", "False", "", "Creating", "InProgress"),
    ("job InProgress", JOBS, in_cell(), "False", "True", "False", "", "InProgress", "InProgress"),
    ("job Stopping", JOBS, in_cell(state="Stopping"), "False", "True", "False", "", "Stopping", "InProgress"),
    ("job Completed", JOBS, in_cell(state="Completed"), "True", "False", "False", "Complete", "Completed", "Current"),
    ("job Failed", JOBS, in_cell(state="Failed"), "False", "False", "True", "Failed", "Failed", "Failed"),
    ("job Stopped", JOBS, in_cell(state="Stopped"), "False", "False", "True", "Failed", "Stopped", "Failed"),
    ("job gone", JOBS, in_cell(whose="gone", state="-"), "False", "False", "True", "", "NotFound", "Failed"),
    ("Creating", ENDPOINT, in_cell(state="Creating"), "False", "True", "False", "", "Creating", "InProgress"),
    *(
        (value, ENDPOINT, in_cell(state=value), "True", "True", "False", "", value, "InProgress")
        for value in ("Updating", "SystemUpdating", "RollingBack")
    ),
    ("InService", ENDPOINT, in_cell(), "True", "False", "False", "", "InService", "Current"),
    ("update failed", ENDPOINT, in_cell(spec="failed"), "True", "False", "True", "", "UpdateFailed", "Failed"),
    ("endpoint Failed", ENDPOINT, in_cell(state="Failed"), "False", "False", "True", "", "EndpointFailed", "Failed"),
    *(
        (value, ENDPOINT, in_cell(state=value), "False", "True", "False", "", value, "InProgress")
        for value in ("OutOfService", "UpdateRollbackFailed", "Deleting")
    ),
    (
        *("deleting", ENDPOINT, in_cell(state="Updating", object="deleted")),
        *("False", "True", "False", "", "Deleting", "Terminating"),
    ),
    ("Created", (MODEL, ENDPOINT_CONFIG), in_cell(), "True", "False", "False", "", "Created", "Current"),
    ("in place", (HOSTING_AUTOSCALING_POLICY,), in_cell(), "True", "False", "False", "", "Created", "Current"),
    (
        *("waits for its endpoint", (HOSTING_AUTOSCALING_POLICY,), in_cell(endpoint="busy")),
        *("False", "True", "False", "", "WaitingForEndpoint", "InProgress"),
    ),
    ("transient", ALL, RETRYABLE, None, "True", "False", "", "AWSUnavailable", "InProgress"),
    ("denied access", ALL, DENIED, None, "True", "False", "", "AccessDenied", "InProgress"),
    ("quota", ALL, QUOTA, None, "True", "False", "", "QuotaExceeded", "InProgress"),
    ("permanent input error", ALL, invalid, "False", "False", "True", "", "InvalidSpec", "Failed"),
    (
        *("name taken", (*JOBS, HOSTING_DEPLOYMENT, HOSTING_AUTOSCALING_POLICY), taken),
        *("False", "False", "True", "", "AlreadyExists", "Failed"),
    ),
    ("spec edited", JOBS, in_cell(spec="edited"), "False", "True", "False", "", "InProgress", "InProgress"),
    ("paused, was ready", ALL, paused, None, "False", "False", "", "Paused", "Current"),
]
ROWS = [pytest.param(kind, *row[2:], id=f"{kind.kind}: {row[0]}") for row in CONDITIONS for kind in row[1]]

BEFORE = {
    "False": s.StatusUpdate(s.Phase.WORKING, "Working", value="InProgress"),
    "True": s.StatusUpdate(s.Phase.READY, "Usable", value="InProgress"),
}


@each_row("before", BEFORE)
@each_row(
    ("kind", "decided", "ready", "reconciling", "stalled", "end", "reason", "computed"),
    ROWS,
)
def test_every_state_has_its_conditions_and_kstatus_agrees(
    kind: KindDescriptor,
    decided: Decided,
    ready: str | None,
    reconciling: str,
    stalled: str,
    end: str,
    reason: str,
    computed: str,
    before: str,
) -> None:
    """modern-expectations.md 2: "unchanged" is what Ready was before, whichever that was."""
    old = next_status(kind, {}, BEFORE[before], Facts(2, NOW))
    status_update = decided(kind).status_update
    assert status_update is not None
    status = next_status(kind, old, status_update, Facts(3, NOW))
    conditions = {each["type"]: each for each in status["conditions"]}
    states = {name: each["status"] for name, each in conditions.items()}
    assert states.pop("Synced") in {"True", "False"}
    assert all(each["message"] for each in conditions.values())
    blocks = "Stalled" if states["Stalled"] == "True" else "Reconciling"
    if states["Ready"] == "False" and states[blocks] == "True":
        assert [conditions["Ready"][name] for name in ("reason", "message")] == [
            conditions[blocks][name] for name in ("reason", "message")
        ], "Ready says what is in the way"
    expected = {"Ready": ready or before, "Reconciling": reconciling, "Stalled": stalled}
    assert states == expected | ({end: "True"} if end else {})
    speaks = next((name for name in ("Stalled", "Reconciling", "Ready") if states[name] == "True"), "Reconciling")
    assert conditions["Reconciling" if reason == "Paused" else speaks]["reason"] == reason
    if reason == "Paused" and before == "False":
        computed = "InProgress"
    assert kstatus(status, 3, is_deleting=computed == "Terminating") == computed
    assert {each["observedGeneration"] for each in status["conditions"]} == {3}


# --- events

CREATED = o.Recorded("job", "us-east-2", "aws", "arn:aws:sagemaker:us-east-2:1:x/job", "1", NOW)


def created(kind: KindDescriptor) -> s.Finish:
    """AWS has accepted the creation in this pass."""
    made = {"recorded": CREATED, "mutation": o.Mutation.CREATED, "shown": "", "is_recorded_in_status": False}
    if kind in {MODEL, ENDPOINT_CONFIG}:
        made["recorded"] = replace(CREATED, name="old")
    cell = NEW.get(kind, {"whose": "unknown", "asked by": "nobody", "state": "-"})
    if kind is HOSTING_DEPLOYMENT:
        cell = {"whose": "unknown", "state": "-"}
    return about(kind, lambda base: replace(base, **made), **cell)  # type: ignore[arg-type]


def after(mutation: o.Mutation, **cell: str) -> Decided:
    """AWS has accepted a change, a stop or a deletion in this pass."""
    return lambda kind: about(kind, lambda base: replace(base, mutation=mutation), **cell)


def from_shown(shown: str, **cell: str) -> Decided:
    """The status shows `shown` until now."""
    return lambda kind: about(kind, lambda base: replace(base, shown=shown), **cell)


def adopted(kind: KindDescriptor) -> s.Finish:
    """The annotation `adoption-policy`, and a resource of somebody else."""
    policy = o.Policy(adoption=o.Adoption.ADOPT)
    return about(kind, lambda base: replace(base, policy=policy), whose="foreign")


def nothing_to_adopt(kind: KindDescriptor) -> s.Finish:
    """The annotation, and no resource."""
    policy = o.Policy(adoption=o.Adoption.ADOPT)
    return about(kind, lambda base: replace(base, policy=policy), whose="never", state="-")


def rules_find_something(kind: KindDescriptor) -> s.Finish:
    """Debugger rules report issues."""
    rules = [{"ruleConfigurationName": "overfit", "ruleEvaluationStatus": "IssuesFound"}]

    def with_rules(base: o.Observed) -> o.Observed:
        assert isinstance(base.external, o.ExternalResource)
        return replace(base, external=replace(base.external, fields={"debugRuleEvaluationStatuses": rules}))

    return about(kind, with_rules)


OF_AWS = (*JOBS, MODEL, ENDPOINT_CONFIG, HOSTING_DEPLOYMENT)
NAMED = (*JOBS, HOSTING_DEPLOYMENT)
NO_CREDENTIALS = refused(ErrorClass.DENIED, o.During.DESCRIBE, "ExpiredToken")
ROLLBACK = from_shown("Updating", state="RollingBack")
EVENTS: list[tuple[str, Sequence[KindDescriptor], Decided, list[str]]] = [
    ("created", OF_AWS, created, ["Normal Created"]),
    ("creation refused", OF_AWS, invalid, ["Warning CreateFailed"]),
    ("status changed by others", JOBS, in_cell(state="Stopping"), ["Normal StatusChanged"]),
    ("status changed by others", ENDPOINT, in_cell(state="SystemUpdating"), ["Normal StatusChanged"]),
    ("serves again", ENDPOINT, from_shown("OutOfService"), ["Normal StatusChanged"]),
    ("rolls back", ENDPOINT, ROLLBACK, ["Normal StatusChanged"]),
    ("nothing new", OF_AWS, in_cell(), []),
    ("completed", JOBS, in_cell(state="Completed"), ["Normal Completed"]),
    ("failed", JOBS, in_cell(state="Failed"), ["Warning Failed"]),
    ("stopped", JOBS, in_cell(state="Stopped"), ["Normal Stopped"]),
    ("stop requested", JOBS, after(o.Mutation.STOPPED, object="deleted"), ["Normal Stopping"]),
    ("deletion requested", ENDPOINT, after(o.Mutation.DELETED, object="deleted"), ["Normal Deleting"]),
    ("deleted", ENDPOINT, in_cell(whose="gone", state="-", object="deleted"), ["Normal Deleted"]),
    ("endpoint failed", ENDPOINT, in_cell(state="Failed"), ["Warning Failed"]),
    ("update begins", ENDPOINT, after(o.Mutation.UPDATED), ["Normal UpdateStarted"]),
    ("update completed", ENDPOINT, from_shown("Updating"), ["Normal UpdateCompleted"]),
    ("update failed", ENDPOINT, in_cell(spec="failed"), ["Warning UpdateFailed"]),
    ("update waits", ENDPOINT, from_shown("Updating", state="Updating", spec="made"), ["Normal UpdatePending"]),
    ("spec edited", JOBS, in_cell(spec="edited"), ["Warning SpecImmutable"]),
    ("name taken", (*NAMED, HOSTING_AUTOSCALING_POLICY), taken, ["Warning AlreadyExists"]),
    ("adopted", NAMED, adopted, ["Normal Adopted"]),
    ("nothing to adopt", NAMED, nothing_to_adopt, ["Warning AdoptionRefused"]),
    ("rules", JOBS[:1], rules_find_something, ["Warning RuleIssuesFound"]),
    ("policy in place", (HOSTING_AUTOSCALING_POLICY,), in_cell(), ["Normal PolicyApplied"]),
    ("policy refused", (HOSTING_AUTOSCALING_POLICY,), invalid, ["Warning PolicyFailed"]),
    ("denied", ALL, DENIED, ["Warning AccessDenied"]),
    ("no credentials", ALL, NO_CREDENTIALS, ["Warning CredentialsError"]),
    ("quota", ALL, QUOTA, ["Warning QuotaExceeded"]),
    ("transient", ALL, RETRYABLE, []),
    ("paused", ALL, paused, ["Normal Paused"]),
]
TOLD = [pytest.param(kind, *row[2:], id=f"{kind.kind}: {row[0]}") for row in EVENTS for kind in row[1]]


@each_row(("kind", "decided", "events"), TOLD)
def test_what_users_ask_about_is_told_in_one_event(kind: KindDescriptor, decided: Decided, events: list[str]) -> None:
    """modern-expectations.md 3; what passes by itself is no event."""
    assert [f"{each.type} {each.reason}" for each in decided(kind).events] == events


def test_a_change_of_status_names_both() -> None:
    """modern-expectations.md 3."""
    (event,) = ROLLBACK(HOSTING_DEPLOYMENT).events
    assert event.message == "The status changed from Updating to RollingBack"


@each_row("phase", list(s.Phase), ids=lambda phase: phase.value)
def test_the_end_of_a_pause_is_told_by_whatever_is_shown_next(phase: s.Phase) -> None:
    """modern-expectations.md 3: Resumed."""
    whole = {"whose": "ours", "asked by": "list", "state": "InProgress", "object": "wanted", "spec": "same"}
    seen = job_table.observed(JOBS[0], whole).base
    status_update = s.StatusUpdate(phase, "Any")
    told = messages.resumed(replace(seen, reasons={"Reconciling": "Paused"}), status_update)
    assert [each.reason for each in told] == ([] if phase is s.Phase.PAUSED else ["Resumed"])
    assert messages.resumed(seen, status_update) == ()
