"""Every combination that the decision about what is updated in place may see, and what holds in all of them."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import pytest

from api.descriptor import KindDescriptor
from api.v1 import MODEL_PACKAGE, PIPELINE
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.drift.report import Difference
from controller.reconcile.in_place import decide as in_place
from controller.reconcile.in_place.observation import InPlaceObservation, InPlaceStep, Update
from controller.reconcile.passes.reconciler import next_step
from controller.runtime.errors import ABSENT
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
