"""Loads service models: from the installed botocore, or from a dictionary."""

from collections.abc import Mapping
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel


def load_installed(service: str) -> dict[str, Any]:
    """Return the API description of `service` from the installed botocore: a large dictionary, owned by the caller.

    A new loader reads it, so it is freed after use: parsed, the SageMaker model takes tens of MB, of which a kind's
    fields are a few hundred small objects. Raises botocore's UnknownServiceError.
    """
    description: dict[str, Any] = Loader(include_default_search_paths=True).load_service_model(service, "service-2")
    return description


def as_model(service: str, description: Mapping[str, Any]) -> ServiceModel:
    """Return the description as shapes and operations."""
    return ServiceModel(description, service)
