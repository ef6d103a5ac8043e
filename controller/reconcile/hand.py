"""The object that a pass has in hand: its newest version, what is written to it, and how the pass ends.

All life-cycles share it. What a pass decides is decided elsewhere; a `Hand` only knows how an object is treated.

Over 400 lines, half of them words: what all four life-cycles do to an object stands here once.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

import structlog

from api.annotations import RECONCILE_AT, TTL, Place, ignored
from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.meta import Condition, JsonObject, ObjectKey
from controller.aws.console import log_url, partition_of
from controller.aws.errors import AwsError
from controller.aws.ownership_tags import Owner, merged_tags
from controller.aws.targets import Target
from controller.reconcile.context import JobSettings, JobTracker
from controller.reconcile.executor import Executor
from controller.reconcile.local_state import Hold, Memory
from controller.reconcile.namespaces.settings import Scope, scope_of
from controller.reconcile.observe_object import hold_token, observed
from controller.reconcile.plan import (
    During,
    Event,
    Failure,
    Observed,
    Recorded,
    Settle,
    Situation,
    Tagging,
    Verdict,
    View,
)
from controller.reconcile.pruning import well_formed
from controller.reconcile.status import reasons
from controller.reconcile.status.messages import resumed, waiting
from controller.reconcile.status.view import (
    HANDLED,
    Facts,
    next_status,
    status_patch,
    with_notice,
)
from controller.reconcile.tags.decide import tagging
from controller.runtime.clock import Clock
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ErrorClass, Terminal

SeenT = TypeVar("SeenT", bound=Situation)

_log: Final = structlog.get_logger(__name__)

_SLOW_BASE_S: Final = 60.0
_SLOW_CAP_S: Final = 300.0
"""Errors that people must cure are tried again after one minute at first, after five in the end."""
JITTER: Final = 0.2
MESSAGE_LIMIT: Final = 1000
"""Characters of one message: an Event's note has 1,024."""


class HandContext(Protocol):
    """What every life-cycle's context has."""

    @property
    def descriptor(self) -> KindDescriptor:
        """The kind of the object."""
        ...

    @property
    def executor(self) -> Executor:
        """Who carries out effects."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def settings(self) -> JobSettings:
        """What holds for all objects of the process."""
        ...

    @property
    def rand(self) -> Callable[[], float]:
        """Jitter, 0 ≤ r < 1."""
        ...


class Hand:
    """One object during one pass. Lives in one worker.

    Made only where the object's namespace is known, else raises `ClassifiedError` CONFLICT. So do writes, for a stale
    view.
    """

    def __init__(self, context: HandContext, key: ObjectKey, obj: JsonObject, memory: Memory) -> None:
        self.context = context
        self.descriptor = context.descriptor
        self.executor = context.executor
        self.key = key
        self.obj = obj
        """As it is after our last write."""
        self.memory = memory
        self._namespace = context.settings.namespaces.of(key.namespace)
        """As it is throughout the pass, so that all of its decisions follow from one view."""
        self._is_confirmed = False
        """The object was the current one when this pass last wrote it: AWS mutations need that."""
        self._is_namespace_confirmed = False
        self._error: AwsError | None = None

    @property
    def spec(self) -> Mapping[str, Any]:
        """What is wanted; empty where the object has none."""
        return self.obj.get("spec") or {}

    @property
    def scope(self) -> Scope:
        """What holds for the object as it is now."""
        return scope_of(self.obj, self._namespace)

    def observed(self) -> Observed:
        """What is known without asking AWS about the object; its failure, where AWS must not be asked at all."""
        clock = self.context.clock
        if self.memory.deleting_since is None and self.obj["metadata"].get("deletionTimestamp"):
            self.memory.deleting_since = clock.monotonic()
        seen = observed(
            self.descriptor, self.obj, self.scope, self.memory, now=clock.utcnow(), monotonic=clock.monotonic()
        )
        seen = replace(seen, tags=self.tagging()[1], are_tags_held=self._tags_held_s() is not None)
        if seen.is_ended or seen.policy.paused:
            return seen
        return self.attempt(seen, During.IDENTITY, self._identified)

    # --- identity

    def _identified(self, seen: Observed) -> Observed:
        """Raises `AwsError`: DENIED where the namespace does not tell as whom to act, INVALID where that is somebody of
        another account than the resource's: it would be looked for, and missed, where it never was.
        """
        self.scope.check()
        recorded = seen.recorded.account_id if seen.recorded else ""
        if recorded:
            account = self.account(seen)
            if account and account != recorded:
                message = (
                    f"{seen.name} is in account {recorded}, and objects of namespace {self.key.namespace} are looked"
                    f" after in account {account}: nothing is asked of AWS. Let the namespace, or the operator's own"
                    " credentials, name a role of the old account, or create another object."
                )
                raise AwsError(ErrorClass.INVALID, reasons.OTHER_ACCOUNT, message, sent=False)
        return seen

    def region(self, seen: Observed) -> str:
        """The object's region. Raises `AwsError` as `target` does."""
        recorded = seen.recorded.region if seen.recorded else ""
        return self.scope.region(self.spec, recorded, self.context.settings.defaults)

    def target(self, seen: Observed) -> Target:
        """Where the object's calls go. Raises `AwsError`: INVALID where nobody names a region, DENIED where the
        namespace does not tell as whom to act.
        """
        recorded = seen.recorded.region if seen.recorded else ""
        return self.scope.target(self.spec, recorded, self.context.settings.defaults)

    def account(self, seen: Observed) -> str:
        """The account that is asked; empty where nobody can tell. Raises `AwsError` as `target` does, or THROTTLED."""
        return self.context.settings.accounts.of(self.target(seen))

    def owner(self) -> Owner:
        """Who the object's resources belong to."""
        settings = self.context.settings
        return Owner(
            cluster=settings.cluster_id,
            kind=self.descriptor.kind,
            key=self.key,
            uid=self.obj["metadata"]["uid"],
            manager=settings.manager,
        )

    def launcher(self) -> Owner:
        """Who what the object stands for belongs to, where its controlling owner launched that: AWS copies the tags
        of a tuning job to its training jobs (modern-expectations.md 5).
        """
        references = self.obj["metadata"].get("ownerReferences") or ()
        uid = next((str(each.get("uid", "")) for each in references if each.get("controller")), "")
        return replace(self.owner(), uid=uid)

    def recorded(self, name: str, target: Target, arn: str) -> Recorded:
        """The identity of what was created just now."""
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        self.context.settings.accounts.learn(target, account)
        return Recorded(
            name=name,
            region=target.region,
            partition=partition_of(target.region),
            arn=arn,
            account_id=account,
            created_at=self.context.clock.utcnow(),
            tags=self.tagging()[1].digest,
            tag_keys=self.tagging()[1].keys,
        )

    # --- requests

    def request(self, name: str) -> JsonObject:
        """The Create request of the spec under `name`, with tags. Raises `AwsError` INVALID, not sent."""
        try:
            request = to_request(self.descriptor, self.spec)
        except ConversionError as exc:
            raise AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False) from exc
        if not all(tag.get("Key") for tag in request.get("Tags", ())):
            raise AwsError(ErrorClass.INVALID, "InvalidField", "spec.tags: each tag needs a key", sent=False)
        self.tag(request)
        request[self.descriptor.name.member] = name
        return request

    def tag(self, request: JsonObject) -> None:
        """Add the operator's tags to those of `request`."""
        settings = self.context.settings
        owner = self.owner() if settings.has_ownership_tags else None
        tags, dropped = merged_tags(owner, request.get("Tags", ()), self._default_tags())
        if dropped:
            _log.warning("tags left out, AWS allows 50", keys=dropped)
        if tags:
            request["Tags"] = tags

    def tagging(self) -> tuple[list[dict[str, str]], Tagging]:
        """The tags that the recorded resource shall have, and the note of them."""
        settings = self.context.settings
        given = self.spec.get("tags")
        user = [
            {"Key": str(tag["key"]), "Value": str(tag.get("value") or "")}
            for tag in (given if isinstance(given, list) else ())
            if isinstance(tag, Mapping) and tag.get("key")  # others are for the conversion to refuse
        ]
        return tagging(self.owner() if settings.has_ownership_tags else None, user, self._default_tags())

    def _default_tags(self) -> Mapping[str, str]:
        """Tags behind the object's own, without those of a namespace that cannot be read: then nothing is tagged."""
        process = self.context.settings.resource_tags
        try:
            return self.scope.tags(process)
        except AwsError:  # told by `_identified`
            return process

    def _tags_held_s(self) -> float | None:
        """Seconds until refused tags are tried again; None: they were not refused, or something has changed since."""
        hold = self.memory.tags_hold
        if hold is None or hold.token != hold_token(self.obj, self.scope):
            return None
        left_s = hold.until - self.context.clock.monotonic()
        return left_s if left_s > 0 else None

    def attempt(self, seen: Observed, during: During, step: Callable[[Observed], Observed]) -> Observed:
        """Run a step that asks AWS; its refusal becomes part of what is seen. THROTTLED waits its turn, untold.

        Only an object that shows nothing yet says that it waits: its turn may come minutes later where many are
        created at once (`SynchronizingK8sJobWithSageMaker` in the guides: not processed yet).
        """
        try:
            return step(seen)
        except AwsError as error:
            return replace(seen, failure=self._refused(seen, during, error))

    def attempt_on(self, seen: SeenT, during: During, step: Callable[[SeenT], SeenT]) -> SeenT:
        """The same for what is seen by a life-cycle with more to see."""
        try:
            return step(seen)
        except AwsError as error:
            return replace(seen, base=replace(seen.base, failure=self._refused(seen.base, during, error)))

    def _refused(self, seen: Observed, during: During, error: AwsError) -> Failure:
        if error.error_class is ErrorClass.THROTTLED and not seen.shown and seen.deleting_for_s is None:
            self.show(seen, waiting(seen), (), None)
        return self.failure(during, error)

    def failure(self, during: During, error: AwsError) -> Failure:
        """Keep an error for the end of the pass. Raises it where it is THROTTLED: that is no failure of the object."""
        if error.error_class is ErrorClass.THROTTLED:
            raise error
        self._error = error
        return Failure(during, error.error_class, error.code, error.message, sent=error.sent)

    # --- writes

    def prepare(self, name: str | None, annotations: Mapping[str, str] | None = None) -> None:
        """Write the finalizer, annotations and, unless None, the name into the spec."""
        self.wrote(self.executor.prepare(self.descriptor, self.obj, name, annotations))

    def note(self, annotations: Mapping[str, str | None]) -> None:
        """Write annotations, None removes one."""
        self.wrote(self.executor.note(self.descriptor, self.obj, annotations))

    def confirm(self) -> None:
        """Make sure that the view is current; needed before each AWS mutation, done once per pass.

        Of the namespace, too: its watch may be behind the object's, and it decides whose credentials are used, and
        whether anything may be touched at all.
        """
        if not self._is_confirmed:
            self.wrote(self.executor.confirm(self.descriptor, self.obj))
        if not self._is_namespace_confirmed:
            self.context.settings.namespaces.confirm(self._namespace)
            self._is_namespace_confirmed = True

    def show(self, seen: Observed, view: View, events: tuple[Event, ...], recorded: Recorded | None) -> None:
        """Write the status where it changed; events go with a change only."""
        status = self.obj.get("status") or {}
        shown = {field.name for field in self.descriptor.compat.status}
        link = None
        if recorded is not None and recorded.region and self.descriptor.log_group and "cloudWatchLogUrl" in shown:
            link = log_url(recorded.region, self.descriptor.log_group, recorded.name)
        facts = Facts(seen.generation, seen.now, recorded, link)
        stamp = "lastUpdateTime" if "lastUpdateTime" in shown else "lastCheckTime"  # spelt by v1, kind by kind
        patch = status_patch(status, next_status(self.descriptor, status, view, facts), seen.now, stamp=stamp)
        if patch is None:
            return
        self.wrote(self.executor.show(self.descriptor, self.obj, patch))
        self.executor.tell(self.descriptor, self.obj, (*resumed(seen, view), *events))

    def release(self, events: tuple[Event, ...]) -> Result:
        """Let go of the object."""
        before = self.obj["metadata"]["resourceVersion"]
        self.executor.release(self.descriptor, self.obj)
        self.memory.stale.add(before)
        self.memory.recorded = self.memory.hold = self.memory.doubtful_since = None
        self.executor.tell(self.descriptor, self.obj, events)
        return DONE

    def expire(self) -> Result:
        """Delete the object itself. Its finalizer goes in another pass."""
        metadata = self.obj["metadata"]
        self.executor.expire(self.descriptor, self.obj)
        self.memory.stale.add(metadata["resourceVersion"])
        event = Event("Normal", reasons.EXPIRED, f"deleted, as {TTL.name} asks; the job's record at SageMaker stays")
        self.executor.tell(self.descriptor, self.obj, (event,))
        return DONE

    def wrote(self, after: JsonObject) -> None:
        """The object was written: what it was before is stale for good."""
        before = self.obj["metadata"]["resourceVersion"]
        if after["metadata"]["resourceVersion"] != before:
            self.memory.stale.add(before)
        well_formed(self.descriptor)(after)
        self.obj = after
        self._is_confirmed = True

    # --- the end of a pass

    def follow(self, tracker: JobTracker, seen: Observed, settle: Settle) -> None:
        """Have lists tell about what is recorded, where the plan wants that and AWS may be asked."""
        recorded = settle.recorded or seen.recorded
        may_ask = seen.failure is None or seen.failure.during is not During.IDENTITY
        if settle.follow and may_ask and recorded is not None and recorded.created_at is not None:
            tracker.follow(self.key, self.target(seen).shared, recorded.name, recorded.created_at)
        else:
            tracker.forget(self.key)

    def end_early(self) -> Result:
        """End a pass whose own write wakes the key for the rest: a look that was asked for is still to come."""
        return DONE

    def end(self, seen: Observed, settle: Settle) -> Result:
        """What the pass means for the work queue. Raises the error of the pass, or `Terminal`."""
        self._tell_ignored(seen)
        if settle.verdict in {Verdict.FINE, Verdict.TERMINAL} and seen.hold_s is None:
            self._tell_handled(seen)
        memory = self.memory
        if seen.is_ended:
            memory.tags_hold = None  # it is not tagged any more
        if settle.verdict is Verdict.FINE:
            if seen.hold_s is None:
                memory.hold, memory.setbacks = None, 0
            delays = [each for each in (settle.again_s, self._tags_held_s()) if each is not None]
            return Result(requeue_after_s=min(delays)) if delays else DONE
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
            delay_s *= 1.0 - JITTER * self.context.rand()
            memory.setbacks = min(memory.setbacks + 1, 10)
            memory.hold = self.hold_for(delay_s)
            _log.warning("AWS refuses, trying again slowly", code=error.code if error else "", delay_s=round(delay_s))
            return Result(requeue_after_s=delay_s)
        memory.hold = self.hold_for(self.context.settings.resync_s)
        raise Terminal(settle.view.message if settle.view else "nothing more can be done")

    def _tell_ignored(self, seen: Observed) -> None:
        """Annotations without effect become a condition and one Warning, once the object has conditions at all."""
        conditions = (self.obj.get("status") or {}).get("conditions") or ()
        if not conditions or seen.deleting_for_s is not None:
            return
        annotations = self.obj["metadata"].get("annotations") or {}
        told = list(ignored(annotations, Place.OBJECT, self.descriptor.life_cycle))
        told += [f"namespace's {each}" for each in ignored(self._namespace.annotations, Place.NAMESPACE)]
        message = "; ".join(told)[:MESSAGE_LIMIT]
        notice = Condition(reasons.ANNOTATION_IGNORED, "True", reasons.NO_EFFECT, message)
        self.notice(seen, notice, reasons.ANNOTATION_IGNORED)

    def _tell_handled(self, seen: Observed) -> None:
        """A look that the user has asked for has been had; one that AWS has refused is still to come."""
        status = self.obj.get("status") or {}
        if seen.is_asked and status.get("conditions") and not seen.policy.paused and seen.deleting_for_s is None:
            handled = {HANDLED: RECONCILE_AT.of(self.scope.own)}
            self.wrote(self.executor.show(self.descriptor, self.obj, handled))

    def notice(self, seen: Observed, notice: Condition, told: str) -> None:
        """Show a condition that stands as long as it has something to tell, with one Warning `told` about it."""
        conditions = (self.obj.get("status") or {}).get("conditions") or ()
        changed = with_notice(conditions, notice, seen.generation, seen.now)
        if changed is None:
            return
        self.wrote(self.executor.show(self.descriptor, self.obj, {"conditions": changed}))
        if notice.message:
            self.executor.tell(self.descriptor, self.obj, (Event("Warning", told, notice.message),))

    def hold_for(self, delay_s: float) -> Hold:
        """From now on, unless the object changes."""
        return Hold(hold_token(self.obj, self.scope), self.context.clock.monotonic() + delay_s)
