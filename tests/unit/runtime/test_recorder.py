"""Telling never holds up who tells; writing is best effort and bounded (V1, V5)."""

import threading
from dataclasses import replace

import pytest

from controller.runtime.cache.reflector import Unreachable
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.record.events import EventRecord, EventRef, Regarding
from controller.runtime.record.recorder import MESSAGE_LIMIT, TRIES, EventRecorder
from controller.runtime.threads import Stop
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock

JOB = Regarding("sagemaker.aws.amazon.com/v1", "TrainingJob", "ml", "train", "u-1")
UNREACHABLE = Unreachable(ErrorClass.RETRYABLE, "ConnectionRefused", "scripted")
REFUSED = ClassifiedError(ErrorClass.DENIED, "Forbidden", "scripted")
GONE = ClassifiedError(ErrorClass.NOT_FOUND, "NotFound", "scripted")


class FakeSink:
    """Events in memory; `failures` are raised by the next writes. `enough` is set at the wanted number of tries."""

    def __init__(self) -> None:
        self.created: list[EventRecord] = []
        self.updated: list[EventRecord] = []
        self.failures: list[ClassifiedError] = []
        self.tries = 0
        self.wanted = 1
        self.enough = threading.Event()

    def create(self, event: EventRecord) -> EventRef:
        """See `EventSink.create`."""
        self._try()
        self.created.append(event)
        return EventRef("ml", f"event-{len(self.created)}")

    def update(self, ref: EventRef, event: EventRecord) -> None:
        """See `EventSink.update`."""
        self._try()
        self.updated.append(event)

    def _try(self) -> None:
        self.tries += 1
        if self.tries >= self.wanted:
            self.enough.set()
        if self.failures:
            raise self.failures.pop(0)


class Stage:
    """A recorder whose pauses take no time but advance the clock."""

    def __init__(self, **options: int) -> None:
        self.clock = FakeClock()
        self.sink = FakeSink()
        self.pauses: list[float] = []
        self.stop = Stop()
        self.recorder = EventRecorder(self.sink, clock=self.clock, wait=self._pause, **options)

    def _pause(self, stop: Stop, seconds: float) -> bool:
        self.pauses.append(seconds)
        self.clock.advance(seconds)
        return stop.is_set()

    def tell(self, message: str = "m") -> None:
        """One occurrence."""
        self.recorder.event(JOB, "Warning", "Failed", message)

    def run_until_tried(self, times: int) -> None:
        """Run in a thread until so many writes were tried, then stop."""
        self.sink.wanted = times
        thread = threading.Thread(target=self.recorder.run, args=(self.stop,), name="recorder")
        thread.start()
        tried = self.sink.enough.wait(PATIENCE_S)
        self.stop.set()
        thread.join(PATIENCE_S)
        assert tried

    def flush(self) -> None:
        """Run with the stop set already: only the flush."""
        self.stop.set()
        self.recorder.run(self.stop)


def test_what_is_told_is_written_by_the_recorders_thread() -> None:
    """Also what is told while it waits."""
    stage = Stage()
    thread = threading.Thread(target=stage.recorder.run, args=(stage.stop,), name="recorder")
    thread.start()

    stage.tell()
    assert stage.sink.enough.wait(PATIENCE_S)
    stage.stop.set()
    thread.join(PATIENCE_S)

    (event,) = stage.sink.created
    assert (event.regarding, event.type, event.reason, event.message, event.count) == (JOB, "Warning", "Failed", "m", 1)


def test_repetitions_update_the_same_event() -> None:
    """V2."""
    stage = Stage()
    for _ in range(3):
        stage.tell()

    stage.run_until_tried(3)

    assert len(stage.sink.created) == 1
    assert [event.count for event in stage.sink.updated] == [2, 3]


def test_an_event_that_expired_is_created_anew() -> None:
    """V5: the API server keeps Events for an hour."""
    stage = Stage()
    stage.tell()
    stage.run_until_tried(1)
    again = Stage()
    again.recorder._correlator = stage.recorder._correlator
    again.sink.failures = [GONE]
    again.tell()

    again.run_until_tried(2)

    assert [event.count for event in again.sink.created] == [2]


def test_an_unreachable_server_is_tried_again_every_ten_seconds() -> None:
    """V5: the first pause is random, so that many processes do not come back together."""
    stage = Stage()
    stage.sink.failures = [UNREACHABLE] * 3
    stage.tell()

    stage.run_until_tried(4)

    assert len(stage.sink.created) == 1
    assert 0 <= stage.pauses[0] <= 10
    assert stage.pauses[1:] == [10, 10]


def test_an_event_is_given_up_after_twelve_tries() -> None:
    """V5: and the next one has its turn."""
    stage = Stage()
    stage.sink.failures = [UNREACHABLE] * TRIES
    stage.tell("first")
    stage.tell("second")

    stage.run_until_tried(TRIES + 1)

    assert [event.message for event in stage.sink.created] == ["second"]


def test_an_answer_is_final() -> None:
    """V5: a namespace that is ending refuses every try."""
    stage = Stage()
    stage.sink.failures = [REFUSED]
    stage.tell("first")
    stage.tell("second")

    stage.run_until_tried(2)

    assert [event.message for event in stage.sink.created] == ["second"]
    assert stage.pauses == []


def test_more_than_fits_is_dropped_and_never_waited_for() -> None:
    """V1: nobody writes here, and telling returns all the same."""
    stage = Stage(buffer_size=2)
    for number in range(5):
        stage.tell(f"message {number}")

    stage.flush()

    assert [event.message for event in stage.sink.created] == ["message 0", "message 1"]


def test_a_burst_of_two_thousand_jobs_waits_for_a_slow_api_server() -> None:
    """Each job has an Event for its creation and one for its end; none of them is lost, whoever is slow."""
    stage = Stage()
    for number in range(2_000):
        job = replace(JOB, name=f"job-{number}", uid=f"u{number}")
        for reason in ("Created", "Completed"):
            stage.recorder.event(job, "Normal", reason, "m")

    stage.flush()

    assert len(stage.sink.created) == 4_000


def test_at_the_end_what_is_buffered_is_written() -> None:
    """The last words are often the interesting ones."""
    stage = Stage()
    stage.tell("a")
    stage.tell("b")

    stage.flush()

    assert [event.message for event in stage.sink.created] == ["a", "b"]


def test_the_end_is_bounded() -> None:
    """An unreachable server must not hold up the process: no second tries, no more than the flush time."""
    stage = Stage(flush_s=5)
    for number in range(10):
        stage.tell(f"message {number}")
    stage.sink.failures = [UNREACHABLE] * 10
    real_create = stage.sink.create

    def slow_create(event: EventRecord) -> EventRef:
        stage.clock.advance(2)
        return real_create(event)

    stage.sink.create = slow_create  # type: ignore[method-assign]
    stage.flush()

    assert stage.sink.tries == 3
    assert stage.pauses == []


def test_what_is_told_after_the_end_is_dropped() -> None:
    """Nobody would write it."""
    stage = Stage()
    stage.flush()

    stage.tell()

    assert stage.sink.created == []
    assert not stage.recorder._buffer


@pytest.mark.parametrize(
    ("event_type", "reason"), [("Error", "Failed"), ("Normal", "failed"), ("Normal", "Job failed"), ("Normal", "")]
)
def test_types_and_reasons_that_kubernetes_does_not_have_are_a_mistake(event_type: str, reason: str) -> None:
    """V1: found by the first test that tells it."""
    with pytest.raises(ValueError, match="event"):
        Stage().recorder.event(JOB, event_type, reason, "m")  # type: ignore[arg-type]


def test_long_messages_are_cut() -> None:
    """The API allows 1024 characters."""
    stage = Stage()
    stage.tell("x" * 5000)

    stage.flush()

    assert len(stage.sink.created[0].message) == MESSAGE_LIMIT


@pytest.mark.parametrize("before", [0, MESSAGE_LIMIT - 30, MESSAGE_LIMIT - 10])
def test_credentials_are_redacted_before_a_message_is_cut(before: int) -> None:
    """Half a signature would not be recognised any more, and is half a secret."""
    stage = Stage()
    stage.tell("x" * before + " https://b/k?X-Amz-Signature=" + "0fake1" * 10)

    stage.flush()

    assert "0fake" not in stage.sink.created[0].message
    assert len(stage.sink.created[0].message) <= MESSAGE_LIMIT
