"""Loads service models: the operator's own, which hold what it calls, or those in a dictionary.

Botocore's model of SageMaker has 434 operations, and its list of endpoints 300 services. Parsed they take 15 MB and a
fifth of a second in every process, for the forty operations that the operator calls. `service_models/` has these
operations, whole but without prose, and the endpoints of their services, in the version that the CRDs are generated
from; `hack/models.py` takes them from botocore.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ServiceModel

SERVICE_MODELS: Final = Path(__file__).parent / "service_models"
"""A data path as botocore has it: service, API version, type of the file."""


class _PlainFiles(JSONFileLoader):  # type: ignore[misc]  # botocore has no annotations
    """Reads data into dictionaries, which keep their order: botocore's are ordered ones, of nearly twice the size."""

    def load_file(self, file_path: str) -> Any:
        """Return the decoded file, None if there is none."""
        try:
            text = Path(f"{file_path}.json").read_bytes()
        except OSError:  # a compressed one, or what botocore passes over, such as a folder that others may not enter
            return super().load_file(file_path)
        return json.loads(text)


class _Services:
    """The names of services that have a model of a type. Reading the folders of all takes longer than a model."""

    def __init__(self, loader: Loader, model_type: str, names: Callable[[], Iterable[str]]) -> None:
        self._loader = loader
        self._model_type = model_type
        self._names = names

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self._loader.list_api_versions(name, self._model_type))
        except DataNotFoundError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())


class _OurLoader(Loader):  # type: ignore[misc]  # botocore has no annotations
    """Knows whether a service exists without a look at all others."""

    def list_available_services(self, type_name: str) -> _Services:
        """Return the names of services with a model of this type."""
        return _Services(self, type_name, partial(super().list_available_services, type_name))


@cache
def shared_loader() -> Any:
    """Return the one `botocore.loaders.Loader` of this process. It keeps what it has parsed; thread-safe.

    The fields of kinds, and the clients of all identities, are made from one copy. A model of the user's comes first,
    in a folder that AWS_DATA_PATH names or in `~/.aws/models`, then the operator's, then botocore's.
    """
    of_session = botocore.session.Session().get_component("data_loader").search_paths
    first = [path for path in of_session if path != Loader.BUILTIN_DATA_PATH]
    paths = [*first, str(SERVICE_MODELS), Loader.BUILTIN_DATA_PATH]
    return _OurLoader(paths, _PlainFiles(), include_default_search_paths=False)


def load(service: str) -> Mapping[str, Any]:
    """Return the API description of `service` that clients use. It is shared: copy it to change it.

    Raises botocore's UnknownServiceError.
    """
    description: Mapping[str, Any] = shared_loader().load_service_model(service, "service-2")
    return description


def as_model(service: str, description: Mapping[str, Any]) -> ServiceModel:
    """Return the description as shapes and operations."""
    return ServiceModel(description, service)
