"""Values of a manifest ⇄ values of the AWS API, driven by the kind's tree of fields.

Nothing here decides: what AWS would refuse is sent, so that its own words reach the user. Only what has no
counterpart at AWS (unknown keys) is left out, and only what cannot be expressed there at all is an error.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.fields import Field, installed
from api.form import Form
from api.meta import JsonObject


class ConversionError(ValueError):
    """A value that has no form at AWS. `path` is where it stands in the manifest, `message` says what is expected."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def to_request(descriptor: KindDescriptor, spec: Mapping[str, Any], operation: str = "") -> JsonObject:
    """Members of the kind's Create operation for a `spec`, without the name, which the caller sets.

    `operation` asks for another one of `descriptor.operations.sending`, e.g. UpdateEndpoint; ValueError if it is none.

    `Tags` holds the user's tags only. `null` and empty lists are left out (unless AWS requires the list, even
    empty), and so are keys that neither v1 nor AWS knows; of two pairs with the same name the last wins.
    The result shares nothing with `spec`. Raises ConversionError. Thread-safe. Source: v1-kinds.md 11.
    """
    operation = operation or descriptor.operations.create
    if operation not in descriptor.operations.sending:
        raise ValueError(f"{operation} is no operation that a {descriptor.kind} sends")
    root = installed(descriptor).spec
    sent = replace(root, fields=tuple(field for field in root.fields if operation in field.sent_by))
    request: JsonObject = _structure_to_aws(sent, spec, "spec")
    request.pop(descriptor.name.member, None)
    return request


def to_status(descriptor: KindDescriptor, description: Mapping[str, Any]) -> JsonObject:
    """Fields of `status` that a Describe answer or a List summary tells about, as JSON.

    Members that v1 does not show are left out; a member that the answer lacks gives no key, so the result can be
    laid over what is known already. Times are UTC with whole seconds, as Kubernetes writes them.
    Raises ConversionError if an answer is not what the service model says. Thread-safe.
    """
    status: JsonObject = {}
    for field in installed(descriptor).status.fields:
        value = _member(description, field.member) if field.member else None
        if value is not None:
            status[field.name] = _to_manifest(field, value, field.path)
    return status


def to_spec(descriptor: KindDescriptor, description: Mapping[str, Any]) -> JsonObject:
    """The `spec` that a Describe answer (or a Create request) stands for: the way back of `to_request`.

    Maps become lists sorted by name. Members that no field stands for are left out; the operator's own fields, such
    as `region`, are for the caller to add. Raises ConversionError if an answer is not what the service model says.
    """
    spec: JsonObject = _to_manifest(installed(descriptor).spec, description, "spec")
    return spec


def unknown_fields(field: Field, value: Any, path: str) -> Iterator[str]:
    """Paths of keys in a value of `field`, at `path`, that no field stands for: what conversion leaves out."""
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


def _member(description: Mapping[str, Any], path: str) -> Any:
    value: Any = description
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


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
    """Name and value of a pair; v1 let either be absent, which meant empty."""
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
    """A string that shows a value: what AWS has as a number is decimal text in some fields of v1 (D-30)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return _string(value, path)


def _integer(value: Any, path: str) -> int:
    """A whole number; JSON may hold it as 60.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise ConversionError(path, "must be a whole number")
    raise ConversionError(path, f"must be a whole number, not {_kind_of(value)}")


def _number(value: Any, path: str) -> float:
    """A finite number, given as one or as text: v1 has strings or integers in places where AWS has floats."""
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
        value = datetime.fromtimestamp(value, UTC)  # the wire form, where nothing has parsed the answer
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
