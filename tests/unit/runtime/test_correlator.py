"""Which Event object an occurrence belongs to (V2-V4)."""

from datetime import UTC, datetime, timedelta

from controller.runtime.record.correlator import COMBINED_PREFIX, Correlator, Occurrence, Planned
from controller.runtime.record.events import EventRef, Regarding

JOB = Regarding("sagemaker.aws.amazon.com/v1", "TrainingJob", "ml", "train", "u-1", "41")
AT = datetime(2030, 1, 2, tzinfo=UTC)


class Teller:
    """Tells a correlator, remembers where Events were written."""

    def __init__(self, max_entries: int = 4096) -> None:
        self.correlator = Correlator(max_entries)
        self.now = 1000.0

    def tell(self, message: str, *, regarding: Regarding = JOB, reason: str = "Failed") -> Planned | None:
        """One occurrence, written if it is to be."""
        at = AT + timedelta(seconds=self.now - 1000)
        planned = self.correlator.plan(Occurrence(regarding, "Warning", reason, message, at), self.now)
        if planned is not None and planned.ref is None:
            self.correlator.written(planned, EventRef("ml", f"event-{message}"))
        return planned


def test_the_first_occurrence_is_a_new_event() -> None:
    """With count 1."""
    planned = Teller().tell("a")

    assert planned is not None
    assert planned.ref is None
    assert (planned.record.count, planned.record.message, planned.record.first_seen) == (1, "a", AT)


def test_equal_occurrences_raise_the_count_of_one_event() -> None:
    """V2: same object, type, reason and message; the object's version does not matter."""
    teller = Teller()
    teller.tell("a")
    teller.now += 60

    later = teller.tell("a", regarding=Regarding(JOB.api_version, JOB.kind, "ml", "train", "u-1", "99"))

    assert later is not None
    assert later.ref == EventRef("ml", "event-a")
    assert (later.record.count, later.record.first_seen) == (2, AT)
    assert later.record.last_seen == AT + timedelta(seconds=60)


def test_another_message_reason_or_object_is_another_event() -> None:
    """V2: all of them count."""
    teller = Teller()
    teller.tell("a")
    namesake = Regarding(JOB.api_version, JOB.kind, "ml", "train", "u-2")

    others = [teller.tell("b"), teller.tell("a", reason="Stopped"), teller.tell("a", regarding=namesake)]

    assert [planned.record.count for planned in others if planned] == [1, 1, 1]


def test_the_tenth_different_message_is_combined() -> None:
    """V3: one Event for all that follow."""
    teller = Teller()
    for number in range(9):
        planned = teller.tell(f"message {number}")
        assert planned is not None
        assert not planned.record.message.startswith(COMBINED_PREFIX)

    tenth, eleventh = teller.tell("message 9"), teller.tell("message 10")

    assert tenth is not None
    assert eleventh is not None
    assert tenth.record.message == COMBINED_PREFIX + "message 9"
    assert (eleventh.record.message, eleventh.record.count) == (COMBINED_PREFIX + "message 10", 2)
    assert eleventh.ref == EventRef("ml", "event-message 9")


def test_a_slow_flood_is_combined_too() -> None:
    """V3: what counts is the time since the message before, not since the first."""
    teller = Teller()
    for number in range(9):
        teller.tell(f"message {number}")
        teller.now += 500

    tenth = teller.tell("message 9")

    assert tenth is not None
    assert tenth.record.message.startswith(COMBINED_PREFIX)


def test_messages_that_come_seldom_are_not_combined() -> None:
    """V3: each within 600 s of the one before."""
    teller = Teller()
    for number in range(12):
        teller.now += 601
        planned = teller.tell(f"message {number}")
        assert planned is not None
        assert not planned.record.message.startswith(COMBINED_PREFIX)


def test_a_flood_about_one_object_is_dropped_after_25() -> None:
    """V4: then one each 300 s; what was dropped is counted all the same."""
    teller = Teller()
    written = [teller.tell("a") for _ in range(30)]
    assert [planned is not None for planned in written] == [True] * 25 + [False] * 5

    teller.now += 300
    allowed = teller.tell("a")

    assert allowed is not None
    assert allowed.record.count == 31
    assert teller.tell("a") is None


def test_a_flood_about_one_object_leaves_others_alone() -> None:
    """V4: per object and type."""
    teller = Teller()
    for _ in range(30):
        teller.tell("a")

    assert teller.tell("a", regarding=Regarding("v1", "X", "ml", "other", "u-9")) is not None


def test_memory_is_bounded_by_forgetting_what_was_not_used_longest() -> None:
    """V4: an object that was forgotten starts anew."""
    teller = Teller(max_entries=2)
    objects = [Regarding("v1", "X", "ml", name, name) for name in "abc"]
    for regarding in (objects[0], objects[1], objects[0], objects[2]):
        teller.tell("m", regarding=regarding)

    kept, forgotten = teller.tell("m", regarding=objects[0]), teller.tell("m", regarding=objects[1])

    assert kept is not None
    assert forgotten is not None
    assert (kept.record.count, forgotten.record.count) == (3, 1)
