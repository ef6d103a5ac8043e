"""The tree of fields: shapes and a compatibility table joined. A small service of its own shows each rule."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from botocore.model import OperationNotFoundError

from api.compat import V1, Compat, RequiredUnless, StatusField, Sum
from api.fields import Field, KindFields, build
from api.form import Form
from api.models import as_model
from api.naming import key_of
from api.schema.structural import field_schema
from api.v1 import TRAINING_JOB
from tests.tables import each_row

_SHAPES: dict[str, Any] = {
    "Text": {"type": "string", "min": 2, "max": 9, "pattern": "[a-z]+"},
    "Colour": {"type": "string", "enum": ["Red", "Green", "Blue"]},
    "Count": {"type": "integer", "min": 0},
    "Ratio": {"type": "float"},
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}, "max": 5},
    "Part": {
        "type": "structure",
        "required": ["Old", "New"],
        "members": {"Old": {"shape": "Text"}, "New": {"shape": "Text"}, "Colour": {"shape": "Colour"}},
    },
    "Parts": {"type": "list", "member": {"shape": "Part"}, "max": 3},
    "CreateRequest": {
        "type": "structure",
        "required": ["Name", "OldPart"],
        "members": {
            "Name": {"shape": "Text"},
            "OldPart": {"shape": "Part"},
            "NewParts": {"shape": "Parts"},
            "OldMap": {"shape": "Map"},
            "NewMap": {"shape": "Map"},
            "SizeInGB": {"shape": "Count"},
            "OldName": {"shape": "Text"},
            "ReadOnly": {"shape": "Text"},
        },
    },
    "DescribeResponse": {
        "type": "structure",
        "members": {"Part": {"shape": "Part"}, "Outer": {"shape": "Outer"}, "Unshown": {"shape": "Text"}},
    },
    "Outer": {"type": "structure", "members": {"Ratio": {"shape": "Ratio"}, "Count": {"shape": "Count"}}},
}
_SERVICE = {
    "metadata": {"apiVersion": "2000-01-01", "protocol": "json", "endpointPrefix": "x"},
    "operations": {
        "CreateTrainingJob": {"name": "CreateTrainingJob", "http": {}, "input": {"shape": "CreateRequest"}},
        "DescribeTrainingJob": {"name": "DescribeTrainingJob", "http": {}, "output": {"shape": "DescribeResponse"}},
    },
    "shapes": _SHAPES,
}
_COMPAT = Compat(
    fields=MappingProxyType({
        "spec.oldPart": V1(required=True),
        "spec.oldPart.old": V1(required=True, minimum=1),
        "spec.oldPart.colour": V1(enum=("Red", "Black")),
        "spec.oldMap": V1(),
        "spec.renamed": V1(),
        "spec.region": V1(required=True),
        "status.part": V1(),
        "status.part.old": V1(required=True),
        "status.part.colour": V1(enum=("Red",)),
        "status.outer": V1(),
        "status.outer.ratio": V1(),
        "status.outer.total": V1(),
    }),
    renamed=MappingProxyType({"spec.oldName": "renamed"}),
    forms=MappingProxyType({"status.outer.ratio": Form.STRING}),
    sums=MappingProxyType({"status.outer": Sum("total", of=("Count", "Count"), description="Both.")}),
    omitted=frozenset({"spec.readOnly"}),
    required_unless=(RequiredUnless("spec", "sizeInGB", ("newParts",)),),
    status=(
        StatusField("part", "Part"),
        StatusField("newPart", "Part"),
        StatusField("inner", "Outer.Count"),
        StatusField("outer", "Outer"),
        StatusField("own", description="Ours."),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def fields() -> KindFields:
    """A kind of the small service."""
    return build(replace(TRAINING_JOB, compat=_COMPAT), as_model("small", _SERVICE))


@each_row(
    ("member", "key"),
    [("KmsKeyId", "kmsKeyId"), ("VolumeSizeInGB", "volumeSizeInGB"), ("S3Uri", "s3Uri"), ("RoleARN", "roleARN"),
     ("SSMAccess", "sSMAccess")],
)  # fmt: skip
def test_a_key_is_the_member_with_its_first_letter_in_lower_case(member: str, key: str) -> None:
    """v1's rule, with no thought for acronyms."""
    assert key_of(member) == key


def test_a_field_of_v1_has_v1s_limits_only(fields: KindFields) -> None:
    """AWS's length and pattern do not apply: an object that v1 stored must stay valid."""
    old = _at(fields.spec, "oldPart", "old")

    assert (old.minimum, old.maximum, old.pattern, old.required) == (1, None, "", True)


def test_a_field_that_v1_did_not_have_has_awss_limits(fields: KindFields) -> None:
    """Nothing that exists can break them."""
    new = _at(fields.spec, "newParts", "", "new")

    assert (new.minimum, new.maximum, new.pattern, new.required) == (2, 9, "[a-z]+", True)
    assert _at(fields.spec, "newParts").maximum == 3


def test_what_aws_requires_anew_in_a_structure_of_v1_stays_optional(fields: KindFields) -> None:
    """Manifests of v1 lack it; AWS still knows what it requires."""
    new = _at(fields.spec, "oldPart", "new")

    assert (new.required, new.required_by_aws) == (False, True)


def test_an_enum_of_v1_is_closed_but_keeps_up_with_aws(fields: KindFields) -> None:
    """v1's own values first; those that v1 did not list stay open."""
    assert _at(fields.spec, "oldPart", "colour").enum == ("Red", "Black", "Green", "Blue")
    new = _at(fields.spec, "newParts", "", "colour")
    assert (new.enum, new.known_values) == ((), ("Red", "Green", "Blue"))


def test_pairs_of_v1_need_no_name_and_new_ones_do(fields: KindFields) -> None:
    """A pair without a name is of no use, but v1 took it."""
    assert [child.required for child in _at(fields.spec, "oldMap").fields] == [False, False]
    assert [child.required for child in _at(fields.spec, "newMap").fields] == [True, False]
    assert _at(fields.spec, "newMap").maximum == 5


def test_members_are_renamed_or_left_out_as_the_table_says(fields: KindFields) -> None:
    """RENAMED, and what only the operator or AWS fills in."""
    assert _at(fields.spec, "renamed").member == "OldName"
    assert {field.name for field in fields.spec.fields} == {
        "name", "oldPart", "newParts", "oldMap", "newMap", "sizeInGB", "renamed", "region", "sageMakerEndpoint",
    }  # fmt: skip


def test_the_status_shows_what_v1_showed_and_limits_nothing(fields: KindFields) -> None:
    """A limit would make the API server refuse what AWS has said."""
    part = _at(fields.status, "part")

    assert {child.name: (child.required, child.enum) for child in part.fields} == {
        "colour": (False, ()),
        "old": (False, ()),
    }
    assert "minLength" not in field_schema(TRAINING_JOB, _at(fields.status, "part", "old"))


def test_below_a_status_field_that_v1_did_not_have_is_all_that_aws_says(fields: KindFields) -> None:
    """And no limit of AWS's, which may change."""
    part = _at(fields.status, "newPart")

    assert {child.name: (child.required, child.enum, child.minimum) for child in part.fields} == {
        "colour": (False, (), None),
        "new": (False, (), None),
        "old": (False, (), None),
    }


def test_a_status_field_may_come_from_deep_within_an_answer(fields: KindFields) -> None:
    """As modelPath does."""
    assert (_at(fields.status, "inner").member, _at(fields.status, "inner").form) == ("Outer.Count", Form.INTEGER)


def test_a_status_may_write_a_value_in_another_form_and_sum_up(fields: KindFields) -> None:
    """TYPE, and what v1 added to an answer."""
    ratio, total = _at(fields.status, "outer", "ratio"), _at(fields.status, "outer", "total")

    assert (ratio.form, ratio.wire) == (Form.STRING, Form.NUMBER)
    assert (total.form, total.member, total.sum_of) == (Form.INTEGER, "", ("Count", "Count"))


def test_every_status_has_the_common_fields(fields: KindFields) -> None:
    """What every kind tells."""
    assert {"awsResource", "conditions", "observedGeneration", "own"} <= {field.name for field in fields.status.fields}


def test_fields_are_sorted(fields: KindFields) -> None:
    """Output must not depend on the order of a model."""
    for field in (*fields.spec.walk(), *fields.status.walk()):
        if field.form is Form.STRUCTURE:
            assert [child.name for child in field.fields] == sorted(child.name for child in field.fields)


def test_a_model_that_lacks_an_operation_is_an_error() -> None:
    """An old botocore must not give a kind without fields."""
    with pytest.raises(OperationNotFoundError, match="CreateTrainingJob"):
        build(TRAINING_JOB, as_model("small", {**_SERVICE, "operations": {}}))


def _at(root: Field, *names: str) -> Field:
    """The field below `root`; an empty name is a list's item."""
    for name in names:
        if name == "":
            assert root.item is not None
            root = root.item
        else:
            root = next(field for field in root.fields if field.name == name)
    return root
