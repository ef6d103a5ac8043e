"""The metrics registry of the process: created once in `app`, passed to all code that declares metrics, never global.

Python's client prints `le="1.0"` where Go's prints `le="1"`, and lacks native histograms: queries that match `le` as
text have to allow both (X3).
"""

import prometheus_client
from prometheus_client import CollectorRegistry
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

# Creation times double the number of series of every counter and histogram, and no dashboard of this field uses them.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


def new_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process and the interpreter (X1). One per process, or per test."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
