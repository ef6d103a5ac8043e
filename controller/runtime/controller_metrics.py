"""The metrics of worker loops, under the names and buckets of controller-runtime (reference, section 12).

Without `controller_runtime_reconcile_timeouts_total`: a thread cannot be cancelled, so there is no reconcile timeout to
count (C7); every call that a reconciler makes has its own time-out.
"""

from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

RESULTS: Final = ("success", "error", "requeue", "requeue_after")

_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    *(1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60),
)


@dataclass(frozen=True, slots=True)
class AttachedController:
    """The series of one controller."""

    results: dict[str, Counter]
    """By result; all exist at zero from the start (C6)."""
    errors: Counter
    terminal_errors: Counter
    panics: Counter
    seconds: Histogram
    active_workers: Gauge


class ControllerMetrics:
    """Declare the `controller_runtime_*` metrics on `registry`, shared by all controllers of a process. Thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("controller",)
        prefix = "controller_runtime_"
        self._results = Counter(f"{prefix}reconcile_total", "Runs by result.", (*labels, "result"), registry=registry)
        self._errors = Counter(f"{prefix}reconcile_errors_total", "Runs that failed.", labels, registry=registry)
        self._terminal_errors = Counter(
            f"{prefix}terminal_reconcile_errors_total", "Runs that failed for good.", labels, registry=registry
        )
        self._panics = Counter(
            f"{prefix}reconcile_panics_total", "Runs that failed in an unforeseen way.", labels, registry=registry
        )
        self._seconds = Histogram(
            f"{prefix}reconcile_time_seconds", "Length of a run.", labels, buckets=_BUCKETS, registry=registry
        )
        self._max_workers = Gauge(f"{prefix}max_concurrent_reconciles", "Workers.", labels, registry=registry)
        self._active_workers = Gauge(
            f"{prefix}active_workers", "Workers with a key in hand.", labels, registry=registry
        )

    def attach(self, controller: str, workers: int) -> AttachedController:
        """Create and return the series of `controller`, which has `workers` workers."""
        self._max_workers.labels(controller).set(workers)
        return AttachedController(
            results={result: self._results.labels(controller, result) for result in RESULTS},
            errors=self._errors.labels(controller),
            terminal_errors=self._terminal_errors.labels(controller),
            panics=self._panics.labels(controller),
            seconds=self._seconds.labels(controller),
            active_workers=self._active_workers.labels(controller),
        )
