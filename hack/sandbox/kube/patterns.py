"""Regular expressions with the semantics of Go's regexp: RE2, linear time, no look-around.

`pattern` of a schema and `matches()` of CEL are user input; Python's `re` would accept what a real API server refuses,
match differently (`$` before a last newline) and can be made to run for ever.
"""

from functools import lru_cache
from typing import Protocol

import re2  # type: ignore[import-untyped]


class Pattern(Protocol):
    """The part of a compiled expression that is used here."""

    def search(self, text: str) -> object | None:
        """A match anywhere in `text`, or None."""


class BadPatternError(ValueError):
    """The expression is not valid RE2; the message says where."""


@lru_cache(maxsize=1024)
def compile_pattern(expression: str) -> Pattern:
    """Compile once per expression. Raises BadPatternError. Thread-safe."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(expression, options)
    except re2.error as exc:
        reason = exc.args[0].decode() if isinstance(exc.args[0], bytes) else str(exc.args[0])
        raise BadPatternError(reason) from exc
    return compiled
