"""Shared by all resources of the sandbox: a record, a descriptor of its kind, and the store of an account's records.

Records are immutable and hold the request; their state at a given time is computed from them, so nothing has to be
kept up to date.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast

from hack.sandbox.aws.wire import ApiError, Call, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource. Changing or tagging it replaces it with a changed copy. Times are epoch seconds."""

    name: str
    arn: str
    region: str
    account: str
    request: Mapping[str, Any]  # as validated, Tags removed
    created_at: float
    tags: Mapping[str, str] = field(default_factory=dict)

    def status_at(self, _now: float) -> str:
        """Return the primary status; empty if the API has none."""
        return ""

    def modified_at(self, _now: float) -> float:
        """Return when the resource last changed, for LastModifiedTime."""
        return self.created_at

    def is_gone(self, _now: float) -> bool:
        """Return whether its deletion is complete."""
        return False


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error of the real service: its code, and its message with `{name}`, `{arn}` or `{status}` to fill in."""

    code: str
    message: str

    def raised(self, **facts: str) -> ApiError:
        """Return the exception for these facts."""
        return ApiError(self.code, self.message.format(**facts))


@dataclass(frozen=True, slots=True)
class LogStream:
    """One CloudWatch log stream with the lines written so far: (epoch seconds, text), ascending."""

    name: str
    created_at: float
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[R]):
    """A kind of resource in the API. The callables are pure."""

    resource: str  # as in CreateTrainingJob
    arn_segment: str
    items_member: str  # of the List response
    not_found: ErrorText
    exists: ErrorText
    describe: Callable[[R, float], dict[str, Any]]  # except name, ARN, status, failure and the two common times
    summary: Callable[[R, float], dict[str, Any]]  # except name, ARN, status and the two common times
    sort_by: str = "CreationTime"  # of List, by default
    is_ascending: bool = False
    filters: Mapping[str, Callable[[R, Any, float], bool]] = field(default_factory=dict)  # beyond the common ones
    vanishes: bool = False  # whether a deletion takes time, after which a resource disappears by itself
    log_group: str = ""
    has_group_each: bool = False  # whether each resource has its own group below `log_group`
    log_lines: Callable[[R, float], Iterable[LogStream]] = lambda _resource, _now: ()

    @property
    def name_member(self) -> str:
        """Return the member with the resource's name."""
        return f"{self.resource}Name"

    @property
    def arn_member(self) -> str:
        """Return the member with the ARN."""
        return f"{self.resource}Arn"

    @property
    def status_member(self) -> str:
        """Return the member with the primary status."""
        return f"{self.resource}Status"

    def arn(self, call: Call, name: str) -> str:
        """Return the ARN of a resource called `name`; SageMaker writes names in ARNs in lower case."""
        return f"arn:{partition(call.region)}:sagemaker:{call.region}:{call.account}:{self.arn_segment}/{name.lower()}"

    def group(self, resource: R) -> str:
        """Return the CloudWatch log group that the resource writes to."""
        return f"{self.log_group}/{resource.name}" if self.has_group_each else self.log_group


class _NoPast:
    def runs(self, _kind: Kind[R], _call: Call) -> Iterable[Sequence[R]]:
        return ()

    def find(self, _kind: Kind[R], _account: str, _region: str, _name: str) -> R | None:
        return None


AnyKind: TypeAlias = Kind[Any]
_Place: TypeAlias = tuple[AnyKind, str, str, str]  # kind, account, region, name
_REMOVED: Final = 1_000
"""Removed resources of a kind that are remembered for Lists that show changes late; the oldest are dropped first."""


class Past(Protocol):
    """The resources of an account's past, which are made only when a call wants to see them."""

    def runs(self, kind: Kind[R], call: Call) -> Iterable[Sequence[R]]:
        """Return sequences of them that are not empty, each ascending by creation as well as by name and status."""
        ...

    def find(self, kind: Kind[R], account: str, region: str, name: str) -> R | None:
        """Return the one called `name`, or None."""
        ...


class Store:
    """The resources of all accounts and regions. Thread-safe; returns immutable records.

    A call first removes resources with a completed deletion, as if they had disappeared by themselves. Resources of the
    past can be read, but not changed.
    """

    def __init__(self, past: Past | None = None) -> None:
        self.past: Final = past or _NoPast()
        self._lock = threading.Lock()
        self._tables: dict[tuple[str, str, str], dict[str, Resource]] = {}  # (kind, account, region) → name → record
        self._by_arn: dict[str, _Place] = {}
        self._removed: dict[tuple[str, str, str], deque[tuple[float, Resource]]] = {}  # all guarded by _lock

    def add(self, kind: Kind[R], resource: R) -> None:
        """Store a new resource. Raises the kind's "exists" error if its name is taken, ignoring case."""
        with self._lock:
            taken = self._by_arn.get(resource.arn)
            if taken is not None and self._found_locked(*taken, resource.created_at) is not None:
                raise kind.exists.raised(name=resource.name, arn=resource.arn)
            self._table(kind, resource.account, resource.region)[resource.name] = resource
            self._by_arn[resource.arn] = (kind, resource.account, resource.region, resource.name)

    def get(self, kind: Kind[R], call: Call, name: str) -> R:
        """Return the resource called `name`; raises the kind's "not found" error."""
        with self._lock:
            return self._get_locked(kind, call, name)

    def find(self, kind: Kind[R], call: Call, name: str) -> R | None:
        """Return the resource called `name`, or None."""
        with self._lock:
            return cast("R | None", self._found_locked(kind, call.account, call.region, name, call.now))

    def change(self, kind: Kind[R], call: Call, name: str, change: Callable[[R], R]) -> R:
        """Replace a resource by `change(resource)`, atomically. If `change` raises, the resource is unchanged."""
        with self._lock:
            resource = change(self._own_locked(kind, call, name))
            self._table(kind, call.account, call.region)[name] = resource
            return resource

    def remove(self, kind: Kind[R], call: Call, name: str, check: Callable[[R], None] = lambda _resource: None) -> None:
        """Remove a resource if `check` does not raise."""
        with self._lock:
            resource = self._own_locked(kind, call, name)
            check(resource)
            self._forget_locked(kind, resource, call.now)

    def list(self, kind: Kind[R], call: Call) -> tuple[R, ...]:
        """Return the resources of a kind in the caller's account and region, oldest first."""
        with self._lock:
            resources = cast("Iterable[R]", self._table(kind, call.account, call.region).values())
            if not kind.vanishes:  # most lists are of jobs, possibly many
                return tuple(resources)
            return tuple(resource for resource in resources if not resource.is_gone(call.now))

    def everywhere(self, kind: Kind[R]) -> tuple[R, ...]:
        """Return the resources of a kind in all accounts and regions."""
        with self._lock:
            tables = [table for (resource, _, _), table in self._tables.items() if resource == kind.resource]
            return tuple(cast("R", resource) for table in tables for resource in table.values())

    def shown(self, kind: Kind[R], call: Call) -> tuple[R, ...]:
        """Return what a List shows that is as late as `call.now`: the resources of then, whatever became of them."""
        with self._lock:
            present = self._table(kind, call.account, call.region).values()
            removed = self._removed.get((kind.resource, call.account, call.region), ())
            resources = [resource for resource in present if resource.created_at <= call.now]
            resources += [resource for removed_at, resource in removed if resource.created_at <= call.now < removed_at]
            if kind.vanishes:
                resources = [resource for resource in resources if not resource.is_gone(call.now)]
            return tuple(cast("list[R]", resources))

    def by_arn(self, call: Call, arn: str) -> Resource:
        """Return the resource with this ARN, of any kind. Raises KeyError for an unknown ARN."""
        with self._lock:
            return self._by_arn_locked(call, arn)[1]

    def retag(self, call: Call, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Replace the tags of an existing resource, atomically. Raises KeyError for an unknown ARN."""
        with self._lock:
            (kind, account, region, name), resource = self._by_arn_locked(call, arn)
            self._table(kind, account, region)[name] = replace(resource, tags=change(resource.tags))

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._tables.clear()
            self._by_arn.clear()
            self._removed.clear()

    def _table(self, kind: AnyKind, account: str, region: str) -> dict[str, Resource]:
        return self._tables.setdefault((kind.resource, account, region), {})

    def _found_locked(self, kind: AnyKind, account: str, region: str, name: str, now: float) -> Resource | None:
        resource = self._table(kind, account, region).get(name)
        if resource is not None and resource.is_gone(now):
            self._forget_locked(kind, resource, now)
            return None
        return resource if resource is not None else self.past.find(kind, account, region, name)

    def _forget_locked(self, kind: AnyKind, resource: Resource, now: float) -> None:
        place = (kind.resource, resource.account, resource.region)
        self._removed.setdefault(place, deque(maxlen=_REMOVED)).append((now, resource))
        del self._table(kind, resource.account, resource.region)[resource.name]
        del self._by_arn[resource.arn]

    def _get_locked(self, kind: Kind[R], call: Call, name: str) -> R:
        resource = self._found_locked(kind, call.account, call.region, name, call.now)
        if resource is None:
            raise kind.not_found.raised(name=name, arn=kind.arn(call, name))
        return cast("R", resource)

    def _own_locked(self, kind: Kind[R], call: Call, name: str) -> R:
        """Return a resource that may be changed. Raises ValidationException for one of the past."""
        resource = self._get_locked(kind, call, name)
        if name not in self._table(kind, call.account, call.region):
            raise invalid(f"The sandbox does not change its past: {name}")
        return resource

    def _by_arn_locked(self, call: Call, arn: str) -> tuple[_Place, Resource]:
        place = self._by_arn[arn]
        resource = self._found_locked(*place, call.now)
        if resource is None:
            raise KeyError(arn)
        return place, resource


def partition(region: str) -> str:
    """Return the ARN partition of a region."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")


def stamp(at: float) -> float:
    """Return a time as SageMaker sends it: epoch seconds with milliseconds."""
    return round(at, 3)
