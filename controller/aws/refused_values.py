"""Rewrites refusals that list every value that AWS takes: the closest ones are enough, and are named first. Pure."""

import re
from typing import Final

_MOST_LISTED: Final = 8
"""So many values are listed as they are."""
_CLOSEST: Final = 3
_ENUM: Final = re.compile(
    r"[Vv]alue '(?P<value>[^']{0,256})' at '(?P<path>[^']{1,256})' failed to satisfy constraint: "
    r"Member must satisfy enum value set: \[(?P<allowed>[^\]]*)\]?"
)


def rewritten(message: str) -> str:
    """Return AWS's message, with the hundreds of values that it may list for one that it refuses left out."""
    return _ENUM.sub(_closest, message) if "enum value set" in message else message


def _closest(refused: re.Match[str]) -> str:
    value, path = refused["value"], refused["path"]
    allowed = [each.strip() for each in refused["allowed"].split(",")]
    if len(allowed) <= _MOST_LISTED:
        return f"Value '{value}' at '{path}' is none of: {', '.join(sorted(allowed))}"
    from difflib import get_close_matches  # noqa: PLC0415 (needed for a typo only)

    close = get_close_matches(value, allowed, n=_CLOSEST)
    hint = f"; similar ones are {', '.join(close)}" if close else f", such as {min(allowed)}"
    return f"Value '{value}' at '{path}' is none of the {len(allowed)} values that AWS takes{hint}"
