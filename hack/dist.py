"""Writes what a release consists of to dist/: `python -m hack.dist`.

The wheel and the source archive, `kubectl smlogs` with krew's manifest, a bill of materials of the wheel with the
dependencies that it was tested with, and SHA256SUMS of all of them, which is what gets signed (docs/releasing.md). Two
builds of one commit in one environment make the same bytes; `--verify` builds twice and compares.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

from controller.version import DISTRIBUTION
from hack import krew, smlogs
from hack.setup.installers import LOCKS, ROOT, choose

OUTPUT: Final = ROOT / "dist"
SUMS: Final = "SHA256SUMS"
SOURCES: Final = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "controller", "api")
"""What the wheel and the source archive are made from."""
_HOOKS: Final = """
import sys
import setuptools.build_meta
output = sys.argv[1]  # the hooks below change it
setuptools.build_meta.build_sdist(output)
setuptools.build_meta.build_wheel(output)
"""


def build(output: Path, *, url: str, epoch: str) -> list[Path]:
    """Write all parts but the bill of materials below `output`; returns their paths."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # A copy: setuptools keeps what earlier builds have left in build/, whether it still exists or not.
        for name in SOURCES:
            _copy(ROOT / name, Path(scratch) / name)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _HOOKS, str(output.absolute())],
            cwd=scratch,
            env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"error: setuptools failed:\n{done.stderr}")
    version = metadata.version(DISTRIBUTION)
    stem = f"{DISTRIBUTION.replace('-', '_')}-{version}"
    wheel, source = output / f"{stem}-py3-none-any.whl", output / f"{stem}.tar.gz"
    _normalise(source, int(epoch))
    archives = smlogs.build(output)
    manifest = output / smlogs.FOLDER / krew.FILE
    manifest.write_text(krew.render(archives, version=version, url=url))
    return [wheel, source, *archives, manifest]


def write_sums(output: Path, files: Iterable[Path]) -> Path:
    """Write the checksums in the form that `sha256sum --check` reads; returns the path."""
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(output)}\n" for file in files]
    sums = output / SUMS
    sums.write_text("".join(lines))
    return sums


def write_bill(wheel: Path, scratch: Path) -> Path:
    """Install the wheel with its locked dependencies into `scratch` and write the bill of that next to it."""
    packages, lock = scratch / "packages", LOCKS / "image.txt"
    release = ROOT / "build" / "release"
    subprocess.run([sys.executable, "-m", "hack.setup", "release", "--directory", str(release)], cwd=ROOT, check=True)
    installer = choose(Path(sys.executable), scratch, print)
    into = ("--target", str(packages), "--no-deps")
    installer.install(*into, "--require-hashes", "--requirement", str(lock), say=lambda _line: None)
    bill = wheel.parent / f"{'-'.join(wheel.name.split('-')[:2])}.cdx.json"
    command = [str(release / "bin" / "python"), "-m", "hack.sbom", str(packages), str(lock), str(bill)]
    subprocess.run(command, cwd=ROOT, check=True)
    return bill


def _normalise(archive: Path, epoch: int) -> None:
    """Pack a source archive again, in order, without owners and with one time: setuptools takes the files' own."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        with (
            tarfile.open(archive) as old,
            fresh.open("wb") as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new,
        ):
            for entry in sorted(old.getmembers(), key=lambda each: each.name):
                plain = tarfile.TarInfo(entry.name)
                plain.type, plain.size, plain.mtime = entry.type, entry.size, epoch
                plain.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
                new.addfile(plain, old.extractfile(entry) if entry.isfile() else None)
        fresh.replace(archive)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


def _commit_time() -> str:
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "315532800"  # 1980, where zip archives begin: no repository, as in a source archive


def main() -> int:
    """Build, verify and print the checksums; returns 1 if a second build differs."""
    parser = argparse.ArgumentParser(prog="python -m hack.dist", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="directory to write to (default: dist)")
    parser.add_argument("--url", default=krew.URL, help="where the archives of the plugin will be, for krew's manifest")
    parser.add_argument("--verify", action="store_true", help="build twice and compare")
    given = parser.parse_args()
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _commit_time()
    files = build(given.output, url=given.url, epoch=epoch)
    with tempfile.TemporaryDirectory() as scratch:
        if given.verify:
            again = build(Path(scratch) / "again", url=given.url, epoch=epoch)
            for one, other in zip(files, again, strict=True):
                if one.read_bytes() != other.read_bytes():
                    print(f"error: {one.name} is not reproducible: two builds differ", file=sys.stderr)
                    return 1
        files.append(write_bill(files[0], Path(scratch)))
    print(write_sums(given.output, files).read_text(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
