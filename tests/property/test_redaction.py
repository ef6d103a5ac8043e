"""Redaction for any text around a credential: nothing of it is left, and nothing else is taken."""

from typing import Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from controller.observability import redact
from controller.observability.redact import quoted, redact_text
from tests.fakes.secrets import Leak, cut_leaks, leaks
from tests.tables import each_row

pytestmark = pytest.mark.long

_PIECES = (
    *("://", "://a:", "@", "=", ":", "/", "?", "&", " ", '"', "'", "\\", "%3D", "\n", "…", "[", "]", "<", ">"),
    *("password", "token=", "Bearer ", "X-Amz-Signature=", "?sig=", "eyJ", "-----BEGIN ", "PRIVATE KEY-----", "AKIA"),
    *("[redacted]", "AWS4-HMAC-SHA256 Credential=", "https", "sha256:", "1", "a", "aB"),
)
"""What the patterns look for, whole and in parts."""
_AROUND = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
_LEAKS = leaks()
_WORDS = st.sampled_from(
    (
        *(
            "the",
            "job",
            "failed:",
            "token",
            "password",
            "signature",
            "secret",
            "bearer of",
            "basic auth",
            "credentials",
        ),
        *("s3://bucket/key/part-0001.csv", "https://api.sagemaker.us-east-2.amazonaws.com/", "http://[::1]:8080"),
        *("arn:aws:iam::123456789012:role/service-role/Execution", "arn:aws:sagemaker:us-east-2:123456789012:model/m"),
        *("AROAFAKE", "123456789012.dkr.ecr.us-east-2.amazonaws.com/image@sha256:0fake1", "docker://i:latest@sha256:0"),
        *("user@example.com", "2030-01-02T03:04:05Z", "key=value", "max_tokens=512", "http://host:80/path"),
        *(
            "Invalid security token:",
            "(see https://docs.aws.amazon.com/?a=b&c=d#e)",
            "“quoted”",
            "\n",
            "ValidationException",
        ),
        *("pad_token=<pad>", "password: must not be empty,", "Basic authentication", "task-sk-learn", "Bearer token"),
    )
)

each_leak = pytest.mark.parametrize("leak", _LEAKS, ids=lambda leak: leak.name)


def is_left(leak: Leak, text: str) -> bool:
    """Whether any part of the credential can be read."""
    return any(secret in text for secret in leak.secrets)


@each_leak
@settings(max_examples=25)  # for each form
@given(before=_AROUND, after=_AROUND)
def test_nothing_is_left_of_a_credential_anywhere_in_a_text(leak: Leak, before: str, after: str) -> None:
    """Whatever stands before and after it, without a space between, too."""
    assert is_left(leak, before + leak.text + after)

    assert not is_left(leak, redact_text(before + leak.text + after))


@given(before=_AROUND, leak=st.sampled_from(cut_leaks()))
def test_nothing_is_left_of_a_credential_that_somebody_has_cut(before: str, leak: Leak) -> None:
    """SageMaker cuts a failure's reason at 1024 characters."""
    assert not is_left(leak, redact_text(before + leak.text))


@each_leak
@settings(max_examples=25)  # for each form
@given(before=st.text(max_size=40), limit=st.integers(1, 200))
def test_a_text_is_redacted_before_it_is_cut(leak: Leak, before: str, limit: int) -> None:
    """What is quoted shows no more than a part of the redacted text, never a part of the credential."""
    whole = redact_text(" ".join((before + leak.text).split()))

    shown = quoted(before + leak.text, limit)

    assert len(shown) <= limit
    assert shown == whole or whole.startswith(shown.removesuffix("…"))


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.sampled_from([leak.text for leak in _LEAKS])), max_size=8))
@example(["://a:", "AKIA" + "FAKE" * 4, ":", "FAKE/fake+" * 4, "@"])
def test_redacting_twice_changes_nothing(pieces: list[str]) -> None:
    """A text passes several boundaries, and a condition is compared with the one that is stored."""
    once = redact_text("".join(pieces))

    assert redact_text(once) == once


_SPELT: Final = {"i": "iI\u0130\u0131", "s": "sS\u017f", "k": "kK\u212a"}
"""Letters that count as equal where case does not matter, in `re` and perhaps not in `str.casefold`."""


@st.composite
def _of_any_spelling(draw: st.DrawFn) -> str:
    names = ("X-Amz-Signature", "X-Goog-Credential", "security_token", "secret_key", "passphrase", "passwd", "?sig")
    pieces = st.one_of(
        st.sampled_from(_LEAKS).map(lambda leak: leak.text),
        st.sampled_from(names).map(lambda name: f"{name}=hunter2"),
        st.sampled_from(["Basic abcdefgh1", "Bearer abcdefgh1", "secret=hunter22"]),
    )
    text = draw(pieces) + draw(st.sampled_from(_PIECES))
    return "".join(draw(st.sampled_from(_SPELT.get(each.lower(), each))) for each in text)


@given(_of_any_spelling())
def test_a_pattern_is_skipped_only_where_it_matches_nothing(text: str) -> None:
    """Most texts have nothing in them that any pattern begins with."""
    folded = text.casefold()
    for needs, pattern in redact._TEXT:
        if pattern.search(text):
            assert all(any(hint in folded for hint in hints) for hints in needs), pattern.pattern


@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_a_text_without_a_credential_is_left_as_it_is(text: str) -> None:
    """Users need addresses, ARNs and the words of AWS's messages."""
    assert redact_text(text) == text


@each_row("piece", _PIECES)
def test_time_is_linear_in_the_length(piece: str) -> None:
    """As long as any message of what a pattern begins with: with quadratic time, this would take many minutes."""
    redact_text(piece * (200_000 // len(piece)))
