"""Keeps a process's hints about objects between passes; losing them on restart is harmless.

Nothing here is needed for correctness across processes; it saves calls and writes, and slows down retries.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog

from api.meta import ObjectKey
from controller.reconcile.managed.aws_identity import AwsIdentity
from controller.reconcile.observation import Recorded

_log: Final = structlog.get_logger(__name__)

BACKOFF_BASE_S: Final = 60.0
BACKOFF_CAP_S: Final = 3600.0
"""If another owner keeps changing it: the first correction is immediate, the next after a minute, finally hourly."""
FORGET_S: Final = 2 * BACKOFF_CAP_S
"""After so long without a correction, the next one counts as the first again."""
MEMOS: Final = 1_000
"""How many objects of a kind, of which nothing else is kept, keep what was computed of them: about 2 KB each."""


@dataclass(frozen=True, slots=True)
class Corrections:
    """Counts corrections that followed each other within `FORGET_S`."""

    count: int = 0
    last_at: float = -math.inf
    """Monotonic seconds."""

    def after(self, now: float) -> "Corrections":
        """Return the count after one more correction."""
        return Corrections(1 if now - self.last_at > FORGET_S else self.count + 1, now)

    def due_in_s(self, now: float) -> float:
        """Return the seconds until the next correction is allowed."""
        if not self.count:
            return 0.0
        wait_s = min(BACKOFF_BASE_S * 2.0 ** min(self.count - 1, 16), BACKOFF_CAP_S)
        return max(self.last_at + wait_s - now, 0.0)


@dataclass(frozen=True, slots=True)
class Hold:
    """AWS is not asked again before `until` (monotonic seconds), unless the object's `token` changes."""

    token: str
    until: float


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is to be done until one of the `facts` changes, or until `until` (monotonic seconds)."""

    facts: object
    until: float
    is_timed: bool
    """Something is to be done then."""
    going: Mapping[str, bool] = field(default_factory=dict)
    """See `RestingLifeCycle.going`."""


@dataclass(frozen=True, slots=True)
class DocumentRead:
    """How the document of a spec was read last that is in a ConfigMap."""

    generation: int
    """Of the object."""
    digest: str
    """Of what came of it: the document, or why there was none."""
    at: float
    """Monotonic seconds."""
    pause_s: float
    """Until it is read again."""
    failures: int
    """Reads in a row without a document."""
    content: str | None = None
    """The digest of what the spec asks for with the document; None: there is none."""


@dataclass(slots=True)
class Memo:
    """What was computed of one object and holds until what it was made of changes. Costs nothing but time if lost."""

    made_of: tuple[object, ...] | None = None
    """What the identity was resolved from; the generation first."""
    identity: AwsIdentity | None = None
    account: str = ""
    """The account of the identity, once that was found to be the recorded one."""
    content: tuple[int, str] | None = None
    """Generation of the spec of a job, and the digest of what it asks for."""
    unchanged: tuple[int, str] | None = None
    """Generation of the spec of a job, and the record of its mutable fields, if these are the same."""
    seen: tuple[str, float] = ("", -math.inf)
    """Version of the object, and when it was first seen."""

    def renew(self, before: Any, after: Any) -> None:
        """Keep for generation `after` what was made of generation `before`: only the name was written into the spec."""
        if self.made_of is not None and self.made_of[0] == before:
            self.made_of = (after, *self.made_of[1:])
        if self.content is not None and self.content[0] == before:
            self.content = after, self.content[1]

    def seen_at(self, version: str, now: float) -> float:
        """Return when a pass first saw this version of the object; `now`, if it is a new one. In monotonic seconds."""
        if self.seen[0] != version:
            self.seen = version, now
        return self.seen[1]


@dataclass(slots=True)
class LocalState:
    """One object's hints. Used by the one worker that processes the object's key, hence without a lock."""

    uid: str
    memo: Memo = field(default_factory=Memo)
    superseded_versions: set[str] = field(default_factory=set)
    """Versions that our writes have replaced: a store that shows one of them is behind, and its event will come."""
    made: set[str] = field(default_factory=set)
    """Calls that were made, of several that belong together and are not through."""
    answers: dict[Hashable, tuple[object, float]] = field(default_factory=dict)
    """What AWS has said in passes that were throttled before their end, and when, in monotonic seconds."""
    recorded: Recorded | None = None
    """Created by us, where the status may not say so yet."""
    foreign: tuple[str, datetime] | None = None
    """Name, and creation time by AWS, of the resource that was found to belong to another owner."""
    is_proved: bool = False
    """Tags have shown that what the status records is this object's, although its record does not say so."""
    creation: datetime | None = None
    """Creation time, by AWS, of the recorded resource, where the API server has no field for it (older CRDs)."""
    prunes_names: bool = False
    """The API server has no field for the names that were replaced (older CRDs)."""
    prunes_notes: bool = False
    """The API server has no field for notes (older CRDs)."""
    doubtful_since: float | None = None
    """When a Create ended without an answer, in monotonic seconds."""
    described_at: float | None = None
    """Monotonic seconds of our last Describe, while more are to come."""
    verified: tuple[str, ...] = ()
    """When the endpoints were created, those on which AWS shows a scaling policy that is older than they are."""
    deleting_since: float | None = None
    """Monotonic seconds at which its deletion was first seen: clocks that are set back must not hold it up."""
    hold: Hold | None = None
    tags_hold: Hold | None = None
    """The same for its tags only."""
    change_hold: Hold | None = None
    """The same for a change of a job only."""
    setbacks: int = 0
    """Errors in a row: each pause is longer than the last."""
    waiting_since: float | None = None
    """Monotonic seconds at which it first had to wait for its turn at AWS, while it shows nothing yet."""
    failing_since: float | None = None
    """Monotonic seconds of the first of these errors that will pass by itself."""
    corrections: Corrections = field(default_factory=Corrections)
    """How often, and when, drift was corrected."""
    unshown: str = ""
    """Why Kubernetes refuses the status, as an event has said."""
    rest: Rest | None = None
    """Set where nothing was left to do."""
    document: DocumentRead | None = None
    """None: not read yet by this process, or the spec has its document itself."""

    def is_blank(self) -> bool:
        """Return whether forgetting it changes nothing."""
        times = (self.doubtful_since, self.described_at, self.deleting_since, self.failing_since)
        hints = (
            self.recorded,
            self.foreign,
            self.creation,
            *times,
            self.hold,
            self.tags_hold,
            self.change_hold,
            self.rest,
            self.document,
        )
        pruned = (self.prunes_names, self.prunes_notes)
        facts = (self.superseded_versions, self.corrections.count, self.is_proved, *pruned, self.unshown, self.verified)
        return not any(facts) and all(hint is None for hint in hints)


class LocalStates:
    """Local states by key. Thread-safe. Warns where it drops the only record of a resource."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[ObjectKey, LocalState] = {}  # guarded by _lock; a LocalState itself belongs to its worker
        self._memos: OrderedDict[ObjectKey, tuple[str, Memo]] = OrderedDict()  # guarded by _lock
        """Of objects without a state, with their uids; the one that was reconciled last at the end."""

    def of(self, key: ObjectKey, uid: str) -> LocalState:
        """Return the state of this very object; that of an earlier object of the same name is dropped."""
        with self._lock:
            before = self._states.get(key)
            if before is not None and before.uid == uid:
                return before
            made_for, memo = self._memos.pop(key, (uid, Memo()))
            state = self._states[key] = LocalState(uid, memo if made_for == uid else Memo())
        if before is not None:
            _warn_of_orphan(before)
        return state

    def release(self, key: ObjectKey, state: LocalState) -> None:
        """Drop a state that is not worth keeping, apart from the memo, after a pass."""
        if state.is_blank():
            with self._lock:
                del self._states[key]
                self._memos[key] = state.uid, state.memo
                if len(self._memos) > MEMOS:
                    self._memos.popitem(last=False)

    def forget(self, key: ObjectKey) -> None:
        """Drop what is kept of an object that is gone."""
        with self._lock:
            state = self._states.pop(key, None)
            self._memos.pop(key, None)
        if state is not None:
            _warn_of_orphan(state)

    def __len__(self) -> int:
        with self._lock:
            return len(self._states)


def _warn_of_orphan(state: LocalState) -> None:
    """Warn of an object that went, its finalizer removed by force, before its status could record its resource."""
    if state.recorded is not None:
        _log.warning("object gone, its resource stays at AWS", resource=state.recorded.arn or state.recorded.name)
