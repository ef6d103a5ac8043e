"""Compares specs by the request that they make: what is absent equals what is empty, `false` or AWS's default. Pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from api.convert import to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject

DEFAULTS: Final[Mapping[str, str]] = {
    "AssembleWith": "None",
    "CompressionType": "None",
    "InputFilter": "$",
    "JoinSource": "None",
    "OutputFilter": "$",
    "RecordWrapperType": "None",
    "S3CompressionType": "None",
    "S3DataDistributionType": "FullyReplicated",
    "SplitType": "None",
    "TrainingJobEarlyStoppingType": "Off",
}
"""Members of requests that create jobs, and the value that AWS takes if one is absent.

Source: API references of CreateTrainingJob, CreateTransformJob, CreateProcessingJob, CreateHyperParameterTuningJob.
"""

APART: Final = frozenset({"Tags"})
"""Members that say who owns a job: they are compared, and changed, on their own."""


def content(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> JsonObject:
    """Return the Create request of a job's `spec` without tags, what AWS can change, and what could be left out.

    Raises ConversionError for a spec that makes no request.
    """
    mutable = descriptor.update.absent.keys() if descriptor.update else ()
    said: JsonObject = plain(_without({*APART, *mutable}, to_request(descriptor, spec)))
    return said


def _without(members: AbstractSet[str], value: Mapping[str, Any], above: str = "") -> JsonObject:
    """Return a copy of a request without some members, given as dotted paths."""
    return {
        name: _without(members, item, f"{above}{name}.") if isinstance(item, Mapping) else item
        for name, item in value.items()
        if f"{above}{name}" not in members
    }


def plain(value: Any) -> Any:
    """Return a part of a request without what could be left out of it."""
    if isinstance(value, str):  # as most
        return value
    if isinstance(value, Mapping):
        return {name: said for name, item in value.items() if _says(name, said := plain(item))}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def _says(name: str, value: Any) -> bool:
    """Return whether a member differs from its absence. A number does: zero may be a setting."""
    return not (value is None or value is False or value in ("", [], {}) or value == DEFAULTS.get(name, ""))
