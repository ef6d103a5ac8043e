"""How an account's Lists deviate from the truth: late, now newer and now older, in short pages, without some filters.

Lists are eventually consistent at AWS: a change may take more than a minute to show, and so may a deletion.
"""

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from hack.sandbox.aws.records.listing import DEFAULT_PAGE
from hack.sandbox.aws.wire import Call, invalid

FILTERS: Final = frozenset({"LastModifiedTimeAfter", "LastModifiedTimeBefore", "NameContains", "StatusEquals"})
"""The filters that SageMaker applies after a page was cut, of which one was seen to be ignored altogether."""
_GOLDEN: Final = 0.6180339887498949
_VERB = "List"


@dataclass(slots=True)
class Lists:
    """Settings that tests and the control endpoint change while the server runs; each of them takes effect at once."""

    lag_s: float = 0.0
    """Seconds after which a change shows."""
    late: Collection[str] = ()
    """Kinds whose Lists lag, e.g. `Endpoint`; empty for all."""
    token_life_s: float | None = None
    """Seconds for which a page token is accepted; None for ever."""
    longest_page: int | None = None
    """Resources on a page at most, however many the caller asks for; None for as many."""
    jitter_s: float = 0.0
    """Seconds by which a call may be later than `lag_s`: another copy answers, so a List may be older than the last."""
    ignored: Collection[str] = ()
    """Filters that are accepted and have no effect, e.g. `LastModifiedTimeAfter`."""
    _calls: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def set(
        self,
        *,
        lag_s: float = 0.0,
        late: Collection[str] = (),
        token_life_s: float | None = None,
        longest_page: int | None = None,
        jitter_s: float = 0.0,
        ignored: Collection[str] = (),
    ) -> dict[str, Any]:
        """Replace all settings and return them. Raises ValueError for a negative time, or a page of nothing."""
        if lag_s < 0 or jitter_s < 0 or (token_life_s is not None and token_life_s < 0):
            raise ValueError("times must be at least 0")
        if longest_page is not None and longest_page < 1:
            raise ValueError("longest_page must be at least 1")
        if unknown := sorted(set(ignored) - FILTERS):
            raise ValueError(f"unknown filters {', '.join(unknown)}, known are: {', '.join(sorted(FILTERS))}")
        self.lag_s, self.late, self.token_life_s, self.longest_page = lag_s, tuple(late), token_life_s, longest_page
        self.jitter_s, self.ignored = jitter_s, tuple(ignored)
        return {
            "lag_s": lag_s,
            "late": list(late),
            "token_life_s": token_life_s,
            "longest_page": longest_page,
            "jitter_s": jitter_s,
            "ignored": list(ignored),
        }

    def seen_by(self, call: Call) -> Call:
        """Return the call as its answer is computed: at the time that the List shows, and with its own page token.

        Raises ValidationException for an expired token. Calls that list no kind are returned as they are.
        """
        if not _lists(call):
            return call
        is_late = not self.late or any(call.operation == f"{_VERB}{kind}s" for kind in self.late)
        params = {member: value for member, value in call.params.items() if member not in self.ignored}
        if params.get("NextToken"):
            params["NextToken"] = self._undated(call)
        if self.longest_page is not None:
            params["MaxResults"] = min(params.get("MaxResults") or DEFAULT_PAGE, self.longest_page)
        return replace(call, now=call.now - self._late_by_s() if is_late else call.now, params=params)

    def _late_by_s(self) -> float:
        """Return how late this call is: spread evenly, and the same from run to run."""
        return self.lag_s + self.jitter_s * (next(self._calls) * _GOLDEN % 1.0)

    def dated(self, call: Call, answer: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the answer to a call with the time in its page token, if it has one."""
        if answer is None or "NextToken" not in answer or not _lists(call):
            return answer
        return {**answer, "NextToken": f"{round(call.now * 1000):x}.{answer['NextToken']}"}

    def _undated(self, call: Call) -> str:
        given_at, _, token = str(call.params["NextToken"]).partition(".")
        try:
            age_s = call.now - int(given_at, 16) / 1000
        except ValueError as exc:
            raise invalid("Invalid pagination token") from exc
        if self.token_life_s is not None and age_s > self.token_life_s:
            raise invalid("The pagination token has expired")
        return token


def _lists(call: Call) -> bool:
    return call.operation.startswith(_VERB) and call.operation != "ListTags"
