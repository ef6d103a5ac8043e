"""Who uses a model or an endpoint configuration, as far as the objects of the cluster tell."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from api.meta import GROUP, JsonObject
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL

MODELS: Final = "models"
"""Index of EndpointConfigs by the SageMaker names of their models."""
CONFIGURATION: Final = "configuration"
"""Index of HostingDeployments by the SageMaker name of the configuration that their endpoint runs with."""


def models_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `MODELS`."""
    spec = obj.get("spec") or {}
    for field in ("productionVariants", "shadowProductionVariants"):
        variants = spec.get(field)
        for variant in variants if isinstance(variants, list) else ():  # what is none is for the conversion to refuse
            if isinstance(variant, Mapping) and variant.get("modelName"):
                yield str(variant["modelName"])


def configuration_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `CONFIGURATION`; a deployment whose endpoint is gone uses nothing."""
    status = obj.get("status") or {}
    if status.get("endpointConfigName") and status.get("awsResource"):
        yield str(status["endpointConfigName"])


class IndexedReader(Protocol):
    """A store with indexes; `runtime.store.Store` is one."""

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Copies of the objects that the index knows under `value`."""
        ...


class Usage:
    """Looks users up. Thread-safe."""

    def __init__(self, configurations: IndexedReader, deployments: IndexedReader) -> None:
        self._sources: Mapping[str, tuple[IndexedReader, str, str]] = {
            MODEL.kind: (configurations, MODELS, ENDPOINT_CONFIG.kind),
            ENDPOINT_CONFIG.kind: (deployments, CONFIGURATION, HOSTING_DEPLOYMENT.kind),
        }

    def users(self, kind: str, name: str) -> tuple[str, ...]:
        """Who uses the resource `name` of `kind`, e.g. `EndpointConfig default/a`."""
        return tuple(
            f"{self._sources[kind][2]} {user['metadata'].get('namespace', '')}/{user['metadata']['name']}"
            for user in self._users(kind, name)
        )

    def is_child_in_use(self, kind: str, obj: JsonObject, name: str) -> bool:
        """Whether a child is used by its deployment or by another of its children."""
        owner = controller_of(obj)
        if owner is None:
            return False
        return any(_is_same(user, owner) or controller_of(user) == owner for user in self._users(kind, name))

    def _users(self, kind: str, name: str) -> list[JsonObject]:
        store, index, _ = self._sources[kind]
        return store.by_index(index, name)


def controller_of(obj: Mapping[str, Any]) -> str | None:
    """The uid of the HostingDeployment that controls an object."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        group = str(reference.get("apiVersion", "")).partition("/")[0]
        if reference.get("controller") and (group, reference.get("kind")) == (GROUP, HOSTING_DEPLOYMENT.kind):
            return str(reference.get("uid"))
    return None


def _is_same(obj: JsonObject, uid: str) -> bool:
    return bool(obj["metadata"].get("uid") == uid)
