"""Keeps in the status, too, what the operator notes about an object in annotations. Pure.

`kubectl replace`, and Argo CD with `Replace=true`, remove the annotations that the user's file does not have, and keep
the status; edits and backups may lose the status. Each record stands in for the other.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from api.annotations import CLAIMED_VARIANTS, FOUND_TARGETS, LAST_UPDATE_ATTEMPT, Annotation
from api.descriptor import LifeCycle
from api.meta import JsonObject

NOTES: Final = "notes"
"""Field of the status."""

_FIELDS: Final[Mapping[str, str]] = {
    CLAIMED_VARIANTS.key: "claimedVariants",
    FOUND_TARGETS.key: "foundTargets",
    LAST_UPDATE_ATTEMPT.key: "lastUpdateAttempt",
}
"""The fields of `status.notes`, by annotation. Models and configurations note names, which their status has anyway."""
NOTED: Final[Mapping[LifeCycle, tuple[Annotation[str], ...]]] = {
    LifeCycle.ENDPOINT: (LAST_UPDATE_ATTEMPT,),
    LifeCycle.COMPONENT: (LAST_UPDATE_ATTEMPT,),
    LifeCycle.SCALING: (CLAIMED_VARIANTS, FOUND_TARGETS),
}
"""The annotations that are kept in the status, too, by the life-cycles that have any."""


def note_of(obj: Mapping[str, Any], annotation: Annotation[str]) -> str:
    """Return the text of a note: of the annotation, which is written first, else of the status; empty without both."""
    text = (obj["metadata"].get("annotations") or {}).get(annotation.key)
    if text is None:
        text = ((obj.get("status") or {}).get(NOTES) or {}).get(_FIELDS[annotation.key])
    return text or ""


def parsed(text: str | None, *others: type) -> Any:
    """Return the JSON object of a note, or what else of these types it is; of anything else, an empty object.

    Every user who may edit an object can write its notes, and passes of other objects read them.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):  # deep nesting takes few bytes
        return {}
    return value if isinstance(value, (dict, *others)) else {}


def notes_of(life_cycle: LifeCycle, obj: Mapping[str, Any]) -> JsonObject:
    """Return `status.notes` of an object of a life-cycle that has any."""
    noted = {_FIELDS[each.key]: note_of(obj, each) for each in NOTED[life_cycle]}
    return {field: text for field, text in noted.items() if text}
