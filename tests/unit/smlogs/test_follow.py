"""Following: every line once, however late; the end of the job, its last lines, and then the end."""

import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.smlogs.events import RECENT_MS, THOROUGH_MS, Seen, Window
from controller.smlogs.follow import Follower, Pace, Rhythm
from controller.smlogs.printing.output import Output
from controller.smlogs.reading import Progress, milliseconds
from controller.smlogs.subject import Subject
from tests.fakes import FakeClock
from tests.unit.smlogs.fakes import FakeLog, event, moving, output, subject

RHYTHM = Rhythm()


class Scene:
    """A job whose status changes with time, and a follower of its log."""

    def __init__(self, ends_s: float = 100.0, after: Subject | None = None) -> None:
        self.clock = FakeClock()
        self.start_ms = milliseconds(self.clock.utcnow())
        self.log = FakeLog(self.clock)
        self.out = io.StringIO()
        self.ends_s = ends_s
        self.after: Subject | None = after or subject("Completed")
        self.looks = 0

    def write(self, at_s: float, text: str, *, late_s: float = 0.0) -> None:
        """A line of that time, visible `late_s` later."""
        time_ms = self.start_ms + int(at_s * 1000)
        self.log.add(event(time_ms, text), at_ms=time_ms + int(late_s * 1000))

    def look(self) -> Subject | None:
        """What the Kubernetes object says now."""
        self.looks += 1
        return subject() if self.elapsed_s < self.ends_s else self.after

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return (milliseconds(self.clock.utcnow()) - self.start_ms) / 1000

    def follow(
        self, at_first: Subject | None = None, look: Callable[[], Subject | None] | None = None
    ) -> Subject | None:
        """Follow to the end; returns how the object was then."""
        shown: Output = output(self.out)
        follower = Follower(self.log, look or self.look, shown, moving(self.clock), self.clock, RHYTHM)
        for batch in follower.batches(at_first or subject(), Progress(Seen(), Window())):
            shown.show(batch)
        return follower.latest

    @property
    def printed(self) -> list[str]:
        """Texts of the printed lines."""
        return self.out.getvalue().splitlines()


def test_lines_are_printed_in_the_order_in_which_they_come() -> None:
    """Until the job has ended, which is told by its object."""
    scene = Scene()
    for second in (1, 2, 50):
        scene.write(second, f"line {second}")
    ended = scene.follow()
    assert scene.printed == ["line 1", "line 2", "line 50"]
    assert ended is not None
    assert ended.status == "Completed"


LATE = st.lists(
    st.tuples(st.floats(0, 90), st.one_of(st.just(0.0), st.floats(0, (THOROUGH_MS - RECENT_MS) / 1000 - 100))),
    max_size=15,
)


@settings(max_examples=30)  # each is a life of ten minutes, polled every second or two
@given(LATE)
def test_every_line_is_printed_exactly_once(times: Iterable[tuple[float, float]]) -> None:
    """Also those that arrive minutes late, behind newer ones, as long as the job runs (D-48)."""
    scene = Scene(ends_s=700)
    for number, (at_s, late_s) in enumerate(times):
        scene.write(at_s, f"{number}", late_s=late_s)
    scene.follow()
    assert sorted(scene.printed, key=int) == [str(number) for number in range(len(scene.log.arrivals))]


@given(st.lists(st.floats(0, 90), max_size=15))
def test_a_line_is_printed_within_two_seconds_of_its_appearance(times: Iterable[float]) -> None:
    """Whenever that is: right after a poll, after a long silence, or in the middle of many others."""
    scene = Scene(ends_s=100)
    printed_s: dict[str, float] = {}

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            printed_s.update((line, scene.elapsed_s) for line in text.splitlines())
            return super().write(text)

    scene.out = Watched()
    appears_s = {f"line {number}": at_s for number, at_s in enumerate(times)}
    for text, at_s in appears_s.items():
        scene.write(at_s, text)

    scene.follow()

    assert printed_s.keys() == appears_s.keys()
    # what is left of the two seconds is for the answers of AWS and of the cluster, which take no time here
    assert all(printed_s[text] - at_s <= RHYTHM.idle_s + 0.001 for text, at_s in appears_s.items())
    assert RHYTHM.idle_s + 0.5 <= 2


def test_a_very_late_line_is_printed_while_the_job_runs() -> None:
    """An instance that was cut off for two minutes: now and then, polls look back further."""
    scene = Scene(ends_s=400)
    scene.write(10, "late", late_s=120)
    for second in range(0, 400, 5):
        scene.write(second, f"{second}")
    seen_at: list[float] = []

    def look() -> Subject | None:
        if "late" in scene.printed:
            seen_at.append(scene.elapsed_s)
        return scene.look()

    scene.follow(look=look)
    assert seen_at[0] <= 130 + RHYTHM.thorough_s + RHYTHM.look_s + RHYTHM.idle_s


def test_the_last_poll_looks_for_very_late_lines_too() -> None:
    """There is no other one that could find what arrived since the last thorough one."""
    scene = Scene(ends_s=100)
    scene.write(20, "late", late_s=84)
    scene.write(95, "newest")
    scene.follow()
    assert scene.elapsed_s < 120
    assert scene.printed == ["newest", "late"]


def test_last_lines_that_arrive_after_the_end_are_printed() -> None:
    """Instances send their last lines with a delay: only silence is the end of a log."""
    scene = Scene(ends_s=10)
    for number in range(5):
        scene.write(9, f"last {number}", late_s=2 + 3.5 * number)
    scene.follow()
    assert scene.printed == [f"last {number}" for number in range(5)]


def test_a_job_that_ended_long_ago_is_not_waited_for() -> None:
    """Its log is complete: a script that follows a hundred finished jobs does not wait for each."""
    scene = Scene()
    scene.write(-1000, "old")
    ended = subject("Failed", ended_at=scene.clock.utcnow() - timedelta(minutes=10))
    # what was there at first is printed before the follower starts, which so finds nothing new
    progress = Progress(Seen(), Window())
    progress.seen.new(each for page in scene.log.pages(0) for each in page)
    follower = Follower(scene.log, scene.look, output(scene.out), moving(scene.clock), scene.clock, RHYTHM)
    assert [*follower.batches(ended, progress)] == []
    assert follower.latest == ended
    assert scene.elapsed_s == 0


@pytest.mark.parametrize("after", [None, subject(uid="2")], ids=["deleted", "another one under its name"])
def test_an_object_that_is_gone_ends_it(after: Subject | None) -> None:
    """A new object of the same name is another job."""
    scene = Scene(ends_s=10)
    scene.after = after
    scene.write(9, "last", late_s=3)
    assert scene.follow() is None
    assert scene.printed == ["last"]


def test_the_object_is_looked_at_seldom() -> None:
    """The API server is not asked at every poll."""
    scene = Scene(ends_s=60)
    scene.follow()
    assert scene.looks <= 60 / RHYTHM.look_s + 1
    assert len(scene.log.requests) > scene.looks


def test_polls_stay_so_frequent_that_a_line_is_out_within_two_seconds() -> None:
    """Pauses grow while nothing comes, up to a bound, and start anew with a line."""
    pace = Pace(RHYTHM)
    idle = [pace.next_s(came_lines=False) for _ in range(10)]
    assert idle == sorted(idle)
    assert idle[-1] == RHYTHM.idle_s < 2
    assert pace.next_s(came_lines=True) == RHYTHM.poll_s


def test_what_the_object_cannot_tell_is_not_the_end() -> None:
    """An error while looking is the caller's: it passes through."""
    scene = Scene()

    def fail() -> Subject | None:
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError):
        scene.follow(look=fail)


def test_a_reader_that_went_away_ends_it_without_a_new_line() -> None:
    """`kubectl smlogs … -f | head` ends although nothing more is written."""
    scene = Scene()

    class Gone(Output):
        def check_reader(self) -> None:
            raise BrokenPipeError

    gone = Gone(io.StringIO(), io.StringIO(), output()._lines)
    follower = Follower(scene.log, scene.look, gone, moving(scene.clock), scene.clock, replace(RHYTHM))
    with pytest.raises(BrokenPipeError):
        next(follower.batches(subject(), Progress(Seen(), Window())))
