"""The annotation `last-update-attempt` as a value and as text: what SageMaker was last asked to serve. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from api.meta import JsonObject
from controller.reconcile.endpoint.observation import Attempt, Wish


def parse(text: str) -> Attempt:
    """The attempt that a text stands for; a text that somebody has spoilt counts as none: an update is tried again."""
    try:
        attempt = json.loads(text or "{}")
        awaits = attempt.get("awaits")
        return Attempt(
            id=str(attempt.get("id", "")),
            retry=str(attempt.get("retry", "")),
            shape=str(attempt.get("shape", "")),
            numbers=_numbers(attempt.get("numbers", {})),
            is_of_numbers=bool(attempt.get("isOfNumbers")),
            since=str(attempt.get("since", "")),
            is_served=bool(attempt.get("isServed")),
            serves=_numbers(attempt.get("serves", {})),
            awaits=None if awaits is None else Wish(str(awaits["id"]), str(awaits["retry"])),
        )
    except (ValueError, TypeError, AttributeError, KeyError):
        return Attempt()


def text_of(attempt: Attempt) -> str:
    """The text that `parse` reads."""
    awaits = attempt.awaits
    value: JsonObject = {
        "id": attempt.id,
        "retry": attempt.retry,
        "shape": attempt.shape,
        "numbers": dict(attempt.numbers),
        "isOfNumbers": attempt.is_of_numbers,
        "since": attempt.since,
        "isServed": attempt.is_served,
        "serves": dict(attempt.serves),
        "awaits": None if awaits is None else {"id": awaits.id, "retry": awaits.retry},
    }
    return json.dumps({name: each for name, each in value.items() if each}, separators=(",", ":"))


def _numbers(given: Mapping[str, Any]) -> dict[str, tuple[int | None, float]]:
    return {str(name): (count, float(weight)) for name, (count, weight) in given.items()}
