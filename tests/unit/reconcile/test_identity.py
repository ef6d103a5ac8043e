"""Whose a resource is, by what is recorded and what AWS answers: name and creation time, then tags."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api.v1 import TRAINING_JOB
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.endpoint.observation import Update
from controller.reconcile.identity import confirmed, identified, is_contradicted, is_replaced, unproven
from controller.reconcile.mutable.observation import UpdateStep
from controller.runtime.errors import ABSENT
from tests.tables import each_row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
THEN = NOW - timedelta(hours=1)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job"


def observed(recorded: o.Recorded | None, external: o.External, **changes: object) -> o.Observed:
    """An object that runs, with this record and this answer."""
    base = o.Observed(
        descriptor=TRAINING_JOB,
        name="job",
        is_name_generated=False,
        is_name_persisted=True,
        has_finalizer=True,
        generation=1,
        now=NOW,
        recorded=recorded,
        is_recorded_in_status=recorded is not None,
        external=external,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def answer(created_at: datetime | None, *, is_fresh: bool = True) -> o.ExternalResource:
    """A Describe answer, or a line of a List."""
    source = o.Source.DESCRIPTION if is_fresh else o.Source.SUMMARY
    return o.ExternalResource(source, "InProgress", arn=ARN, created_at=created_at)


BY_AWS = o.Recorded("job", "us-east-2", "aws", ARN, created_at=THEN - timedelta(minutes=9), creation_time=THEN)
BY_US = o.Recorded("job", "us-east-2", "aws", ARN, created_at=THEN)
UNDATED = o.Recorded("job", "us-east-2", "aws", ARN)
FRACTION = replace(BY_AWS, creation_time=THEN + timedelta(milliseconds=250))
RECORDS = {"AWS's time": BY_AWS, "AWS's fraction": FRACTION, "our time": BY_US, "no time": UNDATED}


@each_row(
    ("record", "late", "is_same"),
    [
        pytest.param("AWS's time", timedelta(0), True, id="the same"),
        pytest.param("AWS's time", timedelta(milliseconds=999), True, id="rounded by one operation, not by the other"),
        pytest.param("AWS's time", timedelta(milliseconds=-999), True, id="the other way round"),
        pytest.param("AWS's time", timedelta(milliseconds=1001), False, id="created since"),
        pytest.param("AWS's fraction", timedelta(milliseconds=1), True, id="rounded to a millisecond"),
        pytest.param("AWS's fraction", timedelta(milliseconds=-250), True, id="rounded to a second"),
        pytest.param("AWS's fraction", timedelta(milliseconds=400), False, id="created within the same second"),
        pytest.param("AWS's time", timedelta(seconds=-2), False, id="created before"),
        pytest.param("our time", timedelta(seconds=-50), True, id="the Create was answered late"),
        pytest.param("our time", timedelta(seconds=1.9), True, id="our clock is a little behind"),
        pytest.param("our time", timedelta(seconds=3), False, id="our clock is behind, or others have replaced it"),
        pytest.param("our time", timedelta(minutes=-2), False, id="a late answer about an earlier resource"),
        pytest.param("no time", timedelta(0), False, id="nothing recorded"),
    ],
)
def test_the_creation_time_identifies_a_resource_within_what_clocks_and_roundings_allow(
    record: str, late: timedelta, is_same: bool
) -> None:
    """Where it does not, the tags are asked for, on a fresh answer; a list is not enough to ask about."""
    since = RECORDS[record].creation_time or THEN
    there = answer(since + late)
    assert unproven(observed(RECORDS[record], there)) == (None if is_same else s.VerifyOwner(ARN))
    listed = answer(since + late, is_fresh=False)
    assert unproven(observed(RECORDS[record], listed)) == (None if is_same else s.Describe(background=True))
    theirs = observed(RECORDS[record], there, owner=o.Ownership.FOREIGN)
    is_proved = is_same and RECORDS[record].creation_time is not None
    assert is_replaced(theirs) is not is_proved, "another clock proves nothing against the tags"


@pytest.mark.parametrize("record", RECORDS)
def test_an_answer_without_a_creation_time_leaves_it_to_the_tags(record: str) -> None:
    """A proxy may leave members out; nothing is done on the word of an event anyway, which has no time."""
    assert unproven(observed(RECORDS[record], answer(None, is_fresh=False))) is None
    assert unproven(observed(RECORDS[record], answer(None))) == s.VerifyOwner(ARN)
    assert not is_contradicted(observed(RECORDS[record], answer(None)))


@pytest.mark.parametrize(
    ("late", "is_same"), [(timedelta(minutes=4), True), (timedelta(minutes=-90), True), (timedelta(minutes=6), False)]
)
def test_without_owner_tags_clocks_get_the_benefit_of_the_doubt(late: timedelta, is_same: bool) -> None:
    """Nothing else could decide; AWS takes no calls from clocks that are further off."""
    seen = observed(BY_US, answer(THEN + late), has_owner_tags=False)
    assert (unproven(seen) is None) is is_same


@each_row("owner", list(o.Ownership))
@each_row("external", [None, ABSENT], ids=["not asked", "absent"])
def test_what_is_not_there_is_nobodys(owner: o.Ownership, external: o.External) -> None:
    """It is created, or missed, as if there had been no other."""
    seen = observed(BY_AWS, external, owner=owner)
    assert unproven(seen) is None
    assert not is_replaced(seen)


WINDOW = o.CreationWindow(THEN)


@each_row(
    ("window", "created_at", "is_same"),
    [
        (None, NOW, True),
        (WINDOW, None, True),
        (WINDOW, THEN - timedelta(days=9), True),
        (WINDOW, THEN + timedelta(seconds=1), False),
        (o.CreationWindow(THEN, THEN), THEN - timedelta(seconds=1), False),
    ],
)
def test_what_the_predecessor_names_is_ours_unless_its_status_shows_another_time(
    window: o.CreationWindow | None, created_at: datetime | None, is_same: bool
) -> None:
    """It put no tags and recorded no identity."""
    seen = observed(None, answer(created_at), is_legacy=True, legacy_created=window)
    assert (unproven(seen) is None) is is_same
    assert is_replaced(replace(seen, owner=o.Ownership.FOREIGN)) is not is_same


CHANGES = [s.Stop(), s.Delete("job"), s.PutTags(), s.DropTags(("key",)), Update(), Update({"a": (1, None)})]
"""Each step that changes or deletes what exists."""


@each_row("change", CHANGES, ids=lambda each: type(each).__name__)
@each_row(
    "external",
    [
        pytest.param(None, id="not asked"),
        pytest.param(answer(THEN, is_fresh=False), id="listed"),
        pytest.param(replace(answer(THEN), is_completed=True), id="listed, completed from the status"),
    ],
)
def test_nothing_is_changed_but_after_a_describe_of_the_same_pass(change: s.ChangeStep, external: o.External) -> None:
    """A List may be minutes late: since then the name may have changed hands."""
    assert identified(observed(BY_AWS, external), change) == s.Describe()
    assert identified(observed(BY_AWS, answer(THEN)), change) is change


@each_row("change", CHANGES, ids=lambda each: type(each).__name__)
@each_row("record", [BY_US, UNDATED, replace(BY_AWS, is_unverified=True)], ids=["ours", "none", "fits"])
def test_nothing_is_changed_before_tags_were_read_where_only_another_clock_speaks_for_it(
    change: s.ChangeStep, record: o.Recorded
) -> None:
    """Once: what was read is recorded. Without the right to read them, and without owner tags, the time has to do."""
    there = answer(THEN)
    assert identified(observed(record, there), change) == s.VerifyOwner(ARN)
    assert identified(observed(record, there, owner=o.Ownership.OURS), change) is change
    assert identified(observed(record, there, are_tags_unreadable=True), change) is change
    assert identified(observed(record, there, has_owner_tags=False), change) is change
    proved = confirmed(observed(record, there, owner=o.Ownership.OURS), record)
    assert identified(observed(proved, there), change) is change


def test_theirs_that_fits_is_not_shown_again_once_the_tags_were_read() -> None:
    """The condition remembers it across a restart."""
    shown = {"Stalled": "ForeignResource"}
    assert unproven(observed(BY_US, answer(THEN), reasons=shown)) == s.VerifyOwner(ARN)
    assert unproven(observed(BY_AWS, answer(THEN), reasons=shown)) is None


def test_every_step_that_changes_a_resource_is_guarded() -> None:
    """Creations apart, whose names are taken or not."""
    steps = [*s.ChangeStep.__subclasses__(), *UpdateStep.__subclasses__()]
    guarded = {each.__name__ for each in steps} - {UpdateStep.__name__}
    assert guarded == {"Stop", "UpdateJob", "Delete", "PutTags", "DropTags", "Update"}


@each_row(
    ("record", "created_at", "owner", "recorded"),
    [
        pytest.param(BY_US, THEN, o.Ownership.UNKNOWN, THEN, id="seen for the first time"),
        pytest.param(BY_US, THEN + timedelta(minutes=1), o.Ownership.OURS, THEN + timedelta(minutes=1), id="by tags"),
        pytest.param(
            BY_AWS, THEN + timedelta(milliseconds=400), o.Ownership.UNKNOWN, THEN, id="no write for roundings"
        ),
        pytest.param(BY_AWS, NOW, o.Ownership.FOREIGN, THEN, id="theirs"),
        pytest.param(BY_AWS, NOW, o.Ownership.OURS, NOW, id="ours, created again"),
        pytest.param(BY_US, None, o.Ownership.UNKNOWN, None, id="no time"),
    ],
)
def test_awss_time_is_recorded_of_what_is_ours(
    record: o.Recorded, created_at: datetime | None, owner: o.Ownership, recorded: datetime | None
) -> None:
    """Once, from the first answer that shows it."""
    seen = observed(record, answer(created_at), owner=owner)
    after = confirmed(seen, record)
    assert after is not None
    assert after.creation_time == recorded
    is_new = record.creation_time is None and recorded is not None
    assert after.is_unverified is (is_new and owner is not o.Ownership.OURS)
