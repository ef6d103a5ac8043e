"""The reconciler of autoscaling policies: looks, lets `decide` decide, carries out."""

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from api import autoscaling
from api.annotations import CLAIMED_VARIANTS, FOUND_TARGETS
from api.convert import ConversionError
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.aws.autoscaling import Scaling
from controller.aws.console import partition_of
from controller.aws.errors import AwsError
from controller.reconcile.context import JobSettings, ObjectReader
from controller.reconcile.drift.digest import digest
from controller.reconcile.executor import Effect, Executor
from controller.reconcile.hand import Hand
from controller.reconcile.local_state import Memories, Memory
from controller.reconcile.observe_object import hold_token
from controller.reconcile.one_key import reconcile_one
from controller.reconcile.plan import Adoption, During, Prepare, Recorded, Release, Settle
from controller.reconcile.scaling.decide import SOMEBODY, Apply, Look, Remove, ScalingSeen, Verify, decide
from controller.reconcile.scaling.drift import changed
from controller.reconcile.status.view import recorded_in
from controller.runtime.clock import Clock
from controller.runtime.controller import Result
from controller.runtime.errors import ErrorClass

RESOURCE_IDS: Final = "resource-ids"
"""Index of policies by the variants that they have claimed."""
ENDPOINTS: Final = "endpoints"
"""Index of policies by `namespace/endpointName`, as the spec has it."""
FOUND: Final = FOUND_TARGETS.key
"""Annotation: JSON list of variants that had a target before this object came: it is not ours to deregister."""
CLAIMED: Final = CLAIMED_VARIANTS.key
"""Annotation: JSON object of the object's uid and the variants that it has claimed, told beside the status: who empties
that must not turn what we have applied into somebody else's. A copy of the object has another uid, and has claimed
nothing.
"""

_MAX_STEPS: Final = 12
"""More steps than any pass has: a decision that goes round in circles is a defect, and must not spin."""
_CHECK_SHARE: Final = 0.8
"""Resyncs come with jitter: one that is a little early still counts as one."""


def resource_ids_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `RESOURCE_IDS`."""
    yield from _claimed(obj)


def _claimed(obj: JsonObject) -> tuple[str, ...]:
    """The variants on which the object may have put its policy: its status tells them, else its annotation."""
    if told := (obj.get("status") or {}).get("resourceIDList"):
        return tuple(str(each) for each in told)
    metadata = obj["metadata"]
    try:
        claims = json.loads((metadata.get("annotations") or {}).get(CLAIMED) or "{}")
    except ValueError:
        return ()
    ids = claims.get(metadata["uid"]) if isinstance(claims, dict) else None
    return tuple(str(each) for each in ids) if isinstance(ids, list) else ()


def _claim_of(obj: JsonObject, ids: Iterable[str]) -> str:
    """The annotation `CLAIMED`."""
    return json.dumps({obj["metadata"]["uid"]: sorted(ids)})


def _found(obj: JsonObject) -> tuple[str, ...]:
    """The annotation `FOUND`."""
    try:
        found = json.loads((obj["metadata"].get("annotations") or {}).get(FOUND) or "[]")
    except ValueError:
        return ()
    return tuple(sorted(str(each) for each in found)) if isinstance(found, list) else ()


def endpoints_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `ENDPOINTS`."""
    namespace = obj["metadata"].get("namespace") or ""
    for entry in _entries(obj.get("spec") or {}):
        if name := _endpoint_name(entry):
            yield f"{namespace}/{name}"


def _entries(spec: Mapping[str, Any]) -> Sequence[Any]:
    """The variants that a spec lists, unchecked; none where it is no list, which the conversion refuses."""
    entries = spec.get("resourceId")
    return entries if isinstance(entries, list) else ()


def _endpoint_name(entry: Any) -> str:
    name = entry.get("endpointName") if isinstance(entry, Mapping) else ""
    return name if isinstance(name, str) else ""


class PolicyReader(ObjectReader, Protocol):
    """The store of policies; `runtime.store.Store` is one."""

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Copies of the objects that the index knows under `value`."""
        ...


@dataclass(frozen=True, slots=True)
class ScalingContext:
    """Everything that a pass over a policy works with. Shared by threads."""

    scaling: Scaling
    policies: PolicyReader
    deployments: ObjectReader
    executor: Executor
    clock: Clock
    settings: JobSettings
    rand: Callable[[], float] = random.random
    descriptor: KindDescriptor = HOSTING_AUTOSCALING_POLICY


class ScalingReconciler:
    """A `runtime.controller.Reconciler` for HostingAutoscalingPolicies. Raises as `JobReconciler` does."""

    def __init__(self, context: ScalingContext) -> None:
        self._context = context
        self._memories = Memories()

    def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        return reconcile_one(
            key,
            self._context.policies,
            self._memories,
            lambda obj, memory: ScalingPass(self._context, key, obj, memory).run(),
        )


class ScalingPass:
    """Looks, decides and acts until it settles. Lives in one worker, for one call of `run`."""

    def __init__(self, context: ScalingContext, key: ObjectKey, obj: JsonObject, memory: Memory) -> None:
        self._context = context
        self._key = key
        self._memory = memory
        self._hand = Hand(context, key, obj, memory)
        self._requests: tuple[autoscaling.ScalingRequests, ...] = ()
        self._place: Recorded | None = None

    def run(self) -> Result:
        """Make the pass. Raises `ClassifiedError` and `Terminal`."""
        seen = self._observe()
        attempt = self._hand.attempt_on
        for _ in range(_MAX_STEPS):
            match decide(seen):
                case Prepare():
                    self._hand.prepare(None if seen.base.is_name_persisted else seen.policy)
                    seen = self._observe()
                case Look(ids):
                    seen = attempt(seen, During.DESCRIBE, partial(self._look, ids))
                case Verify():
                    seen = attempt(seen, During.DESCRIBE, self._verify)
                case Apply():
                    seen = attempt(seen, During.CREATE, self._apply)
                case Remove(ids):
                    seen = attempt(seen, During.DELETE, partial(self._remove, ids))
                case Release(events):
                    return self._hand.release(events)
                case Settle() as settle:
                    if settle.view is not None:
                        self._hand.show(seen.base, settle.view, settle.events, settle.recorded or seen.base.recorded)
                    return self._hand.end(seen.base, settle)
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    # --- looking

    def _observe(self) -> ScalingSeen:
        clock, obj, memory = self._context.clock, self._hand.obj, self._memory
        base = self._hand.observed()
        if memory.described_at is None:
            memory.described_at = clock.monotonic()  # the check that is due one day counts from the first sight
        status = obj.get("status") or {}
        seen = ScalingSeen(
            base=base,
            policy=base.recorded.name if base.recorded else autoscaling.policy_name(self._hand.spec),
            told=_claimed(obj),
            is_observed=status.get("observedGeneration") == base.generation,
            is_check_due=base.is_asked
            or clock.monotonic() - memory.described_at >= self._context.settings.resync_s * _CHECK_SHARE,
        )
        if base.failure is not None:
            return seen
        try:
            seen = self._with_requests(seen)
            region, account = self._hand.region(base), self._hand.account(base)
            self._place = Recorded(seen.policy, region, partition_of(region), account_id=account)
            seen = replace(seen, record=base.recorded or self._place)
        except AwsError as error:
            seen = replace(seen, base=replace(base, failure=self._hand.failure(During.CREATE, error)))
        return replace(seen, taken=self._taken(seen))

    def _with_requests(self, seen: ScalingSeen) -> ScalingSeen:
        spec, waiting = self._resolved()
        is_deleting = seen.base.deleting_for_s is not None
        try:
            self._requests = autoscaling.requests(spec)
        except ConversionError as exc:
            if is_deleting:
                return seen  # what is written down is removed; nothing was applied of what cannot be sent
            raise AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False) from exc
        ids = tuple(request.resource_id for request in self._requests)
        if waiting:
            # AWS may have refused the variants when the deployment was not there: once it serves, they are new to it.
            self._memory.hold, self._memory.setbacks = None, 0
        return replace(seen, wanted=ids, waiting=waiting, also=ids if seen.base.is_legacy else ())

    def _resolved(self) -> tuple[JsonObject, str]:
        """The spec with endpoints by their names at SageMaker, and who of them is not in service."""
        spec = dict(self._hand.spec)
        waiting, entries = "", []
        for entry in _entries(spec):
            name = _endpoint_name(entry)
            deployment = self._context.deployments.get(ObjectKey(self._key.namespace, name)) if name else None
            if deployment is not None:
                status = deployment.get("status") or {}
                if status.get("endpointStatus") not in {"InService", "Updating", "SystemUpdating"}:
                    is_now = f"is {status['endpointStatus']}" if status.get("endpointStatus") else "has no endpoint yet"
                    waiting = waiting or f"HostingDeployment {name} {is_now}"
                entries.append({**entry, "endpointName": status.get("endpointName") or name})
            else:
                entries.append(entry)
        if entries:
            spec["resourceId"] = entries
        return spec, waiting

    def _taken(self, seen: ScalingSeen) -> dict[str, str]:
        """Variants that another object has claimed for a policy of the same name."""
        return {
            each: f"HostingAutoscalingPolicy {ObjectKey.of(other)}"
            for each in {*seen.wanted, *seen.told, *seen.also}
            for other in self._others(each)
            if autoscaling.policy_name(other.get("spec") or {}) == seen.policy
            and (each not in seen.told or _age(other) < _age(self._hand.obj))
        }

    def _others(self, resource_id: str) -> list[JsonObject]:
        """Other policies that have claimed a variant of an endpoint in this region and account."""
        uid = self._hand.obj["metadata"]["uid"]
        return [
            other
            for other in self._context.policies.by_index(RESOURCE_IDS, resource_id)
            if other["metadata"]["uid"] != uid and self._is_here(other)
        ]

    def _is_here(self, other: JsonObject) -> bool:
        """Whether another policy is where this one is, as far as both tell."""
        place, recorded = self._place, recorded_in(other.get("status") or {})
        if place is None or recorded is None:
            return bool((other.get("spec") or {}).get("region") == self._hand.spec.get("region"))
        accounts = {place.account_id, recorded.account_id} - {""}
        return place.region == recorded.region and len(accounts) < 2

    def _look(self, ids: tuple[str, ...], seen: ScalingSeen) -> ScalingSeen:
        if foreign := self._foreign(ids, seen):
            return replace(seen, is_looked=True, taken={**seen.taken, **foreign})
        there = self._targets(ids, seen)
        found = tuple(sorted({*_found(self._hand.obj), *(each for each in there if self._was_there(each))}))
        notes = {CLAIMED: _claim_of(self._hand.obj, {*seen.told, *ids})}
        if found != _found(self._hand.obj):
            notes[FOUND] = json.dumps(found)
        self._hand.note(notes)
        return replace(seen, is_looked=True)

    def _foreign(self, ids: tuple[str, ...], seen: ScalingSeen) -> dict[str, str]:
        """Variants that have a policy of this name although this object has written down none: PutScalingPolicy would
        overwrite it, and the object's deletion would remove it (D-03). What the predecessor has put there is ours.
        """
        if seen.base.policy.adoption is not Adoption.REFUSE:
            return {}
        there = self._with_policy(seen)
        return dict.fromkeys((each for each in ids if each in there and each not in seen.also), SOMEBODY)

    def _was_there(self, resource_id: str) -> bool:
        """Whether a target was there before any object of ours: who came first knows, and may go before the last."""
        others = self._others(resource_id)
        return not others or any(resource_id in _found(other) for other in others)

    def _verify(self, seen: ScalingSeen) -> ScalingSeen:
        policies = self._with_policy(seen)
        is_missing = not policies.keys() >= set(seen.wanted)
        differences = () if is_missing else changed(self._requests, self._targets(seen.wanted, seen), policies)
        self._memory.described_at = self._context.clock.monotonic()
        return replace(seen, is_check_due=False, is_verified=True, missing=is_missing, differences=tuple(differences))

    def _with_policy(self, seen: ScalingSeen) -> Mapping[str, Mapping[str, Any]]:
        """Policies of this name, by the variant that they are on, whosever they are."""
        namespace = self._requests[0].target["ServiceNamespace"]
        target = self._hand.target(seen.base)
        return self._context.scaling.policies(target, seen.policy, namespace, caller=self._key)

    def _targets(self, ids: tuple[str, ...], seen: ScalingSeen) -> Mapping[str, Mapping[str, Any]]:
        selectors = [autoscaling.selector_of(each, self._hand.spec) for each in ids]
        return self._context.scaling.targets(self._hand.target(seen.base), selectors, caller=self._key)

    # --- acting

    def _apply(self, seen: ScalingSeen) -> ScalingSeen:
        scaling, target = self._context.scaling, self._hand.target(seen.base)
        self._hand.confirm()
        for request in self._requests:
            self._once(Effect.REGISTER, request.target, partial(scaling.register, target, request.target))
        for request in self._requests:
            policy = {**request.policy, "PolicyName": seen.policy}
            self._once(Effect.UPDATE, policy, partial(scaling.put_policy, target, policy))
        self._memory.made.clear()
        if seen.differences:
            self._memory.corrections = self._memory.corrections.after(self._context.clock.monotonic())
        return replace(seen, is_applied=True)

    def _remove(self, ids: tuple[str, ...], seen: ScalingSeen) -> ScalingSeen:
        scaling, target = self._context.scaling, self._hand.target(seen.base)
        self._hand.confirm()
        for each in ids:
            selector = autoscaling.selector_of(each, self._hand.spec)
            policy = {**selector, "PolicyName": seen.policy}
            self._once(Effect.DELETE, policy, partial(scaling.delete_policy, target, policy))
            if each not in _found(self._hand.obj) and not self._others(each):
                self._once(Effect.DEREGISTER, selector, partial(scaling.deregister, target, selector))
        self._memory.made.clear()
        if seen.base.deleting_for_s is None:  # else it goes with the object
            self._hand.note({CLAIMED: _claim_of(self._hand.obj, {*seen.told} - seen.removed - {*ids})})
        return replace(seen, removed=seen.removed | set(ids))

    def _once(self, effect: Effect, request: Mapping[str, Any], act: Callable[..., None]) -> None:
        """One call of several, unless a pass before this one made it and had to wait its turn for another.

        With more variants than calls go out at once, passes that all began anew would never come to the end.
        """
        call = f"{effect.value} {hold_token(self._hand.obj, self._hand.scope)} {digest(request)}"
        if call not in self._memory.made:
            self._context.executor.perform(effect, partial(act, caller=self._key))
            self._memory.made.add(call)


def _age(obj: JsonObject) -> tuple[str, str]:
    """Orders objects by creation; who came first keeps what both have claimed."""
    return obj["metadata"].get("creationTimestamp", ""), obj["metadata"]["uid"]
