"""Builds what an installation of some kinds only needs: installers, IAM policy, kube-state-metrics' configuration."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from api.descriptor import KindDescriptor
from api.meta import GROUP
from hack.crds import ROOT, to_yaml
from hack.manifests import iam, kube_state_metrics, release
from hack.manifests.roles import manager_role

POLICY: Final = "iam.json"
STATE_METRICS: Final = "kube-state-metrics"
_LAST_ARGUMENT: Final = "            - --metrics-addr=127.0.0.1:8080\n"
"""In config/manager/manager.yaml: the flag goes after it."""


def generate(kinds: Sequence[KindDescriptor], *, image: str, placeholder: str) -> dict[str, str]:
    """Return the files of `release/`, the policy and the folder of kube-state-metrics, with what these kinds need.

    Children's kinds are among them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "config"
        shutil.copytree(ROOT / "config", config)
        _restrict(config, kinds, placeholder)
        return release.generate(config, image=image) | {POLICY: iam.policy(kinds)} | _state_metrics(kinds)


def _state_metrics(kinds: Sequence[KindDescriptor]) -> dict[str, str]:
    kustomization = "kustomization.yaml"
    files = {kustomization: (ROOT / "config" / STATE_METRICS / kustomization).read_text("utf-8")}
    return {f"{STATE_METRICS}/{name}": text for name, text in (files | kube_state_metrics.files(kinds)).items()}


def _restrict(config: Path, kinds: Sequence[KindDescriptor], placeholder: str) -> None:
    roles = config / "rbac"
    (roles / "cluster/manager_role.yaml").write_text(to_yaml(manager_role(kinds)), "utf-8")
    (roles / "namespaced/manager_role.yaml").write_text(to_yaml(manager_role(kinds, namespace=placeholder)), "utf-8")
    wanted = {f"- bases/{GROUP}_{kind.plural}.yaml" for kind in kinds}
    crds = config / "crd" / "kustomization.yaml"
    lines = crds.read_text("utf-8").splitlines()
    kept = (line for line in lines if not line.startswith("- bases/") or line in wanted)
    crds.write_text("\n".join([*kept, ""]), "utf-8")
    manager = config / "manager" / "manager.yaml"
    flag = f"            - --kinds={','.join(kind.kind for kind in kinds)}\n"
    manager.write_text(manager.read_text("utf-8").replace(_LAST_ARGUMENT, _LAST_ARGUMENT + flag), "utf-8")
