"""What the spec wants an Update to change, and the requests of Create and Update. Pure."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from api.descriptor import KindDescriptor, ResourceUpdate
from api.fields import members
from api.meta import JsonObject
from api.naming import key_of
from controller.reconcile.drift.digest import content, differences, digest
from controller.reconcile.drift.report import Difference
from controller.runtime.frozen import replace


def changeable(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> JsonObject:
    """Return the members of the Update request of a spec. Raises `CallError` INVALID, not sent."""
    rule = descriptor.resource_update
    if rule is None:
        return {}
    wanted = content(descriptor, spec, rule.operation)
    return {member: value for member, value in wanted.items() if member != rule.name_member}


def sent_by_create(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> str:
    """Return the digest to record after a Create: of those members of an Update that a Create sends, too."""
    rule = descriptor.resource_update
    if rule is None:
        return digest({})
    created, wanted = content(descriptor, spec), changeable(descriptor, spec)
    return digest({member: value for member, value in wanted.items() if rule.spelled.get(member, member) in created})


def missing(descriptor: KindDescriptor, wanted: JsonObject, shown: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return where a description differs from what is wanted, as far as an Update can change it."""
    rule = descriptor.resource_update
    if rule is None:
        return ()
    found = [
        each
        for member in wanted.keys() - unshown_members(descriptor)
        for each in _differing(rule, member, wanted, shown)
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


def update_members(descriptor: KindDescriptor, wanted: JsonObject, shown: Mapping[str, Any]) -> JsonObject:
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
        if member in unshown or any(_differing(rule, member, wanted, shown))
    }
    request |= {member: rule.absent[member] for member in _to_be_emptied(rule, wanted, shown)}
    for member, removed in rule.dropped.items():
        if keys := _dropped(member, wanted, shown):
            request[removed] = keys
    return request


def _differing(rule: ResourceUpdate, member: str, wanted: JsonObject, shown: Mapping[str, Any]) -> Iterator[Difference]:
    name = rule.spelled.get(member, member)
    for each in differences({name: _ordered(wanted[member])}, {name: _ordered(shown.get(name))}):
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
        except ValueError:
            return value
    return value


def _is_document(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip().startswith("{")
