"""Parses the text of a flag or an environment variable.

Every parser raises ValueError with a message that continues the flag's name: "must be …".
"""

import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

Parse: TypeAlias = Callable[[str], Any]


def text(text: str) -> str:
    """Return the text unchanged."""
    return text


def switch(text: str) -> bool:
    """Parse a boolean as Go's flags write it."""
    known = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}
    if text.lower() not in known:
        raise ValueError(f"must be true or false, not {text!r}")
    return known[text.lower()]


def one_of(*choices: str) -> Parse:
    """Return a parser for one of `choices`, in lower case."""

    def parse(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return text.lower()

    return parse


def whole(lowest: int, highest: int) -> Parse:
    """Return a parser for an integer within limits, both included."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}, not {text!r}")
        return int(text)

    return parse


def rate(text: str) -> float:
    """Parse requests per second, 0 or more."""
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"must be a number of requests per second, or 0 for no limit, not {text!r}")
    return float(text)


_DURATION_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """Return the seconds of a Go duration (`10h`, `1m30s`, `500ms`) or of a plain number. Raises ValueError."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(rf"(?:{_DURATION_PART.pattern})+", text):
        raise ValueError(f"must be a duration such as 30s, 1m30s or 10h, not {text!r}")
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in _DURATION_PART.findall(text))


def duration(lowest_s: float) -> Parse:
    """Return a parser for a duration in seconds, at least `lowest_s`."""

    def parse(text: str) -> float:
        value = seconds(text)
        if value < lowest_s:
            raise ValueError(f"must be at least {lowest_s:g}s, not {text!r}")
        return value

    return parse


_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS_SUBDOMAIN: Final = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def namespace(text: str) -> str:
    """Parse the name of a namespace, or empty text."""
    if text and not _DNS_LABEL.fullmatch(text):
        raise ValueError(f"must be the name of a namespace, not {text!r}")
    return text


def namespaces(text: str) -> tuple[str, ...]:
    """Parse comma-separated names of namespaces; returns each once, in order."""
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for name in names:
        namespace(name)
    return names


def object_name(text: str) -> str:
    """Parse the name of an object (RFC 1123 subdomain)."""
    if not _DNS_SUBDOMAIN.fullmatch(text):
        raise ValueError(f"must be a name for a Kubernetes object, not {text!r}")
    return text


def url(text: str) -> str:
    """Parse an HTTP URL, or empty text."""
    if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname):
        raise ValueError(f"must be a URL that starts with http:// or https://, not {text!r}")
    return text


def queue_urls(text: str) -> tuple[str, ...]:
    """Parse comma-separated URLs of SQS queues, which end in account and name; returns each once, in order."""
    urls = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for each in urls:
        url(each)
        behind_host = each.partition("://")[2].partition("/")[2]  # with what no queue has: a query, a fragment
        if not re.fullmatch(r"\d{12}/[\w.-]{1,80}", behind_host, re.ASCII):
            raise ValueError(
                f"must be URLs of queues, such as https://sqs.REGION.amazonaws.com/ACCOUNT/NAME, not {each!r}"
            )
    return urls
