"""Generates the CEL rules against manifest changes that AWS does not support.

For a job, the whole spec is immutable: an accepted edit would have no effect (D-11). For the other kinds, the identity
of the resource is: with a new one the operator would create a second resource and forget the first (D-04).

Every property carries its own rule, so that the answer names the field; a rule on `spec` covers what such rules do
not see, fields that come or go. The one exception is the name, which the operator fills in.

The expressions use nothing newer than Kubernetes 1.25. An equality costs the API server at most the size of a request,
so each stays within its estimate (10 million per expression, 100 million per CRD) however long the lists are.
"""

from collections.abc import Iterable
from typing import Final, TypeAlias

from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field

Validation: TypeAlias = dict[str, str]
"""An item of `x-kubernetes-validations`."""

_INSTEAD: Final = "delete it and create it anew, or create another one under a new metadata.name"


def immutability(descriptor: KindDescriptor, field: Field) -> list[Validation]:
    """Return the transition rules of one structure or property; mostly none."""
    message = _message(descriptor)
    if field.path == "spec":
        terms = [term for child in field.fields if _is_fixed(descriptor, child) for term in _stays(descriptor, child)]
        return [{"rule": " && ".join(terms), "message": message}]
    if field.path != f"spec.{field.name}" or not _is_fixed(descriptor, field):
        return []
    if _is_filled_in(descriptor, field):
        return [{"rule": "oldSelf == '' || self == oldSelf", "message": message}]
    return [{"rule": "self == oldSelf", "message": message}]


def _is_fixed(descriptor: KindDescriptor, field: Field) -> bool:
    return descriptor.life_cycle is LifeCycle.JOB or field.name in descriptor.compat.identity


def _is_filled_in(descriptor: KindDescriptor, field: Field) -> bool:
    is_name = descriptor.name.late_initialized and field.name == descriptor.name.spec_field
    return is_name or field.name in descriptor.compat.filled_in


def _stays(descriptor: KindDescriptor, field: Field) -> Iterable[str]:
    """Yield terms that are false if an optional property is added or removed; required ones cannot be."""
    name = field.name
    if _is_filled_in(descriptor, field):
        yield f"(has(self.{name}) || !has(oldSelf.{name}) || oldSelf.{name} == '')"
    elif not field.required:
        yield f"has(self.{name}) == has(oldSelf.{name})"


def _message(descriptor: KindDescriptor) -> str:
    if descriptor.life_cycle is LifeCycle.JOB:
        return f"a {descriptor.kind} cannot be changed once it is created, as SageMaker cannot update a job: {_INSTEAD}"
    *names, last = sorted(descriptor.compat.identity)
    return (
        f"{', '.join(names)} and {last} of a {descriptor.kind} cannot be changed, as what exists there would be left"
        f" behind: {_INSTEAD}"
    )
