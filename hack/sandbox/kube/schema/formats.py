"""String formats of CRD schemas, as in go-openapi's strfmt.

Source: k8s.io/kube-openapi pkg/validation/strfmt. Formats that are not in this table are ignored by the API server.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import date
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from hack.sandbox.kube.wire.patterns import compile_pattern

_UUID: Final = r"[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{version}-?{variant}-?[0-9a-f]{{12}}"
_ANY: Final = "[0-9a-f]{4}"
_VARIANT: Final = "[89ab][0-9a-f]{3}"
_HOSTNAME: Final = (
    r"^(?:([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
    r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63}))$"
)
"""Compiled on first use: that takes 0.1 s."""
_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|[+-][0-9]{2}:[0-9]{2})")
_GO_DURATION: Final = re.compile(r"[+-]?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)")
_LONG_DURATION: Final = re.compile(r"\d+\s*([A-Za-zµ]+)")
_UNIT_NAMES: Final = frozenset({"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"})
_UNIT_STEMS: Final = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_CARD: Final = re.compile(
    r"(4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|6(011|5[0-9]{2})[0-9]{12}|3[47][0-9]{13}"
    r"|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35\d{3})\d{11})"
)
_SHORT_NAME: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"


def normalized(name: str) -> str:
    """Return the canonical name of a format: `date-time` and `datetime` are the same."""
    return name.replace("-", "")


def checker(name: str) -> Callable[[str], bool] | None:
    """Return the test for a normalized format name; None for formats that are not checked."""
    return _CHECKERS.get(name)


def is_checked(name: str, types: Sequence[str]) -> bool:
    """Return whether a format applies to values of these types; others are ignored."""
    kind = types[0] if len(types) == 1 else ""
    match kind:
        case "" | "string":
            return checker(normalized(name)) is not None
        case "integer":
            return name in {"int32", "int64"}
        case "number":
            return name in {"float", "double"}
    return False


def _matching(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        # Go has a year 0, Python does not.
        return text.startswith("0000-") and _is_date(f"2000{text[4:]}")
    return True


def _is_datetime(text: str) -> bool:
    day, separator, clock = text.lower().partition("t")
    if not separator or not _is_date(day):
        return False
    match = _TIME.fullmatch(clock.split("t")[0])
    return match is not None and match[1] <= "23" and match[2] <= "59" and match[3] <= "59"


def _is_duration(text: str) -> bool:
    if _GO_DURATION.fullmatch(text):
        return True
    return any(
        unit in _UNIT_NAMES or unit.startswith(_UNIT_STEMS) for unit in map(str.lower, _LONG_DURATION.findall(text))
    )


def _is_ip(text: str, mark: str) -> bool:
    if mark not in text:
        return False
    try:
        ipaddress.ip_address(_without_leading_zeros(text) if mark == "." else text)
    except ValueError:
        return False
    return True


def _without_leading_zeros(text: str) -> str:
    """Return `10.0.0.1` for `010.0.0.1`, as in Kubernetes, and in Go before 1.17."""
    return re.sub(r"(?<![0-9a-fA-F:])0+(?=[0-9])", "", text)


def _is_cidr(text: str) -> bool:
    address, slash, length = text.partition("/")
    try:
        return bool(slash) and length.isdigit() and bool(ipaddress.ip_network(f"{address}/{int(length)}", strict=False))
    except ValueError:
        return False


def _is_email(text: str) -> bool:
    # parseaddr accepts spaces in a bare address and drops the rest.
    bare = "<" not in text and '"' not in text and "(" not in text
    if bare and re.search(r"\S\s+\S", text):
        return False
    local, at, domain = parseaddr(text)[1].rpartition("@")
    return bool(at and local and domain)


def _is_uri(text: str) -> bool:
    if not text or any(ord(each) < 0x20 or ord(each) == 0x7F for each in text):
        return False
    if text.startswith("/"):
        return True
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    rest = text[len(parts.scheme) + 1 :]
    return bool(parts.scheme) and " " not in parts.netloc and (rest.startswith("/") or bool(rest))


def _is_hostname(text: str) -> bool:
    if len(text.encode()) > 255 or not compile_pattern(_HOSTNAME).search(text):
        return False
    return all(len(label.encode()) <= 63 for label in text.split("."))


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        return False
    return sum((10 if d == "X" else int(d)) * (n + 1) for n, d in enumerate(digits)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]", "", text)
    return (
        re.fullmatch(r"[0-9]{13}", digits) is not None
        and sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(digits)) % 10 == 0
    )


def _is_credit_card(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    if not _CARD.fullmatch(digits):
        return False
    doubled = (int(d) * (2 if n % 2 else 1) for n, d in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _is_base64(text: str) -> bool:
    try:
        return bool(text) and base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except (binascii.Error, ValueError):
        return False


def _is_object_id(text: str) -> bool:
    return re.fullmatch("[0-9a-fA-F]{24}", text) is not None


_CHECKERS: Final[dict[str, Callable[[str], bool]]] = {
    "bsonobjectid": _is_object_id,
    "uri": _is_uri,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": lambda text: _is_ip(text, "."),
    "ipv6": lambda text: _is_ip(text, ":"),
    "cidr": _is_cidr,
    "mac": _matching(
        "(?i)([0-9a-f]{2}[:-]){5}([0-9a-f]{2})|([0-9a-f]{2}[:-]){7}([0-9a-f]{2})|([0-9a-f]{2}[:-]){19}([0-9a-f]{2})"
        r"|([0-9a-f]{4}\.){2}([0-9a-f]{4})|([0-9a-f]{4}\.){3}([0-9a-f]{4})|([0-9a-f]{4}\.){9}([0-9a-f]{4})"
    ),
    "uuid": _matching("(?i)" + _UUID.format(version=_ANY, variant=_ANY)),
    "uuid3": _matching("(?i)" + _UUID.format(version="3[0-9a-f]{3}", variant=_ANY)),
    "uuid4": _matching("(?i)" + _UUID.format(version="4[0-9a-f]{3}", variant=_VARIANT)),
    "uuid5": _matching("(?i)" + _UUID.format(version="5[0-9a-f]{3}", variant=_VARIANT)),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_credit_card,
    "ssn": _matching(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
    "hexcolor": _matching("#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matching(r"rgb\(\s*" + r"\s*,\s*".join(["(0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])"] * 3) + r"\s*\)"),
    "byte": _is_base64,
    "password": lambda _: True,
    "date": _is_date,
    "duration": _is_duration,
    "datetime": _is_datetime,
    "k8sshortname": lambda text: len(text) <= 63 and re.fullmatch(_SHORT_NAME, text) is not None,
    "k8slongname": lambda text: (
        len(text) <= 253 and re.fullmatch(rf"{_SHORT_NAME}(\.{_SHORT_NAME})*", text) is not None
    ),
}
