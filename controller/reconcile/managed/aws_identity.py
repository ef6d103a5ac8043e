"""Resolves as whom, where and with which tags AWS is called for one object. Pure.

Resolved when the spec, the annotations, the owner or the namespace's settings change; everything else in a pass, and
most passes, read the value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from api.convert import repeated_names
from api.descriptor import KindDescriptor, LifeCycle
from api.meta import JsonObject, ObjectKey
from controller.aws.console import log_url
from controller.aws.errors import CallError
from controller.aws.ownership_tags import RESERVED, OwnerTags, merged_tags, tags_fault
from controller.aws.targets import Target
from controller.reconcile.namespaces.settings import EffectiveSettings
from controller.reconcile.observation import Recorded, Tagging
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.status.patch import launched_by
from controller.runtime.frozen import replace


@dataclass(frozen=True, slots=True)
class AwsIdentity:
    """The identity and the target of the AWS calls of one object."""

    effective_settings: EffectiveSettings
    owner: OwnerTags
    """Who the object's resources belong to."""
    creator: OwnerTags
    """Who created what the object stands for, where its controlling owner launched that: AWS copies the tags of a
    tuning job to its training jobs (modern-expectations.md 5)."""
    has_ownership_tags: bool
    default_tags: Mapping[str, str]
    """Tags behind the object's own."""
    tagging: Tagging
    """What to record of the tags of the resource, as they should be."""
    ignored: tuple[str, ...]
    """What the spec asks for and AWS does not get, in words: tags, and names that a list has twice."""
    tags_fault: str
    """Why AWS would refuse the tags of the spec; empty if it would not."""
    resolved: Target | CallError
    followed: Target | None
    """The target of List calls, which namespaces with the same role share; None if `resolved` is an error."""
    fault: CallError | None
    """Why AWS must not be called at all: the namespace's settings are invalid."""
    log_url: str | None
    """Link to the logs of a job; None for other kinds."""

    def target(self) -> Target:
        """Return the target of the object's calls.

        Raises `CallError`: INVALID if no region is known, DENIED if the namespace's settings name no valid role.
        """
        if isinstance(self.resolved, CallError):
            raise self.resolved
        return self.resolved

    def tagged(self, tags: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
        """Return these tags of a request with the operator's, as far as AWS's limit allows."""
        return merged_tags(self.owner if self.has_ownership_tags else None, tags, self.default_tags)[0]


def resolve(
    descriptor: KindDescriptor,
    key: ObjectKey,
    obj: JsonObject,
    effective_settings: EffectiveSettings,
    settings: ReconcilerSettings,
    name: str,
    recorded_region: str,
) -> AwsIdentity:
    """Return the identity of an object; `name` is that of its resource, `recorded_region` where that was created: it
    wins.
    """
    metadata, spec = obj["metadata"], obj.get("spec") or {}
    owner = OwnerTags(settings.cluster_id, descriptor.kind, key, metadata["uid"], settings.manager)
    references = metadata.get("ownerReferences") or ()
    creator_uid = next((str(each.get("uid", "")) for each in references if each.get("controller")), "")
    if not creator_uid and metadata.get("annotations"):
        creator_uid = launched_by(metadata)
    try:
        default_tags = effective_settings.tags(settings.resource_tags)
    except CallError:  # `fault` says so; nothing is tagged then
        default_tags = dict(settings.resource_tags)
    given = tags_of(spec)
    is_untagged = bool(descriptor.untagged_with and spec.get(descriptor.untagged_with))
    has_tags = settings.has_ownership_tags and not is_untagged
    default_tags = {} if is_untagged else default_tags
    _, tagging = wanted_tags(owner if has_tags else None, given, default_tags)
    fault = None
    try:
        effective_settings.check()
    except CallError as error:
        fault = error
    resolved: Target | CallError
    try:
        resolved = effective_settings.target(spec, recorded_region, settings.defaults)
    except CallError as error:
        resolved = error
    return AwsIdentity(
        effective_settings=effective_settings,
        owner=owner,
        creator=replace(owner, uid=creator_uid),
        has_ownership_tags=has_tags,
        default_tags=default_tags,
        tagging=tagging,
        ignored=(
            *(() if descriptor.life_cycle is LifeCycle.SCALING else tagging.ignored),
            *(f"{each}: the last one counts" for each in repeated_names(descriptor, spec)),
        ),
        tags_fault=tags_fault(given) if given else "",
        resolved=resolved,
        followed=resolved.shared if isinstance(resolved, Target) else None,
        fault=fault,
        log_url=log_url(resolved.region, descriptor.log_group, name)
        if descriptor.log_group and isinstance(resolved, Target)
        else None,
    )


def had_no_owner_tags(recorded: Recorded, spec: Mapping[str, Any]) -> bool:
    """Return whether a resource was tagged last, by this spec, while the operator put no owner tags."""
    return recorded.created_at is not None and recorded.tags == wanted_tags(None, tags_of(spec), {})[1].digest


def tags_of(spec: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the tags of a spec; the conversion reports invalid ones."""
    given = spec.get("tags")
    return [
        {"Key": str(tag["key"]), "Value": str(tag.get("value") or "")}
        for tag in (given if isinstance(given, list) else ())
        if isinstance(tag, Mapping) and tag.get("key")
    ]


def wanted_tags(
    owner: OwnerTags | None, user: Iterable[Mapping[str, str]], defaults: Mapping[str, str]
) -> tuple[list[dict[str, str]], Tagging]:
    """Return the tags of a request, and what to record of them. Arguments are those of `ownership_tags.merged_tags`.

    The digest leaves out the operator's version and default tags, so that an upgrade does not tag everything again,
    and the object's uid: restoring a backup into another cluster must not take over the tags, and with them the
    ownership, of the original.
    """
    user = tuple(user)
    own = {tag["Key"]: tag.get("Value", "") for tag in user if not tag["Key"].startswith(RESERVED)}
    tags, ignored = merged_tags(owner, user, defaults)
    text = json.dumps([owner is not None, sorted(own.items())])
    digest = hashlib.sha256(text.encode()).hexdigest()[:10] if owner or own else ""
    keys = _key_set(tuple(tag["Key"] for tag in tags))
    return tags, Tagging(digest, tuple(sorted(own.keys() & keys)), keys, ignored)  # AWS's limit may cut some off


@lru_cache(maxsize=256)
def _key_set(keys: tuple[str, ...]) -> frozenset[str]:
    """Return the keys as one set for all objects with the same: it takes 0.7 kB, a third of an identity."""
    return frozenset(keys)
