"""Tags that prove which object a SageMaker resource belongs to (modern-expectations.md 5).

`cluster` and `uid` together are the proof; the others are for humans and for cost reports.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from api.meta import GROUP, ObjectKey

TAG_LIMIT: Final = 50
"""Maximum number of tags per resource at AWS."""

_CLUSTER: Final = f"{GROUP}/cluster"
_NAMESPACE: Final = f"{GROUP}/namespace"
_UID: Final = f"{GROUP}/uid"
_VALUE_LIMIT: Final = 256


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
        """Return the ownership tags, which cannot be overridden."""
        return {
            f"{GROUP}/managed-by": self.manager,
            _CLUSTER: self.cluster,
            _NAMESPACE: self.key.namespace,
            f"{GROUP}/name": self.key.name,
            f"{GROUP}/kind": self.kind,
            _UID: self.uid,
        }

    def is_proved_by(self, tags: Mapping[str, str]) -> bool:
        """Return whether a resource with these tags was created for this object, or one with its uid and namespace."""
        own = ((_UID, self.uid), (_CLUSTER, self.cluster), (_NAMESPACE, self.key.namespace))
        return all(tags.get(key) == value for key, value in own)


def merged_tags(
    owner: OwnerTags | None, user: Iterable[Mapping[str, str]], defaults: Mapping[str, str]
) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Return the `Tags` member of a Create request, and the keys that were dropped because of AWS's limit.

    Order of precedence: ownership, the user's (`{"Key", "Value"}` as in the request), defaults of the operator; the
    last are dropped first. `owner` is None if the account forbids extra tags. Pure.
    """
    wanted: dict[str, str] = {} if owner is None else owner.tags()
    for tag in user:
        wanted.setdefault(tag["Key"], tag.get("Value", ""))
    for key, value in defaults.items():
        wanted.setdefault(key, value)
    keys = list(wanted)
    return (
        [{"Key": key, "Value": wanted[key][:_VALUE_LIMIT]} for key in keys[:TAG_LIMIT]],
        tuple(keys[TAG_LIMIT:]),
    )
