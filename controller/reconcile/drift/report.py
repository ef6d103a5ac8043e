"""Drift: what somebody else has changed at AWS of what was applied last, in words, and how often it is changed back.

Pure. Who finds it is each life-cycle's own business; jobs cannot drift.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from controller.observability.redact import redact_text

BACKOFF_BASE_S: Final = 60.0
BACKOFF_CAP_S: Final = 3600.0
"""Where two owners take turns, the first answer comes at once, the next after a minute, in the end one an hour."""
FORGET_S: Final = 2 * BACKOFF_CAP_S
"""So long without a correction, and the next one is a first one again."""
LOOK_S: Final = 600.0
"""How often to look whether drift that only a Describe shows has gone."""

_TOLD: Final = 5
"""Differences in one message; more are counted."""
_LENGTH: Final = 100
_PRIVATE: Final = "environment"
"""Fields below one of this name hold users' own values: which have changed is told, not from what to what."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as it was applied."""

    path: str
    """Empty: the whole."""
    applied: Any
    found: Any

    def __str__(self) -> str:
        if _PRIVATE in self.path.split(".") or not (_is_scalar(self.applied) and _is_scalar(self.found)):
            return f"{self.path} is not what was applied"
        return f"{self.path} is {_said(self.found)}, and {_said(self.applied)} was applied"


@dataclass(frozen=True, slots=True)
class Corrections:
    """How often somebody else's change was changed back without a long peace in between."""

    count: int = 0
    last_at: float = -math.inf
    """Monotonic seconds."""

    def after(self, now: float) -> "Corrections":
        """One more."""
        return Corrections(1 if now - self.last_at > FORGET_S else self.count + 1, now)

    def due_in_s(self, now: float) -> float:
        """Seconds until the next one is allowed."""
        if not self.count:
            return 0.0
        wait_s = min(BACKOFF_BASE_S * 2.0 ** min(self.count - 1, 16), BACKOFF_CAP_S)
        return max(self.last_at + wait_s - now, 0.0)


def sentence(differences: Iterable[Difference]) -> str:
    """All differences for people; the same ones make the same sentence."""
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
