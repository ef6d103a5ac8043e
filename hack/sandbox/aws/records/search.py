"""Search: an index of the training jobs, tuning jobs and endpoints of an account, latest modification first.

Its records are Describe answers, cut to the members that the service model gives a record, with tags. An index is
written behind the resources that it shows: `Flaws` lets it lag and leave resources out, which nothing in SageMaker's
documentation rules out.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf
from typing import Any

from hack.sandbox.aws.records.listing import Order
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

        order = _order(call.params, indexed.now, record)
        present = [each for each in self._store.list(kind, indexed) if each.created_at <= indexed.now]
        parts = []
        for run in self._store.past.runs(kind, indexed):
            ended = _ended(run, indexed.now) if order.by in _TIMES else 0
            parts.append((run, 0, ended))
            present += run[ended:]
        present.sort(key=order.key)
        expression = call.params.get("SearchExpression")

        def is_found(resource: Resource) -> bool:
            return not flaws.hides(resource) and (expression is None or _matches(expression, record(resource)))

        page, token = order.page(call.params, [(present, 0, len(present)), *parts], is_found)
        answer = {"Results": [{kind.resource: record(resource)} for resource in page]}
        return answer if token is None else {**answer, "NextToken": token}


def _ended(run: Sequence[Resource], now: float) -> int:
    """Return how many jobs of an era have ended: only they were modified in the order in which they were created."""
    return bisect_left(run, True, key=lambda resource: resource.modified_at(now) < resource.modified_at(inf))


@cache
def _record_members(resource: str) -> frozenset[str]:
    """Return the members of a kind's search record."""
    output: Any = service_model("sagemaker").operation_model("Search").output_shape
    return frozenset(output.members["Results"].member.members[resource].members)


_TIMES = ("LastModifiedTime", "CreationTime")


def _order(params: Mapping[str, Any], now: float, record: Callable[[Resource], Record]) -> Order:
    """Return the order that is asked for. The two times are read without building records: there may be a million."""
    by = params.get("SortBy") or _TIMES[0]
    keys: dict[str, Callable[[Resource], Any]] = {
        "LastModifiedTime": lambda resource: (resource.modified_at(now), resource.name),
        "CreationTime": lambda resource: (resource.created_at, resource.name),
    }
    key = keys.get(by, lambda resource: (str(_property(by, record(resource)) or ""), resource.name))
    return Order(by, params.get("SortOrder") == "Ascending", key)


def _matches(expression: Mapping[str, Any], record: Record) -> bool:
    """Evaluate a search expression. Raises ValidationException for what the sandbox cannot evaluate."""
    tests = [_passes(each, record) for each in expression.get("Filters") or ()]
    tests += [_matches_nested(each, record) for each in expression.get("NestedFilters") or ()]
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


def _matches_nested(nested: Mapping[str, Any], record: Record) -> bool:
    """Return whether one entry of a list, such as an input channel, passes all filters; their names begin with it."""
    path = nested["NestedPropertyName"]
    entries: Any = record
    for member in path.split("."):
        entries = entries.get(member) or {} if isinstance(entries, Mapping) else {}
    if not isinstance(entries, list):
        return False
    filters = [{**each, "Name": each["Name"].removeprefix(f"{path}.")} for each in nested["Filters"]]
    return any(all(_passes(each, entry) for each in filters) for entry in entries)


def _property(name: str, record: Record) -> str | None:
    """Return a property of a record as text: a member, at any depth, `Tags.<key>` or `HyperParameters.<name>`."""
    member, _, rest = name.partition(".")
    value: Any = record.get(member)
    if isinstance(value, list):
        value = {entry.get("Key"): entry.get("Value") for entry in value}
    if rest and isinstance(value, Mapping) and rest not in value:
        return _property(rest, value)
    if rest:
        value = value[rest] if isinstance(value, Mapping) else None
    return None if value is None else str(stamp(value) if isinstance(value, float) else value)
