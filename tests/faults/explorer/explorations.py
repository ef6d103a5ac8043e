"""The explorations: from which state each begins, and what may happen then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.faults.explorer.hosting import HostingModel
from tests.faults.explorer.jobs import NAMES, JobModel
from tests.faults.explorer.life import Bounds
from tests.faults.explorer.scaling import ScalingModel
from tests.faults.explorer.search import Model, Report, Search

ALL: Final = 1_000_000
"""More states than any exploration has."""


@dataclass(frozen=True, slots=True)
class Exploration:
    """One exploration."""

    name: str
    begin: Callable[[], Model]
    most_states: int = ALL
    """Where the default one stops; a deep one never does."""
    is_deep: bool = False
    """Only a deep one makes it."""

    def run(self, *, deep: bool = False) -> Report:
        """Explore."""
        return Search(self.begin(), ALL if deep else self.most_states).run()


def new(bounds: Bounds) -> Callable[[], HostingModel]:
    """A deployment that was just applied."""
    return lambda: HostingModel(bounds)


def at_rest(bounds: Bounds) -> Callable[[], HostingModel]:
    """A deployment that serves its spec."""

    def begin() -> HostingModel:
        model = HostingModel(Bounds())
        model.settle()
        model.bounds = bounds
        return model

    return begin


def about_to_update(bounds: Bounds) -> Callable[[], HostingModel]:
    """A deployment whose spec was changed; what the update needs is there."""

    def begin() -> HostingModel:
        model = HostingModel(Bounds())
        model.settle()
        model.apply("B")
        model.calm_until(lambda: len(model.world.aws.configs) == 2)
        model.bounds = bounds
        return model

    return begin


HOSTING: Final = (
    Exploration("created, deleted at any time", new(Bounds(is_deletable=True))),
    Exploration("created, with a fault", new(Bounds(faults=1)), most_states=400),
    Exploration("deleted, with a fault", at_rest(Bounds(is_deletable=True, faults=1))),
    Exploration("updated, with a fault", at_rest(Bounds(edits=("B",), faults=1)), most_states=400),
    Exploration("scaled and back, with a fault", at_rest(Bounds(("A with 3 instances", "A"), faults=1)), 400),
    Exploration("a bad update and back", at_rest(Bounds(edits=("bad", "A")))),
    Exploration("updated, others delete what it is made of", about_to_update(Bounds(others=1))),
    Exploration("updated, with late answers", about_to_update(Bounds(edits=("A",), late=1)), most_states=400),
    Exploration("updated, the name changes hands", about_to_update(Bounds(takes=1)), most_states=300),
    Exploration("updated or deleted, the name changes hands", at_rest(Bounds(("B",), True, takes=1)), is_deep=True),
    Exploration("created, deleted, the name changes hands", new(Bounds(is_deletable=True, takes=1)), is_deep=True),
    Exploration("updated and back, on a stale view", about_to_update(Bounds(edits=("A",), stale=1)), most_states=300),
    Exploration("created, deleted, a stale view and a fault", new(Bounds((), True, 1, stale=1)), is_deep=True),
    Exploration("created, a child deleted", new(Bounds(children=1)), is_deep=True),
    Exploration("updated, a child deleted", about_to_update(Bounds(children=1))),
    Exploration("going back, with a fault", about_to_update(Bounds(edits=("A",), faults=1)), most_states=700),
    Exploration(
        "going back or deleted, with a fault",
        about_to_update(Bounds(edits=("A",), is_deletable=True, faults=1)),
        is_deep=True,
    ),
    Exploration(
        "another edit, with a fault", about_to_update(Bounds(edits=("A with 3 instances",), faults=1)), is_deep=True
    ),
    Exploration("updated, back, deleted", at_rest(Bounds(edits=("B", "A"), is_deletable=True)), is_deep=True),
    Exploration("created, others delete what it is made of", new(Bounds(others=1)), is_deep=True),
    Exploration("updated and back, a child deleted", at_rest(Bounds(edits=("B", "A"), children=1)), is_deep=True),
    Exploration(
        "going back, with a fault and a late answer",
        about_to_update(Bounds(edits=("A",), faults=1, late=1)),
        is_deep=True,
    ),
    Exploration("updated and back, with a late answer", at_rest(Bounds(edits=("B", "A"), late=1)), is_deep=True),
    Exploration("updated and back, with a fault", at_rest(Bounds(edits=("B", "A"), faults=1)), is_deep=True),
    Exploration("a bad update and back, with a fault", at_rest(Bounds(edits=("bad", "A"), faults=1)), is_deep=True),
    Exploration("created and updated, with a fault", new(Bounds(edits=("B",), faults=1)), is_deep=True),
)


def scaling(bounds: Bounds) -> Callable[[], ScalingModel]:
    """An autoscaling policy that is in place."""

    def begin() -> ScalingModel:
        model = ScalingModel(Bounds())
        model.settle()
        model.bounds = bounds
        return model

    return begin


SCALING: Final = (
    Exploration("a policy created, deleted, with a fault", lambda: ScalingModel(Bounds(is_deletable=True, faults=1))),
    Exploration("a policy changed and back, with a fault", scaling(Bounds(edits=("B", "A"), faults=1)), 2_000),
    Exploration("a policy changed, deleted, with a fault", scaling(Bounds(("B",), is_deletable=True, faults=1)), 1_000),
    Exploration("a policy changed and back, on a stale view", scaling(Bounds(edits=("B", "A"), stale=1)), 300),
    Exploration(
        "a policy changed and back, deleted, with two faults",
        scaling(Bounds(edits=("B", "A"), is_deletable=True, faults=2)),
        is_deep=True,
    ),
)


def job(name: str, bounds: Bounds) -> Callable[[], JobModel]:
    """A job that was just applied."""
    return lambda: JobModel(bounds, name)


JOBS: Final = (
    *(
        Exploration(
            f"a job of a {name} name, deleted, with a fault and a late List",
            job(name, Bounds(is_deletable=True, faults=1, late=1)),
            most_states=500,
        )
        for name in NAMES
    ),
    Exploration("a job, deleted, its name changes hands", job("given", Bounds(is_deletable=True, takes=1))),
    Exploration("a job, tagged, its name changes hands", job("given", Bounds(edits=("B",), takes=1))),
    Exploration("a job, deleted, a stale view and a fault", job("given", Bounds((), True, 1, stale=1)), 300),
    Exploration(
        "a job, tagged, deleted, its name changes hands, with a fault and a stale view",
        job("given", Bounds(("B",), True, faults=1, takes=1, stale=1)),
        is_deep=True,
    ),
    Exploration("a job, tagged and back, with a fault", job("generated", Bounds(("B", "A"), faults=1)), 500),
    Exploration(
        "a job, tagged and back, deleted, with two faults",
        job("given", Bounds(edits=("B", "A"), is_deletable=True, faults=2)),
        is_deep=True,
    ),
)

ALL_OF_THEM: Final = (*HOSTING, *SCALING, *JOBS)
