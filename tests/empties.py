"""Empty values in manifests: as users write them, and as Go's omitempty has left them out of what it stored."""

from collections.abc import Mapping
from typing import Any

from api.fields import Field
from api.form import Form
from api.schema.structural import pattern_of
from api.v1 import KINDS


def without_empties(value: Any) -> Any:
    """Return a value without what is empty or false in it, at every depth."""
    if isinstance(value, Mapping):
        return {name: without_empties(each) for name, each in value.items() if each not in ("", [], {}, False, None)}
    return [without_empties(each) for each in value] if isinstance(value, list) else value


def with_empties(field: Field, value: Any) -> Any:
    """Return a value of `field` with every optional field of every structure in it: empty, flags false."""
    if field.form is Form.LIST and field.item is not None:
        return [with_empties(field.item, each) for each in value]
    if field.form is Form.PAIRS:
        return [{"value": "", **each} for each in value]
    if field.form is not Form.STRUCTURE:
        return value
    empties = {child.name: empty for child in field.fields if (empty := _empty(child)) is not None}
    given = {child.name: with_empties(child, value[child.name]) for child in field.fields if child.name in value}
    return {**{name: empty for name, empty in empties.items() if name not in _exclusive(field)}, **given}


def _empty(field: Field) -> Any:
    if field.required or field.minimum or field.enum or pattern_of(field):
        return None
    if field.form is Form.STRUCTURE:
        return {} if field.fields and not any(child.required for child in field.fields) else None
    return {Form.STRING: "", Form.BOOLEAN: False, Form.LIST: [], Form.PAIRS: []}.get(field.form)


def _exclusive(field: Field) -> set[str]:
    """Return the fields that exclude others here, even empty."""
    entries = [each for kind in KINDS for each in kind.compat.exclusive if each.path == field.path]
    return {name for each in entries for name in (each.field, *each.others)}
