"""The reconciler of HostingDeployments: looks, lets `hosting.decide` decide, carries out.

Over 400 lines: one method for each step of `hostingplan`, and the ports that they use.
"""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from api import hosting as manifests
from api.annotations import DELETION_POLICY, LAST_UPDATE_ATTEMPT, RECREATE_ON_FAILURE
from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.console import partition_of
from controller.aws.errors import AwsError
from controller.aws.runtimeurl import invocation_url
from controller.aws.sagemaker import Endpoints
from controller.reconcile.context import JobSettings, JobTracker, ObjectReader
from controller.reconcile.executor import Effect, Executor
from controller.reconcile.family import Child, Want, child_of, desired, is_child_of, label_value, manifest
from controller.reconcile.hand import Hand
from controller.reconcile.hosting import decide
from controller.reconcile.hostingplan import (
    Attempt,
    DropChild,
    HostingSeen,
    MakeChild,
    RestoreChild,
    RetainChild,
    TagChild,
    Update,
)
from controller.reconcile.memory import Memories, Memory
from controller.reconcile.observe import found
from controller.reconcile.onekey import reconcile_one
from controller.reconcile.plan import (
    CheckOwner,
    Create,
    Delete,
    Describe,
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
from controller.reconcile.retag import retag
from controller.reconcile.status import merge_patch, rfc3339
from controller.runtime.clock import Clock
from controller.runtime.controller import Result
from controller.runtime.errors import ABSENT, ClassifiedError, ErrorClass

OWNERS: Final = "owners"
"""Index of children by their deployment: `family.owners_of`."""
ATTEMPT: Final = LAST_UPDATE_ATTEMPT.key
"""Annotation: what SageMaker was last asked to serve (D-15)."""

_MAX_STEPS: Final = 60
"""More steps than any pass has, one for each child and a few more: a decision that goes round must not spin."""
_DURING: Final[Mapping[type, During]] = {
    Describe: During.DESCRIBE,
    CheckOwner: During.OWNER,
    Create: During.CREATE,
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


class ChildReader(Protocol):
    """A store of children; `runtime.store.Store` is one."""

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """Copies of the objects that the index knows under `value`."""
        ...


class ChildWriter(Protocol):
    """Writes child objects; `kube.client.KubeClient` is one. Raises `ClassifiedError`."""

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """Create an object. EXISTS: there is one of that name."""
        ...

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject) -> JsonObject:
        """Merge-patch an object. CONFLICT: it has changed since `metadata.resourceVersion` of the body."""
        ...

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "") -> None:
        """Ask for deletion of the object with this uid. NOT_FOUND: it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class HostingContext:
    """Everything that a pass over a deployment works with. Shared by threads."""

    endpoints: Endpoints
    tracker: EndpointTracker
    models: ChildReader
    configurations: ChildReader
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
                case MakeChild(want) | RestoreChild(want) as plan:
                    self._make(want, is_there=isinstance(plan, RestoreChild))
                    seen = replace(seen, done=seen.done | {want.name})
                case DropChild(child):
                    self._drop(child)
                    seen = replace(seen, done=seen.done | {child.name})
                case TagChild(want):
                    seen = replace(seen, done=seen.done | {self._tag_child(want)})
                case RetainChild(child):
                    self._retain(child)
                    seen = replace(seen, done=seen.done | {child.name})
                case PutTags() | DropTags() as plan:
                    seen = self._ask(seen, plan)
                    if seen.base.failure is None and not seen.base.are_tags_held:
                        return self._hand.end(seen.base, Settle())  # our own write wakes the key again
                case plan:
                    seen = self._ask(seen, plan)
        raise RuntimeError(f"no end in {_MAX_STEPS} steps")

    def _ask(
        self, seen: HostingSeen, plan: Describe | CheckOwner | Create | Update | Delete | PutTags | DropTags
    ) -> HostingSeen:
        """Steps that ask AWS; a refusal becomes part of what is seen."""
        during = _DURING[type(plan)]
        try:
            match plan:
                case Describe(background):
                    return self._describe(background, seen)
                case CheckOwner(arn):
                    return self._check_owner(arn, seen)
                case Create():
                    return self._create(seen)
                case Update(numbers):
                    return self._update(numbers, seen)
                case Delete(name):
                    return self._delete(name, seen)
                case PutTags() | DropTags():
                    return replace(seen, base=retag(self._hand, seen.base, plan))
        except AwsError as error:
            return replace(seen, base=replace(seen.base, failure=self._hand.refused(seen.base, during, error)))

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
        models, configurations = self._children(MODEL), self._children(ENDPOINT_CONFIG)
        seen = HostingSeen(
            base=base,
            children=tuple(
                [child_of(MODEL, each) for each in models]
                + [child_of(ENDPOINT_CONFIG, each) for each in configurations]
            ),
            attempt=_attempt(annotations.get(ATTEMPT, "")),
            is_observed=status.get("observedGeneration") == base.generation,
            was_visible=bool(status.get("creationTime")),
            recreates=RECREATE_ON_FAILURE.of(annotations) is True,
        )
        if base.failure is not None:
            return seen
        try:
            seen = replace(seen, url=self._url(seen))
            if base.deleting_for_s is None and not base.policy.read_only:
                wanted = desired(obj, manifests.resolve(self._hand.spec), self._how(), models, configurations)
                seen = replace(seen, desired=wanted)
        except ConversionError as exc:
            error = AwsError(ErrorClass.INVALID, "InvalidField", str(exc), sent=False)
            return replace(seen, base=replace(base, failure=self._hand.failure(During.CREATE, error)))
        except AwsError as error:
            return replace(seen, base=replace(base, failure=self._hand.failure(During.CREATE, error)))
        return seen

    def _children(self, descriptor: KindDescriptor) -> list[JsonObject]:
        store = self._context.models if descriptor is MODEL else self._context.configurations
        metadata = self._hand.obj["metadata"]
        labelled = f"{metadata.get('namespace', '')}/{label_value(metadata['name'])}"
        there = {
            each["metadata"]["uid"]: each
            for value in (metadata["uid"], labelled)
            for each in store.by_index(OWNERS, value)
            if (each["metadata"].get("namespace") or "") == self._key.namespace
        }
        mine = [each for each in there.values() if is_child_of(each, self._hand.obj)]
        return sorted(mine, key=lambda each: str(each["metadata"]["name"]))

    def _url(self, seen: HostingSeen) -> str:
        if seen.base.deleting_for_s is not None and seen.base.recorded is None:
            return ""
        region = self._hand.region(seen.base)
        return invocation_url(region, partition_of(region), seen.base.name)

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

    # --- children

    def _make(self, want: Want, *, is_there: bool) -> None:
        self._hand.confirm()
        writer, key = self._context.writer, ObjectKey(self._key.namespace, want.name)
        resource = want.descriptor.resource
        if is_there and want.spoilt is not None:
            body = {
                "metadata": {"resourceVersion": want.spoilt.version},
                "spec": merge_patch(want.spoilt.spec, want.spec),
            }
            self._context.executor.perform(Effect.CREATE_CHILD, lambda: writer.patch(resource, key, body))
            return
        child = manifest(self._hand.obj, want)
        try:
            self._context.executor.perform(
                Effect.CREATE_CHILD, lambda: writer.create(resource, self._key.namespace or None, child)
            )
        except ClassifiedError as error:
            if error.error_class is not ErrorClass.EXISTS:
                raise  # its name holds our uid: it is ours, and the store does not show it yet

    def _drop(self, child: Child) -> None:
        self._hand.confirm()
        key = ObjectKey(self._key.namespace, child.name)
        try:
            self._context.executor.perform(
                Effect.DELETE_CHILD,
                lambda: self._context.writer.delete(child.descriptor.resource, key, uid=child.uid),
            )
        except ClassifiedError as error:
            if error.error_class is not ErrorClass.NOT_FOUND:
                raise

    def _tag_child(self, want: Want) -> str:
        """Returns the child's name."""
        child = want.child
        assert child is not None  # noqa: S101 (decided on)
        self._hand.confirm()
        key = ObjectKey(self._key.namespace, child.name)
        body: JsonObject = {
            "metadata": {"resourceVersion": child.version},
            "spec": {"tags": want.spec.get("tags") or None},
        }
        self._context.executor.perform(
            Effect.TAG_CHILD, lambda: self._context.writer.patch(child.descriptor.resource, key, body)
        )
        return child.name

    def _retain(self, child: Child) -> None:
        key = ObjectKey(self._key.namespace, child.name)
        policy = {DELETION_POLICY.key: "retain"}
        body: JsonObject = {"metadata": {"resourceVersion": child.version, "annotations": policy}}
        try:
            self._context.executor.perform(
                Effect.NOTE, lambda: self._context.writer.patch(child.descriptor.resource, key, body)
            )
        except ClassifiedError as error:
            if error.error_class is not ErrorClass.NOT_FOUND:
                raise

    # --- the endpoint

    def _create(self, seen: HostingSeen) -> HostingSeen:
        base = seen.base
        target = self._hand.target(base)
        request = self._hand.request(base.name)
        request[ENDPOINT_CONFIG.name.member] = _configuration(seen)
        self._hand.confirm()
        try:
            arn = self._context.executor.perform(
                Effect.CREATE,
                lambda: self._context.endpoints.create(self._descriptor, target, request, caller=self._key),
            )
        except AwsError as error:
            if error.error_class is ErrorClass.EXISTS:
                return replace(seen, base=replace(base, name_is_taken=True, remote=None))
            if error.ambiguous:
                self._memory.doubtful_since = self._context.clock.monotonic()
            raise
        recorded = self._hand.recorded(base.name, target, arn)
        self._memory.recorded = recorded
        self._note(seen, is_of_numbers=False)
        return replace(
            seen, base=replace(base, mutation=Mutation.CREATED, recorded=recorded, remote=None), was_visible=False
        )

    def _update(self, numbers: Mapping[str, tuple[int | None, float | None]] | None, seen: HostingSeen) -> HostingSeen:
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
        self._note(seen, is_of_numbers=numbers is not None)
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

    def _note(self, seen: HostingSeen, *, is_of_numbers: bool) -> None:
        """Write down what SageMaker has accepted. After the call: an update that was only meant must be tried."""
        assert seen.desired is not None  # noqa: S101 (who deletes neither creates nor updates)
        attempt = {
            "id": seen.desired.attempt,
            "shape": seen.desired.shape,
            "numbers": seen.desired.numbers,
            "isOfNumbers": is_of_numbers,
            "since": seen.fields.get("lastModifiedTime", ""),
        }
        self._hand.note({ATTEMPT: json.dumps(attempt, separators=(",", ":"))})

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
        target = self._hand.polled(seen.base) if settle.follow else None
        if target is not None and recorded is not None and recorded.created_at is not None:
            self._context.tracker.follow(self._key, target, recorded.name, recorded.created_at)
        else:
            self._context.tracker.forget(self._key)
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


def _attempt(text: str) -> Attempt:
    """The annotation; one that somebody has spoilt counts as absent: at worst an update is tried once more."""
    try:
        attempt = json.loads(text or "{}")
        return Attempt(
            id=str(attempt.get("id", "")),
            shape=str(attempt.get("shape", "")),
            numbers={str(name): (count, float(weight)) for name, (count, weight) in attempt.get("numbers", {}).items()},
            is_of_numbers=bool(attempt.get("isOfNumbers")),
            since=str(attempt.get("since", "")),
        )
    except (ValueError, TypeError, AttributeError):
        return Attempt()


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
