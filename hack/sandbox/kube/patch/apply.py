"""Server-side apply: a declarative patch with exactly the fields that its author manages.

Fields of the author's last apply that are no longer in the patch are removed, unless other managers own them, too;
changes of other managers' fields are conflicts. Source: structured-merge-diff merge/update.go (Apply, prune),
k8s.io/apimachinery pkg/util/managedfields/internal.
"""

import copy
import json
from dataclasses import replace
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.patch.errors import PatchError, bad_request
from hack.sandbox.kube.patch.fieldset import Path, Paths, path_text, sort_key, without_below
from hack.sandbox.kube.patch.managed import (
    BEFORE_FIRST_APPLY,
    STRIPPED,
    Manager,
    Owners,
    Ownership,
    empty_object,
    read_managed_fields,
    record_change,
    reset_fields,
    without_managed_fields,
    write_managed_fields,
)
from hack.sandbox.kube.patch.shapes import Schema, Shape, root_shape
from hack.sandbox.kube.patch.typed import (
    ShapeError,
    compare,
    field_set,
    merge,
    problems,
    problems_message,
    reconciled,
    remove,
    with_named_fields,
)
from hack.sandbox.kube.wire.causes import Cause, go_json, go_quote

JsonObject: TypeAlias = dict[str, Any]
Conflicts: TypeAlias = dict[Manager, Paths]

KUBECTL: Final = "kubectl"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"


class ApplyConflict(Exception):  # noqa: N818 - the API's name
    """Others own fields that the patch would change. `causes` has one entry for each field."""

    def __init__(self, conflicts: Conflicts) -> None:
        self.conflicts = conflicts
        self.causes = tuple(
            Cause("FieldManagerConflict", f"conflict with {_shown(manager)}", path_text(path))
            for manager, path in _in_order(conflicts)
        )
        super().__init__(_message(conflicts))


def server_side_apply(
    live: JsonObject | None,
    applied: JsonObject,
    manager: str,
    force: bool,
    schema: Schema | None,
    api_version: str,
    subresource: str,
    now: str,
    *,
    reset: tuple[Path, ...] | None = None,
) -> JsonObject:
    """Return the object after `manager` applied its patch, with managedFields; the caller adds defaults and status.

    `live` is None if this creates the object. `reset` are the paths that the endpoint ignores (default:
    `reset_fields`). `now` is an RFC 3339 time in seconds. Pure; the result shares no data with the arguments.
    Raises ApplyConflict unless forced, and PatchError: 400 for managedFields in the patch, 500 if the patch does not
    fit the schema.
    """
    metadata = applied.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    shape = root_shape(schema)
    _check_patch(applied, shape, api_version)
    ignored = reset_fields(subresource) if reset is None else reset
    owners = {each: replace(owned, paths=reconciled(owned.paths, shape)) for each, owned in _owners(live).items()}
    before = without_managed_fields(live) if live is not None else empty_object(schema)
    if not owners and live is not None:
        # Earlier fields belong to their creator, so that the first apply does not overwrite them silently.
        anonymous = Manager("Update", BEFORE_FIRST_APPLY, api_version, subresource)
        record_change(owners, empty_object(schema), before, shape, anonymous, now, ignored)
    applier = Manager("Apply", manager, "", subresource)
    patch = without_managed_fields(applied)
    try:
        result = _apply(before, patch, owners, applier, shape, api_version, ignored, force=force)
    except ApplyConflict as exc:
        _retry_as_client_side(exc, before, applier, shape, api_version)
        result = _apply(before, patch, owners, applier, shape, api_version, ignored, force=True)
    merged, owners = result
    if merged != before and applier in owners:
        owners[applier] = replace(owners[applier], time=now)
    _own_without_metadata(owners, applier)
    return copy.deepcopy(_with_last_applied(write_managed_fields(merged, owners), patch, manager))


def _check_patch(applied: JsonObject, shape: Shape, api_version: str) -> None:
    found = problems(applied, shape)
    if found:
        metadata = applied.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        where = "/".join(each if isinstance(each := metadata.get(name), str) else "" for name in ("namespace", "name"))
        kind = f"{api_version}, Kind={applied.get('kind') or ''}"
        if "/" not in api_version:
            kind = f"/{kind}"
        message = f"failed to create typed patch object ({where}; {kind}): {problems_message(found)}"
        raise PatchError(500, "", message)


def _owners(live: JsonObject | None) -> Owners:
    try:
        return read_managed_fields(live)
    except (ValueError, AttributeError, TypeError) as exc:
        raise PatchError(500, "", f"failed to decode managed fields: {exc}") from exc


def _apply(
    live: JsonObject,
    patch: JsonObject,
    owners: Owners,
    applier: Manager,
    shape: Shape,
    api_version: str,
    ignored: tuple[Path, ...],
    *,
    force: bool,
) -> tuple[JsonObject, Owners]:
    """Return the merged object and its new owners. Raises ApplyConflict."""
    owners = dict(owners)
    last = owners.get(applier)
    try:
        merged = merge(live, patch, shape)
    except ShapeError as exc:
        raise PatchError(500, "", f"failed to merge config: {exc}") from exc
    wanted = without_below(field_set(patch, shape), ignored)
    owners[applier] = Ownership(wanted, api_version, last.time if last else None)
    if last is not None and last.paths:
        merged = _prune(merged, last.paths, owners, shape)
    change = compare(live, merged, shape)
    touched = without_below(frozenset(change.modified | change.added), ignored)
    removed = without_below(frozenset(change.removed), ignored)
    others = [manager for manager in owners if manager != applier]
    conflicts = {manager: owners[manager].paths & touched for manager in others}
    conflicts = {manager: paths for manager, paths in conflicts.items() if paths}
    if conflicts and not force:
        raise ApplyConflict(conflicts)
    for manager in others:
        rest = owners[manager].paths - touched - removed
        owners[manager] = replace(owners[manager], paths=rest)
    return merged, {manager: owned for manager, owned in owners.items() if owned.paths}


def _prune(merged: JsonObject, last: Paths, owners: Owners, shape: Shape) -> JsonObject:
    """Remove fields of the last apply that this one lacks, unless they have an owner, or contain an owned field."""
    last_named = with_named_fields(last, shape)
    pruned = remove(merged, last_named, shape)
    owned = with_named_fields(frozenset().union(*(each.paths for each in owners.values())), shape)
    everything = with_named_fields(field_set(merged, shape), shape)
    kept = with_named_fields(field_set(pruned, shape), shape)
    pruned = remove(merged, everything - (kept | owned), shape)
    # Removing an item removes the fields below it; only those of the last apply may be lost.
    kept = with_named_fields(field_set(pruned, shape), shape)
    result: JsonObject = remove(merged, (everything - kept) & last_named, shape)
    return result


def _own_without_metadata(owners: Owners, applier: Manager) -> None:
    """Remove server-set fields from the applier's, and the applier if none is left."""
    owned = owners.get(applier)
    if owned is not None:
        paths = owned.paths - STRIPPED
        if paths:
            owners[applier] = replace(owned, paths=paths)
        else:
            del owners[applier]


def _retry_as_client_side(
    conflict: ApplyConflict, live: JsonObject, applier: Manager, shape: Shape, api_version: str
) -> None:
    """Transfer fields of kubectl's earlier client-side apply to it; raise the remaining conflicts."""
    if applier.name != KUBECTL:
        raise conflict
    allowed = _from_last_applied(live, shape, api_version)
    if allowed is None:
        raise conflict
    remaining = {manager: paths - allowed for manager, paths in conflict.conflicts.items() if paths - allowed}
    if remaining:
        raise ApplyConflict(remaining) from conflict


def _from_last_applied(live: JsonObject, shape: Shape, api_version: str) -> Paths | None:
    """Return the fields of the last client-side apply that still have its values; None if there was none."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return None
    try:
        last = json.loads(text)
    except ValueError:
        return None
    if not isinstance(last, dict) or last.get("apiVersion") != api_version or problems(last, shape):
        return None
    change = compare(last, live, shape)
    return field_set(last, shape) - change.modified - change.added - change.removed


def _with_last_applied(obj: JsonObject, patch: JsonObject, manager: str) -> JsonObject:
    """Update the annotation of client-side apply, so that kubectl can return to it."""
    annotations = obj["metadata"].get("annotations") or {}
    if manager != KUBECTL or not annotations.get(LAST_APPLIED):
        return obj
    metadata = dict(patch.get("metadata") or {})
    if "annotations" in metadata:
        metadata["annotations"] = {k: v for k, v in (metadata["annotations"] or {}).items() if k != LAST_APPLIED}
        if not metadata["annotations"]:
            del metadata["annotations"]
    text = f"{go_json({**patch, 'metadata': metadata})}\n"
    return {**obj, "metadata": {**obj["metadata"], "annotations": {**annotations, LAST_APPLIED: text}}}


def _in_order(conflicts: Conflicts) -> list[tuple[Manager, Path]]:
    return [
        (manager, path)
        for manager in sorted(conflicts, key=_identifier)
        for path in sorted(conflicts[manager], key=sort_key)
    ]


def _identifier(manager: Manager) -> str:
    """Return the sort key of a manager in a kube-apiserver: its JSON."""
    fields = {"manager": manager.name, "operation": manager.operation}
    if manager.api_version:
        fields["apiVersion"] = manager.api_version
    if manager.subresource:
        fields["subresource"] = manager.subresource
    return json.dumps(fields, separators=(",", ":"))


def _message(conflicts: Conflicts) -> str:
    entries = _in_order(conflicts)
    if len(entries) == 1:
        manager, path = entries[0]
        return f"Apply failed with 1 conflict: conflict with {_shown(manager)}: {path_text(path)}"
    lines = []
    for manager in dict.fromkeys(manager for manager, _ in entries):
        lines.append(f"conflicts with {_shown(manager)}:")
        lines += [f"- {path_text(path)}" for each, path in entries if each == manager]
    return f"Apply failed with {len(entries)} conflicts: " + "\n".join(lines)


def _shown(manager: Manager) -> str:
    text = go_quote(manager.name)
    if manager.subresource:
        text += f" with subresource {go_quote(manager.subresource)}"
    if manager.operation == "Update":
        text += f" using {manager.api_version}"
    return text
