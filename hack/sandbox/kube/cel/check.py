"""Type-checks expressions before they run, so that a CRD with an invalid rule is refused.

Reports the same errors as cel-go, with its messages: undeclared names, fields that a schema does not have, and calls
that match no overload. Unknown types (`dyn`) pass every check.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from hack.sandbox.kube.cel import library
from hack.sandbox.kube.cel.evaluate import qualified_name
from hack.sandbox.kube.cel.signatures import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    OPERATORS,
    STRING,
    UINT,
    Kind,
    Signature,
    Substitution,
    list_of,
    map_of,
    optional_of,
)
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
    SyntaxFault,
    UInt,
    parse,
)
from hack.sandbox.kube.cel.times import parse_duration, parse_timestamp
from hack.sandbox.kube.cel.values import EvaluationError
from hack.sandbox.kube.wire.patterns import BadPatternError, compile_pattern

_TYPE: Final = Kind("type")
_TYPE_NAMES: Final = frozenset(["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"])
_LITERALS: Final[dict[type, Kind]] = {
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}


_CONSTANT_CHECKS: Final[dict[str, Callable[[str], Any]]] = {
    "duration": parse_duration,
    "timestamp": parse_timestamp,
    "matches": compile_pattern,
}


class CompileFault(Exception):  # noqa: N818 - cel-go calls these issues
    """An expression that cannot be compiled; the message lists every fault with its position."""


def check(text: str, variables: Mapping[str, Kind]) -> tuple[Node, Kind]:
    """Return the tree and the type of an expression over typed variables. Raises CompileFault."""
    try:
        tree = parse(text)
    except SyntaxFault as exc:
        raise CompileFault(_located(text, exc.position, exc.message)) from exc
    checker = _Checker()
    kind = checker.kind(tree, dict(variables))
    if checker.faults:
        faults = sorted(dict.fromkeys(checker.faults))
        raise CompileFault("\n".join(_located(text, position, message) for position, message in faults))
    return tree, kind


def _located(text: str, position: int, message: str) -> str:
    """Return a fault with its line of the source, and a mark below the place."""
    before = text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1)
    source = text.split("\n")[line - 1]
    return f"ERROR: <input>:{line}:{column + 1}: {message}\n | {source}\n | {'.' * column}^"


class _Checker:
    """Walks a tree once; collects all faults instead of stopping at the first."""

    def __init__(self) -> None:
        self.faults: list[tuple[int, str]] = []

    def kind(self, node: Node, scope: dict[str, Kind]) -> Kind:
        method = getattr(self, f"_{node.__class__.__name__.lower()}")
        found: Kind = method(node, scope)
        return found

    def _fault(self, position: int, message: str) -> Kind:
        self.faults.append((position, message))
        return ERROR

    def _literal(self, node: Literal, _scope: Any) -> Kind:
        return _LITERALS[node.value.__class__]

    def _name(self, node: Name, scope: dict[str, Kind]) -> Kind:
        if node.name in scope:
            return scope[node.name]
        if node.name in _TYPE_NAMES:
            return _TYPE
        return self._fault(node.position, f"undeclared reference to '{node.name}' (in container '')")

    def _select(self, node: Select, scope: dict[str, Kind]) -> Kind:
        return self._member(node, self.kind(node.target, scope), node.position)

    def _member(self, node: Select, target: Kind, position: int) -> Kind:
        optional = node.optional
        if target.name == "optional_type":
            target, optional = target.parameters[0] if target.parameters else DYN, True
        if target.is_dynamic():
            found = DYN
        elif target.fields is not None:
            member = target.fields.get(node.field) or target.fields.get(f"__{node.field}__")
            if member is None:
                return self._fault(position, f"undefined field '{node.field}'")
            found = member
        elif target.name == "map":
            found = target.parameters[1] if len(target.parameters) == 2 else DYN
        else:
            return self._fault(position, f"type '{target}' does not support field selection")
        return optional_of(found) if optional else found

    def _has(self, node: Has, scope: dict[str, Kind]) -> Kind:
        self._member(node.select, self.kind(node.select.target, scope), node.position)
        return BOOL

    def _index(self, node: Index, scope: dict[str, Kind]) -> Kind:
        target, index = self.kind(node.target, scope), self.kind(node.index, scope)
        optional = node.optional
        if target.name == "optional_type":
            target, optional = target.parameters[0] if target.parameters else DYN, True
        if target.is_dynamic():
            return DYN
        if target.name not in {"list", "map"} or not target.parameters:
            return self._no_overload(node.position, "_[_]", [target, index])
        wanted = INT if target.name == "list" else target.parameters[0]
        if not Substitution().accepts(wanted, index):
            return self._no_overload(node.position, "_[_]", [target, index])
        found = target.parameters[-1]
        return optional_of(found) if optional else found

    def _assert_kind(self, position: int, wanted: Kind, actual: Kind) -> None:
        if not Substitution().accepts(wanted, actual):
            self._fault(position, f"expected type '{wanted}' but found '{actual}'")

    def _check_constants(self, node: Call) -> None:
        """Refuse constants that a function can never accept, before anything runs."""
        convert = _CONSTANT_CHECKS.get(node.function)
        constant = node.arguments[-1] if node.arguments else None
        if convert is None or not isinstance(constant, Literal) or not isinstance(constant.value, str):
            return
        try:
            convert(constant.value)
        except (EvaluationError, BadPatternError):
            self._fault(constant.position, f"invalid {node.function} argument")

    def _no_overload(self, position: int, name: str, arguments: list[Kind], *, method: bool = False) -> Kind:
        shown = ", ".join(map(str, arguments))
        if method:
            shown = f"{arguments[0]}.({', '.join(map(str, arguments[1:]))})"
            return self._fault(position, f"found no matching overload for '{name}' applied to '{shown}'")
        return self._fault(position, f"found no matching overload for '{name}' applied to '({shown})'")

    def _call(self, node: Call, scope: dict[str, Kind]) -> Kind:
        name = node.function
        # Only format() takes a list of mixed types.
        mixed = name == "format" and node.target is not None
        arguments = [self._mixed(each, scope) if mixed else self.kind(each, scope) for each in node.arguments]
        if name in {"_&&_", "_||_"}:
            for argument, kind in zip(node.arguments, arguments, strict=True):
                self._assert_kind(argument.position, BOOL, kind)
            return BOOL
        self._check_constants(node)
        operators = [each for each in OPERATORS if each.name == name] if node.target is None else []
        if operators:
            return self._resolve(node, operators, arguments, method=False)
        if node.target is None:
            return self._resolve(node, library.signatures(name, method=False), arguments, method=False)
        prefix = qualified_name(node.target)
        namespaced = library.signatures(f"{prefix}.{name}", method=False) if prefix else []
        if namespaced:
            return self._resolve(node, namespaced, arguments, method=False)
        arguments.insert(0, self.kind(node.target, scope))
        return self._resolve(node, library.signatures(name, method=True), arguments, method=True)

    def _resolve(self, node: Call, overloads: list[Signature], arguments: list[Kind], *, method: bool) -> Kind:
        if not overloads:
            return self._fault(node.position, f"undeclared reference to '{node.function}' (in container '')")
        results = []
        for overload in overloads:
            substitution = Substitution()
            if len(overload.parameters) == len(arguments) and all(
                map(substitution.accepts, overload.parameters, arguments)
            ):
                results.append(substitution.apply(overload.result))
        if not results:
            return self._no_overload(node.position, node.function, arguments, method=method)
        return results[0] if all(result == results[0] for result in results) else DYN

    def _mixed(self, node: Node, scope: dict[str, Kind]) -> Kind:
        if not isinstance(node, ListOf):
            return self.kind(node, scope)
        for item in node.items:
            self.kind(item, scope)
        return list_of(DYN)

    def _listof(self, node: ListOf, scope: dict[str, Kind]) -> Kind:
        return list_of(self._common(node.items, scope))

    def _mapof(self, node: MapOf, scope: dict[str, Kind]) -> Kind:
        keys = self._common([key for key, _ in node.entries], scope)
        return map_of(keys, self._common([value for _, value in node.entries], scope))

    def _common(self, nodes: Iterable[Node], scope: dict[str, Kind]) -> Kind:
        """The type of all elements, which must be one; dyn where there are none."""
        common: Kind | None = None
        for node in nodes:
            kind = self.kind(node, scope)
            if common is None:
                common = kind
            elif common == DYN and kind != DYN:
                self._fault(node.position, f"expected type 'dyn' but found '{kind}'")
            else:
                self._assert_kind(node.position, common, kind)
        return common or DYN

    def _loop(self, node: Loop, scope: dict[str, Kind]) -> Kind:
        target = self.kind(node.target, scope)
        if target.name not in {"list", "map"} and not target.is_dynamic():
            message = (
                f"expression of type '{target}' cannot be range of a comprehension (must be list, map, or dynamic)"
            )
            self._fault(node.target.position, message)
            target = DYN
        item = target.parameters[0] if target.parameters else DYN  # of a list its items, of a map its keys
        inner = {**scope, node.name: item}
        if node.condition is not None:
            condition = self.kind(node.condition, inner)
            if node.macro in {"all", "exists"}:
                self._assert_kind(node.condition.position, BOOL, condition)
            elif condition != BOOL and not condition.is_dynamic():
                self._no_overload(node.position, "_?_:_", [condition, INT, INT])
        result = self.kind(node.result, inner) if node.result is not None else BOOL
        if node.macro == "filter":
            return list_of(item)
        return list_of(result) if node.macro == "map" else BOOL
