"""Implements `LifeCycle` for HostingDeployments: one method for each step of `observation`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard

import structlog

from api import hosting as manifests
from api.annotations import LAST_UPDATE_ATTEMPT
from api.autoscaling import resource_id_of, selector_of
from api.convert import ConversionError, to_request
from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT
from controller.aws.autoscaling import Scaling
from controller.aws.console import partition_of
from controller.aws.errors import CallError
from controller.aws.runtimeurl import invocation_url
from controller.aws.sagemaker import Endpoints
from controller.reconcile.context import Context
from controller.reconcile.endpoint.child_objects import CHILDREN, ChildObjects
from controller.reconcile.endpoint.children import going_children
from controller.reconcile.endpoint.decide import decide
from controller.reconcile.endpoint.desired import child_of, desired, is_held
from controller.reconcile.endpoint.last_update import intent_of, parse, pending, resolved_by, served, text_of
from controller.reconcile.endpoint.observation import (
    AskScaled,
    CheckChild,
    ChildStep,
    CorrectChild,
    DropChild,
    EndpointObservation,
    EndpointStep,
    LastUpdate,
    MakeChild,
    Numbers,
    OwnChild,
    RecordOutcome,
    RecordPendingUpdate,
    RestoreChild,
    RetainChild,
    RetryChild,
    SucceedChild,
    TagChild,
    Update,
)
from controller.reconcile.hosting import COMPONENTS_OF, RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.requests import create_request, invalid
from controller.reconcile.mutable.observation import UpdateStep
from controller.reconcile.mutable.perform import MutableLifeCycle
from controller.reconcile.observation import During, ExternalResource, Failure, Observed, Source
from controller.reconcile.ports import ObjectReader, ObjectWriter
from controller.reconcile.status.notes import note_of
from controller.reconcile.status.patch import recorded_in, rfc3339
from controller.reconcile.steps import Create
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

LAST_UPDATE: Final = LAST_UPDATE_ATTEMPT.key
"""Annotation: what SageMaker was last asked to serve (D-15)."""

_KNOWN: Final = ("creationTime", "endpointArn", "endpointConfigName", "lastModifiedTime", "productionVariants")
"""Status fields copied from DescribeEndpoint."""


class EndpointLifeCycle(MutableLifeCycle[EndpointObservation, EndpointStep]):
    """`RestingLifeCycle` of HostingDeployments: an endpoint, created, switched to new configurations, and deleted."""

    def __init__(
        self,
        context: Context,
        endpoints: Endpoints,
        scaling: Scaling,
        *,
        models: ObjectReader,
        configurations: ObjectReader,
        policies: ObjectReader,
        components: ObjectReader,
        writer: ObjectWriter,
        check: Callable[[KindDescriptor, ObjectKey], None],
    ) -> None:
        """`check` makes an object look for its resource at AWS."""
        super().__init__(context, endpoints)
        self._scaling = scaling
        self._policies = policies
        self._components = components
        self._check = check
        self._children = ChildObjects(models, configurations, writer, context.effects)

    def decide(self, observed: EndpointObservation) -> EndpointStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform_own(
        self, step: EndpointStep, observed: EndpointObservation, managed: ManagedObject
    ) -> EndpointObservation:
        """See `MutableLifeCycle.perform_own`."""
        match step:
            case RecordOutcome(took_effect):
                return self._record(observed, managed, resolved_by(observed.last_update, took_effect=took_effect))
            case RecordPendingUpdate():
                return self._record(observed, managed, pending(observed))
            case AskScaled(variants):
                return self._ask_scaled(observed, managed, variants)
            case _:
                assert _is_about_child(step)  # noqa: S101 (all else is shared)
                return replace(observed, done=observed.done | {self._change_child(step, managed)})

    def _change_child(self, step: ChildStep, managed: ManagedObject) -> str:
        """Carry out a step that concerns a child; returns its name."""
        match step:
            case MakeChild(want):
                self._children.make(managed, want)
                return want.name
            case RestoreChild(want):
                assert want.modified is not None  # noqa: S101 (decided on)
                self._children.restore(managed, want.modified, want)
                return want.name
            case TagChild(want):
                assert want.child is not None  # noqa: S101 (decided on)
                self._children.tag(managed, want.child, want)
                return want.child.name
            case SucceedChild(child):
                self._children.succeed(managed, child)
            case DropChild(child):
                self._children.drop(managed, child)
            case RetainChild(child):
                self._children.retain(managed, child)
            case OwnChild(child):
                self._children.own(managed, child)
            case CorrectChild(child):
                self._children.correct(managed, child)
            case RetryChild(child, at):
                self._children.retry(managed, child, at)
            case CheckChild(child):
                self._check(child.descriptor, ObjectKey(managed.key.namespace, child.name))
        return child.name

    # --- observing

    def inputs(self, managed: ManagedObject, going: Mapping[str, bool]) -> object:
        """See `RestingLifeCycle.inputs`: the children, the policies that scale, and what the tracker has polled."""
        others, waited_for = [], []
        for kind in CHILDREN:
            for each in self._children.of(managed, kind):
                uid = each["metadata"]["uid"]
                if uid not in going or is_held(kind, each):
                    others.append(each)
                elif going[uid]:
                    waited_for.append(uid)
        named = str((managed.obj.get("status") or {}).get(self._descriptor.name.status_field) or "")
        others += [policy for _, policy in self._policies_of(managed, named)]
        if managed.obj["metadata"].get("deletionTimestamp"):
            others += self._components.by_index(COMPONENTS_OF, f"{managed.key.namespace}/{managed.key.name}")
            others += self._components.by_index(COMPONENTS_OF, f"/{named}")
        sighting = self._context.tracker.last(managed.key)
        polled = None if sighting is None else (sighting.summary, sighting.is_describe_due, sighting.lost)
        versions = [(each["metadata"]["uid"], each["metadata"]["resourceVersion"]) for each in others]
        return versions, waited_for, polled

    def going(self, observed: EndpointObservation) -> Mapping[str, bool]:
        """See `RestingLifeCycle.going`: superfluous children."""
        return going_children(observed, decide)

    def new_observation(self, managed: ManagedObject, base: Observed) -> EndpointObservation:
        """See `MutableLifeCycle.new_observation`."""
        observed = EndpointObservation(
            base=base,
            children=tuple(child_of(kind, each) for kind in CHILDREN for each in self._children.of(managed, kind)),
            components=self._components_on(managed, base) if base.deleting_for_s is not None else (),
            scalers=self._scalers(managed, base.name),
            least_counts=self._least_counts(managed, base.name),
        )
        if base.failure is not None:
            return observed
        try:
            return replace(observed, url=self._url(observed, managed))
        except CallError as error:
            return replace(observed, base=replace(base, failure=Failure.of(During.CREATE, error)))

    def with_records(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `MutableLifeCycle.with_records`."""
        base, annotations = observed.base, managed.obj["metadata"].get("annotations") or {}
        if base.is_copied:
            return replace(observed, is_update_copied=LAST_UPDATE in annotations)
        return replace(observed, last_update=parse(note_of(managed.obj, LAST_UPDATE_ATTEMPT), base.uid))

    def with_desired(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `MutableLifeCycle.with_desired`."""
        try:
            resolved = manifests.resolve(_placed(observed, managed))
            wanted = desired(managed.obj, resolved, self._how(managed), observed.models, observed.configurations)
        except ConversionError as exc:
            raise invalid(exc) from exc
        return replace(observed, desired=wanted, ignored=resolved.ignored)

    def completed(
        self, managed: ManagedObject, summary: ExternalResource, answer: Mapping[str, Any]
    ) -> ExternalResource:
        """See `MutableLifeCycle.completed`."""
        return _current(managed.obj.get("status") or {}, summary, answer)

    def _components_on(self, managed: ManagedObject, base: Observed) -> tuple[str, ...]:
        """Return the components on the endpoint: by the names of the object and, in any namespace, of the endpoint."""
        by_object = f"{managed.key.namespace}/{managed.key.name}"
        found = {
            ObjectKey.of(each): recorded
            for value in (by_object, f"/{base.name}")
            for each in self._components.by_index(COMPONENTS_OF, value)
            if (recorded := recorded_in(each.get("status") or {})) is not None
        }
        region = base.recorded.region if base.recorded else ""
        return tuple(f"InferenceComponent {key}" for key in sorted(found) if found[key].region == region)

    def _scalers(self, managed: ManagedObject, endpoint: str) -> dict[str, str]:
        """Return the policy objects that have claimed variants of the endpoint, by variant."""
        return {
            variant: f"HostingAutoscalingPolicy {ObjectKey.of(policy)}"
            for variant, policy in self._policies_of(managed, endpoint)
        }

    def _least_counts(self, managed: ManagedObject, endpoint: str) -> dict[str, int]:
        """Return the largest of the policies' minima, by variant."""
        least: dict[str, int] = {}
        for variant, policy in self._policies_of(managed, endpoint):
            capacity = (policy.get("spec") or {}).get("minCapacity")
            if isinstance(capacity, int):
                least[variant] = max(capacity, least.get(variant, 0))
        return least

    def _policies_of(self, managed: ManagedObject, endpoint: str) -> Iterator[tuple[str, JsonObject]]:
        region = managed.spec.get("region")
        variants = managed.spec.get("productionVariants")
        for each in variants if isinstance(variants, list) else ():  # the conversion reports what is no list
            if isinstance(each, Mapping):
                variant = str(each.get("variantName"))
                for policy in self._policies.by_index(RESOURCE_IDS, resource_id_of(endpoint, variant)):
                    if (policy.get("spec") or {}).get("region") == region:
                        yield variant, policy

    def _url(self, observed: EndpointObservation, managed: ManagedObject) -> str:
        if observed.base.deleting_for_s is not None and observed.base.recorded is None:
            return ""
        region = managed.region(observed.base)
        return invocation_url(region, partition_of(region), observed.base.name)

    def _how(self, managed: ManagedObject) -> JsonObject:
        return to_request(self._descriptor, managed.spec, "UpdateEndpoint")

    def _ask_scaled(
        self, observed: EndpointObservation, managed: ManagedObject, variants: tuple[str, ...]
    ) -> EndpointObservation:
        """Find the variants with a scalable target; if the call is denied, all: a fight with autoscaling is worse."""
        ids = {resource_id_of(observed.base.name, variant): variant for variant in variants}
        selectors = [selector_of(each, {}) for each in ids]
        target = managed.identity.target()
        try:
            there = self._scaling.targets(target, selectors, caller=managed.key)
        except CallError as error:
            if error.error_class is ErrorClass.THROTTLED:
                raise
            _log.warning("cannot tell which variants are scaled", code=error.code)
            return replace(observed, scaled=frozenset(variants))
        return replace(observed, scaled=frozenset(ids[each] for each in there))

    # --- records of updates

    def record_served(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `MutableLifeCycle.record_served`."""
        return self._record(observed, managed, served(observed))

    def forget_update(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `MutableLifeCycle.forget_update`."""
        return replace(self._record(observed, managed, LastUpdate()), is_update_copied=False)

    def intend(
        self, step: Create | UpdateStep, observed: EndpointObservation, managed: ManagedObject
    ) -> EndpointObservation:
        """See `MutableLifeCycle.intend`; a repeated request is recorded already."""
        numbers = _numbers(step)
        intent = intent_of(observed, "" if numbers is not None else _configuration(observed), numbers or {})
        before = observed.last_update.intent
        if before is not None and replace(before, at=intent.at) == intent:
            return observed
        return self._record(observed, managed, replace(observed.last_update, intent=intent))

    def accepted(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `MutableLifeCycle.accepted`."""
        return self._record(observed, managed, resolved_by(observed.last_update, took_effect=True))

    def _record(self, observed: EndpointObservation, managed: ManagedObject, last: LastUpdate) -> EndpointObservation:
        managed.annotate({LAST_UPDATE: text_of(last, observed.base.uid)})
        return replace(observed, last_update=last)

    # --- requests

    def create_request(self, observed: EndpointObservation, managed: ManagedObject) -> JsonObject:
        """See `MutableLifeCycle.create_request`."""
        request = create_request(self._descriptor, managed.spec, observed.base.name, managed.identity)
        return request | {ENDPOINT_CONFIG.name.member: _configuration(observed)}

    def update_operation(self, step: UpdateStep) -> str:
        """See `MutableLifeCycle.update_operation`."""
        return "UpdateEndpoint" if _numbers(step) is None else "UpdateEndpointWeightsAndCapacities"

    def update_request(self, step: UpdateStep, observed: EndpointObservation, managed: ManagedObject) -> JsonObject:
        """See `MutableLifeCycle.update_request`."""
        if (numbers := _numbers(step)) is None:
            return self._how(managed) | {ENDPOINT_CONFIG.name.member: _configuration(observed)}
        return {"DesiredWeightsAndCapacities": [_capacity(name, *both) for name, both in numbers.items()]}


def _numbers(step: Create | UpdateStep) -> Numbers | None:
    """Return the numbers that a step changes; None: it sends a configuration."""
    return step.numbers if isinstance(step, Update) else None


def _is_about_child(step: EndpointStep) -> TypeGuard[ChildStep]:
    return isinstance(step, ChildStep)


def _placed(observed: EndpointObservation, managed: ManagedObject) -> JsonObject:
    """Return the spec with its region: children are created in the endpoint's region, even if the default changes."""
    return {**managed.spec, "region": managed.region(observed.base)}


def _current(status: Mapping[str, Any], summary: ExternalResource, answer: Mapping[str, Any]) -> ExternalResource:
    """Return the status as a description, if the summary shows no change since; else the summary."""
    modified = answer.get("LastModifiedTime")
    is_same = modified is not None and rfc3339(modified) == status.get("lastModifiedTime")
    shown = status.get(HOSTING_DEPLOYMENT.status.field)
    is_shown = shown == summary.value or (
        shown == HOSTING_DEPLOYMENT.status.reconciling and summary.value == "InService"
    )
    if not (is_same and is_shown and status.get("endpointConfigName")):
        return summary
    fields = {name: status[name] for name in _KNOWN if name in status}
    reason = str(status.get("failureReason") or "")
    if reason:
        fields["failureReason"] = reason
    return replace(summary, source=Source.DESCRIPTION, is_completed=True, fields=fields, failure_reason=reason)


def _configuration(observed: EndpointObservation) -> str:
    configuration = observed.desired.configuration if observed.desired else None
    assert configuration is not None and configuration.child is not None  # noqa: S101, PT018 (decided on)
    return configuration.child.sagemaker_name


def _capacity(variant: str, count: int | None, weight: float | None) -> JsonObject:
    capacity: JsonObject = {"VariantName": variant}
    if count is not None:
        capacity["DesiredInstanceCount"] = count
    if weight is not None:
        capacity["DesiredWeight"] = weight
    return capacity
