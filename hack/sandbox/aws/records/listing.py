"""List operations: the filters, sort orders and page tokens that all kinds share."""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import islice
from operator import attrgetter
from typing import Any

from hack.sandbox.aws.records.resource import Kind, R, Resource, Store, stamp
from hack.sandbox.aws.wire import ApiError, Call, invalid

DEFAULT_PAGE = 10
"""Resources on a page where the caller asks for no number."""


def answered(kind: Kind[R], call: Call, store: Store, summarize: Callable[[R], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a List call: early filters, order, one page, late filters.

    Of the account's past, only the page is made, so a page costs the same however long that is. Raises
    ValidationException for a token that was never given, or was given for another order.
    """
    order = Order.asked_for(kind, call)
    tests = _early_filters(kind, call)
    present = [resource for resource in store.shown(kind, call) if not tests or all(test(resource) for test in tests)]
    present.sort(key=order.key)
    past = (run for run in store.past.runs(kind, call) if _passes_all(kind, call, run[0]))
    parts = [(present, 0, len(present)), *((run, *_bounded(run, call)) for run in past)]
    page, token = order.page(call.params, parts)
    late = _late_filters(call)
    kept = [resource for resource in page if all(test(resource) for test in late)]
    answer: dict[str, Any] = {kind.items_member: [summarize(resource) for resource in kept]}
    return answer if token is None else {**answer, "NextToken": token}


@dataclass(frozen=True, slots=True)
class Order:
    """The order of an answer. The key tells apart all resources, and can be written as JSON."""

    by: str
    is_ascending: bool
    key: Callable[[Any], Any]

    @classmethod
    def asked_for(cls, kind: Kind[R], call: Call) -> "Order":
        """Return the order that a List call asks for."""
        by, order = call.params.get("SortBy") or kind.sort_by, call.params.get("SortOrder")
        is_ascending = kind.is_ascending if order is None else order == "Ascending"
        return cls(by, is_ascending, sort_key(by, call.now))

    def beyond(self, after: Any, resources: Sequence[R], low: int = 0, high: int | None = None) -> Iterator[R]:
        """Yield those of the resources, which ascend, that come after a place in this order; None is its beginning."""
        high = len(resources) if high is None else high
        if self.is_ascending:
            low = low if after is None else bisect_right(resources, after, low, high, key=self.key)
            return (resources[position] for position in range(low, high))
        high = high if after is None else bisect_left(resources, after, low, high, key=self.key)
        return (resources[position] for position in range(high - 1, low - 1, -1))

    def page(
        self,
        params: Mapping[str, Any],
        parts: Iterable[tuple[Sequence[R], int, int]],
        is_found: Callable[[R], bool] | None = None,
    ) -> tuple[list[R], str | None]:
        """Return a page of what is found between two positions of each part, and the token of the next page.

        Parts ascend. They are read no further than the page needs. Raises ValidationException for a token that was
        never given, or was given for another order.
        """
        after = _place(params.get("NextToken"), self)
        rest = (self.beyond(after, resources, low, high) for resources, low, high in parts)
        merged: Iterator[R] = merge(*rest, key=self.key, reverse=not self.is_ascending)
        if is_found is not None:
            merged = filter(is_found, merged)
        size = params.get("MaxResults") or DEFAULT_PAGE
        page = list(islice(merged, size + 1))
        token = _encoded([self.by, self.is_ascending, self.key(page[size - 1])]) if len(page) > size else None
        return page[:size], token


def paged(
    member: str, params: Mapping[str, Any], resources: Sequence[R], summarize: Callable[[R], dict[str, Any]]
) -> dict[str, Any]:
    """Return the response with one page of the resources, by default 10, under `member`.

    A token continues after the resource that ended the last page, so that what arrives meanwhile shifts nothing. Raises
    ValidationException for a token that was never given.
    """
    start = _offset(params.get("NextToken"), resources)
    page = resources[start : start + (params.get("MaxResults") or DEFAULT_PAGE)]
    answer: dict[str, Any] = {member: [summarize(resource) for resource in page]}
    if start + len(page) < len(resources):
        answer["NextToken"] = _encoded([start + len(page), page[-1].name])
    return answer


def _late_filters(call: Call) -> list[Callable[[Resource], bool]]:
    """Return a test for each filter that SageMaker applies to a page after it was cut.

    Such pages come back short or empty, with a token all the same (API reference of ListTrainingJobs on StatusEquals
    with MaxResults; seen for times and names, too).
    """
    wanted, now = call.params, call.now
    tests: list[Callable[[Resource], bool]] = []
    if part := wanted.get("NameContains", "").lower():
        tests.append(lambda resource: part in resource.name.lower())
    if status := wanted.get("StatusEquals"):
        tests.append(lambda resource: resource.status_at(now) == status)
    after, before = wanted.get("LastModifiedTimeAfter"), wanted.get("LastModifiedTimeBefore")
    return tests + _bounds(lambda resource: resource.modified_at(now), after, before)


def sort_key(by: str, now: float) -> Callable[[Resource], Any]:
    """Return a sort key; the name breaks ties, so that pages neither repeat nor lose a resource of the same instant."""
    if by == "Name":
        return attrgetter("name")
    if by == "Status":
        return lambda resource: (resource.status_at(now), resource.name)
    return attrgetter("created_at", "name")


def _early_filters(kind: Kind[R], call: Call) -> list[Callable[[R], bool]]:
    """Return a test for each filter given: with none, a list of 100,000 jobs costs no call per job."""
    wanted = call.params
    tests: list[Callable[[R], bool]] = []
    tests += _bounds(attrgetter("created_at"), wanted.get("CreationTimeAfter"), wanted.get("CreationTimeBefore"))
    if wanted.keys() & kind.filters.keys():
        tests.append(partial(_passes_all, kind, call))
    return tests


def _passes_all(kind: Kind[R], call: Call, resource: R) -> bool:
    """Return whether a resource passes the filters that only its kind has; the jobs of an era all do, or none does."""
    given = kind.filters.items()
    return all(passes(resource, call.params[member], call.now) for member, passes in given if member in call.params)


def _bounded(run: Sequence[Resource], call: Call) -> tuple[int, int]:
    """Return the positions from and up to which a run is within the creation times that are asked for."""
    after, before = call.params.get("CreationTimeAfter"), call.params.get("CreationTimeBefore")

    def created(resource: Resource) -> float:
        return stamp(resource.created_at)

    low = 0 if after is None else bisect_right(run, after, key=created)
    high = len(run) if before is None else bisect_left(run, before, key=created)
    return low, max(low, high)


def _bounds(at: Callable[[R], float], after: float | None, before: float | None) -> list[Callable[[R], bool]]:
    tests: list[Callable[[R], bool]] = []
    if after is not None:
        tests.append(lambda resource: stamp(at(resource)) > after)
    if before is not None:
        tests.append(lambda resource: stamp(at(resource)) < before)
    return tests


def _encoded(place: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _decoded(token: str) -> Any:
    """Return what `_encoded` made a token of. Raises ValidationException for another text."""
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as exc:
        raise _unknown_token() from exc


def _unknown_token() -> ApiError:
    return invalid("Invalid pagination token")


def _place(token: str | None, order: Order) -> Any:
    """Return the sort key of the resource that ended the previous page; None for the first page."""
    if not token:
        return None
    match _decoded(token):
        case [order.by, order.is_ascending, place]:
            return tuple(place) if isinstance(place, list) else place
    raise _unknown_token()


def _offset(token: str | None, resources: Sequence[Resource]) -> int:
    """Return where a page starts: after the last resource of the previous page, or its old position if deleted."""
    if not token:
        return 0
    match _decoded(token):
        case [int(offset), last]:
            position = next((number for number, resource in enumerate(resources) if resource.name == last), None)
            return offset if position is None else position + 1
    raise _unknown_token()
