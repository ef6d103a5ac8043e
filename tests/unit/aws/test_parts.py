"""The Lists of what AWS names itself: requests that the service model allows, and answers that show the marks."""

from datetime import timedelta
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.v1 import KINDS, MODEL_PACKAGE, PIPELINE_EXECUTION
from controller.aws.sagemaker import PAGE_SIZE
from controller.aws.targets import Target
from controller.reconcile.managed.marker import is_marked, marked
from tests.every_property.amazon import EmbeddedAws
from tests.fakes import FakeClock

HERE = Target("us-east-2")
OURS = {"metadata": {"namespace": "ns", "name": "ours", "uid": "1-2-3"}}
DEFINITION = '{"Version": "2020-12-01", "Steps": [{"Name": "Wait", "Type": "Callback"}]}'
ROLE = "arn:aws:iam::123456789012:role/r"


class Account:
    """An account with two parents, and a clock."""

    def __init__(self, kind: KindDescriptor) -> None:
        self._kind, self.clock = kind, FakeClock()
        self.aws = EmbeddedAws(self.clock)
        for parent in ("g", "other"):
            if kind is MODEL_PACKAGE:
                self._call("CreateModelPackageGroup", ModelPackageGroupName=parent)
            else:
                token = {"ClientRequestToken": parent.ljust(32, "0")}
                self._call("CreatePipeline", PipelineName=parent, PipelineDefinition=DEFINITION, RoleArn=ROLE, **token)

    def _call(self, operation: str, **request: Any) -> dict[str, Any]:
        return self.aws.wire.call(HERE, "sagemaker", operation, request, caller="test")

    def create(self, parent: str = "g") -> str:
        """Create one, marked as `OURS`."""
        self.clock.advance(60.0)
        content = {"SourceUri": "s3://b/m"} if self._kind is MODEL_PACKAGE else {}
        request = marked(self._kind, OURS, {self._kind.name.among: parent, **content})
        arn: str = self._call(self._kind.operations.create, **request)[self._kind.status.arn_member]
        return arn

    def found(self, parent: str = "g", *, since_s: float = 3600.0) -> list[str]:
        """The ARNs of all pages, in order, of what was created in the last seconds."""
        arns, token = [], ""
        while True:
            page = self.aws.parts.created_page(
                self._kind,
                HERE,
                parent,
                self.clock.utcnow() - timedelta(seconds=since_s),
                next_token=token,
                caller="test",
            )
            assert all(is_marked(self._kind, OURS, item) for item in page.items)
            arns += [item[self._kind.status.arn_member] for item in page.items]
            if not (token := page.next_token):
                return arns


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name.among], ids=lambda kind: kind.kind)
def test_what_a_parent_has_got_is_listed_oldest_first(kind: KindDescriptor) -> None:
    """Of that parent alone, and since then; nothing for a parent that does not exist."""
    account = Account(kind)
    first, _, second = account.create(), account.create("other"), account.create()
    assert account.found() == [first, second]
    assert account.found(since_s=90.0) == [second]
    assert account.found("none") == []


def test_pages_are_read_on() -> None:
    """A group may have thousands."""
    account = Account(MODEL_PACKAGE)
    arns = [account.create() for _ in range(PAGE_SIZE + 1)]
    assert account.found(since_s=10 * 60.0 * PAGE_SIZE) == arns


def test_what_aws_names_is_marked_and_gets_no_tags() -> None:
    """A kind with a parent has a member for the mark, and a token."""
    named = {kind for kind in KINDS if kind.name.by_aws}
    assert named == {kind for kind in KINDS if kind.name.among} == {MODEL_PACKAGE, PIPELINE_EXECUTION}
    assert all(kind.name.mark and kind.name.token and kind.untagged_with for kind in named)
    assert {kind for kind in KINDS if not kind.is_tagged} == {PIPELINE_EXECUTION}
