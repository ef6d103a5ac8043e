"""The life-cycles that the operator has: the one list that a new one is added to."""

from typing import Final

from controller.reconcile.component.setup import SETUP as COMPONENT
from controller.reconcile.endpoint.setup import SETUP as ENDPOINT
from controller.reconcile.execution.setup import SETUP as EXECUTION
from controller.reconcile.in_place.setup import SETUP as IN_PLACE
from controller.reconcile.job.setup import SETUP as JOB
from controller.reconcile.resource.setup import SETUP as RESOURCE
from controller.reconcile.scaling.setup import SETUP as SCALING
from controller.reconcile.setup import Controllers
from controller.reconcile.tuning.setup import SETUP as TUNING

CONTROLLERS: Final = Controllers(
    (
        TUNING,  # before jobs: a tuning job is one, with children
        EXECUTION,  # as well: one with steps, and without a name of its own
        JOB,
        RESOURCE,
        IN_PLACE,
        ENDPOINT,
        COMPONENT,
        SCALING,
    )
)
