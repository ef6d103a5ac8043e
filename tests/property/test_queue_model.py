"""The queue's state against a model of plain lists and sets, on random walks."""

# ruff: noqa: D102 (the rules of the machine are named as what happens)

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from controller.runtime.queue.queue_state import QueueState

KEYS = st.sampled_from("abcdef")
PRIORITIES = st.sampled_from((-100, 0, 50))
DELAYS = st.sampled_from((-1.0, 0.0, 1.0, 2.0, 2.0, 5.0, 30.0))


@dataclass
class Model:
    """What is owed, as lists in the order in which it came to be owed: (key, priority)."""

    queued: list[tuple[str, int]] = field(default_factory=list)
    dirty_held: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    waiting: list[tuple[str, int, float]] = field(default_factory=list)
    """(key, priority, due), in the order in which each got this deadline."""
    adds: int = 0

    def owe(self, key: str, priority: int) -> None:
        """Q3, Q4, P2."""
        known = dict(self.queued)
        if key in known:
            if priority > known[key]:
                self.queued.remove((key, known[key]))
                self.queued.append((key, priority))
        elif key in self.dirty_held:
            self.dirty_held[key] = max(priority, self.dirty_held[key])
        elif key in self.held:
            self.dirty_held[key] = priority
            self.adds += 1
        else:
            self.queued.append((key, priority))
            self.adds += 1

    def pass_time(self, now: float) -> None:
        """D4, D6, P5: sorting keeps the order of equal deadlines."""
        for entry in sorted((entry for entry in self.waiting if entry[2] <= now), key=lambda entry: entry[2]):
            self.waiting.remove(entry)
            self.owe(entry[0], entry[1])

    def add(self, key: str, priority: int) -> None:
        """P4: a delay is used up and leaves its priority."""
        for entry in [entry for entry in self.waiting if entry[0] == key]:
            self.waiting.remove(entry)
            priority = max(priority, entry[1])
        self.owe(key, priority)

    def add_after(self, key: str, priority: int, delay_s: float, now: float) -> None:
        """D1, D2, P3."""
        if delay_s <= 0:
            self.add(key, priority)
        elif key in dict(self.queued) or key in self.dirty_held:
            self.owe(key, priority)
        else:
            known = [entry for entry in self.waiting if entry[0] == key]
            if not known:
                self.waiting.append((key, priority, now + delay_s))
                return
            ((_, old_priority, old_due),) = known
            priority = max(priority, old_priority)
            if now + delay_s < old_due:
                self.waiting.remove(known[0])
                self.waiting.append((key, priority, now + delay_s))
            else:
                self.waiting[self.waiting.index(known[0])] = (key, priority, old_due)

    def take(self) -> tuple[str, int] | None:
        """P1: the first of the highest priority."""
        if not self.queued:
            return None
        first = max(self.queued, key=lambda entry: entry[1])  # max returns the first of equals
        self.queued.remove(first)
        self.held.add(first[0])
        return first

    def done(self, key: str) -> None:
        """Q5."""
        self.held.remove(key)
        if key in self.dirty_held:
            self.queued.append((key, self.dirty_held.pop(key)))


class QueueAgainstModel(RuleBasedStateMachine):
    """Q1 to Q9, D1 to D7, P1 to P5, X4: a key is held once, no add is forgotten, and the order is the promised one."""

    def __init__(self) -> None:
        super().__init__()
        self.state: QueueState[str] = QueueState()
        self.model = Model()
        self.now = 0.0
        self.is_shut_down = False

    @rule(key=KEYS, priority=PRIORITIES)
    def add(self, key: str, priority: int) -> None:
        self.state.add(key, priority, self.now)
        if not self.is_shut_down:
            self.model.add(key, priority)

    @rule(key=KEYS, delay_s=DELAYS, priority=PRIORITIES)
    def add_after(self, key: str, delay_s: float, priority: int) -> None:
        self.state.add_after(key, delay_s, priority, self.now)
        if not self.is_shut_down:
            self.model.add_after(key, priority, delay_s, self.now)

    @rule()
    def take(self) -> None:
        taken = self.state.take(self.now)
        assert (None if taken is None else (taken.key, taken.priority)) == self.model.take()

    @precondition(lambda self: self.model.held)
    @rule(data=st.data())
    def done(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.held)))
        self.state.done(key, self.now)
        self.model.done(key)

    @rule(key=KEYS)
    def done_unasked(self, key: str) -> None:
        if key not in self.model.held:
            try:
                self.state.done(key, self.now)
            except ValueError:
                return
            raise AssertionError("a key that is not held was taken back")

    @rule(seconds=st.sampled_from((0.5, 1.0, 10.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.model.pass_time(self.now)
        self.state.promote(self.now)

    @precondition(lambda self: not self.is_shut_down)
    @rule()
    def shut_down(self) -> None:
        self.state.shut_down(self.now)
        self.model.waiting.clear()
        self.is_shut_down = True

    @invariant()
    def agrees_with_the_model(self) -> None:
        assert len(self.state) == len(self.model.queued)
        assert self.state.held == len(self.model.held)
        assert self.state.added_total == self.model.adds
        assert self.state.next_due() == min((due for _, _, due in self.model.waiting), default=None)
        owed = [priority for _, priority in self.model.queued] + list(self.model.dirty_held.values())
        assert {p: n for p, n in self.state.depths.items() if n} == {p: owed.count(p) for p in set(owed)}

    @invariant()
    def the_sets_are_disjoint(self) -> None:
        """Q2."""
        queued, held = set(self.state._queued), set(self.state._held)
        dirty_held, waiting = set(self.state._dirty_held), set(self.state._waiting)
        assert not queued & held
        assert dirty_held <= held
        assert not waiting & (queued | dirty_held)

    def teardown(self) -> None:
        """Nothing is lost: all that is owed comes out, in the model's order."""
        for key in sorted(self.model.held):
            self.done_one(key)
        while self.model.queued:
            self.take()
            self.done_one(next(iter(self.model.held)))
        assert self.state.take(self.now) is None

    def done_one(self, key: str) -> None:
        self.state.done(key, self.now)
        self.model.done(key)


TestQueueAgainstModel = QueueAgainstModel.TestCase
TestQueueAgainstModel.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
