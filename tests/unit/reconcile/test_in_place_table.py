"""Every combination that the decision about what is updated in place may see, and what holds in all of them."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import pytest

from api.descriptor import KindDescriptor
from api.v1 import MODEL_PACKAGE, PIPELINE
from controller.reconcile import observation as o
from controller.reconcile import reasons
from controller.reconcile import steps as s
from controller.reconcile.drift.report import Difference
from controller.reconcile.identity import unproven
from controller.reconcile.in_place import decide as in_place
from controller.reconcile.in_place.observation import (
    InPlaceObservation,
    InPlaceStep,
    ObservedDocument,
    ReadDocument,
    Update,
)
from controller.reconcile.observation import Problem
from controller.reconcile.passes.reconciler import next_step
from controller.reconcile.shared_decisions import may_be_invisible
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace
from tests.unit.reconcile.test_reasons import unknown

decide = partial(next_step, in_place.decide)
"""As the loop takes it."""

pytestmark = pytest.mark.long

NOW = datetime(2030, 1, 2, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=1)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:x/n"
CHANGES = (s.Create, s.Delete, Update, s.PutTags, s.DropTags)
POLICIES = {
    "as it is": o.Policy(),
    "paused": o.Policy(paused=True),
    "retain": o.Policy(retain=True),
    "read-only": o.Policy(adoption=o.Adoption.ADOPT, retain=True, read_only=True),
    "adopt": o.Policy(adoption=o.Adoption.ADOPT),
    "correct": o.Policy(corrects=True),
}
EACH_KIND = pytest.mark.parametrize("kind", [MODEL_PACKAGE, PIPELINE], ids=lambda kind: kind.kind)


def externals(kind: KindDescriptor) -> list[o.External]:
    """Unknown, absent, and each state that AWS has; one that was created later than ours."""
    values = {"Pending", "Deleting", "Novel", *kind.status.terminal}
    there = [
        o.ExternalResource(o.Source.DESCRIPTION, value, arn=ARN, created_at=LONG_AGO, failure_reason="why")
        for value in sorted(values)
    ]
    later = o.ExternalResource(o.Source.DESCRIPTION, kind.status.completed, arn=ARN, created_at=NOW)
    return [None, ABSENT, *there, later]


def cells(kind: KindDescriptor) -> Iterator[InPlaceObservation]:
    """All that may be observed."""
    known = o.Recorded(
        "n", "us-east-2", "aws", arn=ARN, created_at=LONG_AGO, creation_time=LONG_AGO, content="sent", owner_uid="u"
    )
    for policy, external, recorded, deletes, owner, content, differs, drift in itertools.product(
        POLICIES.values(),
        externals(kind),
        (None, known),
        (None, 100.0),
        o.Ownership,
        ("sent", "edited"),
        ((), (Difference("spec.x", 1, 2),)),
        ({}, {"Drifted": "Drifted"}),
    ):
        base = o.Observed(
            descriptor=kind,
            name="n",
            is_name_generated=False,
            is_name_persisted=True,
            has_finalizer=True,
            generation=1,
            now=NOW,
            policy=policy,
            deleting_for_s=deletes,
            recorded=recorded,
            is_recorded_in_status=recorded is not None,
            uid="u",
            shown=kind.status.completed if recorded else "",
            reasons=drift,
            external=external,
            owner=owner,
            content=content,
        )
        yield InPlaceObservation(base=base, is_observed=recorded is not None, differences=differs)


@cache
def decided(kind: KindDescriptor) -> tuple[tuple[InPlaceObservation, InPlaceStep], ...]:
    """Each of them, with the step."""
    return tuple((cell, decide(cell)) for cell in cells(kind))


@EACH_KIND
def test_no_cell_shows_what_is_not_in_the_table_of_reasons(kind: KindDescriptor) -> None:
    """Conditions and events."""
    assert {wrong for _, step in decided(kind) for wrong in unknown(kind, step)} == set()


@EACH_KIND
def test_what_is_paused_read_only_or_held_is_not_changed(kind: KindDescriptor) -> None:
    """Nor called at all, if it is paused or held."""
    for cell, step in decided(kind):
        policy = cell.base.policy
        if policy.paused or policy.read_only:
            assert not isinstance(step, CHANGES), cell
        if policy.paused:
            assert not isinstance(step, s.AwsStep), cell
        held = decide(cell.with_base(o.replace(cell.base, hold_s=60.0)))
        assert not isinstance(held, s.AwsStep), cell


@EACH_KIND
def test_what_others_have_created_since_is_neither_changed_nor_deleted(kind: KindDescriptor) -> None:
    """Under the name of the object's own; but for its adoption, where that is asked and nothing is recorded."""
    for cell, step in decided(kind):
        external = cell.base.external
        is_theirs = isinstance(external, o.ExternalResource) and external.created_at == NOW
        if is_theirs and cell.base.recorded is not None and cell.base.owner is o.Ownership.FOREIGN:
            assert not isinstance(step, CHANGES), cell


@EACH_KIND
def test_an_object_goes_only_when_nothing_of_its_own_is_left(kind: KindDescriptor) -> None:
    """Unless it is to be retained."""
    for cell, step in decided(kind):
        base = cell.base
        if base.deleting_for_s is None:
            assert not isinstance(step, s.RemoveFinalizer | s.Delete), cell
        elif isinstance(step, s.RemoveFinalizer) and base.recorded is not None and not base.policy.retain:
            is_foreign = base.owner is o.Ownership.FOREIGN
            assert base.external is ABSENT or is_foreign, cell


@EACH_KIND
def test_an_update_is_sent_for_an_edit_or_for_drift_that_is_to_be_corrected(kind: KindDescriptor) -> None:
    """And only if AWS does not have it yet."""
    seen = False
    for cell, step in decided(kind):
        if isinstance(step, Update):
            seen = True
            assert cell.differences, cell
            assert cell.is_edited or (cell.base.policy.corrects and cell.base.reasons), cell
    assert seen


READ = ObservedDocument(is_read=True, due_in_s=60.0)
UNREAD = {
    "never": ObservedDocument(),
    "a moment ago": ObservedDocument(due_in_s=30.0),
    "a minute ago": ObservedDocument(due_in_s=0.0),
    "in vain": ObservedDocument(due_in_s=30.0, is_lacking=True),
}
PROBLEMS = {
    reason: ObservedDocument(is_read=True, due_in_s=5.0, is_lacking=True, problem=Problem(reason, "why"))
    for reason in (reasons.DEPENDENCY_MISSING, reasons.INVALID_DOCUMENT, reasons.KUBERNETES_REFUSED)
}


def is_wanted(cell: InPlaceObservation) -> bool:
    """Whether the object is to be as its spec wants it: neither on its way out, nor only looked at, nor of others."""
    base = cell.base
    is_looked_at = base.policy.paused or base.policy.read_only or unproven(base) is not None
    return base.deleting_for_s is None and not is_looked_at


def with_document(cell: InPlaceObservation, document: ObservedDocument) -> InPlaceObservation:
    """The same of a spec with its document in a ConfigMap."""
    return replace(cell, document=document)


def next_read_s(step: s.Finish) -> float:
    """When the ConfigMap is read again, if nothing else happens."""
    again_s = step.again_s if step.outcome is s.Outcome.DONE else step.look_s
    assert again_s is not None
    return again_s


def test_nothing_is_sent_in_a_pass_that_has_not_read_the_document() -> None:
    """It is read first; where nothing is to be sent, once a minute."""
    seen = set()
    for cell, step in decided(PIPELINE):
        for name, document in UNREAD.items():
            found = decide(with_document(cell, document))
            if not is_wanted(cell):
                assert found == step, (name, cell)
                continue
            seen.add((name, type(found)))
            assert not isinstance(found, CHANGES), (name, cell)
            held = decide(with_document(cell.with_base(replace(cell.base, hold_s=600.0)), document))
            assert isinstance(held, s.Finish | ReadDocument | s.EnsureFinalizer), (name, cell)
            if isinstance(held, s.Finish):
                assert next_read_s(held) <= 30.0, (name, cell)
            if name in ("never", "a minute ago"):
                assert isinstance(found, ReadDocument), cell
            if isinstance(found, s.Finish):
                assert next_read_s(found) <= 30.0, cell
    assert ("a moment ago", s.Finish) in seen
    assert ("a moment ago", ReadDocument) in seen


def test_a_document_that_was_read_decides_as_one_in_the_spec() -> None:
    """But for the next look."""
    for cell, step in decided(PIPELINE):
        found = decide(with_document(cell, READ))
        if is_wanted(cell) and isinstance(step, s.Finish) and isinstance(found, s.Finish):
            assert next_read_s(found) <= 60.0, cell
            found = replace(found, again_s=step.again_s, look_s=None)
        assert found == step, cell


def test_without_a_document_what_is_at_aws_stays_as_it_is(subtests: pytest.Subtests) -> None:
    """Users see why, read it once, and what exists stays ready; what is gone is not. What goes, goes."""
    for reason, document in PROBLEMS.items():
        with subtests.test(reason):
            for cell, step in decided(PIPELINE):
                found = decide(with_document(cell, document))
                if not is_wanted(cell):
                    assert found == step, cell
                    continue
                assert isinstance(found, s.Finish), cell
                assert not list(unknown(PIPELINE, found))
                assert found.again_s == 5.0
                assert found.recorded == cell.base.recorded
                assert found.status_update is not None
                assert (found.status_update.reason, found.status_update.synced) == (reason, reason)
                if cell.base.recorded is not None:
                    is_gone = cell.base.external is ABSENT and not may_be_invisible(cell.base, cell.base.recorded)
                    phases = {s.Phase.WORKING, s.Phase.STUCK} if is_gone else {s.Phase.TROUBLED, s.Phase.READY_STUCK}
                    assert found.status_update.phase in phases
                assert [each.type for each in found.events] == ["Warning"]
                again = decide(shown(with_document(cell, document), reason))
                assert isinstance(again, s.Finish)
                assert again.events == ()


def test_without_a_document_what_a_lost_answer_left_open_is_found_out() -> None:
    """And recorded, unless it is another's: the status is about to say that nothing may exist."""
    document, seen = PROBLEMS[reasons.DEPENDENCY_MISSING], set()
    for cell, _ in decided(PIPELINE):
        base = cell.base
        if not is_wanted(cell) or base.recorded is not None:
            continue
        doubt = {**base.reasons, reasons.RECONCILING: reasons.CREATION_UNCONFIRMED}
        found = decide(with_document(cell.with_base(replace(base, reasons=doubt)), document))
        assert not isinstance(found, CHANGES)
        seen.add(type(found))
        if isinstance(found, s.Finish):
            is_there = isinstance(base.external, o.ExternalResource)
            is_theirs = base.owner is o.Ownership.FOREIGN and base.policy.adoption is o.Adoption.REFUSE
            assert base.external is not None, cell
            assert (found.recorded is not None) is (is_there and not is_theirs), cell
    assert seen == {s.Describe, s.VerifyOwner, s.Finish}


def shown(cell: InPlaceObservation, reason: str) -> InPlaceObservation:
    """The same object once its status shows this."""
    conditions = dict.fromkeys((reasons.SYNCED, reasons.RECONCILING, reasons.STALLED), reason)
    return cell.with_base(replace(cell.base, reasons={**cell.base.reasons, **conditions}))


def test_what_lacks_its_document_and_says_so_waits_for_the_next_read() -> None:
    """Whatever else enqueues it, unless a look is asked for."""
    lacking = UNREAD["in vain"]
    for cell, _ in decided(PIPELINE):
        if not is_wanted(cell) or isinstance(cell.base.external, o.ExternalResource):
            continue
        waits = shown(with_document(cell, lacking), reasons.DEPENDENCY_MISSING)
        assert decide(waits) == s.Finish(again_s=30.0, follow=True), cell
        if cell.base.external is None:
            asked = waits.with_base(replace(waits.base, is_reconcile_requested=True, is_describe_due=True))
            assert isinstance(decide(asked), ReadDocument), cell


def test_a_refusal_of_aws_leaves_the_document_to_be_read_on() -> None:
    """Another one may be accepted; without a ConfigMap nothing changes without the object."""
    failure = o.Failure(o.During.UPDATE, ErrorClass.INVALID, "ValidationException", "no such step")
    for cell, _ in decided(PIPELINE):
        if is_wanted(cell):
            refused = cell.with_base(replace(cell.base, failure=failure))
            plain, sourced = decide(refused), decide(with_document(refused, READ))
            assert isinstance(plain, s.Finish)
            assert isinstance(sourced, s.Finish)
            assert (plain.outcome, plain.look_s) == (s.Outcome.TERMINAL, None)
            assert (sourced.outcome, sourced.look_s) == (s.Outcome.TERMINAL, 60.0)
