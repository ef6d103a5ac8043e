"""The gate of all effects: every write to Kubernetes or AWS passes through `EffectGate._effect`.

The gate checks the fence, and tests can fail, delay or crash the process before and after each effect.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import structlog

from api.descriptor import KindDescriptor
from api.meta import API_VERSION, FINALIZER, JsonObject, ObjectKey
from controller.aws.sagemaker import Jobs
from controller.aws.targets import Target
from controller.reconcile.ports import ObjectWriter
from controller.reconcile.steps import Event
from controller.runtime.election.fence import Fence
from controller.runtime.errors import Absent, ClassifiedError, ErrorClass
from controller.runtime.record.events import Recorder, Regarding

T = TypeVar("T")

_log: Final = structlog.get_logger(__name__)


class Effect(Enum):
    """The kinds of change that the operator makes."""

    ENSURE_FINALIZER = "ensure finalizer"
    REQUIRE_CURRENT = "require current"
    CREATE = "create"
    STOP = "stop"
    TAG = "tag"
    UPDATE = "update"
    DELETE = "delete"
    REGISTER = "register"
    DEREGISTER = "deregister"
    CREATE_CHILD = "create child"
    DELETE_CHILD = "delete child"
    RELEASE_CHILD = "release child"
    TAG_CHILD = "tag child"
    DELETE_EXPIRED = "delete expired"
    ANNOTATE = "annotate"
    PATCH_STATUS = "patch status"
    REMOVE_FINALIZER = "remove finalizer"
    EMIT_EVENT = "emit event"


class EffectHook(Protocol):
    """Watches effects; what it raises stops the pass there."""

    def before(self, effect: Effect) -> None:
        """Run before the effect starts."""
        ...

    def after(self, effect: Effect) -> None:
        """Run after the effect, before its result is used."""
        ...


class _NoHook:
    def before(self, effect: Effect) -> None:
        pass

    def after(self, effect: Effect) -> None:
        pass


class FencedError(ClassifiedError):
    """This process may no longer act: it lost its lease or is shutting down. The next leader decides again."""

    def __init__(self, effect: Effect) -> None:
        super().__init__(ErrorClass.CONFLICT, "Fenced", f"not the leader (any more): no {effect.value}")


class EffectGate:
    """Writes to Kubernetes and AWS, if the fence allows it. Thread-safe; blocks for the calls it makes.

    Kubernetes writes carry the resourceVersion of the object that they were decided on, so that a stale copy changes
    nothing (DESIGN 4.9). All methods raise `ClassifiedError`.
    """

    def __init__(
        self, writer: ObjectWriter, jobs: Jobs, recorder: Recorder, fence: Fence, hook: EffectHook | None = None
    ) -> None:
        self._writer = writer
        self._jobs = jobs
        self._recorder = recorder
        self._fence = fence
        self._hook: EffectHook = hook or _NoHook()

    def ensure_finalizer(
        self,
        descriptor: KindDescriptor,
        key: ObjectKey,
        obj: JsonObject,
        name: str | None,
        annotations: Mapping[str, str] | None = None,
    ) -> JsonObject:
        """Add the finalizer, annotations and, unless None, the name to the spec, in one write; returns the object
        after it.
        """
        finalizers = list(obj["metadata"].get("finalizers") or ())
        body: JsonObject = {"metadata": {"annotations": dict(annotations)}} if annotations else {}
        if FINALIZER not in finalizers:
            body.setdefault("metadata", {})["finalizers"] = [*finalizers, FINALIZER]
        if name is not None:
            body["spec"] = {descriptor.name.spec_field: name}
        return self._effect(Effect.ENSURE_FINALIZER, lambda: self._patch(descriptor, key, obj, body))

    def require_current(self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject) -> JsonObject:
        """Check that `obj` is the current version, by an empty write with its version as precondition.

        AWS mutations follow a write or this within the same pass, so that no old list and no late watch event can
        cause one. The API server compares and stores nothing.
        """
        return self._effect(Effect.REQUIRE_CURRENT, lambda: self._patch(descriptor, key, obj, {}))

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """Create the resource; returns its ARN."""
        arn = self._effect(Effect.CREATE, lambda: self._jobs.create(descriptor, target, request, caller=caller))
        _log.debug("resource created", job_name=request.get(descriptor.name.member), region=target.region)
        return arn

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """Request that a job stops."""
        answer = self._effect(Effect.STOP, lambda: self._jobs.stop(descriptor, target, name, caller=caller))
        _log.debug("stop requested", job_name=name, region=target.region)
        return answer

    def update(
        self, descriptor: KindDescriptor, target: Target, name: str, members: Mapping[str, Any], *, caller: Hashable
    ) -> None:
        """Change members of a job."""
        self._effect(Effect.UPDATE, lambda: self._jobs.update(descriptor, target, name, members, caller=caller))
        _log.info("job changed", job_name=name, members=sorted(members))

    def tag(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """Put tags on a resource."""
        self._effect(Effect.TAG, lambda: self._jobs.add_tags(target, arn, tags, caller=caller))
        _log.info("resource tagged", resource=arn)

    def untag(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """Remove tags from a resource."""
        self._effect(Effect.TAG, lambda: self._jobs.delete_tags(target, arn, keys, caller=caller))
        _log.info("tags taken off", resource=arn, count=len(keys))

    def annotate(
        self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject, annotations: Mapping[str, str | None]
    ) -> JsonObject:
        """Write annotations, None removes one; returns the object after it."""
        body = {"metadata": {"annotations": dict(annotations)}}
        return self._effect(Effect.ANNOTATE, lambda: self._patch(descriptor, key, obj, body))

    def perform(self, effect: Effect, act: Callable[[], T]) -> T:
        """Carry out an effect that is specific to one life-cycle. Raises what `act` raises."""
        result = self._effect(effect, act)
        _log.debug("change made", effect=effect.value)
        return result

    def patch_status(
        self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject, status: JsonObject
    ) -> JsonObject:
        """Merge `status` into the status of `obj`; returns the object after it."""
        patch = partial(self._patch, descriptor, key, obj, {"status": status}, subresource="status")
        return self._effect(Effect.PATCH_STATUS, patch)

    def delete_expired(self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject) -> None:
        """Delete `obj` in the version that was decided on: a later change may mean that it is to be kept."""
        metadata = obj["metadata"]
        self._effect(
            Effect.DELETE_EXPIRED,
            lambda: self._writer.delete(
                descriptor.resource,
                key,
                uid=metadata["uid"],
                resource_version=metadata["resourceVersion"],
            ),
        )
        _log.debug("object deleted, its time after the end of the job is over")

    def remove_finalizer(self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject) -> None:
        """Remove our finalizer: the last thing that we do to an object."""
        rest = [each for each in obj["metadata"].get("finalizers") or () if each != FINALIZER]
        self._effect(
            Effect.REMOVE_FINALIZER, lambda: self._patch(descriptor, key, obj, {"metadata": {"finalizers": rest}})
        )
        _log.info("object released")

    def emit_events(self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject, events: Iterable[Event]) -> None:
        """Record events about `obj`, and log them: at level info, events are the log of an object."""
        metadata = obj["metadata"]
        regarding = Regarding(
            api_version=API_VERSION,
            kind=descriptor.kind,
            namespace=key.namespace,
            name=key.name,
            uid=metadata.get("uid") or "",
            resource_version=metadata.get("resourceVersion") or "",
        )
        for event in events:
            self._effect(
                Effect.EMIT_EVENT, partial(self._recorder.event, regarding, event.type, event.reason, event.message)
            )
            _log.info("event", type=event.type, reason=event.reason, text=event.message)

    def _patch(
        self, descriptor: KindDescriptor, key: ObjectKey, obj: JsonObject, body: JsonObject, *, subresource: str = ""
    ) -> JsonObject:
        metadata = {**body.get("metadata", {}), "resourceVersion": obj["metadata"]["resourceVersion"]}
        return self._writer.patch(descriptor.resource, key, {**body, "metadata": metadata}, subresource=subresource)

    def _effect(self, effect: Effect, act: Callable[[], T]) -> T:
        if not self._fence.may_act():
            raise FencedError(effect)
        self._hook.before(effect)
        result = act()
        self._hook.after(effect)
        return result
