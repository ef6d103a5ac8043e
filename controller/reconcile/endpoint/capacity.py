"""Computes the weights and instance counts that UpdateEndpointWeightsAndCapacities has to change. Pure."""

from collections.abc import Mapping

from controller.reconcile.endpoint.desired import Child, numbers_of, shape_of
from controller.reconcile.endpoint.observation import EndpointObservation


def changed_numbers(observed: EndpointObservation, running: Child) -> dict[str, tuple[int | None, float | None]]:
    """Return the numbers of the spec that differ from those last requested, by variant; None for unchanged ones.

    Changes by autoscaling since then do not count.
    """
    assert observed.desired is not None  # noqa: S101 (see the caller)
    asked: Mapping[str, tuple[int | None, float]] = numbers_of(running.content)
    if observed.last_update.id:
        asked = (
            observed.last_update.numbers
            if observed.last_update.shape == shape_of(running.content)
            else _current_numbers(observed, asked)
        )
    changed: dict[str, tuple[int | None, float | None]] = {}
    for variant, (count, weight) in observed.desired.numbers.items():
        before = asked.get(variant, (None, 1.0))
        if (count, weight) != before:
            new_count = count if count != before[0] else None
            changed[variant] = (new_count, weight if weight != before[1] else None)
    return changed


def _current_numbers(
    observed: EndpointObservation, asked: Mapping[str, tuple[int | None, float]]
) -> dict[str, tuple[int | None, float]]:
    """Return the numbers that AWS aims at: after a failed update, they are the best guess of what was requested."""
    current = dict(asked)
    for variant in observed.fields.get("productionVariants") or ():
        name = variant.get("variantName", "")
        if name in current:
            count, weight = current[name]
            current[name] = (
                variant.get("desiredInstanceCount", count) if count is not None else None,
                float(variant.get("desiredWeight", weight)),
            )
    return current
