"""Reads and writes what the annotation `last-update-attempt` notes: JSON, of one object. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.meta import JsonObject
from controller.reconcile.shared_decisions import DOUBT_S
from controller.reconcile.status.notes import parsed
from controller.reconcile.status.patch import parse_time


def load(noted: str, uid: str) -> JsonObject:
    """Return the members of a note; none of one that is unreadable, or of another object, of which this is a copy."""
    value: JsonObject = parsed(noted)
    return {} if uid and value.get("uid", uid) != uid else value


def text(value: Mapping[str, Any]) -> str:
    """Return the text that `load` reads."""
    return json.dumps(given(value), separators=(",", ":"))


def given(value: Mapping[str, Any]) -> JsonObject:
    """Return the members that say something: no empty ones."""
    return {name: each for name, each in value.items() if each or (each == 0 and each is not False)}


def open_for_s(at: str, now: datetime) -> float:
    """Return how long a request that was noted at this time may still take effect; 0: no longer, or not known."""
    then = parse_time(at)
    return max(DOUBT_S - max((now - then).total_seconds(), 0.0), 0.0) if then else 0.0
