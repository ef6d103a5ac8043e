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
"""The image in config/manager; replaced if another one is requested."""


@cache
def build(config: Path, kustomization: str) -> str:
    """Return the YAML of one kustomization, built once per folder. Raises RuntimeError with kubectl's message."""
    command = [str(tools.find("kubectl")), "kustomize", str(config / kustomization)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{kustomization}: {done.stderr.strip()}")
    return done.stdout


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Return every file below `release/` with its content, with `image` in place of the one in config/."""
    return {
        name: build(config, kustomization).replace(f"image: {IMAGE}", f"image: {image}")
        for name, kustomization in FILES.items()
    }


def parts(image: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image's name; what it has not is empty.

    A colon before the last slash belongs to the registry's port.
    """
    name, _, digest = image.partition("@")
    path, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return path + slash + last, tag, digest
