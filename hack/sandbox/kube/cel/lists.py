"""Functions on lists: Kubernetes' own, and the `lists` and `sets` extensions."""

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from hack.sandbox.kube.cel.operators import find as operator
from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import Duration, EvaluationError, Optional, OverloadError, compare, contains, equal

_ORDERED = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")
_add = operator("_+_")


@LIBRARY.function(*(f"<list({kind})>.isSorted(): bool" for kind in _ORDERED))
def _is_sorted(items: list[Any]) -> bool:
    return all(compare(one, other) <= 0 for one, other in pairwise(items))


@LIBRARY.function(*(f"<list({kind})>.sum(): {kind}" for kind in ("int", "uint", "double", "duration")))
def _sum(items: list[Any]) -> Any:
    if not items or _add is None:
        return 0
    total = items[0]
    for item in items[1:]:
        total = _add(total, item)
    if isinstance(total, bool) or not isinstance(total, int | float | Duration):
        raise OverloadError
    return total


@LIBRARY.function(*(f"<list({kind})>.min(): {kind}" for kind in _ORDERED))
def _min(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("min called on empty list")
    return min(items, key=cmp_to_key(compare))


@LIBRARY.function(*(f"<list({kind})>.max(): {kind}" for kind in _ORDERED))
def _max(items: list[Any]) -> Any:
    if not items:
        raise EvaluationError("max called on empty list")
    return max(items, key=cmp_to_key(compare))


@LIBRARY.function("<list(A)>.indexOf(A): int")
def _index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at, item in enumerate(items) if equal(item, wanted)), -1)


@LIBRARY.function("<list(A)>.lastIndexOf(A): int")
def _last_index_of(items: list[Any], wanted: Any) -> int:
    return next((at for at in reversed(range(len(items))) if equal(items[at], wanted)), -1)


@LIBRARY.function("<list(A)>.reverse(): list(A)")
def _reverse(items: list[Any]) -> list[Any]:
    return items[::-1]


@LIBRARY.function("<list(A)>.slice(int, int): list(A)")
def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvaluationError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise EvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


@LIBRARY.function("<list(A)>.distinct(): list(A)")
def _distinct(items: list[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not contains(found, item):
            found.append(item)
    return found


@LIBRARY.function(*(f"<list({kind})>.sort(): list({kind})" for kind in _ORDERED))
def _sort(items: list[Any]) -> list[Any]:
    return sorted(items, key=cmp_to_key(compare))


@LIBRARY.function("<list(list(A))>.flatten(): list(A)", "<list(dyn)>.flatten(int): list(dyn)")
def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvaluationError("level must be non-negative")
    flat: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth > 0:
            flat += _flatten(item, depth - 1)
        else:
            flat.append(item)
    return flat


@LIBRARY.function("lists.range(int): list(int)")
def _range(size: int) -> list[int]:
    return list(range(size))


@LIBRARY.function("<list(A)>.first(): optional_type(A)")
def _first(items: list[Any]) -> Optional:
    return Optional(tuple(items[:1]))


@LIBRARY.function("<list(A)>.last(): optional_type(A)")
def _last(items: list[Any]) -> Optional:
    return Optional(tuple(items[-1:]))


@LIBRARY.function("sets.contains(list(A), list(A)): bool")
def _sets_contains(items: list[Any], part: list[Any]) -> bool:
    return all(contains(items, item) for item in part)


@LIBRARY.function("sets.equivalent(list(A), list(A)): bool")
def _sets_equivalent(one: list[Any], other: list[Any]) -> bool:
    return _sets_contains(one, other) and _sets_contains(other, one)


@LIBRARY.function("sets.intersects(list(A), list(A)): bool")
def _sets_intersects(one: list[Any], other: list[Any]) -> bool:
    return any(contains(one, item) for item in other)
