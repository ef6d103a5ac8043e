"""Intervals at which endpoints and their children are checked."""

from typing import Final

CHILDREN_POLL_S: Final = 10.0
"""Children enqueue their deployment; this is for those that the predecessor made, which name no owner."""
BUSY_POLL_S: Final = 10.0
"""For endpoints that SageMaker is changing."""
