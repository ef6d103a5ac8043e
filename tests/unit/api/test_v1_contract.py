"""Every field that v1 had is here, is not narrower, and reaches the AWS member that it always reached."""

import re

import pytest
from _pytest.mark import ParameterSet

from api.convert import to_request, to_status
from api.meta import JsonObject
from api.v1 import KINDS
from tests.tables import each_cell, each_row
from tests.unit.api.contract import Row, at, find, nested, rows, sample, schema_of, segments_of

_KINDS = {kind.kind: kind for kind in KINDS}
_ROWS = [row for kind in _KINDS for row in rows(kind)]
_SPEC = [row for row in _ROWS if row.path.startswith("spec.")]
_STATUS = [row for row in _ROWS if row.path.startswith("status.")]
_NEW = {"PipelineExecution", "ModelPackageGroup", "ModelPackage", "Pipeline"}
_WITH_SPEC = {"TrainingJob", "HostingAutoscalingPolicy", *_NEW}
_MERGED = {
    ("EndpointConfig", "spec.productionVariants"): ["variantName"],
    ("HostingDeployment", "spec.productionVariants"): ["variantName"],
    ("HostingDeployment", "spec.models"): ["name"],
}
_OR_TEXT = "spec.models[].containers"
_TUNING = "spec.hyperParameterTuningJobConfig.parameterRanges"
_CUSTOMIZED = "spec.targetTrackingScalingPolicyConfiguration.customizedMetricSpecification"
_WIDENED: dict[tuple[str, str], JsonObject] = {
    ("TrainingJob", "spec.algorithmSpecification.trainingImage"): {},
    ("TrainingJob", "spec.debugRuleConfigurations[].volumeSizeInGB"): {"minimum": 0},
    ("TrainingJob", "spec.resourceConfig.instanceCount"): {"minimum": 0},
    ("TrainingJob", "spec.resourceConfig.volumeSizeInGB"): {"minimum": 0},
    ("HyperparameterTuningJob", "spec.trainingJobDefinition.resourceConfig.instanceCount"): {"minimum": 0},
    ("HyperparameterTuningJob", "spec.trainingJobDefinition.resourceConfig.volumeSizeInGB"): {"minimum": 0},
    ("ProcessingJob", "spec.processingOutputConfig.kmsKeyId"): {"maxLength": 2048},
    ("HostingAutoscalingPolicy", f"{_CUSTOMIZED}.metricName"): {},
    ("HostingAutoscalingPolicy", f"{_CUSTOMIZED}.namespace"): {},
}
"""Limits that AWS has widened since v1."""
_NO_LONGER_REQUIRED = {
    ("HyperparameterTuningJob", "spec.hyperParameterTuningJobConfig.resourceLimits.maxNumberOfTrainingJobs"),
    ("ProcessingJob", "spec.processingInputs[].s3Input.s3InputMode"),
    ("HyperparameterTuningJob", f"{_TUNING}.continuousParameterRanges[].scalingType"),
    ("HyperparameterTuningJob", f"{_TUNING}.integerParameterRanges[].scalingType"),
    ("Model", "spec.executionRoleArn"),
    ("HostingDeployment", "spec.models[].executionRoleArn"),
}
"""Fields that v1 required and AWS does not."""
_COMPOSED = {kind.kind for kind in KINDS if kind.operations.further}
"""Kinds whose requests are made of more than one operation: test_v1_requests.py."""


def _by_kind(table: list[Row]) -> dict[str, list[ParameterSet]]:
    kinds: dict[str, list[ParameterSet]] = {}
    for row in table:
        kinds.setdefault(row.kind, []).append(pytest.param(row, id=str(row)))
    return kinds


def test_the_table_of_v1_has_the_rows_that_these_tests_rely_on() -> None:
    """A table that was not read would let every test below pass."""
    assert {kind: len(found) for kind in _KINDS if (found := rows(kind))} == {
        "TrainingJob": 96,
        "HyperparameterTuningJob": 116,
        "BatchTransformJob": 38,
        "ProcessingJob": 53,
        "Model": 35,
        "EndpointConfig": 18,
        "HostingDeployment": 69,
        "HostingAutoscalingPolicy": 36,
    }


@each_cell(_by_kind(_ROWS))
def test_every_field_of_v1_is_in_the_schema_with_its_type(row: Row) -> None:
    """v1 prunes what the schema lacks: a field that is missing would be lost without a word (v1-kinds.md 2)."""
    schema = find(schema_of(row.kind), row.segments)

    assert schema is not None
    if row.path.startswith(_OR_TEXT) and row.segments[-1] == "[]":
        assert "type" not in schema  # an object, or a text
        assert schema["x-kubernetes-preserve-unknown-fields"] is True
        return
    expected = {"array<object>": "array", "array<string>": "array"}.get(row.type, row.type.split("(")[0])
    if row.type == "integer(int64)" and row.aws_type.split(" ")[0] in ("float", "double"):
        assert schema["type"] == "number"  # wider: every integer of v1 is one
        return
    assert schema["type"] == expected
    if "(" in row.type:
        assert schema["format"] == row.type.split("(")[1].rstrip(")")
    if expected == "array" and row.path != _OR_TEXT:
        assert schema["items"]["type"] == row.type.split("<")[1].rstrip(">")
        # Server-side apply merges by these; no other list of v1 may refuse what it took (v1-kinds.md 2).
        assert schema.get("x-kubernetes-list-map-keys") == _MERGED.get((row.kind, row.path))


@each_cell(_by_kind(_SPEC))
def test_no_field_of_v1_is_narrower_than_it_was(row: Row) -> None:
    """Fields may become optional or wider, never narrower (modern-expectations.md 8).

    v1's own limits stay, but where AWS's are wider today: `test_service_model.py` compares those.
    """
    schema = find(schema_of(row.kind), row.segments)
    assert schema is not None

    bounds = {k: v for k, v in schema.items() if k.startswith(("min", "max"))}
    assert bounds == _WIDENED.get((row.kind, row.path), row.limit)
    if row.enum:
        assert set(row.enum.split("|")) <= set(schema["enum"])
    else:
        assert "enum" not in schema
    # Two of v1's three installers had no pattern for roleArn (D-58).
    assert schema.get("pattern", "") == ("" if row.path == "spec.roleArn" else row.pattern)


@each_cell(_by_kind([row for row in _SPEC if row.segments[-1] != "[]"]))
def test_a_field_is_required_just_where_v1_required_it(row: Row) -> None:
    """Required by its parent, or conditionally, where something has since been found to take its place.

    Not what AWS does not require, nor the region: the namespace or the operator may give it (modern-expectations.md 1).
    """
    parent = find(schema_of(row.kind), row.segments[:-1])
    assert parent is not None
    # Required in v1, now only unless something that AWS has added since is there.
    conditional = row.path in _conditional(row.kind)

    assert (row.segments[-1] in parent.get("required", ())) == (
        row.is_required
        and not conditional
        and row.path != "spec.region"
        and (row.kind, row.path) not in _NO_LONGER_REQUIRED
    )
    assert row.is_required or not conditional


@each_row("kind", _KINDS)
def test_a_conditional_requirement_names_the_field_first_and_then_what_stands_in_for_it(kind: str) -> None:
    """The API server reports the errors of the first branch: `spec.x: Required value`, as v1 did."""
    for entry in _KINDS[kind].compat.required_unless:
        holder = find(schema_of(kind), segments_of(entry.path))
        assert holder is not None
        *parents, name = segments_of(entry.field)
        first: JsonObject = {"required": [name]}
        for segment in reversed(parents):
            first = {"items": first} if segment == "[]" else {"properties": {segment: first}}

        assert {"anyOf": [first, *({"required": [other]} for other in entry.alternatives)]} in holder["allOf"]
        assert {[*parents, name][0], *entry.alternatives} <= set(holder["properties"])


@each_row("kind", _KINDS)
def test_a_new_field_in_a_structure_of_v1_is_optional(kind: str) -> None:
    """A manifest of v1 cannot have it."""
    known = {row.path for row in rows(kind)}
    structures = {re.sub(r"\.[^.]+$", "", path) for path in known}
    for structure in structures:
        schema = find(schema_of(kind), segments_of(structure))
        assert schema is not None
        for name in schema.get("required", ()):
            assert f"{structure}.{name}" in known


@each_row("kind", _KINDS)
def test_spec_itself_is_required_only_where_v1_required_it(kind: str) -> None:
    """v1-kinds.md 1."""
    assert schema_of(kind).get("required", []) == (["spec"] if kind in _WITH_SPEC else [])


@each_cell(_by_kind([row for row in _SPEC if row.aws_type and row.kind not in _COMPOSED]))
def test_every_field_of_v1_reaches_its_aws_member(row: Row) -> None:
    """Column aws_member of the table; SHAPE, RENAMED and SPELLING quirks included."""
    kind = _KINDS[row.kind]
    path, value = row.segments[1:], sample(row)
    if row.type.startswith("array"):
        # Empty lists are left out, so give the list an item that is as empty as it can be.
        value = ["text"] if row.type == "array<string>" else [{}]
    request = to_request(kind, nested(path, value))

    if row.path == f"spec.{kind.name.spec_field}":
        assert request == {}  # the caller sets the name
        return
    member, _, part = row.aws_member.partition(" (")
    reached = at(request, segments_of(member.partition(".")[2]))
    match part:
        case "map key)":
            assert reached == {"text": ""}
        case "map value)":
            assert reached == {"": "text"}
        case _:
            assert reached == ({"": ""} if row.aws_type.startswith("map") else value)


@each_cell(_by_kind([row for row in _SPEC if row.aws_member == "(operator-only)"]))
def test_the_operators_own_fields_are_never_sent(row: Row) -> None:
    """`region` and `sageMakerEndpoint` choose the client; names of models and variants become other names first."""
    kind = _KINDS[row.kind]

    for operation in kind.operations.sending:
        assert to_request(kind, nested(row.segments[1:], "text"), operation) == {}


@each_cell(_by_kind([row for row in _STATUS if row.aws_type]))
def test_every_status_field_of_v1_shows_its_aws_member(row: Row) -> None:
    """Column aws_member of the table; D-30 for statusDetail and the objective's value."""
    value = shown = [{}] if row.type == "array<object>" else sample(row)
    if row.aws_type.startswith("map"):
        value, shown = {"text": ""}, [{"name": "text", "value": ""}]
    if row.aws_type == "float":
        value, shown = 0.9716, "0.9716"
    member, _, part = row.aws_member.partition(" (")
    if part:
        value, shown = ({"text": ""}, "text") if part == "map key)" else ({"": "text"}, "text")

    status = to_status(_KINDS[row.kind], nested(segments_of(member.partition(".")[2]), value))

    assert at(status, row.segments[1:]) == shown


def _conditional(kind: str) -> set[str]:
    return {f"{entry.path}.{entry.field}" for entry in _KINDS[kind].compat.required_unless}
