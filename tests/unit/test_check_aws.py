"""`--check-aws`: which calls it makes, what it makes of the answers, and what it prints."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from api.annotations import DEFAULT_REGION, OWNER_ACCOUNT_ID, ROLE_ARN
from controller import __main__ as main_module
from controller.aws.errors import AwsError, CallError, LocalRefusal
from controller.aws.events.receiver import QueueAddress
from controller.aws.targets import BASE_IDENTITY, Target, TargetDefaults
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.rights import app as rights_app
from controller.rights.app import ALL_ALLOWED, MISSING, examine
from controller.rights.check import Verdict, check
from controller.rights.identities import Identities, identities
from controller.rights.probes import UNCHECKED, Probe, probes
from controller.rights.queues import queue_probes, readers
from controller.runtime.errors import ErrorClass
from controller.settings import parse
from hack.sandbox.aws.records.validation import validate
from tests.fakes.calls import refusal
from tests.tables import each_row

ACCOUNT, REGION, NONCE = "123456789012", "eu-west-1", "0a1b2c3d"
PROBES = probes(ACCOUNT, REGION, NONCE)
OWN = Target(REGION)
POLICY = Path(__file__).parents[2] / "docs" / "iam" / "operator.json"
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "User: x is not authorized to perform it")
READS = ("Describe", "List", "Search")


class FakeApi:
    """Answers by operation; what is not listed is refused as AWS refuses what does not exist."""

    def __init__(self, answers: Mapping[str, CallError | None] | None = None) -> None:
        self.answers = dict(answers or {})
        self.calls: list[tuple[str, str, Target]] = []

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], *, caller: object
    ) -> dict[str, Any]:
        """See `AwsApi.call`."""
        self.calls.append((service, operation, target))
        if operation == "GetCallerIdentity":
            if (error := self.answers.get(f"{target.identity.role} GetCallerIdentity")) is not None:
                raise error
            return {"Account": ACCOUNT, "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/session"}
        if operation.startswith(READS) and operation not in self.answers:
            return {}
        error = self.answers.get(operation, refusal(operation, "Could not find it"))
        if error is not None:
            raise error
        return {}


def examined(api: FakeApi, found: Identities | None = None) -> tuple[int, str]:
    """Exit code and text of a check."""
    out = io.StringIO()
    code = examine(found or Identities({OWN: []}), api, lambda timeout_s: None, out)
    return code, out.getvalue()


# --- which calls


def test_each_right_of_the_policy_is_checked_or_said_not_to_be() -> None:
    """docs/iam/operator.json is what the operator calls, and a test holds it to the code."""
    statements = json.loads(POLICY.read_text())["Statement"]
    needed = {action for each in statements for action in each["Action"]}
    assert {probe.action for probe in PROBES} | set(UNCHECKED) == needed
    assert not {probe.action for probe in PROBES} & set(UNCHECKED)
    assert [probe.action for probe in PROBES if probe.is_optional] == ["sagemaker:Search"]


@each_row("probe", PROBES, ids=lambda probe: probe.operation)
def test_each_call_is_well_formed(probe: Probe) -> None:
    """A form that AWS refuses says nothing about rights."""
    validate(probe.service, probe.operation, probe.request)


@each_row("probe", PROBES, ids=lambda probe: probe.operation)
def test_no_call_can_change_anything(probe: Probe) -> None:
    """It reads, or it is about what nobody has; a creation refers to what nobody has, too, and can be taken back."""
    if probe.operation.startswith(("List", "Search")) or probe.operation.startswith("DescribeScal"):
        return
    text = json.dumps(dict(probe.request))
    names = text.count(f"does-not-exist-{NONCE}")
    is_creation = probe.operation.startswith(("Create", "Register"))
    assert names >= (2 if probe.operation.startswith("Create") else 1)
    assert (probe.undo is not None) == is_creation


def test_names_of_two_checks_differ() -> None:
    """Nobody can have prepared a resource of the name."""
    one, other = (json.dumps([dict(each.request) for each in probes(ACCOUNT, REGION, nonce)]) for nonce in ("a1", "b2"))
    assert one != other


# --- what the answers mean

ANSWERS: list[tuple[CallError | None, Verdict]] = [
    (None, Verdict.ALLOWED),
    (refusal("DeleteModel", "Could not find model"), Verdict.ALLOWED),
    (AwsError(ErrorClass.NOT_FOUND, "ResourceNotFound", "no"), Verdict.ALLOWED),
    (AwsError(ErrorClass.INVALID, "ValidationException", "Could not assume role"), Verdict.ALLOWED),
    (AwsError(ErrorClass.QUOTA, "ResourceLimitExceeded", "no"), Verdict.ALLOWED),
    (AwsError(ErrorClass.CONFLICT, "ValidationException", "in progress"), Verdict.ALLOWED),
    (DENIED, Verdict.DENIED),
    (AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform: iam:PassRole"), Verdict.ALLOWED),
    (AwsError(ErrorClass.DENIED, "ExpiredTokenException", "too old"), Verdict.UNKNOWN),
    (AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded"), Verdict.UNKNOWN),
    (AwsError(ErrorClass.RETRYABLE, "EndpointUnreachable", "no route"), Verdict.UNKNOWN),
    (LocalRefusal(ErrorClass.INVALID, "UnknownRegion", "never sent"), Verdict.UNKNOWN),
]


@each_row(("answer", "verdict"), ANSWERS, ids=lambda each: getattr(each, "code", ""))
def test_an_answer_that_is_about_anything_else_than_the_right_shows_that_it_is_there(
    answer: CallError | None, verdict: Verdict
) -> None:
    """AWS decides about the right before it looks at the rest. No answer, or none about the call, shows nothing."""
    probe = next(each for each in PROBES if each.operation == "DeleteModel")
    (finding,) = check(FakeApi({"DeleteModel": answer}), OWN, [probe], lambda timeout_s: None)
    assert finding.verdict is verdict
    assert bool(finding.message) == (verdict is not Verdict.ALLOWED)


def test_throttled_calls_are_made_again_as_aws_asks() -> None:
    """Three times, not for ever."""
    error = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
    error.retry_after_s = 3.0
    pauses: list[float] = []
    api = FakeApi({"ListTrainingJobs": error})
    probe = next(each for each in PROBES if each.operation == "ListTrainingJobs")
    check(api, OWN, [probe], pauses.append)
    assert len(api.calls) == 3
    assert pauses == [3.0, 3.0, 3.0]


@each_row("probe", [each for each in PROBES if each.undo], ids=lambda each: each.operation)
def test_a_creation_that_aws_accepts_after_all_is_taken_back(probe: Probe) -> None:
    """It never should; a job that runs would cost money."""
    api = FakeApi({probe.operation: None})
    (finding,) = check(api, OWN, [probe], lambda timeout_s: None)
    assert probe.undo is not None
    assert [operation for _, operation, _ in api.calls] == [probe.operation, probe.undo[0]]
    assert finding.verdict is Verdict.UNKNOWN, "it was not there to be taken back"
    api.answers[probe.undo[0]] = None
    assert check(api, OWN, [probe], lambda timeout_s: None)[0].verdict is Verdict.ALLOWED


# --- what is printed


def test_all_is_well() -> None:
    """Exit code 0, a line for each right, and which ones cannot be checked."""
    code, text = examined(FakeApi())
    assert code == ALL_ALLOWED
    assert (
        text.splitlines()[0] == f"arn:aws:sts::{ACCOUNT}:assumed-role/operator/session in {REGION}, the operator's own:"
    )
    assert all(f"  allowed   {probe.action}\n" in text for probe in PROBES)
    assert all(action in text for action in UNCHECKED)
    assert f"rights: {len(PROBES)} allowed, 0 unknown, 0 denied" in text


@each_row("probe", PROBES, ids=lambda probe: probe.operation)
def test_each_missing_right_is_named_with_what_does_not_work_without_it(probe: Probe) -> None:
    """First of all lines, with AWS's words; the exit code is 1 unless the right is optional."""
    code, text = examined(FakeApi({probe.operation: DENIED}))
    first, words = text.splitlines()[1:3]
    assert first.split()[:2] == ["denied" if probe.is_optional else "DENIED", probe.action]
    assert probe.without in first
    assert "not authorized" in words
    assert code == (ALL_ALLOWED if probe.is_optional else MISSING)
    assert ("docs/iam/operator.json" in text) == (not probe.is_optional)


@pytest.mark.parametrize("is_optional", [True, False])
def test_what_is_unknown_is_not_taken_for_allowed(is_optional: bool) -> None:
    """A script that goes on after exit code 0 relies on it."""
    unknown = AwsError(ErrorClass.RETRYABLE, "EndpointUnreachable", "no route")
    code, text = examined(FakeApi({"Search" if is_optional else "ListEndpoints": unknown}))
    assert code == (ALL_ALLOWED if is_optional else MISSING)
    assert "EndpointUnreachable" in text


# --- status queues

QUEUE = QueueAddress.of("https://sqs.eu-west-1.amazonaws.com/210987654321/sagemaker-operator-status", "")
QUEUE_PROBES = tuple(queue_probes(QUEUE))
NO_QUEUE = AwsError(ErrorClass.NOT_FOUND, "AWS.SimpleQueueService.NonExistentQueue", "no such queue")


def test_each_right_of_the_policy_about_status_queues_is_checked() -> None:
    """docs/iam/status-queue.json, with calls that are well formed."""
    (statement,) = json.loads(POLICY.with_name("status-queue.json").read_text())["Statement"]
    assert sorted(probe.action for probe in QUEUE_PROBES) == statement["Action"]
    received = QUEUE_PROBES[0].request
    assert (received["VisibilityTimeout"], received["WaitTimeSeconds"]) == (0, 0), "it stays where it is"


def read(api: FakeApi, *namespaces: NamespaceSettings) -> tuple[int, str]:
    """Exit code and text of a check with a status queue."""
    out = io.StringIO()
    found = identities(TargetDefaults(region=REGION), list(namespaces))
    return examine(found, api, lambda timeout_s: None, out, {QUEUE: readers(QUEUE, found.namespaces)}), out.getvalue()


def test_the_rights_to_read_a_status_queue_are_checked() -> None:
    """Such as those of the operator's own identity."""
    code, text = read(FakeApi({probe.operation: None for probe in QUEUE_PROBES}))
    assert code == ALL_ALLOWED
    assert "status queue sagemaker-operator-status in eu-west-1:\n  allowed   sqs:DeleteMessage" in text


@pytest.mark.parametrize("error", [DENIED, NO_QUEUE], ids=["denied", "no such queue"])
@pytest.mark.parametrize("probe", QUEUE_PROBES, ids=lambda probe: probe.operation)
def test_a_status_queue_that_cannot_be_read_is_a_problem(probe: Probe, error: CallError) -> None:
    """One that does not exist, too: SQS may answer so where the right is missing."""
    code, text = read(FakeApi({each.operation: None for each in QUEUE_PROBES} | {probe.operation: error}))
    assert code == MISSING
    assert f"{probe.action}  without it, state changes of the status queue are not used" in text


def test_a_role_of_the_queues_account_reads_it_and_else_the_operator_itself() -> None:
    """As the receiver does: another identity is tried once the first is denied."""
    role = "arn:aws:iam::210987654321:role/team"
    other = "arn:aws:iam::111111111111:role/other"
    api = FakeApi({each.operation: None for each in QUEUE_PROBES})
    read(api, settings("a", role=other), settings("b", role=role))
    assert [target.identity.role for service, _, target in api.calls if service == "sqs"] == [role, role]
    api = FakeApi({each.operation: DENIED for each in QUEUE_PROBES})
    read(api, settings("b", role=role))
    assert [target.identity.role for service, _, target in api.calls if service == "sqs"] == [role, role, "", ""]


# --- roles of namespaces

ROLE = "arn:aws:iam::210987654321:role/team"


def settings(name: str, **annotations: str) -> NamespaceSettings:
    """A namespace with these annotations."""
    keys = {"role": ROLE_ARN.key, "account": OWNER_ACCOUNT_ID.key, "region": DEFAULT_REGION.key}
    return NamespaceSettings(name, {keys[each]: text for each, text in annotations.items()})


def test_namespaces_that_share_a_role_are_checked_once_and_named() -> None:
    """Each role in each region is one identity; the operator's own comes first."""
    given = [settings("a", role=ROLE), settings("b", role=ROLE), settings("c", role=ROLE, region="us-east-1")]
    found = identities(TargetDefaults(region=REGION), given)
    assert list(found.namespaces.values()) == [[], ["a", "b"], ["c"]]
    api = FakeApi()
    code, text = examined(api, found)
    assert code == ALL_ALLOWED
    assert ", for namespaces a, b:" in text
    assert {target.identity.role for _, _, target in api.calls} == {"", ROLE}
    assert len(api.calls) == 3 * (len(PROBES) + 1)


def test_a_namespace_with_settings_that_lead_nowhere_is_a_problem() -> None:
    """Its objects would show it, one by one."""
    found = identities(TargetDefaults(region=REGION), [settings("lost", account="210987654321")])
    code, text = examined(FakeApi(), found)
    assert code == MISSING
    assert "PROBLEM namespace lost: " in text
    assert "the account map names no role" in text


def test_a_role_that_cannot_be_assumed_is_a_problem_and_the_others_are_checked() -> None:
    """The trust policy of the role, perhaps."""
    found = identities(TargetDefaults(region=REGION), [settings("a", role=ROLE)])
    code, text = examined(FakeApi({f"{ROLE} GetCallerIdentity": DENIED}), found)
    assert code == MISSING
    assert f"PROBLEM {ROLE} cannot be used: AccessDeniedException" in text
    assert f"rights: {len(PROBES)} allowed" in text


def test_without_a_region_of_its_own_the_operators_identity_needs_none_where_namespaces_have_theirs() -> None:
    """And with neither, the message says where to set one."""
    found = identities(TargetDefaults(), [settings("a", role=ROLE, region="us-east-1")])
    assert [target.identity for target in found.namespaces] != [BASE_IDENTITY]
    with pytest.raises(CallError, match="--aws-region"):
        identities(TargetDefaults(), [])


def test_the_flag_runs_the_check_instead_of_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code is that of the check."""
    ran: list[bool] = []
    monkeypatch.setattr(main_module.logs, "configure", lambda **_options: None)
    monkeypatch.setattr(rights_app, "run", lambda chosen: ran.append(chosen.check_aws) or MISSING)
    monkeypatch.setattr(main_module.app, "run", lambda chosen: pytest.fail("the operator ran"))
    assert main_module.main(["--check-aws"]) == MISSING
    assert ran == [True]
    assert parse([]).check_aws is False
