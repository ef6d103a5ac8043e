"""No secret reaches what people read (DESIGN 5)."""

import pytest

from controller.observability.redact import redact, redact_text
from tests.tables import each_row

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW0ifQ.c2lnbmF0dXJl"


@each_row(
    ("text", "redacted"),
    [
        pytest.param(
            "GET https://b.s3.amazonaws.com/k?X-Amz-Date=20300102&X-Amz-Signature=abc&x=1",
            "GET https://b.s3.amazonaws.com/k?X-Amz-Date=20300102&X-Amz-Signature=[redacted]&x=1",
            id="presigned URL",
        ),
        pytest.param(
            '"https://h/?X-Amz-Security-Token=abc%2F&X-Amz-Credential=AKIA%2Fus"',
            '"https://h/?X-Amz-Security-Token=[redacted]&X-Amz-Credential=[redacted]"',
            id="its token and credential",
        ),
        pytest.param(
            "https://h/k?AWSAccessKeyId=AKIA&Signature=abc%3D&Expires=1",
            "https://h/k?AWSAccessKeyId=[redacted]&Signature=[redacted]&Expires=1",
            id="old form of presigned URL",
        ),
        pytest.param("Authorization: Bearer abcdefgh.1-2", "Authorization: Bearer [redacted]", id="bearer token"),
        pytest.param("Basic dXNlcjpwYXNz", "Basic [redacted]", id="basic authentication"),
        pytest.param(f"token {JWT} refused", "token [redacted] refused", id="JSON Web Token"),
        pytest.param("Bearer\tabcdefgh.1-2", "Bearer\t[redacted]", id="set apart by another space"),
        pytest.param("pa\u017fsword=hunter2", "pa\u017fsword=[redacted]", id="letters that count as equal"),
        pytest.param("acce\u017fs_to\u212aen=hunter2", "acce\u017fs_to\u212aen=[redacted]", id="other such letters"),
        pytest.param("training job train-1 failed", "training job train-1 failed", id="nothing to hide"),
        pytest.param("the bearer of this is basic", "the bearer of this is basic", id="words that look alike"),
    ],
)
def test_credentials_within_texts_are_replaced(text: str, redacted: str) -> None:
    """Error messages quote what was sent."""
    assert redact_text(text) == redacted


@each_row(
    "key",
    [
        "token",
        "id_token",
        "clientSecret",
        "password",
        "PASSWD",
        "authorization",
        "credentials",
        "private_key",
        "accessKey",
    ],
)
def test_values_under_telling_keys_are_replaced(key: str) -> None:
    """Whatever they look like, at any depth."""
    assert redact({"a": [{key: "hunter2", "b": 1}]}) == {"a": [{key: "[redacted]", "b": 1}]}


def test_numbers_and_switches_under_such_keys_are_kept() -> None:
    """`tokens=3` and `has_token=True` hide nothing."""
    facts = {"tokens": 3, "has_token": True, "password": None}

    assert redact(facts) == facts


def test_the_value_given_is_left_alone() -> None:
    """It may be an object on its way to the API server."""
    given = {"token": "hunter2"}

    redact(given)

    assert given == {"token": "hunter2"}
