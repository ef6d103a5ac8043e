"""Names at AWS are those of the first implementation: v1-kinds.md 4."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.naming import child_name, join_name, sagemaker_name
from tests.tables import each_row

_UID = "a92f5e3c-f07b-11e9-bf6c-06d6f3037abc"
_HEX = "a92f5e3cf07b11e9bf6c06d6f3037abc"
_AWS = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@each_row(
    ("name", "max_length", "expected"),
    [
        pytest.param("a", 63, f"a-{_HEX}", id="short"),
        pytest.param("xgboost-mnist-hpo", 63, f"xgboost-mnist-hpo-{_HEX}", id="of the guide"),
        pytest.param("x" * 30, 63, "x" * 30 + f"-{_HEX}", id="just fits"),
        pytest.param("x" * 31, 63, "x" * 30 + f"-{_HEX}", id="one too long"),
        pytest.param("x" * 253, 63, "x" * 30 + f"-{_HEX}", id="as long as Kubernetes allows"),
        pytest.param("a", 32, _HEX, id="tuning jobs: the bare uid, even for one letter"),
        pytest.param("xgboost-mnist-hpo", 32, _HEX, id="tuning jobs: the bare uid"),
        pytest.param("host-xgboost-1-def0e83e0d5f11eaaa450a350733ba06", 63, f"host-xgboost-1-def0e83e0d5f11e-{_HEX}",
                     id="child EndpointConfig"),
        pytest.param("xgboost-model-1-def0e83e0d5f11eaaa450a350733ba06", 63, f"xgboost-model-1-def0e83e0d5f11-{_HEX}",
                     id="child Model"),
    ],
)  # fmt: skip
def test_worked_examples(name: str, max_length: int, expected: str) -> None:
    """v1-kinds.md 4.2, bit for bit: resources are found again by these names."""
    assert sagemaker_name(name, _UID, max_length) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("my.job", f"my-job-{_HEX}", id="a dot becomes a hyphen"),
        pytest.param("v1.2.3", f"v1-2-3-{_HEX}", id="every dot"),
        pytest.param("x" * 30 + ".y", "x" * 30 + f"-{_HEX}", id="a dot that is cut off never mattered"),
    ],
)
def test_dots_are_replaced_where_aws_would_refuse_them(name: str, expected: str) -> None:
    """D-27: only names that could not work before change."""
    assert sagemaker_name(name, _UID, 63) == expected


@each_row(
    ("required", "optional", "max_length", "expected"),
    [
        pytest.param("required", "opt", 12, "opt-required", id="fits exactly"),
        pytest.param("required", "opt", 11, "op-required", id="optional loses its end"),
        pytest.param("required", "opt", 10, "o-required", id="optional keeps one character"),
        pytest.param("required", "opt", 9, "required", id="cutting all of optional is no way: required alone"),
        pytest.param("required", "opt", 4, "requ", id="required is cut to length"),
        pytest.param("required", "", 9, "-required", id="an empty optional still leaves the hyphen, as ever"),
    ],
)
def test_the_three_steps_of_the_rule(required: str, optional: str, max_length: int, expected: str) -> None:
    """v1-kinds.md 4.1."""
    assert join_name(required, optional, max_length) == expected


def test_a_child_is_named_after_owner_generation_and_uid() -> None:
    """v1-kinds.md 4.1, the rows of Kubernetes names; as shown by the guide of HostingDeployment."""
    assert child_name("host-xgboost", "def0e83e-0d5f-11ea-aa45-0a350733ba06", 1) == (
        "host-xgboost-1-def0e83e0d5f11eaaa450a350733ba06"
    )


@given(
    name=st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?", fullmatch=True),
    uid=st.uuids().map(str),
    max_length=st.sampled_from([32, 63]),
)
def test_any_object_gets_a_name_that_aws_takes_and_that_holds_its_uid(name: str, uid: str, max_length: int) -> None:
    """AWS's pattern and length; the uid in it proves ownership."""
    made = sagemaker_name(name, uid, max_length)

    assert _AWS.fullmatch(made)
    assert len(made) <= max_length
    assert made.endswith(uid.replace("-", ""))
