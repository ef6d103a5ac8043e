"""Finds who reads each status queue, and the calls that show whether they may. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from controller.aws.events.receiver import QueueAddress
from controller.aws.targets import BASE_IDENTITY, Target
from controller.reconcile.namespaces.named_queues import NamedQueues
from controller.rights.probes import Probe

_WITHOUT: Final = "state changes of the status queue are not used, and polling is as frequent as without it"


def readers(address: QueueAddress, targets: Iterable[Target]) -> list[Target]:
    """Return the identities that the receiver tries: a role of the queue's account, then the operator's own."""
    found = [each.identity for each in targets if each.identity.role and each.identity.account == address.account]
    return [replace(address.target, identity=identity) for identity in (*found[:1], BASE_IDENTITY)]


def readers_of_named(named: NamedQueues) -> dict[QueueAddress, list[Target]]:
    """Return the queues that namespaces name, and the identities that their receivers try."""
    return {
        address: [replace(address.target, identity=identity) for identity in readers.identities]
        for address, readers in named.readers.items()
    }


def queue_probes(address: QueueAddress) -> Iterator[Probe]:
    """Yield the receiver's calls: what is received is visible again at once, what is deleted was never sent."""
    received = {"QueueUrl": address.url, "MaxNumberOfMessages": 1, "VisibilityTimeout": 0, "WaitTimeSeconds": 0}
    yield Probe("ReceiveMessage", received, _WITHOUT, "sqs", must_exist=True)
    deleted = {"QueueUrl": address.url, "Entries": [{"Id": "0", "ReceiptHandle": "does-not-exist"}]}
    yield Probe("DeleteMessageBatch", deleted, _WITHOUT, "sqs", right="DeleteMessage", must_exist=True)
