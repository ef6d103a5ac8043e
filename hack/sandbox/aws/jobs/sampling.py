"""Samples hyperparameters within their ranges, the same for the same seed: a search without a strategy."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping
from typing import Any


def sampled(ranges: Mapping[str, Any], *, seed: str, number: int, is_grid: bool) -> dict[str, str]:
    """Return name → value for the training job `number` of a search; values are strings, as SageMaker's are.

    A grid takes the combinations of the categorical values in order; everything else is random.
    """
    values = random.Random(f"{seed}/{number}")
    found: dict[str, str] = {}
    for parameter in ranges.get("IntegerParameterRanges") or ():
        found[parameter["Name"]] = str(round(_between(parameter, values)))
    for parameter in ranges.get("ContinuousParameterRanges") or ():
        found[parameter["Name"]] = repr(_between(parameter, values))
    for parameter in ranges.get("AutoParameters") or ():
        found[parameter["Name"]] = parameter["ValueHint"]
    categorical = list(ranges.get("CategoricalParameterRanges") or ())
    if is_grid:
        combinations = list(itertools.product(*(parameter["Values"] for parameter in categorical)))
        chosen = combinations[number % len(combinations)]
        return found | {parameter["Name"]: value for parameter, value in zip(categorical, chosen, strict=True)}
    return found | {parameter["Name"]: values.choice(parameter["Values"]) for parameter in categorical}


def problems(ranges: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of the ranges, as messages for the caller."""
    for parameter in [*(ranges.get("IntegerParameterRanges") or ()), *(ranges.get("ContinuousParameterRanges") or ())]:
        name = parameter["Name"]
        try:
            low, high = float(parameter["MinValue"]), float(parameter["MaxValue"])
        except ValueError:
            yield f"The range of the hyperparameter {name} must be numbers."
            continue
        if low > high:
            yield f"The minimum of the hyperparameter {name} must not be greater than its maximum."
        if low <= 0 and parameter.get("ScalingType") == "Logarithmic":
            yield f"The hyperparameter {name} has logarithmic scaling: its minimum must be greater than 0."


def names(ranges: Mapping[str, Any]) -> set[str]:
    """Return the names of all hyperparameters that have a range."""
    return {parameter["Name"] for members in ranges.values() for parameter in members or ()}


def _between(parameter: Mapping[str, Any], values: random.Random) -> float:
    low, high = float(parameter["MinValue"]), float(parameter["MaxValue"])
    if parameter.get("ScalingType") == "Logarithmic":
        return min(high, max(low, math.exp(values.uniform(math.log(low), math.log(high)))))
    return values.uniform(low, high)
