"""Converts AWS's patterns to the dialect of Kubernetes.

AWS uses Java expressions that match the whole text; a CRD has RE2 expressions that match anywhere. RE2 has no
look-around and counts repetitions up to 1000 only. AWS itself checks what RE2 cannot express.
Source: https://github.com/google/re2/wiki/Syntax; Go regexp/syntax.
"""

import re
from typing import Final

_SAYS_NOTHING: Final = frozenset(
    {"", ".*", ".{0,}", ".+", "[\\S\\s]*", "[\\s\\S]*", "[\\S\\s]+", "[\\s\\S]+", "\\S*", ".*(?:[ \\r\\n\\t].*)*"}
)
_UNKNOWN: Final = re.compile(r"\(\?(?:=|!|<=|<!|>)|\\u[0-9A-F]{4}|\\p\{|\$\{")
"""Look-around, atomic groups, Java's notation of code points (including surrogates), repeated ends, and classes of
Unicode, which not every reader of a schema knows."""
_REPEAT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_MAX_REPEAT: Final = 1000


def to_re2(pattern: str) -> str:
    """Return an anchored RE2 expression that matches at least what `pattern` does; empty if none is useful."""
    bare = _posix_classes(re.sub(r"(?<!\\)\$$", "", pattern.removeprefix("^")))
    if bare in _SAYS_NOTHING or _UNKNOWN.search(bare):
        return ""
    widened = _REPEAT.sub(_bounded, bare)
    # In braces a repetition multiplies with those inside of it; RE2 refuses a product above its limit as well.
    if widened in _SAYS_NOTHING or _nested_repeats(widened) > _MAX_REPEAT:
        return ""
    return f"^{widened}$" if _is_one_branch(widened) else f"^(?:{widened})$"


def _posix_classes(pattern: str) -> str:
    """Replace Java's `\\p{Alnum}`, which RE2 lacks; AWS uses it within brackets only."""
    return pattern.replace("\\p{Alnum}", "a-zA-Z0-9").replace("\\p{Digit}", "0-9")


def _bounded(match: re.Match[str]) -> str:
    least, most = int(match[1]), match[2]
    if least > _MAX_REPEAT:
        return "*"
    if most is not None and most != "" and int(most) > _MAX_REPEAT:
        return f"{{{least},}}"
    return match[0]


def _nested_repeats(pattern: str) -> int:
    """Return the largest product of nested repetition bounds: walks groups, skipping classes and escapes."""
    largest, depth_products, i = 1, [[1]], 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 2
            continue
        if char == "[":
            i = _class_end(pattern, i)
            continue
        if char == "(":
            depth_products.append([1])
        elif char == ")" and len(depth_products) > 1:
            inner = max(depth_products.pop())
            following = _REPEAT.match(pattern, i + 1)
            product = inner * _times(following)
            depth_products[-1].append(product)
            largest = max(largest, product)
        elif char == "{" and pattern[i - 1] != ")":
            times = _times(_REPEAT.match(pattern, i))
            depth_products[-1].append(times)
            largest = max(largest, times)
        i += 1
    return largest


def _class_end(pattern: str, start: int) -> int:
    i = start + 1
    while i < len(pattern) and pattern[i] != "]":
        i += 2 if pattern[i] == "\\" else 1
    return i + 1


def _times(match: re.Match[str] | None) -> int:
    return max(1, int(match[2] or match[1])) if match else 1


def _is_one_branch(pattern: str) -> bool:
    """Return whether there is no `|` outside of groups and classes, so that anchors need no group around it."""
    depth, i = 0, 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 2
            continue
        if char == "[":
            i = _class_end(pattern, i)
            continue
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            return False
        i += 1
    return True
