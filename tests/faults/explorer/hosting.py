"""The model of the hosting life-cycle: its deployment, children and endpoint, and all that can happen to them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile.shared_decisions import DOUBT_S
from tests.fakes.sagemaker.hosting import Endpoint
from tests.faults.explorer.explorable import Explorable, Fact, Times
from tests.faults.explorer.life import Bounds, LifeModel
from tests.faults.explorer.search import InvariantError, Move
from tests.faults.hosting_world import HostingWorld, manifest

SPECS: Final[Mapping[str, JsonObject]] = {
    "A": manifest(version="1"),
    "B": manifest(version="2"),
    "A with 3 instances": manifest(version="1", count=3),
    "bad": manifest(version="bad"),
}
"""What users apply. AWS cannot load the model of the last one."""
_CHILDREN: Final = (ENDPOINT_CONFIG.kind, MODEL.kind)
_ROUNDS: Final = 10


class ExplorableHosting(Explorable, HostingWorld):
    """Deployments, models and configurations."""


class HostingModel(LifeModel):
    """See `search.Model`."""

    world: ExplorableHosting

    def __init__(self, bounds: Bounds) -> None:
        world = ExplorableHosting()
        world.aws.work_s = float("inf")
        world.aws.bad_version = "bad"
        self.described: Mapping[str, Any] | None = None
        """What SageMaker answers of the endpoint now."""
        self.before: Mapping[str, Any] | None = None
        """What it answered before the last change."""
        self.has_lost = False
        """Others have deleted something at AWS: it is made again when it is needed."""
        self._versions: dict[str, str] = {}
        """By the names of configurations that there were."""
        super().__init__(world, SPECS, bounds)

    # --- the state

    def aws(self) -> Any:
        """See `LifeModel.aws`."""
        aws = self.world.aws
        return (
            {name: dict(each) for name, each in aws.models.items()},
            {name: dict(each) for name, each in aws.configs.items()},
            {name: _copied(each) for name, each in aws.endpoints.items()},
        )

    def put_back(self, aws: Any) -> None:
        """See `LifeModel.put_back`."""
        models, configs, endpoints = aws
        hosting = self.world.aws
        hosting.models = {name: dict(each) for name, each in models.items()}
        hosting.configs = {name: dict(each) for name, each in configs.items()}
        hosting.endpoints = {name: _copied(each) for name, each in endpoints.items()}

    def own(self) -> Any:
        """See `LifeModel.own`."""
        return self.described, self.before, self.has_lost

    def put_back_own(self, own: Any) -> None:
        """See `LifeModel.put_back_own`."""
        self.described, self.before, self.has_lost = own

    def own_facts(self) -> Iterator[Fact]:
        """See `LifeModel.own_facts`."""
        aws = self.world.aws
        yield [sorted(aws.models), sorted(aws.configs), self.has_lost], Times()
        for name, each in sorted(aws.endpoints.items()):
            fact = [name, each.config, each.next_config, each.value, bool(each.until), each.failure]
            yield [*fact, sorted(each.numbers.items())], Times([self.world.seconds(each.modified)])
        if self.bounds.late and self.before is not None:
            fact = [self.before["EndpointStatus"], self.before["EndpointConfigName"], self._may_lag()]
            yield fact, Times([self.world.seconds(self.before["LastModifiedTime"])])

    # --- what can happen

    def calm_moves(self) -> Iterator[Move]:
        """See `LifeModel.calm_moves`."""
        yield self.move("the operator makes passes over the children", self._children, is_calm=True)
        yield self.move("a List comes", self._list, is_calm=True)
        yield self.move("SageMaker ends its work", self._work, is_calm=True)

    def other_moves(self) -> Iterator[Move]:
        """See `LifeModel.other_moves`."""
        if self.bounds.late and self.before is not None:
            yield self.move("a List comes from before the last change", self._list_late)
            if self._may_lag():
                yield self.move("the operator makes a pass, and Describe answers from before", self._pass_late)
        if self.bounds.others:
            for what in ("configs", "models"):
                for name in list(getattr(self.world.aws, what)):
                    yield self.move(f"others delete at AWS, of {what}, {name}", partial(self._lose, what, name))
        if self.bounds.takes and (ours := self._ours()):
            yield self.move("others delete the endpoint, and create theirs", partial(self._take, ours[0]))
        if self.bounds.children:
            for kind in _CHILDREN:
                for key, obj in list(self.world.clusters[kind].objects.items()):
                    if "deletionTimestamp" not in obj["metadata"]:
                        yield self.move(f"the user deletes {kind} {key}", partial(self._delete_child, kind, key))

    def after_move(self) -> None:
        """See `LifeModel.after_move`."""
        aws = self.world.aws
        self._versions |= {name: aws.version_of(name) for name in aws.configs if name not in self._versions}
        now = next((aws.description(name) for name in aws.endpoints), None)
        if now != self.described:
            self.described, self.before = now, self.described

    def _may_lag(self) -> bool:
        """Whether Describe may still show the state before: it lags for seconds, Lists for longer."""
        now = self.world.clock.monotonic()
        return any(now - self.world.seconds(each.modified) < DOUBT_S for each in self.world.aws.endpoints.values())

    def _pass_late(self) -> None:
        self.bounds = replace(self.bounds, late=self.bounds.late - 1)
        self.world.aws.late_answer = self.before
        try:
            self._pass()
        finally:
            self.world.aws.late_answer = None

    def _children(self) -> None:
        self.world.hook.plan()
        for _ in range(_ROUNDS):
            before = self._children_now()
            for kind in _CHILDREN:
                for key in sorted(self.world.clusters[kind].objects):
                    self.world.reconcile(key, kind)
            if self._children_now() == before:
                return
        raise InvariantError("the passes over the children come to no end")

    def _children_now(self) -> list[Any]:
        return [*(self.world.clusters[kind]._version for kind in _CHILDREN), *self.world.aws.left]

    def _list(self) -> None:
        self.world.shown_tracker.list(self.world.aws.shown())

    def _list_late(self) -> None:
        assert self.before is not None
        self.bounds = replace(self.bounds, late=self.bounds.late - 1)
        self.world.shown_tracker.list([self.before])

    def _work(self) -> None:
        for each in self.world.aws.endpoints.values():
            if each.until:
                each.until = self.world.clock.monotonic()
        self.world.aws.settle()

    def _delete_child(self, kind: str, key: ObjectKey) -> None:
        self.bounds = replace(self.bounds, children=self.bounds.children - 1)
        self.world.clusters[kind].delete(key)

    def _lose(self, what: str, name: str) -> None:
        self.bounds = replace(self.bounds, others=self.bounds.others - 1)
        self.has_lost = True
        del getattr(self.world.aws, what)[name]

    def _take(self, name: str) -> None:
        self.bounds = replace(self.bounds, takes=self.bounds.takes - 1)
        self.world.aws.others(HOSTING_DEPLOYMENT, name)

    def _ours(self) -> list[str]:
        return [name for name, each in self.world.aws.endpoints.items() if each.request.get("Tags")]

    def _theirs(self) -> list[Endpoint]:
        return [each for each in self.world.aws.endpoints.values() if not each.request.get("Tags")]

    # --- what must hold

    def check(self) -> None:
        """See `Model.check`. That nothing in use is deleted, SageMaker itself checks (`FakeHosting.delete`)."""
        super().check()
        if len(self.world.aws.endpoints) > 1:
            raise InvariantError("there are two endpoints")
        for each in self._theirs():
            if each.until or each.config not in self.world.aws.configs:
                raise InvariantError("the endpoint of others was touched, or what it runs with")

    def check_end(self) -> None:
        """See `Model.check_end`."""
        world = self.world
        if self._theirs():
            self._check_replaced()
        elif self.is_deleted:
            if not world.is_gone():
                raise InvariantError(f"the deletion does not come to its end; at AWS there are {world.aws.left}")
        elif self.spec == "bad":
            self._check_reported()
        else:
            self._check_served()
            self._moved(self._children)
            self.check_idle()

    def _check_served(self) -> None:
        world = self.world
        if not (world.is_ready() if self.has_lost else world.is_at_rest()):
            raise InvariantError("no calm move changes anything, and the endpoint is not at rest")
        (endpoint,) = world.aws.endpoints.values()
        wanted = SPECS[self.spec]["spec"]
        (variant,) = world.aws.variants(endpoint)
        served = (self._versions[endpoint.config], variant["DesiredInstanceCount"])
        if served != (_version(wanted), wanted["productionVariants"][0]["initialInstanceCount"]):
            raise InvariantError(f"at rest, the endpoint serves {served}, and {self.spec} is wanted")

    def _check_replaced(self) -> None:
        if not self.is_deleted:
            self.check_told_of_others()
        elif any(cluster.keys() for cluster in self.world.clusters.values()):
            raise InvariantError("the deletion does not come to its end")

    def _check_reported(self) -> None:
        if self.world.condition("Synced") not in {("False", "UpdateFailed"), ("False", "UpdateBlocked")}:
            raise InvariantError("an update that fails is not reported")

    def note_aws(self) -> str:
        """See `LifeModel.note_aws`."""
        endpoints = [
            f"{each.value}, {each.config[:14]}" + (f" → {each.next_config[:14]}" if each.until else "")
            for each in self.world.aws.endpoints.values()
        ]
        return f"endpoint {'; '.join(endpoints) or 'none'}"


def _version(spec: Mapping[str, Any]) -> str:
    version: str = spec["models"][0]["containers"][0]["environment"][0]["value"]
    return version


def _copied(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, request=dict(endpoint.request), numbers=dict(endpoint.numbers))
