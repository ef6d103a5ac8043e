"""What is known of one tracked job, and the fingerprint by which two observations of it are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.descriptor import StatusRule
from api.meta import ObjectKey
from controller.aws.polling.hints import Hint

FIRST_PAGE: Final = 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The fingerprint by which two observations of a job are compared."""

    modified: datetime | None
    value: str
    secondary: str
    progress: str = ""
    """Of kinds that show more than a status, e.g. the counters of a tuning job, in a form to compare."""

    def is_older_than(self, other: "Fingerprint") -> bool:
        """Return whether both say when they were made, and the other was made later."""
        return self.modified is not None and other.modified is not None and self.modified < other.modified


@dataclass(slots=True)
class TrackedJob:
    """One tracked job."""

    key: ObjectKey
    name: str
    created: datetime
    """As SageMaker says, else at most as early as it can be."""
    unseen_at: float
    """Monotonic seconds from which on a sweep that misses the job makes it be described."""
    news_at: float
    """Monotonic seconds of the last change or Describe answer."""
    page: int = FIRST_PAGE
    """Page of the List on which it stood last, or the least on which it can stand."""
    swept: int = 0
    """Number of the sweep that showed it last."""
    is_within_reach: bool = True
    """Whether sweeps page down to where it stands."""
    fingerprint: Fingerprint | None = None
    summary: Mapping[str, Any] | None = None
    """The newest observation: a List summary or a Describe response."""
    is_describe_due: bool = False
    is_end_expected: bool = False
    """It is described because many others have ended."""
    awaited_until: float = -1.0
    """Monotonic seconds until which a change that was requested is expected to show."""
    is_dated: bool = False
    """Whether an answer has shown `created`."""
    arn: str = ""
    """In lower case; empty until an answer has shown it."""
    hint: Hint | None = None
    """The last one that had an effect."""
    hinted: Mapping[str, Any] | None = None
    """`summary` with what that hint reported, until the API has answered."""
    rechecks: int = 0
    """Number of Describes to come that may confirm the hint."""
    stale_answers: int = 0
    """Number of Describe answers in a row that were older than what is known."""
    is_proof: bool = False
    """It is described beyond the budget, to show whether the hint is right, and has not shown that yet."""
    is_settling: bool = False
    """The secondary status has changed, which is no news before it has settled."""

    def is_settled(self, values: frozenset[str], now: float) -> bool:
        """Return whether the job is in one of these states and no change is expected."""
        return self.fingerprint is not None and self.fingerprint.value in values and now >= self.awaited_until


def fingerprint_of(answer: Mapping[str, Any], rule: StatusRule) -> Fingerprint:
    """Return the fingerprint of a List summary, a Describe response or a Search record."""
    modified = answer.get("LastModifiedTime")
    return Fingerprint(
        modified=modified if isinstance(modified, datetime) else None,
        value=str(answer.get(rule.member) or ""),
        secondary=str(answer.get(rule.secondary_member) or "") if rule.secondary_member else "",
        progress=_comparable(answer.get(rule.progress_member)) if rule.progress_member else "",
    )


def _comparable(counters: Any) -> str:
    return str(sorted(counters.items())) if isinstance(counters, Mapping) else ""
