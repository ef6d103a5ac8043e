"""Tags on what is there already: put on what an object adopts, and changed with `spec.tags`. Pure.

What was put is kept in `status.awsResource`, beside the identity that it was put on: as a digest, and with the keys
that came from the spec. So nothing is asked of AWS while nothing changes, a key that vanishes from the spec is taken
off, and what others have put there never is. An annotation would do as well and cost every object a write of its own.
Where the note is lost, tags are put once more, and none are taken off.

Left alone: jobs that have ended, which nobody can stop any more, and jobs that a tuning job has launched, whose tags
name the tuning job (AWS copies them).
"""

from dataclasses import replace
from typing import Final

from controller.reconcile.plan import DropTags, Observed, PutTags, Recorded, Tagging
from controller.runtime.errors import ABSENT, ErrorClass

LASTING: Final = frozenset({ErrorClass.DENIED, ErrorClass.INVALID, ErrorClass.QUOTA, ErrorClass.NOT_FOUND})
"""Refusals that keep no object from its work: told in the condition `Tagged`, and tried again slowly."""
AGAIN_S: Final = 3600.0
"""After such a refusal. It is about a role more often than about a resource, hence about all objects at once."""


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
