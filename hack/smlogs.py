"""Builds `kubectl smlogs` as one file that runs wherever there is Python 3.11: nothing has to be installed for it.

The file is a zip application made by shiv, which unpacks it once below `~/.kube/cache`: botocore reads its service
models from real files only. It holds what the plugin imports, in the versions of this environment, with the models of
the services that it calls, and no compiled code, so that the same file serves every operating system and processor.

`python -m hack.smlogs` writes `dist/kubectl-smlogs-plugin/v1/<os>.<architecture>.tar.gz`, the guides' path and names,
and next to them the manifest for krew (hack/krew.py). The same sources and environment make the same bytes.
"""

import argparse
import gzip
import io
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Final

from api.models import SERVICE_MODELS
from controller.version import DISTRIBUTION
from hack import krew

ROOT: Final = Path(__file__).resolve().parent.parent
OUTPUT: Final = ROOT / "dist"
FOLDER: Final = "kubectl-smlogs-plugin/v1"
PLUGIN: Final = "kubectl-smlogs"
COMPLETION: Final = "kubectl_complete-smlogs"
"""What kubectl runs to complete words after `kubectl smlogs`."""
SYSTEMS: Final = ("linux", "darwin")
ARCHITECTURES: Final = ("amd64", "arm64")
"""Names of the archives, as Go and krew have them; the plugin in them is the same."""
CACHE: Final = "~/.kube/cache"
"""kubectl's folder for files that can be recreated. SHIV_ROOT sets another one."""
_CHOOSE_CACHE: Final = f"""\
import os, stat, tempfile

def _cache():
    wanted = os.path.expanduser({CACHE!r})
    try:
        os.makedirs(wanted, exist_ok=True)
        tempfile.TemporaryFile(dir=wanted).close()
        return wanted
    except OSError:
        pass
    # a home that is missing or read-only, as in containers; a folder of others could hold other code
    ours = os.path.join(tempfile.gettempdir(), "{PLUGIN}-%d" % os.getuid())
    try:
        os.mkdir(ours, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(ours)
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return ours if is_ours else tempfile.mkdtemp(prefix="{PLUGIN}-")

if not os.environ.get("SHIV_ROOT"):
    os.environ["SHIV_ROOT"] = _cache()

"""
"""Runs before shiv unpacks the file."""
_COMPLETE: Final = f"""\
#!/bin/sh
# kubectl runs this to complete words after `kubectl smlogs`; it has to be on PATH, as the plugin itself.
exec {PLUGIN} __complete "$@"
"""

NEEDED: Final = ("botocore",)
"""Distributions that the plugin imports; their dependencies are added."""
SERVICES: Final = ("logs", "sagemaker", "signin", "sso", "sso-oidc", "sts")
"""Services that it calls, and those that may provide credentials."""
_LEFT_OUT: Final = re.compile(
    r"^(boto3/(data|examples)/|bin/|.*/__pycache__/)|/examples-1\.json$|\.pyc$"
    r"|^botocore/data/(logs|sagemaker)/.*/(service|paginators|waiters)-"  # clients use the operator's own models
)
_COMPILED: Final = re.compile(r"\.(so|pyd|dylib)$")

_PREAMBLE: Final = f"""\
import sys
if sys.version_info < (3, 11):
    sys.exit("error: {PLUGIN} needs Python 3.11 or later; python3 is " + sys.version.partition(" ")[0])
# in front of PYTHONPATH, which may hold another botocore
sys.path.insert(0, str(site_packages))
"""


def build(output: Path = OUTPUT) -> list[Path]:
    """Write the archives below `output`; returns their paths. Raises SystemExit if a part has compiled code."""
    with tempfile.TemporaryDirectory() as scratch:
        site_packages, preamble = Path(scratch) / "site-packages", Path(scratch) / "preamble.py"
        _fill(site_packages)
        preamble.write_text(_PREAMBLE)
        plugin = Path(scratch) / PLUGIN
        command = [
            *(sys.executable, "-m", "shiv", "--reproducible", "--root", CACHE),
            *("--site-packages", str(site_packages), "--preamble", str(preamble)),
            *("--entry-point", "controller.smlogs.__main__:main", "--python", "/usr/bin/env python3"),
            *("--output-file", str(plugin)),
        ]
        subprocess.run(command, check=True, capture_output=True)
        _choose_cache(plugin)
        folder = output / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        content = plugin.read_bytes()
        return [_archive(content, folder, system, architecture) for system in SYSTEMS for architecture in ARCHITECTURES]


def _fill(site_packages: Path) -> None:
    """Copy the file's content to `site_packages`."""
    models = [
        path.relative_to(ROOT) for each in ("logs", "sagemaker") for path in (SERVICE_MODELS / each).rglob("*.json")
    ]
    for file in (*_own_modules(), *models):
        _copy(ROOT / file, site_packages / file)
    for name in sorted(_closure(NEEDED)):
        for file in metadata.files(name) or ():
            if not _is_left_out(file):
                _copy(Path(str(file.locate())), site_packages / file)
    # contains the plugin's version, for AWS's user agent
    described = site_packages / f"{DISTRIBUTION.replace('-', '_')}-{metadata.version(DISTRIBUTION)}.dist-info"
    described.mkdir()
    ours = metadata.distribution(DISTRIBUTION)
    # a checkout in which something was built is found first, and has the same text under its older name
    text = ours.read_text("METADATA") or ours.read_text("PKG-INFO")
    assert text, f"{DISTRIBUTION} is not installed in this environment"
    (described / "METADATA").write_text(text)
    _copy(ROOT / "LICENSE", described / "LICENSE")


def _own_modules() -> list[Path]:
    """Return paths of our modules that the plugin imports, as reported by an interpreter that imported it."""
    script = (
        "import sys, controller.smlogs.__main__, controller.smlogs.app\n"
        "ours = [m for name, m in sys.modules.items() if name.partition('.')[0] in ('api', 'controller')]\n"
        "print(*(m.__file__ for m in ours), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True)
    return [Path(line).relative_to(ROOT) for line in done.stdout.splitlines()]


def _closure(names: Iterable[str]) -> set[str]:
    """Return the distributions and all their dependencies, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _requirements(name)
    return found


def _requirements(name: str) -> Iterator[str]:
    for requirement in metadata.requires(name) or ():
        needed, _, condition = requirement.partition(";")
        # Conditions are extras, or older Python versions: the plugin does not import those dependencies.
        if not condition:
            yield re.split(r"[^\w.-]", needed, maxsplit=1)[0].lower()


def _is_left_out(file: metadata.PackagePath) -> bool:
    if _COMPILED.search(str(file)):
        raise SystemExit(f"{file} is compiled: the plugin's one file must run everywhere")
    parts = PurePosixPath(file).parts
    is_other_service = parts[:2] == ("botocore", "data") and len(parts) > 3 and parts[2] not in SERVICES
    return is_other_service or ".." in parts or bool(_LEFT_OUT.search(str(file)))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _choose_cache(plugin: Path) -> None:
    """Let the zip application choose a folder that can be written before it unpacks itself."""
    with zipfile.ZipFile(plugin) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with plugin.open("rb") as file:
        first_line = file.readline()
    assert first_line.startswith(b"#!")
    with plugin.open("wb") as file:
        file.write(first_line)
        with zipfile.ZipFile(file, "w") as archive:
            for entry, content in entries:
                is_main = entry.filename == "__main__.py"
                archive.writestr(entry, _CHOOSE_CACHE.encode() + content if is_main else content, entry.compress_type)


def _archive(plugin: bytes, folder: Path, system: str, architecture: str) -> Path:
    """Write `<os>.<arch>.tar.gz`, without times or owners: `kubectl-smlogs.<os>.<arch>/`.

    In it are the plugin, what completes its words, and the licence.
    """
    path = folder / f"{system}.{architecture}.tar.gz"
    with (
        path.open("wb") as file,
        # the file's name and the time would be in the header
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        licence = (ROOT / "LICENSE").read_bytes()
        for name, content, mode in (
            (PLUGIN, plugin, 0o755),
            (COMPLETION, _COMPLETE.encode(), 0o755),
            ("LICENSE", licence, 0o644),
        ):
            entry = tarfile.TarInfo(f"{PLUGIN}.{system}.{architecture}/{name}")
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return path


def main() -> None:
    """Build the archives and krew's manifest for them, and print their size."""
    parser = argparse.ArgumentParser(prog="python -m hack.smlogs", description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="directory to write to (default: dist)")
    parser.add_argument("--url", default=krew.URL, help="where the archives will be: krew's manifest names them there")
    given = parser.parse_args()
    archives = build(given.output)
    for path in archives:
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
    manifest = given.output / FOLDER / krew.FILE
    manifest.write_text(krew.render(archives, version=metadata.version(DISTRIBUTION), url=given.url))
    print(manifest)


if __name__ == "__main__":
    main()
