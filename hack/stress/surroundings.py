"""Makes the surroundings in which the tests must pass: a copy of the checkout, another user, a strange environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from hack import tools

ROOT: Final = Path(__file__).resolve().parents[2]
USER_ID: Final = 65534
"""`nobody`, whom root becomes."""
_READER: Final = (
    *("setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search", "--"),
)
"""Becomes that user, too, who may read everything nevertheless, for a Python that is installed in root's home."""
_NOT_COPIED: Final = (
    *(".git", ".venv", ".tools", "build", "dist", "*.egg-info", "__pycache__"),
    *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".sandbox"),
)
_ABOUT_THE_USER: Final = (
    *("HOME", "USER", "LOGNAME", "MAIL", "LANG", "LANGUAGE", "COLUMNS", "LINES", "COLORTERM", "DISPLAY"),
    *("KUBECONFIG", "TMP", "TEMP"),
)
_ABOUT_THE_USER_PREFIXES: Final = ("LC_", "XDG_", "SSH_", "AWS_", "SUDO_", "MAKE", "MFLAGS")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where and as whom the tests run: all of it in one scratch folder, which is deleted afterwards."""

    checkout: Path
    home: Path
    temporary: Path
    user: int | None = None
    """The user to become, None to stay."""
    prefix: tuple[str, ...] = ()
    """What the command of every process begins with."""

    @property
    def who(self) -> str:
        """Who runs the tests, in words."""
        if self.prefix:
            return f"user {USER_ID} (who may read all files, since this Python is root's own)"
        return f"user {os.geteuid() if self.user is None else self.user}"

    def options(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """Return what `subprocess.Popen` needs to start a process in here."""
        become = {} if self.user is None else {"user": self.user, "group": self.user, "extra_groups": ()}
        return {"cwd": self.checkout, "env": dict(environment), "stdin": subprocess.DEVNULL, "umask": 0o077, **become}


def make(scratch: Path) -> Surroundings:
    """Copy the checkout, without what git ignores, below `scratch`, and give it to the user that the tests run as.

    Raises SystemExit where that user cannot run the Python of this process.
    """
    scratch.chmod(0o755)
    is_root = os.geteuid() == 0
    made = Surroundings(scratch / "checkout", scratch / "home", scratch / "tmp")
    shutil.copytree(ROOT, made.checkout, ignore=shutil.ignore_patterns(*_NOT_COPIED), symlinks=True)
    (made.checkout / ".venv").symlink_to(Path(sys.prefix))
    _provide_tools(made.checkout)
    made.temporary.mkdir()
    made.home.mkdir()
    made.home.chmod(0o555)
    if is_root:
        for path in (made.temporary, made.checkout, *_below(made.checkout)):
            os.chown(path, USER_ID, USER_ID, follow_symlinks=False)
    ways = (replace(made, user=USER_ID), replace(made, prefix=_READER)) if is_root else (made,)
    obstacles = [_obstacle(way) for way in ways]
    if None not in obstacles:
        raise SystemExit(f"error: the tests' user cannot run {sys.executable}: {'; '.join(filter(None, obstacles))}")
    return ways[obstacles.index(None)]


def environment(given: Mapping[str, str], made: Surroundings, *, timezone: str, locale: str) -> dict[str, str]:
    """Return the variables of the tests: those `given`, without what they say of a user and a terminal."""
    kept = {
        name: value
        for name, value in given.items()
        if name not in _ABOUT_THE_USER and not name.startswith(_ABOUT_THE_USER_PREFIXES)
    }
    return kept | {
        "HOME": str(made.home),
        "TMPDIR": str(made.temporary),
        "TZ": timezone,
        "LC_ALL": locale,
        "TERM": "dumb",
    }


def locales(installed: Iterable[str]) -> tuple[str, ...]:
    """Return the locales to use in turn: C, and one of another language than English where one is installed."""
    others = sorted(name for name in installed if not name.startswith(("C", "POSIX", "en")) and name)
    return ("C", *others[:1])


def installed_locales() -> list[str]:
    """Return the names of the system's locales; none where it has no command to list them."""
    try:
        listed = subprocess.run(["locale", "-a"], capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError:
        return []
    return listed.stdout.split()


def _provide_tools(checkout: Path) -> None:
    """Link to the kubectl, helm and promtool of this checkout. The tests could fetch them, but not as this user."""
    for tool in (*tools.TOOLS, *tools.DEBIAN):
        try:
            tools.find(tool)
        except tools.ToolMissingError as missing:
            print(f"warning: {missing}", file=sys.stderr)
    if tools.CACHE.is_dir():
        (checkout / tools.CACHE.name).symlink_to(tools.CACHE)


def _below(directory: Path) -> Iterable[Path]:
    for folder, folders, files in os.walk(directory):
        yield from (Path(folder, name) for name in (*folders, *files))


def _obstacle(made: Surroundings) -> str | None:
    """Return why Python does not run in here, None if it does: it may lie in a folder that the user may not enter."""
    command = [*made.prefix, sys.executable, "-c", "import pytest, controller"]
    options = made.options({"PATH": os.environ.get("PATH", os.defpath)})
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except OSError as exc:
        return str(exc)
    return (done.stderr.strip() or f"exit code {done.returncode}") if done.returncode else None
