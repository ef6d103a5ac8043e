"""The fields of a kind as a tree, built from AWS's shapes and the kind's compatibility table.

Schema, conversion, immutability rules and reference pages all walk this one tree, so they cannot disagree.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from api.compat import V1, Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle
from api.form import Form
from api.models import as_model, load
from api.naming import key_of
from api.operator_fields import COMMON_SPEC, COMMON_STATUS, NOTES, OperatorField

_SCALARS: Final[Mapping[str, Form]] = {
    "string": Form.STRING,
    "character": Form.STRING,
    "integer": Form.INTEGER,
    "long": Form.INTEGER,
    "float": Form.NUMBER,
    "double": Form.NUMBER,
    "boolean": Form.BOOLEAN,
    "timestamp": Form.TIME,
}

_NOTED: Final = frozenset({LifeCycle.ENDPOINT, LifeCycle.COMPONENT, LifeCycle.SCALING})
"""Life-cycles with notes in the status."""
_PAIR_NAME: Final = "Name of the entry. Of several entries with one name the last counts."
_PAIR_VALUE: Final = "Value of the entry, always text: put numbers and booleans in quotes."


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its key in a manifest, its AWS member, and its constraints."""

    path: str
    """Path in the manifest, e.g. `spec.inputDataConfig[].channelName`."""
    name: str
    """JSON key; empty for the items of a list."""
    member: str
    """AWS member, dotted if the response nests it deeper than the status; empty for the operator's own fields."""
    form: Form
    wire: Form
    """Form at AWS; differs from `form` if v1 chose another type."""
    required: bool = False
    required_by_aws: bool = False
    minimum: int | float | None = None
    """Smallest value, length or number of items."""
    maximum: int | float | None = None
    pattern: str = ""
    """As in its source; the schema rewrites what Kubernetes' dialect (RE2) does not support."""
    is_v1: bool = False
    """v1 had this field. Its pattern is v1's, which matches anywhere; an AWS pattern matches the whole text."""
    enum: tuple[str, ...] = ()
    """The only values allowed; empty if open."""
    known_values: tuple[str, ...] = ()
    """Values that AWS lists, for documentation."""
    documentation: str = ""
    """AWS's HTML, or the operator's plain text."""
    fields: tuple["Field", ...] = ()
    item: "Field | None" = None
    sum_of: tuple[str, ...] = ()
    """Sibling AWS members; this field is their sum."""
    list_key: str = ""
    """Member by which the API server identifies and merges the items of a list."""
    sent_by: tuple[str, ...] = ()
    """Operations with this request member; set only for the fields directly in `spec`."""
    or_text: bool = False
    """A string is allowed instead of this structure."""
    like: str = ""
    """A field that no request contains unchanged: source of the members below it, e.g. `CreateModel.Containers`."""

    def walk(self) -> Iterator["Field"]:
        """Yield this field and all fields below it, parents first, in schema order."""
        yield self
        for child in self.fields:
            yield from child.walk()
        if self.item is not None:
            yield from self.item.walk()


@dataclass(frozen=True, slots=True)
class KindFields:
    """The fields of a kind's spec and status."""

    spec: Field
    status: Field


def build(descriptor: KindDescriptor, model: ServiceModel) -> KindFields:
    """Build the tree of one kind from a service model.

    Raises botocore's OperationNotFoundError if the model lacks an operation, KeyError if it lacks a member.
    """
    compat, operations = descriptor.compat, descriptor.operations
    builder = _Builder(compat, model)
    members = tuple(_named(field, descriptor) for field in builder.sent(operations.sending))
    answer = model.operation_model(operations.describe).output_shape
    if operations.describe_items:
        answer = answer.members[operations.describe_items].member
    own = tuple(builder.operator(field, "spec") for field in (*COMMON_SPEC, *compat.own))
    spec = _structure("spec", tuple(sorted((*members, *own), key=lambda f: f.name)), required=compat.spec_required)
    kind_status = (builder.status(field, answer) for field in compat.status)
    notes = (NOTES,) if descriptor.life_cycle in _NOTED else ()
    common = (builder.operator(field, "status") for field in (*COMMON_STATUS, *notes, *compat.own_status))
    status = _structure("status", tuple(sorted((*kind_status, *common), key=lambda f: f.name)))
    return KindFields(spec=spec, status=status)


@cache
def members(descriptor: KindDescriptor, operation: str, *, is_answer: bool = False) -> frozenset[str]:
    """Return the members of an operation's request, or of its answer, in the service model that clients use."""
    model = as_model(descriptor.service, load(descriptor.service)).operation_model(operation)
    shape = model.output_shape if is_answer else model.input_shape
    return frozenset(shape.members if shape is not None else ())


@cache
def installed(descriptor: KindDescriptor) -> KindFields:
    """Return the tree of one kind from the service model that clients use, for the converter. Built once, then shared.

    Thread-safe: at worst two threads build the same tree.
    """
    return build(descriptor, as_model(descriptor.service, load(descriptor.service)))


def _named(field: Field, descriptor: KindDescriptor) -> Field:
    """Return the name's field as optional: AWS requires it, the operator can generate it."""
    rule = descriptor.name
    if field.name != rule.spec_field:
        return field
    if rule.constant:
        return replace(field, required=False)
    if rule.by_aws:
        text = (
            "ARN of what exists at AWS already. It needs one of the annotations adoption-policy and read-only. AWS"
            " makes the ARN of a new one, which the status shows."
        )
        return replace(field, documentation=text, required=False)
    shown = "writes it here" if rule.late_initialized else "shows it in the status"
    text = (
        "Name at AWS, unique in account and region. If it is left out or empty, the operator makes one from"
        f" metadata.name and metadata.uid and {shown}."
    )
    return replace(field, documentation=text, required=False)


def _structure(path: str, fields: tuple[Field, ...], *, required: bool = False) -> Field:
    return Field(path, path, "", Form.STRUCTURE, Form.STRUCTURE, required=required, is_v1=True, fields=fields)


def _text(path: str, documentation: str) -> Field:
    name = path.rpartition(".")[2]
    return Field(path, name, "", Form.STRING, Form.STRING, is_v1=True, documentation=documentation)


class _Builder:
    """Converts shapes to fields by one compatibility table."""

    def __init__(self, compat: Compat, model: ServiceModel) -> None:
        self._compat = compat
        self._model = model

    def sent(self, operations: Iterable[str]) -> tuple[Field, ...]:
        """Return the fields of `spec` from requests; a shared member has the first operation's text and limits."""
        fields: dict[str, Field] = {}
        for operation in operations:
            request = self._model.operation_model(operation).input_shape
            # A kind that v1 did not have may require what AWS requires.
            for field in self.structure(request, "spec", under_v1=bool(self._compat.fields)):
                known = fields.get(field.name, field)
                fields[field.name] = replace(known, sent_by=(*known.sent_by, operation))
        return tuple(fields.values())

    def structure(self, shape: Shape, path: str, *, under_v1: bool) -> tuple[Field, ...]:
        """Return the fields of a structure, sorted by key. `under_v1`: v1 had it, so manifests may have it."""
        assert isinstance(shape, StructureShape)  # noqa: S101 - callers dispatch on the shape's type
        return tuple(
            sorted(
                (
                    self._member(child, name, path, by_aws=name in shape.required_members, under_v1=under_v1)
                    for name, child in shape.members.items()
                    if f"{path}.{key_of(name)}" not in self._compat.omitted
                ),
                key=lambda field: field.name,
            )
        )

    def _member(self, shape: Shape, member: str, parent: str, *, by_aws: bool, under_v1: bool) -> Field:
        key = self._compat.renamed.get(f"{parent}.{key_of(member)}", key_of(member))
        path = f"{parent}.{key}"
        v1 = self._compat.fields.get(path)
        # Requiring AWS's new member inside a structure of v1 would refuse existing manifests.
        required = by_aws and (v1.required if v1 else not under_v1)
        field = self._of_shape(shape, path, v1)
        return replace(field, name=key, member=member, required=required, required_by_aws=by_aws)

    def _of_shape(self, shape: Shape, path: str, v1: V1 | None) -> Field:
        form = Form.PAIRS if isinstance(shape, MapShape) else _form_of(shape)
        written = self._compat.forms.get(path, form)
        words = self._compat.descriptions.get(path, shape.documentation)
        field = Field(path, "", "", written, form, documentation=words, is_v1=v1 is not None)
        field = replace(self._limited(field, shape, v1), or_text=path in self._compat.or_text)
        field = replace(field, list_key=self._compat.list_keys.get(path, ""))
        if isinstance(shape, StructureShape):
            fields = self.structure(shape, path, under_v1=v1 is not None)
            return replace(field, fields=tuple(sorted((*fields, *self._sums(path)), key=lambda f: f.name)))
        if isinstance(shape, ListShape):
            return replace(field, item=self._of_shape(shape.member, f"{path}[]", self._item_v1(f"{path}[]", v1)))
        if isinstance(shape, MapShape):
            return replace(field, fields=self._pair(shape, f"{path}[]", v1))
        return field

    def _sums(self, path: str) -> tuple[Field, ...]:
        made = self._compat.sums.get(path)
        if made is None:
            return ()
        form, doc = Form.INTEGER, made.description
        return (Field(f"{path}.{made.name}", made.name, "", form, form, documentation=doc, sum_of=made.of, is_v1=True),)

    def _item_v1(self, path: str, list_v1: V1 | None) -> V1 | None:
        """Return the v1 entry of a list's items: they are v1's if the list is, with limits only if v1 had some."""
        return self._compat.fields.get(path, V1() if list_v1 else None)

    def _pair(self, shape: MapShape, path: str, v1: V1 | None) -> tuple[Field, ...]:
        # Both are optional and unlimited in v1; AWS's newer maps have the same form but require a name.
        is_v1 = v1 is not None
        name = replace(_text(f"{path}.name", _PAIR_NAME), required=not is_v1, is_v1=is_v1)
        value = replace(_text(f"{path}.value", _PAIR_VALUE), is_v1=is_v1)
        return (self._limited(name, shape.key, v1 and V1()), self._limited(value, shape.value, v1 and V1()))

    def _limited(self, field: Field, shape: Shape, v1: V1 | None) -> Field:
        values = tuple(getattr(shape, "enum", ()))
        if v1 is not None:
            enum = tuple(dict.fromkeys((*v1.enum, *values))) if v1.enum else ()
            bounds = (v1.minimum, v1.maximum) if field.path in self._compat.own_limits else _wider(v1, shape)
            limits = (*bounds, v1.pattern)
        else:
            enum = values if field.path in self._compat.closed_enums else ()
            meta: Mapping[str, Any] = shape.metadata
            limits = (meta.get("min"), meta.get("max"), meta.get("pattern", ""))
        minimum, maximum, pattern = limits
        return replace(field, minimum=minimum, maximum=maximum, pattern=pattern or "", enum=enum, known_values=values)

    def status(self, field: StatusField, answer: Shape) -> Field:
        """Return a field in `status`: of a response member, or the operator's own. Below one of v1 are v1's only."""
        path = f"status.{field.name}"
        if not field.source:
            return self._operators_status(field, path)
        shape = answer
        for member in field.source.split("."):
            shape = shape.members[member]
        made = self._of_shape(shape, path, V1())
        made = replace(
            made, name=field.name, member=field.source, documentation=field.description or shape.documentation
        )
        return self._known_to_v1(made) if path in self._compat.fields else self._unlimited(made)

    def _operators_status(self, field: StatusField, path: str) -> Field:
        made = Field(path, field.name, "", field.form, field.form, is_v1=True, documentation=field.description)
        match field.form:
            case Form.PAIRS:
                pair = (_text(f"{path}[].name", "Name of the entry."), _text(f"{path}[].value", "Its value."))
                return replace(made, fields=pair)
            case Form.LIST:
                return replace(made, item=Field(f"{path}[]", "", "", field.item, field.item, is_v1=True))
            case _:
                return made

    def _unlimited(self, field: Field) -> Field:
        """Return a field without limits, which would only make the API server refuse AWS's values."""
        fields, item = tuple(map(self._unlimited, field.fields)), self._unlimited(field.item) if field.item else None
        return replace(field, fields=fields, item=item, enum=(), required=False, minimum=None, maximum=None, pattern="")

    def _known_to_v1(self, field: Field) -> Field:
        fields = tuple(
            self._known_to_v1(child)
            for child in field.fields
            if field.form is Form.PAIRS or child.path in self._compat.fields
        )
        item = self._known_to_v1(field.item) if field.item else None
        # Limits would only make the API server refuse AWS's values.
        return replace(field, fields=fields, item=item, enum=(), required=False)

    def operator(self, field: OperatorField, parent: str) -> Field:
        """Return a field that AWS does not have."""
        path = f"{parent}.{field.name}" if field.name else parent
        v1 = self._compat.fields.get(path, V1(required=field.required, enum=field.enum))
        below, item = self._like(field.like, path) if field.like else ((), None)
        own = (self.operator(child, path) for child in field.fields)
        return Field(
            path,
            field.name,
            "",
            field.form,
            field.form,
            required=v1.required and not field.is_defaulted,
            minimum=v1.minimum,
            maximum=v1.maximum if field.most is None else field.most,
            pattern=v1.pattern or field.pattern,
            enum=v1.enum,
            is_v1=True,
            documentation=field.description,
            fields=tuple(sorted((*below, *own), key=lambda f: f.name)),
            item=self.operator(field.item, f"{path}[]") if field.item else item,
            list_key=field.list_key,
            like=field.like,
        )

    def _like(self, source: str, path: str) -> tuple[tuple[Field, ...], Field | None]:
        """Return the fields, or the item, below an operator field with members that a request has elsewhere."""
        operation, *members = source.split(".")
        shape = self._model.operation_model(operation).input_shape
        for member in members:
            shape = shape.members[member]
        if isinstance(shape, ListShape):
            return (), self._of_shape(shape.member, f"{path}[]", V1())
        return self.structure(shape, path, under_v1=True), None


def _wider(v1: V1, shape: Shape) -> tuple[int | float | None, int | float | None]:
    """Return the lower and the upper limit that refuse nothing that v1 or AWS accepts.

    AWS has raised limits since v1. A text's minimum of 1 stays where AWS refuses the empty text in another way.
    """
    meta: Mapping[str, Any] = shape.metadata
    is_number = _SCALARS.get(shape.type_name) in {Form.INTEGER, Form.NUMBER}
    least, most = meta.get("min", None if is_number else 0), meta.get("max")
    if _refuses_empty_text(shape):
        least = max(least, 1)
    return (
        None if v1.minimum is None or least is None else min(v1.minimum, least),
        None if v1.maximum is None or most is None else max(v1.maximum, most),
    )


def _refuses_empty_text(shape: Shape) -> bool:
    """Return whether AWS refuses the empty text by its list of values or its pattern."""
    if shape.type_name != "string":
        return False
    try:
        return bool(shape.enum) or not re.fullmatch(shape.metadata.get("pattern", ""), "")
    except re.error:  # Java's dialect
        return False


def _form_of(shape: Shape) -> Form:
    if isinstance(shape, StructureShape):
        return Form.STRUCTURE
    if isinstance(shape, ListShape):
        return Form.LIST
    return _SCALARS[shape.type_name]
