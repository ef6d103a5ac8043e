"""Searches the states of a model breadth first, merges equal ones, and returns a shortest trace to what is broken."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Move:
    """Something that can happen in a state."""

    label: str
    act: Callable[[], None]
    """Makes it happen to the model as it is."""
    is_calm: bool = False
    """It belongs to the undisturbed course of things, which has to lead to a good end from everywhere. The first calm
    move that changes anything is the next one: the order is that of a fair scheduler."""
    is_time: bool = False
    """Time passes with it, and nothing else happens."""


class InvariantError(AssertionError):
    """An invariant does not hold."""


class Model(Protocol):
    """A world that can be put into any of its states. What it raises as `AssertionError` is a violation."""

    def state(self) -> Any:
        """Return the state, to be restored later."""
        ...

    def restore(self, state: Any) -> None:
        """Put the model into a state that it has returned."""
        ...

    def key(self) -> bytes:
        """Return a hash that two states share only if they have the same future."""
        ...

    def moves(self) -> Iterator[Move]:
        """Yield what can happen now. Between two of them, the model is restored to the state."""
        ...

    def check(self) -> None:
        """Raise `InvariantError` if an invariant does not hold."""
        ...

    def check_end(self) -> None:
        """Raise `InvariantError` unless this is a good end: no calm move changes anything any more."""
        ...

    def repeats(self) -> bool:
        """Return whether the calm move that was just made is one of a period, to be repeated for ever: of an object
        that shows what it waits for, and looks for it now and then.
        """
        ...

    def note(self) -> str:
        """Return the state in words, for a trace."""
        ...


@dataclass(frozen=True, slots=True)
class Broken:
    """A violation, and the shortest way to it."""

    what: str
    trace: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """The state after each move, in words."""

    def __str__(self) -> str:
        notes = self.notes or ("",) * len(self.trace)
        lines = [
            f"{n:3}. {move}\n       {note}" for n, (move, note) in enumerate(zip(self.trace, notes, strict=True), 1)
        ]
        return "\n".join([f"broken: {self.what}", *lines])


@dataclass(slots=True)
class Report:
    """What a search has seen."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    is_complete: bool = True
    """Every state within the model's bounds was reached."""
    broken: Broken | None = None

    def __str__(self) -> str:
        extent = "all of them" if self.is_complete else "not all of them"
        text = f"{self.states} states ({extent}), {self.transitions} transitions, {self.depth} moves deep"
        return f"{text}\n{self.broken}" if self.broken else text


@dataclass(slots=True)
class _Node:
    parent: bytes | None
    label: str
    depth: int
    calm: bytes | None = None
    """Where the next calm move leads; None at an end."""
    is_time: bool = False
    """That move is the passing of time."""
    repeats: bool = False
    """That move may be one of a period."""


@dataclass(slots=True)
class Search:
    """One search. `most_states` bounds it; states at its edge are not judged by where they lead."""

    model: Model
    most_states: int = 1_000_000
    nodes: dict[bytes, _Node] = field(default_factory=dict)

    def run(self) -> Report:
        """Search from the state in which the model is, until something is broken or everything was seen."""
        report = Report()
        root = self.model.state()
        first = self.model.key()
        self.nodes[first] = _Node(None, "", 0)
        queue: deque[tuple[bytes, Any]] = deque([(first, root)])
        while queue:
            if len(self.nodes) > self.most_states:
                report.is_complete = False
                break
            at, state = queue.popleft()
            broken = self._expand(at, state, queue, report)
            if broken is None:
                broken = self._judge_end(at, state)
            if broken is not None:
                report.broken = self._traced(root, broken)
                break
        report.states = len(self.nodes)
        if report.broken is None and (cycle := self._cycle({key for key, _ in queue})) is not None:
            report.broken = self._traced(root, Broken("it goes round in circles", self._way_to(cycle)))
        return report

    def _expand(self, at: bytes, state: Any, queue: deque[tuple[bytes, Any]], report: Report) -> Broken | None:
        node = self.nodes[at]
        self.model.restore(state)
        for move in self.model.moves():
            report.transitions += 1
            try:
                move.act()
                self.model.check()
            except AssertionError as violation:
                return Broken(str(violation) or repr(violation), (*self._way_to(at), move.label))
            key = self.model.key()
            if key not in self.nodes:
                self.nodes[key] = _Node(at, move.label, node.depth + 1)
                report.depth = max(report.depth, node.depth + 1)
                queue.append((key, self.model.state()))
            if move.is_calm and node.calm is None and key != at:
                node.calm, node.is_time, node.repeats = key, move.is_time, self.model.repeats()
            self.model.restore(state)
        return None

    def _judge_end(self, at: bytes, state: Any) -> Broken | None:
        if self.nodes[at].calm is not None:
            return None
        self.model.restore(state)
        try:
            self.model.check_end()
        except AssertionError as violation:
            return Broken(str(violation) or repr(violation), self._way_to(at))
        return None

    def _cycle(self, unexpanded: set[bytes]) -> bytes | None:
        """Return a state from which the calm moves never come to an end, nor to a period in which time passes."""
        ends: set[bytes] = set(unexpanded)
        for start in self.nodes:
            way: list[bytes] = []
            on_way: set[bytes] = set()
            at: bytes | None = start
            while at is not None and at not in ends:
                if at in on_way:
                    if not self._is_period([self.nodes[each] for each in way[way.index(at) :]]):
                        return at
                    break
                way.append(at)
                on_way.add(at)
                at = self.nodes[at].calm
            ends.update(way)
        return None

    @staticmethod
    def _is_period(cycle: Sequence[_Node]) -> bool:
        """Return whether a cycle is an end: time passes in it, and all that happens may be repeated."""
        return any(each.is_time for each in cycle) and all(each.repeats for each in cycle)

    def _way_to(self, key: bytes) -> tuple[str, ...]:
        labels: list[str] = []
        node = self.nodes[key]
        while node.parent is not None:
            labels.append(node.label)
            node = self.nodes[node.parent]
        return tuple(reversed(labels))

    def _traced(self, root: Any, broken: Broken) -> Broken:
        """Return the same with the states on the way in words."""
        return Broken(broken.what, broken.trace, tuple(replay(self.model, root, broken.trace)))


def replay(model: Model, root: Any, trace: Sequence[str]) -> Iterator[str]:
    """Make these moves one after another from `root`; yields the state after each in words."""
    state = root
    for label in trace:
        model.restore(state)
        violation = ""
        for move in model.moves():  # all of them are made, as in the search: what can happen may depend on it
            try:
                move.act()
                violation = ""
            except AssertionError as error:
                violation = str(error) or repr(error)
            if move.label == label:
                break
            model.restore(state)
        else:
            raise LookupError(f"{label} cannot happen here")
        yield violation or model.note()
        state = model.state()
