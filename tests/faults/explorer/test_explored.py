"""All that can happen to an object, in all orders, within bounds (`docs/design/explorer.md`)."""

import json
from collections.abc import Iterator, Mapping

import pytest
import structlog

from controller.reconcile import identity
from controller.reconcile.endpoint import decide
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.scaling.claims import PRIOR_TARGETS
from tests.faults.explorer.explorations import ALL_OF_THEM, Exploration, about_to_update, job, scaling
from tests.faults.explorer.life import Bounds

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def no_logs() -> Iterator[None]:
    """Thousands of passes write more than they compute."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("exploration", [pytest.param(each, id=each.name) for each in ALL_OF_THEM if not each.is_deep])
def test_no_order_of_events_breaks_an_invariant(exploration: Exploration) -> None:
    """Nothing in use is deleted, AWS calls are bounded, and the spec (or the deletion) is reached from everywhere."""
    report = exploration.run()
    print(report)
    assert report.broken is None, str(report)
    assert report.states > 20
    assert report.is_complete or exploration.most_states < report.states


def test_the_explorer_finds_an_operator_that_forgets_what_it_has_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of its kind: an update takes effect, its answer is lost, and the user goes back to the old spec."""
    monkeypatch.setattr(decide, "resolving", lambda observed: None)
    report = Exploration("", about_to_update(Bounds(edits=("A",), faults=1)), most_states=3_000).run()
    assert report.broken is not None
    assert "a live endpoint uses it" in report.broken.what
    assert any("update, takes effect, and its answer is lost" in each for each in report.broken.trace)
    assert "the user applies A" in report.broken.trace


def test_the_explorer_finds_an_operator_that_takes_its_own_clock_for_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others have created their job within the two seconds by which clocks may differ: it was stopped."""
    monkeypatch.setattr(identity, "is_assumed", lambda observed: False)
    report = Exploration("", job("given", Bounds(is_deletable=True, takes=1))).run()
    assert report.broken is not None
    assert report.broken.what == "the job of others was touched"
    assert "others delete the job, and create theirs" in report.broken.trace


def test_the_explorer_finds_an_operator_that_drops_the_note_of_a_released_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The answer to the note is lost, and the next pass takes the target of others for one of its own."""
    annotate = ManagedObject.annotate

    def forgetful(managed: ManagedObject, annotations: Mapping[str, str | None]) -> None:
        noted = json.loads(annotations.get(PRIOR_TARGETS) or "{}")
        kept = {each: settings for each, settings in noted.items() if settings is not None}
        changes = {PRIOR_TARGETS: json.dumps(kept)} if PRIOR_TARGETS in annotations else {}
        annotate(managed, {**annotations, **changes})

    monkeypatch.setattr(ManagedObject, "annotate", forgetful)
    report = Exploration("", scaling(Bounds(edits=("B", "A"), faults=1))).run()
    assert report.broken is not None
    assert report.broken.what == "the target that others have registered is gone"
    assert any("annotate, takes effect, and its answer is lost" in each for each in report.broken.trace)
