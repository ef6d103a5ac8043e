"""A world that can be put back into any state it was in, and hashed so that equal states are merged."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

import orjson

from api.annotations import CLAIMED_VARIANTS, LAST_UPDATE_ATTEMPT
from api.meta import JsonObject, ObjectKey
from controller.aws.polling.tracker import TrackerMetrics
from controller.reconcile.effects import EffectHook
from controller.reconcile.managed.local_state import Hold, LocalState, Memo
from controller.reconcile.managed.observe_object import hold_token
from controller.reconcile.namespaces.settings import effective_settings_of
from controller.reconcile.passes.reconciler import run
from controller.reconcile.served import Served
from controller.reconcile.status.patch import parse_time
from tests.fakes.world import World
from tests.faults.explorer.faults import FaultHook
from tests.faults.explorer.views import Followed, ShownTracker

THRESHOLDS_S: Final = (10.0, 60.0)
"""Ages at which decisions change: `shared_decisions.DOUBT_S` and `VISIBLE_AFTER_S`."""
LONG_S: Final = 70.0
"""Longer than any of them."""
_TIMES: Final = frozenset({"creationTime", "lastModifiedTime", "since", "policy", "target"})
"""Fields that decisions compare with other times."""
_AGES: Final = frozenset({"createdAt", "at"})
"""Fields of which decisions take the age."""
_JSON: Final = frozenset({LAST_UPDATE_ATTEMPT.key, CLAIMED_VARIANTS.key, "lastUpdateAttempt", "claimedVariants"})
"""Annotations with such times in them, and the fields of `status.notes` that repeat them."""
_IGNORED: Final = frozenset(
    {"resourceVersion", "generation", "observedGeneration", "lastTransitionTime", "lastCheckTime", "lastUpdateTime",
     "creationTimestamp", "deletionTimestamp"}
)  # fmt: skip
"""Fields that no decision reads, or that are read by comparison: see `Explorable.piece`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a world consists of; nothing of it is ever changed."""

    elapsed_s: float
    objects: Mapping[str, Mapping[ObjectKey, JsonObject]]
    versions: Mapping[str, int]
    born: Mapping[str, int]
    local: Mapping[str, Mapping[ObjectKey, LocalState]]
    followed: Mapping[str, Mapping[ObjectKey, Followed]]
    checks: frozenset[tuple[str, ObjectKey]]
    aws: Any


@dataclass(slots=True)
class Times:
    """The times in a fact, in seconds of the monotonic clock."""

    compared: list[float] = field(default_factory=list)
    """They count by their order."""
    aged: list[float] = field(default_factory=list)
    """They count by the thresholds that their age has passed."""


Fact: TypeAlias = tuple[Any, Times]


class Explorable(World):
    """A world whose informers and pollers show what the explorer says, and that has no rests.

    A pass may come at any time, not only when something enqueues the object: that it comes in time is tested elsewhere.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.hook = FaultHook()
        self.born: dict[str, int] = {}
        """How often an object of a name was created: its uid depends on that and on nothing else."""
        super().__init__(*args, **kwargs)
        for kind, cluster in self.clusters.items():
            cluster._new_uid = partial(self._uid, kind)  # type: ignore[method-assign]
        self._pieces: dict[int, tuple[JsonObject, bytes, Times]] = {}

    def _hook(self) -> EffectHook:
        return self.hook

    def _tracker(self, served: Served, metrics: TrackerMetrics) -> Any:
        return ShownTracker(served.descriptor)

    def restart(self) -> None:
        """See `World.restart`."""
        super().restart()
        for each in self.reconcilers.values():
            reconciler: Any = each
            reconciler._make_pass = partial(run, reconciler._life_cycle)

    def _uid(self, kind: str, key: ObjectKey) -> str:
        name = f"{kind}/{key}"
        self.born[name] = number = self.born.get(name, 0) + 1
        digest = int(hashlib.blake2b(f"{name} {number}".encode(), digest_size=4).hexdigest(), 16)
        return f"a92f5e3c-f07b-11e9-bf6c-{digest:012d}"

    @property
    def shown_tracker(self) -> ShownTracker:
        """The tracker of the first kind."""
        tracker: Any = self.tracker
        assert isinstance(tracker, ShownTracker)
        return tracker

    # --- memory of the process

    def local_states(self, kind: str) -> dict[ObjectKey, LocalState]:
        """The local states of one kind."""
        reconciler: Any = self.reconcilers[kind]
        states: dict[ObjectKey, LocalState] = reconciler._states._states
        return states

    def _clear_local(self, kind: str) -> None:
        """Drop the local states of one kind, and what was computed: in another branch, a generation is another spec."""
        reconciler: Any = self.reconcilers[kind]
        reconciler._states._states.clear()
        reconciler._states._memos.clear()

    def forget_all(self) -> None:
        """Restart the process: nothing is remembered."""
        for kind in self.reconcilers:
            self._clear_local(kind)
        for tracker in self.trackers.values():
            tracker.followed.clear()  # type: ignore[attr-defined]
        self.shared.checks._requested.clear()

    # --- keeping and restoring

    def keep(self, aws: Any) -> Kept:
        """Return the state; `aws` is that of AWS."""
        return Kept(
            elapsed_s=self.clock._elapsed_s,
            objects={kind: dict(cluster.objects) for kind, cluster in self.clusters.items()},
            versions={kind: cluster._version for kind, cluster in self.clusters.items()},
            born=dict(self.born),
            local={kind: _copied(self.local_states(kind)) for kind in self.reconcilers},
            followed={kind: dict(each.followed) for kind, each in self.trackers.items()},  # type: ignore[attr-defined]
            checks=frozenset(self.shared.checks._requested),
            aws=aws,
        )

    def put_back(self, kept: Kept) -> None:
        """Restore all but AWS."""
        self.clock._elapsed_s = kept.elapsed_s
        for kind, cluster in self.clusters.items():
            cluster.objects = dict(kept.objects[kind])
            cluster._version = kept.versions[kind]
            cluster.history.clear()
            cluster.writes.clear()
        self.born = dict(kept.born)
        for kind in self.reconcilers:
            self._clear_local(kind)
            self.local_states(kind).update(_copied(kept.local[kind]))
        for kind, tracker in self.trackers.items():
            tracker.followed = dict(kept.followed[kind])  # type: ignore[attr-defined]
        self.shared.checks._requested = set(kept.checks)
        self.sagemaker.calls.clear()
        self.recorder.events.clear()
        self.recorder.messages.clear()
        self.errors.clear()
        self.later.clear()

    # --- hashing

    def facts(self, more: Iterable[Fact]) -> bytes:
        """Return a hash of the world and of `more` facts."""
        facts: list[Any] = [sorted(self.born.items()), sorted(map(str, self.shared.checks._requested))]
        compared: list[float] = []
        now = self.clock.monotonic()
        for fact, times in (*self._all_facts(), *more):
            facts += (fact, [_bucket(now - each) for each in times.aged])
            compared += times.compared
        ranks = {time: n for n, time in enumerate(sorted(set(compared)))}
        facts.append([ranks[each] for each in compared])
        digest = hashlib.blake2b(digest_size=16)
        for fact in facts:
            digest.update(fact if isinstance(fact, bytes) else orjson.dumps(fact))
            digest.update(b"|")
        return digest.digest()

    def _all_facts(self) -> Iterator[Fact]:
        now = self.clock.monotonic()
        for kind, cluster in self.clusters.items():
            states = self.local_states(kind)
            for key in sorted(cluster.objects.keys() | states.keys()):
                obj = cluster.objects.get(key)
                yield str(key), Times()
                if obj is not None:
                    yield self.piece(obj)
                if (state := states.get(key)) is not None:
                    yield self._of_memory(kind, state, obj, now)
            if kind in self.trackers:
                yield from self._of_tracker(self.trackers[kind])

    def _of_memory(self, kind: str, state: LocalState, obj: JsonObject | None, now: float) -> Fact:
        version = obj["metadata"]["resourceVersion"] if obj else ""
        recorded = state.recorded
        fact = (
            obj is not None and obj["metadata"]["uid"] == state.uid,
            version in state.superseded_versions,
            sorted(state.made),
            recorded and (recorded.name, recorded.tags),
            state.foreign and state.foreign[0],
            state.creation is not None,
            self._holds(kind, state.hold, obj, now),
            self._holds(kind, state.tags_hold, obj, now),
            min(state.setbacks, 1),
            min(state.corrections.count, 2),
            state.corrections.due_in_s(now) > 0,
            [None if each is None else _bucket(now - each) for each in (state.doubtful_since, state.deleting_since)],
        )
        created = recorded.created_at if recorded else None
        by_aws = (state.creation, state.foreign and state.foreign[1], recorded and recorded.creation_time)
        compared = [self.seconds(each) for each in by_aws if each]
        return fact, Times(compared=compared, aged=[self.seconds(created)] if created else [])

    def _holds(self, kind: str, hold: Hold | None, obj: JsonObject | None, now: float) -> bool:
        """Return whether a hold lasts: a change of the object, or of what it depends on, has not ended it."""
        if hold is None or hold.until <= now or obj is None:
            return False
        reconciler: Any = self.reconcilers[kind]
        context = reconciler._context
        settings = effective_settings_of(obj, context.settings.namespaces.of(obj["metadata"]["namespace"]))
        return hold.token == hold_token(obj, settings, tuple(each.state for each in context.dependencies.of(obj)))

    def _of_tracker(self, tracker: Any) -> Iterator[Fact]:
        status = tracker._descriptor.status.member
        for key, known in sorted(tracker.followed.items()):
            summary = known.summary or {}
            times = Times([self.seconds(summary["LastModifiedTime"])] if summary else [])
            yield [str(key), known.name, known.is_describe_due, summary.get(status, "")], times

    def piece(self, obj: JsonObject) -> Fact:
        """Return the facts about an object. Each write makes a new object, so what was found is kept by identity."""
        known = self._pieces.get(id(obj))
        if known is None or known[0] is not obj:
            times = Times()
            metadata, status = obj["metadata"], obj.get("status") or {}
            fact = [
                self._plain(obj, times),
                status.get("observedGeneration") == metadata.get("generation"),
                "deletionTimestamp" in metadata,
            ]
            if len(self._pieces) > 100_000:
                self._pieces.clear()
            if deleted := parse_time(metadata.get("deletionTimestamp")):
                times.aged.append(self.seconds(deleted))
            self._pieces[id(obj)] = known = (obj, orjson.dumps(fact, option=orjson.OPT_SORT_KEYS), times)
        return known[1], known[2]

    def _plain(self, value: Any, times: Times) -> Any:
        if isinstance(value, list):
            return [self._plain(each, times) for each in value]
        if not isinstance(value, dict):
            return value
        plain = {}
        for name, each in value.items():
            time = parse_time(each) if name in _TIMES | _AGES and isinstance(each, str) else None
            if time is not None:
                plain[name] = True
                (times.aged if name in _AGES else times.compared).append(self.seconds(time))
            elif name in _JSON:
                plain[name] = self._plain(json.loads(each), times)
            elif name not in _IGNORED:
                plain[name] = self._plain(each, times)
        return plain

    def seconds(self, time: datetime) -> float:
        """Return a time as seconds of the monotonic clock; whole ones, as objects have them."""
        return float(int((time.astimezone(UTC) - self.clock._start).total_seconds() + 1000.0))


def _copied(states: Mapping[ObjectKey, LocalState]) -> dict[ObjectKey, LocalState]:
    return {
        key: replace(
            each, memo=Memo(), superseded_versions=set(each.superseded_versions), made=set(each.made), rest=None
        )
        for key, each in states.items()
    }


def _bucket(age_s: float) -> int:
    return sum(age_s >= each for each in THRESHOLDS_S)
