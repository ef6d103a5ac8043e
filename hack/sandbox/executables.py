"""Puts `kubectl` and `sandbox` into the environment's `bin`, so that what `run` prints works from any directory."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from hack.sandbox.samples import REPOSITORY
from hack.tools import LAUNCHER_MARK

COMMAND = "sandbox"
COMMAND_VARIABLE = "SANDBOX_COMMAND"
"""Set by the launcher: what the command line calls itself in its help."""
_MODULES: Mapping[str, str] = {"kubectl": "hack.kubectl", COMMAND: "hack.sandbox"}


def directory(otherwise: Path) -> Path:
    """Return the `bin` of the virtual environment, or `otherwise` outside of one: a system's `bin` is not ours."""
    return Path(sys.executable).parent if sys.prefix != sys.base_prefix else otherwise


def install(target: Path) -> None:
    """Write the launchers into `target` where they are missing or differ. Raises OSError."""
    target.mkdir(parents=True, exist_ok=True)
    for name, module in _MODULES.items():
        path, text = target / name, _launcher(module)
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
            continue
        fresh = target / f".{name}.new"
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(path)


def _launcher(module: str) -> str:
    """Return a script that runs a module of this checkout in this environment, whatever the current directory."""
    variables = f"{COMMAND_VARIABLE}={COMMAND} " if module == _MODULES[COMMAND] else ""
    return (
        f"#!/bin/sh\n# {LAUNCHER_MARK}\n"
        f'PYTHONPATH={shlex.quote(str(REPOSITORY))}"${{PYTHONPATH:+:$PYTHONPATH}}" '
        f'{variables}exec {shlex.quote(sys.executable)} -P -m {module} "$@"\n'
    )
