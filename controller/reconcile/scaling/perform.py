"""Implements `LifeCycle` for autoscaling policies."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from api import autoscaling
from api.annotations import CLAIMED_VARIANTS, FOUND_TARGETS
from api.convert import ConversionError
from api.meta import JsonObject, ObjectKey
from controller.aws.autoscaling import Scaling
from controller.aws.console import partition_of
from controller.aws.errors import AwsError
from controller.reconcile.context import Context
from controller.reconcile.drift.digest import digest
from controller.reconcile.effects import Effect
from controller.reconcile.hosting import RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import RESYNC_SHARE, hold_token
from controller.reconcile.managed.requests import invalid
from controller.reconcile.observation import Adoption, During, Failure, Recorded
from controller.reconcile.ports import ObjectReader
from controller.reconcile.scaling.decide import (
    UNKNOWN_OWNER,
    Apply,
    CheckVariants,
    Remove,
    ScalingObservation,
    ScalingStep,
    VerifyPolicies,
    decide,
)
from controller.reconcile.scaling.drift import changed
from controller.reconcile.status.patch import recorded_in
from controller.reconcile.steps import EnsureFinalizer

ENDPOINTS: Final = "endpoints"
"""Index of policies by `namespace/endpointName`, as the spec has it."""
PRIOR_TARGETS: Final = FOUND_TARGETS.key
"""Annotation: JSON list of variants that had a target before this object: we do not deregister it."""
CLAIMED: Final = CLAIMED_VARIANTS.key
"""Annotation: JSON object of the object's uid and the variants that it has claimed. It repeats the status, so that an
emptied status does not make what the operator has applied look like the work of others. A copy of the object has
another uid, and has claimed nothing.
"""


def resource_ids_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `RESOURCE_IDS`."""
    yield from _recorded_ids(obj)


def _recorded_ids(obj: JsonObject) -> tuple[str, ...]:
    """Return the variants on which the object may have put its policy: from its status, else its annotation."""
    if recorded := (obj.get("status") or {}).get("resourceIDList"):
        return tuple(str(each) for each in recorded)
    metadata = obj["metadata"]
    try:
        claims = json.loads((metadata.get("annotations") or {}).get(CLAIMED) or "{}")
    except ValueError:
        return ()
    ids = claims.get(metadata["uid"]) if isinstance(claims, dict) else None
    return tuple(str(each) for each in ids) if isinstance(ids, list) else ()


def _text_of(obj: JsonObject, ids: Iterable[str]) -> str:
    """Return the text of the annotation `CLAIMED`."""
    return json.dumps({obj["metadata"]["uid"]: sorted(ids)})


def _prior_targets(obj: JsonObject) -> tuple[str, ...]:
    """Return the variants of the annotation `PRIOR_TARGETS`."""
    try:
        found = json.loads((obj["metadata"].get("annotations") or {}).get(PRIOR_TARGETS) or "[]")
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
    """Return the variants of a spec, unchecked; empty if it is no list, which the conversion reports."""
    entries = spec.get("resourceId")
    return entries if isinstance(entries, list) else ()


def _endpoint_name(entry: Any) -> str:
    name = entry.get("endpointName") if isinstance(entry, Mapping) else ""
    return name if isinstance(name, str) else ""


class ScalingLifeCycle:
    """`LifeCycle` of autoscaling policies: applied, applied again when changed, removed."""

    def __init__(self, context: Context, scaling: Scaling, policies: ObjectReader, deployments: ObjectReader) -> None:
        self._context = context
        self._scaling = scaling
        self._policies = policies
        self._deployments = deployments

    def decide(self, observed: ScalingObservation) -> ScalingStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(self, step: ScalingStep, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        """See `LifeCycle.perform`."""
        match step:
            case EnsureFinalizer():
                managed.ensure_finalizer(None if observed.base.is_name_persisted else observed.policy)
                return self.observe(managed)
            case CheckVariants(ids):
                return self._check_variants(observed, managed, ids)
            case VerifyPolicies():
                return self._verify_policies(observed, managed)
            case Apply():
                return self._apply(observed, managed)
            case Remove(ids):
                return self._remove(observed, managed, ids)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of a policy."""

    # --- observing

    def observe(self, managed: ManagedObject) -> ScalingObservation:
        """See `LifeCycle.observe`."""
        clock, obj, state = self._context.clock, managed.obj, managed.state
        base = managed.observe()
        if state.described_at is None:
            state.described_at = clock.monotonic()  # the periodic check counts from the first pass
        check_s = self._context.settings.resync_s * RESYNC_SHARE
        observed = ScalingObservation(
            base=base,
            policy=base.recorded.name if base.recorded else autoscaling.policy_name(managed.spec),
            recorded_ids=_recorded_ids(obj),
            is_observed=(obj.get("status") or {}).get("observedGeneration") == base.generation,
            is_check_due=base.is_reconcile_requested or clock.monotonic() - state.described_at >= check_s,
        )
        if base.failure is not None:
            return observed
        try:
            observed = self._with_requests(observed, managed)
            region, account = managed.region(base), managed.account()
            place = Recorded(observed.policy, region, partition_of(region), account_id=account)
            observed = replace(observed, place=place, record=base.recorded or place)
        except AwsError as error:
            observed = replace(observed, base=replace(base, failure=Failure.of(During.CREATE, error)))
        return replace(observed, taken=self._taken(observed, managed))

    def _with_requests(self, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        spec, waiting = self._resolved(managed)
        try:
            requests = autoscaling.requests(spec)
        except ConversionError as exc:
            if observed.base.deleting_for_s is not None:
                return observed  # recorded variants are removed; an invalid spec was never applied
            raise invalid(exc) from exc
        ids = tuple(request.resource_id for request in requests)
        if waiting:
            # AWS may have refused the variants when the deployment was not there: once it serves, they may be accepted.
            managed.state.hold, managed.state.setbacks = None, 0
        legacy_ids = ids if observed.base.is_legacy else ()
        return replace(observed, requests=requests, wanted=ids, waiting=waiting, legacy_ids=legacy_ids)

    def _resolved(self, managed: ManagedObject) -> tuple[JsonObject, str]:
        """Return the spec with the SageMaker names of endpoints, and which of them is not in service."""
        spec = dict(managed.spec)
        waiting, entries = "", []
        for entry in _entries(spec):
            name = _endpoint_name(entry)
            deployment = self._deployments.get(ObjectKey(managed.key.namespace, name)) if name else None
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

    def _taken(self, observed: ScalingObservation, managed: ManagedObject) -> dict[str, str]:
        """Return the variants that another object has claimed for a policy of the same name."""
        return {
            each: f"HostingAutoscalingPolicy {ObjectKey.of(other)}"
            for each in {*observed.wanted, *observed.recorded_ids, *observed.legacy_ids}
            for other in self._others(observed, managed, each)
            if autoscaling.policy_name(other.get("spec") or {}) == observed.policy
            and (each not in observed.recorded_ids or _age(other) < _age(managed.obj))
        }

    def _others(self, observed: ScalingObservation, managed: ManagedObject, resource_id: str) -> list[JsonObject]:
        """Return other policies that have claimed a variant of an endpoint in this region and account."""
        uid = managed.obj["metadata"]["uid"]
        return [
            other
            for other in self._policies.by_index(RESOURCE_IDS, resource_id)
            if other["metadata"]["uid"] != uid and _is_in(observed.place, other, managed.spec)
        ]

    def _check_variants(
        self, observed: ScalingObservation, managed: ManagedObject, ids: tuple[str, ...]
    ) -> ScalingObservation:
        if foreign := self._foreign(observed, managed, ids):
            return replace(observed, is_checked=True, taken={**observed.taken, **foreign})
        there = [each for each in self._targets(managed, ids) if self._was_there(observed, managed, each)]
        known = _prior_targets(managed.obj)
        found = tuple(sorted({*known, *there}))
        notes = {CLAIMED: _text_of(managed.obj, {*observed.recorded_ids, *ids})}
        if found != known:
            notes[PRIOR_TARGETS] = json.dumps(found)
        managed.annotate(notes)
        return replace(observed, is_checked=True)

    def _foreign(self, observed: ScalingObservation, managed: ManagedObject, ids: tuple[str, ...]) -> dict[str, str]:
        """Return the variants with a policy of this name that this object does not record.

        PutScalingPolicy would overwrite it, and deletion would remove it (D-03). The predecessor's policies are ours.
        """
        if observed.base.policy.adoption is not Adoption.REFUSE:
            return {}
        there = self._with_policy(observed, managed)
        return dict.fromkeys((each for each in ids if each in there and each not in observed.legacy_ids), UNKNOWN_OWNER)

    def _was_there(self, observed: ScalingObservation, managed: ManagedObject, resource_id: str) -> bool:
        """Return whether a target existed before any object of ours, by the annotations of all that use it."""
        others = self._others(observed, managed, resource_id)
        return not others or any(resource_id in _prior_targets(other) for other in others)

    def _verify_policies(self, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        policies = self._with_policy(observed, managed)
        is_missing = not policies.keys() >= set(observed.wanted)
        differences = (
            () if is_missing else changed(observed.requests, self._targets(managed, observed.wanted), policies)
        )
        managed.state.described_at = self._context.clock.monotonic()
        return replace(
            observed, is_check_due=False, is_verified=True, missing=is_missing, differences=tuple(differences)
        )

    def _with_policy(self, observed: ScalingObservation, managed: ManagedObject) -> Mapping[str, Mapping[str, Any]]:
        """Return the policies of this name by the variant that they are on, of this object and of others."""
        namespace = observed.requests[0].target["ServiceNamespace"]
        return self._scaling.policies(managed.identity.target(), observed.policy, namespace, caller=managed.key)

    def _targets(self, managed: ManagedObject, ids: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
        selectors = [autoscaling.selector_of(each, managed.spec) for each in ids]
        return self._scaling.targets(managed.identity.target(), selectors, caller=managed.key)

    # --- acting

    def _apply(self, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        scaling, target = self._scaling, managed.identity.target()
        managed.require_current()
        for request in observed.requests:
            self._once(managed, Effect.REGISTER, request.target, partial(scaling.register, target, request.target))
        for request in observed.requests:
            policy = {**request.policy, "PolicyName": observed.policy}
            self._once(managed, Effect.UPDATE, policy, partial(scaling.put_policy, target, policy))
        managed.state.made.clear()
        if observed.differences:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        return replace(observed, is_applied=True)

    def _remove(self, observed: ScalingObservation, managed: ManagedObject, ids: tuple[str, ...]) -> ScalingObservation:
        scaling, target = self._scaling, managed.identity.target()
        managed.require_current()
        for each in ids:
            selector = autoscaling.selector_of(each, managed.spec)
            policy = {**selector, "PolicyName": observed.policy}
            self._once(managed, Effect.DELETE, policy, partial(scaling.delete_policy, target, policy))
            if each not in _prior_targets(managed.obj) and not self._others(observed, managed, each):
                self._once(managed, Effect.DEREGISTER, selector, partial(scaling.deregister, target, selector))
        managed.state.made.clear()
        if observed.base.deleting_for_s is None:  # else the annotation is deleted with the object
            managed.annotate({CLAIMED: _text_of(managed.obj, {*observed.recorded_ids} - observed.removed - {*ids})})
        return replace(observed, removed=observed.removed | set(ids))

    def _once(
        self, managed: ManagedObject, effect: Effect, request: Mapping[str, Any], act: Callable[..., None]
    ) -> None:
        """Make one call of several, unless an earlier pass made it and was throttled at a later one.

        With more variants than the budget allows calls, passes that start over would never finish.
        """
        call = f"{effect.value} {hold_token(managed.obj, managed.effective_settings)} {digest(request)}"
        if call not in managed.state.made:
            self._context.effects.perform(effect, partial(act, caller=managed.key))
            managed.state.made.add(call)


def _is_in(place: Recorded | None, other: JsonObject, spec: Mapping[str, Any]) -> bool:
    """Return whether another policy is at `place`, as the one with this `spec`, as far as both show."""
    recorded = recorded_in(other.get("status") or {})
    if place is None or recorded is None:
        return bool((other.get("spec") or {}).get("region") == spec.get("region"))
    accounts = {place.account_id, recorded.account_id} - {""}
    return place.region == recorded.region and len(accounts) < 2


def _age(obj: JsonObject) -> tuple[str, str]:
    """Order objects by creation: the older one keeps variants that both have claimed."""
    return obj["metadata"].get("creationTimestamp", ""), obj["metadata"]["uid"]
