"""The informer: what handlers hear, in which order, and when it counts as synced."""

# ruff: noqa: D102 (the fakes implement the ports, which say what their methods are)

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.meta import ObjectKey
from controller.runtime.cache.informer import HandlerRegistration, Informer
from controller.runtime.cache.informer_metrics import InformerMetrics
from controller.runtime.cache.store import Snapshot, Store, Tombstone
from tests.deadline import PATIENCE_S, eventually
from tests.fakes import FakeClock
from tests.unit.runtime.objects import WIDGETS, key, widget
from tests.unit.runtime.scripted import BROKEN, FakeStop, Script, Step, Watch, event, page


@dataclass
class Recorder:
    """A handler that notes what it hears: `add a@1 initial`, `update a@1→2`, `delete a@2`, `tombstone a@1`."""

    never_blocks: bool = True
    heard: list[str] = field(default_factory=list)
    before: Callable[[], None] = lambda: None
    """Called first in every call."""

    def on_add(self, obj: Snapshot, *, initial: bool) -> None:
        self.before()
        self.heard.append(f"add {obj.key.name}@{obj.resource_version}{' initial' if initial else ''}")

    def on_update(self, old: Snapshot, new: Snapshot) -> None:
        self.before()
        self.heard.append(f"update {new.key.name}@{old.resource_version}→{new.resource_version}")

    def on_delete(self, obj: Snapshot | Tombstone) -> None:
        self.before()
        if isinstance(obj, Tombstone):
            self.heard.append(f"tombstone {obj.key.name}@{obj.last.resource_version}")
        else:
            self.heard.append(f"delete {obj.key.name}@{obj.resource_version}")


@dataclass
class Scene:
    """An informer before a script."""

    steps: list[Step] = field(default_factory=list)
    namespace: str = ""
    store: Store = field(default_factory=Store)
    time_passes_in_threads: bool = False

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.stop = FakeStop(self.clock, is_for_all=self.time_passes_in_threads)
        self.registry = CollectorRegistry()
        self.script = Script(self.clock, self.stop, *self.steps)
        self.informer = Informer(
            WIDGETS,
            self.script,
            self.store,
            metrics=InformerMetrics(self.registry),
            clock=self.clock,
            namespace=self.namespace,
            on_failure=lambda *_: None,
        )

    def run(self) -> None:
        """To the end of the script."""
        self.informer.run(self.stop)

    def sample(self, name: str, informer: str = "widget") -> float | None:
        labels = {"name": informer, "group": "example.com", "version": "v1", "resource": "widgets"}
        return self.registry.get_sample_value(name, labels)


def hear(*steps: Step) -> list[str]:
    """What a handler that was there from the beginning hears of a script."""
    scene, recorder = Scene(list(steps)), Recorder()
    scene.informer.add_handler(recorder)
    scene.run()
    return recorder.heard


def test_the_kind_of_notification_follows_from_the_store() -> None:
    """I1: ADDED of a known object is an update, MODIFIED of an unknown one an add; later adds are not initial (I12)."""
    heard = hear(
        page(widget("a", "1")),
        Watch(
            [event("ADDED", widget("a", "2")), event("MODIFIED", widget("b", "3")), event("DELETED", widget("a", "4"))]
        ),
    )

    assert heard == ["add a@1 initial", "update a@1→2", "add b@3", "delete a@4"]


def test_the_store_has_changed_when_a_handler_hears_of_it() -> None:
    """I2: the whole of it with a list."""
    scene = Scene([page(widget("a"), widget("b")), Watch([event("DELETED", widget("a", "2"))])])
    sizes: list[int] = []
    scene.informer.add_handler(Recorder(before=lambda: sizes.append(len(scene.store))))

    scene.run()

    assert sizes == [2, 2, 1]


def test_a_relist_tells_deletions_first_then_the_rest_in_list_order() -> None:
    """I3, I4: deletions as tombstones with what was last known."""
    heard = hear(
        page(widget("gone", "1"), widget("kept", "2"), version="10"),
        BROKEN,
        page(widget("new", "11"), widget("kept", "12"), version="12"),
    )

    assert heard == [
        "add gone@1 initial",
        "add kept@2 initial",
        "tombstone gone@1",
        "add new@11",
        "update kept@2→12",
    ]


def test_the_deletion_of_an_unknown_object_is_told_all_the_same() -> None:
    """I4: with its final state."""
    assert hear(page(), Watch([event("DELETED", widget("a", "5"))])) == ["delete a@5"]


def test_deleted_and_created_again_between_lists_is_one_update() -> None:
    """I5: whose uids differ."""
    scene = Scene([page(widget("a", "1", uid="first")), BROKEN, page(widget("a", "9", uid="second"))])
    uids: list[tuple[str, str]] = []

    class Uids(Recorder):
        def on_update(self, old: Snapshot, new: Snapshot) -> None:
            uids.append((old.metadata["uid"], new.metadata["uid"]))

        def on_delete(self, obj: Snapshot | Tombstone) -> None:
            raise AssertionError("no delete")

    scene.informer.add_handler(Uids())
    scene.run()

    assert uids == [("first", "second")]


def test_unchanged_objects_of_a_relist_reach_everybody_before_a_first_resync_check() -> None:
    """I7."""
    assert hear(page(widget("a", "1")), BROKEN, page(widget("a", "1"))) == ["add a@1 initial", "update a@1→1"]


def test_unchanged_objects_of_a_relist_reach_only_handlers_due_for_a_resync() -> None:
    """I7: after a check has said who is."""
    never, due = Recorder(), Recorder()
    check = Watch()
    scene = Scene([page(widget("a", "1")), check, BROKEN, page(widget("a", "1"))])
    scene.informer.add_handler(never)
    scene.informer.add_handler(due, resync_period_s=10_000)
    check.events = [lambda: scene.clock.advance(10_000), scene.informer.check_resync]

    scene.run()

    assert never.heard == ["add a@1 initial"]
    assert due.heard == ["add a@1 initial", "update a@1→1", "update a@1→1"]


def resync_times(period_s: float, steps_s: list[float], *, other_s: float = 0.0) -> list[float]:
    """When a handler with `period_s` hears of the one object again, if checks come after each of `steps_s`."""
    watch = Watch()
    scene = Scene([page(widget("a", "1")), watch])
    times: list[float] = []
    start = scene.clock.monotonic()

    class Times(Recorder):
        def on_update(self, old: Snapshot, new: Snapshot) -> None:
            assert old is new
            times.append(scene.clock.monotonic() - start)

    scene.informer.add_handler(Times(), resync_period_s=period_s)
    scene.informer.add_handler(Recorder(), resync_period_s=other_s)

    def check(step_s: float) -> Callable[[], None]:
        def act() -> None:
            scene.clock.advance(step_s)
            scene.informer.check_resync()

        return act

    watch.events = [check(step_s) for step_s in steps_s]
    scene.run()
    assert [asked.verb for asked in scene.script.asked] == ["list", "watch", "watch"], (
        "a resync asks the server nothing"
    )
    return times


@pytest.mark.parametrize(
    ("period_s", "expected"),
    [
        pytest.param(0, [], id="never"),
        pytest.param(2, [2, 4, 6], id="every other check"),
        pytest.param(2.5, [3, 6], id="rounded up to the checks"),
        pytest.param(0.1, [1, 2, 3, 4, 5, 6], id="at least a second"),
    ],
)
def test_resync_tells_the_store_again(period_s: float, expected: list[float]) -> None:
    """I8: update(x, x), the same object twice, without an API call."""
    assert resync_times(period_s, [1, 1, 1, 1, 1, 1]) == expected


@pytest.mark.parametrize(("first_s", "resyncs"), [(60.0, 2), (0.0, 0)])
def test_a_late_handler_gets_no_shorter_period_than_the_informer_checks(first_s: float, resyncs: int) -> None:
    """I8: and never where nobody asked for resyncs at the start."""
    watch, late = Watch(), Recorder()
    scene = Scene([page(widget("a", "1")), watch])
    scene.informer.add_handler(Recorder(), resync_period_s=first_s)
    watch.events = [lambda: scene.informer.add_handler(late, resync_period_s=5)]  # type: ignore[list-item]

    def pass_and_check() -> None:
        scene.clock.advance(30)
        scene.informer.check_resync()

    watch.events += [pass_and_check] * 4
    scene.run()

    assert late.heard == ["add a@1 initial"] + ["update a@1→1"] * resyncs


def test_the_resync_timer_begins_anew_with_every_list() -> None:
    """I9: and stands still while a list is needed."""
    first, second = Watch(), Watch()
    scene = Scene([page(widget("a", "1")), first, BROKEN, page(widget("a", "1")), second])
    recorder = Recorder()
    scene.informer.add_handler(recorder, resync_period_s=10_000)

    def pass_and_check(seconds: float) -> Callable[[], None]:
        def act() -> None:
            scene.clock.advance(seconds)
            scene.informer.check_resync()

        return act

    scene.informer.check_resync()  # before the first list
    first.events = [pass_and_check(9_000)]
    second.events = [pass_and_check(9_000), pass_and_check(1_000)]
    scene.run()
    pass_and_check(20_000)()  # after the last watch

    assert recorder.heard == ["add a@1 initial", "update a@1→1"]


def test_the_resync_thread_replays_the_store() -> None:
    """I8, I9: by itself, while a watch is quiet."""
    heard, quiet = threading.Event(), Watch()
    scene = Scene([page(widget("a", "1")), quiet], time_passes_in_threads=True)

    class Hears(Recorder):
        def on_update(self, old: Snapshot, new: Snapshot) -> None:
            heard.set()

    scene.informer.add_handler(Hears(), resync_period_s=600)
    quiet.events = [lambda: wait_for(heard)]
    scene.run()

    assert heard.is_set()


@pytest.mark.parametrize("items", [[], [widget("a"), widget("b")]])
def test_synced_when_the_first_list_has_been_processed(items: list[dict[str, object]]) -> None:
    """I10, I11: also an empty one; not while its adds are being told."""
    watch = Watch()
    scene = Scene([BROKEN, page(*items), watch])
    states: list[bool] = []
    registration: list[HandlerRegistration] = []

    def note() -> None:
        states.extend((scene.informer.has_synced, registration[0].has_synced))

    registration.append(scene.informer.add_handler(Recorder(before=note)))
    assert not scene.informer.has_synced
    watch.events = [note]
    scene.run()

    assert states == [False, False] * len(items) + [True, True]


def test_a_handler_with_a_thread_is_synced_when_it_has_returned() -> None:
    """I11, I14: the informer may be synced long before; nobody else waits for it."""
    go_on, watch = threading.Event(), Watch()
    scene = Scene([page(widget("a"), widget("b")), watch])
    slow = Recorder(never_blocks=False, before=lambda: wait_for(go_on))
    quick = Recorder()
    at_slow, at_quick = scene.informer.add_handler(slow), scene.informer.add_handler(quick)
    states: list[object] = []

    def while_slow() -> None:
        states.append((scene.informer.has_synced, at_quick.has_synced, at_slow.has_synced))
        states.append(scene.informer.queued() in (2, 3))  # the second add and the mark; the first add if not yet taken
        go_on.set()
        until(lambda: at_slow.has_synced)

    watch.events = [while_slow]
    scene.run()

    assert states == [(True, True, False), True]
    assert slow.heard == quick.heard == ["add a@1 initial", "add b@1 initial"]


@pytest.mark.parametrize("never_blocks", [True, False])
def test_a_late_handler_first_hears_of_everything_in_the_store(never_blocks: bool) -> None:
    """I13: as initial, then of what changes, without gap or duplicate."""
    late, watch = Recorder(never_blocks=never_blocks), Watch()
    scene = Scene([page(widget("a", "1")), watch])
    registrations: list[HandlerRegistration] = []
    watch.events = [
        event("ADDED", widget("b", "2")),
        lambda: registrations.append(scene.informer.add_handler(late)),
        event("MODIFIED", widget("a", "3")),
        event("ADDED", widget("c", "4")),
        lambda: until(lambda: len(late.heard) == 4),
    ]
    scene.run()

    assert sorted(late.heard[:2]) == ["add a@1 initial", "add b@2 initial"]
    assert late.heard[2:] == ["update a@1→3", "add c@4"]
    assert registrations[0].has_synced


def test_a_handler_joins_among_threads_without_gap_or_duplicate() -> None:
    """I13 with real threads: what it hears adds up to the store."""
    started, joined, watch = threading.Event(), threading.Event(), Watch()
    scene = Scene([page(), watch])
    recorder = Recorder()
    events = [event("ADDED", widget(f"w{number}", str(number + 100))) for number in range(300)]
    watch.events = [started.set, *events, lambda: wait_for(joined)]

    def join() -> None:
        wait_for(started)
        scene.informer.add_handler(recorder)
        joined.set()

    thread = threading.Thread(target=join)
    thread.start()
    scene.run()
    thread.join(PATIENCE_S)

    names = [word.split()[1] for word in recorder.heard]
    assert len(names) == 300
    assert len(set(names)) == 300


def test_calls_to_one_handler_are_sequential_and_in_order() -> None:
    """I6, I14."""
    watch = Watch()
    scene = Scene([page(), watch])
    inside: list[int] = []
    recorder = Recorder(never_blocks=False, before=lambda: inside.append(threading.get_ident()))
    scene.informer.add_handler(recorder)
    watch.events = [
        *(event("MODIFIED", widget("a", str(number))) for number in range(11, 111)),
        lambda: until(lambda: len(recorder.heard) == 100),
    ]
    scene.run()

    assert recorder.heard[0] == "add a@11"
    assert recorder.heard[1:] == [f"update a@{number}→{number + 1}" for number in range(11, 110)]
    assert len(set(inside)) == 1
    assert inside[0] != threading.get_ident()


@pytest.mark.parametrize("never_blocks", [True, False])
def test_a_handler_that_raises_loses_that_notification_only(never_blocks: bool) -> None:
    """I15, port: logged, counted, and the next one follows."""
    watch = Watch()
    scene = Scene([page(widget("a"), widget("b")), watch])
    calls: list[int] = []

    def fail_first() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("first call")

    failing, other = Recorder(never_blocks=never_blocks, before=fail_first), Recorder()
    scene.informer.add_handler(failing)
    scene.informer.add_handler(other)
    watch.events = [lambda: until(lambda: len(calls) == 2 and failing.heard != [])]
    with capture_logs() as logs:
        scene.run()

    assert failing.heard == ["add b@1 initial"]
    assert other.heard == ["add a@1 initial", "add b@1 initial"]
    assert scene.sample("informer_handler_errors_total") == 1
    assert [entry["handler"] for entry in logs if entry["event"] == "event handler failed"] == ["Recorder"]


def test_an_informer_runs_once_and_takes_no_handlers_afterwards() -> None:
    """I16."""
    scene = Scene([page()])
    scene.run()

    with pytest.raises(RuntimeError, match="once"):
        scene.run()
    with pytest.raises(RuntimeError, match="ended"):
        scene.informer.add_handler(Recorder())


def test_what_is_undelivered_at_the_end_is_dropped() -> None:
    """I16: a handler's thread ends after the call that it is in."""
    entered, watch = threading.Event(), Watch()
    scene = Scene([page(*(widget(f"w{number}") for number in range(5))), watch])

    def block() -> None:
        entered.set()
        scene.stop.wait()

    slow = Recorder(never_blocks=False, before=block)
    scene.informer.add_handler(slow)
    watch.events = [lambda: wait_for(entered), scene.stop.set]
    scene.run()

    assert slow.heard == ["add w0@1 initial"]


def test_a_rejected_object_of_a_list_is_logged_and_the_rest_goes_on() -> None:
    """S6."""
    store = Store({"brittle": lambda obj: [obj["metadata"]["labels"]["shape"]]})
    scene = Scene([page(widget("bad"), widget("good", labels={"shape": "round"}))], store=store)
    recorder = Recorder()
    scene.informer.add_handler(recorder)

    with capture_logs() as logs:
        scene.run()

    assert recorder.heard == ["add good@1 initial"]
    assert [entry["error"] for entry in logs if entry["event"] == "object rejected"] == [
        "ns/bad: index 'brittle' failed: KeyError"
    ]


def test_informers_of_two_namespaces_share_a_store() -> None:
    """Each lists, resyncs and introduces late handlers to its own namespace only."""
    store = Store()
    heard: dict[str, list[str]] = {}
    for namespace in ("one", "two"):
        watch, recorder, late = Watch(), Recorder(), Recorder()
        scene = Scene(
            [page(widget("a", namespace=namespace)), watch, BROKEN, page(widget("b", namespace=namespace))],
            namespace=namespace,
            store=store,
        )
        scene.informer.add_handler(recorder, resync_period_s=10_000)

        def check(scene: Scene = scene, late: Recorder = late) -> None:
            scene.informer.add_handler(late)
            scene.clock.advance(10_000)
            scene.informer.check_resync()

        watch.events = [check]
        scene.run()
        heard[namespace] = recorder.heard
        assert scene.sample("informer_queued_items", f"widget-{namespace}") == 0
        assert late.heard[0] == "add a@1 initial"
        assert "add a@1 initial" not in late.heard[1:]

    expected = ["add a@1 initial", "update a@1→1", "tombstone a@1", "add b@1"]
    assert heard == {"one": expected, "two": expected}
    assert sorted(store.keys()) == [ObjectKey("one", "b"), ObjectKey("two", "b")]


def test_metrics_show_the_version_and_the_buffers() -> None:
    """Section 12: the last 15 digits of the version, for a gauge is a float."""
    watch = Watch([event("ADDED", widget("a", "11"))])
    scene = Scene([page(version="98765432109876543210"), Watch()])
    assert scene.sample("informer_store_resource_version") is None
    scene.run()
    assert scene.sample("informer_store_resource_version") == 432109876543210
    assert scene.sample("informer_queued_items") == 0

    scene = Scene([page(), watch])
    scene.run()
    assert scene.sample("informer_processing_latency_seconds_count") == 1


def test_a_version_that_is_no_number_is_not_shown() -> None:
    """S8: versions are opaque."""
    scene = Scene([page(version="opaque")])
    scene.run()

    assert scene.sample("informer_store_resource_version") is None


def test_the_store_can_be_read_by_key_meanwhile() -> None:
    """The reconcilers' view is the same store."""
    scene = Scene([page(widget("a", "1"))])
    scene.run()

    assert scene.informer.store.get(key("a")) == widget("a", "1")


def wait_for(happened: threading.Event) -> None:
    assert happened.wait(PATIENCE_S), "it never happened"


def until(is_true: Callable[[], bool]) -> None:
    """Yield to other threads until `is_true`; fails where that takes for ever."""
    eventually(is_true, what="what must become true")
