"""Decides whether one read of a namespace at the API server also proves a view of it for other objects. Pure.

Times are monotonic seconds. A read begins before its request leaves, and shows what holds then, or later.
"""

from typing import Final

SHARED_S: Final = 1.0
"""How long a read is shared. A watch of namespaces that hangs without an error delays by as much what a new annotation
means for objects that were there before it; one that works shows it within milliseconds."""


def is_shared(began_at: float, *, seen_at: float, now: float) -> bool:
    """Return whether a read that began at `began_at` holds for an object that was first seen at `seen_at`.

    A read that began after the object was seen shows all that was done to the namespace before the object was last
    changed: `kubectl annotate namespace …; kubectl apply …` is obeyed in this order, however late the watch is.
    """
    return seen_at < began_at and not is_past(began_at, now)


def is_past(began_at: float, now: float) -> bool:
    """Return whether a read that began at `began_at` proves nothing any more."""
    return began_at < now - SHARED_S
