"""Semantic versions. Source: k8s.io/apiserver pkg/cel/library/semverlib.go and semver.org 2.0."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from hack.sandbox.kube.cel.registry import LIBRARY
from hack.sandbox.kube.cel.values import EvaluationError

_NUMBER: Final = r"(0|[1-9]\d*)"
_SEMVER: Final = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-]"
    r"[0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)


@dataclass(frozen=True, slots=True)
class Semver:
    """A version: three numbers and pre-release identifiers. Build metadata does not count."""

    cel_type: ClassVar[str] = "kubernetes.Semver"
    numbers: tuple[int, ...]
    pre_release: tuple[str, ...]

    def order(self) -> tuple[Any, ...]:
        """Return the sort key: a pre-release precedes its release, numbers precede words."""
        identifiers = tuple((0, int(each), "") if each.isdigit() else (1, 0, each) for each in self.pre_release)
        return (*self.numbers, not self.pre_release, identifiers)


@LIBRARY.function("semver(string): kubernetes.Semver", "semver(string, bool): kubernetes.Semver")
def _semver(text: str, normalize: bool = False) -> Semver:
    written = _normalized(text) if normalize else text
    match = _SEMVER.fullmatch(written)
    if match is None:
        raise EvaluationError("No Major.Minor.Patch elements found")
    pre_release = tuple(match[4].split(".")) if match[4] else ()
    return Semver(tuple(int(match[part]) for part in (1, 2, 3)), pre_release)


def _normalized(text: str) -> str:
    """Drop a leading v, add missing parts, strip leading zeros."""
    numbers, mark, rest = re.fullmatch(r"([^-+]*)([-+]?)(.*)", text.removeprefix("v"), re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part.lstrip("0") or "0" if part.isdigit() else part for part in numbers.split(".")]
    return ".".join([*parts, "0", "0"][: max(3, len(parts))]) + mark + rest


@LIBRARY.function("isSemver(string): bool", "isSemver(string, bool): bool")
def _is_semver(text: str, normalize: bool = False) -> bool:
    try:
        _semver(text, normalize)
    except EvaluationError:
        return False
    return True


@LIBRARY.function("<kubernetes.Semver>.major(): int")
def _major(version: Semver) -> int:
    return version.numbers[0]


@LIBRARY.function("<kubernetes.Semver>.minor(): int")
def _minor(version: Semver) -> int:
    return version.numbers[1]


@LIBRARY.function("<kubernetes.Semver>.patch(): int")
def _patch(version: Semver) -> int:
    return version.numbers[2]


@LIBRARY.function("<kubernetes.Semver>.isLessThan(kubernetes.Semver): bool")
def _is_less(version: Semver, other: Semver) -> bool:
    return version.order() < other.order()


@LIBRARY.function("<kubernetes.Semver>.isGreaterThan(kubernetes.Semver): bool")
def _is_greater(version: Semver, other: Semver) -> bool:
    return version.order() > other.order()


@LIBRARY.function("<kubernetes.Semver>.compareTo(kubernetes.Semver): int")
def _compare(version: Semver, other: Semver) -> int:
    return (version.order() > other.order()) - (version.order() < other.order())
