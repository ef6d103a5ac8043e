"""Metrics of the trackers of a process: pages read, jobs followed, and what became of announced changes."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class Standing:
    """What the confidences of a region add up to."""

    counts: dict[str, int]
    is_trusted: bool
    lag_s: float


class Measured(Protocol):
    """A tracker, as far as metrics read it at scrape time. Thread-safe."""

    @property
    def kind(self) -> str:
        """Return the label value of its metrics."""
        ...

    def state_by_region(self) -> dict[str, tuple[int, float]]:
        """Return the number of tracked jobs and the seconds since the oldest complete sweep, by region."""
        ...

    def standings(self) -> dict[tuple[str, str], Standing]:
        """Return what the API says of each accelerator, by source and region."""
        ...


class TrackerMetrics(Collector):
    """Metrics of all trackers of a process; create one and pass it to each.

    `sagemaker_operator_tracker_pages_total{kind,code}`, `sagemaker_operator_search_pages_total{kind,code}`, and at
    scrape time per kind and region: `…_tracker_followed_jobs`, `…_tracker_staleness_seconds` (age of the oldest
    complete look at a target's jobs); with accelerators also `…_accelerator_changes_total`, `…_accelerator_trusted` and
    `…_accelerator_lag_seconds`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pages = Counter(
            "sagemaker_operator_tracker_pages",
            "List pages by outcome: `ok`, the error code, or `unknown`.",
            ["kind", "code"],
            registry=registry,
        )
        self.searches = Counter(
            "sagemaker_operator_search_pages",
            "Pages of SageMaker's Search by outcome: `ok`, the error code, or `unknown`.",
            ["kind", "code"],
            registry=registry,
        )
        self._lock = threading.Lock()
        self._trackers: list[Measured] = []  # guarded by _lock
        registry.register(self)

    def add(self, tracker: Measured) -> None:
        """Report this tracker, too."""
        with self._lock:
            self._trackers.append(tracker)

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples, so that registering does not collect."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Yield the current values of all trackers."""
        followed, staleness, changes, trusted, lag = families = self._families()
        with self._lock:
            trackers = tuple(self._trackers)
        for tracker in trackers:
            for region, (count, age_s) in tracker.state_by_region().items():
                followed.add_metric((tracker.kind, region), count)
                staleness.add_metric((tracker.kind, region), age_s)
            for (source, region), standing in tracker.standings().items():
                for outcome, count in standing.counts.items():
                    changes.add_metric((source, tracker.kind, region, outcome), count)
                trusted.add_metric((source, tracker.kind, region), standing.is_trusted)
                lag.add_metric((source, tracker.kind, region), standing.lag_s)
        return families

    @staticmethod
    def _families() -> tuple[
        GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily, GaugeMetricFamily, GaugeMetricFamily
    ]:
        labels = ("kind", "region")
        by_source = ("source", *labels)
        return (
            GaugeMetricFamily(
                "sagemaker_operator_tracker_followed_jobs", "Unfinished jobs that are followed.", labels=labels
            ),
            GaugeMetricFamily(
                "sagemaker_operator_tracker_staleness_seconds",
                "Age of the last complete look at the jobs of a region, the oldest of its targets.",
                labels=labels,
            ),
            CounterMetricFamily(
                "sagemaker_operator_accelerator_changes",
                "Changes by what became of them: `confirmed` and `late` were announced, `missed` were only found by"
                " polling, `refuted` were announced and not confirmed.",
                labels=(*by_source, "outcome"),
            ),
            GaugeMetricFamily(
                "sagemaker_operator_accelerator_trusted",
                "1 while sweeps are rare because the source announces changes, in all targets of the region.",
                labels=by_source,
            ),
            GaugeMetricFamily(
                "sagemaker_operator_accelerator_lag_seconds",
                "How much later than the API the source showed the last change; negative where it was earlier.",
                labels=by_source,
            ),
        )
