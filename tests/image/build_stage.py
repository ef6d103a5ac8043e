"""Does what the build stage of the Dockerfile does, below a scratch directory: `make test-image-build`.

No engine and no base image are needed, so CI can run it: the steps are the Dockerfile's own, with `/app` and the other
directories moved, and the Python is the one that runs this. What only an engine shows (the base, the user, the layers)
is left to `make image` and `make test-image`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hack.setup.installers import ROOT, SetupError, pip_command
from tests.dockerfile import DOCKERFILE, Stage, stages

LIMIT_MB: Final = 60
"""The size of /app, all of the image but its base; 50 MB with Python 3.13 when this was written."""
_MOVED: Final = re.compile(r"(?<![\w./-])/(?=(?:app|release|src)\b)")


def main() -> int:
    """Run the steps; returns 1 if one fails or the result is too big."""
    began = time.monotonic()
    _, (build, last) = stages(DOCKERFILE.read_text())
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        try:
            environment = {**os.environ, **build.variables("ENV"), "PATH": f"{_python(root)}:{os.environ['PATH']}"}
        except SetupError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        environment.pop("PYTHONPATH", None)
        if not _built(build, root, environment):
            return 1
        environment["PYTHONPATH"] = str(root / "app")
        if subprocess.run(last.form("RUN"), cwd=root, env=environment, check=False).returncode != 0:
            return 1
        size_mb = sum(each.stat().st_size for each in (root / "app").rglob("*") if each.is_file()) / 1e6
    print(f"/app has {size_mb:.1f} MB; after {time.monotonic() - began:.0f} s")
    if size_mb > LIMIT_MB:
        print(f"error: more than {LIMIT_MB} MB; what nobody loads belongs into hack/slim.py", file=sys.stderr)
        return 1
    return 0


def _python(root: Path) -> Path:
    """Make the environment that stands for the base image; returns its `bin`, with a pip that installs there.

    Raises SetupError if this Python has no pip.
    """
    home = root / "python"
    venv.create(home, symlinks=True)
    pip = home / "bin" / "pip"
    command = " ".join(pip_command(root))
    pip.write_text(f'#!/bin/sh\nexec {command} --python {home}/bin/python "$@"\n')
    pip.chmod(0o755)
    return home / "bin"


def _built(stage: Stage, root: Path, environment: Mapping[str, str]) -> bool:
    """Do the steps of a stage in their order; returns whether all of them succeeded."""
    folder = root
    for word, rest in stage.instructions:
        match word:
            case "WORKDIR":
                folder = root / rest.lstrip("/")
                folder.mkdir(parents=True)
            case "COPY":
                *sources, target = rest.split()
                for source in sources:
                    _copy(ROOT / source, folder / target, is_into=target.endswith("/"))
            case "RUN":
                command = _MOVED.sub(f"{root}/", rest)
                print(f"+ {rest}", flush=True)
                if subprocess.run(["sh", "-e", "-c", command], cwd=folder, env=environment, check=False).returncode:
                    return False
            case "ENV":
                pass
            case _:
                raise ValueError(f"{word} in the build stage: say here what it does")
    return True


def _copy(source: Path, target: Path, *, is_into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True) if is_into else target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main())
