"""Receivers of the queues that namespaces name: they start, change and stop with the annotations."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from api.meta import ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.aws.events.receiver import QueueAddress, Readers
from controller.aws.targets import Identity
from controller.reconcile.namespaces.named_queues import NamedQueues
from controller.reconcile.namespaces.queue_receivers import QueueReceivers
from controller.runtime.errors import ErrorClass
from controller.runtime.threads import Stop, ThreadGroup
from tests.deadline import eventually

A, B = (Identity(f"arn:aws:iam::111111111111:role/{team}") for team in "ab")
QUEUE_A, QUEUE_B = (QueueAddress.of(f"https://sqs.eu-west-1.amazonaws.com/111111111111/{team}", "") for team in "ab")
DENIED = AwsError(ErrorClass.DENIED, "AccessDenied", "no")
BOTH = {QUEUE_A: (A, "team-a"), QUEUE_B: (B, "team-b")}


class Reading:
    """A receiver that waits until it is stopped, or fails where a test wants it."""

    def __init__(
        self, readers: Callable[[], Readers], on_lost: Callable[[CallError | None], None], begin: Callable[[], None]
    ) -> None:
        self._begin = begin
        self.readers = readers
        self.on_lost = on_lost
        self.failure: BaseException | None = None
        self._end = Stop()

    def read(self, stop: Stop) -> None:
        """See `Receiver.read`."""
        self._begin()
        cancel = stop.on_set(self._end.set)
        self._end.wait()
        cancel()
        if self.failure is not None:
            raise self.failure

    def fail(self, failure: BaseException) -> None:
        """End with a failure."""
        self.failure = failure
        self._end.set()


class Scene:
    """Namespaces whose annotations change, and what is done about them."""

    def __init__(self) -> None:
        self.named = NamedQueues()
        self.reading: dict[QueueAddress, Reading] = {}
        self.begun: list[QueueAddress] = []
        self.forgotten: list[QueueAddress] = []
        self.withdrawn: list[set[Identity]] = []
        self.woken: list[str] = []
        self.is_interrupted = False
        self.receivers = QueueReceivers(lambda: self.named, [self], self, self.woken.append)  # type: ignore[list-item]

    def new(
        self, address: QueueAddress, readers: Callable[[], Readers], on_lost: Callable[[CallError | None], None]
    ) -> Reading:
        """See `Receivers.new`."""
        self.reading[address] = Reading(readers, on_lost, partial(self.begun.append, address))
        return self.reading[address]

    def forget(self, address: QueueAddress) -> None:
        """See `Receivers.forget`."""
        self.forgotten.append(address)

    def interrupt(self) -> None:
        """See `Receivers.interrupt`."""
        self.is_interrupted = True

    def withdraw(self, source: str, identities: Collection[Identity]) -> None:
        """See `Tracker.withdraw`."""
        assert source == "events"
        self.withdrawn.append(set(identities))

    def annotate(self, queues: dict[QueueAddress, Any], **mistakes: str) -> None:
        """The namespaces name these queues from now on."""
        self.named = NamedQueues(
            {address: Readers((identity,), (identity,)) for address, (identity, *_) in queues.items()},
            {address: tuple(names) for address, (_, *names) in queues.items()},
            {name: (text,) for name, text in mistakes.items()},
        )
        self.receivers.add(ObjectKey("", "some"))

    @contextmanager
    def running(self) -> Iterator[ThreadGroup]:
        """The part of a process that leads."""
        with ThreadGroup("test", Stop()) as group:
            group.start("queues", self.receivers.run)
            yield group

    def until_begun(self, *addresses: QueueAddress) -> None:
        """Wait until receivers were started, in any order."""
        eventually(lambda: sorted(self.begun, key=str) == sorted(addresses, key=str), what="the receivers run")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_each_queue_is_read_while_a_namespace_names_it(scene: Scene) -> None:
    """From the start, when it is named, and not any longer; the other one is not disturbed."""
    scene.annotate({QUEUE_A: (A, "team-a")})
    assert scene.begun == [], "only where it leads"
    with scene.running():
        scene.until_begun(QUEUE_A)
        scene.annotate(BOTH)
        scene.until_begun(QUEUE_A, QUEUE_B)
        scene.annotate({QUEUE_B: (B, "team-b")})
        eventually(lambda: scene.forgotten == [QUEUE_A], what="the receiver of the removed one has ended")
        assert all(each == {A} for each in scene.withdrawn)
        assert len(scene.withdrawn) == 2, "at once, and when its last answer has been read"
        assert not scene.is_interrupted, "another queue may wait"
        scene.annotate(BOTH)
        scene.until_begun(QUEUE_A, QUEUE_B, QUEUE_A)
    assert scene.is_interrupted
    assert scene.forgotten == [QUEUE_A], "what is read until the end keeps its metrics"


def test_a_change_of_the_role_is_followed_without_another_receiver(scene: Scene) -> None:
    """Targets of the first role are swept again, as nothing announces their changes any more."""
    with scene.running():
        scene.annotate({QUEUE_A: (A, "team-a")})
        scene.until_begun(QUEUE_A)
        readers = scene.reading[QUEUE_A].readers
        assert readers() == Readers((A,), (A,))
        scene.annotate({QUEUE_A: (B, "team-a")})
        eventually(lambda: readers() == Readers((B,), (B,)), what="the other role is used")
        eventually(lambda: scene.withdrawn == [{A}], what="the targets of the first role are on their own")
        assert scene.begun == [QUEUE_A]


def test_what_is_wrong_with_a_queue_shows_at_the_objects_of_its_namespaces(scene: Scene) -> None:
    """While it is wrong: they are woken at both changes."""
    with scene.running():
        scene.annotate({QUEUE_A: (A, "team-a", "team-c"), QUEUE_B: (B, "team-b")})
        scene.until_begun(QUEUE_A, QUEUE_B)
        scene.reading[QUEUE_A].on_lost(DENIED)
        assert scene.woken == ["team-a", "team-c"]
        (trouble,) = scene.receivers.troubles("team-c")
        assert "allow sqs:ReceiveMessage and sqs:DeleteMessage" in trouble
        assert scene.receivers.troubles("team-b") == ()
        scene.woken.clear()
        scene.reading[QUEUE_A].on_lost(None)
        assert scene.woken == ["team-a", "team-c"]
        assert scene.receivers.troubles("team-a") == ()
        scene.reading[QUEUE_A].on_lost(DENIED)
        lost = scene.reading[QUEUE_A]
        scene.annotate({QUEUE_B: (B, "team-b")})
        eventually(lambda: scene.receivers.troubles("team-a") == (), what="a queue that is not named is no trouble")
        lost.on_lost(DENIED)
        assert scene.receivers.troubles("team-a") == (), "the last answer of its receiver was late"


def test_a_mistake_of_a_namespace_shows_until_it_is_corrected(scene: Scene) -> None:
    """Such as a queue of which the region is not known."""
    with scene.running():
        scene.annotate({}, **{"team-a": "names no region"})
        eventually(lambda: scene.woken == ["team-a"], what="its objects are woken")
        assert scene.receivers.troubles("team-a") == ("names no region",)
        scene.annotate({QUEUE_A: (A, "team-a")})
        eventually(lambda: scene.woken == ["team-a", "team-a"], what="its objects are woken again")
        assert scene.receivers.troubles("team-a") == ()


def test_a_receiver_that_fails_ends_the_process(scene: Scene) -> None:
    """As any other part of it: a defect must not look like a silent queue."""
    with pytest.raises(RuntimeError, match="a defect"), scene.running() as group:  # noqa: PT012
        scene.annotate(BOTH)
        scene.until_begun(QUEUE_A, QUEUE_B)
        scene.reading[QUEUE_A].fail(RuntimeError("a defect"))
        eventually(lambda: group.failure is not None, what="the failure is noticed")
