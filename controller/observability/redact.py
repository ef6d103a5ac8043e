"""Redacts secrets from log lines, Events and statuses.

A safety net below the rule that secrets are not passed in: whole values under secret keys, and credentials in texts.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

REDACTED: Final = "[redacted]"

_KEY: Final = re.compile(
    r"token|secret|passw|authorization|credential|private_?key|access_?key|signature|presigned|cookie", re.IGNORECASE
)
_TEXT: Final = (
    # presigned URLs: their query works like a password until it expires
    re.compile(r"(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s\"'<>]+", re.IGNORECASE),
    re.compile(r"((?:[?&])(?:Signature|AWSAccessKeyId|AuthToken)=)[^&\s\"'<>]+", re.IGNORECASE),
    re.compile(r"(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
    re.compile(r"(AWS4-HMAC-SHA256\s+Credential=)\S+(?:,\s*\S+=\S+)*"),
    # JSON Web Tokens (service accounts, OIDC)
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)


def redact_text(text: str) -> str:
    """Return the text with credentials replaced. Cheap for ordinary texts; raises nothing."""
    for pattern in _TEXT:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def redact(value: Any) -> Any:
    """Return a copy of a value with secrets replaced, at any depth of mappings and sequences."""
    match value:
        case str():
            return redact_text(value)
        case Mapping():
            return {key: REDACTED if _is_telling(key, item) else redact(item) for key, item in value.items()}
        case list() | tuple():
            return [redact(item) for item in value]
        case _:
            return value


def _is_telling(key: object, value: object) -> bool:
    """Return whether the key indicates a secret value; numbers and booleans (`has_token`) are not secret."""
    return isinstance(key, str) and not isinstance(value, int | float | None) and bool(_KEY.search(key))
