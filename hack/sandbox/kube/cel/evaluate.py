"""Compiles syntax trees to closures, and runs them.

A rule is compiled once and run for every object: each node becomes a Python function of the variables, so running it
neither walks the tree nor looks up function names. `&&`, `||`, `all` and `exists` ignore errors on one side if the
other side decides, as in the CEL specification.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.cel import library, operators
from hack.sandbox.kube.cel.names import unescape
from hack.sandbox.kube.cel.syntax import (
    Call,
    Has,
    Index,
    ListOf,
    Literal,
    Loop,
    MapOf,
    Name,
    Node,
    Select,
)
from hack.sandbox.kube.cel.values import (
    NONE,
    EvaluationError,
    Optional,
    OverloadError,
    Type,
    is_missing,
    is_number,
    lookup,
)

Variables: TypeAlias = dict[str, Any]
Program: TypeAlias = Callable[[Variables], Any]
"""Returns the value of an expression. Raises EvaluationError."""

_TYPES: Final = {
    name: Type(name)
    for name in ("bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type")
}


def compile_node(node: Node) -> Program:
    """Return the program of a tree that was type-checked, or that may fail at run time instead."""
    compiler = _COMPILERS[node.__class__]
    return compiler(node)


def qualified_name(node: Node) -> str | None:
    """Return `a.b.c` if the node has only names: it may be the namespace of a function."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Select) and not node.optional:
        prefix = qualified_name(node.target)
        return f"{prefix}.{node.field}" if prefix else None
    return None


def _literal(node: Literal) -> Program:
    value = node.value
    return lambda _: value


def _name(node: Name) -> Program:
    name = node.name
    type_value = _TYPES.get(name)

    def run(variables: Variables) -> Any:
        if name in variables:
            return variables[name]
        if type_value is not None:
            return type_value
        raise EvaluationError(f"no such attribute(s): {name}")

    return run


def _field(value: Any, raw: str, plain: str) -> Any:
    """Return the member of an object: escaped names mean fields that are not identifiers."""
    found = lookup(value, raw)
    return lookup(value, plain) if is_missing(found) and plain is not raw else found


def _select(node: Select) -> Program:
    target, raw = compile_node(node.target), node.field
    plain = unescape(raw)

    def strict(variables: Variables) -> Any:
        value = target(variables)
        if value.__class__ is dict:
            found = value.get(raw, NONE)
            if found is not NONE:
                return found
        if isinstance(value, Optional):
            return _optional_member(value, lambda inner: _field(inner, raw, plain))
        if not isinstance(value, dict):
            raise OverloadError
        found = _field(value, raw, plain)
        if is_missing(found):
            raise EvaluationError(f"no such key: {plain}")
        return found

    def optional(variables: Variables) -> Any:
        value = target(variables)
        wrapped = value if isinstance(value, Optional) else Optional((value,))
        return _optional_member(wrapped, lambda inner: _field(inner, raw, plain))

    return optional if node.optional else strict


def _optional_member(wrapped: Optional, find: Callable[[Any], Any]) -> Optional:
    for value in wrapped.items:
        if not isinstance(value, dict):
            raise OverloadError
        found = find(value)
        if not is_missing(found):
            return Optional((found,))
    return NONE


def _index(node: Index) -> Program:
    target, index = compile_node(node.target), compile_node(node.index)

    def strict(variables: Variables) -> Any:
        value, key = target(variables), index(variables)
        if isinstance(value, Optional):
            return Optional(tuple(_item(inner, key) for inner in value.items if _has_item(inner, key)))
        return _item(value, key)

    def optional(variables: Variables) -> Any:
        value, key = target(variables), index(variables)
        wrapped = value if isinstance(value, Optional) else Optional((value,))
        return Optional(tuple(_item(inner, key) for inner in wrapped.items if _has_item(inner, key)))

    return optional if node.optional else strict


def _position(items: list[Any], index: Any) -> int:
    if not is_number(index):
        raise OverloadError
    if index != int(index):
        raise EvaluationError(f"unsupported index value: {index}")
    return int(index) if 0 <= index < len(items) else -1


def _has_item(value: Any, key: Any) -> bool:
    if isinstance(value, list):
        return _position(value, key) >= 0
    return isinstance(value, dict) and not is_missing(lookup(value, key))


def _item(value: Any, key: Any) -> Any:
    if isinstance(value, list):
        position = _position(value, key)
        if position < 0:
            raise EvaluationError(f"index out of bounds: {key}")
        return value[position]
    if not isinstance(value, dict):
        raise OverloadError
    found = lookup(value, key)
    if is_missing(found):
        raise EvaluationError(f"no such key: {key}")
    return found


def _has(node: Has) -> Program:
    target, raw = compile_node(node.select.target), node.select.field
    plain = unescape(raw)

    def run(variables: Variables) -> Any:
        value = target(variables)
        if isinstance(value, Optional):
            return any(isinstance(inner, dict) and not is_missing(_field(inner, raw, plain)) for inner in value.items)
        if not isinstance(value, dict):
            raise OverloadError
        return raw in value or plain in value

    return run


def _call(node: Call) -> Program:
    name = node.function
    if name == "_&&_":
        return _decided(node.arguments, by=False)
    if name == "_||_":
        return _decided(node.arguments, by=True)
    if name == "_?_:_":
        return _conditional(node.arguments)
    arguments = [compile_node(argument) for argument in node.arguments]
    if node.target is not None:
        prefix = qualified_name(node.target)
        namespaced = library.find(f"{prefix}.{name}") if prefix else None
        if namespaced is not None:
            return _apply(namespaced, arguments)
        arguments.insert(0, compile_node(node.target))
    function = operators.find(name) if node.target is None else None
    function = function or library.find(name, method=node.target is not None)
    if function is None:
        raise EvaluationError(f"undeclared reference to '{name}'")
    return _apply(function, arguments)


def _apply(function: Callable[..., Any], arguments: list[Program]) -> Program:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda variables: function(only(variables))
    if len(arguments) == 2:
        one, two = arguments
        return lambda variables: function(one(variables), two(variables))
    return lambda variables: function(*[argument(variables) for argument in arguments])


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise OverloadError
    return value


def _decided(nodes: Iterable[Node], *, by: bool) -> Program:
    left, right = (compile_node(node) for node in nodes)

    def run(variables: Variables) -> Any:
        try:
            if _truth(left(variables)) is by:
                return by
        except EvaluationError:
            if _truth(right(variables)) is by:
                return by
            raise
        return _truth(right(variables))

    return run


def _conditional(nodes: Iterable[Node]) -> Program:
    condition, then, otherwise = (compile_node(node) for node in nodes)
    return lambda variables: then(variables) if _truth(condition(variables)) else otherwise(variables)


def _list(node: ListOf) -> Program:
    items = [compile_node(item) for item in node.items]
    return lambda variables: [item(variables) for item in items]


def _map(node: MapOf) -> Program:
    entries = [(compile_node(key), compile_node(value)) for key, value in node.entries]

    def run(variables: Variables) -> Any:
        made: dict[Any, Any] = {}
        for key, value in entries:
            name, content = key(variables), value(variables)
            if not isinstance(name, str | bool | int):
                raise EvaluationError("unsupported key type")
            if name in made:
                raise EvaluationError(f"Failed with repeated key: {name}")
            made[name] = content
        return made

    return run


def _elements(value: Any) -> Iterable[Any]:
    """What a macro's variable is bound to: the keys of a map, the items of a list."""
    if not isinstance(value, dict | list):
        raise OverloadError
    return value


def _loop(node: Loop) -> Program:
    target = compile_node(node.target)
    condition = compile_node(node.condition) if node.condition is not None else None
    result = compile_node(node.result) if node.result is not None else None
    name, macro = node.name, _MACROS[node.macro]

    def run(variables: Variables) -> Any:
        scope = dict(variables)

        def rounds() -> Iterable[Variables]:
            for element in elements:
                scope[name] = element
                yield scope

        elements = _elements(target(variables))
        return macro(rounds(), condition, result, name)

    return run


def _quantified(rounds: Iterable[Variables], condition: Program, *, by: bool) -> bool:
    """Evaluate `exists` (the first true decides) or `all` (the first false); an error counts if nothing decides."""
    failure = None
    for scope in rounds:
        try:
            if _truth(condition(scope)) is by:
                return by
        except EvaluationError as exc:
            failure = exc
    if failure is not None:
        raise failure
    return not by


def _exists_one(rounds: Iterable[Variables], condition: Program) -> bool:
    return sum(_truth(condition(scope)) for scope in rounds) == 1


def _chosen(rounds: Iterable[Variables], condition: Program | None) -> Iterable[Variables]:
    return (scope for scope in rounds if condition is None or _truth(condition(scope)))


_MACROS: Final[dict[str, Callable[..., Any]]] = {
    "all": lambda rounds, condition, _result, _name: _quantified(rounds, condition, by=False),
    "exists": lambda rounds, condition, _result, _name: _quantified(rounds, condition, by=True),
    "exists_one": lambda rounds, condition, _result, _name: _exists_one(rounds, condition),
    "filter": lambda rounds, condition, _result, name: [scope[name] for scope in _chosen(rounds, condition)],
    "map": lambda rounds, condition, result, _name: [result(scope) for scope in _chosen(rounds, condition)],
}


_COMPILERS: Final[dict[type, Callable[[Any], Program]]] = {
    Literal: _literal,
    Name: _name,
    Select: _select,
    Index: _index,
    Has: _has,
    Call: _call,
    ListOf: _list,
    MapOf: _map,
    Loop: _loop,
}
