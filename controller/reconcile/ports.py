"""The ports of reconcilers: objects to read, objects to write, a tracker, AWS accounts.

AWS's own operations are ports of `controller.aws`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from api.meta import JsonObject, ObjectKey, Resource
from controller.aws.errors import CallError
from controller.aws.targets import Target
from controller.runtime.errors import ClassifiedError, ErrorClass


class ObjectReader(Protocol):
    """Reads the last known state of objects of one kind; `runtime.cache.store.Store` is one."""

    def get(self, key: ObjectKey) -> JsonObject | None:
        """Return a fresh copy, or None."""
        ...

    def __contains__(self, key: ObjectKey) -> bool: ...

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Return copies of the objects that the index `name` has under `value`."""
        ...

    def index_keys(self, name: str, value: str) -> list[ObjectKey]:
        """Return the keys of the objects that the index `name` has under `value`."""
        ...


class NoObjects:
    """`ObjectReader` of a kind that the process does not serve."""

    def get(self, key: ObjectKey) -> None:  # noqa: ARG002 (the port's signature)
        """Return None."""
        return

    def __contains__(self, key: ObjectKey) -> bool:
        return False

    def by_index(self, name: str, value: str) -> list[JsonObject]:  # noqa: ARG002
        """Return nothing."""
        return []

    def index_keys(self, name: str, value: str) -> list[ObjectKey]:  # noqa: ARG002
        """Return nothing."""
        return []


class ObjectWriter(Protocol):
    """Writes objects to the API server; `kube.client.KubeClient` is one. Raises `ClassifiedError`."""

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """Create an object. EXISTS: there is one of that name."""
        ...

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """Merge-patch an object and return it as it is now. CONFLICT: `metadata.resourceVersion` is outdated."""
        ...

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """Request the deletion of this very object in this very version. CONFLICT: it is another, or has changed."""
        ...


class ObjectGetter(Protocol):
    """Reads single objects from the API server; `kube.client.KubeClient` is one."""

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """Return the current object. Raises `ClassifiedError`, NOT_FOUND if there is none."""
        ...


class NothingToGet:
    """`ObjectGetter` where there is nothing."""

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """Raise NOT_FOUND."""
        raise ClassifiedError(ErrorClass.NOT_FOUND, "", f"{resource.plural} {key} not found")


class TrackedState(Protocol):
    """What a tracker knows of a resource."""

    @property
    def summary(self) -> Mapping[str, object] | None:
        """Return the newest List summary or Describe answer, None before the first."""
        ...

    @property
    def is_describe_due(self) -> bool:
        """Return whether List alone does not show enough."""
        ...

    @property
    def is_end_expected(self) -> bool:
        """Return whether the Describe that is due will probably show the end."""
        ...

    @property
    def is_settling(self) -> bool:
        """Return whether the secondary status has changed a moment ago; the key is enqueued once it has settled."""
        ...

    @property
    def lost(self) -> CallError | None:
        """Return why List fails, so that the resource is described in turn; None while it does not."""
        ...


class Tracker(Protocol):
    """Polls AWS for followed resources and enqueues the keys of those that changed.

    `aws.polling.tracker.Tracker` is one. Thread-safe, never blocks on AWS.
    """

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """Follow a resource. Idempotent."""
        ...

    def forget(self, key: ObjectKey) -> None:
        """Stop following. Idempotent."""
        ...

    def last(self, key: ObjectKey) -> TrackedState | None:
        """Return what is known; None if the key is not followed."""
        ...

    def described(self, key: ObjectKey, description: Mapping[str, object]) -> None:
        """Take in a Describe answer that a pass has received."""
        ...

    def poll_soon(self, key: ObjectKey) -> None:
        """Poll soon: a change was requested."""
        ...


class NoTracker:
    """`Tracker` of kinds with resources that change only when the operator changes them."""

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """Do nothing."""

    def forget(self, key: ObjectKey) -> None:
        """Do nothing."""

    def last(self, key: ObjectKey) -> None:  # noqa: ARG002 (the port's signature)
        """Return None: nothing is followed."""
        return

    def described(self, key: ObjectKey, description: Mapping[str, object]) -> None:
        """Do nothing."""

    def poll_soon(self, key: ObjectKey) -> None:
        """Do nothing."""


class Accounts(Protocol):
    """Knows in which account calls are made; `aws.accounts.Accounts` is one. Thread-safe."""

    def of(self, target: Target) -> str:
        """Return the account of the target's identity, empty if unknown. May raise `CallError` THROTTLED."""
        ...

    def learn(self, target: Target, account: str) -> None:
        """Take in that what was created there is in this account."""
        ...


class UnknownAccounts:
    """`Accounts` where there is one account only, or none is known."""

    def of(self, target: Target) -> str:  # noqa: ARG002 (the port's signature)
        """Return that the account is unknown."""
        return ""

    def learn(self, target: Target, account: str) -> None:
        """Do nothing."""
