"""Passes on what events report of resources that no List is polled for: they are described when something is new.

Without events nothing happens here. A resource is described as often as its life-cycle wants it, and an event adds one
Describe, or a few where SageMaker does not show yet what it has announced.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.polling.hints import EFFECTS, Effect, Hint
from controller.aws.polling.poll_state import RECHECK_S
from controller.aws.polling.tracked_job import Fingerprint, fingerprint_of
from controller.aws.polling.tracker import EARLY_MARGIN, MOST_UNFOLLOWED, TrackedState
from controller.aws.targets import Identity, Target
from controller.runtime.clock import Clock

MOST_LOOKS: Final = 3
"""Describes for one event: the API may be behind it for some seconds."""


@dataclass(slots=True)
class _Followed:
    """One resource of one object."""

    target: Target
    name: str
    """In lower case."""
    shown: Fingerprint | None = None
    """By the last Describe."""
    news: Hint | None = None
    """The last event that had an effect."""
    looks: int = 0
    """Describes to come that may confirm it."""
    due_at: float | None = None
    """Monotonic seconds from which on the next of them is due."""


@dataclass(frozen=True, slots=True)
class _Early:
    """A hint, and where a resource must be for the hint to concern it."""

    region: str
    account: str
    identities: Collection[Identity]
    hint: Hint

    def concerns(self, target: Target) -> bool:
        """Return whether it may be about a resource of this target. An account that is not known may be any."""
        is_of_account = not self.account or target.identity.account in ("", self.account)
        is_of_identity = not self.identities or target.identity in self.identities
        return target.region == self.region and is_of_account and is_of_identity


class AnnouncedChanges:
    """What a `Tracker` is for reconcilers and status queues, without threads and calls. Thread-safe.

    `wake` enqueues a key after some seconds. It is called without any lock held, and must not block.
    """

    def __init__(self, descriptor: KindDescriptor, wake: Callable[[ObjectKey, float], None], clock: Clock) -> None:
        self._rule = descriptor.status
        self._wake = wake
        self._clock = clock
        self.kind: Final = descriptor.controller_name
        self._lock = threading.Lock()
        self._followed: dict[ObjectKey, _Followed] = {}
        self._by_name: dict[str, set[ObjectKey]] = {}
        self._described: dict[ObjectKey, Fingerprint] = {}
        """What a pass has described: at its end, it is followed."""
        self._unfollowed: OrderedDict[str, _Early] = OrderedDict()
        """The last hints about what is not followed, by name; the oldest first."""

    # --- for reconcilers

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """See `ports.Tracker.follow`."""
        name, now = name.lower(), self._clock.monotonic()
        with self._lock:
            known, shown = self._followed.get(key), self._described.pop(key, None)
            if known is not None and (known.target, known.name) == (target, name):
                return
            self._forget_locked(key)
            known = self._followed[key] = _Followed(target, name, shown)
            self._by_name.setdefault(name, set()).add(key)
            early = self._unfollowed.get(name)
            is_about = early is not None and early.hint.modified >= created_at - EARLY_MARGIN and early.concerns(target)
            is_news = early is not None and is_about and _take(known, early.hint, now) == "change"
        if is_news:
            self._wake(key, 0.0)

    def forget(self, key: ObjectKey) -> None:
        """See `ports.Tracker.forget`."""
        with self._lock:
            self._forget_locked(key)

    def _forget_locked(self, key: ObjectKey) -> None:
        self._described.pop(key, None)
        known = self._followed.pop(key, None)
        if known is not None:
            keys = self._by_name[known.name]
            keys.remove(key)
            if not keys:
                del self._by_name[known.name]

    def last(self, key: ObjectKey) -> TrackedState | None:
        """See `ports.Tracker.last`: whether an event wants a Describe."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._followed.get(key)
            if known is None:
                return None
            return TrackedState(None, is_describe_due=known.due_at is not None and now >= known.due_at)

    def described(self, key: ObjectKey, description: Mapping[str, Any]) -> None:
        """See `ports.Tracker.described`. What an event has announced and this does not show is looked at again."""
        now = self._clock.monotonic()
        # What was never modified has no such time.
        modified = description.get("LastModifiedTime") or description.get("CreationTime")
        shown = fingerprint_of({**description, "LastModifiedTime": modified}, self._rule)
        with self._lock:
            known = self._followed.get(key)
            if known is None:
                self._described[key] = shown
                return
            known.shown = shown
            known.looks = 0 if known.news is None or _shows(known.shown, known.news) else max(known.looks - 1, 0)
            known.due_at = now + RECHECK_S if known.looks else None
            is_open = known.due_at is not None
        if is_open:
            self._wake(key, RECHECK_S)

    def poll_soon(self, key: ObjectKey) -> None:
        """See `ports.Tracker.poll_soon`: nothing is polled."""

    # --- for status queues

    def hint(
        self,
        source: str,  # noqa: ARG002 (there is one)
        region: str,
        account: str,
        hint: Hint,
        *,
        identities: Collection[Identity] = (),
    ) -> Effect:
        """See `Tracker.hint`."""
        now, name, early = self._clock.monotonic(), hint.name.lower(), _Early(region, account, identities, hint)
        effects: dict[ObjectKey, Effect] = {}
        with self._lock:
            for key in self._by_name.get(name, ()):
                known = self._followed[key]
                if early.concerns(known.target):
                    effects[key] = _take(known, hint, now)
            if not effects:
                self._unfollowed.pop(name, None)
                self._unfollowed[name] = early
                if len(self._unfollowed) > MOST_UNFOLLOWED:
                    self._unfollowed.popitem(last=False)
        for key, effect in effects.items():
            if effect == "change":
                self._wake(key, 0.0)
        return next((each for each in EFFECTS if each in effects.values()), "unfollowed")

    def heard(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """See `Tracker.heard`: nothing is left out while events come, so there is nothing to trust."""

    def failed(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """See `Tracker.failed`: nothing depends on events."""

    def withdraw(self, source: str, identities: Collection[Identity]) -> None:
        """See `Tracker.withdraw`: nothing depends on events."""


def _take(known: _Followed, hint: Hint, now: float) -> Effect:
    """Take in a hint about a resource, and return its effect: a change makes a Describe due."""
    effect = _effect(known, hint)
    if effect == "change":
        known.news, known.looks, known.due_at = hint, MOST_LOOKS, now
    return effect


def _effect(known: _Followed, hint: Hint) -> Effect:
    """Return what an event says that neither the last Describe nor an earlier event has said."""
    seen = (known.shown.modified if known.shown else None, known.news.modified if known.news else None)
    if any(each is not None and _second(hint.modified) < _second(each) for each in seen):
        return "stale"
    if known.shown is not None and _shows(known.shown, hint):
        return "known"
    if known.news is not None and _facts(known.news) == _facts(hint):
        return "known"
    return "change"


def _facts(hint: Hint) -> tuple[str, str, datetime]:
    return hint.status, hint.secondary, hint.modified


def _shows(shown: Fingerprint, hint: Hint) -> bool:
    """Return whether a description is as new as an event: that one may carry whole seconds only."""
    if shown.modified is None or _second(shown.modified) < _second(hint.modified):
        return False
    if _second(shown.modified) > _second(hint.modified):
        return True
    return shown.value == hint.status and hint.secondary in ("", shown.secondary)


def _second(time: datetime) -> datetime:
    return time.replace(microsecond=0)
