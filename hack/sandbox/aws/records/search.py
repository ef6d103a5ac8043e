"""Search: an index of the training jobs, tuning jobs and endpoints of an account, latest modification first.

Its records are Describe answers, cut to the members that the service model gives a record, with tags. An index is
written behind the resources that it shows: `Flaws` lets it lag and leave resources out, which nothing in SageMaker's
documentation rules out.
"""

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from hack.sandbox.aws.records.listing import paged
from hack.sandbox.aws.records.resource import AnyKind, Resource, Store, stamp
from hack.sandbox.aws.records.validation import service_model, validate
from hack.sandbox.aws.wire import Call, invalid

Describe = Callable[[Call], Mapping[str, Any]]
Record = Mapping[str, Any]
_GAPS = 1_000
"""Steps in which the share of missing resources is set."""


@dataclass(frozen=True, slots=True)
class Flaws:
    """How the index deviates from the truth."""

    lag_s: float = 0.0
    """Seconds after which a change shows."""
    gap: float = 0.0
    """Share of the resources that never show, from 0 to 1; a resource is always or never among them."""

    def __post_init__(self) -> None:
        if self.lag_s < 0 or not 0 <= self.gap <= 1:
            raise ValueError("the lag must be at least 0, and the gap between 0 and 1")

    def hides(self, resource: Resource) -> bool:
        """Return whether the index never shows this resource."""
        return zlib.crc32(resource.name.encode()) % _GAPS < self.gap * _GAPS


class SearchApi:
    """Search over one store, for the given kinds and the Describe handler of each."""

    def __init__(self, kinds: Iterable[tuple[AnyKind, Describe]], store: Store) -> None:
        self._kinds = {kind.resource: (kind, describe) for kind, describe in kinds}
        self._store = store
        self.flaws = Flaws()
        """Replaced as a whole, by tests and the control endpoint."""

    def knows(self, call: Call) -> bool:
        """Return whether the call searches for one of the kinds."""
        return call.params.get("Resource") in self._kinds

    def operations(self) -> dict[str, Callable[[Call], dict[str, Any]]]:
        """Return operation name → handler, to be merged into the service's table."""
        return {"Search": self.search}

    def search(self, call: Call) -> dict[str, Any]:
        """Return a page of records that match the expression; by default the 10 that were modified last."""
        validate("sagemaker", call.operation, call.params)
        kind, describe = self._kinds[call.params["Resource"]]
        flaws = self.flaws
        indexed = replace(call, now=call.now - flaws.lag_s)

        def record(resource: Resource) -> dict[str, Any]:
            name = {kind.name_member: resource.name}
            answer = describe(replace(indexed, operation=f"Describe{kind.resource}", params=name))
            tags = [{"Key": key, "Value": value} for key, value in resource.tags.items()]
            known = _record_members(kind.resource)
            return {member: value for member, value in {**answer, "Tags": tags}.items() if member in known}

        found: Iterable[Resource] = (
            resource
            for resource in self._store.list(kind, indexed)
            if resource.created_at <= indexed.now and not flaws.hides(resource)
        )
        expression = call.params.get("SearchExpression")
        if expression is not None:
            found = (resource for resource in found if _matches(expression, record(resource)))
        is_ascending = call.params.get("SortOrder") == "Ascending"
        by = call.params.get("SortBy") or "LastModifiedTime"
        ordered = sorted(found, key=_sort_key(by, indexed.now, record), reverse=not is_ascending)
        return paged("Results", call.params, ordered, lambda resource: {kind.resource: record(resource)})


@cache
def _record_members(resource: str) -> frozenset[str]:
    """Return the members of a kind's search record."""
    output: Any = service_model("sagemaker").operation_model("Search").output_shape
    return frozenset(output.members["Results"].member.members[resource].members)


def _sort_key(by: str, now: float, record: Callable[[Resource], Record]) -> Callable[[Resource], Any]:
    """Return a sort key. The two times are read without building records: an account may hold 100,000 of them."""
    if by == "LastModifiedTime":
        return lambda resource: (resource.modified_at(now), resource.name)
    if by == "CreationTime":
        return lambda resource: (resource.created_at, resource.name)
    return lambda resource: (str(_property(by, record(resource)) or ""), resource.name)


def _matches(expression: Mapping[str, Any], record: Record) -> bool:
    """Evaluate a search expression. Raises ValidationException for what the sandbox cannot evaluate."""
    if "NestedFilters" in expression:
        raise invalid("The sandbox does not evaluate NestedFilters")
    tests = [_passes(each, record) for each in expression.get("Filters") or ()]
    tests += [_matches(each, record) for each in expression.get("SubExpressions") or ()]
    if not tests:
        raise invalid("You must provide at least one subexpression, filter, or nested filter")
    return any(tests) if expression.get("Operator") == "Or" else all(tests)


def _passes(condition: Mapping[str, Any], record: Record) -> bool:
    found = _property(condition["Name"], record)
    wanted: str = condition.get("Value", "")
    match condition.get("Operator", "Equals"):
        case "Exists":
            return found is not None
        case "NotExists":
            return found is None
        case "Equals":
            return found == wanted
        case "NotEquals":
            return found != wanted
        case "Contains":
            return found is not None and wanted in found
        case "In":
            return found in wanted.split(",")
        case operator:
            raise invalid(f"The sandbox does not evaluate the operator {operator}")


def _property(name: str, record: Record) -> str | None:
    """Return a property of a record as text: a member, `Tags.<key>` or `HyperParameters.<name>`."""
    member, _, key = name.partition(".")
    value = record.get(member)
    if isinstance(value, list):
        value = {entry.get("Key"): entry.get("Value") for entry in value}
    if key:
        value = value.get(key) if isinstance(value, Mapping) else None
    return None if value is None else str(stamp(value) if isinstance(value, float) else value)
