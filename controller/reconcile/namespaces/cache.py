"""Reads the annotations of namespaces from the cache, and from the API server before anything is changed at AWS.

Objects wait until the cache has their namespace: objects and namespaces are watched separately, and an object that
arrived first would be created in an account that its namespace never named.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Final

from api.annotations import OWNER_ACCOUNT_ID, STATUS_QUEUE
from api.meta import JsonObject, ObjectKey
from controller.kube.well_known import NAMESPACES
from controller.reconcile.namespaces.confirmation import is_past, is_shared
from controller.reconcile.namespaces.settings import NamespaceSettings, ours
from controller.reconcile.ports import ObjectGetter, ObjectReader
from controller.runtime.cache.handlers import Predicate
from controller.runtime.cache.store import Snapshot
from controller.runtime.clock import Clock
from controller.runtime.errors import ClassifiedError, ErrorClass

ACCOUNT_MAP: Final = "sagemaker-operator-account-map"
"""ConfigMap in the operator's namespace: account → ARN of the role to assume there."""

_AGAIN_S: Final = 1.0


class _Read:
    """A read of a namespace at the API server."""

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.is_over = threading.Event()
        self.shown: Mapping[str, str] | None = None
        """The annotations with our prefix; None while it is under way, and if it has failed."""


class WatchedNamespaces:
    """Implements `settings.Namespaces` on caches of namespaces and of the account map. Only `confirm` blocks.

    `account_map` is the key of that map; None if the operator does not know its own namespace. `queue_troubles` returns
    what keeps the status queues of a namespace from being read.
    """

    def __init__(
        self,
        namespaces: ObjectReader,
        account_maps: ObjectReader,
        client: ObjectGetter,
        account_map: ObjectKey | None,
        clock: Clock,
        queue_troubles: Callable[[str], tuple[str, ...]] = lambda name: (),  # noqa: ARG005 (none are read)
    ) -> None:
        self._queue_troubles = queue_troubles
        self._namespaces = namespaces
        self._account_maps = account_maps
        self._client = client
        self._account_map = account_map
        self._clock = clock
        self._lock = threading.Lock()
        self._reads: dict[str, _Read] = {}  # guarded by _lock
        """The last read of each namespace, which may be under way; while it is shared."""

    def of(self, name: str) -> NamespaceSettings:
        """Return the cached annotations, see `Namespaces.of`."""
        known = self._namespaces.get(ObjectKey("", name))
        if known is None:
            raise _not_now("NamespaceUnknown", f"namespace {name} has not been seen yet")
        said = _settings_of(known)
        role = self._role_for(said.get(OWNER_ACCOUNT_ID.key, ""))
        troubles = self._queue_troubles(name) if STATUS_QUEUE.key in said else ()
        return NamespaceSettings(name, said, role, tuple(f"{STATUS_QUEUE.name}: {each}" for each in troubles))

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """Compare with the API server, see `Namespaces.confirm`; objects with turns at one time share a read."""
        name, now = settings.name, self._clock.monotonic()
        with self._lock:
            known = self._reads.get(name)
            if known is None or not is_shared(known.began_at, seen_at=seen_at, now=now):
                known, mine = None, self._begin(name, now)
        if known is not None:
            known.is_over.wait()  # as long as a read of its own would take
            if known.shown == settings.annotations:
                return
            with self._lock:
                mine = self._begin(name, self._clock.monotonic())
        if self._read(name, mine) != settings.annotations:
            raise _not_now("NamespaceChanged", f"namespace {name} has changed; its watch is behind")

    def _begin(self, name: str, now: float) -> _Read:
        """Return a new read, which others share from now on. With the lock held."""
        for other, each in list(self._reads.items()):  # namespaces come and go
            if is_past(each.began_at, now):
                del self._reads[other]
        read = self._reads[name] = _Read(now)
        return read

    def _read(self, name: str, read: _Read) -> Mapping[str, str]:
        """Read the annotations of a namespace from the API server. Raises `ClassifiedError`."""
        try:
            read.shown = shown = _settings_of(self._client.get(NAMESPACES, ObjectKey("", name)))
        except ClassifiedError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                raise _not_now("NamespaceGone", f"namespace {name} is gone") from error
            raise
        else:
            return shown
        finally:
            read.is_over.set()

    def _role_for(self, account: str) -> str:
        if not account or self._account_map is None:
            return ""
        found = self._account_maps.get(self._account_map) or {}
        return str((found.get("data") or {}).get(account, "")).strip()


def trim(obj: JsonObject) -> None:
    """Remove unused fields from a namespace, in place: a cluster may have thousands of namespaces."""
    metadata = obj["metadata"]
    kept = {name: metadata[name] for name in ("name", "uid", "resourceVersion") if name in metadata}
    said = _settings_of(obj)
    obj.clear()
    obj["metadata"] = {**kept, "annotations": said} if said else kept


class SettingsChanged(Predicate):
    """Passes changes of our annotations on a (trimmed) namespace.

    A new namespace enqueues no objects: they are created later, or wait for it and retry. A deleted one has none left.
    """

    def passes_add(self, obj: Snapshot) -> bool:  # noqa: ARG002 (the port's signature)
        """Pass no additions."""
        return False

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """Pass updates that change our annotations."""
        return _settings_of({"metadata": old.metadata}) != _settings_of({"metadata": new.metadata})

    def passes_delete(self, obj: Snapshot) -> bool:  # noqa: ARG002
        """Pass no deletions."""
        return False


def _settings_of(obj: Mapping[str, Mapping[str, Mapping[str, str]]]) -> dict[str, str]:
    return ours(obj["metadata"].get("annotations") or {})


def _not_now(code: str, message: str) -> ClassifiedError:
    """Return the error for a stale cache, as for a stale object: not a failure, retried soon."""
    return ClassifiedError(ErrorClass.CONFLICT, code, message, retry_after_s=_AGAIN_S)
