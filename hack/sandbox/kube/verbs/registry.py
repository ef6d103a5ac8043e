"""The verbs that all resources share, over one storage: get, list, create, update.

Order of checks and wording follow k8s.io/apiserver pkg/endpoints/handlers and pkg/registry/generic/registry/store.go.
Patches are in `patching`, deletion in `deletion`, watches in `watch`.
"""

import re
from typing import Any, Final

from hack.sandbox.kube.builtin.schemas import kinds
from hack.sandbox.kube.patch.errors import go_kind
from hack.sandbox.kube.resources import object_meta
from hack.sandbox.kube.resources.field_manager import record_update, same_but_for_times
from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.store.storage import CompactedError, Entry, FutureRevisionError, Storage, clone
from hack.sandbox.kube.verbs.calls import Body, Call, Filter, Page
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.causes import Cause, go_quote, invalid
from hack.sandbox.kube.wire.codec import dump_json, settled
from hack.sandbox.kube.wire.errors import StatusError
from hack.sandbox.kube.wire.options import ListOptions
from hack.sandbox.kube.wire.paging import read_token, write_token
from hack.sandbox.kube.wire.typed import DecodeError

Json = dict[str, Any]

NAMESPACES = "/namespaces"
"""The collection of the Namespace objects."""
_SUMMARY_MAX = 30
_TYPE_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
"""The Go type that every body must match first."""
_CONTINUE_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


_ETCD_LIMIT: Final = 1024 * 1536
"""Bytes that etcd takes in one request; ours are JSON, as those of custom resources there."""
_CLIENT_LIMIT: Final = 2 * 1024 * 1024
"""Bytes that its client sends."""
_FLOAT: Final = re.compile(rb"\d(?:\.0[,}\]]|e)")
"""May be a whole float, or is in a text."""


def _encodable(obj: Json) -> Json:
    """Return an object as it is stored, with whole floats as integers. Raises 500 if etcd would not take it."""
    data = dump_json(obj)
    if len(data) > _CLIENT_LIMIT:
        size = f"trying to send message larger than max ({len(data)} vs. {_CLIENT_LIMIT})"
        raise StatusError(500, None, f"rpc error: code = ResourceExhausted desc = {size}")
    if len(data) > _ETCD_LIMIT:
        raise StatusError(500, None, "etcdserver: request is too large")
    found: Json = settled(obj) if _FLOAT.search(data) else obj
    return found


class Registry:
    """All reads and writes use this class. Synchronous; called from the server's event loop only."""

    def __init__(self, storage: Storage):
        self.storage = storage

    # -- reading ----------------------------------------------------------------

    def entry(self, call: Call) -> Entry:
        """Return the stored object. Raises 404."""
        found = self.storage.get(call.resource.collection, call.key)
        if found is None:
            raise call.missing()
        return found

    def get(self, call: Call, resource_version: str = "") -> Entry:
        """Read one object, not older than `resource_version`."""
        if resource_version not in ("", "0"):
            self._require(parse_revision(resource_version))
        return self.entry(call)

    def served(self, resource: Resource, entry: Entry) -> Json:
        """Return the object in the version of the resource; read-only."""
        return resource.strategy.to_served(entry.obj)

    def encode(self, resource: Resource, entry: Entry) -> bytes:
        """Return the object as JSON, memoized: lists and watches send the same object many times."""
        known = entry.served.get(resource.api_version)
        if known is None or known[0] is not resource:
            known = entry.served[resource.api_version] = (resource, dump_json(self.served(resource, entry)))
        return known[1]

    def encode_item(self, resource: Resource, entry: Entry) -> bytes:
        """Return the object as an item of a typed list: without kind and apiVersion."""
        key = f"{resource.api_version} item"
        known = entry.served.get(key)
        if known is None or known[0] is not resource:
            obj = self.served(resource, entry)
            bare = {name: value for name, value in obj.items() if name not in ("kind", "apiVersion")}
            known = entry.served[key] = (resource, dump_json(bare))
        return known[1]

    def list_page(self, resource: Resource, namespace: str, options: ListOptions) -> Page:
        """Return one page of a list. Raises StatusError."""
        selection = Filter.parse(resource, options)
        collection = self.storage.collection(resource.collection)
        prefix = f"{namespace}/" if namespace else ""
        start, at = self._start(options, prefix)
        limit = options.limit
        if resource.strategy.watch_cache and options.resource_version == "0":
            limit = 0  # "any version" is served from the watch cache, which does not page
        try:
            if at is None:
                revision, source = self.storage.revision, collection.scan(prefix, start)
            else:
                self.storage.require(at)
                revision, source = at, collection.scan_at(at, prefix, start)
        except FutureRevisionError:
            raise errors.too_large_resource_version(at or 0, self.storage.revision) from None
        except CompactedError:
            raise self._list_expired(options) from None
        entries: list[Entry] = []
        for entry in source:
            if not selection.matches(entry.obj):
                continue
            if limit and len(entries) == limit:
                remaining = 1 + sum(1 for _ in source) if selection.is_empty else None
                after = "/" + entries[-1].key.removeprefix(prefix) + "\0"
                return Page(entries, revision, write_token(revision, after), remaining)
            entries.append(entry)
        return Page(entries, revision)

    def _start(self, options: ListOptions, prefix: str) -> tuple[str, int | None]:
        """Return the key to start from and the revision to read at, None for the current one."""
        if options.token:
            revision, start = read_token(options.token)
            if options.resource_version not in ("", "0"):
                raise errors.bad_request("specifying resource version is not allowed when using continue")
            # Tokens are relative to the listed collection, so that none leads out of its namespace.
            return prefix + start.removeprefix("/"), revision if revision > 0 else None
        if options.resource_version in ("", "0"):
            return "", None
        try:
            wanted = parse_revision(options.resource_version)
        except StatusError as exc:
            raise errors.bad_request(f"invalid resource version: {exc.message}") from None
        self._require(wanted)
        exact = options.match == "Exact" or (options.limit and not options.match)
        return "", wanted if exact else None

    def _require(self, revision: int) -> None:
        try:
            self.storage.require(revision)
        except FutureRevisionError:
            raise errors.too_large_resource_version(revision, self.storage.revision) from None

    @staticmethod
    def _list_expired(options: ListOptions) -> StatusError:
        if not options.token:
            return errors.expired("The resourceVersion for the provided list is too old.")
        error = errors.expired(_CONTINUE_EXPIRED)
        error.metadata["continue"] = write_token(-1, read_token(options.token)[1])
        return error

    # -- decoding ---------------------------------------------------------------

    def decode(self, call: Call, body: Body) -> Json:
        """Decode the object of a create or update. Raises 400; adds warnings about unknown and repeated fields."""
        resource = call.resource
        obj = self._recognized(resource, body)
        try:
            decoded, unknown = resource.strategy.decode(obj)
        except DecodeError as exc:
            raise self._cannot_handle(resource, str(exc)) from exc
        duplicates = body.duplicates
        problems = [f"duplicate field {go_quote(path)}" for path in duplicates]
        problems += [f"unknown field {go_quote(path)}" for path in unknown]
        if problems and call.options.field_validation == "Strict":
            raise self._cannot_handle(resource, f"strict decoding error: {', '.join(problems)}")
        if call.options.field_validation == "Warn":
            call.warnings += problems
        return decoded

    @staticmethod
    def _cannot_handle(resource: Resource, why: str) -> StatusError:
        kind = resource.kind
        return errors.bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')

    @staticmethod
    def _recognized(resource: Resource, body: Body) -> Json:
        def unrecognized(why: str) -> StatusError:
            text = f"the object provided is unrecognized (must be of type {resource.kind}): {why}"
            return errors.bad_request(f"{text} ({_summary(body.data)})")

        why = body.error or type_meta_problem(body.value)
        if why:
            raise unrecognized(f"couldn't get version/kind; json parse error: {why}")
        obj: Json = dict(body.value or {})
        if not resource.strategy.typed and str(obj.get("apiVersion", "")).count("/") > 1:
            raise unrecognized(f"unexpected GroupVersion string: {obj['apiVersion']}")
        if resource.strategy.typed:
            obj["kind"] = obj.get("kind") or resource.kind
            obj["apiVersion"] = obj.get("apiVersion") or resource.api_version
            if (obj["apiVersion"], obj["kind"]) != (resource.api_version, resource.kind):
                kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
                unknown = unregistered(obj)
                if unknown:
                    why = f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {unknown}'
                    raise errors.bad_request(why)
                why = (
                    f"converting ({version}.{kind}) to ({resource.group or 'core'}.{resource.kind}): unknown conversion"
                )
                raise errors.bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}')
        elif not obj.get("kind"):
            raise unrecognized(f"Object 'Kind' is missing in '{body.data.decode(errors='replace')}'")
        if obj.get("apiVersion") != resource.api_version:
            raise errors.bad_request(
                f"the API version in the data ({obj.get('apiVersion', '')}) does not match the expected API version "
                f"({resource.api_version})"
            )
        return obj

    # -- creating ---------------------------------------------------------------

    def create(self, call: Call, body: Body) -> Json:
        """Handle POST: decode, complete, validate, store. Returns the served object. Raises StatusError."""
        obj = self.decode(call, body)
        call.warnings += object_meta.drop_duplicate_owners(obj["metadata"])
        self.check_namespace(call, obj)
        call.resource.strategy.reset(obj, None, call.subresource)
        obj = record_update(call.resource, None, obj, call.options.manager, call.subresource)
        return self.store_new(call, obj)

    def check_namespace(self, call: Call, obj: Json) -> None:
        """Check that the body's namespace, if any, is that of the URL. Raises 400."""
        wanted = call.namespace if call.resource.namespaced else ""
        if obj["metadata"].get("namespace", "") not in ("", wanted):
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise errors.bad_request(message)
        if wanted:
            obj["metadata"]["namespace"] = wanted
        else:
            obj["metadata"].pop("namespace", None)

    def store_new(self, call: Call, obj: Json) -> Json:
        """Complete, admit, validate and store a new served object, and take ownership of it."""
        resource, strategy, meta = call.resource, call.resource.strategy, obj["metadata"]
        object_meta.fill_new(meta, call.namespace if resource.namespaced else "")
        call.name = meta.get("name", "")
        if resource.namespaced:
            self.admit_into_namespace(call)
        strategy.prepare_create(obj)
        preceding = object_meta.validate_new(meta, namespaced=resource.namespaced, name_rule=strategy.name_rule)
        causes = self._kind_causes(resource, obj) or strategy.validate_create(obj, preceding)
        if causes:
            raise errors.invalid(resource.error_group, obj["kind"], call.name, causes)
        call.warnings += object_meta.finalizer_warnings(meta)
        call.warnings += strategy.warnings(obj, None)
        if meta.get("resourceVersion") and not call.options.dry_run:  # it is the storage that refuses it
            raise errors.internal("resourceVersion should not be set on objects to be created")
        existing = self.storage.get(resource.collection, call.key)
        if existing is not None:
            deleting = "deletionTimestamp" in existing.obj["metadata"]
            raise errors.already_exists(resource.group, resource.plural, call.name, deleting=deleting)
        obj = _encodable(obj)
        if call.options.dry_run:
            return strategy.to_served(strategy.to_stored(obj))  # with defaults of what was dropped, as if read again
        entry = self.storage.put(resource.collection, call.key, strategy.to_stored(obj))
        return self.served(resource, entry)

    @staticmethod
    def _kind_causes(resource: Resource, obj: Json) -> list[Cause]:
        """Return findings on the kind: only custom resources can have another kind, typed ones fail in decoding."""
        if obj["kind"] == resource.kind:
            return []
        return [invalid("kind", obj["kind"], f"must be {resource.kind}")]

    def admit_into_namespace(self, call: Call) -> None:
        """Check that the namespace exists and is not terminating. Raises 404 or 403."""
        namespace = self.storage.get(NAMESPACES, call.namespace)
        if namespace is None:
            raise errors.not_found("", "namespaces", call.namespace)
        if "deletionTimestamp" in namespace.obj["metadata"]:
            resource = call.resource
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            cause = Cause(
                "NamespaceTerminating", f"namespace {call.namespace} is being terminated", "metadata.namespace"
            )
            raise errors.forbidden(resource.group, resource.plural, call.name, why, [cause])

    # -- updating ---------------------------------------------------------------

    def update(self, call: Call, body: Body) -> tuple[Json, bool]:
        """Handle PUT: returns the served object, and whether it was created. Raises StatusError."""
        new = self.decode(call, body)
        call.warnings += object_meta.drop_duplicate_owners(new["metadata"])
        self.check_namespace(call, new)
        check_name(call, new)
        resource = call.resource
        if resource.strategy.create_on_update and self.storage.get(resource.collection, call.key) is None:
            new["metadata"].pop("resourceVersion", None)
            return self.store_new(call, record_update(resource, None, new, call.options.manager, "")), True
        entry = self.entry(call)
        live = clone(self.served(resource, entry))
        uid = new["metadata"].get("uid")
        if uid and uid != live["metadata"]["uid"]:
            raise errors.conflict(resource.group, resource.plural, call.name, _uid_mismatch(call, uid, live))
        return self.store_changed(call, entry, live, new), False

    def store_changed(self, call: Call, entry: Entry, live: Json, new: Json, *, applied: bool = False) -> Json:
        """Complete, validate and store a changed served object; returns the new served object.

        `live` is the served object that `new` replaces. With `applied`, managedFields are already right.
        An object that is being deleted is removed with its last finalizer.
        """
        resource, strategy, meta = call.resource, call.resource.strategy, new["metadata"]
        self._check_revision(call, live, meta)
        object_meta.carry_over(meta, live["metadata"])
        strategy.reset(new, live, call.subresource)
        if not applied:
            recorded_as = call.recorded_as or call.subresource
            new = record_update(resource, live, new, call.options.manager, recorded_as)
        strategy.prepare_update(new, live, call.subresource)
        meta = new["metadata"]
        causes = self._kind_causes(resource, new)
        if not causes:
            preceding = object_meta.validate_update(meta, live["metadata"])
            causes = strategy.validate_update(new, live, call.subresource, preceding)
        if causes:
            raise errors.invalid(resource.error_group, new["kind"], call.name, causes)
        call.warnings += object_meta.finalizer_warnings(meta, live["metadata"])
        call.warnings += strategy.warnings(new, live)
        # What is stored counts: defaults that reading adds to it are written once.
        if same_but_for_times(strategy.to_stored(new), entry.obj):
            return live
        new = _encodable(new)
        if call.options.dry_run:
            return strategy.to_served(strategy.to_stored(new))
        if may_vanish(new) and strategy_allows_vanishing(resource, new):
            self.storage.delete(resource.collection, entry.key)
            return new
        entry = self.storage.put(resource.collection, entry.key, strategy.to_stored(new))
        return self.served(resource, entry)

    def _check_revision(self, call: Call, live: Json, meta: Json) -> None:
        """Check that the body's resourceVersion, if any, is the current one (optimistic concurrency)."""
        resource, wanted = call.resource, meta.get("resourceVersion", "")
        current = live["metadata"]["resourceVersion"]
        if wanted in ("", "0"):
            if not resource.strategy.unconditional_update:
                cause = invalid("metadata.resourceVersion", 0, "must be specified for an update")
                raise errors.invalid(resource.group, resource.plural, call.name, [cause])
        elif not re.fullmatch(r"\d+", wanted):
            raise errors.internal(f"strconv.ParseUint: parsing {go_quote(wanted)}: invalid syntax")
        elif wanted != current:
            raise errors.conflict(resource.group, resource.plural, call.name, errors.MODIFIED)
        meta["resourceVersion"] = current


def type_meta_problem(value: Any) -> str:
    """Return why a decoded body does not match Go's TypeMeta; empty if it does, also with null or absent members."""
    if value is not None and not isinstance(value, dict):
        return f"json: cannot unmarshal {go_kind(value)} into Go value of type {_TYPE_META}"
    for name in ("apiVersion", "kind"):
        member = (value or {}).get(name)
        if member is not None and not isinstance(member, str):
            return f"json: cannot unmarshal {go_kind(member)} into Go struct field .{name} of type string"
    return ""


def unregistered(obj: Json) -> str:
    """Return why an object cannot be decoded if its kind is not built in."""
    kind, version = obj.get("kind", ""), obj.get("apiVersion", "")
    if (version, kind) in kinds() or (version, kind.removesuffix("List")) in kinds():
        return ""
    return f'no kind "{kind}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'


def may_vanish(obj: Json) -> bool:
    """Return whether an object is being deleted and has no finalizers left."""
    meta = obj["metadata"]
    return "deletionTimestamp" in meta and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds")


def strategy_allows_vanishing(resource: Resource, obj: Json) -> bool:
    """Return whether the kind allows removal: namespaces have further finalizers in the spec."""
    return resource.collection != NAMESPACES or not obj.get("spec", {}).get("finalizers")


def check_name(call: Call, obj: Json) -> None:
    """Check that the body's name is that of the URL. Raises 400."""
    name = obj["metadata"].get("name", "")
    if not name:
        why = "was undeterminable: name must be provided"
        raise errors.bad_request(f"the name of the object ({call.name} based on URL) {why}")
    if name != call.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.name})")


def parse_revision(text: str) -> int:
    """Parse a resourceVersion. Raises a 500, as the API server does for reads."""
    if not re.fullmatch(r"\d+", text):
        quoted = go_quote(text)
        why = f"Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: invalid syntax"
        raise errors.internal(f"resourceVersion: {why}")
    return int(text)


def _uid_mismatch(call: Call, uid: str, live: Json) -> str:
    resource = call.resource
    prefix = f"/registry/{resource.group}/{resource.plural}/{call.key}" if resource.group else f"/registry/{call.key}"
    return (
        f"StorageError: invalid object, Code: 4, Key: {prefix}, ResourceVersion: 0, AdditionalErrorMsg: Precondition "
        f"failed: UID in precondition: {uid}, UID in object meta: {live['metadata']['uid']}"
    )


def _summary(data: bytes) -> str:
    if not data:
        return "<empty>"
    if data[:1] != b"{":
        return data[:_SUMMARY_MAX].hex()
    text = data[:_SUMMARY_MAX].decode(errors="replace")
    return f"{text} ..." if len(data) > _SUMMARY_MAX else text
