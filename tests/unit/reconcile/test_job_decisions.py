"""The decision table of jobs (v1-kinds.md 12.1): every state of SageMaker, wanted and being deleted, every error."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.descriptor import KindDescriptor
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.job import decide as job
from controller.reconcile.job.decide import JobStep
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.passes.reconciler import next_step
from controller.runtime.errors import ABSENT, ErrorClass
from tests.tables import each_cell, each_row
from tests.unit.reconcile.job_observations import changed, job_of

decide = partial(next_step, job.decide)
"""As the loop takes it."""

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job"
CREATED = NOW - timedelta(hours=1)
RECORDED = o.Recorded("job", "us-east-2", "aws", ARN, "123456789012", CREATED, CREATED)
YOUNG = replace(RECORDED, created_at=NOW - timedelta(seconds=5))

JOBS = (TRAINING_JOB, HYPERPARAMETER_TUNING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)
VALUES = ("InProgress", "Stopping", "Stopped", "Failed", "Completed", "Novel")


def observed(**changes: Any) -> JobObservation:
    """An object that is prepared, wanted, and of which nothing is known."""
    base = o.Observed(
        descriptor=TRAINING_JOB,
        name="job",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
    )
    return job_of(base, **changes)


def recorded(**changes: Any) -> JobObservation:
    """An object whose status records a creation."""
    return observed(**{"recorded": RECORDED, "is_recorded_in_status": True, "shown": "InProgress", **changes})


def summary(value: str) -> o.ExternalResource:
    """A line of a List answer."""
    return o.ExternalResource(o.Source.SUMMARY, value, "Training", ARN, RECORDED.created_at)


def description(value: str, **fields: Any) -> o.ExternalResource:
    """A Describe answer."""
    return o.ExternalResource(o.Source.DESCRIPTION, value, "Training", ARN, NOW - timedelta(hours=1), fields=fields)


def told(step: JobStep) -> str:
    """A step in a word or two."""
    if not isinstance(step, s.Finish):
        return re.sub(r"(?<!^)(?=[A-Z])", " ", type(step).__name__).lower()
    status_update = step.status_update
    if status_update is None:
        return "wait" if step.follow or step.again_s is not None else "nothing"
    if status_update.phase is s.Phase.STUCK:
        return f"stuck: {status_update.reason}"
    return f"show {status_update.value}"


# --- recorded: the object has created a job. Columns: what is known, wanted, being deleted.

RECORDED_TABLE = [
    (None, "wait", "describe"),
    (ABSENT, "stuck: NotFound", "remove finalizer"),
    (summary("InProgress"), "show InProgress", "describe"),
    (summary("Stopping"), "show Stopping", "show Stopping"),
    (summary("Stopped"), "describe", "remove finalizer"),
    (summary("Failed"), "describe", "remove finalizer"),
    (summary("Completed"), "describe", "remove finalizer"),
    (summary("Novel"), "show Novel", "show Novel"),
    (description("InProgress"), "show InProgress", "stop"),
    (description("Stopping"), "show Stopping", "show Stopping"),
    (description("Stopped"), "show Stopped", "remove finalizer"),
    (description("Failed"), "show Failed", "remove finalizer"),
    (description("Completed"), "show Completed", "remove finalizer"),
    (description("Novel"), "show Novel", "show Novel"),
]

# --- never recorded. The name is generated (holds our uid), or given and its owner unknown, ours or somebody else's.

GENERATED_TABLE = [
    (None, "create", "describe"),
    (ABSENT, "create", "remove finalizer"),
    (description("InProgress"), "show InProgress", "stop"),
    (description("Stopping"), "show Stopping", "show Stopping"),
    (description("Stopped"), "show Stopped", "remove finalizer"),
    (description("Failed"), "show Failed", "remove finalizer"),
    (description("Completed"), "show Completed", "remove finalizer"),
    (description("Novel"), "show Novel", "show Novel"),
]
UNKNOWN_OWNER_TABLE = [
    (None, "create", "describe"),
    (ABSENT, "create", "remove finalizer"),
    *((description(value), "verify owner", "verify owner") for value in VALUES),
]
FOREIGN_TABLE = [(description(value), "stuck: AlreadyExists", "remove finalizer") for value in VALUES]
OURS_TABLE = [row for row in GENERATED_TABLE if isinstance(row[0], o.ExternalResource)]


def _rows(name: str, seen: JobObservation, table: list[tuple[o.External, str, str]]) -> list[Any]:
    rows = []
    for external, wanted, deleted in table:
        what = (
            f"{external.source.value} {external.value}" if isinstance(external, o.ExternalResource) else str(external)
        )
        what = f"{seen.base.descriptor.kind}, {what}"
        rows.append(pytest.param(changed(seen, external=external), wanted, id=f"{name}, {what}, wanted"))
        deleting = changed(seen, external=external, deleting_for_s=100.0)
        rows.append(pytest.param(deleting, deleted, id=f"{name}, {what}, deleting"))
    return rows


GIVEN = {"is_name_generated": False}
EDITED = {"edited": ("spec.region",)}
"""A spec that says otherwise than what was created changes what is told, never what is done (row 6)."""


def _table(job: KindDescriptor) -> list[Any]:
    of = {"descriptor": job}
    return (
        _rows("recorded", recorded(**of), RECORDED_TABLE)
        + _rows("recorded and edited", recorded(**of, **EDITED), RECORDED_TABLE)
        + _rows("generated name", observed(**of), GENERATED_TABLE)
        + _rows("given name, owner unknown", observed(**of, **GIVEN), UNKNOWN_OWNER_TABLE)
        + _rows("given name, ours", observed(**of, **GIVEN, owner=o.Ownership.OURS), OURS_TABLE)
        + _rows("given name, foreign", observed(**of, **GIVEN, owner=o.Ownership.FOREIGN), FOREIGN_TABLE)
    )


TABLE = {job.kind: _table(job) for job in JOBS}


@each_cell(TABLE)
def test_each_state_has_one_answer(seen: JobObservation, expected: str) -> None:
    """v1-kinds.md 12.1, rows 1 to 14 and 18."""
    assert told(decide(seen)) == expected


SPECIAL = [
    pytest.param(observed(has_finalizer=False), "ensure finalizer", id="no finalizer yet: prepare before anything"),
    pytest.param(observed(is_name_persisted=False), "ensure finalizer", id="no name in the spec yet: prepare"),
    pytest.param(
        observed(has_finalizer=False, deleting_for_s=0.0), "nothing", id="deleted before the first pass: none of ours"
    ),
    pytest.param(observed(name_is_taken=True), "describe", id="Create says the name exists: look"),
    pytest.param(
        observed(name_is_taken=True, external=ABSENT), "wait", id="exists for Create, not for Describe: wait (D-07b)"
    ),
    pytest.param(
        observed(recorded=RECORDED, mutation=o.Mutation.CREATED), "show InProgress", id="created in this pass: record"
    ),
    pytest.param(
        observed(recorded=RECORDED, mutation=o.Mutation.CREATED, external=ABSENT),
        "show InProgress",
        id="created after a look that found nothing: record",
    ),
    pytest.param(recorded(recorded=YOUNG, external=ABSENT), "wait", id="created just now, not visible yet: wait"),
    pytest.param(
        recorded(recorded=YOUNG, external=ABSENT, deleting_for_s=0.0), "wait", id="the same in deletion: do not let go"
    ),
    pytest.param(recorded(is_describe_due=True), "describe", id="lists do not show it: ask by name"),
    pytest.param(
        recorded(is_describe_due=True, external=summary("InProgress")), "describe", id="the safety net wants a look"
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, is_describe_due=True, shown="Stopping", external=summary("Stopping")),
        "describe",
        id="stop was asked for, and no List shows the end",
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, shown="Stopping", external=summary("InProgress")),
        "wait",
        id="stop was asked for, the list is older: do not ask again",
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, shown="Stopping", external=description("InProgress")),
        "stop",
        id="stop was asked for, yet it runs: ask again",
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, mutation=o.Mutation.STOPPED, external=summary("InProgress")),
        "show Stopping",
        id="stopped in this pass: say so",
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, stop_was_refused=True), "describe", id="stop refused for the state: look again"
    ),
    pytest.param(
        recorded(deleting_for_s=9.0, stop_was_refused=True, external=description("InProgress")),
        "wait",
        id="stop refused, Describe shows no reason: wait",
    ),
    pytest.param(observed(deleting_for_s=3.0, external=ABSENT), "wait", id="a Create may still be in doubt: wait"),
    pytest.param(
        observed(deleting_for_s=99.0, doubt_for_s=3.0, external=ABSENT), "wait", id="a Create went unanswered: wait"
    ),
    pytest.param(
        observed(deleting_for_s=3.0, was_refused=True, external=ABSENT),
        "remove finalizer",
        id="AWS refused for good: let go",
    ),
    pytest.param(recorded(is_ended=True), "nothing", id="ended: no call ever again"),
    pytest.param(recorded(is_ended=True, has_finalizer=False), "nothing", id="ended, finalizer removed: leave it"),
    pytest.param(recorded(is_ended=True, deleting_for_s=0.0), "remove finalizer", id="ended: deletion asks nobody"),
    pytest.param(recorded(is_ended=True, rules_running=True), "describe", id="rules run on: look"),
    pytest.param(
        recorded(is_ended=True, rules_running=True, described_ago_s=5.0), "wait", id="rules run on, just looked: wait"
    ),
    pytest.param(
        recorded(is_ended=True, rules_running=True, deleting_for_s=0.0),
        "remove finalizer",
        id="deletion does not wait for rules",
    ),
    pytest.param(observed(hold_s=30.0), "wait", id="AWS refused lately: not yet again"),
    pytest.param(recorded(hold_s=30.0, external=summary("Completed")), "wait", id="held: no Describe, but followed"),
    pytest.param(
        recorded(hold_s=30.0, external=summary("InProgress")), "show InProgress", id="held: lists still count"
    ),
    pytest.param(observed(is_legacy=True, shown="Completed"), "describe", id="the predecessor's: look first"),
    pytest.param(
        observed(is_legacy=True, shown="Completed", external=ABSENT), "stuck: NotFound", id="the predecessor's, gone"
    ),
    pytest.param(
        observed(is_legacy=True, shown="ReconcilingTrainingJob", external=ABSENT),
        "create",
        id="the predecessor could not create it: create",
    ),
    pytest.param(
        observed(is_legacy=True, is_name_generated=False, shown="InProgress", external=description("InProgress")),
        "show InProgress",
        id="what the predecessor's status names is ours",
    ),
]


@each_row(("seen", "expected"), SPECIAL)
def test_each_special_situation_has_one_answer(seen: JobObservation, expected: str) -> None:
    """Late answers, doubt, holds, rules, and what the predecessor left."""
    assert told(decide(seen)) == expected


# --- ttl-seconds-after-finished


def ended(ttl_s: int | None = 60, ended_ago_s: float | None = 20.0, **changes: Any) -> JobObservation:
    """An object that shows the end of its job, with a time to live."""
    policy = replace(o.Policy(ttl_s=ttl_s), **changes.pop("policy", {}))
    return recorded(**{"is_ended": True, "ended_ago_s": ended_ago_s, "policy": policy, **changes})


EXPIRY = [
    pytest.param(ended(), "wait", 40.0, id="not over: look again when it is"),
    pytest.param(ended(ended_ago_s=60.0), "delete expired", None, id="over"),
    pytest.param(ended(ended_ago_s=1e9), "delete expired", None, id="long over, say while no operator ran"),
    pytest.param(ended(ttl_s=0, ended_ago_s=0.0), "delete expired", None, id="zero: at once"),
    pytest.param(ended(ttl_s=None, ended_ago_s=1e9), "nothing", None, id="never"),
    pytest.param(ended(ended_ago_s=60.0, has_finalizer=False), "delete expired", None, id="over, finalizer removed"),
    pytest.param(
        ended(ended_ago_s=60.0, hold_s=30.0), "delete expired", None, id="over: AWS is not asked, so a hold is none"
    ),
    pytest.param(ended(ended_ago_s=60.0, rules_running=True), "delete expired", None, id="over, though rules run on"),
    pytest.param(
        ended(ended_ago_s=55.0, rules_running=True, described_ago_s=1.0), "wait", 5.0, id="over before the rules' turn"
    ),
    pytest.param(
        ended(ended_ago_s=20.0, rules_running=True, described_ago_s=5.0),
        "wait",
        15.0,
        id="the rules' turn comes first",
    ),
    pytest.param(ended(ended_ago_s=60.0, policy={"paused": True}), "nothing", None, id="over, but paused"),
    pytest.param(
        ended(ended_ago_s=60.0, policy={"retain": True}),
        "delete expired",
        None,
        id="over, retain: the job stays anyway",
    ),
    pytest.param(
        ended(ended_ago_s=60.0, deleting_for_s=0.0), "remove finalizer", None, id="over, and deleted already: let go"
    ),
    pytest.param(recorded(policy=o.Policy(ttl_s=0)), "wait", None, id="still running"),
    pytest.param(
        observed(policy=o.Policy(ttl_s=0), was_refused=True), "create", None, id="no job ever: nothing to end"
    ),
]


@each_row(("seen", "expected", "again_s"), EXPIRY)
@each_row("job", JOBS, ids=lambda job: job.kind)
def test_an_object_goes_when_its_time_after_the_end_is_over(
    job: KindDescriptor, seen: JobObservation, expected: str, again_s: float | None
) -> None:
    """As batch/v1 JobSpec.ttlSecondsAfterFinished: counted from the end, zero means at once."""
    step = decide(changed(seen, descriptor=job))
    assert told(step) == expected
    assert again_s is None or (isinstance(step, s.Finish) and step.again_s == again_s)


# --- errors: class x (not created, created, being deleted) -> value shown, phase, verdict

RECONCILING = "ReconcilingTrainingJob"
VALUES_IN_TROUBLE = [
    (TRAINING_JOB, "ReconcilingTrainingJob", "ReconcilingTrainingJob"),
    (HYPERPARAMETER_TUNING_JOB, "ReconcilingTuningJob", "ReconcilingTuningJob"),
    (BATCH_TRANSFORM_JOB, "SynchronizingK8sJobWithSageMaker", "SynchronizingK8sJobWithSageMaker"),
    (PROCESSING_JOB, "Reconciling", "Error"),
]
"""What v1 shows for an error that passes, and for one that must be cured (v1-kinds.md 6)."""
ERROR_TABLE = [
    (ErrorClass.RETRYABLE, RECONCILING, "troubled", "retry", None, "troubled", "retry", "troubled", "retry"),
    (
        ErrorClass.DENIED,
        RECONCILING,
        "troubled",
        "retry slowly",
        None,
        "troubled",
        "retry slowly",
        "troubled",
        "retry slowly",
    ),
    (
        ErrorClass.QUOTA,
        RECONCILING,
        "troubled",
        "retry slowly",
        None,
        "troubled",
        "retry slowly",
        "troubled",
        "retry slowly",
    ),
    (
        ErrorClass.REFUSED,
        RECONCILING,
        "troubled",
        "retry slowly",
        None,
        "troubled",
        "retry slowly",
        "troubled",
        "retry slowly",
    ),
    (
        ErrorClass.INVALID,
        RECONCILING,
        "stuck",
        "terminal",
        None,
        "troubled",
        "retry slowly",
        "troubled",
        "retry slowly",
    ),
    (ErrorClass.CONFLICT, RECONCILING, "troubled", "retry", None, "troubled", "retry", "troubled", "retry"),
    (ErrorClass.EXISTS, RECONCILING, "troubled", "retry", None, "troubled", "retry", "troubled", "retry"),
]


def failure(error_class: ErrorClass, during: o.During, **changes: Any) -> o.Failure:
    """A refused step."""
    return replace(o.Failure(during, error_class, "SomeCode", "some message"), **changes)


@each_row("row", ERROR_TABLE, ids=lambda row: row[0].value)
def test_each_error_class_has_one_behaviour(row: tuple[Any, ...]) -> None:
    """Rows 15 to 17: before the creation the operator's value is shown, after it AWS's stays; deletion holds on."""
    error_class, *expected = row
    new = decide(observed(failure=failure(error_class, o.During.CREATE)))
    old = decide(recorded(failure=failure(error_class, o.During.DESCRIBE)))
    going = decide(recorded(failure=failure(error_class, o.During.STOP), deleting_for_s=50.0))
    assert isinstance(new, s.Finish)
    assert isinstance(old, s.Finish)
    assert isinstance(going, s.Finish)
    assert new.status_update is not None
    assert old.status_update is not None
    assert going.status_update is not None
    assert [
        *(new.status_update.value, new.status_update.phase.value, new.outcome.value),
        *(old.status_update.value, old.status_update.phase.value, old.outcome.value),
        *(going.status_update.phase.value, going.outcome.value),
    ] == expected
    assert old.follow
    assert (new.status_update.additional or "").startswith("SomeCode: some message. ")


LASTS = "AWSErrorLasts"


@each_row(
    ("failing_for_s", "shown", "synced", "events"),
    [
        pytest.param(0.0, "", "AWSError", [], id="the first failure"),
        pytest.param(179.0, "AWSError", "AWSError", [], id="for a while"),
        pytest.param(180.0, "AWSError", LASTS, ["AWSUnavailable"], id="for three minutes"),
        pytest.param(900.0, LASTS, LASTS, [], id="for longer: it was reported"),
        pytest.param(0.0, LASTS, LASTS, [], id="after a restart: so it was"),
    ],
)
def test_a_failure_that_should_pass_is_worth_one_warning_after_minutes(
    failing_for_s: float, shown: str, synced: str, events: list[str]
) -> None:
    """The condition remembers the Warning, in memory there is only the time."""
    broken = failure(ErrorClass.RETRYABLE, o.During.DESCRIBE)
    step = decide(recorded(failure=broken, failing_for_s=failing_for_s, reasons={"Synced": shown}))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.synced == synced
    assert [(each.type, each.reason) for each in step.events] == [("Warning", reason) for reason in events]


@each_row(
    ("error_class", "during", "is_hinted"),
    [
        (ErrorClass.REFUSED, o.During.CREATE, True),
        (ErrorClass.REFUSED, o.During.UPDATE, True),
        (ErrorClass.QUOTA, o.During.CREATE, True),
        (ErrorClass.REFUSED, o.During.DESCRIBE, False),
        (ErrorClass.DENIED, o.During.CREATE, False),
        (ErrorClass.INVALID, o.During.CREATE, False),
        (ErrorClass.RETRYABLE, o.During.CREATE, False),
    ],
)
def test_what_may_be_the_cause_is_named_where_it_can_be(
    error_class: ErrorClass, during: o.During, *, is_hinted: bool
) -> None:
    """A refused change may be about another object's state; a missing permission is not."""
    step = decide(observed(failure=failure(error_class, during), hints=("Model ns/m is not created",)))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert ("Model ns/m" in step.status_update.message) is is_hinted


@each_row(("job", "passing", "lasting"), VALUES_IN_TROUBLE, ids=lambda each: getattr(each, "kind", ""))
@each_row("error_class", [each for each in ErrorClass if each is not ErrorClass.THROTTLED])
def test_each_kind_has_its_values_for_trouble_before_the_creation_and_none_after_it(
    job: KindDescriptor, passing: str, lasting: str, error_class: ErrorClass
) -> None:
    """v1-kinds.md 6.1 to 6.4; D-12: a batch transform job that AWS cannot be asked about is not `Failed`."""
    new = decide(observed(descriptor=job, failure=failure(error_class, o.During.CREATE)))
    old = decide(recorded(descriptor=job, failure=failure(error_class, o.During.DESCRIBE)))
    assert isinstance(new, s.Finish)
    assert isinstance(old, s.Finish)
    assert new.status_update is not None
    assert old.status_update is not None
    assert new.status_update.value == (passing if error_class is ErrorClass.RETRYABLE else lasting)
    assert old.status_update.value is None
    assert (new.status_update.additional or "").startswith("SomeCode: some message. ")
    assert new.status_update.synced != "Synced"


@pytest.mark.parametrize(("job", "_", "lasting"), VALUES_IN_TROUBLE, ids=lambda each: getattr(each, "kind", ""))
def test_each_kind_has_its_value_for_a_name_that_is_taken_or_lacking(job: KindDescriptor, _: str, lasting: str) -> None:
    """Row 13, and adoption without anything to adopt."""
    taken = observed(descriptor=job, **GIVEN, owner=o.Ownership.FOREIGN, external=description("InProgress"))
    lacking = observed(descriptor=job, policy=o.Policy(adoption=o.Adoption.ADOPT), external=ABSENT)
    for seen in (taken, lacking):
        step = decide(seen)
        assert isinstance(step, s.Finish)
        assert step.status_update is not None
        assert (step.status_update.phase, step.status_update.value) == (s.Phase.STUCK, lasting)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(observed(), "remove finalizer", id="never created: let go"),
        pytest.param(recorded(), "show None", id="created: hold on"),
        pytest.param(observed(doubt_for_s=99.0), "show ReconcilingTrainingJob", id="in doubt: hold on"),
    ],
)
def test_an_object_that_cannot_be_asked_about_is_deletable_if_it_never_was_created(
    seen: JobObservation, expected: str
) -> None:
    """No region or a wrong one: no request could be made, so nothing can exist."""
    cannot = failure(ErrorClass.INVALID, o.During.DESCRIBE, sent=False)
    assert told(decide(changed(seen, failure=cannot, deleting_for_s=50.0))) == expected


def test_trouble_is_told_once() -> None:
    """An Event when the trouble begins, not for every attempt."""
    refused = failure(ErrorClass.DENIED, o.During.CREATE)
    first = decide(observed(failure=refused))
    again = decide(observed(failure=refused, reasons={"Reconciling": "AccessDenied"}))
    assert isinstance(first, s.Finish)
    assert isinstance(again, s.Finish)
    assert [event.reason for event in first.events] == ["AccessDenied"]
    assert again.events == ()


def test_an_edit_of_the_identity_is_told_and_changes_nothing_else() -> None:
    """Row 6, D-04, D-11: AWS's status stays, a notice is added, once as an Event."""
    step = decide(recorded(edited=("spec.region",), external=summary("InProgress")))
    again = decide(
        recorded(edited=("spec.region",), external=summary("InProgress"), reasons={"Synced": "SpecImmutable"})
    )
    assert isinstance(step, s.Finish)
    assert isinstance(again, s.Finish)
    assert step.status_update is not None
    assert (step.status_update.value, step.status_update.synced) == ("InProgress", "SpecImmutable")
    assert "spec.region" in step.status_update.additional
    assert [event.reason for event in step.events] == ["SpecImmutable"]
    assert again.events == ()


def test_the_secondary_status_is_emptied_while_stopping() -> None:
    """v1-kinds.md 6.1."""
    step = decide(recorded(external=summary("Stopping")))
    assert isinstance(step, s.Finish)
    assert step.status_update is not None
    assert step.status_update.secondary == ""


def test_rules_that_run_on_after_the_job_are_polled() -> None:
    """v1-kinds.md 6.8: as long as any rule is InProgress or Stopping."""
    running = [{"ruleEvaluationStatus": "NoIssuesFound"}, {"ruleEvaluationStatus": "Stopping"}]
    done = [{"ruleEvaluationStatus": "NoIssuesFound"}]
    polls = decide(recorded(external=description("Completed", debugRuleEvaluationStatuses=running)))
    ends = decide(
        recorded(is_ended=True, rules_running=True, external=description("Completed", debugRuleEvaluationStatuses=done))
    )
    assert isinstance(polls, s.Finish)
    assert isinstance(ends, s.Finish)
    assert polls.again_s is not None
    assert ends.again_s is None


@each_row(
    ("ended_ago_s", "pause_s"),
    [(None, 10.0), (0.0, 10.0), (20.0, 20.0), (40.0, 40.0), (3600.0, 45.0)],
)
def test_rules_are_polled_soon_after_the_end_and_then_within_a_minute(
    ended_ago_s: float | None, pause_s: float
) -> None:
    """Most of them end seconds after their job."""
    running = [{"ruleEvaluationStatus": "InProgress"}]
    seen = {"is_ended": ended_ago_s is not None, "ended_ago_s": ended_ago_s, "rules_running": True}
    step = decide(recorded(external=description("Completed", debugRuleEvaluationStatuses=running), **seen))
    assert isinstance(step, s.Finish)
    assert step.again_s == pause_s


@each_row("external", [None, summary("InProgress"), summary("Stopping")], ids=["-", "runs", "stops"])
@each_row(
    ("described_ago_s", "created_ago_s", "due_in_s"),
    [
        pytest.param(None, 5.0, 40.0, id="just created: its rules start with the training"),
        pytest.param(None, 50.0, 0.0, id="never looked at, as after a restart"),
        pytest.param(44.0, 500.0, 1.0, id="soon"),
        pytest.param(45.0, 500.0, 0.0, id="due"),
    ],
)
def test_the_rules_of_a_job_that_runs_are_shown_within_a_minute(
    external: o.External, described_ago_s: float | None, created_ago_s: float, due_in_s: float
) -> None:
    """No List shows them; a job without open rules is not described for them."""
    created_at = NOW - timedelta(seconds=created_ago_s)
    young = replace(RECORDED, created_at=created_at, creation_time=created_at)
    external = replace(external, created_at=created_at) if isinstance(external, o.ExternalResource) else external
    seen = recorded(external=external, recorded=young, described_ago_s=described_ago_s, are_rules_open=True)
    step = decide(seen)
    if due_in_s:
        assert isinstance(step, s.Finish)
        assert step.again_s == due_in_s
    else:
        assert step == s.Describe(background=True)
    without = decide(changed(seen, are_rules_open=False))
    assert isinstance(without, s.Finish)
    assert without.again_s is None


def test_a_list_that_knows_of_the_end_before_describe_does_is_looked_at_again() -> None:
    """Two replicas of SageMaker may disagree: the end must not be missed."""
    step = decide(recorded(summary=summary("Completed"), external=description("InProgress")))
    assert isinstance(step, s.Finish)
    assert step.again_s is not None


# --- what holds for every observation

REMOTES = st.one_of(
    st.none(),
    st.just(ABSENT),
    st.sampled_from([summary(value) for value in VALUES] + [description(value) for value in VALUES]),
)
OBSERVATIONS = st.builds(
    observed,
    is_name_generated=st.booleans(),
    is_name_persisted=st.booleans(),
    has_finalizer=st.booleans(),
    deleting_for_s=st.none() | st.sampled_from([0.0, 9.0, 11.0, 1000.0]),
    recorded=st.sampled_from([None, RECORDED, YOUNG]),
    is_recorded_in_status=st.booleans(),
    is_legacy=st.booleans(),
    is_ended=st.booleans(),
    shown=st.sampled_from(["", "Stopping", "InProgress", "Completed", RECONCILING]),
    rules_running=st.booleans(),
    are_rules_open=st.booleans(),
    change=st.none() | st.just(o.JobChange({"ResourceConfig.KeepAlivePeriodInSeconds": 0}, "digest")),
    external=REMOTES,
    owner=st.sampled_from(list(o.Ownership)),
    is_describe_due=st.booleans(),
    doubt_for_s=st.none() | st.sampled_from([1.0, 100.0]),
    was_refused=st.booleans(),
    hold_s=st.none() | st.just(10.0),
    name_is_taken=st.booleans(),
    stop_was_refused=st.booleans(),
    failure=st.none()
    | st.builds(
        failure,
        st.sampled_from([each for each in ErrorClass if each not in {ErrorClass.THROTTLED, ErrorClass.NOT_FOUND}]),
        st.sampled_from(list(o.During)),
    ),
)


@given(OBSERVATIONS)
def test_nothing_is_created_twice_or_for_an_object_that_is_going(seen: JobObservation) -> None:
    """D-08: Create needs a prepared, wanted object that never recorded a creation."""
    if isinstance(decide(seen), s.Create):
        assert seen.base.recorded is None
        assert seen.base.deleting_for_s is None
        assert seen.base.has_finalizer
        assert seen.base.is_name_persisted
        assert not seen.base.is_ended


@given(OBSERVATIONS)
def test_only_what_is_ours_and_unwanted_is_stopped(seen: JobObservation) -> None:
    """D-03: Stop needs a deletion, a job that runs, and proof that it is ours."""
    if isinstance(decide(seen), s.Stop):
        assert seen.base.deleting_for_s is not None
        assert isinstance(seen.base.external, o.ExternalResource)
        assert seen.base.external.value == "InProgress"
        assert (
            seen.base.recorded
            or seen.base.is_name_generated
            or seen.base.is_legacy
            or seen.base.owner is o.Ownership.OURS
        )


@given(OBSERVATIONS)
def test_the_finalizer_goes_only_when_nothing_of_ours_can_run(seen: JobObservation) -> None:
    """D-09, D-10: terminal, proved absent, or somebody else's."""
    if isinstance(decide(seen), s.RemoveFinalizer):
        assert seen.base.deleting_for_s is not None
        external = seen.base.external
        is_over = isinstance(external, o.ExternalResource) and external.value in TRAINING_JOB.status.terminal
        is_foreign = seen.base.recorded is None and seen.base.owner is o.Ownership.FOREIGN
        was_ended = seen.base.is_ended and seen.base.recorded is not None
        assert is_over or is_foreign or was_ended or external is ABSENT
        assert seen.base.failure is None


@given(OBSERVATIONS)
def test_a_hold_lets_no_call_through(seen: JobObservation) -> None:
    """A refused credential or an invalid spec never loops."""
    if seen.base.hold_s is not None:
        assert not isinstance(decide(seen), s.Create | s.Stop | s.Describe | s.VerifyOwner)


@pytest.mark.parametrize("is_end_expected", [False, True])
def test_a_describe_that_will_probably_show_the_end_is_no_background_call(*, is_end_expected: bool) -> None:
    """It is as urgent as one of a job that List shows as ended."""
    step = decide(recorded(is_describe_due=True, external=summary("InProgress"), is_end_expected=is_end_expected))
    assert step == s.Describe(background=not is_end_expected)
