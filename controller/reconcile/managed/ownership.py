"""Adds AWS's answers to an observation, and finds out by tags to which object a resource belongs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Protocol

import structlog

from controller.aws.errors import CallError
from controller.aws.ownership_tags import OwnerTags
from controller.aws.targets import Target
from controller.reconcile.identity import confirmed, is_contradicted, is_recorded_one, is_same_creation
from controller.reconcile.managed.aws_identity import had_no_owner_tags
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import External, ExternalResource, Observed, Ownership
from controller.reconcile.status.copies import has_uid, is_taken_over
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)


class Tags(Protocol):
    """Reads the tags of resources; `controller.aws.sagemaker.SageMaker` is one."""

    def tags(self, target: Target, arn: str, *, caller: object) -> Mapping[str, str] | Absent:
        """Return all tags of a resource."""
        ...


def with_external(managed: ManagedObject, observed: Observed, external: External) -> Observed:
    """Return the observation with an answer of AWS, and the owner of what it shows, as far as that is known."""
    if not isinstance(external, ExternalResource):
        return replace(observed, external=external)
    owner = observed.owner
    is_asked_again = observed.is_reconcile_requested and external.is_fresh
    if owner is not Ownership.UNKNOWN and (is_asked_again or not _is_same(external, observed.external)):
        owner = Ownership.UNKNOWN
    foreign = None if is_asked_again else managed.state.foreign
    if foreign is not None and _is_known_as_foreign(foreign, observed.name, external):
        owner = Ownership.FOREIGN
    return replace(observed, external=external, owner=owner)


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


def _is_known_as_foreign(foreign: tuple[str, datetime], name: str, external: ExternalResource) -> bool:
    known, created_at = foreign
    return known == name and external.created_at is not None and is_same_creation(external.created_at, created_at)


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


def _is_same(external: ExternalResource, before: External) -> bool:
    if not isinstance(before, ExternalResource) or external.created_at is None or before.created_at is None:
        return before is None
    return is_same_creation(external.created_at, before.created_at)
