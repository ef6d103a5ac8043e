"""One pass over one object: look, decide, carry out, and again, until the decision settles.

What is decided is decided in `job.decide`; what has an effect is in `Executor`; here they are put together.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from api.meta import JsonObject, ObjectKey
from controller.aws.errors import AwsError
from controller.reconcile.context import JobContext
from controller.reconcile.creating import create
from controller.reconcile.hand import Hand
from controller.reconcile.job.companions import Companions
from controller.reconcile.job.decide import decide
from controller.reconcile.local_state import Memory
from controller.reconcile.observe_object import found
from controller.reconcile.plan import (
    CheckOwner,
    Create,
    Describe,
    DropTags,
    During,
    Event,
    Expire,
    Mutation,
    Observed,
    Owner,
    Prepare,
    PutTags,
    Release,
    Settle,
    Source,
    Stop,
)
from controller.reconcile.shared_decisions import LOOK_AGAIN_S
from controller.reconcile.tags.perform import retag
from controller.runtime.controller import Result
from controller.runtime.errors import ABSENT, ErrorClass

_MAX_STEPS: Final = 12
"""More steps than any pass has: a decision that goes round in circles is a defect, and must not spin."""


class Pass:
    """Looks, decides and acts until it settles. Lives in one worker, for one call of `run`."""

    def __init__(
        self, context: JobContext, companions: Companions, key: ObjectKey, obj: JsonObject, memory: Memory
    ) -> None:
        self._context = context
        self._companions = companions
        self._again_s: float | None = None
        """When the companions want to be looked at again."""
        self._descriptor = context.descriptor
        self._executor = context.executor
        self._key = key
        self._memory = memory
        self._hand = Hand(context, key, obj, memory)

    def run(self) -> Result:
        """Make the pass. Raises `ClassifiedError` and `Terminal`, see `JobReconciler`."""
        seen = self._observe()
        attempt = self._hand.attempt
        for _ in range(_MAX_STEPS):
            seen = attempt(seen, During.COMPANIONS, self._attend)
            match decide(seen):
                case Prepare():
                    seen = self._prepare(seen)
                case Describe(background):
                    seen = attempt(seen, During.DESCRIBE, partial(self._describe, background))
                case CheckOwner(arn):
                    seen = attempt(seen, During.OWNER, partial(self._check_owner, arn))
                case Create():
                    seen = attempt(seen, During.CREATE, self._create)
                case Stop():
                    seen = attempt(seen, During.STOP, self._stop)
                case PutTags() | DropTags() as step:
                    seen = attempt(seen, During.TAG, partial(self._retag, step))
                    if seen.failure is None and not seen.are_tags_held:
                        return self._hand.end_early()
                case Expire():
                    return self._hand.expire()
                case Release(events):
                    return self._release(seen, events)
                case Settle() as settle:
                    return self._settle(seen, settle)
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    def _attend(self, seen: Observed) -> Observed:
        attention = self._companions.attend(self._hand, seen)
        self._again_s = attention.again_s
        return attention.seen

    # --- looking

    def _observe(self) -> Observed:
        seen = self._hand.observed()
        if seen.is_recorded_in_status:  # what we knew first is known to all
            self._memory.recorded = self._memory.doubtful_since = None
        sighting = self._context.tracker.last(self._key)
        if sighting is None or seen.recorded is None:
            return seen  # followed is only what is recorded: this is of an object that bore the name before
        remote = None
        if sighting.summary is not None:
            remote = found(self._descriptor, sighting.summary, Source.SUMMARY)
        return replace(seen, remote=remote, summary=remote, is_describe_due=sighting.is_describe_due or seen.is_asked)

    def _describe(self, background: bool, seen: Observed) -> Observed:
        answer = self._context.jobs.describe(
            self._descriptor, self._hand.target(seen), seen.name, caller=self._key, background=background
        )
        self._memory.described_at = self._context.clock.monotonic()
        seen = replace(seen, described_ago_s=0.0, is_describe_due=False)
        if answer is ABSENT:
            return replace(seen, remote=ABSENT)
        self._context.tracker.described(self._key, answer)
        return replace(seen, remote=found(self._descriptor, answer, Source.DESCRIPTION))

    def _check_owner(self, arn: str, seen: Observed) -> Observed:
        tags = self._context.jobs.tags(self._hand.target(seen), arn, caller=self._key)
        if tags is ABSENT:
            return replace(seen, remote=ABSENT)
        creator = self._hand.launcher() if seen.is_spawned else self._hand.owner()
        return replace(seen, owner=Owner.OURS if creator.is_proved_by(tags) else Owner.FOREIGN)

    # --- acting

    def _prepare(self, seen: Observed) -> Observed:
        self._hand.prepare(None if seen.is_name_persisted else seen.name)
        return self._observe()

    def _create(self, seen: Observed) -> Observed:
        target = self._hand.target(seen)
        request = self._hand.request(seen.name)
        # Of a thousand new objects each comes several times before its turn: that must not cost a write.
        self._context.jobs.turn(target, self._descriptor.operations.create, caller=self._key)
        send = partial(self._executor.create, self._descriptor, target, request, caller=self._key)
        return create(self._hand, seen, seen.name, target, send)

    def _stop(self, seen: Observed) -> Observed:
        target = self._hand.target(seen)
        self._context.jobs.turn(target, self._descriptor.operations.stop, caller=self._key)
        self._hand.confirm()
        try:
            answer = self._executor.stop(self._descriptor, target, seen.name, caller=self._key)
        except AwsError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(seen, stop_was_refused=True, remote=None)
            raise
        return replace(seen, mutation=Mutation.STOPPED, remote=ABSENT if answer is ABSENT else seen.remote)

    def _retag(self, step: PutTags | DropTags, seen: Observed) -> Observed:
        return retag(self._hand, seen, step)

    # --- the end of a pass

    def _release(self, seen: Observed, events: tuple[Event, ...]) -> Result:
        if not self._companions.are_gone(self._hand, seen):
            return Result(requeue_after_s=LOOK_AGAIN_S)  # at the latest: their going wakes the key
        result = self._hand.release(events)
        self._context.tracker.forget(self._key)
        return result

    def _settle(self, seen: Observed, settle: Settle) -> Result:
        if self._again_s is not None:
            settle = replace(settle, again_s=min(self._again_s, settle.again_s or self._again_s))
        if settle.again_s is None:
            self._memory.described_at = None  # nothing is polled: no need to remember when
        if settle.view is not None:
            self._hand.show(seen, settle.view, settle.events, settle.recorded or seen.recorded)
        self._hand.follow(self._context.tracker, seen, settle)
        return self._hand.end(seen, settle)
