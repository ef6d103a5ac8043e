"""A recorder that keeps events, and a fence that tests close."""

from controller.runtime.record.events import EventType, Regarding


class FakeRecorder:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.messages: list[str] = []

    def event(self, regarding: Regarding, type: EventType, reason: str, message: str) -> None:  # noqa: A002
        """See `Recorder.event`."""
        self.events.append((type, reason))
        self.messages.append(message)


class OpenFence:
    """A fence that a test may close."""

    is_open = True

    def may_act(self) -> bool:
        """See `Fence.may_act`."""
        return self.is_open
