"""Shows on which systems and Pythons a lock can be installed without a compiler: `python -m hack.setup.wheels`.

The package index says which wheels there are; nothing is downloaded. Fails if a supported combination misses one.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hack.setup.installers import LOCKS, Installer, choose

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
COMING: Final = ("3.15",)
"""Shown, and allowed to fail: not every project has published wheels yet."""
PLATFORMS: Final = {
    "Linux x86-64": "x86_64-manylinux_2_28",
    "Linux arm64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
    "Alpine x86-64": "x86_64-unknown-linux-musl",
    "Alpine arm64": "aarch64-unknown-linux-musl",
}
UNSUPPORTED: Final = {(file, f"Alpine {processor}") for file in ("run", "dev") for processor in ("x86-64", "arm64")}
"""google-re2 has no wheels for musl: the sandbox needs a compiler there, the operator does not."""
FILES: Final = ("image", "run", "dev")


def missing(uv: Installer, file: str, python: str, platform: str, scratch: Path) -> str:
    """Return uv's words about the first missing wheel, empty if all are there."""
    done = subprocess.run(
        [
            *(*uv.command, "install", "--dry-run", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *(f"--python-version={python}", f"--python-platform={platform}", f"--target={scratch}"),
            *("--requirement", str(LOCKS / f"{file}.txt")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.strip() for line in done.stderr.splitlines() if " has no " in line]
    return "" if done.returncode == 0 else (lines or [done.stderr.strip() or "uv failed"])[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line per lock and system; returns 1 if a supported combination misses a wheel."""
    parser = argparse.ArgumentParser(prog="python -m hack.setup.wheels", description=(__doc__ or "").partition("\n")[0])
    parser.parse_args(arguments)
    failed = False
    with TemporaryDirectory() as scratch, ThreadPoolExecutor(4) as pool:
        uv = choose(Path(sys.executable), Path(scratch), print, only_uv=True)
        cells = [(file, name, python) for file in FILES for name in PLATFORMS for python in (*PYTHONS, *COMING)]
        answers = dict(
            zip(
                cells,
                pool.map(lambda cell: missing(uv, cell[0], cell[2], PLATFORMS[cell[1]], Path(scratch) / "none"), cells),
                strict=True,
            )
        )
    for file in FILES:
        for name in PLATFORMS:
            row = {python: answers[file, name, python] for python in (*PYTHONS, *COMING)}
            print(f"{file:6} {name:14}", *(f"{python} {'no' if why else 'yes':3}" for python, why in row.items()))
            for python, why in row.items():
                is_promised = python in PYTHONS and (file, name) not in UNSUPPORTED
                failed |= bool(why) and is_promised
                if why and (is_promised or python in COMING):
                    print(f"    {python}: {why[:160]}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
