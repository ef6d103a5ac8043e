"""Decides what is special about HostingDeployments: children, of which an endpoint is made, and updates that wait.

Pure, level-based. Rows cited are those of v1-kinds.md 12.4. Children are created when the update can be made, not
before. `in_service` and `deletion` decide about an endpoint in service and about a deployment that is being deleted;
all else is decided as for everything that AWS changes in place (`mutable`).
"""

from collections.abc import Mapping
from typing import Any, Final

from controller.reconcile import reasons
from controller.reconcile.endpoint import deletion
from controller.reconcile.endpoint.children import children_or, missing_to_check, with_other_tags, without_successor
from controller.reconcile.endpoint.in_service import in_service
from controller.reconcile.endpoint.observation import (
    EndpointObservation,
    EndpointStep,
    OwnChild,
    RecordPendingUpdate,
    RetainChild,
    SucceedChild,
    TagChild,
)
from controller.reconcile.endpoint.status_fields import fields_of
from controller.reconcile.endpoint.updates import is_held, resets, resolving
from controller.reconcile.hosting import BUSY, CREATING, DELETING, FAILED, IN_SERVICE, UPDATING
from controller.reconcile.mutable import decide as shared
from controller.reconcile.mutable.kind import MutableKind, States, Words
from controller.reconcile.observation import During, ExternalResource, Failure, Recorded, Source
from controller.reconcile.shared_decisions import failed_but_usable, retain
from controller.reconcile.steps import Create, Event, Finish, Phase
from controller.runtime.frozen import replace


class EndpointKind(MutableKind[EndpointObservation, EndpointStep]):
    """The states, words and decisions of endpoints."""

    states = States(IN_SERVICE, CREATING, UPDATING, DELETING, FAILED, changing=BUSY - {CREATING})
    words = Words(
        "endpoint",
        content="configuration",
        blocked="The changed spec cannot be applied: a failed endpoint can only be deleted",
        previous="the previous configuration",
        failed=reasons.ENDPOINT_FAILED,
    )

    def build(self, observed: EndpointObservation) -> EndpointStep:
        """See `MutableKind.build`: Models, then the EndpointConfig, then the endpoint (row 1)."""
        return children_or(observed, Create(), Phase.WORKING)

    def described(
        self, observed: EndpointObservation, recorded: Recorded, external: ExternalResource
    ) -> EndpointStep | None:
        """See `MutableKind.described`: a changed spec that waits for approval is recorded first (rows 3 to 8)."""
        if observed.base.policy.holds_updates and observed.is_new_spec and not observed.is_pending_recorded:
            return RecordPendingUpdate()
        return in_service(observed, self, recorded, external) if external.value == IN_SERVICE else None

    def fields(self, observed: EndpointObservation) -> dict[str, Any]:
        """See `MutableKind.fields`."""
        return fields_of(observed)

    def created_fields(self, observed: EndpointObservation) -> Mapping[str, Any]:
        """See `MutableKind.created_fields`."""
        configuration = observed.desired.configuration if observed.desired else None
        if configuration is None or configuration.child is None:
            return {}
        return {"endpointConfigName": configuration.child.sagemaker_name}

    def warnings(self, observed: EndpointObservation) -> tuple[Event, ...]:
        """See `MutableKind.warnings`."""
        return resets(observed, is_whole=not observed.last_update.is_of_numbers)

    def prepare(self, observed: EndpointObservation) -> EndpointStep | None:
        """See `MutableKind.prepare`: children get owners, successors and tags."""
        for child in observed.children:
            if not child.is_owned and child.name not in observed.done:
                return OwnChild(child)
        if (leaving := without_successor(observed)) is not None:
            return SucceedChild(leaving)
        if (want := with_other_tags(observed)) is not None:
            return TagChild(want)
        return None

    def unresolved(self, observed: EndpointObservation) -> EndpointStep | None:
        """See `MutableKind.unresolved`."""
        return resolving(observed)

    def failed(self, observed: EndpointObservation, failure: Failure) -> EndpointStep:
        """See `MutableKind.failed`: a child may be missing at SageMaker; what serves is shown if a write failed."""
        if observed.base.deleting_for_s is None and (check := missing_to_check(observed, failure)) is not None:
            return check
        step = failed_but_usable(observed.base, failure)
        external = observed.base.external
        if (
            failure.during is During.WRITE
            and isinstance(step, Finish)
            and step.status_update is not None
            and isinstance(external, ExternalResource)
            and external.source is Source.DESCRIPTION
        ):
            return replace(
                step, status_update=replace(step.status_update, value=external.value, fields=fields_of(observed))
            )
        return step

    def is_settled(self, observed: EndpointObservation) -> bool:
        """See `MutableKind.is_settled`: a summary that the status does not complete shows something new."""
        return observed.base.external is None

    def is_held(self, observed: EndpointObservation) -> bool:
        """See `MutableKind.is_held`."""
        return is_held(observed)

    def retain(self, observed: EndpointObservation) -> EndpointStep:
        """See `MutableKind.retain`: everything that the endpoint consists of stays, too."""
        for child in observed.children:
            if child.name not in observed.done:
                return RetainChild(child)
        return retain(observed.base)

    def keeps(self, observed: EndpointObservation, external: ExternalResource) -> tuple[str, str] | None:
        """See `MutableKind.keeps`."""
        return deletion.keeps(observed, external)

    def may_exist(self, observed: EndpointObservation) -> bool:
        """See `MutableKind.may_exist`: without children nothing can have been created."""
        return bool(observed.children)

    def leave_alone(self, observed: EndpointObservation) -> EndpointStep:
        """See `MutableKind.leave_alone`."""
        return deletion.leave_alone(observed)

    def gone(self, observed: EndpointObservation) -> EndpointStep:
        """See `MutableKind.gone`: the children follow."""
        return deletion.gone(observed)

    def teardown(self, observed: EndpointObservation) -> EndpointStep | None:
        """See `MutableKind.teardown`."""
        return deletion.teardown(observed)


KIND: Final = EndpointKind()


def decide(observed: EndpointObservation) -> EndpointStep:
    """Return the next step. At most one AWS mutation per pass."""
    step = shared.decide(observed, KIND)
    if isinstance(step, Finish) and step.status_update is not None and observed.ignored and not observed.is_observed:
        message = f"without effect: {'; '.join(observed.ignored)}"  # once for each generation of the spec
        return replace(step, events=(*step.events, Event("Warning", reasons.FIELDS_IGNORED, message)))
    return step
