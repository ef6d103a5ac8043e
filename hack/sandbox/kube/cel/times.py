"""Timestamps and durations: reading and writing."""

import re
from datetime import UTC, datetime
from typing import Final

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
_TIMESTAMP: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")


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
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
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
