"""Takes out of an installation what the operator never loads, and proves that the rest still serves it.

`python slim.py /app` runs in the build stage of the Dockerfile, on what pip laid below /app. Half of it is for others:
the models of four hundred AWS services, and the asynchronous half of the Kubernetes client with the HTTP library that
only it uses. Scanners report the defects of everything that lies there, loaded or not. Measured with Python 3.13 on
x86-64, byte code included: 205 MB as installed, 85 MB in the image, whose base has 58 MB.

The proof is an import of every module of the product and a client for every AWS service that is left; the build fails
where one of them misses something.
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
    "logs",  # kubectl smlogs, which the image can run, too
    # botocore's own, to get credentials: web identity and roles, and the log-ins of a developer's profile
    "signin",
    "sso",
    "sso-oidc",
    "sts",
)
"""AWS services whose models stay."""
FOLDERS: Final = ("kubernetes/aio", "bin", "boto3/examples")
"""Not imported by anything that we import."""
DISTRIBUTIONS: Final = (
    "aiohappyeyeballs",
    "aiohttp",
    "aiohttp-retry",
    "aiosignal",
    "attrs",
    "frozenlist",
    "multidict",
    "propcache",
    "yarl",
)
"""Installed for kubernetes/aio alone."""


def slim(installation: Path) -> None:
    """Delete from `installation` (a directory that `pip install --target` filled) what is listed above.

    Raises FileNotFoundError where botocore or a model that must stay is not there. Running it again changes nothing.
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
    """Import every module of the product and make every AWS client; returns the number of modules.

    Raises what the first of them raises. Calls nobody: clients are made, not used.
    """
    names = [
        module.name
        for package in ("api", "controller")
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}.")
    ]
    for name in names:
        importlib.import_module(name)
    session = importlib.import_module("boto3.session").Session()
    for service in SERVICES:
        session.client(service, region_name="us-east-1")
    return len(names)


def main(arguments: list[str]) -> int:
    """Slim the directory that is the only argument, which must come first on Python's path, then prove it."""
    installation = Path(arguments[0])
    slim(installation)
    sys.path.insert(0, str(installation))
    modules = prove()
    size = sum(file.stat().st_size for file in installation.rglob("*") if file.is_file())
    sys.stdout.write(f"{installation}: {modules} modules import, {size / 1e6:.0f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
