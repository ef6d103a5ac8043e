"""Objects beside an object: what a kind looks after besides its own job, as a port of the pass.

Most kinds have none. The pass asks before each decision, and before it lets go of the object.
"""

from dataclasses import dataclass
from typing import Protocol

from api.meta import ObjectKey
from controller.reconcile.hand import Hand
from controller.reconcile.plan import Observed


@dataclass(frozen=True, slots=True)
class Attention:
    """What looking after companions has led to."""

    seen: Observed
    """What is seen, with what the companions add to it or hold back from it."""
    again_s: float | None = None
    """Seconds after which to look again at the latest."""


class Companions(Protocol):
    """Looks after the companions of the objects of one kind. Thread-safe; blocks for the calls that it makes.

    May raise `AwsError`, which becomes part of what is seen, and other `ClassifiedError`s, which end the pass.
    """

    def attend(self, hand: Hand, seen: Observed) -> Attention:
        """See that they are as `seen` wants them. Idempotent: called before every decision of a pass."""
        ...

    def are_gone(self, hand: Hand, seen: Observed) -> bool:
        """See them off, and say whether they have gone: the object is to be let go."""
        ...

    def forget(self, key: ObjectKey) -> None:
        """The object is gone: what it has left behind must not hang."""
        ...


class NoCompanions:
    """`Companions` of kinds that have none."""

    def attend(self, hand: Hand, seen: Observed) -> Attention:  # noqa: ARG002 (the port's signature)
        """See `Companions.attend`."""
        return Attention(seen)

    def are_gone(self, hand: Hand, seen: Observed) -> bool:  # noqa: ARG002
        """See `Companions.are_gone`."""
        return True

    def forget(self, key: ObjectKey) -> None:
        """See `Companions.forget`."""
