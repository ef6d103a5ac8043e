"""Finds the users of models and endpoint configurations among the objects of the cluster."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from api.annotations import LAST_UPDATE_ATTEMPT
from api.meta import GROUP, JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT, MODEL
from controller.reconcile import reasons
from controller.reconcile.dependencies import MODEL_NAMES_FIELD
from controller.reconcile.hosting import DELETING, INTENT, OWNERS, SETTLED, is_torn_down
from controller.reconcile.observation import Recorded
from controller.reconcile.ports import NoObjects, ObjectReader
from controller.reconcile.resource.observation import FOREIGN
from controller.reconcile.status.copies import is_copied, own_claims
from controller.reconcile.status.notes import note_of, parsed
from controller.reconcile.status.patch import noted_resource, recorded_in

MODELS: Final = "models"
"""Index of EndpointConfigs by the SageMaker names of their models."""
CONFIGURATION: Final = "configuration"
"""Index of HostingDeployments by the SageMaker name of the configuration that their endpoint runs with."""


def models_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `MODELS`: what the spec names, and what its objects were when it was created with them."""
    spec = obj.get("spec") or {}
    for reference in ENDPOINT_CONFIG.references:
        yield from reference.names_in(spec)
    for noted in (obj.get("status") or {}).get(MODEL_NAMES_FIELD) or ():
        yield str(noted.get("value") or "")


def models_of_component(obj: JsonObject) -> Iterable[str]:
    """Index function for `MODELS` of InferenceComponents: what the spec names, and what runs or has run until now."""
    spec = obj.get("spec") or {}
    for reference in INFERENCE_COMPONENT.references:
        if reference.kind == MODEL.kind:
            yield from reference.names_in(spec)
    for noted in (obj.get("status") or {}).get(MODEL_NAMES_FIELD) or ():
        yield str(noted.get("value") or "")


def configuration_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `CONFIGURATION`; a deployment without an endpoint uses nothing, nor does a restored copy."""
    status = obj.get("status") or {}
    recorded = recorded_in(status)
    if status.get("endpointConfigName") and recorded is not None and not is_copied(obj["metadata"], recorded):
        yield str(status["endpointConfigName"])


class Users:
    """Finds users of resources. Thread-safe."""

    def __init__(
        self,
        models: ObjectReader,
        configurations: ObjectReader,
        deployments: ObjectReader,
        components: ObjectReader | None = None,
    ) -> None:
        self._deployments = deployments
        self._children = {MODEL.kind: models, ENDPOINT_CONFIG.kind: configurations}
        self._sources: Mapping[str, tuple[tuple[ObjectReader, str, str], ...]] = {
            MODEL.kind: (
                (configurations, MODELS, ENDPOINT_CONFIG.kind),
                (components or NoObjects(), MODELS, INFERENCE_COMPONENT.kind),
            ),
            ENDPOINT_CONFIG.kind: ((deployments, CONFIGURATION, HOSTING_DEPLOYMENT.kind),),
        }

    def of(self, kind: str, name: str) -> tuple[str, ...]:
        """Return the users of the resource `name` of `kind`, e.g. `EndpointConfig default/a`."""
        return tuple(
            f"{user_kind} {user['metadata'].get('namespace', '')}/{user['metadata']['name']}"
            for store, index, user_kind in self._sources[kind]
            for user in store.by_index(index, name)
        )

    def is_child_in_use(self, kind: str, obj: JsonObject, name: str) -> bool:
        """Return whether a child is used by its deployment or by another of its children.

        While SageMaker changes the endpoint, a deployment's status shows the previous configuration, or none if the
        status was cleared: then all children that may have an AWS resource count as used. Where the status of a
        child was cleared, its annotation says so.
        """
        owner = self._owner_of(obj)
        if owner is None:
            return False
        uid = owner["metadata"]["uid"]
        if any(_is_same(user, uid) or controller_of(user) == uid for user in self._using(kind, name)):
            return True
        may_have = (obj.get("status") or {}).get("awsResource") or own_claims(obj["metadata"])
        return bool(may_have) and _is_busy(owner)

    def is_superseded(self, obj: JsonObject) -> bool:
        """Return whether an object that is being deleted is a child of a deployment that lives on without it."""
        deployment = self._owner_of(obj)
        return deployment is not None and not deployment["metadata"].get("deletionTimestamp")

    def handed_over_to(self, obj: JsonObject) -> Recorded | None:
        """Return what a child is to take over from another one of its deployment, as its annotation says."""
        recorded = noted_resource(obj["metadata"])
        return recorded if recorded is not None and recorded.owner_uid and self._owner_of(obj) is not None else None

    def preceding(self, kind: str, obj: JsonObject) -> JsonObject | None:
        """Return the child that `obj` succeeds; None once it is gone."""
        recorded = self.handed_over_to(obj)
        uid = recorded.owner_uid if recorded is not None else ""
        return next((each for each in self._siblings(kind, obj) if _is_same(each, uid)), None)

    def successors_of(self, kind: str, obj: JsonObject) -> dict[str, str]:
        """Return the names of children that have claimed what `obj` has at SageMaker, by that: they delete it in time.

        Of two that have claimed one resource and are both being deleted, only the one that preceded the other is let
        go. All are in one store, so that each does not see the other stay.
        """
        uid = obj["metadata"]["uid"]
        found: dict[str, str] = {}
        there = own_claims(obj["metadata"])
        for each in self._siblings(kind, obj):
            metadata = each["metadata"]
            recorded, claims = noted_resource(metadata), own_claims(metadata)
            names = {recorded.name} if recorded is not None and recorded.owner_uid == uid else set()
            if metadata["uid"] != uid and not metadata.get("deletionTimestamp"):
                names |= there.keys()
            found |= {name: str(metadata["name"]) for name in names if claims.get(name, FOREIGN) != FOREIGN}
        return found

    def _siblings(self, kind: str, obj: JsonObject) -> list[JsonObject]:
        """Return the children of that kind of the same deployment."""
        owner = controller_of(obj)
        there = self._children[kind].by_index(OWNERS, owner) if owner is not None else []
        namespace = obj["metadata"].get("namespace")
        return [
            each for each in there if controller_of(each) == owner and each["metadata"].get("namespace") == namespace
        ]

    def _owner_of(self, child: JsonObject) -> JsonObject | None:
        """Return the deployment that controls a child; None without one, and for a copy in another namespace."""
        uid, references = controller_of(child), child["metadata"].get("ownerReferences") or ()
        name = next((str(each["name"]) for each in references if each.get("uid") == uid), "")
        owner = self._deployments.get(ObjectKey(child["metadata"].get("namespace") or "", name)) if name else None
        return owner if owner is not None and uid is not None and _is_same(owner, uid) else None

    def _using(self, kind: str, name: str) -> list[JsonObject]:
        return [user for store, index, _ in self._sources[kind] for user in store.by_index(index, name)]


def _is_busy(deployment: JsonObject) -> bool:
    status, metadata = deployment.get("status") or {}, deployment["metadata"]
    if metadata.get("deletionTimestamp"):
        return not _is_torn_down(status)
    last_update = _last_update(deployment)
    if last_update and (INTENT in last_update or not last_update.get("isServed")):
        return True  # SageMaker may be switching to it: the status shows what was seen before
    if not status.get("endpointConfigName"):
        return bool(last_update)  # there is an endpoint, and the status was cleared
    rule = HOSTING_DEPLOYMENT.status
    value = status.get(rule.field) or DELETING
    if last_update and value == rule.reconciling:
        return False  # an update is prepared, and not sent yet
    return value != DELETING and value not in SETTLED


def controller_of(obj: Mapping[str, Any]) -> str | None:
    """Return the uid of the HostingDeployment that controls an object."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        group = str(reference.get("apiVersion", "")).partition("/")[0]
        if reference.get("controller") and (group, reference.get("kind")) == (GROUP, HOSTING_DEPLOYMENT.kind):
            return str(reference.get("uid"))
    return None


def _last_update(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    last_update: JsonObject = parsed(note_of(deployment, LAST_UPDATE_ATTEMPT))
    uid = deployment["metadata"]["uid"]
    return last_update if last_update.get("uid", uid) == uid else {}  # of an object that this one is a copy of


def _is_torn_down(status: Mapping[str, Any]) -> bool:
    """Return whether a deployment that is being deleted has found its endpoint gone: nothing uses its children then."""
    conditions = status.get("conditions") or ()
    reason = next((each.get("reason") for each in conditions if each.get("type") == reasons.RECONCILING), None)
    return is_torn_down(recorded_in(status), reason)


def _is_same(obj: JsonObject, uid: str) -> bool:
    return bool(obj["metadata"].get("uid") == uid)
