"""JSON patch (RFC 6902) in the dialect of the API server, which is that of evanphx/json-patch v4.

It differs from the RFC and from the `jsonpatch` package in features that real manifests may rely on: negative list
indices count from the end, the parent of a path must exist, and for `test` and `copy` a missing member is null.
The server hides why an operation failed: every failure is the same 422.
"""

import copy
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.patch.errors import PatchError, bad_request, go_kind

JsonObject: TypeAlias = dict[str, Any]

MAX_OPERATIONS: Final = 10_000
_UNSUITABLE: Final = "the server rejected our request due to an error in our request"


class _DoesNotApplyError(Exception):
    """An operation with a path, index or test that does not match; never leaves this module."""


def json_patch(obj: JsonObject, operations: Any) -> JsonObject:
    """Return a new object after all operations in order; if one fails, none is applied.

    Raises PatchError: 400 unless `operations` is a list of objects, 413 for too many, 422 if one does not apply.
    """
    _check_form(operations)
    document: Any = copy.deepcopy(obj)
    try:
        for operation in operations or ():
            document = _apply(document, operation)
    except _DoesNotApplyError as exc:
        raise PatchError(422, "Invalid", _UNSUITABLE) from exc
    if not isinstance(document, dict):
        raise PatchError(422, "Invalid", _UNSUITABLE)
    return document


def _check_form(operations: Any) -> None:
    if operations is None:
        return
    if not isinstance(operations, list):
        kind = go_kind(operations)
        message = f"json: cannot unmarshal {kind} into Go value of type []handlers.jsonPatchOp"
        raise bad_request(f"error decoding patch: {message}")
    for operation in operations:
        if operation is not None and not isinstance(operation, dict):
            message = f"json: cannot unmarshal {go_kind(operation)} into Go value of type handlers.jsonPatchOp"
            raise bad_request(f"error decoding patch: {message}")
    if len(operations) > MAX_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise PatchError(413, "RequestEntityTooLarge", f"Request entity too large: {message}")


def _apply(document: Any, operation: JsonObject | None) -> Any:
    name = operation.get("op") if operation else None
    perform = _OPERATIONS.get(name) if isinstance(name, str) else None
    if operation is None or perform is None or not isinstance(operation.get("path"), str):
        raise _DoesNotApplyError(f"no such operation: {name}")
    return perform(document, operation)


def _add(document: Any, operation: JsonObject) -> Any:
    container, key = _find(document, operation["path"])
    _insert(container, key, _value(operation))
    return document


def _remove(document: Any, operation: JsonObject) -> Any:
    container, key = _find(document, operation["path"])
    del container[_existing(container, key)]
    return document


def _replace(document: Any, operation: JsonObject) -> Any:
    if not operation["path"]:
        return _value(operation)
    container, key = _find(document, operation["path"])
    # Unlike RFC 6902 says, a member that is not there is added: json-patch 4 looks it up, and finds null.
    at = key if isinstance(container, dict) else _existing(container, key)
    container[at] = _value(operation)
    return document


def _move(document: Any, operation: JsonObject) -> Any:
    source, key = _find(document, _source(operation))
    at = _existing(source, key)
    value = source[at]
    del source[at]
    container, key = _find(document, operation["path"])
    _insert(container, key, value)
    return document


def _copy(document: Any, operation: JsonObject) -> Any:
    source, key = _find(document, _source(operation))
    value = _get(source, key)
    container, key = _find(document, operation["path"])
    _insert(container, key, copy.deepcopy(value))
    return document


def _test(document: Any, operation: JsonObject) -> Any:
    actual = document
    if operation["path"]:
        container, key = _find(document, operation["path"])
        actual = _get(container, key)
    if not _same_text(actual, operation.get("value")):
        raise _DoesNotApplyError("test failed")
    return document


def _same_text(actual: Any, wanted: Any) -> bool:
    """Compare as json-patch 4 does: scalars by their text, so 1 is not 1.0."""
    if isinstance(actual, dict) and isinstance(wanted, dict):
        return actual.keys() == wanted.keys() and all(_same_text(each, wanted[name]) for name, each in actual.items())
    if isinstance(actual, list) and isinstance(wanted, list):
        return len(actual) == len(wanted) and all(map(_same_text, actual, wanted))
    return type(actual) is type(wanted) and bool(actual == wanted)


_OPERATIONS: Final[dict[str, Callable[[Any, JsonObject], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _value(operation: JsonObject) -> Any:
    return copy.deepcopy(operation.get("value"))


def _source(operation: JsonObject) -> str:
    source = operation.get("from")
    if not isinstance(source, str):
        raise _DoesNotApplyError("no from")
    return source


def _find(document: Any, pointer: str) -> tuple[Any, str]:
    """Return the object or list with the last part of `pointer`, and that part."""
    _, *parts = pointer.split("/")  # whatever precedes the first slash is ignored
    if not parts:
        raise _DoesNotApplyError(f"not a path: {pointer}")
    names = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    container = document
    for name in names[:-1]:
        container = container[_existing(container, name)]
    if not isinstance(container, dict | list):
        raise _DoesNotApplyError(f"no container at {pointer}")
    return container, names[-1]


def _get(container: Any, name: str) -> Any:
    """Return the member or item called `name`; a missing member is null."""
    if isinstance(container, dict):
        return container.get(name)
    return container[_existing(container, name)]


def _existing(container: Any, name: str) -> Any:
    """Return the index in `container` of the member called `name`."""
    if isinstance(container, dict):
        if name not in container:
            raise _DoesNotApplyError(f"no member {name}")
        return name
    if isinstance(container, list):
        index = _index(name, len(container))
        if index < len(container):
            return index
    raise _DoesNotApplyError(f"no item {name}")


def _insert(container: Any, name: str, value: Any) -> None:
    if isinstance(container, dict):
        container[name] = value
    elif name == "-":
        container.append(value)
    else:
        container.insert(_index(name, len(container) + 1), value)


def _index(name: str, size: int) -> int:
    """Return a position below `size`; negative ones count from the end."""
    try:
        index = int(name)
    except ValueError as exc:
        raise _DoesNotApplyError(f"not an index: {name}") from exc
    if not -size <= index < size:
        raise _DoesNotApplyError(f"no such index: {index}")
    return index % size
