"""Ages as kubectl shows them. Source: k8s.io/apimachinery pkg/util/duration."""

from datetime import UTC, datetime

UNKNOWN = "<unknown>"


def age(stamp: str | None) -> str:
    """Return how long ago an RFC 3339 time was; `<unknown>` without one, `<invalid>` if it is invalid."""
    if not stamp:
        return UNKNOWN
    try:
        then = datetime.fromisoformat(stamp)
    except (ValueError, TypeError):
        return "<invalid>"
    if then.tzinfo is None:
        return "<invalid>"
    return human_duration((datetime.now(UTC) - then).total_seconds())


def human_duration(seconds: float) -> str:
    """Return at most two significant units, coarser for longer durations."""
    if seconds <= -2:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    whole = int(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    years = days // 365
    if years < 8:
        return _two(years, "y", days % 365, "d")
    return f"{years}y"


def _two(count: int, unit: str, rest: int, smaller: str) -> str:
    return f"{count}{unit}{rest}{smaller}" if rest else f"{count}{unit}"
