"""Implements `LifeCycle` for inference components: one method for each step of `observation`."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import structlog

from api.annotations import LAST_UPDATE_ATTEMPT, RECONCILE_AT, RECREATE_ON_FAILURE
from api.autoscaling import component_id_of, selector_of
from api.convert import to_request
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, MODEL
from api.v1.inferencecomponent import UPDATE
from controller.aws.autoscaling import Scaling
from controller.aws.errors import CallError
from controller.aws.sagemaker import Endpoints
from controller.reconcile import reasons
from controller.reconcile.component.attempt import Attempt, next_attempt, parse, served, text_of
from controller.reconcile.component.decide import decide
from controller.reconcile.component.desired import desired, shown
from controller.reconcile.component.observation import (
    ComponentObservation,
    ComponentStep,
    EndpointSeen,
    LookAtEndpoint,
    LookForTarget,
    RecordServed,
    Update,
)
from controller.reconcile.context import Context
from controller.reconcile.dependencies import MODEL_NAMES_FIELD
from controller.reconcile.effects import Effect
from controller.reconcile.hosting import RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import described, external_resource, with_external
from controller.reconcile.managed.ownership import verify_owner
from controller.reconcile.managed.requests import create_request
from controller.reconcile.observation import During, ExternalResource, Failure, Mutation, Source
from controller.reconcile.ports import ObjectReader
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.status.notes import note_of
from controller.reconcile.status.patch import rfc3339
from controller.reconcile.steps import Create, Delete, Describe, Drift, EnsureFinalizer, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)


class ComponentLifeCycle:
    """`LifeCycle` of inference components: created on an endpoint in service, updated in place, deleted."""

    def __init__(self, context: Context, components: Endpoints, scaling: Scaling, policies: ObjectReader) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._components = components
        self._scaling = scaling
        self._policies = policies

    def decide(self, observed: ComponentObservation) -> ComponentStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(
        self, step: ComponentStep, observed: ComponentObservation, managed: ManagedObject
    ) -> ComponentObservation:
        """See `LifeCycle.perform`."""
        match step:
            case EnsureFinalizer():
                managed.ensure_finalizer(None)
                return self.observe(managed)
            case LookAtEndpoint():
                return self._look_at_endpoint(observed, managed)
            case LookForTarget():
                return self._look_for_target(observed, managed)
            case RecordServed():
                assert observed.desired is not None  # noqa: S101 (decided on)
                return self._record(observed, managed, served(observed.attempt, observed.desired, observed.retry))
            case Describe(background, before):
                if isinstance(before, Update | Delete):
                    operation = _operation(before) if isinstance(before, Update) else self._descriptor.operations.delete
                    self._components.reserve(managed.identity.target(), operation, caller=managed.key)
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return replace(observed, base=verify_owner(managed, observed.base, self._components, arn))
            case Create():
                return self._create(observed, managed)
            case Update():
                return self._update(observed, managed, step)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                raise AssertionError(f"{step} is the loop's")

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of a component."""

    # --- observing

    def observe(self, managed: ManagedObject) -> ComponentObservation:
        """See `LifeCycle.observe`."""
        obj, state = managed.obj, managed.state
        base = managed.observe()
        if base.is_recorded_in_status:
            state.recorded = state.doubtful_since = None
        status, annotations = obj.get("status") or {}, obj["metadata"].get("annotations") or {}
        sighting, is_unchanged = self._context.tracker.last(managed.key), False
        if sighting is not None and base.recorded is not None:  # else of an earlier object
            summary = None
            if sighting.summary is not None:
                summary = external_resource(self._descriptor, sighting.summary, Source.SUMMARY)
                is_unchanged = _is_shown(status, summary, sighting.summary)
            is_due, is_lost = sighting.is_describe_due or base.is_reconcile_requested, sighting.lost is not None
            base = replace(base, is_describe_due=is_due, is_list_lost=is_lost)
            base = with_external(managed.state, base, summary)
        observed = ComponentObservation(
            base=base,
            variant=str(managed.spec.get("variantName") or ""),
            retry=RECONCILE_AT.of(annotations) or "",
            attempt=Attempt() if base.is_copied else parse(note_of(obj, LAST_UPDATE_ATTEMPT), base.uid),
            is_observed=status.get("observedGeneration") == base.generation
            and base.reasons.get(reasons.SYNCED) != reasons.WAITING,
            shown_copies=(status.get("runtimeConfig") or {}).get("desiredCopyCount"),
            is_unchanged=is_unchanged,
            was_visible=bool(status.get("creationTime")),
            recreates=RECREATE_ON_FAILURE.of(annotations) is True,
            scaler=self._scaler(managed, base.name),
            model_names=managed.resolution.names.get(MODEL.kind, {}),
            shown_model_names=tuple(
                (str(each.get("name")), str(each.get("value"))) for each in status.get(MODEL_NAMES_FIELD) or ()
            ),
        )
        if base.failure is not None or base.deleting_for_s is not None or base.policy.read_only:
            return observed
        try:
            if base.recorded is None:  # before the endpoint is looked at by its name
                create_request(self._descriptor, managed.resolved_spec, base.name, managed.identity)
            return replace(observed, desired=desired(managed.resolved_spec))
        except CallError as error:
            return replace(observed, invalid=Failure.of(During.CREATE, error))

    def _scaler(self, managed: ManagedObject, name: str) -> str:
        """Return the policy object that has claimed the component's copies; empty: none has."""
        region = managed.spec.get("region")
        for policy in self._policies.by_index(RESOURCE_IDS, component_id_of(name)):
            if (policy.get("spec") or {}).get("region") == region:
                return f"HostingAutoscalingPolicy {ObjectKey.of(policy)}"
        return ""

    def _describe(
        self, observed: ComponentObservation, managed: ManagedObject, *, background: bool
    ) -> ComponentObservation:
        base, target, caller = observed.base, managed.identity.target(), managed.key
        answer = described(
            base,
            lambda: self._components.describe(
                self._descriptor, target, base.name, caller=caller, background=background
            ),
        )
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        self._context.tracker.described(managed.key, answer)
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        return replace(observed, base=with_external(managed.state, base, external), shown=shown(answer))

    def _look_at_endpoint(self, observed: ComponentObservation, managed: ManagedObject) -> ComponentObservation:
        name, target = str(managed.resolved_spec.get("endpointName") or ""), managed.identity.target()
        answer = self._components.describe(HOSTING_DEPLOYMENT, target, name, caller=managed.key, background=False)
        if answer is ABSENT:
            return replace(observed, endpoint=ABSENT)
        variants = answer.get("ProductionVariants") or ()
        names = tuple(str(each.get("VariantName", "")) for each in variants)
        return replace(observed, endpoint=EndpointSeen(name, str(answer.get("EndpointStatus", "")), names))

    def _look_for_target(self, observed: ComponentObservation, managed: ManagedObject) -> ComponentObservation:
        """Find out whether the component is a scalable target; if the call is denied, it counts as one."""
        resource_id, target = component_id_of(observed.base.name), managed.identity.target()
        try:
            there = self._scaling.targets(target, [selector_of(resource_id, {})], caller=managed.key)
        except CallError as error:
            if error.error_class is ErrorClass.THROTTLED:
                raise
            _log.warning("cannot tell whether the component is scaled", code=error.code)
            return replace(observed, has_target=True)
        return replace(observed, has_target=resource_id in there)

    # --- acting

    def _record(self, observed: ComponentObservation, managed: ManagedObject, attempt: Attempt) -> ComponentObservation:
        managed.annotate({LAST_UPDATE_ATTEMPT.key: text_of(attempt, observed.base.uid)})
        return replace(observed, attempt=attempt)

    def _intend(self, observed: ComponentObservation, managed: ManagedObject, *, since: str) -> ComponentObservation:
        """Record what is about to be requested."""
        assert observed.desired is not None  # noqa: S101 (decided on)
        attempt = next_attempt(
            observed.attempt, observed.desired, retry=observed.retry, since=since, now=observed.base.now
        )
        return self._record(observed, managed, attempt)

    def _create(self, observed: ComponentObservation, managed: ManagedObject) -> ComponentObservation:
        base, target = observed.base, managed.identity.target()
        request = create_request(self._descriptor, managed.resolved_spec, base.name, managed.identity)
        self._components.reserve(target, self._descriptor.operations.create, caller=managed.key)
        observed = self._intend(observed, managed, since="")
        send = partial(
            self._context.effects.perform,
            Effect.CREATE,
            lambda: self._components.create(self._descriptor, target, request, caller=managed.key),
        )
        created = replace(managed.create(base, base.name, send), external=None)
        return replace(observed, base=created, was_visible=observed.was_visible and created.mutation is None)

    def _update(self, observed: ComponentObservation, managed: ManagedObject, step: Update) -> ComponentObservation:
        base, target, operation = observed.base, managed.identity.target(), _operation(step)
        request: JsonObject = {self._descriptor.name.member: base.name}
        change = to_request(self._descriptor, managed.resolved_spec, UPDATE)
        if step.only_copies:
            request["DesiredRuntimeConfig"] = change["RuntimeConfig"]
        else:
            request |= {name: each for name, each in change.items() if name != "RuntimeConfig"}
            if "RuntimeConfig" in change and not observed.is_scaled:
                request["RuntimeConfig"] = change["RuntimeConfig"]
        self._components.reserve(target, operation, caller=managed.key)
        is_drift = not observed.is_pending and drift_shown(base) is Drift.FOUND
        observed = self._intend(observed, managed, since=str(observed.fields.get("lastModifiedTime", "")))
        managed.patch_notes()  # nothing but the record says what AWS may have got, if the answer is lost
        managed.require_current()
        try:
            self._context.effects.perform(
                Effect.UPDATE, lambda: self._components.change(target, operation, request, caller=managed.key)
            )
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, refusal=error.message)
            raise
        self._context.tracker.poll_soon(managed.key)
        if is_drift:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        return replace(observed, base=replace(base, mutation=Mutation.UPDATED))

    def _delete(self, observed: ComponentObservation, managed: ManagedObject, name: str) -> ComponentObservation:
        base, target = observed.base, managed.identity.target()
        managed.require_current()
        try:
            answer = self._context.effects.perform(
                Effect.DELETE,
                lambda: self._components.delete(self._descriptor, target, name, caller=managed.key),
            )
        except CallError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, refusal=error.message)
            raise
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
        return replace(observed, base=replace(base, mutation=Mutation.DELETED))


def _operation(step: Update) -> str:
    """Return what sends it: the number of copies alone is changed without a deployment."""
    return "UpdateInferenceComponentRuntimeConfig" if step.only_copies else UPDATE


def _is_shown(status: Mapping[str, Any], summary: ExternalResource, answer: Mapping[str, Any]) -> bool:
    """Return whether the status shows what a List summary shows."""
    modified = answer.get("LastModifiedTime")
    is_same = modified is not None and rfc3339(modified) == status.get("lastModifiedTime")
    return is_same and status.get("inferenceComponentStatus") == summary.value
