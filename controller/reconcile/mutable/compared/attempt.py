"""Parses and builds the annotation `last-update-attempt`: what SageMaker was last asked for. Pure.

It is written before the call. What became of it is seen by Describe alone, whether the call was answered or not.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from controller.reconcile.mutable.compared.desired import Desired
from controller.reconcile.mutable.notes import load, text
from controller.reconcile.status.patch import rfc3339


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last creation or update that was requested."""

    id: str = ""
    """Digest of the content; empty: nothing is known."""
    count: int | None = None
    retry: str = ""
    """The value of `reconcile-at` at that time: another value is another attempt."""
    since: str = ""
    """`lastModifiedTime` before it: an answer that shows this time is older than the update. Empty: a creation."""
    at: str = ""
    """When it was recorded, by the operator's clock."""
    number: int = 1
    """How often the same was requested: again where nothing came of it, and AWS gives no reason."""
    is_served: bool = False
    """AWS was seen to have it: from then on, another state is drift."""

    def is_of(self, wanted: Desired, retry: str) -> bool:
        """Return whether it was for the same content, and no other attempt is asked for since."""
        return (self.id, self.count, self.retry) == (wanted.id, wanted.count, retry)


def parse(noted: str, uid: str) -> Attempt:
    """Parse the annotation of the object with this uid; an unreadable one, or another object's, counts as absent."""
    try:
        value = load(noted, uid)
        count = value.get("copies")
        return Attempt(
            id=str(value.get("id", "")),
            count=None if count is None else int(count),
            retry=str(value.get("retry", "")),
            since=str(value.get("since", "")),
            at=str(value.get("at", "")),
            number=int(value.get("number", 1)),
            is_served=bool(value.get("isServed")),
        )
    except (ValueError, TypeError, OverflowError):
        return Attempt()


def text_of(attempt: Attempt, uid: str) -> str:
    """Return the text that `parse` reads."""
    return text(
        {
            "uid": uid,
            "id": attempt.id,
            "copies": attempt.count,
            "retry": attempt.retry,
            "since": attempt.since,
            "at": attempt.at,
            "number": attempt.number,
            "isServed": attempt.is_served,
        }
    )


def next_attempt(last: Attempt, wanted: Desired, *, retry: str, since: str, now: datetime) -> Attempt:
    """Return the record of what is about to be sent."""
    again = last.number + 1 if last.is_of(wanted, retry) and not last.is_served else 1
    return Attempt(wanted.id, wanted.count, retry, since, rfc3339(now), again)


def served(last: Attempt, wanted: Desired, retry: str) -> Attempt:
    """Return the record once AWS is seen to have what is wanted."""
    return replace(last, id=wanted.id, count=wanted.count, retry=retry, is_served=True)
