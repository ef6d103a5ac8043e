"""Endpoint states and index names that the life-cycles of hosting share. Pure."""

from typing import Final

from controller.reconcile import reasons
from controller.reconcile.observation import Recorded

IN_SERVICE: Final = "InService"
CREATING: Final = "Creating"
UPDATING: Final = "Updating"
DELETING: Final = "Deleting"
FAILED: Final = "Failed"
BUSY: Final = frozenset({CREATING, UPDATING, "SystemUpdating", "RollingBack"})
"""SageMaker refuses changes and deletion meanwhile."""
SETTLED: Final = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})
"""Nothing moves in these states until a change is requested, autoscaling and SageMaker's maintenance apart."""

ENDPOINT_NAMES: Final = "endpoint-names"
"""Index of HostingDeployments by the name of their endpoint at SageMaker."""
OWNERS: Final = "owners"
"""Index of child Models and EndpointConfigs by their deployment: `endpoint.desired.owners_of`."""
INTENT: Final = "intent"
"""Member of the annotation `last-update-attempt`: an update of the endpoint whose outcome is not known."""
COMPONENT_NAMES: Final = "component-names"
"""Index of InferenceComponents by their names at SageMaker."""
COMPONENTS_OF: Final = "components-of"
"""Index of InferenceComponents that were created by their endpoint: `component.setup.endpoints_of`."""
RESOURCE_IDS: Final = "resource-ids"
"""Index of autoscaling policies by the variants that they have claimed."""


def is_torn_down(recorded: Recorded | None, reason: str | None) -> bool:
    """Return whether a deployment that is being deleted is done with its endpoint: nothing uses its children then.

    `reason` is that of its condition Reconciling. Other reports replace it; where nothing was recorded, the endpoint is
    looked for again then.
    """
    return reason == reasons.DELETING_CHILDREN if recorded is None else recorded.is_released
