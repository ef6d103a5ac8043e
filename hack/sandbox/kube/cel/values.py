"""CEL values as Python values, with CEL's equality, ordering and type names.

bool, int, `UInt`, float, str, bytes, None, list, dict, `Timestamp`, `Duration`, `Optional` and `Type`.
JSON needs no conversion, except where its schema says more than JSON does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hack.sandbox.kube.cel.syntax import UInt

NANOSECONDS: Final = 1_000_000_000


class EvaluationError(Exception):
    """A rule without a result: a missing key, an overflow, a failed conversion. The message is cel-go's."""


class OverloadError(EvaluationError):
    """An operator or function that does not exist for the types of its arguments."""

    def __init__(self) -> None:
        super().__init__("no such overload")


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a value: the result of `type(x)`, and the value of `int`."""

    name: str


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A span of time in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time, in nanoseconds since 1970 in UTC."""

    nanoseconds: int

    def moment(self) -> datetime:
        """Return the time in microseconds, timezone-aware."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.nanoseconds // 1000)


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing: `items` has one element or none."""

    items: tuple[Any, ...] = ()


NONE: Final = Optional()


class SetList(list[Any]):
    """A list of list-type `set`: equal in any order, and `+` adds missing items."""


class MapList(list[Any]):
    """A list of list-type `map`: equal in any order, and `+` replaces the items with the same keys."""

    def __init__(self, items: list[Any], identify: Callable[[Any], Any]) -> None:
        super().__init__(items)
        self.identify = identify


_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    SetList: "list",
    MapList: "list",
    dict: "map",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    Optional: "optional_type",
    Type: "type",
}


def type_name(value: Any) -> str:
    """The name of a value's CEL type."""
    return _TYPE_NAMES[value.__class__]


def is_number(value: Any) -> bool:
    """Return whether a value is an int, uint or double."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(one: Any, other: Any) -> bool:
    """Compare as CEL's `==`: numbers by value, different types are never equal, lists and maps element by element."""
    if one.__class__ is other.__class__ and one.__class__ in {str, int, bool}:
        return bool(one == other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if is_number(one) or is_number(other):
        return is_number(one) and is_number(other) and one == other
    if isinstance(one, list) and isinstance(other, list):
        return _equal_lists(one, other)
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(
            (found := lookup(other, name)) is not _MISSING and equal(value, found) for name, value in one.items()
        )
    if isinstance(one, Optional) and isinstance(other, Optional):
        return len(one.items) == len(other.items) and all(map(equal, one.items, other.items))
    return one.__class__ is other.__class__ and bool(one == other)


def _equal_lists(one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    if isinstance(one, SetList):
        return all(contains(other, item) for item in one)
    if isinstance(one, MapList):
        items = {one.identify(item): item for item in one}
        return all((key := one.identify(item)) in items and equal(items[key], item) for item in other)
    return all(map(equal, one, other))


def contains(items: list[Any], wanted: Any) -> bool:
    """Return whether an equal item is in a list."""
    return any(equal(item, wanted) for item in items)


class _Missing:
    """The type of the value for a missing key."""


_MISSING: Final = _Missing()


def lookup(mapping: dict[Any, Any], key: Any) -> Any:
    """Return the value of a key, or a marker for a missing one; 1 and 1.0 are the same key, 1 and true are not."""
    if isinstance(key, str):
        return mapping.get(key, _MISSING)
    if not isinstance(key, bool | int | float):
        return _MISSING
    for name, value in mapping.items():
        if equal(name, key):
            return value
    return _MISSING


def is_missing(value: Any) -> bool:
    """Return whether `lookup` found nothing."""
    return value is _MISSING


def check_int(value: int) -> int:
    """Return the value, if it is an int64. Raises EvaluationError."""
    if -(2**63) <= value < 2**63:
        return value
    raise EvaluationError("integer overflow")


def compare(one: Any, other: Any) -> int:
    """Return a negative number, zero or a positive one. Raises OverloadError for types without a common order."""
    comparable = (is_number(one) and is_number(other)) or (
        one.__class__ is other.__class__ and isinstance(one, str | bytes | bool | Duration | Timestamp)
    )
    if not comparable:
        raise OverloadError
    return int(one > other) - int(one < other)
