"""Describes drift, changes made at AWS outside the operator, and limits how often it is corrected.

Pure. Each life-cycle detects drift itself; jobs cannot drift.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from controller.observability.redact import redact_text

LOOK_S: Final = 600.0
"""How often to check whether drift that only a Describe shows is gone."""

_LISTED: Final = 5
"""Differences listed in one message; the others are counted."""
_LENGTH: Final = 100
_PRIVATE: Final = "environment"
"""Values below a field of this name may be secret: messages name the field and omit its values."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs from what was applied."""

    path: str
    """Empty: the whole object."""
    applied: Any
    found: Any

    def __str__(self) -> str:
        if _PRIVATE in self.path.split(".") or not (_is_scalar(self.applied) and _is_scalar(self.found)):
            return f"{self.path} is not what was applied"
        return f"{self.path} is {_text_of(self.found)}, and {_text_of(self.applied)} was applied"


def sentence(differences: Iterable[Difference]) -> str:
    """Return all differences as text; the same ones make the same text."""
    texts = sorted({str(each) for each in differences})
    more = f"; and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    return f"changed by others: {'; '.join(texts[:_LISTED])}{more}"


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _text_of(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, float):
        return f"{value:g}"
    text = redact_text(str(value))
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
