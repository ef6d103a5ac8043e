"""Strategic merge patch: a merge patch that merges some lists, by a key.

Only built-in kinds support it. Their schemas define how (`x-kubernetes-patch-strategy` and `…-merge-key`).
Source: k8s.io/apimachinery pkg/util/strategicpatch, with the options of the API server (parallel lists, unmatched nulls
ignored).
"""

import copy
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.patch.errors import PatchError, bad_request, go_kind
from hack.sandbox.kube.patch.merge import without_nulls
from hack.sandbox.kube.schema.correlation import same_json
from hack.sandbox.kube.wire.causes import go_text

JsonObject: TypeAlias = dict[str, Any]
Schema: TypeAlias = dict[str, Any]

_DIRECTIVE: Final = "$patch"
_RETAIN_KEYS: Final = "$retainKeys"
_DELETE_FROM: Final = "$deleteFromPrimitiveList/"
_ORDER: Final = "$setElementOrder/"
_NOTHING: Final = object()
"""The rest of a patch that is only a directive."""


def strategic(obj: JsonObject, patch: Any, schema: Schema) -> JsonObject:
    """Return a new object with `patch` merged in by `schema`. Raises PatchError (400 malformed, 500 does not fit)."""
    if not isinstance(patch, dict):
        kind = go_kind(patch)
        raise bad_request(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    return _merge_map(copy.deepcopy(obj), copy.deepcopy(patch), schema)


def _merge_map(original: JsonObject, patch: JsonObject, schema: Schema) -> JsonObject:
    """Merge `patch` into `original` and return it; modifies both arguments."""
    if _DIRECTIVE in patch:
        return _by_directive(patch)
    _retain_keys(original, patch)
    _reorder(original, patch, schema)
    for key, value in patch.items():
        deleting = key.startswith(_DELETE_FROM)
        name = key.removeprefix(_DELETE_FROM)
        current = original.get(name, _NOTHING)
        if deleting:
            if isinstance(current, list) and isinstance(value, list):
                original[name] = [item for item in current if not _contains(value, item)]
        elif value is None:
            original.pop(name, None)
        elif isinstance(current, dict) and isinstance(value, dict):
            sub = _member(schema, name)
            replaced = _strategy(sub) == "replace"
            original[name] = value if replaced else _merge_map(current, value, sub)
        elif isinstance(current, list) and isinstance(value, list):
            sub = _member(schema, name)
            original[name] = _merge_list(current, value, sub) if _strategy(sub) == "merge" else value
        else:
            _take(original, name, value)
    return original


def _by_directive(patch: JsonObject) -> JsonObject:
    directive = patch[_DIRECTIVE]
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != _DIRECTIVE}
    if directive == "delete":
        return {}
    raise _unknown_directive(patch)


def _unknown_directive(patch: JsonObject) -> PatchError:
    return PatchError(500, "", f"unknown patch type: {patch[_DIRECTIVE]} in map: {go_text(patch)}")


def _take(original: JsonObject, name: str, value: Any) -> None:
    """Set a value unchanged if there is nothing to merge it with."""
    plain = _without_directives(without_nulls(value))
    if plain is _NOTHING:
        original.pop(name, None)
    else:
        original[name] = plain


def _without_directives(value: Any) -> Any:
    if isinstance(value, dict):
        if _DIRECTIVE in value:
            return _NOTHING
        plain = {name: _without_directives(child) for name, child in value.items()}
        return {name: child for name, child in plain.items() if child is not _NOTHING}
    if isinstance(value, list):
        return [plain for item in value if (plain := _without_directives(item)) is not _NOTHING]
    return value


def _retain_keys(original: JsonObject, patch: JsonObject) -> None:
    """Remove all keys that `$retainKeys` does not list: this is how a union changes its member."""
    keys = patch.pop(_RETAIN_KEYS, None)
    if keys is None:
        return
    set_names = (
        name for name, value in patch.items() if value is not None and not name.startswith((_DELETE_FROM, _ORDER))
    )
    if not isinstance(keys, list) or any(name not in keys for name in set_names):
        raise bad_request("invalid patch format of retainKeys")
    for name in [name for name in original if name not in keys]:
        del original[name]


def _reorder(original: JsonObject, patch: JsonObject, schema: Schema) -> None:
    """Reorder items by `$setElementOrder/list`, the order of the author's items; others keep theirs."""
    for directive in [name for name in patch if name.startswith(_ORDER)]:
        order = patch.pop(directive)
        name = directive.removeprefix(_ORDER)
        current, wanted = original.get(name, _NOTHING), patch.pop(name, _NOTHING)
        for each in (order, current, wanted):
            if each is not _NOTHING and not isinstance(each, list):
                raise PatchError(500, "", f"expected a []interface {{}}, but received a {go_kind(each)}")
        if current is _NOTHING and wanted is _NOTHING:
            continue
        sub = _member(schema, name)
        key = _merge_key(sub)
        if isinstance(wanted, list):
            _check_order(wanted, order, key)
        server_order: list[Any] = [] if current is _NOTHING else current
        if wanted is _NOTHING:
            merged = current
        elif current is _NOTHING:
            merged = _without_directives(wanted)
        elif _strategy(sub) == "merge":
            slots = _Slots(current)
            merged = _merge_list(current, wanted, sub, slots)
            server_order = slots.items
        else:
            merged = wanted
        original[name] = _in_order(merged, order, server_order, key)


class _Slots:
    """The memory of a Go slice: its content after items were removed and others appended.

    The API server uses this as the previous order of items, so a new item takes the place of a deleted one.
    """

    def __init__(self, items: list[Any]) -> None:
        self.items = list(items)
        self._used: int | None = len(items)
        """Number of slots that the slice uses; None once it has moved to other memory."""

    def delete(self, at: int) -> None:
        if self._used is not None:
            self.items[at : self._used - 1] = self.items[at + 1 : self._used]
            self._used -= 1

    def append(self, item: Any) -> None:
        if self._used is not None and self._used < len(self.items):
            self.items[self._used] = item
            self._used += 1
        else:
            self._used = None


def _check_order(items: list[Any], order: list[Any], key: str) -> None:
    """Check that the items of the patch are in its own order; directives count as long as the order lasts."""
    items = [item for item in items if not (key and isinstance(item, dict) and item.get(_DIRECTIVE) == "delete")]
    if not items or not order:
        return
    at, order_at = 0, 0
    while at < len(items) and order_at < len(order):
        if isinstance(items[at], dict) and _DIRECTIVE in items[at]:
            at += 1
            continue
        at += _same(items[at], order[order_at], key)
        order_at += 1
    if at < len(items) and order_at >= len(order):
        patch, wanted = go_text(items), go_text(order)
        message = f"The order in patch list:\n{patch}\n doesn't match {_ORDER.rstrip('/')} list:\n{wanted}\n"
        raise PatchError(500, "", message)


def _merge_list(current: list[Any], patch: list[Any], schema: Schema, slots: _Slots | None = None) -> list[Any]:
    """Merge items by their key, or add missing scalars. `slots` tracks the memory."""
    slots = slots or _Slots(current)
    if not current and not patch:
        return current
    key = _merge_key(schema)
    if not any(isinstance(item, dict) for item in [*current, *patch]):
        merged = _unique([*current, *patch])
        return _in_order(merged, patch, current, "")
    if not key:
        raise PatchError(500, "", "cannot merge lists without merge key")
    current, patch = _apply_item_directives(current, patch, key, slots)
    order = list(current)
    items = schema.get("items") or {}
    merged = list(current)
    for item in patch:
        if key not in item:
            raise _no_merge_key(item, key)
        at = next((at for at, each in enumerate(merged) if _same(each, item, key)), None)
        if at is None:
            merged.append(item)
            slots.append(item)
        else:
            merged[at] = _merge_map(merged[at], item, items)
    return _in_order(merged, patch, order, key)


def _apply_item_directives(
    current: list[Any], patch: list[Any], key: str, slots: _Slots
) -> tuple[list[Any], list[Any]]:
    plain, replace = [], False
    for item in patch:
        match item.get(_DIRECTIVE) if isinstance(item, dict) else None:
            case None:
                plain.append(item)
            case "delete":
                if key not in item:
                    raise _no_merge_key(item, key)
                while (at := next((at for at, each in enumerate(current) if _same(each, item, key)), -1)) >= 0:
                    current = current[:at] + current[at + 1 :]
                    slots.delete(at)
            case "replace":
                replace = True
            case "merge":
                raise PatchError(500, "", "merging lists cannot yet be specified in the patch")
            case _:
                raise _unknown_directive(item)
    return (plain, []) if replace else (current, plain)


def _no_merge_key(item: Any, key: str) -> PatchError:
    return PatchError(500, "", f"map: {go_text(item)} does not contain declared merge key: {key}")


def _in_order(items: list[Any], order: list[Any], server_order: list[Any], key: str) -> list[Any]:
    """Return items in `order`, the others in the server's order, interleaved by their previous positions."""

    def position(sequence: list[Any]) -> Callable[[Any], int]:
        return lambda item: next((at for at, each in enumerate(sequence) if _same(each, item, key)), -1)

    in_patch, on_server = position(order), position(server_order)
    mine = sorted((item for item in items if in_patch(item) >= 0), key=in_patch)
    others = sorted((item for item in items if in_patch(item) < 0), key=on_server)
    woven: list[Any] = []
    while mine and others:
        other_at, my_at = on_server(others[0]), on_server(mine[0])
        first = others if other_at >= 0 and my_at >= 0 and other_at < my_at else mine
        woven.append(first.pop(0))
    return woven + others + mine


def _same(one: Any, other: Any, key: str) -> bool:
    if key:
        return isinstance(one, dict) and isinstance(other, dict) and key in one and one[key] == other.get(key)
    return same_json(one, other)


def _contains(items: list[Any], wanted: Any) -> bool:
    return any(same_json(item, wanted) for item in items)


def _unique(items: list[Any]) -> list[Any]:
    unique: list[Any] = []
    for item in items:
        if not _contains(unique, item):
            unique.append(item)
    return unique


def _member(schema: Schema, name: str) -> Schema:
    """Return the schema of a field or map value; an empty one for unknown fields."""
    known: Schema | None = (schema.get("properties") or {}).get(name)
    rest = schema.get("additionalProperties")
    return known if known is not None else rest if isinstance(rest, dict) else {}


def _strategy(schema: Schema) -> str:
    """Return the strategy without retainKeys, which the patch contains itself."""
    strategies = str(schema.get("x-kubernetes-patch-strategy") or "").split(",")
    return next((each for each in strategies if each != "retainKeys"), "")


def _merge_key(schema: Schema) -> str:
    return str(schema.get("x-kubernetes-patch-merge-key") or "")
