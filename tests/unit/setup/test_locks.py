"""The lock files: what they promise can be read from them, from the metadata, and from what is installed here."""

import configparser
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from hack.setup.installers import LOCKS, ROOT, locked, read
from hack.setup.lock import layers
from tests.syntax import imports
from tests.tables import each_row

SETUP = configparser.ConfigParser()
SETUP.read_string((ROOT / "setup.cfg").read_text())
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
FILES = sorted(LOCKS.glob("*.txt"))
_ENTRY = re.compile(
    r"^([a-z0-9][a-z0-9.-]*)==(\S+)(?: ; ([^\\]+?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def lines(text: str) -> list[Requirement]:
    """Requirements of a list in setup.cfg."""
    return [Requirement(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def group(name: str) -> list[Requirement]:
    """Requirements of a dependency group and of those that it includes."""
    return [
        found
        for entry in GROUPS[name]
        for found in ([Requirement(entry)] if isinstance(entry, str) else group(entry["include-group"]))
    ]


def versions(*files: str) -> dict[str, set[Version]]:
    """Locked versions by name; a package may have one for each range of Pythons."""
    found: dict[str, set[Version]] = {}
    for file in files:
        for name, version, *_ in _ENTRY.findall((LOCKS / f"{file}.txt").read_text()):
            found.setdefault(name, set()).add(Version(version))
    return found


RUNTIME = lines(SETUP["options"]["install_requires"]) + lines(SETUP["options.extras_require"]["metrics-proxy"])
NEEDS = {
    ("image",): RUNTIME,
    ("image", "run"): RUNTIME + group("sandbox"),
    ("image", "run", "dev"): RUNTIME + group("dev"),
    ("build",): group("build"),
    ("release",): group("release"),
    ("site",): group("site"),
    ("bench",): lines(SETUP["options"]["install_requires"]) + group("bench"),
    ("uv",): group("installer"),
}


@each_row("files", NEEDS, ids=lambda files: files[-1])
def test_a_lock_has_a_version_of_all_that_the_metadata_asks_for(files: tuple[str, ...]) -> None:
    """Else `make lock` was forgotten."""
    have = versions(*files)
    stale = [
        str(need)
        for need in NEEDS[files]
        if not any(need.specifier.contains(version) for version in have.get(canonicalize_name(need.name), ()))
    ]
    assert not stale, "run `make lock`"


def test_all_lock_files_are_checked() -> None:
    """A new one needs a line above."""
    assert {path.stem for path in FILES} == {files[-1] for files in NEEDS}


@each_row("path", FILES, ids=lambda path: path.stem)
def test_a_lock_is_versions_and_hashes_and_nothing_else(path: Path) -> None:
    """No index, no address, no path: the user's own settings say where packages come from."""
    text = path.read_text()
    rest = re.sub(r"^# Written by `make lock` .*\n(-r \w+\.txt\n)?", "", _ENTRY.sub("", text))
    assert rest == ""
    assert "://" not in text
    assert locked(text) == len(_ENTRY.findall(text)) > 0


def test_what_is_locked_fits_together() -> None:
    """What a locked package requires is locked, in a version that it accepts; read from what is installed here."""
    have = versions("image", "run", "dev")
    conflicts = []
    for name, allowed in have.items():
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for other systems or Pythons
        if Version(installed.version) not in allowed:
            continue  # an environment from before the lock
        for need in map(Requirement, installed.requires or ()):
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                present = have.get(canonicalize_name(need.name), set())
                if not any(need.specifier.contains(version, prereleases=True) for version in present):
                    conflicts.append(f"{name} needs {need}, locked: {sorted(map(str, present))}")
    assert not conflicts


CONFLICT = {"37.0.1": True, "37.0.2": False, "37.0.3": False, "38.0.0": False}
"""Releases of kubernetes, and whether botocore can be installed next to them. 37.0.2 requires python-dateutil >=3.0.0;
botocore 1.44.8 refuses that (<3.0.0)."""


def test_our_metadata_leads_no_installer_into_the_conflict_of_kubernetes_and_botocore() -> None:
    """pip takes the newest kubernetes, then tries hundreds of releases of botocore for one without the bound."""
    (kubernetes,) = (need for need in RUNTIME if need.name == "kubernetes")
    assert {each: kubernetes.specifier.contains(each) for each in CONFLICT} == CONFLICT
    (botocore,) = (need for need in RUNTIME if need.name == "botocore")
    assert not botocore.specifier.contains("1.43.127"), "a floor near the newest release leaves few to try"


def test_the_wheel_requires_what_the_product_imports() -> None:
    """boto3, moto and the tools are for sandbox and tests: no user of the wheel installs them."""
    assert {need.name for need in lines(SETUP["options"]["install_requires"])} == {
        "kubernetes",
        "botocore",
        "prometheus-client",
        "structlog",
        "orjson",
        "PyYAML",
    }
    assert not {"dev", "sandbox", "bench"} & SETUP["options.extras_require"].keys()


def test_a_lock_is_read_with_what_it_includes() -> None:
    """And without what an environment leaves out, of any version."""
    everything, image = read(LOCKS / "dev.txt"), (LOCKS / "image.txt").read_text()
    assert locked(everything) == sum(locked((LOCKS / f"{name}.txt").read_text()) for name in ("image", "run", "dev"))
    assert "\n-r " not in everything
    assert locked(read(LOCKS / "image.txt", without=["aiohttp", "yarl"])) == locked(image) - 2


def test_each_layer_has_what_the_one_below_lacks() -> None:
    """With all versions and markers of a package."""
    everything = (
        "a==1 \\\n    --hash=sha256:00\n"
        "b==1 ; python_full_version < '3.12' \\\n    --hash=sha256:01 \\\n    --hash=sha256:02\n"
        "b==2 ; python_full_version >= '3.12' \\\n    --hash=sha256:03\n"
    )
    made = layers(everything, [("image", ["a"]), ("run", ["a", "b"])])
    header = "# Written by `make lock` from setup.cfg and pyproject.toml.\n"
    assert made == {
        "image": header + "a==1 \\\n    --hash=sha256:00\n",
        "run": header + "-r image.txt\n" + everything.partition("00\n")[2],
    }


def needed_by(*folders: str) -> set[str]:
    """Distributions that the modules below these folders import, at any place."""
    modules = {
        name.partition(".")[0] for folder in folders for path in (ROOT / folder).rglob("*.py") for name in imports(path)
    }
    ours = {"api", "controller", "hack", "tests"}
    distributions = {"re2": ["google-re2"], **metadata.packages_distributions()}  # not installed on every Python
    return {
        canonicalize_name(distributions[module][0]) if module in distributions else module
        for module in modules - ours - sys.stdlib_module_names
    }


def test_what_runs_has_all_that_it_imports() -> None:
    """`make run` installs no developer's tools: an import of one would be noticed by users first."""
    sandbox = needed_by("api", "controller", "hack/sandbox")
    assert {"botocore", "uvicorn", "rich", "moto", "google-re2"} <= sandbox
    assert sandbox <= versions("image", "run").keys()
    product = needed_by("api", "controller")
    assert product <= versions("image").keys()


def test_the_embedded_aws_has_what_moto_imports_late() -> None:
    """Rules of EventBridge and queries of S3, when the first is used: moto's extras name these."""
    assert {"jsonpath-ng", "py-partiql-parser"} <= versions("image", "run").keys()
