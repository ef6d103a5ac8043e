"""docs/adding-a-life-cycle.md is true: its folder, put into `reconcile`, and one line in the list make a life-cycle."""

import importlib
import re
import sys
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

import api.models
import controller.reconcile
from api.compat import Compat, StatusField
from api.descriptor import KindDescriptor, LifeCycle, NameRule, Operations, StatusRule
from api.meta import FINALIZER, JsonObject, ObjectKey
from api.v1 import KINDS
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.controllers import CONTROLLERS
from controller.reconcile.checks import Checks
from controller.reconcile.effects import EffectGate
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Controllers, Setup, Shared
from controller.runtime.controller import DONE, Reconciler
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes import FakeClock
from tests.fakes.cluster import ClusterWriter, FakeCluster
from tests.fakes.recorder import FakeRecorder, OpenFence

_PAGE = (Path(__file__).parents[3] / "docs" / "adding-a-life-cycle.md").read_text("utf-8")
_FILES: Final[dict[str, str]] = dict(re.findall(r"`(\w+)\.py`\n.*?```python\n(.*?)```", _PAGE, re.DOTALL))
KEY: Final = ObjectKey("default", "code")
KIND: Final = KindDescriptor(
    kind="CodeRepository",
    plural="coderepositories",
    singular="coderepository",
    life_cycle=LifeCycle.RESOURCE,
    operations=Operations(
        create="CreateCodeRepository",
        describe="DescribeCodeRepository",
        list="ListCodeRepositories",
        stop="",
        list_items="CodeRepositorySummaryList",
        delete="DeleteCodeRepository",
    ),
    name=NameRule(
        member="CodeRepositoryName",
        spec_field="codeRepositoryName",
        status_field="sageMakerCodeRepositoryName",
        max_length=63,
        late_initialized=True,
    ),
    status=StatusRule(member="", field="status", reconciling="Reconciling", arn_member="CodeRepositoryArn"),
    compat=Compat(
        status=(
            StatusField("sageMakerCodeRepositoryName", "CodeRepositoryName", description="Name at AWS."),
            StatusField("status", description="Created."),
        )
    ),
)


class Repositories:
    """`Resources` in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.there: dict[str, JsonObject] = {}

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Resources.create`."""
        name = request["CodeRepositoryName"]
        if name in self.there:
            raise AwsError(ErrorClass.EXISTS, "ValidationException", "Cannot create already existing")
        arn = f"arn:aws:sagemaker:{target.region}:123456789012:code-repository/{name}"
        self.there[name] = {**request, "CodeRepositoryArn": arn, "CreationTime": self._clock.utcnow()}
        return arn

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> JsonObject | Absent:
        """See `Resources.describe`."""
        return self.there.get(name, ABSENT)

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        return None if self.there.pop(name, None) else ABSENT

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        there = next((each for each in self.there.values() if each["CodeRepositoryArn"] == arn), None)
        return ABSENT if there is None else {tag["Key"]: tag["Value"] for tag in there.get("Tags", ())}


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Setup]:
    """The page's folder, beside the life-cycles that there are."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "__init__.py").touch()
    for name, text in _FILES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.setattr(controller.reconcile, "__path__", [*controller.reconcile.__path__, str(tmp_path)])
    monkeypatch.setattr(
        api.models, "SERVICE_MODELS", tmp_path / "none"
    )  # botocore's model has the example's operations
    api.models.shared_loader.cache_clear()
    importlib.invalidate_caches()
    made: Setup = importlib.import_module("controller.reconcile.repository.setup").SETUP
    yield made
    api.models.shared_loader.cache_clear()
    for name in [name for name in sys.modules if name.startswith("controller.reconcile.repository")]:
        del sys.modules[name]
    monkeypatch.delattr(controller.reconcile, "repository")


def reconciler(setup: Setup, cluster: FakeCluster, aws: Repositories, clock: FakeClock) -> Reconciler:
    """The reconciler of the new kind, as `app` makes those of all kinds."""
    port: Any = aws
    writer: Any = ClusterWriter({KIND.kind: cluster})
    effects = EffectGate(writer, port, FakeRecorder(), OpenFence())
    served: Any = SimpleNamespace(descriptor=KIND, store=cluster.store)
    settings = ReconcilerSettings(cluster_id="c", manager="m")
    shared = Shared({KIND.kind: served}, writer, port, port, port, effects, clock, settings, checks=Checks())
    return Controllers((setup, *CONTROLLERS.setups)).new_reconciler(served, None, shared)


def test_a_folder_and_a_line_in_the_list_make_a_life_cycle(setup: Setup) -> None:
    """Created with the operator's tags, shown, found again after a crash, and deleted with its object."""
    assert set(_FILES) == {"decide", "perform", "setup"}
    clock = FakeClock()
    cluster, aws = FakeCluster(clock), Repositories(clock)
    cluster.apply(
        {
            "apiVersion": "sagemaker.aws.amazon.com/v1",
            "kind": "CodeRepository",
            "metadata": {"namespace": KEY.namespace, "name": KEY.name},
            "spec": {"region": "eu-west-1", "gitConfig": {"repositoryUrl": "https://git.example.com/code"}},
        }
    )

    assert reconciler(setup, cluster, aws, clock).reconcile(KEY) == DONE
    obj = cluster.get(KEY) or {}
    (name,) = aws.there
    assert aws.there[name]["GitConfig"] == {"RepositoryUrl": "https://git.example.com/code"}
    assert {tag["Key"]: tag["Value"] for tag in aws.there[name]["Tags"]}["sagemaker.aws.amazon.com/name"] == "code"
    assert obj["metadata"]["finalizers"] == [FINALIZER]
    assert (obj["status"]["status"], obj["status"]["sageMakerCodeRepositoryName"]) == ("Created", name)
    assert [each["status"] for each in obj["status"]["conditions"] if each["type"] == "Ready"] == ["True"]

    cluster.lose_status(KEY)
    reconciler(setup, cluster, aws, clock).reconcile(KEY)
    assert (cluster.get(KEY) or {})["status"]["awsResource"]["name"] == name

    cluster.delete(KEY)
    reconciler(setup, cluster, aws, clock).reconcile(KEY)
    assert cluster.get(KEY) is None
    assert aws.there == {}


def test_what_others_have_put_in_its_place_is_left_alone(setup: Setup) -> None:
    """The life-cycle of the page knows its resource by more than the name."""
    clock = FakeClock()
    cluster, aws = FakeCluster(clock), Repositories(clock)
    obj = {"apiVersion": "sagemaker.aws.amazon.com/v1", "kind": "CodeRepository", "spec": {"region": "eu-west-1"}}
    cluster.apply({**obj, "metadata": {"namespace": KEY.namespace, "name": KEY.name}})
    assert reconciler(setup, cluster, aws, clock).reconcile(KEY) == DONE
    (name,) = aws.there
    clock.advance(3600)
    aws.there[name] = {**aws.there[name], "Tags": [], "CreationTime": clock.utcnow()}
    cluster.delete(KEY)
    reconciler(setup, cluster, aws, clock).reconcile(KEY)
    assert cluster.get(KEY) is None
    assert set(aws.there) == {name}


def test_the_kinds_that_there_are_keep_their_life_cycles(setup: Setup) -> None:
    """A setup speaks for the kinds that it serves only."""
    both = Controllers((setup, *CONTROLLERS.setups))
    assert both.of(KIND) is setup
    assert [both.of(each) for each in KINDS] == [CONTROLLERS.of(each) for each in KINDS]
