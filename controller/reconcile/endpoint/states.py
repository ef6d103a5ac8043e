"""What the states of an endpoint allow, with the pauses between two looks at them."""

from typing import Final

from controller.reconcile.hosting import DELETING, SETTLED

IN_SERVICE: Final = "InService"
CREATING: Final = "Creating"
UPDATING: Final = "Updating"
FAILED: Final = "Failed"
BUSY: Final = frozenset({CREATING, UPDATING, "SystemUpdating", "RollingBack"})
"""SageMaker refuses changes and deletion meanwhile."""

CHILDREN_POLL_S: Final = 10.0
"""Children wake their deployment; this is for those that the predecessor made, which name no owner."""
BUSY_POLL_S: Final = 10.0
TEARDOWN: Final = "DeletingChildren"
"""Reason of Reconciling once the endpoint is known to be gone: it is not asked for again."""

__all__ = [
    "BUSY",
    "BUSY_POLL_S",
    "CHILDREN_POLL_S",
    "CREATING",
    "DELETING",
    "FAILED",
    "IN_SERVICE",
    "SETTLED",
    "TEARDOWN",
    "UPDATING",
]
