"""Functions on optional values."""

from typing import Any

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import NONE, EvaluationError, Optional


@LIBRARY.function("optional.of(A): optional_type(A)")
def _of(value: Any) -> Optional:
    return Optional((value,))


@LIBRARY.function("optional.ofNonZeroValue(A): optional_type(A)")
def _of_non_zero(value: Any) -> Optional:
    return Optional((value,)) if value else NONE


@LIBRARY.function("optional.none(): optional_type(A)")
def _none() -> Optional:
    return NONE


@LIBRARY.function("optional.unwrap(list(optional_type(A))): list(A)", "<list(optional_type(A))>.unwrapOpt(): list(A)")
def _unwrap(optionals: list[Optional]) -> list[Any]:
    return [item for optional in optionals for item in optional.items]


@LIBRARY.function("<optional_type(A)>.hasValue(): bool")
def _has_value(optional: Optional) -> bool:
    return bool(optional.items)


@LIBRARY.function("<optional_type(A)>.value(): A")
def _value(optional: Optional) -> Any:
    if not optional.items:
        raise EvaluationError("optional.none() dereference")
    return optional.items[0]


@LIBRARY.function("<optional_type(A)>.orValue(A): A")
def _or_value(optional: Optional, otherwise: Any) -> Any:
    return optional.items[0] if optional.items else otherwise


@LIBRARY.function("<optional_type(A)>.or(optional_type(A)): optional_type(A)")
def _or(optional: Optional, otherwise: Optional) -> Optional:
    return optional if optional.items else otherwise
