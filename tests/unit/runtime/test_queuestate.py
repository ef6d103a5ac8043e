"""The work queue's semantics, one rule a test, without threads."""

import pytest

from controller.runtime.queue.queue_state import QueueState


def drain(state: QueueState[str], now: float = 0.0) -> list[str]:
    """Everything that is handed out at `now`, in order; given back at once."""
    keys = []
    while (taken := state.take(now)) is not None:
        keys.append(taken.key)
        state.done(taken.key, now)
    return keys


def take(state: QueueState[str], now: float = 0.0) -> str:
    taken = state.take(now)
    assert taken is not None
    return taken.key


@pytest.fixture
def state() -> QueueState[str]:
    return QueueState()


def test_keys_come_out_in_the_order_in_which_they_became_queued(state: QueueState[str]) -> None:
    """Q1."""
    for key in "cab":
        state.add(key, 0, 0.0)

    assert drain(state) == ["c", "a", "b"]


def test_adding_a_queued_key_changes_nothing(state: QueueState[str]) -> None:
    """Q3: not the length, not its place, no metric."""
    state.add("a", 0, 0.0)
    state.add("b", 0, 0.0)

    state.add("a", 0, 1.0)

    assert (len(state), state.added_total, state.depths) == (2, 2, {0: 2})
    assert drain(state) == ["a", "b"]


def test_adding_a_held_key_makes_it_dirty_but_not_queued(state: QueueState[str]) -> None:
    """Q4, Q6: it is owed and counted, but nobody else gets it."""
    state.add("a", 0, 0.0)
    assert take(state) == "a"
    assert state.depths == {0: 0}

    state.add("a", 0, 0.0)

    assert (len(state), state.added_total, state.depths) == (0, 2, {0: 1})
    assert state.take(0.0) is None


def test_a_key_added_often_while_held_runs_once_more_from_the_tail(state: QueueState[str]) -> None:
    """Q5."""
    state.add("a", 0, 0.0)
    take(state)
    for _ in range(3):
        state.add("a", 0, 0.0)
    state.add("b", 0, 0.0)

    state.done("a", 0.0)

    assert drain(state) == ["b", "a"]


@pytest.mark.parametrize("queued", [False, True])
def test_done_of_a_key_that_is_not_held_is_refused(state: QueueState[str], queued: bool) -> None:
    """Q7, port: it would end up queued twice."""
    if queued:
        state.add("a", 0, 0.0)

    with pytest.raises(ValueError, match="not handed out"):
        state.done("a", 0.0)


def test_length_counts_queued_keys_only(state: QueueState[str]) -> None:
    """Q8: neither held, nor dirty while held, nor waiting ones."""
    state.add("held", 0, 0.0)
    take(state)
    state.add("held", 0, 0.0)
    state.add_after("waiting", 5, 0, 0.0)
    state.add("queued", 0, 0.0)

    assert len(state) == 1


def test_after_shutdown_what_is_owed_is_still_handed_out(state: QueueState[str]) -> None:
    """Q9, D1, D7: adds are ignored, delays are lost, a dirty held key is queued by its done."""
    state.add("held", 0, 0.0)
    take(state)
    state.add("held", 0, 0.0)
    state.add("queued", 0, 0.0)
    state.add_after("waiting", 1, 0, 0.0)
    state.add_after("due", 0.5, 0, 0.0)

    state.shut_down(0.7)
    state.shut_down(0.7)
    state.add("late", 0, 0.8)
    state.add_after("late", 0, 0, 0.8)
    state.add_after("late", 1, 0, 0.8)

    assert drain(state, 9.0) == ["queued", "due"]
    state.done("held", 9.0)
    assert drain(state, 9.0) == ["held"]
    assert state.next_due() is None


@pytest.mark.parametrize("delay_s", [0.0, -1.0])
def test_a_delay_of_nothing_is_an_immediate_add(state: QueueState[str], delay_s: float) -> None:
    """D1."""
    state.add_after("a", delay_s, 0, 0.0)

    assert len(state) == 1


def test_of_several_delays_the_earliest_stays(state: QueueState[str]) -> None:
    """D2: 500, 100, 300 ms make one delivery, at 100 ms."""
    for delay_s in (0.5, 0.1, 0.3):
        state.add_after("a", delay_s, 0, 0.0)

    assert state.next_due() == 0.1
    assert drain(state, 0.05) == []
    assert drain(state, 0.1) == ["a"]
    assert drain(state, 9.0) == []


def test_an_immediate_add_uses_a_delay_up(state: QueueState[str]) -> None:
    """P4, which replaces D3: one pending run a key."""
    state.add_after("a", 5, 0, 0.0)

    state.add("a", 0, 1.0)

    assert drain(state, 1.0) == ["a"]
    assert state.next_due() is None
    assert drain(state, 9.0) == []


def test_a_delay_for_a_ready_key_leaves_it_ready(state: QueueState[str]) -> None:
    """P3: the earlier of existing and new."""
    state.add("a", 0, 0.0)

    state.add_after("a", 5, 0, 0.0)

    assert state.next_due() is None
    assert drain(state) == ["a"]


def test_a_delay_for_a_key_that_is_dirty_while_held_is_dropped(state: QueueState[str]) -> None:
    """P3: it is owed a run at once, which will say itself when to look again."""
    state.add("a", 0, 0.0)
    take(state)
    state.add("a", 0, 0.0)

    state.add_after("a", 5, 0, 0.0)
    state.done("a", 0.0)

    assert state.next_due() is None
    assert drain(state) == ["a"]


def test_a_key_due_while_held_becomes_dirty(state: QueueState[str]) -> None:
    """D4: at the deadline it is a plain add."""
    state.add("a", 0, 0.0)
    take(state)
    state.add_after("a", 1, 0, 0.0)

    assert state.take(2.0) is None
    assert state.depths == {0: 1}

    state.done("a", 2.0)
    assert drain(state, 2.0) == ["a"]


def test_the_deadline_counts_from_the_call(state: QueueState[str]) -> None:
    """D5."""
    state.add_after("a", 5, 0, 100.0)

    assert state.next_due() == 105.0
    assert state.take(104.9) is None
    assert take(state, 105.0) == "a"


def test_equal_deadlines_keep_the_order_of_their_adds(state: QueueState[str]) -> None:
    """D6, port."""
    for key in "cab":
        state.add_after(key, 1, 0, 0.0)

    assert drain(state, 1.0) == ["c", "a", "b"]


def test_higher_priorities_go_first(state: QueueState[str]) -> None:
    """P1: first in first out within one."""
    state.add("background-1", -100, 0.0)
    state.add("user-1", 0, 0.0)
    state.add("background-2", -100, 0.0)
    state.add("user-2", 0, 0.0)

    assert drain(state) == ["user-1", "user-2", "background-1", "background-2"]


def test_a_raised_key_moves_to_the_end_of_its_new_priority(state: QueueState[str]) -> None:
    """P2; the depth moves along (X4)."""
    state.add("a", -100, 0.0)
    state.add("b", 0, 0.0)

    state.add("a", 0, 0.0)
    state.add("c", 0, 0.0)

    assert state.depths == {-100: 0, 0: 3}
    assert drain(state) == ["b", "a", "c"]


@pytest.mark.parametrize("priority", [0, -1])
def test_an_equal_or_lower_priority_changes_nothing(state: QueueState[str], priority: int) -> None:
    """P2."""
    state.add("a", 0, 0.0)
    state.add("b", 0, 0.0)

    state.add("a", priority, 0.0)

    assert drain(state) == ["a", "b"]


def test_a_delayed_add_can_raise_a_ready_key(state: QueueState[str]) -> None:
    """P2 with P3: priority and time are raised apart from each other."""
    state.add("a", -100, 0.0)
    state.add("b", -100, 0.0)

    state.add_after("b", 60, 0, 0.0)

    assert drain(state) == ["b", "a"]


@pytest.mark.parametrize(("waiting", "added"), [(-100, 0), (0, -100)])
def test_an_add_to_a_waiting_key_takes_the_larger_priority(state: QueueState[str], waiting: int, added: int) -> None:
    """P2 with P4."""
    state.add_after("a", 5, waiting, 0.0)

    state.add("a", added, 0.0)

    taken = state.take(0.0)
    assert taken is not None
    assert taken.priority == 0


@pytest.mark.parametrize(("first", "second"), [((5, -100), (9, 0)), ((9, 0), (5, -100))])
def test_delays_join_to_the_earlier_time_and_the_larger_priority(
    state: QueueState[str], first: tuple[float, int], second: tuple[float, int]
) -> None:
    """P2, P3."""
    for delay_s, priority in (first, second):
        state.add_after("a", delay_s, priority, 0.0)

    taken = state.take(5.0)
    assert taken is not None
    assert (taken.key, taken.priority) == ("a", 0)


def test_a_held_key_that_becomes_dirty_keeps_the_larger_priority(state: QueueState[str]) -> None:
    """P2 for a key whose turn comes with `done`."""
    state.add("a", 0, 0.0)
    take(state)
    state.add("a", -100, 0.0)
    state.add("b", -50, 0.0)
    state.add("a", 0, 0.0)

    state.done("a", 0.0)

    assert drain(state) == ["a", "b"]


def test_a_key_ready_by_time_takes_its_place_at_that_time(state: QueueState[str]) -> None:
    """P5: not that of its add, and not that of somebody looking."""
    state.add_after("due at 1", 1, 0, 0.0)
    state.add("added at 0", 0, 0.0)

    state.add("added at 2", 0, 2.0)

    assert drain(state, 3.0) == ["added at 0", "due at 1", "added at 2"]


def test_a_raised_key_that_ran_waits_its_turn_the_next_time(state: QueueState[str]) -> None:
    """P1, P2: the place that it gave up when it was raised is not its place any more."""
    state.add("a", -100, 0.0)
    state.add("a", 0, 0.0)
    assert take(state) == "a"
    state.done("a", 0.0)

    state.add("b", -100, 0.0)
    state.add("a", -100, 0.0)

    assert drain(state) == ["b", "a"]


def test_a_deadline_that_was_replaced_does_not_come_back(state: QueueState[str]) -> None:
    """D2: although the key waits again when the replaced one would be due."""
    state.add_after("a", 5, 0, 0.0)
    state.add_after("a", 1, 0, 0.0)
    assert drain(state, 1.0) == ["a"]

    state.add_after("a", 10, 0, 1.0)

    assert drain(state, 5.0) == []
    assert state.next_due() == 11.0


def test_times_in_the_queue_and_in_hand_are_told(state: QueueState[str]) -> None:
    """Section 12: from becoming dirty to get, also while held or by a deadline; from get to done."""
    state.add("a", 0, 1.0)
    taken = state.take(3.0)
    assert taken is not None
    assert taken.queued_s == 2.0
    state.add("a", 0, 4.0)
    assert state.held_seconds(5.0) == [2.0]

    assert state.done("a", 6.0) == 3.0

    taken = state.take(7.0)
    assert taken is not None
    assert taken.queued_s == 3.0
    state.add_after("b", 1, 0, 7.0)
    taken = state.take(10.0)
    assert taken is not None
    assert taken.queued_s == 2.0, "due since 8"


def test_outdated_heap_entries_do_not_pile_up(state: QueueState[str]) -> None:
    """A key whose deadline comes closer, or whose priority rises, a thousand times leaves no thousand traces."""
    for step in range(1000):
        state.add_after("waiting", 2000 - step, 0, 0.0)
        state.add("ready", step, 0.0)

    assert len(state._due_heap) < 100
    assert len(state._ready_heap) < 100
    assert drain(state) == ["ready"]
    assert drain(state, 2000.0) == ["waiting"]
