"""The annotation `last-update-attempt`."""

import json

import pytest

from controller.reconcile.endpoint.last_update import parse, text_of
from controller.reconcile.endpoint.observation import Intent, LastUpdate, PendingUpdate
from tests.tables import each_row

NUMBERS = {"a": (2, 1.0), "serverless": (None, 0.5)}
WHOLE = Intent(
    id="b", retry="x", shape="s", numbers=NUMBERS, since="2030-01-02T03:04:05Z", at="2030-01-02T03:05:00Z",
    configuration="config",
)  # fmt: skip
OF_NUMBERS = Intent(
    id="b", retry="", shape="s", numbers=NUMBERS, since="", at="2030-01-02T03:05:00Z",
    changes={"a": (2, None), "serverless": (None, 0.5)},
)  # fmt: skip


@pytest.mark.parametrize("intent", [None, WHOLE, OF_NUMBERS], ids=["no intent", "configuration", "numbers"])
def test_what_is_recorded_is_read_again(intent: Intent | None) -> None:
    """Nothing is lost between two processes."""
    last_update = LastUpdate(
        id="a", retry="r", shape="s", numbers=NUMBERS, is_of_numbers=True, since="2030-01-02T03:04:05Z", is_served=True,
        serves=NUMBERS, pending_update=PendingUpdate("c", "r"), intent=intent,
    )  # fmt: skip
    assert parse(text_of(last_update)) == last_update


@each_row("text", ["", "no JSON", "[]", json.dumps({"id": "a", "intent": {}}), '{"intent": 1}'])
def test_what_cannot_be_read_counts_as_absent(text: str) -> None:
    """The update is tried again."""
    assert parse(text) == LastUpdate()
