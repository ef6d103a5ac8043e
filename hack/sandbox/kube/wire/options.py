"""Parses the query parameters of a request, with the API server's messages.

Source: k8s.io/apimachinery pkg/apis/meta/v1/validation and internalversion/validation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.wire.causes import Cause, forbidden, go_quote, invalid, not_supported, required, too_long
from hack.sandbox.kube.wire.errors import bad_request, invalid_options

Json = dict[str, Any]
Query = Mapping[str, Sequence[str]]

FIELD_MANAGER_MAX: Final = 128
POLICIES: Final = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of create, update and patch. `manager` is derived from the User-Agent by default."""

    dry_run: bool = False
    manager: str = "unknown"
    field_validation: str = "Warn"
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """Options of delete and deletecollection."""

    dry_run: bool = False
    policy: str | None = None
    orphan: bool | None = None
    grace_period_s: int | None = None
    uid: str | None = None
    resource_version: str | None = None


@dataclass(frozen=True, slots=True)
class ListOptions:
    """Options of list and watch. Selectors are still text: their fields depend on the resource."""

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    match: str = ""
    limit: int = 0
    token: str = ""
    watch: bool = False
    bookmarks: bool = False
    send_initial_events: bool | None = None
    timeout_s: int | None = None


def _first(query: Query, name: str) -> str:
    values = query.get(name)
    return values[0] if values else ""


def _boolean(query: Query, name: str) -> bool | None:
    """Parse a query parameter as Go does: everything except `false` and `0` is true, including a missing value."""
    if name not in query:
        return None
    return _first(query, name).lower() not in ("false", "0")


def _integer(query: Query, name: str) -> int | None:
    text = _first(query, name)
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d+", text):
        raise bad_request(f"strconv.ParseInt: parsing {go_quote(text)}: invalid syntax")
    if not -(2**63) <= int(text) < 2**63:
        raise bad_request(f"strconv.ParseInt: parsing {go_quote(text)}: value out of range")
    return int(text)


def _dry_run(values: Sequence[str]) -> tuple[bool, list[Cause]]:
    if any(value != "All" for value in values):
        shown = "[" + ",".join(go_quote(value) for value in values) + "]"
        return False, [
            Cause("FieldValueNotSupported", f'Unsupported value: {shown}: supported values: "All"', "dryRun")
        ]
    return bool(values), []


def _manager_causes(manager: str) -> list[Cause]:
    causes = [too_long("fieldManager", FIELD_MANAGER_MAX)] if len(manager) > FIELD_MANAGER_MAX else []
    for position, character in enumerate(manager):
        if not character.isprintable():
            why = f"invalid character U+{ord(character):04X} (at position {position})"
            causes.append(invalid("fieldManager", manager, why))
    return causes


def write_options(query: Query, user_agent: str, kind: str, *, patch_type: str = "") -> WriteOptions:
    """Parse options of a write; `kind` is CreateOptions, UpdateOptions or PatchOptions. Raises StatusError."""
    manager = _first(query, "fieldManager")
    force = _boolean(query, "force")
    causes: list[Cause] = []
    if kind == "PatchOptions":
        if "apply" in patch_type:
            if not manager:
                causes.append(required("fieldManager", "is required for apply patch"))
        elif force is not None:
            causes.append(forbidden("force", "may not be specified for non-apply patch"))
    causes += _manager_causes(manager)
    dry_run, wrong = _dry_run(query.get("dryRun", ()))
    causes += wrong
    directive = _first(query, "fieldValidation")
    if directive not in ("", "Ignore", "Warn", "Strict"):
        causes.append(not_supported("fieldValidation", directive, ("", "Ignore", "Strict", "Warn")))
    if causes:
        raise invalid_options(kind, causes)
    return WriteOptions(dry_run, manager or prefix_of(user_agent), directive or "Warn", bool(force))


def prefix_of(user_agent: str) -> str:
    """Return the field manager for a User-Agent: the part before its first slash, printable characters only."""
    name = "".join(character for character in user_agent.partition("/")[0] if character.isprintable())
    return name[:FIELD_MANAGER_MAX] or "unknown"


def delete_options(query: Query, body: Json | None) -> DeleteOptions:
    """Parse options from the body if there is one, else from the query. Raises StatusError."""
    causes: list[Cause] = []
    if body is not None:
        conditions = body.get("preconditions") or {}
        policy, orphan = body.get("propagationPolicy"), body.get("orphanDependents")
        grace, dry = body.get("gracePeriodSeconds"), body.get("dryRun") or []
    else:
        conditions = {}
        policy, orphan = _first(query, "propagationPolicy") or None, _boolean(query, "orphanDependents")
        grace, dry = _integer(query, "gracePeriodSeconds"), list(query.get("dryRun", ()))
    if policy is not None and orphan is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        causes.append(invalid("propagationPolicy", policy, why))
    if policy is not None and policy not in POLICIES:
        causes.append(not_supported("propagationPolicy", policy, (*POLICIES, "nil")))
    dry_run, wrong = _dry_run(dry)
    causes += wrong
    if causes:
        raise invalid_options("DeleteOptions", causes)
    return DeleteOptions(dry_run, policy, orphan, grace, conditions.get("uid"), conditions.get("resourceVersion"))


def list_options(query: Query) -> ListOptions:
    """Parse options of a list or watch. Raises StatusError."""
    options = ListOptions(
        label_selector=_first(query, "labelSelector"),
        field_selector=_first(query, "fieldSelector"),
        resource_version=_first(query, "resourceVersion"),
        match=_first(query, "resourceVersionMatch"),
        limit=_integer(query, "limit") or 0,
        token=_first(query, "continue"),
        watch=bool(_boolean(query, "watch")),
        bookmarks=bool(_boolean(query, "allowWatchBookmarks")),
        send_initial_events=_boolean(query, "sendInitialEvents"),
        timeout_s=_integer(query, "timeoutSeconds"),
    )
    check: Callable[[ListOptions], list[Cause]] = _watch_causes if options.watch else _list_causes
    causes = check(options)
    if causes:
        raise invalid_options("ListOptions", causes)
    return options


def wants_watch(query: Query) -> bool:
    """Return whether a GET of a collection is a watch."""
    return bool(_boolean(query, "watch"))


_MATCH: Final = "resourceVersionMatch"


def _list_causes(options: ListOptions) -> list[Cause]:
    causes: list[Cause] = []
    if options.match:
        if not options.resource_version:
            why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            causes.append(forbidden(_MATCH, why))
        if options.token:
            causes.append(forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided"))
        if options.match not in ("Exact", "NotOlderThan"):
            causes.append(not_supported(_MATCH, options.match, ("Exact", "NotOlderThan", "")))
        if options.match == "Exact" and options.resource_version == "0":
            causes.append(forbidden(_MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.send_initial_events is not None:
        causes.append(forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return causes


def _watch_causes(options: ListOptions) -> list[Cause]:
    causes: list[Cause] = []
    if options.send_initial_events is not None and options.match != "NotOlderThan":
        causes.append(forbidden(_MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if options.match:
        if options.send_initial_events is None:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            causes.append(forbidden(_MATCH, why))
        if options.match != "NotOlderThan":
            causes.append(not_supported(_MATCH, options.match, ("NotOlderThan",)))
    if options.token:
        causes.append(forbidden(_MATCH, "resourceVersionMatch is forbidden when continue is provided"))
    return causes
