"""What is computed of an object is kept for its next passes, and is the same as if it were computed in each of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest

from api.annotations import AWS_RESOURCE, DEFAULT_REGION, DEFAULT_TAGS, ROLE_ARN
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from controller.aws.targets import Target, TargetDefaults
from controller.reconcile.context import Context
from controller.reconcile.job import perform
from controller.reconcile.managed import managed_object
from controller.reconcile.managed.aws_identity import AwsIdentity
from controller.reconcile.managed.local_state import MEMOS, LocalState, LocalStates, Memo
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.reconcile.settings import ReconcilerSettings
from controller.runtime.errors import Terminal
from tests.fakes.clock import FakeClock
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.tables import each_row

ROLE = "arn:aws:iam::123456789012:role/operator"


class OneNamespace:
    """`Namespaces` with the same settings for all."""

    def __init__(self) -> None:
        self.annotations: dict[str, str] = {}

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name, dict(self.annotations))

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """See `Namespaces.confirm`."""


class SomeAccounts:
    """`Accounts` with one answer, which counts the questions."""

    def __init__(self) -> None:
        self.account = "123456789012"
        self.asked = 0

    def of(self, target: Target) -> str:
        """See `Accounts.of`."""
        self.asked += 1
        return self.account

    def learn(self, target: Target, account: str) -> None:
        """See `Accounts.learn`."""


class Scene:
    """An object, its namespace, and the passes over it."""

    def __init__(self) -> None:
        self.namespaces, self.accounts = OneNamespace(), SomeAccounts()
        defaults = TargetDefaults(region="us-east-2")
        settings = ReconcilerSettings("cluster-1", "test/1", defaults, self.namespaces, self.accounts)
        no_effects: Any = None
        self.context = Context(TRAINING_JOB, no_effects, FakeClock(), settings)
        self.obj: JsonObject = manifest(region=None)
        self.obj["metadata"] |= {"uid": "uid-1", "generation": 1, "resourceVersion": "1"}

    def edit(self, **spec: Any) -> None:
        """Edit the spec, as a user does."""
        self.obj["spec"] |= spec
        self.obj["metadata"]["generation"] += 1

    def observe(self, state: LocalState) -> AwsIdentity:
        """Begin a pass."""
        managed = ManagedObject(self.context, KEY, self.obj, state)
        managed.observe()
        return managed.identity


@pytest.fixture
def resolutions(monkeypatch: pytest.MonkeyPatch) -> list[AwsIdentity]:
    """The identities that were resolved, in order."""
    found: list[AwsIdentity] = []
    resolve: Any = managed_object.resolve

    def counted(*args: Any) -> AwsIdentity:
        found.append(resolve(*args))
        return found[-1]

    monkeypatch.setattr(managed_object, "resolve", counted)
    return found


RECORDED: Mapping[str, Any] = {"name": "job-1", "region": "eu-west-1", "accountId": "123456789012"}
EDITS: Mapping[str, Callable[[Scene], object]] = {
    "region": lambda scene: scene.edit(region="us-west-1"),
    "endpoint": lambda scene: scene.edit(sageMakerEndpoint="https://sagemaker.example.com"),
    "tags": lambda scene: scene.edit(tags=[{"key": "team", "value": "a"}]),
    "name": lambda scene: scene.edit(trainingJobName="another"),
    "owner": lambda scene: scene.obj["metadata"].update(ownerReferences=[{"uid": "uid-2", "controller": True}]),
    "annotation of the object": lambda scene: scene.obj["metadata"].update(
        annotations={AWS_RESOURCE.key: '{"name": "job-1", "launchedBy": "default/uid-2"}'}
    ),
    "role of the namespace": lambda scene: scene.namespaces.annotations.update({ROLE_ARN.key: ROLE}),
    "region of the namespace": lambda scene: scene.namespaces.annotations.update({DEFAULT_REGION.key: "us-west-1"}),
    "tags of the namespace": lambda scene: scene.namespaces.annotations.update({DEFAULT_TAGS.key: "team=a"}),
    "record": lambda scene: scene.obj.update(status={"awsResource": dict(RECORDED)}),
    "record of another region": lambda scene: scene.obj.update(
        status={"awsResource": {**RECORDED, "name": "xgboost-uid1"}}
    ),
}
"""What an identity is made of, and may change while the object is there."""


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_identity_is_resolved_again_when_what_it_is_made_of_changes(
    edit: Callable[[Scene], object], resolutions: list[AwsIdentity]
) -> None:
    """The next pass has what a process that has just started has."""
    scene, state = Scene(), LocalState("uid-1")
    before = scene.observe(state)
    assert scene.observe(state) is before
    assert len(resolutions) == 1

    edit(scene)

    after = scene.observe(state)
    assert after == scene.observe(LocalState("uid-1"))
    assert after != before


def test_a_record_of_the_region_that_was_resolved_changes_nothing(resolutions: list[AwsIdentity]) -> None:
    """As after each creation. Once it is recorded, the region stays, whatever the spec and the namespace say."""
    scene, state = Scene(), LocalState("uid-1")
    scene.edit(trainingJobName="job-1")
    before = scene.observe(state)
    scene.obj["status"] = {"awsResource": {**RECORDED, "region": "us-east-2"}}

    assert scene.observe(state) is before
    assert len(resolutions) == 1
    assert before == scene.observe(LocalState("uid-1"))

    del scene.obj["status"]  # a backup was restored over it
    assert scene.observe(state) is not before


class Writes:
    """`EffectGate` over an object, whose writes may be changed by an admission webhook."""

    def __init__(self, scene: Scene, **admitted: Any) -> None:
        self._scene = scene
        self._admitted = admitted

    def ensure_finalizer(self, _kind: object, _key: object, obj: JsonObject, name: str, *_: object) -> JsonObject:
        """See `EffectGate.ensure_finalizer`."""
        spec = {**obj["spec"], "trainingJobName": name, **self._admitted}
        metadata = {**obj["metadata"], "resourceVersion": "2", "generation": 2}
        self._scene.obj = {**obj, "metadata": metadata, "spec": spec}
        return self._scene.obj


@pytest.mark.parametrize(
    ("admitted", "resolved"),
    [({}, 1), ({"region": "us-west-1"}, 2), ({"trainingJobName": "another"}, 2)],
    ids=["the name alone", "another region", "another name"],
)
def test_the_name_that_is_written_into_the_spec_changes_nothing(
    admitted: dict[str, str], resolved: int, resolutions: list[AwsIdentity]
) -> None:
    """It is another generation, of the operator's own making."""
    scene, state = Scene(), LocalState("uid-1")
    scene.context = replace(scene.context, effects=cast("Any", Writes(scene, **admitted)))
    managed = ManagedObject(scene.context, KEY, scene.obj, state)
    name = managed.observe().name
    managed.ensure_finalizer(name)
    managed.observe()

    assert len(resolutions) == resolved
    assert managed.identity == scene.observe(LocalState("uid-1"))


@each_row("kind", [TRAINING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB], ids=lambda kind: kind.kind)
def test_an_object_without_a_spec_says_what_it_lacks(kind: KindDescriptor) -> None:
    """Not each CRD requires a spec: the name is the first thing in it."""
    world = World(kind)
    world.cluster.apply({name: value for name, value in manifest().items() if name != "spec"} | {"kind": kind.kind})
    world.run(60)

    assert {type(each) for each in world.errors} == {Terminal}
    assert "no region" in world.status["conditions"][0]["message"]


def test_a_job_is_digested_and_resolved_once_in_its_life(
    resolutions: list[AwsIdentity], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its status records is what its spec asks for as it is, with the name."""
    digests: list[str] = []
    digest = perform.content_digest

    def counted(kind: KindDescriptor, spec: Mapping[str, Any]) -> str:
        digests.append(digest(kind, spec))
        return digests[-1]

    monkeypatch.setattr(perform, "content_digest", counted)
    world = World()
    world.cluster.apply(world.manifest())
    world.run(60)
    ((_, name),) = world.aws.jobs
    world.aws.move(name, "InProgress", "Training")
    world.run(60)
    world.aws.move(name, "Completed")
    world.run(60)

    assert world.value == "Completed"
    assert len(resolutions) == len(digests) == 1
    assert world.status["awsResource"]["contentDigest"] == digest(TRAINING_JOB, world.obj["spec"])


@pytest.mark.parametrize(
    "wrong", [{ROLE_ARN.key: "no ARN"}, {DEFAULT_TAGS.key: "no tags"}, {DEFAULT_REGION.key: "no region"}], ids=str
)
def test_an_error_is_made_for_each_pass(wrong: dict[str, str], resolutions: list[AwsIdentity]) -> None:
    """An exception that is raised again and again keeps the frames of all passes alive."""
    scene, state = Scene(), LocalState("uid-1")
    scene.namespaces.annotations.update(wrong)

    first, second = scene.observe(state), scene.observe(state)

    assert first.fault is not None
    assert second.fault is not None
    assert first.fault is not second.fault
    assert len(resolutions) == 2


@pytest.mark.parametrize(
    ("account", "asked"),
    [
        pytest.param("123456789012", 1, id="the recorded one: does not change while the identity is the same"),
        pytest.param("999999999999", 2, id="another: AWS is not called, and the next pass checks it again"),
        pytest.param("", 2, id="unknown, and may become known"),
    ],
)
def test_the_account_is_checked_until_it_is_known_to_be_the_recorded_one(account: str, asked: int) -> None:
    scene, state = Scene(), LocalState("uid-1")
    scene.accounts.account = account
    scene.obj["status"] = {"awsResource": dict(RECORDED)}

    scene.observe(state)
    scene.observe(state)
    assert scene.accounts.asked == asked

    scene.namespaces.annotations[ROLE_ARN.key] = ROLE
    scene.observe(state)
    assert scene.accounts.asked == asked + 1, "another identity"


def test_the_memo_of_an_object_without_hints_is_kept_and_lasts_for_this_very_object() -> None:
    states = LocalStates()
    state = states.of(KEY, "uid-1")
    states.release(KEY, state)

    assert len(states) == 0
    assert states.of(KEY, "uid-1") is not state
    assert states.of(KEY, "uid-1").memo is state.memo
    states.release(KEY, states.of(KEY, "uid-1"))
    assert states.of(KEY, "uid-2").memo is not state.memo, "another object of that name"


def test_an_object_that_is_gone_leaves_nothing() -> None:
    states = LocalStates()
    memo = states.of(KEY, "uid-1").memo
    states.release(KEY, states.of(KEY, "uid-1"))
    states.forget(KEY)

    assert states.of(KEY, "uid-1").memo is not memo


def test_a_process_keeps_the_memos_of_the_last_objects_only() -> None:
    """Memory does not grow with objects at rest, of which a cluster may have a hundred thousand."""
    states = LocalStates()
    memos: list[Memo] = []
    for n in range(MEMOS + 2):
        state = states.of(key := ObjectKey("default", f"job-{n}"), "uid-1")
        memos.append(state.memo)
        states.release(key, state)
        states.release(ObjectKey("default", "job-0"), states.of(ObjectKey("default", "job-0"), "uid-1"))  # used again

    kept = [states.of(ObjectKey("default", f"job-{n}"), "uid-1").memo is memo for n, memo in enumerate(memos)]
    assert kept == [True, False, False, *[True] * (MEMOS - 1)]
