"""What the life-cycles of hosting know of each other: states of endpoints, and the names of shared indexes. Pure."""

from typing import Final

DELETING: Final = "Deleting"
SETTLED: Final = frozenset({"InService", "Failed", "OutOfService", "UpdateRollbackFailed"})
"""Nothing moves in these states until a change is requested, autoscaling and SageMaker's maintenance apart."""

RESOURCE_IDS: Final = "resource-ids"
"""Index of autoscaling policies by the variants that they have claimed."""
