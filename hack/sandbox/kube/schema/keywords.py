"""Compiles the OpenAPI keywords of a schema into closures that check a JSON value.

Messages, order and oddities are those of k8s.io/kube-openapi pkg/validation/validate, a fork of go-openapi: for
instance the message on an integer that must be a multiple of 0.5 has the factor 0. Findings in unchanged parts are
dropped (ratcheting, pkg/apiserver/validation/ratcheting.go), though not those of a whole `allOf`, `anyOf` or `oneOf`
branch. The module is longer than most because it is one table of keywords; each of them is a few lines.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.schema import formats
from hack.sandbox.kube.schema.correlation import Correlated, same_json
from hack.sandbox.kube.schema.defaulting import Schema
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import Cause, go_float, go_json, go_quote
from hack.sandbox.kube.wire.patterns import BadPatternError, compile_pattern

_INT_BITS: Final = {"int32": 32, "int64": 64}
_KINDS: Final = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
_FLOAT32_MAX: Final = 3.4028235677973366e38
_FIELD_OF_TYPE_META: Final = frozenset({"apiVersion", "kind"})


class Findings:
    """The findings of one run. `matches` counts successful checks: it selects the branch with the shown errors."""

    __slots__ = ("entries", "matches", "prefix")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.entries: list[tuple[str, Cause]] = []
        """Pairs of a finding's identity, and the finding."""
        self.matches = 0

    def add(self, make: Callable[..., Cause], path: str, *details: Any) -> None:
        """Record a finding on the field at `path`."""
        name = path.removeprefix(".")
        field = f"{self.prefix}.{name}" if self.prefix and name else name or self.prefix
        cause = make(field, *details)
        self.entries.append((f"{field}\0{cause.message}", cause))

    def add_general(self, text: str) -> None:
        """Record a finding without a field: it is shown on the whole object."""
        self.entries.append((text, causes.invalid(self.prefix, "", text)))

    def merge(self, other: "Findings") -> None:
        """Add the findings of a branch."""
        self.entries += other.entries
        self.matches += other.matches


Check: TypeAlias = Callable[[Any, str, Correlated | None, Findings], None]
"""Checks a value at a path, with its old value if known."""


class Keywords:
    """The compiled keywords of one schema. Immutable and thread-safe; `schema` must not change afterwards."""

    def __init__(self, schema: Schema) -> None:
        self._node = _Node(schema)

    def check(self, value: Any, pair: Correlated | None, prefix: str = "") -> list[Cause]:
        """Return the findings, each once. `pair` correlates `value` with its old value; paths start at `prefix`."""
        findings = Findings(prefix)
        self._node.check(value, "", pair, findings)
        if not findings.entries:
            return []
        return list(dict(findings.entries).values())


class _Node:
    """One schema: the checks that apply to each kind of JSON value, in the order of the API server's validators."""

    __slots__ = ("_by_kind", "_for_null")

    def __init__(self, schema: Schema) -> None:
        types = ["integer", "string"] if schema.get("x-kubernetes-int-or-string") else []
        types = types or ([schema["type"]] if schema.get("type") else [])
        format_name = schema.get("format") or ""
        format_name = format_name if formats.is_checked(format_name, types) else ""
        nullable = bool(schema.get("nullable"))
        enum = _enum_check(schema["enum"]) if schema.get("enum") else None
        composite = _composite_check(schema)
        self._for_null = [check for check in (_null_check(types, nullable), enum) if check is not None]
        specific: dict[type, list[Check]] = {
            str: [_string_check(schema), *_format_check(format_name)],
            int: [_number_check(schema, types, format_name)],
            float: [_number_check(schema, types, format_name)],
            bool: [],
            list: [_list_check(schema)],
            dict: [],
        }
        objects = [_object_check(schema)]
        self._by_kind: dict[type, list[Check]] = {}
        for kind, checks in specific.items():
            typed = [_type_check(kind, types, format_name)] if types or format_name else []
            rest = objects if kind is dict else []
            self._by_kind[kind] = [*typed, composite, *checks, *([enum] if enum else [_counted]), *rest]

    def check(self, value: Any, path: str, pair: Correlated | None, out: Findings) -> None:
        """Check `value`; findings in parts unchanged since `pair.old` are dropped."""
        before = len(out.entries)
        self.check_branch(value, path, pair, out)
        if pair is not None and len(out.entries) > before and pair.unchanged():
            del out.entries[before:]

    def check_branch(self, value: Any, path: str, pair: Correlated | None, out: Findings) -> None:
        """Check `value` itself even if unchanged: only unchanged fields are skipped."""
        if value is None:
            for check in self._for_null:
                check(value, path, pair, out)
            return
        for check in self._by_kind[value.__class__]:
            check(value, path, pair, out)
            out.matches += 1
        out.matches += 1


def _counted(_value: Any, _path: str, _pair: Correlated | None, _out: Findings) -> None:
    """Count a match, like a validator that always applies and finds nothing."""


def _null_check(types: list[str], nullable: bool) -> Check | None:
    if not types or nullable:
        return None
    wanted = ",".join(types)

    def check(_value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        _wrong_type(out, path, wanted, "null")

    return check


def _wrong_type(out: Findings, path: str, wanted: str, actual: str) -> None:
    out.add(causes.type_invalid, path, actual, f"{path} in body must be of type {wanted}: {go_quote(actual)}")


def _type_check(kind: type, types: list[str], format_name: str) -> Check:
    """Return the only validator of types. A format on a string type exempts lists, too, as in go-openapi."""
    numeric = "number" in types or "integer" in types
    actual = _KINDS[kind]
    actual_format = {int: "int64", float: "float64"}.get(kind, "")
    wanted = ",".join(types)
    fits = actual in types or (kind is int and "number" in types)

    def check(value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        fitting = fits or (kind is float and "integer" in types and _is_whole(value))
        if not fitting and format_name and kind not in {str, list} and actual_format != format_name:
            _wrong_type(out, path, format_name, actual_format)
        elif not fitting and not (format_name and not numeric and kind in {str, list}):
            _wrong_type(out, path, wanted, actual)
        else:
            out.matches += 1

    return check


def _enum_check(allowed: list[Any]) -> Check:
    texts = [each if isinstance(each, str) else go_json(each) for each in allowed]

    def check(value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        if value is None or not any(_is_enumerated(value, each) for each in allowed):
            out.add(causes.not_supported, path, value, texts)

    return check


def _is_enumerated(value: Any, allowed: Any) -> bool:
    """Compare after Go's conversion to the allowed value's type, which truncates fractions."""
    if isinstance(value, float) and isinstance(allowed, int) and not isinstance(allowed, bool):
        return math.isfinite(value) and math.trunc(value) == allowed
    return same_json(value, allowed)


def _string_check(schema: Schema) -> Check:
    longest, shortest, pattern = schema.get("maxLength"), schema.get("minLength"), schema.get("pattern")
    compiled = None
    if pattern:
        try:
            compiled = compile_pattern(pattern)
        except BadPatternError as exc:
            pattern = f"{pattern}, but pattern is invalid: {exc}"

    def check(value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        if longest is not None and len(value) > longest:
            out.add(causes.too_long, path, longest)
        elif shortest is not None and len(value) < shortest:
            out.add(causes.invalid, path, value, f"{path} in body should be at least {shortest} chars long")
        elif pattern and (compiled is None or not compiled.search(value)):
            out.add(causes.invalid, path, value, f"{path} in body should match '{pattern}'")

    return check


def _format_check(name: str) -> list[Check]:
    accepts = formats.checker(formats.normalized(name)) if name else None
    if accepts is None:
        return []

    def check(value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        if not accepts(value):
            detail = f"{path} in body must be of type {name}: {go_quote(value)}"
            out.add(causes.type_invalid, path, value, detail)

    return [check]


def _number_check(schema: Schema, types: list[str], format_name: str) -> Check:
    kind = types[0] if len(types) == 1 and types[0] in {"integer", "number"} else ""
    number_format = format_name if kind else ""
    factor, largest, smallest = schema.get("multipleOf"), schema.get("maximum"), schema.get("minimum")
    above, below = bool(schema.get("exclusiveMinimum")), bool(schema.get("exclusiveMaximum"))

    def in_range(value: float, label: str, path: str, out: Findings) -> bool:
        if _is_in_range(value, kind, number_format):
            return True
        described = f"with format {number_format}" if number_format else "(default format)"
        out.add_general(f"{label} value must be of type {kind} {described} in {path}")
        return False

    def check(value: Any, path: str, _pair: Correlated | None, out: Findings) -> None:
        in_range(value, "Checked", path, out)
        if factor is not None:
            native = in_range(factor, "MultipleOf", path, out)
            _check_multiple(value if native else float(value), factor, path, out)
        if smallest is not None:
            limit = _as_native(value, smallest) if in_range(smallest, "Minimum boundary", path, out) else smallest
            if value < limit or (above and value == limit):
                words = "greater than" if above else "greater than or equal to"
                out.add(causes.invalid, path, value, f"{path} in body should be {words} {_number(limit)}")
        if largest is not None:
            limit = _as_native(value, largest) if in_range(largest, "Maximum boundary", path, out) else largest
            if value > limit or (below and value == limit):
                words = "less than" if below else "less than or equal to"
                out.add(causes.invalid, path, value, f"{path} in body should be {words} {_number(limit)}")
        out.matches += 1

    return check


def _is_in_range(value: float, kind: str, number_format: str) -> bool:
    if kind == "integer":
        bits = _INT_BITS.get(number_format, 64)
        return value == math.floor(value) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
    return number_format != "float" or abs(value) <= _FLOAT32_MAX


def _as_native(value: float, limit: float) -> float:
    """Return the limit's integer part if the value is an integer."""
    return int(limit) if isinstance(value, int) else float(limit)


def _number(value: float) -> str:
    return go_float(float(value)) if isinstance(value, float) else str(value)


def _check_multiple(value: float, factor: float, path: str, out: Findings) -> None:
    divisor = _as_native(value, factor)
    if divisor <= 0:
        detail = f"factor MultipleOf declared for {path} must be positive: {_number(divisor)}"
        out.add(causes.invalid, path, divisor, detail)
        return
    if isinstance(value, int):
        whole = value % divisor == 0
    else:
        whole = _is_whole(1 / divisor * value if divisor < 1 else value / divisor)
    if not whole:
        out.add(causes.invalid, path, value, f"{path} in body should be a multiple of {_number(divisor)}")


def _is_whole(number: float) -> bool:
    """Return whether a float is an integer: exactly, or slightly above (go-openapi's swag.IsFloat64AJSONInteger)."""
    if not math.isfinite(number) or abs(number) >= 2**53:
        return False
    whole = math.trunc(number)
    if number == whole:
        return True
    return whole > 0 and (number - whole) / (number + whole) < 1e-9


def _list_check(schema: Schema) -> Check:
    raw = schema.get("items")
    items = _Node(raw) if isinstance(raw, dict) else None
    fewest, most, unique = schema.get("minItems"), schema.get("maxItems"), schema.get("uniqueItems")

    def check(value: Any, path: str, pair: Correlated | None, out: Findings) -> None:
        if items is not None:
            for at, item in enumerate(value):
                items.check(item, f"{path}[{at}]", pair.item(at) if pair is not None else None, out)
        size = len(value)
        if fewest is not None and size < fewest:
            out.add(causes.invalid, path, size, f"{path} in body should have at least {fewest} items")
        if most is not None and size > most:
            out.add(causes.too_many, path, size, most)
        if unique and any(same_json(one, other) for at, one in enumerate(value) for other in value[:at]):
            out.add(causes.invalid, path, "", f"{path} in body shouldn't contain duplicates")
        out.matches += 1

    return check


def _object_check(schema: Schema) -> Check:
    properties = {name: _Node(sub) for name, sub in (schema.get("properties") or {}).items()}
    raw = schema.get("additionalProperties")
    rest = _Node(raw) if isinstance(raw, dict) else None
    closed = raw is False
    wanted: list[str] = schema.get("required") or []
    fewest, most = schema.get("minProperties"), schema.get("maxProperties")

    def check(value: Any, path: str, pair: Correlated | None, out: Findings) -> None:
        if fewest is not None and len(value) < fewest:
            out.add(causes.invalid, path, len(value), f"{path} in body should have at least {fewest} properties")
        if most is not None and len(value) > most:
            out.add(causes.too_many, path, len(value), most)
        for name, child in value.items():
            node = properties.get(name)
            if node is not None:
                node.check(child, f"{path}.{name}" if path else name, _field(pair, path, name), out)
            elif rest is not None:
                rest.check(child, f"{path}.{name}", _field(pair, path, name), out)
            elif closed:
                out.add(causes.invalid, path, "", f"{path}.{name} in body is a forbidden property")
        for name in wanted:
            if name not in value:
                out.add(causes.required, f"{path}.{name}")

    return check


def _field(pair: Correlated | None, path: str, name: str) -> Correlated | None:
    """Return the pair of a field, None for the resource's apiVersion and kind: both sides were converted."""
    if pair is None or (not path and name in _FIELD_OF_TYPE_META):
        return None
    return pair.field(name)


def _composite_check(schema: Schema) -> Check:
    any_of, one_of, all_of = ([_Node(sub) for sub in schema.get(name) or ()] for name in ("anyOf", "oneOf", "allOf"))
    negated = _Node(schema["not"]) if schema.get("not") is not None else None
    if not (any_of or one_of or all_of or negated):
        return _matched

    def check(value: Any, path: str, pair: Correlated | None, out: Findings) -> None:
        if any_of:
            _check_any(_branches(any_of, value, path, pair, out), path, out)
        if one_of:
            _check_one(_branches(one_of, value, path, pair, out), path, out)
        if all_of:
            _check_all(_branches(all_of, value, path, pair, out), path, out)
        if negated is not None and not next(iter(_branches([negated], value, path, pair, out))).entries:
            out.add_general(f"{go_quote(path)} must not validate the schema (not)")
        out.matches += 1

    return check


def _matched(_value: Any, _path: str, _pair: Correlated | None, out: Findings) -> None:
    out.matches += 1


def _branches(nodes: list[_Node], value: Any, path: str, pair: Correlated | None, out: Findings) -> Iterable[Findings]:
    for node in nodes:
        branch = Findings(out.prefix)
        node.check_branch(value, path, pair, branch)
        yield branch


def _best(failures: list[Findings]) -> Findings:
    """Return the closest failed branch: the first with most matches."""
    return max(failures, key=lambda branch: branch.matches)


def _check_any(branches: Iterable[Findings], path: str, out: Findings) -> None:
    failures = []
    for branch in branches:
        if not branch.entries:
            out.merge(branch)
            return
        failures.append(branch)
    out.add_general(f"{go_quote(path)} must validate at least one schema (anyOf)")
    out.merge(_best(failures))


def _check_one(branches: Iterable[Findings], path: str, out: Findings) -> None:
    valid: list[Findings] = []
    failures: list[Findings] = []
    for branch in branches:
        (failures if branch.entries else valid).append(branch)
    if len(valid) == 1:
        out.merge(valid[0])
        return
    found = f"Found {len(valid)} valid alternatives" if valid else "Found none valid"
    out.add_general(f"{go_quote(path)} must validate one and only one schema (oneOf). {found}")
    if not valid:
        out.merge(_best(failures))


def _check_all(branches: Iterable[Findings], path: str, out: Findings) -> None:
    results = list(branches)
    for branch in results:
        out.merge(branch)
    failed = sum(bool(branch.entries) for branch in results)
    if failed:
        none = ". None validated" if failed == len(results) else ""
        out.add_general(f"{go_quote(path)} must validate all the schemas (allOf){none}")
