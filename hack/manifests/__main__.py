"""Writes what is derived from something else below config/, release/, hack/charts/ and docs/iam/, and docs/status.md.

python -m hack.manifests                                write the files
python -m hack.manifests --image registry/name:tag      the same, with your image in the installers and charts
python -m hack.manifests --check                        say what would change and exit 1 if anything would: for CI
python -m hack.manifests --kinds TrainingJob,Model --to FOLDER
                                                        write installers, an IAM policy and a configuration of
                                                        kube-state-metrics for these kinds alone
"""

import argparse
import difflib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from api.descriptor import KindDescriptor
from api.v1 import KINDS
from controller.kinds import parse_kinds, selected
from hack.crds import ROOT, to_yaml
from hack.manifests import argocd, charts, dashboard, iam, kube_state_metrics, release, status_page, subset
from hack.manifests.roles import manager_role

_HEADER: Final = "# Made by `python -m hack.manifests`. Do not edit: change hack/manifests or what it reads.\n"
PLACEHOLDER: Final = "PLACEHOLDER-NAMESPACE"


def generate(image: str = release.IMAGE) -> dict[Path, str]:
    """Return every derived file with its content."""
    config = _config_files()
    with tempfile.TemporaryDirectory() as scratch:
        # kustomize reads files: it gets an updated copy of config/, so that one run is enough
        copied = Path(scratch) / "config"
        shutil.copytree(ROOT / "config", copied)
        for path, text in config.items():
            (Path(scratch) / path).write_text(text, "utf-8")
        built = release.generate(copied, image=image)
        files = config | {Path("release") / name: _HEADER + text for name, text in built.items()}
        files |= {Path("hack/charts") / name: text for name, text in charts.generate(copied, image=image).items()}
    files |= {Path("docs/iam") / name: text for name, text in iam.generate().items()}
    files[Path("docs/status.md")] = status_page.page()
    return {ROOT / path: text for path, text in files.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.manifests", description="Generate manifests and charts.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    parser.add_argument("--image", default=release.IMAGE, help="image of the operator (default: %(default)s)")
    parser.add_argument("--kinds", help="kinds to serve, separated by commas; needs --to", type=_kinds, metavar="KINDS")
    parser.add_argument("--to", help="folder for the installers and the policy of --kinds", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    if bool(options.kinds) != bool(options.to) or (options.kinds and options.check):
        parser.error("--kinds and --to belong together, and not to --check")
    if options.kinds:
        some = subset.generate(options.kinds, image=options.image, placeholder=PLACEHOLDER)
        for name, text in some.items():
            _write(options.to / name, text)
        return 0
    files = generate(options.image)
    stale = [path for path, text in files.items() if _read(path) != text]
    for path in stale:
        if options.check:
            sys.stdout.writelines(_difference(path, files[path]))
        else:
            _write(path, files[path])
    return 1 if options.check and stale else 0


def _kinds(text: str) -> tuple[KindDescriptor, ...]:
    try:
        return selected(parse_kinds(text))
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from exc


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    sys.stdout.write(f"wrote {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}\n")


def _config_files() -> dict[Path, str]:
    rbac, state = Path("config/rbac"), Path("config/kube-state-metrics")
    return {
        **{state / name: _HEADER + text for name, text in kube_state_metrics.files(KINDS).items()},
        rbac / "cluster/manager_role.yaml": _HEADER + to_yaml(manager_role(KINDS)),
        rbac / "namespaced/manager_role.yaml": _HEADER + to_yaml(manager_role(KINDS, namespace=PLACEHOLDER)),
        Path("config/grafana/sagemaker-operator.json"): dashboard.as_json(),
        Path("config/argocd/health.yaml"): _HEADER + argocd.health_checks(KINDS),
    }


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _difference(path: Path, wanted: str) -> list[str]:
    name = str(path.relative_to(ROOT))
    lines = difflib.unified_diff(_read(path).splitlines(True), wanted.splitlines(True), name, f"{name} (generated)")
    return list(lines)


if __name__ == "__main__":
    sys.exit(main())
