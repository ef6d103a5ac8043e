"""What the spec wants an Update to change, and the requests of Create and Update. Pure."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, Final

from api.descriptor import KindDescriptor, ResourceUpdate
from api.fields import members
from api.meta import JsonObject
from api.naming import key_of
from controller.reconcile.drift.digest import differences, digest, plain, request_of
from controller.reconcile.drift.report import Difference
from controller.runtime.frozen import replace

_UNKNOWN: Final = "unknown"
"""In place of the digest of all."""
_SCALAR: Final = str | int | float  # bool is an int


def changeable(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> JsonObject:
    """Return the members of the Update request of a spec. Raises `CallError` INVALID, not sent."""
    rule = descriptor.resource_update
    if rule is None:
        return {}
    wanted = request_of(descriptor, spec, rule.operation)
    return {member: value for member, value in wanted.items() if member != rule.name_member}


def record_of(wanted: JsonObject) -> str:
    """Return what to record of the members that an Update sends: a digest of all, and one of each structure.

    AWS adds to structures what the spec does not have. Whether an edit has taken something out of one is known by its
    digest alone.
    """
    parts = [f"{member}:{digest(value)}" for member, value in sorted(wanted.items()) if not isinstance(value, _SCALAR)]
    return " ".join([digest(plain(wanted)), *parts])


def in_doubt(recorded: str, sent: str) -> str:
    """Return what to record before an Update is sent, as its answer may be lost: it equals no spec.

    Of the structures, those are known that the Update does not change. Where nothing is known, it stays so.
    """
    if not recorded:
        return ""
    kept = set(sent.split()[1:])
    return " ".join([_UNKNOWN, *(part for part in recorded.split()[1:] if part in kept)])


def edited_structures(recorded: str, wanted: JsonObject) -> frozenset[str]:
    """Return the members with structures that are not as they were sent last; none if it is not known what was."""
    if not recorded:
        return frozenset()
    before = dict(part.split(":") for part in recorded.split()[1:])
    now = dict(part.split(":") for part in record_of(wanted).split()[1:])
    return frozenset(member for member, each in now.items() if before.get(member) != each)


def sent_by_create(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> str:
    """Return the digest to record after a Create: of those members of an Update that a Create sends, too."""
    rule = descriptor.resource_update
    if rule is None:
        return record_of({})
    created, wanted = request_of(descriptor, spec), changeable(descriptor, spec)
    return record_of({member: value for member, value in wanted.items() if rule.spelled.get(member, member) in created})


def missing(
    descriptor: KindDescriptor, wanted: JsonObject, shown: Mapping[str, Any], edited: AbstractSet[str] = frozenset()
) -> tuple[Difference, ...]:
    """Return where a description differs from what is wanted, as far as an Update can change it.

    The members `edited` differ by what AWS has and the spec has not, too.
    """
    rule = descriptor.resource_update
    if rule is None:
        return ()
    found = [
        each
        for member in wanted.keys() - unshown_members(descriptor)
        for each in _differing(rule, member, wanted, shown, is_edited=member in edited)
    ]
    found += [
        Difference(f"spec.{key_of(member)}", None, shown[rule.spelled.get(member, member)])
        for member in _to_be_emptied(rule, wanted, shown)
    ]
    found += [
        Difference(f"spec.{key_of(member)}[{key}]", None, shown[member][key])
        for member in rule.dropped
        for key in _dropped(member, wanted, shown)
    ]
    return tuple(sorted(found, key=lambda each: each.path))


def update_members(
    descriptor: KindDescriptor, wanted: JsonObject, shown: Mapping[str, Any], edited: AbstractSet[str] = frozenset()
) -> JsonObject:
    """Return the members of an Update: what the spec wants to be otherwise, and the removal of what it has not.

    What AWS has already is not sent: it may refuse to change that, and what is absent stays as it is.
    """
    rule = descriptor.resource_update
    if rule is None:
        return {}
    unshown = unshown_members(descriptor)
    request = {
        member: value
        for member, value in wanted.items()
        if member in unshown or any(_differing(rule, member, wanted, shown, is_edited=member in edited))
    }
    request |= {member: rule.absent[member] for member in _to_be_emptied(rule, wanted, shown)}
    for member, removed in rule.dropped.items():
        if keys := _dropped(member, wanted, shown):
            request[removed] = keys
    return request


def _differing(
    rule: ResourceUpdate, member: str, wanted: JsonObject, shown: Mapping[str, Any], *, is_edited: bool
) -> Iterator[Difference]:
    name = rule.spelled.get(member, member)
    said, there = _ordered(plain(wanted[member])), _ordered(plain(shown.get(name)))
    if is_edited and said != there:
        yield Difference(f"spec.{key_of(member)}", said, there)
        return
    for each in differences({name: said}, {name: there}):
        path = f"spec.{each.path}"
        yield Difference(path, {}, {}) if _is_document(each.applied) else replace(each, path=path)


def _to_be_emptied(rule: ResourceUpdate, wanted: JsonObject, shown: Mapping[str, Any]) -> list[str]:
    return [each for each in rule.absent if each not in wanted and shown.get(rule.spelled.get(each, each))]


def _dropped(member: str, wanted: JsonObject, shown: Mapping[str, Any]) -> list[str]:
    """Return the keys of a map that the spec does not have; none if it says nothing about the map."""
    return sorted((shown.get(member) or {}).keys() - wanted[member].keys()) if member in wanted else []


@cache
def unshown_members(descriptor: KindDescriptor) -> frozenset[str]:
    """Return the members of an Update that no description has."""
    rule = descriptor.resource_update
    if rule is None:
        return frozenset()
    shown = members(descriptor, descriptor.operations.describe, is_answer=True)
    sent = members(descriptor, rule.operation)
    return frozenset(each for each in sent if rule.spelled.get(each, each) not in shown) - {rule.name_member}


def _ordered(value: Any) -> Any:
    """Return a value with what has no order sorted, and documents read: AWS may write both in its own way."""
    if isinstance(value, Mapping):
        return {name: _ordered(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = [_ordered(item) for item in value]
        return sorted(items) if all(isinstance(item, str) for item in items) else items
    if _is_document(value):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except (ValueError, RecursionError):
            return value
    return value


def _is_document(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("{")
