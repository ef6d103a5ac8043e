"""Implements `LifeCycle` for autoscaling policies.

Longer than most: the calls about targets and policies share what they know of others on the same variant.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import structlog

from api import autoscaling
from api.convert import ConversionError
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, INFERENCE_COMPONENT
from controller.aws.autoscaling import Scaling
from controller.aws.console import partition_of
from controller.aws.errors import CallError
from controller.reconcile.context import Context
from controller.reconcile.dependencies import COMPONENT, component_name, endpoint_name, endpoint_names, variants_of
from controller.reconcile.drift.digest import digest
from controller.reconcile.effects import Effect
from controller.reconcile.hosting import COMPONENT_NAMES, ENDPOINT_NAMES, RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import RESYNC_SHARE, hold_token
from controller.reconcile.managed.requests import invalid
from controller.reconcile.observation import Adoption, During, Failure, Recorded
from controller.reconcile.ports import ObjectReader
from controller.reconcile.scaling.claims import (
    CLAIMED,
    PRIOR_TARGETS,
    Claim,
    Claims,
    Prior,
    bounds_of,
    claims_of,
    forgetting_targets,
    is_replaced,
    prior_targets,
    recorded_ids,
    settings_of,
    text_of,
    with_new,
    without,
)
from controller.reconcile.scaling.decide import (
    UNKNOWN_OWNER,
    Apply,
    CheckVariants,
    Remove,
    ScalingObservation,
    ScalingStep,
    Seen,
    VerifyPolicies,
    decide,
    left_behind,
)
from controller.reconcile.scaling.drift import changed, changes_target
from controller.reconcile.scaling.hosts import Host, births
from controller.reconcile.status.copies import is_older
from controller.reconcile.status.patch import recorded_in
from controller.reconcile.steps import EnsureFinalizer
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

UNSEEN_CHECK_S: Final = 600.0
"""How often AWS is asked whether a policy is in place, where no deployment of the cluster shows it an endpoint that was
made again: a few calls for each such policy."""


def resource_ids_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `RESOURCE_IDS`."""
    yield from recorded_ids(obj)


def endpoints_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `ENDPOINTS`: in its namespace, and at SageMaker, where names have none."""
    namespace = obj["metadata"].get("namespace") or ""
    for name in endpoint_names(obj):
        yield from (f"{namespace}/{name}", f"/{name}")


def components_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `SCALED_COMPONENTS`, likewise."""
    namespace = obj["metadata"].get("namespace") or ""
    for name in filter(None, map(component_name, variants_of(obj.get("spec") or {}))):
        yield from (f"{namespace}/{name}", f"/{name}")


def endpoint_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `ENDPOINT_NAMES`."""
    if name := (obj.get("status") or {}).get(HOSTING_DEPLOYMENT.name.status_field):
        yield str(name)


class ScalingLifeCycle:
    """`LifeCycle` of autoscaling policies: applied, applied again when changed, removed."""

    def __init__(
        self,
        context: Context,
        scaling: Scaling,
        policies: ObjectReader,
        deployments: ObjectReader,
        components: ObjectReader,
    ) -> None:
        self._context = context
        self._scaling = scaling
        self._policies = policies
        self._deployments = deployments
        self._components = components

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
        hosts = list(self._hosts_of(managed))
        claims = claims_of(obj)
        check_s = self._context.settings.resync_s * RESYNC_SHARE
        check_in_s = None
        if None in hosts or not all(claim.policy or claim.target for claim in claims.values()):
            check_s = min(check_s, UNSEEN_CHECK_S)
            left_s = check_s - (clock.monotonic() - state.described_at)
            check_in_s = left_s if left_s > 0 else check_s
        lost = self._lost_hosts(managed)
        if lost and not any(each.waiting for each in lost) and births(lost) == state.verified:
            lost = []
        observed = ScalingObservation(
            base=base,
            policy=base.recorded.name if base.recorded else autoscaling.policy_name(managed.spec),
            recorded_ids=recorded_ids(obj),
            is_observed=managed.status.get("observedGeneration") == base.generation,
            check_in_s=check_in_s,
            is_lost=bool(lost),
            is_check_due=base.is_reconcile_requested or bool(lost) or clock.monotonic() - state.described_at >= check_s,
        )
        if base.failure is not None:
            return observed
        try:
            observed = self._with_requests(observed, managed)
            waiting = observed.waiting or next(filter(None, (each.waiting for each in lost)), "")
            observed = replace(observed, waiting=waiting)
            region, account = managed.region(base), managed.account()
            partition, uid = partition_of(region), obj["metadata"]["uid"]
            place = Recorded(observed.policy, region, partition, account_id=account, owner_uid=uid)
            observed = replace(observed, place=place, record=base.recorded or place)
        except CallError as error:
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
        """Return the spec with the SageMaker names of endpoints and components, and which of them is not in service."""
        spec = dict(managed.spec)
        waiting, entries = "", []
        for entry in variants_of(spec):
            host = self._named_by(managed, entry)
            if host is None:
                entries.append(entry)
                continue
            waiting = waiting or host.waiting
            member = "endpointName" if host.descriptor is HOSTING_DEPLOYMENT else COMPONENT
            entries.append({**entry, member: host.name or entry[member]})
        if entries:
            spec["resourceId"] = entries
        return spec, waiting

    def _named_by(self, managed: ManagedObject, entry: Any) -> Host | None:
        """Return the object that an entry of the spec names; None where the name is SageMaker's."""
        if name := component_name(entry):
            found, descriptor = self._components.get(ObjectKey(managed.key.namespace, name)), INFERENCE_COMPONENT
        else:
            name, descriptor = endpoint_name(entry), HOSTING_DEPLOYMENT
            found = self._deployments.get(ObjectKey(managed.key.namespace, name)) if name else None
        return None if found is None else Host(descriptor, found)

    def _hosts_of(self, managed: ManagedObject) -> Iterator[Host | None]:
        """Yield the object of each endpoint or component, however the policy names it; None for those of others."""
        seen = set()
        for entry in variants_of(managed.spec):
            component, endpoint = component_name(entry), endpoint_name(entry)
            if (component, endpoint) in seen or not (component or endpoint):
                continue
            seen.add((component, endpoint))
            host = self._named_by(managed, entry)
            yield host if host is not None else self._at_sagemaker(managed, component, endpoint)

    def _at_sagemaker(self, managed: ManagedObject, component: str, endpoint: str) -> Host | None:
        """Return the object of an endpoint or component by the name at SageMaker, in any namespace."""
        store, index, descriptor = (
            (self._components, COMPONENT_NAMES, INFERENCE_COMPONENT)
            if component
            else (self._deployments, ENDPOINT_NAMES, HOSTING_DEPLOYMENT)
        )
        there = (Host(descriptor, each) for each in store.by_index(index, component or endpoint))
        return next((each for each in there if each.is_near(managed.spec)), None)

    def _lost_hosts(self, managed: ManagedObject) -> list[Host]:
        """Return what is going, or was made again since the policy was put on it."""
        claims = claims_of(managed.obj)
        return [each for each in self._hosts_of(managed) if each is not None and each.is_lost(managed.obj, claims)]

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
        targets, noted = self._targets(managed, ids), prior_targets(managed.obj)
        known = {each: settings for each, settings in noted.items() if each in observed.recorded_ids}
        found = dict(known)
        for each in targets:
            if each not in known and self._was_there(observed, managed, each):
                found[each] = self._settings_before(observed, managed, each, targets[each])
        refused = self._not_ours(observed, targets, found)
        if refused:
            return replace(observed, is_checked=True, other_targets=refused)
        notes = {CLAIMED: text_of(managed.obj, with_new(claims_of(managed.obj), {*observed.recorded_ids, *ids}))}
        if found != noted:
            notes[PRIOR_TARGETS] = json.dumps(found, sort_keys=True)
        managed.annotate(notes)
        return replace(observed, is_checked=True)

    def _settings_before(
        self, observed: ScalingObservation, managed: ManagedObject, resource_id: str, target: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return the settings to put back when a target that was there before is released; None: it is shared as it is.

        Another object of ours that uses it knows what they were before it.
        """
        for other in self._others(observed, managed, resource_id):
            noted = prior_targets(other)
            if resource_id in noted:
                return noted[resource_id]
        if resource_id in observed.legacy_ids:
            return {}  # the predecessor has changed it already
        return None if observed.base.policy.adoption is Adoption.REFUSE else settings_of(target)

    def _not_ours(
        self, observed: ScalingObservation, targets: Mapping[str, Mapping[str, Any]], prior: Prior
    ) -> dict[str, str]:
        """Return the targets of others that the spec would change, each with its bounds."""
        shared = {each for each, settings in prior.items() if settings is None}
        return {
            request.resource_id: bounds_of(there)
            for request in observed.requests
            if request.resource_id in shared
            and (there := targets.get(request.resource_id)) is not None
            and changes_target(request, there)
        }

    def _foreign(self, observed: ScalingObservation, managed: ManagedObject, ids: tuple[str, ...]) -> dict[str, str]:
        """Return the variants with a policy of this name that this object does not record.

        PutScalingPolicy would overwrite it, and deletion would remove it (D-03). The predecessor's policies are ours.
        """
        if observed.base.policy.adoption is not Adoption.REFUSE:
            return {}
        there, claims = self._with_policy(observed, managed), claims_of(managed.obj)
        noted = {*observed.legacy_ids, *observed.recorded_ids}
        theirs = [
            each
            for each in dict.fromkeys((*ids, *observed.recorded_ids))
            if each in there and (each not in noted or _is_theirs(managed, claims, each, there[each]))
        ]
        return dict.fromkeys(theirs, UNKNOWN_OWNER)

    def _was_there(self, observed: ScalingObservation, managed: ManagedObject, resource_id: str) -> bool:
        """Return whether a target existed before any object of ours, by the annotations of all that use it."""
        others = self._others(observed, managed, resource_id)
        return not others or any(resource_id in prior_targets(other) for other in others)

    def _verify_policies(self, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        policies = self._with_policy(observed, managed)
        if theirs := self._replaced(managed, observed, claims_of(managed.obj), policies):
            return replace(observed, is_verified=True, taken={**observed.taken, **theirs})
        is_missing = not policies.keys() >= set(observed.wanted)
        differences = (
            () if is_missing else changed(observed.requests, self._targets(managed, observed.wanted), policies)
        )
        managed.state.described_at = self._context.clock.monotonic()
        if observed.is_lost and not is_missing:
            managed.state.verified = births(self._lost_hosts(managed))
        return replace(
            observed, is_check_due=False, is_verified=True, missing=is_missing, differences=tuple(differences)
        )

    def _with_policy(self, observed: ScalingObservation, managed: ManagedObject) -> Mapping[str, Mapping[str, Any]]:
        """Return the policies of this name by the variant that they are on, of this object and of others."""
        namespace = autoscaling.selector_of("", managed.spec)["ServiceNamespace"]
        return self._scaling.policies(managed.identity.target(), observed.policy, namespace, caller=managed.key)

    def _targets(self, managed: ManagedObject, ids: tuple[str, ...]) -> Mapping[str, Mapping[str, Any]]:
        selectors = [autoscaling.selector_of(each, managed.spec) for each in ids]
        return self._scaling.targets(managed.identity.target(), selectors, caller=managed.key)

    # --- acting

    def _apply(self, observed: ScalingObservation, managed: ManagedObject) -> ScalingObservation:
        """Register all targets, then put all policies; targets that are shared are changed after that.

        A policy that AWS refuses must not have changed the bounds that others, or other policies, scale within. Where a
        later call of the pass is throttled, the next pass makes only those that are left: each pass has a turn at AWS
        for one call of an operation.
        """
        scaling, target, left = self._scaling, managed.identity.target(), left_behind(observed)
        policies, targets = self._with_policy(observed, managed), self._targets(managed, (*observed.wanted, *left))
        claims, prior = claims_of(managed.obj), self._prior(observed, managed, targets)
        other_targets = self._not_ours(observed, targets, prior)
        if observed.base.policy.adoption is Adoption.REFUSE:
            other_targets |= {
                each: bounds_of(there)
                for each in observed.wanted
                if is_replaced(claims.get(each, Claim()).target, there := targets.get(each, {}))
            }
            if theirs := self._replaced(managed, observed, claims, policies):
                return replace(observed, taken={**observed.taken, **theirs})
        if other_targets:
            return replace(observed, other_targets=other_targets)
        managed.require_current()
        self._note(observed, managed, policies, targets, prior)
        shared = {each for each in targets if prior.get(each) or self._others(observed, managed, each)}
        requests = [each for each in observed.requests if prior.get(each.resource_id, {}) is not None]
        for request in requests:
            if request.resource_id not in shared:
                self._once(managed, Effect.REGISTER, request.target, partial(scaling.register, target, request.target))
        try:
            for request in observed.requests:
                policy = {**request.policy, "PolicyName": observed.policy}
                self._once(managed, Effect.UPDATE, policy, partial(scaling.put_policy, target, policy))
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                managed.state.made.clear()  # a target that was registered has gone again, with its endpoint
            raise
        for request in requests:
            if request.resource_id in shared:
                self._once(managed, Effect.REGISTER, request.target, partial(scaling.register, target, request.target))
        if any(claim.policy is None for claim in claims_of(managed.obj).values()):
            policies, targets = self._with_policy(observed, managed), self._targets(managed, (*observed.wanted, *left))
            self._note(observed, managed, policies, targets, prior)
        if not left:
            managed.state.made.clear()
        if observed.differences:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        return replace(observed, is_applied=True, seen=Seen(policies, targets))

    @staticmethod
    def _replaced(
        managed: ManagedObject, observed: ScalingObservation, claims: Claims, policies: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, str]:
        """Return the wanted variants on which others have put a policy in place of the object's own."""
        return {
            each: UNKNOWN_OWNER
            for each in observed.wanted
            if each in policies and _is_theirs(managed, claims, each, policies[each])
        }

    def _prior(
        self, observed: ScalingObservation, managed: ManagedObject, targets: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Mapping[str, Any] | None]:
        """Return the targets that were there before, with the settings of those for which adoption was asked since.

        Those that others have removed meanwhile are registered again, and the object's then.
        """
        known = prior_targets(managed.obj)
        prior = {each: settings for each, settings in known.items() if each in targets or each not in observed.wanted}
        if observed.base.policy.adoption is not Adoption.REFUSE:
            shared = [each for each, settings in prior.items() if settings is None and each in targets]
            prior |= {each: settings_of(targets[each]) for each in shared}
        if prior != known:
            managed.annotate({PRIOR_TARGETS: json.dumps(prior, sort_keys=True)})
            managed.patch_notes()  # before the target is changed, as nothing else knows what it was
        return prior

    def _note(
        self,
        observed: ScalingObservation,
        managed: ManagedObject,
        policies: Mapping[str, Mapping[str, Any]],
        targets: Mapping[str, Mapping[str, Any]],
        prior: Prior,
    ) -> None:
        """Note when AWS created what is there of the wanted variants.

        What is not there loses its note before it is put again: another process must take the new one for the object's.
        """
        known, adopts = claims_of(managed.obj), observed.base.policy.adoption is not Adoption.REFUSE
        claims = with_new(known, observed.recorded_ids)
        seen = {
            each: (Claim() if adopts else claim).seeing(policies.get(each), targets.get(each))
            if each in observed.wanted
            else claim
            for each, claim in claims.items()
        }
        seen = forgetting_targets(seen, prior)
        if seen != known:
            managed.annotate({CLAIMED: text_of(managed.obj, seen)})

    def _remove(self, observed: ScalingObservation, managed: ManagedObject, ids: tuple[str, ...]) -> ScalingObservation:
        scaling, target = self._scaling, managed.identity.target()
        seen = observed.seen or Seen(self._with_policy(observed, managed), self._targets(managed, ids))
        policies, targets = seen.policies, seen.targets
        claims, prior = claims_of(managed.obj), prior_targets(managed.obj)
        known = {each for each, claim in claims.items() if claim.policy or claim.target}
        managed.require_current()
        for each in ids:
            claim = claims.get(each, Claim())
            selector = autoscaling.selector_of(each, managed.spec)
            policy = {**selector, "PolicyName": observed.policy}
            if not _is_theirs(managed, claims, each, policies.get(each, {})):
                delete = partial(scaling.delete_policy, target, policy)
                self._take_away(managed, Effect.DELETE, policy, delete, each in policies or each in known)
            there = targets.get(each, {})
            is_theirs = is_replaced(claim.target, there) or (each not in claims and _is_of_an_original(managed, there))
            if is_theirs or self._others(observed, managed, each):
                continue
            if each not in prior:
                deregister = partial(scaling.deregister, target, selector)
                self._take_away(managed, Effect.DEREGISTER, selector, deregister, each in targets or each in known)
            elif each in targets:
                self._put_back(managed, selector, prior[each], targets[each])
        managed.state.made.clear()
        if observed.base.deleting_for_s is None:  # else the annotations are deleted with the object
            # Not removed yet: if the status that records the variants cannot be written, they are removed once more.
            kept = {each: None if each in ids else settings for each, settings in prior.items()}
            notes = {CLAIMED: text_of(managed.obj, without(claims, {*observed.removed, *ids}))}
            if kept != prior:
                notes[PRIOR_TARGETS] = json.dumps(kept, sort_keys=True)
            managed.annotate(notes)
        return replace(observed, removed=observed.removed | set(ids))

    def _put_back(
        self,
        managed: ManagedObject,
        selector: Mapping[str, Any],
        settings: Mapping[str, Any] | None,
        there: Mapping[str, Any],
    ) -> None:
        """Put back the settings that a target had before it was taken over; a deletion does not wait for that."""
        if not settings or settings == settings_of(there):
            return
        request = {**selector, **settings}
        register = partial(self._scaling.register, managed.identity.target(), request)
        try:
            self._once(managed, Effect.REGISTER, request, register)
        except CallError as error:
            if error.error_class not in {ErrorClass.INVALID, ErrorClass.QUOTA, ErrorClass.NOT_FOUND}:
                raise
            _log.warning("a scalable target cannot be put back", target=selector["ResourceId"], code=error.code)

    def _take_away(
        self,
        managed: ManagedObject,
        effect: Effect,
        request: Mapping[str, Any],
        act: Callable[..., None],
        is_known: bool,
    ) -> None:
        """Make one call that removes what is known to be there, or may be.

        AWS refuses a spec that it has never accepted here as well. Then nothing is described, and nothing left behind.
        """
        try:
            self._once(managed, effect, request, act)
        except CallError as error:
            if is_known or error.error_class not in {ErrorClass.INVALID, ErrorClass.REFUSED}:
                raise
            _log.info("nothing to remove", effect=effect.value, target=request["ResourceId"], code=error.code)

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


def _is_theirs(managed: ManagedObject, claims: Claims, resource_id: str, policy: Mapping[str, Any]) -> bool:
    """Return whether others have put the policy that AWS describes on a variant.

    What the predecessor and earlier versions have put is not dated: it cannot be older than the object.
    """
    if resource_id in claims:
        return is_replaced(claims[resource_id].policy, policy)
    return _is_of_an_original(managed, policy)


def _is_of_an_original(managed: ManagedObject, there: Mapping[str, Any]) -> bool:
    """Return whether what AWS describes was put there for the object of which this one is a restored copy."""
    if managed.effective_settings.policy().adoption is not Adoption.REFUSE:
        return False
    return is_older(managed.obj["metadata"], there.get("CreationTime"))


def _age(obj: JsonObject) -> tuple[str, str]:
    """Order objects by creation: the older one keeps variants that both have claimed."""
    return obj["metadata"].get("creationTimestamp", ""), obj["metadata"]["uid"]
