"""WATCH: a continuous read of a collection's log, from a revision or from the current state.

Source: k8s.io/apiserver pkg/storage/cacher; the starting points are described in the API concepts, "Semantics for
watch" and "Streaming lists".
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.resources.table import partial, table
from hack.sandbox.kube.store.storage import Change, CompactedError, Entry
from hack.sandbox.kube.verbs.calls import Filter
from hack.sandbox.kube.verbs.registry import Registry, parse_revision
from hack.sandbox.kube.wire import errors, typed
from hack.sandbox.kube.wire.codec import dump_json
from hack.sandbox.kube.wire.negotiation import Form
from hack.sandbox.kube.wire.options import ListOptions

Json = dict[str, Any]

BOOKMARK_EVERY_S: Final = 60.0
BOOKMARK_BEFORE_END_S: Final = 2.0
"""A bookmark is sent this long before a watch times out, so that the client can continue from there."""
_DEFAULT_TIMEOUT_S: Final = 1800
_INITIAL_EVENTS_END: Final = {"k8s.io/initial-events-end": "true"}


class Watch:
    """One watch. `stop()` ends it, from within the event loop; `events` yields encoded lines."""

    def __init__(
        self,
        registry: Registry,
        resource: Resource,
        namespace: str,
        options: ListOptions,
        form: Form,
        include: str,
        is_current: Callable[[Resource], bool],
        name: str = "",
    ):
        self._registry = registry
        self._resource = resource
        self._prefix = f"{namespace}/" if namespace and resource.namespaced else ""
        self._name = name
        self._options = options
        self._form = form
        self._include = include
        self._is_current = is_current
        self._filter = Filter.parse(resource, options)
        self._collection = registry.storage.collection(resource.collection)
        self._start = parse_revision(options.resource_version) if options.resource_version else 0
        self._stopped = False
        self.dropped = False
        """Whether the connection is cut instead of ended."""
        self._columns_sent = False

    def stop(self) -> None:
        """End the watch after its current batch."""
        self._stopped = True
        self._collection.wake()

    async def events(self) -> AsyncIterator[list[bytes]]:
        """Yield the events in batches, until the timeout, the end of the resource, or `stop()`."""
        if self._form.target == "PartialObjectMetadataList":
            return  # a single object is not a list: the API server ends such a stream at its first event
        options, storage = self._options, self._registry.storage
        timeout = options.timeout_s or _DEFAULT_TIMEOUT_S * random.uniform(1, 2)
        deadline = time.monotonic() + timeout
        initial = options.send_initial_events
        if initial is None:
            initial = self._start == 0
        position = self._start or storage.revision
        if initial:
            if self._start > storage.revision:
                error = errors.too_large_resource_version(self._start, storage.revision)
                yield [self._line("ERROR", error.status())]
                return
            position = storage.revision
            first = [self._added(entry) for entry in self._collection.scan(self._prefix) if self._selects(entry.obj)]
            if options.bookmarks:
                first.append(self._bookmark(position, ended=True))
            yield first
        elif position < self._oldest():
            yield [self._expired(position)]
            return
        next_bookmark = self._next_bookmark(deadline)
        while not self._stopped:
            changed = self._collection.changed()
            try:
                changes = self._collection.changes_since(position)
            except CompactedError:
                yield [self._expired(position)]
                return
            if changes:
                position = changes[-1].revision
                lines = [line for change in changes if (line := self._event(change))]
                if lines:
                    yield lines
                continue
            now = time.monotonic()
            if now >= deadline or not self._is_current(self._resource):
                return
            if options.bookmarks and now >= next_bookmark:
                yield [self._bookmark(max(position, storage.revision))]
                next_bookmark = self._next_bookmark(deadline)
                continue
            until = min(deadline, next_bookmark) if options.bookmarks else deadline
            try:
                await asyncio.wait_for(changed.wait(), until - now)
            except TimeoutError:
                continue

    def _next_bookmark(self, deadline: float) -> float:
        """Return the time of the next bookmark; a watch that is too short for one before its end gets none."""
        now, before_end = time.monotonic(), deadline - BOOKMARK_BEFORE_END_S
        return min(now + BOOKMARK_EVERY_S, before_end) if before_end > now else now + BOOKMARK_EVERY_S

    def _oldest(self) -> int:
        """Return the oldest revision from which a watch can start."""
        since = self._resource.since if self._resource.strategy.watch_cache else 0
        return max(self._collection.compacted, since)

    def _expired(self, position: int) -> bytes:
        if self._resource.strategy.watch_cache:
            message = f"too old resource version: {position} ({self._oldest()})"
        else:
            message = "The resourceVersion for the provided watch is too old."
        return self._line("ERROR", errors.expired(message).status())

    def _selects(self, obj: Json) -> bool:
        return (not self._name or obj["metadata"]["name"] == self._name) and self._filter.matches(obj)

    def _event(self, change: Change) -> bytes | None:
        """Return the event of a change after selectors: objects appear and disappear as they match or not."""
        entry, previous = change.entry, change.previous
        if not entry.key.startswith(self._prefix):
            return None
        matched = previous is not None and self._selects(previous.obj)
        matches = change.type != "DELETED" and self._selects(entry.obj)
        if matches:
            return self._modified(entry) if matched else self._added(entry)
        if not matched or previous is None:
            return None
        if change.type == "DELETED":
            return self._show("DELETED", entry)
        meta = {**previous.obj["metadata"], "resourceVersion": str(entry.revision)}
        return self._show("DELETED", Entry(entry.key, entry.revision, {**previous.obj, "metadata": meta}))

    def _added(self, entry: Entry) -> bytes:
        return self._show("ADDED", entry)

    def _modified(self, entry: Entry) -> bytes:
        return self._show("MODIFIED", entry)

    def _show(self, kind: str, entry: Entry) -> bytes:
        if not self._form.target:
            encoded = self._registry.encode(self._resource, entry)
            return b'{"type":"%s","object":%s}\n' % (kind.encode(), encoded)
        obj = self._registry.served(self._resource, entry)
        if self._form.target == "Table":
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return self._line(kind, self._table([obj], meta))
        return self._line(kind, partial(obj, self._form.version))

    def _table(self, objects: list[Json], meta: Json) -> Json:
        columns = not self._columns_sent
        self._columns_sent = True
        version = self._form.version
        return table(self._resource, objects, meta, include=self._include, version=version, columns=columns)

    def _bookmark(self, revision: int, *, ended: bool = False) -> bytes:
        meta: Json = {"resourceVersion": str(revision)}
        if ended:
            meta["annotations"] = _INITIAL_EVENTS_END
        obj: Json = {"kind": self._resource.kind, "apiVersion": self._resource.api_version, "metadata": meta}
        if self._form.target == "Table":
            return self._line("BOOKMARK", self._table([obj], {"resourceVersion": str(revision)}))
        if self._form.target:
            return self._line("BOOKMARK", partial(obj, self._form.version))
        if self._resource.strategy.typed:
            obj, _ = typed.decode(self._resource.strategy.schema(), obj)
        return self._line("BOOKMARK", obj)

    @staticmethod
    def _line(kind: str, obj: Json) -> bytes:
        return dump_json({"type": kind, "object": obj}) + b"\n"
