"""Decides when to call SageMaker's Search and how far to page: a pure state machine.

Search returns whole records, latest modification first. So a call now and then shows what changed, however many jobs
are live or old, where a sweep would read many pages. Its quota and its lag are published nowhere: what it shows is a
hint, `Confidence` compares it with what sweeps and Describes show, and where it is late, incomplete, denied or refused
it is left alone for a long time. While a sweep costs no more than a search, there is nothing to gain and no call.

A round reads pages down to where the rounds before it have begun, less an overlap: an index may take in a change after
a later one. How much later is learned (`disorder`), and until then a long overlap is read; then the round has caught
up, and reads on through that one for as long as the next round is not due: where changes come by the hundred, what is
new is worth more than those pages. A round that is cut off before it has caught up (too many changes, a token that is
refused) leaves the rest to a sweep.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Final, Literal, TypeAlias

from controller.aws.errors import BUDGET_EXHAUSTED, CallError
from controller.aws.polling.confidence import Confidence, ConfidenceSettings
from controller.aws.polling.disorder import Disorder
from controller.runtime.errors import ErrorClass

SEARCH: Final = "search"
"""The name of this accelerator, in metrics and logs."""
MOST_PAGES: Final = 10
"""Pages of a round; a sweep shows what stands further down."""
REST_S: Final = 3600.0
"""Pause after which Search is tried again where it was denied, refused or wrong."""
GRACE_S: Final = 15.0
"""How much later than a sweep Search may show a change, and the overlap of rounds; three intervals where longer."""
_MOST_WRONG: Final = 3
"""Changes missed or made up after which Search rests that has not earned trust since it began."""
_NEEDED: Final = 10
"""Confirmations that earn trust: few enough for minutes, too many for an index that leaves a tenth of the jobs out."""
_HEARD_S: Final = 180.0
_CONFIRM_S: Final = 1200.0
_BACKOFF_BASE_S: Final = 1.0
_THROTTLED_CAP_S: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""Before any floor, also less an overlap."""

Standing: TypeAlias = Literal["idle", "searching", "resting", "unavailable"]
"""`idle`: sweeps are as cheap. `resting`: it was wrong. `unavailable`: denied, refused or broken."""


def confidence_settings(poll_s: float) -> ConfidenceSettings:
    """Return when Search is trusted that is called every `poll_s` seconds."""
    return ConfidenceSettings(
        needed=_NEEDED, grace_s=_grace_s(poll_s), confirm_s=_CONFIRM_S, heard_s=max(_HEARD_S, 5 * poll_s)
    )


class SearchState:
    """The searches of one kind at one target. Not thread-safe: what owns it locks. Every method gets `now`."""

    def __init__(self, confidence: Confidence, poll_s: float, rand: Callable[[], float]) -> None:
        self._confidence = confidence
        self._confidence.suspend()
        self._overlap = timedelta(seconds=_grace_s(poll_s))
        self._disorder = Disorder(self._overlap)
        self._rand = rand
        self.standing: Standing = "idle"
        self._due_at = -inf
        self._token = ""
        self._began = -inf
        self._pages = 0
        """Pages that the round under way has read."""
        self._has_caught_up = False
        """It has read everything that was modified since the round before it."""
        self._next_at = -inf
        """Monotonic seconds at which the round after it is due."""
        self._newest: datetime | None = None
        """The latest modification that the round under way has shown."""
        self._floor: datetime | None = None
        """The latest modification that rounds have shown; None before the first round."""
        self._base: datetime | None = None
        """Later modifications must be shown; None while none must."""
        self._failures = 0
        self._cut_at = -inf
        """Monotonic seconds at which a round ended last before it had read everything."""
        self._is_earned = False
        """Whether Search was trusted since it began or rested last."""
        self._wrong = 0
        """Changes missed or made up until then."""

    @property
    def due_at(self) -> float:
        """Monotonic seconds of the next call."""
        return inf if self.standing == "idle" else self._due_at

    def want(self, is_wanted: bool, *, now: float) -> None:
        """Search from now on, or no more: a sweep costs more than a search, or it does not."""
        if is_wanted == (self.standing != "idle"):
            return
        if is_wanted:
            self._restart()
            self._due_at = max(self._due_at, now)  # a rest goes on
        else:
            self._leave("idle")

    def poll_soon(self, at: float) -> None:
        """Search no later than `at`, unless there is a reason to leave Search alone."""
        if self.standing == "searching" and not self._failures:
            self._due_at = min(self._due_at, at)

    def expects(self, modified: datetime | None) -> bool:
        """Return whether Search has to show a modification that the API has shown."""
        is_searching = self.standing == "searching"
        return is_searching and self._base is not None and modified is not None and modified > self._base

    def is_relied_on(self, *, swept_at: float, now: float) -> bool:
        """Return whether Search stands in for sweeps, the last complete one of which began at `swept_at`."""
        is_up_to_date = self._base is not None and self._cut_at < swept_at
        return self.standing == "searching" and is_up_to_date and self._confidence.is_trusted(now=now)

    def begin(self, *, now: float) -> str | None:
        """Return the token of the page to read now, empty for the first one of a round; None if none is due."""
        if now < self.due_at:
            return None
        if self.standing != "searching":
            self._restart()
        if self._token and self._has_caught_up and now >= self._next_at:
            self._end_round(now)
            if now < self.due_at:
                return None
        if not self._token:
            self._pages, self._newest, self._began, self._has_caught_up = 0, None, now, False
        return self._token

    def absorb(
        self,
        modified: Iterable[datetime],
        next_token: str,
        *,
        news: Iterable[datetime] = (),
        interval_s: float,
        now: float,
    ) -> bool:
        """Take in the times of a page's records, and those of the `news` among them.

        Returns whether the round has caught up. The records themselves must be taken in before: what they announce is
        judged here.
        """
        times = list(modified)
        self._failures = 0
        self._pages += 1
        self._newest = max([*times, self._newest or _EPOCH])
        self._next_at = self._began + interval_s * (0.9 + 0.2 * self._rand())
        oldest = min(times, default=None) if next_token and self._floor is not None else _NEVER
        if self._floor is not None:
            for each in news:
                self._disorder.saw(self._floor - each)
        if not self._has_caught_up and self._is_below(oldest, self._disorder.span):
            self._has_caught_up = True
            self._confidence.heard(now=now)
        is_over = self._is_below(oldest, self._overlap) or (self._has_caught_up and now >= self._next_at)
        if is_over or self._pages >= MOST_PAGES:
            self._end_round(now)
        else:
            self._token, self._due_at = next_token, now
        return self._has_caught_up

    def _is_below(self, oldest: datetime | None, overlap: timedelta) -> bool:
        """Return whether a page with this as its oldest record has reached what the rounds before it have shown."""
        return oldest is not None and (self._floor is None or oldest < self._floor - overlap)

    def _end_pages(self, now: float) -> None:
        """Read no further page of the round; a sweep shows what it has not caught up with."""
        self._token = ""
        if not self._has_caught_up:
            self._cut_at = now

    def _end_round(self, now: float) -> None:
        self._end_pages(now)
        if self._base is None:
            self._base = self._newest
        self._floor = max(self._floor or _EPOCH, self._newest or _EPOCH)
        self._due_at = max(now, self._next_at)
        self._judge(now)

    def failed(self, error: CallError, *, now: float) -> float:
        """Record that the call failed; returns the seconds until it is repeated."""
        if error.code == BUDGET_EXHAUSTED and error.retry_after_s is not None:
            delay_s = error.retry_after_s
        elif error.error_class is ErrorClass.THROTTLED:
            delay_s = max(self._backoff_s(_THROTTLED_CAP_S), error.retry_after_s or 0.0)
        elif error.error_class is ErrorClass.INVALID and self._token:  # tokens expire
            self._end_pages(now)
            delay_s = self._backoff_s(REST_S)
        else:
            self._confidence.failed()
            self._base = None
            is_worth_retrying = error.error_class is ErrorClass.RETRYABLE
            delay_s = self._backoff_s(REST_S) if is_worth_retrying else REST_S
            if delay_s > _THROTTLED_CAP_S:
                self._leave("unavailable")
        self._due_at = now + delay_s
        return delay_s

    def _backoff_s(self, cap_s: float) -> float:
        delay_s: float = min(_BACKOFF_BASE_S * 2**self._failures, cap_s) * (0.5 + 0.5 * self._rand())
        self._failures = min(self._failures + 1, 16)
        return delay_s

    def _restart(self) -> None:
        """Begin with nothing known, and judge by what happens from now on."""
        self.standing = "searching"
        self._token, self._floor, self._base = "", None, None
        self._disorder = Disorder(self._overlap)
        self._is_earned, self._wrong = False, self._wrong_so_far()

    def _leave(self, standing: Standing) -> None:
        self.standing = standing
        self._confidence.suspend()

    def _judge(self, now: float) -> None:
        """Let Search rest that has lost the trust it had, or is wrong again and again before it has any."""
        if self._confidence.is_trusted(now=now):
            self._is_earned, self._wrong = True, self._wrong_so_far()
            return
        wrong = self._wrong_so_far() - self._wrong
        if wrong >= (1 if self._is_earned else _MOST_WRONG):
            self._leave("resting")
            self._due_at = now + REST_S

    def _wrong_so_far(self) -> int:
        return self._confidence.counts["missed"] + self._confidence.counts["refuted"]


def _grace_s(poll_s: float) -> float:
    return max(GRACE_S, 3 * poll_s)
