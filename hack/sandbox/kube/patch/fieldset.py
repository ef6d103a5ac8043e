"""Sets of field paths, such as those of a manager, and their form in `fieldsV1`.

A path is a tuple of elements as in `fieldsV1`: `f:name` for a field, `k:{…}` for an item by its keys, `v:…`
for an item by its value, `i:0` for an item by its position. A set of paths is a plain frozenset, so that union,
difference and intersection are Python's. Source: structured-merge-diff fieldpath, apimachinery util/managedfields.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.wire.causes import go_json, go_value

Path: TypeAlias = tuple[str, ...]
Paths: TypeAlias = frozenset[Path]
FieldsV1: TypeAlias = dict[str, Any]

EMPTY: Final[Paths] = frozenset()
_SELF: Final = "."
_RANK: Final = {"f": 0, "k": 1, "v": 2, "i": 3}


def field_element(name: str) -> str:
    """Return the element of a struct field or map key."""
    return f"f:{name}"


def key_element(keys: Mapping[str, Any]) -> str:
    """Return the element of an item that is identified by some of its fields."""
    return f"k:{go_json(keys)}"


def value_element(value: Any) -> str:
    """Return the element of an item of a set."""
    return f"v:{go_json(value)}"


def encode(paths: Iterable[Path]) -> FieldsV1:
    """Return the nested form: an element that has children and is a member itself contains a `.`."""
    root: FieldsV1 = {}
    for path in sorted(paths, key=sort_key):
        node = root
        for element in path[:-1]:
            below = node.get(element)
            if below is None:
                below = node[element] = {}
            elif not below:  # it was a member without children until now
                below[_SELF] = {}
            node = below
        node.setdefault(path[-1], {})
    return root


def decode(fields: Any) -> Paths:
    """Return the paths of the nested form. Raises ValueError for an invalid FieldsV1."""
    found: set[Path] = set()
    _decode(fields, (), found)
    return frozenset(found)


def _decode(fields: Any, prefix: Path, found: set[Path]) -> None:
    if not isinstance(fields, dict):
        raise ValueError("fieldsV1 must be an object")  # noqa: TRY004 - it is data, not a programming error
    for element, below in fields.items():
        if element == _SELF:
            continue
        if not isinstance(below, dict):
            raise ValueError(f"{element} must be an object")  # noqa: TRY004 - it is data, not a programming error
        path = (*prefix, _canonical(element))
        if not below or _SELF in below:
            found.add(path)
        if below:
            _decode(below, path, found)


def _canonical(element: str) -> str:
    """Return an element in canonical form: keys may have any order and spacing."""
    kind, colon, rest = element.partition(":")
    if not colon or kind not in _RANK:
        raise ValueError(f"not a path element: {element}")
    if kind in "fi":
        return element
    return f"{kind}:{go_json(json.loads(rest))}"


def without_below(paths: Paths, roots: Iterable[Path]) -> Paths:
    """Return the paths that are neither one of `roots` nor below one."""
    prefixes = tuple(roots)
    return frozenset(path for path in paths if not any(path[: len(prefix)] == prefix for prefix in prefixes))


def sort_key(path: Path) -> tuple[Any, ...]:
    """Return a sort key in the order of structured-merge-diff: members before children, fields before items."""
    *parents, last = path
    return (*((1, _element_key(element)) for element in parents), (0, _element_key(last)))


def _element_key(element: str) -> tuple[Any, ...]:
    kind, _, rest = element.partition(":")
    return (_RANK[kind], int(rest)) if kind == "i" else (_RANK[kind], rest)


def path_text(path: Path) -> str:
    """Return a path in readable form: `.spec.parts[name="rim"].material`."""
    return "".join(map(element_text, path))


def _key_text(value: Any) -> str:
    """Return the value of a key in readable form; what is no scalar is shown as nothing."""
    return "" if isinstance(value, dict | list) else go_value(value)


def element_text(element: str) -> str:
    """Return one element in readable form."""
    kind, _, rest = element.partition(":")
    match kind:
        case "f":
            return f".{rest}"
        case "k":
            return f"[{','.join(f'{name}={_key_text(value)}' for name, value in sorted(json.loads(rest).items()))}]"
        case "v":
            return f"[={go_value(json.loads(rest))}]"
    return f"[{rest}]"
