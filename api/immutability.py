"""The CEL rules that make a job's spec immutable once it is accepted.

AWS cannot change a job, so an accepted edit would be a lie (D-04, D-11). Every property carries its own rule, so that
the answer names the field; a rule on `spec` covers what such rules do not see, fields that come or go. The one
exception is the name, which the operator fills in.

The expressions use nothing newer than Kubernetes 1.25, and nothing but transitions is said in CEL: `schema.py` tells
why. An equality costs the API server at most the size of a request, so each stays within its estimate (10 million per
expression, 100 million per CRD) however long the lists are.
"""

from typing import Final, TypeAlias

from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field

Rule: TypeAlias = dict[str, str]

_IMMUTABLE: Final = frozenset({LifeCycle.JOB})


def immutability(descriptor: KindDescriptor, field: Field) -> list[Rule]:
    """The transition rules of one structure or property; mostly none."""
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
