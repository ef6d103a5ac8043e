"""Label and field selectors: parsing with the API server's error texts, and matching.

Sources: k8s.io/apimachinery pkg/labels/selector.go and pkg/fields/selector.go.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.wire.causes import invalid
from hack.sandbox.kube.wire.errors import bad_request
from hack.sandbox.kube.wire.names import label_key_problems, label_value_problems

Json = dict[str, Any]

_TOKEN: Final = re.compile(r"\s*(?:(==|!=|=|!|>|<|\(|\)|,)|([^\s=!<>(),]+))")
_BINARY: Final = "in, notin, =, ==, !=, gt, lt"
"""Operators after a key, as in the API server's messages."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One term of a label selector."""

    key: str
    operator: str
    values: frozenset[str]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy this term."""
        value = labels.get(self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "!":
                return value is None
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
            case _:
                return self._compares(value)

    def _compares(self, value: str | None) -> bool:
        if value is None or not re.fullmatch(r"[+-]?\d+", value):
            return False
        bound = int(next(iter(self.values)))
        return int(value) > bound if self.operator == ">" else int(value) < bound


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All terms must hold; no terms match everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels satisfy the selector."""
        return all(requirement.matches(labels) for requirement in self.requirements)


class _LabelParser:
    """A recursive descent over the tokens; an empty token is the end of the text."""

    def __init__(self, text: str):
        self._tokens = [operator or word for operator, word in _TOKEN.findall(text)]
        self._at = 0

    def parse(self) -> LabelSelector:
        terms: list[Requirement] = []
        while self._peek():
            if not self._is_word(self._peek()) and self._peek() != "!":
                raise bad_request(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
            terms.append(self._requirement())
            token = self._next()
            if token == "":
                break
            if token != ",":
                raise bad_request(f"found '{token}', expected: ',' or 'end of string'")
            if not self._is_word(self._peek()) and self._peek() != "!":
                raise bad_request(f"found '{self._peek()}', expected: identifier after ','")
        return LabelSelector(tuple(terms))

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    @staticmethod
    def _is_word(token: str) -> bool:
        return bool(token) and token[0] not in "=!<>(),"

    def _fail(self, text: str) -> Exception:
        return bad_request(f"unable to parse requirement: {text}")

    def _requirement(self) -> Requirement:
        key = self._next()
        absent = key == "!"
        if absent:
            key = self._next()
        if not self._is_word(key):
            raise self._fail(f"found '{key}', expected: identifier")
        for problem in label_key_problems(key):
            raise self._fail(str(invalid("", key, problem)))
        if absent:
            return Requirement(key, "!", frozenset())
        if self._peek() in ("", ","):
            return Requirement(key, "exists", frozenset())
        operator = self._next()
        if operator not in ("in", "notin", "=", "==", "!=", "<", ">"):
            raise self._fail(f"found '{operator}', expected: {_BINARY}")
        values = self._values() if operator in ("in", "notin") else self._one_value()
        self._check(key, operator, values)
        return Requirement(key, operator, values)

    def _check(self, key: str, operator: str, values: frozenset[str]) -> None:
        for index, value in enumerate(sorted(values)):
            if operator in "<>" and not re.fullmatch(r"[+-]?\d+", value):
                cause = invalid(f"values[{index}]", value, "for 'Gt', 'Lt' operators, the value must be an integer")
                raise self._fail(str(cause))
            for problem in label_value_problems(value):
                raise self._fail(str(invalid(f"values[{index}][{key}]", value, problem)))

    def _one_value(self) -> frozenset[str]:
        if self._peek() in ("", ","):
            return frozenset({""})
        value = self._next()
        if not self._is_word(value):
            raise self._fail(f"found '{value}', expected: identifier")
        return frozenset({value})

    def _values(self) -> frozenset[str]:
        token = self._next()
        if token != "(":
            raise self._fail(f"found '{token}' expected: '('")
        values: set[str] = set()
        expects_value = True
        while (token := self._next()) != ")":
            if token == ",":
                if expects_value:
                    values.add("")
                expects_value = True
            elif self._is_word(token) and expects_value:
                values.add(token)
                expects_value = False
            elif values:
                raise self._fail(f"found '{token}', expected: ',' or ')'")
            else:
                raise self._fail(f"found '{token}', expected: ',', ')' or identifier")
        if expects_value:
            values.add("")
        return frozenset(values)


def parse_label_selector(text: str) -> LabelSelector:
    """Parse the query parameter. Raises a 400 StatusError."""
    return _LabelParser(text).parse() if text else LabelSelector()


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Terms `(field, wanted value, equal)`; all must hold."""

    terms: tuple[tuple[str, str, bool], ...] = ()

    def exact(self, name: str) -> str | None:
        """Return the value that the selector requires of a field."""
        return next((value for field, value, equal in self.terms if field == name and equal), None)

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Return whether an object's selectable fields satisfy the selector."""
        return all((fields.get(name, "") == value) == equal for name, value, equal in self.terms)


def parse_field_selector(text: str, convert: Callable[[str], str]) -> FieldSelector:
    """Parse the query parameter.

    `convert` maps a field label of the request to the one of the storage, or raises if it is not selectable.
    Raises a 400 StatusError.
    """
    terms = []
    for term in sorted(re.split(r"(?<!\\),", text)):
        if not term:
            continue
        found = re.match(r"(.*?)(!=|==|=)(.*)", term, re.DOTALL)
        if not found:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
        if wrong := re.search(r"\\(?![\\,=])(.?)", found[3].replace("\\\\", "")):
            raise bad_request(f"invalid field selector: invalid escape sequence: \\{wrong[1]}")
        terms.append((convert(found[1]), re.sub(r"\\([\\,=])", r"\1", found[3]), found[2] != "!="))
    return FieldSelector(tuple(terms))
