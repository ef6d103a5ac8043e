"""Regular expressions with the semantics of Go's regexp: RE2, linear time, no look-around.

`pattern` of a schema and `matches()` of CEL are user input; Python's `re` would accept patterns that a real API server
refuses, match differently (`$` before a last newline) and could run forever.
"""

import re
from functools import lru_cache
from typing import Final, Protocol

from hack.sandbox.kube.wire.plain_patterns import compile_plainly

try:
    import re2  # type: ignore[import-untyped]
except ModuleNotFoundError:  # pyproject.toml says where
    re2 = None

_GO_WORDS: Final = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "trailing \\": "trailing backslash at end of expression",
    "no argument for repetition operator": "missing argument to repetition operator",
    "invalid repetition size": "invalid repeat count",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
}


class Pattern(Protocol):
    """The used part of a compiled expression."""

    def search(self, text: str) -> object | None:
        """Return a match anywhere in `text`, or None."""


class BadPatternError(ValueError):
    """The expression is not valid RE2; the message says where."""


@lru_cache(maxsize=1024)
def compile_pattern(expression: str) -> Pattern:
    """Compile once per expression. Raises BadPatternError. Thread-safe."""
    if re2 is None:
        try:
            return compile_plainly(expression)
        except re.error as exc:
            raise BadPatternError(str(exc)) from exc
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(expression, options)
    except re2.error as exc:
        reason = exc.args[0].decode() if isinstance(exc.args[0], bytes) else str(exc.args[0])
        raise BadPatternError(_as_go_says(reason)) from exc
    return compiled


def _as_go_says(reason: str) -> str:
    """Return the C++ library's error in Go's wording: `missing ): (a` is "missing closing ): `(a`"."""
    text, _, part = reason.partition(": ")
    return f"{_GO_WORDS.get(text, text)}: `{part}`"
