"""Generates Argo CD's health checks as a patch of its ConfigMap: one entry per kind, all with the same script."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from api.descriptor import KindDescriptor
from api.meta import GROUP

SCRIPT: Final = Path(__file__).resolve().parents[2] / "config/argocd/health.lua"


def health_checks(kinds: Iterable[KindDescriptor]) -> str:
    """Return a merge patch of the ConfigMap `argocd-cm` (argo-cd.readthedocs.io, operator-manual/health), in YAML.

    Formatted by hand, since users read it: PyYAML would put each script on one long line.
    """
    script = textwrap.indent(SCRIPT.read_text("utf-8"), " " * 4)
    return "data:\n" + "".join(f"  resource.customizations.health.{GROUP}_{each.kind}: |\n{script}" for each in kinds)
