"""Recognises what was noted for another object: copies of objects, and backups that were restored. Pure.

Annotations are copied with an object, and a backup brings its status along; its uid is another one then. Where a note
has no uid, because an earlier version has written it, times tell: no object has recorded anything before it existed.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from api.annotations import CLAIMED_VARIANTS, CREATED_NAMES
from api.descriptor import KindDescriptor, LifeCycle
from api.meta import JsonObject
from controller.reconcile.observation import Recorded
from controller.reconcile.status.notes import note_of, parsed
from controller.reconcile.status.patch import parse_time, recorded_in

SKEW: Final = timedelta(minutes=5)
"""How far clocks may differ: AWS takes no calls from clocks that differ by more (SigV4)."""
_OF: Final = " of "
_NO_STATUS: Final[Mapping[str, Any]] = {}


def has_uid(name: str, metadata: Mapping[str, Any]) -> bool:
    """Return whether a name at AWS was generated for the object with this metadata: it has the uid in it."""
    return str(metadata.get("uid") or "-").replace("-", "") in name


def own_status(descriptor: KindDescriptor, obj: JsonObject) -> Mapping[str, Any]:
    """Return the status of an object; empty if all of it is about another object's resource.

    Models and configurations have no names but generated ones, so that a name, or a claim, is the proof. Scaling
    policies have no tags. Of jobs and endpoints the status is kept: it may be history, and tags decide before anything
    is done.
    """
    status: Mapping[str, Any] = obj.get("status") or _NO_STATUS
    match descriptor.life_cycle:
        case LifeCycle.RESOURCE:
            name = status.get(descriptor.name.status_field) or (status.get("awsResource") or {}).get("name") or ""
            is_own = not name or has_uid(str(name), obj["metadata"]) or str(name) in own_claims(obj["metadata"])
            return status if is_own else _NO_STATUS
        case LifeCycle.SCALING:
            return _NO_STATUS if are_claims_of_another(obj) else status
        case _:
            return status


def own_claims(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the content by name of the annotation `created-names`: what may exist at AWS for this very object.

    A name was generated for the object, with its uid in it, or was taken over from another child of its deployment:
    then the uid stands behind the content. An unreadable annotation counts as absent.
    """
    text, uid = (metadata.get("annotations") or {}).get(CREATED_NAMES.key), metadata.get("uid")
    own = {}
    for name, noted in parsed(text).items():
        content, _, owner = str(noted).partition(_OF)
        if has_uid(str(name), metadata) or owner == uid:
            own[str(name)] = content
    return own


def is_taken_over(metadata: Mapping[str, Any], name: str) -> bool:
    """Return whether an object has taken over the resource `name` from another child: until it is tagged again, the
    tags are those of the child with its uid in the name.
    """
    return name in own_claims(metadata) and not has_uid(name, metadata)


def claims_text(metadata: Mapping[str, Any], claims: Mapping[str, str]) -> str:
    """Return the text that `own_claims` reads."""
    noted = {
        name: content if has_uid(name, metadata) else f"{content}{_OF}{metadata['uid']}"
        for name, content in claims.items()
    }
    return json.dumps(noted, separators=(",", ":"))


def are_claims_of_another(policy: JsonObject) -> bool:
    """Return whether what an autoscaling policy notes about variants was noted for an object with another uid."""
    metadata = policy["metadata"]
    if _is_of_another(metadata, recorded_in(policy.get("status") or {})):
        return True
    noted = parsed(note_of(policy, CLAIMED_VARIANTS))
    return bool(noted) and metadata["uid"] not in noted


def is_copied(metadata: Mapping[str, Any], recorded: Recorded) -> bool:
    """Return whether what a status records may be the resource of another object: only tags prove the contrary."""
    if recorded.owner_uid:
        return _is_of_another(metadata, recorded)
    return not has_uid(recorded.name, metadata) and is_older(metadata, recorded.creation_time or recorded.created_at)


def is_older(metadata: Mapping[str, Any], created_at: datetime | None) -> bool:
    """Return whether a resource was there before the object."""
    begins = begins_at(metadata)
    return created_at is not None and begins is not None and created_at < begins


def begins_at(metadata: Mapping[str, Any]) -> datetime | None:
    """Return when the object can have created something at the earliest, as clocks may differ; None: not known."""
    stamp = metadata.get("creationTimestamp")
    created_at = parse_time(stamp) if stamp else None
    return None if created_at is None else created_at - SKEW


def _is_of_another(metadata: Mapping[str, Any], recorded: Recorded | None) -> bool:
    """Return whether a status was recorded for an object with another uid."""
    return recorded is not None and recorded.owner_uid not in {"", metadata["uid"]}
