"""Builds `release/` from `config/` with kubectl's kustomize."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from hack import tools

FILES: Final[Mapping[str, str]] = {
    "rolebased/installer.yaml": "default",
    "rolebased/namespaced/crd.yaml": "crd",
    "rolebased/namespaced/operator.yaml": "namespaced",
}
"""File below `release/` -> kustomization below `config/`."""
IMAGE: Final = "amazon-sagemaker-operator-for-k8s:v1"
"""The image that config/manager names; it is replaced where another one is asked for."""


@cache
def build(config: Path, kustomization: str) -> str:
    """The YAML of one kustomization, built once per folder. Raises RuntimeError with what kubectl said."""
    command = [str(tools.find("kubectl")), "kustomize", str(config / kustomization)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{kustomization}: {done.stderr.strip()}")
    return done.stdout


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Every file below `release/` and its content, with `image` in place of the one that config/ names."""
    return {
        name: build(config, kustomization).replace(f"image: {IMAGE}", f"image: {image}")
        for name, kustomization in FILES.items()
    }
