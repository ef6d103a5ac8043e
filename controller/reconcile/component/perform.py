"""Implements `LifeCycle` for inference components: what is special about their requests and observations."""

from typing import Final

import structlog

from api.autoscaling import component_id_of, selector_of
from api.convert import to_request
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, MODEL
from api.v1.inferencecomponent import UPDATE
from controller.aws.autoscaling import Scaling
from controller.aws.errors import CallError
from controller.aws.sagemaker import Endpoints
from controller.reconcile.component.decide import decide
from controller.reconcile.component.desired import desired, shown
from controller.reconcile.component.observation import (
    ComponentObservation,
    ComponentStep,
    EndpointSeen,
    LookAtEndpoint,
    LookForTarget,
)
from controller.reconcile.context import Context
from controller.reconcile.dependencies import MODEL_NAMES_FIELD
from controller.reconcile.hosting import RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.mutable.compared.desired import Desired
from controller.reconcile.mutable.compared.perform import ComparedLifeCycle
from controller.reconcile.observation import Observed
from controller.reconcile.ports import ObjectReader
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)


class ComponentLifeCycle(ComparedLifeCycle[ComponentObservation, ComponentStep]):
    """`LifeCycle` of inference components: created on an endpoint in service, updated in place, deleted."""

    def __init__(self, context: Context, components: Endpoints, scaling: Scaling, policies: ObjectReader) -> None:
        super().__init__(context, components)
        self._scaling = scaling
        self._policies = policies

    def decide(self, observed: ComponentObservation) -> ComponentStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform_own(
        self, step: ComponentStep, observed: ComponentObservation, managed: ManagedObject
    ) -> ComponentObservation:
        """See `MutableLifeCycle.perform_own`."""
        match step:
            case LookAtEndpoint():
                return self._look_at_endpoint(observed, managed)
            case LookForTarget():
                return self._look_for_target(observed, managed)
            case _:
                return super().perform_own(step, observed, managed)

    # --- observing

    def new_observation(self, managed: ManagedObject, base: Observed) -> ComponentObservation:
        """See `MutableLifeCycle.new_observation`."""
        status: JsonObject = managed.obj.get("status") or {}
        return ComponentObservation(
            base=base,
            variant=str(managed.spec.get("variantName") or ""),
            shown_copies=(status.get("runtimeConfig") or {}).get("desiredCopyCount"),
            scaler=self._scaler(managed, base.name),
            model_names=managed.resolution.names.get(MODEL.kind, {}),
            shown_model_names=tuple(
                (str(each.get("name")), str(each.get("value"))) for each in status.get(MODEL_NAMES_FIELD) or ()
            ),
        )

    def desired(self, managed: ManagedObject) -> Desired:
        """See `ComparedLifeCycle.desired`."""
        return desired(managed.resolved_spec)

    def shown(self, answer: JsonObject) -> Desired:
        """See `ComparedLifeCycle.shown`."""
        return shown(answer)

    def _scaler(self, managed: ManagedObject, name: str) -> str:
        """Return the policy object that has claimed the component's copies; empty: none has."""
        region = managed.spec.get("region")
        for policy in self._policies.by_index(RESOURCE_IDS, component_id_of(name)):
            if (policy.get("spec") or {}).get("region") == region:
                return f"HostingAutoscalingPolicy {ObjectKey.of(policy)}"
        return ""

    def _look_at_endpoint(self, observed: ComponentObservation, managed: ManagedObject) -> ComponentObservation:
        name, target = str(managed.resolved_spec.get("endpointName") or ""), managed.identity.target()
        answer = self._resources.describe(HOSTING_DEPLOYMENT, target, name, caller=managed.key, background=False)
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

    # --- requests

    def operation(self, *, only_count: bool) -> str:
        """See `ComparedLifeCycle.operation`: the number of copies alone is changed without a deployment."""
        return "UpdateInferenceComponentRuntimeConfig" if only_count else UPDATE

    def change(self, observed: ComponentObservation, managed: ManagedObject, *, only_count: bool) -> JsonObject:
        """See `ComparedLifeCycle.change`."""
        change: JsonObject = to_request(self._descriptor, managed.resolved_spec, UPDATE)
        if only_count:
            return {"DesiredRuntimeConfig": change["RuntimeConfig"]}
        return {name: each for name, each in change.items() if name != "RuntimeConfig" or not observed.is_scaled}
