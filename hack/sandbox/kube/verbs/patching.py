"""PATCH: the four patch types, and creation by server-side apply.

Source: k8s.io/apiserver pkg/endpoints/handlers/patch.go.
"""

from typing import Any

from hack.sandbox.kube.patch import ApplyConflict, PatchError, json_patch, merge, server_side_apply, strategic
from hack.sandbox.kube.patch.errors import go_kind
from hack.sandbox.kube.resources.object_meta import drop_duplicate_owners, timestamp
from hack.sandbox.kube.resources.resource import APPLY, JSON_PATCH, MERGE
from hack.sandbox.kube.store.storage import clone
from hack.sandbox.kube.verbs.calls import Body, Call
from hack.sandbox.kube.verbs.registry import Registry, check_name, unregistered
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.causes import go_json, go_quote, invalid
from hack.sandbox.kube.wire.codec import go_map
from hack.sandbox.kube.wire.errors import StatusError
from hack.sandbox.kube.wire.release import V1_37, imitated
from hack.sandbox.kube.wire.typed import DecodeError

Json = dict[str, Any]


def patch(registry: Registry, call: Call, patch_type: str, body: Body) -> tuple[Json, bool]:
    """Patch an object; returns the served object, and whether it was created. Raises StatusError."""
    if patch_type == APPLY:
        return _apply(registry, call, body)
    if body.error and imitated() >= V1_37:
        raise errors.bad_request("invalid JSON patch")  # before the object is looked for: it goes into the audit log
    entry = registry.entry(call)
    live = clone(registry.served(call.resource, entry))
    if body.error:
        strategic_patch = patch_type not in (JSON_PATCH, MERGE)
        raise errors.bad_request(body.error if strategic_patch else f"error decoding patch: {body.error}")
    try:
        patched = _patched(call, patch_type, live, body.value)
    except PatchError as exc:
        raise _status_error(exc) from exc
    new = _decode(call, patch_type, patched, body)
    call.warnings += drop_duplicate_owners(new["metadata"], " after mutating admission happens")
    check_name(call, new)
    registry.check_namespace(call, new)
    return registry.store_changed(call, entry, live, new), False


def _patched(call: Call, patch_type: str, live: Json, value: Any) -> Json:
    if patch_type == JSON_PATCH:
        return json_patch(live, value)
    if patch_type == MERGE:
        return merge(live, value)
    return strategic(live, {} if value is None else value, call.resource.strategy.schema())


def _status_error(exc: PatchError) -> StatusError:
    details: Json | None = {} if exc.code == 422 else None
    return StatusError(exc.code, exc.reason or None, exc.message, details)


def _decode(call: Call, patch_type: str, patched: Json, body: Body) -> Json:
    """Decode the patched object; errors quote the patched JSON, or the patch itself if it is a strategic one."""
    resource = call.resource
    of_patch = "json patch " if patch_type == JSON_PATCH else ""
    problems = [f"{of_patch}duplicate field {go_quote(path)}" for path in body.duplicates]
    if patch_type == JSON_PATCH:
        problems += [f"json patch unknown field {go_quote(path)}" for path in _unknown_in_operations(body.value)]
    is_strict = call.options.field_validation == "Strict"
    given = clone(patched) if is_strict else patched  # decoding removes unknown fields, which strict errors quote

    def refused(why: str) -> StatusError:
        quoted = go_json(given) if patch_type in (JSON_PATCH, MERGE) else go_map(body.value)
        return errors.invalid("", "", "", [invalid("patch", quoted, why)])

    if not resource.strategy.typed:
        _check_type(call, patched)
    elif patch_type not in (JSON_PATCH, MERGE):
        # Strategic patches are applied to the Go struct, which has a fixed kind.
        patched = {**patched, "kind": resource.kind, "apiVersion": resource.api_version}
    elif reason := unregistered(patched):
        raise refused(reason)
    try:
        new, unknown = resource.strategy.decode(patched)
    except DecodeError as exc:
        raise refused(str(exc) if patch_type in (JSON_PATCH, MERGE) else exc.conversion) from exc
    problems += [f"unknown field {go_quote(path)}" for path in unknown]
    if problems and is_strict:
        raise refused(f"strict decoding error: {', '.join(problems)}")
    if call.options.field_validation == "Warn":
        call.warnings += problems
    return new


def _unknown_in_operations(operations: Any) -> list[str]:
    """Return the paths of unknown members of JSON patch operations."""
    return [
        f"[{at}].{name}"
        for at, operation in enumerate(operations or ())
        for name in sorted(set(operation) - {"op", "path", "from", "value"})
    ]


def _check_type(call: Call, patched: Json) -> None:
    """Check that a patched custom resource has the same kind and version. Raises StatusError."""
    resource = call.resource
    if not patched.get("kind"):
        text = go_json(patched)
        raise errors.invalid("", "", "", [invalid("patch", text, f"Object 'Kind' is missing in '{text}'")])
    if not patched.get("apiVersion"):
        why = "Object 'apiVersion' is missing in 'object has no apiVersion field'"
        details = {"causes": [{"message": why}]}
        raise StatusError(500, "InternalError", f"Internal error occurred: {why}", details)
    if patched["kind"] == resource.kind and patched["apiVersion"] != resource.api_version:
        cause = invalid("apiVersion", patched["apiVersion"], f"must be {resource.api_version}")
        raise errors.invalid(resource.group, resource.kind, call.name, [cause])


def _apply(registry: Registry, call: Call, body: Body) -> tuple[Json, bool]:
    resource = call.resource
    if body.error or not isinstance(body.value, dict | None):
        unfit = f"error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {go_kind(body.value)} into"
        why = body.error or f"{unfit} Go value of type map[string]interface {{}}"
        is_yaml = bool(body.error) and not body.data.lstrip().startswith(b"{")  # which the audit log wants as JSON
        what = "decoding YAML" if imitated() < V1_37 else "encoding patch" if is_yaml else "decoding patch"
        raise errors.bad_request(f"error {what}: {why}")
    applied = clone(body.value or {})
    entry = registry.storage.get(resource.collection, call.key)
    if entry is None and call.subresource:
        raise call.missing()
    metadata = applied.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    if (applied.get("apiVersion"), applied.get("kind")) != (resource.api_version, resource.kind):
        group, _, version = _text(applied, "apiVersion").rpartition("/")
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={_text(applied, 'kind')}")
    live = clone(registry.served(resource, entry)) if entry else None
    merged = _merged(call, live, applied)
    check_name(call, merged)
    registry.check_namespace(call, merged)
    if entry is None or live is None:
        uid = (applied.get("metadata") or {}).get("uid")
        if uid:
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise errors.conflict(resource.group, resource.plural, call.name, why)
        merged["metadata"].pop("resourceVersion", None)
        resource.strategy.reset(merged, None, "")
        return registry.store_new(call, merged), True
    return registry.store_changed(call, entry, live, merged, applied=True), False


def _text(obj: Json, name: str) -> str:
    """Return a member of an object, empty if it is no text."""
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def _merged(call: Call, live: Json | None, applied: Json) -> Json:
    """Return the live object after the apply: decoded, with managedFields."""
    resource = call.resource
    try:
        merged = server_side_apply(
            live,
            applied,
            call.options.manager,
            call.options.force,
            resource.strategy.schema(),
            resource.api_version,
            call.subresource,
            timestamp(),
            reset=resource.strategy.ignored_paths(call.subresource),
        )
    except ApplyConflict as exc:
        details = {"causes": [cause.as_dict() for cause in exc.causes]}
        raise StatusError(409, "Conflict", str(exc), details) from exc
    except PatchError as exc:
        raise StatusError(exc.code, exc.reason or None, exc.message) from exc
    try:
        decoded, _ = resource.strategy.decode(merged, is_applied=True)
    except DecodeError as exc:
        raise errors.internal(str(exc)) from exc
    return decoded
