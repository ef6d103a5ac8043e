"""Reads a pipeline's definition: its steps, on which others each depends, and the values that expressions stand for.

Source: the JSON schema of pipeline definitions (aws-sagemaker-mlops.github.io, "SageMaker Pipelines DSL").
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.wire import invalid

Lookup = Callable[[str], Any]
"""From a path such as `Parameters.InputData` or `Steps.Train.ModelArtifacts` to its value."""


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """One step."""

    name: str
    type: str
    arguments: Mapping[str, Any]
    needs: frozenset[str]
    """Names of the steps that must have succeeded before."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a pipeline runs."""

    steps: tuple[StepDefinition, ...]
    defaults: Mapping[str, Any]
    """Default value by parameter; None without one."""
    text: str


def parse(text: str) -> Definition:
    """Return the definition in a text. Raises ValidationException for one that the service would refuse."""
    try:
        found = json.loads(text)
        steps = tuple(_step(each) for each in found["Steps"])
        defaults = {each["Name"]: each.get("DefaultValue") for each in found.get("Parameters") or ()}
    except (ValueError, TypeError, KeyError) as exc:
        raise invalid(f"Unable to parse pipeline definition. {type(exc).__name__}: {exc}") from exc
    names = [step.name for step in steps]
    if not names or len(names) != len(set(names)):
        raise invalid("Pipeline definition: it needs steps, each with a name of its own")
    for step in steps:
        if missing := sorted(step.needs - set(names)):
            raise invalid(f"Pipeline definition: step {step.name} depends on {', '.join(missing)}, which do not exist")
    return Definition(steps, defaults, text)


def resolved(value: Any, lookup: Lookup) -> Any:
    """Return a copy of arguments with the values of their expressions: `Get`, and `Std:Join`."""
    if isinstance(value, list):
        return [resolved(each, lookup) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"Get"}:
        return lookup(value["Get"])
    if value.keys() == {"Std:Join"}:
        join = value["Std:Join"]
        return join["On"].join(str(resolved(each, lookup)) for each in join["Values"])
    return {key: resolved(each, lookup) for key, each in value.items()}


def _step(found: Mapping[str, Any]) -> StepDefinition:
    arguments = found.get("Arguments") or {}
    needs = {*(found.get("DependsOn") or ()), *(path.split(".")[1] for path in _paths(arguments) if "Steps." in path)}
    return StepDefinition(found["Name"], found["Type"], arguments, frozenset(needs))


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _paths(each)
    elif isinstance(value, Mapping):
        if value.keys() == {"Get"}:
            yield str(value["Get"])
        for each in value.values():
            yield from _paths(each)
