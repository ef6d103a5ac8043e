"""What a spec asks for, and what AWS shows of it, in the same form. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.reconcile.drift.digest import differences, digest
from controller.reconcile.drift.report import Difference


@dataclass(frozen=True, slots=True)
class Desired:
    """The content of a resource."""

    content: Mapping[str, Any]
    """Members of a request."""
    count: int | None = None
    """A number of copies, which autoscaling changes, too; None: the spec names no number, or the kind has none."""

    @property
    def id(self) -> str:
        """Return the digest of the content."""
        return digest(self.content)


def changed_content(wanted: Desired, found: Desired) -> tuple[Difference, ...]:
    """Return where AWS shows other content; what it adds is none."""
    return tuple(differences(wanted.content, found.content))


def changed_count(wanted: Desired, found: Desired, path: str) -> tuple[Difference, ...]:
    """Return the difference of the counts; none where either number is not known."""
    if None in (wanted.count, found.count) or wanted.count == found.count:
        return ()
    return (Difference(path, wanted.count, found.count),)
