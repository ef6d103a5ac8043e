"""Generates the CEL rules against manifest changes that AWS does not support.

For a job, the whole spec is immutable but for what AWS can change (`KindDescriptor.update`): an accepted edit of
another field would have no effect (D-11). So it is for what is updated in place, but for tags and for what its Update
sends (`KindDescriptor.resource_update`). For the other kinds, the identity of the resource is: with a new one the
operator would create a second resource and forget the first (D-04).

Nothing is immutable before there is something at AWS: what AWS has refused is corrected by an edit. So the rules stand
at the root, where they see the status; one for each property, and the message names it. They compare what the request
to AWS would be: what is absent equals what is empty, `false` or the default, at every depth (an earlier implementation
stored objects without empty values). Of lists of structures CEL can only compare the whole within its budget: where one
of the two has an empty value in it, the rule accepts, and the operator compares (`reconcile.job.edits`). A default that
is written into an item of a list counts as a change here. While the operator shows an edit without effect, it compares
whatever comes next as well: an edit can be undone.

The expressions use nothing newer than Kubernetes 1.25 and stay within what its API server allows (10 million by its
estimate per expression, 100 million per CRD) however long the lists are: an equality costs at most the size of a
request, and lists are walked once.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, TypeAlias

from api.content import APART, DEFAULTS
from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field, KindFields
from api.form import Form

Validation: TypeAlias = dict[str, str]
"""An item of `x-kubernetes-validations`."""

CREATION_UNCONFIRMED: Final = "CreationUnconfirmed"
"""Reason of the condition Reconciling while a Create without an answer may have had its effect."""

SPEC_IMMUTABLE: Final = "SpecImmutable"
"""Reason of the condition Synced while the spec has an edit that had no effect."""

_INSTEAD: Final = "delete it and create it again, or create another one under a new metadata.name"
_PARTED: Final = 40
"""Structures with more properties, or with lists of structures, get a rule for each of them."""
_LONGEST: Final = 4096
"""Characters of a rule, for those who read CRDs."""
_WALKED: Final = 100
"""Inner lists with more items are not walked: where there is one, the rule leaves the comparison to the operator."""


def immutability(descriptor: KindDescriptor, fields: KindFields) -> list[Validation]:
    """Return the transition rules of a kind, for the root of its schema."""
    absent, way = _is_nothing_there(descriptor), _Path((("spec", False),))
    start = f"{absent} || " if fields.spec.required else f"!has(oldSelf.spec) || {absent} || has(self.spec) && "
    mutable = descriptor.update.paths() if descriptor.update else frozenset()
    fixed = (
        part for child in fields.spec.fields if _is_fixed(descriptor, child) for part in _parts(child, way, mutable)
    )
    return [rule for child, parent in fixed for rule in _rules(descriptor, start, child, parent)]


def _rules(descriptor: KindDescriptor, start: str, child: Field, parent: "_Path") -> Iterator[Validation]:
    """Yield the rule of a property, or, if it is too long, those of the properties in it."""
    rule = f"{start}({_unless_compared(descriptor, child, _stays(descriptor, child, parent))})"
    if len(rule) < _LONGEST or child.form is not Form.STRUCTURE:
        yield {"rule": rule, "message": _message(descriptor, child)}
        return
    for below in child.fields:
        yield from _rules(descriptor, start, below, parent.below(child))


def _is_fixed(descriptor: KindDescriptor, field: Field) -> bool:
    """Return whether a field directly in the spec, or a part of it, cannot be changed at AWS."""
    if descriptor.life_cycle is LifeCycle.JOB or field.name in descriptor.compat.identity:
        return True
    if descriptor.life_cycle is not LifeCycle.IN_PLACE or field.member in APART or not field.member:
        return False
    update = descriptor.resource_update
    names = {descriptor.name.member} | ({update.name_member} if update else set())
    return update is None or update.operation not in field.sent_by or field.member in names


@dataclass(frozen=True, slots=True)
class _Path:
    """Where a value is below `self` and `oldSelf`: names, each with whether it may be absent."""

    steps: tuple[tuple[str, bool], ...]

    def below(self, field: Field) -> "_Path":
        return _Path((*self.steps, (field.name, not field.required)))

    def of(self, root: str) -> str:
        return ".".join((root, *(name for name, _ in self.steps)))

    def presence(self, root: str) -> str:
        """Return the term that the value is there; empty if it always is."""
        terms, at = [], root
        for name, is_optional in self.steps:
            at = f"{at}.{name}"
            terms += [f"has({at})"] if is_optional else []
        return " && ".join(terms)

    def value(self, root: str, without: str, unlike: str = "") -> str:
        """Return the value, or `without` if it is absent, or equal to `unlike`."""
        terms = [*filter(None, [self.presence(root)]), *([f"{self.of(root)} != {unlike}"] if unlike else [])]
        return f"({' && '.join(terms)} ? {self.of(root)} : {without})" if terms else self.of(root)


def _parts(field: Field, parent: _Path, mutable: AbstractSet[str]) -> Iterator[tuple[Field, _Path]]:
    """Yield a property, or, in place of a large structure, the properties in it: one rule each, for the budget.

    What is mutable is left out, and a structure with something mutable in it is taken apart.
    """
    if field.path in mutable:
        return
    below = [each for each in field.walk() if each is not field]
    is_apart = len(below) > _PARTED or any(
        each.form is Form.PAIRS or (each.item and each.item.fields) or each.path in mutable for each in below
    )
    if field.form is not Form.STRUCTURE or not is_apart:
        yield field, parent
        return
    for child in field.fields:
        yield from _parts(child, parent.below(field), mutable)


def _is_nothing_there(descriptor: KindDescriptor) -> str:
    """Return the term that nothing is recorded, and nothing may exist at AWS.

    A predecessor recorded names without conditions. An object with conditions names a resource only with its record.
    """
    status, name = "oldSelf.status", descriptor.name.status_field
    recorded = f"has({status}.awsResource) && has({status}.awsResource.name)"
    unconfirmed = (
        f"has({status}.conditions) ? {status}.conditions.exists(c, has(c.reason) && c.reason =="
        f" '{CREATION_UNCONFIRMED}') : has({status}.{name}) && {status}.{name} != ''"
    )
    return f"!has({status}) || !({recorded} || ({unconfirmed}))"


def _unless_compared(descriptor: KindDescriptor, field: Field, stays: str) -> str:
    """Return the term that a part of a job's spec stays, or that the operator compares it with what the job is made of.

    It compares what it sends; the name, and where the job is, it has recorded, and tags are apart.
    """
    is_compared = field.member and field.member not in {descriptor.name.member, *APART}
    if descriptor.life_cycle is not LifeCycle.JOB or not is_compared:
        return stays
    conditions = "oldSelf.status.conditions"
    is_shown = f"has({conditions}) && {conditions}.exists(c, has(c.reason) && c.reason == '{SPEC_IMMUTABLE}')"
    return f"{is_shown} || ({stays})"


def _stays(descriptor: KindDescriptor, field: Field, parent: _Path) -> str:
    way = parent.below(field)
    name = descriptor.name
    is_name = field.path == f"spec.{name.spec_field}"
    if is_name and name.late_initialized and field.name not in descriptor.compat.filled_in:
        # The operator fills it in, again if a manifest without it replaces the object.
        known = _recorded("name").value("oldSelf", way.value("self", "''"))
        return f"{way.value('self', _quoted(''))} in ['', {way.value('oldSelf', known, _quoted(''))}]"
    if field.path == "spec.region":
        # Left out it is a default, which only the record shows.
        known = _recorded("region").value("oldSelf", "''")
        return f"{way.value('self', known, _quoted(''))} == {way.value('oldSelf', known, _quoted(''))}"
    if (default := descriptor.compat.filled_in.get(field.name)) is not None:
        return _equal(way, _quoted(default), _quoted(""))
    return _same(field, way)


def _recorded(name: str) -> _Path:
    return _Path((("status", True), ("awsResource", True), (name, True)))


def _same(field: Field, way: _Path) -> str:
    """Return the term that both values make the same request."""
    match field.form:
        case Form.STRUCTURE:
            terms = [_same(child, way.below(child)) for child in field.fields]
            return " && ".join(each if _is_atom(each) else f"({each})" for each in terms) if terms else "true"
        case Form.STRING if field.member in DEFAULTS:
            return _equal(way, _quoted(str(DEFAULTS[field.member])), _quoted(""))
        case Form.STRING:
            return _equal(way, "''")
        case Form.BOOLEAN:
            return _equal(way, "false")
        case Form.LIST | Form.PAIRS:
            return _same_list(field, way)
        case _:
            new, old = way.presence("self"), way.presence("oldSelf")
            equal = f"{way.of('self')} == {way.of('oldSelf')}"
            return f"({new} ? {old} && {equal} : !({old}))" if new else equal


def _equal(way: _Path, without: str, unlike: str = "") -> str:
    return f"{way.value('self', without, unlike)} == {way.value('oldSelf', without, unlike)}"


def _same_list(field: Field, way: _Path) -> str:
    equal = _equal(way, "[]")
    item = field.item if field.form is Form.LIST else field
    assert item is not None  # noqa: S101 - lists are built with their item
    if not (field.is_v1 and (empties := list(_empties(item, "x")))):
        return equal  # what a predecessor did not have, it did not store
    # Of a list without a limit, only the new one fits into the budget: the manifest, in which empties are written.
    walked = [
        f"{' && '.join([*filter(None, [way.presence(root)]), ''])}{way.of(root)}.exists(x, {' || '.join(empties)})"
        for root in (("self", "oldSelf") if field.maximum is not None else ("self",))
    ]
    return f"({equal} || {' || '.join(walked)})"


def _empties(item: Field, at: str) -> Iterator[str]:
    """Yield terms of which one is true if something is written in an item that could be left out."""
    for child in item.fields:
        here = f"{at}.{child.name}"
        there = f"has({here})"
        if item.form is Form.PAIRS and child.name == "name":
            continue  # an entry without a name says nothing, and such lists are the longest
        if child.required and child.form in {Form.STRING, Form.BOOLEAN}:
            continue  # always written
        match child.form:
            case Form.STRING:
                yield f"{there} && {here} == ''"
            case Form.BOOLEAN:
                yield f"{there} && !{here}"
            case Form.STRUCTURE:
                below = list(_empties(child, here))
                if child.fields and not any(each.required for each in child.fields):
                    below.append(" && ".join(f"!has({here}.{each.name})" for each in child.fields))
                if below:
                    yield f"{there} && ({' || '.join(below)})"
            case Form.LIST | Form.PAIRS:
                yield " && ".join([there, *_may_be_empty(child, here)])
            case _:
                pass


def _may_be_empty(field: Field, here: str) -> list[str]:
    """Return the term that a list in an item is empty, or has something empty in it; none if it is not walked."""
    item = field.item if field.form is Form.LIST else field
    assert item is not None  # noqa: S101 - lists are built with their item
    inner = list(_empties(item, "y")) if "y." not in here else []
    if not item.fields:
        return [f"size({here}) == 0"]
    if not inner or field.maximum is None or field.maximum > _WALKED:
        return []
    return [f"(size({here}) == 0 || {here}.exists(y, {' || '.join(inner)}))"]


def _is_atom(term: str) -> bool:
    return " || " not in term and " ? " not in term


def _quoted(text: str) -> str:
    """Return a CEL string literal."""
    return f"'{text}'"


def _message(descriptor: KindDescriptor, field: Field) -> str:
    if descriptor.life_cycle is LifeCycle.JOB:
        why = "cannot be changed once it is created, as SageMaker cannot update a job"
    elif descriptor.life_cycle is LifeCycle.IN_PLACE and field.name not in descriptor.compat.identity:
        why = "cannot be changed once it is created, as SageMaker has no operation for that"
    else:
        why = "cannot be changed once it is created, as what exists there would be left behind"
    return f"{field.path} of a {descriptor.kind} {why}: {_INSTEAD}"
