"""Finds out by tags to which object a resource belongs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

import structlog

from controller.aws.errors import CallError
from controller.aws.ownership_tags import OwnerTags
from controller.aws.targets import Target
from controller.reconcile.identity import confirmed, is_contradicted, is_recorded_one
from controller.reconcile.managed.aws_identity import had_no_owner_tags
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import ExternalResource, Observed, Ownership
from controller.reconcile.status.copies import has_uid, is_taken_over
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)


class Tags(Protocol):
    """Reads the tags of resources; `controller.aws.sagemaker.SageMaker` is one."""

    def tags(self, target: Target, arn: str, *, caller: object) -> Mapping[str, str] | Absent:
        """Return all tags of a resource."""
        ...


def verify_owner(
    managed: ManagedObject,
    observed: Observed,
    tags: Tags,
    arn: str,
    *,
    found: Mapping[str, str] | Absent | None = None,
) -> Observed:
    """Return the observation with the owner of the resource `arn`, by its tags. Raises `CallError`.

    `found`: what the pass has read already. Where AWS refuses to list tags, a creation time that fits the operator's
    clock has to do; not of announced jobs.
    """
    identity, external = managed.identity, observed.external
    is_fitting = isinstance(external, ExternalResource) and is_recorded_one(observed, external) is True
    created_at = external.created_at if isinstance(external, ExternalResource) else None
    try:
        found = read_tags(managed, tags, arn, created_at) if found is None else found
    except CallError as error:
        may_pass = error.error_class in {ErrorClass.THROTTLED, ErrorClass.RETRYABLE}
        if may_pass or observed.is_spawned or observed.recorded is None or not is_fitting:
            raise
        _log.info("tags cannot be read", resource=arn, code=error.code)
        return replace(observed, are_tags_unreadable=True)
    if found is ABSENT:
        return replace(observed, external=ABSENT)
    owner = identity.creator if observed.is_spawned else identity.owner
    # The cluster may have had another id when the resource was recorded, as for an operator with fewer rights.
    is_recorded = is_fitting and observed.recorded is not None and not observed.is_spawned
    is_proved = is_proved_by_tags(managed, owner, observed.name, found)
    if is_proved or (is_recorded and owner.is_named_by(found)) or _is_ours_without_tags(managed, observed):
        managed.state.foreign, managed.state.is_proved = None, True
        observed = replace(observed, owner=Ownership.OURS)
        return replace(observed, recorded=confirmed(observed, observed.recorded))
    external = observed.external
    if isinstance(external, ExternalResource) and external.created_at is not None:
        managed.state.foreign = (observed.name, external.created_at)
    return replace(observed, owner=Ownership.FOREIGN)


def read_tags(
    managed: ManagedObject, tags: Tags, arn: str, created_at: datetime | None = None
) -> Mapping[str, str] | Absent:
    """Return the tags of a resource; read once in a pass, and in those that go on where that was throttled.

    Another creation time is another resource under the name, with tags of its own.
    """
    return managed.read(
        ("tags", arn, created_at), lambda: tags.tags(managed.identity.target(), arn, caller=managed.key)
    )


def is_proved_by_tags(managed: ManagedObject, owner: OwnerTags, name: str, found: Mapping[str, str]) -> bool:
    """Return whether tags prove that the resource `name` is the owner's, or of a child it was taken over from."""
    if owner.is_proved_by(found):
        return True
    if not is_taken_over(managed.obj["metadata"], name):
        return False
    return owner.are_of_namesake(found, name) or owner.are_of_sibling(found)


def _is_ours_without_tags(managed: ManagedObject, observed: Observed) -> bool:
    """Return whether a recorded resource is ours where the operator puts no owner tags, or put none then.

    A generated name has the uid of the object in it; under a name that the user gave, only the creation time counts.
    """
    recorded, external = observed.recorded, observed.external
    if recorded is None or observed.is_copied:
        return False
    if observed.has_owner_tags:
        is_old = not observed.is_spawned and had_no_owner_tags(recorded, managed.spec)
        return is_old and isinstance(external, ExternalResource) and is_recorded_one(observed, external) is True
    return has_uid(observed.name, managed.obj["metadata"]) or not is_contradicted(observed)
