"""Decides whether one read of a namespace at the API server also proves a view of it for other objects. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SHARED_S: Final = 1.0
"""How long a read is shared. A watch of namespaces that hangs without an error delays by as much what a new annotation
means for objects that were there before it; one that works shows it within milliseconds."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one read has shown. Times are monotonic seconds."""

    annotations: Mapping[str, str]
    """Those with our prefix, by their full keys."""
    began_at: float
    """Before the request left: the API server answers with what holds then, or later."""

    def proves(self, annotations: Mapping[str, str], *, seen_at: float, now: float) -> bool:
        """Return whether a change to an object first seen at `seen_at` may be made under `annotations`.

        A read that began after the object was seen shows all that was done to the namespace before the object was last
        changed: `kubectl annotate namespace …; kubectl apply …` is obeyed in this order, however late the watch is.
        """
        return is_shared(self.began_at, seen_at=seen_at, now=now) and self.annotations == annotations


def is_shared(began_at: float, *, seen_at: float, now: float) -> bool:
    """Return whether a read that began at `began_at` may prove a view for an object first seen at `seen_at`."""
    return seen_at < began_at and not is_past(began_at, now)


def is_past(began_at: float, now: float) -> bool:
    """Return whether a read that began at `began_at` proves nothing any more."""
    return began_at < now - SHARED_S
