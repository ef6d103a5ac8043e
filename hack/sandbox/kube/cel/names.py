"""Escapes field names that are not CEL identifiers.

Source: k8s.io/apiserver pkg/cel/escaping.go. `foo-bar` is written `foo__dash__bar`, `namespace` is `__namespace__`.
"""

import re
from functools import lru_cache
from typing import Final

_SYMBOLS: Final = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ORIGINALS: Final = {escaped: plain for plain, escaped in _SYMBOLS.items()}
_KEYWORDS: Final = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
    ]
)
_ESCAPED: Final = re.compile("__(?:underscores|dot|dash|slash)__")
_IDENTIFIER: Final = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")


@lru_cache(maxsize=4096)
def escape(name: str) -> str | None:
    """Return the identifier for a field, or None if there is none and the field cannot be used in rules."""
    if name in _KEYWORDS:
        return f"__{name}__"
    escaped = re.sub(r"__|[.\-/]", lambda match: _SYMBOLS[match.group()], name)
    return escaped if _IDENTIFIER.fullmatch(escaped) else None


@lru_cache(maxsize=4096)
def unescape(identifier: str) -> str:
    """Return the field for an identifier; the same object if they are equal."""
    plain = identifier.removeprefix("__").removesuffix("__")
    if plain in _KEYWORDS and identifier == f"__{plain}__":
        return plain
    if "__" not in identifier:
        return identifier
    return _ESCAPED.sub(lambda match: _ORIGINALS[match.group()], identifier)
