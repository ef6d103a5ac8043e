"""From a status update to `status`: conditions, stable times, and writes only for news."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.v1 import TRAINING_JOB
from controller.reconcile.observation import Recorded
from controller.reconcile.status.patch import (
    Facts,
    conditions,
    merge_patch,
    next_status,
    parse_time,
    recorded_in,
    rfc3339,
    status_patch,
)
from controller.reconcile.steps import Phase, StatusUpdate
from tests.fakes.cluster import _merge
from tests.tables import each_row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
RECORDED = Recorded("job", "us-east-2", "aws", "arn:x", "123456789012", NOW)


def shown(status_update: StatusUpdate, old: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """The status after an update."""
    return next_status(TRAINING_JOB, old or {}, status_update, Facts(3, facts.pop("now", NOW), **facts))


def states(status: dict[str, Any]) -> dict[str, str]:
    """Status by type of condition."""
    return {each["type"]: each["status"] for each in status["conditions"]}


WORKING = StatusUpdate(Phase.WORKING, "InProgress", "Training", value="InProgress", secondary="Training")
DONE = StatusUpdate(Phase.DONE, "Completed", value="Completed")
ENDED = StatusUpdate(Phase.ENDED, "Failed", "out of memory", value="Failed", additional="out of memory")
STUCK = StatusUpdate(
    Phase.STUCK, "InvalidSpec", "no", value="ReconcilingTrainingJob", additional="no", synced="InvalidSpec"
)
TROUBLED = StatusUpdate(Phase.TROUBLED, "AWSUnavailable", "503", additional="503", synced="AWSError")


@each_row(
    ("status_update", "expected"),
    [
        (WORKING, {"Ready": "False", "Synced": "True", "Reconciling": "True", "Stalled": "False"}),
        (DONE, {"Ready": "True", "Synced": "True", "Reconciling": "False", "Stalled": "False", "Complete": "True"}),
        (ENDED, {"Ready": "False", "Synced": "True", "Reconciling": "False", "Stalled": "True", "Failed": "True"}),
        (STUCK, {"Ready": "False", "Synced": "False", "Reconciling": "False", "Stalled": "True"}),
        (TROUBLED, {"Ready": "False", "Synced": "False", "Reconciling": "True", "Stalled": "False"}),
    ],
    ids=lambda value: value.phase.value if isinstance(value, StatusUpdate) else "",
)
def test_each_phase_has_its_conditions(status_update: StatusUpdate, expected: dict[str, str]) -> None:
    """modern-expectations.md 2: kstatus reads Reconciling and Stalled, kubectl wait reads Ready, Complete, Failed."""
    assert states(shown(status_update)) == expected


def test_trouble_leaves_ready_as_it_was() -> None:
    """Throttled, denied, broken: what AWS said last still holds."""
    before = shown(DONE)
    assert states(shown(TROUBLED, before))["Ready"] == "True"
    assert states(shown(TROUBLED, before))["Complete"] == "True"


def test_transition_times_move_only_with_the_status() -> None:
    """metav1.Condition: a new message is no transition."""
    later = NOW + timedelta(hours=1)
    before = shown(WORKING)
    after = shown(StatusUpdate(Phase.WORKING, "InProgress", "Uploading", value="InProgress"), before, now=later)
    assert {each["lastTransitionTime"] for each in after["conditions"]} == {rfc3339(NOW)}
    done = {each["type"]: each["lastTransitionTime"] for each in shown(DONE, after, now=later)["conditions"]}
    assert done["Ready"] == done["Complete"] == rfc3339(later)
    assert done["Synced"] == rfc3339(NOW)


def test_conditions_of_others_are_kept() -> None:
    """The list is shared; we own our types only."""
    old = {"conditions": [{"type": "Audited", "status": "True"}]}
    assert states(shown(WORKING, old))["Audited"] == "True"


def test_nothing_new_writes_nothing() -> None:
    """D-02, DESIGN 4.8: `lastCheckTime` alone never causes a write."""
    status = shown(WORKING, recorded=RECORDED)
    again = shown(WORKING, status, recorded=RECORDED, now=NOW + timedelta(days=1))
    assert status_patch(status, again, NOW) is None


def test_a_write_carries_the_check_time_and_only_what_changed() -> None:
    """Small patches: lists whole, fields apart."""
    status = shown(WORKING, recorded=RECORDED)
    patch = status_patch(status, {**status, "secondaryStatus": "Uploading"}, NOW)
    assert patch == {"secondaryStatus": "Uploading", "lastCheckTime": rfc3339(NOW)}


def test_additional_is_cleared_when_the_trouble_is_over() -> None:
    """v1-kinds.md 7."""
    troubled = shown(TROUBLED)
    assert troubled["additional"] == "503"
    well = shown(WORKING, troubled)
    assert "additional" not in well
    assert (status_patch(troubled, well, NOW) or {})["additional"] is None


def test_trouble_keeps_the_value_that_aws_gave_and_else_shows_the_operators() -> None:
    """v1-kinds.md 6.1."""
    assert shown(TROUBLED)["trainingJobStatus"] == "ReconcilingTrainingJob"
    assert shown(TROUBLED, shown(WORKING))["trainingJobStatus"] == "InProgress"


def test_a_link_is_written_only_with_a_name() -> None:
    """D-31."""
    assert "cloudWatchLogUrl" not in shown(STUCK)
    assert "sageMakerTrainingJobName" not in shown(STUCK)
    status = shown(WORKING, recorded=RECORDED, log_url="https://console")
    assert (status["cloudWatchLogUrl"], status["sageMakerTrainingJobName"]) == ("https://console", "job")


def test_the_record_survives_a_round_trip() -> None:
    """What is written is read again by the next process."""
    assert recorded_in(shown(WORKING, recorded=RECORDED)) == RECORDED
    assert recorded_in({}) is None


@pytest.mark.parametrize("text", [None, "", "yesterday", 5])
def test_what_is_no_time_is_none(text: object) -> None:
    """Users can write anything into a status that they may edit."""
    assert parse_time(text) is None


VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_patch_turns_the_old_into_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    """RFC 7386, applied by an independent implementation."""
    assert _merge(old, merge_patch(old, new)) == new


@given(st.sampled_from(list(Phase)), st.sampled_from(["InProgress", "Synced"]))
def test_no_condition_appears_twice(phase: Phase, synced: str) -> None:
    """The list is a map by type."""
    types = [each.type for each in conditions(StatusUpdate(phase, "R", synced=synced), ())]
    assert len(types) == len(set(types))
