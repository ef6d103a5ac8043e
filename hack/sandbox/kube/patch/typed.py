"""Operations on values with a shape: field sets, comparison, merge and validation.

Each function walks values and shape together. Source: structured-merge-diff typed/{tofieldset,compare,merge,remove,
validate}.go, with exactly the same rules because managedFields show them.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.kube.patch.fieldset import (
    Path,
    Paths,
    element_text,
    field_element,
    key_element,
    value_element,
)
from hack.sandbox.kube.patch.shapes import ABSENT, Shape
from hack.sandbox.kube.schema.correlation import same_json
from hack.sandbox.kube.wire.causes import go_quote, go_text
from hack.sandbox.kube.wire.release import V1_37, imitated


class ShapeError(Exception):
    """A list item without an identity; the message has the reason."""


def item_element(shape: Shape, item: Any) -> str:
    """Return the identity of an item of a `set` or `map` list. Raises ShapeError."""
    if not shape.keys:
        if isinstance(item, dict):
            raise ShapeError("associative list without keys has an element that's a map type")
        if isinstance(item, list):
            raise ShapeError("not supported: associative list with lists as elements")
        if item is None:
            raise ShapeError("associative list without keys has an element that's an explicit null")
        return value_element(item)
    if item is None:
        raise ShapeError("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise ShapeError("associative list with keys may not have non-map elements")
    keys = {}
    for name in shape.keys:
        value = item[name] if name in item else shape.item.default_of(name)
        if name in item or value is not None:
            keys[name] = value
    if not keys:
        names = " ".join(map(go_quote, shape.keys))
        raise ShapeError(
            f"associative list with keys has an element that omits all key fields [{names}] "
            "(and doesn't have default values for any key fields)"
        )
    return key_element(keys)


def field_set(value: Any, shape: Shape) -> Paths:
    """Return the paths that an applier of `value` owns."""
    found: set[Path] = set()
    _collect(value, shape, (), found)
    return frozenset(found)


def _collect(value: Any, shape: Shape, path: Path, found: set[Path]) -> None:
    match shape.form(value):
        case "scalar":
            found.add(path)
        case "list" if shape.atomic_list:
            found.add(path)
        case "list" if isinstance(value, list):
            for element, items in _by_element(shape, value):
                if len(items) == 1:
                    _collect(items[0], shape.item, (*path, element), found)
                found.add((*path, element))
        case "map" if shape.atomic_map:
            found.add(path)
        case "map" if isinstance(value, dict):
            for name, child in value.items():
                below, at = shape.field(name), (*path, field_element(name))
                if below is not None:
                    _collect(child, below, at, found)
                if child is None or child == {} or not shape.declares(name):
                    found.add(at)


def _by_element(shape: Shape, items: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield items by their identity, in the order of first appearance; those without one are omitted."""
    found: dict[str, list[Any]] = {}
    for item in items:
        try:
            found.setdefault(item_element(shape, item), []).append(item)
        except ShapeError:
            continue
    return iter(found.items())


@dataclass(slots=True)
class Comparison:
    """The paths in which two values differ."""

    removed: set[Path] = field(default_factory=set)
    modified: set[Path] = field(default_factory=set)
    added: set[Path] = field(default_factory=set)

    def leaf(self, old: Any, new: Any, path: Path) -> None:
        """Compare two atomic values."""
        if old is ABSENT:
            self.added.add(path)
        elif new is ABSENT:
            self.removed.add(path)
        elif not same_json(old, new):
            self.modified.add(path)


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """Return the differences between `old` and `new`. Fields that are not in the shape are ignored."""
    result = Comparison()
    _compare(old, new, shape, (), result)
    for paths in (result.removed, result.modified, result.added):
        paths.discard(())
    return result


def _compare(old: Any, new: Any, shape: Shape, path: Path, out: Comparison) -> None:
    forms = {shape.form(value) for value in (old, new) if value is not ABSENT}
    whole = [_compare_as(form, old, new, shape, path, out) for form in sorted(forms)]
    if not any(whole):
        if old is ABSENT:
            out.added.add(path)
        elif new is ABSENT:
            out.removed.add(path)


def _compare_as(form: str, old: Any, new: Any, shape: Shape, path: Path, out: Comparison) -> bool:
    """Compare as scalars, lists or maps; returns whether they were compared as a whole."""
    if form == "map":
        return _compare_maps(old, new, shape, path, out)
    if form == "list":
        return _compare_lists(old, new, shape, path, out)
    out.leaf(old, new, path)
    return True


def _compare_maps(old: Any, new: Any, shape: Shape, path: Path, out: Comparison) -> bool:
    one, other = old if isinstance(old, dict) else {}, new if isinstance(new, dict) else {}
    if shape.atomic_map or not (one or other):
        out.leaf(old, new, path)
        return True
    if one is other:
        return False
    for name in {**one, **other}:
        before, after = one.get(name, ABSENT), other.get(name, ABSENT)
        if before is not after or before is ABSENT:
            below = shape.field(name)
            if below is not None:
                _compare(before, after, below, (*path, f"f:{name}"), out)
    return False


def _compare_lists(old: Any, new: Any, shape: Shape, path: Path, out: Comparison) -> bool:
    one, other = old if isinstance(old, list) else [], new if isinstance(new, list) else []
    if shape.atomic_list or not (one or other):
        out.leaf(old, new, path)
        return True
    before, after = dict(_by_element(shape, one)), dict(_by_element(shape, other))
    for element in {**before, **after}:
        olds, news = before.get(element, []), after.get(element, [])
        at = (*path, element)
        if len(olds) <= 1 and len(news) <= 1:
            _compare(olds[0] if olds else ABSENT, news[0] if news else ABSENT, shape.item, at, out)
        elif len(olds) > 1 and len(news) > 1:
            out.modified.update([] if same_json(olds, news) else [at])
        elif len(olds) > 1:  # duplicates are one unit: it is removed, and a single item may replace it
            for item in news:
                _compare(ABSENT, item, shape.item, at, out)
            out.removed.add(at)
        else:
            for item in olds:
                _compare(item, ABSENT, shape.item, at, out)
            out.added.add(at)
    return False


def merge(live: Any, applied: Any, shape: Shape) -> Any:
    """Return `live` overlaid with `applied`; ABSENT is a missing side. Raises ShapeError."""
    if applied is ABSENT:
        return live
    form = shape.form(applied)
    if live is ABSENT or shape.form(live) != form:
        live = ABSENT
    if form == "map" and not shape.atomic_map and (isinstance(applied, dict) or isinstance(live, dict)):
        return _merge_maps(live, applied, shape)
    if form == "list" and not shape.atomic_list and (isinstance(applied, list) or isinstance(live, list)):
        return _merge_lists(live, applied, shape)
    return applied


def _merge_maps(live: Any, applied: Any, shape: Shape) -> Any:
    one, other = live if isinstance(live, dict) else {}, applied if isinstance(applied, dict) else {}
    if not (one or other):
        return applied
    merged = {}
    for name in {**one, **other}:
        below = shape.field(name)
        before, after = one.get(name, ABSENT), other.get(name, ABSENT)
        if below is None:
            merged[name] = before if after is ABSENT else after
        else:
            merged[name] = merge(before, after, below)
    return merged


def _merge_lists(live: Any, applied: Any, shape: Shape) -> Any:
    """Merge the items of both lists, in the applied list's order, and the live one's as far as possible."""
    one, other = live if isinstance(live, list) else [], applied if isinstance(applied, list) else []
    if not (one or other):
        return applied
    olds = [(item_element(shape, item), item) for item in one]
    news = {item_element(shape, item): item for item in other}
    counts = Counter(element for element, _ in olds)
    known = {element: item if counts[element] == 1 else ABSENT for element, item in olds}
    shared = deque(element for element in news if element in known)
    merged: list[Any] = []
    waiting = iter(news)
    upcoming = next(waiting, None)

    def place(element: str) -> None:
        merged.append(merge(known.get(element, ABSENT), news[element], shape.item))
        if shared and shared[0] == element:
            shared.popleft()

    for element, item in olds:
        if element not in news:
            merged.append(item)
            continue
        if not shared or shared[0] != element:
            continue  # already placed, or placed later: the applied order counts
        while upcoming is not None and upcoming != element:
            place(upcoming)
            upcoming = next(waiting, None)
        place(element)
        upcoming = next(waiting, None)
    while upcoming is not None:
        place(upcoming)
        upcoming = next(waiting, None)
    return merged


def remove(value: Any, paths: Iterable[Path], shape: Shape) -> Any:
    """Return `value` without the fields and items at `paths`; a container that this empties becomes null.

    Before 1.37 it stayed, empty (structured-merge-diff typed/remove.go, 6.3.2 and 6.4.2).
    """
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        node[""] = {}  # a member: no element is empty
    return _remove(value, tree, shape)


def _remove(value: Any, tree: dict[str, Any], shape: Shape) -> Any:
    form = shape.form(value)
    if form == "map" and isinstance(value, dict) and not shape.atomic_map:
        kept = {}
        for name, child in value.items():
            below = tree.get(f"f:{name}")
            sub = shape.field(name)
            if below is not None and "" in below:
                continue
            kept[name] = _remove(child, below, sub) if below and sub is not None else child
        return kept or _emptied(kept)
    if form == "list" and isinstance(value, list) and not shape.atomic_list:
        items = []
        for item in value:
            below = tree.get(item_element(shape, item))
            if below is not None and "" in below:
                continue
            items.append(_remove(item, below, shape.item) if below else item)
        return items or _emptied(items)
    return value


def _emptied(container: Any) -> Any:
    return container if imitated() < V1_37 else None


def reconciled(paths: Paths, shape: Shape) -> Paths:
    """Return `paths` with whole lists and maps in place of their parts, where the schema has made those atomic since.

    Source: structured-merge-diff typed/reconcile_schema.go.
    """
    return frozenset(path[: _granular(path, shape)] for path in paths)


def _granular(path: Path, shape: Shape) -> int:
    current: Shape | None = shape
    for length, element in enumerate(path):
        if current is None:
            break
        kind, _, name = element.partition(":")
        if (kind in {"k", "v", "i"} and current.atomic_list) or (kind == "f" and current.atomic_map):
            return length
        current = current.field(name) if kind == "f" else current.item
    return len(path)


def with_named_fields(paths: Paths, shape: Shape) -> Paths:
    """Return `paths` with their parent struct fields, which sets omit; map keys and items are not added."""
    found = set(paths)
    seen: set[Path] = set()
    for path in paths:
        current: Shape | None = shape
        for length, element in enumerate(path[:-1], start=1):
            if current is None:
                break
            kind, _, name = element.partition(":")
            prefix = path[:length]
            if prefix not in seen:
                seen.add(prefix)
                if kind == "f" and current.declares(name):
                    found.add(prefix)
            current = current.field(name) if kind == "f" else current.item
    return frozenset(found)


def problems(value: Any, shape: Shape, at: str = "") -> list[str]:
    """Return why `value` cannot be applied, as `path: reason`; including duplicates in lists."""
    match shape.form(value):
        case "scalar":
            reason = _scalar_problem(value, shape.scalar)
            return [_located(at, reason)] if reason else []
        case "list":
            if value is None:
                return []
            if not isinstance(value, list):
                return [_located(at, f"expected list, got &{{{go_text(value)}}}")]
            return _list_problems(value, shape, at)
    if value is None:
        return []
    if not isinstance(value, dict):
        return [_located(at, f"expected map, got &{{{go_text(value)}}}")]
    found: list[str] = []
    for name in sorted(value):
        below = shape.field(name)
        if below is None:
            # structured-merge-diff stops checking an object at its first unknown field.
            return [*found, _located(f"{at}.{name}", "field not declared in schema")]
        found += problems(value[name], below, f"{at}.{name}")
    return found


def problems_message(found: list[str]) -> str:
    """Return one problem unchanged, several as a list."""
    return found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {each}" for each in found)])


def _list_problems(items: list[Any], shape: Shape, at: str) -> list[str]:
    found: list[str] = []
    seen: set[str] = set()
    for index, item in enumerate(items):
        element = f"i:{index}"
        if not shape.atomic_list:
            try:
                element = item_element(shape, item)
            except ShapeError as exc:
                return [*found, _located(at, f"element {index}: {exc}")]
            if element in seen:
                found.append(_located(at, f"duplicate entries for key {element_text(element)}"))
            seen.add(element)
        found += problems(item, shape.item, at + element_text(element))
    return found


def _located(at: str, reason: str) -> str:
    return f"{at}: {reason}" if at else reason


def _scalar_problem(value: Any, wanted: str) -> str:
    if value is None:
        return ""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match wanted:
        case "numeric" if not is_number:
            return f"expected numeric (int or float), got {_go_type(value)}"
        case "string" if not isinstance(value, str):
            return f"expected string, got &value.valueUnstructured{{Value:{_go_literal(value)}}}"
        case "boolean" if not isinstance(value, bool):
            return f"expected boolean, got &{{{go_text(value)}}}"
        case "untyped" if isinstance(value, dict | list):
            return f"expected any scalar, got &{{{go_text(value)}}}"
    return ""


_GO_TYPES: Final[dict[type, str]] = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


def _go_type(value: Any) -> str:
    return _GO_TYPES[value.__class__]


def _go_literal(value: Any) -> str:
    """Format as `%#v`: values as in Go source code."""
    match value:
        case str():
            return go_quote(value)
        case None:
            return "interface {}(nil)"
        case list():
            return f"[]interface {{}}{{{', '.join(map(_go_literal, value))}}}"
        case dict():
            entries = ", ".join(f"{go_quote(name)}:{_go_literal(value[name])}" for name in sorted(value))
            return f"map[string]interface {{}}{{{entries}}}"
    return go_text(value)
