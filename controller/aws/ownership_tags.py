"""Tags that prove which object a SageMaker resource belongs to (modern-expectations.md 5).

`cluster` and `uid` together are the proof; the others are for humans and for cost reports.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from api.meta import GROUP, ObjectKey

TAG_LIMIT: Final = 50
"""Maximum number of tags per resource at AWS."""

RESERVED: Final = f"{GROUP}/"
"""Prefix of the operator's keys. Users cannot set tags with it: they could forge the proof of ownership."""

_CLUSTER: Final = f"{GROUP}/cluster"
_NAMESPACE: Final = f"{GROUP}/namespace"
_UID: Final = f"{GROUP}/uid"
_NAME: Final = f"{GROUP}/name"
_KIND: Final = f"{GROUP}/kind"
_PLAIN_UID: Final = 32
"""Length of a uid without its hyphens."""


@dataclass(frozen=True, slots=True)
class OwnerTags:
    """The object for which a resource is created."""

    cluster: str
    kind: str
    key: ObjectKey
    uid: str
    manager: str
    """Name and version of the operator."""

    def tags(self) -> dict[str, str]:
        """Return the ownership tags, which cannot be overridden; those that prove it first."""
        return {
            _UID: self.uid,
            _CLUSTER: self.cluster,
            _NAMESPACE: self.key.namespace,
            _NAME: self.key.name,
            _KIND: self.kind,
            f"{GROUP}/managed-by": self.manager,
        }

    def is_proved_by(self, tags: Mapping[str, str]) -> bool:
        """Return whether a resource with these tags was created for this object, or one with its uid and namespace."""
        return self.is_named_by(tags) and tags.get(_CLUSTER) == self.cluster

    def are_of_namesake(self, tags: Mapping[str, str], name: str) -> bool:
        """Return whether a resource with these tags was created here for the object that has its uid in `name`."""
        return tags.get(_UID, "-").replace("-", "") in name and self._are_of_neighbour(tags)

    def are_of_sibling(self, tags: Mapping[str, str]) -> bool:
        """Return whether they were given here to a resource of a child of the same deployment.

        The names of all children end in the uid of the deployment.
        """
        family = self.key.name.rpartition("-")[2]
        is_of_family = len(family) == _PLAIN_UID and tags.get(_NAME, "").endswith(f"-{family}")
        return is_of_family and tags.get(_KIND) == self.kind and self._are_of_neighbour(tags)

    def _are_of_neighbour(self, tags: Mapping[str, str]) -> bool:
        uid = tags.get(_UID, "")
        return bool(uid) and replace(self, uid=uid).is_proved_by(tags)

    def is_named_by(self, tags: Mapping[str, str]) -> bool:
        """Return whether these tags name the object, whatever cluster they say that it is in.

        An operator that may not read `kube-system` has another id for the cluster than one that may.
        """
        return tags.get(_UID) == self.uid and tags.get(_NAMESPACE) == self.key.namespace


def tags_fault(user: Iterable[Mapping[str, str]]) -> str:
    """Return why AWS would refuse the user's tags, in words; empty if it would not. Pure."""
    counts = Counter(tag["Key"] for tag in user if not tag["Key"].startswith(RESERVED))
    if twice := [key for key, count in counts.items() if count > 1]:
        return f"a key is given more than once: {', '.join(twice)}"
    return f"{len(counts)} tags, and AWS allows {TAG_LIMIT} on a resource" if len(counts) > TAG_LIMIT else ""


def merged_tags(
    owner: OwnerTags | None, user: Iterable[Mapping[str, str]], defaults: Mapping[str, str]
) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Return the `Tags` member of a Create request, and in words which tags are not in it.

    The user's (`{"Key", "Value"}` as in the request) come first, as many as AWS allows; then those of ownership, and
    defaults of the operator. Where they do not all fit, the last are dropped. `owner` is None if the account forbids
    extra tags. Pure. `tags_fault` finds what AWS refuses.
    """
    wanted: dict[str, str] = {}
    ignored = []
    for tag in user:
        key = tag["Key"]
        if key.startswith(RESERVED):
            ignored.append(f"the tag {key!r}: the prefix {RESERVED} is the operator's")
        else:
            wanted[key] = tag.get("Value", "")
    wanted |= {} if owner is None else owner.tags()
    wanted |= {key: value for key, value in defaults.items() if key not in wanted}
    keys = list(wanted)
    if left := keys[TAG_LIMIT:]:
        ignored.append(f"no room for tags of the operator, as AWS allows {TAG_LIMIT} on a resource: {', '.join(left)}")
    return [{"Key": key, "Value": wanted[key]} for key in keys[:TAG_LIMIT]], tuple(dict.fromkeys(ignored))
