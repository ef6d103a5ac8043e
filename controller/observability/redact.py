"""Redacts secrets from log lines, Events and statuses.

The one place for it. Texts of others (error messages, failure reasons, URLs that users gave) are redacted where they
enter, by `quoted` or `redact_free_texts`; conditions, Events and log lines once more where they leave. The operator's
own secrets are not passed in at all.

A text is redacted before it is cut: half a signature is still a secret, and is no longer recognised. What others have
cut is redacted up to its end.
"""

import re
from collections.abc import Mapping
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any, Final

REDACTED: Final = "[redacted]"
_REPLACED: Final = rf"\1{REDACTED}"

_KEY: Final = re.compile(
    r"token|secret|passw|authorization|credential|private_?key|access_?key|signature|presigned|cookie", re.IGNORECASE
)

_FREE: Final = ("Reason", "Message", "Details", "Description")

_VALUE: Final = r"(?:[^\s&\"'<>\\]|\\(?![\"']))"
"""A character of a secret: all but white space, and what ends a parameter of a URL or a value in JSON or XML."""
_IS: Final = r"\\?[\"']?\s{0,2}(?:=|%3D|:\s{0,2}(?=\\?[\"'])|:(?=\s{0,2}[^\s&\"'<>]{0,100}\d))\s{0,2}\\?[\"']?"
"""What stands between name and value. After a colon, the value is in quotes or has a digit, or it is prose."""
_SCHEME: Final = r"(?:(?:Bearer|Basic)\s{1,3})?"
_PORT: Final = r"\d{1,5}(?:[/?#\s]|\Z)"
_NO_PORT: Final = r"[^\s/?#\d\"'<>(){}\[\],;:.!…]"
_WORDS: Final = r"authenti|authori|challenge|credential|required"
_NO_WORD: Final = r"[A-Za-z._~+/=-]{0,100}(?:\d|(?<=[a-z])[A-Z])"
_NAMES: Final = (
    r"X-(?:Amz|Goog)-(?:Signature|Security-Token|Credential)|AWS_?Access_?Key_?Id|Secret_?(?:Access_?)?Key"
    r"|(?:access|auth|bearer|id|refresh|security|session)[_-]?token|(?:account|api|private|shared_?access)[_-]?key"
    r"|client[_-]?secret|shared_?access_?signature|passw(?:or)?d|passphrase"
)
_TOKENS: Final = (
    r"(?:AKIA|ASIA)[A-Z0-9]{12,128}(?:[\s:,;|\"'=]{1,4}[A-Za-z0-9/+=]{40})?",  # a key, perhaps with its secret
    r"(?:IQoJb3JpZ2lu|(?:FwoG|FQoG|AQoD)ZXIvYXdz)[A-Za-z0-9+/=%_-]*",  # session tokens of STS
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]*",  # JSON Web Tokens (service accounts, OIDC), also cut ones
    r"eyJ[A-Za-z0-9_+/-]{60,}[A-Za-z0-9_+/=.-]*",  # base64 of JSON: passwords of registries
    r"hf_[A-Za-z0-9]{16,}",
    r"gh[opsur]_[A-Za-z0-9]{16,}",
    r"github_pat_[A-Za-z0-9_]{16,}",
    r"glpat-[A-Za-z0-9_-]{16,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{8,}",
    r"xapp-[A-Za-z0-9-]{8,}",
    r"sk-(?:ant|proj|svcacct)-[A-Za-z0-9_-]{16,}",
    r"npm_[A-Za-z0-9]{32,}",
    r"pypi-AgE[A-Za-z0-9_-]{16,}",
    r"AIza[A-Za-z0-9_-]{32,}",
    r"ya29\.[A-Za-z0-9_-]{16,}",
)
"""Values that their first characters give away."""

_STARTS: Final = (
    *("AKIA", "ASIA", "IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz", "AQoDZXIvYXdz", "eyJ", "hf_", "gho_", "ghp_"),
    *("ghs_", "ghu_", "ghr_", "github_pat_", "glpat-", "xox", "xapp-", "sk-", "npm_", "pypi-", "AIza", "ya29."),
)
"""Beginnings of what `_TOKENS` match."""
_SETS: Final = ("=", ":", "%3")
_STEMS: Final = ("nature", "token", "credent", "key", "secret", "passw", "passphr")
"""Parts of all `_NAMES`: without an "i", for which `re.IGNORECASE` also takes one that `casefold` leaves as it is."""

_TEXT: Final = tuple(
    (tuple(frozenset(map(str.casefold, hints)) for hints in needs), pattern)
    for needs, pattern in (
        ((("-----BEGIN ",),), re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL)),
        ((_STARTS,), re.compile(f"()(?:{'|'.join(_TOKENS)})")),
        # First what is set apart by a space, or a name could be taken for the value of another one.
        ((_SETS, _STEMS), re.compile(rf"((?:{_NAMES}){_IS}(?<=[\s\"']){_SCHEME}){_VALUE}+", re.IGNORECASE)),
        ((_SETS, _STEMS), re.compile(rf"((?:{_NAMES}){_IS}{_SCHEME}){_VALUE}+", re.IGNORECASE)),
        ((("AWS4-HMAC-SHA256",),), re.compile(rf"(AWS4-HMAC-SHA256\s{{1,3}}Credential=){_VALUE}+")),
        (
            (("bas", "bearer"),),
            re.compile(
                rf"((?i:Basic)\s{{1,3}}(?={_NO_WORD})|(?i:Bearer\s{{1,3}}(?!{_WORDS})))[A-Za-z0-9._~+/=-]{{8,}}"
            ),
        ),
        # User information of URLs, before what may take a part of a password for something else. An image's digest is
        # none.
        ((("://",),), re.compile(r"(://)[^\s/?#:@]*:[^\s/?#]*(?=@(?!sha256:))")),
        (
            (("://",),),
            re.compile(rf"(://)[^\s/?#:@\[]*:(?!{_PORT})[^\s@\"'<>]{{1,256}}(?=@(?!sha256:))"),
        ),  # with slashes
        ((("://",),), re.compile(r"((?i:https?)://)[^\s/?#]+(?=@)")),
        ((("://",),), re.compile(rf"(://[^\s/?#:@\[\"'<>]+:)(?=\d*{_NO_PORT})[^\s/?#@]+(?=\s*\Z)")),  # cut before the @
        (
            (("=", "%3"),),
            re.compile(rf"((?:[?&;]|,\s?|%3F|%26)(?:Signature|sig|token)(?:=|%3D)){_VALUE}+", re.IGNORECASE),
        ),
        ((("=",), _STEMS), re.compile(rf"((?:token|secret|signature)=){_VALUE}{{8,}}", re.IGNORECASE)),
    )
)
"""Patterns, each with sets of texts: it matches nothing in a text that, case-folded, lacks all of one set. Each pattern
takes time linear in the text's length: what is unbounded in it ends at a character with which it can begin, or at the
end of the text."""
_HINTS: Final = tuple(sorted(frozenset[str]().union(*(hints for needs, _ in _TEXT for hints in needs))))


def redact_text(text: str) -> str:
    """Return the text with credentials replaced. Idempotent; linear in the text's length; raises nothing."""
    while True:
        folded = text.casefold()
        if not (found := {hint for hint in _HINTS if hint in folded}):
            return text  # as most: names and states
        redacted = text
        for needs, pattern in _TEXT:
            for hints in needs:  # a loop: a generator for `any` would take most of the time
                if hints.isdisjoint(found):
                    break
            else:
                redacted = pattern.sub(_REPLACED, redacted)
        # What was replaced may have separated the parts of another secret. This ends: less and less is left to replace.
        if redacted == text:
            return text
        text = redacted


def quoted(text: str, limit: int) -> str:
    """Return a text of others as one line of at most `limit` characters, with credentials replaced."""
    return shortened(redact_text(" ".join(text.split())), limit)


def shortened(text: str, limit: int) -> str:
    """Return the start of a text, marked as such if it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def redact_free_texts(value: Any) -> Any:
    """Return a copy of an AWS answer, or of fields made of one, with credentials replaced in what people wrote.

    Free texts are those in a member named `…Reason`, `…Message` or `…Details`; all others are names, states and numbers
    of AWS, or what the user asked for, which the operator compares.
    """
    match value:
        case str() | None | bool() | int() | float() | date():  # first, as most are
            return value
        case Mapping():
            return {
                key: redact_text(item) if isinstance(item, str) and key.endswith(_FREE) else redact_free_texts(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [redact_free_texts(item) for item in value]
        case _:
            return value


def redact(value: Any) -> Any:
    """Return a copy of the facts of a log line with secrets replaced, at any depth of mappings and sequences.

    Anything that is no JSON value is replaced by its text: exceptions quote what was sent.
    """
    match value:
        case str():
            return redact_text(value)
        case Mapping():
            return {_text_of(key): REDACTED if _is_secret(key, item) else redact(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [redact(item) for item in value]
        case Enum():
            return redact(value.value)
        case None | bool() | int() | float() | date():
            return value
        case _:
            return redact_text(str(value))


def _text_of(key: object) -> object:
    return _known(key)[0] if isinstance(key, str) else key


def _is_secret(key: object, value: object) -> bool:
    """Return whether the key indicates a secret value; numbers and booleans (`has_token`) are not secret."""
    return isinstance(key, str) and not isinstance(value, int | float | None) and _known(key)[1]


@lru_cache(maxsize=256)
def _known(key: str) -> tuple[str, bool]:
    """Return the redacted key, and whether it indicates a secret: most lines have the same few keys."""
    return redact_text(key), bool(_KEY.search(key))
