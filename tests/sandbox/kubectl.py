"""Real kubectl on a world's cluster, and its tables."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hack import tools
from tests.deadline import PATIENCE_S

TIMEOUT = f"--timeout={PATIENCE_S:g}s"
"""How long kubectl waits for what must become true."""
UNCOLLECTED: Final = {"GOGC": "off"}
"""In the environment of kubectl, helm and promtool: they end before memory is short, and a fifth of their CPU would be
spent on collecting garbage."""

Kubectl = Callable[..., subprocess.CompletedProcess[str]]


def kubectl_for(kubeconfig: Path, directory: Path) -> Kubectl:
    """Runs kubectl; fails the test where it exits with another code than `code`."""
    binary = tools.find("kubectl")

    def run(*arguments: str, code: int = 0, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        cache = f"--cache-dir={directory / 'kube-cache'}"  # not the user's, which other servers share
        command = [str(binary), "--kubeconfig", str(kubeconfig), cache, *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False, cwd=directory
        )
        assert done.returncode == code, f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    return run


def rows(table: str) -> list[list[str]]:
    """Cells of a kubectl table; columns are two spaces or more apart."""
    return [re.split(r" {2,}", line.rstrip()) for line in table.splitlines()]
