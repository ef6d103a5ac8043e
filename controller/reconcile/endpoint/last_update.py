"""Parses and writes the annotation `last-update-attempt`: what SageMaker was last asked to serve. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from api.meta import JsonObject
from controller.reconcile.endpoint.observation import LastUpdate, PendingUpdate


def parse(text: str) -> LastUpdate:
    """Parse the annotation; an unreadable text counts as absent, so that the update is tried again."""
    try:
        last_update = json.loads(text or "{}")
        pending_update = last_update.get("awaits")
        return LastUpdate(
            id=str(last_update.get("id", "")),
            retry=str(last_update.get("retry", "")),
            shape=str(last_update.get("shape", "")),
            numbers=_numbers(last_update.get("numbers", {})),
            is_of_numbers=bool(last_update.get("isOfNumbers")),
            since=str(last_update.get("since", "")),
            is_served=bool(last_update.get("isServed")),
            serves=_numbers(last_update.get("serves", {})),
            pending_update=None
            if pending_update is None
            else PendingUpdate(str(pending_update["id"]), str(pending_update["retry"])),
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return LastUpdate()


def text_of(last_update: LastUpdate) -> str:
    """Return the text that `parse` reads."""
    pending_update = last_update.pending_update
    value: JsonObject = {
        "id": last_update.id,
        "retry": last_update.retry,
        "shape": last_update.shape,
        "numbers": dict(last_update.numbers),
        "isOfNumbers": last_update.is_of_numbers,
        "since": last_update.since,
        "isServed": last_update.is_served,
        "serves": dict(last_update.serves),
        "awaits": None if pending_update is None else {"id": pending_update.id, "retry": pending_update.retry},
    }
    return json.dumps({name: each for name, each in value.items() if each}, separators=(",", ":"))


def _numbers(given: Mapping[str, Any]) -> dict[str, tuple[int | None, float]]:
    return {str(name): (count, float(weight)) for name, (count, weight) in given.items()}
