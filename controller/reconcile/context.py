"""What a job reconciler is made of: the ports it looks through, and the settings of the process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from controller.aws.sagemaker import Jobs
from controller.aws.targets import Target, TargetDefaults
from controller.reconcile.executor import Executor
from controller.reconcile.namespaces.settings import Namespaces, UnreadNamespaces
from controller.runtime.clock import Clock


class ObjectReader(Protocol):
    """Reads objects; `runtime.store.Store` is one."""

    def get(self, key: ObjectKey) -> JsonObject | None:
        """A fresh copy of the last known state, or None."""
        ...


class Sighting(Protocol):
    """What a tracker knows of a job."""

    @property
    def summary(self) -> Mapping[str, object] | None:
        """The newest List summary or Describe answer, None before the first."""
        ...

    @property
    def is_describe_due(self) -> bool:
        """Whether lists alone do not tell enough."""
        ...


class JobTracker(Protocol):
    """Follows jobs and wakes their keys; `aws.tracker.Tracker` is one. Thread-safe, never blocks on AWS."""

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """Watch a job. Idempotent."""
        ...

    def forget(self, key: ObjectKey) -> None:
        """Stop watching. Idempotent."""
        ...

    def last(self, key: ObjectKey) -> Sighting | None:
        """What is known; None if the key is not followed."""
        ...

    def described(self, key: ObjectKey, description: Mapping[str, object]) -> None:
        """A Describe answer has come in by another way."""
        ...


class AccountBook(Protocol):
    """Knows in which account calls are made; `aws.accounts.Accounts` is one. Thread-safe."""

    def of(self, target: Target) -> str:
        """The account of the target's identity, empty where nobody can tell. May raise `AwsError` THROTTLED."""
        ...

    def learn(self, target: Target, account: str) -> None:
        """What was made there is in this account."""
        ...


class NoAccountBook:
    """`AccountBook` of those who need not tell accounts apart."""

    def of(self, target: Target) -> str:  # noqa: ARG002 (the port's signature)
        """See `AccountBook.of`."""
        return ""

    def learn(self, target: Target, account: str) -> None:
        """See `AccountBook.learn`."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """What holds for all objects of a process."""

    cluster_id: str
    manager: str
    """Name and version of the operator, for the `managed-by` tag."""
    defaults: TargetDefaults = field(default_factory=TargetDefaults)
    namespaces: Namespaces = field(default_factory=UnreadNamespaces)
    accounts: AccountBook = field(default_factory=NoAccountBook)
    has_ownership_tags: bool = True
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    resync_s: float = 36_000.0


@dataclass(frozen=True, slots=True)
class JobContext:
    """Everything that a pass over an object of one kind works with. Shared by threads."""

    descriptor: KindDescriptor
    tracker: JobTracker
    jobs: Jobs
    executor: Executor
    clock: Clock
    settings: JobSettings
    rand: Callable[[], float]
