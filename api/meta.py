"""Object metadata as values: keys, resources, conditions and finalizers.

Sources: Kubernetes API conventions (metadata, typical status properties) and `metav1.Condition`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Self, TypeAlias

GROUP: Final = "sagemaker.aws.amazon.com"
VERSION: Final = "v1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

FINALIZER: Final = "sagemaker-operator-finalizer"
"""The only finalizer that a user must remove by hand to release an object; the guides mention it, so it is kept."""

JsonObject: TypeAlias = dict[str, Any]
"""A decoded JSON object, owned by the code that decoded it."""


class ObjectKey(NamedTuple):
    """Namespace and name of an object: `namespace` is empty for cluster-scoped objects. Without the uid (S1).

    A tuple, as most of what is kept is found by it: a hash and a comparison in Python take five times as long.
    """

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @classmethod
    def of(cls, obj: Mapping[str, Any]) -> Self:
        """Return the key of a decoded object. Raises KeyError if `metadata.name` is missing."""
        metadata = obj["metadata"]
        return cls(metadata.get("namespace") or "", metadata["name"])


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind's resource in the Kubernetes API; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return `group/version`, or `version` for the core group, as in an object's `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version


ConditionStatus: TypeAlias = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One `metav1.Condition` without its transition time, which the writer of the status derives."""

    type: str
    status: ConditionStatus
    reason: str
    message: str = ""
