"""The reconciler of HostingDeployments: looks, lets `decide` decide, carries out.

Over 400 lines: one method for each step of `hostingplan`, and the ports that they use.
"""

import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

import structlog

from api import hosting as manifests
from api.annotations import LAST_UPDATE_ATTEMPT, RECREATE_ON_FAILURE
from api.autoscaling import resource_id_of, selector_of
from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.autoscaling import Descriptions
from controller.aws.console import partition_of
from controller.aws.errors import AwsError
from controller.aws.runtimeurl import invocation_url
from controller.aws.sagemaker import Endpoints
from controller.aws.targets import Target
from controller.reconcile.context import JobSettings, JobTracker, ObjectReader
from controller.reconcile.creating import create
from controller.reconcile.endpoint.child_objects import ChildReader, Children, ChildWriter
from controller.reconcile.endpoint.decide import decide
from controller.reconcile.endpoint.desired import child_of, desired
from controller.reconcile.endpoint.drift import aimed_at, overlaid
from controller.reconcile.endpoint.last_update import parse, text_of
from controller.reconcile.endpoint.observation import (
    AskScaled,
    Attempt,
    AwsPlan,
    ChildPlan,
    CorrectChild,
    DropChild,
    HostingSeen,
    MakeChild,
    NoteServed,
    NoteWish,
    Numbers,
    OwnChild,
    RestoreChild,
    RetainChild,
    TagChild,
    Update,
    Wish,
)
from controller.reconcile.executor import Effect, Executor
from controller.reconcile.hand import Hand
from controller.reconcile.local_state import Memories, Memory
from controller.reconcile.observe_object import found
from controller.reconcile.one_key import reconcile_one
from controller.reconcile.plan import (
    CheckOwner,
    Create,
    Delete,
    Describe,
    Drift,
    DropTags,
    During,
    Event,
    Found,
    Mutation,
    Owner,
    Prepare,
    PutTags,
    Release,
    Settle,
    Source,
)
from controller.reconcile.scaling.perform import RESOURCE_IDS
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.status import reasons
from controller.reconcile.status.view import rfc3339
from controller.reconcile.tags.perform import retag
from controller.runtime.clock import Clock
from controller.runtime.controller import Result
from controller.runtime.errors import ABSENT, ErrorClass

_log: Final = structlog.get_logger(__name__)

ATTEMPT: Final = LAST_UPDATE_ATTEMPT.key
"""Annotation: what SageMaker was last asked to serve (D-15)."""

_MAX_STEPS: Final = 60
"""More steps than any pass has, one for each child and a few more: a decision that goes round must not spin."""
_DURING: Final[Mapping[type, During]] = {
    Describe: During.DESCRIBE,
    CheckOwner: During.OWNER,
    Create: During.CREATE,
    AskScaled: During.DESCRIBE,
    Update: During.UPDATE,
    Delete: During.DELETE,
    PutTags: During.TAG,
    DropTags: During.TAG,
}
_KNOWN: Final = ("creationTime", "endpointArn", "endpointConfigName", "lastModifiedTime", "productionVariants")
"""Status fields that repeat what DescribeEndpoint told."""


class EndpointTracker(JobTracker, Protocol):
    """Follows endpoints, rarely while all of them are settled."""

    def hasten(self, key: ObjectKey) -> None:
        """A change was asked for: look soon."""
        ...


class Targets(Protocol):
    """Knows what is scaled; `aws.scaling.ApplicationAutoScaling` does. May raise `AwsError`."""

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """See `aws.scaling.Scaling.targets`."""
        ...


@dataclass(frozen=True, slots=True)
class HostingContext:
    """Everything that a pass over a deployment works with. Shared by threads."""

    endpoints: Endpoints
    tracker: EndpointTracker
    models: ChildReader
    configurations: ChildReader
    policies: ChildReader
    scaling: Targets
    writer: ChildWriter
    executor: Executor
    clock: Clock
    settings: JobSettings
    rand: Callable[[], float] = random.random
    descriptor: KindDescriptor = HOSTING_DEPLOYMENT


class HostingReconciler:
    """A `runtime.controller.Reconciler` for HostingDeployments. Raises as `JobReconciler` does."""

    def __init__(self, context: HostingContext, store: ObjectReader) -> None:
        self._context = context
        self._store = store
        self._memories = Memories()

    def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        return reconcile_one(
            key,
            self._store,
            self._memories,
            lambda obj, memory: HostingPass(self._context, key, obj, memory).run(),
            self._context.tracker.forget,
        )


class HostingPass:
    """Looks, decides and acts until it settles. Lives in one worker, for one call of `run`."""

    def __init__(self, context: HostingContext, key: ObjectKey, obj: JsonObject, memory: Memory) -> None:
        self._context = context
        self._descriptor = context.descriptor
        self._key = key
        self._memory = memory
        self._hand = Hand(context, key, obj, memory)
        self._children = Children(self._hand, context.models, context.configurations, context.writer, context.executor)

    def run(self) -> Result:
        """Make the pass. Raises `ClassifiedError` and `Terminal`."""
        seen = self._observe()
        for _ in range(_MAX_STEPS):
            match decide(seen):
                case Release(events):
                    return self._release(events)
                case Settle() as settle:
                    return self._settle(seen, settle)
                case Prepare():
                    self._hand.prepare(None)
                    seen = self._observe()
                case PutTags() | DropTags() as plan:
                    seen = self._ask(seen, plan)
                    if seen.base.failure is None and not seen.base.are_tags_held:
                        return self._hand.end_early()
                case NoteServed():
                    seen = self._note_served(seen)
                case NoteWish():
                    seen = self._note_wish(seen)
                case Describe() | CheckOwner() | AskScaled() | Create() | Update() | Delete() as plan:
                    seen = self._ask(seen, plan)
                case plan:
                    seen = replace(seen, done=seen.done | {self._attend(plan)})
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    def _attend(self, plan: ChildPlan) -> str:
        """Steps that concern a child; returns its name."""
        match plan:
            case MakeChild(want):
                self._children.make(want)
                return want.name
            case RestoreChild(want):
                assert want.spoilt is not None  # noqa: S101 (decided on)
                self._children.restore(want.spoilt, want)
                return want.name
            case TagChild(want):
                assert want.child is not None  # noqa: S101 (decided on)
                self._children.tag(want.child, want)
                return want.child.name
            case DropChild(child):
                self._children.drop(child)
            case RetainChild(child):
                self._children.retain(child)
            case OwnChild(child):
                self._children.own(child)
            case CorrectChild(child):
                self._children.correct(child)
        return child.name

    def _ask(self, seen: HostingSeen, plan: AwsPlan) -> HostingSeen:
        """Steps that ask AWS; a refusal becomes part of what is seen."""
        during = _DURING[type(plan)]
        return self._hand.attempt_on(seen, during, partial(self._answered, plan))

    def _answered(self, plan: AwsPlan, seen: HostingSeen) -> HostingSeen:
        match plan:
            case Describe(background):
                return self._describe(background, seen)
            case CheckOwner(arn):
                return self._check_owner(arn, seen)
            case AskScaled(variants):
                return self._ask_scaled(variants, seen)
            case Create():
                return self._create(seen)
            case Update(numbers):
                return self._update(numbers, seen)
            case Delete(name):
                return self._delete(name, seen)
            case PutTags() | DropTags():
                return replace(seen, base=retag(self._hand, seen.base, plan))

    # --- looking

    def _observe(self) -> HostingSeen:
        obj, memory = self._hand.obj, self._memory
        base = self._hand.observed()
        if base.is_recorded_in_status:
            memory.recorded = memory.doubtful_since = None
        metadata, status = obj["metadata"], obj.get("status") or {}
        annotations = metadata.get("annotations") or {}
        sighting = self._context.tracker.last(self._key)
        if sighting is not None and base.recorded is not None:  # else it is of an earlier object of that name
            summary = None
            if sighting.summary is not None:
                summary = _current(status, found(self._descriptor, sighting.summary, Source.SUMMARY), sighting.summary)
            base = replace(
                base, remote=summary, summary=summary, is_describe_due=sighting.is_describe_due or base.is_asked
            )
        models, configurations = self._children.of(MODEL), self._children.of(ENDPOINT_CONFIG)
        seen = HostingSeen(
            base=base,
            children=tuple(
                [child_of(MODEL, each) for each in models]
                + [child_of(ENDPOINT_CONFIG, each) for each in configurations]
            ),
            attempt=parse(annotations.get(ATTEMPT, "")),
            is_observed=status.get("observedGeneration") == base.generation
            and base.reasons.get(reasons.SYNCED) != reasons.WAITING,
            was_visible=bool(status.get("creationTime")),
            recreates=RECREATE_ON_FAILURE.of(annotations) is True,
            scalers=self._scalers(base.name),
        )
        if base.failure is not None:
            return seen
        try:
            seen = replace(seen, url=self._url(seen))
        except AwsError as error:
            return replace(seen, base=replace(base, failure=self._hand.failure(During.CREATE, error)))
        if base.deleting_for_s is not None or base.policy.read_only:
            return seen
        return self._with_wish(seen, models, configurations)

    def _with_wish(self, seen: HostingSeen, models: list[JsonObject], configurations: list[JsonObject]) -> HostingSeen:
        """What the spec wants, or why nobody can tell."""
        try:
            resolved = manifests.resolve(self._placed(seen))
            wanted = desired(self._hand.obj, resolved, self._how(), models, configurations)
        except ConversionError as exc:
            error = AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False)
            return replace(seen, invalid=self._hand.failure(During.CREATE, error))
        except AwsError as error:
            return replace(seen, invalid=self._hand.failure(During.CREATE, error))
        return replace(seen, desired=wanted, ignored=resolved.ignored)

    def _scalers(self, endpoint: str) -> dict[str, str]:
        """The policy objects that have claimed variants of the endpoint, by variant."""
        region = self._hand.spec.get("region")
        variants = self._hand.spec.get("productionVariants")
        listed = variants if isinstance(variants, list) else ()  # what is no list is for the conversion to refuse
        names = [str(each.get("variantName")) for each in listed if isinstance(each, Mapping)]
        return {
            name: f"HostingAutoscalingPolicy {ObjectKey.of(policy)}"
            for name in names
            for policy in self._context.policies.by_index(RESOURCE_IDS, resource_id_of(endpoint, name))
            if (policy.get("spec") or {}).get("region") == region
        }

    def _url(self, seen: HostingSeen) -> str:
        if seen.base.deleting_for_s is not None and seen.base.recorded is None:
            return ""
        region = self._hand.region(seen.base)
        return invocation_url(region, partition_of(region), seen.base.name)

    def _placed(self, seen: HostingSeen) -> JsonObject:
        """The spec with its region: children are made where the endpoint is, whatever the default becomes later."""
        return {**self._hand.spec, "region": self._hand.region(seen.base)}

    def _how(self) -> JsonObject:
        return to_request(self._descriptor, self._hand.spec, "UpdateEndpoint")

    def _describe(self, background: bool, seen: HostingSeen) -> HostingSeen:
        base = seen.base
        answer = self._context.endpoints.describe(
            self._descriptor, self._hand.target(base), base.name, caller=self._key, background=background
        )
        base = replace(base, is_describe_due=False)
        if answer is ABSENT:
            return replace(seen, base=replace(base, remote=ABSENT))
        self._context.tracker.described(self._key, answer)
        return replace(seen, base=replace(base, remote=found(self._descriptor, answer, Source.DESCRIPTION)))

    def _check_owner(self, arn: str, seen: HostingSeen) -> HostingSeen:
        tags = self._context.endpoints.tags(self._hand.target(seen.base), arn, caller=self._key)
        if tags is ABSENT:
            return replace(seen, base=replace(seen.base, remote=ABSENT))
        owner = Owner.OURS if self._hand.owner().is_proved_by(tags) else Owner.FOREIGN
        return replace(seen, base=replace(seen.base, owner=owner))

    def _ask_scaled(self, variants: tuple[str, ...], seen: HostingSeen) -> HostingSeen:
        """Who may not ask takes all of them for scaled: a false alarm, or a fight with autoscaling, would be worse."""
        ids = {resource_id_of(seen.base.name, variant): variant for variant in variants}
        selectors = [selector_of(each, {}) for each in ids]
        target = self._hand.target(seen.base)
        try:
            there = self._context.scaling.targets(target, selectors, caller=self._key)
        except AwsError as error:
            if error.error_class is ErrorClass.THROTTLED:
                raise
            _log.warning("cannot tell which variants are scaled", code=error.code)
            return replace(seen, scaled=frozenset(variants))
        return replace(seen, scaled=frozenset(ids[each] for each in there))

    # --- notes

    def _note_served(self, seen: HostingSeen) -> HostingSeen:
        """What numbers AWS aims at is read once, when an update is complete; others change them from then on."""
        wanted = seen.desired
        assert wanted is not None  # noqa: S101 (who deletes notes nothing)
        attempt = Attempt(
            id=wanted.attempt,
            retry=wanted.retry,
            shape=wanted.shape,
            numbers=wanted.numbers,
            is_of_numbers=seen.attempt.is_of_numbers,
            since=seen.attempt.since,
            is_served=True,
            serves=seen.attempt.serves or aimed_at(seen.fields),
        )
        return self._note(seen, attempt)

    def _note_wish(self, seen: HostingSeen) -> HostingSeen:
        wanted = seen.desired
        assert wanted is not None  # noqa: S101 (who deletes notes nothing)
        return self._note(seen, replace(seen.attempt, awaits=Wish(wanted.attempt, wanted.retry)))

    def _note_attempt(self, seen: HostingSeen, sent: Numbers | None = None) -> HostingSeen:
        """Write down what SageMaker has accepted. After the call: an update that was only meant must be tried.

        `sent` are the numbers of UpdateEndpointWeightsAndCapacities: the others stay as they were.
        """
        wanted = seen.desired
        assert wanted is not None  # noqa: S101 (who deletes neither creates nor updates)
        attempt = Attempt(
            id=wanted.attempt,
            retry=wanted.retry,
            shape=wanted.shape,
            numbers=wanted.numbers,
            is_of_numbers=sent is not None,
            since=seen.fields.get("lastModifiedTime", ""),
            serves={} if sent is None else overlaid(seen.attempt.serves, sent),
        )
        return self._note(seen, attempt)

    def _note(self, seen: HostingSeen, attempt: Attempt) -> HostingSeen:
        self._hand.note({ATTEMPT: text_of(attempt)})
        return replace(seen, attempt=attempt)

    # --- the endpoint

    def _create(self, seen: HostingSeen) -> HostingSeen:
        base = seen.base
        target = self._hand.target(base)
        request = self._hand.request(base.name)
        request[ENDPOINT_CONFIG.name.member] = _configuration(seen)
        send = partial(
            self._context.executor.perform,
            Effect.CREATE,
            lambda: self._context.endpoints.create(self._descriptor, target, request, caller=self._key),
        )
        created = replace(create(self._hand, base, base.name, target, send), remote=None)
        if created.mutation is None:
            return replace(seen, base=created)
        return replace(self._note_attempt(seen), base=created, was_visible=False)

    def _update(self, numbers: Numbers | None, seen: HostingSeen) -> HostingSeen:
        base = seen.base
        request: JsonObject = {HOSTING_DEPLOYMENT.name.member: base.name}
        if numbers is None:
            operation = "UpdateEndpoint"
            request |= self._how() | {ENDPOINT_CONFIG.name.member: _configuration(seen)}
        else:
            operation = "UpdateEndpointWeightsAndCapacities"
            request["DesiredWeightsAndCapacities"] = [_capacity(name, *both) for name, both in numbers.items()]
        target = self._hand.target(base)
        self._hand.confirm()
        try:
            self._context.executor.perform(
                Effect.UPDATE,
                lambda: self._context.endpoints.change(target, operation, request, caller=self._key),
            )
        except AwsError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(seen, was_refused_as_busy=True)
            raise
        self._context.tracker.hasten(self._key)
        if not seen.is_new_wish and drift_shown(base) is Drift.FOUND:
            self._memory.corrections = self._memory.corrections.after(self._context.clock.monotonic())
        seen = self._note_attempt(seen, numbers)
        return replace(seen, base=replace(base, mutation=Mutation.UPDATED))

    def _delete(self, name: str, seen: HostingSeen) -> HostingSeen:
        base = seen.base
        target = self._hand.target(base)
        self._hand.confirm()
        try:
            answer = self._context.executor.perform(
                Effect.DELETE,
                lambda: self._context.endpoints.delete(self._descriptor, target, name, caller=self._key),
            )
        except AwsError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(seen, was_refused_as_busy=True)
            raise
        if answer is ABSENT:
            return replace(seen, base=replace(base, remote=ABSENT), was_visible=True)
        return replace(seen, base=replace(base, mutation=Mutation.DELETED))

    # --- the end of a pass

    def _release(self, events: tuple[Event, ...]) -> Result:
        result = self._hand.release(events)
        self._context.tracker.forget(self._key)
        return result

    def _settle(self, seen: HostingSeen, settle: Settle) -> Result:
        recorded = settle.recorded or seen.base.recorded
        if settle.view is not None:
            if settle.view.forgets:
                recorded = self._memory.recorded = None
            self._hand.show(seen.base, settle.view, settle.events, recorded)
        self._hand.follow(self._context.tracker, seen.base, settle)
        return self._hand.end(seen.base, settle)


def _current(status: Mapping[str, Any], summary: Found, answer: Mapping[str, Any]) -> Found:
    """What the status shows already counts as a description, if the summary says that nothing has changed since."""
    modified = answer.get("LastModifiedTime")
    is_same = modified is not None and rfc3339(modified) == status.get("lastModifiedTime")
    shown = status.get(HOSTING_DEPLOYMENT.status.field)
    is_told = shown == summary.value or (
        shown == HOSTING_DEPLOYMENT.status.reconciling and summary.value == "InService"
    )
    if not (is_same and is_told and status.get("endpointConfigName")):
        return summary
    fields = {name: status[name] for name in _KNOWN if name in status}
    reason = str(status.get("failureReason") or "")
    if reason:
        fields["failureReason"] = reason
    return replace(summary, source=Source.DESCRIPTION, fields=fields, failure_reason=reason)


def _configuration(seen: HostingSeen) -> str:
    configuration = seen.desired.configuration if seen.desired else None
    assert configuration is not None and configuration.child is not None  # noqa: S101, PT018 (decided on)
    return configuration.child.sagemaker_name


def _capacity(variant: str, count: int | None, weight: float | None) -> JsonObject:
    capacity: JsonObject = {"VariantName": variant}
    if count is not None:
        capacity["DesiredInstanceCount"] = count
    if weight is not None:
        capacity["DesiredWeight"] = weight
    return capacity
