"""Decides about tags of existing resources: adds them on adoption, and follows `spec.tags`. Pure.

`status.awsResource` records which tags were added: a digest, and the keys that came from the spec. So AWS is not called
while nothing changes, a key that is removed from the spec is removed at AWS, and tags of others never are. An
annotation would do, too, but cost every object another write. If the record is lost, tags are added again and none
are removed.

Not tagged: jobs that have ended, and jobs that a tuning job has launched: AWS copies the tags of the tuning job to
them.
"""

from typing import Final

from controller.reconcile.observation import Observed, Recorded, Tagging
from controller.reconcile.steps import DropTags, PutTags
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace

LASTING: Final = frozenset(
    {ErrorClass.DENIED, ErrorClass.INVALID, ErrorClass.REFUSED, ErrorClass.QUOTA, ErrorClass.NOT_FOUND}
)
"""Refusals that do not hold up the object: reported in the condition `Tagged`, and retried slowly."""
AGAIN_S: Final = 3600.0
"""Delay after such a refusal. Long, because a missing permission affects all objects of a role at once."""


def step(observed: Observed) -> PutTags | DropTags | None:
    """Return the next AWS call for the tags of the recorded resource; None if they are up to date."""
    recorded = observed.recorded
    if recorded is None or not recorded.arn or not observed.is_recorded_in_status or observed.external is ABSENT:
        return None
    if observed.policy.read_only or observed.is_spawned or observed.is_ended:
        return None
    if observed.are_tags_held or observed.hold_s is not None:
        return None
    if recorded.tags != observed.tags.digest and observed.tags.all_keys:
        return PutTags()
    stale = tuple(key for key in recorded.tag_keys if key not in observed.tags.all_keys)
    return DropTags(stale) if stale else None


def before(recorded: Recorded, wanted: Tagging, next_step: PutTags | DropTags) -> Recorded:
    """Return the record before a step: tags that may be there are known, and none is taken for up to date.

    If the answer is lost, and the spec changes back, they are set again or removed.
    """
    if isinstance(next_step, DropTags):
        return recorded
    return replace(recorded, tags="", tag_keys=tuple(sorted({*recorded.tag_keys, *wanted.keys})))


def after(recorded: Recorded, wanted: Tagging, done: PutTags | DropTags) -> Recorded:
    """Return the record after a step."""
    if isinstance(done, PutTags):
        return replace(recorded, tags=wanted.digest, tag_keys=tuple(sorted({*recorded.tag_keys, *wanted.keys})))
    return replace(recorded, tags=wanted.digest, tag_keys=wanted.keys)
