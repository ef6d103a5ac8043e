"""Resource quantities: `1Gi`, `500m`. Source: k8s.io/apiserver pkg/cel/library/quantity.go."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import EvaluationError, check_int

_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d+)?")
_SCALES: Final = {
    "": Decimal(1),
    **dict(zip("num", (Decimal("1e-9"), Decimal("1e-6"), Decimal("1e-3")), strict=True)),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact decimal amount."""

    cel_type: ClassVar[str] = "kubernetes.Quantity"
    amount: Decimal

    def __str__(self) -> str:
        return f"{self.amount.normalize():f}"


@LIBRARY.function("quantity(string): kubernetes.Quantity")
def _quantity(text: str) -> Quantity:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise EvaluationError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    number, suffix = Decimal(match[1]), match[2] or ""
    if len(suffix) > 1 and suffix[0] in "eE" and suffix[1] != "i":
        return Quantity(number.scaleb(int(suffix[1:])))
    return Quantity(number * _SCALES[suffix])


@LIBRARY.function("isQuantity(string): bool")
def _is_quantity(text: str) -> bool:
    return _QUANTITY.fullmatch(text) is not None


@LIBRARY.function("<kubernetes.Quantity>.isInteger(): bool")
def _is_integer(quantity: Quantity) -> bool:
    return quantity.amount == quantity.amount.to_integral_value() and -(2**63) <= quantity.amount < 2**63


@LIBRARY.function("<kubernetes.Quantity>.asInteger(): int")
def _as_integer(quantity: Quantity) -> int:
    if not _is_integer(quantity):
        raise EvaluationError("cannot convert value to integer")
    return check_int(int(quantity.amount))


@LIBRARY.function("<kubernetes.Quantity>.asApproximateFloat(): double")
def _as_float(quantity: Quantity) -> float:
    return float(quantity.amount)


@LIBRARY.function(
    "<kubernetes.Quantity>.add(kubernetes.Quantity): kubernetes.Quantity",
    "<kubernetes.Quantity>.add(int): kubernetes.Quantity",
)
def _add(quantity: Quantity, other: Quantity | int) -> Quantity:
    return Quantity(quantity.amount + (other.amount if isinstance(other, Quantity) else other))


@LIBRARY.function(
    "<kubernetes.Quantity>.sub(kubernetes.Quantity): kubernetes.Quantity",
    "<kubernetes.Quantity>.sub(int): kubernetes.Quantity",
)
def _sub(quantity: Quantity, other: Quantity | int) -> Quantity:
    return Quantity(quantity.amount - (other.amount if isinstance(other, Quantity) else other))


@LIBRARY.function("<kubernetes.Quantity>.isLessThan(kubernetes.Quantity): bool")
def _is_less(quantity: Quantity, other: Quantity) -> bool:
    return quantity.amount < other.amount


@LIBRARY.function("<kubernetes.Quantity>.isGreaterThan(kubernetes.Quantity): bool")
def _is_greater(quantity: Quantity, other: Quantity) -> bool:
    return quantity.amount > other.amount


@LIBRARY.function("<kubernetes.Quantity>.compareTo(kubernetes.Quantity): int")
def _compare(quantity: Quantity, other: Quantity) -> int:
    return (quantity.amount > other.amount) - (quantity.amount < other.amount)
