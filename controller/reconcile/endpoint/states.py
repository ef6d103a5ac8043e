"""What the states of an endpoint allow, with the pauses between two looks at them."""

from typing import Final

IN_SERVICE: Final = "InService"
CREATING: Final = "Creating"
UPDATING: Final = "Updating"
DELETING: Final = "Deleting"
FAILED: Final = "Failed"
BUSY: Final = frozenset({CREATING, UPDATING, "SystemUpdating", "RollingBack"})
"""SageMaker refuses changes and deletion meanwhile."""

SETTLED: Final = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})
"""Nothing moves until somebody asks for it, autoscaling and SageMaker's maintenance apart."""

CHILDREN_POLL_S: Final = 10.0
"""Children wake their deployment; this is for those that the predecessor made, which name no owner."""
BUSY_POLL_S: Final = 10.0
DOUBT_S: Final = 10.0
"""How long "not found" is not believed where a creation may still be taking effect."""
