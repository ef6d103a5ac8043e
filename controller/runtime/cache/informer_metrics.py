"""The metrics of informers, under the names of core Kubernetes (reference, section 12)."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.meta import Resource

_LABELS: Final = ("name", "group", "version", "resource")
_VERSION_DIGITS: Final = 15
"""Digits of a resource version that a gauge, a float, shows exactly."""


class InformerGauges(Protocol):
    """What an informer reports at a scrape. Called from the scraping thread."""

    @property
    def version(self) -> str:
        """Return the last version received, empty before the first list."""
        ...

    def queued(self) -> int:
        """Return the number of waiting notifications."""
        ...


class AttachedInformer:
    """The counters and histograms of one informer."""

    def __init__(self, latency: Histogram, handler_errors: Counter) -> None:
        self._latency = latency
        self._handler_errors = handler_errors

    def processing(self) -> AbstractContextManager[object]:
        """Time the processing of one event."""
        return self._latency.time()

    def handler_failed(self) -> None:
        """Count a notification that a handler failed on (I15)."""
        self._handler_errors.inc()


class InformerMetrics(Collector):
    """Declares the `informer_*` metrics on `registry`; shared by all informers of a process. Thread-safe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._latency = Histogram(
            "informer_processing_latency_seconds",
            "From taking an event to having changed the store and handed it to the handlers.",
            _LABELS,
            buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._handler_errors = Counter(
            "informer_handler_errors_total", "Notifications that a handler failed on.", _LABELS, registry=registry
        )
        self._lock = threading.Lock()
        self._informers: list[tuple[tuple[str, str, str, str], InformerGauges]] = []  # guarded by _lock
        registry.register(self)

    def attach(self, resource: Resource, namespace: str, informer: InformerGauges) -> AttachedInformer:
        """Report `informer` from now on; `namespace`: the configured one, empty for all; part of its name."""
        name = f"{resource.kind.lower()}-{namespace}" if namespace else resource.kind.lower()
        labels = (name, resource.group, resource.version, resource.plural)
        with self._lock:
            self._informers.append((labels, informer))
        return AttachedInformer(self._latency.labels(*labels), self._handler_errors.labels(*labels))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the current gauges of all informers."""
        queued = GaugeMetricFamily("informer_queued_items", "Notifications that wait for handlers.", labels=_LABELS)
        version = GaugeMetricFamily(
            "informer_store_resource_version", "Last 15 digits of the last version seen.", labels=_LABELS
        )
        with self._lock:
            informers = list(self._informers)
        for labels, informer in informers:
            queued.add_metric(labels, informer.queued())
            digits = informer.version[-_VERSION_DIGITS:]
            if digits.isdecimal():  # versions are opaque: skip those that are not numbers
                version.add_metric(labels, float(digits))
        yield from (queued, version)
