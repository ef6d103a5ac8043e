"""What all models of life-cycles have in common: the user, the process and its faults, and the bounds of all that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from api.meta import JsonObject
from controller.reconcile.effects import Effect
from tests.fakes.crashes import Crash
from tests.faults.explorer.explorable import LONG_S, Explorable, Fact, Kept, Times
from tests.faults.explorer.faults import AT_AWS, Fault, struck
from tests.faults.explorer.search import InvariantError, Move

MOST_CALLS: Final = 12
"""Calls of AWS in one move."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may still happen besides the undisturbed course of things."""

    edits: tuple[str, ...] = ()
    """Specs that the user applies, in this order."""
    is_deletable: bool = False
    faults: int = 0
    """Answers that are lost, and deaths of the process."""
    late: int = 0
    """Answers from before the last change at AWS."""
    others: int = 0
    """Acts of others at AWS."""
    children: int = 0
    """Objects of models and configurations that the user deletes by hand."""
    takes: int = 0
    """Names at AWS that change hands: others delete a resource of the object, and create theirs under its name."""
    stale: int = 0
    """Passes on an object from before its last change, as an informer that is behind shows it."""


@dataclass(frozen=True, slots=True)
class State:
    """A state of a model."""

    kept: Kept
    bounds: Bounds
    spec: str
    versions: tuple[JsonObject | None, JsonObject | None]
    """The object as it is, and before its last change; None: there was none."""
    own: Any
    """What the model of one life-cycle adds."""


class LifeModel:
    """The part of `search.Model` that all life-cycles share. It begins with an object that was just applied."""

    def __init__(self, world: Explorable, specs: Mapping[str, JsonObject], bounds: Bounds, spec: str = "A") -> None:
        self.world = world
        self._specs = specs
        self.bounds = bounds
        self.spec = spec
        """The name of the spec that was applied last."""
        world.cluster.apply(specs[spec])
        self._views: tuple[JsonObject | None, JsonObject | None] = (world.cluster.peek(world.key), None)

    def settle(self) -> None:
        """Let the undisturbed course of things come to its end."""
        self.calm_until(lambda: False)
        self.check_end()

    def calm_until(self, what: Callable[[], bool]) -> None:
        """Let the undisturbed course of things go on until `what` holds, or nothing changes any more."""
        key = b""
        while key != (key := self.key()):
            for move in (each for each in self.moves() if each.is_calm):
                if what():
                    return
                move.act()

    def apply(self, spec: str) -> None:
        """Apply a spec."""
        self.spec = spec
        self.world.cluster.edit(self.world.key, self._specs[spec]["spec"])

    @property
    def is_deleted(self) -> bool:
        """Whether the user has deleted the object."""
        obj = self.world.cluster.peek(self.world.key)
        return obj is None or "deletionTimestamp" in obj["metadata"]

    # --- of one life-cycle

    def aws(self) -> Any:
        """Return a copy of what there is at AWS."""
        raise NotImplementedError

    def put_back(self, aws: Any) -> None:
        """Restore what `aws` has returned."""
        raise NotImplementedError

    def own(self) -> Any:
        """Return what the model adds to the state; nothing of it is ever changed."""
        return None

    def put_back_own(self, own: Any) -> None:
        """Restore what `own` has returned."""

    def own_facts(self) -> Iterator[Fact]:
        """Yield the facts about AWS and about what the model adds."""
        raise NotImplementedError

    def calm_moves(self) -> Iterator[Move]:
        """Yield the calm moves between a pass and the time."""
        return iter(())

    def other_moves(self) -> Iterator[Move]:
        """Yield moves within the bounds that only this life-cycle knows."""
        return iter(())

    def check(self) -> None:
        """See `Model.check`."""
        calls = self.world.sagemaker.operations
        if len(calls) > MOST_CALLS:
            raise InvariantError(f"{len(calls)} calls of AWS in one move: {', '.join(calls)}")

    def check_end(self) -> None:
        """See `Model.check_end`."""
        raise NotImplementedError

    def check_idle(self) -> None:
        """Raise `InvariantError` if a pass at a good end calls AWS."""
        self._moved(self._pass)
        if self.world.sagemaker.calls:
            raise InvariantError(f"at rest, AWS is called: {', '.join(self.world.sagemaker.operations)}")

    def repeats(self) -> bool:
        """See `Model.repeats`."""
        return False

    # --- the state

    def state(self) -> State:
        """See `Model.state`."""
        return State(self.world.keep(self.aws()), self.bounds, self.spec, self._views, self.own())

    def restore(self, state: State) -> None:
        """See `Model.restore`."""
        self.world.put_back(state.kept)
        self.put_back(state.kept.aws)
        self.bounds, self.spec, self._views = state.bounds, state.spec, state.versions
        self.put_back_own(state.own)

    def key(self) -> bytes:
        """See `Model.key`."""
        return self.world.facts(self._facts())

    def _facts(self) -> Iterator[Fact]:
        bounds = self.bounds
        ints = [bounds.is_deletable, bounds.faults, bounds.late, bounds.others, bounds.children]
        ints += [bounds.takes, bounds.stale]
        yield [bounds.edits, self.spec, ints], Times()
        if bounds.stale:
            yield from self._older_facts()
        yield from self.own_facts()

    def _older_facts(self) -> Iterator[Fact]:
        """Yield the facts about the object before its last change, which an informer may still show."""
        _, older = self._views
        if older is not None:
            local = self.world.local_states(self.world.descriptor.kind).get(self.world.key)
            is_superseded = local is not None and older["metadata"]["resourceVersion"] in local.superseded_versions
            yield is_superseded, Times()
            yield self.world.piece(older)

    # --- what can happen

    def moves(self) -> Iterator[Move]:
        """See `Model.moves`."""
        yield self.move("the operator makes a pass", self._pass, is_calm=True)
        effects = list(self.world.hook.seen)  # of the pass that was just made
        yield from self.calm_moves()
        yield self.move("a minute passes", partial(self.world.clock.advance, LONG_S), is_calm=True, is_time=True)
        bounds = self.bounds
        if bounds.edits and not self.is_deleted:
            yield self.move(f"the user applies {bounds.edits[0]}", self._edit)
        if bounds.is_deletable and not self.is_deleted:
            yield self.move("the user deletes the object", self._delete)
        if bounds.faults:
            yield from self._faults(effects)
        if bounds.stale and self._views[1] is not None:
            yield self.move("the operator makes a pass on the object from before its last change", self._pass_stale)
        yield from self.other_moves()

    def _faults(self, effects: list[Effect]) -> Iterator[Move]:
        for n, effect in enumerate(effects):
            for fault in Fault:
                if fault is Fault.LOST_BEFORE and effect not in AT_AWS:
                    continue  # a write that was not made: the pass begins again
                label = f"the operator makes a pass: effect {n + 1}, {effect.value}, {fault.value}"
                yield self.move(label, partial(self._struck, n, fault))
        yield self.move("the process dies", self._crash)

    def move(self, label: str, act: Callable[[], None], *, is_calm: bool = False, is_time: bool = False) -> Move:
        """Return a move; time passes with it, so that AWS's times, which objects have in seconds, differ."""
        return Move(label, partial(self._moved, act), is_calm, is_time)

    def _moved(self, act: Callable[[], None]) -> None:
        self.world.sagemaker.calls.clear()
        self.world.clock.advance(1.0)
        act()
        now = self.world.cluster.peek(self.world.key)
        if now is not self._views[0]:
            self._views = (now, self._views[0])
        self.after_move()

    def after_move(self) -> None:
        """Take note of what has changed."""

    def _pass(self) -> None:
        self.world.hook.plan()
        self.world.reconcile()

    def _pass_stale(self) -> None:
        self.bounds = replace(self.bounds, stale=self.bounds.stale - 1)
        store = self.world.cluster.store
        store.freeze(self.world.key, self._views[1])
        try:
            self._pass()
        finally:
            store.thaw()

    def _struck(self, n: int, fault: Fault) -> None:
        self.bounds = replace(self.bounds, faults=self.bounds.faults - 1)
        try:
            struck(self.world.hook, self.world.reconcile, n, fault)  # type: ignore[arg-type]
        except Crash:
            self.world.forget_all()

    def _crash(self) -> None:
        self.bounds = replace(self.bounds, faults=self.bounds.faults - 1)
        self.world.forget_all()

    def _edit(self) -> None:
        spec, *rest = self.bounds.edits
        self.bounds = replace(self.bounds, edits=tuple(rest))
        self.apply(spec)

    def _delete(self) -> None:
        self.bounds = replace(self.bounds, is_deletable=False, edits=())
        self.world.cluster.delete(self.world.key)

    def check_told_of_others(self) -> None:
        """Raise `InvariantError` if it is not shown that others have the name.

        What they have created at once fits the operator's clock, and is shown until something is to be changed.
        """
        is_told = self.world.condition("Stalled") in {("True", "ForeignResource"), ("True", "AlreadyExists")}
        if not (is_told or self.world.status.get("awsResource", {}).get("ownerUnverified")):
            raise InvariantError("it is not shown that others have the name")

    def note(self) -> str:
        """See `Model.note`."""
        world = self.world
        calls = ", ".join(f"{each.operation}({each.what.rpartition('/')[2][-24:]})" for each in world.sagemaker.calls)
        errors = ", ".join(str(each) for each in world.errors)
        shown = f"{world.status.get(world.descriptor.status.field)}, {world.condition('Ready')}"
        return "; ".join(filter(None, [f"status {shown}", self.note_aws(), f"calls: {calls or 'none'}", errors]))

    def note_aws(self) -> str:
        """Return what there is at AWS, in words."""
        raise NotImplementedError
