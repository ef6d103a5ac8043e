"""A tracker that knows what the explorer shows it, and by the rules of the real one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.polling.tracker import TrackedState
from controller.aws.targets import Target


@dataclass(frozen=True, slots=True)
class Followed:
    """A followed resource."""

    name: str
    summary: Mapping[str, Any] | None = None
    is_describe_due: bool = False


class ShownTracker:
    """`reconcile.ports.Tracker` without time: a List comes when the explorer says so, as old as it says."""

    def __init__(self, descriptor: KindDescriptor) -> None:
        self._descriptor = descriptor
        rule = descriptor.status
        self._kept = (descriptor.name.member, rule.member, rule.arn_member, "CreationTime", "LastModifiedTime")
        self.followed: dict[ObjectKey, Followed] = {}

    # --- the port

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """See `Tracker.follow`."""
        known = self.followed.get(key)
        if known is None or known.name != name:
            self.followed[key] = Followed(name)

    def forget(self, key: ObjectKey) -> None:
        """See `Tracker.forget`."""
        self.followed.pop(key, None)

    def last(self, key: ObjectKey) -> TrackedState | None:
        """See `Tracker.last`."""
        known = self.followed.get(key)
        return None if known is None else TrackedState(known.summary, known.is_describe_due)

    def described(self, key: ObjectKey, description: Mapping[str, Any]) -> None:
        """See `Tracker.described`."""
        if key in self.followed:
            self._take(key, description)
            self.followed[key] = replace(self.followed[key], is_describe_due=False)

    def poll_soon(self, key: ObjectKey) -> None:
        """See `Tracker.poll_soon`: the explorer tries all moments."""

    # --- the explorer's side

    def list(self, summaries: Iterable[Mapping[str, Any]]) -> None:
        """Take in a List answer."""
        by_name = {each[self._descriptor.name.member]: each for each in summaries}
        for key, known in list(self.followed.items()):
            if known.name in by_name:
                self._take(key, by_name[known.name])
            else:
                self.followed[key] = replace(known, is_describe_due=True)

    def _take(self, key: ObjectKey, answer: Mapping[str, Any]) -> None:
        """Keep what is newer than what is known (`PollState._take`)."""
        summary = {name: answer[name] for name in self._kept if name in answer}
        known = self.followed[key]
        if known.summary is None or known.summary["LastModifiedTime"] <= summary["LastModifiedTime"]:
            self.followed[key] = replace(known, summary=summary)
