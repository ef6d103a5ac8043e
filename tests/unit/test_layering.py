"""The import arrows: app → reconcile → (aws | kube) → runtime → observability, api; nothing points up or sideways."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BELOW = {
    "api": (),
    "controller.observability": (),
    "controller.runtime": ("controller.observability.registry", "api.meta"),
    "controller.aws": ("controller.runtime", "controller.observability", "api"),
    "controller.kube": ("controller.runtime", "controller.observability", "api"),
    "controller.reconcile": (
        "controller.aws",
        "controller.kube",
        "controller.runtime",
        "controller.observability",
        "api",
    ),
    "controller.metricsproxy": ("controller.kube", "controller.runtime", "controller.observability", "api"),
    "controller.smlogs": ("controller.aws", "controller.runtime", "controller.observability", "api"),
}
"""What of ours each package may import, itself apart; modules directly in `controller` may import all of it."""
LEAVES = ("controller.flagvalues", "controller.version")
"""Modules without imports of ours, which everybody in `controller` may use."""
ONLY_IN = {
    "kubernetes": ("controller.kube",),
    "boto3": ("controller.aws", "api"),
    "botocore": ("controller.aws", "api"),
}
OURS = ("api", "controller", "hack", "tests")
FILES = sorted(path.relative_to(ROOT) for top in ("api", "controller") for path in (ROOT / top).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules, or of what is taken from them, that the file at `path` imports anywhere."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_in(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_downwards(path: Path) -> None:
    """CONTRIBUTING.md; also: no product code imports `hack` or `tests`, and each SDK has one place."""
    module = ".".join(path.with_suffix("").parts)
    home = next((package for package in BELOW if is_in(module, (package,))), "controller")
    allowed = (
        ("controller", "api") if home == "controller" else (home, *BELOW[home], *(() if home == "api" else LEAVES))
    )

    names = list(imports(path))
    upward = [name for name in names if is_in(name, OURS) and not is_in(name, allowed)]
    misplaced = [name for name in names for sdk, homes in ONLY_IN.items() if is_in(name, (sdk,)) and home not in homes]

    assert not upward, f"{module} may import {allowed} only"
    assert not misplaced, f"{module} is not the place for these"
