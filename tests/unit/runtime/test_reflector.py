"""The reflector's rules (R1 to R18), each against a script of what the server answers."""

# ruff: noqa: D102 (the fakes implement the ports, which say what their methods are)

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from api.meta import JsonObject, Resource
from controller.runtime.cache.reflector import (
    ListPage,
    Next,
    Reflector,
    WatchEvent,
    after_refusal,
    after_stream,
    log_failure,
)
from controller.runtime.cache.store import RejectedObject
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.threads import Stop
from tests.fakes import FakeClock
from tests.tables import each_row
from tests.unit.runtime.objects import WIDGETS, key, widget
from tests.unit.runtime.scripted import (
    BROKEN,
    DENIED,
    EXPIRED,
    INVALID,
    REFUSED,
    THROTTLED,
    Asked,
    FakeStop,
    Script,
    Step,
    Stream,
    Watch,
    bookmark,
    error_event,
    event,
    page,
)


@dataclass
class RecordingTarget:
    """Notes what reaches it, as short words."""

    heard: list[str] = field(default_factory=list)
    rejects: str = ""
    on_replace: Callable[[], None] = lambda: None

    def replacement(self) -> "RecordingBatch":
        return RecordingBatch(self)

    def apply(self, event: WatchEvent) -> None:
        name = event.object["metadata"]["name"]
        if name == self.rejects:
            raise RejectedObject(key(name), "as wanted")
        self.heard.append(f"{event.type} {name}")

    def watching(self, is_watching: bool, /) -> None:
        self.heard.append("watching" if is_watching else "not watching")


@dataclass
class RecordingBatch:
    """Collects names."""

    target: RecordingTarget
    names: list[str] = field(default_factory=list)

    def add(self, objects: Iterable[JsonObject], /) -> None:
        self.names += [obj["metadata"]["name"] for obj in objects]

    def discard(self, obj: JsonObject, /) -> None:
        self.names.remove(obj["metadata"]["name"])

    def commit(self) -> None:
        self.target.on_replace()
        self.target.heard.append(f"replaced by {'+'.join(self.names) or 'nothing'}")


@dataclass
class Run:
    """What a reflector did with a script."""

    asked: list[Asked]
    heard: list[str]
    pauses: list[float]
    failures: list[str]
    timeouts_s: list[int]
    version: str


class _Least(random.Random):
    """Uniform draws are always the least, so pauses are 0.8, 1.6, 3.2 …"""

    def uniform(self, a: float, b: float) -> float:
        return a


def reflect(*steps: Step, target: RecordingTarget | None = None, clock: FakeClock | None = None) -> Run:
    """Run a reflector through the script to its end, which is always an unanswered request."""
    target = target or RecordingTarget()
    clock = clock or FakeClock()
    stop = FakeStop(clock)
    script = Script(clock, stop, *steps)
    failures: list[str] = []
    reflector = Reflector(
        WIDGETS,
        script,
        target,
        clock=clock,
        rng=_Least(7),
        on_failure=lambda _, error: failures.append(error.code),
    )
    reflector.run(stop)
    assert failures[-1:] == ["EndOfScript"] or not script._steps
    return Run(script.asked, target.heard, stop.pauses, failures, script.timeouts_s, reflector.version)


FIRST = Asked("list", "", 500)


def relist(version: str) -> Asked:
    return Asked("list", version, None)


def watch(version: str) -> Asked:
    return Asked("watch", version)


def test_first_list_takes_the_present_state_in_pages_and_the_watch_begins_there() -> None:
    """R1, R4: list, replace, watch from the list's version. Not at "0", which a server answers in one piece."""
    run = reflect(page(widget("a"), widget("b"), version="10"))

    assert run.asked == [FIRST, watch("10")]
    assert run.heard == ["replaced by a+b", "watching", "not watching"]


def test_a_list_in_pages_replaces_once() -> None:
    """R1, R3: later pages carry the token and no version; a list that really came in pages keeps them later."""
    run = reflect(
        page(widget("a"), token="next", version="10"),
        page(widget("b"), token="last", version="10"),
        page(widget("c"), version="10"),
        BROKEN,
        page(version="20"),
    )

    assert run.asked[:3] == [FIRST, Asked("list", "", 500, "next"), Asked("list", "", 500, "last")]
    assert run.asked[3:] == [watch("10"), Asked("list", "10", 500), watch("20")]
    assert run.heard[0] == "replaced by a+b+c"


def test_expired_pages_fall_back_to_one_full_list() -> None:
    """R3: at the version that was first asked for; what the pages brought is dropped."""
    run = reflect(page(widget("a"), token="next"), EXPIRED, page(widget("b"), version="12"))

    assert run.asked == [FIRST, Asked("list", "", 500, "next"), relist(""), watch("12")]
    assert run.heard[0] == "replaced by b"
    assert run.pauses == []


def test_a_later_page_that_fails_otherwise_drops_the_list() -> None:
    """R3, R4: nothing reaches the store."""
    run = reflect(page(widget("a"), token="next"), BROKEN, page(widget("b"), version="12"))

    assert run.asked == [FIRST, Asked("list", "", 500, "next"), Asked("list", "", 500), watch("12")]
    assert run.heard[0] == "replaced by b"


def test_a_list_at_an_unavailable_version_is_repeated_at_once_without_one() -> None:
    """R2: without back-off; the next success ends that mode."""
    run = reflect(page(version="10"), BROKEN, EXPIRED, page(version="30"), BROKEN, page(version="40"))

    assert run.asked == [
        FIRST,
        watch("10"),
        relist("10"),
        Asked("list", "", 500),
        watch("30"),
        relist("30"),
        watch("40"),
    ]
    assert run.pauses == [0.8, 1.6], "after the broken watches"
    assert run.failures[:3] == ["InternalError", "Expired", "InternalError"]


def test_a_list_without_version_is_tried_again_after_a_pause() -> None:
    """R2: the mode outlives failures, and 410 to a request without version makes no hot loop."""
    run = reflect(EXPIRED, EXPIRED, EXPIRED, BROKEN, page(version="30"))

    assert run.asked == [FIRST, *[Asked("list", "", 500)] * 4, watch("30")]
    assert run.pauses == [0.8, 1.6, 3.2]


def test_the_version_is_remembered_only_after_the_store_has_the_list() -> None:
    """R4: a replacement that fails leaves the old version."""

    def fail() -> None:
        raise BROKEN

    target = RecordingTarget(on_replace=fail)
    clock = FakeClock()
    stop = FakeStop(clock)
    script = Script(clock, stop, page(version="10"))
    reflector = Reflector(WIDGETS, script, target, clock=clock, on_failure=lambda *_: None)

    reflector.run(stop)

    assert reflector.version == ""
    assert script.asked == [FIRST, FIRST]


def test_watches_last_between_five_and_ten_minutes() -> None:
    """R5: each as long as the dice say."""
    run = reflect(page(), *(Watch([bookmark(str(n))]) for n in range(40)))

    assert all(300 <= timeout_s <= 600 for timeout_s in run.timeouts_s)
    assert len(set(run.timeouts_s)) > 10


def test_a_watch_that_ends_is_resumed_from_the_last_version() -> None:
    """R6, R12: no list, no pause."""
    run = reflect(page(version="10"), Watch([event("ADDED", widget("a", "11"))]), Watch(lived_s=400))

    assert run.asked == [FIRST, watch("10"), watch("11"), watch("11")]
    assert run.heard == ["replaced by nothing", "watching", "ADDED a", "not watching"]
    assert run.pauses == []


def test_a_silent_connection_is_resumed_from_the_last_version() -> None:
    """R6, K3: the read time-out of a half-open connection is no reason to list."""
    silent = Watch([event("MODIFIED", widget("a", "11"))], error=REFUSED, lived_s=630)

    run = reflect(page(version="10"), silent)

    assert run.asked == [FIRST, watch("10"), watch("11")]
    assert run.failures == ["ConnectionRefused", "EndOfScript"]
    assert silent.closed


def test_a_server_that_was_set_back_is_listed_anew_although_it_accepts_watches() -> None:
    """R2: restored from a backup, it lets a watch begin at a version that it has not reached, and sends nothing."""
    mute = Watch(error=REFUSED, lived_s=150)

    run = reflect(page(version="5000"), mute, EXPIRED, page(widget("restored", "870"), version="884"))

    assert run.asked[:3] == [FIRST, watch("5000"), relist("5000")]
    assert (run.asked[3].verb, run.asked[3].version) == ("list", "")
    assert run.asked[4] == watch("884")
    assert "replaced by restored" in run.heard


@each_row(
    ("error", "lived_s", "events", "following"),
    [
        pytest.param(None, 400, 3, Next.WATCH, id="R6: closed normally"),
        pytest.param(None, 400, 0, Next.WATCH, id="R6: a quiet resource"),
        pytest.param(None, 0.5, 1, Next.WATCH, id="R6: short, but with an event"),
        pytest.param(None, 1.0, 0, Next.WATCH, id="R6: silent, but not within a second"),
        pytest.param(None, 0.9, 0, Next.PAUSE_LIST, id="R7: short and silent"),
        pytest.param(REFUSED, 0.9, 0, Next.PAUSE_LIST, id="R7: cut off at once"),
        pytest.param(REFUSED, 630, 1, Next.WATCH, id="K3: read time-out"),
        pytest.param(REFUSED, 60, 0, Next.WATCH, id="K3: cut off before a bookmark was due"),
        pytest.param(REFUSED, 150, 0, Next.PAUSE_LIST, id="R2: mute for longer than two bookmarks take"),
        pytest.param(EXPIRED, 400, 3, Next.PAUSE_LIST, id="R8: 410"),
        pytest.param(THROTTLED, 400, 3, Next.PAUSE_WATCH, id="R9: 429"),
        pytest.param(BROKEN, 400, 3, Next.PAUSE_LIST, id="R10: 500"),
    ],
)
def test_what_follows_an_ended_watch(
    error: ClassifiedError | None, lived_s: float, events: int, following: Next
) -> None:
    """R6 to R10 for streams."""
    assert after_stream(error, lived_s=lived_s, events=events) is following


@each_row(
    ("error", "following"),
    [
        pytest.param(REFUSED, Next.PAUSE_WATCH, id="R9: connection refused"),
        pytest.param(THROTTLED, Next.PAUSE_WATCH, id="R9: 429"),
        pytest.param(EXPIRED, Next.PAUSE_LIST, id="R10: 410"),
        pytest.param(BROKEN, Next.PAUSE_LIST, id="R10: 500"),
        pytest.param(DENIED, Next.PAUSE_LIST, id="R10: 403"),
    ],
)
def test_what_follows_a_refused_watch(error: ClassifiedError, following: Next) -> None:
    """R9, R10 for watch requests."""
    assert after_refusal(error) is following


@each_row("end", [Watch(lived_s=0.5), REFUSED, THROTTLED, EXPIRED, BROKEN])
def test_every_end_of_a_watch_but_the_normal_one_pauses(end: Step) -> None:
    """R7 to R11: and is reported."""
    run = reflect(page(version="10"), end)

    assert run.pauses == [0.8]
    assert len(run.failures) == 2


@each_row(
    ("last", "then"),
    [
        pytest.param(error_event(410, "Expired"), relist("11"), id="R8: list from the last version"),
        pytest.param(error_event(0, "Gone"), relist("11"), id="R8: by reason"),
        pytest.param(error_event(429, "TooManyRequests"), watch("11"), id="R9: watch again"),
        pytest.param(error_event(429), watch("11"), id="R9: by code"),
        pytest.param(error_event(500, "InternalError"), relist("11"), id="R10"),
    ],
)
def test_an_error_event_ends_the_watch(last: WatchEvent, then: Asked) -> None:
    """R8 to R10: nothing after it is read."""
    late = event("ADDED", widget("late", "12"))

    run = reflect(page(version="10"), Watch([event("ADDED", widget("a", "11")), last, late]))

    assert run.asked == [FIRST, watch("10"), then]
    assert "ADDED late" not in run.heard
    assert run.pauses == [0.8]


def test_good_lists_do_not_reset_the_backoff() -> None:
    """R11: a server that answers lists and breaks watches is not listed at full speed."""
    run = reflect(page(), BROKEN, page(), BROKEN, page(), BROKEN, page(), BROKEN)

    assert run.pauses == [0.8, 1.6, 3.2, 6.4]


def test_a_long_good_watch_resets_the_backoff() -> None:
    """R11, port: two minutes without a failure."""
    run = reflect(page(), BROKEN, page(), BROKEN, page(), Watch([bookmark("11")], lived_s=121), BROKEN)

    assert run.pauses == [0.8, 1.6, 0.8]


def test_the_server_can_ask_for_a_longer_pause() -> None:
    """R9: Retry-After of a 429."""
    run = reflect(page(), ClassifiedError(ErrorClass.THROTTLED, "TooManyRequests", "later", retry_after_s=17))

    assert run.pauses == [17]


def test_a_rejected_object_moves_the_version_and_is_logged() -> None:
    """R12."""
    target = RecordingTarget(rejects="bad")
    events = [event("ADDED", widget("bad", "11")), event("ADDED", widget("good", "12"))]

    with capture_logs() as logs:
        run = reflect(page(), Watch([events[0]]), Watch([events[1]]), target=target)

    assert run.asked[2:] == [watch("11"), watch("12")]
    assert "ADDED good" in run.heard
    assert [entry for entry in logs if entry["log_level"] == "error"] == [
        {"event": "object rejected", "log_level": "error", "resource": "widgets", "error": "ns/bad: as wanted"}
    ]


def test_a_bookmark_moves_the_version_and_nothing_else() -> None:
    """R13."""
    run = reflect(page(version="10"), Watch([bookmark("15")]))

    assert run.asked[-1] == watch("15")
    assert run.heard == ["replaced by nothing", "watching", "not watching"]


@each_row(
    "obj",
    [
        pytest.param({**widget("a", "99"), "kind": "Gadget"}, id="another kind"),
        pytest.param({**widget("a", "99"), "apiVersion": "example.com/v2"}, id="another version of the API"),
        pytest.param({"kind": "Widget", "apiVersion": "example.com/v1"}, id="no metadata"),
        pytest.param({"kind": "Widget", "apiVersion": "example.com/v1", "metadata": "x"}, id="odd metadata"),
        pytest.param({"kind": "Widget", "apiVersion": "example.com/v1", "metadata": {"name": "a"}}, id="no version"),
        pytest.param({}, id="nothing"),
    ],
)
@each_row("type_", ["ADDED", "BOOKMARK"])
def test_an_event_of_something_else_is_skipped(obj: JsonObject, type_: str) -> None:
    """R14: logged, and the version stays."""
    with capture_logs() as logs:
        run = reflect(page(version="10"), Watch([event(type_, obj)]))

    assert run.asked[-1] == watch("10")
    assert not [word for word in run.heard if type_ in word]
    assert [entry["event"] for entry in logs] == ["watch event of something else skipped"]


def test_an_unknown_event_type_moves_the_version_only() -> None:
    """R14."""
    with capture_logs() as logs:
        run = reflect(page(version="10"), Watch([event("RENAMED", widget("a", "11"))]))

    assert run.asked[-1] == watch("11")
    assert run.heard == ["replaced by nothing", "watching", "not watching"]
    assert [entry["event"] for entry in logs] == ["watch event of unknown type"]


@pytest.mark.parametrize("start", ["", "0"])
def test_a_watch_from_nowhere_moves_the_version_after_the_first_objects(start: str) -> None:
    """R15: ADDED comes in no order of versions there."""
    first = [event("ADDED", widget("a", "30")), event("ADDED", widget("b", "20"))]

    run = reflect(page(version=start), Watch(first), Watch([*first, bookmark("31"), event("ADDED", widget("c", "32"))]))

    assert run.asked == [FIRST, watch(start), watch(start), watch("32")]


def test_stopped_before_it_begins_it_asks_nothing() -> None:
    """R16."""
    clock = FakeClock()
    stop = FakeStop(clock)
    script = Script(clock, stop)
    stop.set()

    Reflector(WIDGETS, script, RecordingTarget(), clock=clock).run(stop)

    assert script.asked == []


class StoppingScript(Script):
    """Is stopped while it answers a list."""

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        self._stop.set()
        return super().list(resource_version=resource_version, limit=limit, continue_token=continue_token)


@pytest.mark.parametrize("token", ["", "next"])
def test_stopped_while_listing_nothing_reaches_the_store(token: str) -> None:
    """R16: nor is another page asked for."""
    stop = Stop()
    script = StoppingScript(FakeClock(), stop, page(widget("a"), token=token), page(widget("b")))
    target = RecordingTarget()

    Reflector(WIDGETS, script, target, clock=FakeClock()).run(stop)

    assert target.heard == []
    assert len(script.asked) == 1


def test_stopped_while_watching_the_stream_is_closed_and_nothing_reaches_the_store() -> None:
    """R16, K3: closing wakes a blocked reader; an event that is already under way is dropped."""
    clock = FakeClock()
    stop = FakeStop(clock)
    closed: list[bool] = []
    late = Watch()

    def end() -> None:
        stop.set()
        closed.append(late.closed)

    late.events = [end, event("ADDED", widget("late", "11"))]
    script = Script(clock, stop, page(), late)
    target = RecordingTarget()

    Reflector(WIDGETS, script, target, clock=clock).run(stop)

    assert closed == [True], "closed by the stop, not by the end of the loop"
    assert target.heard == ["replaced by nothing", "watching", "not watching"]
    assert script.asked == [FIRST, watch("10")]
    assert stop.pauses == []


def test_a_stream_that_breaks_because_of_the_stop_is_no_failure() -> None:
    """R16, R17: nobody should read of a broken connection at every shutdown."""
    clock = FakeClock()
    stop = FakeStop(clock)
    script = Script(clock, stop, page(), Watch([stop.set], error=REFUSED, lived_s=0.0))
    failures: list[ClassifiedError] = []

    Reflector(WIDGETS, script, RecordingTarget(), clock=clock, on_failure=lambda _, error: failures.append(error)).run(
        stop
    )

    assert failures == []


def test_stopped_while_backing_off_it_ends() -> None:
    """R16."""

    class EndingStop(FakeStop):
        def wait(self, timeout_s: float | None = None) -> bool:
            self.set()
            return super().wait(timeout_s)

    clock = FakeClock()
    stop = EndingStop(clock)
    script = Script(clock, stop, BROKEN, page(widget("a")))
    target = RecordingTarget()

    Reflector(WIDGETS, script, target, clock=clock, on_failure=lambda *_: None).run(stop)

    assert (len(script.asked), target.heard) == (1, [])


@each_row(
    ("error", "level"),
    [(EXPIRED, "debug"), (REFUSED, "warning"), (THROTTLED, "warning"), (BROKEN, "warning"), (DENIED, "error")],
)
def test_failures_are_logged_by_class(error: ClassifiedError, level: str) -> None:
    """R17: 410 quietly, what a person has to mend as an error."""
    with capture_logs() as logs:
        log_failure(Resource("example.com", "v1", "widgets", "Widget"), error)

    assert [(entry["log_level"], entry["resource"], entry["code"]) for entry in logs] == [
        (level, "widgets", error.code)
    ]


def test_a_relist_asks_for_no_less_than_was_seen() -> None:
    """R18: the store never goes back in time."""
    run = reflect(page(version="10"), Watch([event("ADDED", widget("a", "25"))]), EXPIRED, page(version="25"))

    assert run.asked == [FIRST, watch("10"), watch("25"), relist("25"), watch("25")]


def stream(version: str) -> Asked:
    return Asked("stream", version)


def test_a_streamed_list_replaces_at_its_end_and_goes_on_as_the_watch() -> None:
    """R19, R4: nothing reaches the store before the bookmark that says that all were told; no second request."""
    first = Stream(
        [
            event("ADDED", widget("a", "3")),
            event("ADDED", widget("b", "2")),
            bookmark("10", ends_list=True),
            event("MODIFIED", widget("a", "11")),
        ]
    )

    run = reflect(first)

    assert run.asked == [stream(""), watch("11")]
    assert run.heard == ["replaced by a+b", "watching", "MODIFIED a", "not watching"]
    assert first.closed
    assert run.pauses == []


def test_what_changes_while_a_list_is_streamed_is_part_of_it() -> None:
    """R19: changes may come before the end; an object that is deleted by then is not there."""
    run = reflect(
        Stream(
            [
                event("ADDED", widget("a", "3")),
                event("ADDED", widget("b", "4")),
                event("DELETED", widget("a", "9")),
                bookmark("10", ends_list=True),
            ]
        )
    )

    assert run.heard[0] == "replaced by b"


def test_a_later_streamed_list_is_not_older_than_what_was_seen() -> None:
    """R18, R19: the store never goes back in time."""
    lost = Stream([bookmark("10", ends_list=True), event("ADDED", widget("a", "11")), error_event(410)])
    again = Stream([event("ADDED", widget("b", "12")), bookmark("20", ends_list=True)])

    run = reflect(lost, again)

    assert run.asked == [stream(""), stream("11"), watch("20")]
    assert run.heard[-3:] == ["replaced by b", "watching", "not watching"]


def test_a_server_that_cannot_stream_is_asked_once() -> None:
    """R19: it says Invalid; from then on lists come in pages."""
    run = reflect(Stream(refusal=INVALID), page(widget("a"), version="10"), BROKEN, page(version="20"))

    assert run.asked == [stream(""), FIRST, watch("10"), relist("10"), watch("20")]
    assert "Invalid" not in run.failures


@pytest.mark.parametrize("error", [REFUSED, THROTTLED], ids=["nobody answers", "the server is busy"])
def test_a_stream_that_is_refused_for_now_is_tried_again_after_a_pause(error: ClassifiedError) -> None:
    """R19, R9: a list would fare no better, and load a server whose cache is being filled."""
    run = reflect(Stream(refusal=error), Stream([bookmark("10", ends_list=True)]))

    assert run.asked == [stream(""), stream(""), watch("10")]
    assert run.pauses[0] == 0.8


@each_row(
    "broken",
    [
        pytest.param(Stream(refusal=BROKEN), id="refused"),
        pytest.param(
            Stream(refusal=REFUSED, refused_after_s=150), id="no answer: held back by a proxy, where lists pass"
        ),
        pytest.param(Stream(refusal=EXPIRED), id="410, or a version that the server has not reached"),
        pytest.param(Stream([event("ADDED", widget("a")), error_event(500)]), id="an ERROR event"),
        pytest.param(Stream([event("ADDED", widget("a"))], error=REFUSED), id="cut off"),
        pytest.param(Stream([event("ADDED", widget("a"))]), id="ended early"),
        pytest.param(Stream([event("ADDED", widget("a")), bookmark("9")]), id="a plain watch"),
    ],
)
def test_a_stream_that_fails_is_dropped_and_listed_instead(broken: Stream) -> None:
    """R19, R4: half a list reaches nobody; R2 is the list's."""
    run = reflect(broken, page(widget("b"), version="10"))

    assert run.asked == [stream(""), FIRST, watch("10")]
    assert run.heard[0] == "replaced by b"
    assert broken.closed or broken.refusal
    assert run.pauses == []


def test_a_server_that_takes_a_streamed_list_for_a_watch_is_not_asked_again() -> None:
    """R19: one that ignores parameters would leave us without a list for ever; its bookmarks give it away."""
    plain = Stream([event("ADDED", widget("a")), event("MODIFIED", widget("a")), bookmark("9")])
    unused = Stream([bookmark("30", ends_list=True)])

    run = reflect(plain, page(version="10"), BROKEN, page(version="20"), unused)

    assert stream("10") not in run.asked
    assert run.asked[:4] == [stream(""), FIRST, watch("10"), relist("10")]


def test_stopping_ends_a_streamed_list_and_nothing_reaches_the_store() -> None:
    """R16: the stream is closed, no list follows."""
    clock, target = FakeClock(), RecordingTarget()
    stop = FakeStop(clock)
    half = Stream([event("ADDED", widget("a")), stop.set, bookmark("10", ends_list=True)])
    script = Script(clock, stop, half, page(widget("b")))

    Reflector(WIDGETS, script, target, clock=clock).run(stop)

    assert script.asked == [stream("")]
    assert target.heard == []
    assert half.closed
