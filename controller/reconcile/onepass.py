"""One pass over one object: look, decide, carry out, and again, until the decision settles.

What is decided is decided in `job.decide`; what has an effect is in `Executor`; here they are put together.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from api.convert import ConversionError, to_request
from api.meta import JsonObject, ObjectKey
from controller.aws.console import log_url, partition_of
from controller.aws.errors import AwsError
from controller.aws.ownership import Owner as TagOwner
from controller.aws.ownership import merged_tags
from controller.aws.targets import Target
from controller.reconcile.context import JobContext
from controller.reconcile.job import decide
from controller.reconcile.memory import Hold, Memory
from controller.reconcile.observe import found, hold_token, observed
from controller.reconcile.plan import (
    CheckOwner,
    Create,
    Describe,
    During,
    Event,
    Failure,
    Mutation,
    Observed,
    Owner,
    Prepare,
    Recorded,
    Release,
    Settle,
    Source,
    Stop,
    Verdict,
    View,
)
from controller.reconcile.status import Facts, next_status, status_patch
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ABSENT, ErrorClass, Terminal

_log: Final = structlog.get_logger(__name__)

_MAX_STEPS: Final = 12
"""More steps than any pass has: a decision that goes round in circles is a defect, and must not spin."""

_SLOW_BASE_S: Final = 60.0
_SLOW_CAP_S: Final = 300.0
"""Errors that people must cure are tried again after one minute at first, after five in the end."""
_JITTER: Final = 0.2


class Pass:
    """Looks, decides and acts until it settles. Lives in one worker, for one call of `run`."""

    def __init__(self, context: JobContext, key: ObjectKey, obj: JsonObject, memory: Memory) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._executor = context.executor
        self._key = key
        self._obj = obj
        self._memory = memory
        self._is_confirmed = False
        """The object was the current one when this pass last wrote it: AWS mutations need that."""
        self._error: AwsError | None = None

    def run(self) -> Result:
        """Make the pass. Raises `ClassifiedError` and `Terminal`, see `JobReconciler`."""
        seen = self._observe()
        for _ in range(_MAX_STEPS):
            match decide(seen):
                case Prepare():
                    seen = self._prepare(seen)
                case Describe(background):
                    seen = self._attempt(seen, During.DESCRIBE, partial(self._describe, background))
                case CheckOwner(arn):
                    seen = self._attempt(seen, During.OWNER, partial(self._check_owner, arn))
                case Create():
                    seen = self._attempt(seen, During.CREATE, self._create)
                case Stop():
                    seen = self._attempt(seen, During.STOP, self._stop)
                case Release(events):
                    return self._release(events)
                case Settle() as settle:
                    return self._settle(seen, settle)
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    # --- looking

    def _observe(self) -> Observed:
        clock = self._context.clock
        seen = observed(self._descriptor, self._obj, self._memory, now=clock.utcnow(), monotonic=clock.monotonic())
        if seen.is_recorded_in_status:  # what we knew first is known to all
            self._memory.recorded = self._memory.doubtful_since = None
        sighting = self._context.tracker.last(self._key)
        if sighting is None:
            return seen
        remote = None
        if sighting.summary is not None:
            remote = found(self._descriptor, sighting.summary, Source.SUMMARY)
        return replace(seen, remote=remote, summary=remote, is_describe_due=sighting.is_describe_due)

    def _target(self, seen: Observed) -> Target:
        region = seen.recorded.region if seen.recorded else ""
        return self._context.settings.defaults.resolve(self._obj.get("spec") or {}, recorded_region=region)

    def _describe(self, background: bool, seen: Observed) -> Observed:
        answer = self._context.jobs.describe(
            self._descriptor, self._target(seen), seen.name, caller=self._key, background=background
        )
        self._memory.described_at = self._context.clock.monotonic()
        seen = replace(seen, described_ago_s=0.0, is_describe_due=False)
        if answer is ABSENT:
            return replace(seen, remote=ABSENT)
        self._context.tracker.described(self._key, answer)
        return replace(seen, remote=found(self._descriptor, answer, Source.DESCRIPTION))

    def _check_owner(self, arn: str, seen: Observed) -> Observed:
        tags = self._context.jobs.tags(self._target(seen), arn, caller=self._key)
        if tags is ABSENT:
            return replace(seen, remote=ABSENT)
        owner = Owner.OURS if self._owner().is_proved_by(tags) else Owner.FOREIGN
        return replace(seen, owner=owner)

    def _owner(self) -> TagOwner:
        settings = self._context.settings
        return TagOwner(
            cluster=settings.cluster_id,
            kind=self._descriptor.kind,
            key=self._key,
            uid=self._obj["metadata"]["uid"],
            manager=settings.manager,
        )

    # --- acting

    def _prepare(self, seen: Observed) -> Observed:
        name = None if seen.is_name_persisted else seen.name
        self._wrote(self._executor.prepare(self._descriptor, self._obj, name))
        return self._observe()

    def _confirm(self) -> None:
        if not self._is_confirmed:
            self._wrote(self._executor.confirm(self._descriptor, self._obj))

    def _create(self, seen: Observed) -> Observed:
        target = self._target(seen)
        request = self._request(seen)
        self._confirm()
        try:
            arn = self._executor.create(self._descriptor, target, request, caller=self._key)
        except AwsError as error:
            if error.error_class is ErrorClass.EXISTS:
                return replace(seen, name_is_taken=True)
            if error.ambiguous:
                self._memory.doubtful_since = self._context.clock.monotonic()
            raise
        recorded = self._recorded(seen.name, target, arn)
        self._memory.recorded = recorded
        return replace(seen, mutation=Mutation.CREATED, recorded=recorded)

    def _request(self, seen: Observed) -> JsonObject:
        try:
            request = to_request(self._descriptor, self._obj.get("spec") or {})
        except ConversionError as exc:
            raise AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False) from exc
        settings = self._context.settings
        owner = self._owner() if settings.has_ownership_tags else None
        tags, dropped = merged_tags(owner, request.get("Tags", ()), settings.resource_tags)
        if dropped:
            _log.warning("tags left out, AWS allows 50", keys=dropped)
        if tags:
            request["Tags"] = tags
        request[self._descriptor.name.member] = seen.name
        return request

    def _recorded(self, name: str, target: Target, arn: str) -> Recorded:
        return Recorded(
            name=name,
            region=target.region,
            partition=partition_of(target.region),
            arn=arn,
            account_id=arn.split(":")[4] if arn.count(":") >= 5 else "",
            created_at=self._context.clock.utcnow(),
        )

    def _stop(self, seen: Observed) -> Observed:
        self._confirm()
        try:
            answer = self._executor.stop(self._descriptor, self._target(seen), seen.name, caller=self._key)
        except AwsError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(seen, stop_was_refused=True, remote=None)
            raise
        return replace(seen, mutation=Mutation.STOPPED, remote=ABSENT if answer is ABSENT else seen.remote)

    def _attempt(self, seen: Observed, during: During, step: Callable[[Observed], Observed]) -> Observed:
        """Run a step that asks AWS; its refusal becomes part of what is seen. THROTTLED waits its turn, untold."""
        try:
            return step(seen)
        except AwsError as error:
            if error.error_class is ErrorClass.THROTTLED:
                raise
            self._error = error
            failure = Failure(during, error.error_class, error.code, error.message, sent=error.sent)
            return replace(seen, failure=failure)

    def _release(self, events: tuple[Event, ...]) -> Result:
        before = self._obj["metadata"]["resourceVersion"]
        self._executor.release(self._descriptor, self._obj)
        self._memory.stale.add(before)
        self._context.tracker.forget(self._key)
        self._memory.recorded = self._memory.hold = self._memory.doubtful_since = None
        self._executor.tell(self._descriptor, self._obj, events)
        return DONE

    # --- the end of a pass

    def _settle(self, seen: Observed, settle: Settle) -> Result:
        recorded = settle.recorded or seen.recorded
        if settle.again_s is None:
            self._memory.described_at = None  # nothing is polled: no need to remember when
        if settle.view is not None:
            self._show(seen, settle.view, settle.events, recorded)
        if settle.follow and recorded is not None and recorded.created_at is not None:
            self._context.tracker.follow(self._key, self._target(seen), recorded.name, recorded.created_at)
        else:
            self._context.tracker.forget(self._key)
        return self._verdict(seen, settle)

    def _show(self, seen: Observed, view: View, events: tuple[Event, ...], recorded: Recorded | None) -> None:
        status = self._obj.get("status") or {}
        link = None
        if recorded is not None and recorded.region and self._descriptor.log_group:
            link = log_url(recorded.region, self._descriptor.log_group, recorded.name)
        facts = Facts(seen.generation, seen.now, recorded, link)
        patch = status_patch(status, next_status(self._descriptor, status, view, facts), seen.now)
        if patch is None:
            return
        self._wrote(self._executor.show(self._descriptor, self._obj, patch))
        self._executor.tell(self._descriptor, self._obj, events)

    def _verdict(self, seen: Observed, settle: Settle) -> Result:
        memory = self._memory
        if settle.verdict is Verdict.FINE:
            if seen.hold_s is None:
                memory.hold, memory.setbacks = None, 0
            return Result(requeue_after_s=settle.again_s) if settle.again_s is not None else DONE
        error = self._error
        if settle.verdict is Verdict.RETRY:
            assert error is not None  # noqa: S101 (RETRY comes from a failure)
            if not error.known:
                _log.error("AWS error of an unknown kind", code=error.code, operation=error.operation)
            if error.error_class is not ErrorClass.RETRYABLE:
                # The queue takes CONFLICT for somebody else's write and comes back at once: this one needs back-off.
                raise AwsError(ErrorClass.RETRYABLE, error.code, error.message, operation=error.operation) from error
            raise error
        if settle.verdict is Verdict.SLOW:
            delay_s = min(_SLOW_BASE_S * 2**memory.setbacks, _SLOW_CAP_S)
            delay_s *= 1.0 - _JITTER * self._context.rand()
            memory.setbacks = min(memory.setbacks + 1, 10)
            self._hold(delay_s)
            _log.warning("AWS refuses, trying again slowly", code=error.code if error else "", delay_s=delay_s)
            return Result(requeue_after_s=delay_s)
        self._hold(self._context.settings.resync_s)
        raise Terminal(settle.view.message if settle.view else "nothing more can be done")

    def _hold(self, delay_s: float) -> None:
        self._memory.hold = Hold(hold_token(self._obj), self._context.clock.monotonic() + delay_s)

    def _wrote(self, after: JsonObject) -> None:
        """The object was written: what it was before is stale for good."""
        before = self._obj["metadata"]["resourceVersion"]
        if after["metadata"]["resourceVersion"] != before:
            self._memory.stale.add(before)
        self._obj = after
        self._is_confirmed = True
