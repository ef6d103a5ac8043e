"""Finds the users of models and endpoint configurations among the objects of the cluster."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.annotations import LAST_UPDATE_ATTEMPT
from api.meta import GROUP, JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile.hosting import DELETING, SETTLED
from controller.reconcile.ports import ObjectReader

MODELS: Final = "models"
"""Index of EndpointConfigs by the SageMaker names of their models."""
CONFIGURATION: Final = "configuration"
"""Index of HostingDeployments by the SageMaker name of the configuration that their endpoint runs with."""


def models_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `MODELS`."""
    spec = obj.get("spec") or {}
    for field in ("productionVariants", "shadowProductionVariants"):
        variants = spec.get(field)
        for variant in variants if isinstance(variants, list) else ():  # the conversion reports what is no list
            if isinstance(variant, Mapping) and variant.get("modelName"):
                yield str(variant["modelName"])


def configuration_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `CONFIGURATION`; a deployment without an endpoint uses nothing."""
    status = obj.get("status") or {}
    if status.get("endpointConfigName") and status.get("awsResource"):
        yield str(status["endpointConfigName"])


class Users:
    """Finds users of resources. Thread-safe."""

    def __init__(self, configurations: ObjectReader, deployments: ObjectReader) -> None:
        self._deployments = deployments
        self._sources: Mapping[str, tuple[ObjectReader, str, str]] = {
            MODEL.kind: (configurations, MODELS, ENDPOINT_CONFIG.kind),
            ENDPOINT_CONFIG.kind: (deployments, CONFIGURATION, HOSTING_DEPLOYMENT.kind),
        }

    def of(self, kind: str, name: str) -> tuple[str, ...]:
        """Return the users of the resource `name` of `kind`, e.g. `EndpointConfig default/a`."""
        return tuple(
            f"{self._sources[kind][2]} {user['metadata'].get('namespace', '')}/{user['metadata']['name']}"
            for user in self._using(kind, name)
        )

    def is_child_in_use(self, kind: str, obj: JsonObject, name: str) -> bool:
        """Return whether a child is used by its deployment or by another of its children.

        While SageMaker changes the endpoint, a deployment's status shows the previous configuration, or none if the
        status was cleared: then all children with an AWS resource count as used.
        """
        owner = controller_of(obj)
        if owner is None:
            return False
        if any(_is_same(user, owner) or controller_of(user) == owner for user in self._using(kind, name)):
            return True
        return bool((obj.get("status") or {}).get("awsResource")) and self._is_busy(obj, owner)

    def _is_busy(self, child: JsonObject, uid: str) -> bool:
        references = child["metadata"].get("ownerReferences") or ()
        owner_name = next((str(each["name"]) for each in references if each.get("uid") == uid), "")
        owner = self._deployments.get(ObjectKey(child["metadata"].get("namespace") or "", owner_name))
        if owner is None or not _is_same(owner, uid):
            return False
        status, metadata = owner.get("status") or {}, owner["metadata"]
        has_endpoint = LAST_UPDATE_ATTEMPT.key in (metadata.get("annotations") or {})  # put there when it was created
        if has_endpoint and not status.get("endpointConfigName") and not metadata.get("deletionTimestamp"):
            return True
        value = status.get(HOSTING_DEPLOYMENT.status.field) or DELETING
        return value != DELETING and value not in SETTLED

    def _using(self, kind: str, name: str) -> list[JsonObject]:
        store, index, _ = self._sources[kind]
        return store.by_index(index, name)


def controller_of(obj: Mapping[str, Any]) -> str | None:
    """Return the uid of the HostingDeployment that controls an object."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        group = str(reference.get("apiVersion", "")).partition("/")[0]
        if reference.get("controller") and (group, reference.get("kind")) == (GROUP, HOSTING_DEPLOYMENT.kind):
            return str(reference.get("uid"))
    return None


def _is_same(obj: JsonObject, uid: str) -> bool:
    return bool(obj["metadata"].get("uid") == uid)
