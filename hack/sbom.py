"""Writes a bill of materials (CycloneDX 1.6, JSON) with `cyclonedx-py`, which must be installed where this runs.

`python sbom.py /app requirements/image.txt bom.json` lists what is installed in a directory with its licences and
dependencies, under the operator as the root, and the hashes that the lock file has for it. The same input makes the
same bytes. Python packages only: those of the base image stand in its own /var/lib/dpkg, where scanners find them.
"""

import argparse
import configparser
import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any, Final

VERSION: Final = "1.6"
_ENTRY: Final = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+).*((?:\n +--hash=\S+.*)+)", re.MULTILINE)


def project(setup: str) -> str:
    """Return a pyproject.toml with the metadata that setup.cfg has, which `cyclonedx-py` reads the root from."""
    parser = configparser.ConfigParser()
    parser.read_string(setup)
    metadata, options = parser["metadata"], parser["options"]
    dependencies = [line for line in options["install_requires"].splitlines() if line and not line.startswith("#")]
    fields = {name: metadata[name] for name in ("name", "version", "description", "license")}
    lines = [f"{name} = {json.dumps(value)}" for name, value in (*fields.items(), ("dependencies", dependencies))]
    return "\n".join(["[project]", *lines, ""])


def hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    """Return the SHA-256 of every file that a lock allows, by name and version of the package."""
    return {(name, version): re.findall(r"sha256:(\w+)", rest) for name, version, rest in _ENTRY.findall(lock)}


def add_hashes(bill: dict[str, Any], locked: dict[tuple[str, str], list[str]]) -> None:
    """Add to each component where its files come from. Raises ValueError for one that the lock does not have."""
    for component in bill["components"]:
        name = re.sub(r"[-_.]+", "-", component["name"]).lower()
        allowed = locked.get((name, component["version"]))
        if allowed is None:
            raise ValueError(f"{name} {component['version']} is installed and not locked")
        component.setdefault("externalReferences", []).append(
            {
                "type": "distribution",
                "url": component["purl"],
                "comment": "one of these files, by system and Python",
                "hashes": [{"alg": "SHA-256", "content": each} for each in allowed],
            }
        )


def write(packages: Path, lock: Path, output: Path, setup: str) -> int:
    """Write the bill of a directory of packages; returns how many it has. Raises ValueError if it is not valid."""
    with tempfile.TemporaryDirectory() as scratch:
        root, raw = Path(scratch) / "pyproject.toml", Path(scratch) / "raw.json"
        root.write_text(project(setup))
        bare = Path(scratch) / "bare"
        venv.create(bare, with_pip=False, symlinks=True)
        (site,) = bare.glob("lib/python*/site-packages")
        (site / "packages.pth").write_text(f"{packages.resolve()}\n")
        fixed = ("--output-reproducible", "--no-validate", "--sv", VERSION, "--of", "JSON")  # validated when complete
        command = [sys.executable, "-m", "cyclonedx_py", "environment", *fixed]
        # what is on PYTHONPATH would be taken for a part of the directory
        variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run([*command, "--pyproject", str(root), "-o", str(raw), str(bare)], check=True, env=variables)
        bill = json.loads(raw.read_text())
    add_hashes(bill, hashes(lock.read_text()))
    text = json.dumps(bill, indent=1, sort_keys=True)
    _validate(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(f"{text}\n")
    return len(bill["components"])


def _validate(text: str) -> None:
    validation = importlib.import_module("cyclonedx.validation.json")
    schema = importlib.import_module("cyclonedx.schema").SchemaVersion.from_version(VERSION)
    if (error := validation.JsonStrictValidator(schema).validate_str(text)) is not None:
        raise ValueError(f"the bill of materials is not CycloneDX {VERSION}: {error}")


def main() -> int:
    """Write a bill of materials and print how many components it has; setup.cfg is read from the current directory."""
    parser = argparse.ArgumentParser(prog="sbom.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", type=Path, help="a directory that `pip install --target` filled")
    parser.add_argument("lock", type=Path)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    count = write(given.packages, given.lock, given.output, Path("setup.cfg").read_text())
    sys.stdout.write(f"{given.output}: {count} components\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
