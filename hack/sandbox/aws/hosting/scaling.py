"""Scalable targets and scaling policies of endpoint variants, by account and region."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.wire import ApiError, Call

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
COPIES = "sagemaker:inference-component:DesiredCopyCount"


@dataclass(frozen=True, slots=True)
class TargetKey:
    """The key of a target or policy: `endpoint/<name>/variant/<name>` and the scalable dimension."""

    resource_id: str
    dimension: str

    @property
    def component(self) -> str:
        """Return the name of the inference component; empty if it is of an endpoint."""
        kind, name, *_ = self.resource_id.split("/")
        return name if kind == "inference-component" else ""

    @property
    def endpoint(self) -> str:
        """Return the endpoint's name; empty if it is of a component."""
        kind, name, *_ = self.resource_id.split("/")
        return name if kind == "endpoint" else ""

    @property
    def variant(self) -> str:
        """Return the variant's name."""
        return self.resource_id.split("/")[3]

    def __str__(self) -> str:
        return f"service namespace: sagemaker, resource ID: {self.resource_id}, scalable dimension: {self.dimension}"


@dataclass(frozen=True, slots=True)
class Target:
    """One scalable target."""

    key: TargetKey
    created_at: float
    minimum: int
    maximum: int
    suspended: Mapping[str, bool]
    role: str
    arn: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One scaling policy; `given` holds its type and configuration as requested."""

    key: TargetKey
    name: str
    created_at: float
    given: Mapping[str, Any]
    arn: str
    alarms: tuple[tuple[str, str], ...]  # name, ARN


class Targets:
    """The targets and policies of all accounts and regions. Thread-safe; returns immutable records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._targets: dict[tuple[str, str], dict[TargetKey, Target]] = {}  # (account, region) → …; guarded by _lock
        self._policies: dict[tuple[str, str], dict[tuple[TargetKey, str], Policy]] = {}  # guarded by _lock

    def put(self, call: Call, key: TargetKey, change: Callable[[Target | None], Target]) -> Target:
        """Replace a target (None if missing) by `change(target)`, atomically."""
        with self._lock:
            table = self._targets.setdefault((call.account, call.region), {})
            table[key] = change(table.get(key))
            return table[key]

    def remove(self, call: Call, key: TargetKey) -> None:
        """Remove a target and its policies. Raises ObjectNotFoundException if it does not exist."""
        with self._lock:
            if key not in self._targets.get((call.account, call.region), {}):
                raise ApiError("ObjectNotFoundException", f"No scalable target found for {key}")
            self._remove_locked(call, key)

    def forget_endpoint(self, call: Call, endpoint: str) -> None:
        """Remove the targets and policies of an endpoint: AWS deregisters them when it deletes one."""
        with self._lock:
            for key in list(self._targets.get((call.account, call.region), {})):
                if key.endpoint == endpoint:
                    self._remove_locked(call, key)

    def forget_component(self, call: Call, component: str) -> None:
        """Remove the target and policies of an inference component that is deleted."""
        with self._lock:
            for key in list(self._targets.get((call.account, call.region), {})):
                if key.component == component:
                    self._remove_locked(call, key)

    def targets(self, call: Call) -> list[Target]:
        """Return the targets of the caller's account and region, oldest first."""
        with self._lock:
            return list(self._targets.get((call.account, call.region), {}).values())

    def put_policy(self, call: Call, policy: Policy, check: Callable[[list[Policy]], None]) -> Policy:
        """Store a policy, replacing the one with its name and keeping that one's ARN, alarms and time.

        `check` receives the other policies of the target. Raises its exceptions, and ObjectNotFoundException unless the
        target is registered.
        """
        with self._lock:
            if policy.key not in self._targets.get((call.account, call.region), {}):
                raise ApiError("ObjectNotFoundException", f"No scalable target registered for {policy.key}")
            table = self._policies.setdefault((call.account, call.region), {})
            check([known for known in table.values() if known.key == policy.key and known.name != policy.name])
            known = table.get((policy.key, policy.name))
            if known is not None:
                policy = Policy(policy.key, policy.name, known.created_at, policy.given, known.arn, known.alarms)
            table[policy.key, policy.name] = policy
            return policy

    def remove_policy(self, call: Call, key: TargetKey, name: str) -> None:
        """Remove a policy. Raises ObjectNotFoundException if it does not exist."""
        with self._lock:
            table = self._policies.get((call.account, call.region), {})
            if (key, name) not in table:
                raise ApiError("ObjectNotFoundException", f"No scaling policy found for {key}, policy name: {name}")
            del table[key, name]

    def policies(self, call: Call) -> list[Policy]:
        """Return the policies of the caller's account and region, oldest first."""
        with self._lock:
            return list(self._policies.get((call.account, call.region), {}).values())

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._targets.clear()
            self._policies.clear()

    def _remove_locked(self, call: Call, key: TargetKey) -> None:
        place = (call.account, call.region)
        del self._targets[place][key]
        policies = self._policies.get(place, {})
        self._policies[place] = {known: policy for known, policy in policies.items() if known[0] != key}
