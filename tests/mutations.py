"""The operations by which the operator changes anything at AWS."""

from collections.abc import Mapping
from typing import Final

from api.v1 import KINDS

MUTATIONS: Final = tuple(
    sorted(
        {
            *(each.operations.create for each in KINDS),
            *(each.operations.stop for each in KINDS if each.operations.stop),
            *(each.operations.delete for each in KINDS if each.operations.delete),
            *(each.update.operation for each in KINDS if each.update is not None),
            *("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "AddTags", "DeleteTags"),
            *(further for each in KINDS for further in each.operations.further if further.startswith("Update")),
            *("UpdateInferenceComponent", "UpdateInferenceComponentRuntimeConfig"),
            *("RegisterScalableTarget", "DeregisterScalableTarget"),
        }
    )
)
FATES: Final = ("cut-before", "html-after", "hang-before", "cut-within", "error", "hang-after", "html", "cut-after")
"""Faults that leave a caller without an answer: before the effect and after it, in turn."""


def fates(turn: int) -> Mapping[str, str]:
    """Return a fault for each operation; with as many turns as there are faults, each meets them all."""
    return {operation: FATES[(number + turn) % len(FATES)] for number, operation in enumerate(MUTATIONS)}
