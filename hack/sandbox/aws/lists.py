"""How an account's Lists deviate from the truth: they show changes late, in short pages, and page tokens expire.

Lists are eventually consistent at AWS: a change may take more than a minute to show, and so may a deletion.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.records.listing import DEFAULT_PAGE
from hack.sandbox.aws.wire import Call, invalid

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

    def set(
        self,
        *,
        lag_s: float = 0.0,
        late: Collection[str] = (),
        token_life_s: float | None = None,
        longest_page: int | None = None,
    ) -> dict[str, Any]:
        """Replace all settings and return them. Raises ValueError for a negative time, or a page of nothing."""
        if lag_s < 0 or (token_life_s is not None and token_life_s < 0):
            raise ValueError("times must be at least 0")
        if longest_page is not None and longest_page < 1:
            raise ValueError("longest_page must be at least 1")
        self.lag_s, self.late, self.token_life_s, self.longest_page = lag_s, tuple(late), token_life_s, longest_page
        return {"lag_s": lag_s, "late": list(late), "token_life_s": token_life_s, "longest_page": longest_page}

    def seen_by(self, call: Call) -> Call:
        """Return the call as its answer is computed: at the time that the List shows, and with its own page token.

        Raises ValidationException for an expired token. Calls that list no kind are returned as they are.
        """
        if not _lists(call):
            return call
        is_late = not self.late or any(call.operation == f"{_VERB}{kind}s" for kind in self.late)
        params = dict(call.params)
        if params.get("NextToken"):
            params["NextToken"] = self._undated(call)
        if self.longest_page is not None:
            params["MaxResults"] = min(params.get("MaxResults") or DEFAULT_PAGE, self.longest_page)
        return replace(call, now=call.now - self.lag_s if is_late else call.now, params=params)

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
