"""Writes everything that is generated from the kinds: CRDs with their list, pages, JSON schemas, models.

    python -m hack.crds             write the files
    python -m hack.crds --check     say what would change and exit 1 if anything would: for CI
    python -m hack.crds --refresh   first take snapshots and client models from the installed botocore

The input is the descriptors in `api/v1` and the snapshots in `hack/snapshots`, never the installed botocore, so the
output is the same on every machine. To include AWS's additions: upgrade botocore, run with `--refresh`, read the
differences (a new enum value, a looser limit), and commit snapshot, CRDs and pages together.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from api.descriptor import KindDescriptor
from api.fields import build
from api.meta import GROUP, JsonObject
from api.models import as_model
from api.schema.crd import custom_resource_definition
from api.v1 import KINDS
from hack import apidocs, client_models, models, schemas

ROOT: Final = Path(__file__).parent.parent
CRDS: Final = ROOT / "config" / "crd" / "bases"
DOCS: Final = ROOT / "docs" / "api"
SCHEMAS: Final = ROOT / "docs" / "schemas"
CLIENT: Final = ROOT / "api" / "client" / "models"

_HEADER: Final = "# Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.\n"


def generate() -> dict[Path, str]:
    """Return every generated file with its content."""
    files: dict[Path, str] = {}
    for descriptor in KINDS:
        snapshot = models.read(descriptor.service)
        fields = build(descriptor, as_model(descriptor.service, snapshot))
        crd = custom_resource_definition(descriptor, fields, models.label(descriptor, snapshot))
        files[CRDS / f"{GROUP}_{descriptor.plural}.yaml"] = _HEADER + to_yaml(crd)
        files[DOCS / f"{descriptor.singular}.md"] = apidocs.page(descriptor, fields)
        files[SCHEMAS / schemas.file_name(descriptor)] = schemas.schema(descriptor, crd)
        files[CLIENT / f"{descriptor.singular}.py"] = client_models.module(descriptor, crd)
    files[DOCS / "README.md"] = apidocs.index(KINDS)
    files[SCHEMAS / schemas.ALL] = schemas.all_kinds(KINDS)
    files[CLIENT / "__init__.py"] = client_models.index(KINDS)
    bases = sorted(f"{path.parent.name}/{path.name}" for path in files if path.parent == CRDS)
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "labels": [{"pairs": {"app.kubernetes.io/name": "sagemaker-k8s-operator"}}],
        "resources": bases,
    }
    files[CRDS.parent / "kustomization.yaml"] = _HEADER + to_yaml(kustomization)
    return files


def refresh() -> None:
    """Take snapshots and client models from the installed botocore."""
    for service, kinds in _by_service().items():
        path = models.path_of(service)
        path.parent.mkdir(exist_ok=True)
        path.write_text(models.text_of(models.take(models.installed(service), kinds)), "utf-8")
    for service, operations in models.client_models().items():
        description = models.installed(service)
        path = models.client_model_path(service, description)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(models.text_of(models.client_model(description, operations)), "utf-8")
    models.ENDPOINTS.write_text(models.text_of(models.endpoints(models.installed_endpoints())), "utf-8")


def to_yaml(value: JsonObject) -> str:
    """Return YAML in a stable form: sorted keys, unwrapped lines, no anchors."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=True, width=10_000, allow_unicode=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.crds", description="Generate CRDs and reference pages.")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not up to date")
    modes.add_argument("--refresh", action="store_true", help="take the service models of the installed botocore first")
    options = parser.parse_args(arguments)
    if options.refresh:
        refresh()
    files = generate()
    stale = [path for path, text in files.items() if _read(path) != text]
    if options.check:
        for path in stale:
            sys.stdout.writelines(_difference(path, files[path]))
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], "utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


def _by_service() -> dict[str, list[KindDescriptor]]:
    services: dict[str, list[KindDescriptor]] = {}
    for kind in KINDS:
        services.setdefault(kind.service, []).append(kind)
    return services


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _difference(path: Path, wanted: str) -> list[str]:
    name = str(path.relative_to(ROOT))
    lines = difflib.unified_diff(_read(path).splitlines(True), wanted.splitlines(True), name, f"{name} (generated)")
    return list(lines)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base's signature
        return True


if __name__ == "__main__":
    sys.exit(main())
