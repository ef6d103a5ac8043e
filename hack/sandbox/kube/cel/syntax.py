"""Parses CEL source text to a syntax tree, with macros expanded into separate nodes.

The grammar is that of the CEL specification, with the syntax of a kube-apiserver that reads what may be missing
(`a.?b`, `a[?0]`). Every node knows where it stands in the text, in the places that cel-go points at in its messages.
The module is long because the grammar, the nodes and the macros are one thing; none of its functions is.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

MAX_DEPTH: Final = 250
"""Nesting at which cel-go refuses an expression, far below Python's recursion limit."""

_TOKEN: Final = re.compile(
    r"""
    (?P<space>[\t\n\f\r ]+|//[^\n]*)
    | (?P<float>(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?))
    | (?P<uint>(?:0x[0-9a-fA-F]+|\d+)[uU])
    | (?P<int>0x[0-9a-fA-F]+|\d+)
    | (?P<string>[bBrR]{0,2}
        (?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    | (?P<quoted>`[_.\-/ a-zA-Z0-9]+`)
    | (?P<symbol>&&|\|\||==|!=|<=|>=|[-+*/%!<>=?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)
_STRING: Final = re.compile(r"([bBrR]{0,2})(\"\"\"|'''|\"|')(.*)\2", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"""\\(?:([abfnrtv\\'"`?])|x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.))""",
    re.DOTALL,
)
_SIMPLE_ESCAPES: Final = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
_RELATIONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


class SyntaxFault(Exception):  # noqa: N818 - `SyntaxError` is Python's
    """The text is not an expression. `position` is an offset into it."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


class UInt(int):
    """An unsigned integer: equal to the int of the same value, but of another type in arithmetic."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: None, bool, int, UInt, float, str or bytes."""

    position: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a type, or the first part of a qualified function name."""

    position: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`target.field`, or `target.?field`."""

    position: int
    target: "Node"
    field: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`target[index]`, or `target[?index]`."""

    position: int
    target: "Node"
    index: "Node"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """`has(select)`."""

    position: int
    select: Select


@dataclass(frozen=True, slots=True)
class Call:
    """An operator (`_+_`), a function, or with a target a method."""

    position: int
    function: str
    target: "Node | None"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`."""

    position: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """`{a: b, c: d}`."""

    position: int
    entries: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro over a list or map: `name` is bound to each item or key in turn.

    `macro` is all, exists, exists_one, map or filter; `condition` is the predicate, which `map` may lack, `result` what
    `map` makes of an item.
    """

    position: int
    macro: str
    target: "Node"
    name: str
    condition: "Node | None"
    result: "Node | None"


Node: TypeAlias = Literal | Name | Select | Index | Has | Call | ListOf | MapOf | Loop


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """Return the tree of one expression. Raises SyntaxFault.

    A rule is compiled when its CRD is validated, and again when objects are; many CRDs have the same rules.
    """
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise SyntaxFault(at, f"Syntax error: token recognition error at: '{text[at]}'")
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    tokens.append(_Token("end", "<EOF>", len(text)))
    return tokens


class _Parser:
    """Recursive descent, one method per level of precedence."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    def parse(self) -> Node:
        node = self._expression()
        if self._token.kind != "end":
            raise self._unexpected("<EOF>")
        return node

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _unexpected(self, wanted: str) -> SyntaxFault:
        token = self._token
        return SyntaxFault(token.position, f"Syntax error: mismatched input '{token.text}' expecting {wanted}")

    def _accept(self, *texts: str) -> _Token | None:
        token = self._token
        if token.text in texts and (token.kind == "symbol" or token.text == "in"):
            self._at += 1
            return token
        return None

    def _expect(self, text: str) -> _Token:
        token = self._accept(text)
        if token is None:
            raise self._unexpected(f"'{text}'")
        return token

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SyntaxFault(self._token.position, f"expression recursion limit exceeded: {MAX_DEPTH}")
        node = self._or()
        question = self._accept("?")
        if question:
            then = self._or()
            self._expect(":")
            node = Call(question.position, "_?_:_", None, (node, then, self._expression()))
        self._depth -= 1
        return node

    def _left(self, below: Callable[[], Node], *operators: str) -> Node:
        node = below()
        while token := self._accept(*operators):
            name = "@in" if token.text == "in" else f"_{token.text}_"
            node = Call(token.position, name, None, (node, below()))
        return node

    def _or(self) -> Node:
        return self._left(self._and, "||")

    def _and(self) -> Node:
        return self._left(self._relation, "&&")

    def _relation(self) -> Node:
        return self._left(self._sum, *_RELATIONS)

    def _sum(self) -> Node:
        return self._left(self._product, "+", "-")

    def _product(self) -> Node:
        return self._left(self._unary, "*", "/", "%")

    def _unary(self) -> Node:
        signs = []
        while token := self._accept("!", "-"):
            signs.append(token)
        if signs and signs[-1].text == "-" and self._token.kind in {"int", "float"}:
            sign = signs.pop()
            number = self._number(self._token, negative=True)
            self._tokens[self._at] = _Token("value", "", sign.position)
            node = self._member(Literal(sign.position, number))
        else:
            node = self._member(None)
        for token in reversed(signs):
            node = Call(token.position, f"{token.text}_", None, (node,))
        return node

    def _member(self, literal: Literal | None) -> Node:
        if literal is None:
            node = self._primary()
        else:
            node = literal
            self._at += 1
        while True:
            if dot := self._accept("."):
                node = self._after_dot(node, dot)
            elif bracket := self._accept("["):
                optional = self._accept("?") is not None
                node = Index(bracket.position, node, self._expression(), optional)
                self._expect("]")
            else:
                return node

    def _after_dot(self, node: Node, dot: _Token) -> Node:
        optional = self._accept("?") is not None
        token = self._token
        if token.kind == "quoted":
            raise SyntaxFault(token.position, "unsupported syntax: '`'")
        if token.kind != "name" or token.text == "in":
            raise SyntaxFault(token.position, f"Syntax error: no viable alternative at input '.{token.text}'")
        self._at += 1
        opening = None if optional else self._accept("(")
        if opening:
            return _method(opening.position, node, token.text, self._arguments(")"))
        return Select(dot.position, node, token.text, optional)

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        arguments: list[Node] = []
        while not self._accept(closing):
            arguments.append(self._expression())
            if not self._accept(","):
                self._expect(closing)
                break
        return tuple(arguments)

    def _primary(self) -> Node:
        token = self._token
        if token.kind in {"int", "uint", "float"}:
            self._at += 1
            return Literal(token.position, self._number(token))
        if token.kind == "string":
            self._at += 1
            return Literal(token.position, _text(token))
        if token.kind == "name" and token.text != "in":
            return self._named(token)
        if self._accept("."):
            token = self._token
            if token.kind != "name":
                raise self._unexpected("IDENTIFIER")
            return self._named(token)
        if self._accept("("):
            node = self._expression()
            self._expect(")")
            return node
        if self._accept("["):
            return self._list(token)
        if self._accept("{"):
            return self._map(token)
        raise SyntaxFault(
            token.position,
            f"Syntax error: mismatched input '{token.text}' expecting {{'[', '{{', '(', '.', '-', '!', 'true', "
            "'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
        )

    def _named(self, token: _Token) -> Node:
        self._at += 1
        constants: dict[str, Any] = {"true": True, "false": False, "null": None}
        if token.text in constants:
            return Literal(token.position, constants[token.text])
        opening = self._accept("(")
        if opening:
            return _function(opening.position, token.text, self._arguments(")"))
        if token.text in _RESERVED:
            raise SyntaxFault(token.position, f"reserved identifier: {token.text}")
        return Name(token.position, token.text)

    def _list(self, opening: _Token) -> Node:
        items: list[Node] = []
        while not self._accept("]"):
            items.append(self._expression())
            if not self._accept(","):
                self._expect("]")
                break
        return ListOf(opening.position, tuple(items))

    def _map(self, opening: _Token) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not self._accept("}"):
            key = self._expression()
            self._expect(":")
            entries.append((key, self._expression()))
            if not self._accept(","):
                self._expect("}")
                break
        return MapOf(opening.position, tuple(entries))

    def _number(self, token: _Token, *, negative: bool = False) -> float:
        sign = "-" if negative else ""
        if token.kind == "float":
            return float(sign + token.text)
        if token.kind == "uint":
            return UInt(token.text.rstrip("uU"), 0)
        digits = token.text if token.text.startswith("0x") else token.text.lstrip("0") or "0"
        value = int(sign + digits, 0)
        if not -(2**63) <= value < 2**63:
            raise SyntaxFault(token.position, "invalid int literal")
        return value


def _text(token: _Token) -> str | bytes:
    match = _STRING.fullmatch(token.text)
    if match is None:
        raise SyntaxFault(token.position, f"Syntax error: token recognition error at: '{token.text}'")
    prefix, _, body = match.groups()
    is_bytes = "b" in prefix.lower()
    if "r" in prefix.lower():
        return body.encode() if is_bytes else body

    def replace(escape: re.Match[str]) -> str:
        simple, low, upper, short, long, octal, bad = escape.groups()
        if bad is not None:
            raise SyntaxFault(token.position, "Syntax error: invalid escape sequence")
        if simple:
            return _SIMPLE_ESCAPES.get(simple, simple)
        code = int(octal, 8) if octal else int(low or upper or short or long, 16)
        # In bytes, \x and octal escapes are bytes; they survive the encoding below as surrogates.
        return chr(0xDC00 + code) if is_bytes and (low or upper or octal) and code > 0x7F else chr(code)

    text = _ESCAPE.sub(replace, body)
    return text.encode(errors="surrogateescape") if is_bytes else text


def _variable(node: Node) -> str:
    if not isinstance(node, Name):
        raise SyntaxFault(node.position, "argument must be a simple name")
    return node.name


def _function(position: int, name: str, arguments: tuple[Node, ...]) -> Node:
    if name == "has" and len(arguments) == 1:
        if not isinstance(arguments[0], Select):
            raise SyntaxFault(arguments[0].position, "invalid argument to has() macro")
        return Has(position, arguments[0])
    return Call(position, name, None, arguments)


def _method(position: int, target: Node, name: str, arguments: tuple[Node, ...]) -> Node:
    """Return a method call, or the macro of that name and number of arguments."""
    match name, arguments:
        case ("all" | "exists" | "exists_one" | "filter") as macro, (variable, condition):
            return Loop(position, macro, target, _variable(variable), condition, None)
        case "map", (variable, result):
            return Loop(position, "map", target, _variable(variable), None, result)
        case "map", (variable, condition, result):
            return Loop(position, "map", target, _variable(variable), condition, result)
    return Call(position, name, target, arguments)
