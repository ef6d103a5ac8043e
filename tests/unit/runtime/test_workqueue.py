"""The work queue among threads: waking, shutting down, limits and metrics."""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from controller.runtime.clock import Clock, SystemClock
from controller.runtime.queue import work_queue
from controller.runtime.queue.queue_metrics import DURATION_BUCKETS, QueueMetrics
from controller.runtime.queue.rate_limiter import ItemExponentialRateLimiter
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, PRIORITY_USER, Handed, WorkQueue
from tests.deadline import PATIENCE_S
from tests.fakes import FakeClock


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def make_queue(registry: CollectorRegistry, clock: Clock | None = None) -> WorkQueue[str]:
    return WorkQueue("jobs", metrics=QueueMetrics(registry), clock=clock or FakeClock())


@pytest.fixture(autouse=True)
def _no_second_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost wake-up would be mended by the next look at the clock; here that comes too late to hide it."""
    monkeypatch.setattr(work_queue, "_LONGEST_WAIT_S", 10 * PATIENCE_S)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as executor:
        yield executor


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, {"name": "jobs", "controller": "jobs", **labels})


def test_get_blocks_until_a_key_is_ready(registry: CollectorRegistry, pool: ThreadPoolExecutor) -> None:
    """Q6."""
    queue = make_queue(registry)
    got = pool.submit(queue.get)

    queue.add("a", 7)

    assert got.result(PATIENCE_S) == Handed("a", 7)
    queue.done("a")


def test_shutdown_wakes_all_getters_and_may_be_repeated(registry: CollectorRegistry, pool: ThreadPoolExecutor) -> None:
    """Q10, P9 port."""
    queue = make_queue(registry)
    gets = [pool.submit(queue.get) for _ in range(5)]

    queue.shut_down()
    queue.shut_down()

    assert [got.result(PATIENCE_S) for got in gets] == [None] * 5


def test_after_shutdown_queued_keys_are_handed_out_before_the_end(registry: CollectorRegistry) -> None:
    """Q9: adds are ignored; a key that became dirty in hand comes once more."""
    queue = make_queue(registry)
    queue.add("held")
    assert queue.get() == Handed("held", 0)
    queue.add("held")
    queue.add("queued")

    queue.shut_down()
    queue.add("late")

    assert queue.get() == Handed("queued", 0)
    queue.done("held")
    assert queue.get() == Handed("held", 0)
    assert queue.get() is None


def test_shutdown_drops_delays(registry: CollectorRegistry) -> None:
    """D7."""
    clock = FakeClock()
    queue = make_queue(registry, clock)
    queue.add_after("a", 1.0)

    queue.shut_down()
    clock.advance(2.0)

    assert queue.get() is None


def test_a_delayed_key_wakes_a_waiting_worker(registry: CollectorRegistry, pool: ThreadPoolExecutor) -> None:
    """D5: although the worker began to wait when nothing had a deadline."""
    queue = make_queue(registry, SystemClock())
    got = pool.submit(queue.get)

    queue.add_after("a", 0.01)

    assert got.result(PATIENCE_S) == Handed("a", 0)
    queue.done("a")


@pytest.mark.parametrize("round_", range(10))
def test_a_deadline_is_watched_while_its_watcher_works(
    registry: CollectorRegistry, pool: ThreadPoolExecutor, round_: int
) -> None:
    """D5: whichever of the waiting workers takes the other key, one is left that looks at the clock."""
    queue = make_queue(registry, SystemClock())
    gets = [pool.submit(queue.get) for _ in range(2)]
    queue.add_after("due", 0.01)
    queue.add("now")

    handed = {got.result(PATIENCE_S) for got in gets}

    assert handed == {Handed("now", 0), Handed("due", 0)}
    queue.shut_down()


def test_keys_due_at_one_moment_reach_as_many_workers(registry: CollectorRegistry, pool: ThreadPoolExecutor) -> None:
    """D5, Q12: one wake-up by the clock passes on."""
    queue = make_queue(registry, SystemClock())
    gets = [pool.submit(queue.get) for _ in range(4)]

    for key in "abcd":
        queue.add_after(key, 0.01)

    assert {handed.key for got in gets if (handed := got.result(PATIENCE_S))} == set("abcd")
    queue.shut_down()


def test_rate_limited_adds_wait_as_the_limiter_says(registry: CollectorRegistry) -> None:
    """L5, L6, L7, D9: the per-item limiter by default; forgetting cancels no delay and gives back no key."""
    clock = FakeClock()
    queue = make_queue(registry, clock)
    queue.add("a")
    queue.get()
    queue.add_rate_limited("a", PRIORITY_BACKGROUND)
    queue.add_rate_limited("a")
    assert queue.num_requeues("a") == 2

    queue.forget("a")
    queue.forget("never seen")

    assert queue.num_requeues("a") == 0
    queue.done("a")
    assert len(queue) == 0
    clock.advance(2.0)  # the first delay: 1 s, with jitter
    assert queue.get() == Handed("a", PRIORITY_USER)
    queue.done("a")


def test_another_limiter_can_be_given() -> None:
    """L5."""
    clock = FakeClock()
    limiter: ItemExponentialRateLimiter[str] = ItemExponentialRateLimiter(base_s=60)
    queue = WorkQueue("jobs", metrics=QueueMetrics(CollectorRegistry()), clock=clock, rate_limiter=limiter)

    queue.add_rate_limited("a")

    clock.advance(59)
    assert len(queue) == 0
    clock.advance(1)
    assert len(queue) == 1


def test_done_of_a_key_that_is_not_held_is_refused(registry: CollectorRegistry) -> None:
    """Q7, port."""
    with pytest.raises(ValueError, match="not handed out"):
        make_queue(registry).done("a")


def test_no_key_is_held_twice_and_no_add_is_lost_among_threads(
    registry: CollectorRegistry, pool: ThreadPoolExecutor
) -> None:
    """Q2, Q5, Q6 with real threads: the last add of each key is followed by a run that begins after it."""
    queue = make_queue(registry, SystemClock())
    keys = [f"key-{number}" for number in range(5)]
    lock = threading.Lock()
    wanted = dict.fromkeys(keys, 0)
    seen = dict.fromkeys(keys, 0)
    held: set[str] = set()

    def produce(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(400):
            key = rng.choice(keys)
            with lock:
                wanted[key] += 1
            rng.choice((queue.add, queue.add, add_soon))(key, rng.choice((0, -100)))

    def add_soon(key: str, priority: int) -> None:
        queue.add_after(key, 0.0005, priority)
        queue.add(key, priority)

    def work() -> None:
        while (handed := queue.get()) is not None:
            with lock:
                assert handed.key not in held, "held by two workers"
                held.add(handed.key)
                seen[handed.key] = wanted[handed.key]
            with lock:
                held.remove(handed.key)
            queue.done(handed.key)

    workers = [pool.submit(work) for _ in range(4)]
    producers = [pool.submit(produce, seed) for seed in range(4)]
    for producer in producers:
        producer.result(PATIENCE_S)
    queue.shut_down()
    for worker in workers:
        worker.result(PATIENCE_S)

    assert seen == wanted
    assert sample(registry, "workqueue_depth", priority="0") == 0


def test_delayed_keys_all_arrive_among_threads(registry: CollectorRegistry, pool: ThreadPoolExecutor) -> None:
    """D2, D5 with real threads: no deadline is slept through, whatever was added before and after it."""
    queue = make_queue(registry, SystemClock())
    rng = random.Random(7)
    missing = {f"key-{number}" for number in range(200)}
    all_seen, lock = threading.Event(), threading.Lock()

    def work() -> None:
        while (handed := queue.get()) is not None:
            queue.done(handed.key)
            with lock:
                missing.discard(handed.key)
                if not missing:
                    all_seen.set()

    workers = [pool.submit(work) for _ in range(4)]
    for key in sorted(missing):
        queue.add_after(key, rng.uniform(0.0, 0.02))
    assert all_seen.wait(PATIENCE_S), missing
    queue.shut_down()
    for worker in workers:
        worker.result(PATIENCE_S)


def test_metrics_of_one_key_on_its_way(registry: CollectorRegistry) -> None:
    """X1, X4 and section 12: depth and adds when it becomes dirty, durations from the queue's clock."""
    clock = FakeClock()
    queue = make_queue(registry, clock)
    assert sample(registry, "workqueue_depth", priority="0") == 0
    assert sample(registry, "workqueue_adds_total") == 0
    assert sample(registry, "workqueue_retries_total") == 0

    queue.add("a")
    queue.add("a")
    clock.advance(2)
    assert sample(registry, "workqueue_depth", priority="0") == 1
    queue.get()
    queue.add("a", PRIORITY_BACKGROUND)
    assert sample(registry, "workqueue_depth", priority="0") == 0
    assert sample(registry, "workqueue_depth", priority="-100") == 1
    assert sample(registry, "workqueue_adds_total") == 2

    clock.advance(3)
    assert sample(registry, "workqueue_unfinished_work_seconds") == 3
    assert sample(registry, "workqueue_longest_running_processor_seconds") == 3
    queue.done("a")

    assert sample(registry, "workqueue_unfinished_work_seconds") == 0
    assert sample(registry, "workqueue_queue_duration_seconds_sum") == 2
    assert sample(registry, "workqueue_work_duration_seconds_sum") == 3


def test_unfinished_work_sums_and_longest_takes_the_oldest(registry: CollectorRegistry) -> None:
    """Section 12."""
    clock = FakeClock()
    queue = make_queue(registry, clock)
    for key in "ab":
        queue.add(key)
        queue.get()
        clock.advance(5)

    assert sample(registry, "workqueue_unfinished_work_seconds") == 15
    assert sample(registry, "workqueue_longest_running_processor_seconds") == 10


@pytest.mark.parametrize(
    ("retry", "retries"),
    [
        (lambda queue: queue.add("a"), 0),
        (lambda queue: queue.add_after("a", 0), 0),
        (lambda queue: queue.add_after("a", 1), 1),
        (lambda queue: queue.add_rate_limited("a"), 1),
        (lambda queue: (queue.shut_down(), queue.add_after("a", 1)), 0),
    ],
)
def test_retries_count_delays_above_nothing(
    registry: CollectorRegistry, retry: Callable[[WorkQueue[str]], Any], retries: int
) -> None:
    """P10, D1."""
    retry(make_queue(registry))

    assert sample(registry, "workqueue_retries_total") == retries


def test_a_deadline_counts_as_add_when_it_comes(registry: CollectorRegistry) -> None:
    """X4: a waiting key is not dirty."""
    clock = FakeClock()
    queue = make_queue(registry, clock)
    queue.add_after("a", 5)
    assert sample(registry, "workqueue_depth", priority="0") == 0

    clock.advance(5)

    assert sample(registry, "workqueue_depth", priority="0") == 1
    queue.get()
    assert sample(registry, "workqueue_adds_total") == 1
    queue.done("a")


def test_many_priorities_share_a_label(registry: CollectorRegistry) -> None:
    """X5, section 12: over 25 distinct values become one."""
    queue = make_queue(registry)
    for priority in range(100, 140):
        queue.add(f"key-{priority}", priority)

    labels = {
        each.labels["priority"]: each.value
        for family in registry.collect()
        if family.name == "workqueue_depth"
        for each in family.samples
    }

    assert len(labels) == 26
    assert labels["exceeded_cardinality_limit"] == 16
    assert sum(labels.values()) == 40


def test_duration_buckets_are_those_of_go() -> None:
    """X2: built by repeated multiplication."""
    assert len(DURATION_BUCKETS) == 12
    assert DURATION_BUCKETS[0] == 1e-08
    assert DURATION_BUCKETS[3:5] == (9.999999999999999e-06, 9.999999999999999e-05)
    assert DURATION_BUCKETS[-1] == pytest.approx(1000)


def test_two_queues_cannot_share_a_name(registry: CollectorRegistry) -> None:
    """X1: their series would be mixed up."""
    metrics = QueueMetrics(registry)
    first: WorkQueue[str] = WorkQueue("jobs", metrics=metrics, clock=FakeClock())
    assert len(first) == 0

    with pytest.raises(ValueError, match="jobs"):
        WorkQueue("jobs", metrics=metrics, clock=FakeClock())


@pytest.mark.parametrize(("gets_next", "wakes"), [(False, 1), (True, 0)])
def test_a_worker_that_gets_the_next_key_itself_wakes_nobody_for_it(
    monkeypatch: pytest.MonkeyPatch, gets_next: bool, wakes: int
) -> None:
    """Most keys that are done are dirty by then, as the write of the pass is an event: a wake for each is wasted."""
    queue = make_queue(CollectorRegistry())
    queue.add("a")
    queue.get()
    queue.add("a")
    woken: list[None] = []
    monkeypatch.setattr(queue._ready, "notify", lambda: woken.append(None))

    queue.done("a", gets_next=gets_next)

    assert len(woken) == wakes
    handed = queue.get()
    assert handed is not None
    assert handed.key == "a"
