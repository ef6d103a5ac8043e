"""Writes the lock files: `python -m hack.setup.lock`, for every Python from 3.11 and every system, with all hashes.

One resolution serves image, sandbox and tests, so that all have the same versions: each file has what it adds to the
one that it includes. Versions stay as they are unless the metadata rules them out; `--upgrade` takes the newest ones.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hack.setup.installers import LOCKS, ROOT, SetupError, choose

OLDEST: Final = "3.11"
_HEADER: Final = "# Written by `make lock` from setup.cfg and pyproject.toml.\n"
_GROUP: Final = "pyproject.toml:"
LAYERS: Final = (
    ("image", ("--extra=metrics-proxy",)),
    ("run", ("--extra=metrics-proxy", f"--group={_GROUP}sandbox")),
    ("dev", ("--extra=metrics-proxy", f"--group={_GROUP}dev")),
)
"""Each includes the one before it: what the operator needs; `make run`; tests and checks."""
ALONE: Final = (
    ("build", (f"--group={_GROUP}build",)),
    ("release", (f"--group={_GROUP}release",)),
    ("site", (f"--group={_GROUP}site",)),
    ("bench", (f"--group={_GROUP}bench", "setup.cfg")),
    ("uv", (f"--group={_GROUP}installer",)),
)
"""What has an environment of its own."""
_ENTRY: Final = re.compile(r"^([a-z0-9][a-z0-9.-]*)==.*(?:\n .*)*\n", re.MULTILINE)


def layers(everything: str, names: Sequence[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Return the text of each lock file, from one resolution and the names of the packages that each layer needs."""
    entries = [(match[1], match[0]) for match in _ENTRY.finditer(everything)]
    texts: dict[str, str] = {}
    taken: set[str] = set()
    for (file, needed), below in zip(names, (None, *(name for name, _ in names)), strict=False):
        wanted = set(needed) - taken
        include = f"-r {below}.txt\n" if below else ""
        texts[file] = _HEADER + include + "".join(text for name, text in entries if name in wanted)
        taken |= wanted
    return texts


def names(text: str) -> list[str]:
    """Return the names of the locked packages of one file, without those that it includes."""
    return [match[1] for match in _ENTRY.finditer(text)]


def write(uv: Sequence[str], *, upgrade: bool) -> None:
    """Resolve and write all lock files. Raises CalledProcessError after uv's own words on stderr."""
    with TemporaryDirectory() as directory:
        everything = Path(directory) / "everything.txt"
        if not upgrade:
            everything.write_text("".join((LOCKS / f"{file}.txt").read_text() for file, _ in LAYERS if _exists(file)))
            everything.write_text(re.sub(r"^-r .*\n", "", everything.read_text(), flags=re.MULTILINE))
        _compile(uv, everything, *LAYERS[-1][1], "--generate-hashes", "setup.cfg")
        locked = everything.read_text()
        needed = []
        for file, sources in LAYERS:
            part = Path(directory) / f"{file}.txt"
            _compile(uv, part, *sources, f"--constraint={everything}", "setup.cfg")
            needed.append((file, re.findall(r"^([a-z0-9][a-z0-9.-]*)==", part.read_text(), re.MULTILINE)))
        LOCKS.mkdir(exist_ok=True)
        for file, text in layers(locked, needed).items():
            (LOCKS / f"{file}.txt").write_text(text)
        versions = Path(directory) / "versions.txt"
        versions.write_text("\n".join(re.findall(r"^[a-z0-9][^\\\n]*", locked, re.MULTILINE)))
        for file, sources in ALONE:
            path = Path(directory) / f"{file}-alone.txt"
            if not upgrade and _exists(file):
                path.write_text((LOCKS / f"{file}.txt").read_text())
            _compile(uv, path, *sources, "--generate-hashes", f"--constraint={versions}")
            (LOCKS / f"{file}.txt").write_text(layers(path.read_text(), [(file, names(path.read_text()))])[file])


def _exists(file: str) -> bool:
    return (LOCKS / f"{file}.txt").exists()


def _compile(uv: Sequence[str], output: Path, *arguments: str) -> None:
    # Neither paths nor a developer's index must get into the files.
    plain = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links")
    fixed = ("--quiet", "--universal", f"--python-version={OLDEST}", f"--output-file={output}")
    subprocess.run([*uv, "compile", *fixed, *plain, *arguments], cwd=ROOT, check=True)


def main() -> int:
    """Write the lock files; returns 1 if there is no uv or a resolution fails."""
    parser = argparse.ArgumentParser(prog="python -m hack.setup.lock", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that the metadata allows")
    upgrade = parser.parse_args().upgrade
    with TemporaryDirectory() as scratch:
        try:
            uv = choose(Path(sys.executable), Path(scratch), print, only_uv=True)
            os.environ.update(uv.variables)
            write(uv.command, upgrade=upgrade)
        except (SetupError, subprocess.CalledProcessError) as exc:
            print(f"error: {exc}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
