"""What a policy object notes about variants: which it has claimed, what it has put there, what was there before. Pure.

Annotations, because the status of v1 has no place for it. A policy or a target that AWS dates otherwise than is noted
was removed and put there by others: scaling policies have no tags that could tell.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from api.annotations import CLAIMED_VARIANTS, FOUND_TARGETS
from api.meta import JsonObject
from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.reconcile.identity import is_same_creation
from controller.reconcile.status.copies import are_claims_of_another, own_status
from controller.reconcile.status.notes import note_of, parsed
from controller.reconcile.status.patch import parse_time, rfc3339_ms

PRIOR_TARGETS: Final = FOUND_TARGETS.key
"""Annotation: JSON object of the variants that had a target before this object, which does not deregister it. With
the settings to put back, for those that the object has taken over; null for those that it shares and does not change.
A list in earlier versions, which kept no settings."""
CLAIMED: Final = CLAIMED_VARIANTS.key
"""Annotation: JSON object of the object's uid and the variants that it has claimed, with AWS's creation times of what
it has put there. It repeats the status, so that an emptied status does not make what the operator has applied look like
the work of others. A copy of the object has another uid, and has claimed nothing.
"""

_KEPT: Final = ("MinCapacity", "MaxCapacity", "SuspendedState")
"""Members of a target's description that RegisterScalableTarget can put back."""


@dataclass(frozen=True, slots=True)
class Claim:
    """When AWS created what the object has put on a variant; None: not seen yet."""

    policy: datetime | None = None
    target: datetime | None = None

    def seeing(self, policy: Mapping[str, Any] | None, target: Mapping[str, Any] | None) -> "Claim":
        """Return the claim after AWS has shown what is there; None: nothing is, and what comes next is the object's."""
        return Claim(_seen(self.policy, policy), _seen(self.target, target))


Claims = Mapping[str, Claim]
Prior = Mapping[str, Mapping[str, Any] | None]


def recorded_ids(obj: JsonObject) -> tuple[str, ...]:
    """Return the variants on which the object may have put its policy: from its status, else its annotation."""
    if recorded := own_status(HOSTING_AUTOSCALING_POLICY, obj).get("resourceIDList"):
        return tuple(str(each) for each in recorded)
    return tuple(claims_of(obj))


def claims_of(obj: JsonObject) -> dict[str, Claim]:
    """Return the claims that are noted, by resource id."""
    noted = parsed(note_of(obj, CLAIMED_VARIANTS)).get(obj["metadata"]["uid"])
    if isinstance(noted, list):  # of an earlier version
        return {str(each): Claim() for each in noted}
    if not isinstance(noted, dict):
        return {}
    return {
        str(each): Claim(parse_time(times.get("policy")), parse_time(times.get("target")))
        for each, times in noted.items()
        if isinstance(times, dict)
    }


def text_of(obj: JsonObject, claims: Claims) -> str:
    """Return the text of the annotation `CLAIMED`."""
    noted = {
        each: {name: rfc3339_ms(time) for name, time in (("policy", claim.policy), ("target", claim.target)) if time}
        for each, claim in sorted(claims.items())
    }
    return json.dumps({obj["metadata"]["uid"]: noted})


def prior_targets(obj: JsonObject) -> dict[str, Mapping[str, Any] | None]:
    """Return the variants that were targets before, with the settings to put back."""
    noted = {} if are_claims_of_another(obj) else parsed(note_of(obj, FOUND_TARGETS), list)
    if isinstance(noted, list):
        return {str(each): {} for each in noted}
    return {str(each): kept if isinstance(kept, dict) else None for each, kept in noted.items()}


def settings_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to put back of a target that AWS describes."""
    return {member: target[member] for member in _KEPT if member in target}


def bounds_of(target: Mapping[str, Any]) -> str:
    """Return the bounds of a target that AWS describes, in words."""
    return f"{target.get('MinCapacity')} to {target.get('MaxCapacity')}"


def is_replaced(known: datetime | None, there: Mapping[str, Any]) -> bool:
    """Return whether others have put there what AWS describes: it is dated otherwise than noted."""
    created = there.get("CreationTime")
    return known is not None and isinstance(created, datetime) and not is_same_creation(created, known)


def without(claims: Claims, ids: Collection[str]) -> dict[str, Claim]:
    """Return the claims without these variants."""
    return {each: claim for each, claim in claims.items() if each not in ids}


def with_new(claims: Claims, ids: Iterable[str]) -> dict[str, Claim]:
    """Return the claims with these variants."""
    return {**dict.fromkeys(ids, Claim()), **claims}


def forgetting_targets(claims: Claims, ids: Collection[str]) -> dict[str, Claim]:
    """Return the claims without the times of these targets, which are not the object's."""
    return {each: replace(claim, target=None) if each in ids else claim for each, claim in claims.items()}


def _seen(known: datetime | None, there: Mapping[str, Any] | None) -> datetime | None:
    created = None if there is None else there.get("CreationTime")
    if not isinstance(created, datetime):
        return None
    return created if known is None else known
