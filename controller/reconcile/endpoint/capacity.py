"""Computes the weights and instance counts that UpdateEndpointWeightsAndCapacities has to change. Pure."""

from collections.abc import Mapping

from controller.reconcile.endpoint.desired import COUNT, WEIGHT, Child, Desired, numbers_of, shape_of
from controller.reconcile.endpoint.observation import EndpointObservation, Numbers


def changed_numbers(observed: EndpointObservation, running: Child) -> dict[str, tuple[int | None, float | None]]:
    """Return the numbers of the spec that differ from those last requested, by variant; None for unchanged ones.

    Changes by autoscaling since then do not count. What `retainAllVariantProperties` retains stays as it is, as in an
    UpdateEndpoint with it.
    """
    assert observed.desired is not None  # noqa: S101 (see the caller)
    asked: Mapping[str, tuple[int | None, float]] = numbers_of(running.content)
    if observed.last_update.id:
        asked = (
            observed.last_update.numbers
            if observed.last_update.shape == shape_of(running.content)
            else _current_numbers(observed, asked)
        )
    changed = {}
    for variant, (count, weight) in observed.desired.numbers.items():
        before = asked.get(variant, (None, 1.0))
        changed[variant] = (count if count != before[0] else None, weight if weight != before[1] else None)
    return _unretained(observed.desired, changed)


def wanted_numbers(desired: Desired) -> Numbers:
    """Return all numbers of the spec but those that are retained."""
    return _unretained(desired, desired.numbers)


def _unretained(desired: Desired, numbers: Numbers) -> dict[str, tuple[int | None, float | None]]:
    """Return numbers without those that are retained; of variants without any, nothing."""
    left = {
        variant: (None if COUNT in desired.retains else count, None if WEIGHT in desired.retains else weight)
        for variant, (count, weight) in numbers.items()
    }
    return {variant: each for variant, each in left.items() if each != (None, None)}


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
