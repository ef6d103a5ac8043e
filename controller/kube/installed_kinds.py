"""Knows which kinds the API server serves: a cluster need not have the CRDs of all.

A kind without a CRD has no objects, so nothing waits for them. Its informer requests the list again and again, as after
every failure (within half a minute), and has the objects soon after the CRD is installed: no restart, and no right to
read CRDs. An operator without any CRD is not ready: that is a mistake of the installation.
"""

import threading
from typing import Final

import structlog

from api.meta import Resource
from controller.kube.errors import NotServed
from controller.runtime.cache.reflector import ListerWatcher, ListPage, WatchStream, log_failure
from controller.runtime.errors import ClassifiedError

log: Final = structlog.get_logger(__name__)


class InstalledKinds:
    """The resources that were requested, and whether the API server has them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has: dict[Resource, bool] = {}  # guarded by _lock

    def watched(self, resource: Resource, source: ListerWatcher) -> ListerWatcher:
        """Return a source that reports here what the API server answers to the requests of `source`."""
        return _Reporting(self, resource, source)

    def is_missing(self, resource: Resource) -> bool:
        """Return whether only this resource is missing, and others are there."""
        with self._lock:
            return self._has.get(resource) is False and any(self._has.values())

    def note(self) -> str | None:
        """Return which kinds are not installed, None while all are; a note for `/readyz?verbose`."""
        with self._lock:
            missing = sorted(_crd(resource) for resource, is_there in self._has.items() if not is_there)
        return f"kinds without a CRD are not served until it is installed: {', '.join(missing)}" if missing else None

    def report(self, resource: Resource, *, is_there: bool) -> None:
        """Take in an answer, and log it if it is news."""
        with self._lock:
            before, self._has[resource] = self._has.get(resource), is_there
        if is_there and before is False:
            log.info("kind installed", kind=resource.kind)
        elif not is_there and before is not False:
            log.warning("kind not installed, served once its CRD is", kind=resource.kind, crd=_crd(resource))


class _Reporting:
    """`ListerWatcher` that reports whether its resource is served."""

    def __init__(self, kinds: InstalledKinds, resource: Resource, source: ListerWatcher) -> None:
        self._kinds = kinds
        self._resource = resource
        self._source = source

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        """See `ListerWatcher.list`."""
        try:
            page = self._source.list(resource_version=resource_version, limit=limit, continue_token=continue_token)
        except NotServed:
            self._kinds.report(self._resource, is_there=False)
            raise
        self._kinds.report(self._resource, is_there=True)
        return page

    def watch(self, *, resource_version: str, timeout_s: int, initial_events: bool = False) -> WatchStream:
        """See `ListerWatcher.watch`."""
        try:
            stream = self._source.watch(
                resource_version=resource_version, timeout_s=timeout_s, initial_events=initial_events
            )
        except NotServed:
            self._kinds.report(self._resource, is_there=False)
            raise
        self._kinds.report(self._resource, is_there=True)
        return stream


def log_other_failure(resource: Resource, error: ClassifiedError) -> None:
    """Log a failure of an informer, unless `InstalledKinds` has logged it: that would be a line for each attempt."""
    if not isinstance(error, NotServed):
        log_failure(resource, error)


def _crd(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}"
