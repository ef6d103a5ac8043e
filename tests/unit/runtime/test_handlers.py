"""From events to keys (I17, P11)."""

# ruff: noqa: D102 (the fakes implement the ports, which say what their methods are)

from dataclasses import dataclass, field

import pytest

from api.meta import JsonObject, ObjectKey, Resource
from controller.runtime.cache.handlers import (
    EnqueueHandler,
    Predicate,
    VersionChanged,
    own_key,
    owner_keys,
)
from controller.runtime.cache.store import Snapshot, Store, Tombstone
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, PRIORITY_USER
from tests.tables import each_row
from tests.unit.runtime.objects import WIDGETS, key, widget

GADGETS = Resource("example.com", "v1", "gadgets", "Gadget")


@dataclass
class RecordingQueue:
    """Notes what is added."""

    added: list[tuple[ObjectKey, int]] = field(default_factory=list)

    def add(self, key: ObjectKey, priority: int = PRIORITY_USER) -> None:
        self.added.append((key, priority))


def snapshot(obj: JsonObject) -> Snapshot:
    return Store().upsert(obj).new


OLD = snapshot(widget("a", "1", generation=1))
NEW = snapshot(widget("a", "2", generation=2))


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.mark.parametrize(
    ("initial", "priority"), [(True, PRIORITY_BACKGROUND), (False, PRIORITY_USER)], ids=["initial list", "created"]
)
def test_additions_of_the_initial_list_are_background(queue: RecordingQueue, initial: bool, priority: int) -> None:
    """P11."""
    EnqueueHandler(queue).on_add(NEW, initial=initial)

    assert queue.added == [(key("a"), priority)]


@pytest.mark.parametrize("initial", [True, False])
def test_what_waits_to_be_acted_on_is_first_in_an_initial_list_too(queue: RecordingQueue, initial: bool) -> None:
    """A user has caused it, while the operator was away."""
    EnqueueHandler(queue, waits=lambda obj: obj is NEW).on_add(NEW, initial=initial)

    assert queue.added == [(key("a"), PRIORITY_USER)]


@pytest.mark.parametrize(
    ("old", "priority"), [(NEW, PRIORITY_BACKGROUND), (OLD, PRIORITY_USER)], ids=["resync", "changed"]
)
def test_updates_without_a_change_are_background(queue: RecordingQueue, old: Snapshot, priority: int) -> None:
    """P11."""
    EnqueueHandler(queue).on_update(old, NEW)

    assert queue.added == [(key("a"), priority)]


@pytest.mark.parametrize("gone", [NEW, Tombstone(key("a"), NEW)], ids=["watched", "tombstone"])
def test_deletions_are_queued_in_either_form(queue: RecordingQueue, gone: Snapshot | Tombstone) -> None:
    """I4, I17: tombstones are unwrapped."""
    EnqueueHandler(queue).on_delete(gone)

    assert queue.added == [(key("a"), PRIORITY_USER)]


class Nothing(Predicate):
    """Passes nothing."""

    def passes_add(self, obj: Snapshot) -> bool:
        return False

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        return False

    def passes_delete(self, obj: Snapshot) -> bool:
        return False


@pytest.mark.parametrize(
    ("predicates", "is_queued"),
    [
        pytest.param([], True, id="none"),
        pytest.param([Predicate(), Predicate()], True, id="all pass"),
        pytest.param([Predicate(), Nothing()], False, id="one does not"),
    ],
)
def test_predicates_are_and_ed(queue: RecordingQueue, predicates: list[Predicate], is_queued: bool) -> None:
    """I17: for all three kinds of event."""
    handler = EnqueueHandler(queue, *predicates)

    handler.on_add(NEW, initial=False)
    handler.on_update(OLD, NEW)
    handler.on_delete(Tombstone(key("a"), NEW))

    assert len(queue.added) == (3 if is_queued else 0)


def versions(old: JsonObject, new: JsonObject) -> tuple[Snapshot, Snapshot]:
    return snapshot(old), snapshot(new)


def test_version_predicate_drops_resyncs() -> None:
    """I17."""
    assert not VersionChanged().passes_update(NEW, NEW)
    assert VersionChanged().passes_update(OLD, NEW)


def reference(kind: str, name: str, api_version: str = "example.com/v1") -> dict[str, str]:
    return {"apiVersion": api_version, "kind": kind, "name": name, "uid": f"uid-of-{name}"}


@each_row(
    ("references", "owners"),
    [
        pytest.param([], [], id="none"),
        pytest.param([reference("Gadget", "g")], [key("g")], id="one"),
        pytest.param([reference("Widget", "w"), reference("Gadget", "g")], [key("g")], id="another kind"),
        pytest.param([reference("Gadget", "g", "other.com/v1")], [], id="another group"),
        pytest.param([reference("Gadget", "g", "v1")], [], id="the core group"),
        pytest.param([reference("Gadget", "g", "example.com/v1beta1")], [key("g")], id="another version"),
    ],
)
def test_owners_are_found_by_reference(references: list[dict[str, str]], owners: list[ObjectKey]) -> None:
    """CR EnqueueRequestForOwner."""
    owned = snapshot(widget("a", ownerReferences=references))

    assert list(owner_keys(GADGETS)(owned)) == owners


def test_owners_of_cluster_scope_have_no_namespace() -> None:
    """S1."""
    cluster_wide = Resource("example.com", "v1", "gadgets", "Gadget", namespaced=False)
    owned = snapshot(widget("a", ownerReferences=[reference("Gadget", "g")]))

    assert list(owner_keys(cluster_wide)(owned)) == [ObjectKey("", "g")]


def test_an_owner_that_lost_an_object_is_queued_too(queue: RecordingQueue) -> None:
    """CR EnqueueRequestForOwner: the keys of both versions."""
    old, new = versions(
        widget("a", "1", ownerReferences=[reference("Gadget", "before")]),
        widget("a", "2", ownerReferences=[reference("Gadget", "after")]),
    )

    EnqueueHandler(queue, keys_of=owner_keys(GADGETS)).on_update(old, new)

    assert queue.added == [(key("before"), PRIORITY_USER), (key("after"), PRIORITY_USER)]


def test_own_key_is_the_default() -> None:
    """An object concerns itself; the handler never blocks, so it needs no thread."""
    assert list(own_key(NEW)) == [key("a")]
    assert EnqueueHandler.never_blocks
    assert WIDGETS.namespaced
