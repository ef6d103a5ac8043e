"""RE2's expressions by Python's `re`, for systems that google-re2 has no wheel for: the newest Python, Alpine.

Nearly the same: what RE2 lacks is refused, `$` is the end of the text only, classes are ASCII. Messages are `re`'s own,
and the time is not linear, so it is for the sandbox's user at a desk and not for a server.
"""

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\\[\s\S]|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\(\?(?:P?<[=!]|P[=>]|[=!>(])|[*+?}]\+|[\s\S]"
)
_REFUSED: Final = re.compile(r"\(\?|[*+?}]\+$|\\[1-9Z]")
"""Look-around, conditions, atomic groups, possessive repetition, references to groups, and Python's `\\z`."""
_WRITTEN: Final = {"$": r"\Z", r"\z": r"\Z"}
_POSIX: Final = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "space": r"\s",
}


def compile_plainly(expression: str) -> re.Pattern[str]:
    """Compile an expression of RE2. Raises re.error if it is none."""
    return re.compile("".join(map(_as_python_has_it, _TOKEN.findall(expression))), re.ASCII)


def _as_python_has_it(token: str) -> str:
    if token.startswith("["):
        return re.sub(r"\[:(\w+):\]", _posix, token)
    if _REFUSED.match(token):
        raise re.error(f"invalid or unsupported Perl syntax: `{token}`")
    return _WRITTEN.get(token, token)


def _posix(match: re.Match[str]) -> str:
    if match[1] not in _POSIX:
        raise re.error(f"invalid character class range: `{match[0]}`")
    return _POSIX[match[1]]
