"""Makes or completes an environment: `python3 -m hack.setup run`, or `dev` for what tests and checks need, too.

Any Python from 3.11 runs it: it makes the environment of that Python, by uv where that can be had, and installs what a
lock file below requirements/ lists, and this repository itself, editable. Safe to call from several makes at once.
"""

import argparse
import fcntl
import os
import shutil
import sys
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hack import slim
from hack.setup.installers import LOCKS, ROOT, Installer, SetupError, choose, locked, read

STAGES: Final = {
    "run": ("run",),
    "dev": ("run", "dev"),
    "bench": ("bench",),
    "release": ("release",),
    "site": ("site",),
}
"""Stage → it and the stages that it includes. Each has a lock file of its name, and leaves `.ready-<stage>`."""

SLIM: Final = ("run", "dev")
"""Stages without the asynchronous half of the Kubernetes client: a quarter of what `make run` would install."""


def stamp(directory: Path, stage: str) -> Path:
    """Return the file that says, by its time, for which lock the stage was last installed."""
    return directory / f".ready-{stage}"


def is_current(directory: Path, stage: str) -> bool:
    """Return whether nothing that the stage is made from is newer than its stamp."""
    made = stamp(directory, stage)
    sources = [*LOCKS.glob("*.txt"), ROOT / "setup.cfg", ROOT / "pyproject.toml"]
    return made.exists() and all(made.stat().st_mtime >= each.stat().st_mtime for each in sources)


def make(directory: Path, stage: str) -> None:
    """Make the environment in `directory`, or bring it to `stage`. Raises SetupError."""
    begin = time.monotonic()
    _make_empty(directory)
    lock = read(LOCKS / f"{stage}.txt", without=slim.FOR_ASYNCHRONOUS if stage in SLIM else ())
    with TemporaryDirectory(prefix=".setup-", dir=directory) as scratch:
        python = directory / "bin" / "python"
        wanted = Path(scratch) / "lock.txt"
        wanted.write_text(lock)
        _say(f"Setting up {directory.name} for `{stage}`: {locked(lock)} packages and the index, once ...")
        installer = choose(python, Path(scratch), _say)
        installer.install("--no-deps", "--require-hashes", "--requirement", str(wanted), say=_say)
        if stage not in ("release", "site"):
            _install_this(installer, Path(scratch))
        if stage in SLIM:
            shutil.rmtree(_packages(directory) / slim.ASYNCHRONOUS, ignore_errors=True)
    for each in STAGES[stage]:
        stamp(directory, each).touch()
    _say(f"Ready after {time.monotonic() - begin:.0f} s, by {installer.name}")


def _make_empty(directory: Path) -> None:
    """Make an environment without packages, unless there is one of this Python that works."""
    python = directory / "bin" / "python"
    if not (python.exists() and _packages(directory).is_dir()):
        venv.create(directory, clear=directory.exists(), symlinks=True, with_pip=False)


def _packages(directory: Path) -> Path:
    return directory / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _install_this(installer: Installer, scratch: Path) -> None:
    """Install the checkout, editable, with the locked build backend, which does not stay in the environment."""
    backend = scratch / "backend"
    lock = str(LOCKS / "build.txt")
    installer.install("--target", str(backend), "--no-deps", "--require-hashes", "--requirement", lock, say=_quiet)
    installer.install(
        *("--no-deps", "--no-build-isolation", "--editable", str(ROOT)),
        # the backend warns at length that an editable install reads this folder, which is what it is for
        variables={"PYTHONPATH": str(backend), "PYTHONWARNINGS": "ignore"},
        say=_quiet,
    )


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other set-up of this checkout runs."""
    held = os.open(ROOT / "setup.cfg", os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _quiet(_line: str) -> None:
    pass


def main(arguments: list[str] | None = None) -> int:
    """Make the environment unless it is current; returns 1 after one line on stderr if it cannot be made."""
    parser = argparse.ArgumentParser(prog="python -m hack.setup", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--directory", type=Path, default=ROOT / ".venv", help="environment (default: .venv)")
    given = parser.parse_args(arguments)
    directory = given.directory.absolute()
    try:
        with _alone():
            if not is_current(directory, given.stage):
                make(directory, given.stage)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
