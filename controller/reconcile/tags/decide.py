"""Tags on what is there already: put on what an object adopts, and changed with `spec.tags`. Pure.

What was put is kept in `status.awsResource`, beside the identity that it was put on: as a digest, and with the keys
that came from the spec. So nothing is asked of AWS while nothing changes, a key that vanishes from the spec is taken
off, and what others have put there never is. An annotation would do as well and cost every object a write of its own.
Where the note is lost, tags are put once more, and none are taken off.

Left alone: jobs that have ended, which nobody can stop any more, and jobs that a tuning job has launched, whose tags
name the tuning job (AWS copies them).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from api.meta import GROUP
from controller.aws.ownership_tags import Owner, merged_tags
from controller.reconcile.plan import DropTags, Observed, PutTags, Recorded, Tagging
from controller.runtime.errors import ABSENT, ErrorClass

LASTING: Final = frozenset({ErrorClass.DENIED, ErrorClass.INVALID, ErrorClass.QUOTA, ErrorClass.NOT_FOUND})
"""Refusals that keep no object from its work: told in the condition `Tagged`, and tried again slowly."""
AGAIN_S: Final = 3600.0
"""After such a refusal. It is about a role more often than about a resource, hence about all objects at once."""


def tagging(
    owner: Owner | None, user: Iterable[Mapping[str, str]], defaults: Mapping[str, str]
) -> tuple[list[dict[str, str]], Tagging]:
    """The tags of a request, and the note of them. Arguments are those of `ownership.merged_tags`.

    The operator's version and its defaults are no part of the digest: they change with the operator, and must not have
    it tag everything anew. Nor is the object's uid: who tries a backup in another cluster must not take the tags, and
    with them the proof of ownership, from the first.
    """
    own = {tag["Key"]: tag.get("Value", "") for tag in user if not tag["Key"].startswith(f"{GROUP}/")}
    tags, _ = merged_tags(owner, ({"Key": key, "Value": value} for key, value in own.items()), defaults)
    text = json.dumps([owner is not None, sorted(own.items())])
    digest = hashlib.sha256(text.encode()).hexdigest()[:10] if owner or own else ""
    keys = frozenset(tag["Key"] for tag in tags)
    return tags, Tagging(digest, tuple(sorted(own.keys() & keys)), keys)  # not all of the spec's may have fitted


def step(seen: Observed) -> PutTags | DropTags | None:
    """What has to be done about the tags of the recorded resource, one AWS call at a time; None: nothing."""
    recorded = seen.recorded
    if recorded is None or not recorded.arn or not seen.is_recorded_in_status or seen.remote is ABSENT:
        return None
    if seen.policy.read_only or seen.is_spawned or seen.is_ended:
        return None
    if seen.are_tags_held or seen.hold_s is not None:
        return None
    if recorded.tags != seen.tags.digest and seen.tags.all_keys:
        return PutTags()
    stale = tuple(key for key in recorded.tag_keys if key not in seen.tags.all_keys)
    return DropTags(stale) if stale else None


def after(recorded: Recorded, wanted: Tagging, done: PutTags | DropTags) -> Recorded:
    """What is noted after a step."""
    if isinstance(done, PutTags):
        return replace(recorded, tags=wanted.digest, tag_keys=tuple(sorted({*recorded.tag_keys, *wanted.keys})))
    return replace(recorded, tags=wanted.digest, tag_keys=wanted.keys)
