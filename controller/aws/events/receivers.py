"""Makes the receivers of status queues that a process reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controller.aws.errors import CallError
from controller.aws.events.receiver import (
    HintedTracker,
    QueueAddress,
    QueueApi,
    Readers,
    Receiver,
    StatusQueueMetrics,
)
from controller.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Receivers:
    """What all receivers of a process share."""

    api: QueueApi
    trackers: Mapping[str, HintedTracker]
    """By `controller_name`."""
    clock: Clock
    metrics: StatusQueueMetrics

    def new(
        self,
        address: QueueAddress,
        readers: Callable[[], Readers],
        on_lost: Callable[[CallError | None], None] = lambda error: None,  # noqa: ARG005 (metrics and log say it)
    ) -> Receiver:
        """Return a receiver for a queue."""
        return Receiver(address, self.api, self.trackers, self.clock, self.metrics, readers=readers, on_lost=on_lost)

    def forget(self, address: QueueAddress) -> None:
        """Drop the gauges of a queue that is not read any more."""
        self.metrics.forget(address.label)

    def interrupt(self) -> None:
        """End calls that wait for messages: the process is about to end."""
        self.api.interrupt()
