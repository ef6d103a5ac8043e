"""Endpoint states and index names that the life-cycles of hosting share. Pure."""

from typing import Final

IN_SERVICE: Final = "InService"
CREATING: Final = "Creating"
UPDATING: Final = "Updating"
DELETING: Final = "Deleting"
FAILED: Final = "Failed"
BUSY: Final = frozenset({CREATING, UPDATING, "SystemUpdating", "RollingBack"})
"""SageMaker refuses changes and deletion meanwhile."""
SETTLED: Final = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})
"""Nothing moves in these states until a change is requested, autoscaling and SageMaker's maintenance apart."""

RESOURCE_IDS: Final = "resource-ids"
"""Index of autoscaling policies by the variants that they have claimed."""
