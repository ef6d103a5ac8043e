"""Removes from an installation what the operator never loads, and verifies that the rest still works.

`python slim.py /app` runs in the build stage of the Dockerfile, on pip's installation below /app. Most of it is unused:
the models of four hundred AWS services, the Kubernetes client's classes for other APIs than custom objects, and its
asynchronous half with the HTTP library that only it uses. Scanners report the defects of every installed file, loaded
or not. Measured with Python 3.13 on x86-64, byte code included: 205 MB as installed, 50 MB in the image.

The verification imports every module of the operator and creates a client for every remaining AWS service; the build
fails if one of them misses something.
"""

import importlib
import pkgutil
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

SERVICES: Final = (
    "application-autoscaling",
    "sagemaker",
    "sqs",  # --status-queue
    "logs",  # kubectl smlogs, which the image can run as well
    # used by botocore for credentials: web identity and roles, and the log-ins of a developer's profile
    "signin",
    "sso",
    "sso-oidc",
    "sts",
)
"""AWS services of which the models are kept."""
ASYNCHRONOUS: Final = "kubernetes/aio"
"""A second client, half of the package. Environments for development leave it out, too (hack/setup)."""
FOR_ASYNCHRONOUS: Final = (
    "aiohappyeyeballs",
    "aiohttp",
    "aiohttp-retry",
    "aiosignal",
    "frozenlist",
    "multidict",
    "propcache",
    "yarl",
)
"""Distributions that only it uses."""
DISTRIBUTIONS: Final = (*FOR_ASYNCHRONOUS, "attrs")
"""Not used in the image. Others use attrs, where they are installed."""
FOLDERS: Final = (ASYNCHRONOUS, "bin")
"""Not imported by any module that the operator imports."""
CLASSES: Final = ("kubernetes/client/api", "kubernetes/client/models")
"""The Kubernetes client's classes, a module each, which the package loads when one is used."""
KEPT_CLASSES: Final = (
    *("__init__", "custom_objects_api"),
    *("v1_api_resource", "v1_api_resource_list", "v1_delete_options", "v1_preconditions"),
)
"""What `api.client` uses: the API of custom objects, and the models that this one names."""


def slim(installation: Path) -> None:
    """Delete the items listed above from `installation` (a directory that `pip install --target` filled).

    Raises FileNotFoundError if botocore or a model to keep is missing. Idempotent.
    """
    models = installation / "botocore" / "data"
    for service in SERVICES:
        if not (models / service).is_dir():
            raise FileNotFoundError(f"{models / service}: botocore has no model of this service; change SERVICES")
    for model in models.iterdir():
        if model.is_dir() and model.name not in SERVICES:
            shutil.rmtree(model)
    for folder in FOLDERS:
        shutil.rmtree(installation / folder, ignore_errors=True)
    for folder in CLASSES:
        for module in (installation / folder).glob("*.py"):
            if module.stem not in KEPT_CLASSES:
                module.unlink()
    for distribution in list(metadata.distributions(path=[str(installation)])):
        if distribution.name in DISTRIBUTIONS:
            _uninstall(distribution, installation)


def _uninstall(distribution: metadata.Distribution, installation: Path) -> None:
    """Delete the files of a distribution, and the folders that have nothing else in them."""
    files = [installation / each for each in distribution.files or ()]
    for file in files:
        file.unlink(missing_ok=True)
    for folder in sorted({parent for file in files for parent in file.parents}, reverse=True):
        if installation in folder.parents and folder.is_dir() and not any(each.is_file() for each in folder.rglob("*")):
            shutil.rmtree(folder)


def prove() -> int:
    """Import every module of the operator and create every client; returns the number of modules.

    Raises the first exception. Makes no calls: clients are created, not used.
    """
    names = [
        module.name
        for package in ("api", "controller")
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    ]
    for name in names:
        importlib.import_module(name)
    importlib.import_module("kubernetes").client.CustomObjectsApi()
    session = importlib.import_module("botocore.session").get_session()
    for service in SERVICES:
        session.create_client(service, region_name="us-east-1")
    return len(names)


def main(arguments: list[str]) -> int:
    """Slim the directory in the only argument, which must be first on Python's path, then verify it."""
    installation = Path(arguments[0])
    slim(installation)
    sys.path.insert(0, str(installation))
    modules = prove()
    size = sum(file.stat().st_size for file in installation.rglob("*") if file.is_file())
    sys.stdout.write(f"{installation}: {modules} modules import, {size / 1e6:.0f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
