"""Implements `LifeCycle` for HostingDeployments: one method for each step of `observation`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final, TypeGuard

import structlog

from api import hosting as manifests
from api.annotations import LAST_UPDATE_ATTEMPT, RECREATE_ON_FAILURE
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
from controller.reconcile import reasons
from controller.reconcile.context import Context
from controller.reconcile.effects import Effect
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
    ForgetUpdate,
    LastUpdate,
    MakeChild,
    Numbers,
    OwnChild,
    RecordOutcome,
    RecordPendingUpdate,
    RecordServed,
    RestoreChild,
    RetainChild,
    RetryChild,
    SucceedChild,
    TagChild,
    Update,
)
from controller.reconcile.hosting import COMPONENTS_OF, RESOURCE_IDS
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.observe_object import described, external_resource, with_external
from controller.reconcile.managed.ownership import verify_owner
from controller.reconcile.managed.requests import create_request, invalid
from controller.reconcile.observation import During, ExternalResource, Failure, Mutation, Observed, Source
from controller.reconcile.ports import ObjectReader, ObjectWriter
from controller.reconcile.shared_decisions import drift_shown
from controller.reconcile.status.notes import note_of
from controller.reconcile.status.patch import recorded_in, rfc3339
from controller.reconcile.steps import Create, Delete, Describe, Drift, EnsureFinalizer, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

LAST_UPDATE: Final = LAST_UPDATE_ATTEMPT.key
"""Annotation: what SageMaker was last asked to serve (D-15)."""

_KNOWN: Final = ("creationTime", "endpointArn", "endpointConfigName", "lastModifiedTime", "productionVariants")
"""Status fields copied from DescribeEndpoint."""


class EndpointLifeCycle:
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
        self._context = context
        self._descriptor = context.descriptor
        self._endpoints = endpoints
        self._scaling = scaling
        self._policies = policies
        self._components = components
        self._check = check
        self._children = ChildObjects(models, configurations, writer, context.effects)

    def decide(self, observed: EndpointObservation) -> EndpointStep:
        """See `LifeCycle.decide`."""
        return decide(observed)

    def perform(self, step: EndpointStep, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """See `LifeCycle.perform`."""
        match step:
            case EnsureFinalizer():
                managed.ensure_finalizer(None)
                return self.observe(managed)
            case RecordServed():
                return self._record(observed, managed, served(observed))
            case RecordOutcome(took_effect):
                return self._record(observed, managed, resolved_by(observed.last_update, took_effect=took_effect))
            case RecordPendingUpdate():
                return self._record(observed, managed, pending(observed))
            case ForgetUpdate():
                return replace(self._record(observed, managed, LastUpdate()), is_update_copied=False)
            case Describe(background, before):
                if isinstance(before, Update | Delete):
                    operation = _operation(before) if isinstance(before, Update) else self._descriptor.operations.delete
                    self._endpoints.reserve(managed.identity.target(), operation, caller=managed.key)
                return self._describe(observed, managed, background=background)
            case VerifyOwner(arn):
                return replace(observed, base=verify_owner(managed, observed.base, self._endpoints, arn))
            case AskScaled(variants):
                return self._ask_scaled(observed, managed, variants)
            case Create():
                return self._create(observed, managed)
            case Update():
                return self._update(observed, managed, step)
            case Delete(name):
                return self._delete(observed, managed, name)
            case _:
                assert _is_about_child(step)  # noqa: S101 (all else is the loop's)
                return replace(observed, done=observed.done | {self._change_child(step, managed)})

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`: nothing is kept of a deployment."""

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

    def observe(self, managed: ManagedObject) -> EndpointObservation:
        """See `LifeCycle.observe`."""
        obj, state = managed.obj, managed.state
        base = managed.observe()
        if base.is_recorded_in_status:
            state.recorded = state.doubtful_since = None
        metadata, status = obj["metadata"], obj.get("status") or {}
        annotations = metadata.get("annotations") or {}
        sighting = self._context.tracker.last(managed.key)
        if sighting is not None and base.recorded is not None:  # else of an earlier object
            summary = None
            if sighting.summary is not None:
                summary = _current(
                    status, external_resource(self._descriptor, sighting.summary, Source.SUMMARY), sighting.summary
                )
            is_due, is_lost = sighting.is_describe_due or base.is_reconcile_requested, sighting.lost is not None
            base = replace(base, is_describe_due=is_due, is_list_lost=is_lost)
            base = with_external(managed.state, base, summary)
        observed = EndpointObservation(
            base=base,
            children=tuple(child_of(kind, each) for kind in CHILDREN for each in self._children.of(managed, kind)),
            last_update=LastUpdate() if base.is_copied else parse(note_of(obj, LAST_UPDATE_ATTEMPT), base.uid),
            is_update_copied=base.is_copied and LAST_UPDATE in annotations,
            is_observed=status.get("observedGeneration") == base.generation
            and base.reasons.get(reasons.SYNCED) != reasons.WAITING,
            was_visible=bool(status.get("creationTime")),
            recreates=RECREATE_ON_FAILURE.of(annotations) is True,
            components=self._components_on(managed, base) if base.deleting_for_s is not None else (),
            scalers=self._scalers(managed, base.name),
            least_counts=self._least_counts(managed, base.name),
        )
        if base.failure is not None:
            return observed
        try:
            observed = replace(observed, url=self._url(observed, managed))
        except CallError as error:
            return replace(observed, base=replace(base, failure=Failure.of(During.CREATE, error)))
        if base.deleting_for_s is not None or base.policy.read_only:
            return observed
        return self._with_desired(observed, managed)

    def _with_desired(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        """Add what the spec describes, or why it cannot be determined."""
        try:
            resolved = manifests.resolve(_placed(observed, managed))
            wanted = desired(managed.obj, resolved, self._how(managed), observed.models, observed.configurations)
        except ConversionError as exc:
            return replace(observed, invalid=Failure.of(During.CREATE, invalid(exc)))
        except CallError as error:
            return replace(observed, invalid=Failure.of(During.CREATE, error))
        return replace(observed, desired=wanted, ignored=resolved.ignored)

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

    def _describe(
        self, observed: EndpointObservation, managed: ManagedObject, *, background: bool
    ) -> EndpointObservation:
        base = observed.base
        target, name, caller = managed.identity.target(), base.name, managed.key
        answer = described(
            base,
            lambda: self._endpoints.describe(self._descriptor, target, name, caller=caller, background=background),
        )
        base = replace(base, is_describe_due=False)
        observed = replace(observed, is_described=True)
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT))
        self._context.tracker.described(managed.key, answer)
        external = external_resource(self._descriptor, answer, Source.DESCRIPTION)
        return replace(observed, base=with_external(managed.state, base, external))

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

    def _record(self, observed: EndpointObservation, managed: ManagedObject, last: LastUpdate) -> EndpointObservation:
        managed.annotate({LAST_UPDATE: text_of(last, observed.base.uid)})
        return replace(observed, last_update=last)

    def _intend(
        self, observed: EndpointObservation, managed: ManagedObject, numbers: Numbers | None
    ) -> EndpointObservation:
        """Record the creation or update that is about to be sent; a repeated one is recorded already."""
        intent = intent_of(observed, "" if numbers is not None else _configuration(observed), numbers or {})
        before = observed.last_update.intent
        if before is not None and replace(before, at=intent.at) == intent:
            managed.require_current()
            return observed
        return self._record(observed, managed, replace(observed.last_update, intent=intent))

    # --- the endpoint

    def _create(self, observed: EndpointObservation, managed: ManagedObject) -> EndpointObservation:
        base = observed.base
        target = managed.identity.target()
        request = create_request(self._descriptor, managed.spec, base.name, managed.identity)
        request[ENDPOINT_CONFIG.name.member] = _configuration(observed)
        self._endpoints.reserve(target, self._descriptor.operations.create, caller=managed.key)
        observed = self._intend(observed, managed, None)
        send = partial(
            self._context.effects.perform,
            Effect.CREATE,
            lambda: self._endpoints.create(self._descriptor, target, request, caller=managed.key),
        )
        created = replace(managed.create(base, base.name, send), external=None)
        if created.mutation is None:
            return replace(observed, base=created)
        last = resolved_by(observed.last_update, took_effect=True)
        return replace(self._record(observed, managed, last), base=created, was_visible=False)

    def _update(self, observed: EndpointObservation, managed: ManagedObject, step: Update) -> EndpointObservation:
        base, numbers, operation = observed.base, step.numbers, _operation(step)
        request: JsonObject = {HOSTING_DEPLOYMENT.name.member: base.name}
        if numbers is None:
            request |= self._how(managed) | {ENDPOINT_CONFIG.name.member: _configuration(observed)}
        else:
            request["DesiredWeightsAndCapacities"] = [_capacity(name, *both) for name, both in numbers.items()]
        target = managed.identity.target()
        self._endpoints.reserve(target, operation, caller=managed.key)
        observed = self._intend(observed, managed, numbers)
        try:
            self._context.effects.perform(
                Effect.UPDATE,
                lambda: self._endpoints.change(target, operation, request, caller=managed.key),
            )
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, was_refused_as_busy=True)
            raise
        self._context.tracker.poll_soon(managed.key)
        if not observed.is_new_spec and drift_shown(base) is Drift.FOUND:
            managed.state.corrections = managed.state.corrections.after(self._context.clock.monotonic())
        observed = self._record(observed, managed, resolved_by(observed.last_update, took_effect=True))
        return replace(observed, base=replace(base, mutation=Mutation.UPDATED))

    def _delete(self, observed: EndpointObservation, managed: ManagedObject, name: str) -> EndpointObservation:
        base = observed.base
        target = managed.identity.target()
        managed.require_current()
        try:
            answer = self._context.effects.perform(
                Effect.DELETE,
                lambda: self._endpoints.delete(self._descriptor, target, name, caller=managed.key),
            )
        except CallError as error:
            if error.error_class is ErrorClass.CONFLICT:
                return replace(observed, was_refused_as_busy=True)
            raise
        if answer is ABSENT:
            return replace(observed, base=replace(base, external=ABSENT), was_visible=True)
        return replace(observed, base=replace(base, mutation=Mutation.DELETED))


def _operation(step: Update) -> str:
    return "UpdateEndpoint" if step.numbers is None else "UpdateEndpointWeightsAndCapacities"


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
