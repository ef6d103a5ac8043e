"""The model of the life-cycle of autoscaling policies, on variants of which others have registered one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from api.meta import JsonObject
from tests.faults.explorer.explorable import Explorable, Fact, Times
from tests.faults.explorer.life import Bounds, LifeModel
from tests.faults.explorer.search import InvariantError
from tests.faults.scaling_world import A, B, C, ScalingWorld, adopting, manifest

_APPLIED: Final[Mapping[str, Mapping[str, int]]] = {"A": {A: 4, B: 4}, "B": {B: 6, C: 6}}
"""Maximum capacity by variant, by spec."""
SPECS: Final[Mapping[str, JsonObject]] = {"A": adopting(manifest("ab", 4)), "B": adopting(manifest("bc", 6))}
FOREIGN: Final = {C: 9}
"""What others have registered before: it is adopted for as long as the spec names it, then put back."""


class ExplorableScaling(Explorable, ScalingWorld):
    """Autoscaling policies."""


class ScalingModel(LifeModel):
    """See `search.Model`."""

    world: ExplorableScaling

    def __init__(self, bounds: Bounds) -> None:
        world = ExplorableScaling()
        for resource_id, most in FOREIGN.items():
            world.aws.others_register(resource_id, most)
        super().__init__(world, SPECS, bounds)

    def aws(self) -> Any:
        """See `LifeModel.aws`."""
        aws = self.world.aws
        return dict(aws.bounds), dict(aws.least), dict(aws.created), set(aws.put)

    def put_back(self, aws: Any) -> None:
        """See `LifeModel.put_back`."""
        bounds, least, created, put = aws
        there = self.world.aws
        there.bounds, there.least, there.created, there.put = dict(bounds), dict(least), dict(created), set(put)

    def own_facts(self) -> Iterator[Fact]:
        """See `LifeModel.own_facts`."""
        aws = self.world.aws
        created = sorted(aws.created.items(), key=str)
        times = Times(compared=[self.world.seconds(each) for _, each in created])
        bounds = [sorted(each.items()) for each in (aws.bounds, aws.least)]
        yield [bounds, sorted(aws.put), [str(what) for what, _ in created]], times

    def check(self) -> None:
        """See `Model.check`."""
        super().check()
        if C not in self.world.aws.bounds:
            raise InvariantError("the target that others have registered is gone")

    def check_end(self) -> None:
        """See `Model.check_end`."""
        world = self.world
        if self.is_deleted:
            if world.obj is not None or world.aws.put or world.aws.bounds != FOREIGN:
                raise InvariantError("the deletion does not come to its end")
            return
        wanted = _APPLIED[self.spec]
        if world.aws.put != {(each, "busy") for each in wanted}:
            raise InvariantError(f"the policies are {sorted(world.aws.put)}, and {self.spec} is wanted")
        if {each: world.aws.bounds.get(each) for each in wanted} != wanted:
            raise InvariantError(f"the bounds are {world.aws.bounds}, and {self.spec} is wanted")
        if world.aws.bounds != FOREIGN | wanted:
            raise InvariantError(f"the targets are {world.aws.bounds}, and {self.spec} is wanted")
        if world.condition("Ready") != ("True", "Created"):
            raise InvariantError(f"it is in place, and shows {world.condition('Ready')}")
        self.check_idle()

    def note_aws(self) -> str:
        """See `LifeModel.note_aws`."""
        return f"targets {self.world.aws.bounds}, policies {sorted(self.world.aws.put)}"
