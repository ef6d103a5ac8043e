"""`x-kubernetes-validations`: CEL rules in schemas, run on objects.

Source: k8s.io/apiextensions-apiserver pkg/apiserver/schema/cel/validation.go. Rules run on values that are set and not
null; a rule with oldSelf runs only if there is an old value to compare with, unless it uses an optional one. Findings
in unchanged parts are ignored, except those of rules that compare with the old value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.kube.cel import CompileFault, EvaluationError, Expression, Kind, compile_expression
from hack.sandbox.kube.cel.declarations import converter, declare
from hack.sandbox.kube.cel.names import escape
from hack.sandbox.kube.cel.signatures import BOOL, STRING, optional_of
from hack.sandbox.kube.cel.values import NONE, Optional
from hack.sandbox.kube.schema.correlation import Correlated, index_by_keys, item_key
from hack.sandbox.kube.schema.defaulting import JsonObject, Schema, additional_schema
from hack.sandbox.kube.wire import causes
from hack.sandbox.kube.wire.causes import OMITTED, Cause

RULES: Final = "x-kubernetes-validations"
MAX_MESSAGE: Final = 5 * 1024
"""Longest result of a messageExpression, in bytes."""

_TYPE_META: Final = frozenset({"apiVersion", "kind"})
_FIELD_PATH: Final = re.compile(r"\.(?P<name>[^.\[\]]+)|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]")


class RuleFault(Exception):  # noqa: N818 - the fault is in the rule
    """A rule that cannot be compiled; `part` is rule or messageExpression."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(message)
        self.part = part


@dataclass(frozen=True, slots=True)
class Rule:
    """One compiled rule of one schema."""

    source: JsonObject
    expression: Expression
    message_expression: Expression | None

    @property
    def compares(self) -> bool:
        """Return whether the rule uses the old value: a transition rule."""
        return "oldSelf" in self.expression.names


def compile_rule(source: JsonObject, kind: Kind) -> Rule | None:
    """Compile one entry of `x-kubernetes-validations` for values of a type; None if it is empty. Raises RuleFault."""
    text = source.get("rule") or ""
    if not text.strip():
        return None
    variables = {"self": kind, "oldSelf": optional_of(kind) if source.get("optionalOldSelf") else kind}
    try:
        expression = compile_expression(text, variables)
    except CompileFault as exc:
        raise RuleFault("rule", f"compilation failed: {exc}") from exc
    if expression.kind != BOOL:
        raise RuleFault("rule", "cel expression must evaluate to a bool")
    message_text = source.get("messageExpression") or ""
    if not message_text:
        return Rule(source, expression, None)
    try:
        message = compile_expression(message_text, variables)
    except CompileFault as exc:
        raise RuleFault("messageExpression", f"messageExpression compilation failed: {exc}") from exc
    if message.kind != STRING:
        raise RuleFault("messageExpression", "messageExpression must evaluate to a string")
    return Rule(source, expression, message)


@dataclass(slots=True)
class Rules:
    """The rules of a schema and of all schemas below it. Immutable after `compile`, thread-safe."""

    schema: Schema
    convert: Callable[[Any], Any] | None = None
    compiled: list[Rule | str] = field(default_factory=list)
    """Rules, or the reason why one could not be compiled: checked when a CRD is created, so shown only after a bug."""
    items: "Rules | None" = None
    values: "Rules | None" = None
    properties: dict[str, "Rules"] = field(default_factory=dict)
    branches: list["Rules"] = field(default_factory=list)

    @classmethod
    def compile(cls, schema: Schema) -> "Rules | None":
        """Return the rules of a resource's schema; None if there are none anywhere."""
        kind = declare(schema, is_resource=True)
        return _compile(schema, schema, kind) if kind is not None and has_rules(schema) else None

    def check(self, obj: JsonObject, old: JsonObject | None, pair: Correlated | None) -> list[Cause]:
        """Return the findings of the rules on an object. `pair` correlates it with `old` on updates."""
        found: list[Cause] = []
        self._visit(obj, old, "", pair, None, found)
        return found

    def _visit(
        self, value: Any, old: Any, path: str, pair: Correlated | None, near: Correlated | None, found: list[Cause]
    ) -> None:
        if value is None:
            return
        if self.compiled:
            self._evaluate(value, old, path, pair or near, found)
        for branch in self.branches:
            branch._visit(value, old, path, None, near, found)  # noqa: SLF001 - the same class
        nearest = pair or near
        if isinstance(value, dict):
            old_fields = old if isinstance(old, dict) else {}
            for name, child in value.items():
                rules, at = self.properties.get(name), causes.child(path, name)
                if rules is None and self.values is not None:
                    rules, at = self.values, causes.key(path, name)
                if rules is not None:
                    below = pair.field(name) if pair and (path or name not in _TYPE_META) else None
                    rules._visit(child, old_fields.get(name), at, below, nearest, found)  # noqa: SLF001
        elif isinstance(value, list) and self.items is not None:
            old_items = index_by_keys(self.schema, old)
            for at_index, item in enumerate(value):
                old_item = old_items.get(item_key(self.schema, item) or "")
                below = pair.item(at_index) if pair else None
                self.items._visit(item, old_item, causes.key(path, str(at_index)), below, nearest, found)  # noqa: SLF001

    def _evaluate(self, value: Any, old: Any, path: str, pair: Correlated | None, found: list[Cause]) -> None:
        kind = self.schema.get("type") or ""
        try:
            variables = self._variables(value, old)
        except EvaluationError as exc:  # a value that was stored before its format was required
            found += [causes.invalid(path, kind, _failure(str(exc), rule.source)) for rule in self._runnable()]
            return
        for rule in self.compiled:
            if isinstance(rule, str):
                found.append(causes.invalid(path, kind, f"rule compile error: {rule}"))
                continue
            optional = bool(rule.source.get("optionalOldSelf"))
            if rule.compares and old is None and not optional:
                continue
            scope = {**variables, "oldSelf": _wrapped(variables.get("oldSelf"))} if optional else variables
            try:
                passed = rule.expression.evaluate(scope)
            except EvaluationError as exc:
                found.append(causes.invalid(path, kind, _failure(str(exc), rule.source)))
                continue
            if passed is True or (not rule.compares and pair is not None and pair.unchanged()):
                continue
            shown = OMITTED if kind in {"object", "array"} else value
            found.append(_refusal(rule, _normalized(path, rule.source), shown, _detail(rule, variables)))

    def _runnable(self) -> list[Rule]:
        return [rule for rule in self.compiled if isinstance(rule, Rule)]

    def _variables(self, value: Any, old: Any) -> dict[str, Any]:
        convert = self.convert
        variables = {"self": value if convert is None else convert(value)}
        if old is not None:
            variables["oldSelf"] = old if convert is None else convert(old)
        return variables


def has_rules(schema: Schema) -> bool:
    """Return whether a schema has rules anywhere on its spine."""
    if schema.get(RULES):
        return True
    below = [*(schema.get("properties") or {}).values(), schema.get("items"), additional_schema(schema)]
    return any(has_rules(sub) for sub in below if isinstance(sub, dict))


def _compile(validations: Schema, schema: Schema, kind: Kind) -> Rules | None:
    """Compile the rules of `validations`, which is `schema` or an `allOf` branch of it, for values of `schema`."""
    rules = Rules(schema, converter(schema))
    for source in validations.get(RULES) or ():
        try:
            rule = compile_rule(source, kind)
        except RuleFault as exc:
            rules.compiled.append(str(exc))
        else:
            rules.compiled += [rule] if rule is not None else []
    inner = kind.parameters[-1] if kind.parameters else None
    rules.items = _compile_below(validations.get("items"), schema.get("items"), inner)
    rules.values = _compile_below(additional_schema(validations), additional_schema(schema), inner)
    properties = schema.get("properties") or {}
    for name, sub in (validations.get("properties") or {}).items():
        target = properties.get(name)
        identifier = escape(name)
        declared = (kind.fields or {}).get(identifier) if identifier else declare(target or {})
        made = _compile_below(sub, target, declared)
        if made is not None:
            rules.properties[name] = made
    for branch in validations.get("allOf") or ():
        made = _compile(branch, schema, kind)
        if made is not None:
            rules.branches.append(made)
    has_any = rules.compiled or rules.items or rules.values or rules.properties or rules.branches
    return rules if has_any else None


def _compile_below(validations: Any, schema: Any, kind: Kind | None) -> Rules | None:
    if not isinstance(validations, dict) or not isinstance(schema, dict) or kind is None:
        return None
    return _compile(validations, schema, kind)


def _wrapped(old: Any) -> Optional:
    return NONE if old is None else Optional((old,))


def _text(source: JsonObject) -> str:
    return str(source.get("message") or source["rule"]).strip()


def _failure(message: str, source: JsonObject) -> str:
    if message.startswith("no such overload"):
        return (
            f"'{message}': call arguments did not match a supported operator, function or macro signature for rule: "
            f"{_text(source)}"
        )
    return f"{message} evaluating rule: {_text(source)}"


def _detail(rule: Rule, variables: dict[str, Any]) -> str:
    """Return the message of a broken rule: its expression's, its own, or the rule itself."""
    if rule.message_expression is not None:
        try:
            message = rule.message_expression.evaluate(variables)
        except EvaluationError:
            message = ""
        text = message.strip() if isinstance(message, str) else ""
        if text and "\n" not in text and len(text.encode()) <= MAX_MESSAGE:
            return text
    return _text(rule.source) if rule.source.get("message") else f"failed rule: {_text(rule.source)}"


def _normalized(path: str, source: JsonObject) -> str:
    """Return the path of the finding: the value itself, or the rule's fieldPath below it."""
    for match in _FIELD_PATH.finditer(source.get("fieldPath") or ""):
        path = causes.child(path, match["name"] or re.sub(r"\\(.)", r"\1", match["quoted"]))
    return path


def _refusal(rule: Rule, path: str, value: Any, detail: str) -> Cause:
    match rule.source.get("reason"):
        case "FieldValueForbidden":
            return causes.forbidden(path, detail)
        case "FieldValueRequired":
            return causes.required(path, detail)
        case "FieldValueDuplicate":
            return causes.duplicate(path, value)
    return causes.invalid(path, value, detail)
