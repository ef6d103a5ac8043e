"""Metrics about users' objects: how many are in which state, how jobs ended, and how soon resources were created."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.descriptor import KindDescriptor, LifeCycle
from api.meta import JsonObject
from api.v1 import KINDS
from controller.reconcile import reasons

STATES: Final = "states"
"""Index of objects by `state reason`, as `state_of` returns it."""
OTHER: Final = "Other"
"""Reason of a state that SageMaker has added, or that something else answers: labels are bounded."""

_KNOWN: Final = frozenset(each.name for each in reasons.REASONS)
_UNSEEN: Final = reasons.UNKNOWN
_BUCKETS: Final = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


def state_of(obj: JsonObject) -> Iterator[str]:
    """Index function for `STATES`: Stalled, Ready or Reconciling, in this order, with the reason; Unknown without any.

    An object that is ready and stalled, such as a deployment after a failed update, waits for its user: it is Stalled.
    """
    reported = (obj.get("status") or {}).get("conditions") or ()
    found = {each.get("type"): each for each in reported if each.get("status") == "True"}
    for state in (reasons.STALLED, reasons.READY, reasons.RECONCILING):
        if condition := found.get(state):
            reason = condition.get("reason")
            yield f"{state} {reason if reason in _KNOWN else OTHER}"
            return
    yield f"{_UNSEEN} {reasons.PAUSED if _is_paused(reported) else _UNSEEN}"


def _is_paused(conditions: Iterable[Mapping[str, str]]) -> bool:
    return any(each.get("reason") == reasons.PAUSED for each in conditions)


class Indexed(Protocol):
    """The part of a store that is counted at scrape time; `runtime.cache.store.Store` is one. Thread-safe."""

    def index_sizes(self, name: str) -> Mapping[str, int]:
        """Return the number of objects by value of an index."""
        ...


class ObjectMetrics(Collector):
    """Metrics about the objects of all kinds; create one and pass it to each reconciler. Thread-safe.

    `sagemaker_operator_objects{kind,state,reason}` at scrape time, `…_jobs_finished_total{kind,result}`, and
    `…_creation_delay_seconds{kind}`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._finished = Counter(
            "sagemaker_operator_jobs_finished",
            "Jobs of which the operator saw the end, by SageMaker's status.",
            ["kind", "result"],
            registry=registry,
        )
        self._delay = Histogram(
            "sagemaker_operator_creation_delay_seconds",
            "Time from the creation of an object to that of its resource at AWS.",
            ["kind"],
            buckets=_BUCKETS,
            registry=registry,
        )
        for kind in KINDS:
            for result in sorted(kind.status.terminal) if kind.life_cycle is LifeCycle.JOB else ():
                self._finished.labels(kind.kind, result)
        self._lock = threading.Lock()
        self._stores: list[tuple[str, Indexed]] = []  # guarded by _lock
        registry.register(self)

    def add(self, descriptor: KindDescriptor, store: Indexed) -> None:
        """Count the objects of this store, too."""
        with self._lock:
            self._stores.append((descriptor.kind, store))

    def finished(self, descriptor: KindDescriptor, result: str) -> None:
        """Count the end of a job; a result that the kind does not know is `OTHER`."""
        self._finished.labels(descriptor.kind, result if result in descriptor.status.terminal else OTHER).inc()

    def created(self, descriptor: KindDescriptor, delay_s: float) -> None:
        """Record how long after its object a resource was created."""
        self._delay.labels(descriptor.kind).observe(max(delay_s, 0.0))

    def describe(self) -> Iterable[Metric]:
        """Return the family without samples, so that registering does not collect."""
        return (self._family(),)

    def collect(self) -> Iterable[Metric]:
        """Yield the number of objects of all stores by state and reason."""
        family = self._family()
        with self._lock:
            stores = tuple(self._stores)
        for kind, store in stores:
            for value, count in store.index_sizes(STATES).items():
                family.add_metric((kind, *value.split(" ", 1)), count)
        return (family,)

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "sagemaker_operator_objects",
            "Objects by state (Ready, Reconciling, Stalled; Unknown: not seen yet) and the reason of that.",
            labels=("kind", "state", "reason"),
        )
