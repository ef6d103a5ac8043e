"""Scalable targets and scaling policies of endpoint variants: what is registered, for whom, and what hangs on what."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.wire import ApiError, Call

INSTANCES = "sagemaker:variant:DesiredInstanceCount"


@dataclass(frozen=True, slots=True)
class TargetKey:
    """What a target or policy is about: `endpoint/<name>/variant/<name>` and the dimension that is scaled."""

    resource_id: str
    dimension: str

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return self.resource_id.split("/")[1]

    @property
    def variant(self) -> str:
        """The variant's name."""
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
    """One scaling policy; `given` holds its type and configuration as asked for."""

    key: TargetKey
    name: str
    created_at: float
    given: Mapping[str, Any]
    arn: str
    alarms: tuple[tuple[str, str], ...]  # name, ARN


class Targets:
    """The targets and policies of all accounts and regions. Thread-safe; hands out immutable records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._targets: dict[tuple[str, str], dict[TargetKey, Target]] = {}  # (account, region) → …; guarded by _lock
        self._policies: dict[tuple[str, str], dict[tuple[TargetKey, str], Policy]] = {}  # guarded by _lock

    def put(self, call: Call, key: TargetKey, change: Callable[[Target | None], Target]) -> Target:
        """Replace a target, or the lack of one, by `change(target)`, atomically."""
        with self._lock:
            table = self._targets.setdefault((call.account, call.region), {})
            table[key] = change(table.get(key))
            return table[key]

    def remove(self, call: Call, key: TargetKey) -> None:
        """Forget a target and its policies. Raises ObjectNotFoundException for one that is not there."""
        with self._lock:
            if key not in self._targets.get((call.account, call.region), {}):
                raise ApiError("ObjectNotFoundException", f"No scalable target found for {key}")
            self._remove_locked(call, key)

    def forget_endpoint(self, call: Call, endpoint: str) -> None:
        """Forget the targets and policies of an endpoint, if it has any: AWS deregisters them when it deletes one."""
        with self._lock:
            for key in list(self._targets.get((call.account, call.region), {})):
                if key.endpoint == endpoint:
                    self._remove_locked(call, key)

    def targets(self, call: Call) -> list[Target]:
        """Return the targets of the caller's account and region, oldest first."""
        with self._lock:
            return list(self._targets.get((call.account, call.region), {}).values())

    def put_policy(self, call: Call, policy: Policy, check: Callable[[list[Policy]], None]) -> Policy:
        """Keep a policy in place of the one of that name, whose ARN, alarms and time it keeps.

        `check` sees the other policies of the target. Raises what it raises, and ObjectNotFoundException unless the
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
        """Forget a policy. Raises ObjectNotFoundException for one that is not there."""
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
        """Forget everything."""
        with self._lock:
            self._targets.clear()
            self._policies.clear()

    def _remove_locked(self, call: Call, key: TargetKey) -> None:
        place = (call.account, call.region)
        del self._targets[place][key]
        policies = self._policies.get(place, {})
        self._policies[place] = {known: policy for known, policy in policies.items() if known[0] != key}
