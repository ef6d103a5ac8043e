"""Says what a hint about a job is worth, next to what AWS's API has shown: pure.

Everyone with the right to write to a queue can send any message, more than once and in any order. So a hint is never
the truth: it shows progress, or makes the job be described, and what is known to be as new costs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from api.descriptor import StatusRule

Effect: TypeAlias = Literal["change", "progress", "known", "stale", "unfollowed"]
"""`change`: the job is to be described. `progress`: shown as it is. The rest has no effect: the API has shown the same,
or something newer, or the job is not followed."""
EFFECTS: Final[tuple[Effect, ...]] = ("change", "progress", "known", "stale")
"""The effects on jobs that are followed, the strongest first."""
INITIAL: Final = frozenset({"InProgress", "Creating", "Executing"})
"""States in which resources are created: no news of one that nothing has been seen of yet."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A state of a job that something other than AWS's API reported, in the API's spelling."""

    name: str
    status: str
    secondary: str
    modified: datetime
    """When the job came into this state (UTC), to the second at least."""
    arn: str = ""

    def summary(
        self, known: Mapping[str, Any] | None, *, name: str, name_member: str, rule: StatusRule
    ) -> dict[str, Any] | None:
        """Return `known` with the reported state in place of its own; without it, what a List would show.

        None if the hint is all there is and its ARN is not one of `name`: objects record the ARN that they are shown.
        """
        if known is None and self.arn.rpartition("/")[2].lower() != name.lower():
            return None
        shown = {**(known or {name_member: name, rule.arn_member: self.arn}), rule.member: self.status}
        if rule.secondary_member and self.secondary:
            shown[rule.secondary_member] = self.secondary
        return shown


def effect_of(
    hint: Hint, *, status: str | None, secondary: str, modified: datetime | None, earlier: Hint | None
) -> Effect:
    """Return the effect of a hint on a job that the API showed last in `status`; None where it has not been shown yet.

    `earlier` is the last hint about the job that had an effect.
    """
    # Some events carry whole seconds only: within one second, nothing says which of two states is the newer one.
    if modified is not None and hint.modified.replace(microsecond=0) < modified.replace(microsecond=0):
        return "stale"
    if earlier is not None:
        if hint.modified < earlier.modified:
            return "stale"
        is_repeated = (hint.status, hint.secondary) == (earlier.status, earlier.secondary)
        # A state may be left and reached again, as by an update: the API has shown another one since.
        was_left = hint.status != status and modified is not None and modified > earlier.modified
        if is_repeated and not was_left:
            return "known"
    if hint.status != (status or hint.status) or (status is None and hint.status not in INITIAL):
        return "change"
    return "progress" if hint.secondary and hint.secondary != secondary else "known"
