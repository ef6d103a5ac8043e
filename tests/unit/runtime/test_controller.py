"""The worker loop: the outcome table (C2) and the life of its workers."""

# ruff: noqa: D102 (the fakes implement the ports, which say what their methods are)

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import structlog
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api.meta import ObjectKey
from controller.runtime.controller import DONE, Controller, Result, SyncTimeoutError
from controller.runtime.controller_metrics import RESULTS, ControllerMetrics
from controller.runtime.errors import ClassifiedError, ErrorClass, Terminal, release_frames
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, PRIORITY_USER, Handed, WorkQueue
from controller.runtime.threads import Stop
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock
from tests.tables import each_row
from tests.unit.runtime.objects import key
from tests.unit.runtime.scripted import FakeStop


@dataclass
class Fake:
    """A reconciler that does what it is told."""

    act: Callable[[ObjectKey], Result] = lambda _: DONE
    seen: list[ObjectKey] = field(default_factory=list)

    def reconcile(self, key: ObjectKey) -> Result:
        self.seen.append(key)
        return self.act(key)


class Scene:
    """A controller, its queue and its clock."""

    def __init__(
        self, act: Callable[[ObjectKey], Result] = lambda _: DONE, *, workers: int = 1, has_synced: bool = True
    ) -> None:
        self.clock = FakeClock()
        self.registry = CollectorRegistry()
        self.queue: WorkQueue[ObjectKey] = WorkQueue("jobs", metrics=QueueMetrics(self.registry), clock=self.clock)
        self.reconciler = Fake(act)
        self.has_synced = has_synced
        self.controller = Controller(
            "jobs",
            self.queue,
            self.reconciler,
            metrics=ControllerMetrics(self.registry),
            clock=self.clock,
            workers=workers,
            has_synced=lambda: self.has_synced,
        )

    def process(self, name: str = "a", priority: int = PRIORITY_USER) -> None:
        """Queue a key and process it, in this thread."""
        self.queue.add(key(name), priority)
        handed = self.queue.get()
        assert handed is not None
        self.controller.process(handed)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"controller_runtime_{name}", {"controller": "jobs", **labels})

    def results(self) -> dict[str, float]:
        counts = {result: self.sample("reconcile_total", result=result) for result in RESULTS}
        return {result: count for result, count in counts.items() if count}


def raising(error: Exception) -> Callable[[ObjectKey], Result]:
    def act(_: ObjectKey) -> Result:
        raise error

    return act


def classified(error_class: ErrorClass, retry_after_s: float | None = None) -> ClassifiedError:
    return ClassifiedError(error_class, "Code", "for people", retry_after_s=retry_after_s)


@dataclass(frozen=True)
class Outcome:
    """A row of the table: failures that the limiter knows afterwards, the requeue's delay, and what is counted."""

    failures: int
    delay_s: tuple[float, float] | None
    result: str
    counted: tuple[str, ...] = ()
    level: str = ""


FAILURES_BEFORE = 3
BACKOFF_S = (8.0, 16.0)  # 1 s doubled three times, with jitter
SOON_S = (0.5, 1.5)


@each_row(
    ("act", "outcome"),
    [
        pytest.param(
            raising(Terminal("never again")),
            Outcome(FAILURES_BEFORE, None, "error", ("reconcile_errors", "terminal_reconcile_errors"), "info"),
            id="terminal error",
        ),
        pytest.param(
            raising(classified(ErrorClass.RETRYABLE)),
            Outcome(FAILURES_BEFORE + 1, BACKOFF_S, "error", ("reconcile_errors",), "error"),
            id="failed call",
        ),
        pytest.param(
            raising(classified(ErrorClass.DENIED)),
            Outcome(FAILURES_BEFORE + 1, BACKOFF_S, "error", ("reconcile_errors",), "error"),
            id="denied call",
        ),
        pytest.param(
            raising(classified(ErrorClass.RETRYABLE, retry_after_s=40)),
            Outcome(FAILURES_BEFORE + 1, (40, 40), "error", ("reconcile_errors",), "error"),
            id="failed call, with a time to wait",
        ),
        pytest.param(
            raising(KeyError("a mistake")),
            Outcome(FAILURES_BEFORE + 1, BACKOFF_S, "error", ("reconcile_errors", "reconcile_panics"), "error"),
            id="C4: unforeseen exception",
        ),
        pytest.param(
            raising(classified(ErrorClass.THROTTLED)),
            Outcome(FAILURES_BEFORE, SOON_S, "requeue", (), "debug"),
            id="throttled: no failure",
        ),
        pytest.param(
            raising(classified(ErrorClass.THROTTLED, retry_after_s=7)),
            Outcome(FAILURES_BEFORE, (7, 7), "requeue", (), "debug"),
            id="throttled, with a time to wait",
        ),
        pytest.param(
            raising(classified(ErrorClass.THROTTLED, retry_after_s=0)),
            Outcome(FAILURES_BEFORE, SOON_S, "requeue", (), "debug"),
            id="throttled, with no time to wait: no hot loop",
        ),
        pytest.param(
            raising(classified(ErrorClass.CONFLICT)),
            Outcome(FAILURES_BEFORE, SOON_S, "requeue", (), "debug"),
            id="conflict: no failure",
        ),
        pytest.param(lambda _: Result(requeue_after_s=60), Outcome(0, (60, 60), "requeue_after"), id="requeue after"),
        pytest.param(lambda _: Result(requeue_after_s=0), Outcome(0, None, "success"), id="requeue after nothing"),
        pytest.param(lambda _: DONE, Outcome(0, None, "success"), id="success"),
    ],
)
def test_outcome_table(act: Callable[[ObjectKey], Result], outcome: Outcome) -> None:
    """C2, C3: limiter, queue, counters and log of every outcome; the key is given back in all of them."""
    scene = Scene(act)
    for _ in range(FAILURES_BEFORE):
        scene.queue._rate_limiter.when(key("a"))

    with capture_logs() as logs:
        scene.process()

    assert scene.queue.num_requeues(key("a")) == outcome.failures
    due = scene.queue._state.next_due()
    if outcome.delay_s is None:
        assert due is None
    else:
        assert due is not None
        least, most = outcome.delay_s
        assert least - 1e-6 <= due - scene.clock.monotonic() <= most + 1e-6
    assert scene.results() == {outcome.result: 1}
    for name in ("reconcile_errors", "terminal_reconcile_errors", "reconcile_panics"):
        assert scene.sample(f"{name}_total") == (1 if name in outcome.counted else 0), name
    assert [entry["log_level"] for entry in logs] == ([outcome.level] if outcome.level else [])
    assert scene.sample("reconcile_time_seconds_count") == 1
    with pytest.raises(ValueError, match="not handed out"):
        scene.queue.done(key("a"))


@each_row(
    ("act", "priority"),
    [
        pytest.param(lambda _: Result(5), PRIORITY_BACKGROUND, id="requeue after"),
        pytest.param(lambda _: Result(5, priority=40), 40, id="the result names another"),
        pytest.param(lambda _: Result(5, priority=PRIORITY_USER), PRIORITY_USER, id="the result names 0"),
        pytest.param(raising(KeyError("x")), PRIORITY_BACKGROUND, id="error"),
        pytest.param(raising(classified(ErrorClass.THROTTLED)), PRIORITY_BACKGROUND, id="throttled"),
    ],
)
def test_a_requeued_key_keeps_its_priority(act: Callable[[ObjectKey], Result], priority: int) -> None:
    """P8."""
    scene = Scene(act)

    scene.process(priority=PRIORITY_BACKGROUND)

    scene.clock.advance(10)
    assert scene.queue.get() == Handed(key("a"), priority)


def test_another_attempt_yields_to_keys_that_did_not_fail() -> None:
    """With three hundred objects that fail, a new one is not the three hundred and first."""
    scene = Scene(raising(classified(ErrorClass.RETRYABLE)))
    with capture_logs():
        scene.process("failing")
    scene.clock.advance(2.0)
    assert len(scene.queue) == 1
    scene.queue.add(key("new"))
    taken = [scene.queue.get(), scene.queue.get()]
    assert [each.key.name for each in taken if each] == ["new", "failing"]


def test_a_storm_of_failures_does_not_flood_the_log() -> None:
    """Ten lines a minute and controller; the first of the next minute says how many were left out."""
    scene = Scene(raising(classified(ErrorClass.RETRYABLE)))
    with capture_logs() as logs:
        for n in range(300):
            scene.process(f"key-{n}")
        scene.clock.advance(60.0)
        scene.process("late")
    assert [entry.get("unlogged_failures") for entry in logs] == [None] * 10 + ["290"]


def test_backoff_grows_until_a_result_that_is_no_error() -> None:
    """C3: a throttled run in between changes nothing."""
    errors: list[Exception | None] = [
        KeyError(),
        KeyError(),
        classified(ErrorClass.THROTTLED),
        KeyError(),
        None,
        KeyError(),
    ]

    def act(_: ObjectKey) -> Result:
        error = errors.pop(0)
        if error is not None:
            raise error
        return DONE

    scene, failures = Scene(act), []
    with capture_logs():
        for _ in range(6):
            scene.process()
            failures.append(scene.queue.num_requeues(key("a")))

    assert failures == [1, 2, 2, 3, 0, 1]


def test_every_run_has_a_log_context_of_its_own() -> None:
    """C5, K8: bound while the reconciler runs, gone afterwards."""
    contexts: list[dict[str, object]] = []

    def act(_: ObjectKey) -> Result:
        contexts.append(structlog.contextvars.get_contextvars())
        return DONE

    scene = Scene(act)
    scene.process("a")
    scene.process("a")

    first, second = contexts
    assert {name: first[name] for name in ("controller", "namespace", "name")} == {
        "controller": "jobs",
        "namespace": "ns",
        "name": "a",
    }
    assert first["reconcile_id"] != second["reconcile_id"]
    assert "reconcile_id" not in structlog.contextvars.get_contextvars()


class OfAPass:
    """What a pass has in its local variables: an object, what it observed of it."""


@each_row(
    "error",
    [
        lambda: classified(ErrorClass.THROTTLED),
        lambda: classified(ErrorClass.RETRYABLE),
        lambda: Terminal("the spec is wrong"),
        lambda: RuntimeError("a bug"),
    ],
    ids=["waits for its turn", "fails", "waits for a change", "fails unexpectedly"],
)
@each_row("is_cause", [False, True], ids=["itself", "as a cause"])
def test_a_failed_run_leaves_nothing_to_the_garbage_collector(error: Callable[[], Exception], is_cause: bool) -> None:
    """An exception refers to all calls that it went through, and one of these may refer to it."""
    held: list[weakref.ref[OfAPass]] = []

    def act(_: ObjectKey) -> Result:
        try:
            fail(error(), OfAPass())
        except Exception as exc:
            if not is_cause:
                raise
            raise classified(ErrorClass.RETRYABLE) from exc
        return DONE

    def fail(mine: Exception, of_the_pass: OfAPass) -> None:
        held.append(weakref.ref(of_the_pass))
        raise mine

    scene = Scene(act)
    gc.disable()
    try:
        scene.process()
        assert [each() for each in held] == [None]
    finally:
        gc.enable()


def test_causes_in_a_circle_do_not_hold_up_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python makes none, but takes each cause that it is given: libraries raise again what they have kept."""
    first, second = RuntimeError("first"), classified(ErrorClass.RETRYABLE)
    first.__cause__, second.__cause__ = second, first
    cleared: list[object] = []

    def clear_frames(of: object) -> None:
        cleared.append(of)
        assert len(cleared) < 10

    monkeypatch.setattr("controller.runtime.errors.traceback.clear_frames", clear_frames)

    release_frames(first)

    assert len(cleared) == 2


def test_what_was_handled_when_an_error_was_raised_is_dropped_too() -> None:
    """Also where the error names another cause."""
    held: list[weakref.ref[OfAPass]] = []

    def fail(of_the_pass: OfAPass) -> None:
        held.append(weakref.ref(of_the_pass))
        raise RuntimeError

    try:
        try:
            fail(OfAPass())
        except RuntimeError:
            raise classified(ErrorClass.RETRYABLE) from ValueError("what was wrong before")
    except ClassifiedError as error:
        release_frames(error)
        assert [each() for each in held] == [None]


def test_failed_runs_are_timed_too() -> None:
    """C5."""

    def act(_: ObjectKey) -> Result:
        scene.clock.advance(3)
        assert scene.sample("active_workers") == 1
        raise KeyError("x")

    scene = Scene(act)
    with capture_logs():
        scene.process()

    assert scene.sample("reconcile_time_seconds_sum") == 3
    assert scene.sample("active_workers") == 0


def test_all_series_exist_at_zero_from_the_start() -> None:
    """C6."""
    scene = Scene(workers=3)

    assert [scene.sample("reconcile_total", result=result) for result in RESULTS] == [0, 0, 0, 0]
    names = ("reconcile_errors_total", "terminal_reconcile_errors_total", "reconcile_panics_total", "active_workers")
    assert [scene.sample(name) for name in names] == [0, 0, 0, 0]
    assert scene.sample("max_concurrent_reconciles") == 3
    assert scene.sample("reconcile_time_seconds_bucket", le="60.0") == 0


def test_workers_start_after_the_sources_have_synced() -> None:
    """C1."""
    scene = Scene(has_synced=False)
    stop = Stop()
    scene.queue.add(key("a"))

    class Polled(FakeStop):
        """The sources sync while the controller waits for the third time."""

        def wait(self, timeout_s: float | None = None) -> bool:
            if len(self.pauses) == 2:
                assert scene.reconciler.seen == []
                scene.has_synced = True
            return super().wait(timeout_s)

    stop = Polled(scene.clock)

    def act(_: ObjectKey) -> Result:
        stop.set()
        return DONE

    scene.reconciler.act = act
    scene.controller.run(stop)

    assert scene.reconciler.seen == [key("a")]


def test_sources_that_do_not_sync_fail_the_start() -> None:
    """C1: after two minutes."""
    scene = Scene(has_synced=False)
    stop = FakeStop(scene.clock)

    with pytest.raises(SyncTimeoutError, match="jobs"):
        scene.controller.run(stop)

    assert 120 <= sum(stop.pauses) < 121


def test_stopped_before_the_sources_have_synced_it_ends() -> None:
    """C1."""
    scene = Scene(has_synced=False)
    stop = FakeStop(scene.clock)
    stop.set()

    scene.controller.run(stop)

    assert scene.reconciler.seen == []


def test_a_stopped_worker_finishes_its_key_and_takes_no_other() -> None:
    """What is queued stays undone: the next process finds it in its first list."""

    def act(_: ObjectKey) -> Result:
        stop.set()
        return DONE

    scene, stop = Scene(act), Stop()
    for name in "abc":
        scene.queue.add(key(name))

    scene.controller.run(stop)

    assert scene.reconciler.seen == [key("a")]
    assert scene.queue._state.held == 0


def test_a_worker_that_gets_a_key_while_stopping_gives_it_back() -> None:
    """A key that is handed out between the stop and the shutdown of the queue is not reconciled."""
    scene, stop = Scene(), Stop()
    scene.queue.add(key("a"))
    real_get = scene.queue.get

    def get() -> Handed[ObjectKey] | None:
        handed = real_get()
        stop.set()
        return handed

    scene.queue.get = get  # type: ignore[method-assign]
    scene.controller.work(stop)

    assert scene.reconciler.seen == []
    assert scene.queue._state.held == 0


def test_workers_run_side_by_side_and_survive_failures() -> None:
    """C4: with real threads; the barrier opens only if both workers are in it at once, before and after a failure."""
    barrier, stop = threading.Barrier(2), Stop()
    left = ["c", "d"]

    def act(seen: ObjectKey) -> Result:
        barrier.wait(PATIENCE_S)
        if seen.name in "ab":
            scene.queue.add(key(left.pop(0)))
            raise KeyError("unforeseen")
        if barrier.wait(PATIENCE_S) == 0:
            stop.set()
        return DONE

    structlog.configure(processors=[_drop])
    try:
        scene = Scene(act, workers=2)
        for name in "ab":
            scene.queue.add(key(name))
        scene.controller.run(stop)
    finally:
        structlog.reset_defaults()

    assert sorted(seen.name for seen in scene.reconciler.seen) == ["a", "b", "c", "d"]
    assert scene.sample("reconcile_panics_total") == 2


@pytest.mark.parametrize(("busy", "workers", "threads"), [(1, 32, 2), (3, 32, 4), (3, 3, 3)])
def test_one_worker_more_than_are_busy_is_started_up_to_the_limit(busy: int, workers: int, threads: int) -> None:
    """Idle kinds have one thread each; a key never waits for a worker that could have been started."""
    barrier, stop = threading.Barrier(busy), Stop()
    found: list[int] = []

    def act(_: ObjectKey) -> Result:
        if barrier.wait(PATIENCE_S) == 0:
            found.append(sum(each.name.startswith("jobs/worker-") for each in threading.enumerate()))
            stop.set()
        barrier.wait(PATIENCE_S)
        return DONE

    scene = Scene(act, workers=workers)
    for n in range(busy):
        scene.queue.add(key(f"key-{n}"))
    scene.controller.run(stop)

    assert found == [threads]


def _drop(_logger: object, _method: str, _event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """`capture_logs` is not for threads (K8)."""
    raise structlog.DropEvent
