"""Converts values of a manifest to values of the AWS API and back, driven by the kind's tree of fields.

Nothing is validated here: invalid values are sent, so that AWS's own message reaches the user. Only keys without a
counterpart at AWS (unknown keys) are omitted, and only values that AWS's API cannot express are an error.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.fields import Field, installed
from api.form import Form
from api.meta import JsonObject


class ConversionError(ValueError):
    """A value that AWS's API cannot express. `path` is its place in the manifest, `message` the expected form."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def to_request(descriptor: KindDescriptor, spec: Mapping[str, Any], operation: str = "") -> JsonObject:
    """Return the members of the kind's Create request for a `spec`, without the name, which the caller sets.

    `operation` selects another one of `descriptor.operations.sending`, e.g. UpdateEndpoint; others raise ValueError.

    `Tags` holds the user's tags only. `null` and empty lists are omitted (unless AWS requires the list, even
    empty), and so are keys that neither v1 nor AWS has; of two pairs with the same name the last wins.
    The result shares no data with `spec`. Raises ConversionError. Thread-safe. Source: v1-kinds.md 11.
    """
    operation = operation or descriptor.operations.create
    if operation not in descriptor.operations.sending:
        raise ValueError(f"{operation} is no operation that a {descriptor.kind} sends")
    request: JsonObject = _structure_to_aws(_sent(descriptor, operation), spec, "spec")
    request.pop(descriptor.name.member, None)
    return request


@cache
def _sent(descriptor: KindDescriptor, operation: str) -> Field:
    """Return the spec with the fields that an operation sends."""
    root = installed(descriptor).spec
    return replace(root, fields=tuple(field for field in root.fields if operation in field.sent_by))


def to_status(descriptor: KindDescriptor, description: Mapping[str, Any]) -> JsonObject:
    """Return the fields of `status` from a Describe response or a List summary, as JSON.

    Members that v1 does not show are omitted; a missing member gives no key, so the result can be merged into the known
    status. Times are UTC with whole seconds, as Kubernetes writes them.
    Raises ConversionError for a response that does not match the service model. Thread-safe.
    """
    status: JsonObject = {}
    for field, (first, *inner) in _shown(descriptor):
        value = description.get(first)
        for name in inner:
            value = value.get(name) if isinstance(value, Mapping) else None
        if value is not None:
            convert = _TO_MANIFEST.get(field.form)  # most are scalars, and this runs for each change that AWS shows
            status[field.name] = convert(value, field.path) if convert else _to_manifest(field, value, field.path)
    return status


@cache
def _shown(descriptor: KindDescriptor) -> tuple[tuple[Field, Sequence[str]], ...]:
    """Return the fields of the status that AWS gives, each with the names of members that lead to it."""
    return tuple((field, field.member.split(".")) for field in installed(descriptor).status.fields if field.member)


def to_spec(descriptor: KindDescriptor, description: Mapping[str, Any]) -> JsonObject:
    """Return the `spec` for a Describe response (or a Create request): the inverse of `to_request`.

    Maps become lists sorted by name. Members without a field are omitted; the caller adds the operator's own fields,
    such as `region`. Raises ConversionError for a response that does not match the service model.
    """
    spec: JsonObject = _to_manifest(installed(descriptor).spec, description, "spec")
    return spec


def unknown_fields(field: Field, value: Any, path: str) -> Iterator[str]:
    """Yield the paths of keys in a value of `field`, at `path`, that have no field: conversion omits them."""
    if isinstance(value, Mapping):
        known = {child.name: child for child in field.fields}
        for name, given in value.items():
            if name in known:
                yield from unknown_fields(known[name], given, f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(value, list | tuple):
        for n, given in enumerate(value):
            yield from unknown_fields(field.item or field, given, f"{path}[{n}]")


def repeated_names(descriptor: KindDescriptor, spec: Mapping[str, Any]) -> list[str]:
    """Return which names a spec has twice in lists that are maps at AWS: the last entry counts. In words."""
    found = []
    for path in _maps(descriptor):
        if path[0][0] not in spec:
            continue
        values: list[tuple[str, Any]] = [("spec", spec)]
        for name, is_list in path:  # a list stands for each of its items
            values = [
                (f"{at}.{name}", value[name]) for at, value in values if isinstance(value, Mapping) and name in value
            ]
            if is_list:
                values = [
                    (f"{at}[{n}]", item)
                    for at, value in values
                    if isinstance(value, list)
                    for n, item in enumerate(value)
                ]
        for at, pairs in values:
            if not isinstance(pairs, list) or len(pairs) < 2:
                continue
            names = Counter(str(each.get("name") or "") for each in pairs if isinstance(each, Mapping))
            found += [f"{at} has {name!r} {n} times" for name, n in names.items() if n > 1]
    return found


@cache
def _maps(descriptor: KindDescriptor) -> tuple[tuple[tuple[str, bool], ...], ...]:
    """Return the paths of such lists: the name of each segment, and whether it is one of the items of a list."""
    fields = installed(descriptor).spec.walk()
    paths = (field.path.split(".")[1:] for field in fields if field.form is Form.PAIRS)
    return tuple(tuple((each.removesuffix("[]"), each.endswith("[]")) for each in path) for path in paths)


def _structure_to_aws(field: Field, value: Any, path: str) -> JsonObject:
    if not isinstance(value, Mapping):
        raise ConversionError(path, f"must be an object, not {_kind_of(value)}")
    result: JsonObject = {}
    for child in field.fields:
        given = value.get(child.name)
        if not child.member or given is None:
            continue
        if given == [] and not child.required_by_aws:
            continue
        result[child.member] = _to_aws(child, given, f"{path}.{child.name}")
    return result


def _to_aws(field: Field, value: Any, path: str) -> Any:
    match field.form:
        case Form.STRUCTURE:
            return _structure_to_aws(field, value, path)
        case Form.LIST:
            assert field.item is not None  # noqa: S101 - lists are built with their item
            item = field.item
            return [_to_aws(item, given, f"{path}[{n}]") for n, given in enumerate(_list(value, path))]
        case Form.PAIRS:
            return dict(_pair(given, f"{path}[{n}]") for n, given in enumerate(_list(value, path)))
        case _:
            return _TO_AWS[field.wire](value, path)


def _pair(value: Any, path: str) -> tuple[str, str]:
    """Return name and value of a pair; in v1 either could be absent, which meant empty."""
    if not isinstance(value, Mapping):
        raise ConversionError(path, f"must be an object with name and value, not {_kind_of(value)}")
    name, text = value.get("name"), value.get("value")
    return _string("" if name is None else name, f"{path}.name"), _string("" if text is None else text, f"{path}.value")


def _to_manifest(field: Field, value: Any, path: str) -> Any:
    match field.form:
        case Form.STRUCTURE:
            if not isinstance(value, Mapping):
                raise ConversionError(path, f"must be an object, not {_kind_of(value)}")
            return _structure_to_manifest(field, value, path)
        case Form.LIST:
            assert field.item is not None  # noqa: S101 - lists are built with their item
            return [_to_manifest(field.item, given, f"{path}[{n}]") for n, given in enumerate(_list(value, path))]
        case Form.PAIRS:
            if not isinstance(value, Mapping):
                raise ConversionError(path, f"must be an object, not {_kind_of(value)}")
            return [{"name": name, "value": value[name]} for name in sorted(value)]
        case _:
            return _TO_MANIFEST[field.form](value, path)


def _structure_to_manifest(field: Field, value: Mapping[str, Any], path: str) -> JsonObject:
    result: JsonObject = {}
    for child in field.fields:
        parts = [value.get(member) for member in child.sum_of or (child.member,)]
        if any(part is None for part in parts):
            continue
        whole = sum(_integer(part, f"{path}.{child.name}") for part in parts) if child.sum_of else parts[0]
        result[child.name] = _to_manifest(child, whole, f"{path}.{child.name}")
    return result


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Mapping():
            return "an object"
        case Sequence():
            return "a list"
        case _:
            return type(value).__name__


def _list(value: Any, path: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ConversionError(path, f"must be a list, not {_kind_of(value)}")
    return value


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise ConversionError(path, f"must be a string, not {_kind_of(value)}; put it in quotes")
    return value


def _text(value: Any, path: str) -> str:
    """Return a value as a string: some numbers of AWS are decimal text in v1 (D-30)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _string(value, path)


def _integer(value: Any, path: str) -> int:
    """Return an integer; JSON may hold it as 60.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise ConversionError(path, "must be a whole number")
    raise ConversionError(path, f"must be a whole number, not {_kind_of(value)}")


def _number(value: Any, path: str) -> float:
    """Return a finite number, given as number or text: some floats of AWS are strings or integers in v1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ConversionError(path, f"must be a number, not {_kind_of(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError) as exc:
        raise ConversionError(path, f"must be a number, not {_kind_of(value)}") from exc
    if not math.isfinite(number):
        raise ConversionError(path, "must be a finite number")
    return number


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise ConversionError(path, f"must be true or false, not {_kind_of(value)}")
    return value


def _parsed(text: str, path: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as exc:
        raise ConversionError(path, "must be a time as in 2019-11-20T23:42:35Z") from exc


def _timestamp(value: Any, path: str) -> datetime:
    moment = value if isinstance(value, datetime) else _parsed(_string(value, path), path)
    if moment.tzinfo is None:
        raise ConversionError(path, "must be a time with a zone, as in 2019-11-20T23:42:35Z")
    return moment


def _rfc3339(value: Any, path: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = datetime.fromtimestamp(value, UTC)  # the wire form, if the response was not parsed
        except (ValueError, OverflowError, OSError) as exc:
            raise ConversionError(path, "must be a time of our calendar") from exc
    return _timestamp(value, path).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_TO_AWS: Final[Mapping[Form, Callable[[Any, str], Any]]] = {
    Form.STRING: _string,
    Form.INTEGER: _integer,
    Form.NUMBER: _number,
    Form.BOOLEAN: _boolean,
    Form.TIME: _timestamp,
}
_TO_MANIFEST: Final[Mapping[Form, Callable[[Any, str], Any]]] = {
    Form.STRING: _text,
    Form.INTEGER: _integer,
    Form.NUMBER: _number,
    Form.BOOLEAN: _boolean,
    Form.TIME: _rfc3339,
}
