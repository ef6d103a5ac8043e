"""The two installers: uv where it is on PATH or pip can fetch it, which takes seconds; else pip.

Both install what a lock file lists, and check every hash.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hack.setup import index

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ROOT / "requirements"
_LOCKED: Final = re.compile(r"^([a-z0-9][a-z0-9.-]*)==.*(?:\n .*)*\n", re.MULTILINE)
_NESTED: Final = re.compile(r"^-r (\S+)\n", re.MULTILINE)
_PROGRESS: Final = re.compile(
    r"^\s*((?:Downloading \S+ \([\d.]+[KMG]iB\)|Building |Prepared |Installed ).*|Installing collected packages)"
)
_COLLECTED: Final = re.compile(r"^Collecting ")
_EVERY: Final = 10
"""Lines of pip's progress: one for so many packages."""

Say = Callable[[str], None]


class SetupError(Exception):
    """An environment cannot be made; the message says what to do."""


class UnreachableError(SetupError):
    """The package index does not answer."""


@dataclass(frozen=True)
class Installer:
    """A command that installs, `uv pip` or `pip`, with the variables that it needs."""

    name: str
    command: tuple[str, ...]
    options: tuple[str, ...] = ()
    """Of every `install`."""
    variables: Mapping[str, str] = field(default_factory=dict)

    def install(self, *arguments: str, say: Say, variables: Mapping[str, str] | None = None) -> None:
        """Run `install`; progress goes to `say`. Raises SetupError, with one line if the index cannot be reached."""
        command = [*self.command, "install", *self.options, *arguments]
        output, code = _run(command, {**os.environ, **self.variables, **(variables or {})}, say)
        if code != 0 and index.is_unreachable(output):
            raise UnreachableError(index.explanation(output))
        if code != 0:
            raise SetupError("\n".join([f"{self.name} failed ({code}): {' '.join(command)}", *output]))


def read(lock: Path, *, without: Iterable[str] = ()) -> str:
    """Return the text of a lock file with those that it includes, `without` some packages."""
    text = _NESTED.sub(lambda match: read(lock.parent / match[1]), lock.read_text())
    unwanted = set(without)
    return _LOCKED.sub(lambda match: "" if match[1] in unwanted else match[0], text)


def locked(text: str) -> int:
    """Return how many packages the text of a lock file lists."""
    return len(_LOCKED.findall(text))


def choose(python: Path, scratch: Path, say: Say, *, only_uv: bool = False) -> Installer:
    """Return an installer into the environment of `python`; what must be fetched for it goes to `scratch`.

    Raises SetupError if there is neither uv nor pip (`only_uv`: no uv), or no index.
    """
    variables = index.uv_variables(index.pip_settings(index.pip_files()))
    if (uv := shutil.which("uv")) is not None:
        return _uv(uv, python, variables)
    pip = pip_command(scratch)
    try:
        fetched = _fetch_uv(pip, scratch, say)
    except SetupError as why:
        if only_uv or isinstance(why, UnreachableError):
            raise
        say("uv is not to be had for this system: pip installs, which takes longer")
        return Installer("pip", (*pip, "--python", str(python)), ("--no-compile", "--progress-bar=off"), _QUIET)
    # A cache on the same file system: files are linked into the environment, not copied, and nothing else is left.
    return _uv(str(fetched), python, {"UV_CACHE_DIR": str(scratch / "cache"), **variables, **_given("UV_CACHE_DIR")})


_QUIET: Final = {
    "PIP_RETRIES": os.environ.get("PIP_RETRIES", "2"),
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_NO_INPUT": "1",
}


def _uv(uv: str, python: Path, variables: Mapping[str, str]) -> Installer:
    return Installer("uv", (uv, "pip"), ("--python", str(python)), {"UV_NO_PROGRESS": "1", **variables})


def _fetch_uv(pip: tuple[str, ...], scratch: Path, say: Say) -> Path:
    target = scratch / "uv"
    Installer("pip", pip, variables=_QUIET).install(
        *("--quiet", "--no-cache-dir", "--no-compile", "--target", str(target)),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(LOCKS / "uv.txt")),
        say=say,
    )
    return target / "bin" / "uv"


def pip_command(scratch: Path) -> tuple[str, ...]:
    """Return the command of this Python's pip, or else of one that ensurepip unpacks in `scratch`."""
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError("this Python has no pip and PATH no uv; on Debian and Ubuntu: apt install python3-venv")
    home = scratch / "pip"
    try:
        venv.create(home, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as exc:
        raise SetupError(f"this Python's ensurepip fails ({exc}); install pip or uv") from exc
    return (str(home / "bin" / "python"), "-m", "pip")


def _given(*names: str) -> dict[str, str]:
    return {name: os.environ[name] for name in names if name in os.environ}


def _run(command: Iterable[str], variables: Mapping[str, str], say: Say) -> tuple[list[str], int]:
    """Run a command without input; returns the lines that it printed and its exit code."""
    lines: list[str] = []
    collected = 0
    with subprocess.Popen(
        list(command),
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if _COLLECTED.match(line):
                collected += 1
                if collected % _EVERY == 0:
                    say(f"  {collected} packages fetched")
            elif shown := _PROGRESS.match(line):
                say(f"  {shown[1]}")
    return lines, process.returncode
