"""All that a kind needs which AWS changes in place, and of which Describe shows the whole spec; no product code."""

from typing import Final

from api.compat import Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, StatusRule
from controller.reconcile.context import Context
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.mutable import decide as shared
from controller.reconcile.mutable.compared.kind import ComparedKind
from controller.reconcile.mutable.compared.observation import ComparedObservation
from controller.reconcile.mutable.compared.perform import ComparedLifeCycle
from controller.reconcile.mutable.kind import States, Words
from controller.reconcile.mutable.observation import MutableStep
from controller.reconcile.observation import Observed
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler

MONITORING_SCHEDULE: Final = KindDescriptor(
    kind="MonitoringSchedule",
    plural="monitoringschedules",
    singular="monitoringschedule",
    life_cycle=LifeCycle.COMPONENT,
    operations=Operations(
        create="CreateMonitoringSchedule",
        describe="DescribeMonitoringSchedule",
        list="ListMonitoringSchedules",
        stop="",
        list_items="MonitoringScheduleSummaries",
        delete="DeleteMonitoringSchedule",
        further=("UpdateMonitoringSchedule",),
    ),
    name=NameRule(
        member="MonitoringScheduleName",
        spec_field="monitoringScheduleName",
        status_field="monitoringScheduleName",
        max_length=63,
        late_initialized=False,
    ),
    status=StatusRule(
        member="MonitoringScheduleStatus",
        field="monitoringScheduleStatus",
        reconciling="ReconcilingMonitoringSchedule",
        arn_member="MonitoringScheduleArn",
        terminal=frozenset(),
    ),
    compat=Compat(
        status=(
            StatusField("creationTime", "CreationTime"),
            StatusField("failureReason", "FailureReason"),
            StatusField("lastModifiedTime", "LastModifiedTime"),
            StatusField("monitoringScheduleName", "MonitoringScheduleName", description="Name at AWS."),
            StatusField("monitoringScheduleStatus", "MonitoringScheduleStatus"),
        )
    ),
)


class ScheduleKind(ComparedKind[ComparedObservation, MutableStep]):
    """The states and words of schedules."""

    states = States("Scheduled", "Pending", "Pending", "Deleting", "Failed", changing=frozenset())
    words = Words("schedule", content="configuration", blocked="A failed schedule cannot be changed")


class ScheduleLifeCycle(ComparedLifeCycle[ComparedObservation, MutableStep]):
    """`LifeCycle` of schedules."""

    def new_observation(self, managed: ManagedObject, base: Observed) -> ComparedObservation:
        """See `MutableLifeCycle.new_observation`."""
        return ComparedObservation(base)

    def decide(self, observed: ComparedObservation) -> MutableStep:
        """See `LifeCycle.decide`."""
        return shared.decide(observed, ScheduleKind())

    def operation(self, *, only_count: bool) -> str:
        """See `ComparedLifeCycle.operation`."""
        return "UpdateMonitoringSchedule"


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    return ObjectReconciler(context, store, ScheduleLifeCycle(context, shared.sagemaker))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor is MONITORING_SCHEDULE,
    new_reconciler=_new_reconciler,
    settled=frozenset({ScheduleKind.states.in_service, ScheduleKind.states.failed}),
)
