"""The metrics of work queues, under the names and buckets of client-go and controller-runtime (reference, section 12).

The queues update counters and histograms; gauges (depth, ages of held keys) are read from the queues at each scrape,
so they are never stale and cost nothing in between.
"""

import threading
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_LABELS: Final = ("name", "controller")
_PRIORITY_LIMIT: Final = 25
_TOO_MANY_PRIORITIES: Final = "exceeded_cardinality_limit"


def _exponential(start: float, factor: float, count: int) -> tuple[float, ...]:
    """Buckets by repeated multiplication, as Go builds them: the fourth is 9.999999999999999e-06 in both (X2)."""
    buckets = [start]
    while len(buckets) < count:
        buckets.append(buckets[-1] * factor)
    return tuple(buckets)


DURATION_BUCKETS: Final = _exponential(10e-9, 10.0, 12)


class QueueGauges(Protocol):
    """What a queue reports at a scrape. Called from the scraping thread."""

    def depths(self) -> Mapping[int, int]:
        """Return the number of dirty keys by priority."""
        ...

    def held_seconds(self) -> list[float]:
        """Return for each held key the seconds since it was taken."""
        ...


class QueueMetrics(Collector):
    """Declares the `workqueue_*` metrics on `registry`; shared by all queues of a process. Thread-safe.

    `name` and `controller` carry the same value (X1). Labels are bounded: beyond 25 priorities they share one.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.adds = Counter(
            "workqueue_adds_total", "Keys that became owed a run (client-go: dirty).", _LABELS, registry=registry
        )
        self.retries = Counter("workqueue_retries_total", "Adds with a delay above 0.", _LABELS, registry=registry)
        self.queue_duration = Histogram(
            "workqueue_queue_duration_seconds",
            "From becoming owed a run to being handed out.",
            _LABELS,
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self.work_duration = Histogram(
            "workqueue_work_duration_seconds",
            "From being handed out to done.",
            _LABELS,
            buckets=DURATION_BUCKETS,
            registry=registry,
        )
        self._lock = threading.Lock()
        self._queues: dict[str, QueueGauges] = {}  # guarded by _lock
        registry.register(self)

    def attach(self, name: str, queue: QueueGauges) -> None:
        """Report `queue` as `name` from now on. Raises ValueError for a name that is taken."""
        with self._lock:
            if name in self._queues:
                raise ValueError(f"two work queues are named {name!r}")
            self._queues[name] = queue

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the current gauges of all queues."""
        depth = GaugeMetricFamily("workqueue_depth", "Keys that are owed a run.", labels=[*_LABELS, "priority"])
        unfinished = GaugeMetricFamily(
            "workqueue_unfinished_work_seconds", "Sum of the ages of the keys in hand.", labels=_LABELS
        )
        longest = GaugeMetricFamily(
            "workqueue_longest_running_processor_seconds", "Age of the key longest in hand.", labels=_LABELS
        )
        with self._lock:
            queues = list(self._queues.items())
        for name, queue in queues:
            for priority, count in _bounded(queue.depths()).items():
                depth.add_metric([name, name, priority], count)
            ages = queue.held_seconds()
            unfinished.add_metric([name, name], sum(ages))
            longest.add_metric([name, name], max(ages, default=0.0))
        yield from (depth, unfinished, longest)


def _bounded(depths: Mapping[int, int]) -> dict[str, int]:
    """Return the depths by label value. Priority 0 is always included, so that an idle queue has a depth."""
    labelled = {"0": 0}
    for priority, count in depths.items():
        label = str(priority)
        if label not in labelled and len(labelled) >= _PRIORITY_LIMIT:
            label = _TOO_MANY_PRIORITIES
        labelled[label] = labelled.get(label, 0) + count
    return labelled
