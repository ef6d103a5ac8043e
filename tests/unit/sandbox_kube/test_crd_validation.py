"""Which CustomResourceDefinitions are refused, in the words of kube-apiserver 1.36.2."""

import copy
from typing import Any

import pytest

from hack.sandbox.kube.crd.definition_rules import crd_warnings, validate_crd
from hack.sandbox.kube.crd.definitions import CrdStrategy
from tests.tables import each_row
from tests.unit.sandbox_kube.schemas import WIDGET, JsonObject

SCHEMA = "spec.validation.openAPIV3Schema"
FIELD = f"{SCHEMA}.properties[spec]"
RULES = "x-kubernetes-validations"


def version(schema: JsonObject | None = None, **members: Any) -> JsonObject:
    """One version, served and stored."""
    given = {"openAPIV3Schema": schema or {"type": "object"}}
    return {"name": "v1", "served": True, "storage": True, "schema": given, **members}


def crd(**spec: Any) -> JsonObject:
    """A CRD that may be stored, with members of its spec replaced."""
    whole = {
        "group": "example.dev",
        "scope": "Cluster",
        "names": {"plural": "vs", "kind": "V", "singular": "v", "listKind": "VList"},
        "conversion": {"strategy": "None"},
        "versions": [version()],
        **spec,
    }
    stored = [each["name"] for each in whole["versions"] if each["storage"]][:1]
    return {"metadata": {"name": "vs.example.dev"}, "spec": whole, "status": {"storedVersions": stored}}


def with_field(schema: JsonObject, **members: Any) -> JsonObject:
    """A CRD whose objects have a spec of this schema."""
    return crd(versions=[version({"type": "object", "properties": {"spec": schema}}, **members)])


def texts(found: JsonObject) -> list[str]:
    """What is said of a CRD."""
    return sorted(map(str, validate_crd(found)))


def test_a_sound_crd_is_accepted() -> None:
    """With every keyword that the widget has."""
    assert texts(crd(versions=[version(WIDGET, subresources={"status": {}})])) == []


@each_row(
    ("spec", "expected"),
    [
        pytest.param(
            {"group": "nodot"},
            [
                'metadata.name: Invalid value: "vs.example.dev": must be spec.names.plural+"."+spec.group',
                'spec.group: Invalid value: "nodot": should be a domain with at least one dot',
            ],
            id="group",
        ),
        pytest.param(
            {"scope": "Galaxy"},
            ['spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'],
            id="scope",
        ),
        pytest.param(
            {"names": {"plural": "vs", "kind": "V", "singular": "v", "listKind": "V"}},
            ['spec.names.listKind: Invalid value: "V": kind and listKind may not be the same'],
            id="listKind",
        ),
        pytest.param(
            {"names": {"plural": "vs", "kind": "V", "singular": "v"}}, ["spec.names.listKind: Required value"]
        ),
        pytest.param(
            {"versions": [{**version(), "schema": None}]},
            ["spec.versions[0].schema.openAPIV3Schema: Required value"],
            id="no schema",
        ),
        pytest.param(
            {"versions": [version(deprecationWarning="x")]},
            ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
            id="deprecation",
        ),
        pytest.param(
            {"versions": [version(additionalPrinterColumns=[{"name": "a", "type": "float", "jsonPath": "x"}])]},
            [
                (
                    'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": '
                    "must be a simple json path starting with ."
                ),
                (
                    'spec.additionalPrinterColumns[0].type: Invalid value: "float": '
                    "must be one of boolean,date,integer,number,string"
                ),
            ],
            id="columns",
        ),
        pytest.param(
            {"versions": [version(subresources={"scale": {"specReplicasPath": ".a", "statusReplicasPath": ""}})]},
            [
                'spec.subresources.scale.specReplicasPath: Invalid value: ".a": should be a json path under .spec',
                "spec.subresources.scale.statusReplicasPath: Required value",
            ],
            id="scale",
        ),
        pytest.param(
            {"versions": [version(selectableFields=[{"jsonPath": ".spec.x"}])]},
            [
                (
                    'spec.selectableFields[0].jsonPath: Invalid value: ".spec.x": '
                    "is an invalid path: does not refer to a valid field"
                )
            ],
            id="selectable fields",
        ),
        pytest.param(
            {"conversion": {"strategy": "Webhook"}},
            [
                "spec.conversion.conversionReviewVersions: Required value",
                "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
            ],
            id="conversion",
        ),
        pytest.param(
            {"preserveUnknownFields": True},
            [
                (
                    "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
                    "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
                )
            ],
            id="preserveUnknownFields",
        ),
    ],
)
def test_names_versions_and_columns(spec: JsonObject, expected: list[str]) -> None:
    """Paths are those of the internal form: what all versions share stands at the top."""
    assert texts(crd(**spec)) == expected


def test_two_storage_versions() -> None:
    """Go prints the versions as its internal type."""
    found = validate_crd(crd(versions=[version(), version(name="v2")]))

    assert [cause.field for cause in found] == ["spec.versions", "status.storedVersions"]
    assert found[0].message.startswith('Invalid value: [{"Name":"v1","Served":true,"Storage":true,"Deprecated":false,')
    assert found[0].message.endswith("must have exactly one version marked as storage version")
    assert found[1].message == 'Invalid value: ["v1"]: must have the storage version v2'


def test_versions_with_schemas_of_their_own() -> None:
    """What differs between versions is named by version."""
    other = version({"type": "object", "properties": {"spec": {}}}, name="v2", storage=False)

    assert texts(crd(versions=[version(), other])) == [
        (
            "spec.versions[1].schema.openAPIV3Schema.properties[spec].type: Required value: "
            "must not be empty for specified object fields"
        )
    ]


@each_row(
    ("schema", "expected"),
    [
        pytest.param(
            {"properties": {"a": {"type": "string"}}},
            [f"{FIELD}.type: Required value: must not be empty for specified object fields"],
            id="no type",
        ),
        pytest.param(
            {"type": "text"},
            [
                (
                    f'{FIELD}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", '
                    '"number", "object", "string"'
                )
            ],
            id="an unknown type",
        ),
        pytest.param({"type": "array"}, [f"{FIELD}.items: Required value: must be specified"], id="no items"),
        pytest.param(
            {"type": "string", "pattern": "(?=a)"},
            [
                (
                    f'{FIELD}.pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn\'t: '
                    "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"
                )
            ],
            id="a pattern that is not RE2",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"type": "object"}]},
            [f"{FIELD}.anyOf[0].type: Forbidden: must be empty to be structural"],
            id="a type inside anyOf",
        ),
        pytest.param(
            {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
            [],
            id="the int-or-string pattern is exempt",
        ),
        pytest.param(
            {"type": "string", "x-kubernetes-embedded-resource": True},
            [
                (
                    f"{FIELD}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true "
                    "without x-kubernetes-preserve-unknown-fields"
                ),
                f'{FIELD}.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true',
            ],
            id="an embedded string",
        ),
        pytest.param(
            {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "map"},
            [f"{FIELD}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"],
            id="a map list without keys",
        ),
        pytest.param(
            {
                "type": "array",
                "items": {"type": "object", "properties": {"a": {"type": "string"}}},
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["a"],
            },
            [
                (
                    f"{FIELD}.items.properties[a].default: Required value: this property is in "
                    "x-kubernetes-list-map-keys, so it must have a default or be a required property"
                )
            ],
            id="a key that may be missing",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "string", "default": 5}}},
            [f'{FIELD}.properties[a].default: Invalid value: "integer":  in body must be of type string: "integer"'],
            id="a default of the wrong type",
        ),
        pytest.param(
            {"type": "object", "default": {"b": 1}, "properties": {"a": {"type": "string"}}},
            [f'{FIELD}.default: Invalid value: {{"b":1}}: must not have unknown fields'],
            id="a default with unknown fields",
        ),
        pytest.param(
            {"type": "string", "default": "x", RULES: [{"rule": "self == 'y'"}]},
            [f"{FIELD}.default: Invalid value: \"x\": failed rule: self == 'y'"],
            id="a default that breaks a rule",
        ),
        pytest.param(
            {"type": "object", "uniqueItems": True},
            [
                (
                    f"{FIELD}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity "
                    "becomes quadratic"
                )
            ],
            id="uniqueItems",
        ),
    ],
)
def test_schemas(schema: JsonObject, expected: list[str]) -> None:
    """Structural rules, list types and defaults."""
    assert texts(with_field(schema)) == expected


def test_branches_speak_of_declared_fields_only() -> None:
    """What pruning would remove cannot be validated."""
    root = {"type": "object", "anyOf": [{"properties": {"b": {"minLength": 1}}}]}

    assert texts(crd(versions=[version(root)])) == [
        f"{SCHEMA}.properties[b]: Required value: because it is defined in {SCHEMA}.anyOf[0].properties[b]"
    ]


def test_root_schemas_with_a_status_are_restricted() -> None:
    """Only value-neutral keywords may stand at the root, or the status endpoint could be blocked by the spec."""
    [found] = texts(crd(versions=[version({"type": "object", "minProperties": 1}, subresources={"status": {}})]))

    assert found.startswith(f"{SCHEMA}: Invalid value: ")
    assert found.endswith("fields are allowed at the root of the schema if the status subresource is enabled")


def test_metadata_is_implied() -> None:
    """A schema may restrict the name, and nothing else of the metadata."""
    name = {"metadata": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}}}
    label = {"metadata": {"type": "object", "properties": {"labels": {"type": "object"}}}}

    assert texts(crd(versions=[version({"type": "object", "properties": name})])) == []
    assert texts(crd(versions=[version({"type": "object", "properties": label})])) == [
        (
            f"{SCHEMA}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, "
            "but metadata is implicitly specified"
        )
    ]


class TestRules:
    """CEL rules are compiled when their CRD is written."""

    def rule(self, at: int = 0) -> str:
        """The path of a rule."""
        return f"{FIELD}.{RULES}[{at}]"

    def test_a_rule_that_does_not_compile(self) -> None:
        """The value is the whole rule as Go prints it, the detail is the compiler's."""
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, RULES: [{"rule": "self.b == 1"}]}

        assert texts(with_field(schema)) == [
            (
                f'{self.rule()}.rule: Invalid value: {{"Rule":"self.b == 1","Message":"","MessageExpression":"",'
                '"Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: '
                "ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^"
            )
        ]

    @pytest.mark.parametrize(
        ("rule", "member", "detail"),
        [
            ({"rule": "1 + 1"}, "rule", "cel expression must evaluate to a bool"),
            (
                {"rule": "true", "messageExpression": "1"},
                "messageExpression",
                "messageExpression must evaluate to a string",
            ),
            ({"rule": ""}, "rule", "rule is not specified"),
            ({"rule": "true", "message": "a\nb"}, "message", "must not contain line breaks"),
            ({"rule": "true ||\nfalse"}, "message", "message must be specified if rule contains line breaks"),
            ({"rule": "true", "fieldPath": ".x"}, "fieldPath", "must be a valid path"),
            (
                {"rule": "true", "reason": "X"},
                "reason",
                '"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
            ),
            (
                {"rule": "true", "optionalOldSelf": True},
                "optionalOldSelf",
                "may not be set if oldSelf is not used in rule",
            ),
        ],
    )
    def test_what_is_wrong_with_a_rule(self, rule: JsonObject, member: str, detail: str) -> None:
        """The member that is wrong is named."""
        [found] = texts(with_field({"type": "object", "properties": {"a": {"type": "string"}}, RULES: [rule]}))

        assert found.startswith(f"{self.rule()}.{member}: ")
        assert found.endswith(detail)

    def test_old_self_needs_an_old_value(self) -> None:
        """Items of plain lists have none."""
        item = {"type": "string", RULES: [{"rule": "self == oldSelf"}]}

        assert texts(with_field({"type": "array", "items": item})) == [
            (
                f'{FIELD}.items.{RULES}[0].rule: Invalid value: "self == oldSelf": '
                f"oldSelf cannot be used on the uncorrelatable portion of the schema within {FIELD}"
            )
        ]


class TestUpdates:
    """What cannot change."""

    def test_names_and_scope_are_fixed(self) -> None:
        """Kind and scope once the CRD is established, group and plural always."""
        old = crd()
        old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
        new = copy.deepcopy(old)
        new["spec"]["scope"] = "Namespaced"
        new["spec"]["names"]["kind"] = "W"

        assert sorted(map(str, validate_crd(new, old))) == [
            'spec.names.kind: Invalid value: "W": field is immutable',
            'spec.scope: Invalid value: "Namespaced": field is immutable',
        ]

    def test_stored_versions_stay(self) -> None:
        """Objects may still be stored in a version that was a storage version."""
        old = crd()
        new = crd(versions=[version(name="v2")])
        new["status"]["storedVersions"] = ["v1", "v2"]

        [found] = validate_crd(new, old)

        assert found.field == "status.storedVersions[0]"
        assert found.message.startswith('Invalid value: "v1": missing from spec.versions; v1 was previously a storage')


def test_protected_groups_need_an_approval() -> None:
    """Who uses a group of the Kubernetes community by mistake hears of it."""
    found = crd(group="x.k8s.io")
    found["metadata"]["name"] = "vs.x.k8s.io"
    approved = copy.deepcopy(found)
    approved["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, a test"}

    assert texts(found) == [
        (
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
            'annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'
        )
    ]
    assert texts(approved) == []


def test_formats_that_nobody_checks_are_warned_of_once() -> None:
    """A typo in a format would otherwise go unnoticed; an update warns of new ones only."""
    fields = {
        "a": {"type": "integer", "format": "int16"},
        "b": {"type": "array", "items": {"type": "string", "format": "zzz"}},
        "c": {"type": "string", "format": "date-time"},
        "d": {"type": "boolean", "format": "zzz"},
    }
    old = with_field({"type": "object", "properties": {"a": fields["a"]}})
    new = with_field({"type": "object", "properties": fields})

    assert crd_warnings(new) == ['unrecognized format "int16"', 'unrecognized format "zzz"']
    assert crd_warnings(new, old) == ['unrecognized format "zzz"']


def test_who_writes_a_crd_gets_its_warnings() -> None:
    """They come with the answer to a write that succeeds."""
    made = with_field({"type": "string", "format": "zzz"})

    assert CrdStrategy().warnings(made, None) == ['unrecognized format "zzz"']
