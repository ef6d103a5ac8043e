"""What a kube-apiserver says about objects that break their schema, word for word.

The expected causes were recorded from kube-apiserver 1.36.2.
"""

from typing import Any, ClassVar

import pytest

from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import apply_defaults, prune
from hack.sandbox.kube.wire.causes import Cause, invalid_message, required
from tests.unit.sandbox_kube.schemas import WIDGET, JsonObject, object_with, widget

NOT_CHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)


def texts(causes: list[Cause]) -> list[str]:
    """Causes as they stand in a message, without the note that rules were skipped."""
    return [str(cause) for cause in causes if str(cause) != NOT_CHECKED]


def judged(schema: JsonObject, value: Any) -> list[str]:
    """What is said of a value of `field` whose schema is `schema`, after pruning and defaults."""
    whole = {"type": "object", "properties": {"spec": object_with("field", schema)}}
    obj = {"spec": {"field": value}}
    prune(whole, obj)
    apply_defaults(whole, obj)
    return texts(validate(whole, obj))


class TestWidgets:
    """One refused object for every keyword."""

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            pytest.param({"size": None}, ["spec.size: Required value"], id="required"),
            pytest.param({"parts": [{"quantity": 2}]}, ["spec.parts[0].name: Required value"], id="required in a list"),
            pytest.param(
                {"size": "gigantic"},
                ['spec.size: Unsupported value: "gigantic": supported values: "small", "medium", "large"'],
                id="enum",
            ),
            pytest.param(
                {"name": "9lives"},
                ["spec.name: Invalid value: \"9lives\": spec.name in body should match '^[a-z][a-z0-9-]*$'"],
                id="pattern",
            ),
            pytest.param(
                {"name": "a"},
                ['spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long'],
                id="minLength",
            ),
            pytest.param(
                {"name": "abcdefghijk"}, ["spec.name: Too long: may not be more than 10 bytes"], id="maxLength"
            ),
            pytest.param({"labels": {"a": "éééééééé"}}, [], id="maxLength counts characters"),
            pytest.param(
                {"replicas": -1},
                ["spec.replicas: Invalid value: -1: spec.replicas in body should be greater than or equal to 0"],
                id="minimum",
            ),
            pytest.param(
                {"replicas": 6},
                ["spec.replicas: Invalid value: 6: spec.replicas in body should be less than or equal to 5"],
                id="maximum",
            ),
            pytest.param(
                {"weight": 0},
                [
                    "spec.weight: Invalid value: 0: factor MultipleOf declared for spec.weight must be positive: 0",
                    "spec.weight: Invalid value: 0: spec.weight in body should be greater than 0",
                ],
                id="an integer where the factor is a fraction",
            ),
            pytest.param(
                {"weight": 0.7},
                ["spec.weight: Invalid value: 0.7: spec.weight in body should be a multiple of 0.5"],
                id="multipleOf",
            ),
            pytest.param(
                {"tags": []},
                ["spec.tags: Invalid value: 0: spec.tags in body should have at least 1 items"],
                id="minItems",
            ),
            pytest.param(
                {"tags": ["a", "b", "c", "d"]}, ["spec.tags: Too many: 4: must have at most 3 items"], id="maxItems"
            ),
            pytest.param(
                {"labels": dict.fromkeys("abcd", "1")},
                ["spec.labels: Too many: 4: must have at most 3 items"],
                id="maxProperties",
            ),
            pytest.param(
                {"labels": {"a": "much too long"}},
                ["spec.labels.a: Too long: may not be more than 8 bytes"],
                id="additionalProperties",
            ),
            pytest.param({"tags": ["a", "a"]}, ['spec.tags[1]: Duplicate value: "a"'], id="a set"),
            pytest.param(
                {"parts": [{"name": "a"}, {"name": "a", "quantity": 2}]},
                ['spec.parts[1]: Duplicate value: {"name":"a"}'],
                id="a map list",
            ),
            pytest.param(
                {"startAt": "yesterday"},
                [
                    (
                        'spec.startAt: Invalid value: "yesterday": '
                        'spec.startAt in body must be of type date-time: "yesterday"'
                    )
                ],
                id="a format",
            ),
            pytest.param(
                {"color": 5},
                ['spec.color: Invalid value: "integer": spec.color in body must be of type string: "integer"'],
                id="a number for a string",
            ),
            pytest.param(
                {"replicas": 1.5},
                [
                    'spec.replicas: Invalid value: "float64": spec.replicas in body must be of type int32: "float64"',
                    (
                        '<nil>: Invalid value: "": '
                        "Checked value must be of type integer with format int32 in spec.replicas"
                    ),
                ],
                id="a fraction for an integer",
            ),
            pytest.param({"replicas": 2.0}, [], id="a whole fraction for an integer"),
            pytest.param(
                {"template": [1]},
                ['spec.template: Invalid value: "array": spec.template in body must be of type object: "array"'],
                id="a list for an object",
            ),
            pytest.param(
                {"port": True},
                ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
                id="a boolean for int-or-string",
            ),
        ],
    )
    def test_a_widget_is_refused_in_the_words_of_the_api_server(self, spec: JsonObject, expected: list[str]) -> None:
        """`details.causes` of a real API server."""
        obj = widget(**spec)
        prune(WIDGET, obj)
        apply_defaults(WIDGET, obj)

        assert texts(validate(WIDGET, obj)) == expected


class TestKeywords:
    """Corners of the keywords that go-openapi brought along."""

    @pytest.mark.parametrize(
        ("schema", "value", "expected"),
        [
            pytest.param(
                {"type": "number", "multipleOf": 0.1, "maximum": 10, "exclusiveMaximum": True},
                10,
                [
                    "spec.field: Invalid value: 0: factor MultipleOf declared for spec.field must be positive: 0",
                    "spec.field: Invalid value: 10: spec.field in body should be less than 10",
                ],
                id="exclusiveMaximum",
            ),
            pytest.param(
                {"type": "integer", "minimum": 2.5},
                2,
                [
                    (
                        '<nil>: Invalid value: "": Minimum boundary value must be of type integer (default format) '
                        "in spec.field"
                    ),
                    "spec.field: Invalid value: 2: spec.field in body should be greater than or equal to 2.5",
                ],
                id="a limit that is no integer",
            ),
            pytest.param({"type": "integer", "enum": [1, 2]}, 1.0, [], id="1.0 is 1"),
            pytest.param(
                {"type": "integer", "enum": [1, 2]},
                3,
                ['spec.field: Unsupported value: 3: supported values: "1", "2"'],
                id="numbers of an enum are quoted",
            ),
            pytest.param(
                {"type": "string", "enum": ["a"], "nullable": True},
                None,
                ['spec.field: Unsupported value: null: supported values: "a"'],
                id="a null is in no enum",
            ),
            pytest.param({"type": "string", "format": "date"}, [1], [], id="a format exempts lists from the type"),
            pytest.param({"type": "string", "format": "unheard-of"}, "x", [], id="unknown formats are ignored"),
            pytest.param(
                {"type": "number", "format": "float"},
                1e39,
                ['<nil>: Invalid value: "": Checked value must be of type number with format float in spec.field'],
                id="a float out of range",
            ),
            pytest.param(
                {**object_with("a", {"type": "integer"}), "not": {"required": ["a"]}},
                {"a": 1},
                ['<nil>: Invalid value: "": "spec.field" must not validate the schema (not)'],
                id="not",
            ),
            pytest.param(
                {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                    "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                {"a": 1, "b": "x"},
                [
                    (
                        '<nil>: Invalid value: "": "spec.field" must validate one and only one schema (oneOf). '
                        "Found 2 valid alternatives"
                    )
                ],
                id="oneOf: two fit",
            ),
            pytest.param(
                {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                    "anyOf": [{"required": ["a"], "properties": {"a": {"minimum": 5}}}, {"required": ["b"]}],
                },
                {"a": 1},
                [
                    '<nil>: Invalid value: "": "spec.field" must validate at least one schema (anyOf)',
                    "spec.field.a: Invalid value: 1: spec.field.a in body should be greater than or equal to 5",
                ],
                id="anyOf: the branch that came closest explains",
            ),
            pytest.param(
                {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                    "allOf": [{"required": ["a"]}, {"required": ["b"]}],
                },
                {},
                [
                    "spec.field.a: Required value",
                    "spec.field.b: Required value",
                    '<nil>: Invalid value: "": "spec.field" must validate all the schemas (allOf). None validated',
                ],
                id="allOf",
            ),
            pytest.param(
                {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["a", "b"],
                    "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
                },
                [{"a": "x", "b": 1}, {"a": "x", "b": 2}, {"a": "x", "b": 1}],
                ['spec.field[2]: Duplicate value: {"a":"x","b":1}'],
                id="a map list with two keys",
            ),
            pytest.param(
                {
                    "type": "object",
                    "x-kubernetes-embedded-resource": True,
                    "x-kubernetes-preserve-unknown-fields": True,
                },
                {"apiVersion": "a/b/c"},
                [
                    "spec.field.kind: Required value",
                    'spec.field.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
                ],
                id="an embedded resource",
            ),
        ],
    )
    def test_keyword(self, schema: JsonObject, value: Any, expected: list[str]) -> None:
        """As recorded for a CRD with this field."""
        assert sorted(judged(schema, value)) == sorted(expected)

    @pytest.mark.parametrize(
        ("name", "valid", "invalid"),
        [
            (
                "date-time",
                ["2024-01-02T03:04:05Z", "2024-01-02t03:04:05.1+01:00"],
                ["2024-01-02", "2024-01-02T25:04:05Z"],
            ),
            ("date", ["2024-02-29"], ["2023-02-29", "2024-1-2"]),
            ("duration", ["1h", "1.5h", "-3s", "1 day"], ["x", "5"]),
            ("byte", ["aGk="], ["aGk", "!!", ""]),
            ("hostname", ["a.example", "localhost"], ["-a", "a_b"]),
            ("ipv4", ["1.2.3.4", "01.2.3.4"], ["1.2.3", "::1"]),
            ("ipv6", ["::1"], ["1.2.3.4", "1::2::3"]),
            ("cidr", ["1.2.3.0/24", "::/64"], ["1.2.3.4", "1.2.3.4/33"]),
            ("email", ["a@b"], ["a", "a@b c"]),
            ("uri", ["http://a", "/a", "mailto:x@y"], ["a", "a b"]),
            ("uuid4", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], ["a0eebc99-9c0b-3ef8-bb6d-6bb9bd380a11"]),
            ("mac", ["01:23:45:67:89:ab"], ["x"]),
            ("hexcolor", ["#fff"], ["#ff"]),
            ("isbn", ["0321751043", "978-0321751041"], ["1"]),
            ("creditcard", ["4111111111111111"], ["4111111111111112"]),
            ("k8s-short-name", ["a-b"], ["A", "-"]),
        ],
    )
    def test_string_formats(self, name: str, valid: list[str], invalid: list[str]) -> None:
        """A real API server takes the first and refuses the second with the format's name."""
        schema = {"type": "string", "format": name}

        assert [judged(schema, text) for text in valid] == [[] for _ in valid]
        for text in invalid:
            [found] = judged(schema, text)
            assert f"spec.field in body must be of type {name}" in found


class TestRules:
    """x-kubernetes-validations run when the object has the shape of its schema."""

    def test_a_rule_with_old_self_does_not_run_on_create(self) -> None:
        """There is nothing to compare with."""
        assert validate(WIDGET, widget(region="north", name="wheel")) == []

    def test_broken_rules_name_their_field_and_message(self) -> None:
        """The value of a scalar is shown, those of objects are not; a rule without a message is shown itself."""
        causes = validate(WIDGET, widget(region="west", name="tyre"), widget(region="north", name="wheel"))

        assert sorted(map(str, causes)) == [
            'spec.region: Invalid value: "west": region is immutable',
            "spec: Invalid value: failed rule: !has(oldSelf.name) || self.name == oldSelf.name",
        ]

    def test_a_rule_that_fails_to_run_is_an_error_of_its_own(self) -> None:
        """The type of the value stands where its value would."""
        assert texts(validate(WIDGET, widget(), widget(name="wheel"))) == [
            (
                'spec: Invalid value: "object": no such key: name evaluating rule: '
                "!has(oldSelf.name) || self.name == oldSelf.name"
            )
        ]

    @pytest.mark.parametrize(
        ("new", "old"),
        [
            pytest.param(widget(), widget(region="north"), id="a rule on a field does not stop its removal"),
            pytest.param(widget(region="east"), widget(), id="nor setting it when it was not there"),
        ],
    )
    def test_a_field_rule_needs_both_values(self, new: JsonObject, old: JsonObject) -> None:
        """Transition rules run where there is a value before and after."""
        assert validate(WIDGET, new, old) == []

    @pytest.mark.parametrize(
        "spec", [{"size": "gigantic"}, {"size": None}, {"color": 5}, {"tags": list("abcd")}, {"name": "x" * 11}]
    )
    def test_blocking_findings_stop_the_rules(self, spec: JsonObject) -> None:
        """Enum, required, type and length findings are followed by a note instead of rules."""
        obj = widget(region="west", **spec)
        prune(WIDGET, obj)

        causes = validate(WIDGET, obj, widget(region="north"))

        assert str(causes[-1]) == NOT_CHECKED
        assert not any("immutable" in str(cause) for cause in causes)

    def test_findings_on_the_metadata_stop_the_rules_too(self) -> None:
        """`preceding` is what was found before."""
        causes = validate(WIDGET, widget(), preceding=[required("metadata.name", "name or generateName is required")])

        assert list(map(str, causes)) == [
            "metadata.name: Required value: name or generateName is required",
            NOT_CHECKED,
        ]

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            pytest.param(
                {"rule": "self.x < self.y", "messageExpression": "'x is ' + string(self.x)"},
                "spec: Invalid value: x is 5",
                id="messageExpression",
            ),
            pytest.param(
                {"rule": "self.x < self.y", "message": "no", "messageExpression": "string(1 / 0)"},
                "spec: Invalid value: no",
                id="messageExpression that fails: the message",
            ),
            pytest.param(
                {"rule": "self.x < self.y", "messageExpression": "'a\\nb'"},
                "spec: Invalid value: failed rule: self.x < self.y",
                id="messageExpression with a line break: the rule",
            ),
            pytest.param(
                {"rule": "self.x < self.y", "fieldPath": ".x", "reason": "FieldValueForbidden", "message": "no"},
                "spec.x: Forbidden: no",
                id="fieldPath and reason",
            ),
            pytest.param(
                {"rule": "self.x < self.y", "fieldPath": "['y']", "reason": "FieldValueDuplicate"},
                "spec.y: Duplicate value",
                id="a duplicate shows no message",
            ),
            pytest.param(
                {"rule": "self.x < self.y", "reason": "FieldValueRequired"},
                "spec: Required value: failed rule: self.x < self.y",
                id="required",
            ),
        ],
    )
    def test_rules_say_what_they_are_told_to(self, rule: JsonObject, expected: str) -> None:
        """message, messageExpression, reason and fieldPath of a rule."""
        spec = {
            "type": "object",
            "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}},
            "x-kubernetes-validations": [rule],
        }

        assert texts(validate(object_with("spec", spec), {"spec": {"x": 5, "y": 1}})) == [expected]

    def test_an_optional_old_self_lets_a_rule_run_on_create(self) -> None:
        """optionalOldSelf makes oldSelf an optional value."""
        rule = {"rule": "oldSelf.hasValue() || self == 1", "optionalOldSelf": True, "message": "starts at 1"}
        schema = object_with("n", {"type": "integer", "x-kubernetes-validations": [rule]})

        assert texts(validate(schema, {"n": 2})) == ["n: Invalid value: 2: starts at 1"]
        assert validate(schema, {"n": 2}, {"n": 7}) == []

    def test_items_of_map_lists_are_compared_by_key(self) -> None:
        """The old value of an item is the one with its keys, wherever it stood."""
        item = {
            "type": "object",
            "properties": {
                "k": {"type": "string"},
                "v": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed"}]},
            },
        }
        schema = object_with(
            "l",
            {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item},
        )
        old = {"l": [{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]}

        moved = {"l": [{"k": "b", "v": "2"}, {"k": "a", "v": "1"}, {"k": "c", "v": "3"}]}
        changed = {"l": [{"k": "b", "v": "9"}]}

        assert validate(schema, moved, old) == []
        assert texts(validate(schema, changed, old)) == ['l[0].v: Invalid value: "9": fixed']


class TestRatcheting:
    """What was invalid before and did not change is forgiven (KEP-4008)."""

    TIGHT: ClassVar[JsonObject] = object_with(
        "spec",
        {
            "type": "object",
            "properties": {
                "s": {"type": "string", "pattern": "^ok"},
                "n": {"type": "integer", "maximum": 5},
                "plain": {"type": "array", "items": {"type": "string", "pattern": "^ok"}},
                "keyed": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {
                        "type": "object",
                        "properties": {"k": {"type": "string"}, "v": {"type": "string", "pattern": "^ok"}},
                    },
                },
                "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "minProperties": 2},
                "branch": {**object_with("q", {"type": "integer"}), "allOf": [{"properties": {"q": {"maximum": 3}}}]},
                "ruled": {"type": "string", "x-kubernetes-validations": [{"rule": "self == 'good'"}]},
            },
        },
    )
    OLD: ClassVar[JsonObject] = {
        "s": "bad",
        "n": 9,
        "plain": ["bad"],
        "keyed": [{"k": "a", "v": "bad"}],
        "set": ["a", "a"],
        "free": {"a": 1},
        "branch": {"q": 9},
        "ruled": "bad",
    }

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            pytest.param({}, ["spec.free"], id="all unchanged: only what correlation cannot see is refused"),
            pytest.param({"n": 3}, ["spec.free"], id="an improvement elsewhere"),
            pytest.param({"s": "bad2"}, ["spec.free", "spec.s"], id="a changed field"),
            pytest.param(
                {"plain": ["bad", "ok"]}, ["spec.free", "spec.plain[0]"], id="a changed list: items are strangers"
            ),
            pytest.param(
                {"keyed": [{"k": "b", "v": "bad"}, {"k": "a", "v": "bad"}]},
                ["spec.free", "spec.keyed[0].v"],
                id="a keyed list: the old item is forgiven, the new one not",
            ),
            pytest.param({"set": ["b", "b"]}, ["spec.free"], id="duplicates are forgiven if there were some"),
            pytest.param({"ruled": "worse"}, ["spec.free", "spec.ruled"], id="a rule on a changed value"),
        ],
    )
    def test_only_changed_parts_are_refused(self, change: JsonObject, expected: list[str]) -> None:
        """Fields under preserve-unknown-fields never count as unchanged."""
        causes = validate(self.TIGHT, {"spec": {**self.OLD, **change}}, {"spec": self.OLD})

        assert sorted(cause.field for cause in causes) == expected

    def test_a_new_object_is_forgiven_nothing(self) -> None:
        """Every finding counts on create."""
        fields = {cause.field for cause in validate(self.TIGHT, {"spec": self.OLD})}

        assert fields == {
            "<nil>",
            "spec.branch.q",
            "spec.free",
            "spec.keyed[0].v",
            "spec.n",
            "spec.plain[0]",
            "spec.ruled",
            "spec.s",
            "spec.set[1]",
        }


class TestStatus:
    """The status endpoint checks the status alone."""

    def test_paths_in_texts_are_relative_to_the_status(self) -> None:
        """The field has the whole path, the text of the OpenAPI validator has not."""
        new = {**widget(), "status": {"observedGeneration": "one"}}

        assert texts(validate(WIDGET, new, widget(), subresource="status")) == [
            (
                'status.observedGeneration: Invalid value: "string": '
                'observedGeneration in body must be of type integer: "string"'
            )
        ]

    def test_an_invalid_spec_does_not_stop_a_status(self) -> None:
        """What was stored under an older schema can still report."""
        old = widget(replicas=99)

        assert validate(WIDGET, {**old, "status": {"phase": "Running"}}, old, subresource="status") == []


def test_the_message_of_a_status_lists_each_finding_once() -> None:
    """`Kind.group "name" is invalid: …`, brackets around several findings."""
    one, other = required("spec.a"), required("spec.b")

    assert invalid_message("Widget.example.dev", "w", [one, one]) == (
        'Widget.example.dev "w" is invalid: spec.a: Required value'
    )
    assert invalid_message("Widget.example.dev", "w", [one, other]) == (
        'Widget.example.dev "w" is invalid: [spec.a: Required value, spec.b: Required value]'
    )


def test_a_stored_value_that_no_rule_can_read_is_a_finding() -> None:
    """A CRD may come to demand a format that stored objects lack; the value is forgiven, the rule is not run."""
    rule = {"rule": "self.t > timestamp('2024-01-01T00:00:00Z')"}
    spec = {**object_with("t", {"type": "string", "format": "date-time"}), "x-kubernetes-validations": [rule]}
    old = {"spec": {"t": "yesterday"}}

    [found] = validate(object_with("spec", spec), {"spec": {"t": "yesterday"}}, old)

    assert found.field == "spec"
    assert found.message.endswith(f"evaluating rule: {rule['rule']}")
