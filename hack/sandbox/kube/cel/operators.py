"""CEL's operators on values: arithmetic that raises on overflow, comparisons, membership and negation."""

import math
from collections.abc import Callable
from typing import Any, Final

from hack.sandbox.kube.cel.syntax import UInt
from hack.sandbox.kube.cel.values import (
    Duration,
    EvaluationError,
    MapList,
    OverloadError,
    SetList,
    Timestamp,
    check_int,
    compare,
    contains,
    equal,
    is_missing,
    lookup,
)


def find(name: str) -> Callable[..., Any] | None:
    """Return the implementation of an operator by its name in the tree: `_+_`, `!_`, `@in` …"""
    return _OPERATORS.get(name)


def _arithmetic(one: Any, other: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """Combine two numbers of one type, within that type's range."""
    kind = one.__class__
    if kind is not other.__class__ or kind not in {int, UInt, float}:
        raise OverloadError
    if kind is float:
        return combine(one, other)
    value = combine(int(one), int(other))
    if kind is int:
        return check_int(value)
    if not 0 <= value < 2**64:
        raise EvaluationError("unsigned integer overflow")
    return UInt(value)


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return _joined(one, other)
    if one.__class__ is other.__class__ and isinstance(one, str | bytes):
        return one + other
    match one, other:
        case Duration(), Duration():
            return Duration(check_int(one.nanoseconds + other.nanoseconds))
        case (Timestamp(), Duration()) | (Duration(), Timestamp()):
            return Timestamp(one.nanoseconds + other.nanoseconds)
    return _arithmetic(one, other, lambda a, b: a + b)


def _joined(one: list[Any], other: list[Any]) -> list[Any]:
    """Concatenate lists by their list type (x-kubernetes-list-type in the CRD validation reference)."""
    if isinstance(one, SetList):
        return SetList([*one, *(item for item in other if not contains(one, item))])
    if isinstance(one, MapList):
        replacing = {one.identify(item): item for item in other}
        kept = [replacing.pop(one.identify(item), item) for item in one]
        return MapList([*kept, *replacing.values()], one.identify)
    return [*one, *other]


def _subtract(one: Any, other: Any) -> Any:
    match one, other:
        case (Duration(), Duration()) | (Timestamp(), Timestamp()):
            return Duration(check_int(one.nanoseconds - other.nanoseconds))
        case Timestamp(), Duration():
            return Timestamp(one.nanoseconds - other.nanoseconds)
    return _arithmetic(one, other, lambda a, b: a - b)


def _multiply(one: Any, other: Any) -> Any:
    return _arithmetic(one, other, lambda a, b: a * b)


def _divide(one: Any, other: Any) -> Any:
    if isinstance(one, float) and isinstance(other, float):
        if other == 0:
            return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1, other)
        return one / other
    if other == 0 and one.__class__ is other.__class__:
        raise EvaluationError("division by zero")
    return _arithmetic(one, other, lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


def _modulo(one: Any, other: Any) -> Any:
    if isinstance(one, float) or isinstance(other, float):
        raise OverloadError
    if other == 0 and one.__class__ is other.__class__:
        raise EvaluationError("modulus by zero")
    return _arithmetic(one, other, lambda a, b: abs(a) % abs(b) * (-1 if a < 0 else 1))


def _negate(value: Any) -> Any:
    if value.__class__ is int:
        return check_int(-value)
    if isinstance(value, float):
        return -value
    if isinstance(value, Duration):
        return Duration(-value.nanoseconds)
    raise OverloadError


def _not(value: Any) -> Any:
    if not isinstance(value, bool):
        raise OverloadError
    return not value


def _in(item: Any, container: Any) -> Any:
    if isinstance(container, list):
        return contains(container, item)
    if isinstance(container, dict):
        return not is_missing(lookup(container, item))
    raise OverloadError


_OPERATORS: Final[dict[str, Callable[..., Any]]] = {
    "_==_": equal,
    "_!=_": lambda one, other: not equal(one, other),
    "_<_": lambda one, other: compare(one, other) < 0,
    "_<=_": lambda one, other: compare(one, other) <= 0,
    "_>_": lambda one, other: compare(one, other) > 0,
    "_>=_": lambda one, other: compare(one, other) >= 0,
    "_+_": _add,
    "_-_": _subtract,
    "_*_": _multiply,
    "_/_": _divide,
    "_%_": _modulo,
    "-_": _negate,
    "!_": _not,
    "@in": _in,
}
