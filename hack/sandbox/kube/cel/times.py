"""Timestamps and durations: parsing, formatting, and their parts."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import NANOSECONDS, Duration, EvaluationError, Timestamp, check_int

_UNITS: Final = {
    "h": 3600 * NANOSECONDS,
    "m": 60 * NANOSECONDS,
    "s": NANOSECONDS,
    "ms": 10**6,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}
_PART: Final = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_TIMESTAMP: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)")


def parse_duration(text: str) -> Duration:
    """Parse `1h30m`, `-1.5s` … as Go's time.ParseDuration does. Raises EvaluationError."""
    body = text.removeprefix("-") if text.startswith("-") else text.removeprefix("+")
    parts = _PART.findall(body)
    if body == "0":
        return Duration(0)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise EvaluationError(f'time: invalid duration "{text}"')
    total = 0
    for number, unit in parts:
        whole, _, fraction = number.partition(".")
        total += int(whole or 0) * _UNITS[unit]
        if fraction:
            total += int(fraction) * _UNITS[unit] // 10 ** len(fraction)
    return Duration(check_int(-total if text.startswith("-") else total))


def duration_text(duration: Duration) -> str:
    """Return seconds with an `s`, as CEL's string() does."""
    seconds, rest = divmod(abs(duration.nanoseconds), NANOSECONDS)
    sign = "-" if duration.nanoseconds < 0 else ""
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{sign}{seconds}{fraction}s"


def parse_timestamp(text: str) -> Timestamp:
    """Parse an RFC 3339 time. Raises EvaluationError."""
    fault = EvaluationError(f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}"')
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise fault
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    fraction, zone = match.groups()[6:]
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone("+00:00" if zone in "Zz" else zone))
    except ValueError as exc:
        raise fault from exc
    seconds = round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    return Timestamp(seconds * NANOSECONDS + int(f"{fraction or '':0<9}"[:9]))


def timestamp_text(timestamp: Timestamp) -> str:
    """Return RFC 3339 in UTC, with as many decimals as needed."""
    seconds = timestamp.moment().replace(microsecond=0)
    rest = timestamp.nanoseconds % NANOSECONDS
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{seconds:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _zone(name: str) -> tzinfo:
    match = _OFFSET.fullmatch(name)
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as exc:
        raise EvaluationError(f"unknown time zone {name}") from exc


_PARTS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1000,
}


def _declare_part(name: str, part: Callable[[datetime], int]) -> None:
    @LIBRARY.function(f"<timestamp>.{name}(): int", f"<timestamp>.{name}(string): int")
    def _part(timestamp: Timestamp, *zone: Any) -> int:
        return part(timestamp.moment().astimezone(_zone(zone[0] if zone else "UTC")))


for _name, _function in _PARTS.items():
    _declare_part(_name, _function)


def _declare_unit(name: str, nanoseconds: int) -> None:
    @LIBRARY.function(f"<duration>.{name}(): int")
    def _unit(duration: Duration) -> int:
        whole = abs(duration.nanoseconds) // nanoseconds
        return whole if duration.nanoseconds >= 0 else -whole


for _name, _nanoseconds in (("getHours", _UNITS["h"]), ("getMinutes", _UNITS["m"]), ("getSeconds", NANOSECONDS)):
    _declare_unit(_name, _nanoseconds)


@LIBRARY.function("<duration>.getMilliseconds(): int")
def _milliseconds(duration: Duration) -> int:
    whole = abs(duration.nanoseconds) // 10**6
    return whole if duration.nanoseconds >= 0 else -whole
