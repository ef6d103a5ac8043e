"""Namespaces as tenants: what is known of them, and what becomes of their objects."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.meta import GROUP, JsonObject, ObjectKey, Resource
from api.v1 import TRAINING_JOB
from controller.aws.errors import LocalRefusal
from controller.aws.targets import Target, TargetDefaults
from controller.kube.errors import NotFound
from controller.reconcile.namespaces.cache import ACCOUNT_MAP, SettingsChanged, WatchedNamespaces, trim
from controller.reconcile.namespaces.confirmation import SHARED_S, is_shared
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.runtime.cache.store import Store
from controller.runtime.errors import ClassifiedError, ErrorClass
from tests.fakes.clock import FakeClock
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.sagemaker import FakeSageMaker
from tests.fakes.sagemaker.arns import ACCOUNT
from tests.fakes.world import World
from tests.tables import each_row

ROLE = "arn:aws:iam::111111111111:role/team"
OTHER_ROLE = "arn:aws:iam::222222222222:role/team"
MAP = ObjectKey("operator", ACCOUNT_MAP)


def namespace(version: str, annotations: dict[str, str] | None = None, **metadata: Any) -> JsonObject:
    """The namespace `default`, with annotations of ours."""
    ours = {f"{GROUP}/{name}": text for name, text in (annotations or {}).items()}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "default", "uid": "u", "resourceVersion": version, "annotations": ours, **metadata},
        "spec": {"finalizers": ["kubernetes"]},
    }


class ApiServer:
    """Namespaces as they are, and a cache that shows them as late as a test wants."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.store = Store(transform=trim)
        self.maps = Store()
        self.now: JsonObject | None = None
        self.version = 0
        self.reads = 0

    def annotate(self, *, is_seen: bool = True, **annotations: str) -> None:
        """The namespace gets these annotations of ours instead of those that it had."""
        self.version += 1
        said = {name.replace("_", "-"): text for name, text in annotations.items()}
        self.now = namespace(str(self.version), said)
        if is_seen:
            self.see()

    def see(self) -> None:
        """The watch catches up."""
        assert self.now is not None
        self.store.upsert({**self.now, "metadata": dict(self.now["metadata"])})

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """See `ObjectGetter.get`."""
        self.reads += 1
        assert (resource.plural, key) == ("namespaces", ObjectKey("", "default"))
        if self.now is None:
            raise NotFound("NotFound", "no such namespace")
        return self.now

    def reader(self) -> WatchedNamespaces:
        """What passes ask."""
        return WatchedNamespaces(self.store, self.maps, self, MAP, self.clock)


# --- what is known


def test_a_namespace_that_was_never_seen_is_no_namespace_without_settings() -> None:
    """CONFLICT, soon again: its objects must not be made in an account that it may not want."""
    with pytest.raises(ClassifiedError, match="NamespaceUnknown") as caught:
        ApiServer().reader().of("default")
    assert caught.value.error_class is ErrorClass.CONFLICT
    assert caught.value.retry_after_s


def test_the_account_map_names_the_role_of_an_account() -> None:
    """ConfigMap `sagemaker-operator-account-map` in the operator's namespace."""
    server = ApiServer()
    server.annotate(owner_account_id="111111111111")
    assert server.reader().of("default").mapped_role == ""
    data = {"111111111111": f"{ROLE}\n", "222222222222": OTHER_ROLE}
    server.maps.upsert({"metadata": {"namespace": MAP.namespace, "name": MAP.name}, "data": data})
    assert server.reader().of("default").mapped_role == ROLE


def test_only_what_is_ours_is_kept_of_a_namespace() -> None:
    """A cluster has thousands, with labels and annotations of everybody."""
    obj = namespace("7", {"paused": "true"}, labels={"a": "b"}, managedFields=[{}])
    obj["metadata"]["annotations"]["example.com/other"] = "x" * 1000
    trim(obj)
    assert obj == {
        "metadata": {
            "name": "default",
            "uid": "u",
            "resourceVersion": "7",
            "annotations": {f"{GROUP}/paused": "true"},
        }
    }


@pytest.mark.parametrize(
    ("change", "is_current"),
    [
        pytest.param(lambda server: None, True, id="as it was"),
        pytest.param(
            lambda server: server.annotate(is_seen=False, paused="true"), True, id="another version, same word"
        ),
        pytest.param(lambda server: server.annotate(is_seen=False), False, id="it says something else"),
        pytest.param(lambda server: setattr(server, "now", None), False, id="gone"),
    ],
)
def test_a_view_is_confirmed_by_the_api_server(change: Callable[[ApiServer], None], is_current: bool) -> None:
    """By what is said, not by version: others write to namespaces all the time."""
    server = ApiServer()
    server.annotate(paused="true")
    reader = server.reader()
    known = reader.of("default")
    change(server)
    if is_current:
        reader.confirm(known, server.clock.monotonic())
        return
    with pytest.raises(ClassifiedError) as caught:
        reader.confirm(known, server.clock.monotonic())
    assert caught.value.error_class is ErrorClass.CONFLICT


@each_row(
    ("seen_at", "began_at", "now", "is_proof"),
    [
        (10.0, 10.1, 10.1, True),
        (10.0, 10.1, 10.1 + SHARED_S / 2, True),
        (9.0, 10.0, 10.0 + SHARED_S, True),
        (9.0, 10.0, 10.01 + SHARED_S, False),
        (10.0, 10.0, 10.0, False),
        (10.2, 10.1, 10.3, False),
    ],
    ids=[
        "just read",
        "shared",
        "at the end of its time",
        "too old",
        "perhaps before the object",
        "before the object",
    ],
)
def test_a_read_proves_a_view_for_objects_that_were_there_before_it(
    seen_at: float, began_at: float, now: float, is_proof: bool
) -> None:
    """And for a short time."""
    assert is_shared(began_at, seen_at=seen_at, now=now) is is_proof


HISTORY = st.lists(st.one_of(st.sampled_from(["apply", "confirm", "see"]), st.sampled_from("ab"), st.floats(0.1, 0.9)))


@given(HISTORY)
def test_no_view_is_confirmed_that_is_older_than_the_object_or_than_a_second(history: list[str | float]) -> None:
    """Whatever the order in which the namespace changes, its watch shows that, and objects come and have their turn."""
    server = ApiServer()
    server.annotate(default_region="a")
    reader, objects, said = server.reader(), [server.clock.monotonic()], [(server.clock.monotonic(), "a")]
    for each in history:
        server.clock.advance(0.001)
        now = server.clock.monotonic()
        if isinstance(each, float):
            server.clock.advance(each)
        elif each == "apply":
            objects.append(now)
        elif each == "see":
            server.see()
        elif each == "confirm":
            known = reader.of("default")
            for seen_at in objects:
                try:
                    reader.confirm(known, seen_at)
                except ClassifiedError:
                    continue
                ends = [*(at for at, _ in said[1:]), now]
                since = max(seen_at, now - SHARED_S)
                held = {text for (_, text), end in zip(said, ends, strict=True) if end >= since}
                assert known.annotations[f"{GROUP}/default-region"] in held
        else:
            server.annotate(is_seen=False, default_region=each)
            said.append((now, each))


def test_namespaces_that_come_and_go_leave_nothing() -> None:
    """As those of CI, of which each has a name of its own: nobody asks for them again once their objects are gone."""
    clock, reads = FakeClock(), []
    client: Any = SimpleNamespace(get=lambda _, key: reads.append(key.name) or namespace("1"))
    reader = WatchedNamespaces(Store(), Store(), client, None, clock)
    for n in range(20):
        clock.advance(SHARED_S / 3)
        reader.confirm(NamespaceSettings(f"ci-{n}"), clock.monotonic())

    assert len(reads) == 20
    assert list(reader._reads) == ["ci-16", "ci-17", "ci-18", "ci-19"]


class Slow(ApiServer):
    """Answers the first read when it is released, and with an error if it `fails`."""

    def __init__(self, *, fails: bool) -> None:
        super().__init__()
        self.annotate()
        self.is_asked, self.is_released = threading.Event(), threading.Event()
        self._fails = fails

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """See `ObjectGetter.get`."""
        answer = super().get(resource, key)
        if not self.is_asked.is_set():
            self.is_asked.set()
            self.is_released.wait()
            if self._fails:
                raise ClassifiedError(ErrorClass.RETRYABLE, "Unavailable", "not now")
        return answer


@pytest.mark.parametrize(("fails", "reads"), [(False, {1}), (True, {2, 3, 4})], ids=["it is answered", "it fails"])
def test_a_read_is_shared_while_it_is_under_way(fails: bool, reads: set[int]) -> None:
    """Where the API server is slow, all turns of that time would have a read each. A failure is its own reader's."""
    server = Slow(fails=fails)
    reader = server.reader()
    known, seen_at = reader.of("default"), server.clock.monotonic()
    server.clock.advance(0.1)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(reader.confirm, known, seen_at)
        assert server.is_asked.wait(60.0)
        others = [pool.submit(reader.confirm, known, seen_at) for _ in range(3)]
        server.is_released.set()
    assert isinstance(first.exception(), ClassifiedError) is fails
    assert [each.exception() for each in others] == [None] * 3
    assert server.reads in reads


def test_objects_are_woken_by_what_concerns_them() -> None:
    """New namespaces have no objects yet, and who was held back comes by itself."""
    store, changed = Store(transform=trim), SettingsChanged()
    first = store.upsert(namespace("1", {"paused": "true"})).new
    same = store.upsert(namespace("2", {"paused": "true"}, labels={"a": "b"})).new
    other = store.upsert(namespace("3", {"paused": "false"})).new
    assert not changed.passes_add(first)
    assert not changed.passes_update(first, same)
    assert changed.passes_update(same, other)
    assert not changed.passes_delete(other)


# --- what becomes of the objects


class Accounts:
    """One SageMaker for each account, as `Jobs`; the target says which is asked."""

    def __init__(self, clock: Any) -> None:
        self._new: Callable[[str], FakeSageMaker] = lambda account: FakeSageMaker(clock, account=account)
        self.by_account: dict[str, FakeSageMaker] = {}
        self.targets: list[Target] = []

    def __getattr__(self, name: str) -> Any:
        return partial(self._forward, name)

    def _forward(self, name: str, *args: Any, **how: Any) -> Any:
        (target,) = (each for each in args if isinstance(each, Target))
        self.targets.append(target)
        return getattr(self._sagemaker(target.identity.account or ACCOUNT), name)(*args, **how)

    def _sagemaker(self, account: str) -> FakeSageMaker:
        if account not in self.by_account:
            self.by_account[account] = self._new(account)
        return self.by_account[account]

    def of(self, account: str) -> Any:
        """The training jobs of one account."""
        return self._sagemaker(account).of(TRAINING_JOB)


class Book:
    """`AccountBook` of a process that is in ACCOUNT."""

    def of(self, target: Target) -> str:
        """See `AccountBook.of`."""
        return target.identity.account or ACCOUNT

    def learn(self, target: Target, account: str) -> None:
        """See `AccountBook.learn`."""
        assert self.of(target) == account


class Tenants(World):
    """A world whose namespace says something, and an AWS with several accounts."""

    def __init__(self) -> None:
        super().__init__()
        self.server = ApiServer(self.clock)
        self.accounts = Accounts(self.clock)
        self.sagemaker = self.accounts  # type: ignore[assignment]
        self.settings = replace(
            self.settings,
            namespaces=self.server.reader(),
            accounts=Book(),
            defaults=TargetDefaults("eu-central-1"),
            resource_tags={"org": "x", "team": "process"},
        )
        self.restart()

    def wake(self) -> None:
        """What the handler of namespaces does."""
        self.woken.add((self.descriptor.kind, KEY))

    def calls(self) -> list[tuple[str, str]]:
        """Account and operation of every call."""
        return [(name, call) for name, aws in self.accounts.by_account.items() for call in aws.operations]

    def message(self, type_: str) -> str:
        """The message of a condition."""
        return next((each["message"] for each in self.status["conditions"] if each["type"] == type_), "")


def test_an_object_that_comes_before_its_namespace_is_held_back() -> None:
    """The watches run apart: nothing is asked, nothing is written, and then it runs as its namespace says."""
    world = Tenants()
    world.cluster.apply(manifest())
    world.run(5)
    assert world.calls() == []
    assert world.cluster.writes == []
    assert all(isinstance(each, ClassifiedError) for each in world.errors)
    world.server.annotate(role_arn=ROLE)
    world.run(5)
    assert set(world.accounts.by_account) == {"111111111111"}
    assert world.status["awsResource"]["accountId"] == "111111111111"


def test_a_namespace_whose_watch_is_behind_lets_nothing_be_made() -> None:
    """`kubectl annotate namespace …; kubectl apply …`: the second must not overtake the first."""
    world = Tenants()
    world.server.annotate()
    world.server.annotate(is_seen=False, role_arn=ROLE)
    world.cluster.apply(manifest())
    world.run(5)
    assert world.calls() == []
    world.server.see()
    world.wake()
    world.run(5)
    assert {account for account, _ in world.calls()} == {"111111111111"}


def test_a_watch_that_hangs_lets_objects_be_made_for_a_second_at_most() -> None:
    """Those that were there before the annotation: another job's turn may have confirmed their view just before it."""
    world = Tenants()
    world.server.annotate()
    first, second, third = (ObjectKey("default", name) for name in ("first", "second", "third"))
    for key in (first, second):
        world.cluster.apply({**manifest(), "metadata": {"namespace": key.namespace, "name": key.name}})
    turns: set[ObjectKey] = set()

    def reserve(*_: object, caller: object) -> None:
        if caller not in turns:
            raise LocalRefusal(ErrorClass.THROTTLED, "BudgetExhausted", "waits", retry_after_s=0.1)

    world.accounts.reserve = reserve  # type: ignore[attr-defined]
    world.run(2, step_s=0.1)
    turns.add(first)
    world.run(0.2, step_s=0.1)
    world.server.annotate(is_seen=False, role_arn=ROLE)
    world.cluster.apply({**manifest(), "metadata": {"namespace": third.namespace, "name": third.name}})
    turns.add(third)
    world.run(SHARED_S, step_s=0.1)
    turns.add(second)
    world.run(5, step_s=0.1)
    made = {key for key in (first, second, third) if "awsResource" in (world.cluster.get(key) or {}).get("status", {})}
    assert made == {first}

    world.server.see()
    world.run(5, step_s=0.1)
    assert {account for account, operation in world.calls() if operation == "create"} == {ACCOUNT, "111111111111"}


def test_a_namespace_that_has_just_asked_to_retain_is_heard_before_a_job_is_stopped() -> None:
    """Its watch may be behind the deletion's; the job runs on."""
    world = Tenants()
    world.server.annotate()
    world.cluster.apply(manifest())
    world.run(5)
    world.server.annotate(is_seen=False, deletion_policy="retain")
    world.cluster.delete(KEY)
    world.run(5)
    assert world.accounts.of(ACCOUNT).count("stop") == 0
    world.server.see()
    world.run(5)
    assert world.cluster.get(KEY) is None
    assert world.accounts.of(ACCOUNT).count("stop") == 0


def test_region_tags_and_role_are_the_namespaces() -> None:
    """And what is created is tagged in the documented order (modern-expectations.md 5)."""
    world = Tenants()
    world.server.annotate(role_arn=ROLE, default_region="us-west-2", default_tags="team=ns,cost=1")
    world.cluster.apply(manifest(region=None, tags=[{"key": "cost", "value": "own"}]))
    world.run(5)
    tags = world.accounts.of("111111111111").jobs["us-west-2", world.name].tags
    assert {name: text for name, text in tags.items() if "/" not in name} == {"cost": "own", "team": "ns", "org": "x"}
    assert tags[f"{GROUP}/namespace"] == "default"
    listed = [target for target in world.accounts.targets if not target.identity.namespace]
    assert listed, "lists are asked for once for all namespaces of the role"


def test_a_default_region_that_changes_does_not_move_what_is_there() -> None:
    """The recorded region wins (D-04)."""
    world = Tenants()
    world.server.annotate(default_region="us-west-2")
    world.cluster.apply(manifest(region=None))
    world.run(5)
    world.server.annotate(default_region="eu-west-1")
    world.cluster.delete(KEY)
    world.run(5)
    assert world.accounts.of(ACCOUNT).stopped == [world.name]
    assert {target.region for target in world.accounts.targets} == {"us-west-2"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"role_arn": ROLE}, {"role_arn": OTHER_ROLE}, id="another role"),
        pytest.param({"role_arn": ROLE}, {}, id="the role is taken away"),
        pytest.param({}, {"role_arn": ROLE}, id="a role comes"),
    ],
)
def test_nothing_is_asked_of_another_account_than_the_resources(before: dict[str, str], after: dict[str, str]) -> None:
    """It would be missed, or a stranger of its name be stopped: terminal, until the namespace changes back."""
    world = Tenants()
    world.server.annotate(**before)
    world.cluster.apply(manifest(trainingJobName="mine"))
    world.run(5)
    asked = world.calls()
    home = world.status["awsResource"]["accountId"]
    world.server.annotate(**after)
    world.wake()
    world.run(200)
    assert world.calls()[: len(asked)] == asked
    assert {account for account, _ in world.calls()} == {home}
    assert world.condition("Stalled") == ("True", "OtherAccount")
    assert home in world.message("Stalled")
    assert world.recorder.events.count(("Warning", "OtherAccount")) == 1
    assert world.status["trainingJobStatus"] == "InProgress"

    world.cluster.delete(KEY)
    world.run(100)
    assert world.obj["metadata"]["finalizers"]
    assert "deletion-policy=retain" in world.message("Reconciling")
    world.server.annotate(**before)
    world.wake()
    world.run(5)
    assert world.accounts.of(home).stopped == ["mine"]


def test_jobs_that_have_ended_are_left_in_peace_when_the_role_changes() -> None:
    """Nothing is asked about them any more."""
    world = Tenants()
    world.server.annotate(role_arn=ROLE)
    world.cluster.apply(manifest())
    world.run(5)
    world.accounts.of("111111111111").move(world.name, "Completed")
    world.run(10)
    world.cluster.writes.clear()
    world.server.annotate(role_arn="nonsense")
    world.wake()
    world.run(10)
    assert world.condition("Complete") == ("True", "Completed")
    world.cluster.delete(KEY)
    world.run(5)
    assert world.cluster.get(KEY) is None


def test_a_namespace_that_cannot_be_followed_is_told_and_cured_at_once() -> None:
    """Condition, one event, slow retry; a change of the namespace ends the wait (`hold_token`)."""
    world = Tenants()
    world.server.annotate(role_arn="arn:aws:iam::1:role/x")
    world.cluster.apply(manifest())
    world.run(300)
    assert world.calls() == []
    assert world.condition("Reconciling") == ("True", "CredentialsError")
    assert "namespace default has an annotation role-arn" in world.message("Reconciling")
    assert world.recorder.events.count(("Warning", "CredentialsError")) == 1
    world.server.annotate(role_arn=ROLE)
    world.wake()
    world.run(2)
    assert world.status["trainingJobStatus"] == "InProgress"


def test_annotations_of_the_namespace_without_effect_are_told_on_its_objects() -> None:
    """Who reads the object finds out why nothing is retained."""
    world = Tenants()
    world.server.annotate(deletion_policy="Retain")
    world.cluster.apply(manifest())
    world.run(5)
    assert world.message("AnnotationIgnored") == "namespace's deletion-policy: 'Retain' is not delete or retain"


def test_a_paused_namespace_pauses_its_objects() -> None:
    """And lets them go on when it is not any more."""
    world = Tenants()
    world.server.annotate(paused="true")
    world.cluster.apply(manifest())
    world.run(5)
    assert world.calls() == []
    assert world.condition("Reconciling") == ("False", "Paused")
    world.server.annotate()
    world.wake()
    world.run(5)
    assert world.status["trainingJobStatus"] == "InProgress"


def test_the_namespace_is_asked_for_only_before_something_is_changed() -> None:
    """Following a job costs no reads (DESIGN 4.8)."""
    world = Tenants()
    world.server.annotate()
    world.cluster.apply(manifest())
    world.run(60)
    assert world.server.reads == 1
    assert world.descriptor is TRAINING_JOB
    assert isinstance(world.settings.namespaces.of("default"), NamespaceSettings)
