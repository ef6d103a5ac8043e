"""Every field that v1 had is here, is not narrower, and reaches the AWS member that it always reached."""

import re

import pytest

from api.convert import to_request, to_status
from api.meta import JsonObject
from api.v1 import TRAINING_JOB
from tests.unit.api.contract import Row, at, find, nested, rows, sample, spec_rows, status_rows

_KIND = TRAINING_JOB
_ROWS = rows(_KIND.kind)

# Required in v1, now only unless something that AWS has added since takes their place: a CEL rule says so.
_CONDITIONAL = {f"{entry.path}.{entry.field}" for entry in _KIND.compat.required_unless}


def test_the_table_of_v1_has_the_rows_that_these_tests_rely_on() -> None:
    """A table that was not read would let every test below pass."""
    assert len(_ROWS) == 96
    assert sum(row.is_required for row in _ROWS) == 31


@pytest.mark.parametrize("row", _ROWS, ids=str)
def test_every_field_of_v1_is_in_the_schema_with_its_type(row: Row, training_job_schema: JsonObject) -> None:
    """v1 prunes what the schema lacks: a field that is missing would be lost without a word (v1-kinds.md 2)."""
    schema = find(training_job_schema, row.segments)

    assert schema is not None
    expected = {"array<object>": "array", "array<string>": "array"}.get(row.type, row.type.split("(")[0])
    assert schema["type"] == expected
    if "(" in row.type:
        assert schema["format"] == row.type.split("(")[1].rstrip(")")
    if expected == "array":
        assert schema["items"]["type"] == row.type.split("<")[1].rstrip(">")
        assert "x-kubernetes-list-type" not in schema


@pytest.mark.parametrize("row", spec_rows(_KIND.kind), ids=str)
def test_no_field_of_v1_is_narrower_than_it_was(row: Row, training_job_schema: JsonObject) -> None:
    """Fields may become optional or wider, never narrower (modern-expectations.md 8); v1's own limits stay."""
    schema = find(training_job_schema, row.segments)
    assert schema is not None

    bounds = {k: v for k, v in schema.items() if k.startswith(("min", "max"))}
    assert bounds == row.limit
    if row.enum:
        assert set(row.enum.split("|")) <= set(schema["enum"])
    else:
        assert "enum" not in schema
    # Two of v1's three installers had no pattern for roleArn (D-58).
    assert schema.get("pattern", "") == ("" if row.path == "spec.roleArn" else row.pattern)


@pytest.mark.parametrize("row", spec_rows(_KIND.kind), ids=str)
def test_a_field_is_required_just_where_v1_required_it(row: Row, training_job_schema: JsonObject) -> None:
    """Required by its parent, or by a rule of its parent that names what may take its place."""
    if row.segments[-1] == "[]":
        return
    parent = find(training_job_schema, row.segments[:-1])
    assert parent is not None
    rules = " ".join(rule["message"] for rule in parent.get("x-kubernetes-validations", ()))

    in_schema = row.segments[-1] in parent.get("required", ())

    assert in_schema == (row.is_required and row.path not in _CONDITIONAL)
    assert (f"{row.path} is required" in rules) == (row.path in _CONDITIONAL)


def test_a_new_field_in_a_structure_of_v1_is_optional(training_job_schema: JsonObject) -> None:
    """A manifest of v1 cannot have it."""
    known = {row.path for row in _ROWS}
    structures = {re.sub(r"\.[^.]+$", "", path) for path in known}
    for structure in structures:
        schema = find(training_job_schema, re.findall(r"[^.\[\]]+|\[\]", structure))
        assert schema is not None
        for name in schema.get("required", ()):
            assert f"{structure}.{name}" in known


@pytest.mark.parametrize("row", [r for r in spec_rows(_KIND.kind) if r.aws_type], ids=str)
def test_every_field_of_v1_reaches_its_aws_member(row: Row) -> None:
    """Column aws_member of the table; SHAPE and RENAMED quirks included."""
    path, value = row.segments[1:], sample(row)
    if row.type.startswith("array"):
        # Empty lists are left out, so give the list an item that is as empty as it can be.
        value = ["text"] if row.type == "array<string>" else [{}]
    request = to_request(_KIND, nested(path, value))

    member, _, part = row.aws_member.partition(" (")
    segments = re.findall(r"[^.\[\]]+|\[\]", member.partition(".")[2])
    if row.path == f"spec.{_KIND.name.spec_field}":
        assert request == {}  # the caller sets the name
        return
    reached = at(request, segments)
    match part:
        case "map key)":
            assert reached == {"text": ""}
        case "map value)":
            assert reached == {"": "text"}
        case _:
            assert reached == ({"": ""} if row.aws_type.startswith("map") else value)


@pytest.mark.parametrize(
    "row", [r for r in spec_rows(_KIND.kind) if not r.aws_type and "map" not in r.aws_member], ids=str
)
def test_the_operators_own_fields_are_never_sent(row: Row) -> None:
    """`region` and `sageMakerEndpoint` choose the client."""
    assert to_request(_KIND, nested(row.segments[1:], "text")) == {}


@pytest.mark.parametrize("row", [r for r in status_rows(_KIND.kind) if r.aws_type], ids=str)
def test_every_status_field_of_v1_shows_its_aws_member(row: Row) -> None:
    """Column aws_member of the table; D-30 for statusDetail."""
    value = [{}] if row.type == "array<object>" else sample(row)
    member = re.findall(r"[^.\[\]]+|\[\]", row.aws_member.partition(".")[2])

    status = to_status(_KIND, nested(member, value))

    assert at(status, row.segments[1:]) == value
