"""Detects, reports and corrects drift of an endpoint. Pure.

What can drift: the configuration that it runs with, weights, instance counts, and its children.

The state is compared with the last update that was seen in service. Changes by autoscaling are not drift.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.reconcile.drift.report import Difference
from controller.reconcile.endpoint.desired import Child
from controller.reconcile.endpoint.observation import CorrectChild, EndpointObservation, EndpointStep, Kind, Numbers
from controller.reconcile.mutable.in_service import drift_reported
from controller.reconcile.observation import Recorded
from controller.reconcile.steps import Phase


@dataclass(frozen=True, slots=True)
class ChangedNumbers:
    """Weights and counts that are not as they were applied."""

    differences: tuple[Difference, ...] = ()
    restore: Numbers | None = None
    """What UpdateEndpointWeightsAndCapacities has to set; None: nothing."""
    unclear: tuple[str, ...] = ()
    """Variants with another count, and it is not known whether autoscaling changes them."""


def changed_configuration(observed: EndpointObservation) -> tuple[Difference, ...]:
    """Return the configuration that the endpoint runs with, instead of the one that was applied."""
    wanted = observed.desired.configuration if observed.desired else None
    applied = wanted.child.sagemaker_name if wanted and wanted.child else None
    return (Difference("endpointConfigName", applied, observed.fields.get("endpointConfigName")),)


def changed_numbers_of(observed: EndpointObservation) -> ChangedNumbers:
    """Compare the numbers of each variant with those that AWS aimed at when the last update was complete."""
    differences: list[Difference] = []
    restore: dict[str, tuple[int | None, float | None]] = {}
    unclear: list[str] = []
    for name, count, weight in _aims(observed.fields):
        served_count, served_weight = observed.last_update.serves.get(name, (None, None))
        is_scaled = name in observed.scalers or name in (observed.scaled or ()) or _is_managed(observed, name)
        count_differs = None not in (count, served_count) and count != served_count and not is_scaled
        if count_differs and observed.scaled is None:
            unclear.append(name)
            count_differs = False
        weight_differs = (
            weight is not None and served_weight is not None and not math.isclose(weight, served_weight, rel_tol=1e-5)
        )
        path = f"productionVariants[{name}]"
        if count_differs:
            differences.append(Difference(f"{path}.desiredInstanceCount", served_count, count))
        if weight_differs:
            differences.append(Difference(f"{path}.desiredWeight", served_weight, weight))
        if count_differs or weight_differs:
            restore[name] = (served_count if count_differs else None, served_weight if weight_differs else None)
    return ChangedNumbers(tuple(differences), restore or None, tuple(unclear))


def children_drifted(observed: EndpointObservation, kind: Kind, recorded: Recorded, lost: list[Child]) -> EndpointStep:
    """Report drifted children: the endpoint still serves, but cannot be updated or get new instances."""
    if observed.base.policy.corrects:
        for child in lost:
            if not child.corrects and child.name not in observed.done:
                return CorrectChild(child)
    message = "; ".join(f"{child.descriptor.kind} {child.name}: {child.drift}" for child in lost)
    return drift_reported(observed, kind, recorded, Phase.READY, message)


def aimed_at(fields: Mapping[str, Any]) -> dict[str, tuple[int | None, float]]:
    """Return the instances and weight by variant that AWS aims at, by a description."""
    return {name: (count, 1.0 if weight is None else weight) for name, count, weight in _aims(fields)}


def overlaid(serves: Mapping[str, tuple[int | None, float]], sent: Numbers) -> dict[str, tuple[int | None, float]]:
    """Return what AWS aims at after some of the numbers were sent again."""
    merged = dict(serves)
    for name, (count, weight) in sent.items():
        before = merged.get(name, (None, 1.0))
        merged[name] = (before[0] if count is None else count, before[1] if weight is None else weight)
    return merged


def _aims(fields: Mapping[str, Any]) -> Iterator[tuple[str, int | None, float | None]]:
    for variant in fields.get("productionVariants") or ():
        weight = variant.get("desiredWeight")
        yield (
            str(variant.get("variantName", "")),
            variant.get("desiredInstanceCount"),
            None if weight is None else float(weight),
        )


def _is_managed(observed: EndpointObservation, variant: str) -> bool:
    """Return whether SageMaker itself scales the variant (ManagedInstanceScaling)."""
    variants = observed.running.content.get("ProductionVariants", ()) if observed.running else ()
    own: Mapping[str, Any] = next((each for each in variants if each.get("VariantName") == variant), {})
    return bool((own.get("ManagedInstanceScaling") or {}).get("Status") == "ENABLED")
