"""The dependencies of a pass over an object of one kind."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from controller.reconcile.dependencies import Dependencies, NoDependencies
from controller.reconcile.effects import EffectGate
from controller.reconcile.object_metrics import ObjectMetrics
from controller.reconcile.ports import NoTracker, Tracker
from controller.reconcile.settings import ReconcilerSettings
from controller.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The dependencies of every pass over an object of one kind. Shared by threads."""

    descriptor: KindDescriptor
    effects: EffectGate
    clock: Clock
    settings: ReconcilerSettings
    tracker: Tracker = field(default_factory=NoTracker)
    rand: Callable[[], float] = random.random
    """Jitter, 0 ≤ r < 1."""
    metrics: ObjectMetrics = field(default_factory=lambda: ObjectMetrics(CollectorRegistry()))
    dependencies: Dependencies = field(default_factory=NoDependencies)
    """What an object of the kind depends on in the cluster."""
