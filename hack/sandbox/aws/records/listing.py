"""List operations: the filters, sort orders and page tokens that all kinds share."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from hack.sandbox.aws.records.resource import Kind, R, Resource, stamp
from hack.sandbox.aws.wire import Call, invalid

_DEFAULT_PAGE = 10


def listed(kind: Kind[R], call: Call, resources: Iterable[R]) -> list[R]:
    """Return the resources in the order that a List call asks for, less those that its early filters leave out."""
    tests = _early_filters(kind, call)
    found = [resource for resource in resources if not tests or all(test(resource) for test in tests)]
    order = call.params.get("SortOrder")
    is_ascending = kind.is_ascending if order is None else order == "Ascending"
    found.sort(key=sort_key(call.params.get("SortBy") or kind.sort_by, call.now), reverse=not is_ascending)
    return found


def paged(
    member: str,
    params: Mapping[str, Any],
    resources: Sequence[R],
    summarize: Callable[[R], dict[str, Any]],
    *,
    late: Sequence[Callable[[R], bool]] = (),
) -> dict[str, Any]:
    """Return the response with one page of the resources, by default 10, under `member`.

    The `late` filters apply after the page was cut: it comes back short or empty, with a token all the same (API
    reference of ListTrainingJobs on StatusEquals with MaxResults; seen for times and names, too). A token continues
    after the resource that ended the last page, so that what arrives meanwhile shifts nothing. Raises
    ValidationException for a token that was never given.
    """
    start = _offset(params.get("NextToken"), resources)
    page = resources[start : start + (params.get("MaxResults") or _DEFAULT_PAGE)]
    kept = [resource for resource in page if all(test(resource) for test in late)]
    answer: dict[str, Any] = {member: [summarize(resource) for resource in kept]}
    if start + len(page) < len(resources):
        answer["NextToken"] = _token(start + len(page), page[-1].name)
    return answer


def answered(
    kind: Kind[R], call: Call, resources: Iterable[R], summarize: Callable[[R], dict[str, Any]]
) -> dict[str, Any]:
    """Return the answer to a List call: early filters, order, one page, late filters."""
    ordered = listed(kind, call, resources)
    return paged(kind.items_member, call.params, ordered, summarize, late=_late_filters(call))


def _late_filters(call: Call) -> list[Callable[[Resource], bool]]:
    """Return a test for each filter that SageMaker applies to a page after it was cut."""
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
    wanted, now = call.params, call.now
    tests: list[Callable[[R], bool]] = []
    tests += _bounds(attrgetter("created_at"), wanted.get("CreationTimeAfter"), wanted.get("CreationTimeBefore"))
    for member, passes in kind.filters.items():
        if member in wanted:
            tests.append(partial(_passes, passes, wanted[member], now))
    return tests


def _passes(passes: Callable[[R, Any, float], bool], wanted: Any, now: float, resource: R) -> bool:
    return passes(resource, wanted, now)


def _bounds(at: Callable[[R], float], after: float | None, before: float | None) -> list[Callable[[R], bool]]:
    tests: list[Callable[[R], bool]] = []
    if after is not None:
        tests.append(lambda resource: stamp(at(resource)) > after)
    if before is not None:
        tests.append(lambda resource: stamp(at(resource)) < before)
    return tests


def _token(offset: int, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, last]).encode()).decode()


def _offset(token: str | None, resources: Sequence[Resource]) -> int:
    """Return where a page starts: after the last resource of the previous page, or its old position if deleted."""
    if not token:
        return 0
    try:
        offset, last = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as exc:
        raise invalid("Invalid pagination token") from exc
    position = next((number for number, resource in enumerate(resources) if resource.name == last), None)
    return int(offset) if position is None else position + 1
