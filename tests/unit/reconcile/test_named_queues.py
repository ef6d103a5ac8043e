"""Status queues that namespaces name: who reads which, whom its messages concern, and what is said of mistakes."""

from typing import Any

import pytest

from api.annotations import (
    DEFAULT_REGION,
    EXTERNAL_ID,
    OWNER_ACCOUNT_ID,
    ROLE_ARN,
    SESSION_TAGS,
    STATUS_QUEUE,
    Annotation,
)
from controller import flags
from controller.aws.errors import AwsError
from controller.aws.events.receiver import QueueAddress, Readers
from controller.aws.targets import BASE_IDENTITY, Identity
from controller.reconcile.namespaces.named_queues import named_queues, trouble_with
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.runtime.errors import ErrorClass
from tests.tables import each_row

HERE, THERE = "111111111111", "222222222222"
ROLE_A, ROLE_B = f"arn:aws:iam::{HERE}:role/a", f"arn:aws:iam::{THERE}:role/b"
QUEUE_A = f"https://sqs.eu-west-1.amazonaws.com/{HERE}/status"
QUEUE_B = f"https://sqs.us-west-2.amazonaws.com/{THERE}/status"
EMULATED = f"http://127.0.0.1:4566/{HERE}/status"
A, B = Identity(ROLE_A), Identity(ROLE_B)
A_AND_OURS = f"{ROLE_A} and the operator's own role"


def settings(name: str, said: dict[Annotation[Any], str], mapped_role: str = "") -> NamespaceSettings:
    """A namespace with annotations."""
    return NamespaceSettings(name, {annotation.key: text for annotation, text in said.items()}, mapped_role)


def of(**namespaces: dict[Annotation[Any], str]) -> dict[str, tuple[Identity, ...]]:
    """The identities that read each queue."""
    made = [settings(name, said, mapped_role=ROLE_B) for name, said in namespaces.items()]
    return {address.url: each.identities for address, each in named_queues(made, "us-east-2").readers.items()}


@each_row(
    ("namespaces", "read"),
    [
        pytest.param({"plain": {}, "a": {ROLE_ARN: ROLE_A}}, {}, id="no queue"),
        pytest.param({"a": {STATUS_QUEUE: QUEUE_A}}, {QUEUE_A: (BASE_IDENTITY,)}, id="the operator's own"),
        pytest.param({"a": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A}}, {QUEUE_A: (A,)}, id="the role, and no other"),
        pytest.param(
            {"a": {STATUS_QUEUE: QUEUE_B, ROLE_ARN: ROLE_A}}, {QUEUE_B: (A,)}, id="the role, also in another account"
        ),
        pytest.param(
            {"b": {STATUS_QUEUE: QUEUE_B, OWNER_ACCOUNT_ID: THERE}}, {QUEUE_B: (B,)}, id="a role of the account map"
        ),
        pytest.param(
            {"a": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A, EXTERNAL_ID: "id"}},
            {QUEUE_A: (Identity(ROLE_A, "id"),)},
            id="with an external id",
        ),
        pytest.param(
            {"a": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A, SESSION_TAGS: "true"}},
            {QUEUE_A: (Identity(ROLE_A, namespace="a", is_tagged=True),)},
            id="with a session of its own",
        ),
        pytest.param(
            {"a": {STATUS_QUEUE: f"{QUEUE_A}, {QUEUE_B}", ROLE_ARN: ROLE_A}},
            {QUEUE_A: (A,), QUEUE_B: (A,)},
            id="one for each region",
        ),
        pytest.param(
            {"one": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A}, "two": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A}},
            {QUEUE_A: (A,)},
            id="shared with the role",
        ),
        pytest.param(
            {"two": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_B}, "one": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A}},
            {QUEUE_A: (A, B)},
            id="shared by two roles: each is tried",
        ),
        pytest.param({"a": {STATUS_QUEUE: QUEUE_A, ROLE_ARN: "nonsense"}}, {}, id="settings that are invalid"),
        pytest.param({"a": {STATUS_QUEUE: "nonsense", ROLE_ARN: ROLE_A}}, {}, id="no queue's URL"),
    ],
)
def test_a_queue_is_read_under_the_credentials_of_those_who_name_it(
    namespaces: dict[str, dict[Annotation[Any], str]], read: dict[str, tuple[Identity, ...]]
) -> None:
    """The operator's own never stand in for a role: it may be allowed to read queues that are not the team's."""
    assert of(**namespaces) == read


def test_its_messages_concern_no_other_targets() -> None:
    """Those of the same credentials; and a queue of `--status-queue` is none of a namespace."""
    made = [settings("a", {STATUS_QUEUE: QUEUE_A, ROLE_ARN: ROLE_A}), settings("b", {STATUS_QUEUE: QUEUE_B})]
    address_b = QueueAddress.of(QUEUE_B, "")
    found = named_queues(made, "us-east-2", besides=[address_b])
    assert found.readers == {QueueAddress.of(QUEUE_A, ""): Readers((A,), concerns=(A,))}
    assert list(found.namespaces.values()) == [("a",)]


@pytest.mark.parametrize(
    ("said", "default", "region"),
    [
        ({STATUS_QUEUE: QUEUE_A, DEFAULT_REGION: "us-west-1"}, "us-east-2", "eu-west-1"),
        ({STATUS_QUEUE: EMULATED, DEFAULT_REGION: "us-west-1"}, "us-east-2", "us-west-1"),
        ({STATUS_QUEUE: EMULATED}, "us-east-2", "us-east-2"),
        ({STATUS_QUEUE: EMULATED}, "", None),
    ],
)
def test_the_region_is_that_of_the_url_else_of_the_namespace(
    said: dict[Annotation[Any], str], default: str, region: str | None
) -> None:
    """Without any, the namespace's objects show what to do."""
    found = named_queues([settings("a", said)], default)
    assert [each.region for each in found.readers] == ([region] if region else [])
    mistake = f"{EMULATED} names no region: set the namespace's annotation default-region"
    assert found.mistakes == ({} if region else {"a": (mistake,)})


@each_row(
    "text",
    [
        *(QUEUE_A, f"{QUEUE_A},{QUEUE_B}", f" {QUEUE_A} ,{QUEUE_A}", EMULATED),
        *("", ",", "nonsense", "https://sqs.eu-west-1.amazonaws.com", f"ftp://host/{HERE}/status", QUEUE_A + "/x"),
        *(f"https:///{HERE}/status", "https://host/1/status", f"{QUEUE_A}?x=1", f"arn:aws:sqs:eu-west-1:{HERE}:status"),
    ],
)
def test_the_annotation_takes_what_the_flag_takes(text: str) -> None:
    """But for nothing at all, which is a flag that is not set."""
    try:
        by_flag = flags.queue_urls(text) or None
    except ValueError:
        by_flag = None
    assert STATUS_QUEUE.parse(text) == by_flag


@pytest.mark.parametrize(
    ("error_class", "code", "text"),
    [
        (
            ErrorClass.DENIED,
            "AccessDenied",
            f"{QUEUE_A} may not be read: allow sqs:ReceiveMessage and sqs:DeleteMessage on it to {A_AND_OURS}",
        ),
        (
            ErrorClass.NOT_FOUND,
            "QueueDoesNotExist",
            f"there is no queue {QUEUE_A}: create it, or correct the annotation",
        ),
        (
            ErrorClass.RETRYABLE,
            "EndpointUnreachable",
            f"{QUEUE_A} cannot be read",
        ),
    ],
)
def test_what_is_said_of_a_queue_that_is_lost_says_what_to_do(error_class: ErrorClass, code: str, text: str) -> None:
    """To those who may not see the operator's log."""
    readers = Readers((A, BASE_IDENTITY))
    said = trouble_with(QueueAddress.of(QUEUE_A, ""), readers, AwsError(error_class, code, "no"))
    assert said == f"{text} ({code}); changes are found by polling"
