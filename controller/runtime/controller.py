"""The worker loop: key in, reconciler's outcome out, by the outcome table (C2)."""

from dataclasses import dataclass
from typing import Final, Protocol

from api.meta import ObjectKey


@dataclass(frozen=True, slots=True)
class Result:
    """What a reconciler that did not fail wants next."""

    requeue_after_s: float | None = None
    """Seconds until the key is wanted again; None: not before something happens."""
    priority: int | None = None
    """Priority of that requeue; None: the one it was handed out with (P8)."""


DONE: Final = Result()


class Reconciler(Protocol):
    """Brings one object closer to what is wanted. Called by several threads, never for one key at a time twice."""

    def reconcile(self, key: ObjectKey) -> Result:
        """Look at the world and act once. An object that is gone is success: DONE (C8).

        Raises `Terminal` to stop retries until a change, `ClassifiedError` for failed calls: THROTTLED and CONFLICT are
        tried again soon and do not count as failures. Every other exception is retried with growing delays.
        """
        ...
