"""Collects the CEL rules of a field: exclusions, and the rules of the kind's table.

They check only presence, equality and length: CEL refuses a value that is written unlike its schema, such as a count
given as 1.0, which an int64 otherwise accepts. They never relate two fields of v1, as a stored object has to stay
valid: those are compared when the request is built.
"""

from api.compat import Exclusive
from api.descriptor import KindDescriptor
from api.fields import Field
from api.schema.immutability import Validation


def validations(descriptor: KindDescriptor, field: Field) -> list[Validation]:
    """Return the items of `x-kubernetes-validations` for one structure or property; mostly none."""
    compat = descriptor.compat
    excluding = [rule for entry in compat.exclusive if entry.path == field.path for rule in _excludes(entry)]
    further = [{"rule": rule.rule, "message": rule.message} for rule in compat.rules if rule.path == field.path]
    return [*excluding, *further]


def _excludes(entry: Exclusive) -> list[Validation]:
    return [
        {
            "rule": f"!has(self.{entry.field}) || !has(self.{other})",
            "message": f"{entry.field} and {other} exclude each other: give one of them",
        }
        for other in entry.others
    ]
