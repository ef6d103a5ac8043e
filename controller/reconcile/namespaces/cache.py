"""What namespaces say, from the cache, and from the API server where something is about to be changed at AWS.

A namespace that the cache does not know yet holds its objects back: the watches of objects and of namespaces run apart,
and an object that came first would be created in an account that its namespace never named.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from api.annotations import OWNER_ACCOUNT_ID
from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.well_known import NAMESPACES
from controller.reconcile.namespaces.settings import NamespaceSettings, ours
from controller.reconcile.ports import ObjectReader
from controller.runtime.cache.handlers import Predicate
from controller.runtime.cache.store import Snapshot
from controller.runtime.errors import ClassifiedError, ErrorClass

ACCOUNT_MAP: Final = "sagemaker-operator-account-map"
"""ConfigMap in the operator's namespace: account → ARN of the role to assume there."""

_AGAIN_S: Final = 1.0


class ObjectGetter(Protocol):
    """Asks the API server; `kube.client.KubeClient` is one."""

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """The object as it is now. Raises `ClassifiedError`, NOT_FOUND where there is none."""
        ...


class WatchedNamespaces:
    """`settings.Namespaces` over caches of namespaces and the account map. `of` never blocks; `confirm` makes a call.

    `account_map` is where that map is; None where the operator does not know its own namespace.
    """

    def __init__(
        self, namespaces: ObjectReader, account_maps: ObjectReader, client: ObjectGetter, account_map: ObjectKey | None
    ) -> None:
        self._namespaces = namespaces
        self._account_maps = account_maps
        self._client = client
        self._account_map = account_map

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        known = self._namespaces.get(ObjectKey("", name))
        if known is None:
            raise _not_now("NamespaceUnknown", f"namespace {name} has not been seen yet")
        said = _said(known)
        return NamespaceSettings(name, said, self._role_for(said.get(OWNER_ACCOUNT_ID.key, "")))

    def confirm(self, settings: NamespaceSettings) -> None:
        """See `Namespaces.confirm`."""
        try:
            now = self._client.get(NAMESPACES, ObjectKey("", settings.name))
        except ClassifiedError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                raise _not_now("NamespaceGone", f"namespace {settings.name} is gone") from error
            raise
        if _said(now) != settings.annotations:
            raise _not_now("NamespaceChanged", f"namespace {settings.name} has changed; its watch is behind")

    def _role_for(self, account: str) -> str:
        if not account or self._account_map is None:
            return ""
        found = self._account_maps.get(self._account_map) or {}
        return str((found.get("data") or {}).get(account, "")).strip()


def trim(obj: JsonObject) -> None:
    """Take out of a namespace, in place, what nobody here reads: a cluster may have thousands."""
    metadata = obj["metadata"]
    kept = {name: metadata[name] for name in ("name", "uid", "resourceVersion") if name in metadata}
    said = _said(obj)
    obj.clear()
    obj["metadata"] = {**kept, "annotations": said} if said else kept


class SettingsChanged(Predicate):
    """Passes changes of what a (trimmed) namespace says.

    New namespaces concern nobody: their objects come later, or are held back and try again. Those that go have none.
    """

    def passes_add(self, obj: Snapshot) -> bool:  # noqa: ARG002 (the port's signature)
        """See `Predicate.passes_add`."""
        return False

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """See `Predicate.passes_update`."""
        return _said({"metadata": old.metadata}) != _said({"metadata": new.metadata})

    def passes_delete(self, obj: Snapshot) -> bool:  # noqa: ARG002
        """See `Predicate.passes_delete`."""
        return False


def _said(obj: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    return ours(obj["metadata"].get("annotations") or {})


def _not_now(code: str, message: str) -> ClassifiedError:
    """A view that is behind, as of an object: no failure, and soon tried again."""
    return ClassifiedError(ErrorClass.CONFLICT, code, message, retry_after_s=_AGAIN_S)
