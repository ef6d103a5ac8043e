"""Rules that a schema cannot say with keywords: CEL expressions of a kind's CRD.

Transition rules (those naming `oldSelf`) make a job's spec immutable: AWS cannot change a job, so an accepted edit
would be a lie (D-04, D-11). Every property carries its own rule, so that the answer names the field; a rule on `spec`
covers what such rules do not see, fields that come or go. The one exception is the name, which the operator fills in.

The expressions use nothing newer than Kubernetes 1.25. An equality costs the API server at most the size of a request,
so each stays within its estimate (10 million per expression, 100 million per CRD) however long the lists are.
"""

from typing import Any, Final, TypeAlias

from api.compat import RequiredUnless
from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field

Rule: TypeAlias = dict[str, str]

_IMMUTABLE: Final = frozenset({LifeCycle.JOB})


def rules_of(descriptor: KindDescriptor, field: Field) -> list[Rule]:
    """The rules of one structure or property, in a fixed order; mostly none."""
    return [*_required(descriptor, field), *_immutable(descriptor, field)]


def _required(descriptor: KindDescriptor, field: Field) -> list[Rule]:
    return [
        {
            "rule": " || ".join(_given(entry)),
            "message": f"{entry.path}.{entry.field} is required, unless {' or '.join(entry.alternatives)} is given",
        }
        for entry in descriptor.compat.required_unless
        if entry.path == field.path
    ]


def _given(entry: RequiredUnless) -> list[str]:
    """Ways to satisfy a requirement."""
    parent = entry.field.rpartition(".")[0]
    ways = [f"has(self.{name})" for name in (entry.field, *entry.alternatives)]
    return [f"!has(self.{parent})", *ways] if parent else ways


def _immutable(descriptor: KindDescriptor, field: Field) -> list[Rule]:
    if descriptor.life_cycle not in _IMMUTABLE:
        return []
    message = (
        f"a {descriptor.kind} cannot be changed once it is created, as SageMaker cannot update a job:"
        " delete it and create it anew, or create another one under a new metadata.name"
    )
    name_path = f"spec.{descriptor.name.spec_field}"
    if field.path == "spec":
        return [{"rule": " && ".join(_neither_comes_nor_goes(field, name_path)), "message": message}]
    if field.path == name_path and descriptor.name.late_initialized:
        return [{"rule": "oldSelf == '' || self == oldSelf", "message": message}]
    if field.name and field.path == f"spec.{field.name}":
        return [{"rule": "self == oldSelf", "message": message}]
    return []


def _neither_comes_nor_goes(spec: Field, name_path: str) -> list[str]:
    terms = []
    for child in spec.fields:
        if child.path == name_path:
            terms.append(f"(has(self.{child.name}) || !has(oldSelf.{child.name}) || oldSelf.{child.name} == '')")
        elif not child.required:
            terms.append(f"has(self.{child.name}) == has(oldSelf.{child.name})")
    return terms


def with_rules(descriptor: KindDescriptor, field: Field, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the field's rules, if it has any. Changes and returns `schema`."""
    if rules := rules_of(descriptor, field):
        schema["x-kubernetes-validations"] = rules
    return schema
