"""The version of the operator: from the package's metadata, with the commit that the image was built from."""

import os
import platform
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

DISTRIBUTION = "sagemaker-k8s-operator"


@cache
def version() -> str:
    """Return the version of the installed distribution, `0+unknown` if the sources run without installation."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "0+unknown"


def commit() -> str:
    """Return the commit that the image was built from: the build sets `OPERATOR_COMMIT`; empty elsewhere."""
    return os.environ.get("OPERATOR_COMMIT", "")


def user_agent() -> str:
    """Return the User-Agent for the Kubernetes API, in client-go's form `name/version (os/arch) commit`."""
    return f"{DISTRIBUTION}/{version()} ({platform.system().lower()}/{platform.machine()}) {commit() or 'unknown'}"


def register_build_info(registry: "CollectorRegistry") -> None:
    """Register `sagemaker_operator_build_info`, a gauge that is always 1, with the build as labels."""
    from prometheus_client import Gauge  # noqa: PLC0415 - `--version` needs no metrics

    gauge = Gauge(
        "sagemaker_operator_build_info",
        "What is running; always 1.",
        ["version", "commit", "python"],
        registry=registry,
    )
    gauge.labels(version(), commit() or "unknown", platform.python_version()).set(1)
