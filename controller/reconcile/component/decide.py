"""Decides what is special about inference components: the endpoint that they need, and the copies that others scale.

Pure, level-based. A component needs its endpoint, and what else its spec names: it waits for them, and is woken by
them. All else is decided as for everything that AWS changes in place (`mutable`).
"""

from dataclasses import replace
from typing import Any, Final

from controller.reconcile import reasons
from controller.reconcile.component.observation import (
    ComponentObservation,
    ComponentStep,
    LookAtEndpoint,
    LookForTarget,
)
from controller.reconcile.dependencies import MODEL_NAMES_FIELD
from controller.reconcile.hosting import CREATING, DELETING, FAILED, IN_SERVICE, UPDATING
from controller.reconcile.mutable import decide as shared
from controller.reconcile.mutable.compared.desired import changed_count
from controller.reconcile.mutable.compared.kind import ComparedKind, Comparison, both
from controller.reconcile.mutable.kind import States, Words
from controller.reconcile.shared_decisions import LOOK_AGAIN_S, waits
from controller.reconcile.status import messages
from controller.reconcile.steps import Create, Event, Finish, Outcome, Phase, StatusUpdate
from controller.runtime.errors import ABSENT


class ComponentKind(ComparedKind[ComponentObservation, ComponentStep]):
    """The states, words and decisions of inference components."""

    states = States(IN_SERVICE, CREATING, UPDATING, DELETING, FAILED, changing=frozenset({UPDATING}))
    words = Words(
        "component",
        content="specification",
        blocked="The changed spec is not applied to a failed component",
        failed=reasons.COMPONENT_FAILED,
    )
    count_path = "runtimeConfig.copyCount"

    def build(self, observed: ComponentObservation) -> ComponentStep:
        """See `MutableKind.build`: create it where its endpoint and what else it needs are there, else wait."""
        endpoint = observed.endpoint
        if observed.base.waits_for:
            return _not_running(observed, waits(observed.base))
        if endpoint is None:
            return LookAtEndpoint()
        if endpoint is ABSENT:
            return _waits_for_endpoint(observed, "the endpoint that the spec names does not exist at SageMaker")
        if endpoint.status != IN_SERVICE:
            return _waits_for_endpoint(observed, f"the endpoint {endpoint.name} is {endpoint.status}")
        if observed.variant and observed.variant not in endpoint.variants:
            there = ", ".join(endpoint.variants) or "none"
            message = f"the endpoint {endpoint.name} has no variant {observed.variant} (there: {there})"
            return _waits_for_endpoint(observed, message)
        return Create()

    def compare(self, observed: ComponentObservation) -> Comparison | ComponentStep:
        """See `ComparedKind.compare`: other copies are no difference where autoscaling sets them."""
        if self._copies_differ(observed) and not observed.is_scaled and observed.has_target is None:
            return LookForTarget()
        return self.comparison(observed, is_scaled=observed.is_scaled)

    def remark(self, observed: ComponentObservation) -> str:
        """See `ComparedKind.remark`: the number of copies in the spec does not count."""
        if not observed.is_scaled or not self._copies_differ(observed):
            return ""
        return f"{observed.scaler or 'autoscaling'} sets the copies: spec.{self.count_path} does not count meanwhile"

    def is_settled(self, observed: ComponentObservation) -> bool:
        """See `MutableKind.is_settled`: what a policy has left behind is drift."""
        if not super().is_settled(observed) or observed.base.shown != IN_SERVICE:
            return super().is_settled(observed)
        is_left_behind = observed.desired is not None and observed.shown_copies not in {None, observed.desired.count}
        return not is_left_behind or bool(observed.scaler)

    def fields(self, observed: ComponentObservation) -> dict[str, Any]:
        """See `MutableKind.fields`: with the names of the models.

        Until AWS is seen to run what the spec asks for, those of before are named, too: they are not deleted then.
        """
        return super().fields(observed) | _model_names(observed, observed.shown_model_names)

    def served_fields(self, observed: ComponentObservation) -> dict[str, Any]:
        """See `MutableKind.served_fields`."""
        return super().fields(observed) | _model_names(observed)

    def _copies_differ(self, observed: ComponentObservation) -> bool:
        return bool(changed_count(*both(observed), self.count_path))


KIND: Final = ComponentKind()


def decide(observed: ComponentObservation) -> ComponentStep:
    """Return the next step. At most one AWS mutation per pass."""
    return shared.decide(observed, KIND)


def _waits_for_endpoint(observed: ComponentObservation, message: str) -> Finish:
    """Wait for an endpoint, which is no error. An object of the cluster that stands for it ends the wait at once."""
    base, reason = observed.base, reasons.WAITING_FOR_ENDPOINT
    status_update = StatusUpdate(
        Phase.WORKING, reason, message, value=base.descriptor.status.reconciling, additional=message, synced=reason
    )
    events = messages.once(base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", each.reason, each.message) for each in events)
    end = Finish(status_update, base.recorded, normal_events, again_s=LOOK_AGAIN_S, outcome=Outcome.RETRY_SLOWLY)
    return _not_running(observed, end)


def _not_running(observed: ComponentObservation, end: Finish) -> Finish:
    """Return the end of a pass that waits, of a component that is not there: it is not ready, even if it was."""
    if end.status_update is None or observed.base.recorded is None:
        return end
    value = observed.base.descriptor.status.reconciling
    return replace(end, status_update=replace(end.status_update, phase=Phase.WORKING, value=value))


def _model_names(observed: ComponentObservation, before: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """Return the status field with the Models of the spec and those of before; none where no object is named."""
    named = dict.fromkeys((*sorted(observed.model_names.items()), *before))
    if named:
        return {MODEL_NAMES_FIELD: [{"name": name, "value": value} for name, value in named]}
    return {MODEL_NAMES_FIELD: None} if observed.shown_model_names else {}
