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
        return seen_at < self.began_at and not self.is_over(now) and self.annotations == annotations

    def is_over(self, now: float) -> bool:
        """Return whether it proves nothing any more."""
        return self.began_at < now - SHARED_S
