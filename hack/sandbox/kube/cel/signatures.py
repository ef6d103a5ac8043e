"""Types of expressions and signatures of functions, for the checker.

A signature is written as `<string>.contains(string): bool` for a method, `size(list(A)): int` for a function; single
capital letters are type variables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A type with its parameters. Objects also have fields, and are the same type only if they are the same object."""

    name: str
    parameters: tuple["Kind", ...] = ()
    fields: Mapping[str, "Kind"] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if self.name == "optional_type" or not self.parameters:
            inner = f"({', '.join(map(str, self.parameters))})" if self.parameters else ""
            return f"{_SHOWN.get(self.name, self.name)}{inner}"
        return f"{self.name}({', '.join(map(str, self.parameters))})"

    @property
    def is_variable(self) -> bool:
        """Return whether this is a type variable, bound to one type throughout a signature."""
        return len(self.name) == 1

    def is_dynamic(self) -> bool:
        """Return whether the type is unknown before the rule runs."""
        return self.name in {"dyn", "any", "error"}


_SHOWN: Final = {"null_type": "null", "error": "!error!"}
"""Types with another name in messages."""

DYN: Final = Kind("dyn")
ERROR: Final = Kind("error")
"""The type of a part with an error that was already reported."""
BOOL: Final = Kind("bool")
INT: Final = Kind("int")
UINT: Final = Kind("uint")
DOUBLE: Final = Kind("double")
STRING: Final = Kind("string")
BYTES: Final = Kind("bytes")
NULL: Final = Kind("null_type")
TIMESTAMP: Final = Kind("timestamp")
DURATION: Final = Kind("duration")


def list_of(item: Kind) -> Kind:
    """Return the type `list(item)`."""
    return Kind("list", (item,))


def map_of(key: Kind, value: Kind) -> Kind:
    """Return the type `map(key, value)`."""
    return Kind("map", (key, value))


def optional_of(inner: Kind) -> Kind:
    """Return the type `optional_type(inner)`."""
    return Kind("optional_type", (inner,))


@dataclass(frozen=True, slots=True)
class Signature:
    """One overload: its name, its parameters (the receiver first) and its result."""

    name: str
    method: bool
    parameters: tuple[Kind, ...]
    result: Kind


_SIGNATURE: Final = re.compile(
    r"(?:<(?P<receiver>.+)>\.)?(?P<name>[\w.@!%*/+\-<>=?:&|]+)\((?P<args>.*)\): (?P<result>.+)"
)


def signature(text: str) -> Signature:
    """Parse one signature. Raises ValueError for anything else."""
    match = _SIGNATURE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a signature: {text}")
    parameters = _kinds(match["args"])
    if match["receiver"]:
        parameters.insert(0, kind(match["receiver"]))
    return Signature(match["name"], bool(match["receiver"]), tuple(parameters), kind(match["result"]))


def kind(text: str) -> Kind:
    """Parse one type: `map(string, list(A))`."""
    name, _, rest = text.strip().partition("(")
    return Kind(name, tuple(_kinds(rest.removesuffix(")"))))


def _kinds(text: str) -> list[Kind]:
    """Split at the commas that are not inside parentheses."""
    kinds, depth, start = [], 0, 0
    for at, character in enumerate(f"{text},"):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0 and text[start:at].strip():
            kinds.append(kind(text[start:at]))
            start = at + 1
    return kinds


class Substitution:
    """The bindings of one signature's type variables, as its arguments are matched one after another."""

    def __init__(self) -> None:
        self._bound: dict[str, Kind] = {}

    def accepts(self, wanted: Kind, actual: Kind) -> bool:
        """Return whether `actual` is accepted for `wanted`."""
        if wanted.is_variable:
            bound = self._bound.get(wanted.name)
            if bound is None or bound.is_dynamic():
                self._bound[wanted.name] = actual
                return True
            return self.accepts(bound, actual) or self.accepts(actual, bound)
        if wanted.is_dynamic() or actual.is_dynamic() or wanted is actual:
            return True
        if wanted.name != actual.name:
            # Wrapper types and times may be null, and so may objects: cel-go accepts null for them.
            return (
                NULL in {wanted, actual} and ({wanted.name, actual.name} & {"object", "timestamp", "duration"}) != set()
            )
        if wanted.fields is not None and actual.fields is not None:
            return wanted.fields is actual.fields
        return all(map(self.accepts, wanted.parameters, actual.parameters))

    def apply(self, wanted: Kind) -> Kind:
        """Return `wanted` with its variables replaced; unbound ones are dynamic."""
        if wanted.is_variable:
            return self._bound.get(wanted.name, DYN)
        if not wanted.parameters:
            return wanted
        return Kind(wanted.name, tuple(map(self.apply, wanted.parameters)), wanted.fields)


OPERATORS: Final = tuple(
    map(
        signature,
        [
            "_==_(A, A): bool",
            "_!=_(A, A): bool",
            *(
                f"_{operator}_({kind}, {other}): bool"
                for operator in ("<", "<=", ">", ">=")
                for kind, other in [
                    *((one, two) for one in ("int", "uint", "double") for two in ("int", "uint", "double")),
                    *((name, name) for name in ("string", "bytes", "bool", "timestamp", "duration")),
                ]
            ),
            *(f"_{operator}_({kind}, {kind}): {kind}" for operator in "+-*/" for kind in ("int", "uint", "double")),
            "_%_(int, int): int",
            "_%_(uint, uint): uint",
            "_+_(string, string): string",
            "_+_(bytes, bytes): bytes",
            "_+_(list(A), list(A)): list(A)",
            "_+_(duration, duration): duration",
            "_+_(timestamp, duration): timestamp",
            "_+_(duration, timestamp): timestamp",
            "_-_(duration, duration): duration",
            "_-_(timestamp, timestamp): duration",
            "_-_(timestamp, duration): timestamp",
            "-_(int): int",
            "-_(double): double",
            "-_(duration): duration",
            "!_(bool): bool",
            "_?_:_(bool, A, A): A",
            "@in(A, list(A)): bool",
            "@in(A, map(A, B)): bool",
        ],
    )
)
