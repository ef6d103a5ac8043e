"""CEL as rules in CRDs use it. Results and messages were compared with those of kube-apiserver 1.36.2."""

from typing import Any

import pytest

from hack.sandbox.kube.cel import CompileFault, EvaluationError, compile_expression
from hack.sandbox.kube.cel.declarations import converter, declare
from hack.sandbox.kube.cel.names import escape, unescape
from hack.sandbox.kube.cel.signatures import Kind, optional_of
from hack.sandbox.kube.cel.values import NONE, Optional
from tests.tables import each_row

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "s": TEXT,
        "n": {"type": "integer"},
        "d": {"type": "number"},
        "b": {"type": "boolean"},
        "l": {"type": "array", "items": {"type": "integer"}},
        "ls": {"type": "array", "items": TEXT},
        "st": {"type": "array", "x-kubernetes-list-type": "set", "items": TEXT},
        "m": {"type": "object", "additionalProperties": TEXT},
        "o": {"type": "object", "properties": {"a": TEXT, "c": {"type": "integer"}}},
        "lo": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": TEXT, "v": {"type": "integer"}}},
        },
        "t": {"type": "string", "format": "date-time"},
        "du": {"type": "string", "format": "duration"},
        "by": {"type": "string", "format": "byte"},
        "i": {"x-kubernetes-int-or-string": True},
        "nu": {"type": "string", "nullable": True},
        "foo-bar": TEXT,
        "namespace": TEXT,
        "p": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "any": {"x-kubernetes-preserve-unknown-fields": True},
    },
}
VALUE: dict[str, Any] = {
    "s": "hello",
    "n": 5,
    "d": 2,
    "b": True,
    "l": [3, 1, 2],
    "ls": ["b", "a"],
    "st": ["x", "y"],
    "m": {"k1": "v1", "k2": "v2"},
    "o": {"a": "z"},
    "lo": [{"k": "a", "v": 1}, {"k": "b"}],
    "t": "2024-01-02T03:04:05Z",
    "du": "1h30m",
    "by": "aGk=",
    "i": 7,
    "nu": None,
    "foo-bar": "fb",
    "namespace": "ns",
}


def self_kind() -> Kind:
    """The type that rules on `SCHEMA` see."""
    kind = declare(SCHEMA)
    assert kind is not None
    return kind


def evaluate(text: str) -> Any:
    """The value of an expression over `VALUE`."""
    convert = converter(SCHEMA)
    assert convert is not None
    kind = self_kind()
    return compile_expression(text, {"self": kind, "oldSelf": kind}).evaluate({"self": convert(VALUE)})


@each_row(
    "rule",
    [
        # strings
        "self.s == 'hello' && self.s.size() == 5 && size(self.s) == 5",
        "self.s.startsWith('he') && self.s.endsWith('lo') && self.s.contains('ell')",
        "self.s.matches('^h.*o$') && self.s.find('l+') == 'll' && self.s.findAll('l') == ['l', 'l']",
        "self.s.upperAscii() == 'HELLO' && 'ABC'.lowerAscii() == 'abc' && ' a '.trim() == 'a'",
        "self.s.substring(1, 3) == 'el' && self.s.charAt(0) == 'h' && self.s.charAt(5) == ''",
        "self.s.indexOf('l') == 2 && self.s.lastIndexOf('l') == 3 && self.s.replace('l', 'L', 1) == 'heLlo'",
        "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b'.split(',', 1) == ['a,b'] && ['a', 'b'].join('-') == 'a-b'",
        "'%s is %d, %.1f'.format([self.s, self.n, self.d]) == 'hello is 5, 2.0'",
        "r'\\d' == '\\\\d' && '''multi''' == 'multi' && b'\\x00' == bytes('\\u0000') && self.by == b'hi'",
        # numbers
        "self.n + 1 == 6 && self.n * 2 - 1 == 9 && -7 / 2 == -3 && -7 % 2 == -1 && 0x10 == 16",
        "self.d == 2.0 && self.d + 0.5 == 2.5 && self.n > 4.5 && 5u == uint(self.n) && 1.0 / 0.0 > 1.0",
        "int('5') == 5 && double('1.5') == 1.5 && string(self.n) == '5' && string(2.0) == '2' && bool('true')",
        # lists and maps
        "self.l.all(x, x > 0) && self.l.exists(x, x == 3) && self.l.exists_one(x, x == 3)",
        "self.l.map(x, x * 2) == [6, 2, 4] && self.l.filter(x, x > 1) == [3, 2] && self.l.map(x, x > 1, x) == [3, 2]",
        "self.m.all(k, self.m[k].startsWith('v')) && 'k1' in self.m && self.m.k1 == 'v1' && !has(self.m.zz)",
        "self.n in [1, 5] && !(9 in self.l) && [1, 2] + [3] == [1, 2, 3] && {'a': 1} == {'a': 1}",
        # Kubernetes' list types
        "self.st == ['y', 'x'] && self.st + ['x', 'z'] == ['x', 'y', 'z'] && self.ls != ['a', 'b']",
        "self.lo.exists(e, e.k == 'a' && e.v == 1) && !has(self.lo[1].v)",
        # optional values
        "self.?o.?a.orValue('') == 'z' && self.?o.?c.orValue(3) == 3 && !self.o.?c.hasValue()",
        "self.l[?9].orValue(4) == 4 && self.m[?'k1'].value() == 'v1'",
        # times
        "self.t < timestamp('2025-01-01T00:00:00Z')",
        "self.du == duration('90m') && self.t + duration('1h') > self.t",
        "self.t - timestamp('2024-01-01T03:04:05Z') == duration('24h') && string(duration('1h30m')) == '5400s'",
        # the rest
        "self.foo__dash__bar == 'fb' && self.namespace == 'ns' && self.__namespace__ == 'ns'",
        "self.i == 7 && type(self.i) == int && (self.b ? self.n : 0) == 5 && dyn(self.n) != 'x'",
        "!has(self.nu)",
        "(1 / 0 == 1 || true) && !(false && 1 / 0 == 1) && self.l.exists(x, x == 3 || 1 / 0 == x)",
    ],
)
def test_a_true_rule(rule: str) -> None:
    """Everything in the row holds."""
    assert evaluate(rule) is True


@each_row(
    ("rule", "message"),
    [
        ("self.n / 0 == 1", "division by zero"),
        ("self.n % 0 == 1", "modulus by zero"),
        ("9223372036854775807 + self.n > 0", "integer overflow"),
        ("self.l[5] == 1", "index out of bounds: 5"),
        ("self.o.c == 1", "no such key: c"),
        ("self.m['zz'] == ''", "no such key: zz"),
        ("self.nu == 'x'", "no such key: nu"),
        ("self.lo.all(e, e.v > 0)", "no such key: v"),
        ("self.o.?c.value() == 1", "optional.none() dereference"),
        ("dyn(self.s) > 3", "no such overload"),
        ("int(self.s) == 1", "type conversion error from 'string' to 'int'"),
        ("self.s.substring(9) == ''", "index out of range: 9"),
        ("self.s.matches(self.s + '(')", "error parsing regexp: missing closing ): `hello(`"),
        ("bool(self.s)", "type conversion error from 'string' to 'bool'"),
        ("1 / 0 == 1 || false", "division by zero"),
        ("self.l.all(x, 1 / 0 == x || x == 3)", "division by zero"),
    ],
)
def test_a_rule_that_fails_to_run(rule: str, message: str) -> None:
    """The message is cel-go's."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(rule)

    assert str(caught.value) == message


@each_row(
    ("rule", "column", "message"),
    [
        ("self.zz == 1", 5, "undefined field 'zz'"),
        ("has(self.zz)", 4, "undefined field 'zz'"),
        ("self.p.z == 1", 7, "undefined field 'z'"),
        ("self.any == 1", 5, "undefined field 'any'"),
        ("zz == 1", 1, "undeclared reference to 'zz' (in container '')"),
        ("foo(self.s)", 4, "undeclared reference to 'foo' (in container '')"),
        ("self.s == 1", 8, "found no matching overload for '_==_' applied to '(string, int)'"),
        ("self.n == null", 8, "found no matching overload for '_==_' applied to '(int, null)'"),
        ("self.s.startsWith(1)", 18, "found no matching overload for 'startsWith' applied to 'string.(int)'"),
        ("self.b && self.n", 15, "expected type 'bool' but found 'int'"),
        ("self.l.all(x, x)", 15, "expected type 'bool' but found 'int'"),
        ("[1, 'a'].size() == 2", 5, "expected type 'int' but found 'string'"),
        ("self.n.x == 1", 7, "type 'int' does not support field selection"),
        (
            "self.s.all(x, true)",
            5,
            "expression of type 'string' cannot be range of a comprehension (must be list, map, or dynamic)",
        ),
        ("duration('x') < self.du", 10, "invalid duration argument"),
        ("self.s.matches('(')", 16, "invalid matches argument"),
        ("self.l.all(1, true)", 12, "argument must be a simple name"),
        ("has(self)", 5, "invalid argument to has() macro"),
        ("import == 1", 1, "reserved identifier: import"),
        ("cel.bind(x, 1, x) == 1", 1, "undeclared reference to 'cel' (in container '')"),
        # libraries that a kube-apiserver has and the sandbox leaves out
        ("quantity('1Gi') == quantity('1Gi')", 9, "undeclared reference to 'quantity' (in container '')"),
        ("self.l.sum() == 6", 11, "undeclared reference to 'sum' (in container '')"),
        ("sets.contains(self.l, [1])", 1, "undeclared reference to 'sets' (in container '')"),
        ("self.l.sortBy(x, -x) == [1]", 14, "undeclared reference to 'sortBy' (in container '')"),
        ("self.t.getFullYear() == 2024", 19, "undeclared reference to 'getFullYear' (in container '')"),
        ("self.o.?a.optMap(v, v) == 'z'", 17, "undeclared reference to 'optMap' (in container '')"),
    ],
)
def test_a_rule_that_does_not_compile(rule: str, column: int, message: str) -> None:
    """The first fault, with its line and a mark below the place."""
    with pytest.raises(CompileFault) as caught:
        compile_expression(rule, {"self": self_kind()})

    place = f"ERROR: <input>:1:{column}: {message}\n | {rule}\n | {'.' * (column - 1)}^"
    assert str(caught.value).startswith(place)


def test_a_syntax_error_in_the_second_line_is_marked_there() -> None:
    """Rules may have several lines."""
    with pytest.raises(CompileFault) as caught:
        compile_expression("true &&\n  self.zz", {"self": self_kind()})

    assert str(caught.value) == "ERROR: <input>:2:7: undefined field 'zz'\n |   self.zz\n | ......^"


def test_an_expression_knows_its_variables() -> None:
    """Rules that mention oldSelf are transition rules; a macro's variable of that name is none of them."""
    kind = self_kind()
    variables = {"self": kind, "oldSelf": kind}

    assert compile_expression("self.s == oldSelf.s", variables).names == {"self", "oldSelf"}
    assert compile_expression("self.l.all(x, x > 0)", variables).names == {"self"}


def test_an_optional_variable() -> None:
    """optionalOldSelf rules see an optional value."""
    expression = compile_expression(
        "oldSelf.hasValue() ? oldSelf.value() : 'none'", {"oldSelf": optional_of(Kind("string"))}
    )

    assert expression.evaluate({"oldSelf": Optional(("a",))}) == "a"
    assert expression.evaluate({"oldSelf": NONE}) == "none"


@each_row(
    ("name", "identifier"),
    [
        ("plain", "plain"),
        ("foo-bar", "foo__dash__bar"),
        ("a.b/c", "a__dot__b__slash__c"),
        ("x__y", "x__underscores__y"),
        ("namespace", "__namespace__"),
        ("1st", None),
        ("ü", None),
    ],
)
def test_field_names_are_escaped_to_identifiers_and_back(name: str, identifier: str | None) -> None:
    """Fields without an identifier cannot be used in rules."""
    assert escape(name) == identifier
    if identifier is not None:
        assert unescape(identifier) == name
