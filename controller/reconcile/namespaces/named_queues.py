"""Finds the status queues that namespaces name, and under which credentials each is read. Pure.

A queue is read under the credentials of the namespaces that name it, and under no others: who may annotate a namespace
must not take messages with rights that are not the namespace's. Its messages count for the targets of these credentials
alone, so a team can neither speed up nor disturb what belongs to others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from api.annotations import DEFAULT_REGION, STATUS_QUEUE
from controller.aws.errors import CallError
from controller.aws.events.receiver import QueueAddress, Readers
from controller.aws.targets import Identity
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings
from controller.runtime.errors import ErrorClass


@dataclass(frozen=True, slots=True)
class NamedQueues:
    """The annotations of all namespaces, by queue."""

    readers: Mapping[QueueAddress, Readers] = field(default_factory=dict)
    namespaces: Mapping[QueueAddress, tuple[str, ...]] = field(default_factory=dict)
    """The namespaces that name a queue, sorted."""
    mistakes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By namespace: what keeps its queues from being read, but for their syntax, which `api.annotations` reports."""


def named_queues(
    namespaces: Iterable[NamespaceSettings], default_region: str, besides: Collection[QueueAddress] = ()
) -> NamedQueues:
    """Return the queues to read, other than `besides`, which are read anyway.

    A namespace with invalid settings has none: its objects show why.
    """
    identities: dict[QueueAddress, set[Identity]] = {}
    names: dict[QueueAddress, set[str]] = {}
    mistakes: dict[str, tuple[str, ...]] = {}
    for settings in namespaces:
        urls = STATUS_QUEUE.of(settings.annotations) or ()
        if not urls:
            continue
        try:
            identity = EffectiveSettings({}, settings).identity().shared
        except CallError:
            continue
        region = DEFAULT_REGION.of(settings.annotations) or default_region
        for url in urls:
            try:
                address = QueueAddress.of(url, region)
            except ValueError:
                mistake = f"{url} names no region: set the namespace's annotation default-region"
                mistakes[settings.name] = (*mistakes.get(settings.name, ()), mistake)
                continue
            if address in besides:
                continue
            identities.setdefault(address, set()).add(identity)
            names.setdefault(address, set()).add(settings.name)
    readers = {address: Readers(tuple(sorted(found)), tuple(sorted(found))) for address, found in identities.items()}
    return NamedQueues(readers, {address: tuple(sorted(found)) for address, found in names.items()}, mistakes)


def trouble_with(address: QueueAddress, readers: Readers, error: CallError) -> str:
    """Return why a queue cannot be read, and what to do, for those who have named it."""
    if error.error_class is ErrorClass.NOT_FOUND:
        why = f"there is no queue {address.url}: create it, or correct the annotation"
    elif error.error_class is ErrorClass.DENIED:
        who = " and ".join(each.role or "the operator's own role" for each in readers.identities)
        why = f"{address.url} may not be read: allow sqs:ReceiveMessage and sqs:DeleteMessage on it to {who}"
    else:
        why = f"{address.url} cannot be read"
    return f"{why} ({error.code}); changes are found by polling"
