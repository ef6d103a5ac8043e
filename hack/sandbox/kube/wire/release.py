"""The release of Kubernetes that a server imitates: in some answers they differ.

Each server has a thread of its own, and the release is a variable of that thread's context: a parameter would run
through every function that words an answer.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Release:
    """One release of Kubernetes 1; a later one is greater."""

    minor: int
    patch: int

    @property
    def name(self) -> str:
        """The text by which users choose it, e.g. `1.37`."""
        return f"1.{self.minor}"

    def document(self) -> Json:
        """Return `/version`: clients choose their requests by it."""
        return {
            "major": "1",
            "minor": str(self.minor),
            "emulationMajor": "1",
            "emulationMinor": str(self.minor),
            "minCompatibilityMajor": "1",
            "minCompatibilityMinor": str(self.minor - 1),
            "gitVersion": f"v1.{self.minor}.{self.patch}",
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": "",
            "compiler": "cpython",
            "platform": "sandbox/python",
        }


V1_36: Final = Release(36, 2)
V1_37: Final = Release(37, 2)
RELEASES: Final = {release.name: release for release in (V1_36, V1_37)}
"""Those of which answers were recorded, by name."""
NEWEST: Final = max(RELEASES.values())

_imitated: ContextVar[Release] = ContextVar("release", default=NEWEST)


def imitated() -> Release:
    """Return the release that the server of this thread imitates."""
    return _imitated.get()


def imitate(release: Release) -> None:
    """Have the server of this thread imitate a release from here on."""
    _imitated.set(release)
