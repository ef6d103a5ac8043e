"""Functions on optional values: what `a.?b` gives, and `oldSelf` of a rule with `optionalOldSelf`."""

from typing import Any

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import EvaluationError, Optional


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
