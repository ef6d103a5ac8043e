"""Describes drift, changes made at AWS outside the operator, and limits how often it is corrected.

Pure. Each life-cycle detects drift itself; jobs cannot drift.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from controller.observability.redact import redact_text

BACKOFF_BASE_S: Final = 60.0
BACKOFF_CAP_S: Final = 3600.0
"""If another owner keeps changing it: the first correction is immediate, the next after a minute, finally hourly."""
FORGET_S: Final = 2 * BACKOFF_CAP_S
"""After so long without a correction, the next one counts as the first again."""
LOOK_S: Final = 600.0
"""How often to check whether drift that only a Describe shows is gone."""

_TOLD: Final = 5
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
        return f"{self.path} is {_said(self.found)}, and {_said(self.applied)} was applied"


@dataclass(frozen=True, slots=True)
class Corrections:
    """Counts corrections that followed each other within `FORGET_S`."""

    count: int = 0
    last_at: float = -math.inf
    """Monotonic seconds."""

    def after(self, now: float) -> "Corrections":
        """Return the count after one more correction."""
        return Corrections(1 if now - self.last_at > FORGET_S else self.count + 1, now)

    def due_in_s(self, now: float) -> float:
        """Return the seconds until the next correction is allowed."""
        if not self.count:
            return 0.0
        wait_s = min(BACKOFF_BASE_S * 2.0 ** min(self.count - 1, 16), BACKOFF_CAP_S)
        return max(self.last_at + wait_s - now, 0.0)


def sentence(differences: Iterable[Difference]) -> str:
    """Return all differences as text; the same ones make the same text."""
    texts = sorted({str(each) for each in differences})
    more = f"; and {len(texts) - _TOLD} more" if len(texts) > _TOLD else ""
    return f"changed by somebody else: {'; '.join(texts[:_TOLD])}{more}"


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _said(value: Any) -> str:
    if value is None:
        return "absent"
    if isinstance(value, float):
        return f"{value:g}"
    text = redact_text(str(value))
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
