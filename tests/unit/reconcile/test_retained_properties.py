"""Edits of counts and weights: `retainAllVariantProperties` leaves them as they are, as in an UpdateEndpoint of AWS."""

from typing import Any

import pytest

from tests.faults.hosting_world import HostingWorld, manifest
from tests.tables import each_row

RETAINED: dict[str, Any] = {"retainAllVariantProperties": True}


def excluding(*properties: str) -> dict[str, Any]:
    """All is retained but these."""
    return RETAINED | {"excludeRetainedVariantProperties": [{"variantPropertyType": each} for each in properties]}


@each_row(
    ("how", "count", "weight"),
    [
        pytest.param({}, 3, 2.0, id="nothing is retained: AWS's default"),
        pytest.param({"retainAllVariantProperties": False}, 3, 2.0, id="the same in words"),
        pytest.param(RETAINED, 4, 1.0, id="all is retained"),
        pytest.param(excluding("DesiredInstanceCount"), 3, 1.0, id="but the count"),
        pytest.param(excluding("DesiredWeight"), 4, 2.0, id="but the weight"),
        pytest.param(excluding("DesiredInstanceCount", "DesiredWeight"), 3, 2.0, id="but both"),
        pytest.param(excluding("DataCaptureConfig"), 4, 1.0, id="but what is no number"),
    ],
)
def test_an_edit_of_numbers_leaves_what_is_retained(how: dict[str, Any], count: int, weight: float) -> None:
    """Autoscaling has made four instances of two; the edit asks for three, and twice the weight."""
    world = HostingWorld()
    world.apply(manifest(count=2, **how))
    world.until(world.is_at_rest)
    ((name, endpoint),) = world.aws.endpoints.items()
    world.sagemaker.scaling.bounds[f"endpoint/{name}/variant/a"] = 5
    endpoint.numbers["a"] = 4

    edited = manifest(count=3, **how)
    edited["spec"]["productionVariants"][0]["initialVariantWeight"] = 2
    world.apply(edited)
    world.run(120)

    assert world.is_ready()
    (variant,) = world.aws.variants(endpoint)
    assert (variant["DesiredInstanceCount"], variant["DesiredWeight"]) == (count, weight)
    assert "UpdateEndpoint" not in world.sagemaker.operations
