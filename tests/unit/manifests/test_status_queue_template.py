"""The CloudFormation template of the status queue: valid, closed to everybody else, and what the operator reads."""

import json
import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller import flags
from controller.aws.events.message import DETAIL_TYPES, SOURCE, StatusEvent, parse
from hack.sandbox.aws.state_changes import SPELLINGS, STEPS

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "config" / "aws" / "status-queue.yaml"


class _Loader(yaml.SafeLoader):
    """Reads the short form of CloudFormation's functions as `{"Ref": …}`."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    assert isinstance(node, yaml.ScalarNode)
    return {suffix: loader.construct_scalar(node)}


_Loader.add_multi_constructor("!", _function)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)
    return loaded


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    """The properties of a resource."""
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


@pytest.mark.long
def test_cfn_lint_has_nothing_to_say() -> None:
    """As `cfn-lint config/aws/status-queue.yaml`."""
    try:
        from cfnlint.api import lint_all  # noqa: PLC0415 - slow, and for this test only
    except ModuleNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip("cfn-lint is not installed: it is in the dependency group `dev`, for Python below 3.15")
    found = [match for match in lint_all(TEMPLATE.read_text()) if not match.rule.id.startswith("I")]  # I: information
    assert [str(match) for match in found] == []


def test_the_rule_sends_the_events_that_the_operator_reads(template: dict[str, Any]) -> None:
    """All of them, and no others: each message costs."""
    pattern = properties(template, "StateChanges")["EventPattern"]
    assert pattern["source"] == [SOURCE]
    assert sorted(pattern["detail-type"]) == sorted(DETAIL_TYPES)


def test_only_the_two_rules_may_send(template: dict[str, Any]) -> None:
    """Not even identities of the account whose own policies would allow it."""
    rules = [{"GetAtt": "StateChanges.Arn"}, {"GetAtt": "Heartbeat.Arn"}]
    statements = {each["Sid"]: each for each in properties(template, "OnlyTheseRules")["PolicyDocument"]["Statement"]}
    assert statements["RulesMaySend"]["Condition"] == {"ArnEquals": {"aws:SourceArn": rules}}
    assert [sid for sid, each in statements.items() if each["Effect"] == "Allow"] == ["RulesMaySend"]
    assert statements["NobodyElseMaySend"]["Condition"] == {"ArnNotEquals": {"aws:SourceArn": rules}}


@pytest.mark.parametrize("queue", ["StatusQueue", "DeadLetters"])
def test_queues_are_encrypted(template: dict[str, Any], queue: str) -> None:
    """With SQS's own keys: a key of KMS would have to let EventBridge use it."""
    assert properties(template, queue)["SqsManagedSseEnabled"] is True


def test_the_operators_policy_allows_the_queue_by_its_name(template: dict[str, Any]) -> None:
    """The default name, of which the URL is one that the operator accepts."""
    name = template["Parameters"]["QueueName"]["Default"]
    (statement,) = json.loads((ROOT / "docs" / "iam" / "status-queue.json").read_text())["Statement"]
    assert fnmatchcase(f"arn:aws:sqs:us-east-2:123456789012:{name}", statement["Resource"])
    assert re.fullmatch(template["Parameters"]["QueueName"]["AllowedPattern"], name)
    url = f"https://sqs.us-east-2.amazonaws.com/123456789012/{name}"
    assert flags.queue_urls(url) == (url,)


def test_the_sandbox_publishes_every_event_that_is_read() -> None:
    """In a form that the operator reads back, spelling and times included."""
    assert {spelling.detail_type for spelling in (*SPELLINGS, STEPS)} == set(DETAIL_TYPES)
    for spelling in SPELLINGS:
        if spelling.detail is not None:
            continue  # `test_pipelines` has those
        kind, status = spelling.kind, "InService" if spelling.kind.resource == "Endpoint" else "Completed"
        detail = {
            kind.name_member: "x",
            kind.status_member: spelling.status(status),
            "LastModifiedTime": spelling.time(1_777_636_800.25),
        }
        arn = f"arn:aws:sagemaker:us-east-2:123456789012:{kind.arn_segment}/x"
        envelope = {"source": SOURCE, "detail-type": spelling.detail_type, "region": "us-east-2", "resources": [arn]}
        event = parse(json.dumps(envelope | {"detail": detail}))
        assert isinstance(event, StatusEvent)
        assert (event.name, event.status, event.modified.timestamp()) == ("x", status, 1_777_636_800.25)
