"""Parses, builds and writes the annotation `last-update-attempt`: what SageMaker was last asked to serve. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from api.meta import JsonObject
from controller.reconcile.endpoint.desired import Desired
from controller.reconcile.endpoint.drift import aimed_at, overlaid
from controller.reconcile.endpoint.observation import EndpointObservation, Intent, LastUpdate, Numbers, PendingUpdate
from controller.reconcile.hosting import INTENT
from controller.reconcile.mutable.notes import given, load, text
from controller.reconcile.status.patch import rfc3339


def parse(noted: str, uid: str = "") -> LastUpdate:
    """Parse the annotation of the object with this uid.

    An unreadable text, or one of an object that this one is a copy of, counts as absent: the update is tried again.
    """
    try:
        last_update = load(noted, uid)
        pending_update, intent = last_update.get("awaits"), last_update.get(INTENT)
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
            intent=None if intent is None else _intent(intent),
        )
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
        return LastUpdate()


def text_of(last_update: LastUpdate, uid: str = "") -> str:
    """Return the text that `parse` reads."""
    pending_update, intent = last_update.pending_update, last_update.intent
    value: JsonObject = {
        "uid": uid,
        "id": last_update.id,
        "retry": last_update.retry,
        "shape": last_update.shape,
        "numbers": dict(last_update.numbers),
        "isOfNumbers": last_update.is_of_numbers,
        "since": last_update.since,
        "isServed": last_update.is_served,
        "serves": dict(last_update.serves),
        "awaits": None if pending_update is None else {"id": pending_update.id, "retry": pending_update.retry},
        INTENT: None if intent is None else given(asdict(intent)),
    }
    return text(value)


def intent_of(observed: EndpointObservation, configuration: str, changes: Numbers) -> Intent:
    """Return the intent to create the endpoint with, or switch it to, a configuration, or to change numbers."""
    wanted = _desired(observed)
    return Intent(
        id=wanted.spec_digest,
        retry=wanted.retry,
        shape=wanted.shape,
        numbers=wanted.numbers,
        since=observed.fields.get("lastModifiedTime", ""),
        at=rfc3339(observed.base.now),
        configuration=configuration,
        changes=changes,
    )


def resolved_by(last_update: LastUpdate, *, took_effect: bool) -> LastUpdate:
    """Return the record without its intent: as the last update, if it took effect or was accepted.

    Numbers that were not to change stay as they were.
    """
    intent = last_update.intent
    if intent is None or not took_effect:
        return replace(last_update, intent=None)
    return LastUpdate(
        id=intent.id,
        retry=intent.retry,
        shape=intent.shape,
        numbers=intent.numbers,
        is_of_numbers=not intent.configuration,
        since=intent.since,
        serves={} if intent.configuration else overlaid(last_update.serves, intent.changes),
    )


def served(observed: EndpointObservation) -> LastUpdate:
    """Return that the update is complete, and the numbers that AWS aims at; later changes are drift."""
    wanted = _desired(observed)
    return LastUpdate(
        id=wanted.spec_digest,
        retry=wanted.retry,
        shape=wanted.shape,
        numbers=wanted.numbers,
        is_of_numbers=observed.last_update.is_of_numbers,
        since=observed.last_update.since,
        is_served=True,
        serves=observed.last_update.serves or aimed_at(observed.fields),
    )


def pending(observed: EndpointObservation) -> LastUpdate:
    """Return that a changed spec waits for approval."""
    wanted = _desired(observed)
    return replace(observed.last_update, pending_update=PendingUpdate(wanted.spec_digest, wanted.retry))


def _desired(observed: EndpointObservation) -> Desired:
    assert observed.desired is not None  # noqa: S101 (deletions record nothing)
    return observed.desired


def _intent(noted: Mapping[str, Any]) -> Intent:
    return Intent(
        id=str(noted["id"]),
        retry=str(noted.get("retry", "")),
        shape=str(noted.get("shape", "")),
        numbers=_numbers(noted.get("numbers", {})),
        since=str(noted.get("since", "")),
        at=str(noted.get("at", "")),
        configuration=str(noted.get("configuration", "")),
        changes=_changes(noted.get("changes", {})),
    )


def _changes(given: Mapping[str, Any]) -> Numbers:
    return {str(name): (count, None if weight is None else float(weight)) for name, (count, weight) in given.items()}


def _numbers(given: Mapping[str, Any]) -> dict[str, tuple[int | None, float]]:
    return {str(name): (count, float(weight)) for name, (count, weight) in given.items()}
